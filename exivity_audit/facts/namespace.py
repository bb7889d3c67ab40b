"""What runs in the release's namespace, and why it belongs there."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact, maybe, reasons_of, seen
from exivity_audit.facts.claims import part_of
from exivity_audit.facts.cnpg import CLUSTER_LABEL
from exivity_audit.facts.configuration import cluster_service
from exivity_audit.facts.dumps import copies_database
from exivity_audit.facts.installations import Middleware
from exivity_audit.facts.workloads import Pod, selects
from exivity_audit.subject import Subject

EMBEDDED = ("postgresql", "rabbitmq-v4", "rabbitmq")


class Belongs(enum.StrEnum):
    """Why a workload is in the namespace."""

    RELEASE = "the release"
    MIDDLEWARE = "its middleware"
    JOB = "a job for it"
    OTHER_INSTALLATION = "another Exivity installation"
    FOREIGN = "another product"


class Tenant(Struct, frozen=True):
    """A workload, Job, CronJob or bare Pod of the namespace."""

    subject: Subject
    source: Source
    name: str
    belongs: Belongs
    doubt: str  # why a foreign one may belong after all: what could not be seen
    images: tuple[str, ...]
    init_images: tuple[str, ...]


class _Home(Struct, frozen=True):
    """What is known of the release when one of its namespace's workloads is sorted."""

    release: Any
    services: frozenset[str]  # names of Services that its configuration names
    selectors: tuple[dict[str, str], ...]
    doubt: str


_POD = {"Job": "spec.template.spec", "CronJob": "spec.jobTemplate.spec.template.spec"}


@fact
def tenants(
    deployments: Objects[Document], statefulsets: Objects[Document], daemonsets: Objects[Document], jobs: Objects[Document],
    cronjobs: Objects[Document], release: Any, own_middleware: Middleware, service_objects: Any = maybe,
) -> Objects[Tenant]:  # fmt: skip
    """Everything that runs in the namespace, sorted by why it is there; finished Jobs are left out."""
    home = _home(release, own_middleware, service_objects)
    workloads = deployments.join(statefulsets, daemonsets).each(lambda item: _tenant(item, home))
    return workloads.join(jobs.join(cronjobs).each(lambda item: _batch(item, home)))


@fact
def bare_pods(pods: Objects[Pod], release: Any, own_middleware: Middleware, service_objects: Any = maybe) -> Objects[Tenant]:
    """Pods of the namespace that nothing owns and that have not ended, sorted by why they are there."""
    home = _home(release, own_middleware, service_objects)
    return pods.each(lambda item: None if item.owner or item.finished else _bare(item, home))


def _bare(item: Pod, home: _Home) -> Tenant:
    ours = item.labels.get(chart.INSTANCE_LABEL) == home.release.name
    if item.labels.get(chart.APP_LABEL) == chart.APP:
        ours = ours or item.labels.get(chart.NAME_LABEL) == home.release.fullname
        belongs = Belongs.RELEASE if ours else Belongs.OTHER_INSTALLATION
    elif ours:
        belongs = Belongs.RELEASE
    elif any(selects(selector, item.labels) for selector in home.selectors):
        belongs = Belongs.MIDDLEWARE
    else:
        belongs = Belongs.JOB if any(part_of(name, home.release) for name in item.claims) else Belongs.FOREIGN
    images = tuple(one.image for one in item.containers)
    doubt = home.doubt if belongs is Belongs.FOREIGN else ""
    return Tenant(Subject("Pod", item.name, item.namespace), item.source, item.name, belongs, doubt, images, ())


def _home(release: Any, middleware: Middleware, service_objects: Any) -> _Home:
    hosts = [store.host for store in (middleware.database, *middleware.brokers) if store is not None]
    led = (cluster_service(host, release.namespace) for host in hosts)
    names = frozenset(found[0] for found in led if found is not None and found[1] == release.namespace)
    doubts = {middleware.database_gap, middleware.broker_gap, *(reason.text for reason in reasons_of(service_objects))} - {""}
    selectors: tuple[dict[str, str], ...] = ()
    if seen(service_objects):
        found = service_objects.each(lambda item: item.labels("spec.selector") if item.name in names else None)
        selectors = tuple(found)
        doubts |= {reason.text for reason in found.gaps}
    return _Home(release, names, selectors, "; ".join(sorted(doubts)))


