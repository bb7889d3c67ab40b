"""The database that the product is configured for: what it is, where it runs, and what the cluster shows of it."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit import chart
from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import NotSeen, Objects, Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.claims import Claim, ClaimGroup, claim_of
from exivity_audit.facts.cnpg import CLUSTER_LABEL, INSTANCE_ROLE, POD_ROLE, POOLER_LABEL, CnpgCluster, Pooler, named_cluster
from exivity_audit.facts.configuration import DatabaseConfig, ServiceConfig
from exivity_audit.facts.database_images import main_images, oldest_major
from exivity_audit.facts.middleware import HOPS, ClusterNames, ClusterService, Location, ServiceEndpoints, host_names, locate, within
from exivity_audit.facts.workloads import Pod, Workload, selects
from exivity_audit.subject import Subject

HELM_CHART = "helm.sh/chart"
DEFAULT_PORT = "5432"
PVC_ROLE = "cnpg.io/pvcRole"
CLAIM_PARTS = {"PG_WAL": "postgresql-wal", "PG_TABLESPACE": "postgresql-tablespace"}  # beside the data itself
_SUFFIXES = {"-rw": "rw", "-ro": "ro", "-r": "r"}


class DatabaseKind(enum.StrEnum):
    """What the configured host leads to."""

    EMBEDDED = "embedded"  # the chart's own
    CNPG = "CloudNativePG"
    OTHER = "another database in this cluster"  # of another operator, or hand-made
    EXTERNAL = "external"
    MISSING = "missing"  # it names a Service that does not exist, or nothing at all


class Database(Struct, frozen=True):
    """The database of the release; ``claims``, ``pods`` and ``endpoints`` say themselves what of them could not be read."""

    subject: Subject  # the Cluster, StatefulSet or Service a person would edit; the release's part ``database`` else
    source: Source
    config: DatabaseConfig
    location: Location
    kind: DatabaseKind
    role: str  # CloudNativePG: rw, ro or r, as the Service or Pooler leads; empty else
    cluster: CnpgCluster | None
    cluster_gap: tuple[Reason, ...]  # why the Cluster of a CloudNativePG Service was not seen
    pooler: Pooler | None
    workload: Workload | None
    major: int | None  # of the running image, or of the operator's status; never of a label
    images: tuple[str, ...]
    claims: Objects[Claim]
    pods: Objects[Pod]
    endpoints: Objects[ServiceEndpoints]

    def of_major(self, major: int | None) -> Database:
        """The same database with the major version that its server told."""
        return replace(self, major=major)

    @property
    def in_cluster(self) -> bool:
        """Whether it runs in this cluster."""
        return self.kind in (DatabaseKind.EMBEDDED, DatabaseKind.CNPG, DatabaseKind.OTHER)

    @property
    def namespace(self) -> str | None:
        """The namespace it runs in."""
        return self.location.named[1] if self.location.named else None


class _Surroundings(Struct, frozen=True):
    """Everything that may show what stands behind a host; each may be Unseen."""

    release: Any
    names: ClusterNames
    clusters: Any
    poolers: Any
    endpoints: Any
    pods: Any
    statefulsets: Any
    deployments: Any
    claims: tuple[Any, ...]


@fact
def database(
    database_config: Objects[DatabaseConfig], release: Any, cluster_names: ClusterNames, configs: Any = maybe, cnpg_clusters: Any = maybe,
    poolers: Any = maybe, cluster_endpoints: Any = maybe, cluster_pods: Any = maybe, cluster_statefulsets: Any = maybe, workloads: Any = maybe,
    persistentvolumeclaims: Any = maybe, middleware_claims: Any = maybe,
) -> Database:  # fmt: skip
    """The database as ``FN-postgres-config`` names it, else the ``config.json`` of a service."""
    config = _config(database_config, configs)
    around = _Surroundings(
        release, cluster_names, cnpg_clusters, poolers, cluster_endpoints, cluster_pods, cluster_statefulsets, workloads,
        (persistentvolumeclaims, middleware_claims),
    )  # fmt: skip
    try:
        location = locate(config.host, cluster_names)
    except NotSeen as error:
        return _by_name(config, error.reasons, around)
    if location.named is None:
        kind = DatabaseKind.EXTERNAL if config.host else DatabaseKind.MISSING
        return _plain(config, location, kind, release)
    if location.service is None:
        return _plain(config, location, DatabaseKind.MISSING, release)
    return _behind(config, location, location.service, around)


def _config(tables: Objects[DatabaseConfig], configs: Any) -> DatabaseConfig:
    one = tables.one()
    if one is not None:
        return one
    tables.surely()
    found: DatabaseConfig | None = next((each.database for each in configs if each.database is not None), None)
    if found is None:
        configs.surely()
        raise NotSeen((Reason("postgres_config", "no ConfigMap of the release names a database"),))
    return found


def _plain(config: DatabaseConfig, location: Location, kind: DatabaseKind, release: Any) -> Database:
    nothing: Any = Objects()
    about = location.service.subject if location.service is not None else release.subject.at("database")
    return Database(about, config.source, config, location, kind, "", None, (), None, None, None, (), nothing, nothing, nothing)


def _by_name(config: DatabaseConfig, reasons: tuple[Reason, ...], around: _Surroundings) -> Database:
    """A CloudNativePG cluster recognised by the Service's name alone, where the Service could not be read. Raises NotSeen."""
    try:
        named = host_names(config.host.split(",")[0].strip(), around.names)
    except NotSeen:
        named = None
    if named is None or not seen(around.clusters):
        raise NotSeen(reasons)
    for suffix, role in _SUFFIXES.items():
        cluster = named_cluster(named[0].removesuffix(suffix), named[1], around.clusters) if named[0].endswith(suffix) else None
        if cluster is not None:
            return _cnpg(config, Location(config.host, named, None, "", (), reasons), cluster.name, role, None, (), around)
    raise NotSeen(reasons)


