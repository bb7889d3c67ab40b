"""Remedies: chart values to set, objects to patch, tasks for people."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from exivity_audit.evidence import HasSubject, Source
from exivity_audit.measure import Scalar, Unit, print_value
from exivity_audit.subject import Subject

UPGRADE, REINSTALL, NEW_SECRET = "upgrade", "reinstall", "new secret"
SERVER_TLS = "TLS at the server"  # before a client may ask for it


class FixKind(enum.StrEnum):
    """What changes: the chart's values, an object of the cluster, or something a person does."""

    VALUES = "values"
    PATCH = "patch"
    TASK = "task"


class Fix(Struct, frozen=True):
    """One remedy; equal texts are one remedy in the report."""

    kind: FixKind
    text: str
    values: tuple[tuple[str, Scalar], ...] = ()
    patch: Mapping[str, Any] | None = None
    target: Subject | None = None
    resource: str = ""  # of the target, as `kubectl` takes it: `volumes.longhorn.io`
    needs: str | None = None  # what must happen besides an upgrade: "reinstall", "new secret", …; "upgrade" where that alone is known to do
    fill: tuple[str, ...] = ()  # values that only a person knows, by path
    own: tuple[tuple[str, Scalar], ...] = ()  # those of ``values`` that one finding asks for, where ``alike`` joined it with others

    def __hash__(self) -> int:
        return hash((self.kind, self.text, self.values, self.target))

    def __and__(self, other: Fix) -> Fix:
        """Two sets of chart values as one remedy, which needs what either needs."""
        needs = next((one for one in (self.needs, other.needs) if one not in (None, UPGRADE)), self.needs or other.needs)
        return Fix(FixKind.VALUES, f"{self.text}, {other.text}", self.values + other.values, needs=needs, fill=self.fill + other.fill)


def values(path: str, value: Scalar, *, needs: str | None = None) -> Fix:
    """A chart value to set: ``values("service.chronos.replicas", 1)``."""
    shown = value if isinstance(value, str) else print_value(value, Unit.TEXT)
    return Fix(FixKind.VALUES, f"`{path}: {shown or chr(34) * 2}`", ((path, value),), needs=needs)


def alike(fixes: Iterable[Fix]) -> dict[Fix, Fix]:
    """Which single values are one remedy together: they set the same leaf of several services or claims to the same value.

    ``service.glass.replicas: 2`` and ``service.use.replicas: 2`` become ``service.<name>.replicas: 2`` for glass, use.
    """
    groups: dict[tuple[str, Scalar, str | None], list[tuple[str, Fix]]] = {}
    for fix in dict.fromkeys(fix for fix in fixes if len(fix.values) == 1):
        path, value = fix.values[0]
        for name, pattern in _patterns(path):
            groups.setdefault((pattern, value, fix.needs), []).append((name, fix))
    found: dict[Fix, Fix] = {}
    for (pattern, value, needs), members in sorted(groups.items(), key=lambda item: -len(item[1])):
        if len(members) > 1 and not any(fix in found for _, fix in members):
            names = ", ".join(name for name, _ in members)
            pairs = tuple(pair for _, fix in members for pair in fix.values)
            joined = Fix(FixKind.VALUES, f"`{pattern}: {print_value(value, Unit.TEXT)}` for {names}", pairs, needs=needs)
            found.update({fix: joined for _, fix in members})
    return found


def _patterns(path: str) -> Iterator[tuple[str, str]]:
    """Each name of a path with the path in which ``<name>`` stands for it; the first name is never one of many."""
    steps = path.split(".")
    for place in range(1, len(steps)):
        yield steps[place], ".".join([*steps[:place], "<name>", *steps[place + 1 :]])


def patch(subject: Subject | HasSubject, body: Mapping[str, Any], text: str = "") -> Fix:
    """A merge patch on an object that the chart's values do not reach; ``text`` says it in one imperative sentence."""
    target = subject if isinstance(subject, Subject) else subject.subject
    source = getattr(subject, "source", None)
    resource = source.resource if isinstance(source, Source) and source.name == target.name else ""
    return Fix(FixKind.PATCH, text or f"Patch {target}", patch=body, target=target, resource=resource)


def task(text: str, *, fill: str | tuple[str, ...] = (), needs: str | None = None) -> Fix:
    """Something a person does, in one imperative sentence; ``fill`` names the chart values that it ends in and nobody else knows."""
    return Fix(FixKind.TASK, text, fill=(fill,) if isinstance(fill, str) else fill, needs=needs)
