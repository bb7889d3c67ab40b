"""The product's workloads: the eleven services with their pods, and what else runs in the namespace."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit import chart
from exivity_audit.document import Document, Malformed
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, Unread, fact
from exivity_audit.facts.pod_security import UNSAID, PodSecurity, pod_security
from exivity_audit.facts.selectors import Labelled, kept_apart, node_terms
from exivity_audit.quantity import Size
from exivity_audit.subject import Subject


class Container(Struct, frozen=True):
    """A container of a pod or pod template."""

    name: str
    image: str
    cpu_request: float | None
    memory_request: Size | None
    cpu_text: str
    memory_text: str


class ContainerState(Struct, frozen=True):
    """What the kubelet says of a running container."""

    name: str
    ready: bool
    restarts: int
    waiting: str
    last_reason: str
    last_finished: datetime | None
    ended_reason: str = ""  # of a container that has ended and was not restarted yet


class Pod(Struct, frozen=True):
    """A pod; its verdicts are about its workload, never about the pod's name."""

    source: Source
    name: str
    namespace: str
    labels: dict[str, str]
    owner: tuple[str, str] | None  # kind and name
    node: str | None
    phase: str
    ready: bool
    terminating: bool
    scheduled: bool
    unschedulable: str  # the scheduler's message, empty where it found a node
    containers: tuple[Container, ...]
    states: tuple[ContainerState, ...]
    init_waiting: tuple[str, ...]
    claims: tuple[str, ...]
    host_paths: tuple[str, ...]
    address: str | None
    host_network: bool
    ports: tuple[str, ...] = ()  # names of its containers' ports
    init_images: tuple[str, ...] = ()
    security: PodSecurity = UNSAID

    @property
    def finished(self) -> bool:
        """Whether it has ended: it runs nothing any more."""
        return self.phase in ("Succeeded", "Failed")

    @property
    def alive(self) -> bool:
        """Neither finished nor Terminating: it counts as a copy."""
        return not self.finished and not self.terminating

    @property
    def running(self) -> bool:
        """Alive and on a node."""
        return self.alive and self.phase == "Running"


