"""Prometheus as its operator runs it: which servers run, and which monitors and rules each of them selects."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import NotSeen, Objects, Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.reach import join_seen, whole
from exivity_audit.facts.selectors import selector_fits
from exivity_audit.subject import Subject

OPENSHIFT_NAMESPACES = ("openshift-monitoring", "openshift-user-workload-monitoring")
NAMESPACE_NAME = "kubernetes.io/metadata.name"
MONITORS = ("serviceMonitor", "podMonitor", "probe", "scrapeConfig")
BOUND_AS = {"Prometheus": "prometheuses", "PrometheusAgent": "prometheusagents", "ThanosRuler": "thanosrulers"}


class Selected(enum.Enum):
    """Whether a server takes an object, and if not, why."""

    YES = "selected"
    NO_SELECTOR = "it selects none of the kind"
    LABELS = "its labels do not match"
    NAMESPACE = "its namespace is not selected"
    REJECTED = "the operator rejected it"


class Selector(Struct, frozen=True):
    """The object selector of a kind, and the selector of its namespaces; None where it is null."""

    objects: Any
    namespaces: Any

    @property
    def wanted(self) -> dict[str, str]:
        """The labels it asks an object for by value."""
        labels = self.objects.get("matchLabels") if isinstance(self.objects, dict) else None
        return {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}


class Server(Struct, frozen=True):
    """A Prometheus, an agent, or a ThanosRuler that evaluates rules; ``ready`` is None where its status does not say."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    replicas: int
    ready: int | None
    reason: str  # of its condition Available, where that is not True
    paused: bool
    selectors: Mapping[str, Selector]
    ignores_namespace_selectors: bool
    files_denied: bool
    enforced_label: str
    excluded: tuple[tuple[str, str, str], ...]  # resource, namespace and name of what is not bound to its namespace
    alertmanagers: tuple[tuple[str, str], ...]  # namespace and name of the Services
    other_alertmanagers: bool
    remote_writes: int

    def __hash__(self) -> int:
        return hash(self.subject)

    @property
    def kind(self) -> str:
        """``Prometheus``, ``PrometheusAgent`` or ``ThanosRuler``."""
        return self.subject.kind

    @property
    def scrapes(self) -> bool:
        """Whether it takes monitors."""
        return self.kind != "ThanosRuler"

    @property
    def evaluates(self) -> bool:
        """Whether it takes rules."""
        return self.kind != "PrometheusAgent"

    @property
    def working(self) -> bool:
        """Whether it is not known to stand still."""
        return self.replicas > 0 and self.ready != 0

    @property
    def unmanaged(self) -> bool:
        """Whether it takes its configuration from elsewhere: all four selectors of what it scrapes are null."""
        return self.scrapes and all(self.selectors[kind].objects is None for kind in MONITORS)

    @property
    def openshift(self) -> bool:
        """Whether it is OpenShift's own."""
        return self.namespace in OPENSHIFT_NAMESPACES


def readiness(item: Document) -> int | None:
    """How many replicas the operator's status calls available; None where it says nothing. Raises Malformed."""
    ready, available = item.integer("status.availableReplicas"), _available(item)
    if ready is not None:
        return ready
    if available is not None:
        return 1 if available.text("status") in ("True", "Degraded") else 0
    return None if item.integer("status.replicas") is None else 0  # the field is left out where it is zero


def _unavailable(item: Document) -> str:
    available = _available(item)
    return (available.text("reason") or "") if available is not None and available.text("status") != "True" else ""


def _available(item: Document) -> Document | None:
    return next((one for one in item.items("status.conditions") if one.text("type") == "Available"), None)


def server(item: Document) -> Server:
    """An object of the operator as a server. Raises Malformed."""
    scrapes, evaluates = item.kind != "ThanosRuler", item.kind != "PrometheusAgent"
    asked, shards = item.integer("spec.replicas"), item.integer("spec.shards") if scrapes else None
    daemon = item.kind == "PrometheusAgent" and item.text("spec.mode") == "DaemonSet"
    alone = item.kind == "Prometheus"
    return Server(
        subject=item.subject, source=item.source, name=item.name, namespace=item.namespace or "",
        replicas=1 if daemon else (1 if asked is None else asked) * (1 if shards is None else shards), ready=readiness(item),
        reason=_unavailable(item), paused=item.boolean("spec.paused") or False,
        selectors={
            **({kind: _selector(item, kind, kind not in ("probe", "scrapeConfig")) for kind in MONITORS} if scrapes else {}),
            **({"rule": _selector(item, "rule", True)} if evaluates else {}),
        },
        ignores_namespace_selectors=scrapes and (item.boolean("spec.ignoreNamespaceSelectors") or False),
        files_denied=scrapes and (item.boolean("spec.arbitraryFSAccessThroughSMs.deny") or False),
        enforced_label=(item.text("spec.enforcedNamespaceLabel") or "") if evaluates else "",
        excluded=tuple(
            (one.text("resource") or "", one.text("namespace") or "", one.text("name") or "") for one in item.items("spec.excludedFromEnforcement")
        ) if evaluates else (),
        alertmanagers=tuple(
            (one.text("namespace") or item.namespace or "", name) for one in item.items("spec.alerting.alertmanagers") if (name := one.text("name"))
        ) if alone else (),
        other_alertmanagers=alone and (item.boolean("spec.additionalAlertManagerConfigs") or False),
        remote_writes=(item.integer("spec.remoteWrite") or 0) if alone else 0,
    )  # fmt: skip


