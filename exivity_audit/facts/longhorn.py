"""Longhorn: the volumes behind the release's claims, their replicas and share managers, its nodes and settings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct, field

from exivity_audit.document import Document, Malformed
from exivity_audit.evidence import Source
from exivity_audit.fact import NotSeen, Objects, Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.claims import Claim, StorageClass, class_of, volume_of
from exivity_audit.facts.hosts import admits
from exivity_audit.facts.nodes import Node
from exivity_audit.facts.provisioners import LONGHORN
from exivity_audit.facts.workloads import ProductService
from exivity_audit.quantity import Size
from exivity_audit.subject import Subject


class LonghornClaim(Struct, frozen=True):
    """A claim whose data Longhorn keeps; ``handle`` is the name of its Longhorn volume, None before it is bound."""

    claim: Claim
    handle: str | None

    @property
    def subject(self) -> Subject:
        """The claim."""
        return self.claim.subject

    @property
    def source(self) -> Source:
        """Where the claim was seen."""
        return self.claim.source


class LonghornVolume(Struct, frozen=True):
    """A Longhorn volume."""

    subject: Subject
    source: Source
    name: str
    size: Size | None
    replicas: int | None
    access_mode: str
    migratable: bool
    sharded: bool
    soft_anti_affinity: str  # enabled, disabled or ignored (the setting rules)
    zone_soft_anti_affinity: str
    state: str
    robustness: str
    degraded_since: datetime | None
    last_backup: str
    last_backup_at: datetime | None
    actual_size: Size | None = None  # what one replica takes, with its snapshots and with blocks that were freed and not trimmed
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def attached(self) -> bool:
        """Whether a node has it open; only then its health is known."""
        return self.state == "attached"

    @property
    def shared(self) -> bool:
        """Whether several nodes mount it through a share manager."""
        return self.access_mode == "rwx" and not self.migratable


class Replica(Struct, frozen=True):
    """One copy of a Longhorn volume."""

    source: Source
    volume: str
    node: str
    failed: bool


class ShareManager(Struct, frozen=True):
    """The NFS server of one shared Longhorn volume; it carries the volume's name."""

    source: Source
    name: str
    state: str


class Disk(Struct, frozen=True):
    """A disk of a Longhorn node."""

    name: str
    maximum: Size
    reserved: Size
    scheduled: Size
    allowed: bool
    evicting: bool
    conditions: dict[str, str]


class StorageNode(Struct, frozen=True):
    """A node as Longhorn sees it."""

    subject: Subject
    source: Source
    name: str
    allowed: bool
    evicting: bool
    conditions: dict[str, str]
    disks: tuple[Disk, ...]
    zone: str
    region: str


class StorageSetting(Struct, frozen=True):
    """A Longhorn setting: plain text, or one value for each data engine."""

    subject: Subject
    source: Source
    name: str
    value: str
    engines: dict[str, str]

    def of(self, engine: str = "v1") -> str:
        """The value that holds for a data engine."""
        return self.engines.get(engine, "") if self.engines else self.value

    @property
    def on(self) -> bool:
        """Whether it is true for any engine."""
        return "true" in (self.engines.values() if self.engines else (self.value,))


@fact
def longhorn_claims(claims: Objects[Claim], volumes: Any = maybe, storage_classes: Any = maybe) -> Objects[LonghornClaim]:
    """The release's claims on Longhorn: by their volumes, and by their class where a volume is not seen."""
    return Objects(
        (one for claim in claims if (one := longhorn_claim(claim, volumes, storage_classes))), unreadable=claims.unreadable, partial=claims.partial
    )


def longhorn_claim(claim: Claim, volumes: Any, storage_classes: Any) -> LonghornClaim | None:
    """The claim as one of Longhorn's, or None. Raises NotSeen where neither volume nor class tells."""
    found = volume_of(claim, volumes) if seen(volumes) else None
    if found is not None:
        return LonghornClaim(claim, found.handle) if found.driver == LONGHORN else None
    if not seen(storage_classes):
        raise NotSeen((*reasons_of(volumes), *reasons_of(storage_classes)))
    kind: StorageClass | None = class_of(claim, storage_classes)
    if kind is None and claim.bound and not (seen(volumes) and volumes.complete):
        raise NotSeen(reasons_of(volumes) or _gaps(volumes))
    return LonghornClaim(claim, None) if kind is not None and kind.provisioner == LONGHORN else None


def _gaps(collection: Objects[Any]) -> tuple[Reason, ...]:
    return collection.partial or tuple(Reason(str(item.subject), f"{item.subject}: {item.why}") for item in collection.unreadable)


def when(item: Document, path: str) -> datetime | None:
    """A timestamp; Longhorn writes an empty string where there is none."""
    return item.time(path) if item.text(path) else None


