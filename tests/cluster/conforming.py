"""Clusters on the real control plane with the real chart: what lies below the product, and conforming installations of it.

The objects that are not the chart's are those of `tests.builders`, so that the same mutations fit both.
"""

from __future__ import annotations

import functools
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import yaml

from exivity_audit import chart
from tests import builders, products
from tests.products import backups, postgresql, rabbitmq

from .controlplane import Cluster, Object, chart_path
from .crds import crds
from .live_cluster import LiveCluster, bare, is_node, to_create

Installer = Literal["helm", "template"]
SINGLETONS = tuple(component for component in chart.COMPONENTS if component not in builders.STATELESS)
LONGHORN_DRIVER = "driver.longhorn.io"
LOCAL_PATH = "rancher.io/local-path"
POD_NETWORK = "10.42.0.0/16"


# What lies below


def nodes_multi() -> list[Object]:
    """Three tainted control-plane nodes and three workers in three zones, as RKE2 registers them."""
    found = [
        builders.node(f"control-{number}", zone, control_plane=True, tainted=True, pod_range=f"10.42.{number}.0/24")
        for number, zone in enumerate(builders.ZONES)
    ]
    pairs = enumerate(zip(builders.WORKERS, builders.ZONES, strict=True))
    return [*found, *(builders.node(name, zone, pod_range=f"10.42.{10 + number}.0/24") for number, (name, zone) in pairs)]


def give(cluster: Cluster, objects: Iterable[Object]) -> None:
    """Applies objects of `tests.builders` but for those that a controller or kwok makes itself, and waits for the nodes among them."""
    wanted = to_create(objects)
    for item in wanted:
        if is_node(item):
            # kwok takes a node over when it is not Ready yet.
            item["status"].pop("conditions")
            item["status"]["addresses"].append({"type": "Hostname", "address": item["metadata"]["name"]})
            item["status"]["nodeInfo"] |= dict.fromkeys(("bootID", "kernelVersion", "kubeProxyVersion", "machineID", "systemUUID"), "6.8.0")
        if item["kind"] == "Pod":
            account = f"/api/v1/namespaces/{item['metadata']['namespace']}/serviceaccounts/default"
            cluster.wait(functools.partial(cluster.exists, account), 30, account)
        cluster.apply(item)
    for item in wanted:
        if is_node(item):
            cluster.wait(functools.partial(_node_ready, cluster, item), 30, f"node {item['metadata']['name']} to be Ready")


def _node_ready(cluster: Cluster, wanted: Object) -> bool:
    """Whether a node is Ready and as wanted: kwok may have filled in its own words before it saw ours, then they are given again."""
    path = cluster.path(wanted)
    found = cluster.get(path)
    status, ours = found["status"], wanted["status"]
    version = status.get("nodeInfo", {}).get("kubeletVersion")
    if version != ours["nodeInfo"]["kubeletVersion"] or any(status.get(key) != ours[key] for key in ("capacity", "allocatable", "addresses")):
        cluster.patch(path + "/status", {"status": ours})
        return False
    ready = any(entry["type"] == "Ready" and entry["status"] == "True" for entry in status.get("conditions", []))
    return ready and not any("not-ready" in taint["key"] for taint in found["spec"].get("taints", []))


def below_multi_node(cluster: Cluster) -> None:
    """Nodes in three zones, Longhorn without volumes yet, Traefik."""
    cluster.install_crds(crds("longhorn.io", "traefik.io", real=cluster.crd_folder))
    give(cluster, nodes_multi())
    longhorn = builders.longhorn(conforming_multi(), builders.WORKERS, builders.ZONES)
    give(cluster, (item for item in longhorn if item["kind"] not in ("Volume", "Replica", "ShareManager")))
    give(cluster, builders.traefik(builders.WORKERS))


def below_single_node(cluster: Cluster) -> None:
    """One K3s node with the local-path provisioner and the Traefik it brings."""
    cluster.install_crds(crds("traefik.io", real=cluster.crd_folder))
    platform = builders.local_path()
    traefik = builders.traefik(("only",), "kube-system", "rancher/mirrored-library-traefik:3.6.2")
    give(cluster, [*platform, *traefik])


