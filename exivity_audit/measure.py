"""Measured and wanted values: units, their print, and which value is good enough."""

from __future__ import annotations

import enum
from typing import Any

from msgspec import Struct

from exivity_audit.quantity import Duration, Size, print_duration, print_size
from exivity_audit.quantity import duration as parse_duration
from exivity_audit.quantity import size as parse_size

Scalar = str | int | float | bool | None


class Unit(enum.StrEnum):
    """Unit of a measured value."""

    BYTES = "bytes"
    SECONDS = "seconds"
    COUNT = "count"
    TEXT = "text"


def unit_of(value: Any) -> Unit:
    """bytes for a Size, seconds for a Duration, count for other numbers, else text."""
    if isinstance(value, Size):
        return Unit.BYTES
    if isinstance(value, Duration):
        return Unit.SECONDS
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Unit.TEXT
    return Unit.COUNT


def print_value(value: Any, unit: Unit) -> str:
    """A value as a person reads it: ``50Gi``, ``9 d 4 h``, ``3``, ``true``, ``none``."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if unit is Unit.BYTES:
        return print_size(value)
    if unit is Unit.SECONDS:
        return print_duration(value)
    if isinstance(value, list | tuple):
        return ", ".join(print_value(item, unit) for item in value)
    return str(value)


class Wanted(Struct, frozen=True):
    """What would pass: an operator, a value, and a phrase that says why."""

    operator: str  # one of >= <= == in
    value: Any
    unit: Unit
    note: str = ""

    def accepts(self, value: Scalar) -> bool | None:
        """Whether a value is as wanted; None where the two cannot be compared."""
        try:
            if self.operator == ">=":
                return bool(value >= self.value)
            if self.operator == "<=":
                return bool(value <= self.value)
        except TypeError:
            return None
        return value in self.value if self.operator == "in" else bool(value == self.value)

    def no_worse(self, value: Scalar, accepted: Scalar) -> bool:
        """Whether a value is at least as good as one that somebody accepted (waivers, checks.md section 6)."""
        if value == accepted:
            return True
        numbers = isinstance(value, int | float) and isinstance(accepted, int | float)
        if self.operator == ">=":
            return numbers and value >= accepted  # type: ignore[operator]
        if self.operator == "<=":
            return numbers and value <= accepted  # type: ignore[operator]
        if numbers and isinstance(self.value, int | float):
            return abs(value - self.value) <= abs(accepted - self.value)  # type: ignore[operator]
        return False

    def __str__(self) -> str:
        printed = print_value(self.value, self.unit)
        words = {
            ">=": f"≥ {printed}",
            "<=": f"≤ {printed}",
            "==": f"exactly {printed}" if self.unit is Unit.COUNT else printed,
            "in": " or ".join(print_value(v, self.unit) for v in self.value) if self.operator == "in" else "",
        }[self.operator]
        if not self.note:
            return words
        return f"{words}: {self.note}" if " " in self.note else f"{words} {self.note}"  # "≥ 3 zones", "exactly 1: a second one duplicates its work"


def _wanted(operator: str, value: Any, note: str) -> Wanted:
    if isinstance(value, list | tuple | frozenset | set):
        value = tuple(sorted(value, key=str)) if isinstance(value, set | frozenset) else tuple(value)
        return Wanted(operator, value, unit_of(value[0]) if value else Unit.TEXT, note)
    return Wanted(operator, value, unit_of(value), note)


def measure(value: Any) -> Any:
    """``"50Gi"`` → Size, ``"30d"`` → Duration, so that a rule may be written as the vendor writes it."""
    if not isinstance(value, str):
        return value
    for parse in (parse_duration, parse_size):
        try:
            return parse(value)
        except ValueError:
            continue
    return value


def at_least(value: int | float | str, note: str = "") -> Wanted:
    """The measured value must be this or more; a string is a size (``"50Gi"``) or a duration (``"30d"``)."""
    return _wanted(">=", measure(value), note)


def at_most(value: int | float | str, note: str = "") -> Wanted:
    """The measured value must be this or less."""
    return _wanted("<=", measure(value), note)


def exactly(value: Scalar, note: str = "") -> Wanted:
    """The measured value must be this one."""
    return _wanted("==", value, note)


def one_of(*values: Scalar, note: str = "") -> Wanted:
    """The measured value must be one of these."""
    return _wanted("in", values, note)


def wanted(text: str) -> Wanted:
    """The wanted state in words, where no value says it."""
    return Wanted("==", text, Unit.TEXT)
