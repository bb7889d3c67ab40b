"""The row application: what each check says of clusters in which one thing differs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from exivity_audit import chart
from exivity_audit.config import Config
from exivity_audit.verdict import Status, Verdict
from tests.builders import WORKERS, Installation, made, multi_node, single_node, stamp
from tests.judging import judged, status, verdicts
from tests.mutation import deep, drop, put
from tests.products import postgresql
from tests.world import Object, World

ROW = "application/"
RELEASE = "Release exivity/exivity"
FAIL, WARN, PASS, SKIP, UNKNOWN, MANUAL = Status.FAIL, Status.WARN, Status.PASS, Status.SKIP, Status.UNKNOWN, Status.MANUAL


def about(component: str) -> str:
    """The subject of a service."""
    return f"Deployment exivity/exivity-{component}"


def one(world: World, check: str, component: str, **where: Any) -> Verdict:
    """The verdict of a check on one service, or on a subject that is written out."""
    return verdicts(world, ROW + check, **where)[component if " " in component else about(component)]


def changed(*edits: tuple[str, Callable[[Object], Any]], base: Callable[[], World] = multi_node) -> World:
    """A conforming world with changes to some services' Deployments."""
    world = base()
    for component, change in edits:
        world.edit("Deployment", f"exivity-{component}", change)
    return world


def pods_of(world: World, component: str) -> list[Object]:
    """The pods of a service."""
    return [pod for pod in world.all("Pod") if pod["metadata"].get("labels", {}).get(chart.COMPONENT_LABEL) == component]


def denying(resource: str, base: Callable[[], World] = multi_node) -> World:
    """A conforming world in which a resource is forbidden."""
    world = base()
    world.deny = lambda asked, namespace, name: asked == resource
    return world


def autoscaler(component: str, least: int | None, most: int) -> Object:
    """A HorizontalPodAutoscaler on a service."""
    limits = {"maxReplicas": most} | ({} if least is None else {"minReplicas": least})
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"exivity-{component}"}
    return made("autoscaling/v2", "HorizontalPodAutoscaler", f"scale-{component}", "exivity", spec={"scaleTargetRef": target, **limits})


def with_objects(*objects: Object, base: Callable[[], World] = multi_node) -> World:
    """A conforming world with more objects."""
    world = base()
    world.add(*objects)
    return world


def with_keda(base: Callable[[], World] = multi_node) -> World:
    """A conforming world that serves ScaledObjects."""
    world = base()
    world.resources["scaledobjects.keda.sh"] = ("v1alpha1", "ScaledObject", True)
    return world


def another(**changes: Any) -> World:
    """A conforming world with a second installation in the namespace other."""
    world = multi_node()
    second = Installation(
        database_host="pg-rw.databases.svc",
        **{
            "namespace": "other",
            "release": "other",
            "nodes": WORKERS,
            "replicas": 1,
            "class_name": "longhorn",
            "access_mode": "ReadWriteMany",
            **changes,
        },
    )
    world.add(made("v1", "Namespace", "other"), *second.deployments(), *second.config())
    return world


TARGET = {"namespace": "exivity", "release": "exivity"}


@pytest.mark.parametrize("base", [multi_node, single_node])
def test_a_conforming_cluster_has_no_finding(base: Callable[[], World]) -> None:
    found = {item.check.id: item for item in judged(base()).outcomes if item.check.row == "application"}
    assert len(found) == 15
    assert {check for check, item in found.items() if item.status not in (PASS, SKIP)} == {ROW + "duplicate-tasks", ROW + "scaling"}
    assert all(len(item.check.title) <= 58 and "should" not in item.check.title for item in found.values())


def test_every_finding_carries_a_remedy_and_every_leader_is_red() -> None:
    world = changed(("glass", put("spec.replicas", 1)), ("glass", put("status.readyReplicas", 1)), ("chronos", put("spec.replicas", 0)))
    world.remove("Deployment", "exivity-executor")
    for pod in pods_of(world, "edify"):
        pod["spec"]["nodeName"] = "worker-1"
    world.remove("Pod", "exivity-glass-6d5f-1")
    outcomes = {item.check.id: item for item in judged(world).outcomes if item.check.row == "application"}
    for item in outcomes.values():
        for verdict in item.verdicts:
            assert verdict.fix is not None or verdict.status not in (FAIL, WARN), (item.check.id, verdict.message)
            assert verdict.follows is None or outcomes[verdict.follows].status is FAIL, (item.check.id, verdict.message)


@pytest.mark.parametrize("slug", ["stateless-replicas", "singletons", "declared-spread", "effective-spread", "node-loss"])
def test_a_passive_site_is_not_judged_for_what_it_does_not_run(slug: str) -> None:
    assert status(multi_node(), ROW + slug, role="passive") is SKIP
    assert status(multi_node(), ROW + slug, role="active") is PASS


class TestServicesPresent:
    def test_a_missing_service_fails_alone(self) -> None:
        world = multi_node()
        world.remove("Deployment", "exivity-executor")
        found = verdicts(world, ROW + "services-present")
        assert found[about("executor")].status is FAIL
        assert sum(verdict.status is PASS for verdict in found.values()) == 10

    def test_forbidden(self) -> None:
        world = denying("deployments.apps")
        assert status(world, ROW + "services-present", namespace="exivity", release="exivity") is UNKNOWN

    def test_a_malformed_deployment_is_unknown_and_its_siblings_are_judged(self) -> None:
        found = verdicts(changed(("glass", put("spec.replicas", "two"))), ROW + "services-present")
        assert found[about("glass")].status is UNKNOWN
        assert sum(verdict.status is PASS for verdict in found.values()) == 10

    def test_nothing_is_missing_for_sure_beside_a_malformed_deployment(self) -> None:
        world = changed(("glass", put("spec.replicas", "two")))
        world.remove("Deployment", "exivity-executor")
        assert one(world, "services-present", "executor").status is UNKNOWN


