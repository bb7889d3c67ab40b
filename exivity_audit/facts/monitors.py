"""ServiceMonitors and PodMonitors: what each of them looks for, and whether it finds a port by its name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import NotSeen, Objects, Reason, fact
from exivity_audit.facts.prometheus import Namespaces, Selectable, Selected, Server, bindings, selects
from exivity_audit.facts.reach import whole
from exivity_audit.facts.selectors import selector_fits
from exivity_audit.facts.workloads import Pod
from exivity_audit.subject import Subject


class Endpoint(Struct, frozen=True):
    """A port that a monitor scrapes: by name, else by the number or name of the container's port; by neither it takes all."""

    name: str
    target: str | int | None


class Monitor(Selectable, frozen=True):
    """A ServiceMonitor or PodMonitor."""

    selector: Any = None
    any_namespace: bool = False
    match_names: tuple[str, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()

    def looks_in(self, namespace: str, one: Server) -> bool:
        """Whether it looks for targets in a namespace: its own, unless it says otherwise and the server lets it."""
        if one.ignores_namespace_selectors or not (self.any_namespace or self.match_names):
            return namespace == self.namespace
        return self.any_namespace or namespace in self.match_names

    def finds(self, target: Target, one: Server) -> bool:
        """Whether it finds a target at all, whatever its ports."""
        return target.kind == self.kind and self.looks_in(target.namespace, one) and selector_fits(self.selector, target.labels)

    def takes(self, target: Target) -> bool:
        """Whether one of its endpoints is a port of the target."""
        return any(not one.name or one.name in target.ports for one in self.endpoints)


class Target(Struct, frozen=True):
    """What a monitor may find: a Service, or the pods of one kind; ``ports`` are the names of their ports."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    labels: dict[str, str]
    ports: tuple[str, ...]
    kind: str  # of the monitors that look for it


class Watch(Struct, frozen=True):
    """A monitor that takes a target, and the server that takes the monitor."""

    monitor: Monitor
    server: Server


def _value(item: Document, path: str) -> str | int | None:
    found = item.get(path)
    return found if isinstance(found, str | int) and not isinstance(found, bool) and found != "" else None


def _service_monitor(item: Document) -> Monitor:
    files = ("bearerTokenFile", "tlsConfig.caFile", "tlsConfig.certFile", "tlsConfig.keyFile")
    endpoints = list(item.items("spec.endpoints"))
    return Monitor(
        **_common(item, "serviceMonitor"), endpoints=tuple(Endpoint(one.text("port") or "", _value(one, "targetPort")) for one in endpoints),
        opens_files=any(one.boolean(path) for one in endpoints for path in files),
    )  # fmt: skip


def _pod_monitor(item: Document) -> Monitor:
    endpoints = (
        Endpoint(one.text("port") or "", one.integer("portNumber") or _value(one, "targetPort")) for one in item.items("spec.podMetricsEndpoints")
    )
    return Monitor(**_common(item, "podMonitor"), endpoints=tuple(endpoints))


def _common(item: Document, kind: str) -> dict[str, Any]:
    selector = item.get("spec.selector")
    selector_fits(selector, {})
    return {
        "subject": item.subject, "source": item.source, "name": item.name, "namespace": item.namespace or "", "labels": item.labels(), "kind": kind,
        "bindings": bindings(item), "selector": selector, "any_namespace": item.boolean("spec.namespaceSelector.any") or False,
        "match_names": item.strings("spec.namespaceSelector.matchNames"),
    }  # fmt: skip


@fact
def service_monitor_objects(service_monitors: Objects[Document], site: Any) -> Objects[Monitor]:
    """Every ServiceMonitor of the cluster."""
    return whole(service_monitors, site, "service_monitors").each(_service_monitor)


@fact
def pod_monitor_objects(pod_monitors: Objects[Document], site: Any) -> Objects[Monitor]:
    """Every PodMonitor of the cluster."""
    return whole(pod_monitors, site, "pod_monitors").each(_pod_monitor)


def service_target(item: Document) -> Target:
    """A Service as what a ServiceMonitor may find. Raises Malformed."""
    ports = tuple(one.text("name") or "" for one in item.items("spec.ports"))
    return Target(item.subject, item.source, item.name, item.namespace or "", item.labels(), ports, "serviceMonitor")


def pod_target(pod: Pod) -> Target:
    """A pod as what a PodMonitor may find."""
    return Target(Subject("Pod", pod.name, pod.namespace), pod.source, pod.name, pod.namespace, pod.labels, pod.ports, "podMonitor")


@fact
def service_targets(service_objects: Objects[Document]) -> Objects[Target]:
    """Every Service of the release's namespace."""
    return service_objects.each(service_target)


@fact
def middleware_service_targets(service_objects: Objects[Document], middleware_services: Objects[Document]) -> Objects[Target]:
    """Every Service of the release's namespace and of its middleware's."""
    return service_objects.join(middleware_services).each(service_target)


def component_targets(targets: Iterable[Target], component: str, fullname: str) -> tuple[Target, ...]:
    """The Services of one of the eleven components, by the chart's labels."""
    return tuple(one for one in targets if one.labels.get(chart.COMPONENT_LABEL) == component and one.labels.get(chart.NAME_LABEL) == fullname)


def watches(targets: Iterable[Target], monitors: Iterable[Monitor], servers: Iterable[Server], namespaces: Namespaces) -> tuple[Watch, ...]:
    """The monitors that working servers take and that find one of the targets with a port.

    Raises NotSeen where there is none and one of them might be taken.
    """
    every, working = tuple(targets), [one for one in servers if one.scrapes and one.working and not one.unmanaged]
    found: list[Watch] = []
    doubts: list[Reason] = []
    for monitor in monitors:
        for one in working:
            if not any(monitor.finds(target, one) and monitor.takes(target) for target in every):
                continue
            try:
                if selects(one, monitor, namespaces) is Selected.YES:
                    found.append(Watch(monitor, one))
            except NotSeen as error:
                doubts.extend(error.reasons)
    if not found and doubts:
        raise NotSeen(tuple(sorted(set(doubts))))
    return tuple(found)
