"""Reads of how full the volumes are, from servers beside the API: asked only where the run says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from exivity_audit.collect.place import MissingRead, Read, paths
from exivity_audit.document import Document, Malformed
from exivity_audit.fact import Unreadable
from exivity_audit.snapshot import Place

BROKER = "rabbitmq"


def _namespaces(release: Any, middleware_claims: Any) -> Iterable[Place]:
    """The release's namespace, and those of its middleware that hold claims."""
    others = set() if isinstance(middleware_claims, Unreadable) else {claim.namespace for claim in middleware_claims if claim.namespace}
    for namespace in sorted({release.namespace, *others}):
        yield Place(namespace)


def _mounting(pods: Iterable[Document]) -> Iterator[str]:
    """The nodes of the pods that run and mount a claim, the broker's left out."""
    for pod in pods:
        try:
            mounts = any(volume.text("persistentVolumeClaim.claimName") for volume in pod.items("spec.volumes"))
            broker = BROKER in (pod.labels().get("app.kubernetes.io/component"), pod.labels().get("app.kubernetes.io/part-of"))
            node = pod.text("spec.nodeName")
        except Malformed:
            continue
        if mounts and not broker and node and pod.value.get("status", {}).get("phase") == "Running":
            yield node


def _pod_nodes(pods: Any, middleware_pods: Any) -> list[str]:
    if isinstance(pods, Unreadable):
        raise MissingRead(pods)
    others = () if isinstance(middleware_pods, Unreadable) else middleware_pods
    return sorted({*_mounting(pods), *_mounting(others)})


def _kubelets(release: Any, nodes: Any, pods: Any, middleware_pods: Any) -> Iterable[Place]:
    """The nodes that run the product's or its database's pods."""
    if isinstance(nodes, Unreadable):
        raise MissingRead(nodes)
    for name in _pod_nodes(pods, middleware_pods):
        yield Place(None, name)


def _node_exporters(nodes: Any, pods: Any, middleware_pods: Any) -> Iterable[Place]:
    """The same nodes, in one question."""
    if isinstance(nodes, Unreadable):
        raise MissingRead(nodes)
    if names := _pod_nodes(pods, middleware_pods):
        yield Place(None, ",".join(names))


FIGURES = ("used", "capacity", "available", "inodes", "inodesUsed", "time")


def _each(prefix: str) -> str:
    return " ".join(f"{prefix}.{name}" for name in FIGURES)


READS: tuple[Read, ...] = (
    Read("prometheus_volumes", "prometheus/volumes", _namespaces, paths(
        f"{' '.join(FIGURES)} clusters earlier.used earlier.seconds"), "VolumeFigures", opt_in="prometheus.url in the config"),
    Read("prometheus_nodes", "prometheus/nodes", _node_exporters, paths(
        f"{_each('filesystems[]')} filesystems[].mountpoint filesystems[].earlier.available filesystems[].earlier.seconds"),
        "NodeFigures", opt_in="prometheus.url in the config"),
    Read("kubelet_stats", "kubelet/stats", _kubelets, paths(
        f"{_each('fs')} {_each('imageFs')} volumes[].namespace volumes[].name {_each('volumes[]')}"), "KubeletFigures", opt_in="--kubelet-stats"),
)  # fmt: skip
