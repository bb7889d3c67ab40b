"""kube-prometheus-stack as its chart installs it in namespace ``monitoring``, the product's monitors, and alerts on all it rests on."""

from __future__ import annotations

from typing import Any

from exivity_audit import chart

Object = dict[str, Any]
SPACE, RELEASE = "monitoring", "monitoring"
FULL = "monitoring-kube-prometheus"
PROMETHEUS, ALERTMANAGER = f"{FULL}-prometheus", f"{FULL}-alertmanager"
API, ALPHA, VICTORIA = "monitoring.coreos.com/v1", "monitoring.coreos.com/v1alpha1", "operator.victoriametrics.com/v1beta1"
SELECTED = {"release": RELEASE}
SERVED = tuple(
    f"{plural}.monitoring.coreos.com"
    for plural in (
        "prometheuses",
        "alertmanagers",
        "servicemonitors",
        "podmonitors",
        "prometheusrules",
        "alertmanagerconfigs",
        "prometheusagents",
        "thanosrulers",
    )
)
CONFIG = """\
global:
  resolve_timeout: 5m
route:
  receiver: operations
  group_by: [namespace, alertname]
  routes:
    - receiver: 'null'
      matchers: ['alertname =~ "InfoInhibitor|Watchdog"']
receivers:
  - name: 'null'
  - name: operations
    email_configs:
      - to: operations@acme.eu
        from: alerts@acme.eu
        smarthost: smtp.acme.eu:587
        auth_password: eR5-tY7_uI9oP2aS4dF6
"""


def multi_node(installation: Any) -> list[Object]:
    """The stack, the monitors and the rules beside Longhorn."""
    return [*stack(), *monitors(installation), *rules(installation), longhorn_rule()]


def single_node(installation: Any) -> list[Object]:
    """The same without Longhorn."""
    return [*stack(), *monitors(installation), *rules(installation)]


def labels(app: str) -> dict[str, str]:
    """The labels of kube-prometheus-stack's own objects."""
    return {
        "app": f"kube-prometheus-stack-{app}" if app else "kube-prometheus-stack", "app.kubernetes.io/instance": RELEASE, "app.kubernetes.io/managed-by": "Helm",
        "app.kubernetes.io/part-of": "kube-prometheus-stack", "app.kubernetes.io/version": "79.5.0", "chart": "kube-prometheus-stack-79.5.0",
        "heritage": "Helm", "release": RELEASE,
    }  # fmt: skip


def condition(kind: str, status: str = "True", reason: str = "") -> Object:
    """A condition as the operator writes it."""
    return {"type": kind, "status": status, "reason": reason, "message": "", "lastTransitionTime": "2026-10-24T12:00:00Z", "observedGeneration": 1}


def running(replicas: int = 1) -> Object:
    """The status of what runs."""
    return {
        "paused": False, "replicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas, "unavailableReplicas": 0,
        "conditions": [condition("Available"), condition("Reconciled")],
    }  # fmt: skip


def prometheus(name: str = PROMETHEUS, namespace: str = SPACE, selector: Object | None = None, **changes: Any) -> Object:
    """A Prometheus of the operator; the selectors of a stock chart take what carries its release label, in any namespace."""
    from tests.builders import made

    chosen = {"matchLabels": dict(SELECTED)} if selector is None else selector
    spec: Object = {
        "replicas": 1, "shards": 1, "paused": False, "version": "v3.7.3", "image": "quay.io/prometheus/prometheus:v3.7.3", "portName": "http-web",
        "serviceAccountName": name, "retention": "10d", "scrapeInterval": "30s", "evaluationInterval": "30s",
        **{f"{kind}Selector": chosen for kind in ("serviceMonitor", "podMonitor", "probe", "scrapeConfig", "rule")},
        **{f"{kind}NamespaceSelector": {} for kind in ("serviceMonitor", "podMonitor", "probe", "scrapeConfig", "rule")},
        "alerting": {"alertmanagers": [{"namespace": SPACE, "name": ALERTMANAGER, "port": "http-web", "pathPrefix": "/", "apiVersion": "v2"}]},
        **changes,
    }  # fmt: skip
    return made(API, "Prometheus", name, namespace, metadata={"labels": labels("prometheus")}, spec=spec, status={**running(), "shards": 1})


