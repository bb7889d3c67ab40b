"""The row monitoring, and what the rows postgresql, rabbitmq and capacity ask of it: every branch of their rules, over the real collector."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.config import BrokerIntent, Config, Declare, thresholds_of
from exivity_audit.evaluate import evaluate
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.selection import reads_needed
from exivity_audit.verdict import Status, Verdict
from tests.builders import made, multi_node, single_node
from tests.judging import site_of, snapshot_of
from tests.mutation import drop, put
from tests.products.monitoring import (
    ALERTMANAGER,
    ALPHA,
    API,
    CONFIG,
    FULL,
    PROMETHEUS,
    SPACE,
    config_secrets,
    kubernetes_rules,
    null_selectors,
    on_openshift,
    prometheus,
    rule,
    running,
    with_victoria,
    without_stack,
)  # fmt: skip
from tests.world import World

FAIL, WARN, PASS, UNKNOWN, MANUAL, SKIP = Status.FAIL, Status.WARN, Status.PASS, Status.UNKNOWN, Status.MANUAL, Status.SKIP
PACK, LIFECYCLE = own_pack(), load_lifecycle(None)
AREAS = ("cluster", "application", "postgresql", "rabbitmq", "ingress", "storage", "certificates", "backups")
ROW = ("stack", "service-monitors", *(f"alerts-{area}" for area in AREAS), "delivery")
RELEASE, SERVER = "Release exivity/exivity", f"Prometheus {SPACE}/{PROMETHEUS}"
GLASS = "ServiceMonitor exivity/exivity-glass"
MANAGED = Config(declare=Declare(rabbitmq=BrokerIntent(managed=True)))


def under(world: World, check: str, config: Config | None = None, **where: Any) -> dict[str, Verdict]:
    """The verdicts of one check by subject, on what it asks for."""
    config, selected = config or Config(), frozenset({check})
    site = site_of(world, wanted=reads_needed(PACK, selected), **where)
    found = evaluate(snapshot_of(site), PACK, config, selected=selected, thresholds=thresholds_of(config, PACK.thresholds, None), lifecycle=LIFECYCLE)
    return {str(verdict.subject or ""): verdict for verdict in found.outcomes[0].verdicts}


def one(world: World, check: str, config: Config | None = None, **where: Any) -> Verdict:
    """The only verdict of a check."""
    (verdict,) = under(world, check, config, **where).values()
    return verdict


def worst(world: World, check: str, config: Config | None = None, **where: Any) -> Status:
    """The worst status of a check."""
    return min((verdict.status for verdict in under(world, check, config, **where).values()), key=lambda status: status.urgency)


def spec(world: World, **changes: Any) -> World:
    """The world with other fields of its Prometheus."""
    world.find("Prometheus", PROMETHEUS)["spec"].update(changes)
    return world


def without(world: World, *kinds: str) -> World:
    """The world without the objects of some kinds; their APIs stay."""
    world.objects = [item for item in world.objects if item["kind"] not in kinds]
    return world


def alerting_on(world: World, text: str, name: str = "exivity", namespace: str | None = None) -> World:
    """The world with one expression in all alerts of a PrometheusRule."""
    for item in world.find("PrometheusRule", name, namespace)["spec"]["groups"][0]["rules"]:
        item["expr"] = text
    return world


# Everywhere


@pytest.mark.parametrize("build", [multi_node, single_node])
def test_conforming_worlds(build: Any) -> None:
    world = build()
    outside = {"monitoring/alerts-postgresql", "postgresql/monitoring"} if build is single_node else set()
    for check in [*(f"monitoring/{slug}" for slug in ROW), "postgresql/monitoring", "rabbitmq/monitoring", "capacity/alerts"]:
        assert worst(world, check) is (MANUAL if check in outside else PASS), check


@pytest.mark.parametrize("slug", ROW)
def test_another_stack_is_attested(slug: str) -> None:
    verdict = one(without_stack(multi_node()), f"monitoring/{slug}")
    assert verdict.status is (SKIP if slug == "service-monitors" else MANUAL)


@pytest.mark.parametrize("slug", ROW)
def test_apis_without_a_prometheus_are_another_stack(slug: str) -> None:
    assert one(without(multi_node(), "Prometheus"), f"monitoring/{slug}").status is MANUAL


@pytest.mark.parametrize("slug", ROW)
def test_victoria_metrics(slug: str) -> None:
    verdict = one(with_victoria(multi_node()), f"monitoring/{slug}")
    assert verdict.status is (PASS if slug == "stack" else SKIP if slug == "service-monitors" else MANUAL)


@pytest.mark.parametrize("slug", ROW)
def test_what_follows_a_prometheus_that_stands_still(slug: str) -> None:
    world = spec(multi_node(), replicas=0)
    verdict = one(world, f"monitoring/{slug}")
    assert (verdict.status, verdict.follows) == ((FAIL, None) if slug == "stack" else (SKIP, "monitoring/stack"))


@pytest.mark.parametrize("slug", ROW)
def test_forbidden_prometheuses_are_unknown(slug: str) -> None:
    world = multi_node()
    world.deny = lambda resource, namespace, name: resource == "prometheuses.monitoring.coreos.com"
    assert worst(world, f"monitoring/{slug}") in (UNKNOWN, MANUAL)
    assert FAIL not in {verdict.status for verdict in under(world, f"monitoring/{slug}").values()}


@pytest.mark.parametrize("slug", ROW)
def test_an_account_of_one_namespace_never_takes_it_for_the_cluster(slug: str) -> None:
    world = multi_node()
    world.deny = lambda resource, namespace, name: resource.endswith(".coreos.com") and namespace is None
    found = under(world, f"monitoring/{slug}")
    assert worst(world, f"monitoring/{slug}") is UNKNOWN
    assert any("in all namespaces" in verdict.message and verdict.needs for verdict in found.values())


# The stack


def test_the_status_decides_what_is_ready() -> None:
    world = multi_node()
    item = world.find("Prometheus", PROMETHEUS)
    item["status"] = {"replicas": 1, "unavailableReplicas": 1, "conditions": [{"type": "Available", "status": "False", "reason": "NoPodReady"}]}
    verdict = one(world, "monitoring/stack")
    assert verdict.status is FAIL
    assert "0 of 1 ready (NoPodReady)" in verdict.message
    del item["status"]["conditions"]
    assert one(world, "monitoring/stack").status is FAIL, "availableReplicas is left out where it is zero"
    del item["status"]
    assert one(world, "monitoring/stack").status is UNKNOWN
    item["status"] = {"conditions": [{"type": "Available", "status": "Degraded"}]}
    assert one(world, "monitoring/stack").status is PASS


def test_a_second_prometheus_stands_in() -> None:
    world = spec(multi_node(), replicas=0)
    world.add(prometheus("second", SPACE))
    verdict = one(world, "monitoring/stack")
    assert verdict.status is PASS
    assert f"{SERVER} has no ready replica" in verdict.remark
    assert worst(world, "monitoring/service-monitors") is PASS


def test_a_paused_prometheus_is_said() -> None:
    world = spec(multi_node(), paused=True)
    assert one(world, "monitoring/stack").status is WARN
    verdict = under(world, "monitoring/service-monitors")[GLASS]
    assert verdict.status is PASS
    assert "paused" in verdict.remark
    assert "paused" in one(world, "monitoring/alerts-cluster").remark


def test_victoria_metrics_that_is_not_operational() -> None:
    world = with_victoria(multi_node())
    for kind in ("VMAgent", "VMSingle"):
        world.edit(kind, "vm", put("status.updateStatus", "failed"))
    assert one(world, "monitoring/stack").status is MANUAL


def test_openshift() -> None:
    world = on_openshift(multi_node())
    world.edit("Namespace", "exivity", put("metadata.labels", {"team": "finance"}))
    assert one(world, "monitoring/stack").status is PASS
    assert worst(world, "monitoring/service-monitors") is PASS
    world.edit("Namespace", "exivity", put("metadata.labels", {"openshift.io/user-monitoring": "false"}))
    assert worst(world, "monitoring/service-monitors") is FAIL


def test_openshift_without_user_workload_monitoring() -> None:
    world = on_openshift(multi_node(), user_workload=False)
    assert "user-workload monitoring is off" in one(world, "monitoring/stack").remark
    assert worst(world, "monitoring/service-monitors") is FAIL


# Which server takes what


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"serviceMonitorSelector": None}, FAIL), ({"serviceMonitorSelector": {}}, PASS), ({"serviceMonitorSelector": {"matchLabels": {}}}, PASS),
        ({"serviceMonitorSelector": {"matchLabels": {"release": "other"}}}, FAIL), ({"serviceMonitorNamespaceSelector": None}, FAIL),
        ({"serviceMonitorNamespaceSelector": {"matchLabels": {"team": "finance"}}}, PASS), ({"serviceMonitorNamespaceSelector": {"matchLabels": {"team": "shop"}}}, FAIL),
        ({"serviceMonitorNamespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "exivity"}}}, PASS),
        ({"serviceMonitorNamespaceSelector": {"matchExpressions": [{"key": "team", "operator": "In", "values": ["finance", "shop"]}]}}, PASS),
        ({"serviceMonitorNamespaceSelector": {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}}, FAIL),
        ({"serviceMonitorSelector": {"matchExpressions": [{"key": "release", "operator": "Exists"}]}}, PASS),
        ({"serviceMonitorSelector": {"matchExpressions": [{"key": "release", "operator": "NotIn", "values": ["monitoring"]}]}}, FAIL),
        ({"ignoreNamespaceSelectors": True}, PASS),
    ],
)  # fmt: skip
def test_selectors(changes: dict[str, Any], expected: Status) -> None:
    world = spec(multi_node(), **changes)
    world.edit("Namespace", "exivity", put("metadata.labels", {"team": "finance"}))
    assert worst(world, "monitoring/service-monitors") is expected


def test_a_prometheus_in_the_namespace_itself_takes_its_own() -> None:
    world = without(multi_node(), "Prometheus")
    world.add(prometheus("own", "exivity", serviceMonitorNamespaceSelector=None))
    assert worst(world, "monitoring/service-monitors") is PASS


def test_a_malformed_selector_is_no_pass() -> None:
    world = spec(multi_node(), serviceMonitorSelector={"matchExpressions": [{"key": "a", "operator": "Near"}]})
    assert worst(world, "monitoring/service-monitors") is UNKNOWN


def test_namespace_labels_that_may_not_be_read() -> None:
    world = spec(multi_node(), serviceMonitorNamespaceSelector={"matchLabels": {"team": "finance"}})
    world.edit("Namespace", "exivity", put("metadata.labels", {"team": "finance"}))
    world.deny = lambda resource, namespace, name: resource == "namespaces" and name is None
    assert worst(world, "monitoring/service-monitors") is PASS, "the namespace by its name"
    world.deny = lambda resource, namespace, name: resource == "namespaces" and name != "kube-system"
    found = under(world, "monitoring/service-monitors", namespace="exivity", release="exivity")
    assert UNKNOWN in {verdict.status for verdict in found.values()}
    assert not {PASS, FAIL} & {verdict.status for verdict in found.values()}


def test_the_chart_without_a_release_label_names_label_and_value() -> None:
    world = multi_node()
    for item in world.all("ServiceMonitor"):
        item["metadata"]["labels"].pop("release", None)
    found = under(world, "monitoring/service-monitors")
    assert len(found) == 11
    assert {verdict.status for verdict in found.values()} == {FAIL}
    assert "without the label `release: monitoring`" in found[GLASS].message
    assert found[GLASS].fix is not None
    assert "serviceMonitorSelectorNilUsesHelmValues: false" in found[GLASS].fix.text
    assert len({verdict.fix for verdict in found.values()}) == 1, "one remedy"


def test_another_label_and_a_null_selector_have_their_own_remedy() -> None:
    asked = under(spec(multi_node(), serviceMonitorSelector={"matchLabels": {"team": "finance"}}), "monitoring/service-monitors")[GLASS]
    assert asked.fix is not None
    assert "`team: finance`" in asked.fix.text
    null = under(spec(multi_node(), serviceMonitorSelector=None), "monitoring/service-monitors")[GLASS]
    assert null.fix is not None
    assert "null selects no ServiceMonitor" in null.fix.text
    space = under(spec(multi_node(), serviceMonitorNamespaceSelector=None), "monitoring/service-monitors")[GLASS]
    assert "its namespace is not selected" in space.message


def test_no_monitor_at_all_is_the_charts_switch() -> None:
    world = multi_node()
    world.objects = [item for item in world.objects if item["kind"] != "ServiceMonitor"]
    verdict = under(world, "monitoring/service-monitors")[GLASS]
    assert verdict.status is FAIL
    assert verdict.fix is not None
    assert dict(verdict.fix.values) == {"prometheus.metricServer.enabled": True, "prometheus.metricServer.serviceMonitor.enabled": True}


def test_a_monitor_without_its_service() -> None:
    world = multi_node()
    world.remove("Service", "exivity-component-glass")
    verdict = under(world, "monitoring/service-monitors")[GLASS]
    assert (verdict.status, "no Service with the port `metrics`" in verdict.message) == (FAIL, True)


def test_one_monitor_of_the_operators_own_hand_covers_all() -> None:
    world = multi_node()
    world.objects = [item for item in world.objects if not (item["kind"] == "ServiceMonitor" and item["metadata"]["namespace"] == "exivity")]
    monitor = made(API, "ServiceMonitor", "exivity", SPACE, metadata={"labels": {"release": "monitoring"}},
                   spec={"selector": {"matchLabels": {"app.kubernetes.io/app": "exivity"}}, "namespaceSelector": {"matchNames": ["exivity"]}, "endpoints": [{"port": "metrics"}]})  # fmt: skip
    world.add(monitor)
    assert worst(world, "monitoring/service-monitors") is PASS
    assert worst(spec(world, ignoreNamespaceSelectors=True), "monitoring/service-monitors") is FAIL, "then it looks in its own namespace alone"


def test_a_monitor_of_everything_by_target_port() -> None:
    world = multi_node()
    for item in world.all("ServiceMonitor"):
        item["spec"]["endpoints"] = [{"targetPort": 8000}]
    assert worst(world, "monitoring/service-monitors") is PASS


def test_two_releases_in_one_namespace_scrape_each_other() -> None:
    world = multi_node()
    other = world.find("Service", "exivity-component-glass")
    copy = {
        **other,
        "metadata": {
            **other["metadata"],
            "name": "blue-component-glass",
            "labels": {**other["metadata"]["labels"], "app.kubernetes.io/name": "blue"},
        },
    }
    world.add(copy)
    found = under(world, "monitoring/service-monitors")
    assert found[GLASS].status is PASS
    assert "blue-component-glass of another release" in found[GLASS].remark
    assert found["ServiceMonitor exivity/exivity-use"].remark == ""


def test_what_the_operator_refused() -> None:
    world = multi_node()
    refused = {"group": "monitoring.coreos.com", "resource": "prometheuses", "namespace": SPACE, "name": PROMETHEUS,
               "conditions": [{"type": "Accepted", "status": "False", "reason": "InvalidConfiguration"}]}  # fmt: skip
    world.edit("ServiceMonitor", "exivity-glass", put("status", {"bindings": [refused]}))
    verdict = under(world, "monitoring/service-monitors")[GLASS]
    assert (verdict.status, "InvalidConfiguration" in verdict.message) == (FAIL, True)
    world = spec(multi_node(), arbitraryFSAccessThroughSMs={"deny": True})
    world.edit("ServiceMonitor", "exivity-glass", put("spec.endpoints.0.bearerTokenFile", "/var/run/token"))
    found = under(world, "monitoring/service-monitors")
    assert (found[GLASS].status, found["ServiceMonitor exivity/exivity-use"].status) == (FAIL, PASS)


def test_a_prometheus_with_its_own_configuration_is_attested() -> None:
    world = null_selectors(multi_node(), "serviceMonitor", "podMonitor", "probe", "scrapeConfig")
    found = under(world, "monitoring/service-monitors")
    assert {verdict.status for verdict in found.values()} == {MANUAL}
    assert one(world, "postgresql/monitoring").status is MANUAL


def test_an_agent_scrapes_and_evaluates_nothing() -> None:
    world = multi_node()
    agent = prometheus("agent")
    agent["apiVersion"], agent["kind"] = ALPHA, "PrometheusAgent"
    for key in ("ruleSelector", "ruleNamespaceSelector", "alerting"):
        del agent["spec"][key]
    without(world, "Prometheus").add(agent)
    assert one(world, "monitoring/stack").status is PASS
    assert worst(world, "monitoring/service-monitors") is PASS
    assert one(world, "monitoring/alerts-cluster").status is MANUAL
    assert one(world, "monitoring/delivery").status is MANUAL


def test_a_thanos_ruler_evaluates_in_its_place() -> None:
    world = spec(multi_node(), ruleSelector=None)
    assert one(world, "monitoring/alerts-cluster").status is FAIL
    world.add(made(API, "ThanosRuler", "ruler", SPACE, spec={"ruleSelector": {}, "ruleNamespaceSelector": {}, "replicas": 1}, status=running()))
    verdict = one(world, "monitoring/alerts-cluster")
    assert (verdict.status, f"ThanosRuler {SPACE}/ruler" in verdict.message) == (PASS, True)
    assert under(world, "monitoring/delivery")[f"ThanosRuler {SPACE}/ruler"].status is MANUAL


@pytest.mark.parametrize("ready", [True, False])
def test_the_passive_site_judges_no_target(ready: bool) -> None:
    world = multi_node()
    if not ready:
        world.objects = [item for item in world.objects if "-component-" not in item["metadata"]["name"]]
    verdict = under(world, "monitoring/service-monitors", Config(scenario="multi-site"), role="passive")[GLASS]
    assert verdict.status is PASS
    assert ready or "its target is not judged" in verdict.remark


# Alerts


@pytest.mark.parametrize("slug", [f"alerts-{area}" for area in AREAS])
def test_no_rule_at_all(slug: str) -> None:
    verdict = one(without(multi_node(), "PrometheusRule"), f"monitoring/{slug}")
    assert verdict.status is FAIL
    assert verdict.fix is not None
    assert "`release: monitoring`" in verdict.fix.text


@pytest.mark.parametrize("slug", [f"alerts-{area}" for area in AREAS])
def test_forbidden_rules_are_unknown(slug: str) -> None:
    world = multi_node()
    world.deny = lambda resource, namespace, name: resource == "prometheusrules.monitoring.coreos.com"
    assert worst(world, f"monitoring/{slug}") is UNKNOWN


def test_a_rule_that_nobody_takes_is_named() -> None:
    world = multi_node()
    world.edit("PrometheusRule", "pg", drop("metadata.labels.release"))
    verdict = one(world, "monitoring/alerts-postgresql")
    assert verdict.status is FAIL
    assert "PrometheusRule databases/pg holds PostgreSQLDown and is not selected: without the label `release: monitoring`" in verdict.message
    assert verdict.fix is not None
    assert verdict.fix.text == "Add the label `release: monitoring` to PrometheusRule databases/pg"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('kube_deployment_status_replicas_available{namespace="exivity"} == 0', PASS), ('kube_pod_status_phase{namespace=~"exivity|shop"} > 0', PASS),
        ('kube_pod_container_status_restarts_total{pod=~"exivity-.+"} > 5', PASS), ('up{job="exivity-component-glass"} == 0', PASS), ('container_memory_rss{container="edify"} > 1e9', PASS),
        ('probe_success{instance="https://exivity.acme.eu/"} == 0', PASS), ('probe_success{target=~".*exivity\\\\.acme\\\\.eu.*"} == 0', PASS), ("probe_success == 0", MANUAL),
        ('kube_pod_status_phase{namespace=~".*"} > 0', FAIL), ("kube_pod_status_phase > 0", FAIL), ('kube_pod_status_phase{namespace!="kube-system"} > 0', FAIL),
        ('kube_pod_status_phase{namespace="exivity", pod=~"shop-.*"} > 0', PASS), ('kube_pod_status_phase{namespace="shop", pod=~"exivity-.*"} > 0', FAIL),
        ('rabbitmq_queue_messages{namespace="exivity"} > 0', FAIL), ('kube_persistentvolumeclaim_status_phase{namespace="exivity"} > 0', FAIL), ("vector(1)", FAIL),
        ('kube_pod_status_phase{namespace=~"[[:alpha:]]+"} > 0', MANUAL), ("this is { no expression", MANUAL),
    ],
)  # fmt: skip
def test_application_alerts(text: str, expected: Status) -> None:
    assert one(alerting_on(multi_node(), text), "monitoring/alerts-application").status is expected


def test_an_alert_on_the_product_alone_is_no_cluster_alert() -> None:
    world = multi_node()
    for item in kubernetes_rules():
        world.remove("PrometheusRule", item["metadata"]["name"])
    assert one(world, "monitoring/alerts-cluster").status is FAIL
    world.add(rule("nodes", SPACE, {"NodeGone": "kube_node_status_condition == 0"}))
    assert one(world, "monitoring/alerts-cluster").status is PASS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('cnpg_collector_up{namespace="databases"} == 0', PASS), ('cnpg_collector_up{namespace!~"exivity"} == 0', PASS), ("pg_up == 0", PASS), ('cnpg_collector_up{namespace="shop"} == 0', FAIL),
        ('{__name__=~"cnpg_collector_.*", namespace="databases"} == 0', PASS), ("barman_cloud_cloudnative_pg_io_last_failed_backup_timestamp > 0", PASS),
        ('cnpg_collector_up{namespace="shop"} == 0 or cnpg_collector_up{namespace="databases"} == 0', PASS), ('cnpg_collector_up / on(x) cnpg_backends_total{namespace="shop"}', FAIL),
        ("mysql_up == 0", FAIL),
    ],
)  # fmt: skip
def test_database_alerts(text: str, expected: Status) -> None:
    assert one(alerting_on(multi_node(), text, "pg"), "monitoring/alerts-postgresql").status is expected


def test_records_are_put_in_place() -> None:
    world = alerting_on(multi_node(), 'job:pg:down{namespace="databases"} > 0', "pg")
    assert one(world, "monitoring/alerts-postgresql").status is FAIL
    record = rule("records", SPACE, {})
    record["spec"]["groups"][0]["rules"] = [{"record": "job:pg:down", "expr": "count(cnpg_collector_up == 0) by (namespace)"}]
    world.add(record)
    assert one(world, "monitoring/alerts-postgresql").status is PASS
    record["spec"]["groups"][0]["rules"][0]["expr"] = "job:pg:down + 1"
    world.remove("PrometheusRule", "records")
    world.add(record)
    assert one(world, "monitoring/alerts-postgresql").status is FAIL, "a record of itself ends"


def test_rules_bound_to_their_own_namespace() -> None:
    world = spec(multi_node(), enforcedNamespaceLabel="namespace")
    assert one(world, "monitoring/alerts-postgresql").status is PASS, "the rule is in the database's namespace"
    assert one(world, "monitoring/alerts-storage").status is PASS, "longhorn_ is about no namespace"
    world.remove("PrometheusRule", "longhorn")
    assert one(world, "monitoring/alerts-storage").status is FAIL
    spec(world, excludedFromEnforcement=[{"group": "monitoring.coreos.com", "resource": "prometheusrules", "namespace": SPACE}])
    assert one(world, "monitoring/alerts-storage").status is PASS


def test_a_store_elsewhere_may_evaluate() -> None:
    world = spec(without(multi_node(), "PrometheusRule"), remoteWrite=[{"url": "https://mimir.acme.eu/api/v1/push"}])
    for slug in ("alerts-cluster", "alerts-storage", "delivery"):
        assert one(world, f"monitoring/{slug}").status is MANUAL
    assert {verdict.status for verdict in under(world, "rabbitmq/monitoring").values()} == {PASS, MANUAL}


def test_numbers_are_expressions_and_a_text_that_is_none_is_malformed() -> None:
    world = alerting_on(multi_node(), 1, "traefik")  # type: ignore[arg-type]
    assert one(world, "monitoring/alerts-ingress").status is FAIL
    world = alerting_on(multi_node(), {"a": 1}, "traefik")  # type: ignore[arg-type]
    assert worst(world, "monitoring/alerts-ingress") is UNKNOWN


def test_ingress_alerts_of_the_controller_in_use() -> None:
    world = alerting_on(multi_node(), "nginx_ingress_controller_requests > 0", "traefik")
    assert one(world, "monitoring/alerts-ingress").status is FAIL
    world.deny = lambda resource, namespace, name: resource == "deployments.apps" and namespace is None
    assert one(world, "monitoring/alerts-ingress").status is UNKNOWN
    assert one(alerting_on(multi_node(), "traefik_tls_certs_not_after > 0", "traefik"), "monitoring/alerts-ingress").status is FAIL, (
        "that one is about certificates"
    )


def test_an_external_database_and_a_managed_broker_are_attested() -> None:
    assert one(single_node(), "monitoring/alerts-postgresql").status is MANUAL
    assert one(single_node(), "postgresql/monitoring").status is MANUAL
    assert one(multi_node(), "monitoring/alerts-rabbitmq", MANAGED).status is MANUAL
    assert worst(multi_node(), "rabbitmq/monitoring", MANAGED) is MANUAL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('kubelet_volume_stats_available_bytes{namespace="exivity"} < 1', PASS), ('kubelet_volume_stats_available_bytes{namespace="shop"} < 1', FAIL), ("longhorn_volume_state == 1", PASS),
        ('longhorn_volume_state{namespace="longhorn-system"} == 1', PASS), ('longhorn_volume_state{pvc_namespace="shop"} == 1', FAIL), ("longhorn_backup_state == 4", FAIL),
        ("kube_persistentvolume_status_phase == 1", PASS), ("node_filesystem_avail_bytes < 1", FAIL),
    ],
)  # fmt: skip
def test_storage_alerts(text: str, expected: Status) -> None:
    world = alerting_on(multi_node(), text, f"{FULL}-kubernetes-storage")
    world.remove("PrometheusRule", "longhorn")
    assert one(world, "monitoring/alerts-storage").status is expected


# Delivery


def configured(config: str | None, generated: bool = True) -> World:
    """A cluster with another Alertmanager configuration, or none."""
    world = multi_node()
    given, packed = (item["metadata"]["name"] for item in config_secrets())
    world.remove("Secret", packed)
    world.remove("Secret", given)
    if config is not None:
        world.add(*config_secrets(config)[: 2 if generated else 1])
    return world


def routed(routes: str, receiver: str = "'null'") -> str:
    """A configuration with a root receiver and narrower routes."""
    receivers = "receivers:\n  - name: 'null'\n  - name: chat\n    slack_configs: [{channel: '#ops'}]\n"
    return f"route:\n  receiver: {receiver}\n  routes:\n{routes}\n{receivers}"


@pytest.mark.parametrize(
    ("config", "expected", "said"),
    [
        (CONFIG, PASS, "receiver `operations` (email)"), (routed("    []"), FAIL, "receiver `null`"), (routed("    - {receiver: chat}"), PASS, "`chat`"),
        (routed("    - {receiver: chat, matchers: ['severity=\"critical\"']}"), PASS, "`chat`"), (routed("    - {receiver: chat, matchers: ['alertname=\"Watchdog\"']}"), FAIL, "null"),
        (routed("    - {receiver: chat, match: {namespace: shop}}"), FAIL, "null"), (routed("    - {receiver: chat, match: {namespace: exivity}}"), PASS, "`chat`"),
        (routed("    - {receiver: chat, match_re: {namespace: 'ex.*'}}"), PASS, "`chat`"), (routed("    - {receiver: 'null', match: {namespace: exivity}}", "chat"), FAIL, "null"),
        (routed("    - {receiver: 'null', continue: true, match: {namespace: exivity}}", "chat"), PASS, "`chat`"),
        (routed("    - {receiver: 'null', matchers: ['alertname=~\"Watchdog|InfoInhibitor\"']}", "chat"), PASS, "`chat`"),
        (routed("    - {receiver: chat, matchers: ['alertname!=\"Watchdog\"']}"), PASS, "`chat`"), (routed("    - {matchers: ['severity=\"critical\"'], routes: [{receiver: chat}]}"), PASS, "`chat`"),
        (routed("    - {receiver: chat, matchers: ['team=~\"(']}"), PASS, "`chat`"), ("receivers: []\n", FAIL, "no route"), ("", FAIL, "no route"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("generated", [True, False])
def test_where_routes_end(config: str, expected: Status, said: str, generated: bool) -> None:
    verdict = under(configured(config, generated), "monitoring/delivery")[SERVER]
    assert verdict.status is expected, verdict.message
    assert said in verdict.message


def test_what_the_rest_ends_in_is_said() -> None:
    verdict = under(configured(routed("    - {receiver: chat, match: {severity: critical}}")), "monitoring/delivery")[SERVER]
    assert "alerts that no narrower route takes end in `null`" in verdict.remark


def test_the_operators_own_receiver_does_nothing() -> None:
    verdict = under(configured(None), "monitoring/delivery")[SERVER]
    assert (verdict.status, "the operator's own receiver `null`" in verdict.message) == (FAIL, True)


def test_a_configuration_that_is_not_read_is_attested() -> None:
    assert under(multi_node(), "monitoring/delivery", secrets="none")[SERVER].status is MANUAL
    world = multi_node()
    world.deny = lambda resource, namespace, name: resource == "secrets" and namespace == SPACE
    assert under(world, "monitoring/delivery")[SERVER].status is MANUAL
    assert under(configured("route: ["), "monitoring/delivery")[SERVER].status is MANUAL


def team(namespace: str = "exivity", **more: Any) -> dict[str, Any]:
    """An AlertmanagerConfig that sends a team's alerts to its pager."""
    return made(
        ALPHA,
        "AlertmanagerConfig",
        "team",
        namespace,
        spec={
            "route": {"receiver": "pager", **more},
            "receivers": [{"name": "pager", "pagerdutyConfigs": [{"routingKey": {"name": "x", "key": "y"}}]}],
        },
    )


