"""Where the database and the broker are: the Services that the configured hosts lead to, in the release's namespace or another."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import NotSeen, Objects, Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.configuration import cluster_service
from exivity_audit.facts.selectors import Labelled
from exivity_audit.facts.workloads import Pod, Workload, pod, with_pods, workload
from exivity_audit.reading import reason_of
from exivity_audit.snapshot import Outcome
from exivity_audit.subject import Subject

SERVICE_NAME = "kubernetes.io/service-name"
HOPS = 4  # ExternalName Services that are followed before it counts as a loop


class ServicePort(Struct, frozen=True):
    """A port of a Service."""

    name: str
    number: int


class ClusterService(Struct, frozen=True):
    """A Service of the release's namespace or of one where its middleware runs."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    labels: dict[str, str]
    kind: str  # ClusterIP, ExternalName, …
    selector: dict[str, str]
    ports: tuple[ServicePort, ...]
    external_name: str
    addresses: tuple[str, ...] = ()  # its cluster IPs
    headless: bool = False  # no address of its own: its name leads to the pods, and its ports are not consulted


class ServiceEndpoints(Struct, frozen=True):
    """One EndpointSlice of a Service: its ports as (name, number), and the nodes of the addresses that are ready."""

    subject: Subject
    source: Source
    service: str
    namespace: str
    ports: tuple[tuple[str, int | None], ...]
    ready: int
    nodes: tuple[str, ...]
    addresses: tuple[str, ...] = ()  # ready or not
    pods: tuple[str, ...] = ()  # names of the pods behind them


class Location(Struct, frozen=True):
    """Where a host leads: to a Service of this cluster (``service`` None where there is no such Service), or outside."""

    host: str
    named: tuple[str, str] | None  # Service and namespace it ends at
    service: ClusterService | None
    external: str  # the host outside the cluster, empty where it leads to a Service
    via: tuple[ClusterService, ...] = ()  # ExternalName Services on the way
    unseen: tuple[Reason, ...] = ()  # why the Service itself could not be read, where something else showed what it is

    @property
    def inside(self) -> bool:
        """Whether it leads to a Service of this cluster, there or not."""
        return self.named is not None


def widened(own: Any, other: Any) -> Objects[Any]:
    """What was seen in the release's namespace and in its middleware's; partial where one of the two could not be read.

    Raises NotSeen where neither could.
    """
    parts = [one for one in (own, other) if seen(one)]
    reasons = reasons_of(own) + reasons_of(other)
    if not parts:
        raise NotSeen(reasons)
    joined = parts[0].join(*parts[1:])
    return Objects(joined, installed=joined.installed, unreadable=joined.unreadable, partial=joined.partial + reasons)


def within(found: Objects[Any], *namespaces: str) -> Objects[Any]:
    """The same members, without what could not be read of other namespaces."""
    odd = tuple(item for item in found.unreadable if item.subject.namespace in (None, *namespaces))
    ends = tuple(f" in {namespace}" for namespace in namespaces)
    partial = tuple(reason for reason in found.partial if " in " not in reason.rule or reason.rule.endswith(ends))
    return Objects(found, installed=found.installed, unreadable=odd, partial=partial)


@fact
def cluster_services(service_objects: Any = maybe, middleware_services: Any = maybe) -> Objects[ClusterService]:
    """Every Service of the release's namespace and of its middleware's."""

    def build(item: Document) -> ClusterService:
        ports = tuple(ServicePort(port.text("name") or "", port.integer("port") or 0) for port in item.items("spec.ports"))
        address = item.text("spec.clusterIP") or ""
        return ClusterService(
            item.subject, item.source, item.name, item.namespace or "", item.labels(), item.text("spec.type") or "ClusterIP",
            item.labels("spec.selector"), ports, item.text("spec.externalName") or "", (address,) if address not in ("", "None") else (),
            address == "None",
        )  # fmt: skip

    return widened(service_objects, middleware_services).each(build)


@fact
def cluster_endpoints(endpointslices: Any = maybe, middleware_slices: Any = maybe) -> Objects[ServiceEndpoints]:
    """Every EndpointSlice of the same namespaces."""

    def build(item: Document) -> ServiceEndpoints | None:
        service = item.labels().get(SERVICE_NAME)
        if not service:
            return None
        entries = list(item.items("endpoints"))
        ready = [entry for entry in entries if entry.boolean("conditions.ready") is not False]
        return ServiceEndpoints(
            item.subject, item.source, service, item.namespace or "",
            tuple((port.text("name") or "", port.integer("port")) for port in item.items("ports")),
            sum(len(entry.strings("addresses")) for entry in ready), tuple(sorted({entry.text("nodeName") or "" for entry in ready} - {""})),
            tuple(address for entry in entries for address in entry.strings("addresses")),
            tuple(entry.text("targetRef.name") or "" for entry in entries if entry.text("targetRef.kind") == "Pod"),
        )  # fmt: skip

    return widened(endpointslices, middleware_slices).each(build)


