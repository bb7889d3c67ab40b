"""Reads of what copies data: Longhorn's jobs and backups, Velero, snapshots."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exivity_audit.collect.place import MissingRead, Read, cluster, in_namespace, led, paths, release_namespace
from exivity_audit.collect.reads.longhorn import longhorn_list, longhorn_namespaces
from exivity_audit.collect.targets import longhorn_restore
from exivity_audit.document import Document, Malformed
from exivity_audit.fact import Unreadable
from exivity_audit.snapshot import Place

VELERO = "velero"
LONGEST_LABEL = 63
NEWEST_BACKUPS = 5  # Velero backups whose volumes are looked at

SELECTION = (
    "includedNamespaces excludedNamespaces includedResources excludedResources includedNamespaceScopedResources excludedNamespaceScopedResources"
    " labelSelector orLabelSelectors"
)
TEMPLATE = f"{SELECTION} storageLocation snapshotVolumes snapshotMoveData defaultVolumesToFsBackup defaultVolumesToRestic ttl"


def _below(prefix: str, leaves: str) -> str:
    return " ".join(f"{prefix}.{leaf}" for leaf in leaves.split())


def _last_backups(longhorn_nodes: Any, longhorn_volumes: Any) -> Iterable[Place]:
    """The newest backup of each of the release's Longhorn volumes, by name."""
    if isinstance(longhorn_volumes, Unreadable):
        raise MissingRead(longhorn_volumes)
    default = longhorn_namespaces(longhorn_nodes)[0]
    names = set(led(longhorn_volumes, lambda item: (item.namespace or default, item.text("status.lastBackup") or "")))
    for namespace, name in sorted(one for one in names if one[1]):
        yield Place(namespace, name)


def _holds(item: Document, namespace: str) -> bool:
    included = item.strings("spec.includedNamespaces")
    return not included or "*" in included or namespace in included


def _finished(item: Document) -> str:
    return item.text("status.completionTimestamp") or ""


def _newest_backups(velero_backups: Any, release: Any) -> Iterable[Place]:
    """The volumes of Velero's newest Completed backups that hold the release's namespace."""
    if isinstance(velero_backups, Unreadable):
        raise MissingRead(velero_backups)
    found: list[tuple[str, str, str]] = []
    for item in velero_backups:
        try:
            if item.text("status.phase") == "Completed" and _holds(item, release.namespace):
                found.append((_finished(item), item.namespace or VELERO, item.name))
        except Malformed:
            continue
    newest = sorted(found, reverse=True)[:NEWEST_BACKUPS]
    for namespace in sorted({space for _, space, _ in newest}):
        names = ",".join(sorted(label_of(name) for _, space, name in newest if space == namespace))
        yield Place(namespace, None, f"velero.io/backup-name in ({names})")


def label_of(name: str) -> str:
    """A backup's name as Velero writes it into a label: cut, with a part of its hash, where it is too long."""
    if len(name) <= LONGEST_LABEL:
        return name
    import hashlib

    return name[: LONGEST_LABEL - 6] + hashlib.sha256(name.encode()).hexdigest()[:6]


READS: tuple[Read, ...] = (
    Read("longhorn_recurring_jobs", "recurringjobs.longhorn.io", longhorn_list, paths(
        "metadata.creationTimestamp spec.task spec.cron spec.groups spec.retain"), "RecurringJob"),
    Read("longhorn_backup_targets", "backuptargets.longhorn.io", longhorn_list, paths(
        "status.available status.lastSyncedAt status.conditions[].type status.conditions[].status status.conditions[].reason",
        {"spec.backupTargetURL": "backup_url"}), "BackupTarget"),
    Read("longhorn_backup_volumes", "backupvolumes.longhorn.io", longhorn_list, paths(
        "spec.volumeName spec.backupTargetName status.lastBackupName status.lastBackupAt"), "BackupVolume"),
    Read("longhorn_backups", "backups.longhorn.io", _last_backups, paths(
        "status.state status.volumeName status.backupCreatedAt status.snapshotCreatedAt"), "LonghornBackup", bulk=True),
    Read("longhorn_restores", "volumes.longhorn.io", longhorn_list, paths(
        "metadata.creationTimestamp spec.Standby status.isStandby status.restoreRequired status.robustness status.kubernetesStatus.namespace"
        " status.kubernetesStatus.pvcName", {"spec.fromBackup": "backup_url"}), "LonghornVolume", sift=longhorn_restore,
        same_list="longhorn_volumes"),
    Read("velero_schedules", "schedules.velero.io", cluster(), paths(
        f"metadata.creationTimestamp spec.schedule spec.paused status.phase status.lastBackup {_below('spec.template', TEMPLATE)}"), "Schedule",
        otherwise=in_namespace(VELERO)),
    Read("velero_backups", "backups.velero.io", cluster(), paths(
        f"metadata.labels[velero.io/schedule-name] status.phase status.startTimestamp status.completionTimestamp status.expiration status.errors"
        f" status.warnings {_below('spec', TEMPLATE)}"), "VeleroBackup", otherwise=in_namespace(VELERO)),
    Read("velero_restores", "restores.velero.io", cluster(), paths(
        f"spec.backupName spec.scheduleName spec.restorePVs spec.namespaceMapping status.phase status.completionTimestamp status.errors status.warnings"
        f" {_below('spec', SELECTION)}"), "VeleroRestore", otherwise=in_namespace(VELERO)),
    Read("velero_locations", "backupstoragelocations.velero.io", cluster(), paths(
        "spec.provider spec.default spec.accessMode spec.objectStorage.bucket spec.objectStorage.prefix status.phase status.lastValidationTime",
        {"spec.config.s3Url": "host"}), "BackupStorageLocation", otherwise=in_namespace(VELERO)),
    Read("velero_volumes", "podvolumebackups.velero.io", _newest_backups, paths(
        "metadata.labels[velero.io/backup-name] metadata.annotations[velero.io/pvc-name] spec.pod.namespace status.phase status.completionTimestamp"), "PodVolumeBackup"),
    Read("volume_snapshots", "volumesnapshots.snapshot.storage.k8s.io", release_namespace(), paths(
        "metadata.creationTimestamp spec.source.persistentVolumeClaimName spec.volumeSnapshotClassName status.readyToUse status.creationTime"), "VolumeSnapshot"),
    Read("volume_snapshot_classes", "volumesnapshotclasses.snapshot.storage.k8s.io", cluster(), paths("driver parameters.type"), "VolumeSnapshotClass"),
)  # fmt: skip