@pytest.mark.parametrize(
    ("item", "changes", "expected"),
    [
        (team(), {}, PASS), (team(SPACE), {}, MANUAL), (team(SPACE), {"alertmanagerConfigMatcherStrategy": {"type": "None"}}, PASS),
        (team(SPACE), {"alertmanagerConfigMatcherStrategy": {"type": "OnNamespaceExceptForAlertmanagerNamespace"}}, PASS),
        (team(), {"alertmanagerConfigSelector": None}, MANUAL), (team(), {"alertmanagerConfigSelector": {"matchLabels": {"x": "y"}}}, MANUAL),
        (team(), {"alertmanagerConfigNamespaceSelector": None}, MANUAL), (team(SPACE), {"alertmanagerConfiguration": {"name": "team"}}, PASS),
        (team(), {"alertmanagerConfigNamespaceSelector": {"matchLabels": {"team": "finance"}}}, PASS),
        (team(matchers=[{"name": "namespace", "value": "shop", "matchType": "="}]), {}, PASS),
        (team(matchers=[{"name": "namespace", "value": "shop", "matchType": "="}]), {"alertmanagerConfigMatcherStrategy": {"type": "None"}}, MANUAL),
        (team(matchers=[{"name": "alertname", "value": "Watchdog"}]), {}, MANUAL), (team(matchers=[{"name": "severity", "value": "critical"}]), {}, PASS),
    ],
)  # fmt: skip
def test_a_teams_own_configuration_stands_in_for_a_secret(item: Any, changes: Any, expected: Status) -> None:
    world = multi_node()
    world.add(item)
    world.edit("Namespace", "exivity", put("metadata.labels", {"team": "finance"}))
    world.edit("Alertmanager", ALERTMANAGER, lambda found: found["spec"].update(changes))
    assert under(world, "monitoring/delivery", secrets="none")[SERVER].status is expected


