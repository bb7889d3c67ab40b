"""Fills the cluster with what stands around the product: nodes, namespaces, pods, claims, config maps and secrets, by many connections at once.

The objects are of the size they have in life (a pod of two containers is some six kilobytes), and as different: five pods share an owner, its labels and its
settings, and each has a node, an address, a claim and times of its own, so that what holds equal parts once gains no more than it would there. kwok plays the nodes, but makes some fifty pods a second
Running: what thousands of kubelets would write is written here.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import ssl
import threading
import time
import urllib.parse
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from tests import builders
from tests.cluster.controlplane import Cluster, ClusterError, Object

COPIES = 5  # pods of one owner
NODES, NAMESPACES, CLAIMS, CONFIG_MAPS, SECRETS = 300, 50, 500, 1000, 1000
ZONES = ("a", "b", "c")
CONNECTIONS = 16
ALREADY_THERE, GONE = 409, 404
CLASS = "shared"


class Filling:
    """Writes to a cluster over connections that stay open."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._local = threading.local()

    def create(self, objects: Iterable[tuple[str, Object]]) -> int:
        """Posts objects to the collections they belong to; what is there already may stay. Returns how many there were."""
        with ThreadPoolExecutor(CONNECTIONS) as workers:
            return sum(1 for _ in workers.map(lambda pair: self._post(*pair), objects))

    def run(self, pods: Iterable[tuple[str, Object]]) -> None:
        """Posts pods that are placed already, and says of each what its kubelet would."""

        def start(path: str, item: Object) -> None:
            self._post(path, item)
            self.running(f"{path}/{item['metadata']['name']}", item)

        with ThreadPoolExecutor(CONNECTIONS) as workers:
            for _ in workers.map(lambda pair: start(*pair), pods):
                pass

    def running(self, path: str, item: Object) -> None:
        """Says of one pod that it runs."""
        self._send("PATCH", f"{path}/status", {"status": running(item)}, "application/merge-patch+json")

    def remove(self, path: str) -> None:
        """Deletes one pod at once."""
        self._send("DELETE", path, {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}, "application/json")

    def _post(self, path: str, item: Object) -> Object:
        return self._send("POST", path, item, "application/json")

    def owner(self, path: str, item: Object) -> Object:
        """Posts an object that others are to name as their owner; returns the reference they carry."""
        found = self._post(path, item)
        if found["kind"] == "Status":  # it is there already
            found = self._send("GET", f"{path}/{item['metadata']['name']}", {}, "application/json")
        # Not as their controller, whose part nobody plays here: it would look after its pods.
        return {"apiVersion": item["apiVersion"], "kind": item["kind"], "name": item["metadata"]["name"], "uid": found["metadata"]["uid"]}

    def _send(self, method: str, path: str, item: Object, content_type: str) -> Object:
        connection = self._connection()
        try:
            connection.request(method, path, json.dumps(item), {"Content-Type": content_type, "Accept": "application/json"})
            response = connection.getresponse()
            text = response.read()
        except (http.client.HTTPException, OSError):
            self._local.connection = None
            raise
        if response.status >= 400 and response.status != (ALREADY_THERE if method == "POST" else GONE):
            raise ClusterError(f"{method} {path}: {response.status} {text[:500]!r}", response.status)
        found: Object = json.loads(text)
        return found

    def _connection(self) -> http.client.HTTPSConnection:
        found: http.client.HTTPSConnection | None = getattr(self._local, "connection", None)
        if found is None:
            address = urllib.parse.urlsplit(self._cluster.server)
            context: ssl.SSLContext = self._cluster._context
            found = http.client.HTTPSConnection(address.hostname or "", address.port, context=context, timeout=60)
            self._local.connection = found
        return found


def nodes_and_class(cluster: Cluster, *, nodes: int = NODES) -> None:
    """Nodes in three zones, ready, and a class of storage: what the product needs before it can be installed."""
    filling = Filling(cluster)
    filling.create(("/api/v1/nodes", _node(number)) for number in range(nodes))
    storage_class = {"metadata": {"name": CLASS}, "provisioner": "nfs.csi.k8s.io", "reclaimPolicy": "Retain", "allowVolumeExpansion": True}
    filling.create([("/apis/storage.k8s.io/v1/storageclasses", storage_class)])
    _wait_for(cluster, "/api/v1/nodes", nodes, _ready, 180)


def surroundings(cluster: Cluster, *, namespaces: int = NAMESPACES) -> None:
    """Namespaces of others with claims, config maps and secrets: all but the pods."""
    filling = Filling(cluster)
    filling.create(("/api/v1/namespaces", {"metadata": {"name": namespace(number)}}) for number in range(namespaces))
    filling.create(("/api/v1/persistentvolumes", _volume(number, namespaces)) for number in range(CLAIMS))
    for plural, count, make in (("persistentvolumeclaims", CLAIMS, _claim), ("configmaps", CONFIG_MAPS, _config_map), ("secrets", SECRETS, _secret)):
        filling.create((f"/api/v1/namespaces/{namespace(number % namespaces)}/{plural}", make(number)) for number in range(count))
    for number in range(namespaces):
        account = f"/api/v1/namespaces/{namespace(number)}/serviceaccounts/default"
        cluster.wait(lambda path=account: cluster.exists(path), 60, account)  # type: ignore[misc]
    _wait_for(cluster, "/api/v1/persistentvolumeclaims", CLAIMS, lambda item: item.get("status", {}).get("phase") == "Bound", 300)


