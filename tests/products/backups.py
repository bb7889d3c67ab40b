"""What copies the data on the conforming clusters: Longhorn's jobs to S3 on several nodes, Velero's file-system backup on one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exivity_audit import chart
from tests.builders import LAST_NIGHT, made, stamp
from tests.products import postgresql

Object = dict[str, Any]
SERVED = (
    "recurringjobs.longhorn.io", "backuptargets.longhorn.io", "backups.longhorn.io", "backupvolumes.longhorn.io", "schedules.velero.io", "backups.velero.io",
    "restores.velero.io", "backupstoragelocations.velero.io", "podvolumebackups.velero.io", "volumesnapshots.snapshot.storage.k8s.io",
    "volumesnapshotclasses.snapshot.storage.k8s.io",
)  # fmt: skip
LONGHORN, LONGHORN_API = "longhorn-system", "longhorn.io/v1beta2"
VELERO, VELERO_API = "velero", "velero.io/v1"
TARGET = "s3://exivity-backups@eu-central-1/prod"
REHEARSED, REHEARSAL = ("extracted", "exported", "etl-config"), 60
SCHEDULE, DAYS_KEPT = "exivity-daily", (0, 1, 20)
PARTS = (*chart.LOG_CLAIMS, *chart.CONFIG_CLAIMS, *chart.DATA_CLAIMS)


def recurring_job(name: str, task: str, cron: str, groups: Iterable[str] = ("default",), retain: int = 7) -> Object:
    """A RecurringJob of Longhorn."""
    spec = {"name": name, "task": task, "cron": cron, "groups": list(groups), "retain": retain, "concurrency": 2, "labels": {}}
    return made(LONGHORN_API, "RecurringJob", name, LONGHORN, spec=spec, status={"executionCount": 30, "ownerID": "worker-1"})


def backup_target(url: str = TARGET, *, available: bool = True, name: str = "default") -> Object:
    """A BackupTarget of Longhorn."""
    condition = {
        "type": "Unavailable", "status": "False" if available else "True", "reason": "" if available else "Unavailable",
        "message": "" if available else "failed to list backup volumes", "lastProbeTime": "", "lastTransitionTime": stamp(30),
    }  # fmt: skip
    return made(
        LONGHORN_API, "BackupTarget", name, LONGHORN,
        spec={"backupTargetURL": url, "credentialSecret": "longhorn-s3", "pollInterval": "5m0s", "syncRequestedAt": stamp(0.01)},
        status={"available": available, "conditions": [condition], "lastSyncedAt": stamp(0.01), "ownerID": "worker-1"},
    )  # fmt: skip


def longhorn_backup(volume: str, days: float = LAST_NIGHT, state: str = "Completed") -> list[Object]:
    """The newest Backup of a Longhorn volume and the BackupVolume that names it."""
    name = f"backup-{volume}"
    labels = {"backup-target": "default", "backup-volume": volume}
    backup = made(
        LONGHORN_API, "Backup", name, LONGHORN, metadata={"labels": labels},
        spec={"snapshotName": f"backup-d-{volume}", "labels": {"RecurringJob": "backup-daily"}, "backupMode": "incremental"},
        status={
            "state": state, "volumeName": volume, "snapshotCreatedAt": stamp(days + 0.01), "backupCreatedAt": stamp(days), "size": "536870912",
            "backupTargetName": "default", "url": f"{TARGET}?backup={name}&volume={volume}", "progress": 100,
        },
    )  # fmt: skip
    kept = made(
        LONGHORN_API, "BackupVolume", f"{volume}-5d1c", LONGHORN, metadata={"labels": labels}, spec={"volumeName": volume, "backupTargetName": "default"},
        status={"lastBackupName": name, "lastBackupAt": stamp(days), "size": "536870912", "storageClassName": "longhorn", "createdAt": stamp(30)},
    )  # fmt: skip
    return [backup, kept]


def restored_volume(part: str, origin: str, days: float = REHEARSAL, *, standby: bool = False) -> Object:
    """A Longhorn volume made from a backup of another."""
    url = f"{TARGET}?backup=backup-{origin}&volume={origin}"
    return made(
        LONGHORN_API, "Volume", f"restored-{part}", LONGHORN, metadata={"creationTimestamp": stamp(days)},
        spec={"size": "1073741824", "numberOfReplicas": 3, "accessMode": "rwx", "fromBackup": url, "Standby": standby, "frontend": "blockdev", "dataEngine": "v1"},
        status={"state": "detached", "robustness": "unknown", "restoreRequired": False, "isStandby": standby},
    )  # fmt: skip


def recovered_cluster(days: float = REHEARSAL, server: str = postgresql.NAME, *, url: str = postgresql.BUCKET) -> list[Object]:
    """A CloudNativePG cluster of one instance that was recovered from a server's backups, in a namespace of its own."""
    space, name = "rehearsal", "rehearsed"
    source = {"name": postgresql.PLUGIN, "parameters": {"barmanObjectName": "origin", "serverName": server}}
    store = postgresql.store("origin", space, server)
    store["spec"]["configuration"]["destinationPath"] = url
    cluster = postgresql.cluster(name, space, instances=1, bootstrap={"recovery": {"source": "origin"}}, days=days)
    del cluster["spec"]["plugins"]
    cluster["spec"]["externalClusters"] = [{"name": "origin", "plugin": source}]
    cluster["status"]["conditions"] = [postgresql.condition("Ready", reason="ClusterIsReady", days=days)]
    return [made("v1", "Namespace", space, status={"phase": "Active"}), store, cluster]


