"""Reads of Prometheus, its monitors and rules, of Alertmanager, and of VictoriaMetrics in their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from exivity_audit.collect.place import MissingRead, NotAsked, Read, cluster, paths, release_namespace
from exivity_audit.collect.reads.middleware import middleware_places
from exivity_audit.document import Document, Malformed
from exivity_audit.fact import Unreadable
from exivity_audit.snapshot import Place

GROUP, VICTORIA = "monitoring.coreos.com", "operator.victoriametrics.com"
SELECTORS = (
    "spec.serviceMonitorSelector spec.serviceMonitorNamespaceSelector spec.podMonitorSelector spec.podMonitorNamespaceSelector spec.probeSelector"
    " spec.scrapeConfigSelector spec.ignoreNamespaceSelectors spec.arbitraryFSAccessThroughSMs.deny"
)
RULE_SELECTORS = (
    "spec.ruleSelector spec.ruleNamespaceSelector spec.enforcedNamespaceLabel spec.excludedFromEnforcement[].resource"
    " spec.excludedFromEnforcement[].namespace spec.excludedFromEnforcement[].name"
)
RUNNING = (
    "metadata.labels spec.paused spec.replicas status.replicas status.availableReplicas status.conditions[].type status.conditions[].status"
    " status.conditions[].reason"
)
BINDINGS = (
    "status.bindings[].resource status.bindings[].namespace status.bindings[].name status.bindings[].conditions[].type"
    " status.bindings[].conditions[].status status.bindings[].conditions[].reason"
)
FILES = {f"spec.endpoints[].{path}": "given" for path in ("bearerTokenFile", "tlsConfig.caFile", "tlsConfig.certFile", "tlsConfig.keyFile")}
NAMESPACE_SELECTORS = (
    "spec.serviceMonitorNamespaceSelector", "spec.podMonitorNamespaceSelector", "spec.ruleNamespaceSelector", "spec.alertmanagerConfigNamespaceSelector",
)  # fmt: skip


def _around(postgres_config: Any, service_configs: Any, service_objects: Any, host_namespaces: Any, release: Any) -> Iterable[Place]:
    """The namespaces of the release and of its middleware, for an account that may list no other."""
    yield Place(release.namespace)
    try:
        yield from middleware_places(postgres_config, service_configs, service_objects, host_namespaces, release)
    except MissingRead:
        return


def _objects(*reads: Any) -> Iterator[Document]:
    """The objects of several reads; those that could not be seen are left out."""
    for read in reads:
        yield from () if isinstance(read, Unreadable) else read


def _selecting_by_label(item: Document) -> bool:
    """Whether an object chooses namespaces by their labels."""
    try:
        return any(
            isinstance(item.value.get("spec", {}).get(path.removeprefix("spec.")), dict) and item.mapping(path) for path in NAMESPACE_SELECTORS
        )
    except (Malformed, AttributeError):
        return True


def _namespaces(prometheuses: Any, prometheus_agents: Any, thanos_rulers: Any, alertmanagers: Any) -> Iterable[Place]:
    """All namespaces, where one of the operator's objects chooses them by label."""
    if any(_selecting_by_label(item) for item in _objects(prometheuses, prometheus_agents, thanos_rulers, alertmanagers)):
        yield Place()


def _known_namespaces(
    prometheuses: Any, postgres_config: Any, service_configs: Any, service_objects: Any, host_namespaces: Any, release: Any
) -> Iterable[Place]:
    """The namespaces of the release, its middleware and Prometheus by name, for an account that may not list them."""
    around = {place.namespace for place in _around(postgres_config, service_configs, service_objects, host_namespaces, release)}
    for name in sorted(around | {item.namespace for item in _objects(prometheuses)}, key=str):
        yield Place(None, name)


def _wired(item: Document) -> Iterator[tuple[str, str]]:
    """Namespace and name of the Services behind which a Prometheus looks for its Alertmanagers."""
    try:
        for one in item.items("spec.alerting.alertmanagers"):
            name = one.text("name")
            if name:
                yield one.text("namespace") or item.namespace or "", name
    except Malformed:
        return


def _alertmanager_services(prometheuses: Any) -> Iterable[Place]:
    if isinstance(prometheuses, Unreadable):
        raise MissingRead(prometheuses)
    for namespace, name in sorted({found for item in prometheuses for found in _wired(item)}):
        yield Place(namespace, name)


