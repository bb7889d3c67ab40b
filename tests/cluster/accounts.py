"""Service accounts of a running cluster: their tokens, and kubeconfigs that log in with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .controlplane import Cluster


def token_of(cluster: Cluster, namespace: str, name: str, *, seconds: int = 3600, pod: Any = None) -> str:
    """A token as the kubelet asks for it: for so long, bound to a pod where one is given."""
    spec: dict[str, Any] = {"expirationSeconds": seconds}
    if pod is not None:
        spec["boundObjectRef"] = {"kind": "Pod", "apiVersion": "v1", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
    made = cluster.request("POST", path, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec})
    token: str = made["status"]["token"]
    return token


def login_of(cluster: Cluster, namespace: str, name: str, folder: Path) -> Path:
    """A kubeconfig of a service account."""
    return cluster.kubeconfig_for(token_of(cluster, namespace, name), folder / f"{namespace}-{name}.kubeconfig")
