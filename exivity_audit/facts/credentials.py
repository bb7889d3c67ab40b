"""How old the product's credentials are: between which two moments each value came to be."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact, maybe, seen
from exivity_audit.facts.configuration import CONFIG
from exivity_audit.facts.secrets import Description, description
from exivity_audit.subject import Subject

DATABASE_VALUE, BROKER_VALUE = "postgresql.global.postgresql.auth.password", "rabbitmq.auth.password"


class Credential(Struct, frozen=True):
    """A credential in an object. It is no older than the object, and was last changed no later than the object's data were."""

    subject: Subject
    source: Source
    what: str  # "appKey", "PostgreSQL password" …
    values_path: str
    created: datetime | None
    changed: datetime | None  # the last write of the object's data; None where the API server does not say
    value: Description | None


class Kept(Struct, frozen=True):
    """Where one credential is kept: the objects found, or Unseen."""

    what: str
    leader: str  # the check that says that it is missing
    members: Any


def _changed(item: Document) -> datetime | None:
    times = [entry.time("time") for entry in item.items("metadata.managedFields") if entry.get("time") is not None]
    return max((one for one in times if one is not None), default=None)


def _dated(documents: Any, key: str, what: str, values_path: str) -> Any:
    if not seen(documents):
        return documents

    def build(item: Document) -> Credential | None:
        path = f"data[{key}]"
        value = description(item.get(path), path)
        if value is None:
            return None
        return Credential(item.subject.at(what), item.source, what, values_path, item.time("metadata.creationTimestamp"), _changed(item), value)

    return documents.each(build)


def _broker(documents: Any) -> Any:
    """The broker password as the first ``config.json`` that holds one dates it; the others are written with it."""
    if not seen(documents):
        return documents
    what = "RabbitMQ password"

    def build(item: Document) -> Credential | None:
        part = item.mapping(CONFIG).get("mq")
        value = description(part.get("password"), CONFIG) if isinstance(part, dict) else None
        if value is None:
            return None
        return Credential(item.subject.at(what), item.source, what, BROKER_VALUE, item.time("metadata.creationTimestamp"), _changed(item), value)

    found: Objects[Credential] = documents.each(build)
    first = min(found, key=lambda one: (not (one.subject.name or "").endswith("-shared"), str(one.subject)), default=None)
    return Objects((first,) if first is not None else (), installed=found.installed, unreadable=found.unreadable, partial=found.partial)


@fact
def credentials(
    app_key: Any = maybe, jwt_secret: Any = maybe, postgres_secret: Any = maybe, embedded_postgres_secret: Any = maybe,
    embedded_rabbitmq_secret: Any = maybe, service_configs: Any = maybe,
) -> tuple[Kept, ...]:  # fmt: skip
    """Every credential of the product with its age's bounds; the broker's, which no Secret holds, by its ConfigMap."""
    administrator = "PostgreSQL administrator password"
    database = (postgres_secret, chart.POSTGRES_SECRET[1], "PostgreSQL password", DATABASE_VALUE)
    return (
        Kept("appKey", "secrets/app-key", _dated(app_key, chart.APP_KEY[1], "appKey", "secret.appKey")),
        Kept("jwtSecret", "secrets/jwt-secret", _dated(jwt_secret, chart.JWT_SECRET[1], "jwtSecret", "secret.jwtSecret")),
        Kept("PostgreSQL password", "secrets/postgresql-password", _dated(*database)),
        Kept("RabbitMQ password", "secrets/rabbitmq-password", _broker(service_configs)),
        Kept(administrator, "", _dated(
            embedded_postgres_secret, "postgres-password", administrator, "postgresql.global.postgresql.auth.postgresPassword")),
        Kept("RabbitMQ server password", "", _dated(embedded_rabbitmq_secret, "rabbitmq-password", "RabbitMQ server password", BROKER_VALUE)),
    )  # fmt: skip
