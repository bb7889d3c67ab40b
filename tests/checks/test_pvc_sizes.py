"""The row pvc_sizes, check by check: each passing, failing, unknown and not applicable."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.config import Config, Declare, Provisioner
from exivity_audit.verdict import Status
from tests import builders
from tests.builders import Installation, multi_node, node, single_node
from tests.judging import judged
from tests.mutation import drop, put
from tests.mutations.postgresql import by_hand
from tests.mutations.pvc_sizes import embed, foreign_volume, sized, without_sizes
from tests.products import postgresql
from tests.world import OPTIONAL, World

FAIL, WARN, PASS, SKIP, UNKNOWN, MANUAL = Status.FAIL, Status.WARN, Status.PASS, Status.SKIP, Status.UNKNOWN, Status.MANUAL
CLAIM = "PersistentVolumeClaim exivity/exivity-"


def find(world: World, slug: str, config: Config | None = None, **where: Any) -> Any:
    return next(one for one in judged(world, config=config, **where).outcomes if one.check.id == f"pvc_sizes/{slug}")


def by_subject(world: World, slug: str, config: Config | None = None, **where: Any) -> dict[str, Any]:
    return {str(verdict.subject or ""): verdict for verdict in find(world, slug, config, **where).verdicts}


def only(world: World, slug: str, config: Config | None = None, **where: Any) -> Any:
    (verdict,) = find(world, slug, config, **where).verdicts
    return verdict


def changed(change: Any, base: Any = multi_node) -> World:
    world = base()
    change(world)
    return world


def without(world: World, *denied: str) -> World:
    world.deny = lambda resource, namespace, name: resource in denied
    return world


def serve(world: World, resource: str) -> World:
    world.resources[resource] = OPTIONAL[resource]
    return world


@pytest.mark.parametrize("base", ["multi_node", "single_node"])
def test_conforming_worlds_pass(base: str) -> None:
    found = [one for one in judged(getattr(builders, base)()).outcomes if one.check.row == "pvc_sizes"]
    assert len(found) == 7
    open_checks = {one.check.slug: one.status for one in found if one.status not in (PASS, SKIP)}
    assert open_checks == ({} if base == "multi_node" else {"postgresql": MANUAL})


@pytest.mark.parametrize("slug", ["data", "logs", "config", "explicit", "enforced", "node-disk", "postgresql"])
def test_forbidden_claims_are_unknown(slug: str) -> None:
    assert find(without(multi_node(), "persistentvolumeclaims"), slug).status is UNKNOWN


class TestSizes:
    @pytest.mark.parametrize(("slug", "part", "amount", "expected"), [
        ("data", "extracted", "49Gi", FAIL), ("data", "extracted", "50Gi", PASS), ("data", "extracted", "5Ti", PASS), ("data", "import", "9Gi", FAIL),
        ("data", "report", "10Gi", PASS), ("logs", "use-log", "5Gi", PASS), ("logs", "use-log", "4Gi", FAIL), ("logs", "proximity-api-log", "1Gi", FAIL),
        ("config", "griffon-config", "1Gi", PASS), ("config", "griffon-config", "1G", FAIL),
    ])  # fmt: skip
    def test_each_claim_is_judged(self, slug: str, part: str, amount: str, expected: Status) -> None:
        found = by_subject(changed(sized(part, amount)), slug)
        assert found[CLAIM + part].status is expected
        assert sum(1 for verdict in found.values() if verdict.status is PASS) == len(found) - (expected is FAIL)

    def test_the_fix_names_the_values_path_and_what_helm_can_do(self) -> None:
        fix = by_subject(changed(sized("proximity-api-log", "1Gi")), "logs")[CLAIM + "proximity-api-log"].fix
        assert fix.values == (("storage.pvcSizes.log.proximityApi", "5Gi"),)
        assert fix.needs == "upgrade"
        assert by_subject(changed(sized("extracted", "1Gi"), single_node), "data")[CLAIM + "extracted"].fix.needs == "reinstall"
        world = without(changed(sized("extracted", "1Gi")), "storageclasses.storage.k8s.io")
        assert by_subject(world, "data")[CLAIM + "extracted"].fix.needs is None

    def test_the_real_capacity_counts_too(self) -> None:
        world = multi_node()
        world.edit("PersistentVolumeClaim", "exivity-import", put("status.capacity.storage", "5Gi"))
        verdict = by_subject(world, "data")[CLAIM + "import"]
        assert verdict.status is FAIL
        assert "20Gi asked for, 5Gi there" in verdict.message
        assert "Finish the expansion" in verdict.fix.text

    def test_a_claim_without_a_volume_is_judged_by_its_request(self) -> None:
        world = multi_node()
        world.edit("PersistentVolumeClaim", "exivity-import", drop("status.capacity"))
        verdict = by_subject(world, "data")[CLAIM + "import"]
        assert verdict.status is PASS
        assert "no volume yet" in verdict.remark
        world.edit("PersistentVolumeClaim", "exivity-import", drop("spec.resources"))
        assert by_subject(world, "data")[CLAIM + "import"].status is UNKNOWN

    def test_large_warns_below_100(self) -> None:
        large = Config(declare=Declare(large=True))
        found = by_subject(single_node(), "data", large)
        assert found[CLAIM + "exported"].status is WARN
        assert found[CLAIM + "import"].status is PASS
        assert find(multi_node(), "data", large).status is PASS

    def test_thresholds_are_the_sites(self) -> None:
        config = Config(thresholds={"pvc.extracted": "200Gi"})
        assert by_subject(multi_node(), "data", config)[CLAIM + "extracted"].status is FAIL

    def test_a_claim_that_is_not_there_is_unknown(self) -> None:
        world = multi_node()
        world.remove("PersistentVolumeClaim", "exivity-report")
        found = by_subject(world, "data")
        assert found[CLAIM + "report"].status is UNKNOWN
        assert found[CLAIM + "import"].status is PASS

    @pytest.mark.parametrize("value", ["many", ["1Gi"], True, "1e999999Gi"])
    def test_a_malformed_size_is_unknown_and_its_siblings_are_judged(self, value: Any) -> None:
        world = multi_node()
        world.edit("PersistentVolumeClaim", "exivity-report", put("spec.resources.requests.storage", value))
        found = by_subject(world, "data")
        assert found[CLAIM + "report"].status is UNKNOWN
        assert found[CLAIM + "import"].status is PASS
        assert Status.ERROR not in {verdict.status for verdict in found.values()}


class TestDatabase:
    def test_external_is_to_be_attested(self) -> None:
        assert only(single_node(), "postgresql").status is MANUAL
        assert only(changed(postgresql.external), "postgresql").status is MANUAL

    @pytest.mark.parametrize(("amount", "expected"), [("25Gi", PASS), ("8Gi", FAIL)])
    def test_the_embedded_claim_is_judged(self, amount: str, expected: Status) -> None:
        verdict = only(changed(embed(amount)), "postgresql")
        assert str(verdict.subject) == "PersistentVolumeClaim exivity/data-exivity-postgresql-0"
        assert verdict.status is expected
        assert expected is PASS or verdict.fix.values == (("postgresql.primary.persistence.size", "25Gi"),)

    def test_evaluation_accepts_a_small_one(self) -> None:
        world = changed(embed("8Gi", node_name="only", class_name="local-path"), single_node)
        assert only(world, "postgresql", Config(purpose="evaluation")).status is PASS

    def test_the_cluster_and_each_of_its_volumes(self) -> None:
        found = by_subject(multi_node(), "postgresql")
        assert {subject: verdict.status for subject, verdict in found.items()} == {
            "Cluster databases/pg": PASS, **{f"PersistentVolumeClaim databases/pg-{number}": PASS for number in (1, 2, 3)},
        }  # fmt: skip
        world = changed(sized_instance("10Gi"))
        world.edit("Cluster", "pg", put("spec.storage", {"pvcTemplate": {"resources": {"requests": {"storage": "10Gi"}}}}))
        found = by_subject(world, "postgresql")
        assert [found[subject].status for subject in ("Cluster databases/pg", "PersistentVolumeClaim databases/pg-2")] == [FAIL, FAIL]
        assert found["PersistentVolumeClaim databases/pg-2"].fix.patch == {"spec": {"storage": {"size": "25Gi"}}}
        assert found["PersistentVolumeClaim databases/pg-1"].status is PASS

    def test_a_volume_of_the_log_may_be_small(self) -> None:
        world = multi_node()
        world.add(*postgresql.bound("pg-1-wal", "databases", "longhorn", "5Gi", {"cnpg.io/cluster": "pg", "cnpg.io/pvcRole": "PG_WAL"}))
        assert find(world, "postgresql").status is PASS

    def test_a_cluster_without_a_size_or_out_of_sight(self) -> None:
        world = changed(lambda c: c.edit("Cluster", "pg", drop("spec.storage")))
        assert by_subject(world, "postgresql")["Cluster databases/pg"].status is UNKNOWN
        assert find(without(multi_node(), "clusters.postgresql.cnpg.io"), "postgresql").status is UNKNOWN

    def test_a_database_made_by_hand_without_a_claim(self) -> None:
        verdict = only(changed(by_hand), "postgresql")
        assert (verdict.status, "no claim of the database" in verdict.why) == (MANUAL, True)

    def test_a_claim_left_behind_is_not_the_database(self) -> None:
        world = changed(embed("8Gi"))
        world.edit("ConfigMap", "exivity-postgres-config", put("data.POSTGRES_HOST", "db.acme.eu"))
        assert only(world, "postgresql").status is MANUAL

    def test_a_host_that_leads_nowhere_is_said_once(self) -> None:
        verdict = only(changed(lambda c: postgresql.lead_to(c, "nowhere")), "postgresql")
        assert (verdict.status, verdict.follows) == (SKIP, "postgresql/reachable")

    def test_a_passive_site(self) -> None:
        assert only(multi_node(), "postgresql", role="passive").status is SKIP
        world = changed(lambda c: c.edit("Cluster", "pg", put("spec.replica", {"enabled": True, "source": "ams"})))
        assert find(world, "postgresql", role="passive").status is PASS

    def test_an_unseen_address(self) -> None:
        assert only(without(multi_node(), "configmaps"), "postgresql").status is UNKNOWN


def sized_instance(amount: str) -> Any:
    def change(c: Any) -> None:
        c.edit("PersistentVolumeClaim", "pg-2", put("spec.resources.requests.storage", amount))
        c.edit("PersistentVolumeClaim", "pg-2", put("status.capacity.storage", amount))

    return change


def small(world: World, *parts: str) -> World:
    for part in parts:
        sized(part, "1Gi")(world)
    return world


ARGO = "applications.argoproj.io"


class TestExplicit:
    def test_values_without_sizes_fail_and_some_warn(self) -> None:
        verdict = only(changed(without_sizes), "explicit")
        assert verdict.status is FAIL
        assert ("storage.pvcSizes.data.extracted", "100Gi") in verdict.fix.values
        world = multi_node()
        installation = Installation(nodes=("worker-1",), replicas=2, class_name="longhorn", access_mode="ReadWriteMany")
        values = installation.values()
        del values["storage"]["pvcSizes"]["log"]["use"], values["storage"]["pvcSizes"]["config"]["etl"]
        world.add(installation.revision(2, values))
        verdict = only(world, "explicit")
        assert verdict.status is WARN
        assert verdict.fix.values == (("storage.pvcSizes.log.use", "10Gi"),), "the size that is there: no claim shrinks"

    def test_config_sizes_may_stay_the_default(self) -> None:
        world = multi_node()
        installation = Installation(nodes=("worker-1",), replicas=2, class_name="longhorn", access_mode="ReadWriteMany")
        values = installation.values()
        del values["storage"]["pvcSizes"]["config"]
        world.add(installation.revision(2, values))
        verdict = only(world, "explicit")
        assert verdict.status is PASS
        assert "as recommended" in verdict.remark

    def test_a_failed_upgrade_is_not_the_live_one(self) -> None:
        world = multi_node()
        installation = Installation(nodes=("worker-1",), replicas=2, class_name="longhorn", access_mode="ReadWriteMany")
        world.add(installation.revision(2, {}, status="failed"))
        assert only(world, "explicit").status is PASS

    @pytest.mark.parametrize("secrets", ["none", "named"])
    def test_without_the_values_sizes_are_the_proof(self, secrets: str) -> None:
        verdict = only(multi_node(), "explicit", secrets=secrets)
        assert verdict.status is PASS
        assert "are the proof" in verdict.remark
        assert "--secrets" in verdict.remark
        assert only(small(multi_node(), "use-log"), "explicit", secrets=secrets).status is WARN

    def test_without_helm_the_defaults_fail(self) -> None:
        parts = [*(f"{component}-log" for component in builders.chart.COMPONENTS), *builders.chart.DATA_CLAIMS]
        assert only(small(multi_node(helm=False), *parts), "explicit").status is FAIL
        verdict = only(multi_node(helm=False), "explicit")
        assert verdict.status is PASS
        assert "not in the cluster" in verdict.remark

    def test_values_inside_an_application_that_may_not_be_read_are_unknown(self) -> None:
        world = serve(small(multi_node(helm=False), "use-log"), ARGO)
        assert only(world, "explicit").status is WARN
        world.deny = lambda resource, namespace, name: resource == ARGO
        for mark in (False, True):
            if mark:
                world.edit("Deployment", "exivity-glass", put("metadata.annotations.argocd\\.argoproj\\.io/tracking-id", "exivity:apps/Deployment"))
            found = only(world, "explicit")
            assert (found.status, found.needs[0]) == (UNKNOWN, "list applications.argoproj.io")

    def test_odd_values_count_as_unset(self) -> None:
        world = multi_node()
        installation = Installation(nodes=("worker-1",), replicas=2, class_name="longhorn", access_mode="ReadWriteMany")
        world.add(installation.revision(2, {"storage": {"pvcSizes": "large"}}))
        assert only(world, "explicit").status is FAIL


class TestEnforced:
    def test_enforced_advisory_and_unknown(self) -> None:
        assert only(multi_node(), "enforced").measured == "enforced"
        verdict = only(single_node(), "enforced")
        assert verdict.status is PASS
        assert verdict.measured == "advisory"
        assert "node's disk" in verdict.remark
        world = multi_node()
        world.edit("StorageClass", "longhorn", put("provisioner", "storage.acme.eu"))
        assert only(world, "enforced").status is UNKNOWN
        taught = Config(provisioners={"storage.acme.eu": Provisioner(enforced=True)})
        assert only(world, "enforced", taught).measured == "enforced"

    def test_nfs_is_advisory(self) -> None:
        world = multi_node()
        world.edit("StorageClass", "longhorn", put("provisioner", "nfs.csi.k8s.io"))
        assert "export" in only(world, "enforced").remark


class TestNodeDisk:
    def test_it_applies_to_node_local_classes(self) -> None:
        assert only(multi_node(), "node-disk").status is SKIP

    def test_the_sum_is_over_every_namespace(self) -> None:
        verdict = only(single_node(), "node-disk")
        assert verdict.status is PASS
        assert "assumed" in verdict.remark
        assert str(verdict.subject) == "Node only"
        verdict = only(changed(foreign_volume, single_node), "node-disk")
        assert verdict.status is FAIL
        assert "2 of them not this release's" in verdict.message

    def test_the_declared_disk_and_headroom_count(self) -> None:
        assert only(single_node(), "node-disk", Config(declare=Declare(node_disk="200Gi"))).status is FAIL
        verdict = only(single_node(), "node-disk", Config(declare=Declare(node_disk="1Ti")))
        assert verdict.status is PASS
        assert not verdict.remark
        assert only(single_node(), "node-disk", Config(thresholds={"node_disk.headroom": 0.7})).status is FAIL

    def test_a_node_without_a_size_is_unknown(self) -> None:
        world = single_node()
        world.edit("Node", "only", drop("status.capacity"))
        assert only(world, "node-disk").status is UNKNOWN

    def test_forbidden_volumes_are_unknown(self) -> None:
        assert find(without(single_node(), "persistentvolumes"), "node-disk").status is UNKNOWN

    def test_a_volume_that_names_no_node(self) -> None:
        world = single_node()
        world.edit("PersistentVolume", "pvc-exivity-use-log", drop("spec.nodeAffinity"))
        assert only(world, "node-disk").status is PASS  # one node: it lies there
        world.add(node("second"))
        found = by_subject(world, "node-disk")
        assert found[CLAIM + "use-log"].status is UNKNOWN
        assert found["Node only"].status is PASS

    def test_another_namespaces_volume_that_names_no_node(self) -> None:
        world = changed(foreign_volume, single_node)
        world.edit("PersistentVolume", "pvc-other", drop("spec.nodeAffinity"))
        assert only(world, "node-disk").status is FAIL  # one node: it lies there
        world.add(node("second"))
        verdict = only(world, "node-disk")
        assert verdict.status is UNKNOWN
        assert "1 more that do not say their node" in verdict.message
        world.edit("PersistentVolume", "pvc-other", put("spec.capacity.storage", "1Gi"))
        verdict = only(world, "node-disk")  # wherever it lies, there is room
        assert verdict.status is PASS
        assert "up to 1Gi" in verdict.message

    def test_a_malformed_volume_makes_the_sum_unsure(self) -> None:
        world = changed(foreign_volume, single_node)
        world.edit("PersistentVolume", "pvc-other", put("spec.capacity.storage", "much"))
        assert find(world, "node-disk").status is UNKNOWN

    def test_pending_claims_are_not_there_yet(self) -> None:
        world = single_node()
        for item in list(world.all("PersistentVolume")):
            world.remove("PersistentVolume", item["metadata"]["name"])
        for item in world.all("PersistentVolumeClaim"):
            item["spec"].pop("volumeName")
        assert only(world, "node-disk").status is SKIP

    def test_static_volumes_on_a_disk_count(self) -> None:
        world = single_node()
        world.edit("StorageClass", "local-path", put("provisioner", "kubernetes.io/no-provisioner"))
        assert only(world, "node-disk").status is PASS

    def test_a_driver_that_reserves_space_is_left_out(self) -> None:
        world = single_node()
        world.edit("StorageClass", "local-path", put("provisioner", "topolvm.io"))
        assert only(world, "node-disk").status is SKIP


def test_every_red_verdict_has_a_remedy() -> None:
    world = small(changed(foreign_volume, single_node), "extracted", "use-log", "etl-config")
    without_sizes(world)
    for outcome in judged(world).outcomes:
        if outcome.check.row == "pvc_sizes":
            assert all(verdict.fix for verdict in outcome.verdicts if verdict.status in (FAIL, WARN)), outcome.check.id
