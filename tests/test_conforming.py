"""Conforming clusters of other products: no check of any row fails on them."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.config import Config, Declare
from exivity_audit.verdict import Status
from tests import builders
from tests.builders import made
from tests.judging import judged
from tests.mutation import put
from tests.products import postgresql, rabbitmq
from tests.world import World

CEPHFS, NFS = "rook-ceph.cephfs.csi.ceph.com", "nfs.csi.k8s.io"


def on_class(world: World, name: str, driver: str, *, options: tuple[str, ...] = (), attributes: dict[str, str] | None = None) -> World:
    """The release's claims on another class, with volumes of its driver; the database and the broker keep theirs."""
    world.add(
        made("storage.k8s.io/v1", "StorageClass", name, provisioner=driver, reclaimPolicy="Retain", allowVolumeExpansion=True, volumeBindingMode="Immediate",
             mountOptions=list(options), parameters={"server": "nas.acme.eu", "share": "/exivity"} if driver == NFS else {}),
        made("storage.k8s.io/v1", "CSIDriver", driver, spec={"attachRequired": False}),
    )  # fmt: skip
    for item in world.all("CSINode"):
        item["spec"]["drivers"].append({"name": driver, "nodeID": item["metadata"]["name"]})
    for claim in world.all("PersistentVolumeClaim"):
        if claim["metadata"]["namespace"] != "exivity":
            continue
        claim["spec"]["storageClassName"] = name
        volume = world.find("PersistentVolume", claim["spec"]["volumeName"])
        handle = volume["metadata"]["name"]
        volume["spec"] |= {"storageClassName": name, "mountOptions": list(options)}
        volume["spec"]["csi"] = {"driver": driver, "volumeHandle": handle, "volumeAttributes": attributes or {}}
        put("metadata.annotations.pv\\.kubernetes\\.io/provisioned-by", driver)(volume)
        for kind in ("Volume", "ShareManager"):
            if any(one["metadata"]["name"] == handle for one in world.all(f"longhorn.io/{kind}")):
                world.remove(f"longhorn.io/{kind}", handle)
        for copy in [one["metadata"]["name"] for one in world.all("longhorn.io/Replica") if one["spec"]["volumeName"] == handle]:
            world.remove("longhorn.io/Replica", copy)
    return world


def cephfs() -> World:
    return on_class(builders.multi_node(), "cephfs", CEPHFS)


def nas() -> World:
    return on_class(builders.multi_node(), "nas", NFS, options=("nfsvers=4.1",), attributes={"server": "nas.acme.eu", "share": "/exivity"})


def changed(change: Any) -> Any:
    def build() -> World:
        world = builders.multi_node()
        change(world)
        return world

    return build


def three_brokers() -> World:
    """Three nodes; the fixture replaces the broker's whole namespace, so what watches it is put back."""
    world: World = rabbitmq.with_three(builders.multi_node())
    there = {(item["kind"], item["metadata"]["name"]) for item in world.objects if item["metadata"].get("namespace") == rabbitmq.SPACE}
    for item in builders.multi_node().objects:
        watches = item["apiVersion"].startswith("monitoring.coreos.com/") and item["metadata"].get("namespace") == rabbitmq.SPACE
        if watches and (item["kind"], item["metadata"]["name"]) not in there:
            world.add(item)
    return world


WORLDS: dict[str, Any] = {
    "multi-node": builders.multi_node, "single node": builders.single_node, "CephFS": cephfs, "an external NAS": nas,
    "Argo CD": builders.multi_node_argo, "Flux": builders.multi_node_flux, "KEDA": builders.multi_node_keda,
    "Gateway API": builders.multi_node_gateway, "OpenShift": builders.multi_node_openshift, "MetalLB": builders.multi_node_metallb,
    "in-tree backups": changed(postgresql.in_tree_backups), "an external database": changed(postgresql.external),
    "three brokers": three_brokers,
}  # fmt: skip
CONFIGS = {"three brokers": Config(declare=Declare(rabbitmq=type(Declare().rabbitmq)(clustered=True)))}


@pytest.mark.parametrize("name", WORLDS)
def test_nothing_fails(name: str) -> None:
    found = judged(WORLDS[name](), config=CONFIGS.get(name))
    bad = {
        outcome.check.id: [f"{verdict.subject}: {verdict.message}" for verdict in outcome.verdicts if verdict.status in (Status.FAIL, Status.ERROR)]
        for outcome in found.outcomes
        if outcome.status in (Status.FAIL, Status.ERROR)
    }
    assert not bad, bad
