"""Storage: each check passing, failing, blind and out of scope, and every branch of its rule."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, ClassVar

import pytest

from exivity_audit.attestation import Attestation
from exivity_audit.config import Config, Provisioner
from exivity_audit.evidence import Source
from exivity_audit.facts.claims import StorageClass
from exivity_audit.facts.provisioners import PROVISIONERS, kind_of, provisioner_kind, table_name
from exivity_audit.subject import Subject
from exivity_audit.verdict import Status, Verdict
from tests import builders
from tests.builders import made, multi_node, single_node, stamp
from tests.judging import judged, outcome, status, verdicts
from tests.mutation import drop, put
from tests.products import backups
from tests.world import World

SLUGS = (
    "class-exists", "claims-bound", "claims-lost", "provisioned", "access-mode", "rwx-capable", "rwx-validated", "longhorn-replicas", "longhorn-spread",
    "longhorn-failover", "longhorn-capacity", "nfs", "site-local", "single-node-class", "reclaim",
)  # fmt: skip
EXTRACTED = "PersistentVolumeClaim exivity/exivity-extracted"
CLASS = "StorageClass longhorn"
SITES = Config(scenario="multi-site")


def check(slug: str) -> str:
    return f"storage/{slug}"


def one(world: World, slug: str, subject: str = EXTRACTED, **where: Any) -> Verdict:
    """The verdict of a check on one subject."""
    return verdicts(world, check(slug), **where)[subject]


def every(world: World, slug: str, **where: Any) -> set[Status]:
    """All statuses a check gave."""
    return {verdict.status for verdict in outcome(world, check(slug), **where).verdicts}


def denied(world: World, *resources: str) -> World:
    """The same world, where these resources may not be read."""
    world.deny = lambda resource, namespace, name: resource in resources
    return world


def claim(world: World, part: str, path: str, value: Any) -> World:
    world.edit("PersistentVolumeClaim", f"exivity-{part}", put(path, value))
    return world


def waiting(world: World, part: str = "extracted") -> World:
    """A claim that has no volume yet."""
    item = world.find("PersistentVolumeClaim", f"exivity-{part}")
    put("status.phase", "Pending")(item)
    drop("spec.volumeName")(item)
    return world


def without_pods(world: World) -> World:
    world.objects = [item for item in world.objects if item["kind"] != "Pod" or item["metadata"]["namespace"] != "exivity"]
    return world


@pytest.mark.parametrize("base", ["multi_node", "single_node"])
def test_conforming_clusters_are_fine(base: str) -> None:
    found = {item.check.slug: item.status for item in judged(getattr(builders, base)()).outcomes if item.check.row == "storage"}
    assert set(found) == set(SLUGS)
    assert set(found.values()) <= {Status.PASS, Status.SKIP}


def test_fixes_are_given_for_every_finding() -> None:
    """Without a fix of its own the general one is printed; this row says a specific one each time."""
    for world in (nfs_world(), on_one_node(), broken()):
        for item in judged(world).outcomes:
            if item.check.row == "storage":
                assert all(verdict.fix for verdict in item.verdicts if verdict.status in (Status.FAIL, Status.WARN)), item.check.slug
                assert all(verdict.status is not Status.ERROR for verdict in item.verdicts), item.check.slug


def broken() -> World:
    """Many things wrong at once."""
    world = multi_node()
    world.edit("StorageClass", "longhorn", put("parameters.numberOfReplicas", "1"))
    for item in world.all("longhorn.io/Volume"):
        put("status.robustness", "degraded")(item)
    for item in world.all("longhorn.io/Setting"):
        put("value", "true")(item)
    for item in world.all("PersistentVolume"):
        put("spec.persistentVolumeReclaimPolicy", "Delete")(item)
    return world


# class-exists


def test_class_missing_of_a_bound_and_of_a_waiting_claim() -> None:
    world = multi_node()
    world.remove("StorageClass", "longhorn")
    assert every(world, "class-exists") == {Status.WARN}
    waiting(world)
    assert one(world, "class-exists").status is Status.FAIL
    follower = one(world, "claims-bound")
    assert (follower.status, follower.follows) == (Status.SKIP, "storage/class-exists")


@pytest.mark.parametrize(("defaults", "expected"), [(0, Status.FAIL), (1, Status.PASS), (2, Status.FAIL)])
def test_no_class_needs_exactly_one_default(defaults: int, expected: Status) -> None:
    world = waiting(multi_node())
    world.edit("PersistentVolumeClaim", "exivity-extracted", drop("spec.storageClassName"))
    mark = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
    world.add(*(made("storage.k8s.io/v1", "StorageClass", f"default-{number}", metadata=mark, provisioner="a.b") for number in range(defaults)))
    assert one(world, "class-exists").status is expected


def test_empty_class_is_static() -> None:
    assert one(claim(multi_node(), "extracted", "spec.storageClassName", ""), "class-exists").status is Status.WARN


def test_classes_unreadable() -> None:
    assert every(denied(multi_node(), "storageclasses.storage.k8s.io"), "class-exists") == {Status.UNKNOWN}


def test_a_malformed_class_proves_no_absence() -> None:
    world = waiting(claim(multi_node(), "extracted", "spec.storageClassName", "other"))
    world.add(made("storage.k8s.io/v1", "StorageClass", "odd", provisioner=7))
    found = verdicts(world, check("class-exists"))
    assert found[EXTRACTED].status is Status.UNKNOWN
    assert found["StorageClass odd"].status is Status.UNKNOWN
    assert found["PersistentVolumeClaim exivity/exivity-report"].status is Status.PASS


# claims-bound and claims-lost


def test_waiting_claim_fails_where_a_pod_uses_it_and_where_the_class_does_not_wait() -> None:
    assert one(waiting(multi_node()), "claims-bound").status is Status.FAIL
    assert one(without_pods(waiting(multi_node())), "claims-bound").status is Status.FAIL
    assert one(waiting(single_node()), "claims-bound").status is Status.FAIL


def test_waiting_for_the_first_pod_is_no_finding() -> None:
    assert one(without_pods(waiting(single_node())), "claims-bound").status is Status.SKIP
    assert one(denied(waiting(single_node()), "pods"), "claims-bound").status is Status.UNKNOWN


def test_passive_site_may_lack_claims() -> None:
    world = without_pods(waiting(multi_node()))
    world.remove("PersistentVolumeClaim", "exivity-report")
    found = verdicts(world, check("claims-bound"), role="passive", config=SITES)
    assert found[EXTRACTED].status is Status.SKIP
    assert found["PersistentVolumeClaim exivity/exivity-report"].status is Status.SKIP


def test_missing_claim() -> None:
    world = multi_node()
    world.remove("PersistentVolumeClaim", "exivity-report")
    assert one(world, "claims-bound", "PersistentVolumeClaim exivity/exivity-report").status is Status.FAIL


@pytest.mark.parametrize(
    ("kind", "days", "expected"),
    [("Resizing", 0.01, Status.PASS), ("Resizing", 2, Status.FAIL), ("FileSystemResizePending", 2, Status.FAIL),
     ("NodeResizeError", 0.01, Status.FAIL), ("Resizing", None, Status.FAIL)],
)  # fmt: skip
def test_resize(kind: str, days: float | None, expected: Status) -> None:
    condition = {"type": kind, "status": "True", **({"lastTransitionTime": stamp(days)} if days else {})}
    assert one(claim(multi_node(), "extracted", "status.conditions", [condition]), "claims-bound").status is expected


def test_capacity_below_the_request_is_a_resize_that_did_not_happen() -> None:
    found = one(claim(multi_node(), "extracted", "spec.resources.requests.storage", "300Gi"), "claims-bound")
    assert found.status is Status.FAIL
    assert "100Gi of 300Gi" in found.message


def test_lost() -> None:
    world = claim(multi_node(), "extracted", "status.phase", "Lost")
    assert one(world, "claims-lost").status is Status.FAIL
    assert one(world, "claims-bound").follows == "storage/claims-lost"


def test_claims_unreadable() -> None:
    world = denied(multi_node(), "persistentvolumeclaims")
    for slug in ("class-exists", "claims-bound", "claims-lost", "provisioned", "access-mode", "rwx-capable", "rwx-validated", "reclaim"):
        assert every(world, slug) == {Status.UNKNOWN}, slug


@pytest.mark.parametrize("path", ["spec.accessModes", "status.phase", "spec.resources.requests.storage", "metadata.labels"])
def test_malformed_claim_is_unknown_and_its_siblings_are_judged(path: str) -> None:
    world = claim(multi_node(), "extracted", path, {"a": 7} if path == "metadata.labels" else 7 if path != "spec.resources.requests.storage" else [])
    found = verdicts(world, check("claims-lost"))
    if path != "metadata.labels":
        assert found[EXTRACTED].status is Status.UNKNOWN
    assert found["PersistentVolumeClaim exivity/exivity-report"].status is Status.PASS
    assert status(world, check("claims-bound")) is not Status.ERROR


# provisioned


def by_hand(world: World, source: dict[str, Any]) -> World:
    volume = world.find("PersistentVolume", "pvc-exivity-extracted")
    volume["metadata"].pop("annotations", None)
    for key in ("csi", "hostPath", "local"):
        volume["spec"].pop(key, None)
    volume["spec"].update(source)
    return world


@pytest.mark.parametrize(
    ("source", "multi", "single"),
    [
        ({"hostPath": {"path": "/data"}}, Status.FAIL, Status.FAIL), ({"local": {"path": "/data"}}, Status.FAIL, Status.FAIL),
        ({"nfs": {"server": "nas", "path": "/x"}}, Status.PASS, Status.WARN), ({"csi": {"driver": "nfs.csi.k8s.io"}}, Status.PASS, Status.PASS),
        ({"iscsi": {"iqn": "x"}}, Status.WARN, Status.WARN),
    ],
)  # fmt: skip
def test_who_made_the_volume(source: dict[str, Any], multi: Status, single: Status) -> None:
    found = one(by_hand(multi_node(), source), "provisioned")
    assert found.status is multi
    assert bool(found.remark) is ("nfs" in source)
    assert one(by_hand(single_node(), source), "provisioned").status is single


def test_host_path_in_a_pod_that_somebody_injected() -> None:
    world = multi_node()
    pod = next(item for item in world.all("Pod") if item["metadata"]["name"].startswith("exivity-edify"))
    pod["spec"]["volumes"].append({"name": "x", "hostPath": {"path": "/x"}})
    assert one(world, "provisioned", "Deployment exivity/exivity-edify").status is Status.FAIL


def test_volumes_unreadable_or_gone() -> None:
    assert every(denied(multi_node(), "persistentvolumes"), "provisioned") == {Status.UNKNOWN}
    world = multi_node()
    world.remove("PersistentVolume", "pvc-exivity-extracted")
    assert one(world, "provisioned").status is Status.UNKNOWN
    assert one(waiting(multi_node()), "provisioned").status is Status.SKIP


def test_malformed_volume() -> None:
    world = multi_node()
    world.edit("PersistentVolume", "pvc-exivity-extracted", put("spec.csi", {"driver": ["x"], "volumeHandle": {"a": 1}}))
    assert one(world, "provisioned").status is Status.UNKNOWN
    assert one(world, "provisioned", "PersistentVolumeClaim exivity/exivity-report").status is Status.PASS
    assert one(world, "longhorn-replicas").status is Status.UNKNOWN


# access-mode


@pytest.mark.parametrize(
    ("part", "mode", "multi", "single"),
    [
        ("extracted", "ReadWriteMany", Status.PASS, Status.PASS), ("extracted", "ReadWriteOnce", Status.FAIL, Status.PASS),
        ("glass-log", "ReadWriteOnce", Status.FAIL, Status.PASS), ("etl-config", "ReadOnlyMany", Status.FAIL, Status.FAIL),
        ("chronos-config", "ReadWriteOnce", Status.PASS, Status.PASS), ("griffon-config", "ReadWriteOncePod", Status.PASS, Status.PASS),
        ("chronos-config", "ReadOnlyMany", Status.FAIL, Status.FAIL), ("extracted", "ReadWriteOncePod", Status.FAIL, Status.FAIL),
    ],
)  # fmt: skip
def test_modes(part: str, mode: str, multi: Status, single: Status) -> None:
    subject = f"PersistentVolumeClaim exivity/exivity-{part}"
    assert one(claim(multi_node(), part, "spec.accessModes", [mode]), "access-mode", subject).status is multi
    found = one(claim(single_node(), part, "spec.accessModes", [mode]), "access-mode", subject)
    assert found.status is single
    assert bool(found.remark) is (mode == "ReadWriteMany")


def test_single_writer_claim_on_two_nodes() -> None:
    world = single_node()
    subject = "PersistentVolumeClaim exivity/exivity-glass-log"
    assert one(world, "access-mode", subject).status is Status.PASS
    pod = next(item for item in world.all("Pod") if item["metadata"]["name"].startswith("exivity-glass"))
    world.add({**pod, "metadata": {**pod["metadata"], "name": "exivity-glass-x"}, "spec": {**pod["spec"], "nodeName": "other"}})
    assert one(world, "access-mode", subject).status is Status.FAIL


def test_modes_without_pods_are_half_the_truth() -> None:
    found = verdicts(denied(multi_node(), "pods"), check("access-mode"))
    assert found[EXTRACTED].status is Status.PASS
    assert found["PersistentVolumeClaim exivity/exivity-chronos-config"].status is Status.UNKNOWN


# rwx-capable and the table of provisioners


def storage_class(provisioner: str, **parameters: Any) -> StorageClass:
    subject = Subject("StorageClass", "x")
    return StorageClass(
        subject, Source("storageclasses", "storageclasses", None, "x"), "x", provisioner, False, "Delete", True, "Immediate", (), parameters
    )


class Told:
    provisioners: ClassVar[dict[str, Provisioner]] = {}


class Taught(Told):
    provisioners: ClassVar[dict[str, Provisioner]] = {
        "my.csi.corp": Provisioner(rwx=True, enforced=True, local=False),
        "ebs.csi.aws.com": Provisioner(local=True),
    }


@pytest.mark.parametrize(
    ("provisioner", "name"),
    [
        ("rook-ceph.cephfs.csi.ceph.com", "cephfs.csi.ceph.com"), ("storage.rbd.csi.ceph.com", "rbd.csi.ceph.com"), ("rook-ceph.nfs.csi.ceph.com", "nfs.csi.ceph.com"),
        ("cluster.local/exi-nfs-subdir-external-provisioner", "k8s-sigs.io/nfs-subdir-external-provisioner"),
        ("cluster.local/nfs-subdir-external-provisioner", "k8s-sigs.io/nfs-subdir-external-provisioner"),
        ("cluster.local/my-nfs-server-provisioner", "example.com/nfs"), ("rancher.io/local-path", "rancher.io/local-path"), ("cluster.local/else", "cluster.local/else"),
    ],
)  # fmt: skip
def test_names_with_a_part_that_varies(provisioner: str, name: str) -> None:
    assert table_name(provisioner) == name


@pytest.mark.parametrize(
    ("provisioner", "parameters", "rwx"),
    [
        ("pxd.portworx.com", {}, False), ("pxd.portworx.com", {"sharedv4": "true"}, True), ("pxd.portworx.com", {"shared": "true"}, True),
        ("csi.trident.netapp.io", {}, None), ("csi.trident.netapp.io", {"backendType": "ontap-nas-economy"}, True),
        ("csi.trident.netapp.io", {"backendType": "ontap-san"}, False), ("csi.hpe.com", {"nfsResources": "true"}, True), ("csi.hpe.com", {}, False),
        ("csi.vsphere.vmware.com", {"csi.storage.k8s.io/fstype": "nfs4"}, True), ("csi.vsphere.vmware.com", {}, False),
        ("pure-csi", {"backend": "file"}, True), ("csi.nutanix.com", {"storageType": "NutanixFiles"}, True), ("csi-unity.dellemc.com", {"protocol": "iSCSI"}, False),
        ("linstor.csi.linbit.com", {}, None), ("driver.longhorn.io", {}, True),
    ],
)  # fmt: skip
def test_parameters_decide(provisioner: str, parameters: dict[str, Any], rwx: bool | None) -> None:
    found = provisioner_kind(storage_class(provisioner, **parameters), Told())
    assert found is not None
    assert found.rwx is rwx


def test_the_config_teaches_and_overrides() -> None:
    assert kind_of("my.csi.corp", {}, Told()) is None
    taught = kind_of("my.csi.corp", {}, Taught())
    assert taught is not None
    assert (taught.rwx, taught.enforced, taught.local) == (True, True, False)
    changed = kind_of("ebs.csi.aws.com", {}, Taught())
    assert changed is not None
    assert (changed.rwx, changed.local) == (False, True)
    assert all(kind.title for kind in PROVISIONERS.values())


@pytest.mark.parametrize(
    ("provisioner", "expected"),
    [("rook-ceph.cephfs.csi.ceph.com", Status.PASS), ("ebs.csi.aws.com", Status.FAIL), ("rancher.io/local-path", Status.FAIL),
     ("who.knows/it", Status.UNKNOWN), ("csi.trident.netapp.io", Status.UNKNOWN)],
)  # fmt: skip
def test_capable(provisioner: str, expected: Status) -> None:
    world = multi_node()
    world.edit("StorageClass", "longhorn", put("provisioner", provisioner))
    found = one(world, "rwx-capable", CLASS)
    assert found.status is expected
    assert bool(found.needs) is (expected is Status.UNKNOWN)


def test_capable_by_the_config() -> None:
    world = multi_node()
    world.edit("StorageClass", "longhorn", put("provisioner", "who.knows/it"))
    assert one(world, "rwx-capable", CLASS, config=Config(provisioners={"who.knows/it": Provisioner(rwx=True)})).status is Status.PASS


def test_migratable_volumes_are_block_devices() -> None:
    world = multi_node()
    world.edit("PersistentVolume", "pvc-exivity-extracted", put("spec.csi.volumeAttributes.migratable", "true"))
    assert one(world, "rwx-capable", CLASS).status is Status.FAIL
    world = multi_node()
    world.edit("longhorn.io/Volume", "pvc-exivity-extracted", put("spec.migratable", True))
    assert one(world, "rwx-capable", CLASS).status is Status.FAIL
    assert one(world, "rwx-validated").follows == "storage/rwx-capable"


@pytest.mark.parametrize(
    ("source", "expected"),
    [({"nfs": {"server": "nas", "path": "/x"}}, Status.PASS), ({"hostPath": {"path": "/x"}}, Status.FAIL), ({"local": {"path": "/x"}}, Status.FAIL),
     ({"csi": {"driver": "cephfs.csi.ceph.com"}}, Status.PASS), ({"csi": {"driver": "new.driver"}}, Status.UNKNOWN)],
)  # fmt: skip
def test_static_volumes_tell_themselves(source: dict[str, Any], expected: Status) -> None:
    world = by_hand(claim(multi_node(), "extracted", "spec.storageClassName", ""), source)
    assert one(world, "rwx-capable").status is expected
    world = by_hand(claim(multi_node(), "extracted", "spec.storageClassName", "static"), source)
    world.add(made("storage.k8s.io/v1", "StorageClass", "static", provisioner="kubernetes.io/no-provisioner"))
    assert one(world, "rwx-capable").status is expected


def test_capable_follows_the_missing_class_and_needs_classes() -> None:
    world = waiting(claim(multi_node(), "extracted", "spec.storageClassName", "none"))
    assert one(world, "rwx-capable").follows == "storage/class-exists"
    assert status(world, check("class-exists")) is Status.FAIL
    assert every(denied(multi_node(), "storageclasses.storage.k8s.io"), "rwx-capable") == {Status.UNKNOWN}
    assert every(single_node(), "rwx-capable") == {Status.SKIP}


# rwx-validated


def test_seen_on_two_nodes() -> None:
    found = one(multi_node(), "rwx-validated", CLASS)
    assert (found.status, found.measured) == (Status.PASS, 3)
    assert one(without_pods(multi_node()), "rwx-validated", CLASS).status is Status.MANUAL
    assert one(denied(multi_node(), "pods"), "rwx-validated", CLASS).status is Status.UNKNOWN
    assert every(multi_node(), "rwx-validated", role="passive", config=SITES) == {Status.SKIP}


def test_an_attestation_covers_what_is_not_seen() -> None:
    item = Attestation("storage/rwx-validated", None, None, "mounted from two nodes", "J. Doe", "2026-11-02", "2027-02-01", None)
    assert one(without_pods(multi_node()), "rwx-validated", CLASS, attestations=(item,)).status is Status.PASS


@pytest.mark.parametrize("state", ["stopped", "starting", "error", "unknown", ""])
def test_share_manager_not_running(state: str) -> None:
    world = multi_node()
    world.edit("longhorn.io/ShareManager", "pvc-exivity-extracted", put("status.state", state))
    assert one(world, "rwx-validated").status is Status.FAIL


def test_share_manager_missing_detached_and_unread() -> None:
    world = multi_node()
    world.remove("longhorn.io/ShareManager", "pvc-exivity-extracted")
    assert one(world, "rwx-validated").status is Status.FAIL
    world.edit("longhorn.io/Volume", "pvc-exivity-extracted", put("status.state", "detached"))
    assert one(world, "rwx-validated").status is Status.SKIP
    blind = verdicts(denied(multi_node(), "sharemanagers.longhorn.io"), check("rwx-validated"))
    assert blind[EXTRACTED].status is Status.UNKNOWN
    assert blind[CLASS].status is Status.PASS


def test_no_shared_claim_follows_the_access_mode() -> None:
    world = multi_node(access_mode="ReadWriteOnce")
    assert {verdict.follows for verdict in outcome(world, check("rwx-validated")).verdicts} == {"storage/access-mode"}
    assert status(world, check("access-mode")) is Status.FAIL


# longhorn-replicas


def volume(world: World, path: str, value: Any, part: str = "extracted") -> World:
    world.edit("longhorn.io/Volume", f"pvc-exivity-{part}", put(path, value))
    return world


def test_class_and_volume_are_both_shown() -> None:
    found = one(multi_node(), "longhorn-replicas")
    assert found.status is Status.PASS
    assert "3 replicas, class longhorn asks for 3, healthy" in found.message
    assert one(multi_node(), "longhorn-replicas", CLASS).measured == 3


@pytest.mark.parametrize(
    ("default", "expected"), [('{"v1":"3","v2":"1"}', Status.PASS), ("3", Status.PASS), ('{"v1":"2"}', Status.FAIL), ("", Status.FAIL)]
)
def test_class_that_leaves_it_to_the_setting(default: str, expected: Status) -> None:
    world = multi_node()
    world.edit("StorageClass", "longhorn", drop("parameters.numberOfReplicas"))
    world.edit("longhorn.io/Setting", "default-replica-count", put("value", default))
    assert one(world, "longhorn-replicas", CLASS).status is expected
    assert one(denied(world, "settings.longhorn.io"), "longhorn-replicas", CLASS).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status.robustness": "faulted"}, Status.FAIL), ({"status.robustness": "faulted", "status.state": "detached"}, Status.FAIL),
        ({"status.robustness": "degraded", "status.lastDegradedAt": stamp(0.02)}, Status.WARN),
        ({"status.robustness": "degraded", "status.lastDegradedAt": stamp(0.1)}, Status.FAIL), ({"status.robustness": "degraded"}, Status.FAIL),
        ({"status.robustness": "degraded", "status.state": "detached"}, Status.PASS), ({"status.robustness": "unknown", "status.state": "detached"}, Status.PASS),
        ({"status.robustness": "unknown"}, Status.UNKNOWN), ({"spec.numberOfReplicas": 2}, Status.FAIL), ({"spec.numberOfReplicas": 4}, Status.PASS),
        ({"spec.dataLayout": {"type": "sharded"}}, Status.MANUAL), ({"spec.numberOfReplicas": "three"}, Status.UNKNOWN),
    ],
)  # fmt: skip
def test_volume_states(changes: dict[str, Any], expected: Status) -> None:
    world = multi_node()
    for path, value in changes.items():
        volume(world, path, value)
    assert one(world, "longhorn-replicas").status is expected
    assert one(world, "longhorn-replicas", "PersistentVolumeClaim exivity/exivity-report").status is Status.PASS


def test_longer_rebuilds_may_be_allowed() -> None:
    world = volume(volume(multi_node(), "status.robustness", "degraded"), "status.lastDegradedAt", stamp(0.1))
    assert one(world, "longhorn-replicas", config=Config(thresholds={"longhorn.rebuild": "1d"})).status is Status.WARN


def extra_claim(world: World, name: str, labels: dict[str, str], replicas: int) -> World:
    """Another claim of the namespace on Longhorn."""
    pvc = world.find("PersistentVolumeClaim", "exivity-chronos-config")
    pv, lh = world.find("PersistentVolume", "pvc-exivity-chronos-config"), world.find("longhorn.io/Volume", "pvc-exivity-chronos-config")
    world.add(
        {**pvc, "metadata": {"name": name, "namespace": "exivity", "labels": labels}, "spec": {**pvc["spec"], "volumeName": f"pvc-{name}"}},
        {
            **pv,
            "metadata": {**pv["metadata"], "name": f"pvc-{name}"},
            "spec": {**pv["spec"], "csi": {"driver": "driver.longhorn.io", "volumeHandle": f"pvc-{name}"}},
        },
        {**lh, "metadata": {**lh["metadata"], "name": f"pvc-{name}"}, "spec": {**lh["spec"], "numberOfReplicas": replicas}},
    )
    return world


@pytest.mark.parametrize(
    ("name", "labels"),
    [("db-1", {"cnpg.io/cluster": "db"}), ("persistence-mq-server-0", {"app.kubernetes.io/part-of": "rabbitmq", "app.kubernetes.io/component": "rabbitmq"}),
     ("exivity-backup", {})],
)  # fmt: skip
def test_other_volumes_are_a_remark(name: str, labels: dict[str, str]) -> None:
    found = one(extra_claim(multi_node(), name, labels, 1), "longhorn-replicas", f"PersistentVolumeClaim exivity/{name}")
    assert found.status is Status.PASS
    assert found.remark


def test_a_vanished_longhorn_volume() -> None:
    world = multi_node()
    world.remove("longhorn.io/Volume", "pvc-exivity-extracted")
    assert one(world, "longhorn-replicas").status is Status.FAIL
    assert one(world, "longhorn-spread").follows == "storage/longhorn-replicas"


def test_longhorn_unreadable() -> None:
    for slug in ("longhorn-replicas", "longhorn-spread", "longhorn-failover", "longhorn-capacity"):
        assert Status.UNKNOWN in every(denied(multi_node(), "nodes.longhorn.io", "volumes.longhorn.io"), slug), slug
        blind = every(denied(multi_node(), "persistentvolumes", "storageclasses.storage.k8s.io"), slug)
        assert blind == {Status.UNKNOWN}, slug
        assert every(denied(single_node(), "persistentvolumes"), slug) <= {Status.SKIP}, slug


def on_one_node() -> World:
    """Scenario A on Longhorn with one replica."""
    world = multi_node(replicas=1, nodes=("worker-1",))
    for name in ("worker-2", "worker-3", "control-1", "control-2", "control-0"):
        world.remove("Node", name)
    world.edit("StorageClass", "longhorn", put("parameters.numberOfReplicas", "1"))
    for item in world.all("longhorn.io/Volume"):
        put("spec.numberOfReplicas", 1)(item)
        put("status.robustness", "degraded")(item)
    return world


def test_one_node_on_longhorn_is_a_remark() -> None:
    world = on_one_node()
    found = outcome(world, check("longhorn-replicas"))
    assert found.status is Status.PASS
    assert all(verdict.remark for verdict in found.verdicts)
    assert every(volume(world, "status.robustness", "faulted"), "longhorn-replicas") == {Status.PASS, Status.FAIL}
    assert one(world, "single-node-class", CLASS).remark
    assert status(world, check("longhorn-capacity")) is Status.PASS


# longhorn-spread


def replica(world: World, number: int, path: str, value: Any) -> World:
    world.edit("longhorn.io/Replica", f"pvc-exivity-extracted-r-{number}", put(path, value))
    return world


def setting(world: World, name: str, value: str) -> World:
    world.edit("longhorn.io/Setting", name, put("value", value))
    return world


def zones(world: World, *names: str) -> World:
    for number, name in enumerate(names, 1):
        world.edit("longhorn.io/Node", f"worker-{number}", put("status.zone", name))
    return world


def test_replicas_share_a_node_or_a_zone() -> None:
    assert one(multi_node(), "longhorn-spread").status is Status.PASS
    assert one(replica(multi_node(), 1, "spec.nodeID", "worker-1"), "longhorn-spread").status is Status.FAIL
    failed = replica(replica(multi_node(), 1, "spec.nodeID", "worker-1"), 1, "spec.failedAt", stamp(1))
    assert one(failed, "longhorn-spread").status is Status.UNKNOWN  # where its third replica will lie is open
    world = multi_node()
    world.add({**world.find("longhorn.io/Node", "worker-1"), "metadata": {"name": "worker-4", "namespace": "longhorn-system"}})
    assert one(replica(world, 1, "spec.nodeID", "worker-4"), "longhorn-spread").status is Status.FAIL
    assert one(zones(world, "a", "b", "b"), "longhorn-spread").status is Status.PASS


def test_fewer_replicas_than_the_volume_asks_for() -> None:
    world = multi_node()
    for number in (1, 2):
        world.remove("longhorn.io/Replica", f"pvc-exivity-extracted-r-{number}")
    found = one(world, "longhorn-spread")
    assert found.status is Status.UNKNOWN
    assert "asks for 3" in found.message
    assert one(world, "longhorn-spread", "PersistentVolumeClaim exivity/exivity-exported").status is Status.PASS
    assert one(volume(multi_node(), "spec.numberOfReplicas", None), "longhorn-spread").status is Status.UNKNOWN
    assert one(volume(world, "spec.dataLayout", {"type": "sharded"}), "longhorn-spread").status is Status.PASS


def test_zone_of_a_replica_not_known() -> None:
    assert one(replica(multi_node(), 1, "spec.nodeID", "elsewhere"), "longhorn-spread").status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [("replica-soft-anti-affinity", "true", Status.WARN), ("replica-soft-anti-affinity", '{"v1":"true","v2":"false"}', Status.WARN),
     ("replica-zone-soft-anti-affinity", "true", Status.WARN), ("replica-disk-soft-anti-affinity", "true", Status.PASS)],
)  # fmt: skip
def test_soft_anti_affinity(name: str, value: str, expected: Status) -> None:
    assert status(setting(multi_node(), name, value), check("longhorn-spread")) is expected


def test_soft_zones_matter_from_three_on() -> None:
    world = zones(setting(multi_node(), "replica-zone-soft-anti-affinity", "true"), "a", "a", "b")
    assert status(world, check("longhorn-spread")) is Status.PASS
    world = multi_node()
    world.remove("longhorn.io/Setting", "replica-zone-soft-anti-affinity")
    assert one(world, "longhorn-spread", "Release exivity/exivity#replica-zone-soft-anti-affinity").status is Status.WARN


def test_volume_overrides_the_setting() -> None:
    assert one(volume(multi_node(), "spec.replicaSoftAntiAffinity", "enabled"), "longhorn-spread").status is Status.WARN


def test_spread_unread_and_malformed() -> None:
    assert Status.UNKNOWN in every(denied(multi_node(), "replicas.longhorn.io"), "longhorn-spread")
    assert Status.UNKNOWN in every(denied(multi_node(), "settings.longhorn.io"), "longhorn-spread")
    assert one(replica(multi_node(), 1, "spec.nodeID", 7), "longhorn-spread").status is Status.UNKNOWN


# longhorn-failover


@pytest.mark.parametrize(
    ("value", "expected"),
    [("delete-deployment-pod", Status.PASS), ("delete-both-statefulset-and-deployment-pod", Status.PASS), ("delete-statefulset-pod", Status.WARN),
     ("do-nothing", Status.WARN), ("", Status.WARN)],
)  # fmt: skip
def test_node_down_policy(value: str, expected: Status) -> None:
    assert status(setting(multi_node(), "node-down-pod-deletion-policy", value), check("longhorn-failover")) is expected


def condition(world: World, kind: str, value: str | None, node: str = "worker-1") -> World:
    found = world.find("longhorn.io/Node", node)["status"]["conditions"]
    item = next(item for item in found if item["type"] == kind)
    if value is None:
        found.remove(item)
    else:
        item["status"] = value
    return world


def test_nodes_can_mount() -> None:
    assert one(condition(multi_node(), "NFSClientInstalled", "False"), "longhorn-failover", "Node worker-1").status is Status.FAIL
    assert one(condition(multi_node(), "RequiredPackages", "False"), "longhorn-failover", "Node worker-1").status is Status.FAIL
    assert one(condition(multi_node(), "RequiredPackages", None), "longhorn-failover", "Node worker-1").status is Status.UNKNOWN
    world = multi_node()
    world.remove("longhorn.io/Node", "worker-1")
    assert one(world, "longhorn-failover", "Node worker-1").status is Status.FAIL
    assert "Node control-0" not in verdicts(multi_node(), check("longhorn-failover"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("v1.12.0", Status.PASS), ("v1.9.3", Status.PASS), ("v1.8.2", Status.FAIL), ("v1.13.0", Status.PASS), ("v2.0.0", Status.PASS), ("", Status.UNKNOWN),
     ("master-head", Status.UNKNOWN), ("1.¹.0", Status.UNKNOWN)],
)  # fmt: skip
def test_longhorn_version(value: str, expected: Status) -> None:
    assert one(setting(multi_node(), "current-longhorn-version", value), "longhorn-failover", VERSION).status is expected


VERSION = "LonghornSetting longhorn-system/current-longhorn-version"


def test_fast_failover_is_reported() -> None:
    subject = "LonghornSetting longhorn-system/rwx-volume-fast-failover"
    assert "is on" in one(multi_node(), "longhorn-failover", subject).remark
    assert "is off" in one(setting(multi_node(), "rwx-volume-fast-failover", "false"), "longhorn-failover", subject).remark


def test_malformed_nodes_are_unknown() -> None:
    world = multi_node()
    world.edit("Node", "worker-1", put("spec.taints", 7))
    found = verdicts(world, check("longhorn-failover"), config=Config(scenario="multi-node"))
    assert found["Node worker-1"].status is Status.UNKNOWN
    assert found["Node worker-2"].status is Status.PASS


def test_failover_unread() -> None:
    assert Status.UNKNOWN in every(denied(multi_node(), "settings.longhorn.io"), "longhorn-failover")
    assert Status.UNKNOWN in every(denied(multi_node(), "nodes"), "longhorn-failover", config=Config(scenario="multi-node"))
    assert every(single_node(), "longhorn-failover") == {Status.SKIP}


# longhorn-capacity


def test_room() -> None:
    subject = "Release exivity/exivity#longhorn space"
    assert one(multi_node(), "longhorn-capacity", subject).status is Status.PASS
    world = multi_node()
    for item in world.all("longhorn.io/Node"):
        put("status.diskStatus.default.storageScheduled", 3200 * 2**30)(item)
    found = one(world, "longhorn-capacity", subject)
    assert found.status is Status.FAIL
    assert "25 %" in found.message
    assert one(world, "longhorn-capacity", subject, config=Config(thresholds={"longhorn.snapshots": 0.1})).status is Status.PASS
    assert one(volume(multi_node(), "spec.size", str(4000 * 2**30)), "longhorn-capacity", subject).status is Status.FAIL
    assert one(setting(multi_node(), "storage-over-provisioning-percentage", "5"), "longhorn-capacity", subject).status is Status.FAIL


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("status.diskStatus.default.conditions.1.status", "False", Status.FAIL), ("status.conditions.1.status", "False", Status.FAIL),
        ("spec.allowScheduling", False, Status.FAIL), ("spec.evictionRequested", True, Status.FAIL), ("spec.disks.default.allowScheduling", False, Status.FAIL),
        ("status.conditions", [], Status.UNKNOWN), ("status.diskStatus.default.storageMaximum", "much", Status.UNKNOWN),
    ],
)  # fmt: skip
def test_longhorn_nodes_take_replicas(path: str, value: Any, expected: Status) -> None:
    world = multi_node()
    world.edit("longhorn.io/Node", "worker-3", put(path, value))
    found = verdicts(world, check("longhorn-capacity"))
    assert found["LonghornNode longhorn-system/worker-3"].status is expected
    assert found["LonghornNode longhorn-system/worker-1"].status is Status.PASS


def test_a_fourth_node_may_be_left_out() -> None:
    world = multi_node()
    item = json.loads(json.dumps(world.find("longhorn.io/Node", "worker-1")))
    put("metadata.name", "worker-4")(item)
    put("spec.allowScheduling", False)(item)
    world.add(item)
    found = one(world, "longhorn-capacity", "LonghornNode longhorn-system/worker-4")
    assert found.status is Status.PASS
    assert found.remark


# nfs


def nfs_world(
    provisioner: str = "nfs.csi.k8s.io", options: Iterable[str] = ("nfsvers=4.1", "hard"), server: str = "nas.acme.eu", single: bool = False, csi: bool = False
) -> World:  # fmt: skip
    """A conforming cluster whose claims lie on NFS."""
    world = single_node() if single else multi_node()
    world.remove("StorageClass", "local-path" if single else "longhorn")
    world.add(
        made("storage.k8s.io/v1", "StorageClass", "nfs", provisioner=provisioner, reclaimPolicy="Retain", mountOptions=list(options), parameters={})
    )
    for item in world.all("PersistentVolumeClaim"):
        put("spec.storageClassName", "nfs")(item)
        put("spec.accessModes", ["ReadWriteMany"])(item)
    for item in world.all("PersistentVolume"):
        for key in ("csi", "hostPath", "local", "nodeAffinity"):
            item["spec"].pop(key, None)
        source = (
            {"csi": {"driver": "nfs.csi.k8s.io", "volumeHandle": "x", "volumeAttributes": {"server": server}}}
            if csi
            else {"nfs": {"server": server, "path": "/x"}}
        )
        item["spec"].update({**source, "mountOptions": list(options), "storageClassName": "nfs"})
        put("metadata.annotations.pv\\.kubernetes\\.io/provisioned-by", provisioner)(item)
    return world


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["nfsvers=4.1"], Status.PASS), (["vers=4"], Status.PASS), (["v4.2"], Status.PASS), (["hard,vers=4.0"], Status.PASS), ([], Status.WARN), (["hard"], Status.WARN),
        (["vers=3"], Status.FAIL), (["nfsvers=3"], Status.FAIL), (["nfsvers=4.1", "nolock"], Status.FAIL), (["vers=4.1,local_lock=all"], Status.FAIL),
        (["vers=4.1", "local_lock=none"], Status.PASS), (["nolock"], Status.FAIL),
    ],
)  # fmt: skip
def test_mount_options(options: list[str], expected: Status) -> None:
    assert one(nfs_world(options=options), "nfs", "StorageClass nfs").status is expected


def test_volumes_may_differ_from_their_class() -> None:
    world = nfs_world()
    world.edit("PersistentVolume", "pvc-exivity-report", put("spec.mountOptions", ["nfsvers=3"]))
    assert one(world, "nfs", "StorageClass nfs").status is Status.FAIL
    world = nfs_world()
    world.edit("StorageClass", "nfs", drop("mountOptions"))
    assert one(world, "nfs", "StorageClass nfs").status is Status.WARN


@pytest.mark.parametrize(
    ("provisioner", "server", "multi", "single"),
    [
        ("cluster.local/exi-nfs-server-provisioner", "10.43.0.7", Status.FAIL, Status.PASS), ("example.com/nfs", "10.43.0.7", Status.FAIL, Status.PASS),
        ("nfs.csi.k8s.io", "nas.acme.eu", Status.MANUAL, Status.PASS), ("cluster.local/nfs-subdir-external-provisioner", "192.168.7.9", Status.MANUAL, Status.PASS),
        ("nfs.csi.k8s.io", "nfs-server.storage.svc.cluster.local", Status.FAIL, Status.WARN), ("nfs.csi.k8s.io", "nfs-server.storage.svc", Status.FAIL, Status.WARN),
        ("k8s-sigs.io/nfs-subdir-external-provisioner", "10.42.0.77", Status.FAIL, Status.WARN), ("openebs.io/nfsrwx", "10.43.0.8", Status.FAIL, Status.WARN),
    ],
)  # fmt: skip
def test_servers(provisioner: str, server: str, multi: Status, single: Status) -> None:
    subject = "StorageClass nfs#server"
    world = nfs_world(provisioner, server=server)
    world.edit("Node", "worker-1", put("spec.podCIDRs", ["10.42.0.0/16"]))
    assert one(world, "nfs", subject).status is multi
    assert one(nfs_world(provisioner, server=server, single=True), "nfs", subject).status is single


def test_server_is_a_node_or_a_service() -> None:
    world = nfs_world(server="10.0.0.99")
    world.edit("Node", "worker-1", put("status.addresses", [{"type": "InternalIP", "address": "10.0.0.99"}]))
    assert one(world, "nfs", "StorageClass nfs#server").status is Status.FAIL
    world = nfs_world(server="10.96.0.99", csi=True)
    assert one(world, "nfs", "StorageClass nfs#server").status is Status.MANUAL
    world.add(made("v1", "Service", "nfs", "exivity", spec={"clusterIP": "10.96.0.99"}))
    assert one(world, "nfs", "StorageClass nfs#server").status is Status.FAIL


def test_static_nfs_volume_is_judged_by_its_claim() -> None:
    world = by_hand(multi_node(), {"nfs": {"server": "nas.acme.eu", "path": "/x"}, "mountOptions": ["vers=3"]})
    assert one(world, "nfs").status is Status.FAIL
    assert one(world, "nfs", f"{EXTRACTED}#server").status is Status.MANUAL


def test_server_not_seen() -> None:
    world = nfs_world(server="")
    assert one(world, "nfs", "StorageClass nfs#server").status is Status.UNKNOWN


def test_nfs_unread_or_not_in_use() -> None:
    assert every(denied(multi_node(), "persistentvolumes"), "nfs") == {Status.UNKNOWN}
    assert every(multi_node(), "nfs") == {Status.SKIP}


# site-local


def test_site_local() -> None:
    assert every(multi_node(), "site-local") == {Status.SKIP}
    assert every(multi_node(), "site-local", config=SITES) == {Status.PASS}
    assert every(denied(multi_node(), "nodes"), "site-local", config=SITES) == {Status.UNKNOWN}
    assert one(denied(multi_node(), "nodes.longhorn.io"), "site-local", "Cluster#Longhorn nodes", config=SITES).status is Status.UNKNOWN


def test_two_regions_or_sites() -> None:
    world = multi_node()
    world.edit("Node", "worker-1", put("metadata.labels.topology\\.kubernetes\\.io/region", "eu-2"))
    assert one(world, "site-local", "Cluster#nodes", config=SITES).status is Status.FAIL
    world = multi_node()
    for number, item in enumerate(item for item in world.all("Node") if item["apiVersion"] == "v1"):
        item["metadata"]["labels"]["acme.eu/site"] = f"ams{number % 2}"
    assert one(world, "site-local", "Cluster#nodes", config=SITES).status is Status.FAIL
    world = multi_node()
    world.edit("longhorn.io/Node", "worker-1", put("status.region", "eu-2"))
    assert one(world, "site-local", "Cluster#Longhorn nodes", config=SITES).status is Status.FAIL


def test_no_region_is_for_a_person() -> None:
    world = multi_node()
    world.edit("Node", "worker-1", drop("metadata.labels.topology\\.kubernetes\\.io/region"))
    assert one(world, "site-local", "Cluster#nodes", config=SITES).status is Status.MANUAL


# single-node-class


@pytest.mark.parametrize(
    ("provisioner", "expected", "remark"),
    [("rancher.io/local-path", Status.PASS, False), ("docker.io/hostpath", Status.PASS, False), ("nfs.csi.k8s.io", Status.PASS, False),
     ("cluster.local/x-nfs-server-provisioner", Status.PASS, False), ("driver.longhorn.io", Status.PASS, True), ("ebs.csi.aws.com", Status.PASS, True),
     ("kubernetes.io/no-provisioner", Status.WARN, False), ("who.knows/it", Status.UNKNOWN, False)],
)  # fmt: skip
def test_class_for_one_node(provisioner: str, expected: Status, remark: bool) -> None:
    world = single_node()
    world.edit("StorageClass", "local-path", put("provisioner", provisioner))
    found = one(world, "single-node-class", "StorageClass local-path")
    assert (found.status, bool(found.remark)) == (expected, remark)


def test_class_for_one_node_out_of_scope_and_unread() -> None:
    assert every(multi_node(), "single-node-class") == {Status.SKIP}
    assert every(denied(single_node(), "storageclasses.storage.k8s.io"), "single-node-class") == {Status.UNKNOWN}


# reclaim


def deleting(world: World, part: str = "extracted") -> World:
    world.edit("PersistentVolume", f"pvc-exivity-{part}", put("spec.persistentVolumeReclaimPolicy", "Delete"))
    return world


def alone(world: World, part: str = "extracted") -> World:
    """A volume that goes with its claim, and nothing copies it."""
    return backups.forget(deleting(world, part), part)  # type: ignore[no-any-return]


def test_reclaim() -> None:
    assert one(multi_node(), "reclaim").status is Status.PASS
    found = one(alone(multi_node()), "reclaim")
    assert found.status is Status.WARN
    assert "namespace" in found.message
    config = one(alone(multi_node(), "chronos-config"), "reclaim", "PersistentVolumeClaim exivity/exivity-chronos-config")
    assert config.status is Status.WARN
    assert "helm uninstall" in config.message
    logs = one(alone(multi_node(), "glass-log"), "reclaim", "PersistentVolumeClaim exivity/exivity-glass-log")
    assert logs.status is Status.PASS
    assert logs.remark


def test_a_backup_covers_a_volume_that_goes() -> None:
    found = one(backups.aged(deleting(multi_node()), "extracted", 1), "reclaim")
    assert found.status is Status.PASS
    assert "covered by a Longhorn backup of 22 Nov 2026, 1 d old" in found.message
    found = one(deleting(single_node()), "reclaim")
    assert found.status is Status.PASS
    assert "covered by a Velero backup of 23 Nov 2026" in found.message
    assert one(alone(single_node()), "reclaim").status is Status.WARN


@pytest.mark.parametrize("resource", ["volumes.longhorn.io", "backupvolumes.longhorn.io", "schedules.velero.io", "backups.velero.io"])
def test_a_copy_that_is_not_seen_is_not_ruled_out(resource: str) -> None:
    assert one(denied(alone(multi_node()), resource), "reclaim").status is Status.UNKNOWN


@pytest.mark.parametrize(("days", "expected"), [(7.9, Status.PASS), (8.1, Status.WARN), (2518, Status.WARN), (-1, Status.PASS)])
def test_an_old_backup_covers_what_was_there_then(days: float, expected: Status) -> None:
    found = one(backups.aged(deleting(multi_node()), "extracted", days), "reclaim")
    assert found.status is expected
    assert found.fix is not None or expected is Status.PASS
    if days > 1000:
        assert "01 Jan 2020" in found.message
        assert "old" in found.message


def test_a_backup_without_a_date_proves_nothing() -> None:
    assert one(volume(alone(multi_node()), "status.lastBackup", "backup-7f"), "reclaim").status is Status.UNKNOWN


def test_reclaim_unread() -> None:
    assert every(denied(multi_node(), "persistentvolumes"), "reclaim") == {Status.UNKNOWN}
    assert one(waiting(multi_node()), "reclaim").status is Status.SKIP
