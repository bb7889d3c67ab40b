"""Where backups go: Longhorn's backup targets and Velero's storage locations, and whether that is this cluster itself."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact, maybe, seen
from exivity_audit.facts.configuration import cluster_service
from exivity_audit.facts.longhorn import StorageSetting
from exivity_audit.subject import Subject

_PLACE = re.compile(r"^[a-z][a-z0-9+-]*://(?:[^/@]*@)?(?P<host>\[[^\]]*\]|[^/:]*)")
WITH_A_HOST = ("nfs://", "cifs://")


class BackupTarget(Struct, frozen=True):
    """A place for backups. ``available`` None: nothing says whether it can be reached."""

    subject: Subject
    source: Source
    name: str
    url: str  # empty: none is set
    path: str  # where the URL stands in the object
    available: bool | None
    state: str  # the operator's own word, or the condition's reason
    state_path: str
    host: str  # of the storage, where the object names one; empty otherwise
    default: bool
    checked: datetime | None = None
    writable: bool = True

    @property
    def service(self) -> tuple[str, str] | None:
        """The Service of this cluster that the storage is, by its host's name; None for a host elsewhere."""
        host = self.host.strip("[]")
        return cluster_service(host, "") if "." in host else None


@fact
def backup_targets(longhorn_backup_targets: Objects[Document], storage_settings: Any = maybe) -> Objects[BackupTarget]:
    """Longhorn's targets: its BackupTarget objects, and the Setting of releases that had none."""

    def build(item: Document) -> BackupTarget:
        url = item.text("spec.backupTargetURL") or ""
        told = [entry.text("reason") for entry in item.items("status.conditions") if entry.text("status") == "True"]
        reason = next((text for text in told if text), "")
        available = item.boolean("status.available")
        state = "available" if available else "unavailable" if available is False else "no status yet"
        return BackupTarget(
            item.subject, item.source, item.name, url, "spec.backupTargetURL", available, reason or state, "status.available",
            host_of(url), item.name == "default", item.time("status.lastSyncedAt"),
        )  # fmt: skip

    found = longhorn_backup_targets.each(build)
    if found or not found.complete or not seen(storage_settings):
        return found
    old: StorageSetting | None = next((one for one in storage_settings if one.name == chart.LONGHORN_OLD_TARGET), None)
    if old is None:
        return found
    target = BackupTarget(old.subject, old.source, "default", old.value, "value", None, "its Setting alone", "value", host_of(old.value), True)
    return Objects((target,), installed=True, unreadable=found.unreadable, partial=found.partial)


def host_of(url: str) -> str:
    """The host of a target's URL where it names one: NFS and CIFS do, S3 names a region and keeps its endpoint in a Secret."""
    match = _PLACE.match(url) if url.startswith(WITH_A_HOST) else None
    return match["host"] if match else ""


@fact
def storage_locations(velero_locations: Objects[Document]) -> Objects[BackupTarget]:
    """Velero's storage locations."""

    def build(item: Document) -> BackupTarget:
        bucket, prefix, phase = (
            item.text("spec.objectStorage.bucket") or "",
            item.text("spec.objectStorage.prefix") or "",
            item.text("status.phase") or "",
        )
        url = f"{item.text('spec.provider') or 'storage'}://{bucket}{f'/{prefix}' if prefix else ''}" if bucket else ""
        endpoint = (item.text("spec.config.s3Url") or "").rpartition(":")
        return BackupTarget(
            item.subject, item.source, item.name, url, "spec.objectStorage.bucket", {"Available": True, "Unavailable": False}.get(phase),
            phase or "no phase yet", "status.phase", endpoint[0] or endpoint[2], item.boolean("spec.default") or False,
            item.time("status.lastValidationTime"), item.text("spec.accessMode") != "ReadOnly",
        )  # fmt: skip

    return velero_locations.each(build)
