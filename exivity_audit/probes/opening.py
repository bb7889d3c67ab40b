"""Puts the probes of a run together; a probe's module is loaded only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from msgspec import Struct

from exivity_audit.collect.api import Api
from exivity_audit.collect.connection import Connection
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.discovery import Discovery
from exivity_audit.probes.asked import NAMES, Asked
from exivity_audit.probes.attempt import Path
from exivity_audit.probes.engine import Engine, Probe
from exivity_audit.probes.ways import Ways, standing
from exivity_audit.probes.wire import Resolve, resolve


class Tools(Struct, frozen=True):
    """What a probe may use: the run's API (Secrets are read in memory), the ways to servers, the resolver, and what the run asked for."""

    api: Api
    discovery: Discovery
    namespace: str
    asked: Asked
    path: Path
    ways: Ways
    resolve: Resolve = resolve


Make = Callable[[Tools], Probe]


def open_probes(
    asked: Asked, connection: Connection, api: Api, discovery: Discovery, namespace: str, deadline: Deadline, *, resolve: Resolve = resolve
) -> Engine:
    """The engine of a run with the probes it asked for. Raises UsageError for files of the config that cannot be used."""
    path = standing(connection)
    forward: Any = None
    if asked.port_forward:
        from exivity_audit.probes.port_forward import PortForwards

        forward = PortForwards(connection)
    ways = Ways(api, discovery, namespace, path, asked.connect, forward)
    tools = Tools(api, discovery, namespace, asked, path, ways, resolve)
    probes = [_module(name)(tools) for name in NAMES if name in asked.names]
    return Engine(probes, seconds=asked.seconds, deadline=deadline, path=path)


def _module(name: str) -> Make:
    """What makes a probe: the class ``Probing`` of the module of its name."""
    found: Make = import_module(f"exivity_audit.probes.{name}").Probing
    return found
