"""What happens when a node dies: what stops, what starts elsewhere, and whether the other nodes have room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document
from exivity_audit.fact import Objects, fact, maybe, seen
from exivity_audit.facts.claims import Volume
from exivity_audit.facts.nodes import Node
from exivity_audit.facts.selectors import expression_fits, listed, node_terms
from exivity_audit.facts.workloads import Pod, ProductService, Workload
from exivity_audit.snapshot import Outcome

SIDE_BY_SIDE = ("glass", "proximity-api", "edify", "horizon", "pigeon", "transcript", "use")
"""Services of which several copies may work at once; the other four are started again elsewhere."""
RABBITMQ_LABELS = ((chart.NAME_LABEL, "rabbitmq-v4"), (chart.NAME_LABEL, "rabbitmq"), (chart.COMPONENT_LABEL, "rabbitmq"))
FIELD = "spec.nodeName="
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


class NodeLoss(Struct, frozen=True):
    """A node, and what its death does."""

    node: str
    zone: str | None
    stops: tuple[str, ...]  # services with no copy elsewhere, and those that can start nowhere else
    moves: tuple[str, ...]  # singletons that start again elsewhere
    notes: tuple[str, ...]  # database, broker, share managers
    fits: bool | None  # whether the requests that move fit on the other nodes; None: not known
    memory: float | None  # share of the other nodes' memory that is asked for then
    looked: tuple[str, ...] = ()  # the other nodes whose pods were read: what the two above rest on


class Request(Struct, frozen=True):
    """What a pod asks the scheduler for."""

    cpu: float
    memory: float


def _asked(item: Document) -> Request:
    resources = item.value.get("resources")
    if resources is None:
        return Request(0, 0)
    return Request(item.number("resources.requests.cpu") or 0, item.number("resources.requests.memory") or 0)


def _total(requests: Iterable[Request]) -> Request:
    every = tuple(requests)
    return Request(sum(one.cpu for one in every), sum(one.memory for one in every))


def _pod_request(item: Document) -> tuple[str, Request] | None:
    """Node and request of a pod as the scheduler counts it; None for a pod that has ended."""
    if item.text("status.phase") in ("Succeeded", "Failed"):
        return None
    starting = [(entry.text("restartPolicy") == "Always", _asked(entry)) for entry in item.items("spec.initContainers")]
    sidecars = [request for stays, request in starting if stays]
    main = _total([*(_asked(entry) for entry in item.items("spec.containers")), *sidecars])
    once = [request for stays, request in starting if not stays]
    overhead = Request(item.number("spec.overhead.cpu") or 0, item.number("spec.overhead.memory") or 0)
    cpu, memory = max([main.cpu, *(one.cpu for one in once)]), max([main.memory, *(one.memory for one in once)])
    return item.text("spec.nodeName") or "", Request(cpu + overhead.cpu, memory + overhead.memory)


class Room(Struct, frozen=True):
    """What is known of the nodes that could take over: requests by node, for the nodes whose pods were read."""

    asked: dict[str, Request]
    exact: bool  # no pod was malformed


@fact
def node_requests(node_pods: Objects[Document]) -> Objects[tuple[str, Request]]:
    """Node and request of every pod on the nodes that were looked at."""
    return node_pods.each(_pod_request)


@fact
def node_room(site: Any, node_requests: Any = maybe) -> Room:
    """Requests of all pods, of any namespace, on the nodes whose pods could be read."""
    looked = {
        record.place.fields.removeprefix(FIELD)
        for record in site.reads
        if record.name == "node_pods" and record.place.fields and record.outcome in (Outcome.FOUND, Outcome.EMPTY)
    }
    if not seen(node_requests):
        return Room({}, True)
    asked: dict[str, list[Request]] = {name: [] for name in looked}
    for node, request in node_requests:
        if node in asked:
            asked[node].append(request)
    return Room({name: _total(requests) for name, requests in asked.items()}, not node_requests.unreadable)


def terms_fit(terms: Any, node: Node) -> bool:
    """Whether one of several node selector terms fits a node; without terms every node does. Raises Malformed."""
    if not isinstance(terms, list):
        return True
    fields = {"metadata.name": node.name}
    return any(
        all(expression_fits(one, node.labels) for one in listed(term, "matchExpressions"))
        and all(expression_fits(one, fields) for one in listed(term, "matchFields"))
        for term in terms
        if isinstance(term, dict) and (term.get("matchExpressions") or term.get("matchFields"))
    )


def may_run(workload: Workload, node: Node, volumes: Iterable[Volume]) -> bool:
    """Whether a workload's pod may run on a node: by name, selector, affinity, and by where its volumes are."""
    if workload.pinned not in (None, node.name):
        return False
    if any(node.labels.get(key) != value for key, value in workload.node_selector.items()):
        return False
    if not terms_fit(node_terms(workload.affinity.get("nodeAffinity"), REQUIRED), node):
        return False
    mounted = [volume for volume in volumes if volume.claim and volume.claim[0] == workload.namespace and volume.claim[1] in workload.claims]
    return all(terms_fit(node_terms(volume.node_affinity), node) for volume in mounted)