class Workload(Struct, frozen=True):
    """A Deployment, StatefulSet or DaemonSet."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    labels: dict[str, str]
    selector: dict[str, str]
    template_labels: dict[str, str]
    replicas: int  # asked for; 1 where the field is absent
    ready: int
    updated: int
    total: int
    generation: int
    observed: int
    strategy: str
    max_surge: str | int | None
    containers: tuple[Container, ...]
    init_images: tuple[str, ...]
    claims: tuple[str, ...]
    host_paths: tuple[str, ...]
    affinity: dict[str, Any]
    spread: tuple[dict[str, Any], ...]
    node_selector: dict[str, str]
    tolerations: tuple[dict[str, Any], ...]
    helm_release: str | None
    argo_tracking: str | None
    pods: tuple[Pod, ...] = ()
    pinned: str | None = None  # the node that the template names itself
    apart: tuple[str, ...] = ()  # topology keys over which anti-affinity or a topology spread keeps its own pods apart
    security: PodSecurity = UNSAID

    @property
    def rolling(self) -> bool:
        """Whether a rollout is under way: copies to update, copies of the old template left, or a change not yet observed."""
        return self.updated < self.replicas or self.observed < self.generation or self.total > self.updated

    @property
    def alive(self) -> tuple[Pod, ...]:
        """Pods that count as a copy."""
        return tuple(pod for pod in self.pods if pod.alive)

    @property
    def surge(self) -> bool:
        """Whether a rollout starts a new copy before the old one ends (25 % where nothing is said, rounded up)."""
        return self.strategy == "RollingUpdate" and str(self.max_surge) not in ("0", "0%")

    @property
    def images(self) -> tuple[str, ...]:
        """Images of its containers."""
        return tuple(container.image for container in self.containers)


class ProductService(Struct, frozen=True):
    """One of the eleven services: its values key, component, and Deployment."""

    key: str
    component: str
    workload: Workload

    @property
    def subject(self) -> Subject:
        """The Deployment, the object a person would edit."""
        return self.workload.subject

    @property
    def source(self) -> Source:
        """Where the Deployment was seen."""
        return self.workload.source

    @property
    def replicas(self) -> int:
        """Copies asked for."""
        return self.workload.replicas

    @property
    def running(self) -> int:
        """Pods neither finished nor Terminating."""
        return len(self.workload.alive)


def _container(item: Document) -> Container:
    requests = item.mapping("resources.requests") if item.value.get("resources") is not None else {}
    return Container(
        item.text("name") or "", item.text("image") or "",
        item.number("resources.requests.cpu") if requests else None, item.size("resources.requests.memory") if requests else None,
        str(requests.get("cpu", "")), str(requests.get("memory", "")),
    )  # fmt: skip


def _state(item: Document) -> ContainerState:
    return ContainerState(
        item.text("name") or "", item.boolean("ready") or False, item.integer("restartCount") or 0, item.text("state.waiting.reason") or "",
        item.text("lastState.terminated.reason") or "", item.time("lastState.terminated.finishedAt"), item.text("state.terminated.reason") or "",
    )  # fmt: skip


def _claims(volumes: Iterable[Document]) -> tuple[str, ...]:
    return tuple(sorted({name for volume in volumes if (name := volume.text("persistentVolumeClaim.claimName"))}))


def _host_paths(volumes: Iterable[Document]) -> tuple[str, ...]:
    return tuple(sorted({path for volume in volumes if (path := volume.text("hostPath.path"))}))


def _unschedulable(scheduled: Document | None) -> str:
    if scheduled is None or scheduled.text("status") != "False":
        return ""
    return (scheduled.text("message") or scheduled.text("reason") or "")[:200]


def pod(item: Document) -> Pod:
    """A pod document as a fact. Raises Malformed."""
    conditions = {entry.text("type"): entry for entry in item.items("status.conditions")}
    scheduled = conditions.get("PodScheduled")
    owner = next(iter(item.items("metadata.ownerReferences")), None)
    ready = conditions.get("Ready")
    return Pod(
        source=item.source, name=item.name, namespace=item.namespace or "", labels=item.labels(),
        owner=(owner.text("kind") or "", owner.text("name") or "") if owner else None, node=item.text("spec.nodeName"),
        phase=item.text("status.phase") or "", ready=ready is not None and ready.text("status") == "True",
        terminating=item.text("metadata.deletionTimestamp") is not None, scheduled=item.text("spec.nodeName") is not None,
        unschedulable=_unschedulable(scheduled),
        containers=tuple(_container(entry) for entry in item.items("spec.containers")),
        states=tuple(_state(entry) for entry in item.items("status.containerStatuses")),
        init_waiting=tuple(reason for entry in item.items("status.initContainerStatuses") if (reason := entry.text("state.waiting.reason"))),
        claims=_claims(item.items("spec.volumes")), host_paths=_host_paths(item.items("spec.volumes")),
        address=item.text("status.podIP"), host_network=item.boolean("spec.hostNetwork") or False,
        ports=tuple(name for entry in item.items("spec.containers") for port in entry.items("ports") if (name := port.text("name"))),
        init_images=tuple(entry.text("image") or "" for entry in item.items("spec.initContainers")), security=pod_security(item, "spec"),
    )  # fmt: skip


def workload(item: Document) -> Workload:
    """A workload document as a fact, without its pods. Raises Malformed."""
    asked = item.integer("spec.replicas")
    spec = "spec.template.spec"
    strategy = "spec.strategy" if item.mapping("spec.strategy") else "spec.updateStrategy"
    affinity, template_labels = item.mapping(f"{spec}.affinity"), item.labels("spec.template.metadata.labels")
    spread = tuple(entry.value for entry in item.items(f"{spec}.topologySpreadConstraints"))
    node_terms(affinity.get("nodeAffinity"), "requiredDuringSchedulingIgnoredDuringExecution")  # a malformed one is told here, not where it is used
    return Workload(
        subject=item.subject, source=item.source, name=item.name, namespace=item.namespace or "", labels=item.labels(),
        selector=item.labels("spec.selector.matchLabels"), template_labels=template_labels,
        replicas=1 if asked is None else asked, ready=item.integer("status.readyReplicas") or item.integer("status.numberReady") or 0,
        updated=item.integer("status.updatedReplicas") or 0, total=item.integer("status.replicas") or 0,
        generation=item.integer("metadata.generation") or 0, observed=item.integer("status.observedGeneration") or 0,
        strategy=item.text(f"{strategy}.type") or "RollingUpdate", max_surge=_surge(item, f"{strategy}.rollingUpdate"),
        containers=tuple(_container(entry) for entry in item.items(f"{spec}.containers")),
        init_images=tuple(entry.text("image") or "" for entry in item.items(f"{spec}.initContainers")),
        claims=_claims(item.items(f"{spec}.volumes")), host_paths=_host_paths(item.items(f"{spec}.volumes")),
        affinity=affinity, spread=spread,
        node_selector=item.labels(f"{spec}.nodeSelector"), tolerations=tuple(entry.value for entry in item.items(f"{spec}.tolerations")),
        helm_release=item.text(f"metadata.annotations[{chart.HELM_RELEASE}]"),
        argo_tracking=item.text(f"metadata.annotations[{chart.ARGO_TRACKING}]"),
        pinned=item.text(f"{spec}.nodeName"), apart=kept_apart(affinity, spread, template_labels),
        security=pod_security(item, spec),
    )  # fmt: skip


def _surge(item: Document, path: str) -> str | int | None:
    found = item.mapping(path).get("maxSurge")
    if isinstance(found, bool) or not isinstance(found, str | int | None):
        raise Malformed(f"{path}.maxSurge", "count or percentage", found)
    return found


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    """Whether a label selector fits; an empty one selects nothing here."""
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def with_pods(found: Workload, pods: Labelled[Pod]) -> Workload:
    """The same workload with the pods it selects."""
    return replace(found, pods=pods.selected(found.namespace, found.selector))


@fact
def pods(pods: Objects[Document]) -> Objects[Pod]:
    """Every pod of the release's namespace."""
    return pods.each(pod)


