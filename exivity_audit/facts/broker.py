"""The brokers that the product is configured for: where each server leads, what runs there, and from which image."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, Reason, Unseen, fact, maybe, seen
from exivity_audit.facts.claims import Claim, ClaimGroup, claim_of
from exivity_audit.facts.configuration import CONFIG, ServiceConfig
from exivity_audit.facts.middleware import ClusterNames, ClusterService, Location, locate, widened
from exivity_audit.facts.rabbitmq import CLUSTER_LABEL, OPERATOR_LABELS, RabbitmqCluster
from exivity_audit.facts.workloads import Container, Pod, Workload, selects
from exivity_audit.subject import Subject

CHART_LABEL = "helm.sh/chart"
LOOPBACK = ("localhost", "127.0.0.1", "::1", "0.0.0.0")
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?![\w])")
_PORT = re.compile(r"(?P<host>[^:]+):(?P<port>\d{1,5})")


class BrokerKind(enum.Enum):
    """What a configured server leads to."""

    EMBEDDED = "the broker of the Exivity chart"
    OPERATOR = "a broker of the RabbitMQ Cluster Operator"
    OTHER = "another broker in this cluster"
    EXTERNAL = "a broker outside this cluster"
    MISSING = "nothing"


class BrokerVersion(Struct, frozen=True, order=True):
    """A release of RabbitMQ, by an image's tag."""

    major: int
    minor: int
    text: str

    @property
    def release(self) -> str:
        """Major and minor, as release tables name them: ``4.3``."""
        return f"{self.major}.{self.minor}"


class BrokerInstance(Struct, frozen=True):
    """One configured server. ``workload``, ``pods`` and ``claims`` raise NotSeen when used where they could not be read."""

    subject: Subject  # the release, narrowed to the server where several are configured
    source: Source  # the first config.json that names it
    host: str
    port: str
    secure: bool
    vhost: str
    user: str
    kind: BrokerKind
    location: Location
    cluster: RabbitmqCluster | None = None
    workload: Workload | None = None
    pods: tuple[Pod, ...] = ()
    claims: tuple[Claim, ...] = ()
    vhosts: frozenset[str] = frozenset()  # every virtual host that a config.json names on it

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BrokerInstance) and self._configured == other._configured

    def __hash__(self) -> int:
        return hash(self._configured)

    @property
    def _configured(self) -> tuple[object, ...]:
        """What tells it from another one; what may not have been read is not touched."""
        named = (self.subject, self.source, self.host, self.port, self.secure, self.vhost, self.user)
        return (*named, self.kind, self.location, self.cluster, self.vhosts)

    @property
    def server(self) -> str:
        """Host and port as a report names them."""
        return f"{self.host}:{self.port}" if self.port else self.host

    @property
    def inside(self) -> bool:
        """Whether it runs in this cluster."""
        return self.kind in (BrokerKind.EMBEDDED, BrokerKind.OPERATOR, BrokerKind.OTHER)

    @property
    def at(self) -> tuple[BrokerInstance, str, str]:
        """The configuration that names it, as evidence."""
        return self, CONFIG, self.server

    @property
    def home(self) -> Subject:
        """The object that a person edits to change the broker itself."""
        if self.cluster is not None:
            return self.cluster.subject
        return self.workload.subject if self.workload is not None else self.subject

    @property
    def containers(self) -> tuple[Container, ...]:
        """The broker's container in each of its pods that is alive, else in its workload's template."""
        running = tuple(found for pod in self.pods if pod.alive and (found := _broker_container(pod.containers)) is not None)
        template = _broker_container(self.workload.containers) if not running and self.workload is not None else None
        return running or ((template,) if template is not None else ())

    @property
    def images(self) -> tuple[str, ...]:
        """The distinct images that it runs from."""
        return tuple(dict.fromkeys(container.image for container in self.containers if container.image))

    @property
    def image(self) -> str:
        """The image of the oldest release that it runs from; empty where nothing runs."""
        return min(self.images, key=lambda image: (broker_version(image) is not None, broker_version(image) or image), default="")

    @property
    def version(self) -> BrokerVersion | None:
        """The release by the tag of the running image; None where one tag does not say it."""
        return broker_version(self.image)

    @property
    def legacy(self) -> bool:
        """Whether it runs from an image of ``bitnamilegacy``."""
        return any(chart.LEGACY_IMAGE in image for image in self.images)

    @property
    def replicas(self) -> int:
        """How many nodes it has: the operator never scales down, so its StatefulSet may have more than the cluster asks for."""
        asked = self.cluster.replicas if self.cluster is not None else 0
        there = (
            self.workload.replicas if self.workload is not None else 0 if self.cluster is not None else len([pod for pod in self.pods if pod.alive])
        )
        return max(asked, there)