def _alertmanager_secrets(alertmanagers: Any, secrets: str) -> Iterable[Place]:
    """The configuration of each Alertmanager: as the operator made it, and as it was given."""
    if isinstance(alertmanagers, Unreadable):
        raise MissingRead(alertmanagers)
    found: set[tuple[str, str]] = set()
    for item in alertmanagers:
        given = item.value.get("spec", {}).get("configSecret") if isinstance(item.value.get("spec"), dict) else None
        name = given if isinstance(given, str) and given else f"alertmanager-{item.name}"
        found |= {(item.namespace or "", f"alertmanager-{item.name}-generated"), (item.namespace or "", name)}
    if found and secrets == "none":
        raise NotAsked("--secrets none")
    for namespace, name in sorted(found):
        yield Place(namespace, name)


READS: tuple[Read, ...] = (
    Read("prometheuses", f"prometheuses.{GROUP}", cluster(), paths(
        f"{RUNNING} {SELECTORS} {RULE_SELECTORS} spec.shards spec.alerting.alertmanagers[].namespace spec.alerting.alertmanagers[].name",
        {"spec.additionalAlertManagerConfigs": "given", "spec.remoteWrite": "count"}), "Prometheus", otherwise=_around),
    Read("prometheus_agents", f"prometheusagents.{GROUP}", cluster(), paths(f"{RUNNING} {SELECTORS} spec.shards spec.mode"), "PrometheusAgent", otherwise=_around),
    Read("thanos_rulers", f"thanosrulers.{GROUP}", cluster(), paths(f"{RUNNING} {RULE_SELECTORS}"), "ThanosRuler", otherwise=_around),
    Read("service_monitors", f"servicemonitors.{GROUP}", cluster(), paths(
        f"metadata.labels spec.selector spec.namespaceSelector spec.endpoints[].port spec.endpoints[].targetPort {BINDINGS}", FILES),
        "ServiceMonitor", otherwise=_around),
    Read("pod_monitors", f"podmonitors.{GROUP}", cluster(), paths(
        f"metadata.labels spec.selector spec.namespaceSelector spec.podMetricsEndpoints[].port spec.podMetricsEndpoints[].portNumber"
        f" spec.podMetricsEndpoints[].targetPort {BINDINGS}"), "PodMonitor", otherwise=_around),
    Read("prometheus_rules", f"prometheusrules.{GROUP}", cluster(), paths(
        f"metadata.labels spec.groups[].rules[].alert spec.groups[].rules[].record spec.groups[].rules[].expr spec.groups[].rules[].for {BINDINGS}"),
        "PrometheusRule", otherwise=_around),
    Read("alertmanagers", f"alertmanagers.{GROUP}", cluster(), paths(
        f"{RUNNING} spec.configSecret spec.alertmanagerConfigSelector spec.alertmanagerConfigNamespaceSelector spec.alertmanagerConfiguration.name"
        " spec.alertmanagerConfigMatcherStrategy.type spec.podMetadata.labels"), "Alertmanager", otherwise=_around),
    Read("alertmanager_configs", f"alertmanagerconfigs.{GROUP}", cluster(), paths("metadata.labels", {"spec": "alertmanager_config"}), "AlertmanagerConfig",
         otherwise=_around),
    Read("alertmanager_services", "services", _alertmanager_services, paths("spec.type spec.selector"), "Service", by_name=True),
    Read("alertmanager_secrets", "secrets", _alertmanager_secrets, paths(
        "metadata.labels", {"data[alertmanager.yaml]": "receivers", "data[alertmanager.yaml.gz]": "receivers"}), "Secret", by_name=True),
    Read("monitored_namespaces", "namespaces", _namespaces, paths("metadata.labels"), "Namespace", otherwise=_known_namespaces),
    Read("vm_agents", f"vmagents.{VICTORIA}", cluster(), paths("spec.replicaCount spec.paused status.updateStatus"), "VMAgent", otherwise=release_namespace()),
    Read("vm_singles", f"vmsingles.{VICTORIA}", cluster(), paths("spec.replicaCount spec.paused status.updateStatus"), "VMSingle", otherwise=release_namespace()),
    Read("vm_clusters", f"vmclusters.{VICTORIA}", cluster(), paths("spec.paused status.updateStatus status.clusterStatus"), "VMCluster", otherwise=release_namespace()),
)  # fmt: skip
