"""Volume claims of the release, with their classes and the volumes behind them."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.facts.selectors import node_terms
from exivity_audit.quantity import Size
from exivity_audit.subject import Subject


class ClaimGroup(enum.StrEnum):
    """What a claim is for, by the chart's names."""

    DATA = "data"
    LOG = "log"
    CONFIG = "config"
    BACKUP = "backup"
    POSTGRESQL = "postgresql"
    RABBITMQ = "rabbitmq"


RESIZING = ("Resizing", "FileSystemResizePending", "ControllerResizeError", "NodeResizeError")


class Claim(Struct, frozen=True):
    """A PersistentVolumeClaim of the release or of its embedded middleware."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    part: str  # "extracted", "chronos-log", "etl-config", "postgresql", …
    group: ClaimGroup
    class_name: str | None  # None: not set; "" : asked for none
    volume: str | None
    phase: str
    access_modes: tuple[str, ...]
    request: Size | None
    capacity: Size | None
    conditions: tuple[str, ...]  # types that are True
    created: datetime | None
    kept: bool  # helm.sh/resource-policy: keep
    deleting: bool
    resizes: tuple[tuple[str, datetime | None], ...] = ()  # conditions of a resize that are True, and since when

    @property
    def bound(self) -> bool:
        """Whether it has its volume."""
        return self.phase == "Bound"

    @property
    def values_path(self) -> str | None:
        """The chart value that sets its size; None for the middleware's and the backup claim."""
        if self.group is ClaimGroup.DATA:
            return f"storage.pvcSizes.data.{self.part}"
        if self.group is ClaimGroup.CONFIG:
            return f"storage.pvcSizes.config.{self.part.removesuffix('-config')}"
        if self.group is ClaimGroup.LOG:
            component = self.part.removesuffix("-log")
            key = next((service.key for service in chart.SERVICES if service.component == component), component)
            return f"storage.pvcSizes.log.{key}"
        return "postgresql.primary.persistence.size" if self.group is ClaimGroup.POSTGRESQL else None

    @property
    def shared(self) -> bool:
        """Whether services on several nodes must be able to mount it (16 of the 18 product claims)."""
        return self.part in chart.SHARED_CLAIMS


def part_of(name: str, release: Any) -> tuple[str, ClaimGroup] | None:
    """What a claim is by its name; labels mislead here (``FN-glass-log`` says griffon). None for a foreign claim."""
    if name == f"data-{release.name}-postgresql-0":
        return "postgresql", ClaimGroup.POSTGRESQL
    if name in (f"data-{release.name}-rabbitmq-v4-0", f"data-{release.name}-rabbitmq-0"):
        return "rabbitmq", ClaimGroup.RABBITMQ
    part = name.removeprefix(f"{release.fullname}-")
    if part == name:
        return None
    if part in chart.LOG_CLAIMS:
        return part, ClaimGroup.LOG
    if part in chart.DATA_CLAIMS:
        return part, ClaimGroup.DATA
    if part in chart.CONFIG_CLAIMS:
        return part, ClaimGroup.CONFIG
    return ("backup", ClaimGroup.BACKUP) if part == "backup" else None


class StorageClass(Struct, frozen=True):
    """A StorageClass."""

    subject: Subject
    source: Source
    name: str
    provisioner: str
    default: bool
    reclaim: str
    expandable: bool
    binding: str
    mount_options: tuple[str, ...]
    parameters: dict[str, Any]


class Volume(Struct, frozen=True):
    """A PersistentVolume behind one of the claims."""

    subject: Subject
    source: Source
    name: str
    claim: tuple[str, str] | None  # namespace and name
    provisioned_by: str | None
    driver: str | None
    handle: str | None
    attributes: dict[str, Any]
    nfs: tuple[str, str] | None  # server and path
    host_path: str | None
    local_path: str | None
    access_modes: tuple[str, ...]
    capacity: Size | None
    reclaim: str
    class_name: str
    mount_options: tuple[str, ...]
    node_affinity: dict[str, Any]


def claim_of(item: Document, part: str, group: ClaimGroup) -> Claim:
    """A claim document as a fact. Raises Malformed."""
    true = [entry for entry in item.items("status.conditions") if entry.text("status") == "True"]
    return Claim(
        subject=item.subject, source=item.source, name=item.name, namespace=item.namespace or "", part=part, group=group,
        class_name=item.text("spec.storageClassName"), volume=item.text("spec.volumeName"), phase=item.text("status.phase") or "",
        access_modes=item.strings("spec.accessModes"), request=item.size("spec.resources.requests.storage"),
        capacity=item.size("status.capacity.storage"), conditions=tuple(entry.text("type") or "" for entry in true),
        created=item.time("metadata.creationTimestamp"), kept=item.text("metadata.annotations[helm.sh/resource-policy]") == "keep",
        deleting=item.text("metadata.deletionTimestamp") is not None,
        resizes=tuple((kind, entry.time("lastTransitionTime")) for entry in true if (kind := entry.text("type") or "") in RESIZING),
    )  # fmt: skip


