"""The row capacity, and room on the database's volume: every source, every caveat, one cause one failure."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.collect.answer import Failure
from exivity_audit.config import Config, Declare, Provisioner
from exivity_audit.verdict import Status, Verdict
from tests import builders
from tests.judging import outcome, status, verdicts
from tests.mutation import drop, put
from tests.mutations.capacity import longhorn, mounted
from tests.products import postgresql
from tests.usage import GI, Usage
from tests.world import World

CLAIM = "PersistentVolumeClaim exivity/exivity-"


def of(world: World, check: str, part: str = "extracted", **where: Any) -> Verdict:
    """The verdict on one claim."""
    return verdicts(world, check, **where)[f"{CLAIM}{part}"]


def embedded(world: World) -> World:
    """A single node whose database is the chart's own, on the same disk as the rest."""
    postgresql.embedded(world, node_name="only", class_name="local-path")
    return world


# Sources


def test_prometheus_is_asked_before_the_kubelets_and_longhorn() -> None:
    usage = Usage(prometheus=mounted(extracted=31), kubelets={"worker-1": mounted(extracted=52, exported=53)})
    world = builders.multi_node()
    first, second, third = (of(world, "capacity/data", usage=usage), of(world, "capacity/data", "exported", usage=usage), of(world, "capacity/data"))
    assert (first.measured, second.measured, third.measured) == (31, 53, 40)
    assert "by Prometheus" in first.message
    assert "by the kubelet of worker-1" in second.message
    assert "by Longhorn: Longhorn counts snapshots" in third.message
    assert first.evidence[0].read == "prometheus_volumes"
    assert first.evidence[0].value == "31Gi of 100Gi at 2026-11-23 12:00Z"
    assert first.evidence[0].kubectl is None
    assert second.evidence[0].read == "kubelet_stats"


def test_without_any_source_it_is_unknown_and_says_what_would_help() -> None:
    for check in ("capacity/data", "capacity/logs", "capacity/node-disk"):
        (verdict,) = verdicts(builders.single_node(), check).values()
        assert verdict.status is Status.UNKNOWN
        assert "neither a Prometheus nor the kubelets were asked" in verdict.why
        assert verdict.needs == ("prometheus.url in the config", "--kubelet-stats")


def test_a_source_that_was_asked_and_failed_is_named() -> None:
    forbidden = Failure("forbidden", 403, "the account may not read this")
    world = builders.single_node()
    (verdict,) = verdicts(world, "capacity/data", usage=Usage(kubelets={}, failing={"only": forbidden})).values()
    assert verdict.status is Status.UNKNOWN
    assert "forbidden: kubelet/stats only: the account may not read this" in verdict.why
    found = of(
        builders.multi_node(), "capacity/data", usage=Usage(prometheus={}, failing={"prometheus/volumes": Failure("tls", None, "signed by nobody")})
    )
    assert found.status is Status.PASS
    assert any(item.read == "prometheus_volumes" and "signed by nobody" in str(item.value) for item in found.evidence)


def test_one_kubelet_that_fails_leaves_the_others_figures() -> None:
    world = builders.multi_node()
    for volume in world.all("longhorn.io/Volume"):
        drop("status.actualSize")(volume)
    usage = Usage(kubelets={"worker-1": mounted(extracted=10)}, failing={"worker-2": Failure("timeout", None, "too late")})
    assert of(world, "capacity/data", usage=usage).status is Status.PASS
    other = of(world, "capacity/data", "exported", usage=usage)
    assert other.status is Status.UNKNOWN
    assert "too late" in other.why


def test_prometheus_of_several_clusters_gives_no_figure() -> None:
    class Doubled(Usage):
        def _volumes(self, place: Any, known: Any) -> Any:
            found = super()._volumes(place, known)
            for item in found.objects:
                item["clusters"] = 2
            return found

    world = builders.multi_node()
    for volume in world.all("longhorn.io/Volume"):
        drop("status.actualSize")(volume)
    found = verdicts(world, "capacity/data", usage=Doubled(prometheus=mounted(extracted=10)))
    assert {verdict.status for verdict in found.values()} == {Status.UNKNOWN}