def test_a_teams_own_configuration_beside_the_receiver_null() -> None:
    world = configured(routed("    []"), generated=False)
    world.add(team())
    assert under(world, "monitoring/delivery")[SERVER].status is PASS
    world = configured(routed("    []"))
    world.add(team())
    assert under(world, "monitoring/delivery")[SERVER].status is FAIL, "the operator's file is what runs, and the team's route is not in it"


def test_wiring() -> None:
    world = spec(multi_node(), alerting={"alertmanagers": [{"name": "alertmanager-operated", "port": "web"}]})
    assert under(world, "monitoring/delivery")[SERVER].status is PASS, "the Service that the operator makes"
    world = spec(multi_node(), alerting={"alertmanagers": [{"namespace": "other", "name": ALERTMANAGER, "port": "web"}]})
    assert under(world, "monitoring/delivery")[SERVER].status is FAIL
    world = spec(multi_node(), alerting=None, additionalAlertManagerConfigs={"name": "x", "key": "y"})
    assert under(world, "monitoring/delivery")[SERVER].status is MANUAL
    world = multi_node()
    world.edit("Service", ALERTMANAGER, put("spec.selector", {"app": "another"}))
    assert under(world, "monitoring/delivery")[SERVER].status is MANUAL, "an Alertmanager that is not the operator's"
    world = without(multi_node(), "Alertmanager")
    assert under(world, "monitoring/delivery")[SERVER].status is MANUAL
    world = multi_node()
    world.deny = lambda resource, namespace, name: resource == "services" and namespace == SPACE
    assert worst(world, "monitoring/delivery") is UNKNOWN