def broker_version(image: str) -> BrokerVersion | None:
    """The release that an image of RabbitMQ names in its tag: ``rabbitmq:4.3.1-management`` is 4.3."""
    path, _, tag = image.partition("@")[0].rpartition(":")
    if "rabbitmq" not in path.lower() or "/" in tag:
        return None
    found = _VERSION.match(tag)
    return BrokerVersion(int(found[1]), int(found[2]), found[0].removeprefix("v")) if found else None


def _broker_container(containers: Iterable[Container]) -> Container | None:
    every = tuple(containers)
    return next((one for one in every if one.name == "rabbitmq" or "rabbitmq" in one.image.rpartition("/")[2].lower()), every[0] if every else None)


class _Server(Struct, frozen=True):
    """One server as the configuration names it, with everybody that names it."""

    host: str
    port: str
    secure: bool
    configs: tuple[ServiceConfig, ...]


def _servers(configs: Objects[ServiceConfig]) -> list[_Server]:
    found: dict[tuple[str, str, bool], list[ServiceConfig]] = {}
    for config in configs:
        for broker in config.brokers:
            told = _PORT.fullmatch(broker.host)
            host, port = (told["host"], broker.port or told["port"]) if told else (broker.host, broker.port)
            found.setdefault((host.lower().rstrip("."), port, broker.secure), []).append(config)
    return [_Server(*key, tuple(members)) for key, members in found.items()]


class _Seen(Struct, frozen=True):
    """What was read of the places where brokers run; each part may be unseen."""

    clusters: Any
    statefulsets: Any
    pods: Any
    claims: Any


def _surely(collection: Any, found: tuple[Any, ...], namespace: str) -> Any:
    """What was found in a namespace; what raises NotSeen where nothing was found and not all of it could be read."""
    if not seen(collection):
        return collection
    reasons = tuple(one for one in collection.partial if " in " not in one.rule or one.rule.endswith(f" in {namespace}"))
    odd = [item for item in collection.unreadable if item.subject.namespace in (None, namespace)]
    reasons += tuple(Reason(str(item.subject), f"{item.subject}: {item.why}") for item in odd)
    return Unseen(reasons) if reasons and not found else found


def _cluster_of(named: tuple[str, str], service: ClusterService | None, clusters: Any) -> RabbitmqCluster | None:
    """The RabbitmqCluster that a Service leads to, or whose Service is missing. Raises NotSeen where clusters were not read."""
    name, namespace = named
    local = [one for one in clusters if one.namespace == namespace]
    if service is not None and service.selector:
        found = next((one for one in local if selects(service.selector, one.pod_labels)), None)
    else:
        found = next((one for one in local if name in (one.name, f"{one.name}-nodes")), None)
    if found is None:
        len(_surely(clusters, (), namespace))  # raises where one of this namespace could not be read
    return found


def _in(collection: Any, namespace: str) -> list[Any]:
    return [one for one in collection if one.namespace == namespace] if seen(collection) else []


def _parts(location: Location, cluster: RabbitmqCluster | None, known: _Seen) -> dict[str, Any]:
    """Workload, pods and claims behind a Service of this cluster, each unseen where it could not be read."""
    namespace = location.named[1] if location.named is not None else ""
    selector = location.service.selector if location.service is not None else {}
    server = f"{cluster.name}-server" if cluster is not None else ""
    sets = [one for one in _in(known.statefulsets, namespace) if one.name == server or (not server and selects(selector, one.template_labels))]
    workloads = _surely(known.statefulsets, tuple(sets[:1]), namespace)
    labels = {**OPERATOR_LABELS, CLUSTER_LABEL: cluster.name} if cluster is not None else selector
    pods = _surely(known.pods, tuple(pod for pod in _in(known.pods, namespace) if selects(labels, pod.labels)), namespace)
    mounted = {claim for pod in pods for claim in pod.claims if pod.alive} if seen(pods) else set()
    owner = server or (sets[0].name if sets else "")
    claims = tuple(one for one in _in(known.claims, namespace) if one.name in mounted or (owner and _of_set(one.name, owner)))
    workload = (workloads[0] if workloads else None) if seen(workloads) else workloads
    return {"workload": workload, "pods": pods, "claims": _surely(known.claims, claims, namespace)}


