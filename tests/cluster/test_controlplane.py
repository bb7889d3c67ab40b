"""The control plane of the tests does what the other cluster tests rely on."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from .controlplane import KUBERNETES_VERSION, Cluster, ClusterError, ControlPlane, Object, chart_path, node
from .crds import crds
from .kind import KindCluster

needs_chart = pytest.mark.skipif(chart_path() is None, reason="the Exivity chart is not there")

SERVICES = {
    *("glass", "proximity-api", "proximity-cli", "chronos", "edify", "executor"),
    *("griffon", "horizon", "pigeon", "transcript", "use"),
}
VALUES: Object = {"licence": "demo", "ingress": {"host": "exivity.example.test"}}


@pytest.fixture
def nodes(control_plane: ControlPlane | KindCluster) -> Iterator[list[str]]:
    """Two nodes of the test's own; kind has real ones."""
    if isinstance(control_plane, KindCluster):
        yield [item["metadata"]["name"] for item in control_plane.items("/api/v1/nodes")]
        return
    made = [node(f"node-{secrets.token_hex(3)}", zone=f"zone-{number}") for number in (1, 2)]
    control_plane.apply(*made)
    yield [item["metadata"]["name"] for item in made]
    control_plane.remove(made)


@pytest.fixture
def namespace(control_plane: Cluster) -> Iterator[str]:
    """The name of a namespace of the test's own, not made yet."""
    name = f"test-{secrets.token_hex(3)}"
    yield name
    control_plane.remove_namespace(name)


def is_ready(cluster: Cluster, name: str) -> bool:
    conditions = cluster.get(f"/api/v1/nodes/{name}").get("status", {}).get("conditions", [])
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def ready_deployments(cluster: Cluster, namespace: str) -> set[str]:
    return {
        item["metadata"]["name"]
        for item in cluster.items(f"/apis/apps/v1/namespaces/{namespace}/deployments")
        if item.get("status", {}).get("readyReplicas") == item["spec"]["replicas"]
    }


def shared_volume(claim: Object) -> Object:
    """A volume such as a shared file system would give."""
    name = f"{claim['metadata']['namespace']}-{claim['metadata']['name']}"
    return {
        "metadata": {"name": name},
        "spec": {
            "csi": {"driver": "driver.longhorn.io", "volumeHandle": name},
            "persistentVolumeReclaimPolicy": "Delete",
        },
    }


def test_server_is_ready_and_tells_its_version(control_plane: ControlPlane | KindCluster) -> None:
    assert control_plane.get("/readyz") == {"text": "ok"}
    version = control_plane.get("/version")["gitVersion"]
    assert isinstance(control_plane, KindCluster) or version == KUBERNETES_VERSION


def test_nodes_become_ready_and_pods_run(control_plane: Cluster, nodes: list[str], namespace: str) -> None:
    for name in nodes:
        control_plane.wait(partial(is_ready, control_plane, name), 30, f"node {name} to be Ready")
    labels = {"app": "sleeper"}
    control_plane.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "sleeper", "namespace": namespace},
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "sleeper", "image": "busybox", "command": ["sleep", "1000"]}]},
                },
            },
        },
    )
    control_plane.wait(lambda: ready_deployments(control_plane, namespace), 60, "the Deployment to be ready")
    pods = control_plane.items(f"/api/v1/namespaces/{namespace}/pods")
    assert [pod["status"]["phase"] for pod in pods] == ["Running"] * 3
    assert {pod["spec"]["nodeName"] for pod in pods} <= {item["metadata"]["name"] for item in control_plane.items("/api/v1/nodes")}


@needs_chart
@pytest.mark.parametrize("by", ["helm", "template"])
def test_the_chart_installs_and_becomes_ready(control_plane: ControlPlane | KindCluster, nodes: list[str], namespace: str, by: str) -> None:
    control_plane.install_chart(namespace, "exivity", VALUES, by="helm" if by == "helm" else "template")
    deployments = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    names = {item["metadata"]["name"] for item in control_plane.items(deployments)}
    assert names == {f"exivity-{service}" for service in SERVICES}
    if isinstance(control_plane, KindCluster):
        pytest.skip("kind runs real containers: ready means the whole application, its database included")

    claims = control_plane.bind_claims(namespace, shared_volume)
    assert {"exivity-exported", "exivity-griffon-log", "data-exivity-postgresql-0", "data-exivity-rabbitmq-v4-0"} <= {
        claim["metadata"]["name"] for claim in claims
    }
    assert any(claim["spec"]["accessModes"] == ["ReadWriteMany"] for claim in claims)
    control_plane.wait(lambda: ready_deployments(control_plane, namespace) == names, 60, "the eleven Deployments to be ready")
    releases = control_plane.helm("list", "--namespace", namespace, "--short").split()
    assert releases == (["exivity"] if by == "helm" else [])


