"""The release that is audited: the vendor's values for several nodes, on a cluster with no operator's API, or the conforming one with all of them."""

from __future__ import annotations

import time

from tests import builders
from tests.cluster import conforming
from tests.cluster.controlplane import Cluster, Object
from tests.cluster.live_cluster import LiveCluster

from .filling import CLASS, remove_deleted, run_placed

NAMESPACE = RELEASE = "exivity"
COPIES = 2  # of a service that may have several, as the vendor says


def plain(cluster: Cluster) -> LiveCluster:
    """The vendor's values for several nodes and nothing beside the release: no operator is installed, so none of its kinds is served."""
    values: Object = conforming.vendor_example("best-practice-multi-node") | {"licence": builders.LICENCE}
    values["storage"]["storageClass"] = CLASS
    values["prometheus"]["metricServer"]["serviceMonitor"]["enabled"] = False
    cluster.install_chart(NAMESPACE, RELEASE, values)
    conforming.bind(cluster, NAMESPACE, _volume)
    live = LiveCluster(cluster, NAMESPACE, RELEASE, make_volumes=_volume)
    live.wait_until_ready()
    return live


def with_operators(cluster: Cluster) -> LiveCluster:
    """The conforming release among Longhorn, CloudNativePG, RabbitMQ's operator, a Prometheus stack, Velero and the rest."""
    return conforming.multi_node(cluster)


def scale(cluster: Cluster, wanted: int = 0) -> None:
    """About so many pods of the product, running, by more copies of the services that may have several; 0: as installed."""
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
    names = [f"exivity-{component}" for component in builders.STATELESS]
    copies = -(-wanted // len(names)) or COPIES
    for name in names:
        cluster.patch(f"{path}/{name}", {"spec": {"replicas": copies}})

    def done() -> bool:
        run_placed(cluster, NAMESPACE)
        remove_deleted(cluster, NAMESPACE)
        time.sleep(1)
        status = [cluster.get(f"{path}/{name}").get("status", {}) for name in names]
        return all(entry.get("replicas") == entry.get("readyReplicas") == copies for entry in status)

    cluster.wait(done, 240, f"{copies * len(names)} pods of the product to be ready")


def pods(cluster: Cluster) -> int:
    """How many pods of the release there are."""
    return len(cluster.items(f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=app.kubernetes.io%2Finstance%3D{RELEASE}"))


def _volume(claim: Object) -> list[Object]:
    name = f"pvc-{claim['metadata']['namespace']}-{claim['metadata']['name']}"
    spec = {"csi": {"driver": "nfs.csi.k8s.io", "volumeHandle": name}, "persistentVolumeReclaimPolicy": "Retain"}
    return [{"metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": "nfs.csi.k8s.io"}}, "spec": spec}]
