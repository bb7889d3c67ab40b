"""Cluster: a supported Kubernetes on enough healthy Linux nodes, a namespace of its own, and an owner for the release."""

from .drivers import csi_driver
from .installation import helm_release, image_registry, namespace
from .machines import control_plane_nodes, failure_domains, linux_nodes, nodes_healthy, worker_nodes
from .platform import distribution, kubernetes_version, scenario_fits

__all__ = [  # noqa: RUF022 - the order of the checklist
    "scenario_fits",
    "distribution",
    "linux_nodes",
    "nodes_healthy",
    "kubernetes_version",
    "worker_nodes",
    "control_plane_nodes",
    "failure_domains",
    "csi_driver",
    "namespace",
    "helm_release",
    "image_registry",
]
