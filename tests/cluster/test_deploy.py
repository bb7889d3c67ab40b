"""The chart on the real API server: strict, admitted where the restricted profile is enforced, and its pod audits through the in-cluster path."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests import image
from tests.deploying import CHART, MANIFESTS

from .accounts import token_of
from .controlplane import Cluster, Object, chart_path
from .live_cluster import LiveCluster

pytestmark = pytest.mark.skipif(chart_path() is None, reason="the Exivity chart is not there")

SPACE = "exivity-audit"
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
Conforming = Callable[[str], LiveCluster]
VALUES = {
    "release": {"namespace": "exivity", "name": "exivity"},
    "secrets": "list",
    "outputs": ["json"],
    "rbac": {"namespaces": {"middleware": ["databases", "rabbitmq"], "longhorn": ["longhorn-system"]}},
    "evidence": {"items": []},
    "config": {"purpose": "production"},
    "extraArgs": ["--now=2026-11-23T12:00:00Z"],
}


def namespace(cluster: Cluster) -> None:
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE, "labels": RESTRICTED}})


@pytest.mark.parametrize("file", sorted(path.name for path in MANIFESTS.glob("*.yaml")))
def test_the_api_server_takes_every_manifest_strictly(file: str, conforming_cluster: Conforming) -> None:
    cluster = conforming_cluster("multi_node").cluster
    namespace(cluster)
    for item in yaml.safe_load_all((MANIFESTS / file).read_text()):
        if item:
            path = cluster.path(item).rpartition("/")[0]
            taken = cluster.request("POST", f"{path}?dryRun=All&fieldValidation=Strict", item)
            assert taken["metadata"]["name"] == item["metadata"]["name"]


def installed(cluster: Cluster, folder: Path) -> str:
    """What helm printed while it installed the chart."""
    values = folder / "values.json"
    values.write_text(json.dumps(VALUES))
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("HELM_", "KUBE"))}
    environment |= {
        "KUBECONFIG": str(cluster.kubeconfig),
        **{f"HELM_{purpose}_HOME": str(folder / purpose) for purpose in ("CACHE", "CONFIG", "DATA")},
    }
    words = [str(cluster.helm_program), "upgrade", "--install", "exivity-audit", str(CHART), "--namespace", SPACE, "--values", str(values)]
    done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def run_now(cluster: Cluster) -> Object:
    """A Job of the CronJob, as `kubectl create job --from` makes it, and the pod that the Job controller made of it."""
    job = cluster.get(f"/apis/batch/v1/namespaces/{SPACE}/cronjobs/exivity-audit")["spec"]["jobTemplate"]
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "audit-now", "namespace": SPACE}, "spec": job["spec"]}
    cluster.apply(body)
    path = f"/api/v1/namespaces/{SPACE}/pods"
    pods: list[Object] = cluster.wait(lambda: cluster.items(f"{path}?labelSelector=job-name%3Daudit-now"), 60, "the pod of the Job")
    return pods[0]


def mounted(cluster: Cluster, pod: Object, folder: Path) -> dict[str, Path]:
    """The volumes of a pod as its kubelet would fill them, by the path they are mounted at; /tmp is the sandbox's own."""
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    found = {}
    for mount in pod["spec"]["containers"][0]["volumeMounts"]:
        volume, target = volumes[mount["name"]], folder / mount["name"]
        if "emptyDir" in volume:
            assert mount["mountPath"] == "/tmp"
            continue
        target.mkdir()
        for name, content in _files(cluster, pod, volume):
            (target / name).write_text(content)
        found[mount["mountPath"]] = target
    return found


def _files(cluster: Cluster, pod: Object, volume: Object) -> list[tuple[str, str]]:
    home = pod["metadata"]["namespace"]
    if "configMap" in volume:
        return list(_config(cluster, home, volume["configMap"]["name"]).items())
    found = []
    for source in volume["projected"]["sources"]:
        if "serviceAccountToken" in source:
            asked = source["serviceAccountToken"]
            token = token_of(cluster, home, pod["spec"]["serviceAccountName"], seconds=asked["expirationSeconds"], pod=pod)
            found.append((asked["path"], token))
        elif "configMap" in source:
            data = _config(cluster, home, source["configMap"]["name"])
            found += [(item["path"], data[item["key"]]) for item in source["configMap"]["items"]]
        else:
            found += [(item["path"], home) for item in source["downwardAPI"]["items"] if item["fieldRef"]["fieldPath"] == "metadata.namespace"]
    return found


def _config(cluster: Cluster, home: str, name: str) -> dict[str, str]:
    data: dict[str, str] = cluster.get(f"/api/v1/namespaces/{home}/configmaps/{name}")["data"]
    return data


def test_its_pod_audits_from_inside(conforming_cluster: Conforming, app: Path, tmp_path: Path) -> None:
    cluster = conforming_cluster("multi_node").cluster
    namespace(cluster)
    said = installed(cluster, tmp_path)
    assert "arning" not in said, said
    pod = run_now(cluster)
    failures = [event for event in cluster.items(f"/api/v1/namespaces/{SPACE}/events") if event["reason"] == "FailedCreate"]
    assert failures == []
    (container,) = pod["spec"]["containers"]
    address = urlsplit(cluster.server)
    environment = {entry["name"]: entry["value"] for entry in container["env"]}
    environment |= {"KUBERNETES_SERVICE_HOST": str(address.hostname), "KUBERNETES_SERVICE_PORT": str(address.port)}
    done = image.inside(app, container["args"], environment=environment, mounts=mounted(cluster, pod, tmp_path))
    assert done.returncode == 0, done.stderr
    report: Any = json.loads(done.stdout)
    (site,) = report["sites"]
    assert (site["cluster"]["name"], site["namespace"], site["release"]) == ("in-cluster", "exivity", "exivity")
    assert site["cluster"]["uid"]
    # The chart knows no names of one cluster: its TLS Secret, the Alertmanager's configuration.
    refused = {(entry["read"], entry["place"].get("namespace")) for entry in report["unread"] if entry["outcome"] == "forbidden"}
    assert {read for read, _ in refused} <= {"alertmanager_secrets", "alertmanager_services"}
    assert {entry["outcome"] for entry in report["unread"]} <= {"forbidden", "not-asked"}
    passed = [item for item in report["results"] if item["status"] == "pass"]
    assert len(passed) > 80