class Refuges:
    """The nodes that could take a dead one's pods (workers that are Ready and not cordoned), looked at once for all that may die."""

    def __init__(self, nodes: Iterable[Node], volumes: Iterable[Volume], room: Room) -> None:
        self.nodes = tuple(node for node in nodes if node.worker and node.ready and not node.cordoned)
        self.names = frozenset(node.name for node in self.nodes)
        self.looked = tuple(node for node in self.nodes if node.name in room.asked)  # the few whose pods were read
        self._volumes: dict[tuple[str, str], list[Volume]] = {}
        for volume in volumes:
            if volume.claim:
                self._volumes.setdefault(volume.claim, []).append(volume)
        self._fitting: dict[int, tuple[Workload, frozenset[str]]] = {}

    def others(self, dead: str) -> int:
        """How many are left."""
        return len(self.nodes) - (dead in self.names)

    def fitting(self, workload: Workload) -> frozenset[str]:
        """Names of those where a workload's pods may run. Raises Malformed."""
        found = self._fitting.get(id(workload))
        if found is None:
            mounted = [volume for name in workload.claims for volume in self._volumes.get((workload.namespace, name), ())]
            free = workload.pinned is None and not workload.node_selector
            free = free and node_terms(workload.affinity.get("nodeAffinity"), REQUIRED) is None
            free = free and all(node_terms(volume.node_affinity) is None for volume in mounted)
            names = self.names if free else frozenset(node.name for node in self.nodes if may_run(workload, node, mounted))
            found = self._fitting[id(workload)] = workload, names
        return found[1]

    def elsewhere(self, workload: Workload, dead: str) -> frozenset[str]:
        """The same where one of them may be dead; it can still be among the names of several. Raises Malformed."""
        if not self.others(dead):
            return frozenset()
        found = self.fitting(workload)
        return frozenset() if found == {dead} else found


class Burden(Struct, frozen=True):
    """A pod that must start elsewhere, with the nodes where it may (the dead one may be among them)."""

    request: Request
    nodes: frozenset[str]


def _moving(workloads: Iterable[Workload]) -> dict[str, list[tuple[Workload, Pod]]]:
    """The living pods that start elsewhere when their node dies, by node."""
    found: dict[str, list[tuple[Workload, Pod]]] = {}
    for workload in workloads:
        for pod in workload.alive:
            if pod.node and not (pod.owner and pod.owner[0] == "DaemonSet"):
                found.setdefault(pod.node, []).append((workload, pod))
    return found


def _burdens(moving: Iterable[tuple[Workload, Pod]], dead: str, refuges: Refuges) -> Iterator[Burden]:
    for workload, pod in moving:
        request = _total(Request(one.cpu_request or 0, float(one.memory_request or 0)) for one in pod.containers)
        yield Burden(request, refuges.elsewhere(workload, dead))


def _packs(burdens: Sequence[Burden], free: dict[str, Request], *, tight: bool) -> bool:
    """Whether the pods fit, the largest first, each on the node with the least (or most) memory left that takes it."""
    left = dict(free)
    for burden in sorted(burdens, key=lambda one: (-one.request.memory, -one.request.cpu)):
        fitting = [
            name for name, room in left.items() if name in burden.nodes and room.cpu >= burden.request.cpu and room.memory >= burden.request.memory
        ]
        if not fitting:
            return False
        name = (min if tight else max)(fitting, key=lambda one: (left[one].memory, one))
        left[name] = Request(left[name].cpu - burden.request.cpu, left[name].memory - burden.request.memory)
    return True


def _fits(burdens: Sequence[Burden], dead: str, refuges: Refuges, room: Room, exact: bool) -> tuple[bool | None, float | None]:
    """Whether what moves has room, and the share of memory asked for then over the nodes that were looked at."""
    known = [node for node in refuges.looked if node.name != dead and node.cpu is not None and node.memory]
    others = refuges.others(dead)
    exact = exact and room.exact  # what is malformed asks for more: what does not fit without it does not fit with it
    if not burdens and not others:
        return (True if exact else None), None
    free = {node.name: Request((node.cpu or 0) - room.asked[node.name].cpu, (node.memory or 0) - room.asked[node.name].memory) for node in known}
    placed = not burdens or any(_packs(burdens, free, tight=tight) for tight in (True, False))
    if (placed and not exact) or (not placed and len(known) < others):
        return None, None
    size = sum(float(node.memory or 0) for node in known)
    asked = _total(room.asked[node.name] for node in known).memory + _total(burden.request for burden in burdens).memory
    return placed, round(asked / size, 4) if size else None