def test_an_alertmanager_that_stands_still() -> None:
    world = multi_node()
    world.edit("Alertmanager", ALERTMANAGER, put("spec.replicas", 0))
    assert "replicas 0" in under(world, "monitoring/delivery")[SERVER].message
    world.edit("Alertmanager", ALERTMANAGER, put("spec.replicas", 1))
    world.edit("Alertmanager", ALERTMANAGER, drop("status"))
    verdict = under(world, "monitoring/delivery")[SERVER]
    assert (verdict.status, "it has no status" in verdict.remark) == (PASS, True)


def test_a_prometheus_that_evaluates_nothing_of_ours_is_left_alone() -> None:
    world = multi_node()
    world.add(prometheus("shop", "shop", {"matchLabels": {"team": "shop"}}, alerting=None))
    assert list(under(world, "monitoring/delivery")) == [SERVER]


def test_no_alert_follows_the_areas() -> None:
    verdict = one(without(multi_node(), "PrometheusRule"), "monitoring/delivery")
    assert (verdict.status, verdict.follows) == (SKIP, "monitoring/alerts-cluster")


# The database and the broker


def test_a_service_monitor_or_an_exporter_counts_for_the_database() -> None:
    world = multi_node()
    world.remove("PodMonitor", "pg")
    labels = {"app": "postgres-exporter"}
    pod = made("v1", "Pod", "exporter-1", "databases", metadata={"labels": labels}, spec={"nodeName": "worker-1", "containers": [
        {"name": "exporter", "image": "quay.io/prometheuscommunity/postgres-exporter:v0.18.1", "ports": [{"name": "http", "containerPort": 9187}]}]}, status={"phase": "Running"})  # fmt: skip
    service = made(
        "v1", "Service", "exporter", "databases", metadata={"labels": labels}, spec={"selector": labels, "ports": [{"name": "http", "port": 9187}]}
    )
    world.add(pod, service)
    assert one(world, "postgresql/monitoring").status is FAIL
    world.add(
        made(
            API,
            "ServiceMonitor",
            "exporter",
            "databases",
            metadata={"labels": {"release": "monitoring"}},
            spec={"selector": {"matchLabels": labels}, "endpoints": [{"port": "http"}]},
        )
    )
    assert one(world, "postgresql/monitoring").status is PASS