def alertmanager(**changes: Any) -> Object:
    """The Alertmanager of the chart."""
    from tests.builders import made

    spec = {
        "replicas": 1, "paused": False, "version": "v0.29.0", "image": "quay.io/prometheus/alertmanager:v0.29.0", "portName": "http-web", "retention": "120h",
        "alertmanagerConfigSelector": {}, "alertmanagerConfigNamespaceSelector": {}, "serviceAccountName": ALERTMANAGER, **changes,
    }  # fmt: skip
    return made(API, "Alertmanager", ALERTMANAGER, SPACE, metadata={"labels": labels("alertmanager")}, spec=spec, status=running())


def config_secrets(config: str = CONFIG) -> list[Object]:
    """The configuration as it was given, and as the operator hands it to the pods."""
    import gzip

    from tests.builders import encode, made

    given = made("v1", "Secret", f"alertmanager-{ALERTMANAGER}", SPACE, metadata={"labels": labels("alertmanager")}, type="Opaque",
                 data={"alertmanager.yaml": encode(config)})  # fmt: skip
    packed = made("v1", "Secret", f"alertmanager-{ALERTMANAGER}-generated", SPACE, metadata={"labels": {"managed-by": "prometheus-operator"}}, type="Opaque",
                  data={"alertmanager.yaml.gz": encode(gzip.compress(config.encode(), mtime=0))})  # fmt: skip
    return [given, packed]


def stack() -> list[Object]:
    """Prometheus, Alertmanager with its Service and configuration, and the rules of kube-prometheus."""
    from tests.builders import made

    selector = {chart.NAME_LABEL: "alertmanager", "alertmanager": ALERTMANAGER}
    ports = [
        {"name": "http-web", "port": 9093, "targetPort": 9093, "protocol": "TCP"},
        {"name": "reloader-web", "port": 8080, "targetPort": "reloader-web"},
    ]
    return [
        made("v1", "Namespace", SPACE), prometheus(), alertmanager(), *config_secrets(),
        made("v1", "Service", ALERTMANAGER, SPACE, metadata={"labels": labels("alertmanager")}, spec={"type": "ClusterIP", "selector": selector, "ports": ports}),
        *kubernetes_rules(),
    ]  # fmt: skip


def rule(name: str, namespace: str, alerts: dict[str, str], marks: dict[str, str] | None = None, group: str = "") -> Object:
    """A PrometheusRule with alerts by name."""
    from tests.builders import made

    made_rules = [
        {"alert": alert, "expr": text, "for": "15m", "labels": {"severity": "warning"}, "annotations": {"summary": alert}}
        for alert, text in alerts.items()
    ]
    return made(API, "PrometheusRule", name, namespace, metadata={"labels": dict(SELECTED if marks is None else marks)},
                spec={"groups": [{"name": group or name, "rules": made_rules}]})  # fmt: skip


def kubernetes_rules() -> list[Object]:
    """Some of the rules that kube-prometheus brings, as its chart renders them."""
    marks = labels("")
    apps = {
        "KubePodCrashLooping": 'max_over_time(kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff", job="kube-state-metrics", namespace=~".*"}[5m]) >= 1',
        "KubeDeploymentReplicasMismatch": '(\n  kube_deployment_spec_replicas{job="kube-state-metrics", namespace=~".*"}\n    >\n  kube_deployment_status_replicas_available{job="kube-state-metrics", namespace=~".*"}\n) and (\n  changes(kube_deployment_status_replicas_updated{job="kube-state-metrics", namespace=~".*"}[10m])\n    ==\n  0\n)',
        "KubeJobFailed": 'kube_job_failed{job="kube-state-metrics", namespace=~".*"} > 0',
    }
    system = {
        "KubeNodeNotReady": 'kube_node_status_condition{job="kube-state-metrics",condition="Ready",status="true"} == 0\nand on (cluster, node)\nkube_node_spec_unschedulable{job="kube-state-metrics"} == 0',
        "KubeletDown": 'count by (cluster) (kube_node_info{job="kube-state-metrics"}) unless on (cluster) count by (cluster) (up{job="kubelet", metrics_path="/metrics"} == 1)',
    }
    nodes = {
        "NodeFilesystemAlmostOutOfSpace": '(\n  node_filesystem_avail_bytes{job="node-exporter",fstype!="",mountpoint!=""} / node_filesystem_size_bytes{job="node-exporter",fstype!="",mountpoint!=""} * 100 < 3\nand\n  node_filesystem_readonly{job="node-exporter",fstype!="",mountpoint!=""} == 0\n)',
    }
    volumes = {
        "KubePersistentVolumeFillingUp": '(\n  kubelet_volume_stats_available_bytes{job="kubelet", namespace=~".*", metrics_path="/metrics"}\n    /\n  kubelet_volume_stats_capacity_bytes{job="kubelet", namespace=~".*", metrics_path="/metrics"}\n) < 0.03\nand\nkubelet_volume_stats_used_bytes{job="kubelet", namespace=~".*", metrics_path="/metrics"} > 0\nunless on (cluster, namespace, persistentvolumeclaim)\nkube_persistentvolumeclaim_access_mode{access_mode="ReadOnlyMany"} == 1',
        "KubePersistentVolumeErrors": 'kube_persistentvolume_status_phase{phase=~"Failed|Pending",job="kube-state-metrics"} > 0',
    }
    general = {
        "TargetDown": "100 * (count(up == 0) BY (cluster, job, namespace, service) / count(up) BY (cluster, job, namespace, service)) > 10",
        "Watchdog": "vector(1)",
    }
    parts = {
        "general.rules": general,
        "kubernetes-apps": apps,
        "kubernetes-system-kubelet": system,
        "node-exporter": nodes,
        "kubernetes-storage": volumes,
    }
    return [rule(f"{FULL}-{name}", SPACE, alerts, marks, name) for name, alerts in parts.items()]


