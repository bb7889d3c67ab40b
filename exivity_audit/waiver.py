"""Waivers: findings that people accept for a time in the config, up to the value they accepted (checks.md section 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from exivity_audit.attestation import day, past, refuse
from exivity_audit.check import Check
from exivity_audit.config import Config, Waiver
from exivity_audit.errors import UsageError
from exivity_audit.measure import Scalar, Unit, print_value
from exivity_audit.nearest import nearest
from exivity_audit.quantity import duration, size
from exivity_audit.subject import WRITTEN, written_well
from exivity_audit.verdict import Verdict
from exivity_audit.yaml_file import Entry, read_entries

BLANK = {"reason": "say why it is accepted", "owner": "name the person who accepts it", "expires": "write its last day, as 2027-01-31"}


def expired(waiver: Waiver, now: datetime) -> bool:
    """Whether the last day of a waiver has passed; one without a readable day covers nothing."""
    return past(waiver.expires, now)


def check_waivers(path: Path, checks: Mapping[str, Check]) -> None:
    """Refuse waivers that name no check, no day, no reason or no owner; expired ones are shown in the report instead. Raises UsageError."""
    refuse(examine(path, checks, None), f"exivity-audit waivers lint --config {path}")


def examine(path: Path, checks: Mapping[str, Check], now: datetime | None) -> list[UsageError]:
    """Everything that is wrong with the waivers of a config; an expired one counts where ``now`` is given.

    Raises UsageError where the file is no config at all.
    """
    problems = []
    for entry in read_entries(path, "waivers", Waiver, Config):
        problems += [entry.error] if entry.error is not None else list(_problems(entry, checks, path, now))
    return problems


def _problems(entry: Entry[Waiver], checks: Mapping[str, Check], path: Path, now: datetime | None) -> Iterator[UsageError]:
    waiver = entry.value
    assert waiver is not None

    def problem(field: str, text: str, hint: str) -> UsageError:
        return UsageError(f"{path}:{entry.line(field)}: waiver for {waiver.check or 'no check'}: {text}", hint)

    if not waiver.check.strip():
        yield problem("check", "check is blank", "name the check: `exivity-audit list` prints the ids")
    elif waiver.check not in checks:
        yield problem("check", f"no check has this id{nearest(waiver.check, checks)}", "`exivity-audit list` prints the ids")
    for field, hint in BLANK.items():
        if not getattr(waiver, field).strip():
            yield problem(field, f"{field} is blank", hint)
    if waiver.expires.strip():
        try:
            last = day(waiver.expires)
            if now is not None and last.date() < now.date():
                yield problem("expires", f"it expired on {waiver.expires}", "mend the finding, or agree on a new day")
        except ValueError as error:
            yield problem("expires", str(error), "write it as 2027-01-31")
    if waiver.subject is not None and not written_well(waiver.subject):
        yield problem("subject", f"{waiver.subject[:80]!r} is no subject", WRITTEN)
    if isinstance(waiver.accepts, str) and not waiver.accepts.strip():
        yield problem("accepts", "accepts is blank", "write the value that is accepted, or take the key away")


def in_unit(value: Any, unit: Unit) -> Scalar:
    """An accepted value in the unit of what was measured: bytes of ``50Gi``, seconds of ``36h``, a number, a text.

    Raises ValueError where it has no meaning in that unit.
    """
    if isinstance(value, bool):
        if unit in (Unit.BYTES, Unit.SECONDS, Unit.COUNT):
            raise ValueError(f"{str(value).lower()} is no number")
        return value
    if unit is Unit.BYTES:
        return size(value)
    if unit is Unit.SECONDS:
        return float(value) if isinstance(value, int | float) else duration(value)
    if unit is Unit.COUNT:
        try:
            return float(value) if isinstance(value, str) else value
        except ValueError as error:
            raise ValueError(f"{value[:40]!r} is no number") from error
    return print_value(value, unit) if not isinstance(value, str) else value.strip()


def objection(waiver: Waiver, verdict: Verdict) -> str:
    """Why a waiver does not reach as far as a finding: worse than accepted, or not comparable; empty where it covers it."""
    if waiver.accepts is None:
        return ""
    if verdict.measured is None:
        return f"it accepts {waiver.accepts}, and nothing was measured here"
    try:
        accepted = in_unit(waiver.accepts, verdict.unit)
    except ValueError as error:
        return f"what it accepts cannot be compared with {verdict.measured_text}: {error}"
    value = verdict.measured
    if verdict.unit is Unit.TEXT:
        value = value.strip() if isinstance(value, str) else value if isinstance(accepted, bool) else print_value(value, verdict.unit)
    good = value == accepted if verdict.wanted is None else verdict.wanted.no_worse(value, accepted)
    return "" if good else f"it accepts {waiver.accepts}, and {verdict.measured_text} is worse"