@pytest.mark.parametrize(("used", "expected"), [(79.9, Status.PASS), (79.99, Status.PASS), (80, Status.FAIL), (100, Status.FAIL), (0, Status.PASS)])
def test_the_limit_of_data_volumes(used: float, expected: Status) -> None:
    found = of(builders.multi_node(), "capacity/data", usage=Usage(prometheus=mounted(extracted=used)))
    assert found.status is expected, found.message
    assert expected is Status.PASS or "≤ 80 %" in found.message
    assert expected is Status.FAIL or found.measured < 80  # type: ignore[operator]


def test_a_failure_names_size_and_values_path() -> None:
    found = of(builders.multi_node(), "capacity/data", usage=Usage(prometheus=mounted(extracted=90)))
    assert found.fix is not None
    assert found.fix.values == (("storage.pvcSizes.data.extracted", "135Gi"),)
    assert found.fix.needs == "upgrade"


def test_a_site_may_set_its_own_limit() -> None:
    config = Config(thresholds={"use.volumes": 0.3})
    assert status(builders.multi_node(), "capacity/data", config=config) is Status.FAIL


def test_longhorn_over_the_limit_says_what_it_counts() -> None:
    world = builders.multi_node()
    longhorn("extracted", 150)(world)
    found = of(world, "capacity/data")
    assert found.status is Status.FAIL
    assert found.measured == 150
    assert "snapshots" in found.remark


@pytest.mark.parametrize("value", [None, "much", -5, 0])
def test_longhorn_figures_that_say_nothing(value: Any) -> None:
    world = builders.multi_node()
    world.edit("longhorn.io/Volume", "pvc-exivity-extracted", put("status.actualSize", value))
    world.edit("longhorn.io/Volume", "pvc-exivity-extracted", put("status.state", "detached"))
    found = of(world, "capacity/data")
    assert found.status is Status.UNKNOWN, found.message
    assert of(world, "capacity/data", "exported").status is Status.PASS


def test_full_inodes_fill_a_volume() -> None:
    class Inodes(Usage):
        def _kubelet(self, place: Any, known: Any) -> Any:
            found = super()._kubelet(place, known)
            for item in found.objects:
                for volume in item["volumes"]:
                    volume.update(inodes=1000, inodesUsed=999)
            return found

    found = of(builders.multi_node(), "capacity/data", usage=Inodes(kubelets={"worker-1": mounted(extracted=10)}))
    assert found.status is Status.FAIL
    assert "99.9 % of its inodes used" in found.message


def test_claims_that_are_not_there_or_wait() -> None:
    world = builders.multi_node()
    for part in ("extracted", "exported"):
        world.remove("PersistentVolumeClaim", f"exivity-{part}")
    assert status(world, "capacity/data") is Status.SKIP
    world = builders.multi_node()
    for part in ("extracted", "exported"):
        world.edit("PersistentVolumeClaim", f"exivity-{part}", lambda item: (put("status.phase", "Pending")(item), drop("spec.volumeName")(item)))
    assert status(world, "capacity/data") is Status.SKIP
    world.deny = lambda resource, namespace, name: resource == "persistentvolumeclaims"
    assert status(world, "capacity/data") is Status.UNKNOWN


# Shared file systems


def test_a_nodes_disk_stands_in_and_is_one_cause() -> None:
    world, usage = builders.single_node(), Usage(kubelets={}, disks={"only": (430, 500)})
    found = of(world, "capacity/data", usage=usage)
    assert found.status is Status.FAIL
    assert "the node's file system stands in" in found.remark
    assert "assumed to lie on the kubelet's" in found.remark
    assert found.fix is not None
    assert "disk of only" in found.fix.text
    for check in ("capacity/logs", "capacity/node-disk"):
        followers = verdicts(world, check, usage=usage).values()
        assert {verdict.status for verdict in followers} == {Status.SKIP}, check
        assert {verdict.follows for verdict in followers} == {"capacity/data"}