def _of_set(claim: str, owner: str) -> bool:
    """Whether a claim is named as a StatefulSet names those of its templates: ``template-owner-0``."""
    rest, _, number = claim.rpartition("-")
    return number.isdigit() and rest.endswith(f"-{owner}")


def _kind(location: Location, known: _Seen) -> tuple[BrokerKind, RabbitmqCluster | None, dict[str, Any]]:
    """What a located server is. Raises NotSeen where that could not be told."""
    if location.host in LOOPBACK or not location.host:
        return BrokerKind.MISSING, None, {}
    if location.named is None:
        return BrokerKind.EXTERNAL, None, {}
    service = location.service
    if service is not None and not service.selector:
        by_name = _cluster_of(location.named, None, known.clusters)
        return (BrokerKind.OPERATOR, by_name, _parts(location, by_name, known)) if by_name else (BrokerKind.EXTERNAL, None, {})
    if service is not None:
        parts = _parts(location, None, known)
        workload = parts["workload"] if seen(parts["workload"]) else None
        labels = [service.labels, *((workload.labels,) if workload is not None else ())]
        if any(one.get(CHART_LABEL, "").startswith(chart.EMBEDDED_RABBITMQ_CHART) for one in labels):
            return BrokerKind.EMBEDDED, None, parts
    cluster = _cluster_of(location.named, service, known.clusters)
    if cluster is not None:
        return BrokerKind.OPERATOR, cluster, _parts(location, cluster, known)
    if service is None:
        return BrokerKind.MISSING, None, {}
    legacy = any(chart.LEGACY_IMAGE in one.image for pod in parts["pods"] for one in pod.containers)
    template = parts["workload"].images if parts["workload"] is not None else ()
    legacy = legacy or any(chart.LEGACY_IMAGE in image for image in template)
    return (BrokerKind.EMBEDDED if legacy else BrokerKind.OTHER), None, parts


@fact
def broker_claims(persistentvolumeclaims: Any = maybe, middleware_claims: Any = maybe) -> Objects[Claim]:
    """Every claim of the release's namespace and of its middleware's, any of which may be a broker's."""

    def build(item: Document) -> Claim:
        return claim_of(item, "rabbitmq", ClaimGroup.RABBITMQ)

    return widened(persistentvolumeclaims, middleware_claims).each(build)


@fact
def brokers(
    configs: Objects[ServiceConfig], cluster_names: ClusterNames, release: Any, rabbitmq_clusters: Any = maybe, cluster_statefulsets: Any = maybe,
    cluster_pods: Any = maybe, broker_claims: Any = maybe,
) -> Objects[BrokerInstance]:  # fmt: skip
    """Every distinct server that a ``config.json`` names, and what it leads to."""
    known = _Seen(rabbitmq_clusters, cluster_statefulsets, cluster_pods, broker_claims)
    servers = _servers(configs)
    found = []
    for server in servers:
        location = locate(server.host, cluster_names)
        kind, cluster, parts = _kind(location, known)
        first = server.configs[0]
        name = f"{server.host or 'no host'}:{server.port}{'' if server.secure else ' plain'}" if len(servers) > 1 else ""
        found.append(BrokerInstance(
            subject=release.subject.at(name) if name else release.subject, source=first.source, host=server.host, port=server.port,
            secure=server.secure, vhost=first.vhost or "/", user=first.broker_user, kind=kind, location=location, cluster=cluster,
            vhosts=frozenset(one.vhost or "/" for one in server.configs), **parts,
        ))  # fmt: skip
    return Objects(found, installed=configs.installed, unreadable=configs.unreadable, partial=configs.partial)
