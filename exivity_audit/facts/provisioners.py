"""What storage provisioners can do: share a file system, enforce a size, keep data on one node."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit.facts.claims import StorageClass

LONGHORN = "driver.longhorn.io"
GANESHA = "example.com/nfs"
NFS_SUBDIR = "k8s-sigs.io/nfs-subdir-external-provisioner"
NFS_CSI = "nfs.csi.k8s.io"
NO_PROVISIONER = "kubernetes.io/no-provisioner"


class ProvisionerKind(Struct, frozen=True):
    """What a provisioner can do. None: it depends on the class's parameters, or is not known."""

    title: str
    rwx: bool | None
    enforced: bool | None
    local: bool
    csi: bool
    note: str = ""


def _local(title: str, *, csi: bool = False, enforced: bool | None = False, note: str = "") -> ProvisionerKind:
    return ProvisionerKind(title, False, enforced, local=True, csi=csi, note=note or "its volumes live on one node")


def _shared(title: str, *, csi: bool = True, enforced: bool | None = True, note: str = "") -> ProvisionerKind:
    return ProvisionerKind(title, True, enforced, local=False, csi=csi, note=note)


def _block(title: str, *, note: str = "it gives block volumes") -> ProvisionerKind:
    return ProvisionerKind(title, False, True, local=False, csi=True, note=note)


def _depends(title: str, note: str) -> ProvisionerKind:
    return ProvisionerKind(title, None, True, local=False, csi=True, note=note)


PROVISIONERS: dict[str, ProvisionerKind] = {
    "rancher.io/local-path": _local("local-path provisioner"),
    "docker.io/hostpath": _local("Docker Desktop hostpath", note="it claims ReadWriteMany, on one node only"),
    "k8s.io/minikube-hostpath": _local("minikube hostpath", note="it claims ReadWriteMany, which breaks with more than one node"),
    "hostpath.csi.k8s.io": _local("CSI hostpath", csi=True, note="a driver for tests, on one node only"),
    "microk8s.io/hostpath": _local("MicroK8s hostpath"),
    "local.csi.openebs.io": _local("OpenEBS local LVM", csi=True, enforced=True),
    "zfs.csi.openebs.io": _local("OpenEBS local ZFS", csi=True, enforced=True),
    "openebs.io/local": _local("OpenEBS local PV"),
    "topolvm.io": _local("TopoLVM", csi=True, enforced=True),
    NO_PROVISIONER: ProvisionerKind("no provisioner", None, None, local=False, csi=False, note="volumes are made by hand"),
    LONGHORN: _shared("Longhorn", note="ReadWriteMany goes through a share manager"),
    NFS_CSI: _shared("CSI driver NFS", enforced=False),
    NFS_SUBDIR: _shared("NFS subdir external provisioner", csi=False, enforced=False),
    GANESHA: _shared("NFS Ganesha server and external provisioner", csi=False, enforced=False, note="one NFS server pod on one volume"),
    "openebs.io/nfsrwx": _shared("OpenEBS dynamic NFS", csi=False, enforced=False, note="one NFS server pod for each volume"),
    "cephfs.csi.ceph.com": _shared("CephFS"),
    "nfs.csi.ceph.com": _shared("Ceph NFS"),
    "rbd.csi.ceph.com": _block("Ceph RBD"),
    "nvmeof.csi.ceph.com": _block("Ceph NVMe-oF"),
    "efs.csi.aws.com": _shared("Amazon EFS", enforced=False),
    "fsx.csi.aws.com": _shared("Amazon FSx for Lustre"),
    "ebs.csi.aws.com": _block("Amazon EBS"),
    "file.csi.azure.com": _shared("Azure Files"),
    "disk.csi.azure.com": _block("Azure Disk"),
    "smb.csi.k8s.io": _shared("CSI driver SMB", enforced=False),
    "filestore.csi.storage.gke.io": _shared("Google Filestore"),
    "pd.csi.storage.gke.io": _block("Google Persistent Disk"),
    "pxd.portworx.com": _depends("Portworx", "the class's parameter sharedv4 decides"),
    "csi.trident.netapp.io": _depends("NetApp Trident", "the class's parameter backendType decides: ontap-nas shares, ontap-san does not"),
    "csi.vsphere.vmware.com": _depends("vSphere CSI", "the class's parameter csi.storage.k8s.io/fstype decides: nfs4 shares, others do not"),
    "csi-isilon.dellemc.com": _shared("Dell PowerScale", enforced=None),
    "csi-unity.dellemc.com": _depends("Dell Unity XT", "the class's parameter protocol decides: NFS shares, FC and iSCSI do not"),
    "csi-powerstore.dellemc.com": _depends("Dell PowerStore", "the class's parameter csi.storage.k8s.io/fstype decides: nfs shares, others do not"),
    "pure-csi": _depends("Pure Storage", "the class's parameter backend decides: file (FlashBlade) shares, block (FlashArray) does not"),
    "cstor.csi.openebs.io": _block("OpenEBS cStor"),
    "io.openebs.csi-mayastor": _block("OpenEBS Mayastor"),
    "linstor.csi.linbit.com": _depends("LINSTOR", "newer versions can export NFS"),
    "csi.hpe.com": _depends("HPE CSI", "the class's parameter nfsResources decides"),
    "filex.csi.hpe.com": _shared("HPE file storage"),
    "cinder.csi.openstack.org": _block("OpenStack Cinder"),
    "manila.csi.openstack.org": _shared("OpenStack Manila"),
    "nfs.manila.csi.openstack.org": _shared("OpenStack Manila NFS"),
    "cephfs.manila.csi.openstack.org": _shared("OpenStack Manila CephFS"),
    "csi.nutanix.com": _depends("Nutanix CSI", "the class's parameter storageType decides: NutanixFiles shares, NutanixVolumes does not"),
    "csi.juicefs.com": _shared("JuiceFS", enforced=None),
    "csi.weka.io": _shared("WEKA", enforced=None),
    "csi.weka.fs": _shared("WEKA", enforced=None),
    "beegfs.csi.netapp.com": _shared("BeeGFS", enforced=None),
    "csi.cubefs.com": _shared("CubeFS", enforced=None),
    "quobyte-csi": _shared("Quobyte", enforced=None),
    "linodebs.csi.linode.com": _block("Linode Block Storage"),
    "dobs.csi.digitalocean.com": _block("DigitalOcean Block Storage"),
    "csi.hetzner.cloud": _block("Hetzner Cloud Volumes"),
}  # fmt: skip

