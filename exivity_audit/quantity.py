"""Sizes, durations and counts: parsed from Kubernetes' notation, printed for people."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

_SUFFIX = {
    "": Decimal(1),
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"),
    "k": Decimal(10) ** 3, "M": Decimal(10) ** 6, "G": Decimal(10) ** 9,
    "T": Decimal(10) ** 12, "P": Decimal(10) ** 15, "E": Decimal(10) ** 18,
    "Ki": Decimal(2) ** 10, "Mi": Decimal(2) ** 20, "Gi": Decimal(2) ** 30,
    "Ti": Decimal(2) ** 40, "Pi": Decimal(2) ** 50, "Ei": Decimal(2) ** 60,
}  # fmt: skip
_QUANTITY = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)$")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
LARGEST = Decimal(2) ** 63


class Size(int):
    """A number of bytes."""


class Duration(float):
    """A length of time in seconds."""


def quantity(text: str | int | float) -> Decimal:
    """The number a Kubernetes quantity stands for (``"100Gi"``, ``"500m"``, ``"1e3"``).

    Raises ValueError for text that is no quantity, or one beyond 2**63.
    """
    match = _QUANTITY.match(str(text).strip())
    if match is None:
        raise ValueError(f"not a quantity: {str(text)[:40]!r}")
    number, exponent, suffix = match.groups()
    try:
        value = Decimal(number + (exponent or "")) * _SUFFIX[suffix or ""]
    except InvalidOperation as error:
        raise ValueError(f"not a quantity: {str(text)[:40]!r}") from error
    if abs(value) > LARGEST:
        raise ValueError(f"a quantity beyond 2**63: {str(text)[:40]!r}")
    return value


def whole(text: str) -> int | None:
    """The whole number up to 2**63 that a text of plain digits is; None for any other text."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
    return number if number is not None and number <= LARGEST else None


def size(text: str | int | float) -> Size:
    """Bytes of a Kubernetes quantity, rounded up. Raises ValueError."""
    value = quantity(text)
    below = int(value)
    return Size(below + 1 if value > below else below)


def duration(text: str) -> Duration:
    """Seconds of ``"24h"``, ``"180d"``, ``"1h30m"``. Raises ValueError."""
    parts = _DURATION.findall(text.strip())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        raise ValueError(f"not a duration: {text[:40]!r}; write for example 24h or 180d")
    return Duration(sum(float(number) * _SECONDS[unit] for number, unit in parts))


def print_size(value: int | float) -> str:
    """``53687091200`` → ``50Gi``; one decimal where it is not whole."""
    number = float(value)
    for suffix in ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki"):
        unit = float(_SUFFIX[suffix])
        if abs(number) >= unit:
            return f"{number / unit:.1f}".rstrip("0").rstrip(".") + suffix
    return f"{number:.0f} bytes"


def print_duration(seconds: float) -> str:
    """The two largest units that are not zero: ``9 d 4 h``, ``35 min``."""
    sign = "-" if seconds < 0 else ""
    rest = round(abs(seconds))
    parts = []
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return sign + (" ".join(parts[:2]) if parts else "0 s")
