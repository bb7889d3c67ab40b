"""What happens when a node dies: what stops, what starts elsewhere, and whether the other nodes have room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from exivity_audit import chart
from exivity_audit.document import Document, Malformed
from exivity_audit.fact import Objects, fact, maybe, seen
from exivity_audit.facts.claims import Volume
from exivity_audit.facts.nodes import Node
from exivity_audit.facts.selectors import expression_fits
from exivity_audit.facts.workloads import Pod, ProductService, Workload
from exivity_audit.snapshot import Outcome

SIDE_BY_SIDE = ("glass", "proximity-api", "edify", "horizon", "pigeon", "transcript", "use")
"""Services of which several copies may work at once; the other four are started again elsewhere."""
RABBITMQ_LABELS = ((chart.NAME_LABEL, "rabbitmq-v4"), (chart.NAME_LABEL, "rabbitmq"), (chart.COMPONENT_LABEL, "rabbitmq"))
FIELD = "spec.nodeName="


@dataclass(frozen=True)
class NodeLoss:
    """A node, and what its death does."""

    node: str
    zone: str | None
    stops: tuple[str, ...]  # services with no copy elsewhere, and those that can start nowhere else
    moves: tuple[str, ...]  # singletons that start again elsewhere
    notes: tuple[str, ...]  # database, broker, share managers
    fits: bool | None  # whether the requests that move fit on the other nodes; None: not known
    memory: float | None  # share of the other nodes' memory that is asked for then
    looked: tuple[str, ...] = ()  # the other nodes whose pods were read: what the two above rest on


@dataclass(frozen=True)
class Request:
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


@dataclass(frozen=True)
class Room:
    """What is known of the nodes that could take over: requests by node, for the nodes whose pods were read."""

    asked: dict[str, Request]
    exact: bool  # no pod was malformed


@fact
def node_room(site: Any, node_pods: Any = maybe) -> Room:
    """Requests of all pods, of any namespace, on the nodes whose pods could be read."""
    looked = {
        record.place.fields.removeprefix(FIELD)
        for record in site.reads
        if record.name == "node_pods" and record.place.fields and record.outcome in (Outcome.FOUND, Outcome.EMPTY)
    }
    if not seen(node_pods):
        return Room({}, True)
    found = node_pods.each(_pod_request)
    return Room({name: _total(request for node, request in found if node == name) for name in looked}, not found.unreadable)


def terms_fit(terms: Any, node: Node) -> bool:
    """Whether one of several node selector terms fits a node; without terms every node does. Raises Malformed."""
    if not isinstance(terms, list):
        return True
    fields = {"metadata.name": node.name}
    return any(
        all(expression_fits(one, node.labels) for one in _listed(term, "matchExpressions"))
        and all(expression_fits(one, fields) for one in _listed(term, "matchFields"))
        for term in terms
        if isinstance(term, dict) and (term.get("matchExpressions") or term.get("matchFields"))
    )


def _listed(term: dict[str, Any], name: str) -> list[Any]:
    found = term.get(name) or []
    if not isinstance(found, list):
        raise Malformed(name, "list of requirements", found)
    return found


def _terms(affinity: dict[str, Any]) -> Any:
    inner = affinity.get("nodeAffinity")
    required = inner.get("requiredDuringSchedulingIgnoredDuringExecution") if isinstance(inner, dict) else None
    return required.get("nodeSelectorTerms") if isinstance(required, dict) else None


def _volume_terms(volume: Volume) -> Any:
    required = volume.node_affinity.get("required")
    return required.get("nodeSelectorTerms") if isinstance(required, dict) else None


def may_run(workload: Workload, node: Node, volumes: Iterable[Volume]) -> bool:
    """Whether a workload's pod may run on a node: by name, selector, affinity, and by where its volumes are."""
    if workload.pinned not in (None, node.name):
        return False
    if any(node.labels.get(key) != value for key, value in workload.node_selector.items()):
        return False
    if not terms_fit(_terms(workload.affinity), node):
        return False
    mounted = [volume for volume in volumes if volume.claim and volume.claim[0] == workload.namespace and volume.claim[1] in workload.claims]
    return all(terms_fit(_volume_terms(volume), node) for volume in mounted)


