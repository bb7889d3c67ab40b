"""Nodes: who may carry workloads, who is healthy, where they stand."""

from __future__ import annotations

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.quantity import Size
from exivity_audit.subject import Subject

CONTROL_PLANE_LABELS = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
ETCD_LABEL = "node-role.kubernetes.io/etcd"
AUTOMATIC_TAINT = "node.kubernetes.io/"
ADDRESSES = ("InternalIP", "ExternalIP")
PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")


class Taint(Struct, frozen=True):
    """A taint as the scheduler reads it."""

    key: str
    value: str
    effect: str


class Node(Struct, frozen=True):
    """One registered node."""

    subject: Subject
    source: Source
    name: str
    labels: dict[str, str]
    taints: tuple[Taint, ...]
    cordoned: bool
    ready: bool | None  # None: the node says Unknown or nothing
    pressures: tuple[str, ...]
    unsure: tuple[str, ...]  # pressures of which it says neither True nor False
    operating_system: str
    os_image: str
    kubelet: str
    runtime: str
    architecture: str
    provider_id: str
    cpu: float | None  # allocatable cores
    memory: Size | None  # allocatable bytes
    disk: Size | None  # capacity of ephemeral-storage
    addresses: tuple[str, ...]
    pod_ranges: tuple[str, ...]

    @property
    def worker(self) -> bool:
        """Whether it could carry workloads when healthy: no NoSchedule or NoExecute taint but the automatic ones."""
        return not any(taint.effect in ("NoSchedule", "NoExecute") and not taint.key.startswith(AUTOMATIC_TAINT) for taint in self.taints)

    @property
    def control_plane(self) -> bool:
        """Whether it carries a control-plane role."""
        return any(label in self.labels for label in CONTROL_PLANE_LABELS)

    @property
    def zone(self) -> str | None:
        """Its zone by the well-known label."""
        return self.labels.get("topology.kubernetes.io/zone")

    @property
    def region(self) -> str | None:
        """Its region by the well-known label."""
        return self.labels.get("topology.kubernetes.io/region")


def _taint(item: Document) -> Taint:
    return Taint(item.text("key") or "", item.text("value") or "", item.text("effect") or "")


def _node(item: Document) -> Node:
    conditions = {entry.text("type"): entry.text("status") for entry in item.items("status.conditions")}
    ready = conditions.get("Ready")
    single = item.text("spec.podCIDR")
    return Node(
        subject=Subject("Node", item.name), source=item.source, name=item.name, labels=item.labels(),
        taints=tuple(_taint(entry) for entry in item.items("spec.taints")), cordoned=item.boolean("spec.unschedulable") or False,
        ready={"True": True, "False": False}.get(ready or ""), pressures=tuple(name for name in PRESSURES if conditions.get(name) == "True"),
        unsure=tuple(name for name in PRESSURES if conditions.get(name) not in ("True", "False")),
        operating_system=_info(item, "operatingSystem"), os_image=_info(item, "osImage"), kubelet=_info(item, "kubeletVersion"),
        runtime=_info(item, "containerRuntimeVersion"), architecture=_info(item, "architecture"), provider_id=item.text("spec.providerID") or "",
        cpu=_cores(item), memory=item.size("status.allocatable.memory"), disk=item.size("status.capacity.ephemeral-storage"),
        addresses=tuple(entry.text("address") or "" for entry in item.items("status.addresses") if entry.text("type") in ADDRESSES),
        pod_ranges=item.strings("spec.podCIDRs") or ((single,) if single else ()),
    )  # fmt: skip


def _info(item: Document, key: str) -> str:
    return item.text(f"status.nodeInfo.{key}") or item.labels().get(f"kubernetes.io/{_LABELS.get(key, key)}", "")


_LABELS = {"operatingSystem": "os", "architecture": "arch"}


def _cores(item: Document) -> float | None:
    return item.number("status.allocatable.cpu")


@fact
def nodes(nodes: Objects[Document]) -> Objects[Node]:
    """Every registered node."""
    return nodes.each(_node)


@fact
def workers(nodes: Objects[Node]) -> Objects[Node]:
    """Nodes that could carry workloads when healthy (checks.md section 1)."""
    return nodes.where(lambda node: node.worker)


class ControlPlane(Struct, frozen=True):
    """The control-plane nodes of the cluster; none are visible where a provider runs them."""

    nodes: tuple[Node, ...]
    external_datastore: bool  # K3s beside a database of its own: no server carries the etcd role


@fact
def control_plane(nodes: Objects[Node]) -> ControlPlane:
    """The nodes with a control-plane role, and whether etcd runs on them."""
    found = tuple(node for node in nodes.surely() if node.control_plane)
    k3s = bool(found) and all("+k3s" in node.kubelet for node in found)
    return ControlPlane(found, k3s and len(found) > 1 and not any(ETCD_LABEL in node.labels for node in found))