@pytest.fixture
def with_stand_ins(binaries: Path, tmp_path: Path) -> Iterator[ControlPlane]:
    """A control plane of one test's own with all stand-in definitions: an API server may take minutes to let go of a definition."""
    cluster = ControlPlane.start(binaries, tmp_path)
    try:
        cluster.install_crds(crds(real=cluster.crd_folder))
        yield cluster
    finally:
        cluster.stop()


def test_stand_in_definitions_hold_objects_with_their_status(with_stand_ins: ControlPlane) -> None:
    control_plane, namespace = with_stand_ins, "stand-ins"
    control_plane.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {
            "apiVersion": "longhorn.io/v1beta2",
            "kind": "Volume",
            "metadata": {"name": "one", "namespace": namespace},
            "spec": {"numberOfReplicas": 3},
            "status": {"robustness": "healthy"},
        },
        {
            "apiVersion": "longhorn.io/v1beta2",
            "kind": "Setting",
            "metadata": {"name": "default-replica-count", "namespace": namespace},
            "value": "3",
        },
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": "exivity", "namespace": namespace},
            "spec": {"project": "default"},
            "status": {"sync": {"status": "Synced"}},
        },
    )
    longhorn = f"/apis/longhorn.io/v1beta2/namespaces/{namespace}"
    volume = control_plane.get(f"{longhorn}/volumes/one")
    assert (volume["spec"], volume["status"]) == ({"numberOfReplicas": 3}, {"robustness": "healthy"})
    assert control_plane.get(f"{longhorn}/settings/default-replica-count")["value"] == "3"
    application = control_plane.get(f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}/applications/exivity")
    assert application["status"] == {"sync": {"status": "Synced"}}
    application["status"]["sync"]["status"] = "OutOfSync"
    control_plane.patch(f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}/applications/exivity", {"status": application["status"]})


def test_a_removed_namespace_takes_its_volumes_along(control_plane: ControlPlane | KindCluster) -> None:
    name = f"test-{secrets.token_hex(3)}"
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": name},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "absent",
        },
    }
    control_plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, claim)
    assert control_plane.bind_claims(name, lambda _: None) == []
    assert [item["metadata"]["name"] for item in control_plane.bind_claims(name, shared_volume)] == ["data"]
    assert control_plane.exists(f"/api/v1/persistentvolumes/{name}-data")
    control_plane.remove_namespace(name, gone_within=60)
    assert not control_plane.exists(f"/api/v1/namespaces/{name}")
    assert not control_plane.exists(f"/api/v1/persistentvolumes/{name}-data")


def test_an_unknown_kind_is_an_error(control_plane: Cluster) -> None:
    with pytest.raises(ClusterError, match="does not serve Nonsense"):
        control_plane.resource("example.test/v1", "Nonsense", seconds=0.2)


def test_the_auditor_may_log_in_but_read_nothing(control_plane: Cluster, tmp_path: Path) -> None:
    auditor = control_plane.tokens["auditor"]
    arguments = ("--kubeconfig", str(control_plane.kubeconfig_for(auditor, tmp_path / "auditor.kubeconfig")))
    with pytest.raises(ClusterError, match='User "auditor" cannot list resource "secrets"'):
        control_plane.helm("list", "--namespace", "default", *arguments)

    def recorded() -> list[Object]:
        return [record for record in control_plane.audit_records() if record["user"]["username"] == "auditor" and record["verb"] == "list"]

    record = control_plane.wait(recorded, 10, "the request in the audit log")[-1]
    assert "auditors" in record["user"]["groups"]
    assert record["responseStatus"]["code"] == 403
    assert "requestObject" not in record


def test_stop_leaves_no_process(binaries: Path, tmp_path: Path) -> None:
    cluster = ControlPlane.start(binaries, tmp_path)
    try:
        processes = dict(cluster.processes)
        assert set(processes) == {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"}
        assert all(process.poll() is None for process in processes.values())
    finally:
        cluster.stop()
    assert all(process.returncode is not None for process in processes.values())
    assert not any(Path("/proc", str(process.pid)).exists() for process in processes.values())
    cluster.stop()
