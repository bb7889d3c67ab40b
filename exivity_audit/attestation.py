"""Attestations: what people vouch for in ``evidence.yaml``, and whether it still holds (checks.md section 5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from exivity_audit.check import Check
from exivity_audit.errors import UsageError
from exivity_audit.nearest import nearest
from exivity_audit.quantity import duration
from exivity_audit.subject import WRITTEN, written_well
from exivity_audit.yaml_file import Entry, read_entries

CONTEXT = {"postgresql_major": "postgresql_major", "target": "backup_urls", "class": "data_classes"}
"""What an attestation may be bound to: its key in ``context``, and the fact that tells it today."""

EARLIEST_ZONE = timedelta(hours=14)  # a day begins this long before it does in UTC
BLANK = {
    "statement": "say what was done and what came of it",
    "by": "name the person who vouches for it",
    "date": "write the day it was done, as 2026-11-02",
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


class Artefact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that proves a statement."""

    path: str
    sha256: str


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One attestation as it is written in ``evidence.yaml``."""

    check: str
    statement: str
    by: str
    date: str
    valid_for: str | None = None
    expires: str | None = None
    subject: str | None = None
    site: str | None = None
    artefact: Artefact | None = None
    context: dict[str, Any] = {}


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file ``evidence.yaml``."""

    items: tuple[Item, ...] = ()


class Attestation(Struct, frozen=True):
    """A statement by a person, good to the end of its last day."""

    check: str
    subject: str | None
    site: str | None
    statement: str
    by: str
    date: str
    expires: str
    artefact: str | None
    context: tuple[tuple[str, Any], ...] = ()
    place: str = ""  # file and line

    def expired(self, now: datetime) -> bool:
        """Whether its last day has passed."""
        return past(self.expires, now)


def day(text: str) -> datetime:
    """The start of a day given as ``2026-11-02``. Raises ValueError."""
    if not _DAY.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no date")
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is no date") from error


def past(last: str, now: datetime) -> bool:
    """Whether a last day has passed; text that is no day has."""
    try:
        return day(last).date() < now.date()
    except ValueError:
        return True


def load_evidence(path: Path, checks: Mapping[str, Check], now: datetime | None = None) -> tuple[Attestation, ...]:
    """The attestations of a file, expired ones among them: they cover nothing and are shown.

    Raises UsageError for the first problem and says how many more there are. Without ``now`` future dates are left to ``refuse_future``.
    """
    found, problems = examine(path, checks, now, expired=False)
    refuse(problems, f"exivity-audit evidence lint {path}")
    return found


def refuse(problems: list[UsageError], lister: str) -> None:
    """Raise the first of some problems, with how many more a command lists."""
    if problems:
        more = f" (and {len(problems) - 1} more: `{lister}` lists all)" if len(problems) > 1 else ""
        raise UsageError(problems[0].message + more, problems[0].hint)


def refuse_future(attestations: tuple[Attestation, ...], now: datetime) -> None:
    """Refuse what was attested after the time that is judged. Raises UsageError."""
    late = [UsageError(f"{one.place}: {one.check}: its date {one.date} lies in the future", LATE) for one in attestations if future(one.date, now)]
    refuse(late, "exivity-audit evidence lint")


LATE = "correct the date, or judge as of a later day with --now"


def future(date: str, now: datetime) -> bool:
    """Whether a day has begun nowhere on earth yet."""
    return day(date) > now + EARLIEST_ZONE


def examine(
    path: Path, checks: Mapping[str, Check], now: datetime | None, *, expired: bool = True
) -> tuple[tuple[Attestation, ...], list[UsageError]]:
    """The sound attestations of a file, and everything that is wrong with the others; ``expired`` counts as wrong or not.

    Raises UsageError only where the file is no evidence at all.
    """
    found, problems = [], []
    for entry in read_entries(path, "items", Item, Evidence):
        wrong = [entry.error] if entry.error is not None else list(_problems(entry, checks, path, now))
        problems += wrong
        if entry.value is not None and not wrong:
            one = _attestation(entry.value, checks[entry.value.check], f"{path}:{entry.line()}")
            if expired and now is not None and one.expired(now):
                text = f"{path}:{entry.line('valid_for' if entry.value.valid_for else 'expires')}: {one.check}: it expired on {one.expires}"
                problems.append(UsageError(text, "do it again and renew the item, or remove it"))
            found.append(one)
    return tuple(found), problems


def last_day(item: Item, check: Check) -> datetime:
    """The last day of an item: as written, and no later than the check lets an attestation count. Raises ValueError."""
    made = day(item.date)
    try:
        end = day(item.expires) if item.expires else made + timedelta(seconds=duration(item.valid_for or ""))
        return min(end, made + timedelta(seconds=duration(check.attest_for))) if check.attest_for else end
    except OverflowError as error:
        raise ValueError(f"{item.valid_for!r} is longer than any calendar") from error


