"""How full the volumes and the nodes' disks are: by a Prometheus, else the kubelets, else Longhorn; each figure with its source and caveat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit.document import Document, Malformed
from exivity_audit.evidence import Source
from exivity_audit.fact import Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.claims import Claim, Volume, class_of
from exivity_audit.facts.longhorn import LonghornVolume
from exivity_audit.facts.nodes import Node
from exivity_audit.facts.provisioners import LONGHORN, ProvisionerKind, kind_of, provisioner_kind
from exivity_audit.facts.refuges import terms_fit
from exivity_audit.facts.selectors import node_terms
from exivity_audit.quantity import Size
from exivity_audit.subject import Subject

EXPORT = "the figures are the whole export's, which other volumes share"
LARGER = "the figures are of a file system larger than the claim, which others share"
SNAPSHOTS = "Longhorn counts snapshots and freed blocks too: the file system may be less full"
STANDS_IN = "its class keeps no figures of a volume: the node's file system stands in"
ASSUMED = "the provisioner's folder is assumed to lie on the kubelet's file system"
KUBELETS, PROMETHEUS = "--kubelet-stats", "prometheus.url in the config"
NOT_ASKED = {
    frozenset({KUBELETS}): "the kubelets were not asked", frozenset({PROMETHEUS}): "no Prometheus was asked",
    frozenset({KUBELETS, PROMETHEUS}): "neither a Prometheus nor the kubelets were asked",
}  # fmt: skip
MUCH_LARGER = 1.5  # a file system's own overhead is far less


class Use(Struct, frozen=True):
    """How full a volume or a node's disk is; ``disk`` names the file system, so that what shares one is known to."""

    subject: Subject
    source: Source
    used: Size
    capacity: Size
    inodes: float | None  # share of them that is used; None where nothing says it
    path: str
    by: str  # "Prometheus", "the kubelet of worker-1", "Longhorn"
    disk: tuple[str, ...]
    when: datetime | None = None
    caveat: str = ""
    earlier: tuple[Size, float] | None = None  # what was used then, and how many seconds before

    @property
    def share(self) -> float:
        """Used ÷ capacity, of bytes or of inodes: whichever is fuller."""
        return max(self.used / self.capacity, self.inodes or 0)

    @property
    def by_inodes(self) -> bool:
        """Whether its inodes are what is fuller."""
        return (self.inodes or 0) > self.used / self.capacity

    @property
    def days_left(self) -> float | None:
        """Days until it is full at the pace since the earlier figure; infinite where it does not grow, None without one."""
        if self.earlier is None:
            return None
        grown = self.used - self.earlier[0]
        return (self.capacity - self.used) / grown * self.earlier[1] / 86400 if grown > 0 else float("inf")


class UseSources(Struct, frozen=True):
    """All that says how full something is, and what could not be seen of it."""

    prometheus: Mapping[tuple[str, str], Document]
    exporters: Mapping[str, Document]
    kubelets: Mapping[str, Document]
    mounted: Mapping[tuple[str, str], tuple[Document, Document]]  # the figures of a claim, and the kubelet's document they stand in
    longhorn: Mapping[str, LonghornVolume]
    volumes: Mapping[tuple[str, str], Volume]
    classes: Any
    nodes: tuple[Node, ...]
    pods: tuple[Any, ...]
    provisioners: Mapping[str, Any]
    gaps: tuple[Reason, ...]

    @property
    def node_names(self) -> tuple[str, ...]:
        """Nodes of whose disks anything was said."""
        return tuple(sorted({*self.exporters, *self.kubelets}))

    def kind(self, claim: Claim) -> ProvisionerKind | None:
        """What the provisioner behind a claim can do, by its class, else by its volume."""
        found = class_of(claim, self.classes) if seen(self.classes) else None
        if found is not None:
            return provisioner_kind(found, _Told(self.provisioners))
        volume = self.volumes.get((claim.namespace, claim.name))
        name = (volume.driver or volume.provisioned_by) if volume else None
        return kind_of(name, {}, _Told(self.provisioners)) if name else None


class _Told(Struct, frozen=True):
    provisioners: Mapping[str, Any]