def test_a_database_whose_monitor_is_not_selected_names_the_label() -> None:
    world = multi_node()
    world.edit("PodMonitor", "pg", drop("metadata.labels.release"))
    verdict = one(world, "postgresql/monitoring")
    assert "PodMonitor databases/pg is not selected" in verdict.message
    assert verdict.fix is not None
    assert verdict.fix.text == "Add the label `release: monitoring` to PodMonitor databases/pg"


@pytest.mark.parametrize("resource", ["podmonitors.monitoring.coreos.com", "servicemonitors.monitoring.coreos.com"])
@pytest.mark.parametrize("check", ["postgresql/monitoring", "rabbitmq/monitoring"])
def test_forbidden_monitors_are_unknown(check: str, resource: str) -> None:
    world = multi_node()
    world.deny = lambda asked, namespace, name: asked == resource
    assert worst(world, check) is UNKNOWN


def test_each_concern_of_the_broker_is_named() -> None:
    world = alerting_on(multi_node(), "rabbitmq_alarms_memory_used_watermark > 0", "rabbitmq")
    verdict = under(world, "rabbitmq/monitoring")["RabbitmqCluster rabbitmq/mq#alerts"]
    assert (verdict.status, verdict.measured) == (FAIL, "no alert on queue depth, disk free, connections")
    world.remove("PrometheusRule", "rabbitmq")
    verdict = under(world, "rabbitmq/monitoring")["RabbitmqCluster rabbitmq/mq#alerts"]
    assert (verdict.status, verdict.follows) == (SKIP, "monitoring/alerts-rabbitmq")


