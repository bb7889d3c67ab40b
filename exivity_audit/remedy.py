"""Remedies: chart values to set, objects to patch, tasks for people."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exivity_audit.evidence import HasSubject
from exivity_audit.measure import Scalar, Unit, print_value
from exivity_audit.subject import Subject


class FixKind(enum.StrEnum):
    """What changes: the chart's values, an object of the cluster, or something a person does."""

    VALUES = "values"
    PATCH = "patch"
    TASK = "task"


@dataclass(frozen=True)
class Fix:
    """One remedy; equal texts are one remedy in the report."""

    kind: FixKind
    text: str
    values: tuple[tuple[str, Scalar], ...] = ()
    patch: Mapping[str, Any] | None = None
    target: Subject | None = None
    needs: str | None = None  # "reinstall", "upgrade", "new secret": what Helm can do with it

    def __and__(self, other: Fix) -> Fix:
        """Two sets of chart values as one remedy."""
        return Fix(FixKind.VALUES, f"{self.text}, {other.text}", self.values + other.values, needs=self.needs or other.needs)


def values(path: str, value: Scalar, *, needs: str | None = None) -> Fix:
    """A chart value to set: ``values("service.chronos.replicas", 1)``."""
    shown = value if isinstance(value, str) else print_value(value, Unit.TEXT)
    return Fix(FixKind.VALUES, f"`{path}: {shown or chr(34) * 2}`", ((path, value),), needs=needs)


def patch(subject: Subject | HasSubject, body: Mapping[str, Any], text: str = "") -> Fix:
    """A merge patch on an object that the chart's values do not reach; ``text`` says it in one imperative sentence."""
    target = subject if isinstance(subject, Subject) else subject.subject
    return Fix(FixKind.PATCH, text or f"Patch {target}", patch=body, target=target)


def task(text: str) -> Fix:
    """Something a person does, in one imperative sentence."""
    return Fix(FixKind.TASK, text)
