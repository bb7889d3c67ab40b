"""Mutations of the row storage."""

from __future__ import annotations

from typing import Any

from exivity_audit.verdict import Status
from tests.mutation import Mutation, drop, put


def _waiting(claim: Any) -> None:
    put("status.phase", "Pending")(claim)
    drop("spec.volumeName")(claim)
    drop("status.capacity")(claim)


def _other_class(claim: Any) -> None:
    put("spec.storageClassName", "longhorn-shared")(claim)
    _waiting(claim)


def _host_path(deployment: Any) -> None:
    deployment["spec"]["template"]["spec"]["volumes"].append({"name": "spool", "hostPath": {"path": "/var/spool/exivity"}})


def _by_hand(volume: Any) -> None:
    drop("metadata.annotations.pv\\.kubernetes\\.io/provisioned-by")(volume)


def _nfs_without_locks(volume: Any) -> None:
    drop("spec.csi")(volume)
    drop("metadata.annotations.pv\\.kubernetes\\.io/provisioned-by")(volume)
    put("spec.nfs", {"server": "nas.acme.eu", "path": "/exivity/report"})(volume)
    put("spec.mountOptions", ["nfsvers=4.1", "nolock"])(volume)


def _condition(kind: str, status: str) -> Any:
    def change(node: Any) -> None:
        next(item for item in node["status"]["conditions"] if item["type"] == kind)["status"] = status

    return change


def _degraded(volume: Any) -> None:
    put("status.robustness", "degraded")(volume)
    put("status.lastDegradedAt", "2026-11-20T04:00:00Z")(volume)


def _sized(claim: Any) -> None:
    put("spec.resources.requests.storage", "200Gi")(claim)
    put("status.conditions", [{"type": "FileSystemResizePending", "status": "True", "lastTransitionTime": "2026-11-20T04:00:00Z"}])(claim)


def _goes_with_its_claim(cluster: Any) -> None:
    volume = "pvc-exivity-extracted"
    cluster.edit("PersistentVolume", volume, put("spec.persistentVolumeReclaimPolicy", "Delete"))
    cluster.edit("longhorn.io/Volume", volume, put("status.lastBackup", ""))
    cluster.remove("longhorn.io/BackupVolume", f"{volume}-5d1c")


MUTATIONS = [
    Mutation(
        "a log claim names a class that does not exist", "multi_node", "storage/class-exists",
        lambda c: c.edit("PersistentVolumeClaim", "exivity-glass-log", _other_class), live=False,
    ),
    Mutation(
        "a claim waits for its volume", "multi_node", "storage/claims-bound",
        lambda c: c.edit("PersistentVolumeClaim", "exivity-report", _waiting), live=False,
    ),
    Mutation(
        "a resize waits for days", "multi_node", "storage/claims-bound",
        lambda c: c.edit("PersistentVolumeClaim", "exivity-extracted", _sized), live=False,
    ),
    Mutation("a claim is gone", "multi_node", "storage/claims-bound", lambda c: c.remove("PersistentVolumeClaim", "exivity-griffon-config")),
    Mutation(
        "the volume of a claim is gone", "multi_node", "storage/claims-lost",
        lambda c: c.edit("PersistentVolumeClaim", "exivity-exported", put("status.phase", "Lost")), live=False,
    ),
    Mutation(
        "a pod mounts a folder of its node", "multi_node", "storage/provisioned",
        lambda c: c.edit("Deployment", "exivity-edify", _host_path),
    ),
    Mutation(
        "somebody made a hostPath volume", "single_node", "storage/provisioned",
        lambda c: c.edit("PersistentVolume", "pvc-exivity-exported", _by_hand),
    ),
    Mutation(
        "a shared claim is ReadWriteOnce", "multi_node", "storage/access-mode",
        lambda c: c.edit("PersistentVolumeClaim", "exivity-exported", put("spec.accessModes", ["ReadWriteOnce"])), live=False,
    ),
    Mutation(
        "the class makes migratable volumes", "multi_node", "storage/rwx-capable",
        lambda c: c.edit("StorageClass", "longhorn", put("parameters.migratable", "true")), live=False,
    ),
    Mutation(
        "a share manager is in error", "multi_node", "storage/rwx-validated",
        lambda c: c.edit("longhorn.io/ShareManager", "pvc-exivity-exported", put("status.state", "error")),
    ),
    Mutation(
        "a volume has two replicas", "multi_node", "storage/longhorn-replicas",
        lambda c: c.edit("longhorn.io/Volume", "pvc-exivity-extracted", put("spec.numberOfReplicas", 2)),
    ),
    Mutation(
        "the class asks for two replicas", "multi_node", "storage/longhorn-replicas",
        lambda c: c.edit("StorageClass", "longhorn", put("parameters.numberOfReplicas", "2")), live=False,
    ),
    Mutation(
        "a volume is degraded for days", "multi_node", "storage/longhorn-replicas",
        lambda c: c.edit("longhorn.io/Volume", "pvc-exivity-extracted", _degraded),
    ),
    Mutation(
        "two replicas of a volume share a node", "multi_node", "storage/longhorn-spread",
        lambda c: c.edit("longhorn.io/Replica", "pvc-exivity-extracted-r-1", put("spec.nodeID", "worker-1")),
    ),
    Mutation(
        "a node lacks the NFS client", "multi_node", "storage/longhorn-failover",
        lambda c: c.edit("longhorn.io/Node", "worker-2", _condition("NFSClientInstalled", "False")),
    ),
    Mutation(
        "pods of a dead node are left alone", "multi_node", "storage/longhorn-failover",
        lambda c: c.edit("longhorn.io/Setting", "node-down-pod-deletion-policy", put("value", "do-nothing")), to=Status.WARN,
    ),
    Mutation(
        "a Longhorn disk is full", "multi_node", "storage/longhorn-capacity",
        lambda c: c.edit("longhorn.io/Node", "worker-3", put("status.diskStatus.default.conditions.1.status", "False")),
    ),
    Mutation(
        "an NFS volume is mounted without locks", "multi_node", "storage/nfs",
        lambda c: c.edit("PersistentVolume", "pvc-exivity-report", _nfs_without_locks), live=False,
    ),
    Mutation(
        "a volume goes with its claim", "multi_node", "storage/reclaim",
        _goes_with_its_claim, to=Status.WARN, also=("backups/ledger",),  # nothing else has its data
    ),
]  # fmt: skip
