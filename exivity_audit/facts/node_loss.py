"""What happens when a node dies: what stops, what starts elsewhere, and whether the other nodes have room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document
from exivity_audit.fact import Objects, Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.nodes import Node
from exivity_audit.facts.refuges import Refuges
from exivity_audit.facts.workloads import Pod, ProductService, Workload
from exivity_audit.snapshot import Outcome

SIDE_BY_SIDE = ("glass", "proximity-api", "edify", "horizon", "pigeon", "transcript", "use")
"""Services of which several copies may work at once; the other four are started again elsewhere."""
RABBITMQ_LABELS = ((chart.NAME_LABEL, "rabbitmq-v4"), (chart.NAME_LABEL, "rabbitmq"), (chart.COMPONENT_LABEL, "rabbitmq"))
FIELD = "spec.nodeName="
FEW = 3  # reasons that are told one by one: each of a thousand rows may have a thousand
MORE_NODES = Reason("node_pods", "its pods fit on none of the candidate nodes that were looked at, and there are more nodes")


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
    perhaps: tuple[str, ...] = ()  # singletons of which nobody can tell whether they start elsewhere
    perhaps_because: tuple[Reason, ...] = ()  # why not
    fits_because: tuple[Reason, ...] = ()  # why ``fits`` is not known


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
    malformed: tuple[Reason, ...] = ()  # pods on them that ask for nobody knows what
    unread: tuple[Reason, ...] = ()  # why the pods of some nodes were not read, beside that few are looked at


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
        return Room({}, unread=reasons_of(node_requests))
    asked: dict[str, list[Request]] = {name: [] for name in looked}
    for node, request in node_requests:
        if node in asked:
            asked[node].append(request)
    return Room({name: _total(requests) for name, requests in asked.items()}, node_requests.malformed, node_requests.partial)


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


def _few(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    every = tuple(dict.fromkeys(reasons))
    return every if len(every) <= FEW else (*every[:FEW], Reason("more", f"and {len(every) - FEW} more"))


class Doubts(Struct, frozen=True):
    """What was not seen, or is malformed, and may decide whether the pods of a dead node have room."""

    asking: tuple[Reason, ...]  # may move or hold back too: with it more is asked for, so what does not fit without it does not fit with it
    giving: tuple[Reason, ...]  # nodes that may give room: what fits without them fits with them


def _fits(
    burdens: Sequence[Burden], dead: str, refuges: Refuges, room: Room, doubts: Doubts
) -> tuple[bool | None, float | None, tuple[Reason, ...]]:  # fmt: skip
    """Whether what moves has room, the share of memory asked for then over the nodes that were looked at, and why it is not known."""
    looked = [node for node in refuges.looked if node.name != dead]
    known = [node for node in looked if node.cpu is not None and node.memory]
    others = refuges.others(dead)
    if not burdens and not others:
        return (None if doubts.asking else True), None, doubts.asking
    free = {node.name: Request((node.cpu or 0) - room.asked[node.name].cpu, (node.memory or 0) - room.asked[node.name].memory) for node in known}
    placed = not burdens or any(_packs(burdens, free, tight=tight) for tight in (True, False))
    if placed and doubts.asking:
        return None, None, doubts.asking
    if not placed and (doubts.giving or len(known) < others):
        return None, None, (*doubts.giving, *_not_looked_at(looked, others, room))
    size = sum(float(node.memory or 0) for node in known)
    asked = _total(room.asked[node.name] for node in known).memory + _total(burden.request for burden in burdens).memory
    return placed, round(asked / size, 4) if size else None, ()


def _not_looked_at(looked: Sequence[Node], others: int, room: Room) -> Iterator[Reason]:
    """Why pods that fit on none of the nodes that were looked at may fit on another."""
    if len(looked) < others:
        yield from _few(room.unread) or (MORE_NODES,)
    for node in looked:
        if node.cpu is None or not node.memory:
            yield Reason("nodes", f"{node.subject} does not say how much of it can be asked for")


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
    persistentvolumeclaims: Any = maybe,
) -> tuple[NodeLoss, ...]:  # fmt: skip
    """One row for each node that carries workloads or a pod of the release."""
    placed: tuple[Workload, ...] = tuple(workloads) if seen(workloads) else tuple(service.workload for service in services)
    asking = [*node_room.malformed, *pods.gaps, *(reason for read in (workloads, volumes) if seen(read) for reason in read.gaps)]
    doubts = Doubts(_few(asking), _few(nodes.gaps))
    used = {pod.node for service in services for pod in service.workload.alive}
    running = tuple((service, frozenset(pod.node for pod in service.workload.pods if pod.running)) for service in services)
    moving = _moving(placed)
    refuges = Refuges(nodes, volumes if seen(volumes) else Objects(partial=volumes.reasons), persistentvolumeclaims, node_room.asked)
    brokers = Counter(pod.node for pod in cluster_pods if pod.running and _marked(pod, RABBITMQ_LABELS)) if seen(cluster_pods) else Counter()
    owners = Counter(longhorn_share_managers.each(lambda item: item.text("status.ownerID"))) if seen(longhorn_share_managers) else None
    rows = []
    for node in sorted(nodes, key=lambda one: one.name):
        if not node.worker and node.name not in used:
            continue
        stopping = _stopping(running, node.name, refuges)
        notes = tuple(_notes(node.name, database, brokers, owners))
        burdens = tuple(_burdens(moving.get(node.name, ()), node.name, refuges))
        fits, memory, why = _fits(burdens, node.name, refuges, node_room, doubts)
        looked = tuple(other.name for other in refuges.looked if other.name != node.name)
        rows.append(
            NodeLoss(
                node.name, node.zone, stopping.stops, stopping.moves, notes, fits, memory, looked, stopping.perhaps, stopping.because, why
            )
        )  # fmt: skip
    return tuple(rows)


class Stopping(Struct, frozen=True):
    """What becomes of the services of a dead node, by their components."""

    stops: tuple[str, ...]
    moves: tuple[str, ...]
    perhaps: tuple[str, ...]
    because: tuple[Reason, ...]


def _stopping(services: Iterable[tuple[ProductService, frozenset[str | None]]], dead: str, refuges: Refuges) -> Stopping:
    """Services that stop, and those that start again on another node; each service comes with the nodes where it runs."""
    stops, moves, perhaps = [], [], []
    because: list[Reason] = []
    for service, running in services:
        if dead not in running:
            continue
        single = service.component not in SIDE_BY_SIDE
        doubts = refuges.doubts(service.workload, dead) if single and running == {dead} else ()
        if doubts:
            perhaps.append(service.component)
            because += doubts
        elif single and refuges.elsewhere(service.workload, dead):
            moves.append(service.component)
        elif running == {dead}:
            stops.append(service.component)
    return Stopping(tuple(stops), tuple(moves), tuple(perhaps), _few(because))