def refuges(nodes: Iterable[Node], dead: str) -> tuple[Node, ...]:
    """Nodes that could take a dead one's pods: workers that are Ready and not cordoned."""
    return tuple(node for node in nodes if node.worker and node.ready and not node.cordoned and node.name != dead)


@dataclass(frozen=True)
class Burden:
    """A pod that must start elsewhere, with the nodes where it may."""

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


def _burdens(moving: Iterable[tuple[Workload, Pod]], others: Sequence[Node], volumes: Sequence[Volume]) -> Iterator[Burden]:
    for workload, pod in moving:
        request = _total(Request(one.cpu_request or 0, float(one.memory_request or 0)) for one in pod.containers)
        yield Burden(request, frozenset(node.name for node in others if may_run(workload, node, volumes)))


def _packs(burdens: Sequence[Burden], free: dict[str, Request], *, tight: bool) -> bool:
    """Whether the pods fit, the largest first, each on the node with the least (or most) memory left that takes it."""
    left = dict(free)
    for burden in sorted(burdens, key=lambda one: (-one.request.memory, -one.request.cpu)):
        fitting = [
            name for name in burden.nodes if name in left and left[name].cpu >= burden.request.cpu and left[name].memory >= burden.request.memory
        ]
        if not fitting:
            return False
        name = (min if tight else max)(fitting, key=lambda one: (left[one].memory, one))
        left[name] = Request(left[name].cpu - burden.request.cpu, left[name].memory - burden.request.memory)
    return True


def _fits(burdens: Sequence[Burden], others: Sequence[Node], room: Room, exact: bool) -> tuple[bool | None, float | None]:
    """Whether what moves has room, and the share of memory asked for then over the nodes that were looked at."""
    known = [node for node in others if node.name in room.asked and node.cpu is not None and node.memory]
    if not exact or not room.exact:
        return None, None
    if not burdens and not others:
        return True, None
    free = {node.name: Request((node.cpu or 0) - room.asked[node.name].cpu, (node.memory or 0) - room.asked[node.name].memory) for node in known}
    placed = not burdens or any(_packs(burdens, free, tight=tight) for tight in (True, False))
    if not placed and len(known) < len(others):
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


def _notes(dead: str, database: Any, brokers: Sequence[Pod], owners: Sequence[str | None] | None) -> Iterator[str]:
    note = _database_note(dead, database)
    if note:
        yield note
    lost = sum(1 for pod in brokers if pod.node == dead)
    if lost:
        yield f"RabbitMQ {len(brokers) - lost} of {len(brokers)} left" if lost < len(brokers) else "RabbitMQ stops"
    if owners is None:
        yield "share managers not seen"
        return
    owned = sum(1 for owner in owners if owner == dead)
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
    used = {pod.node for service in services for pod in service.workload.alive}
    running = tuple((service, tuple(pod for pod in service.workload.pods if pod.running)) for service in services)
    moving = _moving(placed)
    brokers = tuple(pod for pod in cluster_pods if pod.running and _marked(pod, RABBITMQ_LABELS)) if seen(cluster_pods) else ()
    owners = tuple(longhorn_share_managers.each(lambda item: item.text("status.ownerID"))) if seen(longhorn_share_managers) else None
    rows = []
    for node in sorted(nodes, key=lambda one: one.name):
        if not node.worker and node.name not in used:
            continue
        others = refuges(nodes, node.name)
        stops, moves = _stopping(running, node.name, others, bound)
        notes = tuple(_notes(node.name, database, brokers, owners)) + (("volumes not seen",) if moves and not seen(volumes) else ())
        fits, memory = _fits(tuple(_burdens(moving.get(node.name, ()), others, bound)), others, node_room, pods.complete)
        looked = tuple(other.name for other in others if other.name in node_room.asked)
        rows.append(NodeLoss(node.name, node.zone, stops, moves, notes, fits, memory, looked))
    return tuple(rows)


def _stopping(
    services: Iterable[tuple[ProductService, Sequence[Pod]]], dead: str, others: Sequence[Node], volumes: Sequence[Volume]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Services that stop, and those that start again on another node."""
    stops, moves = [], []
    for service, running in services:
        if not any(pod.node == dead for pod in running):
            continue
        if service.component not in SIDE_BY_SIDE and any(may_run(service.workload, node, volumes) for node in others):
            moves.append(service.component)
        elif all(pod.node == dead for pod in running):
            stops.append(service.component)
    return tuple(stops), tuple(moves)