def _selector(item: Document, kind: str, with_namespaces: bool) -> Selector:
    objects, namespaces = item.get(f"spec.{kind}Selector"), item.get(f"spec.{kind}NamespaceSelector") if with_namespaces else None
    for one in (objects, namespaces):
        selector_fits(one, {})  # a selector that is none makes the object malformed
    return Selector(objects, namespaces)


@fact
def prometheus_servers(prometheuses: Objects[Document], site: Any, prometheus_agents: Any = maybe, thanos_rulers: Any = maybe) -> Objects[Server]:
    """Every Prometheus, agent and ThanosRuler of the cluster."""
    agents = whole(prometheus_agents, site, "prometheus_agents") if seen(prometheus_agents) else prometheus_agents
    rulers = whole(thanos_rulers, site, "thanos_rulers") if seen(thanos_rulers) else thanos_rulers
    return join_seen(whole(prometheuses, site, "prometheuses"), agents, rulers).each(server)


class Namespaces(Struct, frozen=True):
    """The labels of the namespaces that were read, and why others were not."""

    labels: Mapping[str, dict[str, str]]
    missing: tuple[Reason, ...]

    def of(self, name: str) -> dict[str, str]:
        """The labels of a namespace. Raises NotSeen where they were not read."""
        if name not in self.labels:
            raise NotSeen(self.missing or (Reason("monitored_namespaces", f"the labels of namespace {name} were not read", "list namespaces"),))
        return self.labels[name]


@fact
def namespace_labels(monitored_namespaces: Any = maybe) -> Namespaces:
    """The labels by which servers select namespaces; every namespace has its own name among them."""
    if not seen(monitored_namespaces):
        return Namespaces({}, reasons_of(monitored_namespaces))
    found = monitored_namespaces.each(lambda item: (item.name, {NAMESPACE_NAME: item.name, **item.labels()}))
    return Namespaces(dict(found), found.partial)


class Selectable(Struct, frozen=True):
    """What a server may select: a monitor or a rule."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    labels: dict[str, str]
    kind: str  # "serviceMonitor", "podMonitor", "rule", …
    bindings: tuple[tuple[str, str, str, bool, str], ...]  # resource, namespace and name of a server, accepted, reason
    opens_files: bool = False

    def rejection(self, one: Server) -> str | None:
        """Why the operator refused it for a server, by its own status; None where it did not, or says nothing."""
        key = (BOUND_AS[one.kind], one.namespace, one.name)
        found = next((item for item in self.bindings if item[:3] == key), None)
        if found is not None and not found[3]:
            return found[4] or "no reason given"
        return "it reads files, which the server denies" if self.opens_files and one.files_denied else None


def bindings(item: Document) -> tuple[tuple[str, str, str, bool, str], ...]:
    """What the operator's status says of the servers that took an object or refused it. Raises Malformed."""
    found = []
    for one in item.items("status.bindings"):
        accepted = next((entry for entry in one.items("conditions") if entry.text("type") == "Accepted"), None)
        refused = accepted is not None and accepted.text("status") == "False"
        where = (one.text("resource") or "", one.text("namespace") or "", one.text("name") or "")
        found.append((*where, not refused, (accepted.text("reason") or "") if accepted is not None else ""))
    return tuple(found)


def selects(one: Server, item: Selectable, namespaces: Namespaces) -> Selected:
    """Whether a server takes an object.

    Selector ``{}`` takes all, a null object selector none, a null namespace selector the server's own namespace.
    Raises NotSeen where the labels of the object's namespace decide and were not read.
    """
    selector = one.selectors.get(item.kind)
    if selector is None or selector.objects is None:
        return Selected.NO_SELECTOR
    if not selector_fits(selector.objects, item.labels):
        return Selected.LABELS
    if selector.namespaces is None:
        inside = item.namespace == one.namespace
    elif not any(selector.namespaces.get(key) for key in ("matchLabels", "matchExpressions")):
        inside = True
    else:
        inside = selector_fits(selector.namespaces, namespaces.of(item.namespace))
    if not inside:
        return Selected.NAMESPACE
    return Selected.REJECTED if item.rejection(one) is not None else Selected.YES


def missing_labels(one: Server, item: Selectable) -> dict[str, str]:
    """The labels that a server asks an object for by value and that it does not carry."""
    return {key: value for key, value in one.selectors[item.kind].wanted.items() if item.labels.get(key) != value}


def takers(servers: Iterable[Server], item: Selectable, namespaces: Namespaces) -> tuple[Server, ...]:
    """The working servers that take an object.

    Raises NotSeen where none surely does and one of them might.
    """
    found: list[Server] = []
    doubts: list[Reason] = []
    for one in servers:
        if not one.working:
            continue
        try:
            if selects(one, item, namespaces) is Selected.YES:
                found.append(one)
        except NotSeen as error:
            doubts.extend(error.reasons)
    if not found and doubts:
        raise NotSeen(tuple(sorted(set(doubts))))
    return tuple(found)
