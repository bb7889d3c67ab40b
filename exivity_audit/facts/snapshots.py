"""CSI volume snapshots of the release's claims, and whether they leave the storage they are of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact, maybe, seen
from exivity_audit.facts.provisioners import LONGHORN
from exivity_audit.subject import Subject

LONGHORN_BACKUP = "bak"  # parameters.type of a VolumeSnapshotClass that makes a backup instead of a snapshot


class SnapshotClass(Struct, frozen=True):
    """A VolumeSnapshotClass."""

    name: str
    driver: str
    kind: str  # parameters.type


class ClaimSnapshot(Struct, frozen=True):
    """A snapshot of a claim. ``apart`` None: its class was not seen, so whether it leaves the volume's own disks is not known."""

    subject: Subject
    source: Source
    name: str
    claim: str
    taken: datetime | None
    apart: bool | None


@fact
def snapshot_classes(volume_snapshot_classes: Objects[Document]) -> Objects[SnapshotClass]:
    """Every VolumeSnapshotClass of the cluster."""
    return volume_snapshot_classes.each(lambda item: SnapshotClass(item.name, item.text("driver") or "", item.text("parameters.type") or ""))


@fact
def claim_snapshots(volume_snapshots: Objects[Document], snapshot_classes: Any = maybe) -> Objects[ClaimSnapshot]:
    """The usable snapshots of the release's claims; those of Longhorn's kind ``snap`` lie on the volume's own disks."""
    kinds = {one.name: one for one in snapshot_classes} if seen(snapshot_classes) else {}

    def build(item: Document) -> ClaimSnapshot | None:
        claim = item.text("spec.source.persistentVolumeClaimName")
        if not claim or item.boolean("status.readyToUse") is not True:
            return None
        kind = kinds.get(item.text("spec.volumeSnapshotClassName") or "")
        apart = None if kind is None else kind.driver != LONGHORN or kind.kind == LONGHORN_BACKUP
        return ClaimSnapshot(item.subject, item.source, item.name, claim, item.time("status.creationTime"), apart)

    return volume_snapshots.each(build)
