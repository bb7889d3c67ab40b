"""The product's ConfigMaps: where its database and broker are, which logins it uses, how long logs are kept."""

from __future__ import annotations

import math
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document, Malformed
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.facts.secrets import Description, Held, description
from exivity_audit.subject import Subject

CONFIG = "data[config.json]"


class DatabaseConfig(Struct, frozen=True):
    """The database as one place names it; an absent ``sslmode`` is empty."""

    subject: Subject
    source: Source
    host: str
    port: str
    name: str
    user: str
    sslmode: str


class Broker(Struct, frozen=True):
    """One broker address of a ``config.json``."""

    host: str
    port: str
    secure: bool


class ServiceConfig(Struct, frozen=True):
    """One ``config.json``: what its services log in to, and with what."""

    subject: Subject
    source: Source
    part: str  # "shared", "edify", …
    database: DatabaseConfig | None
    database_password: Description | None
    brokers: tuple[Broker, ...]
    broker_user: str
    vhost: str
    broker_password: Description | None

    @property
    def database_login(self) -> Held:
        """The database password as a secret that this ConfigMap holds."""
        return Held(self.subject, self.source, CONFIG, self.database_password)

    @property
    def broker_login(self) -> Held:
        """The broker password as a secret that this ConfigMap holds."""
        return Held(self.subject, self.source, CONFIG, self.broker_password)


class Environment(Struct, frozen=True):
    """The settings that proximity-api or proximity-cli reads from its ConfigMap."""

    subject: Subject
    source: Source
    log_level: str


class LogRetention(Struct, frozen=True):
    """After how many days log files are deleted and compressed; None where the text is no number."""

    subject: Subject
    source: Source
    delete_text: str
    compress_text: str

    @property
    def delete_days(self) -> float | None:
        """Days until deletion."""
        return _number(self.delete_text)

    @property
    def compress_days(self) -> float | None:
        """Days until compression."""
        return _number(self.compress_text)


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


@fact
def database_config(postgres_config: Objects[Document]) -> Objects[DatabaseConfig]:
    """The database as ``FN-postgres-config`` names it; migrations and the backup job read it there."""

    def build(item: Document) -> DatabaseConfig:
        def text(key: str) -> str:
            return item.text(f"data.POSTGRES_{key}") or ""

        return DatabaseConfig(item.subject, item.source, text("HOST"), text("PORT"), text("DB"), text("USER"), text("SSLMODE"))

    return postgres_config.each(build)


@fact
def configs(service_configs: Objects[Document], release: Any) -> Objects[ServiceConfig]:
    """Every ``config.json`` of the release, in the chart's order."""

    def build(item: Document) -> ServiceConfig:
        content = item.mapping(CONFIG)
        database, broker = _object(content, "db"), _object(content, "mq")
        servers = broker.get("servers") or []
        if not isinstance(servers, list) or any(not isinstance(server, dict) for server in servers):
            raise Malformed(CONFIG, "list of servers", servers)
        return ServiceConfig(
            subject=item.subject, source=item.source, part=item.name.removeprefix(f"{release.fullname}-config-"),
            database=DatabaseConfig(
                item.subject, item.source, *(_text(database, key) for key in ("host", "port", "dbname", "user", "sslmode"))
            ) if database else None,
            database_password=description(database.get("password"), CONFIG),
            brokers=tuple(Broker(_text(server, "host"), _text(server, "port"), server.get("secure") in (True, "true")) for server in servers),
            broker_user=_text(broker, "user"), vhost=_text(broker, "vhost"), broker_password=description(broker.get("password"), CONFIG),
        )  # fmt: skip

    found = service_configs.each(build)
    order = {part: number for number, part in enumerate(chart.CONFIG_COMPONENTS)}
    ordered = sorted(found, key=lambda one: (order.get(one.part, len(order)), one.part))
    return Objects(ordered, installed=found.installed, unreadable=found.unreadable, partial=found.partial)


def _object(content: dict[str, Any], key: str) -> dict[str, Any]:
    found = content.get(key)
    if found is not None and not isinstance(found, dict):
        raise Malformed(f"{CONFIG}.{key}", "object", found)
    return found or {}


def _text(content: dict[str, Any], key: str) -> str:
    found = content.get(key)
    if isinstance(found, dict | list):
        raise Malformed(f"{CONFIG}.{key}", "text", found)
    return "" if found is None else str(found)


@fact
def environments(api_environment: Objects[Document], cli_environment: Objects[Document]) -> Objects[Environment]:
    """The environment ConfigMaps of proximity-api and proximity-cli."""

    def build(item: Document) -> Environment:
        return Environment(item.subject, item.source, (item.text("data.EXIVITY_BACKEND_LOG_LEVEL") or "").strip())

    return api_environment.join(cli_environment).each(build)


@fact
def log_retention(logfiles_config: Objects[Document]) -> Objects[LogRetention]:
    """The log retention that ``FN-config-logfiles`` sets."""

    def build(item: Document) -> LogRetention:
        def days(what: str) -> str:
            return (item.text(f"data.EXIVITY_LOGFILES_{what}_DAYS") or "").strip()

        return LogRetention(item.subject, item.source, days("DELETE"), days("COMPRESS"))

    return logfiles_config.each(build)


def first_server(host: str, port: str, usual: str) -> tuple[str, str]:
    """Host and port of the first server that a configuration names, in one spelling: ``a,b`` and ``host:port`` are written too."""
    name = host.partition(",")[0].strip()
    number = port.partition(",")[0].strip()
    if name.count(":") == 1:
        name, _, told = name.partition(":")
        number = number or told
    return name.strip("[]").lower().rstrip("."), number or usual


def cluster_service(host: str, namespace: str) -> tuple[str, str] | None:
    """Service and namespace that a host names by the cluster's own DNS; None for a host elsewhere.

    A name of two parts is a Service only where the second is the release's own namespace: ``db.corp`` may be anybody's.
    """
    parts = host.lower().rstrip(".").split(".")
    if not parts[0] or parts == ["localhost"] or ":" in host:
        return None
    if len(parts) == 1:
        return parts[0], namespace
    if len(parts) == 2:
        return (parts[0], parts[1]) if parts[1] == namespace else None
    if parts[2] == "svc":
        return parts[0], parts[1]
    return (parts[1], parts[2]) if len(parts) > 3 and parts[3] == "svc" else None  # one pod of a headless Service


def two_labels(host: str) -> str | None:
    """The second label of a host of two: the namespace of a Service, or anybody's domain."""
    parts = host.lower().rstrip(".").split(".")
    return parts[1] if len(parts) == 2 and ":" not in host and not parts[1].isdigit() else None


def embedded_database(host: str, release: Any) -> bool:
    """Whether a host leads to the database that the chart itself brings."""
    found = cluster_service(host, release.namespace)
    return found is not None and found[1] == release.namespace and found[0] in {f"{name}-postgresql" for name in (release.name, release.fullname)}


def embedded_broker(host: str, release: Any) -> bool:
    """Whether a host leads to the broker that the chart itself brings."""
    found = cluster_service(host, release.namespace)
    names = {f"{name}-{kind}" for name in (release.name, release.fullname) for kind in ("rabbitmq-v4", "rabbitmq")}
    return found is not None and found[1] == release.namespace and found[0] in names
