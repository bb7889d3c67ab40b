"""Mutations of clusters that Argo CD or Flux keeps, or KEDA scales; the checks belong to several rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from exivity_audit import chart
from exivity_audit.verdict import Status
from tests.builders import encode, stamp
from tests.mutation import Mutation, Object, drop, put
from tests.mutations.secrets import GENERATED, PLAIN, generated
from tests.products.gitops import hook, scaled_object

WARN = Status.WARN
CHART = {"repoURL": "https://charts.acme.eu", "chart": "exivity", "targetRevision": "3.39.2"}


def app(change: Callable[[Object], Any]) -> Callable[[Any], None]:
    """A change of the Application."""
    return lambda cluster: cluster.edit("Application", "exivity", change)


def flux(change: Callable[[Object], Any]) -> Callable[[Any], None]:
    """A change of the HelmRelease."""
    return lambda cluster: cluster.edit("HelmRelease", "exivity", change)


def made_by_the_chart(cluster: Any, secret: str, key: str) -> None:
    """The key has the shape that the chart generates."""
    cluster.edit("Secret", f"exivity-{secret}", put(f"data.{key}", encode(GENERATED)))


def rendered_anew(cluster: Any) -> None:
    """Argo CD renders another appKey each time, and says so."""

    def change(item: Object) -> None:
        entry = next(one for one in item["status"]["resources"] if one["name"] == "exivity-app-key")
        entry["status"] = item["status"]["sync"]["status"] = "OutOfSync"

    made_by_the_chart(cluster, "app-key", "EXIVITY_APP_KEY")
    cluster.edit("Application", "exivity", change)


def hidden(cluster: Any) -> None:
    """Argo CD renders another jwtSecret each time, and was told not to look."""
    made_by_the_chart(cluster, "jwt-secret", "EXIVITY_JWT_SECRET")
    ignored = [{"kind": "Secret", "name": "exivity-jwt-secret", "jsonPointers": ["/data"]}]
    cluster.edit("Application", "exivity", put("spec.ignoreDifferences", ignored))


def just_synced(cluster: Any) -> None:
    """A sync an hour ago says nothing about the next render."""
    made_by_the_chart(cluster, "app-key", "EXIVITY_APP_KEY")
    cluster.edit("Application", "exivity", put("status.operationState.finishedAt", stamp(1 / 24)))


def inline(**values: Any) -> Callable[[Any], None]:
    """The Application names these values, the chart comes from a chart repository."""
    given = {**PLAIN.values(), **values}
    return app(put("spec.source", {**CHART, "helm": {"values": json.dumps(given)}}))


def degraded(item: Object) -> None:
    """Argo CD calls the release Degraded for its Ingress."""
    item["status"]["health"] = {"status": "Degraded"}
    place = {"group": "networking.k8s.io", "kind": "Ingress", "version": "v1", "namespace": "exivity", "name": "exivity"}
    item["status"]["resources"].append({**place, "status": "Synced", "health": {"status": "Degraded"}})


def failing(reason: str) -> Callable[[Object], None]:
    """Flux could not reconcile it."""

    def change(item: Object) -> None:
        item["status"]["conditions"] = [{"type": "Ready", "status": "False", "reason": reason, "message": reason, "lastTransitionTime": stamp(1)}]

    return change


def sinks(cluster: Any) -> None:
    """KEDA may scale edify to nothing: its own default."""
    cluster.edit("ScaledObject", "edify", drop("spec.minReplicaCount"))
    cluster.edit("HorizontalPodAutoscaler", "keda-hpa-edify", put("spec.minReplicas", 1))


def once_and_paused(cluster: Any) -> None:
    """glass is asked for once, and what would scale it is paused."""
    cluster.edit("Deployment", "exivity-glass", put("spec.replicas", 1))
    cluster.add(scaled_object("glass", 2, 4, annotations={"autoscaling.keda.sh/paused": "true"}))


PARAMETER = {**CHART, "helm": {"parameters": [{"name": "service.restore.enabled", "value": "true"}]}}
PAUSED_AT = {"autoscaling.keda.sh/paused-replicas": "1"}

# fmt: off
MUTATIONS = [
    Mutation("Argo CD renders a new appKey each time", "multi_node_argo", "secrets/app-key", rendered_anew),
    Mutation("a new jwtSecret each time is hidden from Argo CD", "multi_node_argo", "secrets/jwt-secret", hidden),
    Mutation("Argo CD has not rendered the appKey again yet", "multi_node_argo", "secrets/app-key", just_synced, WARN),
    Mutation("the Application names another jwtSecret", "multi_node_argo", "secrets/jwt-secret", inline(secret={"jwtSecret": "another-Value_of-32-or-more-Chars"})),
    Mutation("the Application is OutOfSync", "multi_node_argo", "upgrades/version-controlled", app(put("status.sync.status", "OutOfSync")), WARN),
    Mutation("the Application is told to skip reconciling", "multi_node_argo", "upgrades/version-controlled",
             app(put("metadata.annotations", {"argocd.argoproj.io/skip-reconcile": "true"})), WARN),
    Mutation("Argo CD cannot compare", "multi_node_argo", "upgrades/version-controlled", app(put("status.sync.status", "Unknown")), WARN),
    Mutation("the last sync failed", "multi_node_argo", "upgrades/release-healthy", app(put("status.operationState.phase", "Failed"))),
    Mutation("Argo CD calls the release Degraded", "multi_node_argo", "upgrades/release-healthy", app(degraded)),
    Mutation("the last sync ran the restore job", "multi_node_argo", "upgrades/restore-switch",
             app(lambda item: item["status"]["operationState"]["syncResult"]["resources"].append(hook("exivity-db-restore", "PreSync")))),
    Mutation("a parameter turns the restore on", "multi_node_argo", "upgrades/restore-switch", app(put("spec.source", PARAMETER)),
             also=("pvc_sizes/explicit",)),  # the chart's repository and one parameter: nothing names the sizes either
    Mutation("the Application's values name no sizes", "multi_node_argo", "pvc_sizes/explicit", inline(storage={})),
    Mutation("the HelmRelease is suspended", "multi_node_flux", "upgrades/version-controlled", flux(put("spec.suspend", True)), WARN),
    Mutation("Flux cannot fetch the chart", "multi_node_flux", "upgrades/version-controlled", flux(failing("SourceNotReady")), WARN),
    Mutation("Flux installed a generated appKey", "multi_node_flux", "secrets/app-key", lambda c: generated(c, "app-key", "EXIVITY_APP_KEY", "appKey")),
    Mutation("nothing owns what Argo CD once kept", "multi_node_argo", "cluster/helm-release", lambda c: _orphaned(c)),
    Mutation("KEDA may run a hundred griffon", "multi_node_keda", "application/singleton-autoscaling", lambda c: c.add(scaled_object("griffon", 1, None))),
    Mutation("a paused ScaledObject may run three executors", "multi_node_keda", "application/singleton-autoscaling",
             lambda c: c.add(scaled_object("executor", 1, 3, annotations=PAUSED_AT))),
    Mutation("KEDA holds chronos at 1", "multi_node_keda", "application/singleton-autoscaling", lambda c: c.add(scaled_object("chronos", 1, 1)), WARN),
    Mutation("KEDA may scale edify to nothing", "multi_node_keda", "application/stateless-replicas", sinks, WARN),
    Mutation("glass runs once while KEDA is paused", "multi_node_keda", "application/stateless-replicas", once_and_paused),
]
# fmt: on


def _orphaned(cluster: Any) -> None:
    cluster.remove("Application", "exivity")
    for item in list(cluster.all("Deployment")):
        if item["metadata"].get("labels", {}).get(chart.APP_LABEL) == chart.APP:
            cluster.edit("Deployment", item["metadata"]["name"], lambda found: found["metadata"].pop("annotations"))
