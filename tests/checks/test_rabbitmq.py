"""Row rabbitmq: what keeps the broker, whether it is reached, as whom, over what, on how many nodes, and how it is set."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

import pytest

from exivity_audit.config import BrokerIntent, Config, Declare
from exivity_audit.lifecycle import Lifecycle
from exivity_audit.verdict import Status, Verdict
from tests import builders
from tests.builders import encode, made
from tests.judging import alone, judged
from tests.mutation import drop, put
from tests.products import rabbitmq as broker
from tests.world import OPTIONAL, World

PASS, WARN, FAIL, UNKNOWN, MANUAL, SKIP = Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.MANUAL, Status.SKIP
MANAGED = Config(declare=Declare(rabbitmq=BrokerIntent(managed=True)))
CLUSTERED = Config(declare=Declare(rabbitmq=BrokerIntent(clustered=True)))
EVALUATION = Config(purpose="evaluation")
CHECKS = (
    "deployment",
    "site-local",
    "connectivity",
    "authentication",
    "tls",
    "clustering",
    "persistence",
    "queues",
    "version",
    "leftover",
    "consumer-timeout",
)
RELEASE, CLUSTER, EMBEDDED = "Release exivity/exivity", "RabbitmqCluster rabbitmq/mq", "StatefulSet exivity/exivity-rabbitmq-v4"


@cache
def _base(name: str) -> World:
    world: World = getattr(builders, name)()
    return world


def multi() -> World:
    return _base("multi_node").copy()


def single() -> World:
    return _base("single_node").copy()


def embedded() -> World:
    return broker.on_embedded(multi())


def embedded_single() -> World:
    return broker.on_embedded(single(), node="only", class_name="local-path")


def external(**changes: Any) -> World:
    return broker.on_external(multi(), **changes)


def other(**changes: Any) -> World:
    world = broker.without_operator(multi())
    world.add(*broker.other(**changes))
    return broker.configured(world, "rabbit.messaging.svc.cluster.local")


def lost() -> World:
    return broker.configured(multi(), "mq.elsewhere.svc")


def with_cluster(change: Callable[[Any], Any], world: World | None = None) -> World:
    world = world or multi()
    world.edit("RabbitmqCluster", "mq", change)
    return world


def with_settings(text: str | None, **rest: Any) -> World:
    return with_cluster(put("spec.rabbitmq", {"additionalConfig": text, **rest}))


def found(world: World, slug: str, config: Config | None = None, **rest: Any) -> dict[str, Verdict]:
    return {str(verdict.subject): verdict for verdict in alone(world, f"rabbitmq/{slug}", config, **rest).verdicts}


def one(world: World, slug: str, config: Config | None = None, **rest: Any) -> Verdict:
    verdicts = found(world, slug, config, **rest)
    assert len(verdicts) == 1, {name: verdict.message for name, verdict in verdicts.items()}
    return next(iter(verdicts.values()))


def status(world: World, slug: str, config: Config | None = None, **rest: Any) -> Status:
    return alone(world, f"rabbitmq/{slug}", config, **rest).status


def denied(world: World, resource: str, namespace: str | None = None) -> World:
    world.deny = lambda asked, place, name: asked == resource and namespace in (None, place)
    return world


@pytest.mark.parametrize("base", ["multi_node", "single_node"])
@pytest.mark.parametrize("purpose", ["production", "evaluation"])
def test_conforming_clusters_pass(base: str, purpose: str) -> None:
    row = {item.check.slug: item for item in judged(_base(base).copy(), config=Config(purpose=purpose)).outcomes if item.check.row == "rabbitmq"}  # type: ignore[arg-type]
    assert {slug: row[slug].status for slug in CHECKS} == dict.fromkeys(CHECKS, PASS), {
        slug: [v.message for v in row[slug].verdicts] for slug in CHECKS
    }
    assert all(verdict.evidence for slug in CHECKS for verdict in row[slug].verdicts if slug != "leftover")


@pytest.mark.parametrize("slug", CHECKS)
def test_without_the_configuration_nothing_is_known(slug: str) -> None:
    outcome = alone(denied(multi(), "configmaps"), f"rabbitmq/{slug}")
    assert outcome.status is UNKNOWN
    assert any("configmaps" in rule for verdict in outcome.verdicts for rule in verdict.needs)


@pytest.mark.parametrize("slug", CHECKS)
def test_a_configuration_without_a_broker_is_unknown(slug: str) -> None:
    world = multi()
    for item in [item for item in world.all("ConfigMap") if "config.json" in (item.get("data") or {})]:
        item["data"]["config.json"] = '{"db": {"parameters": {"host": "h"}}}'
    assert status(world, slug) in ({UNKNOWN} if slug != "leftover" else {PASS})


@pytest.mark.parametrize("slug", [slug for slug in CHECKS if slug not in ("authentication", "connectivity", "leftover")])
def test_a_host_that_leads_nowhere_is_left_to_connectivity(slug: str) -> None:
    verdict = one(lost(), slug)
    assert (verdict.status, verdict.follows) == (SKIP, "rabbitmq/connectivity")
    assert one(lost(), "connectivity").status is FAIL


class TestDeployment:
    def test_the_operator(self) -> None:
        verdict = one(multi(), "deployment")
        assert (verdict.status, verdict.seen) == (PASS, CLUSTER)
        assert {evidence.read for evidence in verdict.evidence} == {"service_configs", "rabbitmq_clusters"}

    def test_the_charts_own(self) -> None:
        verdict = one(embedded(), "deployment")
        assert (verdict.status, verdict.measured) == (FAIL, "embedded")
        assert "bitnamilegacy" in verdict.seen
        assert verdict.fix is not None
        assert "rabbitmq.enabled: false" in verdict.fix.text
        assert status(embedded_single(), "deployment") is WARN

    def test_evaluation(self) -> None:
        assert one(embedded(), "deployment", EVALUATION).status is WARN
        verdict = one(embedded_single(), "deployment", EVALUATION)
        assert verdict.status is PASS
        assert "evaluation" in verdict.remark

    @pytest.mark.parametrize("change", ["no chart label", "mirrored image"])
    def test_one_sign_of_the_chart_suffices(self, change: str) -> None:
        world = embedded()
        if change == "no chart label":
            for kind in ("StatefulSet", "Service", "Pod"):
                for item in world.all(kind):
                    (item["metadata"].get("labels") or {}).pop("helm.sh/chart", None)
        else:
            for name in ("exivity-rabbitmq-v4", "exivity-rabbitmq-v4-0"):
                kind = "Pod" if name.endswith("-0") else "StatefulSet"
                path = "spec.containers.0.image" if kind == "Pod" else "spec.template.spec.containers.0.image"
                world.edit(kind, name, put(path, "registry.corp/mirror/rabbitmq:4.1.3"))
        assert one(world, "deployment").measured == "embedded"

    def test_an_operator_that_runs_the_archives_image(self) -> None:
        world = multi()
        world.edit("Pod", "mq-server-0", put("spec.containers.0.image", "docker.io/bitnamilegacy/rabbitmq:4.1.3"))
        verdict = one(world, "deployment")
        assert verdict.status is FAIL
        assert verdict.fix is not None
        assert "spec.image" in verdict.fix.text

    def test_another_broker_in_the_cluster(self) -> None:
        verdict = one(other(), "deployment")
        assert (verdict.status, verdict.measured) == (WARN, "other")
        assert "StatefulSet messaging/rabbit" in verdict.seen

    def test_outside(self) -> None:
        assert one(external(), "deployment").remark
        verdict = one(external(), "deployment", MANAGED)
        assert (verdict.status, verdict.remark) == (PASS, "")

    @pytest.mark.parametrize("host", ["mq", "mq.rabbitmq", "mq.rabbitmq.svc", "mq.rabbitmq.svc.cluster.local", "MQ.rabbitmq.svc.cluster.local."])
    def test_every_spelling_of_a_host(self, host: str) -> None:
        world = broker.configured(multi(), host)
        if host == "mq":
            world.add(made("v1", "Service", "mq", "exivity", spec={"type": "ExternalName", "externalName": "mq.rabbitmq.svc.cluster.local"}))
        assert one(world, "deployment").seen == CLUSTER

    def test_two_labels_of_somebody_elses_domain(self) -> None:
        assert one(broker.configured(multi(), "mq.corp"), "deployment").measured == "external"
        world = denied(broker.configured(multi(), "mq.corp"), "namespaces")
        assert one(world, "deployment").status is UNKNOWN

    def test_a_service_of_ones_own_before_the_operators_pods(self) -> None:
        world = broker.configured(multi(), "broker.rabbitmq.svc")
        service = broker._service("broker", "rabbitmq", {}, {"app.kubernetes.io/name": "mq"}, (("amqps", 5671),))
        world.add(service, broker._slice(service, [world.find("Pod", "mq-server-0")]))
        assert one(world, "deployment").seen == CLUSTER
        assert one(world, "connectivity").status is PASS

    def test_a_service_without_selector_leads_outside(self) -> None:
        world = broker.configured(multi(), "legacy")
        world.add(made("v1", "Service", "legacy", "exivity", spec={"type": "ClusterIP", "clusterIP": "10.43.1.1", "ports": [{"port": 5671}]}))
        assert one(world, "deployment").measured == "external"
        assert one(world, "site-local").status is WARN

    def test_clusters_that_may_not_be_listed(self) -> None:
        world = multi()
        world.deny = lambda resource, namespace, name: resource == "rabbitmqclusters.rabbitmq.com" and namespace is None
        assert one(world, "deployment").status is PASS
        world.deny = lambda resource, namespace, name: resource == "rabbitmqclusters.rabbitmq.com" and namespace in (None, "rabbitmq")
        verdict = one(world, "deployment")
        assert verdict.status is UNKNOWN
        assert "rabbitmqclusters" in "".join(verdict.needs)

    def test_a_malformed_cluster_hides_those_of_its_own_namespace_alone(self) -> None:
        world = other()
        world.resources |= {name: OPTIONAL[name] for name in broker.SERVED}
        world.add(made(broker.API, "RabbitmqCluster", "odd", "elsewhere", spec={"replicas": "three"}))
        assert one(world, "deployment").measured == "other"
        world.add(made(broker.API, "RabbitmqCluster", "odd", "messaging", spec={"replicas": "three"}))
        assert one(world, "deployment").status is UNKNOWN

    def test_services_that_may_not_be_listed(self) -> None:
        assert status(denied(multi(), "services", "rabbitmq"), "deployment") is UNKNOWN
        assert status(denied(external(), "services", "rabbitmq"), "deployment") is PASS

    def test_two_servers_are_two_verdicts(self) -> None:
        world = multi()
        content = world.find("ConfigMap", "exivity-config-use")["data"]
        content["config.json"] = (
            content["config.json"].replace("mq.rabbitmq.svc", "exivity-rabbitmq-v4").replace("5671", "5672").replace("true", "false")
        )
        world.add(*broker.embedded())
        verdicts = found(world, "deployment")
        assert {name: verdict.status for name, verdict in verdicts.items()} == {
            f"{RELEASE}#mq.rabbitmq.svc:5671": PASS, f"{RELEASE}#exivity-rabbitmq-v4:5672 plain": FAIL,
        }  # fmt: skip


class TestSiteLocal:
    def test_a_service_of_this_cluster(self) -> None:
        assert one(multi(), "site-local").seen == "Service rabbitmq/mq"
        assert status(embedded(), "site-local") is PASS

    def test_a_host_outside(self) -> None:
        verdict = one(external(), "site-local")
        assert verdict.status is WARN
        assert "outside this cluster" in verdict.message
        assert one(external(), "site-local", MANAGED).status is PASS


class TestConnectivity:
    def test_ready_endpoints(self) -> None:
        verdict = one(multi(), "connectivity")
        assert "1 ready endpoint" in verdict.seen
        assert {evidence.read for evidence in verdict.evidence} == {"service_configs", "middleware_slices", "rabbitmq_clusters", "probe_rabbitmq"}

    @pytest.mark.parametrize(("change", "words"), [
        (lambda w: w.edit("EndpointSlice", "mq-x7k2p", put("endpoints.0.conditions.ready", False)), "no ready endpoint"),
        (lambda w: w.edit("EndpointSlice", "mq-x7k2p", put("endpoints", None)), "no ready endpoint"),
        (lambda w: w.edit("EndpointSlice", "mq-x7k2p", put("ports", [{"name": "amqp", "port": 5672}])), "no endpoint on port 5671"),
        (lambda w: w.remove("EndpointSlice", "mq-x7k2p"), "no endpoint"),
        (lambda w: w.remove("Service", "mq"), "no Service rabbitmq/mq"),
        (lambda w: broker.configured(w, "mq.rabbitmq.svc", 5672), "port 5672"),
        (lambda w: broker.configured(w, "mq.rabbitmq.svc", ""), "port none"),
        (lambda w: broker.configured(w, ""), "no host"),
        (lambda w: broker.configured(w, "localhost"), "the pod itself"),
        (lambda w: w.edit("RabbitmqCluster", "mq", put("status.conditions.1.status", "False")), "ClusterAvailable False"),
        (lambda w: w.edit("RabbitmqCluster", "mq", put("status.conditions.0", {"type": "AllReplicasReady", "status": "False", "reason": "NotAllPodsReady"})), "NotAllPodsReady"),
        (lambda w: w.edit("RabbitmqCluster", "mq", put("status.conditions.3.status", "False")), "ReconcileSuccess False"),
    ])  # fmt: skip
    def test_what_breaks_it(self, change: Callable[[World], Any], words: str) -> None:
        world = multi()
        change(world)
        verdict = one(world, "connectivity")
        assert verdict.status is FAIL
        assert words in verdict.message
        assert verdict.fix is not None

    def test_the_port_to_set(self) -> None:
        verdict = one(broker.configured(multi(), "mq.rabbitmq.svc", 5672), "connectivity")
        assert verdict.fix is not None
        assert verdict.fix.values == (("rabbitmq.port", 5671),)

    @pytest.mark.parametrize(
        "change", [drop("status"), put("status.conditions", None), put("status.conditions", [{"type": "ClusterAvailable", "status": "Unknown"}])]
    )
    def test_a_silent_operator_is_unknown(self, change: Any) -> None:
        verdict = one(with_cluster(change), "connectivity")
        assert verdict.status is UNKNOWN
        assert verdict.needs

    def test_remarks_of_the_operator(self) -> None:
        assert "newest change" in one(with_cluster(put("metadata.generation", 2)), "connectivity").remark
        assert "quorum" in one(with_cluster(put("status.quorumStatus", "quorum critical: mq-server-0")), "connectivity").remark
        assert one(with_cluster(put("status.quorumStatus", "ok (1 unavailable)")), "connectivity").remark == ""

    def test_outside_is_attested(self) -> None:
        assert one(external(), "connectivity").status is MANUAL

    def test_endpoints_that_were_not_read(self) -> None:
        verdicts = found(denied(multi(), "endpointslices.discovery.k8s.io", "rabbitmq"), "connectivity")
        assert {verdict.status for verdict in verdicts.values()} == {UNKNOWN}

    def test_a_headless_service_leads_to_the_pods(self) -> None:
        world = broker.configured(multi(), "mq-nodes.rabbitmq.svc")
        service = broker._service("mq-nodes", "rabbitmq", broker.LABELS, {"app.kubernetes.io/name": "mq"}, (("epmd", 4369),), "None")
        world.add(service, broker._slice(service, [world.find("Pod", "mq-server-0")]))
        assert one(world, "connectivity").status is PASS

    def test_a_malformed_config_is_unknown_beside_the_others(self) -> None:
        world = multi()
        world.edit("ConfigMap", "exivity-config-use", put("data", {"config.json": "{"}))
        verdicts = found(world, "connectivity")
        assert verdicts[RELEASE].status is PASS
        assert verdicts["ConfigMap exivity/exivity-config-use"].status is UNKNOWN


class TestAuthentication:
    @pytest.mark.parametrize(("user", "password", "expected", "words"), [
        ("user", "pass", FAIL, "the chart's default"), ("exivity", "pass", FAIL, "the chart's default"), ("guest", "guest", FAIL, "guest"),
        ("guest", "kT4-pq8_Zs3mWx7vBn2c", FAIL, "guest"), ("", "kT4-pq8_Zs3mWx7vBn2c", FAIL, "no user name"), ("user", "kT4-pq8_Zs3mWx7vBn2c", PASS, "the chart ships"),
        ("default_user_Vq3xKe0bUJ2mC7", "kT4-pq8_Zs3mWx7vBn2c", PASS, "administrator"), ("exivity", "kT4-pq8_Zs3mWx7vBn2c", PASS, "a password of its own"),
    ])  # fmt: skip
    def test_logins(self, user: str, password: str, expected: Status, words: str) -> None:
        verdict = one(broker.configured(multi(), "mq.rabbitmq.svc", user=user, password=password), "authentication")
        assert verdict.status is expected
        assert words in f"{verdict.message} {verdict.remark}"

    def test_each_login_by_itself(self) -> None:
        world = multi()
        content = world.find("ConfigMap", "exivity-config-use")["data"]
        content["config.json"] = content["config.json"].replace("exivity-app", "guest")
        verdicts = found(world, "authentication")
        assert {name: verdict.status for name, verdict in verdicts.items()} == {f"{RELEASE}#login exivity-app": PASS, f"{RELEASE}#login guest": FAIL}

    def test_no_password_leaves_the_collector(self) -> None:
        world = broker.configured(multi(), "mq.rabbitmq.svc", user="user", password="pass")
        assert "pass " not in one(world, "authentication").message


class TestTls:
    @pytest.mark.parametrize(("world", "expected", "words"), [
        (multi, PASS, "TLS to mq.rabbitmq.svc:5671"), (embedded, WARN, "inside this cluster"), (external, PASS, "TLS to rabbitmq.corp.example.net:5671"),
        (lambda: external(port=5672, secure=False), FAIL, "outside this cluster"), (lambda: external(secure=False), FAIL, "plaintext"),
        (lambda: external(port=5672), WARN, "usually speaks plaintext"),
        (lambda: broker.configured(multi(), "mq.rabbitmq.svc", 5671, False), FAIL, "takes TLS alone"),
        (lambda: with_cluster(drop("spec.tls")), FAIL, "offers none"),
    ])  # fmt: skip
    def test_what_is_asked_and_what_is_offered(self, world: Callable[[], World], expected: Status, words: str) -> None:
        verdict = one(world(), "tls")
        assert verdict.status is expected
        assert words in verdict.message
        assert (verdict.fix is not None) == (expected is not PASS)

    def test_plaintext_to_an_operator_that_takes_both(self) -> None:
        world = with_cluster(put("spec.tls", {}))
        world.edit("Service", "mq", put("spec.ports", [{"name": "amqp", "port": 5672, "targetPort": 5672}]))
        verdict = one(broker.configured(world, "mq.rabbitmq.svc", 5672, False), "tls")
        assert (verdict.status, verdict.measured) == (WARN, 5672)
        assert verdict.fix is not None
        assert "spec.tls.secretName" in verdict.fix.text

    def test_tls_on_the_port_that_the_service_calls_plaintext(self) -> None:
        world = multi()
        world.edit("Service", "mq", put("spec.ports", [{"name": "amqp", "port": 5672}, {"name": "amqps", "port": 5671}]))
        assert one(broker.configured(world, "mq.rabbitmq.svc", 5672, True), "tls").status is FAIL

    def test_a_port_that_leads_nowhere_is_left_to_connectivity(self) -> None:
        world = broker.configured(multi(), "mq.rabbitmq.svc", 5672, True)
        assert one(world, "tls").follows == "rabbitmq/connectivity"
        assert one(world, "connectivity").status is FAIL


def of_nodes(count: int, base: Callable[[], World] = multi) -> World:
    world = with_cluster(put("spec.replicas", count), base())
    world.edit("StatefulSet", "mq-server", put("spec.replicas", count))
    return world


class TestClustering:
    @pytest.mark.parametrize(("count", "config", "expected"), [
        (1, None, PASS), (2, None, FAIL), (2, CLUSTERED, FAIL), (3, None, WARN), (3, CLUSTERED, PASS), (5, CLUSTERED, PASS), (4, CLUSTERED, FAIL), (0, None, SKIP),
    ])  # fmt: skip
    def test_nodes(self, count: int, config: Config | None, expected: Status) -> None:
        verdict = one(of_nodes(count), "clustering", config)
        assert verdict.status is expected

    def test_three_nodes_as_they_run(self) -> None:
        world = broker.with_three(multi())
        assert one(world, "clustering", CLUSTERED).seen == "3 nodes, declared"
        assert one(world, "clustering").status is WARN

    def test_one_machine(self) -> None:
        assert one(of_nodes(3, single), "clustering", CLUSTERED).status is WARN

    def test_the_operator_never_scales_down(self) -> None:
        world = broker.with_three(multi())
        world.edit("RabbitmqCluster", "mq", put("spec.replicas", 1))
        verdict = one(world, "clustering")
        assert (verdict.status, verdict.measured) == (WARN, 3)
        assert "never scales down" in verdict.message

    def test_the_chart(self) -> None:
        world = embedded()
        assert one(world, "clustering").status is PASS
        world.edit("StatefulSet", "exivity-rabbitmq-v4", put("spec.replicas", 3))
        verdict = one(world, "clustering", CLUSTERED)
        assert verdict.status is WARN
        assert verdict.fix is not None
        assert verdict.fix.values == (("rabbitmq.replicaCount", 1),)

    def test_outside_and_unseen(self) -> None:
        assert one(external(), "clustering").status is SKIP
        assert status(denied(multi(), "statefulsets.apps", "rabbitmq"), "clustering") is UNKNOWN


class TestPersistence:
    def test_a_bound_claim(self) -> None:
        assert one(multi(), "persistence").message == "mq: persistence-mq-server-0 10Gi"
        assert "data-exivity-rabbitmq-v4-0 8Gi" in one(embedded(), "persistence").message

    @pytest.mark.parametrize(("change", "words"), [
        (put("spec.persistence.storage", "0"), "0"), (put("spec.persistence.storage", 0), "0"), (put("spec.persistence.emptyDir", {}), "emptyDir"),
    ])  # fmt: skip
    def test_a_cluster_that_asks_for_none(self, change: Any, words: str) -> None:
        verdict = one(with_cluster(change), "persistence")
        assert verdict.status is FAIL
        assert words in verdict.message

    def test_a_default_size_is_a_claim(self) -> None:
        assert one(with_cluster(drop("spec.persistence")), "persistence").status is PASS

    def test_a_pod_without_a_claim(self) -> None:
        world = embedded()
        world.edit("Pod", "exivity-rabbitmq-v4-0", put("spec.volumes", [{"name": "data", "emptyDir": {}}]))
        verdict = one(world, "persistence")
        assert (verdict.status, verdict.measured) == (FAIL, "no claim")
        assert verdict.fix is not None
        assert verdict.fix.values == (("rabbitmq.persistence.enabled", True),)
        world.edit("Pod", "exivity-rabbitmq-v4-0", put("spec.volumes", [{"name": "data", "hostPath": {"path": "/srv/mq"}}]))
        assert "folder of the node" in one(world, "persistence").message
        assert one(world, "persistence", EVALUATION).status is WARN

    def test_a_claim_that_is_not_bound(self) -> None:
        world = multi()
        world.edit("PersistentVolumeClaim", "persistence-mq-server-0", put("status", {"phase": "Pending"}))
        assert "Pending" in one(world, "persistence").message
        assert status(world, "persistence") is FAIL

    def test_outside_is_attested_and_what_was_not_seen_is_unknown(self) -> None:
        assert one(external(), "persistence").status is MANUAL
        assert status(denied(multi(), "persistentvolumeclaims", "rabbitmq"), "persistence") is UNKNOWN
        assert status(denied(multi(), "pods", "rabbitmq"), "persistence") is UNKNOWN


def declared(kind: str, called: str, /, **spec: Any) -> Any:
    return made(broker.API, kind, called, "rabbitmq", spec={"rabbitmqClusterReference": {"name": "mq"}, **spec})


class TestQueues:
    @pytest.mark.parametrize(("settings", "expected"), [
        ("default_queue_type = quorum", PASS), (" default_queue_type=quorum  # new", PASS), ("default_queue_type = classic", WARN), (None, MANUAL), ("", MANUAL),
        ("# default_queue_type = quorum", MANUAL), ("default_queue_type = classic\ndefault_queue_type = quorum", PASS),
    ])  # fmt: skip
    def test_the_default(self, settings: str | None, expected: Status) -> None:
        assert one(with_settings(settings), "queues").status is expected

    @pytest.mark.parametrize(("items", "settings", "expected"), [
        ([declared("Queue", "report", name="REPORT", type="quorum")], "", PASS), ([declared("Queue", "report", name="REPORT", vhost="/", type="classic")], "default_queue_type = quorum", WARN),
        ([declared("Queue", "report", name="REPORT", arguments={"x-queue-type": "quorum"})], "", PASS), ([declared("Queue", "report", name="REPORT")], "", WARN),
        ([declared("Queue", "report", name="REPORT", vhost="elsewhere", type="classic")], "default_queue_type = quorum", PASS),
        ([declared("Vhost", "root", name="/", defaultQueueType="quorum")], "", PASS), ([declared("Vhost", "root", name="other", defaultQueueType="quorum")], "", MANUAL),
        ([declared("Policy", "mirror", name="m", pattern=".*", applyTo="queues", definition={"ha-mode": "all"})], "default_queue_type = quorum", WARN),
        ([declared("Policy", "limits", name="l", pattern=".*", applyTo="quorum_queues", definition={"delivery-limit": 5})], "", PASS),
    ])  # fmt: skip
    def test_what_is_declared(self, items: list[Any], settings: str, expected: Status) -> None:
        world = with_settings(settings)
        world.add(*items)
        assert one(world, "queues").status is expected

    def test_another_clusters_queues_do_not_count(self) -> None:
        world = multi()
        queue = declared("Queue", "report", name="REPORT", type="classic")
        queue["spec"]["rabbitmqClusterReference"] = {"name": "mq", "namespace": "elsewhere"}
        world.add(queue)
        assert one(world, "queues").status is PASS

    def test_what_no_object_shows_is_attested(self) -> None:
        assert one(embedded(), "queues").status is MANUAL
        assert one(external(), "queues").status is MANUAL

    def test_queues_that_may_not_be_listed(self) -> None:
        assert status(denied(multi(), "queues.rabbitmq.com"), "queues") is UNKNOWN


def running(image: str) -> World:
    world = multi()
    world.edit("Pod", "mq-server-0", put("spec.containers.0.image", image))
    return world


class TestVersion:
    @pytest.mark.parametrize(("image", "expected", "words"), [
        ("rabbitmq:4.3.1-management", PASS, "newer"), ("rabbitmq:4.2.4", FAIL, "ended on 31 Jul 2026"), ("rabbitmq:4.1.3", FAIL, "ended before"), ("rabbitmq:3.13.7-management", FAIL, "ended before"),
        ("registry.corp:5000/mirror/rabbitmq:v4.3.0@sha256:0a1b", PASS, "newer"), ("rabbitmq:management", UNKNOWN, "does not name"), ("rabbitmq:4", UNKNOWN, "does not name"),
        ("rabbitmq@sha256:0a1b", UNKNOWN, "does not name"), ("registry.corp:5000/rabbitmq", UNKNOWN, "does not name"), ("corp/broker:2026.1", UNKNOWN, "does not name"),
    ])  # fmt: skip
    def test_by_the_tag_of_the_running_image(self, image: str, expected: Status, words: str) -> None:
        verdict = one(running(image), "version")
        assert verdict.status is expected
        assert words in verdict.message

    def test_the_pods_decide_not_the_template(self) -> None:
        world = multi()
        world.edit("StatefulSet", "mq-server", put("spec.template.spec.containers.0.image", "rabbitmq:4.1.3"))
        world.edit("RabbitmqCluster", "mq", put("spec.image", "rabbitmq:4.1.3"))
        assert one(world, "version").status is PASS

    def test_the_oldest_of_a_rollout_counts(self) -> None:
        world = broker.with_three(multi())
        world.edit("Pod", "mq-server-2", put("spec.containers.0.image", "rabbitmq:4.2.4"))
        assert one(world, "version").status is FAIL

    def test_the_table(self) -> None:
        assert one(multi(), "version", lifecycle=Lifecycle(date(2026, 11, 23))).needs == ("lifecycle",)
        assert one(multi(), "version", lifecycle=Lifecycle(date(2026, 1, 1), rabbitmq={"4.2": date(2026, 7, 31)})).status is UNKNOWN
        assert (
            one(multi(), "version", lifecycle=Lifecycle(date(2026, 11, 23), rabbitmq={"4.3": date(2027, 7, 31)})).seen
            == "4.3.1, supported until 31 Jul 2027"
        )
        gap = Lifecycle(date(2026, 11, 23), rabbitmq={"4.2": date(2026, 7, 31), "4.4": date(2028, 1, 31)})
        assert one(multi(), "version", lifecycle=gap).status is UNKNOWN

    def test_the_chart_outside_and_unseen(self) -> None:
        assert one(embedded(), "version").status is FAIL
        assert one(embedded_single(), "version", EVALUATION).status is PASS
        assert one(external(), "version").status is MANUAL
        assert status(denied(multi(), "pods", "rabbitmq"), "version") is UNKNOWN


class TestLeftover:
    def test_none(self) -> None:
        assert one(multi(), "leftover").status is PASS
        assert one(embedded(), "leftover").status is PASS

    def test_the_older_broker_beside_the_newer(self) -> None:
        world = embedded()
        world.add(*broker.embedded(suffix="rabbitmq", image="docker.io/bitnamilegacy/rabbitmq:3.12.14"))
        verdicts = found(world, "leftover")
        assert verdicts["StatefulSet exivity/exivity-rabbitmq"].status is WARN

    def test_the_charts_broker_beside_the_operators(self) -> None:
        world = multi()
        world.add(*broker.embedded())
        assert one(world, "leftover").status is WARN
        world.edit("StatefulSet", "exivity-rabbitmq-v4", put("spec.replicas", 0))
        world.remove("Pod", "exivity-rabbitmq-v4-0")
        verdict = one(world, "leftover")
        assert verdict.status is PASS
        assert "delete it" in verdict.remark

    def test_a_claim_that_is_left(self) -> None:
        world = multi()
        world.add(next(item for item in broker.embedded(suffix="rabbitmq") if item["kind"] == "PersistentVolumeClaim"))
        assert "data-exivity-rabbitmq-0" in one(world, "leftover").remark

    def test_a_host_that_leads_nowhere_may_mean_it(self) -> None:
        world = lost()
        world.add(*broker.embedded())
        assert one(world, "leftover").follows == "rabbitmq/connectivity"

    def test_unseen(self) -> None:
        assert status(denied(multi(), "statefulsets.apps", "exivity"), "leftover") is UNKNOWN


class TestConsumerTimeout:
    @pytest.mark.parametrize(("settings", "words", "remark"), [
        ("consumer_timeout = 7200000", "2 h", ""), (None, "30 min, the broker's default", "longer than 30 min"), ("consumer_timeout = 600000", "10 min", "longer than 10 min"),
    ])  # fmt: skip
    def test_as_set(self, settings: str | None, words: str, remark: str) -> None:
        verdict = one(with_settings(settings), "consumer-timeout")
        assert verdict.status is PASS
        assert words in verdict.message
        assert (remark in verdict.remark) if remark else verdict.remark == ""

    def test_advanced_settings(self) -> None:
        terms = "[{rabbit, [\n  %% {consumer_timeout, 1},\n  {consumer_timeout, undefined}\n]}]."
        assert one(with_settings("consumer_timeout = 7200000", advancedConfig=terms), "consumer-timeout").measured == "off"

    def test_a_policy_is_a_remark(self) -> None:
        world = multi()
        world.add(declared("Policy", "slow", name="slow", pattern="TRANSFORM", applyTo="queues", definition={"consumer-timeout": 14400000}))
        assert "Policy rabbitmq/slow sets 4 h" in one(world, "consumer-timeout").remark

    def test_an_odd_value_and_other_brokers_are_attested(self) -> None:
        assert one(with_settings("consumer_timeout = ten"), "consumer-timeout").status is MANUAL
        assert one(embedded(), "consumer-timeout").status is MANUAL
        assert one(external(), "consumer-timeout").status is MANUAL


def test_nothing_of_the_brokers_configuration_is_kept_but_the_settings_in_use() -> None:
    from exivity_audit.collect.describe import DESCRIBERS, Vault

    settings = "default_user = admin\ndefault_pass = hunter2hunter2\ndefault_queue_type = hunter2hunter2\nconsumer_timeout = hunter2hunter2 # hunter2hunter2\nauth_ldap.dn_lookup_bind.password = hunter2hunter2"
    terms = '[{rabbit, [{consumer_timeout, hunter2hunter2}, {default_pass, <<"hunter2hunter2">>}]}].'
    kept = [
        DESCRIBERS["broker_settings"](settings, Vault()), DESCRIBERS["broker_terms"](terms, Vault()), DESCRIBERS["broker_settings"](["hunter2hunter2"], Vault()),
        DESCRIBERS["broker_policy"]({"federation-upstream": "hunter2hunter2", "ha-mode": "hunter2hunter2", "consumer-timeout": "hunter2hunter2"}, Vault()),
        DESCRIBERS["queue_arguments"]({"x-queue-type": "hunter2hunter2", "hunter2hunter2": 1}, Vault()),
    ]  # fmt: skip
    assert "hunter2" not in repr(kept)
    assert kept[0] == {"default_queue_type": "other", "consumer_timeout": "other"}


def test_the_default_users_secret_is_not_read() -> None:
    world = multi()
    world.edit("Secret", "mq-default-user", put("data.password", encode("hunter2hunter2")))
    judged(world)
    assert not [path for _, path in world.requests if "secrets" in path and "rabbitmq" in path.partition("/secrets")[0]]
