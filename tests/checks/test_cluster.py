"""The row cluster, check by check: each passing, failing, unknown and not applicable."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.config import Config, Declare
from exivity_audit.facts.platform import parse_version
from exivity_audit.verdict import Status
from tests import builders
from tests.builders import made, multi_node, node, single_node
from tests.judging import judged, site_of, snapshot_of
from tests.mutation import drop, put
from tests.products import postgresql
from tests.world import OPTIONAL, World

FAIL, WARN, PASS, SKIP, UNKNOWN = Status.FAIL, Status.WARN, Status.PASS, Status.SKIP, Status.UNKNOWN
B_DECLARED, A_DECLARED = Config(scenario="multi-node"), Config(scenario="single-node")


def find(world: World, slug: str, config: Config | None = None, **where: Any) -> Any:
    return next(one for one in judged(world, config=config, **where).outcomes if one.check.id == f"cluster/{slug}")


def status(world: World, slug: str, config: Config | None = None, **where: Any) -> Status:
    return find(world, slug, config, **where).status


def by_subject(world: World, slug: str, config: Config | None = None, **where: Any) -> dict[str, Any]:
    return {str(verdict.subject or ""): verdict for verdict in find(world, slug, config, **where).verdicts}


def only(world: World, slug: str, config: Config | None = None, **where: Any) -> Any:
    (verdict,) = find(world, slug, config, **where).verdicts
    return verdict


def without(world: World, *denied: str) -> World:
    world.deny = lambda resource, namespace, name: resource in denied
    return world


def serve(world: World, resource: str) -> World:
    world.resources[resource] = OPTIONAL[resource]
    return world


@pytest.mark.parametrize("base", ["multi_node", "single_node"])
@pytest.mark.parametrize("purpose", ["production", "evaluation"])
def test_conforming_worlds_pass(base: str, purpose: str) -> None:
    found = judged(getattr(builders, base)(), config=Config(purpose=purpose)).outcomes  # type: ignore[arg-type]
    row = {
        one.check.slug: [(str(v.status), v.message) for v in one.verdicts]
        for one in found
        if one.check.row == "cluster" and one.status not in (PASS, SKIP)
    }
    assert row == {}
    assert sum(1 for one in found if one.check.row == "cluster") == 12


NEEDED = {
    "scenario": "nodes", "linux-nodes": "nodes", "nodes-healthy": "nodes", "kubernetes-version": "nodes", "worker-nodes": "nodes",
    "control-plane-nodes": "nodes", "failure-domains": "nodes", "csi-driver": "csinodes.storage.k8s.io", "namespace": "cronjobs.batch",
}  # fmt: skip


@pytest.mark.parametrize(("slug", "resource"), NEEDED.items())
def test_what_is_forbidden_is_unknown_and_names_its_rule(slug: str, resource: str) -> None:
    found = find(without(multi_node(), resource), slug, B_DECLARED)
    assert found.status is UNKNOWN
    assert any(resource.partition(".")[0] in rule for verdict in found.verdicts for rule in verdict.needs)


def test_image_registry_is_unknown_without_the_workloads() -> None:
    assert status(without(multi_node(), "statefulsets.apps"), "image-registry", Config(declare=Declare(registries=("docker.io",)))) is UNKNOWN


class TestScenario:
    def test_declared_b_on_one_node_fails(self) -> None:
        verdict = only(single_node(), "scenario", B_DECLARED)
        assert verdict.status is FAIL
        assert verdict.measured == 1
        assert verdict.fix

    def test_declared_a_on_more_is_left_to_worker_nodes(self) -> None:
        assert only(multi_node(), "scenario", A_DECLARED).status is SKIP
        assert status(multi_node(), "worker-nodes", A_DECLARED) is WARN

    def test_declared_and_fitting_passes(self) -> None:
        assert status(multi_node(), "scenario", B_DECLARED) is PASS
        assert status(single_node(), "scenario", A_DECLARED) is PASS

    def test_no_worker_and_nothing_declared_is_unknown(self) -> None:
        world = single_node()
        world.edit("Node", "only", put("spec.taints", [{"key": "x", "effect": "NoSchedule"}]))
        assert status(world, "scenario") is UNKNOWN

    def test_a_malformed_node_is_unknown_not_absent(self) -> None:
        world = single_node()
        world.add(node("odd"))
        world.edit("Node", "odd", put("spec.taints", "none"))
        assert UNKNOWN in {verdict.status for verdict in find(world, "scenario", B_DECLARED).verdicts}
        assert FAIL not in {verdict.status for verdict in find(world, "scenario", B_DECLARED).verdicts}


def plain(version: str = "v1.36.3", **changes: Any) -> World:
    world = single_node()
    world.version = version
    world.edit("Node", "only", put("status.nodeInfo.kubeletVersion", version))
    world.edit("Node", "only", put("spec.providerID", ""))
    for path, value in changes.items():
        world.edit("Node", "only", put(path, value))
    return world


class TestDistribution:
    @pytest.mark.parametrize(("version", "status_", "name"), [
        ("v1.36.3", PASS, "upstream Kubernetes"), ("v1.36.3+rke2r1", PASS, "RKE2"), ("v1.36.3+k3s1", PASS, "K3s"), ("v1.37.0-rc.1", PASS, "upstream Kubernetes"),
        ("v1.36.3-eks-5b0d1", WARN, "Amazon EKS"), ("v1.36.3-gke.1400", WARN, "Google GKE"), ("v1.36.3+k0s.0", WARN, "k0s"), ("v1.36.3-acme.2", WARN, "another distribution"),
    ])  # fmt: skip
    def test_by_version(self, version: str, status_: Status, name: str) -> None:
        verdict = only(plain(version), "distribution")
        assert (verdict.status, verdict.measured) == (status_, name)
        assert version in verdict.seen

    @pytest.mark.parametrize(("path", "value", "status_", "name"), [
        ("spec.providerID", "kind://docker/kind/only", FAIL, "kind"), ("metadata.labels.minikube\\.k8s\\.io/name", "minikube", FAIL, "minikube"),
        ("metadata.name", "docker-desktop", FAIL, "Docker Desktop"), ("metadata.labels.kubernetes\\.azure\\.com/cluster", "x", WARN, "Azure AKS"),
        ("metadata.labels.microk8s\\.io/cluster", "true", WARN, "MicroK8s"), ("status.nodeInfo.osImage", "Talos (v1.11)", WARN, "Talos Linux"),
        ("status.nodeInfo.osImage", "Red Hat Enterprise Linux CoreOS 9.6", PASS, "OpenShift"), ("metadata.labels.node\\.kubernetes\\.io/instance-type", "rke2", PASS, "RKE2"),
    ])  # fmt: skip
    def test_by_node(self, path: str, value: str, status_: Status, name: str) -> None:
        world = plain()
        world.edit("Node", "only", put(path, value))
        verdict = only(world, "distribution")
        assert (verdict.status, verdict.measured) == (status_, name)
        assert verdict.evidence[0].path

    def test_openshift_by_its_api_group(self) -> None:
        verdict = only(serve(plain(), "clusterversions.config.openshift.io"), "distribution")
        assert (verdict.status, verdict.measured) == (PASS, "OpenShift")

    def test_a_suffix_tells_it_without_the_nodes(self) -> None:
        assert status(without(multi_node(), "nodes"), "distribution", B_DECLARED) is PASS

    def test_a_plain_version_tells_nothing_without_the_nodes(self) -> None:
        assert status(without(plain(), "nodes"), "distribution", A_DECLARED) is UNKNOWN

    def test_an_odd_version_is_unknown(self) -> None:
        world = plain()
        world.edit("Node", "only", put("status.nodeInfo.kubeletVersion", "?"))
        world.version = "odd.version"
        assert status(world, "distribution") is UNKNOWN
        assert status(world, "kubernetes-version") is UNKNOWN

    def test_evaluation_accepts_kind(self) -> None:
        world = plain(**{"spec.providerID": "kind://docker/kind/only"})
        verdict = only(world, "distribution", Config(purpose="evaluation"))
        assert verdict.status is PASS
        assert "evaluation" in verdict.remark


class TestNodes:
    def test_windows_fails_unless_exivity_keeps_off_it(self) -> None:
        world = multi_node()
        world.add(node("win"))
        world.edit("Node", "win", put("status.nodeInfo.operatingSystem", "windows"))
        world.edit("Node", "win", put("metadata.labels.kubernetes\\.io/os", "windows"))
        assert by_subject(world, "linux-nodes")["Node win"].status is FAIL
        for item in world.all("Deployment"):
            item["spec"]["template"]["spec"]["nodeSelector"] = {"kubernetes.io/os": "linux"}
        assert "Node win" not in by_subject(world, "linux-nodes")
        assert status(world, "linux-nodes") is PASS

    def test_a_node_without_a_system_is_unknown(self) -> None:
        world = multi_node()
        world.edit("Node", "worker-1", drop("status.nodeInfo.operatingSystem"))
        world.edit("Node", "worker-1", drop("metadata.labels.kubernetes\\.io/os"))
        assert by_subject(world, "linux-nodes")["Node worker-1"].status is UNKNOWN

    def test_a_tolerated_taint_makes_a_node_a_host(self) -> None:
        world = multi_node()
        world.add(node("gpu"))
        world.edit("Node", "gpu", put("spec.taints", [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]))
        assert "Node gpu" not in by_subject(world, "nodes-healthy")
        world.edit("Deployment", "exivity-edify", put("spec.template.spec.tolerations", [{"key": "gpu", "operator": "Equal", "value": "yes"}]))
        assert "Node gpu" in by_subject(world, "nodes-healthy")

    @pytest.mark.parametrize(
        ("number", "value", "words"),
        [(3, "False", "NotReady"), (3, "Unknown", "Ready Unknown"), (0, "True", "MemoryPressure"), (2, "True", "PIDPressure")],
    )
    def test_health(self, number: int, value: str, words: str) -> None:
        world = multi_node()
        world.edit("Node", "worker-2", put(f"status.conditions.{number}.status", value))
        found = by_subject(world, "nodes-healthy")
        assert found["Node worker-2"].status is FAIL
        assert words in found["Node worker-2"].message
        assert found["Node worker-1"].status is PASS

    @pytest.mark.parametrize(
        "change", [put("status.conditions", [{"type": "Ready", "status": "True"}]), put("status.conditions.1.status", "Unknown")]
    )
    def test_a_node_that_does_not_speak_of_a_pressure_is_unknown(self, change: Any) -> None:
        world = multi_node()
        world.edit("Node", "worker-2", change)
        found = by_subject(world, "nodes-healthy")
        assert found["Node worker-2"].status is UNKNOWN
        assert "DiskPressure" in found["Node worker-2"].message
        assert found["Node worker-1"].status is PASS
        world.edit("Node", "worker-2", put("spec.unschedulable", True))
        assert by_subject(world, "nodes-healthy")["Node worker-2"].status is UNKNOWN

    def test_cordoned_warns(self) -> None:
        world = multi_node()
        world.edit("Node", "worker-2", put("spec.unschedulable", True))
        assert by_subject(world, "nodes-healthy")["Node worker-2"].status is WARN

    def test_control_plane_nodes_that_exivity_cannot_use_are_left_out(self) -> None:
        world = multi_node()
        world.edit("Node", "control-1", put("status.conditions.3.status", "False"))
        assert status(world, "nodes-healthy") is PASS

    def test_a_malformed_node_is_unknown_and_its_siblings_are_judged(self) -> None:
        world = multi_node()
        world.edit("Node", "worker-2", put("status.conditions", "odd"))
        found = by_subject(world, "nodes-healthy")
        assert found["Node worker-2"].status is UNKNOWN
        assert found["Node worker-1"].status is PASS


class TestVersion:
    def judge(self, server: str, kubelet: str | None = None) -> dict[str, Any]:
        world = plain(server)
        world.edit("Node", "only", put("status.nodeInfo.kubeletVersion", kubelet or server))
        return by_subject(world, "kubernetes-version")

    @pytest.mark.parametrize(("server", "expected"), [
        ("v1.36.3", PASS), ("v1.34.1", FAIL), ("v1.27.1", FAIL), ("v1.34.1+rke2r1", WARN), ("v1.34.1-eks-1a", WARN), ("v1.34.1-acme.1", FAIL), ("v1.38.0", UNKNOWN),
    ])  # fmt: skip
    def test_support(self, server: str, expected: Status) -> None:
        verdict = self.judge(server)["Cluster#version"]
        assert verdict.status is expected
        assert verdict.fix or expected in (PASS, UNKNOWN)

    def test_a_plain_old_version_needs_the_platform(self) -> None:
        world = without(plain("v1.34.1"), "nodes")
        assert status(world, "kubernetes-version", A_DECLARED) is UNKNOWN

    @pytest.mark.parametrize(("kubelet", "expected"), [("v1.36.0", PASS), ("v1.33.9", PASS), ("v1.32.1", FAIL), ("v1.37.0", FAIL), ("old", UNKNOWN)])
    def test_skew(self, kubelet: str, expected: Status) -> None:
        assert self.judge("v1.36.3", kubelet)["Node only"].status is expected

    def test_parse(self) -> None:
        assert parse_version("v1.36.3+rke2r1")
        assert parse_version("1.36") is None
        assert parse_version(None) is None


class TestWorkers:
    def test_fewer_than_three_fail(self) -> None:
        world = multi_node()
        world.remove("Node", "worker-3")
        verdict = only(world, "worker-nodes")
        assert verdict.status is FAIL
        assert verdict.measured == 2

    def test_three_registered_and_two_ready_warn(self) -> None:
        world = multi_node()
        world.edit("Node", "worker-3", put("status.conditions.3.status", "False"))
        verdict = only(world, "worker-nodes")
        assert verdict.status is WARN
        assert verdict.measured == 2
        assert "worker-3" in verdict.message

    def test_none_in_a_fails(self) -> None:
        world = single_node()
        world.edit("Node", "only", put("spec.taints", [{"key": "x", "effect": "NoExecute"}]))
        assert status(world, "worker-nodes", A_DECLARED) is FAIL

    def test_a_malformed_node_beside_two_is_unknown(self) -> None:
        world = multi_node()
        world.edit("Node", "worker-3", put("metadata.labels", ["odd"]))
        assert status(world, "worker-nodes", B_DECLARED) is UNKNOWN

    @pytest.mark.parametrize(
        ("left", "declared", "expected"), [(3, False, PASS), (2, False, WARN), (1, False, WARN), (1, True, FAIL), (2, True, FAIL), (0, True, SKIP)]
    )
    def test_control_plane(self, left: int, declared: bool, expected: Status) -> None:
        world = multi_node()
        for number in range(left, 3):
            world.remove("Node", f"control-{number}")
        assert status(world, "control-plane-nodes", Config(declare=Declare(ha_control_plane=declared))) is expected

    def test_four_control_plane_nodes_warn_and_five_pass(self) -> None:
        world = multi_node()
        world.add(node("control-3", control_plane=True, tainted=True))
        assert status(world, "control-plane-nodes") is WARN
        world.add(node("control-4", control_plane=True, tainted=True))
        assert status(world, "control-plane-nodes") is PASS

    def test_k3s_with_an_external_datastore_needs_two(self) -> None:
        world = multi_node()
        world.remove("Node", "control-2")
        for number in (0, 1):
            world.edit("Node", f"control-{number}", put("status.nodeInfo.kubeletVersion", "v1.36.3+k3s1"))
        assert status(world, "control-plane-nodes") is PASS
        world.edit("Node", "control-0", put("metadata.labels.node-role\\.kubernetes\\.io/etcd", "true"))
        assert status(world, "control-plane-nodes") is WARN

    def test_control_plane_does_not_apply_to_a(self) -> None:
        assert status(single_node(), "control-plane-nodes") is SKIP
        assert status(single_node(), "failure-domains") is SKIP


class TestDomains:
    def zones(self, *zones: str | None) -> Any:
        world = multi_node()
        for name, zone in zip(builders.WORKERS, zones, strict=True):
            label = "metadata.labels.topology\\.kubernetes\\.io/zone"
            world.edit("Node", name, put(label, zone) if zone else drop(label))
        return only(world, "failure-domains")

    def test_two_values_pass_and_a_majority_is_a_remark(self) -> None:
        assert self.zones("a", "b", "c").remark == ""
        verdict = self.zones("a", "a", "b")
        assert verdict.status is PASS
        assert "majority" in verdict.remark

    def test_one_value_or_no_label_warns(self) -> None:
        assert self.zones("a", "a", "a").status is WARN
        assert self.zones(None, None, None).status is WARN

    def test_unlabelled_workers_are_a_remark(self) -> None:
        verdict = self.zones("a", "b", None)
        assert verdict.status is PASS
        assert "without the label" in verdict.remark

    def test_the_configured_key_counts(self) -> None:
        config = Config(declare=Declare(topology_key="acme.eu/rack"))
        world = multi_node()
        assert only(world, "failure-domains", config).status is WARN
        for name in builders.WORKERS:
            world.edit("Node", name, put("metadata.labels.acme\\.eu/rack", name))
        assert only(world, "failure-domains", config).status is PASS


class TestDriver:
    def test_a_node_without_it_fails(self) -> None:
        world = multi_node()
        world.edit("CSINode", "worker-2", put("spec.drivers", None))
        verdict = only(world, "csi-driver")
        assert verdict.status is FAIL
        assert "worker-2" in verdict.message
        assert verdict.measured == 2

    def test_no_csidriver_fails(self) -> None:
        world = multi_node()
        world.remove("CSIDriver", "driver.longhorn.io")
        assert only(world, "csi-driver").status is FAIL

    def test_an_unknown_driver_that_is_not_installed_is_unknown(self) -> None:
        world = multi_node()
        world.edit("StorageClass", "longhorn", put("provisioner", "storage.acme.eu"))
        assert only(world, "csi-driver").status is UNKNOWN

    def test_a_driver_nobody_told_us_of_passes_where_it_runs(self) -> None:
        world = multi_node()
        world.edit("StorageClass", "longhorn", put("provisioner", "storage.acme.eu"))
        world.add(made("storage.k8s.io/v1", "CSIDriver", "storage.acme.eu"))
        for name in builders.WORKERS:
            world.edit("CSINode", name, put("spec.drivers", [{"name": "storage.acme.eu"}]))
        assert only(world, "csi-driver").status is PASS

    def test_an_in_tree_name_means_its_csi_driver(self) -> None:
        world = multi_node()
        world.edit("StorageClass", "longhorn", put("provisioner", "kubernetes.io/aws-ebs"))
        verdict = only(world, "csi-driver")
        assert verdict.status is FAIL
        assert "ebs.csi.aws.com" in verdict.message

    def test_local_path_needs_its_pod(self) -> None:
        world = single_node()
        world.edit("Pod", "local-path-provisioner-7f5", put("status.conditions.0.status", "False"))
        assert only(world, "csi-driver").status is FAIL
        assert only(without(single_node(), "pods"), "csi-driver").status is UNKNOWN

    def test_static_volumes_need_no_driver(self) -> None:
        world = single_node()
        world.edit("StorageClass", "local-path", put("provisioner", "kubernetes.io/no-provisioner"))
        assert only(world, "csi-driver").status is SKIP

    def test_docker_desktop_hostpath_is_unknown(self) -> None:
        world = single_node()
        world.edit("StorageClass", "local-path", put("provisioner", "docker.io/hostpath"))
        assert only(world, "csi-driver").status is UNKNOWN

    def test_a_class_without_an_object_is_judged_by_its_volumes(self) -> None:
        world = multi_node()
        world.remove("StorageClass", "longhorn")
        assert only(world, "csi-driver").status is PASS
        assert only(without(world, "persistentvolumes"), "csi-driver").status is UNKNOWN

    def test_without_pods_every_worker_counts(self) -> None:
        world = multi_node()
        for item in list(world.all("Pod")):
            world.remove("Pod", item["metadata"]["name"])
        assert "may run" in only(world, "csi-driver").message
        assert status(without(multi_node(), "csidrivers.storage.k8s.io"), "csi-driver") is UNKNOWN

    def test_at_a_passive_site_the_pod_part_is_left_out(self) -> None:
        world = multi_node()
        world.edit("CSINode", "worker-2", put("spec.drivers", []))
        verdict = only(world, "csi-driver", role="passive")
        assert verdict.status is PASS
        assert "passive" in verdict.remark


def foreign(name: str = "shop", kind: str = "Deployment", namespace: str = "exivity", api: str = "apps/v1", **labels: str) -> Any:
    template = {"metadata": {"labels": {"app": name, **labels}}, "spec": {"containers": [{"name": "c", "image": "shop:1"}]}}
    return made(api, kind, name, namespace, metadata={"labels": labels}, spec={"selector": {"matchLabels": {"app": name}}, "template": template})


class TestNamespace:
    @pytest.mark.parametrize("name", ["default", "kube-apps"])
    def test_default_and_system_namespaces_fail(self, name: str) -> None:
        assert only(multi_node(namespace=name), "namespace").status is FAIL

    def test_another_name_is_a_remark(self) -> None:
        verdict = only(multi_node(namespace="finops"), "namespace")
        assert verdict.status is PASS
        assert "normally" in verdict.remark

    def test_another_product_warns(self) -> None:
        world = multi_node()
        world.add(foreign(), foreign("cache", "StatefulSet"))
        verdict = only(world, "namespace")
        assert verdict.status is WARN
        assert "Deployment shop" in verdict.message
        assert verdict.measured == 2

    def test_what_the_configuration_names_belongs(self) -> None:
        world = multi_node()
        world.add(foreign("pgbouncer"), made("v1", "Service", "db", "exivity", spec={"selector": {"app": "pgbouncer"}}))
        assert only(world, "namespace").status is WARN
        world.edit("ConfigMap", "exivity-postgres-config", put("data.POSTGRES_HOST", "db.exivity.svc"))
        assert only(world, "namespace").status is PASS

    def test_a_foreign_workload_is_unknown_where_the_configuration_is_not_seen(self) -> None:
        world = multi_node()
        world.add(foreign())
        assert only(without(world, "configmaps"), "namespace").status is UNKNOWN
        assert only(without(multi_node(), "configmaps"), "namespace").status is PASS

    def test_a_pooler_of_the_database_and_a_job_that_dumps_it_belong(self) -> None:
        world = multi_node()
        pooler = foreign("pool")
        pooler["spec"]["template"]["metadata"] = {"labels": {"cnpg.io/cluster": "pg", "cnpg.io/poolerName": "pool"}}
        world.add(postgresql.dump_job(), pooler)
        assert only(world, "namespace").status is WARN
        world.add(
            made(
                "v1",
                "Service",
                "pg-rw",
                "exivity",
                spec={"selector": {"cnpg.io/cluster": "pg", "cnpg.io/instanceRole": "primary"}, "ports": [{"port": 5432}]},
            )
        )
        postgresql.lead_to(world, "pg-rw")
        assert only(world, "namespace").status is PASS

    def test_the_embedded_parts_belong(self) -> None:
        world = multi_node()
        world.add(foreign("exivity-postgresql", "StatefulSet"), foreign("other", "StatefulSet", **{"app.kubernetes.io/instance": "exivity"}))
        assert only(world, "namespace").status is PASS

    def test_jobs(self) -> None:
        pod = {"containers": [{"name": "c", "image": "busybox"}]}
        mounting = {**pod, "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "exivity-exported"}}]}
        world = multi_node()
        world.add(
            made("batch/v1", "CronJob", "dump", "exivity", spec={"jobTemplate": {"spec": {"template": {"spec": mounting}}}}),
            made("batch/v1", "Job", "owned", "exivity", metadata={"ownerReferences": [{"kind": "Cluster", "name": "pg"}]}, spec={"template": {"spec": pod}}),
            made("batch/v1", "Job", "ended", "exivity", spec={"template": {"spec": pod}}, status={"completionTime": "2026-11-01T00:00:00Z"}),
        )  # fmt: skip
        assert only(world, "namespace").status is PASS
        world.add(made("batch/v1", "CronJob", "alien", "exivity", spec={"jobTemplate": {"spec": {"template": {"spec": pod}}}}))
        assert "CronJob alien" in only(world, "namespace").message

    def test_bare_pods(self) -> None:
        def bare(name: str, *, labels: Any = None, owner: Any = None, phase: str = "Running", claim: str = "other") -> Any:
            spec = {"containers": [{"name": "c", "image": "mysql:8"}], "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": claim}}]}
            metadata = {"labels": labels or {}, **({"ownerReferences": [owner]} if owner else {})}
            return made("v1", "Pod", name, "exivity", metadata=metadata, spec=spec, status={"phase": phase})

        world = multi_node()
        world.add(
            bare("copy", claim="exivity-exported"), bare("ended", phase="Succeeded"), bare("pg-1", owner={"kind": "Cluster", "name": "pg"}),
            bare("test", labels={"app.kubernetes.io/instance": "exivity"}),
        )  # fmt: skip
        assert only(world, "namespace").status is PASS
        world.add(bare("mysql-standalone", labels={"app": "mysql"}))
        found = only(world, "namespace")
        assert (found.status, found.measured) == (WARN, 1)
        assert "Pod mysql-standalone" in found.message
        world.add(made("v1", "Service", "db", "exivity", spec={"selector": {"app": "mysql"}}))
        world.edit("ConfigMap", "exivity-postgres-config", put("data.POSTGRES_HOST", "db.exivity.svc"))
        assert only(world, "namespace").status is PASS
        labels = {"app.kubernetes.io/app": "exivity", "app.kubernetes.io/name": "trial", "app.kubernetes.io/instance": "trial"}
        world.add(bare("trial-glass", labels=labels))
        assert "second" in only(world, "namespace").remark

    def test_bare_pods_that_were_not_seen(self) -> None:
        assert status(without(multi_node(), "pods"), "namespace") is UNKNOWN
        world = multi_node()
        world.add(foreign())
        assert UNKNOWN in {one.status for one in find(without(multi_node(), "pods"), "namespace").verdicts}
        assert only(without(world, "pods"), "namespace").status is WARN
        assert only(without(multi_node(namespace="default"), "pods"), "namespace").status is FAIL

    def test_a_second_exivity_release_is_a_remark(self) -> None:
        world = multi_node()
        labels = {"app.kubernetes.io/app": "exivity", "app.kubernetes.io/name": "trial", "app.kubernetes.io/instance": "trial"}
        world.add(foreign("trial-glass", **labels))
        verdict = only(world, "namespace", release="exivity")
        assert verdict.status is PASS
        assert "second" in verdict.remark

    def test_a_malformed_workload_is_unknown(self) -> None:
        world = multi_node()
        world.add(made("apps/v1", "StatefulSet", "odd", "exivity", metadata={"labels": "none"}))
        assert UNKNOWN in {verdict.status for verdict in find(world, "namespace").verdicts}


def unowned(world: World) -> World:
    for item in world.all("Deployment"):
        item["metadata"].pop("annotations", None)
    for item in list(world.all("Secret")):
        if item["metadata"]["name"].startswith("sh.helm"):
            world.remove("Secret", item["metadata"]["name"])
    return world


class TestOwner:
    def test_the_label_alone_proves_nothing(self) -> None:
        verdict = only(unowned(multi_node()), "helm-release")
        assert verdict.status is FAIL
        assert verdict.fix

    def test_a_release_secret_alone_passes(self) -> None:
        world = multi_node()
        for item in world.all("Deployment"):
            item["metadata"].pop("annotations", None)
        assert only(world, "helm-release").status is PASS

    @pytest.mark.parametrize("path", [
        "metadata.annotations.argocd\\.argoproj\\.io/tracking-id", "metadata.labels.helm\\.toolkit\\.fluxcd\\.io/name",
        "metadata.labels.kustomize\\.toolkit\\.fluxcd\\.io/name",
    ])  # fmt: skip
    def test_argo_and_flux(self, path: str) -> None:
        world = unowned(multi_node())
        world.edit("Deployment", "exivity-glass", put(path, "exivity"))
        assert only(world, "helm-release").status is PASS

    def test_nothing_seen_and_secrets_forbidden_is_unknown(self) -> None:
        assert status(unowned(multi_node()), "helm-release", secrets="none") is UNKNOWN

    def test_nothing_seen_and_argo_served_is_unknown(self) -> None:
        verdict = only(serve(unowned(multi_node()), "applications.argoproj.io"), "helm-release")
        assert verdict.status is UNKNOWN
        assert "not built yet" in verdict.why

    def test_helm_4_is_a_remark(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = multi_node()
        original = builders.json.dumps
        monkeypatch.setattr(builders.json, "dumps", lambda value: original({**value, "apply_method": "ssa"}) if "info" in value else original(value))
        installation = builders.Installation(nodes=("worker-1",), replicas=2, class_name="longhorn", access_mode="ReadWriteMany")
        world.add(installation.revision(2, installation.values()))
        assert "Helm 4" in only(world, "helm-release").remark


class TestImages:
    def test_it_applies_where_it_is_declared(self) -> None:
        assert only(multi_node(), "image-registry").status is SKIP

    def test_an_approved_registry_passes_and_others_fail(self) -> None:
        assert status(multi_node(), "image-registry", Config(declare=Declare(registries=("docker.io/exivity/",)))) is PASS
        found = by_subject(multi_node(), "image-registry", Config(declare=Declare(registries=("registry.corp/exivity",))))
        assert {verdict.status for verdict in found.values()} == {FAIL}
        assert next(iter(found.values())).fix.text == "`service.registry: registry.corp`"

    def test_a_prefix_is_no_registry(self) -> None:
        assert status(multi_node(), "image-registry", Config(declare=Declare(registries=("docker.io/exi",)))) is FAIL

    def test_restricted_without_registries_refuses_public_ones(self) -> None:
        config = Config(declare=Declare(restricted=True))
        world = multi_node()
        assert status(world, "image-registry", config) is FAIL
        for item in world.all("Deployment"):
            for container in item["spec"]["template"]["spec"]["containers"]:
                container["image"] = container["image"].replace("docker.io", "registry.corp:5000")
        found = by_subject(world, "image-registry", config)
        assert {verdict.status for verdict in found.values()} == {PASS}
        assert next(iter(found.values())).remark

    def test_middleware_and_init_images(self) -> None:
        config = Config(declare=Declare(registries=("docker.io/exivity",)))
        world = multi_node()
        world.add(foreign("exivity-postgresql", "StatefulSet"), foreign("stranger"))
        world.edit("Deployment", "exivity-use", put("spec.template.spec.initContainers", [{"name": "p", "image": "busybox:stable"}]))
        found = by_subject(world, "image-registry", config)
        assert found["StatefulSet exivity/exivity-postgresql"].fix.text.startswith("`postgresql.image.registry")
        assert found["Deployment exivity/exivity-use"].fix.text == "`storage.permissions.enabled: false`"
        assert "Deployment exivity/stranger" not in found


def test_every_red_verdict_has_a_remedy() -> None:
    world = plain("v1.30.1", **{"spec.providerID": "kind://x/y/z"})
    world.edit("Node", "only", put("status.conditions.3.status", "False"))
    for outcome in judged(world, config=B_DECLARED).outcomes:
        if outcome.check.row == "cluster":
            assert all(verdict.fix for verdict in outcome.verdicts if verdict.status in (FAIL, WARN)), outcome.check.id


def test_pvs_are_listed_only_for_node_local_classes() -> None:
    def listed(world: World) -> bool:
        snapshot_of(site_of(world, wanted=["node_volumes"]))
        return ("GET", "/api/v1/persistentvolumes") in world.requests

    record = next(one for one in site_of(multi_node(), wanted=["node_volumes"]).reads if one.name == "node_volumes")
    assert record.outcome == "empty"
    assert record.status is None
    assert listed(single_node())
