"""RabbitMQ's management API, by GET alone: alarms, quorum, queues, nodes. A field that it leaves out stays unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path as File
from typing import Any
from urllib.parse import urlsplit

from exivity_audit.collect import public
from exivity_audit.collect.beside import Client, Reply, amount, proxied
from exivity_audit.collect.connection import Connection
from exivity_audit.collect.credentials import basic
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.stats import Stats
from exivity_audit.probes.asked import Login
from exivity_audit.probes.attempt import Attempt
from exivity_audit.probes.wire import client_context

LARGEST = 4 * 2**20
MOST_QUEUES, MOST_NODES, MOST_NAMES = 500, 20, 10
QUEUE_TYPES = ("classic", "quorum", "stream")
_STATES = {401: "login", 403: "login", 404: "no-api"}
_VERSION = re.compile(r"[0-9A-Za-z.+~-]{1,40}")
_NODE = "name,running,mem_alarm,disk_free_alarm,mem_used,mem_limit,disk_free,disk_free_limit,partitions"
_QUEUE = "name,vhost,type,durable,exclusive,messages,members,online"
FIGURES = {"mem_used": "memory", "mem_limit": "memory_limit", "disk_free": "disk", "disk_free_limit": "disk_limit"}
FLAGS = {"running": "running", "mem_alarm": "memory_alarm", "disk_free_alarm": "disk_alarm"}


def asked_of(url: str, login: Login, attempt: Attempt, ca_file: File | None, vhost: str) -> dict[str, Any]:
    """What the API says, or in ``state`` why it says nothing."""
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        return {"state": "clear-text"}  # no password goes over plain HTTP
    context = client_context(ca_file) if parts.scheme == "https" else None
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
    connection = Connection(place, context, basic(login.user, login.password), proxy=proxied(place))
    api = Client(connection, Deadline(attempt.left()), Stats(), seconds=attempt.left(), largest=LARGEST, lists=True)
    try:
        return _Api(api, f"{place}/api").told(vhost)
    finally:
        api.close()


class _Api:
    def __init__(self, client: Client, root: str) -> None:
        self._client, self._root = client, root

    def told(self, vhost: str) -> dict[str, Any]:
        overview = self._get("overview", "columns", "rabbitmq_version,object_totals,queue_totals")
        if overview.failure is not None:
            return {"state": _STATES.get(overview.failure.status or 0, overview.failure.kind)}
        totals = [part if isinstance(part := overview.body.get(key), dict) else {} for key in ("object_totals", "queue_totals")]
        version = str(overview.body.get("rabbitmq_version", ""))
        return {
            "state": "open", "version": version if _VERSION.fullmatch(version) else "",
            "connections": amount(totals[0].get("connections")), "messages": amount(totals[1].get("messages")),
            "alarm": self._health("alarms"), "quorum_critical": self._health("node-is-quorum-critical"),
            "nodes": self._nodes(), "queues": self._queues(vhost),
        }  # fmt: skip

    def _get(self, path: str, key: str, value: str, *more: tuple[str, str]) -> Reply:
        return self._client.get(f"{self._root}/{path}", ((key, value), *more))

    def _health(self, what: str) -> bool | None:
        """Whether a health check fails: it says so by 503. None where it does not say."""
        failure = self._client.get(f"{self._root}/health/checks/{what}").failure
        if failure is None:
            return False
        return True if failure.status == 503 else None

    def _nodes(self) -> list[dict[str, Any]] | None:
        """The nodes; None where they may not be seen."""
        found = self._list("nodes", ("columns", _NODE))
        return None if found is None else [_node(one) for one in found[:MOST_NODES]]

    def _queues(self, vhost: str) -> dict[str, Any] | None:
        """The queues of a virtual host by their types; None where they may not be seen."""
        found = self._list("queues", ("columns", _QUEUE), ("page", "1"), ("page_size", str(MOST_QUEUES)))
        if found is None:
            return None
        own = [one for one in found if one.get("vhost") == vhost and one.get("exclusive") is not True]
        depths = [amount(one.get("messages")) for one in own]
        types = {kind: [str(public.name(one.get("name"))) for one in own if one.get("type") == kind] for kind in QUEUE_TYPES}
        untold = len(own) - sum(map(len, types.values()))
        return {
            "count": len(own), "whole": len(found) < MOST_QUEUES, "unknown": untold, **{kind: len(names) for kind, names in types.items()},
            "classic_names": sorted(types["classic"])[:MOST_NAMES], "deepest": max((one for one in depths if one is not None), default=None),
            "silent": depths.count(None),
        }  # fmt: skip

    def _list(self, path: str, *query: tuple[str, str]) -> list[Mapping[str, Any]] | None:
        """The entries of a list, or of a page of one."""
        reply = self._client.get(f"{self._root}/{path}", query)
        held: Any = reply.body.get("items") if reply.failure is None else None
        return [one for one in held if isinstance(one, dict)] if isinstance(held, list) else None


def _node(one: Mapping[str, Any]) -> dict[str, Any]:
    figures = {name: amount(one.get(key)) for key, name in FIGURES.items()}
    flags = {name: value if isinstance(value := one.get(key), bool) else None for key, name in FLAGS.items()}
    parts = one.get("partitions")
    return {"name": public.name(one.get("name")), **figures, **flags, "partitions": len(parts) if isinstance(parts, list) else None}
