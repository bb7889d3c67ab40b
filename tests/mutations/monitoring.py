"""Mutations of the row monitoring, and of what the rows postgresql, rabbitmq and capacity ask of it."""

from __future__ import annotations

from typing import Any

from exivity_audit.verdict import Status
from tests.mutation import Mutation, drop, put
from tests.products.monitoring import ALERTMANAGER, CONFIG, FULL, PROMETHEUS, config_secrets, kubernetes_rules

EXPR = "spec.groups.0.rules.{}.expr"


def gone(*names: str) -> Any:
    """A change that removes some PrometheusRules."""
    return lambda cluster: [cluster.remove("PrometheusRule", name) for name in names]


def rules(name: str, *texts: str) -> Any:
    """A change of the expressions of a PrometheusRule, in their order."""

    def change(cluster: Any) -> None:
        for number, text in enumerate(texts):
            cluster.edit("PrometheusRule", name, put(EXPR.format(number), text))

    return change


def without_node_and_workload_alerts(cluster: Any) -> None:
    """Nothing of kube-prometheus is left but its rules on volumes."""
    for item in kubernetes_rules():
        if not item["metadata"]["name"].endswith("kubernetes-storage"):
            cluster.remove("PrometheusRule", item["metadata"]["name"])


def configured(config: str) -> Any:
    """A change of Alertmanager's configuration, as it is given and as the operator hands it on."""

    def change(cluster: Any) -> None:
        for secret in config_secrets(config):
            cluster.edit("Secret", secret["metadata"]["name"], put("data", secret["data"]))

    return change


def stands_still(kind: str, name: str) -> Any:
    """A change that leaves nothing of a server ready."""

    def change(cluster: Any) -> None:
        cluster.edit(kind, name, put("status.availableReplicas", 0))
        cluster.edit(kind, name, put("status.unavailableReplicas", 1))

    return change


def scaled_to_zero(cluster: Any) -> None:
    """Prometheus with no replica asked for."""
    cluster.edit("Prometheus", PROMETHEUS, put("spec.replicas", 0))
    cluster.edit("Prometheus", PROMETHEUS, put("status.availableReplicas", 0))


def unlabelled(cluster: Any) -> None:
    """The ServiceMonitors as the chart makes them: without the label of a stock kube-prometheus-stack."""
    for item in list(cluster.all("ServiceMonitor")):
        if item["metadata"]["namespace"] == "exivity":
            cluster.edit("ServiceMonitor", item["metadata"]["name"], drop("metadata.labels.release"))


def another_alertmanager(name: str) -> Any:
    """A change of the Service that Prometheus sends its alerts to."""
    return lambda cluster: cluster.edit("Prometheus", PROMETHEUS, put("spec.alerting.alertmanagers.0.name", name))