def _attestation(item: Item, check: Check, place: str) -> Attestation:
    end = f"{last_day(item, check):%Y-%m-%d}"
    artefact = item.artefact.path if item.artefact else None
    return Attestation(
        item.check, item.subject, item.site, item.statement, item.by, item.date, end, artefact, tuple(sorted(item.context.items())), place
    )


def _problems(entry: Entry[Item], checks: Mapping[str, Check], path: Path, now: datetime | None) -> Iterator[UsageError]:
    """Everything that is wrong with one item that has the right shape."""
    item = entry.value
    assert item is not None

    def problem(field: str, text: str, hint: str) -> UsageError:
        return UsageError(f"{path}:{entry.line(field)}: {item.check or 'item'}: {text}", hint)

    if not item.check.strip():
        yield problem("check", "check is blank", "name the check: `exivity-audit list` prints the ids")
    elif item.check not in checks:
        yield problem("check", f"no check has this id{nearest(item.check, checks)}", "`exivity-audit list` prints the ids")
    elif checks[item.check].attest is None:
        built = checks[item.check].built
        text = "is decided by the cluster and takes no attestation" if built else "has no code yet, so nothing takes the attestation"
        yield problem(
            "check", f"this check {text}", "remove the item, or waive the finding in the config" if built else "keep it for a later release"
        )
    for field, hint in BLANK.items():
        if not getattr(item, field).strip():
            yield problem(field, f"{field} is blank", hint)
    yield from _dates(item, checks, now, problem)
    if item.subject is not None and not written_well(item.subject):
        yield problem("subject", f"{item.subject[:80]!r} is no subject", WRITTEN)
    yield from _artefact(item, path.parent, problem)
    for key, value in item.context.items():
        if key not in CONTEXT:
            yield problem("context", f"no context is named {key!r}{nearest(key, CONTEXT)}", f"the names are {', '.join(CONTEXT)}")
        elif not written(value):
            yield problem("context", f"context {key} is blank", "write what held when it was done, or take the key away")


def _dates(item: Item, checks: Mapping[str, Check], now: datetime | None, problem: Any) -> Iterator[UsageError]:
    """What is wrong with the days of an item; a blank date is told by the caller."""
    if item.date.strip():
        try:
            if now is not None and future(item.date, now):
                yield problem("date", f"its date {item.date} lies in the future", LATE)
        except ValueError as error:
            yield problem("date", str(error), "write it as 2026-11-02")
            return
    field = "expires" if item.expires is not None else "valid_for"
    if (item.valid_for is None) == (item.expires is None):
        yield problem(field, "needs one of valid_for and expires", "write for example `valid_for: 180d`")
        return
    try:
        end = day(item.expires) if item.expires is not None else None
        span = duration(item.valid_for) if item.valid_for is not None else None
        if span is not None and not 0 < span <= 100 * 366 * 86400:
            raise ValueError(f"{item.valid_for} is no time that an attestation may hold")
        if end is not None and item.date.strip() and end < day(item.date):
            raise ValueError(f"it expires on {item.expires}, before it was made on {item.date}")
        if item.date.strip() and item.check in checks:
            last_day(item, checks[item.check])
    except ValueError as error:
        yield problem(field, str(error), "write for example `valid_for: 180d`" if field == "valid_for" else "write a later day, as 2027-05-01")


def _artefact(item: Item, folder: Path, problem: Any) -> Iterator[UsageError]:
    """What is wrong with the file that proves an item."""
    if item.artefact is None:
        return
    name, digest = item.artefact.path.strip(), item.artefact.sha256.strip()
    if not name or not digest:
        blank = "path" if not name else "sha256"
        yield problem("artefact", f"the artefact's {blank} is blank", "name the file and its `sha256sum`, or take the line away where there is none")
        return
    import hashlib

    if not _SHA256.fullmatch(digest):
        yield problem("artefact", f"{digest[:80]!r} is no SHA-256", f"write what `sha256sum {name}` prints")
        return
    try:
        if (folder / name).exists() and not (folder / name).is_file():  # a folder has no bytes, a device or pipe has no end
            yield problem("artefact", f"cannot read the artefact {name[:200]}: it is no file", "name the file that proves it")
            return
        with (folder / name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no name of a file"
        yield problem("artefact", f"cannot read the artefact {name[:200]}: {why}", "put the file beside evidence.yaml, and name it from there")
        return
    if found != digest.lower():
        text = f"the artefact {name} has another SHA-256 than written: {found[:12]}…"
        yield problem("artefact", text, "find the file that was attested, or attest this one anew")


def written(value: Any) -> tuple[str, ...]:
    """What a context says, one text a value: a list, or a text with commas, is several."""
    many = value if isinstance(value, list | tuple) else str(value).split(",") if isinstance(value, str) else [value]
    found = {str(one).strip() for one in many if one is not None and not isinstance(one, dict | list | tuple)}
    return tuple(sorted(found - {""}))