@fact
def workloads(
    deployments: Objects[Document], statefulsets: Objects[Document], daemonsets: Objects[Document], pods: Objects[Pod]
) -> Objects[Workload]:
    """Every Deployment, StatefulSet and DaemonSet of the namespace, with its pods."""
    labelled = Labelled(pods)
    return deployments.join(statefulsets, daemonsets).each(lambda item: with_pods(workload(item), labelled))


@fact
def declared_services(deployments: Objects[Document], release: Any) -> Objects[ProductService]:
    """The product's services as their Deployments ask for them, without pods."""
    return _services(deployments, release, ())


@fact
def services(deployments: Objects[Document], release: Any, pods: Objects[Pod]) -> Objects[ProductService]:
    """The product's services that exist, each with its Deployment and its pods."""
    return _services(deployments, release, pods)


def _services(deployments: Objects[Document], release: Any, pods: Iterable[Pod]) -> Objects[ProductService]:
    labelled = Labelled(pods)
    by_name = {f"{release.fullname}-{service.component}": service for service in chart.SERVICES}

    def build(item: Document) -> ProductService | None:
        service = by_name.get(item.name)
        return ProductService(service.key, service.component, with_pods(workload(item), labelled)) if service else None

    found = deployments.each(build)
    return Objects(
        sorted(found, key=lambda one: chart.COMPONENTS.index(one.component)), installed=found.installed,
        unreadable=tuple(item for item in found.unreadable if _is_product(item, by_name)), partial=found.partial,
    )  # fmt: skip


def _is_product(item: Unread, names: Iterable[str]) -> bool:
    return item.subject.name is None or item.subject.name in names