def test_prometheus_chooses_the_file_system_under_the_folder() -> None:
    mounts = {"only": {"/": (490, 500), "/opt": (100, 500), "/opt/local": (490, 500)}}
    found = of(builders.single_node(), "capacity/data", usage=Usage(prometheus={}, mounts=mounts))
    assert found.status is Status.PASS
    assert "file system at /opt:" in found.message
    assert "assumed" not in found.message


def test_the_embedded_database_leads_on_a_shared_disk() -> None:
    world = builders.single_node()
    embedded(world)
    usage = Usage(kubelets={}, disks={"only": (430, 500)})
    found = verdicts(world, "postgresql/storage-headroom", usage=usage)
    assert {verdict.status for verdict in found.values()} == {Status.FAIL}, [verdict.message for verdict in found.values()]
    for check in ("capacity/postgresql", "capacity/data", "capacity/logs", "capacity/node-disk"):
        followers = verdicts(world, check, usage=usage).values()
        assert {verdict.follows for verdict in followers} == {"postgresql/storage-headroom"}, check
    at_75 = Usage(kubelets={}, disks={"only": (375, 500)})
    assert status(world, "postgresql/storage-headroom", usage=at_75) is Status.FAIL
    assert status(world, "capacity/data", usage=at_75) is Status.PASS


def test_the_figures_of_an_export_say_so() -> None:
    world = builders.multi_node()
    for volume in world.all("PersistentVolume"):
        if volume["spec"]["claimRef"]["name"] in ("exivity-extracted", "exivity-exported"):
            drop("spec.csi")(volume)
            put("spec.nfs", {"server": "nas.acme.eu", "path": "/exivity"})(volume)
    whole = {f"exivity/exivity-{part}": (850, 1000) for part in ("extracted", "exported")}
    found = of(world, "capacity/data", usage=Usage(kubelets={"worker-1": whole}))
    assert found.status is Status.FAIL
    assert "whole export's" in found.remark
    assert found.fix is not None
    assert "shared file system" in found.fix.text


def test_figures_far_larger_than_the_claim_are_shared() -> None:
    found = of(builders.multi_node(), "capacity/data", usage=Usage(prometheus={"exivity/exivity-extracted": (100, 4000)}))
    assert found.status is Status.PASS
    assert "larger than the claim" in found.message


# The nodes' disks


def test_node_disk_without_local_volumes_does_not_apply() -> None:
    found = outcome(builders.multi_node(), "capacity/node-disk", usage=Usage(kubelets={}, disks={"worker-1": (499, 500)}))
    assert found.status is Status.SKIP


@pytest.mark.parametrize(("used", "expected"), [(399, Status.PASS), (400, Status.FAIL)])
def test_node_disk_by_its_own_volumes(used: float, expected: Status) -> None:
    world = builders.single_node()
    for volume in world.all("PersistentVolume"):
        if volume["spec"]["claimRef"]["name"].endswith(("-extracted", "-exported", "-log")):
            put("spec.hostPath.path", f"/data/{volume['metadata']['name']}")(volume)
    usage = Usage(prometheus={}, mounts={"only": {"/": (used, 500), "/data": (1, 1000)}})
    found = verdicts(world, "capacity/node-disk", usage=usage)["Node only"]
    assert found.status is expected, found.message


def test_a_local_volume_whose_node_is_not_known() -> None:
    world = builders.single_node()
    world.edit("PersistentVolume", "pvc-exivity-extracted", drop("spec.nodeAffinity"))
    usage = Usage(kubelets={}, disks={"only": (10, 500)})
    assert of(world, "capacity/data", usage=usage).status is Status.PASS, "the pods that mount it say the node"
    for pod in world.all("Pod"):
        pod["status"]["phase"] = "Pending"
    found = verdicts(world, "capacity/node-disk", usage=usage)
    assert found[f"{CLAIM}extracted"].status is Status.UNKNOWN


