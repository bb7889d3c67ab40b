"""Storage drivers: the classes the release uses, which drivers are installed, and on which nodes they run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact, maybe, seen
from exivity_audit.facts.claims import Claim, StorageClass, Volume, class_of
from exivity_audit.facts.provisioners import NO_PROVISIONER, ProvisionerKind, provisioner_kind
from exivity_audit.subject import Subject

# In-tree provisioners whose work a CSI driver does since Kubernetes moved them out.
MIGRATED = {
    "kubernetes.io/aws-ebs": "ebs.csi.aws.com", "kubernetes.io/gce-pd": "pd.csi.storage.gke.io", "kubernetes.io/azure-disk": "disk.csi.azure.com",
    "kubernetes.io/azure-file": "file.csi.azure.com", "kubernetes.io/cinder": "cinder.csi.openstack.org",
    "kubernetes.io/vsphere-volume": "csi.vsphere.vmware.com", "kubernetes.io/portworx-volume": "pxd.portworx.com",
}  # fmt: skip
# Labels of the pods of provisioners that are no CSI drivers, by what their provisioner's name holds.
_PROVISIONER_APPS = {
    "local-path": frozenset({"local-path-provisioner"}),
    "nfs-subdir-external-provisioner": frozenset({"nfs-subdir-external-provisioner", "nfs-client-provisioner"}),
    "nfs-client-provisioner": frozenset({"nfs-subdir-external-provisioner", "nfs-client-provisioner"}),
    "nfs-server-provisioner": frozenset({"nfs-server-provisioner", "nfs-provisioner"}),
    "example.com/nfs": frozenset({"nfs-server-provisioner", "nfs-provisioner"}),
}


class ClassUse(Struct, frozen=True):
    """A StorageClass that claims of the release use; ``storage_class`` is None where no such object exists."""

    subject: Subject
    source: Source | None
    name: str
    storage_class: StorageClass | None
    provisioner: str  # of the class, else of the volumes behind the claims; empty where neither tells
    claims: tuple[Claim, ...]

    @property
    def driver(self) -> str:
        """The driver that does the work: the CSI driver in place of an in-tree provisioner."""
        return MIGRATED.get(self.provisioner, self.provisioner)

    def kind(self, settings: Any) -> ProvisionerKind | None:
        """What its driver can do; None for one that nobody has told us about."""
        known = self.storage_class or StorageClass(
            self.subject, Source("storageclasses", "storageclasses", None, self.name), self.name, "", False, "", False, "", (), {}
        )
        return provisioner_kind(replace(known, provisioner=self.driver), settings) if self.driver else None


class InstalledDriver(Struct, frozen=True):
    """A CSIDriver object."""

    subject: Subject
    source: Source
    name: str


class NodeDrivers(Struct, frozen=True):
    """The CSI drivers that have registered on a node."""

    subject: Subject
    source: Source
    node: str
    drivers: frozenset[str]


class ProvisionerPod(Struct, frozen=True):
    """A pod of a provisioner that is no CSI driver."""

    source: Source
    namespace: str
    app: str
    running: bool


@fact
def class_uses(claims: Objects[Claim], storage_classes: Objects[StorageClass], volumes: Any = maybe) -> Objects[ClassUse]:
    """The classes behind the release's claims, each once."""
    behind: dict[tuple[str, str], Volume] = {volume.claim: volume for volume in volumes if volume.claim} if seen(volumes) else {}
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        found = class_of(claim, storage_classes)
        volume = behind.get((claim.namespace, claim.name))
        groups.setdefault(claim.class_name or (found.name if found else volume.class_name if volume else ""), []).append(claim)
    return Objects(
        (_use(name, members, storage_classes, behind) for name, members in sorted(groups.items())),
        unreadable=(*claims.unreadable, *storage_classes.unreadable), partial=(*claims.partial, *storage_classes.partial),
    )  # fmt: skip


def _use(name: str, members: list[Claim], classes: Iterable[StorageClass], behind: dict[tuple[str, str], Volume]) -> ClassUse:
    found = next((one for one in classes if one.name == name), None)
    made = (behind.get((claim.namespace, claim.name)) for claim in members)
    tools = {volume.driver or volume.provisioned_by or NO_PROVISIONER for volume in made if volume is not None}
    provisioner = found.provisioner if found else tools.pop() if len(tools) == 1 else ""
    return ClassUse(Subject("StorageClass", name or None), found.source if found else None, name, found, provisioner, tuple(members))


@fact
def installed_drivers(csidrivers: Objects[Document]) -> Objects[InstalledDriver]:
    """Every CSIDriver object."""
    return csidrivers.each(lambda item: InstalledDriver(item.subject, item.source, item.name))


@fact
def node_drivers(csinodes: Objects[Document]) -> Objects[NodeDrivers]:
    """Every CSINode object."""

    def build(item: Document) -> NodeDrivers:
        names = frozenset(entry.text("name") or "" for entry in item.items("spec.drivers"))
        return NodeDrivers(item.subject, item.source, item.name, names)

    return csinodes.each(build)


@fact
def running_provisioners(provisioner_pods: Objects[Document]) -> Objects[ProvisionerPod]:
    """The pods of the known provisioners that are no CSI drivers."""

    def build(item: Document) -> ProvisionerPod:
        labels = item.labels()
        ready = any(entry.text("type") == "Ready" and entry.text("status") == "True" for entry in item.items("status.conditions"))
        app = labels.get("app") or labels.get("app.kubernetes.io/name") or ""
        return ProvisionerPod(item.source, item.namespace or "", app, item.text("status.phase") == "Running" and ready)

    return provisioner_pods.each(build)


def apps_of(provisioner: str) -> frozenset[str]:
    """How the pods of a provisioner that is no CSI driver are labelled; empty where that is not known."""
    return next((apps for part, apps in _PROVISIONER_APPS.items() if part in provisioner), frozenset())
