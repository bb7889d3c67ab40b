"""The product's own logins to its database and broker, read where its services read them and held in memory for as long as a probe takes."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.collect.place import NotAsked
from exivity_audit.discreet import Discreet
from exivity_audit.facts.configuration import first_server
from exivity_audit.probes.opening import Tools
from exivity_audit.reading import HELP

SHIPPED_PORT = {"db": "5432", "mq": "5672"}


class DatabaseLogin(Discreet, Struct, frozen=True):
    """How the product logs in to its database; an empty password is one that was not seen."""

    unprinted = ("password",)

    database: str
    user: str
    password: str
    sslmode: str = ""


class BrokerLogin(Discreet, Struct, frozen=True):
    """How the product logs in to its broker."""

    unprinted = ("password",)

    user: str
    password: str
    vhost: str = "/"


def database_login(tools: Tools, release: Any, secrets: str, host: str, port: int) -> DatabaseLogin:
    """The login to a host and port. Raises NotAsked where none can be seen."""
    for content in _contents(tools, release):
        told = content.get("db")
        found = told.get("parameters") if isinstance(told, dict) else None
        if isinstance(found, dict) and _leads(found, host, port, "db"):
            password = _text(found.get("password")) or _secret_password(tools, release, secrets)
            return DatabaseLogin(_text(found.get("dbname")), _text(found.get("user")), password, _text(found.get("sslmode")))
    told = _get(tools, "configmaps", f"{release.fullname}-postgres-config", release.namespace).get("data")
    table = {key.removeprefix("POSTGRES_").lower(): _text(value) for key, value in told.items()} if isinstance(told, dict) else {}
    if not table.get("user"):
        raise _unseen("postgresql", release)
    return DatabaseLogin(table.get("db", ""), table["user"], _secret_password(tools, release, secrets), table.get("sslmode", ""))


def broker_login(tools: Tools, release: Any, host: str, port: int) -> BrokerLogin:
    """The login to a host and port. Raises NotAsked where none can be seen."""
    for content in _contents(tools, release):
        found = content.get("mq")
        servers = found.get("servers") if isinstance(found, dict) else None
        if isinstance(found, dict) and any(_leads(one, host, port, "mq") for one in (servers if isinstance(servers, list) else ())):
            return BrokerLogin(_text(found.get("user")), _text(found.get("password")), _text(found.get("vhost")) or "/")
    raise _unseen("rabbitmq", release)


def _unseen(what: str, release: Any) -> NotAsked:
    rule = f"get configmaps {release.fullname}-config-shared in {release.namespace}"
    return NotAsked(f"no login to it could be read for {what}{HELP}{rule})")


def _leads(told: Any, host: str, port: int, key: str) -> bool:
    if not isinstance(told, dict):
        return False
    named, number = first_server(_text(told.get("host")), _text(told.get("port")), SHIPPED_PORT[key])
    return (named, number) == (host.lower().rstrip("."), str(port))


def _contents(tools: Tools, release: Any) -> Iterator[dict[str, Any]]:
    """The ``config.json`` of the services, the shared one first."""
    for part in chart.CONFIG_COMPONENTS:
        data = _get(tools, "configmaps", f"{release.fullname}-config-{part}", release.namespace).get("data")
        text = data.get("config.json") if isinstance(data, dict) else None
        try:
            content = json.loads(text) if isinstance(text, str) else None
        except (ValueError, RecursionError):
            continue
        if isinstance(content, dict):
            yield content


def _secret_password(tools: Tools, release: Any, secrets: str) -> str:
    if secrets == "none":
        return ""
    name, key = chart.POSTGRES_SECRET
    data = _get(tools, "secrets", f"{release.fullname}-{name}", release.namespace).get("data")
    held = data.get(key) if isinstance(data, dict) else None
    try:
        return base64.b64decode(held, validate=True).decode() if isinstance(held, str) else ""
    except (binascii.Error, ValueError):
        return ""


def _get(tools: Tools, resource: str, name: str, namespace: str) -> dict[str, Any]:
    """An object; empty where it cannot be read."""
    served = tools.discovery.find(resource)
    answer = tools.api.get(served.path(namespace, name)) if served is not None else None
    return answer.body if answer is not None and answer.failure is None and isinstance(answer.body, dict) else {}


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)