def _behind(config: DatabaseConfig, location: Location, service: ClusterService, around: _Surroundings) -> Database:
    """What a Service leads to."""
    selector = service.selector
    pooler_name, gap = selector.get(POOLER_LABEL), reasons_of(around.poolers)
    if pooler_name is not None:
        pooler = next((one for one in around.poolers if (one.name, one.namespace) == (pooler_name, service.namespace)), None) if not gap else None
        cluster = pooler.cluster if pooler is not None else service.labels.get(CLUSTER_LABEL, "")
        return _cnpg(config, location, cluster, pooler.kind if pooler is not None else "", pooler, gap, around)
    if CLUSTER_LABEL in selector:
        kind = selector.get(INSTANCE_ROLE) or selector.get("role")
        role = {"primary": "rw", "replica": "ro"}.get(kind or "", "r")
        return _cnpg(config, location, selector[CLUSTER_LABEL], role, None, (), around)
    return _hand_made(config, location, service, around)


def _cnpg(
    config: DatabaseConfig, location: Location, name: str, role: str, pooler: Pooler | None, gap: tuple[Reason, ...], around: _Surroundings
) -> Database:
    assert location.named is not None
    namespace = location.named[1]
    cluster = named_cluster(name, namespace, around.clusters) if seen(around.clusters) else None
    if cluster is None:
        gap = (*gap, *_unread(around.clusters, name, namespace))
    pods = _narrowed(around.pods, lambda pod: pod.namespace == namespace and pod.labels.get(CLUSTER_LABEL) == name and _instance(pod), namespace)
    images = tuple(dict.fromkeys(image for pod in pods if pod.alive for image in main_images(pod.containers)))
    if not images and cluster is not None and cluster.image:
        images = (cluster.image,)
    about = cluster.subject if cluster is not None else Subject("Cluster", name, namespace)
    claims = _claims_of(around, lambda item: item.labels().get(CLUSTER_LABEL) == name, namespace)
    return Database(
        about, cluster.source if cluster is not None else config.source, config, location, DatabaseKind.CNPG, role, cluster, gap, pooler, None,
        oldest_major(images) or (cluster.major if cluster is not None else None), images, claims, pods,
        _endpoints(location, around),
    )  # fmt: skip