@fact
def claims(persistentvolumeclaims: Objects[Document], release: Any) -> Objects[Claim]:
    """The release's claims and those of its embedded middleware, recognised by name."""

    def build(item: Document) -> Claim | None:
        known = part_of(item.name, release)
        return claim_of(item, *known) if known else None

    found = persistentvolumeclaims.each(build)
    ours = tuple(item for item in found.unreadable if item.subject.name is None or part_of(item.subject.name, release) is not None)
    return Objects(found, installed=found.installed, unreadable=ours, partial=found.partial)


@fact
def storage_classes(storageclasses: Objects[Document]) -> Objects[StorageClass]:
    """Every StorageClass of the cluster."""
    marks = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")

    def build(item: Document) -> StorageClass:
        return StorageClass(
            subject=Subject("StorageClass", item.name), source=item.source, name=item.name, provisioner=item.text("provisioner") or "",
            default=any(item.text(f"metadata.annotations[{mark}]") == "true" for mark in marks), reclaim=item.text("reclaimPolicy") or "Delete",
            expandable=item.boolean("allowVolumeExpansion") or False, binding=item.text("volumeBindingMode") or "Immediate",
            mount_options=item.strings("mountOptions"), parameters=item.labels("parameters"),
        )  # fmt: skip

    return storageclasses.each(build)


@fact
def volumes(persistentvolumes: Objects[Document]) -> Objects[Volume]:
    """The PersistentVolumes behind the namespace's claims."""

    def build(item: Document) -> Volume:
        claim = item.text("spec.claimRef.name")
        server, affinity = item.text("spec.nfs.server"), item.mapping("spec.nodeAffinity")
        node_terms(affinity)  # a malformed one is told here, not where it is used
        return Volume(
            subject=Subject("PersistentVolume", item.name), source=item.source, name=item.name,
            claim=(item.text("spec.claimRef.namespace") or "", claim) if claim else None,
            provisioned_by=item.text("metadata.annotations[pv.kubernetes.io/provisioned-by]"), driver=item.text("spec.csi.driver"),
            handle=item.text("spec.csi.volumeHandle"), attributes=item.labels("spec.csi.volumeAttributes"),
            nfs=(server, item.text("spec.nfs.path") or "") if server else None, host_path=item.text("spec.hostPath.path"),
            local_path=item.text("spec.local.path"), access_modes=item.strings("spec.accessModes"), capacity=item.size("spec.capacity.storage"),
            reclaim=item.text("spec.persistentVolumeReclaimPolicy") or "", class_name=item.text("spec.storageClassName") or "",
            mount_options=item.strings("spec.mountOptions"), node_affinity=affinity,
        )  # fmt: skip

    return persistentvolumes.each(build)


def class_of(claim: Claim, classes: Objects[StorageClass]) -> StorageClass | None:
    """The class a claim names, or the only default one where it names none."""
    if claim.class_name:
        return next((one for one in classes if one.name == claim.class_name), None)
    if claim.class_name == "":
        return None
    defaults = [one for one in classes if one.default]
    return defaults[0] if len(defaults) == 1 else None


@fact
def replicating_claims(persistentvolumeclaims: Objects[Document]) -> Objects[Claim]:
    """Claims of the namespace that belong to a database or broker which keeps copies of its data itself, by the operators' labels."""

    def build(item: Document) -> Claim | None:
        labels = item.labels()
        if "cnpg.io/cluster" in labels:
            return claim_of(item, labels["cnpg.io/cluster"], ClaimGroup.POSTGRESQL)
        if labels.get("app.kubernetes.io/part-of") == "rabbitmq" and labels.get("app.kubernetes.io/component") == "rabbitmq":
            return claim_of(item, labels.get("app.kubernetes.io/name", ""), ClaimGroup.RABBITMQ)
        return None

    found = persistentvolumeclaims.each(build)
    return Objects(found, installed=found.installed, partial=found.partial)


def volume_of(claim: Claim, volumes: Iterable[Volume]) -> Volume | None:
    """The volume a claim is bound to, where it was seen."""
    return next((one for one in volumes if one.name == claim.volume), None) if claim.volume else None