class TestReplicasReady:
    def test_a_status_of_an_earlier_generation_proves_nothing(self) -> None:
        world = changed(("glass", put("metadata.generation", 9)))
        found = one(world, "replicas-ready", "glass")
        assert found.status is UNKNOWN
        assert "generation 1" in found.message
        assert one(world, "replicas-ready", "edify").status is PASS

    def test_fewer_ready_than_asked_for(self) -> None:
        found = one(changed(("edify", put("status.readyReplicas", 1))), "replicas-ready", "edify")
        assert (found.status, found.measured) == (FAIL, 1)

    @pytest.mark.parametrize("reason", ["CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull"])
    def test_the_reason_is_named(self, reason: str) -> None:
        world = changed(("edify", put("status.readyReplicas", 1)))
        pods_of(world, "edify")[0]["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": reason}}
        assert reason in one(world, "replicas-ready", "edify").measured_text

    def test_unschedulable_is_named(self) -> None:
        world = changed(("edify", put("status.readyReplicas", 1)))
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/6 nodes are available"}
        pods_of(world, "edify")[0]["status"] |= {"phase": "Pending", "conditions": [condition]}
        assert "0/6 nodes" in one(world, "replicas-ready", "edify").measured_text

    def test_a_further_pod_that_cannot_start_is_a_warning(self) -> None:
        world = multi_node()
        extra = {**pods_of(world, "glass")[0]}
        extra["metadata"] = {**extra["metadata"], "name": "exivity-glass-77aa-0"}
        extra["status"] = {
            "phase": "Pending",
            "containerStatuses": [{"name": "glass", "ready": False, "restartCount": 0, "state": {"waiting": {"reason": "ImagePullBackOff"}}}],
        }
        world.add(extra)
        assert one(world, "replicas-ready", "glass").status is WARN

    def test_zero_of_zero_passes(self) -> None:
        world = changed(("glass", put("spec.replicas", 0)), ("glass", put("status.readyReplicas", 0)))
        for pod in pods_of(world, "glass"):
            world.objects.remove(pod)
        assert one(world, "replicas-ready", "glass", role="passive").status is PASS

    def test_a_second_singleton_is_not_waited_for(self) -> None:
        world = changed(("chronos", put("spec.replicas", 2)))
        assert one(world, "replicas-ready", "chronos").follows == "application/singletons"
        assert one(world, "replicas-ready", "chronos", role="passive").status is FAIL

    def test_pods_forbidden_the_status_decides(self) -> None:
        assert status(denying("pods"), ROW + "replicas-ready") is PASS

    def test_a_missing_service_follows(self) -> None:
        world = multi_node()
        world.remove("Deployment", "exivity-executor")
        found = one(world, "replicas-ready", "executor")
        assert (found.status, found.follows) == (SKIP, "application/services-present")

    def test_forbidden(self) -> None:
        assert status(denying("deployments.apps"), ROW + "replicas-ready", **TARGET) is UNKNOWN


class TestStatelessReplicas:
    @pytest.mark.parametrize(
        ("component", "expected"),
        [("glass", FAIL), ("proximity-api", FAIL), ("edify", FAIL), ("horizon", FAIL), ("pigeon", FAIL), ("transcript", WARN), ("use", WARN)],
    )
    def test_asked_for_once(self, component: str, expected: Status) -> None:
        found = one(changed((component, put("spec.replicas", 1))), "stateless-replicas", component)
        assert found.status is expected
        if expected is WARN:
            assert "example" in str(found.wanted)

    def test_absent_replicas_are_one(self) -> None:
        assert one(changed(("glass", drop("spec.replicas"))), "stateless-replicas", "glass").status is FAIL

    def test_an_autoscalers_minimum_counts(self) -> None:
        world = changed(("glass", put("spec.replicas", 1)))
        world.add(autoscaler("glass", 2, 5))
        assert one(world, "stateless-replicas", "glass").status is PASS

    def test_an_autoscaler_may_scale_down_to_one(self) -> None:
        assert one(with_objects(autoscaler("glass", None, 5)), "stateless-replicas", "glass").status is WARN

    def test_keda_matters_only_below_two(self) -> None:
        world = with_keda()
        world.deny = lambda resource, namespace, name: resource == "scaledobjects.keda.sh"
        assert status(world, ROW + "stateless-replicas") is PASS
        world.edit("Deployment", "exivity-glass", put("spec.replicas", 1))
        found = one(world, "stateless-replicas", "glass")
        assert (found.status, found.needs) == (UNKNOWN, ("list scaledobjects.keda.sh in exivity",))

    def test_autoscalers_forbidden(self) -> None:
        world = denying("horizontalpodautoscalers.autoscaling")
        assert status(world, ROW + "stateless-replicas") is PASS
        world.edit("Deployment", "exivity-glass", put("spec.replicas", 1))
        assert one(world, "stateless-replicas", "glass").status is UNKNOWN

    def test_one_is_enough_on_one_node(self) -> None:
        assert status(single_node(), ROW + "stateless-replicas") is PASS
        assert one(changed(("glass", put("spec.replicas", 0)), base=single_node), "stateless-replicas", "glass").status is FAIL

    def test_the_scenario_is_unknown(self) -> None:
        assert status(denying("nodes"), ROW + "stateless-replicas") is UNKNOWN


