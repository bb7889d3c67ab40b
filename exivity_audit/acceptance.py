"""Waivers and attestations: what people accept or vouch for, and how it changes a verdict (checks.md sections 5 and 6)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from exivity_audit.config import Waiver
from exivity_audit.errors import UsageError
from exivity_audit.measure import measure
from exivity_audit.nearest import nearest
from exivity_audit.quantity import duration
from exivity_audit.subject import matches
from exivity_audit.verdict import Status, Verdict
from exivity_audit.yaml_file import item_lines, read_yaml


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


@dataclass(frozen=True)
class Attestation:
    """A valid statement by a person, until it expires."""

    check: str
    subject: str | None
    site: str | None
    statement: str
    by: str
    date: str
    expires: str
    artefact: str | None
    context: tuple[tuple[str, Any], ...] = ()


def day(text: str, what: str) -> datetime:
    """The start of a day given as ``2026-11-02``. Raises UsageError."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise UsageError(f"{what}: {text[:40]!r} is no date", "write it as 2026-11-02") from error


def read_evidence(path: Path) -> Evidence:
    """The file's items as they are written. Raises UsageError for a file that is none."""
    return read_yaml(path, Evidence)


def load_evidence(path: Path, checks: Mapping[str, Any], now: datetime) -> tuple[Attestation, ...]:
    """The attestations of a file. Raises UsageError for unknown checks, future dates, expired items, missing or changed artefacts."""
    found = []
    items = read_evidence(path).items
    for line, item in zip(item_lines(path, "items"), items, strict=True):
        where = f"{path}:{line}: {item.check}"
        if not item.by.strip() or not item.statement.strip():
            raise UsageError(f"{where}: needs a statement and a name under `by`", "say what was done, and who vouches for it")
        if item.check not in checks:
            raise UsageError(f"{where}: no check has this id{nearest(item.check, checks)}", "`exivity-audit list` prints the ids")
        if checks[item.check].attest is None:
            raise UsageError(
                f"{where}: this check is decided by the cluster and takes no attestation", "remove the item, or waive the finding in the config"
            )
        made = day(item.date, where)
        if made > now:
            raise UsageError(f"{where}: its date {item.date} lies in the future", "correct the date")
        if (item.valid_for is None) == (item.expires is None):
            raise UsageError(f"{where}: needs one of valid_for and expires", "write for example `valid_for: 180d`")
        try:
            end = day(item.expires, where) if item.expires else made + timedelta(seconds=duration(item.valid_for or ""))
        except (ValueError, OverflowError) as error:
            raise UsageError(f"{where}: {error}", "correct valid_for") from error
        if end <= now:
            raise UsageError(f"{where}: it expired on {end:%Y-%m-%d}", "renew the evidence, or remove the item")
        _verify(item, path.parent, where)
        found.append(
            Attestation(
                item.check,
                item.subject,
                item.site,
                item.statement,
                item.by,
                item.date,
                f"{end:%Y-%m-%d}",
                item.artefact.path if item.artefact else None,
                tuple(sorted(item.context.items())),
            )
        )
    return tuple(found)


def _verify(item: Item, folder: Path, where: str) -> None:
    if item.artefact is None:
        return
    try:
        with (folder / item.artefact.path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{where}: cannot read the artefact {item.artefact.path}: {error.strerror}", "put the file beside evidence.yaml") from error
    if digest != item.artefact.sha256.lower():
        raise UsageError(f"{where}: the artefact {item.artefact.path} has another SHA-256 than written", "renew the evidence for the file as it is")


def check_waivers(waivers: tuple[Waiver, ...], checks: Mapping[str, Any], path: Path) -> None:
    """Each waiver names a check, a date, a reason and an owner. Raises UsageError."""
    for line, waiver in zip(item_lines(path, "waivers"), waivers, strict=True):
        where = f"{path}:{line}: waiver for {waiver.check}"
        if waiver.check not in checks:
            raise UsageError(f"{where}: no check has this id{nearest(waiver.check, checks)}", "`exivity-audit list` prints the ids")
        day(waiver.expires, where)
        if not waiver.reason.strip() or not waiver.owner.strip():
            raise UsageError(f"{where}: needs a reason and an owner", "say why it is accepted, and by whom")


def expired(waiver: Waiver, now: datetime) -> bool:
    """Whether the last day of a waiver has passed; one without a readable day covers nothing."""
    try:
        return day(waiver.expires, waiver.check).date() < now.date()
    except UsageError:
        return True


def accept(
    verdict: Verdict, check: str, site: str, attestable: bool, waivers: tuple[Waiver, ...], attestations: tuple[Attestation, ...], now: datetime
) -> Verdict:
    """The verdict as people's acceptance leaves it: a waiver covers fail and warn, an attestation manual and unknown."""
    attested = next((item for item in attestations if _names(item, check, site, verdict)), None) if attestable else None
    if attested is not None and (verdict.status in (Status.MANUAL, Status.UNKNOWN) or verdict.unless_attested):
        return replace(verdict, status=Status.PASS, underlying=verdict.status, attestation=attested)
    if verdict.status in (Status.FAIL, Status.WARN):
        for waiver in waivers:
            if _names(waiver, check, site, verdict) and not expired(waiver, now):
                if waiver.accepts is not None and not _within(verdict, waiver.accepts):
                    return verdict.with_remark(f"the waiver of {waiver.owner} accepts {waiver.accepts}, and this is worse: void")
                return replace(verdict, status=Status.WAIVED, underlying=verdict.status, waiver=waiver)
    return verdict


def _names(one: Waiver | Attestation, check: str, site: str, verdict: Verdict) -> bool:
    return one.check == check and one.site in (None, site) and (one.subject is None or matches(one.subject, verdict.subject))


def _within(verdict: Verdict, accepted: Any) -> bool:
    value = measure(accepted)
    if verdict.wanted is None:
        return bool(verdict.measured == value or verdict.measured == accepted)
    return verdict.wanted.no_worse(verdict.measured, value) or verdict.wanted.no_worse(verdict.measured, accepted)