# The operator's namespace, or the release name, is a part of these names.
PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r".+\.(cephfs|nfs|rbd|nvmeof)\.csi\.ceph\.com"), r"\1.csi.ceph.com"),
    (re.compile(r"cluster\.local/(.+-)?nfs-subdir-external-provisioner"), NFS_SUBDIR),
    (re.compile(r"cluster\.local/(.+-)?nfs-server-provisioner"), GANESHA),
    (re.compile(r"(fuseim\.pri/ifs|cluster\.local/(.+-)?nfs-client-provisioner)"), NFS_SUBDIR),
    (re.compile(r"(.+\.)?io\.openebs\.csi-mayastor"), "io.openebs.csi-mayastor"),
)


def _true(value: Any) -> bool | None:
    return str(value).lower() == "true" if value is not None else None


def _by_start(value: Any, sharing: tuple[str, ...], other: tuple[str, ...]) -> bool | None:
    text = str(value or "").lower()
    if text.startswith(sharing):
        return True
    return False if text.startswith(other) else None


def _portworx(parameters: dict[str, Any]) -> bool | None:
    # Neither parameter given: volumes are not shared.
    return bool(_true(parameters.get("sharedv4")) or _true(parameters.get("shared")) or str(parameters.get("backend", "")).startswith("pure_file"))


SAN = ("ontap-san", "solidfire-san", "gcp-san", "eseries-iscsi")
NAS = ("ontap-nas", "azure-netapp-files", "gcp-cvs", "google-cloud-netapp", "aws-cvs")
FILE_SYSTEM = "csi.storage.k8s.io/fstype"
BY_PARAMETERS: dict[str, Callable[[dict[str, Any]], bool | None]] = {
    "pxd.portworx.com": _portworx,
    "csi.trident.netapp.io": lambda parameters: _by_start(parameters.get("backendType"), NAS, SAN),
    "csi.vsphere.vmware.com": lambda parameters: str(parameters.get(FILE_SYSTEM, "")).startswith("nfs"),
    "csi-powerstore.dellemc.com": lambda parameters: str(parameters.get(FILE_SYSTEM, "")).startswith("nfs"),
    "csi-unity.dellemc.com": lambda parameters: _by_start(parameters.get("protocol"), ("nfs",), ("fc", "iscsi")),
    "pure-csi": lambda parameters: _by_start(parameters.get("backend"), ("file",), ("block",)),
    "csi.hpe.com": lambda parameters: bool(_true(parameters.get("nfsResources"))),
    "csi.nutanix.com": lambda parameters: _by_start(parameters.get("storageType"), ("nutanixfiles",), ("nutanixvolumes",)),
}


def table_name(provisioner: str) -> str:
    """The name under which a provisioner stands in the table: its own, or the one its pattern leads to."""
    for pattern, name in PATTERNS:
        match = pattern.fullmatch(provisioner)
        if match:
            return match.expand(name)
    return provisioner


def provisioner_kind(class_: StorageClass, settings: Any) -> ProvisionerKind | None:
    """What a class's provisioner can do, the config's word first; None for one that nobody has told us about."""
    return kind_of(class_.provisioner, class_.parameters, settings)


def kind_of(provisioner: str, parameters: dict[str, Any], settings: Any) -> ProvisionerKind | None:
    """The same for a provisioner or driver by name, with the parameters that decide where it depends."""
    name = table_name(provisioner)
    known = PROVISIONERS.get(name)
    if known is not None and name in BY_PARAMETERS:
        known = replace(known, rwx=BY_PARAMETERS[name](parameters))
    told = settings.provisioners.get(provisioner)
    if told is None:
        return known
    base = known or ProvisionerKind(provisioner, None, None, local=False, csi="/" not in provisioner, note="by the config")
    return replace(
        base,
        rwx=base.rwx if told.rwx is None else told.rwx,
        enforced=base.enforced if told.enforced is None else told.enforced,
        local=base.local if told.local is None else told.local,
    )
