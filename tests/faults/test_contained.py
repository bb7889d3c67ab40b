"""One malformed object or entry at a time, where it once cost its siblings or passed for absence."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from exivity_audit import chart
from exivity_audit.evaluate import Outcome as Judged
from exivity_audit.scenario import Scenario
from exivity_audit.snapshot import Outcome
from exivity_audit.subject import Subject
from exivity_audit.verdict import Status
from tests import builders
from tests.faults.siblings import Disguised, Sibling, beside, kind_of, malformed
from tests.judging import judged, outcome, site_of, verdicts
from tests.mutation import drop, put
from tests.mutations import mutations
from tests.mutations.gitops import inline
from tests.mutations.pvc_sizes import without_sizes
from tests.products.monitoring import PROMETHEUS
from tests.world import Object, World

Change = Callable[[Any], Any]
ODD = {"odd": []}


def twin(world: World, kind: str, name: str, change: Change) -> Object:
    """A copy of an object beside it, malformed by a change."""
    item = beside(world.find(kind, name)).item
    change(item)
    world.objects.append(item)
    return item


@pytest.mark.parametrize(
    ("base", "kind", "name", "change", "reads"),
    [
        ("multi_node", "longhorn.io/Volume", "pvc-exivity-report", put("status.lastBackup", 7), ["longhorn_backups"]),
        ("multi_node", "longhorn.io/Node", "worker-1", put("metadata.namespace", 7), ["longhorn_settings", "longhorn_replicas", "longhorn_volumes"]),
        ("multi_node", "StorageClass", "longhorn", put("provisioner", ODD), ["node_volumes"]),
        ("multi_node", "cert-manager.io/Certificate", "exivity-tls", put("spec.issuerRef", "text"), ["issuers", "cluster_issuers"]),
        (
            "multi_node_gateway",
            "Gateway",
            "exivity",
            put("spec", "text"),
            ["gateway_classes", "gateway_pods", "gateway_deployments", "gateway_services"],
        ),
        ("multi_node", "Deployment", "exivity-glass", put("metadata.labels", "text"), ["other_service_configs", "other_postgres_configs"]),
        ("multi_node", "Deployment", "traefik", put("spec.template.spec.containers.0.args", [7]), ["controller_config", "certificates"]),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_malformed_object_costs_no_read_that_follows_from_its_kind(base: str, kind: str, name: str, change: Change, reads: list[str]) -> None:
    world: World = getattr(builders, base)()
    before = {record.name: record for record in site_of(world, wanted=reads).reads if record.name in reads}
    try:
        change(world.find(kind, name)) if kind in ("Gateway",) else twin(world, kind, name, change)
    except KeyError:
        pytest.fail(f"there is no {kind} {name}")
    after = [record for record in site_of(world, namespace="exivity", release="exivity", wanted=reads).reads if record.name in reads]
    assert set(before) == set(reads)
    assert [(record.name, record.reason) for record in after if record.outcome is Outcome.FAILED] == []


def test_a_malformed_node_leaves_several_workers_what_they_are() -> None:
    world = builders.multi_node()
    twin(world, "Node", "worker-1", put("spec.taints", "text"))
    found = outcome(world, "cluster/worker-nodes")
    assert {str(verdict.subject): verdict.status for verdict in found.verdicts}["Node zz-odd"] is Status.UNKNOWN
    assert not any("scenario" in verdict.why for verdict in found.verdicts)


def test_where_the_only_other_node_is_malformed_the_scenario_is_unknown_and_says_so() -> None:
    world = builders.single_node()
    twin(world, "Node", "only", put("spec.taints", "text"))
    (verdict,) = outcome(world, "cluster/worker-nodes").verdicts
    assert verdict.status is Status.UNKNOWN
    assert "Node zz-odd: malformed" in verdict.why
    assert verdict.needs == ("--scenario",)
    assert Scenario.SINGLE_NODE.value not in verdict.why


def test_a_volume_without_a_name_may_be_the_one_that_is_missed() -> None:
    world = builders.multi_node()
    world.find("PersistentVolume", "pvc-exivity-report")["metadata"]["name"] = None
    (record,) = (one for one in site_of(world, wanted=["persistentvolumes"]).reads if one.name == "persistentvolumes")
    assert any(item["metadata"]["name"] is None for item in record.objects)


def test_what_is_no_object_at_all_is_kept_as_malformed() -> None:
    world = builders.multi_node()
    item = next(one for one in world.objects if kind_of(one) == "storage.k8s.io/v1/StorageClass")

    class Nothing(dict[str, Any]):
        def __deepcopy__(self, memo: Any) -> None:
            return None

    world.objects.append(Nothing(item))
    (record,) = (one for one in site_of(world, wanted=["storageclasses"]).reads if one.name == "storageclasses")
    assert {"malformed": "NoneType"} in record.objects


@pytest.mark.parametrize("field", ["spec.strategy.type", "spec.strategy.rollingUpdate", "spec.strategy.rollingUpdate.maxSurge"])
def test_a_strategy_that_is_none_passes_for_no_other(field: str) -> None:
    world = builders.multi_node()
    world.edit("Deployment", "exivity-executor", put("spec.strategy", {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}))
    world.edit("Deployment", "exivity-executor", put(field, ODD if field != "spec.strategy.rollingUpdate" else "text"))
    found = verdicts(world, "application/singleton-rollout")
    assert found["Deployment exivity/exivity-executor"].status is Status.UNKNOWN


def test_a_node_affinity_that_is_none_makes_its_workload_unreadable() -> None:
    world = builders.multi_node()
    world.edit("Deployment", "exivity-executor", put("spec.template.spec.affinity", {"nodeAffinity": "text"}))
    found = outcome(world, "application/singletons")
    assert any(verdict.status is Status.UNKNOWN and "nodeAffinity" in verdict.why for verdict in found.verdicts)
    assert sum(verdict.status is Status.PASS for verdict in found.verdicts) == 3


def test_a_pod_whose_end_is_no_time_does_not_count_as_ended() -> None:
    world = builders.single_node()
    pod = next(item for item in world.all("Pod") if item["metadata"]["name"].startswith("exivity-glass"))
    pod["metadata"]["deletionTimestamp"] = ODD
    assert any(verdict.status is Status.UNKNOWN for verdict in outcome(world, "application/same-node").verdicts)


def test_a_malformed_location_is_no_absence_of_a_target() -> None:
    world = builders.single_node()
    for item in world.all("velero.io/BackupStorageLocation"):
        item["spec"] = "text"
    found = outcome(world, "backups/target-available")
    assert found.status is Status.UNKNOWN
    assert any("BackupStorageLocation" in verdict.why for verdict in found.verdicts)


def test_a_backup_of_unknown_state_is_no_good_copy() -> None:
    world = builders.multi_node()
    assert outcome(world, "backups/recent").status is Status.PASS
    for item in world.all("longhorn.io/Backup"):
        item["status"]["state"] = ODD
    found = outcome(world, "backups/recent")
    assert found.status is Status.UNKNOWN
    assert any("LonghornBackup" in verdict.why for verdict in found.verdicts)


def test_a_malformed_node_may_be_the_node_of_a_learning_distribution() -> None:
    world = builders.multi_node()
    twin(world, "Node", "worker-1", lambda item: (put("spec.providerID", "kind://docker/x")(item), put("spec.taints", "text")(item)))
    found = verdicts(world, "cluster/distribution")
    assert found["Node zz-odd"].status is Status.UNKNOWN


def test_a_malformed_policy_is_not_the_trust_of_nobody() -> None:
    world = builders.multi_node_gateway()
    policy = next(world.all("ClientTrafficPolicy"), None) or world.find("Gateway", "exivity")
    item = {"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "ClientTrafficPolicy",
            "metadata": {"name": "zz-odd", "namespace": policy["metadata"]["namespace"]}, "spec": {"targetRefs": "text"}}  # fmt: skip
    world.objects.append(item)
    found = outcome(world, "ingress/trusted-proxy")
    assert found.status is not Status.PASS
    assert any("zz-odd" in verdict.why for verdict in found.verdicts if verdict.status is Status.UNKNOWN)


def test_a_monitor_that_was_not_seen_ends_no_other_verdict() -> None:
    world = builders.multi_node()
    world.edit("ServiceMonitor", "exivity-chronos", put("spec.endpoints", "text"))
    world.edit("ServiceMonitor", "exivity-use", drop("metadata.labels"))
    found = verdicts(world, "monitoring/service-monitors")
    assert found["ServiceMonitor exivity/exivity-chronos"].status is Status.UNKNOWN
    assert found["ServiceMonitor exivity/exivity-use"].status is Status.FAIL


@pytest.mark.parametrize("source", [
    {"sourceHydrator": {"drySource": {"helm": ODD}}}, {"sourceHydrator": {"drySource": {"path": "charts", "repoURL": 7}}},
    {"sources": [{"helm": ODD}]}, {"sources": [{"path": "charts"}]}, {"source": {"repoURL": ODD, "path": "charts"}},
])  # fmt: skip
def test_a_source_without_an_address_gives_no_values(source: dict[str, Any]) -> None:
    world = builders.multi_node_argo()
    inline(secret={"jwtSecret": "another-Value_of-32-or-more-Chars"})(world)
    assert outcome(world, "secrets/jwt-secret").status is Status.FAIL
    world.find("Application", "exivity")["spec"].update(source)
    found = outcome(world, "secrets/jwt-secret")
    assert found.status is Status.UNKNOWN
    assert any("repoURL" in verdict.why for verdict in found.verdicts)


def test_a_pod_without_a_spec_is_named_where_copies_are_counted() -> None:
    world = builders.multi_node()
    mutation = next(one for one in mutations() if one.check == "application/effective-spread")
    mutation.change(world)
    for pod in [item for item in world.all("Pod") if item["metadata"]["name"].startswith("exivity-glass")]:
        odd = Sibling(pod, world.objects.index(pod)).within(world, "spec")
        named = [verdict.subject for verdict in outcome(odd, mutation.check).verdicts if verdict.status is Status.UNKNOWN]
        assert Subject("Pod", pod["metadata"]["name"], "exivity") in named


def test_a_prometheus_without_a_spec_applies_nothing() -> None:
    world = builders.multi_node()
    world.edit("Prometheus", PROMETHEUS, put("spec.paused", True))
    twin(world, "Prometheus", PROMETHEUS, put("spec", None))
    found = verdicts(world, "monitoring/stack")
    assert found["Release exivity/exivity"].status is Status.WARN
    assert found["Prometheus monitoring/zz-odd"].status is Status.UNKNOWN


def test_a_revision_that_could_not_be_read_may_name_the_sizes_that_an_older_one_does_not() -> None:
    world = builders.multi_node()
    assert outcome(world, "pvc_sizes/explicit").status is Status.PASS
    without_sizes(world)
    assert outcome(world, "pvc_sizes/explicit").status is Status.FAIL
    twin(world, "Secret", "sh.helm.release.v1.exivity.v1", put("data.release", 7))
    (verdict, *_) = outcome(world, "pvc_sizes/explicit").verdicts
    assert (verdict.status, "zz-odd" in verdict.why) == (Status.UNKNOWN, True)


@pytest.mark.parametrize("pinned", [True, False])
def test_a_malformed_node_hides_no_disk_but_may_hold_what_names_no_host(pinned: bool) -> None:
    world = builders.single_node()
    world.edit("Node", "only", put("status.capacity.ephemeral-storage", "200Gi"))
    assert verdicts(world, "pvc_sizes/node-disk")["Node only"].status is Status.FAIL
    twin(world, "Node", "only", put("status", "text"))
    if not pinned:
        for item in world.all("PersistentVolume"):
            drop("spec.nodeAffinity")(item)
    found = verdicts(world, "pvc_sizes/node-disk")
    assert found["Node zz-odd"].status is Status.UNKNOWN
    if pinned:
        assert found["Node only"].status is Status.FAIL
    else:
        assert {one.status for one in found.values()} == {Status.UNKNOWN}, "each volume may lie on the one or the other"


def test_two_classes_without_a_name_are_one_unknown_where_a_claim_misses_its_own() -> None:
    world = builders.multi_node()
    world.find("StorageClass", "longhorn")["metadata"]["name"] = None
    world.objects.append(copy.deepcopy(next(item for item in world.all("StorageClass") if item["metadata"]["name"] is None)))
    assert without_name(world, "storage/longhorn-replicas") == {"StorageClass": Status.UNKNOWN}


def test_two_secrets_that_deny_their_names_are_one_unknown() -> None:
    world = builders.multi_node()
    for name in ("exivity-app-key", "exivity-jwt-secret"):
        item = world.find("Secret", name)
        world.remove("Secret", name)
        world.objects.append(Disguised(item, malformed(item, "name")))
    assert without_name(world, "security/credential-rotation") == {"Secret exivity/(no name)": Status.UNKNOWN}


def without_name(world: World, check: str) -> dict[str, Status]:
    """The verdicts on objects without a name; none of all is an error."""
    found = outcome(world, check).verdicts
    assert [verdict.why for verdict in found if verdict.status is Status.ERROR] == []
    return {str(verdict.subject): verdict.status for verdict in found if verdict.subject is not None and verdict.subject.name is None}


def named(found: Judged, kind: str) -> bool:
    """Whether a verdict is about the malformed twin of a kind, or names it among what was passed by."""
    places = [str(place.object) for verdict in found.verdicts for place in verdict.evidence if place.read == "malformed"]
    return any(f"{kind} " in text and "zz-odd" in text for text in (*places, *(str(verdict.subject) for verdict in found.verdicts)))


@pytest.mark.parametrize(
    ("base", "kind", "name", "check"),
    [
        ("multi_node", "ScheduledBackup", "pg-daily", "postgresql/backups"),
        ("multi_node_metallb", "L2Advertisement", "edge", "ingress/load-balancer"),
        ("multi_node_openshift", "ClusterVersion", "version", "cluster/kubernetes-version"),
    ],
)
def test_what_may_decide_elsewhere_is_named_where_another_decided(base: str, kind: str, name: str, check: str) -> None:
    world: World = getattr(builders, base)()
    before = outcome(world, check)
    assert not named(before, kind)
    twin(world, kind, name, put("spec", "text"))
    after = outcome(world, check)
    assert named(after, kind)
    assert {str(one.subject): one.status for one in after.verdicts} == {str(one.subject): one.status for one in before.verdicts}


def test_another_clusterversion_does_not_pass_for_the_one_that_openshift_heeds() -> None:
    world = builders.multi_node_openshift()
    twin(world, "ClusterVersion", "version", put("spec.channel", "stable-4.99"))
    world.edit("ClusterVersion", "version", put("status.history", "text"))
    found = outcome(world, "cluster/kubernetes-version")
    (verdict,) = (one for one in found.verdicts if str(one.subject) == "Cluster#version")
    assert "OpenShift" not in verdict.message.partition(",")[0]
    assert any(place.read == "malformed" and place.object == "ClusterVersion version" for place in verdict.evidence)


@pytest.mark.parametrize("name", sorted({*chart.LONGHORN_SETTINGS} - {chart.LONGHORN_OLD_TARGET}))
def test_a_malformed_setting_that_is_asked_for_is_named(name: str) -> None:
    world = builders.multi_node()
    world.edit("longhorn.io/Setting", name, put("value", ODD))
    said = judged(world, namespace="exivity", release="exivity")
    places = [str(place.object) for one in said.outcomes for verdict in one.verdicts for place in verdict.evidence if place.read == "malformed"]
    assert any(name in text for text in places)


def test_a_pod_of_the_broker_without_a_spec_is_no_pod_without_a_claim() -> None:
    world = builders.multi_node()
    twin(world, "Pod", "mq-server-0", put("spec", None))
    found = outcome(world, "rabbitmq/persistence")
    assert found.status is Status.PASS
    assert named(found, "Pod")
