"""Mutations of the row cluster."""

from __future__ import annotations

from typing import Any

from exivity_audit.config import Config, Declare
from exivity_audit.verdict import Status
from tests.builders import made
from tests.mutation import Mutation, drop, put


def _workers_gone(c: Any) -> None:
    c.remove("Node", "worker-3")


def _unlabelled(c: Any) -> None:
    for name in ("worker-1", "worker-2", "worker-3"):
        c.edit("Node", name, drop("metadata.labels.topology\\.kubernetes\\.io/zone"))


def _not_owned(c: Any) -> None:
    for item in c.all("Deployment"):
        if item["metadata"].get("namespace") == "exivity":
            c.edit("Deployment", item["metadata"]["name"], drop("metadata.annotations"), "exivity")
    c.remove("Secret", "sh.helm.release.v1.exivity.v1")


def _wordpress(c: Any) -> None:
    labels = {"app": "wordpress"}
    c.add(made(
        "apps/v1", "Deployment", "wordpress", "exivity", metadata={"labels": labels},
        spec={"replicas": 1, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "w", "image": "wordpress:6"}]}}},
    ))  # fmt: skip


def _bare_pod(c: Any) -> None:
    c.add(
        made(
            "v1",
            "Pod",
            "mysql",
            "exivity",
            spec={"nodeName": "worker-1", "containers": [{"name": "m", "image": "mysql:8"}]},
            status={"phase": "Running"},
        )
    )


def _controls_gone(c: Any) -> None:
    c.remove("Node", "control-1")
    c.remove("Node", "control-2")


def _tolerant_node(c: Any) -> None:
    windows = {"status.nodeInfo.operatingSystem": "windows", "metadata.labels.kubernetes\\.io/os": "windows"}
    for path, value in windows.items():
        c.edit("Node", "worker-3", put(path, value))


RESTRICTED = Config(declare=Declare(restricted=True, registries=("docker.io/exivity", "docker.io/library", "ghcr.io/cloudnative-pg")))


def _one_left(c: Any) -> None:
    c.remove("Node", "worker-2")
    c.remove("Node", "worker-3")


MUTATIONS = [
    Mutation("one worker is left of a declared multi-node cluster", "multi_node", "cluster/scenario", _one_left, config=Config(scenario="multi-node"), live=False, also=("cluster/worker-nodes",)),
    Mutation("two workers are left", "multi_node", "cluster/worker-nodes", _workers_gone, live=False),
    Mutation("one worker is not Ready", "multi_node", "cluster/nodes-healthy", lambda c: c.edit("Node", "worker-2", put("status.conditions.3.status", "False")), live=False),
    Mutation("a worker is under disk pressure", "single_node", "cluster/nodes-healthy", lambda c: c.edit("Node", "only", put("status.conditions.1.status", "True")), live=False),
    Mutation("a worker is cordoned", "multi_node", "cluster/nodes-healthy", lambda c: c.edit("Node", "worker-1", put("spec.unschedulable", True)), to=Status.WARN),
    Mutation("a worker runs Windows", "multi_node", "cluster/linux-nodes", _tolerant_node, live=False),
    Mutation("the node is one of kind", "single_node", "cluster/distribution", lambda c: c.edit("Node", "only", put("spec.providerID", "kind://docker/kind/only")), live=False),
    Mutation("a kubelet is newer than the server", "multi_node", "cluster/kubernetes-version",
             lambda c: c.edit("Node", "worker-1", put("status.nodeInfo.kubeletVersion", "v1.37.1+rke2r1")), live=False),
    Mutation("one control-plane node is left", "multi_node", "cluster/control-plane-nodes", _controls_gone, to=Status.WARN),
    Mutation("one control-plane node is left where high availability is declared", "multi_node", "cluster/control-plane-nodes", _controls_gone,
             config=Config(declare=Declare(ha_control_plane=True))),
    Mutation("no worker says its zone", "multi_node", "cluster/failure-domains", _unlabelled, to=Status.WARN),
    Mutation("the CSI driver is not on a node", "multi_node", "cluster/csi-driver", lambda c: c.edit("CSINode", "worker-2", put("spec.drivers", []))),
    Mutation("the CSI driver is not installed", "multi_node", "cluster/csi-driver", lambda c: c.remove("CSIDriver", "driver.longhorn.io")),
    Mutation("the provisioner of local-path is gone", "single_node", "cluster/csi-driver", lambda c: c.remove("Pod", "local-path-provisioner-7f5"), live=False),
    Mutation("another product shares the namespace", "multi_node", "cluster/namespace", _wordpress, to=Status.WARN),
    Mutation("a bare pod of another product shares the namespace", "multi_node", "cluster/namespace", _bare_pod, to=Status.WARN, live=False),
    Mutation("nothing owns the release", "multi_node", "cluster/helm-release", _not_owned),
    Mutation("an image comes from elsewhere", "multi_node", "cluster/image-registry",
             lambda c: c.edit("Deployment", "exivity-glass", put("spec.template.spec.containers.0.image", "ghcr.io/exivity/glass:exivity-3.39.2")), config=RESTRICTED),
]  # fmt: skip