class TestSingletons:
    @pytest.mark.parametrize("count", [0, 2, 5])
    def test_not_asked_for_once(self, count: int) -> None:
        found = one(changed(("chronos", put("spec.replicas", count))), "singletons", "chronos")
        assert (found.status, found.measured) == (FAIL, count)

    def second(self, world: World, number: int = 1) -> Object:
        pod = pods_of(world, "chronos")[0]
        found = {**pod, "metadata": {**pod["metadata"], "name": f"exivity-chronos-new-{number}"}}
        world.add(found)
        return world.find("Pod", f"exivity-chronos-new-{number}")

    def test_two_at_rest(self) -> None:
        world = multi_node()
        self.second(world)
        assert one(world, "singletons", "chronos").status is FAIL

    @pytest.mark.parametrize("rollout", [put("status.updatedReplicas", 0), put("metadata.generation", 2), put("status.replicas", 2)])
    def test_two_during_a_rollout(self, rollout: Callable[[Object], None]) -> None:
        world = changed(("chronos", rollout))
        self.second(world)
        assert one(world, "singletons", "chronos").status is WARN
        self.second(world, 2)
        assert one(world, "singletons", "chronos").status is FAIL

    def test_finished_and_terminating_pods_do_not_count(self) -> None:
        world = multi_node()
        self.second(world)["status"]["phase"] = "Failed"
        self.second(world, 2)["metadata"]["deletionTimestamp"] = stamp(0)
        assert one(world, "singletons", "chronos").status is PASS

    def test_none_running_is_left_to_replicas_ready(self) -> None:
        world = multi_node()
        world.objects.remove(pods_of(world, "chronos")[0])
        assert one(world, "singletons", "chronos").follows == "application/replicas-ready"
        assert one(world, "replicas-ready", "chronos").status is FAIL

    def test_a_malformed_pod_may_be_a_second_one(self) -> None:
        world = changed(("griffon", put("spec.replicas", 2)))
        self.second(world)["spec"]["containers"] = "none"
        found = verdicts(world, ROW + "singletons")
        assert found[about("chronos")].status is UNKNOWN
        assert found[about("griffon")].status is FAIL

    def test_a_missing_one_follows(self) -> None:
        world = multi_node()
        world.remove("Deployment", "exivity-executor")
        assert one(world, "singletons", "executor").follows == "application/services-present"

    def test_forbidden(self) -> None:
        assert status(denying("pods"), ROW + "singletons") is UNKNOWN


class TestSingletonAutoscaling:
    @pytest.mark.parametrize(("most", "expected"), [(1, WARN), (2, FAIL)])
    def test_an_autoscaler(self, most: int, expected: Status) -> None:
        assert one(with_objects(autoscaler("griffon", 1, most)), "singleton-autoscaling", "griffon").status is expected

    def test_of_a_stateless_service_is_none_of_its_business(self) -> None:
        assert status(with_objects(autoscaler("glass", 2, 5)), ROW + "singleton-autoscaling") is PASS

    def test_keda_may_scale_it(self) -> None:
        world = with_keda()
        world.deny = lambda resource, namespace, name: resource == "scaledobjects.keda.sh"
        world.add(autoscaler("griffon", 1, 3))
        assert one(world, "singleton-autoscaling", "griffon").status is FAIL
        assert one(world, "singleton-autoscaling", "chronos").status is UNKNOWN

    def test_forbidden_and_malformed(self) -> None:
        assert status(denying("horizontalpodautoscalers.autoscaling"), ROW + "singleton-autoscaling") is UNKNOWN
        odd = autoscaler("griffon", 1, 3)
        odd["spec"]["maxReplicas"] = "many"
        assert one(with_objects(odd), "singleton-autoscaling", "griffon").status is UNKNOWN


class TestSingletonRollout:
    surge = staticmethod(put("spec.strategy", {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}}))

    @pytest.mark.parametrize(
        ("strategy", "expected"),
        [
            ({"type": "Recreate"}, PASS), ({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}, PASS),
            ({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "0%"}}, PASS), ({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}, WARN), ({}, WARN),
        ],
    )  # fmt: skip
    def test_strategies(self, strategy: Object, expected: Status) -> None:
        assert one(changed(("executor", put("spec.strategy", strategy))), "singleton-rollout", "executor").status is expected

    def test_multi_attach_is_said_where_it_can_happen(self) -> None:
        world = changed(("chronos", self.surge), ("executor", self.surge))
        assert "multi-attach" in one(world, "singleton-rollout", "chronos").message
        assert "multi-attach" not in one(world, "singleton-rollout", "executor").message
        assert "multi-attach" not in one(changed(("chronos", self.surge), base=single_node), "singleton-rollout", "chronos").message

    def test_a_pod_that_waits_for_its_volume(self) -> None:
        world = changed(("chronos", self.surge))
        pod = pods_of(world, "chronos")[0]
        stuck = {**pod, "metadata": {**pod["metadata"], "name": "exivity-chronos-new"}, "status": {"phase": "Pending"}}
        world.add(
            stuck,
            made(
                "v1",
                "Event",
                "e1",
                "exivity",
                reason="FailedAttachVolume",
                type="Warning",
                involvedObject={"kind": "Pod", "name": "exivity-chronos-new"},
            ),
        )
        assert one(world, "singleton-rollout", "chronos").status is FAIL
        world.deny = lambda resource, namespace, name: resource == "events"
        assert one(world, "singleton-rollout", "chronos").status is WARN

    def test_an_old_event_of_a_ready_pod_is_no_finding(self) -> None:
        world = changed(("chronos", self.surge))
        name = pods_of(world, "chronos")[0]["metadata"]["name"]
        world.add(made("v1", "Event", "e1", "exivity", reason="FailedAttachVolume", involvedObject={"kind": "Pod", "name": name}))
        assert one(world, "singleton-rollout", "chronos").status is WARN

    def test_forbidden(self) -> None:
        assert status(denying("deployments.apps"), ROW + "singleton-rollout", **TARGET) is UNKNOWN


