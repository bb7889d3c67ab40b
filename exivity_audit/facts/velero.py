"""Velero: which schedules copy the release's namespace and its volumes, what was copied last, and what was restored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from exivity_audit.cron import cron_interval
from exivity_audit.document import Document, Malformed
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact, maybe, seen
from exivity_audit.facts.selectors import selector_fits
from exivity_audit.quantity import Duration
from exivity_audit.subject import Subject

COMPLETED = "Completed"
SHORT = {"pvc": "persistentvolumeclaims", "pv": "persistentvolumes", "po": "pods", "secret": "secrets", "pod": "pods"}
CLAIMS, PODS, SECRETS = "persistentvolumeclaims", "pods", "secrets"


class Selection(Struct, frozen=True):
    """What a schedule, backup or restore takes: namespaces, resources, labels."""

    namespaces: tuple[str, ...]
    excluded_namespaces: tuple[str, ...]
    resources: tuple[str, ...]
    excluded_resources: tuple[str, ...]
    selectors: tuple[Any, ...]

    def holds(self, namespace: str) -> bool:
        """Whether it takes a namespace; none named is all of them."""
        return (not self.namespaces or _named(namespace, self.namespaces)) and not _named(namespace, self.excluded_namespaces)

    def takes(self, resource: str) -> bool:
        """Whether it takes a resource, named by its plural."""
        wanted = not self.resources or any(one in ("*", resource) for one in self.resources)
        return wanted and not any(one in ("*", resource) for one in self.excluded_resources)

    def fits(self, labels: dict[str, str]) -> bool:
        """Whether it takes an object with these labels. Raises Malformed."""
        return not self.selectors or any(selector_fits(one, labels) for one in self.selectors)


def _named(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _plural(name: str) -> str:
    plain = name.partition(".")[0].lower()
    return SHORT.get(plain, plain)


def selection(item: Document, prefix: str) -> Selection:
    """The selection below a prefix of an object."""

    def names(*leaves: str) -> tuple[str, ...]:
        return tuple(name for leaf in leaves for name in item.strings(f"{prefix}.{leaf}"))

    others = item.get(f"{prefix}.orLabelSelectors") or []
    if not isinstance(others, list):
        raise Malformed(f"{prefix}.orLabelSelectors", "list of selectors", others)
    either = [item.get(f"{prefix}.labelSelector"), *others]
    return Selection(
        names("includedNamespaces"), names("excludedNamespaces"),
        tuple(_plural(name) for name in names("includedResources", "includedNamespaceScopedResources")),
        tuple(_plural(name) for name in names("excludedResources", "excludedNamespaceScopedResources")),
        tuple(one for one in either if one),
    )  # fmt: skip


class Ways(Struct, frozen=True):
    """How volumes are copied; None: the server's own default decides."""

    files: bool | None  # file-system backup of every mounted volume
    moved: bool | None  # CSI snapshots whose data is moved to the storage location
    snapshots: bool | None

    def over(self, other: Ways) -> Ways:
        """These ways, with the other's where these leave it open."""
        return Ways(*(mine if mine is not None else theirs for mine, theirs in zip(self._all, other._all, strict=True)))

    @property
    def _all(self) -> tuple[bool | None, ...]:
        return self.files, self.moved, self.snapshots


def ways(item: Document, prefix: str) -> Ways:
    """How the volumes are copied, below a prefix of an object."""
    files = item.boolean(f"{prefix}.defaultVolumesToFsBackup")
    return Ways(
        item.boolean(f"{prefix}.defaultVolumesToRestic") if files is None else files, item.boolean(f"{prefix}.snapshotMoveData"),
        item.boolean(f"{prefix}.snapshotVolumes"),
    )  # fmt: skip


class VeleroBackup(Struct, frozen=True):
    """One backup of Velero."""

    subject: Subject
    source: Source
    name: str
    schedule: str  # empty: made by hand
    phase: str
    finished: datetime | None
    errors: int
    selection: Selection
    ways: Ways
    location: str

    @property
    def good(self) -> bool:
        """Whether it is whole."""
        return self.phase == COMPLETED and self.finished is not None