def multi_node(installation: Any) -> list[Object]:
    """Longhorn's jobs of the group default, its S3 target, last night's backups, and a restore that was tried."""
    volumes = [f"pvc-{installation.fullname}-{part}" for part in PARTS]
    return [
        recurring_job("snapshot-daily", "snapshot", "0 23 * * *"), recurring_job("backup-daily", "backup", "0 1 * * *", retain=14), backup_target(),
        *(item for volume in volumes for item in longhorn_backup(volume)),
        *(restored_volume(part, f"pvc-{installation.fullname}-{part}") for part in REHEARSED), *recovered_cluster(),
    ]  # fmt: skip


def template(namespace: str, **changes: Any) -> Object:
    """What a schedule of Velero takes."""
    return {
        "includedNamespaces": [namespace], "storageLocation": "default", "ttl": "720h0m0s", "defaultVolumesToFsBackup": True, "snapshotVolumes": False,
        "snapshotMoveData": False, **changes,
    }  # fmt: skip


def storage_location(phase: str = "Available", **spec: Any) -> Object:
    """Velero's storage location."""
    return made(
        VELERO_API, "BackupStorageLocation", "default", VELERO,
        spec={"provider": "aws", "default": True, "accessMode": "ReadWrite", "objectStorage": {"bucket": "exivity-velero", "prefix": "prod"},
              "config": {"region": "eu-central-1", "s3Url": "https://s3.acme.eu"}, **spec},
        status={"phase": phase, "lastSyncedTime": stamp(0.01), "lastValidationTime": stamp(0.01)},
    )  # fmt: skip


def schedule(namespace: str, cron: str = "0 1 * * *", *, paused: bool = False, phase: str = "Enabled", **changes: Any) -> Object:
    """A schedule of Velero."""
    spec: Object = {"schedule": cron, "paused": paused, "useOwnerReferencesInBackup": False, "template": template(namespace, **changes)}
    return made(VELERO_API, "Schedule", SCHEDULE, VELERO, spec=spec, status={"phase": phase, "lastBackup": stamp(LAST_NIGHT)})


def velero_backup(name: str, namespace: str, days: float, phase: str = "Completed", **changes: Any) -> Object:
    """A backup that the schedule made."""
    labels = {"velero.io/schedule-name": SCHEDULE, "velero.io/storage-location": "default"}
    return made(
        VELERO_API, "Backup", name, VELERO, metadata={"labels": labels, "creationTimestamp": stamp(days)}, spec=template(namespace, **changes),
        status={"version": 1, "formatVersion": "1.1.0", "phase": phase, "startTimestamp": stamp(days), "completionTimestamp": stamp(days - 0.01),
                "expiration": stamp(days - 30), "progress": {"itemsBackedUp": 140, "totalItems": 140}},
    )  # fmt: skip