def test_hidden_volumes_leave_node_disk_open() -> None:
    world = builders.single_node()
    world.deny = lambda resource, namespace, name: resource == "persistentvolumes"
    assert status(world, "capacity/node-disk", usage=Usage(kubelets={}, disks={"only": (10, 500)})) is Status.UNKNOWN


# Growing


@pytest.mark.parametrize(
    ("used", "before", "expected"),
    [(60, 28, Status.FAIL), (60, 59, Status.PASS), (60, 60, Status.PASS), (60, 70, Status.PASS), (0, 0, Status.PASS), (50, 38, Status.FAIL), (50, 39, Status.PASS)],
)  # fmt: skip
def test_growth(used: float, before: float, expected: Status) -> None:
    usage = Usage(prometheus=mounted(extracted=used), earlier={"exivity/exivity-extracted": before})
    found = of(builders.multi_node(), "capacity/growth", usage=usage)
    assert found.status is expected, found.message
    if expected is Status.FAIL:
        assert "until full" in found.message
        assert "≥ 30 d" in found.message


def test_growth_follows_what_is_full_already() -> None:
    usage = Usage(prometheus=mounted(extracted=90), earlier={"exivity/exivity-extracted": 20})
    found = of(builders.multi_node(), "capacity/growth", usage=usage)
    assert (found.status, found.follows) == (Status.SKIP, "capacity/data")


def test_growth_needs_figures_of_a_week_ago() -> None:
    (verdict,) = verdicts(builders.multi_node(), "capacity/growth", usage=Usage(kubelets={"worker-1": mounted(extracted=9)})).values()
    assert verdict.status is Status.UNKNOWN
    assert verdict.needs == ("prometheus.url in the config", "--history DIR")
    young = verdicts(builders.multi_node(), "capacity/growth", usage=Usage(prometheus=mounted(extracted=9)))
    assert [one.why for one in young.values()] == ["16 volumes: Prometheus holds no figures from a week ago"]
    failing = {resource: Failure("timeout", None, "too late") for resource in ("prometheus/volumes", "prometheus/nodes")}
    (verdict,) = verdicts(builders.multi_node(), "capacity/growth", usage=Usage(prometheus={}, failing=failing)).values()
    assert "too late" in verdict.why
    assert verdict.needs == ("a route from this machine to it",)


def test_growth_of_a_nodes_disk_is_one_verdict() -> None:
    found = verdicts(builders.single_node(), "capacity/growth", usage=Usage(prometheus={}, disks={"only": (330, 500)}, earlier={"only": 200}))
    assert [(subject, one.status) for subject, one in found.items()] == [("Node only", Status.FAIL)]


# Expanding


def test_expandable() -> None:
    world = builders.multi_node()
    assert status(world, "capacity/expandable") is Status.PASS
    world.edit("StorageClass", "longhorn", drop("allowVolumeExpansion"))
    found = verdicts(world, "capacity/expandable")["StorageClass longhorn"]
    assert found.status is Status.FAIL
    assert found.fix is not None
    assert found.fix.patch == {"allowVolumeExpansion": True}


@pytest.mark.parametrize(
    ("provisioner", "expected"),
    [
        ("ebs.csi.aws.com", Status.FAIL), ("kubernetes.io/aws-ebs", Status.FAIL), ("storage.csi.corp", Status.FAIL), ("rancher.io/local-path", Status.SKIP),
        ("nfs.csi.k8s.io", Status.SKIP), ("cluster.local/nas-nfs-subdir-external-provisioner", Status.SKIP), ("corp/own", Status.SKIP),
    ],
)  # fmt: skip
def test_expandable_by_provisioner(provisioner: str, expected: Status) -> None:
    world = builders.multi_node()
    world.edit("StorageClass", "longhorn", put("provisioner", provisioner))
    world.edit("StorageClass", "longhorn", drop("allowVolumeExpansion"))
    assert verdicts(world, "capacity/expandable")["StorageClass longhorn"].status is expected