@fact
def use_sources(
    settings: Any, prometheus_volumes: Any = maybe, prometheus_nodes: Any = maybe, kubelet_stats: Any = maybe, replicated_volumes: Any = maybe,
    volumes: Any = maybe, storage_classes: Any = maybe, nodes: Any = maybe, cluster_pods: Any = maybe,
) -> UseSources:  # fmt: skip
    """The sources of all figures, as far as they were asked and answered."""
    asked = (prometheus_volumes, prometheus_nodes, kubelet_stats, replicated_volumes)
    gaps = [reason for one in asked for reason in (one.partial if seen(one) else reasons_of(one))]
    gaps += [Reason(str(item.subject), f"malformed: {item.subject}: {item.why}") for one in asked if seen(one) for item in one.unreadable]
    mounted: dict[tuple[str, str], tuple[Document, Document]] = {}
    for kubelet in _all(kubelet_stats):
        for item in _volumes_of(kubelet):
            key = (str(item.get("namespace")), str(item.get("name")))
            if key not in mounted or _number(item, "used") > _number(mounted[key][0], "used"):
                mounted[key] = item, kubelet
    return UseSources(
        prometheus={(item.namespace or "", item.name): item for item in _all(prometheus_volumes)},
        exporters={item.name: item for item in _all(prometheus_nodes)}, kubelets={item.name: item for item in _all(kubelet_stats)}, mounted=mounted,
        longhorn={volume.name: volume for volume in _all(replicated_volumes)},
        volumes={volume.claim: volume for volume in _all(volumes) if volume.claim}, classes=storage_classes, nodes=tuple(_all(nodes)),
        pods=tuple(_all(cluster_pods)), provisioners=settings.provisioners, gaps=tuple(dict.fromkeys(gaps)),
    )  # fmt: skip


def _all(collection: Any) -> Iterable[Any]:
    return collection if seen(collection) else ()


def _volumes_of(kubelet: Document) -> Iterator[Document]:
    try:
        yield from kubelet.items("volumes")
    except Malformed:
        return


def _number(item: Document, key: str) -> int:
    try:
        return item.integer(key) or 0
    except Malformed:
        return 0


def use_of(claim: Claim, sources: UseSources) -> Use | None:
    """How full a claim's volume is, by the best source that says it; None where none does."""
    ways: tuple[Callable[[Claim, UseSources], Use | None], ...] = (_by_prometheus, _by_kubelet, _by_node, _by_longhorn)
    return next((found for way in ways if (found := way(claim, sources)) is not None), None)


def why_unseen(claim: Claim | None, sources: UseSources) -> tuple[str, tuple[str, ...]]:
    """Why nothing says how full a claim (or any) is, and what would help."""
    silent = [reason for reason in sources.gaps if reason.text.startswith("not asked: ") and reason.rule in (KUBELETS, PROMETHEUS)]
    texts = [reason.text for reason in sources.gaps if reason not in silent]
    texts += [NOT_ASKED[names]] if (names := frozenset(reason.rule for reason in silent)) else []
    doubled = sources.prometheus.get((claim.namespace, claim.name)) if claim is not None else None
    if doubled is not None and _number(doubled, "clusters") > 1:
        texts.append("Prometheus holds its figures from several clusters, and none is surely this one's")
    elif not texts:
        texts.append("no source knows it: no running pod mounts it")
    needs = dict.fromkeys(reason.rule for reason in sources.gaps if reason.rule)
    return f"nothing says how full it is: {'; '.join(texts)}", tuple(needs)


def _figures(item: Document, prefix: str = "") -> tuple[Size, Size, float | None] | None:
    """Used, capacity and the share of inodes of one file system; None where the first two are not both there."""
    try:
        used, capacity, free, nodes, taken = (item.integer(f"{prefix}{key}") for key in ("used", "capacity", "available", "inodes", "inodesUsed"))
    except Malformed:
        return None
    if used is None and capacity is not None and free is not None:
        used = max(capacity - free, 0)
    if used is None or used < 0 or capacity is None or capacity <= 0:
        return None
    return Size(used), Size(capacity), taken / nodes if nodes and nodes > 0 and taken is not None else None


def _time(item: Document, path: str) -> datetime | None:
    try:
        return item.time(path)
    except Malformed:
        return None


def _earlier(item: Document, size: Size | None = None) -> tuple[Size, float] | None:
    """What was used at an earlier time: said itself, or by what was free then."""
    try:
        then = item.integer("earlier.used") if size is None else item.integer("earlier.available")
        span = item.integer("earlier.seconds")
    except Malformed:
        return None
    if then is None or not span or span <= 0:
        return None
    return Size(then if size is None else max(size - then, 0)), float(span)


def _shared(claim: Claim, capacity: Size, sources: UseSources) -> tuple[tuple[str, ...], str]:
    """Which file system the figures of a claim are of, and what must be said of it."""
    volume, kind = sources.volumes.get((claim.namespace, claim.name)), sources.kind(claim)
    own = ("claim", claim.namespace, claim.name)
    if (volume is not None and volume.nfs) or (kind is not None and kind.rwx and kind.enforced is False):
        server = volume.nfs[0] if volume is not None and volume.nfs else str(volume.attributes.get("server") or "") if volume is not None else ""
        return ("export", server, str(capacity)), EXPORT
    promised = claim.capacity or claim.request
    caveat = LARGER if promised and capacity > promised * MUCH_LARGER else ""
    folder = volume is not None and (volume.host_path or volume.local_path)
    node = node_of(claim, sources) if folder or (kind is not None and kind.local and kind.enforced is not True) else None
    if node is not None:
        return ("node", node, str(capacity)), caveat
    return (("shared", claim.class_name or "", str(capacity)), caveat) if caveat else (own, "")