def _unread(clusters: Any, name: str, namespace: str) -> tuple[Reason, ...]:
    """Why a cluster that is not among those seen may exist all the same."""
    if not seen(clusters):
        return reasons_of(clusters)
    odd = [item for item in clusters.unreadable if item.subject.name in (None, name) and item.subject.namespace in (None, namespace)]
    return (*clusters.partial, *(Reason(str(item.subject), f"malformed: {item.subject}: {item.why}") for item in odd))


def _instance(pod: Pod) -> bool:
    """Whether a pod of a cluster is one of its instances: no job, no pooler."""
    return pod.labels.get(POD_ROLE, "instance") == "instance" and POOLER_LABEL not in pod.labels and "cnpg.io/jobRole" not in pod.labels


def _hand_made(config: DatabaseConfig, location: Location, service: ClusterService, around: _Surroundings) -> Database:
    """The embedded database, one of another operator, or one behind a Service that leads outside."""
    endpoints = _endpoints(location, around)
    pods = _narrowed(around.pods, lambda pod: pod.namespace == service.namespace and _serves(pod, service, endpoints), service.namespace)
    owner = next(iter(_owners(service, pods, around)), None)
    if owner is None and not service.selector and not pods:
        inner = _next_service(service, endpoints, around.names) if len(location.via) < HOPS else None
        if inner is not None:
            return _behind(config, replace(location, named=(inner.name, inner.namespace), service=inner, via=(*location.via, service)), inner, around)
        pods.surely()
        endpoints.surely()
        kind = DatabaseKind.EXTERNAL if any(one.addresses for one in endpoints) else DatabaseKind.OTHER
        outside = ",".join(sorted({address for one in endpoints for address in one.addresses}))
        place = Location(location.host, location.named, service, outside, location.via)
        return Database(service.subject, service.source, config, place, kind, "", None, (), None, None, None, (), Objects(), Objects(), endpoints)
    kind = DatabaseKind.EMBEDDED if owner is not None and embedded(owner, around.release) else DatabaseKind.OTHER
    images = tuple(dict.fromkeys(image for pod in pods if pod.alive for image in main_images(pod.containers)))
    images = images or (main_images(owner.containers) if owner is not None else ())
    names = {name for pod in pods for name in pod.claims} | set(owner.claims if owner is not None else ())
    if kind is DatabaseKind.EMBEDDED and owner is not None:
        names.add(f"data-{owner.name}-0")
    about = owner if owner is not None else service
    return Database(
        about.subject, about.source, config, location, kind, "", None, (), None, owner, oldest_major(images), images,
        _claims_of(around, lambda item: item.name in names, service.namespace), pods, endpoints,
    )  # fmt: skip


def _next_service(service: ClusterService, endpoints: Iterable[ServiceEndpoints], names: ClusterNames) -> ClusterService | None:
    """The Service to whose address a Service without a selector leads, as some operators make them."""
    addresses = {address for one in endpoints for address in one.addresses}
    others = (one for one in names.services if one.namespace == service.namespace and one.name != service.name)
    return next((one for one in others if addresses & set(one.addresses)), None)


def _serves(pod: Pod, service: ClusterService, endpoints: Iterable[ServiceEndpoints]) -> bool:
    if service.selector:
        return selects(service.selector, pod.labels)
    return any(pod.name in one.pods or (pod.address is not None and pod.address in one.addresses) for one in endpoints)