def unrelated_pods(cluster: Cluster, first: int, last: int, *, nodes: int = NODES, namespaces: int = NAMESPACES) -> float:
    """The pods numbered from ``first`` to before ``last``, spread over the namespaces and nodes, running. Returns how long that took."""
    began = time.monotonic()
    _owned_pods(cluster, "web", lambda group: namespace(group % namespaces), first, last, nodes)
    return time.monotonic() - began


def pods_inside(cluster: Cluster, space: str, count: int, *, nodes: int = NODES) -> None:
    """Pods in one namespace that are not the product's, running."""
    _owned_pods(cluster, "job", lambda group: space, 0, count, nodes)


def _owned_pods(cluster: Cluster, word: str, space: Callable[[int], str], first: int, last: int, nodes: int) -> None:
    """Pods by their number, ``COPIES`` of them for each owner."""
    filling = Filling(cluster)
    groups = range(first // COPIES, -(-last // COPIES))
    with ThreadPoolExecutor(CONNECTIONS) as workers:
        sets = workers.map(
            lambda group: filling.owner(f"/apis/apps/v1/namespaces/{space(group)}/replicasets", replica_set(f"{word}-{group}")), groups
        )
        owners = dict(zip(groups, sets, strict=True))
    filling.run(
        (f"/api/v1/namespaces/{space(number // COPIES)}/pods", pod(f"{word}-{number}", node_name(number % nodes), owners[number // COPIES], number))
        for number in range(first, last)
    )


def run_placed(cluster: Cluster, space: str) -> int:
    """Makes the pods of one namespace run that the scheduler has placed and nobody has started. Returns how many there were."""
    filling = Filling(cluster)
    path = f"/api/v1/namespaces/{space}/pods"
    waiting = [item for item in cluster.items(f"{path}?fieldSelector=status.phase%3DPending") if item["spec"].get("nodeName")]
    with ThreadPoolExecutor(CONNECTIONS) as workers:
        return sum(1 for _ in workers.map(lambda item: filling.running(f"{path}/{item['metadata']['name']}", item), waiting))


def remove_deleted(cluster: Cluster, space: str) -> int:
    """Takes away the pods of one namespace that are told to go, as their kubelets would. Returns how many there were."""
    filling = Filling(cluster)
    path = f"/api/v1/namespaces/{space}/pods"
    leaving = [item["metadata"]["name"] for item in cluster.items(path) if "deletionTimestamp" in item["metadata"]]
    with ThreadPoolExecutor(CONNECTIONS) as workers:
        return sum(1 for _ in workers.map(lambda name: filling.remove(f"{path}/{name}"), leaving))


def namespace(number: int) -> str:
    """The name of an unrelated namespace."""
    return f"team-{number}"


def node_name(number: int) -> str:
    """The name of a node."""
    return f"node-{number}"


def _digest(*words: object) -> str:
    """Sixty-four digits of a text's own, as images, containers and checksums are named."""
    return hashlib.sha256(repr(words).encode()).hexdigest()


def replica_set(app: str) -> Object:
    """The owner of some pods. It wants none, and its selector fits none: its controller leaves them in peace."""
    labels = {"owner-of": app}
    container = {"name": "web", "image": f"registry.example/team/{app}:1.4.2"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": f"{app}-{_digest(app)[:10]}"}, "spec": spec}


def pod(name: str, node: str, owner: Object, number: int = 0) -> Object:
    """A pod as the owner of some of its kind leaves it, placed already: two containers and a claim of its own."""
    app, _, short = owner["name"].rpartition("-")
    environment = [{"name": f"SETTING_{setting}", "value": f"value-{setting}-of-{app}"} for setting in range(12)]
    source = {"name": "DATABASE_PASSWORD", "valueFrom": {"secretKeyRef": {"name": f"credentials-{app}", "key": "password", "optional": True}}}
    probe = {"httpGet": {"path": f"/healthz/{app}", "port": 8080}, "initialDelaySeconds": 5, "periodSeconds": 10, "timeoutSeconds": 2}
    resources = {"requests": {"cpu": f"{10 + number // COPIES % 90}m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}}
    mounts = [{"name": "data", "mountPath": f"/data/{app}"}, {"name": "config", "mountPath": f"/etc/{app}", "readOnly": True}]
    container = {"image": f"registry.example/team/{app}:1.4.2", "ports": [{"containerPort": 8080, "name": "http"}], "env": [*environment, source],
                 "resources": resources, "livenessProbe": probe, "readinessProbe": probe, "volumeMounts": mounts,
                 "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}}  # fmt: skip
    affinity = {"weight": 100, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": app}}}}
    labels = {"app": app, "app.kubernetes.io/name": app, "app.kubernetes.io/instance": app, "pod-template-hash": short}
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": f"data-{name}"}}
    return {
        "metadata": {"name": name, "labels": labels, "annotations": {"checksum/config": _digest(app, "config"), "prometheus.io/scrape": "true"},
                     "ownerReferences": [owner]},
        "spec": {
            "nodeName": node,
            "containers": [{"name": "web", **container}, {"name": "proxy", **container, "ports": []}],
            "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [affinity]}},
            "volumes": [claim, {"name": "config", "configMap": {"name": app, "optional": True}}],
            "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "fsGroup": 1000},
        },
    }  # fmt: skip


def running(item: Object) -> Object:
    """The status that a kubelet gives a pod whose containers run: each at an address and from a moment of its own, some after a restart."""
    name, node = item["metadata"]["name"], item["spec"]["nodeName"]
    spread = zlib.crc32(name.encode())
    began = datetime.now(UTC) - timedelta(seconds=spread % (30 * 86400))

    def later(seconds: int) -> str:
        return (began + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    kinds = {"PodReadyToStartContainers": 2, "Initialized": 0, "Ready": 20, "ContainersReady": 20, "PodScheduled": 0}
    address = f"10.{128 + (spread >> 16) % 64}.{(spread >> 8) % 256}.{spread % 256}"
    host = address_of(int(node.rpartition("-")[2])) if node.rpartition("-")[2].isdigit() else "10.1.0.1"
    containers = [
        {
            "name": container["name"], "image": container["image"], "imageID": f"{container['image']}@sha256:{_digest(container['image'])}",
            "containerID": f"containerd://{_digest(name, container['name'])}", "ready": True, "started": True, "restartCount": spread % 7 // 6,
            "state": {"running": {"startedAt": later(5 + number)}},
        }
        for number, container in enumerate(item["spec"]["containers"])
    ]  # fmt: skip
    return {
        "phase": "Running", "hostIP": host, "hostIPs": [{"ip": host}], "podIP": address, "podIPs": [{"ip": address}], "startTime": later(0), "qosClass": "Burstable",
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": later(seconds)} for kind, seconds in kinds.items()], "containerStatuses": containers,
    }  # fmt: skip


def address_of(node: int) -> str:
    """The address of a node."""
    return f"10.1.{node // 256}.{node % 256}"


def _node(number: int) -> Object:
    item: Any = builders.node(node_name(number), ZONES[number % 3], pod_range=f"10.{128 + number // 256}.{number % 256}.0/24")
    # kwok takes a node over when it is not Ready yet; the images are what makes the node of a real cluster large.
    del item["status"]["conditions"]
    item["status"]["addresses"] = [
        {"type": "InternalIP", "address": address_of(number)},
        {"type": "Hostname", "address": node_name(number)},
    ]
    names = [f"registry.example/team/image-{image}" for image in range(40)]
    item["status"]["images"] = [{"names": [f"{name}@sha256:{'3f' * 32}", f"{name}:1.4.2"], "sizeBytes": 123456789} for name in names]
    item["status"]["nodeInfo"] |= dict.fromkeys(("bootID", "kernelVersion", "kubeProxyVersion", "machineID", "systemUUID"), "6.8.0")
    return {key: item[key] for key in ("metadata", "spec", "status")}


def _volume(number: int, namespaces: int) -> Object:
    reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": namespace(number % namespaces), "name": f"data-{number}"}
    source = {"driver": "nfs.csi.k8s.io", "volumeHandle": f"volume-{number}"}
    spec = {"capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteMany"], "storageClassName": CLASS, "csi": source, "claimRef": reference}
    return {"metadata": {"name": f"volume-{number}", "annotations": {"pv.kubernetes.io/provisioned-by": "nfs.csi.k8s.io"}}, "spec": spec}


def _claim(number: int) -> Object:
    resources = {"requests": {"storage": "10Gi"}}
    spec = {"accessModes": ["ReadWriteMany"], "storageClassName": CLASS, "volumeName": f"volume-{number}", "resources": resources}
    return {"metadata": {"name": f"data-{number}"}, "spec": spec}


def _config_map(number: int) -> Object:
    return {"metadata": {"name": f"settings-{number}"}, "data": {"application.yaml": "key: value of a setting\n" * 80}}


def _secret(number: int) -> Object:
    return {"metadata": {"name": f"credentials-{number}"}, "data": {"password": base64.b64encode(b"not a secret" * 30).decode()}}


def _wait_for(cluster: Cluster, path: str, count: int, good: Callable[[Object], bool], seconds: float) -> None:
    def enough() -> bool:
        time.sleep(0.5)
        return sum(good(item) for item in cluster.items(path)) >= count

    cluster.wait(enough, seconds, f"{count} of {path} to be as wanted")


def _ready(item: Object) -> bool:
    conditions: Iterator[Object] = iter(item.get("status", {}).get("conditions", []))
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)