def _by_prometheus(claim: Claim, sources: UseSources) -> Use | None:
    item = sources.prometheus.get((claim.namespace, claim.name))
    found = _figures(item) if item is not None else None
    if item is None or found is None or _number(item, "clusters") > 1:
        return None
    disk, caveat = _shared(claim, found[1], sources)
    return Use(claim.subject, item.source, *found, "used", "Prometheus", disk, _time(item, "time"), caveat, earlier=_earlier(item))


def _by_kubelet(claim: Claim, sources: UseSources) -> Use | None:
    item, kubelet = sources.mounted.get((claim.namespace, claim.name), (None, None))
    found = _figures(item) if item is not None else None
    if item is None or kubelet is None or found is None:
        return None
    disk, caveat = _shared(claim, found[1], sources)
    return Use(claim.subject, kubelet.source, *found, "volumes[].used", f"the kubelet of {kubelet.name}", disk, _time(item, "time"), caveat)


def _by_longhorn(claim: Claim, sources: UseSources) -> Use | None:
    volume = sources.volumes.get((claim.namespace, claim.name))
    found = sources.longhorn.get(volume.handle or "") if volume is not None and volume.driver == LONGHORN else None
    if found is None or found.actual_size is None or not found.size or found.size < 0 or found.actual_size < (0 if found.attached else 1):
        return None  # a volume that was never attached says 0
    disk = ("claim", claim.namespace, claim.name)
    return Use(claim.subject, found.source, found.actual_size, found.size, None, "status.actualSize", "Longhorn", disk, caveat=SNAPSHOTS)


def _by_node(claim: Claim, sources: UseSources) -> Use | None:
    place = local_place(claim, sources)
    found = disk_of(*place, sources) if place is not None else None
    if found is None:
        return None
    return replace(found, subject=claim.subject, caveat=f"{STANDS_IN}; {found.caveat}" if found.caveat else STANDS_IN)


def local_place(claim: Claim, sources: UseSources) -> tuple[str, str] | None:
    """The node and folder a claim's volume is; None where it is none, or its node is not known."""
    volume = sources.volumes.get((claim.namespace, claim.name))
    folder = (volume.host_path or volume.local_path) if volume is not None else None
    node = node_of(claim, sources) if folder else None
    return (node, folder) if node and folder else None


def node_of(claim: Claim, sources: UseSources) -> str | None:
    """The node that a volume on a node's disk lies on: by its affinity, else by the pods that mount it."""
    volume = sources.volumes.get((claim.namespace, claim.name))
    terms = node_terms(volume.node_affinity) if volume is not None else None
    fitting = {node.name for node in sources.nodes if terms_fit(terms, node)} if terms else set()
    if len(fitting) != 1:
        fitting = {pod.node for pod in sources.pods if pod.running and pod.node and pod.namespace == claim.namespace and claim.name in pod.claims}
    return next(iter(fitting)) if len(fitting) == 1 else None


def disk_of(node: str, folder: str | None, sources: UseSources) -> Use | None:
    """How full the file system of a node is on which a folder lies (None: the kubelet's own), by Prometheus, else by the kubelet."""
    subject = Subject("Node", node)
    exporter = sources.exporters.get(node)
    mount = _mount_of(exporter, folder or "/var/lib/kubelet") if exporter is not None else None
    found = _figures(mount) if mount is not None else None
    if exporter is not None and mount is not None and found is not None:
        point = mount.text("mountpoint") or ""
        said = f"Prometheus, for its file system at {point}"
        return Use(
            subject, exporter.source, *found, "filesystems[].available", said, ("node", node, str(found[1])), _time(mount, "time"),
            earlier=_earlier(mount, found[1]),
        )  # fmt: skip
    kubelet = sources.kubelets.get(node)
    figures = _figures(kubelet, "fs.") if kubelet is not None else None
    if kubelet is None or figures is None:
        return None
    key, when = ("node", node, str(figures[1])), _time(kubelet, "fs.time")
    return Use(subject, kubelet.source, *figures, "fs.used", f"the kubelet of {node}", key, when, ASSUMED if folder else "")


def _mount_of(exporter: Document, folder: str) -> Document | None:
    """The file system with the longest mount point above a folder."""
    try:
        points = [(item.text("mountpoint") or "", item) for item in exporter.items("filesystems")]
    except Malformed:
        return None
    above = [(point, item) for point, item in points if point == "/" or folder == point or folder.startswith(point.rstrip("/") + "/")]
    return max(above, key=lambda pair: len(pair[0]))[1] if above else None


def uses_of(claims: Iterable[Claim], sources: UseSources) -> tuple[Use, ...]:
    """The uses of those claims of which anything is said."""
    return tuple(use for claim in claims if (use := use_of(claim, sources)) is not None)