def stand_beside(cluster: Cluster, installation: builders.Installation) -> None:
    """The products around a release, but for what they have in its namespace: their APIs, their objects, running."""
    groups = {name.partition(".")[2] for name in products.served()}
    cluster.install_crds(crds(*sorted(groups), real=cluster.crd_folder))
    give(cluster, (item for item in _around(installation) if item["metadata"].get("namespace") != installation.namespace))


def _around(installation: builders.Installation) -> list[Object]:
    return products.around("multi_node" if installation.replicas > 1 else "single_node", installation)


def ingress_nginx(nodes: tuple[str, ...], namespace: str = "ingress-nginx") -> list[Object]:
    """ingress-nginx as its chart installs it, with an address; the vendor's example values name its class."""
    labels = {chart.NAME_LABEL: "ingress-nginx", chart.INSTANCE_LABEL: "ingress-nginx", chart.COMPONENT_LABEL: "controller"}
    arguments = [
        "/nginx-ingress-controller", "--publish-service=$(POD_NAMESPACE)/ingress-nginx-controller", "--controller-class=k8s.io/ingress-nginx",
        "--ingress-class=nginx", "--configmap=$(POD_NAMESPACE)/ingress-nginx-controller",
    ]  # fmt: skip
    pod = {"containers": [{"name": "controller", "image": "registry.k8s.io/ingress-nginx/controller:v1.13.3", "args": arguments}]}
    ports = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]
    return [
        builders.made("v1", "Namespace", namespace),
        builders.made("networking.k8s.io/v1", "IngressClass", "nginx", spec={"controller": "k8s.io/ingress-nginx"}),
        builders.made("v1", "ConfigMap", "ingress-nginx-controller", namespace, metadata={"labels": labels}, data={"allow-snippet-annotations": "false"}),
        builders.made("apps/v1", "Deployment", "ingress-nginx-controller", namespace, metadata={"labels": labels},
                      spec={"replicas": min(2, len(nodes)), "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}),
        builders.made("v1", "Service", "ingress-nginx-controller", namespace, metadata={"labels": labels},
                      spec={"type": "LoadBalancer", "selector": labels, "ports": ports}, status={"loadBalancer": {"ingress": [{"ip": "203.0.113.8"}]}}),
    ]  # fmt: skip


def named_by_the_examples() -> list[Object]:
    """The database and the broker that the vendor's values for several nodes name, as their operators make them; the broker without TLS, as the values say."""
    broker = rabbitmq.broker(builders.WORKERS, "longhorn", name="exivity")
    for item in broker:
        if item["kind"] == "RabbitmqCluster":
            del item["spec"]["tls"]
        elif item["kind"] == "Service":
            item["spec"]["ports"] = [{"name": name, "port": port, "targetPort": port} for name, port in (("amqp", 5672), ("prometheus", 15692))]
    return [*postgresql.whole(builders.WORKERS, "longhorn", "exivity", "postgresql"), *broker]


def longhorn_backups() -> list[Object]:
    """Longhorn's jobs for every volume, and where their backups go."""
    jobs = [backups.recurring_job("snapshot-daily", "snapshot", "0 23 * * *"), backups.recurring_job("backup-daily", "backup", "0 1 * * *")]
    return [*jobs, backups.backup_target()]


# Volumes


def longhorn_volume(claim: Object) -> Object:
    """The volume that Longhorn makes for a claim."""
    name = f"pvc-{claim['metadata']['name']}"
    return {
        "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": LONGHORN_DRIVER}},
        "spec": {"csi": {"driver": LONGHORN_DRIVER, "volumeHandle": name}, "persistentVolumeReclaimPolicy": "Retain"},
    }


def longhorn_volumes(claim: Object) -> list[Object]:
    """The volume of a claim, and the objects by which Longhorn keeps three copies of it."""
    volume = longhorn_volume(claim)
    reference = {key: claim["metadata"][key] for key in ("namespace", "name")}
    taken = {"accessModes": claim["spec"]["accessModes"], "capacity": claim["spec"]["resources"]["requests"], "claimRef": reference}
    whole = {**volume, "kind": "PersistentVolume", "spec": {**volume["spec"], **taken}}
    one: Any = _OneVolume(whole)
    backing = builders.longhorn(one, builders.WORKERS, builders.ZONES)
    return [volume, *(bare(item) for item in backing if item["kind"] in ("Volume", "Replica", "ShareManager"))]