@fact
def replicated_volumes(longhorn_volumes: Objects[Document]) -> Objects[LonghornVolume]:
    """The Longhorn volumes behind the namespace's claims."""

    def build(item: Document) -> LonghornVolume:
        layout = item.get("spec.dataLayout")
        return LonghornVolume(
            subject=item.subject, source=item.source, name=item.name, size=item.size("spec.size"), replicas=item.integer("spec.numberOfReplicas"),
            access_mode=item.text("spec.accessMode") or "rwo", migratable=item.boolean("spec.migratable") or False,
            sharded="sharded" in (layout, layout.get("type") if isinstance(layout, dict) else None),
            soft_anti_affinity=item.text("spec.replicaSoftAntiAffinity") or "ignored",
            zone_soft_anti_affinity=item.text("spec.replicaZoneSoftAntiAffinity") or "ignored",
            state=item.text("status.state") or "", robustness=item.text("status.robustness") or "",
            degraded_since=when(item, "status.lastDegradedAt"), last_backup=item.text("status.lastBackup") or "",
            last_backup_at=when(item, "status.lastBackupAt"), actual_size=item.size("status.actualSize"), labels=item.labels(),
        )  # fmt: skip

    return longhorn_volumes.each(build)


@fact
def volume_replicas(longhorn_replicas: Objects[Document]) -> Objects[Replica]:
    """Every replica of every Longhorn volume."""

    def build(item: Document) -> Replica:
        return Replica(item.source, item.text("spec.volumeName") or "", item.text("spec.nodeID") or "", bool(item.text("spec.failedAt")))

    return longhorn_replicas.each(build)


@fact
def share_managers(longhorn_share_managers: Objects[Document]) -> Objects[ShareManager]:
    """Every share manager."""
    return longhorn_share_managers.each(lambda item: ShareManager(item.source, item.name, item.text("status.state") or ""))


def _conditions(item: Document, path: str) -> dict[str, str]:
    return {entry.text("type") or "": entry.text("status") or "" for entry in item.items(path)}


def _disk(name: str, item: Document) -> Disk:
    spec, status = f"spec.disks[{name}]", f"status.diskStatus[{name}]"
    none = Size(0)
    return Disk(
        name, maximum=item.size(f"{status}.storageMaximum") or none, reserved=item.size(f"{spec}.storageReserved") or none,
        scheduled=item.size(f"{status}.storageScheduled") or none, allowed=item.boolean(f"{spec}.allowScheduling") is not False,
        evicting=item.boolean(f"{spec}.evictionRequested") or False, conditions=_conditions(item, f"{status}.conditions"),
    )  # fmt: skip


@fact
def storage_nodes(longhorn_nodes: Objects[Document]) -> Objects[StorageNode]:
    """Every node of Longhorn with its disks."""

    def build(item: Document) -> StorageNode:
        names = sorted({*item.mapping("status.diskStatus"), *item.mapping("spec.disks")})
        return StorageNode(
            subject=item.subject, source=item.source, name=item.name, allowed=item.boolean("spec.allowScheduling") is not False,
            evicting=item.boolean("spec.evictionRequested") or False, conditions=_conditions(item, "status.conditions"),
            disks=tuple(_disk(name, item) for name in names), zone=item.text("status.zone") or "", region=item.text("status.region") or "",
        )  # fmt: skip

    return longhorn_nodes.each(build)


@fact
def storage_settings(longhorn_settings: Objects[Document]) -> Objects[StorageSetting]:
    """Every Longhorn setting."""

    def build(item: Document) -> StorageSetting:
        value = item.text("value") or ""
        return StorageSetting(item.subject, item.source, item.name, value, _engines(value))

    return longhorn_settings.each(build)


def _engines(value: str) -> dict[str, str]:
    """The values by data engine of ``{"v1":"3","v2":"3"}``; empty for plain text."""
    if not value.startswith("{"):
        return {}
    import json

    try:
        found = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise Malformed("value", "JSON", value) from error
    return {str(engine): str(one).lower() if isinstance(one, bool) else str(one) for engine, one in found.items()}


def setting(settings: Objects[StorageSetting], name: str) -> StorageSetting | None:
    """A setting by name. Raises NotSeen where it is not there and not all settings could be read."""
    found = next((one for one in settings if one.name == name), None)
    return found if found is not None else next((one for one in settings.surely() if one.name == name), None)


@fact
def mounting_nodes(nodes: Objects[Node], declared_services: Objects[ProductService]) -> Objects[Node]:
    """Nodes that may run one of the eleven services, and so must be able to mount its volumes."""
    return nodes.where(lambda node: any(admits(node, service.workload) for service in declared_services) if declared_services else node.worker)
