"""Mutations of the row pvc_sizes."""

from __future__ import annotations

from typing import Any

from exivity_audit.config import Config, Declare
from exivity_audit.verdict import Status
from tests.builders import Installation, made, stamp
from tests.mutation import Mutation, put
from tests.mutations.postgresql import EMBEDDED_TOO
from tests.products.postgresql import embedded


def sized(part: str, amount: str) -> Any:
    """A change that makes a claim this large, asked for and there."""

    def change(c: Any) -> None:
        c.edit("PersistentVolumeClaim", f"exivity-{part}", put("spec.resources.requests.storage", amount))
        c.edit("PersistentVolumeClaim", f"exivity-{part}", put("status.capacity.storage", amount))

    return change


def embed(size: str = "25Gi", **where: str) -> Any:
    """A change that brings the embedded database with a claim of this size."""
    return lambda c: embedded(c, size=size, **where)


def without_sizes(c: Any) -> None:
    """The newest revision's values name no sizes."""
    installation = Installation(nodes=("worker-1",), replicas=2, class_name="longhorn", access_mode="ReadWriteMany")
    values = installation.values()
    del values["storage"]["pvcSizes"]
    c.remove("Secret", "sh.helm.release.v1.exivity.v1")
    c.add(installation.revision(1, values))


def foreign_volume(c: Any) -> None:
    """Another namespace's volume on the same disk."""
    c.add(made(
        "v1", "PersistentVolume", "pvc-other", spec={
            "capacity": {"storage": "300Gi"}, "hostPath": {"path": "/opt/local-path-provisioner/other"}, "claimRef": {"namespace": "shop", "name": "data"},
            "storageClassName": "local-path", "accessModes": ["ReadWriteOnce"], "nodeAffinity": {"required": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["only"]}]}]}}},
        metadata={"creationTimestamp": stamp(9)},
    ))  # fmt: skip


MUTATIONS = [
    Mutation("extracted has 20Gi", "multi_node", "pvc_sizes/data", sized("extracted", "20Gi")),
    Mutation("report was never expanded", "multi_node", "pvc_sizes/data", sized("report", "5Gi")),
    Mutation("exported has 60Gi in a large environment", "multi_node", "pvc_sizes/data", sized("exported", "60Gi"), to=Status.WARN, config=Config(declare=Declare(large=True))),
    Mutation("a log claim has the chart's 1Gi", "single_node", "pvc_sizes/logs", sized("chronos-log", "1Gi")),
    Mutation("a config claim has 500Mi", "multi_node", "pvc_sizes/config", sized("etl-config", "500Mi")),
    Mutation("the embedded database has the chart's 8Gi", "multi_node", "pvc_sizes/postgresql", embed("8Gi"), also=EMBEDDED_TOO),
    Mutation("the values name no sizes", "multi_node", "pvc_sizes/explicit", without_sizes),
    Mutation("another namespace promises the rest of the disk", "single_node", "pvc_sizes/node-disk", foreign_volume),
    Mutation("the node's disk is small", "single_node", "pvc_sizes/node-disk", lambda c: c.edit("Node", "only", put("status.capacity.ephemeral-storage", "200Gi")), live=False),
]  # fmt: skip
