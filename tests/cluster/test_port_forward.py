"""Port-forwards and a real API server: which rights it asks for, and that a pod whose kubelet is not there is a failure like any other."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.collect.connection import Connection, connect
from exivity_audit.collect.place import NotAsked
from exivity_audit.probes.attempt import Attempt, Failed
from exivity_audit.probes.port_forward import PortForwards
from exivity_audit.probes.ways import Pod

from .controlplane import Cluster

SECONDS = 15.0
ROLES = "rbac.authorization.k8s.io/v1"


@pytest.fixture
def pod(control_plane: Cluster) -> Iterator[Pod]:
    """A pod that no kubelet runs, in a namespace of its own."""
    name = f"test-{secrets.token_hex(3)}"
    control_plane.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "server", "namespace": name},
            "spec": {"nodeName": "no-such-node", "containers": [{"name": "server", "image": "busybox"}]},
        },
    )  # fmt: skip
    yield Pod(name, "server", 5432)
    control_plane.remove_namespace(name)


def connection(cluster: Cluster, user: str, folder: Path) -> Connection:
    """A user's way to the API server."""
    return connect(kubeconfig=cluster.kubeconfig_for(cluster.tokens[user], folder / f"{user}.kubeconfig"))


def grant(cluster: Cluster, namespace: str, *verbs: str) -> None:
    """Let the auditor do something with port-forwards."""
    rule = {"apiGroups": [""], "resources": ["pods/portforward"], "verbs": list(verbs)}
    cluster.apply(
        {"apiVersion": ROLES, "kind": "Role", "metadata": {"name": "forward", "namespace": namespace}, "rules": [rule]},
        {
            "apiVersion": ROLES, "kind": "RoleBinding", "metadata": {"name": "forward", "namespace": namespace},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "forward"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "auditors"}],
        },
    )  # fmt: skip


def outcome(one: Connection, pod: Pod) -> str:
    """How a port-forward ends."""
    attempt = Attempt(SECONDS)
    try:
        PortForwards(one)(pod, attempt)
    except NotAsked as error:
        return f"not asked: {error}"
    except Failed as error:
        return f"{error.kind}: {error.reason}"
    finally:
        attempt.end()
    return "open"


def records(cluster: Cluster, pod: Pod) -> list[dict[str, Any]]:
    """What the audit log says of port-forwards to a pod."""
    return [
        one
        for one in cluster.audit_records()
        if one.get("objectRef", {}).get("subresource") == "portforward" and one["objectRef"].get("namespace") == pod.namespace
    ]


def test_without_a_kubelet_it_is_a_failure_like_any_other(control_plane: Cluster, pod: Pod, tmp_path: Path) -> None:
    before = time.monotonic()
    found = outcome(connection(control_plane, "admin", tmp_path), pod)
    assert found.startswith("forward: the API server "), found
    assert time.monotonic() - before < SECONDS + 20
    assert (
        outcome(connection(control_plane, "admin", tmp_path), Pod(pod.namespace, "gone", 1))
        == "forward: the API server refused the port-forward (404)"
    )
    assert control_plane.wait(lambda: records(control_plane, pod), 10, "the request in the audit log")


def test_which_rights_it_takes(control_plane: Cluster, pod: Pod, tmp_path: Path) -> None:
    auditor = connection(control_plane, "auditor", tmp_path)
    missing = "not asked: a port-forward is not allowed (would help: get and create pods/portforward)"
    assert outcome(auditor, pod) == missing
    grant(control_plane, pod.namespace, "create")
    control_plane.wait(lambda: control_plane.exists(f"/apis/{ROLES}/namespaces/{pod.namespace}/rolebindings/forward"), 10, "the binding")
    assert outcome(auditor, pod) == missing, "a websocket is a GET"
    grant(control_plane, pod.namespace, "get", "create")

    def allowed() -> bool:
        return outcome(auditor, pod) != missing

    assert control_plane.wait(allowed, 20, "the right to be there")
    assert {one["verb"] for one in records(control_plane, pod) if one["user"]["username"] == "auditor"} == {"get"}