class VeleroSchedule(Struct, frozen=True):
    """A schedule of Velero, with its ways as its newest backup shows them where it leaves them to the server."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    cron: str
    interval: Duration | None
    paused: bool
    phase: str
    selection: Selection
    ways: Ways
    location: str

    @property
    def enabled(self) -> bool:
        """Whether it runs: valid, not paused."""
        return not self.paused and self.phase in ("Enabled", "New", "")


class VolumeCopy(Struct, frozen=True):
    """A volume of a pod that Velero copied file by file."""

    source: Source
    backup: str
    namespace: str
    claim: str
    phase: str
    finished: datetime | None

    @property
    def good(self) -> bool:
        """Whether the copy is whole."""
        return self.phase == COMPLETED and self.finished is not None


class VeleroRestore(Struct, frozen=True):
    """A restore of Velero."""

    subject: Subject
    source: Source
    name: str
    backup: str
    schedule: str
    phase: str
    errors: int
    finished: datetime | None
    volumes: bool  # it did not leave the volumes out
    selection: Selection


@fact
def velero_copies(velero_backups: Objects[Document]) -> Objects[VeleroBackup]:
    """Every backup of Velero, the newest first."""

    def build(item: Document) -> VeleroBackup:
        return VeleroBackup(
            item.subject, item.source, item.name, item.text("metadata.labels[velero.io/schedule-name]") or "", item.text("status.phase") or "",
            item.time("status.completionTimestamp"), item.integer("status.errors") or 0, selection(item, "spec"), ways(item, "spec"),
            item.text("spec.storageLocation") or "",
        )  # fmt: skip

    found = velero_backups.each(build)
    ordered = sorted(found, key=lambda one: (one.finished.timestamp() if one.finished else 0.0, one.name), reverse=True)
    return Objects(ordered, installed=found.installed, unreadable=found.unreadable, partial=found.partial)


@fact
def schedules(velero_schedules: Objects[Document], velero_copies: Any = maybe) -> Objects[VeleroSchedule]:
    """Every schedule of Velero."""
    newest_of: dict[str, VeleroBackup] = {}
    for one in velero_copies if seen(velero_copies) else ():
        newest_of.setdefault(one.schedule, one)  # they come the newest first

    def build(item: Document) -> VeleroSchedule:
        name, cron = item.name, item.text("spec.schedule") or ""
        newest = newest_of.get(name)
        own = ways(item, "spec.template")
        return VeleroSchedule(
            item.subject, item.source, name, item.namespace or "", cron, cron_interval(cron), item.boolean("spec.paused") or False,
            item.text("status.phase") or "", selection(item, "spec.template"), own.over(newest.ways) if newest else own,
            item.text("spec.template.storageLocation") or "",
        )  # fmt: skip

    return velero_schedules.each(build)


@fact
def volume_copies(velero_volumes: Objects[Document]) -> Objects[VolumeCopy]:
    """The volumes in Velero's newest backups of the namespace, file by file."""

    def build(item: Document) -> VolumeCopy | None:
        claim = item.text("metadata.annotations[velero.io/pvc-name]")
        if not claim:
            return None
        return VolumeCopy(
            item.source, item.text("metadata.labels[velero.io/backup-name]") or "", item.text("spec.pod.namespace") or "", claim,
            item.text("status.phase") or "", item.time("status.completionTimestamp"),
        )  # fmt: skip

    return velero_volumes.each(build)


@fact
def restores(velero_restores: Objects[Document]) -> Objects[VeleroRestore]:
    """Every restore of Velero."""

    def build(item: Document) -> VeleroRestore:
        return VeleroRestore(
            item.subject, item.source, item.name, item.text("spec.backupName") or "", item.text("spec.scheduleName") or "",
            item.text("status.phase") or "", item.integer("status.errors") or 0, item.time("status.completionTimestamp"),
            item.boolean("spec.restorePVs") is not False, selection(item, "spec"),
        )  # fmt: skip

    return velero_restores.each(build)