class _OneVolume:
    """As much of an `Installation` as `builders.longhorn` looks at, with one volume in it."""

    def __init__(self, volume: Object) -> None:
        self._volume = volume

    def claims(self, driver: str) -> list[Object]:
        return [self._volume]


def local_path_volume(claim: Object) -> Object:
    """The volume that the local-path provisioner makes for a claim: a folder of the node, marked as its own."""
    name = claim["metadata"]["name"]
    expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["only"]}
    return {
        "metadata": {"name": f"pvc-{name}", "annotations": {"pv.kubernetes.io/provisioned-by": LOCAL_PATH}},
        "spec": {
            "local": {"path": f"/opt/local-path-provisioner/{name}"},
            "persistentVolumeReclaimPolicy": "Retain",
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}},
        },
    }


def local_path_volumes(claim: Object) -> list[Object]:
    """The volume of a claim; nothing else stands behind it."""
    return [local_path_volume(claim)]


def bind(cluster: Cluster, namespace: str, make_volumes: Callable[[Object], list[Object]]) -> None:
    """Gives every pending claim its volume, with what stands behind it."""

    def make(claim: Object) -> Object:
        volume, *backing = make_volumes(claim)
        cluster.apply(*backing)
        return volume

    cluster.bind_claims(namespace, make)


# Conforming installations


def conforming_multi(namespace: str = "exivity", release: str = "exivity", *, name_override: str = "", helm: bool = True) -> builders.Installation:
    """Scenario B as `builders.multi_node` has it."""
    return builders.Installation(
        namespace=namespace, release=release, name_override=name_override, nodes=builders.WORKERS, replicas=2, class_name="longhorn",
        access_mode="ReadWriteMany", helm=helm, trusted_proxy=POD_NETWORK, database_host="pg-rw.databases.svc", database_sslmode="require",
    )  # fmt: skip


def conforming_single(namespace: str = "exivity", release: str = "exivity", *, helm: bool = True) -> builders.Installation:
    """Scenario A as `builders.single_node` has it."""
    return builders.Installation(
        namespace=namespace, release=release, nodes=("only",), replicas=1, class_name="local-path", access_mode="ReadWriteOnce", log_size="5Gi",
        data_sizes={"extracted": "50Gi", "exported": "50Gi", "import": "10Gi", "report": "10Gi"}, helm=helm, trusted_proxy=POD_NETWORK,
    )  # fmt: skip


def user_values(installation: builders.Installation) -> Object:
    """Values a careful operator gives the chart: nothing left at a default that the vendor's text calls too small or unsafe."""
    values = installation.values()
    if installation.fullname != installation.release:
        values["nameOverride"] = installation.fullname
    values["prometheus"] = {"metricServer": {"enabled": True, "serviceMonitor": {"enabled": True}}}
    services: Object = values.setdefault("service", {})
    for service in chart.SERVICES:
        wanted: Object = {"resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}}}
        if service.component in builders.STATELESS:
            wanted["replicas"] = installation.replicas
        services.setdefault(service.key, {}).update(wanted)
    return values


def post_render(cluster: Cluster, installation: builders.Installation) -> None:
    """What values cannot say and a post-renderer adds: spread of the replicated services, Recreate for the singletons."""
    for component in (*builders.STATELESS, *SINGLETONS):
        path = f"/apis/apps/v1/namespaces/{installation.namespace}/deployments/{installation.fullname}-{component}"
        if component in SINGLETONS:
            cluster.patch(path, {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}})
        elif installation.replicas > 1:
            labels = cluster.get(path)["spec"]["selector"]["matchLabels"]
            spread = {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": labels},
                "matchLabelKeys": ["pod-template-hash"],
            }
            cluster.patch(path, {"spec": {"template": {"spec": {"topologySpreadConstraints": [spread]}}}})


