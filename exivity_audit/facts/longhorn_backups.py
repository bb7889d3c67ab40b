"""The newest backup of each Longhorn volume on its target, and the state in which each backup is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, Reason, fact, seen
from exivity_audit.facts.longhorn import when

COMPLETED, UNREADABLE = "Completed", "unreadable"  # a backup that is malformed is no good copy


class BackupState(Struct, frozen=True):
    """A backup as Longhorn names it, and how it ended."""

    name: str
    state: str


class LastBackup(Struct, frozen=True):
    """The newest backup of a Longhorn volume on its target."""

    source: Source
    path: str
    volume: str
    name: str
    at: datetime | None


@fact
def backup_states(longhorn_backups: Objects[Document]) -> Objects[BackupState]:
    """The state of every backup that a volume of the release names."""
    return longhorn_backups.each(lambda item: BackupState(item.name, item.text("status.state") or ""))


@fact
def last_backups(longhorn_backup_volumes: Objects[Document]) -> Objects[LastBackup]:
    """The newest backup of every volume on Longhorn's targets."""

    def build(item: Document) -> LastBackup | None:
        name = item.text("status.lastBackupName") or ""
        if not name and not item.text("status.lastBackupAt"):
            return None
        volume = item.text("spec.volumeName") or item.name
        return LastBackup(item.source, "status.lastBackupAt", volume, name, when(item, "status.lastBackupAt"))

    return longhorn_backup_volumes.each(build)


def state_of(name: str, states: Any) -> str:
    """How a backup ended; empty where the backup itself was not seen. One without a name may be each that was not seen by its own."""
    if not name or not seen(states):
        return ""
    known: str | None = next((one.state for one in states if one.name == name), None)
    if known is not None:
        return known
    return UNREADABLE if any(odd.subject.name in (None, name) for odd in states.unreadable) else ""


def odd_among(names: Iterable[str], states: Any) -> tuple[Reason, ...]:
    """What is malformed of the backups of these names."""
    odd = {name for name in names if state_of(name, states) == UNREADABLE}
    found = [one for one in states.unreadable if one.subject.name is None or one.subject.name in odd] if odd else []
    return tuple(Reason(str(one.subject), f"malformed: {one.subject}: {one.why}") for one in found)