class TestOneInstallation:
    def config(self, world: World, change: dict[str, str], *, host: str = "mq.rabbitmq.svc", vhost: str = "/") -> World:
        world.find("ConfigMap", "other-postgres-config")["data"].update(change)
        config = '{"db": {}, "mq": {"servers": [{"host": "%s", "port": 5671}], "vhost": "%s"}}' % (host, vhost)  # noqa: UP031
        world.find("ConfigMap", "other-config-shared")["data"]["config.json"] = config
        return world

    def other(self, world: World) -> Verdict:
        return one(world, "one-installation", "Release other/other", **TARGET)

    def test_the_same_database(self) -> None:
        assert self.other(self.config(another(), {}, vhost="two")).status is FAIL

    def test_the_same_vhost_in_another_spelling(self) -> None:
        found = self.other(self.config(another(), {"POSTGRES_DB": "second"}, host="mq.rabbitmq.svc.cluster.local."))
        assert (found.status, "broker" in str(found.measured)) == (FAIL, True)

    def test_another_database_and_another_vhost(self) -> None:
        assert self.other(self.config(another(), {"POSTGRES_DB": "second"}, vhost="two")).status is PASS

    def test_asked_for_zero_times(self) -> None:
        world = another()
        for item in world.all("Deployment"):
            if item["metadata"]["namespace"] == "other":
                item["spec"]["replicas"] = 0
        assert self.other(world).status is PASS

    def test_configuration_missing_or_malformed(self) -> None:
        world = self.config(another(), {}, vhost="two")
        world.remove("ConfigMap", "other-postgres-config")
        assert self.other(world).status is UNKNOWN
        world = self.config(another(), {"POSTGRES_DB": "second"})
        world.find("ConfigMap", "other-config-shared")["data"]["config.json"] = "{"
        assert self.other(world).status is UNKNOWN

    def test_configuration_forbidden(self) -> None:
        world = another()
        world.deny = lambda resource, namespace, name: resource == "configmaps" and namespace == "other"
        assert self.other(world).status is UNKNOWN

    def test_one_short_host_in_two_namespaces(self) -> None:
        world = self.config(another(), {"POSTGRES_HOST": "db"}, vhost="two")
        world.find("ConfigMap", "exivity-postgres-config")["data"]["POSTGRES_HOST"] = "db"
        assert self.other(world).status is UNKNOWN
        labels = {"name": "db"}
        world.add(
            made(
                "apps/v1",
                "StatefulSet",
                "db",
                "exivity",
                spec={"replicas": 1, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {"containers": []}}},
            )
        )
        assert self.other(world).status is PASS

    def test_other_namespaces_forbidden(self) -> None:
        world = multi_node()
        world.deny = lambda resource, namespace, name: resource == "deployments.apps" and namespace is None
        assert status(world, ROW + "one-installation", **TARGET) is UNKNOWN


MULTI = {"config": Config(scenario="multi-node")}


class TestDeclaredSpread:
    def test_neither(self) -> None:
        assert one(changed(("glass", drop("spec.template.spec.topologySpreadConstraints"))), "declared-spread", "glass").status is WARN

    @pytest.mark.parametrize("kind", ["requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"])
    def test_anti_affinity(self, kind: str) -> None:
        term: Object = {
            "topologyKey": "kubernetes.io/hostname",
            "labelSelector": {"matchExpressions": [{"key": chart.COMPONENT_LABEL, "operator": "In", "values": ["glass"]}]},
        }
        terms = [term] if kind.startswith("required") else [{"weight": 100, "podAffinityTerm": term}]
        world = changed(
            ("glass", drop("spec.template.spec.topologySpreadConstraints")),
            ("glass", put("spec.template.spec.affinity", {"podAntiAffinity": {kind: terms}})),
        )
        assert one(world, "declared-spread", "glass").status is PASS
        term["labelSelector"] = {"matchLabels": {chart.COMPONENT_LABEL: "edify"}}
        world.edit("Deployment", "exivity-glass", put("spec.template.spec.affinity", {"podAntiAffinity": {kind: terms}}))
        assert one(world, "declared-spread", "glass").status is WARN

    def test_malformed(self) -> None:
        found = verdicts(changed(("glass", put("spec.template.spec.affinity", {"podAntiAffinity": "yes"}))), ROW + "declared-spread")
        assert found[about("glass")].status is UNKNOWN
        assert found[about("edify")].status is PASS

    @pytest.mark.parametrize("requirement", [
        {"key": "a", "operator": ["In"], "values": []}, {"key": "a", "operator": {"In": 1}}, {"key": "a", "operator": None}, {"key": "a", "operator": "In", "values": 3},
    ])  # fmt: skip
    def test_malformed_requirements(self, requirement: Object) -> None:
        spread = "spec.template.spec.topologySpreadConstraints.0.labelSelector"
        found = verdicts(changed(("glass", put(spread, {"matchExpressions": [requirement]}))), ROW + "declared-spread")
        assert (found[about("glass")].status, found[about("edify")].status) == (UNKNOWN, PASS)
        terms = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [requirement]}]}}
        world = changed(("glass", put("spec.template.spec.affinity", {"nodeAffinity": terms})))
        assert Status.ERROR not in {item.status for item in judged(world).outcomes}

    @pytest.mark.parametrize("affinity", [
        {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": 7}}, {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": True}},
        {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": ["a"], "labelSelector": {}}]}},
    ])  # fmt: skip
    def test_malformed_terms(self, affinity: Object) -> None:
        found = verdicts(changed(("glass", put("spec.template.spec.affinity", affinity))), ROW + "declared-spread")
        assert (found[about("glass")].status, found[about("edify")].status) == (UNKNOWN, PASS)

    def test_malformed_list_of_node_requirements(self) -> None:
        terms = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": 7}]}}
        world = changed(("glass", put("spec.template.spec.affinity", {"nodeAffinity": terms})))
        assert Status.ERROR not in {item.status for item in judged(world).outcomes}

    def test_a_label_that_no_node_carries(self) -> None:
        world = changed(("glass", put("spec.template.spec.topologySpreadConstraints.0.topologyKey", "nosuch/key")))
        found = one(world, "declared-spread", "glass")
        assert found.status is WARN
        assert "nosuch/key" in found.message
        assert found.fix is not None
        assert one(world, "declared-spread", "edify").status is PASS
        other = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {chart.COMPONENT_LABEL: "glass"}}}
        world.find("Deployment", "exivity-glass")["spec"]["template"]["spec"]["topologySpreadConstraints"].append(other)
        assert one(world, "declared-spread", "glass").status is PASS
        world.find("Deployment", "exivity-glass")["spec"]["template"]["spec"]["topologySpreadConstraints"].pop()
        world.edit("Node", "worker-3", put("metadata.labels", "odd"))
        assert one(world, "declared-spread", "glass", **MULTI).status is UNKNOWN
        world.deny = lambda asked, namespace, name: asked == "nodes"
        assert one(world, "declared-spread", "glass", **MULTI).status is PASS  # what is declared is seen, the labels are not

    def test_no_service_twice(self) -> None:
        assert status(multi_node(replicas=1), ROW + "declared-spread") is SKIP

    def test_forbidden(self) -> None:
        assert status(denying("deployments.apps"), ROW + "declared-spread", **TARGET) is UNKNOWN