def rules(installation: Any) -> list[Object]:
    """Alerts on the product, its database, broker, ingress, certificates and backups."""
    from tests.builders import made

    space = installation.namespace
    return [
        made("v1", "Namespace", "databases"), made("v1", "Namespace", "rabbitmq"),
        rule("exivity", space, {
            "ExivityServiceDown": f'kube_deployment_status_replicas_available{{namespace="{space}", deployment=~"{installation.fullname}-.*"}} == 0',
            "ExivityDoesNotAnswer": f'probe_success{{instance="https://{installation.host}/"}} == 0',
        }),
        rule("pg", "databases", {
            "PostgreSQLDown": 'min by (namespace, pod) (cnpg_collector_up{namespace="databases"}) == 0',
            "PostgreSQLReplicationLag": "max by (pod) (cnpg_pg_replication_lag) > 300",
            "PostgreSQLArchiveFailing": "cnpg_pg_stat_archiver_last_failed_time - cnpg_pg_stat_archiver_last_archived_time > 1",
        }),
        rule("rabbitmq", "rabbitmq", {
            "RabbitmqMemoryAlarm": 'max by(rabbitmq_cluster) (max_over_time(rabbitmq_alarms_memory_used_watermark[5m])) > 0',
            "RabbitmqDiskLow": "rabbitmq_disk_space_available_bytes * on (instance, pod) group_left(rabbitmq_cluster) rabbitmq_identity_info < 2e9",
            "RabbitmqQueueIsGrowing": "sum by (namespace, rabbitmq_cluster) (rabbitmq_queue_messages_ready) > 10000",
            "RabbitmqTooManyConnections": "sum by (namespace, rabbitmq_cluster) (rabbitmq_connections) > 500",
        }),
        rule("traefik", SPACE, {
            "TraefikHighErrorRate": 'sum(rate(traefik_service_requests_total{code=~"5.."}[5m])) by (service) / sum(rate(traefik_service_requests_total[5m])) by (service) > 0.05',
        }),
        rule("certificates", SPACE, {"CertificateEndsSoon": "traefik_tls_certs_not_after - time() < 14 * 86400"}),
        rule("velero", SPACE, {
            "VeleroBackupTooOld": 'time() - velero_backup_last_successful_timestamp{schedule!=""} > 129600', "VeleroBackupFailed": "increase(velero_backup_failure_total[1h]) > 0",
        }),
    ]  # fmt: skip


def longhorn_rule() -> Object:
    """Alerts on Longhorn's volumes."""
    return rule(
        "longhorn",
        SPACE,
        {
            "LonghornVolumeDegraded": "longhorn_volume_robustness == 2",
            "LonghornNodeStorageFull": "longhorn_node_storage_usage_bytes / longhorn_node_storage_capacity_bytes > 0.8",
        },
    )