def volume_backup(backup: str, namespace: str, claim: str, pod: str, days: float, phase: str = "Completed") -> Object:
    """A volume of a pod that Velero copied file by file."""
    return made(
        VELERO_API, "PodVolumeBackup", f"{backup}-{claim}"[:60], VELERO,
        metadata={"labels": {"velero.io/backup-name": backup, "velero.io/backup-uid": f"uid-{backup}", "velero.io/pvc-uid": f"uid-{claim}"},
                  "annotations": {"velero.io/pvc-name": claim}},
        spec={"node": "only", "pod": {"kind": "Pod", "namespace": namespace, "name": pod}, "volume": claim, "backupStorageLocation": "default",
              "repoIdentifier": "", "uploaderType": "kopia", "tags": {"backup": backup, "ns": namespace, "pod": pod, "volume": claim}},
        status={"phase": phase, "snapshotID": "9f1c", "startTimestamp": stamp(days), "completionTimestamp": stamp(days - 0.005), "path": "/host_pods/x"},
    )  # fmt: skip


def restore(backup: str, namespace: str, days: float, phase: str = "Completed", **changes: Any) -> Object:
    """A restore of a backup into a scratch namespace."""
    spec = {
        "backupName": backup,
        "includedNamespaces": [namespace],
        "namespaceMapping": {namespace: f"{namespace}-rehearsal"},
        "restorePVs": True,
        **changes,
    }
    return made(
        VELERO_API, "Restore", "exivity-rehearsal", VELERO, metadata={"creationTimestamp": stamp(days)}, spec=spec,
        status={"phase": phase, "startTimestamp": stamp(days), "completionTimestamp": stamp(days - 0.02), "progress": {"itemsRestored": 130, "totalItems": 130}},
    )  # fmt: skip


def backup_name(days: float) -> str:
    """The name that the schedule gives to the backup of a night."""
    moment = stamp(days + LAST_NIGHT).replace("-", "").replace(":", "").replace("T", "").removesuffix("Z")
    return f"{SCHEDULE}-{moment}"


def single_node(installation: Any) -> list[Object]:
    """Velero with a schedule for the namespace, the backups of some nights, the volumes of the last, and a restore that was tried."""
    space, newest = installation.namespace, backup_name(0)
    return [
        made("v1", "Namespace", VELERO), storage_location(), schedule(space),
        *(velero_backup(backup_name(days), space, days + LAST_NIGHT) for days in DAYS_KEPT),
        *(volume_backup(newest, space, f"{installation.fullname}-{part}", f"{installation.fullname}-proximity-api-6d5f-0", LAST_NIGHT) for part in PARTS),
        restore(backup_name(DAYS_KEPT[-1]), space, 18),
    ]  # fmt: skip


def forget(world: Any, part: str, fullname: str = "exivity") -> Any:
    """The same world without any copy of a claim: no backup of its volume, and none that Velero made."""
    volume, claim = f"pvc-{fullname}-{part}", f"{fullname}-{part}"
    world.objects = [item for item in world.objects if not _of(item, volume, claim)]
    for item in world.all("longhorn.io/Volume"):
        if item["metadata"]["name"] == volume:
            item["status"] |= {"lastBackup": "", "lastBackupAt": ""}
    return world


def _of(item: Object, volume: str, claim: str) -> bool:
    kept = item["kind"] in ("Backup", "BackupVolume") and item["metadata"].get("labels", {}).get("backup-volume") == volume
    return kept or (item["kind"] == "PodVolumeBackup" and item["metadata"]["annotations"].get("velero.io/pvc-name") == claim)


def aged(world: Any, part: str, days: float, fullname: str = "exivity") -> Any:
    """The same world where the only copy of a claim on Longhorn is so old."""
    volume = f"pvc-{fullname}-{part}"
    forget(world, part, fullname)
    world.add(*longhorn_backup(volume, days))
    for item in world.all("longhorn.io/Volume"):
        if item["metadata"]["name"] == volume:
            item["status"] |= {"lastBackup": f"backup-{volume}", "lastBackupAt": stamp(days)}
    return world
