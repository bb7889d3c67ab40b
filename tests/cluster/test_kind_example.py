"""What a bare kind cluster gives with the vendor's values for one node: the result that examples/ci promises to its users."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import builders

from . import conforming
from .auditing import REPOSITORY, run
from .controlplane import ControlPlane, Object, chart_path
from .live_cluster import LiveCluster

pytestmark = pytest.mark.skipif(chart_path() is None, reason="the Exivity chart is not there")

EXPECTED = REPOSITORY / "examples" / "ci" / "kind-expected.json"
NODE = "kind-control-plane"


@pytest.fixture
def fresh(binaries: Path, tmp_path: Path) -> Iterator[ControlPlane]:
    cluster = ControlPlane.start(binaries, tmp_path / "cluster")
    yield cluster
    cluster.stop()


def kind() -> list[Object]:
    """kind's only node, and the class and provisioner that it brings."""
    node = builders.node(NODE, None, control_plane=True, kubelet="v1.36.3")
    node["spec"]["providerID"] = f"kind://docker/kind/{NODE}"
    labels = {"app": "local-path-provisioner"}
    return [
        node,
        builders.made("v1", "Namespace", "local-path-storage"),
        builders.made(
            "storage.k8s.io/v1", "StorageClass", "standard", metadata={"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            provisioner="rancher.io/local-path", reclaimPolicy="Delete", volumeBindingMode="WaitForFirstConsumer",
        ),
        builders.made("apps/v1", "Deployment", "local-path-provisioner", "local-path-storage", spec={
            "replicas": 1, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "p", "image": "docker.io/kindest/local-path-provisioner:v20250214-acbabc1a"}]}},
        }),
    ]  # fmt: skip


def volume(claim: Object) -> list[Object]:
    (made,) = conforming.local_path_volumes(claim)
    made["spec"]["persistentVolumeReclaimPolicy"] = "Delete"
    made["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0]["values"] = [NODE]
    return [made]


def test_a_bare_kind_cluster_gives_what_is_promised(fresh: ControlPlane, tmp_path: Path) -> None:
    conforming.give(fresh, kind())
    values = conforming.vendor_example("best-practice-single-node")
    values["licence"] = "demo"  # what the vendor's values name for evaluation
    values["storage"]["storageClass"] = "standard"
    fresh.install_chart("exivity", "exivity", values)
    conforming.bind(fresh, "exivity", volume)
    LiveCluster(fresh, "exivity", "exivity", make_volumes=volume, middleware=("kube-system", "local-path-storage")).wait_until_ready(180)
    found = run(fresh, "-n", "exivity", "--purpose", "evaluation", folder=tmp_path)
    assert (found.code, found.report["scenario"]["used"], found.report["scenario"]["purpose"]) == (1, "single-node", "evaluation"), found.errors
    findings = {check: status for check, status in sorted(found.statuses.items()) if status in ("fail", "warn")}
    if os.environ.get("UPDATE_GOLDEN"):
        EXPECTED.write_text(json.dumps(findings, indent=1) + "\n")
    assert findings == json.loads(EXPECTED.read_text())
