"""The key ``tables`` of the JSON report: what stands beside the results, each row with its site."""

from __future__ import annotations

from typing import Any

import msgspec

from exivity_audit.calendar import Kind
from exivity_audit.facts.failover import State as Readiness


class DueShape(msgspec.Struct, frozen=True):
    """What becomes due on a day; site is ``*`` where it belongs to none in particular. ``date`` is the last good day."""

    site: str
    date: str
    kind: Kind
    what: str
    subject: str | None
    days_left: int  # negative where the day has passed


class CopyShape(msgspec.Struct, frozen=True):
    """One line of the backup ledger: what must survive, what copies it, its last good copy."""

    site: str
    item: str
    kind: str  # claim, database, secrets, logs, broker
    size: int | None  # bytes
    copied_by: str  # empty: nothing
    last: str | None  # time of the last good copy
    age: float | None  # seconds
    limit: float | None  # seconds that the age may reach
    state: str  # fresh, late, none, unknown, not needed
    note: str


class VolumeShape(msgspec.Struct, frozen=True):
    """How full a volume is: what the growth of later runs is measured by."""

    site: str
    subject: str
    used: int  # bytes
    capacity: int
    read: str  # the read that said so


class TrendShape(msgspec.Struct, frozen=True):
    """How an earlier run of the history ended."""

    date: str
    score: float | None
    grade: str | None
    gate: str | None
    coverage: float | None
    checklist: str | None


class FailoverShape(msgspec.Struct, frozen=True):
    """An action of the failover to a standby site, in the vendor's order, and how it stands."""

    site: str  # the standby
    step: int
    action: str
    active: str  # the site that works now
    state: Readiness
    seen: str  # what the clusters show of it
    workflow: list[str]  # the steps of the failover workflow that do it
    open: list[str]  # what is missing, unknown or in a person's hands
    checks: list[str]


class TablesShape(msgspec.Struct, frozen=True):
    """Tables beside the results, each row with its site; null where a table could not be computed."""

    node_loss: list[dict[str, Any]] | None
    copies: list[CopyShape] | None
    calendar: list[DueShape] | None
    volumes: list[VolumeShape] | None = None
    trend: list[TrendShape] | None = None  # the oldest first; null where the run had no history
    failover: list[FailoverShape] | None = None  # null where no standby site was audited
