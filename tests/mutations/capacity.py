"""Mutations of the row capacity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.mutation import Mutation, put
from tests.usage import GI, Usage


def longhorn(part: str, amount: int) -> Callable[[Any], None]:
    """A change that makes Longhorn count this many Gi for a claim."""

    def change(c: Any) -> None:
        c.edit("longhorn.io/Volume", f"pvc-exivity-{part}", put("status.actualSize", amount * GI))

    return change


def told(**figures: Any) -> Callable[[Any], None]:
    """A change that brings servers beside the API which say this."""

    def change(c: Any) -> None:
        c.usage = Usage(**figures)

    return change


def both(*changes: Callable[[Any], None]) -> Callable[[Any], None]:
    """Several changes: Longhorn counts at least what a file system holds."""

    def change(c: Any) -> None:
        for one in changes:
            one(c)

    return change


def database_volume(c: Any) -> str:
    """The Longhorn volume of the database's first instance."""
    return next(
        item["metadata"]["name"] for item in c.all("longhorn.io/Volume") if item["status"].get("kubernetesStatus", {}).get("pvcName") == "pg-1"
    )


def mounted(**used: float) -> dict[str, tuple[float, float]]:
    """What a server says of claims of 100Gi."""
    return {f"exivity/exivity-{part}": (amount, 100) for part, amount in used.items()}


def fixed_class(c: Any) -> None:
    """The class forbids expansion."""
    c.edit("StorageClass", "longhorn", put("allowVolumeExpansion", False))


def other_disk(c: Any) -> None:
    """The node's disk is full, and another file system holds the data volumes."""
    for volume in c.all("PersistentVolume"):
        if volume["metadata"]["name"].endswith(("-extracted", "-exported", "-log")):
            put("spec.hostPath.path", f"/data/{volume['metadata']['name']}")(volume)
    c.usage = Usage(kubelets={}, prometheus={}, mounts={"only": {"/": (450, 500), "/data": (100, 1000)}})


MUTATIONS = [
    Mutation("Longhorn counts 45 of 50Gi for the database", "multi_node", "postgresql/storage-headroom",
             lambda c: c.edit("longhorn.io/Volume", database_volume(c), put("status.actualSize", 45 * GI))),
    Mutation("the kubelet counts 35 of 50Gi for the database", "multi_node", "postgresql/storage-headroom",
             both(told(kubelets={"worker-1": {"databases/pg-1": (35, 50)}}), lambda c: c.edit("longhorn.io/Volume", database_volume(c), put("status.actualSize", 40 * GI))), live=False),
    Mutation("Longhorn counts 85 of 100Gi for extracted", "multi_node", "capacity/data", longhorn("extracted", 85)),
    Mutation("Prometheus counts 92 of 100Gi for exported", "multi_node", "capacity/data", both(told(prometheus=mounted(exported=92, extracted=10)), longhorn("exported", 95)), live=False),
    Mutation("the kubelet counts 80 of 100Gi for extracted", "multi_node", "capacity/data", both(told(kubelets={"worker-1": mounted(extracted=80)}), longhorn("extracted", 85)), live=False),
    Mutation("the node's disk under the volumes is full", "single_node", "capacity/data", told(kubelets={}, disks={"only": (430, 500)}), live=False),
    Mutation("Longhorn counts 9 of 10Gi for a log volume", "multi_node", "capacity/logs", longhorn("edify-log", 9)),
    Mutation("the kubelet counts 99 of 100Gi for a log volume", "multi_node", "capacity/logs", both(told(kubelets={"worker-2": {"exivity/exivity-use-log": (9.9, 10)}}), longhorn("use-log", 12)), live=False),
    Mutation("the disk of the config volumes is full", "single_node", "capacity/node-disk", other_disk, live=False),
    Mutation("the class forbids expansion", "multi_node", "capacity/expandable", fixed_class),
    Mutation("extracted is full in nine days", "multi_node", "capacity/growth",
             told(prometheus=mounted(extracted=60), earlier={"exivity/exivity-extracted": 28}), live=False),
    Mutation("the node's disk is full in nine days", "single_node", "capacity/growth", told(prometheus={}, disks={"only": (330, 500)}, earlier={"only": 200}), live=False),
]  # fmt: skip
