"""Mutations of the row backups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exivity_audit.verdict import Status
from tests.builders import stamp
from tests.mutation import Mutation, drop, put
from tests.products import backups, postgresql

VOLUME = "pvc-exivity-import"
KEPT = f"{VOLUME}-5d1c"


def _uncovered(cluster: Any) -> None:
    """A volume in a group of its own, which no job is for, and never copied."""
    _own_group(cluster)
    cluster.edit("longhorn.io/Volume", VOLUME, put("status.lastBackup", ""))
    cluster.remove("longhorn.io/BackupVolume", KEPT)


def _own_group(cluster: Any) -> None:
    cluster.edit("longhorn.io/Volume", VOLUME, put("metadata.labels", {"recurring-job-group.longhorn.io/other": "enabled"}))


def _stale(days: float) -> Callable[[Any], None]:
    def change(cluster: Any) -> None:
        cluster.edit("longhorn.io/Volume", VOLUME, put("status.lastBackupAt", stamp(days)))
        cluster.edit("longhorn.io/BackupVolume", KEPT, put("status.lastBackupAt", stamp(days)))

    return change


def _copied_by_velero(days: float) -> Callable[[Any], None]:
    def change(cluster: Any) -> None:
        for item in list(cluster.all("velero.io/PodVolumeBackup")):
            if item["metadata"]["annotations"]["velero.io/pvc-name"] == "exivity-report":
                cluster.edit("velero.io/PodVolumeBackup", item["metadata"]["name"], put("status.completionTimestamp", stamp(days)))

    return change


def _passed_over(cluster: Any) -> None:
    """The volume is of the kind hostPath, which Velero's file-system backup leaves out without an error."""
    cluster.edit("PersistentVolume", "pvc-exivity-report", _as_host_path)
    for item in list(cluster.all("velero.io/PodVolumeBackup")):
        if item["metadata"]["annotations"]["velero.io/pvc-name"] == "exivity-report":
            cluster.remove("velero.io/PodVolumeBackup", item["metadata"]["name"])


def _as_host_path(volume: Any) -> None:
    drop("spec.local")(volume)
    put("spec.hostPath", {"path": "/opt/local-path-provisioner/exivity-report", "type": "DirectoryOrCreate"})(volume)


def _schedule(path: str, value: Any) -> Callable[[Any], None]:
    return lambda c: c.edit("velero.io/Schedule", backups.SCHEDULE, put(path, value))


def _unavailable(cluster: Any) -> None:
    cluster.edit("longhorn.io/BackupTarget", "default", put("status.available", False))
    cluster.edit("longhorn.io/BackupTarget", "default", put("status.conditions.0.status", "True"))


MUTATIONS = [
    Mutation("nothing copies a claim", "multi_node", "backups/ledger", _uncovered),
    Mutation("Velero passes over a hostPath volume", "single_node", "backups/ledger", _passed_over, live=False),
    Mutation("a volume has left the group default", "multi_node", "backups/recurring-jobs", _own_group),
    Mutation("there is no backup job", "multi_node", "backups/recurring-jobs", lambda c: c.remove("longhorn.io/RecurringJob", "backup-daily")),
    Mutation(
        "the snapshot job only tidies up", "multi_node", "backups/recurring-jobs",
        lambda c: c.edit("longhorn.io/RecurringJob", "snapshot-daily", put("spec.task", "snapshot-cleanup")),
    ),
    Mutation("the schedule is paused", "single_node", "backups/recurring-jobs", _schedule("spec.paused", True)),
    Mutation("the schedule takes another namespace", "single_node", "backups/recurring-jobs", _schedule("spec.template.includedNamespaces", ["shop"])),
    Mutation("the target cannot be reached", "multi_node", "backups/target-available", _unavailable),
    Mutation(
        "no target is set", "multi_node", "backups/target-available",
        lambda c: c.edit("longhorn.io/BackupTarget", "default", put("spec.backupTargetURL", "")),
    ),
    Mutation(
        "the location cannot be reached", "single_node", "backups/target-available",
        lambda c: c.edit("velero.io/BackupStorageLocation", "default", put("status.phase", "Unavailable")),
    ),
    Mutation(
        "the location is a store on this cluster", "single_node", "backups/target-available",
        lambda c: c.edit("velero.io/BackupStorageLocation", "default", put("spec.config.s3Url", "http://minio.velero.svc:9000")), to=Status.WARN,
    ),
    Mutation("a claim was last copied three days ago", "multi_node", "backups/recent", _stale(3)),
    Mutation("Velero last copied a claim three days ago", "single_node", "backups/recent", _copied_by_velero(3)),
    Mutation("the database is copied by volume snapshots alone", "multi_node", "backups/not-volumes-alone", postgresql.snapshot_backups),
]  # fmt: skip
