"""Variants of the conforming multi-node cluster: made of the live one by changing it, and taken back.

Those named as builders of `tests.builders` are the live twins of them. OpenShift has none: its API server says another version.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, cast

from exivity_audit import chart
from tests import builders
from tests.mutation import put
from tests.products import gateway, gitops, metallb, postgresql, rabbitmq
from tests.world import World

from .controlplane import Object
from .crds import crds
from .live_cluster import LiveCluster

OF_THE_CHART = ("ConfigMap", "Deployment", "Ingress", "PersistentVolumeClaim", "Secret", "Service", "ServiceMonitor")


def with_apis(live: LiveCluster, names: tuple[str, ...]) -> None:
    """Serves further APIs. They stay: without objects they mean nothing."""
    groups = sorted({name.partition(".")[2] for name in names})
    live.cluster.install_crds(crds(*groups, real=live.cluster.crd_folder))


def ours(live: LiveCluster) -> list[Object]:
    """The objects of the chart in the release's namespace."""
    found = (item for kind in OF_THE_CHART for item in live.all(kind) if item["metadata"].get("namespace") == live.namespace)
    return [item for item in found if item["metadata"].get("labels", {}).get(chart.APP_LABEL) == chart.APP]


def argo(live: LiveCluster) -> None:
    """Argo CD keeps the release from Git: its marks on every object, none of Helm."""
    with_apis(live, gitops.ARGO)
    for item in ours(live):
        group, name = item["apiVersion"].rpartition("/")[0], item["metadata"]["name"]
        mark = f"{live.release}:{group}/{item['kind']}:{live.namespace}/{name}"

        def change(found: Object, mark: str = mark) -> None:
            annotations = found["metadata"].setdefault("annotations", {})
            for key in (chart.HELM_RELEASE, "meta.helm.sh/release-namespace"):
                annotations.pop(key, None)
            annotations[chart.ARGO_TRACKING] = mark

        live.edit(item["kind"], name, change, live.namespace)
    for item in [item for item in live.all("Secret") if item.get("type") == "helm.sh/release.v1"]:
        live.remove("Secret", item["metadata"]["name"])
    live.add(application(live))


def application(live: LiveCluster) -> Object:
    """Argo CD's Application of the release as it runs."""
    return gitops.application(cast(Any, World(ours(live))))


def flux(live: LiveCluster) -> None:
    """Flux keeps the release from Git, and runs Helm."""
    with_apis(live, gitops.FLUX)
    for item in ours(live):
        labels = {chart.FLUX_NAME: live.release, chart.FLUX_NAMESPACE: "flux-system"}
        live.edit(item["kind"], item["metadata"]["name"], lambda found: found["metadata"]["labels"].update(labels), live.namespace)  # noqa: B023
    live.add(gitops.git_repository(), gitops.kustomization(), gitops.helm_release())


def keda(live: LiveCluster) -> None:
    """KEDA scales stateless services."""
    with_apis(live, gitops.KEDA)
    for component in ("edify", "transcript", "use"):
        live.add(gitops.scaled_object(component, 2, 4), gitops.keda_autoscaler(component, 2, 4))


def reached_through_a_gateway(live: LiveCluster) -> None:
    """Envoy Gateway stands in place of Traefik and the Ingress."""
    with_apis(live, gateway.BROUGHT)
    for kind, name in (("Ingress", live.release), ("IngressClass", "traefik"), ("Deployment", "traefik"), ("Service", "traefik")):
        live.remove(kind, name)
    empty: Any = World([])
    live.add(*gateway.reached_through_a_gateway(empty).objects)


def with_metallb(live: LiveCluster) -> None:
    """Traefik's address comes from a pool of MetalLB."""
    with_apis(live, metallb.BROUGHT)
    world = World([item for item in builders.traefik(builders.WORKERS) if item["kind"] == "Service"])
    live.add(*(item for item in metallb.with_metallb(world).objects if item["kind"] != "Service"))
    live.edit("Service", "traefik", put("metadata.annotations", {metallb.FROM_POOL: "edge"}))


def external_database(live: LiveCluster) -> None:
    """The database lies outside the cluster."""
    postgresql.lead_to(live, "db.acme.eu", sslmode="verify-full")


def three_brokers(live: LiveCluster) -> None:
    """RabbitMQ has three nodes."""
    for item in rabbitmq.broker(builders.WORKERS, "longhorn", count=3):
        if item["kind"] in ("PersistentVolumeClaim", "PersistentVolume", "Volume", "Replica") and not live.cluster.exists(live.cluster.path(item)):
            live.add(item)
    live.edit("RabbitmqCluster", rabbitmq.NAME, put("spec.replicas", 3))
    live.edit("StatefulSet", f"{rabbitmq.NAME}-server", put("spec.replicas", 3))


VARIANTS: dict[str, Callable[[LiveCluster], None]] = {
    "multi_node_argo": argo,
    "multi_node_flux": flux,
    "multi_node_keda": keda,
    "multi_node_gateway": reached_through_a_gateway,
    "multi_node_metallb": with_metallb,
    "external_database": external_database,
    "three_brokers": three_brokers,
    "in_tree_backups": postgresql.in_tree_backups,
}


@contextlib.contextmanager
def variant(live: LiveCluster, name: str) -> Iterator[LiveCluster]:
    """The cluster as a variant of itself while this lasts; what is changed in it is undone apart from that."""
    whole = live.again()
    try:
        VARIANTS[name](whole)
        whole.settle()
        yield whole.again()
    finally:
        whole.undo()
        whole.settle()