def _owners(service: ClusterService, pods: Iterable[Pod], around: _Surroundings) -> Iterable[Workload]:
    """StatefulSets, or Deployments of the release's namespace, that a Service selects or its pods belong to. Raises NotSeen."""
    kept = {pod.owner[1] for pod in pods if pod.owner is not None and pod.owner[0] == "StatefulSet"}
    fitting = [
        one
        for one in around.statefulsets
        if one.namespace == service.namespace and (one.name in kept or selects(service.selector, one.template_labels))
    ]
    if fitting:
        return fitting
    hidden = [reason for reason in around.statefulsets.partial if reason.rule.endswith(f" in {service.namespace}")]
    odd = [item for item in around.statefulsets.unreadable if item.subject.namespace == service.namespace]
    if hidden or odd:
        raise NotSeen(tuple(hidden) or tuple(Reason(str(item.subject), f"{item.subject}: {item.why}") for item in odd))
    if service.namespace != around.release.namespace or not seen(around.deployments):
        return ()
    return [one for one in around.deployments if one.subject.kind == "Deployment" and selects(service.selector, one.template_labels)]


def embedded(owner: Workload, release: Any) -> bool:
    """Whether a workload is the database that the chart itself brings: of this release, by its sub-chart's label or Bitnami's image."""
    ours = owner.labels.get(chart.INSTANCE_LABEL) == release.name or owner.helm_release == release.name
    ours = ours or owner.name in {f"{name}-postgresql" for name in (release.name, release.fullname)}
    bitnami = owner.labels.get(HELM_CHART, "").startswith(chart.EMBEDDED_POSTGRESQL_CHART) or any(
        f"/{part}" in f"/{image}" for image in owner.images for part in (f"{chart.LEGACY_IMAGE}/postgresql", "bitnami/postgresql")
    )
    return owner.namespace == release.namespace and ours and bitnami


def _endpoints(location: Location, around: _Surroundings) -> Objects[ServiceEndpoints]:
    assert location.named is not None
    return _narrowed(around.endpoints, lambda one: (one.service, one.namespace) == location.named, location.named[1])


def _narrowed(objects: Any, keep: Any, namespace: str) -> Objects[Any]:
    """The fitting members of a collection, of one namespace; partial with the reasons where that was not read."""
    if not seen(objects):
        return Objects(partial=reasons_of(objects))
    return within(objects.where(keep), namespace)


def _claims_of(around: _Surroundings, keep: Any, namespace: str) -> Objects[Claim]:
    parts: list[Objects[Document]] = [_narrowed(one, lambda item: item.namespace == namespace and keep(item), namespace) for one in around.claims]
    joined = within(parts[0].join(*parts[1:]), namespace)
    return joined.each(lambda item: claim_of(item, CLAIM_PARTS.get(item.labels().get(PVC_ROLE, ""), "postgresql"), ClaimGroup.POSTGRESQL))


class DatabaseAddress(Struct, frozen=True):
    """The database as one ConfigMap of the release names it, and where that leads."""

    subject: Subject
    source: Source
    config: DatabaseConfig
    location: Location

    @property
    def place(self) -> tuple[str, str]:
        """Where it leads, in one spelling: two ways to write one Service are one place."""
        named = self.location.named
        return (f"{named[0]}.{named[1]}.svc" if named else self.location.external.lower().rstrip("."), self.config.port or DEFAULT_PORT)


@fact
def database_addresses(
    database_config: Objects[DatabaseConfig], configs: Objects[ServiceConfig], cluster_names: ClusterNames
) -> Objects[DatabaseAddress]:
    """The database as each ConfigMap of the release names it, ``FN-postgres-config`` first."""
    named: Objects[DatabaseConfig] = database_config.join(configs.each(lambda one: one.database))
    found: list[DatabaseAddress] = []
    reasons: list[Reason] = []
    for one in named:
        try:
            found.append(DatabaseAddress(one.subject, one.source, one, locate(one.host, cluster_names)))
        except NotSeen as error:
            reasons.extend(error.reasons)
    partial = (*named.partial, *dict.fromkeys(reasons))
    return Objects(found, installed=named.installed, unreadable=named.unreadable, partial=partial)