@fact
def cluster_pods(pods: Any = maybe, middleware_pods: Any = maybe) -> Objects[Pod]:
    """Every pod of the same namespaces."""
    return widened(pods, middleware_pods.each(pod) if seen(middleware_pods) else middleware_pods)


@fact
def cluster_statefulsets(statefulsets: Any = maybe, middleware_statefulsets: Any = maybe, cluster_pods: Any = maybe) -> Objects[Workload]:
    """Every StatefulSet of the same namespaces, with its pods where those could be read."""
    bare: Labelled[Pod] = Labelled(cluster_pods if seen(cluster_pods) else ())
    return widened(statefulsets, middleware_statefulsets).each(lambda item: with_pods(workload(item), bare))


class ClusterNames(Struct, frozen=True):
    """What decides where a host leads: Services, the namespaces that hosts of two labels may name, and where Services were looked for."""

    services: Objects[ClusterService]
    namespaces: Any
    home: str
    looked: frozenset[str]
    blind: tuple[tuple[str, Reason], ...]  # namespaces whose Services could not be listed, and why

    def surely_absent(self, name: str, namespace: str) -> None:
        """Nothing, where it is proven that there is no such Service. Raises NotSeen elsewhere."""
        reasons = tuple(reason for place, reason in self.blind if place == namespace)
        if namespace not in self.looked:
            rule = f"list services in {namespace}"
            raise NotSeen(reasons or (Reason("middleware_services", f"not asked: {rule}", rule),))
        odd = [item for item in self.services.unreadable if item.subject.namespace == namespace and item.subject.name in (None, name)]
        if odd:
            raise NotSeen(tuple(Reason(str(item.subject), f"{item.subject}: {item.why}") for item in odd))


@fact
def cluster_names(release: Any, site: Any, cluster_services: Any = maybe, host_namespaces: Any = maybe) -> ClusterNames:
    """The names by which ``locate`` finds a host."""
    records = [record for record in site.reads if record.name in ("service_objects", "middleware_services") and record.place.namespace]
    looked = frozenset(str(record.place.namespace) for record in records if record.outcome in (Outcome.FOUND, Outcome.EMPTY))
    blind = tuple((str(record.place.namespace), reason_of(record)) for record in records if record.place.namespace not in looked)
    services: Objects[ClusterService] = cluster_services if seen(cluster_services) else Objects(partial=reasons_of(cluster_services))
    return ClusterNames(services, host_namespaces, release.namespace, looked, blind)


def locate(host: str, names: ClusterNames) -> Location:
    """Where a host leads, ExternalName Services followed.

    Raises NotSeen where the cluster's names for it could not be read.
    """
    via: list[ClusterService] = []
    target = host.split(",")[0].strip()
    for _ in range(HOPS):
        named = host_names(target, names)
        if named is None:
            return Location(host, None, None, target, tuple(via))
        service = next((one for one in names.services if (one.name, one.namespace) == named), None)
        if service is None:
            names.surely_absent(*named)
        if service is None or service.kind != "ExternalName":
            return Location(host, named, service, "", tuple(via))
        via.append(service)
        target = service.external_name
    return Location(host, named, None, "", tuple(via))


def host_names(host: str, names: ClusterNames) -> tuple[str, str] | None:
    """Service and namespace that a host names, there or not; None for a host outside. Raises NotSeen."""
    found = cluster_service(host, names.home)
    parts = host.lower().rstrip(".").split(".")
    if found is None:
        found = next(((one.name, one.namespace) for one in names.services if host in one.addresses), None)
    if found is not None or len(parts) != 2 or ":" in host or parts[1].isdigit():
        return found
    if not seen(names.namespaces):
        raise NotSeen(reasons_of(names.namespaces))
    if any(one.name == parts[1] for one in names.namespaces):
        return parts[0], parts[1]
    if names.namespaces.partial:
        raise NotSeen(names.namespaces.partial)
    return None


def endpoints_of(location: Location, endpoints: Objects[ServiceEndpoints]) -> tuple[ServiceEndpoints, ...]:
    """The EndpointSlices of the Service that a host leads to."""
    return tuple(one for one in endpoints if (one.service, one.namespace) == location.named)