class TestEffectiveSpread:
    def crowded(self, component: str = "glass") -> World:
        world = multi_node()
        for pod in pods_of(world, component):
            pod["spec"]["nodeName"] = "worker-2"
        return world

    def test_all_on_one(self) -> None:
        world = self.crowded()
        found = verdicts(world, ROW + "effective-spread")
        assert found[about("glass")].status is FAIL
        assert found[about("edify")].status is PASS
        node = one(world, "node-loss", "Node worker-2")
        assert (node.status, node.follows) == (SKIP, "application/effective-spread")

    def test_one_zone_only(self) -> None:
        world = multi_node()
        world.find("Node", "worker-2")["metadata"]["labels"]["topology.kubernetes.io/zone"] = "a"
        remarks = {verdict.remark for verdict in verdicts(world, ROW + "effective-spread").values()}
        assert remarks == {"", "all in the zone a"}
        for name in WORKERS:
            world.find("Node", name)["metadata"]["labels"]["topology.kubernetes.io/zone"] = "a"
        assert {verdict.remark for verdict in verdicts(world, ROW + "effective-spread").values()} == {""}

    def test_one_copy_runs(self) -> None:
        world = changed(("glass", put("status.readyReplicas", 1)))
        world.remove("Pod", "exivity-glass-6d5f-1")
        assert one(world, "effective-spread", "glass").follows == "application/replicas-ready"

    def test_malformed_pod(self) -> None:
        world = self.crowded()
        pods_of(world, "use")[0]["status"] = "fine"
        found = verdicts(world, ROW + "effective-spread")
        assert found[about("glass")].status is UNKNOWN
        assert found[about("edify")].status is PASS

    def test_forbidden(self) -> None:
        assert status(denying("pods"), ROW + "effective-spread") is UNKNOWN