def _tenant(item: Document, home: _Home) -> Tenant:
    spec = "spec.template.spec"
    belongs = _kinship(item, home)
    if belongs is None:
        labels = item.labels("spec.template.metadata.labels")
        ours = any(selector.get(CLUSTER_LABEL, "") == labels.get(CLUSTER_LABEL) for selector in home.selectors)  # a pooler of the database
        named = item.name in home.services or ours or any(selects(selector, labels) for selector in home.selectors)
        belongs = Belongs.MIDDLEWARE if named else Belongs.FOREIGN
    images = tuple(entry.text("image") or "" for entry in item.items(f"{spec}.containers"))
    first = tuple(entry.text("image") or "" for entry in item.items(f"{spec}.initContainers"))
    return Tenant(item.subject, item.source, item.name, belongs, home.doubt if belongs is Belongs.FOREIGN else "", images, first)


def _kinship(item: Document, home: _Home) -> Belongs | None:
    """Whether labels, Helm's annotation or the chart's names make it part of the release."""
    labels, release = item.labels(), home.release
    middleware = item.name in {f"{release.name}-{part}" for part in EMBEDDED} or item.name == f"{release.fullname}-rabbitmq"
    ours = labels.get(chart.INSTANCE_LABEL) == release.name or item.text(f"metadata.annotations[{chart.HELM_RELEASE}]") == release.name
    if labels.get(chart.APP_LABEL) == chart.APP:
        return Belongs.RELEASE if ours or labels.get(chart.NAME_LABEL) == release.fullname else Belongs.OTHER_INSTALLATION
    if middleware:
        return Belongs.MIDDLEWARE
    return Belongs.RELEASE if ours else None


def _batch(item: Document, home: _Home) -> Tenant | None:
    if item.kind == "Job" and (item.text("status.completionTime") or any(True for _ in _owners(item))):
        return None  # it has ended, or it stands under its owner: a CronJob or an operator
    spec = _POD[item.kind]
    belongs = _kinship(item, home)
    if belongs is None:
        mounted = (entry.text("persistentVolumeClaim.claimName") or "" for entry in item.items(f"{spec}.volumes"))
        ours = any(part_of(name, home.release) for name in mounted) or (item.kind == "CronJob" and copies_database(item))
        belongs = Belongs.JOB if ours else Belongs.FOREIGN
    images = tuple(entry.text("image") or "" for entry in item.items(f"{spec}.containers"))
    return Tenant(item.subject, item.source, item.name, belongs, "", images, ())


def _owners(item: Document) -> Iterable[str]:
    return (entry.text("kind") or "" for entry in item.items("metadata.ownerReferences"))


class Ownership(Struct, frozen=True):
    """A sign that a tool installed the release and owns its objects."""

    tool: str
    source: Source
    path: str
    value: str


@fact
def ownerships(deployments: Objects[Document], release: Any) -> Objects[Ownership]:
    """Signs of Helm, Argo CD and Flux on the release's Deployments, the first of each."""

    def build(item: Document) -> list[Ownership] | None:
        labels = item.labels()
        if labels.get(chart.APP_LABEL) != chart.APP or not item.name.startswith(f"{release.fullname}-"):
            return None
        signs = [
            ("Helm", f"metadata.annotations[{chart.HELM_RELEASE}]", item.text(f"metadata.annotations[{chart.HELM_RELEASE}]")),
            ("Argo CD", f"metadata.annotations[{chart.ARGO_TRACKING}]", item.text(f"metadata.annotations[{chart.ARGO_TRACKING}]")),
            *(("Flux", f"metadata.labels[{label}]", labels.get(label)) for label in chart.FLUX_LABELS),
        ]
        return [Ownership(tool, item.source, path, value) for tool, path, value in signs if value]

    found = deployments.each(build)
    first: dict[str, Ownership] = {}
    for sign in (sign for signs in found for sign in signs):
        first.setdefault(sign.tool, sign)
    return Objects(first.values(), installed=found.installed, unreadable=found.unreadable, partial=found.partial)