def test_a_broker_without_a_stack() -> None:
    assert {verdict.status for verdict in under(without_stack(multi_node()), "rabbitmq/monitoring").values()} == {MANUAL}
    found = under(spec(multi_node(), replicas=0), "rabbitmq/monitoring")
    assert {(verdict.status, verdict.follows) for verdict in found.values()} == {(SKIP, "monitoring/stack")}


# The use of volumes


def test_node_local_classes_ask_for_the_nodes_disk() -> None:
    assert list(under(single_node(), "capacity/alerts")) == [f"{RELEASE}#node disks"]
    assert list(under(multi_node(), "capacity/alerts")) == [f"{RELEASE}#volumes"]


def test_use_follows_storage_alerts() -> None:
    world = multi_node()
    world.remove("PrometheusRule", f"{FULL}-kubernetes-storage")
    world.remove("PrometheusRule", "longhorn")
    verdict = one(world, "capacity/alerts")
    assert (verdict.status, verdict.follows) == (SKIP, "monitoring/alerts-storage")
    assert one(without_stack(multi_node()), "capacity/alerts").status is MANUAL


def test_a_second_server_that_tells_nobody_is_no_finding_where_another_does() -> None:
    world = multi_node()
    world.add(prometheus("second", SPACE, alerting=None))
    found = under(world, "monitoring/delivery")
    assert (found[SERVER].status, found[f"Prometheus {SPACE}/second"].status) == (PASS, SKIP)
    spec(world, ruleSelector={"matchLabels": {"app.kubernetes.io/part-of": "kube-prometheus-stack"}})
    found = under(world, "monitoring/delivery")
    assert found[f"Prometheus {SPACE}/second"].status is FAIL, "it alone evaluates the product's own"


