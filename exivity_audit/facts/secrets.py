"""The product's secrets as descriptions: how long and strong, which shipped value, equal to which other; never a value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document, Malformed
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.subject import Subject

LONGEST = 64  # a description says "64+" beyond
ALPHANUMERIC = frozenset({"digit", "lower", "upper"})


class Description(Struct, frozen=True):
    """What is known of a secret value: ``group`` is equal for equal values, ``length`` is 65 for all beyond 64."""

    group: int
    length: int
    classes: frozenset[str]
    strength: str
    known: str | None
    equals: tuple[str, ...]

    @property
    def generated_shape(self) -> bool:
        """Whether the chart could have made it: 32 random alphanumerics."""
        return self.length == chart.GENERATED_LENGTH and self.classes <= ALPHANUMERIC

    @property
    def length_text(self) -> str:
        """The length as a person reads it."""
        return f"{LONGEST}+" if self.length > LONGEST else str(self.length)


class Held(Struct, frozen=True):
    """A key of a Secret or ConfigMap that holds a secret; ``value`` is None where the object lacks the key."""

    subject: Subject
    source: Source
    path: str
    value: Description | None
    kustomization: str = ""  # of Flux, where one applies the object


def description(value: Any, path: str) -> Description | None:
    """A described secret as a fact; None where there is none. Raises Malformed for anything else."""
    if value is None:
        return None
    body = value.get("secret") if isinstance(value, dict) else None
    if not isinstance(body, dict):
        raise Malformed(path, "described secret", value)
    group, length, kinds, strength = body.get("group"), body.get("length"), body.get("classes"), body.get("strength")
    known, equals = body.get("known"), body.get("equals")
    if length == f"{LONGEST}+":
        length = LONGEST + 1
    sound = isinstance(group, int) and isinstance(length, int) and isinstance(strength, str) and isinstance(known, str | None)
    if not sound or not _texts(kinds) or not _texts(equals):
        raise Malformed(path, "described secret", body)
    return Description(group, length, frozenset(kinds), strength, known, tuple(equals))  # type: ignore[arg-type]


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _held(documents: Objects[Document], keys: Iterable[str]) -> Objects[Held]:
    """One fact a key; a key that holds no base64 makes its Secret unreadable."""
    parts = [
        documents.each(lambda item, path=f"data[{key}]": _one(item, path))  # type: ignore[misc]
        for key in keys
    ]
    return parts[0].join(*parts[1:]) if len(parts) > 1 else parts[0]


def _one(item: Document, path: str) -> Held:
    return Held(item.subject, item.source, path, description(item.get(path), path), item.labels().get(chart.KUSTOMIZATION_NAME, ""))


@fact
def held_app_key(app_key: Objects[Document]) -> Objects[Held]:
    """The live appKey; empty where its Secret is missing."""
    return _held(app_key, (chart.APP_KEY[1],))


@fact
def held_jwt_secret(jwt_secret: Objects[Document]) -> Objects[Held]:
    """The live jwtSecret; empty where its Secret is missing."""
    return _held(jwt_secret, (chart.JWT_SECRET[1],))


@fact
def held_licence(licence: Objects[Document]) -> Objects[Held]:
    """The live licence key; empty where its Secret is missing."""
    return _held(licence, (chart.LICENCE[1],))


@fact
def held_database_password(postgres_secret: Objects[Document]) -> Objects[Held]:
    """The database password of the Secret that migrations read; empty where the Secret is missing."""
    return _held(postgres_secret, (chart.POSTGRES_SECRET[1],))


@fact
def embedded_database_passwords(embedded_postgres_secret: Objects[Document]) -> Objects[Held]:
    """The embedded database's own Secret, the login's password and the administrator's; empty where there is none."""
    return _held(embedded_postgres_secret, ("password", "postgres-password"))


@fact
def embedded_broker_password(embedded_rabbitmq_secret: Objects[Document]) -> Objects[Held]:
    """The embedded broker's own Secret; empty where there is none."""
    return _held(embedded_rabbitmq_secret, ("rabbitmq-password",))