def monitors(installation: Any) -> list[Object]:
    """The chart's ServiceMonitors with the label that makes them selected, their Services, and the monitors of database and broker."""
    from tests.builders import made

    found: list[Object] = []
    for component in chart.COMPONENTS:
        selector = {
            chart.APP_LABEL: chart.APP, chart.NAME_LABEL: installation.fullname, chart.INSTANCE_LABEL: installation.release, chart.COMPONENT_LABEL: component,
        }  # fmt: skip
        found.append(installation.object(
            "v1", "Service", f"{installation.fullname}-component-{component}", component,
            spec={"type": "ClusterIP", "selector": selector, "ports": [{"name": "metrics", "port": 8000, "targetPort": 8000, "protocol": "TCP"}]},
        ))  # fmt: skip
        monitor = installation.object(
            API, "ServiceMonitor", f"{installation.fullname}-{component}", component,
            spec={"endpoints": [{"interval": "5s", "path": "/metrics", "port": "metrics", "scheme": "http"}], "selector": {"matchLabels": {chart.COMPONENT_LABEL: component}}},
        )  # fmt: skip
        monitor["metadata"]["labels"] = {**monitor["metadata"]["labels"], **SELECTED}
        found.append(monitor)
    found.append(made(
        API, "PodMonitor", "pg", "databases", metadata={"labels": dict(SELECTED)},
        spec={"selector": {"matchLabels": {"cnpg.io/cluster": "pg"}}, "podMetricsEndpoints": [{"port": "metrics"}]},
    ))  # fmt: skip
    found.append(made(
        API, "ServiceMonitor", "rabbitmq", "rabbitmq", metadata={"labels": dict(SELECTED)},
        spec={"selector": {"matchLabels": {"app.kubernetes.io/component": "rabbitmq"}},
              "endpoints": [{"port": "prometheus", "scheme": "http", "interval": "15s"},
                            {"port": "prometheus-tls", "scheme": "https", "interval": "15s", "tlsConfig": {"insecureSkipVerify": True}}]},
    ))  # fmt: skip
    return found


def victoria() -> list[Object]:
    """VictoriaMetrics by its operator, in place of Prometheus."""
    from tests.builders import made

    status = {"updateStatus": "operational", "observedGeneration": 1}
    return [
        made(VICTORIA, "VMSingle", "vm", SPACE, spec={"retentionPeriod": "30d", "replicaCount": 1}, status=dict(status)),
        made(VICTORIA, "VMAgent", "vm", SPACE, spec={"selectAllByDefault": True, "replicaCount": 1, "remoteWrite": [{"url": "http://vmsingle-vm.monitoring.svc:8428/api/v1/write"}]}, status=dict(status)),
    ]  # fmt: skip


def without_stack(world: Any) -> Any:
    """The world without anything of the operator: no API, no object."""
    world.objects = [item for item in world.objects if not item["apiVersion"].startswith("monitoring.coreos.com/")]
    for name in SERVED:
        world.resources.pop(name, None)
    return world


def with_victoria(world: Any) -> Any:
    """The world with VictoriaMetrics in place of Prometheus."""
    from tests.world import OPTIONAL

    without_stack(world)
    world.resources |= {name: found for name, found in OPTIONAL.items() if name.endswith(".operator.victoriametrics.com")}
    world.add(*victoria())
    return world


def on_openshift(world: Any, *, user_workload: bool = True) -> Any:
    """The world with OpenShift's own monitoring in place of kube-prometheus-stack."""
    world.objects = [
        item for item in world.objects if item["kind"] not in ("Prometheus", "Alertmanager") and item["metadata"].get("namespace") != SPACE
    ]
    platform = {"matchExpressions": [{"key": "openshift.io/cluster-monitoring", "operator": "In", "values": ["true"]}]}
    users = {
        "matchExpressions": [
            {"key": "openshift.io/cluster-monitoring", "operator": "NotIn", "values": ["true"]},
            {"key": "openshift.io/user-monitoring", "operator": "NotIn", "values": ["false"]},
        ]
    }
    wiring = {"alertmanagers": [{"namespace": "openshift-monitoring", "name": "alertmanager-main", "port": "web"}]}

    def one(name: str, namespace: str, spaces: Object) -> Object:
        found = prometheus(name, namespace, {}, alerting=wiring)
        found["spec"] |= {f"{kind}NamespaceSelector": spaces for kind in ("serviceMonitor", "podMonitor", "probe", "scrapeConfig", "rule")}
        return found

    world.add(one("k8s", "openshift-monitoring", platform))
    if user_workload:
        world.add(one("user-workload", "openshift-user-workload-monitoring", users))
    return world


def null_selectors(world: Any, *kinds: str) -> Any:
    """The world with null selectors of some kinds, and null selectors of their namespaces."""
    for kind in kinds:
        spec = world.find("Prometheus", PROMETHEUS)["spec"]
        spec[f"{kind}Selector"] = spec[f"{kind}NamespaceSelector"] = None
    return world
