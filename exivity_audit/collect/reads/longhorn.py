"""Reads of Longhorn's own objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exivity_audit.collect.place import MissingRead, Read, cluster, in_namespace, paths
from exivity_audit.collect.targets import longhorn_setting
from exivity_audit.fact import Unreadable
from exivity_audit.snapshot import Place

LONGHORN = "longhorn-system"
LONGHORN_DRIVER = "driver.longhorn.io"


def longhorn_namespaces(longhorn_nodes: Any) -> tuple[str, ...]:
    if isinstance(longhorn_nodes, Unreadable):
        raise MissingRead(longhorn_nodes)
    return tuple(sorted({node.namespace for node in longhorn_nodes if node.namespace})) or (LONGHORN,)


def _longhorn_volumes(longhorn_nodes: Any, persistentvolumes: Any) -> Iterable[Place]:
    if isinstance(persistentvolumes, Unreadable):
        raise MissingRead(persistentvolumes)
    csi = [volume.value.get("spec", {}).get("csi") for volume in persistentvolumes if isinstance(volume.value.get("spec", {}), dict)]
    handles = sorted(
        {
            handle
            for source in csi
            if isinstance(source, dict) and source.get("driver") == LONGHORN_DRIVER and isinstance(handle := source.get("volumeHandle"), str)
        }
    )
    for namespace in longhorn_namespaces(longhorn_nodes):
        for handle in handles:
            yield Place(namespace, handle)


def longhorn_list(longhorn_nodes: Any) -> Iterable[Place]:
    """The namespaces that Longhorn runs in; its definitions alone, without a node of it, are no Longhorn."""
    if isinstance(longhorn_nodes, Unreadable):
        raise MissingRead(longhorn_nodes)
    if len(longhorn_nodes):
        yield from map(Place, longhorn_namespaces(longhorn_nodes))


READS: tuple[Read, ...] = (
    Read("longhorn_nodes", "nodes.longhorn.io", cluster(), paths(
        "spec.allowScheduling spec.evictionRequested spec.disks status.conditions[].type status.conditions[].status status.conditions[].reason status.conditions[].message"
        " status.diskStatus status.zone status.region"), "LonghornNode", otherwise=in_namespace(LONGHORN)),
    Read("longhorn_volumes", "volumes.longhorn.io", _longhorn_volumes, paths(
        "metadata.labels metadata.creationTimestamp spec.size spec.numberOfReplicas spec.accessMode spec.migratable spec.dataLayout spec.replicaSoftAntiAffinity"
        " spec.replicaZoneSoftAntiAffinity spec.dataLocality spec.dataEngine spec.Standby status.state status.robustness status.currentNodeID status.actualSize"
        " status.lastBackup status.lastBackupAt status.lastDegradedAt status.shareState status.isStandby status.kubernetesStatus.pvName"
        " status.kubernetesStatus.namespace status.kubernetesStatus.pvcName status.conditions[].type status.conditions[].status"), "LonghornVolume", bulk=True),
    Read("longhorn_replicas", "replicas.longhorn.io", longhorn_list, paths(
        "metadata.labels spec.volumeName spec.nodeID spec.failedAt spec.healthyAt spec.diskID status.currentState"), "LonghornReplica"),
    Read("longhorn_share_managers", "sharemanagers.longhorn.io", longhorn_list, paths("status.state status.ownerID"), "ShareManager"),
    Read("longhorn_settings", "settings.longhorn.io", longhorn_list, paths("value"), "LonghornSetting", sift=longhorn_setting),
)  # fmt: skip