def install(cluster: Cluster, installation: builders.Installation, *, by: Installer, standing_by: bool = False) -> LiveCluster:
    """Installs the chart conformingly on a cluster that has all that lies below it, and waits until it runs, or is prepared to."""
    namespace, release = installation.namespace, installation.release
    secret = next(item for item in installation.network() if item["kind"] == "Secret")
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, bare(secret))
    values = user_values(installation)
    if standing_by:
        for service in chart.SERVICES:
            values["service"][service.key]["replicas"] = 0
    if by == "helm":
        cluster.install_chart(namespace, release, values)
    else:
        cluster.apply(*(tracked(item, release) for item in cluster.render_chart(namespace, release, values)))
    post_render(cluster, installation)
    give(cluster, installation.budgets())
    # The label that makes a stock Prometheus take the chart's ServiceMonitors, the Certificate, and whatever else is not the chart's.
    give(cluster, (item for item in _around(installation) if item["metadata"].get("namespace") == namespace))
    make_volumes = longhorn_volumes if installation.class_name == "longhorn" else local_path_volumes
    bind(cluster, namespace, make_volumes)
    live = LiveCluster(cluster, namespace, release, make_volumes=make_volumes)
    live.wait_until_ready()
    while spread_again(cluster, namespace):
        live.wait_until_ready()
    return live


def spread_again(cluster: Cluster, namespace: str) -> bool:
    """Deletes one pod of each service whose pods all run on one of several nodes: a soft constraint is no promise."""
    pods = cluster.items(f"/api/v1/namespaces/{namespace}/pods")
    by_service: dict[str, list[Object]] = {}
    for pod in pods:
        by_service.setdefault(pod["metadata"]["labels"].get(chart.COMPONENT_LABEL, ""), []).append(pod)
    together = [found[0] for found in by_service.values() if len(found) > 1 and len({pod["spec"]["nodeName"] for pod in found}) == 1]
    for pod in together:
        cluster.delete({"apiVersion": "v1", "kind": "Pod", **pod}, gone_within=30)
    return bool(together)


def tracked(item: Object, application: str) -> Object:
    """An object as Argo CD applies it: with the annotation by which it knows its own."""
    group = item["apiVersion"].partition("/")[0] if "/" in item["apiVersion"] else ""
    metadata = item["metadata"]
    mark = f"{application}:{group}/{item['kind']}:{metadata.get('namespace', '')}/{metadata['name']}"
    return {**item, "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), chart.ARGO_TRACKING: mark}}}


def multi_node(
    cluster: Cluster,
    namespace: str = "exivity",
    release: str = "exivity",
    *,
    by: Installer = "helm",
    name_override: str = "",
    standing_by: bool = False,
) -> LiveCluster:
    """Scenario B, conforming: RKE2 nodes in three zones, Longhorn, Traefik, the chart by Helm, or rendered and applied as Argo CD does.

    ``standing_by``: no copy of any service is asked for, by the chart's values.
    """
    installation = conforming_multi(namespace, release, name_override=name_override, helm=by == "helm")
    below_multi_node(cluster)
    stand_beside(cluster, installation)
    return install(cluster, installation, by=by, standing_by=standing_by)


def single_node(cluster: Cluster, namespace: str = "exivity", release: str = "exivity", *, by: Installer = "helm") -> LiveCluster:
    """Scenario A, conforming: one K3s node, local-path, the Traefik that K3s brings."""
    installation = conforming_single(namespace, release, helm=by == "helm")
    below_single_node(cluster)
    stand_beside(cluster, installation)
    return install(cluster, installation, by=by)


# The vendor's own values


def vendor_example(name: str) -> Object:
    """One of the values files that the vendor ships inside the chart, as `best-practice-multi-node`."""
    path = chart_path()
    assert path is not None
    return _example(path, name)


def _example(path: Path, name: str) -> Object:
    with tarfile.open(path) as archive:
        file = archive.extractfile(f"exivity/examples/{name}.yaml")
        assert file is not None
        found: Any = yaml.safe_load(file.read())
    assert isinstance(found, dict)
    return found