def test_a_prometheus_that_stands_still_beside_an_agent_is_said() -> None:
    world = spec(multi_node(), replicas=0)
    agent = prometheus("agent")
    agent["apiVersion"], agent["kind"] = ALPHA, "PrometheusAgent"
    world.add(agent)
    verdict = one(world, "monitoring/alerts-cluster")
    assert (verdict.status, f"{SERVER} has no ready replica" in verdict.message) == (MANUAL, True)


def test_a_broker_or_database_that_is_gone_is_one_finding() -> None:
    world = multi_node()
    world.remove("Service", "mq")
    verdict = under(world, "rabbitmq/monitoring")["RabbitmqCluster rabbitmq/mq#metrics"]
    assert (verdict.status, verdict.follows) == (SKIP, "rabbitmq/connectivity")
    world = multi_node()
    world.objects = [
        item for item in world.objects if not (item["kind"] in ("Pod", "EndpointSlice") and item["metadata"].get("namespace") == "databases")
    ]
    verdict = one(world, "postgresql/monitoring")
    assert (verdict.status, verdict.follows) == (SKIP, "postgresql/reachable")
    assert worst(world, "postgresql/reachable") is FAIL


def test_delivery_follows_only_a_leader_that_is_red() -> None:
    world = without(multi_node(), "PrometheusRule")
    world.add(rule("odd", SPACE, {"Odd": 'kube_pod_status_phase{namespace=~"[[:alpha:]]+"} > 0'}))
    assert one(world, "monitoring/alerts-cluster").status is MANUAL
    assert one(world, "monitoring/delivery").status is MANUAL
