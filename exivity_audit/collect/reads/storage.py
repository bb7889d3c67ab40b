"""Reads of claims, volumes, classes and the drivers behind them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exivity_audit import chart
from exivity_audit.collect.place import MissingRead, Read, cluster, led, paths, release_namespace, values
from exivity_audit.collect.reads.shapes import METADATA, OWNERS
from exivity_audit.document import Malformed
from exivity_audit.fact import Unreadable
from exivity_audit.facts.drivers import apps_of
from exivity_audit.facts.provisioners import PROVISIONERS, table_name
from exivity_audit.snapshot import Place

PROVISIONER_SELECTORS = (
    "app in (local-path-provisioner,nfs-subdir-external-provisioner,nfs-client-provisioner,nfs-server-provisioner,nfs-provisioner)",
    f"{chart.NAME_LABEL} in (local-path-provisioner,nfs-subdir-external-provisioner,nfs-server-provisioner)",
)


def _volume_names(persistentvolumeclaims: Any, middleware_claims: Any) -> Iterable[Place]:
    """The volumes of the release's claims, and of its middleware's where those can be read."""
    others = () if isinstance(middleware_claims, Unreadable) else values(middleware_claims, "spec.volumeName")
    for name in sorted({*values(persistentvolumeclaims, "spec.volumeName"), *others}):
        yield Place(None, name)


def _local_volumes(storageclasses: Any, persistentvolumeclaims: Any, persistentvolumes: Any) -> Iterable[Place]:
    """All PersistentVolumes of the cluster, where the release uses a node-local class or has a volume on a node's disk."""
    for read in (storageclasses, persistentvolumeclaims):
        if isinstance(read, Unreadable):
            raise MissingRead(read)
    named = set(values(persistentvolumeclaims, "spec.storageClassName"))
    unnamed = any(led(persistentvolumeclaims, lambda claim: claim.get("spec.storageClassName") is None))
    default = "metadata.annotations[storageclass.kubernetes.io/is-default-class]"
    used = led(storageclasses, lambda item: item.text("provisioner") if item.name in named or (unnamed and item.get(default) == "true") else None)
    local = any(name and (kind := PROVISIONERS.get(table_name(name))) is not None and kind.local for name in used)
    volumes = () if isinstance(persistentvolumes, Unreadable) else persistentvolumes
    if local or any(led(volumes, lambda volume: volume.get("spec.hostPath.path") or volume.get("spec.local.path"))):
        yield Place()


def _provisioner_pods(storageclasses: Any, persistentvolumeclaims: Any) -> Iterable[Place]:
    """The pods of the known provisioners that are no CSI drivers, unless it is seen that no class has such a one."""
    if not _none_provisions(storageclasses, persistentvolumeclaims):
        for selector in PROVISIONER_SELECTORS:
            yield Place(None, None, selector)


def _none_provisions(classes: Any, claims: Any) -> bool:
    """Whether every class was seen and has another provisioner, and every claim is of one of them or of none; what is malformed may be otherwise."""
    if isinstance(classes, Unreadable) or isinstance(claims, Unreadable) or classes.unreadable or claims.unreadable:
        return False
    known = {None, *(item.name for item in classes)}
    try:
        gone = any(claim.text("spec.storageClassName") not in known for claim in claims)
        return not gone and not any(apps_of(item.text("provisioner") or "") for item in classes)
    except Malformed:
        return False


READS: tuple[Read, ...] = (
    Read("persistentvolumeclaims", "persistentvolumeclaims", release_namespace(), paths(
        f"{METADATA} {OWNERS} metadata.annotations[helm.sh/resource-policy] metadata.deletionTimestamp spec.storageClassName spec.volumeName spec.accessModes"
        " spec.volumeMode spec.resources.requests status.phase status.capacity status.accessModes status.conditions[].type status.conditions[].status status.conditions[].lastTransitionTime"
        " metadata.annotations[volume.kubernetes.io/selected-node] metadata.annotations[volume.beta.kubernetes.io/storage-provisioner]"
        " metadata.annotations[volume.kubernetes.io/storage-provisioner]"), "PersistentVolumeClaim"),
    Read("persistentvolumes", "persistentvolumes", _volume_names, paths(
        f"{METADATA} metadata.annotations[pv.kubernetes.io/provisioned-by] spec.capacity spec.accessModes spec.persistentVolumeReclaimPolicy spec.storageClassName"
        " spec.claimRef.namespace spec.claimRef.name spec.csi.driver spec.csi.volumeHandle"
        " spec.csi.volumeAttributes.numberOfReplicas spec.csi.volumeAttributes.migratable spec.nfs.path spec.nfs.readOnly spec.hostPath.path spec.local.path"
        " spec.nodeAffinity spec.volumeMode status.phase",
        {"spec.mountOptions": "mount_options", "spec.nfs.server": "host", "spec.csi.volumeAttributes.server": "server", "spec.csi.volumeAttributes.share": "name"}),
        "PersistentVolume", bulk=True),
    Read("node_volumes", "persistentvolumes", _local_volumes, paths(
        "spec.capacity spec.claimRef.namespace spec.claimRef.name spec.csi.driver spec.hostPath.path spec.local.path spec.nodeAffinity"), "PersistentVolume", same_list="persistentvolumes"),
    Read("storageclasses", "storageclasses", cluster(), paths(
        f"{METADATA} metadata.annotations[storageclass.kubernetes.io/is-default-class] metadata.annotations[storageclass.beta.kubernetes.io/is-default-class]"
        " provisioner reclaimPolicy allowVolumeExpansion volumeBindingMode parameters.numberOfReplicas parameters.migratable parameters.dataLocality"
        " parameters.fsType parameters.recurringJobSelector parameters.backendType parameters.sharedv4 parameters.shared"
        " parameters.nfsResources parameters.replicaAutoBalance parameters.dataEngine parameters.replicaSoftAntiAffinity"
        " parameters.replicaZoneSoftAntiAffinity parameters.dataLayout parameters.pathPattern parameters[csi.storage.k8s.io/fstype]"
        " parameters.protocol parameters.backend parameters.storageType",
        {"mountOptions": "mount_options", "parameters.nfsOptions": "mount_options", "parameters.server": "server", "parameters.share": "name"}), "StorageClass"),
    Read("csidrivers", "csidrivers", cluster(), paths("spec.attachRequired spec.fsGroupPolicy"), "CSIDriver"),
    Read("csinodes", "csinodes", cluster(), paths("spec.drivers[].name spec.drivers[].allocatable.count"), "CSINode"),
    Read("provisioner_pods", "pods", _provisioner_pods, paths(
        "metadata.labels spec.nodeName status.phase status.conditions[].type status.conditions[].status",
        {"spec.containers[].image": "image"}), "Pod", few=True),
)  # fmt: skip