def _marked(pod: Pod, marks: Iterable[tuple[str, str]]) -> bool:
    return any(pod.labels.get(key) == value for key, value in marks)


def _database_note(dead: str, database: Any) -> str:
    """What becomes of the database, wherever in the cluster it runs; empty where the node does not carry its primary."""
    if not seen(database):
        return "database not seen"
    running = [pod for pod in database.pods if pod.running]
    if not running and database.pods.partial:
        return "database not seen"
    roles = {pod.name: pod.labels.get("cnpg.io/instanceRole") or pod.labels.get("role") for pod in running}
    primaries = [pod for pod in running if roles[pod.name] in ("primary", None)]
    if not any(pod.node == dead for pod in primaries):
        return ""
    standbys = sorted(pod.node or "" for pod in running if roles[pod.name] == "replica" and pod.node != dead)
    if standbys:
        return f"PostgreSQL primary → standby on {standbys[0]}"
    return "PostgreSQL stops" if all(pod.node == dead for pod in running) else "a PostgreSQL pod stops"


def _notes(dead: str, database: Any, brokers: Counter[str | None], owners: Counter[str | None] | None) -> Iterator[str]:
    note = _database_note(dead, database)
    if note:
        yield note
    lost, every = brokers[dead], brokers.total()
    if lost:
        yield f"RabbitMQ {every - lost} of {every} left" if lost < every else "RabbitMQ stops"
    if owners is None:
        yield "share managers not seen"
        return
    owned = owners[dead]
    if owned:
        yield f"{owned} share manager{'s restart' if owned > 1 else ' restarts'}"


@fact
def node_loss(
    nodes: Objects[Node], services: Objects[ProductService], pods: Objects[Pod], node_room: Room,
    workloads: Any = maybe, volumes: Any = maybe, longhorn_share_managers: Any = maybe, database: Any = maybe, cluster_pods: Any = maybe,
) -> tuple[NodeLoss, ...]:  # fmt: skip
    """One row for each node that carries workloads or a pod of the release."""
    bound: tuple[Volume, ...] = tuple(volumes) if seen(volumes) else ()
    placed: tuple[Workload, ...] = tuple(workloads) if seen(workloads) else tuple(service.workload for service in services)
    exact = pods.complete and all(read.complete for read in (workloads, volumes) if seen(read))  # what is malformed may move, or hold back, too
    used = {pod.node for service in services for pod in service.workload.alive}
    running = tuple((service, frozenset(pod.node for pod in service.workload.pods if pod.running)) for service in services)
    moving, refuges = _moving(placed), Refuges(nodes, bound, node_room)
    brokers = Counter(pod.node for pod in cluster_pods if pod.running and _marked(pod, RABBITMQ_LABELS)) if seen(cluster_pods) else Counter()
    owners = Counter(longhorn_share_managers.each(lambda item: item.text("status.ownerID"))) if seen(longhorn_share_managers) else None
    rows = []
    for node in sorted(nodes, key=lambda one: one.name):
        if not node.worker and node.name not in used:
            continue
        stops, moves = _stopping(running, node.name, refuges)
        notes = tuple(_notes(node.name, database, brokers, owners)) + (("volumes not seen",) if moves and not seen(volumes) else ())
        fits, memory = _fits(tuple(_burdens(moving.get(node.name, ()), node.name, refuges)), node.name, refuges, node_room, exact)
        looked = tuple(other.name for other in refuges.looked if other.name != node.name)
        rows.append(NodeLoss(node.name, node.zone, stops, moves, notes, fits, memory, looked))
    return tuple(rows)


def _stopping(
    services: Iterable[tuple[ProductService, frozenset[str | None]]], dead: str, refuges: Refuges
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Services that stop, and those that start again on another node; each service comes with the nodes where it runs."""
    stops, moves = [], []
    for service, running in services:
        if dead not in running:
            continue
        if service.component not in SIDE_BY_SIDE and refuges.elsewhere(service.workload, dead):
            moves.append(service.component)
        elif running == {dead}:
            stops.append(service.component)
    return tuple(stops), tuple(moves)