MUTATIONS = [
    Mutation("Prometheus is scaled to zero", "multi_node", "monitoring/stack", scaled_to_zero),
    Mutation("no replica of Prometheus is ready", "single_node", "monitoring/stack", stands_still("Prometheus", PROMETHEUS)),
    Mutation("Prometheus is paused", "multi_node", "monitoring/stack", lambda c: c.edit("Prometheus", PROMETHEUS, put("spec.paused", True)), to=Status.WARN),
    Mutation("the monitors carry no release label", "multi_node", "monitoring/service-monitors", unlabelled),
    Mutation("one monitor carries another label", "single_node", "monitoring/service-monitors", lambda c: c.edit("ServiceMonitor", "exivity-use", put("metadata.labels.release", "other"))),
    Mutation("a monitor is gone", "multi_node", "monitoring/service-monitors", lambda c: c.remove("ServiceMonitor", "exivity-chronos")),
    Mutation("a Service has another port", "multi_node", "monitoring/service-monitors", lambda c: c.edit("Service", "exivity-component-glass", put("spec.ports.0.name", "http-metrics"))),
    Mutation("no rule on nodes and workloads", "multi_node", "monitoring/alerts-cluster", without_node_and_workload_alerts),
    Mutation("the product's rule is gone", "multi_node", "monitoring/alerts-application", gone("exivity")),
    Mutation(
        "the product's rule is another namespace's", "single_node", "monitoring/alerts-application",
        rules("exivity", 'kube_deployment_status_replicas_available{namespace="shop"} == 0', 'up{namespace="shop"} == 0'),
    ),
    Mutation("the product's rule is not selected", "multi_node", "monitoring/alerts-application", lambda c: c.edit("PrometheusRule", "exivity", drop("metadata.labels.release"))),
    Mutation("the database's rule is gone", "multi_node", "monitoring/alerts-postgresql", gone("pg")),
    Mutation(
        "the database's rule is another database's", "multi_node", "monitoring/alerts-postgresql",
        rules("pg", *['cnpg_collector_up{namespace=~"shop|wiki"} == 0'] * 3),
    ),
    Mutation("the broker's rule is gone", "multi_node", "monitoring/alerts-rabbitmq", gone("rabbitmq")),
    Mutation("the broker's rule is another broker's", "single_node", "monitoring/alerts-rabbitmq", rules("rabbitmq", *['rabbitmq_connections{namespace="shop"} > 1'] * 4)),
    Mutation("the ingress has no rule", "multi_node", "monitoring/alerts-ingress", gone("traefik")),
    Mutation("the ingress rule is another controller's", "single_node", "monitoring/alerts-ingress", rules("traefik", "rate(nginx_ingress_controller_requests[5m]) > 1")),
    Mutation("nothing tells of volumes", "multi_node", "monitoring/alerts-storage", gone(f"{FULL}-kubernetes-storage", "longhorn")),
    Mutation("nothing tells of the volumes of the namespace", "single_node", "monitoring/alerts-storage",
             rules(f"{FULL}-kubernetes-storage", *['kubelet_volume_stats_available_bytes{namespace!="exivity"} < 1'] * 2)),
    Mutation("nothing tells of certificates", "multi_node", "monitoring/alerts-certificates", gone("certificates")),
    Mutation("nothing tells of backups", "single_node", "monitoring/alerts-backups", lambda c: (gone("velero")(c), rules("pg", *["cnpg_collector_up == 0"] * 3)(c))),
    Mutation("everything ends in the receiver null", "multi_node", "monitoring/delivery", configured(CONFIG.replace("receiver: operations", "receiver: 'null'", 1))),
    Mutation("the receiver has no integration", "single_node", "monitoring/delivery", configured(CONFIG[: CONFIG.index("    email_configs:")])),
    Mutation("no replica of Alertmanager is ready", "multi_node", "monitoring/delivery", stands_still("Alertmanager", ALERTMANAGER)),
    Mutation("Prometheus names no Alertmanager", "multi_node", "monitoring/delivery", lambda c: c.edit("Prometheus", PROMETHEUS, drop("spec.alerting"))),
    Mutation("Prometheus names a Service that is not there", "single_node", "monitoring/delivery", another_alertmanager("alertmanager")),
    Mutation("the database's monitor is not selected", "multi_node", "postgresql/monitoring", lambda c: c.edit("PodMonitor", "pg", put("metadata.labels", {"app": "pg"}))),
    Mutation("the database has no monitor", "multi_node", "postgresql/monitoring", lambda c: c.remove("PodMonitor", "pg")),
    Mutation("the database's monitor asks for another port", "multi_node", "postgresql/monitoring", lambda c: c.edit("PodMonitor", "pg", put("spec.podMetricsEndpoints.0.port", "http"))),
    Mutation("the broker has no monitor", "multi_node", "rabbitmq/monitoring", lambda c: c.remove("ServiceMonitor", "rabbitmq")),
    Mutation("the broker's monitor looks for another Service", "single_node", "rabbitmq/monitoring",
             lambda c: c.edit("ServiceMonitor", "rabbitmq", put("spec.selector.matchLabels", {"app.kubernetes.io/name": "other"}))),
    Mutation("nobody is told that queues grow", "multi_node", "rabbitmq/monitoring", rules("rabbitmq", *["rabbitmq_connections > 500"] * 3)),
    Mutation("nobody is told that volumes fill", "multi_node", "capacity/alerts",
             lambda c: (gone(f"{FULL}-kubernetes-storage")(c), rules("longhorn", *["longhorn_volume_robustness == 2"] * 2)(c))),
    Mutation("nobody is told that the node's disk fills", "single_node", "capacity/alerts", gone(f"{FULL}-node-exporter")),
]  # fmt: skip
