"""The kubelets' own statistics, asked of each node directly (right: get nodes/stats); never through nodes/proxy, which would allow far more."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from exivity_audit.collect.answer import Failure
from exivity_audit.collect.beside import Client, Told, amount
from exivity_audit.collect.connection import Connection
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.place import NotAsked
from exivity_audit.collect.stats import Stats
from exivity_audit.document import Malformed, parse_time
from exivity_audit.fact import Unreadable
from exivity_audit.reading import HELP
from exivity_audit.snapshot import Place

PORT = 10250
RIGHT = "get nodes/stats"
_TLS = "kubelet serving certificates that the cluster's authority signs (serverTLSBootstrap), or a Prometheus under `prometheus.url`"
_FIGURES = {"capacityBytes": "capacity", "availableBytes": "available", "usedBytes": "used", "inodes": "inodes", "inodesUsed": "inodesUsed"}


class Kubelets:
    """Asks the kubelets with the run's own credentials; each certificate is verified as the API server's is."""

    def __init__(self, connection: Connection, deadline: Deadline, stats: Stats, seconds: float) -> None:
        # The way to the API server says nothing of the way to a node: neither its proxy nor its other name.
        self._connection = replace(connection, proxy=None, tls_server_name="")
        self._client = Client(self._connection, deadline, stats, seconds=seconds)

    def __call__(self, place: Place, known: Mapping[str, Any]) -> Told:
        """The statistics of one node. Raises NotAsked."""
        if self._connection.impersonation:
            raise NotAsked(f"a kubelet knows no impersonation and would answer with the full rights{HELP}a run without --as)")
        if self._connection.ssl_context is None:
            return Told(failure=Failure("tls", None, "the API server is reached without TLS: nothing vouches for a kubelet"), helps="an https server")
        address = _address(place.name, known["nodes"])
        if address is None:
            return Told(failure=Failure("malformed", None, "the node says no address of its kubelet"))
        reply = self._client.get(f"https://{address}/stats/summary")
        if reply.failure is not None:
            kind = reply.failure.kind
            helps = {"forbidden": RIGHT, "tls": _TLS, "unauthorized": "credentials that the kubelet accepts: webhook authentication on the kubelet"}
            return Told(failure=reply.failure, helps=helps.get(kind, ""))
        return _cut(reply.body, place.name or "", _namespaces(known))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _address(name: str | None, nodes: Any) -> str | None:
    """Where a node says that its kubelet listens: its first InternalIP."""
    node = None if isinstance(nodes, Unreadable) else next((one for one in nodes if one.name == name), None)
    if node is None:
        return None
    try:
        told = [entry.text("address") or "" for entry in node.items("status.addresses") if entry.text("type") == "InternalIP"]
        port = node.integer("status.daemonEndpoints.kubeletEndpoint.Port") or PORT
        host = ipaddress.ip_address(told[0])
    except (Malformed, IndexError, ValueError):
        return None
    return (f"[{host}]:{port}" if host.version == 6 else f"{host}:{port}") if 0 < port < 65536 else None


def _namespaces(known: Mapping[str, Any]) -> frozenset[str]:
    pods = known.get("middleware_pods")
    others = {one.namespace for one in pods if one.namespace} if pods is not None and not isinstance(pods, Unreadable) else set()
    return frozenset({known["release"].namespace, *others})


def _cut(body: Mapping[str, Any], name: str, namespaces: frozenset[str]) -> Told:
    """The figures of the node's file systems and of the claims in some namespaces, and nothing else of the answer."""
    node, pods = body.get("node"), body.get("pods")
    if not isinstance(node, dict) or not isinstance(pods, list):
        return Told(failure=Failure("malformed", 200, "the answer is no kubelet's summary"))
    runtime = node.get("runtime")
    volumes: dict[tuple[str, str], dict[str, Any]] = {}
    for pod in pods:
        for volume in _list(pod, "volume"):
            claim = volume.get("pvcRef") if isinstance(volume, dict) else None
            key = (claim.get("namespace"), claim.get("name")) if isinstance(claim, dict) else (None, None)
            if not all(isinstance(part, str) for part in key) or key[0] not in namespaces:
                continue
            found = {"namespace": key[0], "name": key[1], **_figures(volume)}
            before = volumes.get(key)  # type: ignore[arg-type]
            if before is None or found.get("used", -1) > before.get("used", -1):  # a shared claim comes once for each pod
                volumes[key] = found  # type: ignore[index]
    kept = {
        "metadata": {"name": name},
        "fs": _figures(node.get("fs")),
        "imageFs": _figures(runtime.get("imageFs") if isinstance(runtime, dict) else None),
        "volumes": [volumes[key] for key in sorted(volumes)],
    }
    return Told((kept,))


def _list(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _figures(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    found: dict[str, Any] = {name: number for key, name in _FIGURES.items() if (number := amount(value.get(key))) is not None}
    when = value.get("time")
    try:
        return {**found, "time": parse_time(when).strftime("%Y-%m-%dT%H:%M:%SZ")} if isinstance(when, str) else found
    except ValueError:
        return found
