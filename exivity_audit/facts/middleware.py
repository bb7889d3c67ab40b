"""Where the database and the broker are: the Services that the configured hosts lead to, in the release's namespace or another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import NotSeen, Objects, fact, maybe, reasons_of, seen
from exivity_audit.facts.configuration import cluster_service
from exivity_audit.facts.workloads import Pod, Workload, pod, with_pods, workload
from exivity_audit.subject import Subject

SERVICE_NAME = "kubernetes.io/service-name"
HOPS = 4  # ExternalName Services that are followed before it counts as a loop


@dataclass(frozen=True)
class ServicePort:
    """A port of a Service."""

    name: str
    number: int


@dataclass(frozen=True)
class ClusterService:
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
    headless: bool = False  # no address of its own: its name leads to the pods, and its ports are not consulted


@dataclass(frozen=True)
class ServiceEndpoints:
    """One EndpointSlice of a Service: its ports as (name, number), and the nodes of the addresses that are ready."""

    subject: Subject
    source: Source
    service: str
    namespace: str
    ports: tuple[tuple[str, int | None], ...]
    ready: int
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Location:
    """Where a host leads: to a Service of this cluster (``service`` None where there is no such Service), or outside."""

    host: str
    named: tuple[str, str] | None  # Service and namespace it ends at
    service: ClusterService | None
    external: str  # the host outside the cluster, empty where it leads to a Service
    via: tuple[ClusterService, ...] = ()  # ExternalName Services on the way

    @property
    def inside(self) -> bool:
        """Whether it leads to a Service of this cluster, there or not."""
        return self.named is not None


@fact
def cluster_services(service_objects: Objects[Document], middleware_services: Objects[Document]) -> Objects[ClusterService]:
    """Every Service of the release's namespace and of its middleware's."""

    def build(item: Document) -> ClusterService:
        ports = tuple(ServicePort(port.text("name") or "", port.integer("port") or 0) for port in item.items("spec.ports"))
        return ClusterService(
            item.subject, item.source, item.name, item.namespace or "", item.labels(), item.text("spec.type") or "ClusterIP",
            item.labels("spec.selector"), ports, item.text("spec.externalName") or "",
            item.text("spec.clusterIP") == "None",
        )  # fmt: skip

    return service_objects.join(middleware_services).each(build)


@fact
def cluster_endpoints(endpointslices: Objects[Document], middleware_slices: Objects[Document]) -> Objects[ServiceEndpoints]:
    """Every EndpointSlice of the same namespaces."""

    def build(item: Document) -> ServiceEndpoints | None:
        service = item.labels().get(SERVICE_NAME)
        if not service:
            return None
        ready = [entry for entry in item.items("endpoints") if entry.boolean("conditions.ready") is not False]
        return ServiceEndpoints(
            item.subject, item.source, service, item.namespace or "",
            tuple((port.text("name") or "", port.integer("port")) for port in item.items("ports")),
            sum(len(entry.strings("addresses")) for entry in ready), tuple(sorted({entry.text("nodeName") or "" for entry in ready} - {""})),
        )  # fmt: skip

    return endpointslices.join(middleware_slices).each(build)


@fact
def cluster_pods(pods: Objects[Pod], middleware_pods: Objects[Document]) -> Objects[Pod]:
    """Every pod of the same namespaces."""
    return pods.join(middleware_pods.each(pod))


@fact
def cluster_statefulsets(
    statefulsets: Objects[Document], middleware_statefulsets: Objects[Document], cluster_pods: Objects[Pod]
) -> Objects[Workload]:
    """Every StatefulSet of the same namespaces, with its pods."""
    return statefulsets.join(middleware_statefulsets).each(lambda item: with_pods(workload(item), cluster_pods))


@dataclass(frozen=True)
class ClusterNames:
    """What decides where a host leads: the Services that were seen, and the namespaces that hosts of two labels may name."""

    services: Objects[ClusterService]
    namespaces: Any
    home: str


@fact
def cluster_names(cluster_services: Objects[ClusterService], release: Any, host_namespaces: Any = maybe) -> ClusterNames:
    """The names by which ``locate`` finds a host."""
    return ClusterNames(cluster_services, host_namespaces, release.namespace)


def locate(host: str, names: ClusterNames) -> Location:
    """Where a host leads, ExternalName Services followed.

    Raises NotSeen where the cluster's names for it could not be read.
    """
    via: list[ClusterService] = []
    target = host.split(",")[0].strip()
    for _ in range(HOPS):
        named = _named(target, names)
        if named is None:
            return Location(host, None, None, target, tuple(via))
        service = next((one for one in names.services if (one.name, one.namespace) == named), None)
        if service is None:
            service = next((one for one in names.services.surely() if (one.name, one.namespace) == named), None)
        if service is None or service.kind != "ExternalName":
            return Location(host, named, service, "", tuple(via))
        via.append(service)
        target = service.external_name
    return Location(host, named, None, "", tuple(via))


def _named(host: str, names: ClusterNames) -> tuple[str, str] | None:
    found = cluster_service(host, names.home)
    parts = host.lower().rstrip(".").split(".")
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