def test_expandable_without_classes_or_claims() -> None:
    world = builders.multi_node()
    world.deny = lambda resource, namespace, name: resource == "storageclasses.storage.k8s.io"
    assert status(world, "capacity/expandable") is Status.UNKNOWN
    world = builders.multi_node()
    world.remove("StorageClass", "longhorn")
    assert status(world, "capacity/expandable") is Status.WARN
    config = Config(provisioners={"driver.longhorn.io": Provisioner(enforced=False)})
    assert status(builders.multi_node(), "capacity/expandable", config=config) is Status.SKIP


# The database


@pytest.mark.parametrize(("used", "expected"), [(34.9, Status.PASS), (35, Status.FAIL)])
def test_the_limit_of_the_database(used: float, expected: Status) -> None:
    world, usage = builders.multi_node(), Usage(kubelets={"worker-1": {"databases/pg-1": (used, 50)}})
    found = verdicts(world, "postgresql/storage-headroom", usage=usage)["PersistentVolumeClaim databases/pg-1"]
    beside = verdicts(world, "capacity/postgresql", usage=usage)["PersistentVolumeClaim databases/pg-1"]
    assert found.status is expected, found.message
    if expected is Status.FAIL:
        assert (beside.status, beside.follows) == (Status.SKIP, "postgresql/storage-headroom")
        assert found.fix is not None
        assert found.fix.patch == {"spec": {"storage": {"size": "60Gi"}}}
    else:
        assert beside.status is Status.PASS


def test_an_external_database_is_attested() -> None:
    for check in ("postgresql/storage-headroom", "capacity/postgresql"):
        assert status(builders.single_node(), check) is Status.MANUAL


def test_a_database_without_figures_or_claims_is_unknown() -> None:
    world = builders.multi_node()
    for volume in world.all("longhorn.io/Volume"):
        drop("status.actualSize")(volume)
    assert status(world, "postgresql/storage-headroom") is Status.UNKNOWN
    world = builders.multi_node()
    for claim in list(world.all("PersistentVolumeClaim")):
        if claim["metadata"]["namespace"] == postgresql.SPACE:
            world.objects.remove(claim)
    assert status(world, "postgresql/storage-headroom") is Status.UNKNOWN
    world = builders.multi_node()
    world.deny = lambda resource, namespace, name: resource == "persistentvolumeclaims" and namespace == postgresql.SPACE
    found = outcome(world, "postgresql/storage-headroom")
    assert found.status is Status.UNKNOWN
    assert any("list persistentvolumeclaims in databases" in verdict.needs for verdict in found.verdicts)


# pvc_sizes/node-disk


def test_the_promised_disk_is_the_declared_else_the_measured_else_the_nodes() -> None:
    world = builders.single_node()
    usage = Usage(kubelets={}, disks={"only": (10, 200)})
    plain = verdicts(world, "pvc_sizes/node-disk")["Node only"]
    measured = verdicts(world, "pvc_sizes/node-disk", usage=usage)["Node only"]
    declared = verdicts(world, "pvc_sizes/node-disk", usage=usage, config=Config(declare=Declare(node_disk="900Gi")))["Node only"]
    assert "disk of 500Gi" in plain.message
    assert "ephemeral storage" in plain.remark
    assert measured.status is Status.FAIL
    assert "disk of 200Gi" in measured.message
    assert "ephemeral" not in measured.remark
    assert declared.status is Status.PASS
    assert "disk of 900Gi" in declared.message
    assert any(item.read == "kubelet_stats" and item.value == 200 * GI for item in measured.evidence)