class TestNodeLoss:
    def rows(self, world: World, **where: Any) -> dict[str, Any]:
        return {row.node: row for row in judged(world, **where).tables["default"]["node_loss"]}

    def test_the_table(self) -> None:
        rows = self.rows(multi_node())
        assert set(rows) == set(WORKERS)
        assert rows["worker-1"].moves == ("chronos", "griffon")
        assert rows["worker-1"].notes == ("PostgreSQL primary → standby on worker-2", "RabbitMQ stops", "16 share managers restart")
        assert rows["worker-2"].notes == ()
        assert all(row.fits and row.stops == () and 0 < row.memory < 0.2 for row in rows.values())

    def test_a_service_that_runs_once_for_now_stops(self) -> None:
        world = changed(
            ("use", put("spec.replicas", 1)),
            ("use", put("status", {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "observedGeneration": 1})),
        )
        world.remove("Pod", "exivity-use-6d5f-1")
        [(node, verdict)] = [(name, found) for name, found in verdicts(world, ROW + "node-loss").items() if found.status is not PASS]
        assert verdict.follows == "application/stateless-replicas"
        assert self.rows(world)[node.removeprefix("Node ")].stops == ("use",)
        world.add(autoscaler("use", 2, 4))
        [(node, verdict)] = [(name, found) for name, found in verdicts(world, ROW + "node-loss").items() if found.status is not PASS]
        assert verdict.status is FAIL
        assert verdict.fix is not None
        assert verdict.fix.values == (("service.use.replicas", 2),)

    def test_a_service_that_fails_elsewhere_follows(self) -> None:
        world = changed(("glass", put("spec.replicas", 1)), ("glass", put("status.readyReplicas", 1)))
        world.remove("Pod", "exivity-glass-6d5f-1")
        assert one(world, "node-loss", "Node worker-1").follows == "application/stateless-replicas"
        world = changed(("glass", put("status.readyReplicas", 1)))
        world.remove("Pod", "exivity-glass-6d5f-1")
        assert one(world, "node-loss", "Node worker-1").follows == "application/replicas-ready"

    def test_where_volumes_may_not_be_read_nobody_knows_what_holds_a_singleton_back(self) -> None:
        found = verdicts(denying("persistentvolumes"), ROW + "node-loss").values()
        assert {verdict.status for verdict in found} == {UNKNOWN}
        assert all("persistentvolumes" in " ".join(verdict.needs) for verdict in found)

    def test_a_singleton_that_can_start_nowhere_else(self) -> None:
        pinned = changed(("chronos", put("spec.template.spec.nodeName", "worker-1")))
        chosen = changed(("chronos", put("spec.template.spec.nodeSelector", {"kubernetes.io/hostname": "worker-1"})))
        terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["worker-1"]}]}]
        preferred = changed(
            ("chronos", put("spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms", terms))
        )
        local = multi_node()
        local.find("PersistentVolume", "pvc-exivity-chronos-config")["spec"]["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
        for world in (pinned, chosen, preferred, local):
            assert one(world, "node-loss", "Node worker-1").status is WARN
            assert one(world, "node-loss", "Node worker-1#room").status is WARN
            assert self.rows(world)["worker-1"].stops == ("chronos",)

    def test_a_malformed_volume_may_hold_a_singleton_back(self) -> None:
        claim = "pvc-exivity-chronos-config"
        world = multi_node()
        world.edit("PersistentVolume", claim, put("spec.capacity.storage", ["x"]))
        found = one(world, "node-loss", "Node worker-1")
        assert found.status is UNKNOWN
        assert "may stop chronos" in found.why
        assert f"PersistentVolume {claim}: malformed" in found.why
        assert (self.rows(world)["worker-1"].perhaps, self.rows(world)["worker-1"].moves) == (("chronos",), ("griffon",))
        assert one(world, "node-loss", "Node worker-2").status is PASS  # the services there have volumes of their own
        pinned = changed(("chronos", put("spec.template.spec.nodeName", "worker-1")))
        pinned.edit("PersistentVolume", claim, put("spec.capacity.storage", ["x"]))
        assert one(pinned, "node-loss", "Node worker-1").status is WARN  # it stops, whatever the volume says

    def test_a_volume_that_was_not_asked_for_may_hold_a_singleton_back(self) -> None:
        world = multi_node()
        world.edit("PersistentVolumeClaim", "exivity-chronos-config", put("spec.volumeName", 7))
        found = one(world, "node-loss", "Node worker-1")
        assert (found.status, "PersistentVolumeClaim exivity/exivity-chronos-config: malformed" in found.why) == (UNKNOWN, True)
        assert one(world, "node-loss", "Node worker-2").status is PASS

    def test_a_malformed_node_may_take_a_singleton(self) -> None:
        world = changed(("chronos", put("spec.template.spec.nodeSelector", {"disk": "ssd"})))
        for name in ("worker-1", "worker-3"):
            world.find("Node", name)["metadata"]["labels"]["disk"] = "ssd"
        assert one(world, "node-loss", "Node worker-1").status is PASS
        world.edit("Node", "worker-3", put("spec.unschedulable", "yes"))
        for part in ("", "#room"):
            found = one(world, "node-loss", f"Node worker-1{part}")
            assert (found.status, "Node worker-3: malformed" in found.why) == (UNKNOWN, True)
            assert "more nodes" not in found.why
        assert self.rows(world)["worker-1"].stops == ()
        world.edit("Deployment", "exivity-chronos", put("spec.template.spec.nodeName", "worker-1"))
        assert one(world, "node-loss", "Node worker-1").status is WARN  # it names its node itself: no other takes it

    @pytest.mark.parametrize(
        ("kind", "name", "path", "value"),
        [
            ("Pod", "exivity-use-6d5f-1", "spec.volumes", 3),
            ("StatefulSet", "pg-odd", "spec.replicas", "many"),
            ("PersistentVolume", "pvc-exivity-chronos-config", "spec.capacity.storage", ["x"]),
        ],
    )
    def test_room_is_unknown_for_the_reason_that_is_there(self, kind: str, name: str, path: str, value: Any) -> None:
        world = multi_node()
        if kind == "StatefulSet":
            world.add(made("apps/v1", kind, name, "exivity", spec={}, status={}))
        world.edit(kind, name, put(path, value))
        found = one(world, "node-loss", "Node worker-1#room")
        assert found.status is UNKNOWN
        assert name in found.why
        assert "more nodes" not in found.why

    def test_reasons_do_not_grow_with_what_is_malformed(self) -> None:
        world = multi_node()
        for number in range(40):
            world.add(made("v1", "Pod", f"odd-{number:02}", "exivity", spec={"volumes": 3}, status={}))
        why = one(world, "node-loss", "Node worker-1#room").why
        assert "and 37 more" in why
        assert why.count("odd-") == 3
        assert self.rows(world)["worker-1"].fits_because == self.rows(world)["worker-2"].fits_because

    def test_a_node_that_does_not_say_what_it_has_is_named(self) -> None:
        world = self.heavy(multi_node(), "31Gi")
        world.edit("Node", "worker-2", drop("status.allocatable"))
        found = one(world, "node-loss", "Node worker-1#room")
        assert (found.status, "Node worker-2" in found.why, "more nodes" in found.why) == (UNKNOWN, True, False)

    def heavy(self, world: World, memory: str = "20Gi") -> World:
        for name in WORKERS:
            world.add(
                made(
                    "v1",
                    "Pod",
                    f"big-{name}",
                    "else",
                    spec={"nodeName": name, "containers": [{"name": "c", "image": "x", "resources": {"requests": {"cpu": "1", "memory": memory}}}]},
                    status={"phase": "Running"},
                )
            )
        return world

    def test_no_room(self) -> None:
        world = self.heavy(multi_node())
        assert one(world, "node-loss", "Node worker-1#room").status is PASS
        pod = pods_of(world, "edify")[0]
        pod["spec"]["containers"][0]["resources"] = {"requests": {"memory": "13Gi"}}
        world.remove("Pod", f"big-{pod['spec']['nodeName']}")
        found = verdicts(world, ROW + "node-loss")
        tight = {name for name, verdict in found.items() if verdict.status is WARN}
        assert tight == {f"Node {pod['spec']['nodeName']}#room"}

    def test_finished_pods_and_init_containers(self) -> None:
        world = self.heavy(multi_node(), "31Gi")
        assert one(world, "node-loss", "Node worker-1#room").status is WARN
        for name in WORKERS:
            world.find("Pod", f"big-{name}")["status"]["phase"] = "Succeeded"
        assert one(world, "node-loss", "Node worker-1#room").status is PASS
        for name in WORKERS:
            world.find("Pod", f"big-{name}")["status"]["phase"] = "Running"
            world.find("Pod", f"big-{name}")["spec"]["containers"][0]["resources"] = {}
            world.find("Pod", f"big-{name}")["spec"]["initContainers"] = [{"name": "i", "resources": {"requests": {"memory": "31Gi"}}}]
        assert one(world, "node-loss", "Node worker-1#room").status is WARN

    def test_at_most_five_nodes_are_looked_at(self) -> None:
        world = self.heavy(multi_node(), "31Gi")
        for number in range(6):
            extra = {**world.find("Node", "worker-1")}
            extra["metadata"] = {**extra["metadata"], "name": f"extra-{number}"}
            world.add(extra)
            world.add(
                made(
                    "v1",
                    "Pod",
                    f"big-{number}",
                    "else",
                    spec={"nodeName": f"extra-{number}", "containers": [{"name": "c", "resources": {"requests": {"memory": "32Gi"}}}]},
                    status={"phase": "Running"},
                )
            )
        found = one(world, "node-loss", "Node worker-1#room")
        assert (found.status, "more nodes" in found.why) == (UNKNOWN, True)
        asked = {record.place.fields for site in judged(world).snapshot.sites for record in site.reads if record.name == "node_pods"}
        assert len(asked) == 5

    def test_other_namespaces_forbidden(self) -> None:
        world = multi_node()
        world.deny = lambda resource, namespace, name: resource == "pods" and namespace is None
        found = verdicts(world, ROW + "node-loss")
        assert found["Node worker-1"].status is PASS
        assert found["Node worker-1#room"].status is UNKNOWN
        assert "list pods" in found["Node worker-1#room"].needs
        assert "more nodes" not in found["Node worker-1#room"].why
        assert {row.fits for row in self.rows(world).values()} == {None}

    def test_only_requests_are_kept(self) -> None:
        pods = [
            item
            for site in judged(self.heavy(multi_node())).snapshot.sites
            for record in site.reads
            if record.name == "node_pods"
            for item in record.objects
        ]
        assert pods
        assert all(set(pod["spec"]) <= {"nodeName", "containers", "initContainers", "overhead"} for pod in pods)
        assert all(set(container) <= {"resources"} for pod in pods for container in pod["spec"]["containers"])

    def test_database_and_broker_are_noted(self) -> None:
        world = multi_node()
        world.remove("Pod", "mq-server-0")
        marks = {chart.COMPONENT_LABEL: "rabbitmq"}
        for number, name in enumerate(WORKERS):
            world.add(
                made(
                    "v1",
                    "Pod",
                    f"mq-{number}",
                    "rabbitmq",
                    metadata={"labels": marks},
                    spec={"nodeName": name, "containers": []},
                    status={"phase": "Running"},
                )
            )
        notes = self.rows(world)["worker-1"].notes
        assert notes[:2] == ("PostgreSQL primary → standby on worker-2", "RabbitMQ 2 of 3 left")
        world.remove("Pod", "pg-2")
        world.remove("Pod", "pg-3")
        assert "PostgreSQL stops" in self.rows(world)["worker-1"].notes
        world.deny = lambda resource, namespace, name: (resource, namespace) == ("pods", "databases")
        assert "database not seen" in self.rows(world)["worker-1"].notes

    def test_the_embedded_database_is_noted(self) -> None:
        world = multi_node()
        postgresql.embedded(world, node_name="worker-3")
        assert [self.rows(world)[name].notes[:1] == ("PostgreSQL stops",) for name in WORKERS] == [False, False, True]

    def test_share_managers_forbidden(self) -> None:
        assert "share managers not seen" in self.rows(denying("sharemanagers.longhorn.io"))["worker-1"].notes

    def test_forbidden_and_malformed(self) -> None:
        assert status(denying("pods"), ROW + "node-loss") is UNKNOWN
        world = changed(("use", put("spec.replicas", 1)))
        world.remove("Pod", "exivity-use-6d5f-1")
        world.find("Pod", "exivity-glass-6d5f-1")["spec"]["volumes"] = 3
        assert FAIL not in {verdict.status for verdict in verdicts(world, ROW + "node-loss").values()}


class TestSameNode:
    def test_a_pod_elsewhere(self) -> None:
        world = single_node()
        pods_of(world, "glass")[0]["spec"]["nodeName"] = "tainted"
        assert one(world, "same-node", RELEASE).status is FAIL

    def test_nothing_runs(self) -> None:
        world = single_node()
        for component in chart.COMPONENTS:
            for pod in pods_of(world, component):
                world.objects.remove(pod)
        assert status(world, ROW + "same-node") is SKIP

    def test_malformed_and_forbidden(self) -> None:
        world = single_node()
        pods_of(world, "glass")[0]["spec"]["nodeName"] = ["only"]
        assert one(world, "same-node", RELEASE).status is UNKNOWN
        assert status(denying("pods", single_node), ROW + "same-node") is UNKNOWN


class TestAttested:
    def test_duplicate_tasks_is_attested(self) -> None:
        assert one(multi_node(), "duplicate-tasks", RELEASE).status is MANUAL

    def test_scaling_by_an_autoscaler(self) -> None:
        assert status(with_objects(autoscaler("edify", 2, 6)), ROW + "scaling") is PASS

    @pytest.mark.parametrize("found", [autoscaler("chronos", 1, 6), autoscaler("edify", 2, 2)])
    def test_no_autoscaler_of_use(self, found: Object) -> None:
        assert status(with_objects(found), ROW + "scaling") is MANUAL

    def test_scaling_with_keda_or_forbidden(self) -> None:
        assert status(with_keda(), ROW + "scaling") is MANUAL
        forbidden = with_keda()
        forbidden.deny = lambda resource, namespace, name: resource == "scaledobjects.keda.sh"
        assert status(forbidden, ROW + "scaling") is UNKNOWN
        assert status(denying("horizontalpodautoscalers.autoscaling"), ROW + "scaling") is UNKNOWN


class TestDisruption:
    def budget(self, name: str, selector: Object | None, **spec: Any) -> Object:
        return made("policy/v1", "PodDisruptionBudget", name, "exivity", spec={**spec, **({} if selector is None else {"selector": selector})})

    def test_none(self) -> None:
        world = multi_node()
        world.remove("PodDisruptionBudget", "exivity-glass")
        assert one(world, "disruption", "glass").status is WARN

    @pytest.mark.parametrize(
        ("rule", "expected"),
        [({"minAvailable": 2}, WARN), ({"maxUnavailable": "0%"}, WARN), ({"minAvailable": "50%"}, PASS), ({"maxUnavailable": 1}, PASS), ({}, PASS)],
    )
    def test_rules(self, rule: Object, expected: Status) -> None:
        world = multi_node()
        world.remove("PodDisruptionBudget", "exivity-glass")
        world.add(self.budget("own", {"matchLabels": {chart.COMPONENT_LABEL: "glass"}}, **rule))
        assert one(world, "disruption", "glass").status is expected

    @pytest.mark.parametrize("rule", [{"maxUnavailable": "100%"}, {"maxUnavailable": 2}, {"minAvailable": 0}, {"minAvailable": "0%"}])
    def test_a_budget_that_promises_no_copy(self, rule: Object) -> None:
        world = multi_node()
        world.remove("PodDisruptionBudget", "exivity-glass")
        world.add(self.budget("own", {"matchLabels": {chart.COMPONENT_LABEL: "glass"}}, **rule))
        found = one(world, "disruption", "glass")
        assert found.status is WARN
        assert "all 2 copies" in found.message
        assert found.fix is not None
        assert one(world, "disruption", "edify").status is PASS

    def test_one_budget_over_all_services(self) -> None:
        world = multi_node()
        world.objects = [item for item in world.objects if item["kind"] != "PodDisruptionBudget"]
        world.add(self.budget("all", {}, maxUnavailable=1))
        assert one(world, "disruption", "glass").status is PASS
        world.find("PodDisruptionBudget", "all")["spec"] = {"minAvailable": 1, "selector": {}}
        assert one(world, "disruption", "glass").status is WARN

    def test_an_autoscaler_asks_for_the_second_copy(self) -> None:
        world = changed(("glass", put("spec.replicas", 1)))
        world.add(autoscaler("glass", 2, 4))
        world.find("PodDisruptionBudget", "exivity-glass")["spec"].pop("minAvailable")
        world.edit("PodDisruptionBudget", "exivity-glass", put("spec.maxUnavailable", 1))
        assert one(world, "disruption", "glass").status is PASS

    @pytest.mark.parametrize("slug", ["disruption", "declared-spread", "effective-spread"])
    def test_an_autoscaler_that_was_not_seen_may_ask_for_it(self, slug: str) -> None:
        world = changed(("glass", put("spec.replicas", 1)))
        world.deny = lambda resource, namespace, name: resource == "horizontalpodautoscalers.autoscaling"
        found = one(world, slug, "glass")
        assert found.status is UNKNOWN
        assert found.needs
        assert one(world, slug, "edify").status is PASS

    def test_a_pinned_singleton(self) -> None:
        world = with_objects(self.budget("pins", {"matchLabels": {chart.COMPONENT_LABEL: "chronos"}}, minAvailable=1), base=single_node)
        assert one(world, "disruption", "chronos").status is WARN
        world.find("PodDisruptionBudget", "pins")["spec"] = {"maxUnavailable": 1, "selector": {"matchLabels": {chart.COMPONENT_LABEL: "chronos"}}}
        assert status(world, ROW + "disruption") is SKIP

    def test_selectors_that_are_empty_or_absent(self) -> None:
        assert one(with_objects(self.budget("all", {}, maxUnavailable=1)), "disruption", "glass").measured == 2
        assert one(with_objects(self.budget("none", None, maxUnavailable=1)), "disruption", "glass").status is PASS

    def test_malformed_and_forbidden(self) -> None:
        world = multi_node()
        world.find("PodDisruptionBudget", "exivity-glass")["spec"]["minAvailable"] = True
        found = verdicts(world, ROW + "disruption")
        assert found[about("glass")].status is UNKNOWN
        assert found[about("edify")].status is PASS
        assert status(denying("poddisruptionbudgets.policy"), ROW + "disruption") is UNKNOWN


class TestResources:
    def state(self, **fields: Any) -> World:
        world = multi_node()
        pods_of(world, "edify")[0]["status"]["containerStatuses"][0].update(fields)
        return world

    def last(self, reason: str, days: float) -> Object:
        return {"terminated": {"reason": reason, "finishedAt": stamp(days), "exitCode": 137}}

    def test_killed_for_memory(self) -> None:
        found = one(self.state(restartCount=1, lastState=self.last("OOMKilled", 3)), "resources", "edify")
        assert (found.status, "OOMKilled 3 d" in found.measured_text) == (FAIL, True)
        assert one(self.state(state={"terminated": {"reason": "OOMKilled"}}), "resources", "edify").status is FAIL

    @pytest.mark.parametrize(("count", "days", "expected"), [(6, 0.5, FAIL), (5, 0.5, PASS), (40, 2, PASS)])
    def test_restarts(self, count: int, days: float, expected: Status) -> None:
        assert one(self.state(restartCount=count, lastState=self.last("Error", days)), "resources", "edify").status is expected

    def test_restarts_without_a_time(self) -> None:
        assert one(self.state(restartCount=9), "resources", "edify").status is UNKNOWN

    @pytest.mark.parametrize(
        ("component", "cpu", "memory", "expected"),
        [("edify", "25m", "50Mi", WARN), ("proximity-api", "0.025", "400Mi", WARN), ("edify", "25m", "51Mi", PASS), ("edify", None, None, WARN)],
    )
    def test_the_charts_requests(self, component: str, cpu: str | None, memory: str | None, expected: Status) -> None:
        requests = {"cpu": cpu, "memory": memory} if cpu else {}
        world = changed((component, lambda item: deep(item, "spec.template.spec.containers.0").update(resources={"requests": requests})))
        assert one(world, "resources", component).status is expected
        assert one(world, "resources", component, config=Config(purpose="evaluation")).status is PASS

    def test_malformed_and_forbidden(self) -> None:
        world = self.state(restartCount="many")
        found = verdicts(world, ROW + "resources")
        assert {verdict.status for name, verdict in found.items() if name.startswith("Pod ")} == {UNKNOWN}
        assert found[about("glass")].status is PASS
        assert status(denying("pods"), ROW + "resources") is UNKNOWN
