"""RabbitMQ as its Cluster Operator keeps it: RabbitmqCluster ``mq`` in the namespace ``rabbitmq``, one node, TLS; and other brokers to try."""

from __future__ import annotations

import base64
import json
from typing import Any

Object = dict[str, Any]
API, SPACE, NAME = "rabbitmq.com/v1beta1", "rabbitmq", "mq"
IMAGE = "docker.io/library/rabbitmq:4.3.1-management"
LABELS = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/component": "rabbitmq", "app.kubernetes.io/part-of": "rabbitmq"}
PORTS = (("amqps", 5671), ("management-tls", 15671), ("prometheus-tls", 15691))
SETTINGS = "default_queue_type = quorum\nconsumer_timeout = 7200000\n"
CREATED = "2026-10-20T08:00:00Z"
SERVED = ("rabbitmqclusters.rabbitmq.com", "queues.rabbitmq.com", "policies.rabbitmq.com", "vhosts.rabbitmq.com")
EMBEDDED_IMAGE = "docker.io/bitnamilegacy/rabbitmq:4.1.3-debian-12-r1"
EMBEDDED_HOST = "exivity-rabbitmq-v4"


def _object(api: str, kind: str, name: str, namespace: str | None = SPACE, labels: Object | None = None, **rest: Any) -> Object:
    metadata: Object = {"name": name, "creationTimestamp": CREATED, "generation": 1, **({"labels": labels} if labels else {})}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def _pod_spec(
    claim: str, image: str = IMAGE, container: str = "rabbitmq", *, mount: str = "/var/lib/rabbitmq/mnesia/", volume: str = "persistence"
) -> Object:
    security = {"allowPrivilegeEscalation": False, "privileged": False, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}
    return {
        "securityContext": {"runAsUser": 999, "fsGroup": 0},
        "containers": [{
            "name": container, "image": image, "securityContext": security, "volumeMounts": [{"name": volume, "mountPath": mount}],
            "resources": {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}},
        }],
        "volumes": [{"name": volume, "persistentVolumeClaim": {"claimName": claim}}],
    }  # fmt: skip


def _template(spec: Object) -> Object:
    """A pod spec as a StatefulSet's template holds it: without the volume that a claim template brings."""
    return {**spec, "volumes": []}


def _pod(name: str, namespace: str, labels: Object, spec: Object, node: str, owner: str, address: str) -> Object:
    container = spec["containers"][0]["name"]
    found = _object(
        "v1", "Pod", name, namespace, {**labels, "statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": name[-1]},
        spec={**spec, "nodeName": node},
        status={
            "phase": "Running", "podIP": address, "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}],
            "containerStatuses": [{
                "name": container, "image": spec["containers"][0]["image"], "imageID": "", "ready": True, "restartCount": 0,
                "state": {"running": {"startedAt": CREATED}}, "lastState": {},
            }],
        },
    )  # fmt: skip
    found["metadata"]["ownerReferences"] = [{"kind": "StatefulSet", "name": owner}]
    return found


def _claim(name: str, namespace: str, labels: Object, class_name: str, size: str) -> Object:
    return _object(
        "v1", "PersistentVolumeClaim", name, namespace, labels,
        spec={"accessModes": ["ReadWriteOnce"], "storageClassName": class_name, "volumeName": f"pvc-{namespace}-{name}", "volumeMode": "Filesystem",
              "resources": {"requests": {"storage": size}}},
        status={"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}},
    )  # fmt: skip


def _volume(claim: Object, class_name: str, node: str) -> Object:
    name, space = claim["metadata"]["name"], claim["metadata"]["namespace"]
    local = class_name == "local-path"
    driver = "rancher.io/local-path" if local else "driver.longhorn.io"
    volume = claim["spec"]["volumeName"]
    affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}]}}
    where: Object = (
        {"hostPath": {"path": f"/opt/local-path-provisioner/{volume}", "type": "DirectoryOrCreate"}, "nodeAffinity": affinity} if local
        else {"csi": {"driver": driver, "volumeHandle": volume, "volumeAttributes": {}}}
    )  # fmt: skip
    found = _object(
        "v1", "PersistentVolume", volume, None,
        spec={"accessModes": ["ReadWriteOnce"], "capacity": claim["status"]["capacity"], "storageClassName": class_name, "persistentVolumeReclaimPolicy": "Retain",
              "volumeMode": "Filesystem", "claimRef": {"namespace": space, "name": name}, **where},
        status={"phase": "Bound"},
    )  # fmt: skip
    found["metadata"]["annotations"] = {"pv.kubernetes.io/provisioned-by": driver}
    return found


def _copies(claim: Object, class_name: str, nodes: tuple[str, ...] = ("worker-1", "worker-2", "worker-3")) -> list[Object]:
    """The Longhorn volume behind a claim, with three copies of it; nothing where another provisioner keeps it."""
    if class_name != "longhorn":
        return []
    name, api, space = claim["spec"]["volumeName"], "longhorn.io/v1beta2", "longhorn-system"
    known = {"pvName": name, "namespace": claim["metadata"]["namespace"], "pvcName": claim["metadata"]["name"]}
    status = {
        "state": "attached",
        "robustness": "healthy",
        "currentNodeID": nodes[0],
        "actualSize": 2**29,
        "lastDegradedAt": "",
        "kubernetesStatus": known,
    }
    spec = {"size": str(8 * 2**30), "numberOfReplicas": 3, "accessMode": "rwo", "migratable": False, "dataEngine": "v1"}
    replicas = [
        _object(api, "Replica", f"{name}-r-{number}", space, {"longhornvolume": name},
                spec={"volumeName": name, "nodeID": node, "failedAt": "", "healthyAt": CREATED}, status={"currentState": "running"})
        for number, node in enumerate(nodes)
    ]  # fmt: skip
    return [_object(api, "Volume", name, space, spec=spec, status=status), *replicas]


def _service(name: str, namespace: str, labels: Object, selector: Object, ports: tuple[tuple[str, int], ...], address: str = "10.43.7.11") -> Object:
    spec = {
        "type": "ClusterIP",
        "clusterIP": address,
        "selector": selector,
        "ports": [{"name": one, "port": port, "targetPort": port, "protocol": "TCP"} for one, port in ports],
    }
    return _object("v1", "Service", name, namespace, labels, spec=spec, status={"loadBalancer": {}})


def _slice(service: Object, pods: list[Object]) -> Object:
    name, space = service["metadata"]["name"], service["metadata"]["namespace"]
    endpoints = [
        {"addresses": [pod["status"]["podIP"]], "conditions": {"ready": True, "serving": True, "terminating": False}, "nodeName": pod["spec"]["nodeName"],
         "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": space}}
        for pod in pods
    ]  # fmt: skip
    labels = {"kubernetes.io/service-name": name, "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}
    ports = [{"name": port["name"], "port": port["targetPort"], "protocol": "TCP"} for port in service["spec"]["ports"]]
    return _object("discovery.k8s.io/v1", "EndpointSlice", f"{name}-x7k2p", space, labels, addressType="IPv4", ports=ports, endpoints=endpoints)


def _stateful_set(name: str, namespace: str, labels: Object, selector: Object, spec: Object, count: int, template: str, class_name: str) -> Object:
    claim = {
        "metadata": {"name": template},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": class_name, "resources": {"requests": {"storage": "10Gi"}}},
    }
    return _object(
        "apps/v1", "StatefulSet", name, namespace, labels,
        spec={"replicas": count, "serviceName": f"{name}-nodes", "selector": {"matchLabels": selector}, "podManagementPolicy": "Parallel",
              "updateStrategy": {"type": "RollingUpdate"}, "volumeClaimTemplates": [claim],
              "template": {"metadata": {"labels": labels}, "spec": _template(spec)}},
        status={"observedGeneration": 1, "replicas": count, "readyReplicas": count, "updatedReplicas": count, "currentReplicas": count, "availableReplicas": count},
    )  # fmt: skip


def broker(nodes: tuple[str, ...], class_name: str, *, count: int = 1, image: str = IMAGE, name: str = NAME, space: str = SPACE) -> list[Object]:
    """A RabbitmqCluster with everything that the operator makes for it."""
    labels = {**LABELS, "app.kubernetes.io/name": name}
    selector = {"app.kubernetes.io/name": name}
    reasons = {
        "AllReplicasReady": "AllPodsAreReady",
        "ClusterAvailable": "AtLeastOneEndpointAvailable",
        "NoWarnings": "NoWarnings",
        "ReconcileSuccess": "Success",
    }
    cluster = _object(
        API, "RabbitmqCluster", name, space,
        spec={
            "replicas": count, "image": image, "service": {"type": "ClusterIP"}, "persistence": {"storage": "10Gi", "storageClassName": class_name},
            "tls": {"secretName": f"{name}-tls", "disableNonTLSListeners": True}, "rabbitmq": {"additionalConfig": SETTINGS},
            "resources": {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}},
        },
        status={
            "observedGeneration": 1, "quorumStatus": "ok", "binding": {"name": f"{name}-default-user"},
            "conditions": [{"type": kind, "status": "True", "reason": reason, "lastTransitionTime": CREATED} for kind, reason in reasons.items()],
            "defaultUser": {
                "secretReference": {"name": f"{name}-default-user", "namespace": space, "keys": {"username": "username", "password": "password"}},
                "serviceReference": {"name": name, "namespace": space},
            },
        },
    )  # fmt: skip
    service = _service(name, space, labels, selector, PORTS)
    found = [_object("v1", "Namespace", space, None), cluster, service]
    specs = [_pod_spec(f"persistence-{name}-server-{number}", image) for number in range(count)]
    pods = [
        _pod(f"{name}-server-{number}", space, labels, spec, nodes[number % len(nodes)], f"{name}-server", f"10.42.20.{number + 7}")
        for number, spec in enumerate(specs)
    ]
    claims = [_claim(f"persistence-{name}-server-{number}", space, labels, class_name, "10Gi") for number in range(count)]
    volumes = [_volume(claim, class_name, nodes[number % len(nodes)]) for number, claim in enumerate(claims)]
    secret = {
        "username": "default_user_Vq3xKe0bUJ2mC7",
        "password": "mQ8-sD2_fG5hJ7kL",
        "type": "rabbitmq",
        "provider": "rabbitmq",
        "host": f"{name}.{space}.svc",
        "port": "5671",
    }
    data = {key: base64.b64encode(value.encode()).decode() for key, value in secret.items()}
    return [
        *found, _stateful_set(f"{name}-server", space, labels, selector, specs[0], count, "persistence", class_name), *pods, *claims, *volumes, *(copy for claim in claims for copy in _copies(claim, class_name)), _slice(service, pods),
        _object("v1", "Secret", f"{name}-default-user", space, labels, type="Opaque", data=data),
    ]  # fmt: skip


def multi_node(installation: Any) -> list[Object]:
    """One broker node on Longhorn."""
    return broker(installation.nodes, "longhorn")


def single_node(installation: Any) -> list[Object]:
    """One broker node on local-path."""
    return broker(installation.nodes, "local-path")


def embedded(
    namespace: str = "exivity",
    release: str = "exivity",
    *,
    node: str = "worker-1",
    class_name: str = "longhorn",
    suffix: str = "rabbitmq-v4",
    image: str = EMBEDDED_IMAGE,
) -> list[Object]:
    """The broker that the Exivity chart brings."""
    name = f"{release}-{suffix}"
    selector = {"app.kubernetes.io/instance": release, "app.kubernetes.io/name": suffix}
    labels = {**selector, "app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "rabbitmq-16.0.17", "app.kubernetes.io/version": "4.1.3"}
    claim = _claim(f"data-{name}-0", namespace, selector, class_name, "8Gi")
    spec = _pod_spec(f"data-{name}-0", image, mount="/opt/bitnami/rabbitmq/.rabbitmq/mnesia", volume="data")
    spec["securityContext"], spec["containers"][0]["securityContext"] = {"fsGroup": 1001}, {"runAsUser": 1001, "runAsNonRoot": True}
    pod = _pod(f"{name}-0", namespace, labels, spec, node, name, "10.42.21.9")
    service = _service(name, namespace, labels, selector, (("amqp", 5672), ("epmd", 4369), ("dist", 25672), ("http-stats", 15672)), "10.43.7.12")
    found = [
        _stateful_set(name, namespace, labels, selector, spec, 1, "data", class_name),
        pod,
        claim,
        _volume(claim, class_name, node),
        *_copies(claim, class_name),
        service,
        _slice(service, [pod]),
    ]
    for item in found[:1]:
        item["metadata"]["annotations"] = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace}
    return found


def other(
    host: str = "rabbit",
    namespace: str = "messaging",
    *,
    image: str = "docker.io/library/rabbitmq:4.3.1",
    ports: tuple[tuple[str, int], ...] = (("amqps", 5671),),
    node: str = "worker-2",
) -> list[Object]:
    """A broker that somebody runs by a StatefulSet of their own."""
    labels = {"app": host}
    claim = _claim(f"data-{host}-0", namespace, labels, "longhorn", "10Gi")
    spec = _pod_spec(f"data-{host}-0", image, volume="data")
    pod = _pod(f"{host}-0", namespace, labels, spec, node, host, "10.42.22.9")
    service = _service(host, namespace, labels, labels, ports, "10.43.7.13")
    return [
        _object("v1", "Namespace", namespace, None),
        _stateful_set(host, namespace, labels, labels, spec, 1, "data", "longhorn"),
        pod,
        claim,
        _volume(claim, "longhorn", node),
        *_copies(claim, "longhorn"),
        service,
        _slice(service, [pod]),
    ]


def configured(
    world: Any,
    host: str,
    port: int | str = 5671,
    secure: bool = True,
    *,
    user: str | None = None,
    password: str | None = None,
    vhost: str | None = None,
) -> Any:
    """Point every ``config.json`` of a world at another server or login."""
    for item in [item for item in world.all("ConfigMap") if "config.json" in (item.get("data") or {})]:
        world.edit(
            "ConfigMap",
            item["metadata"]["name"],
            lambda one: _lead(one, host, port, secure, user, password, vhost),
            item["metadata"].get("namespace"),
        )
    return world


def _lead(item: Object, host: str, port: int | str, secure: bool, user: str | None, password: str | None, vhost: str | None) -> None:
    content = json.loads(item["data"]["config.json"])
    given = {key: value for key, value in (("user", user), ("password", password), ("vhost", vhost)) if value is not None}
    content["mq"] = {**content["mq"], "servers": [{"host": host, "port": port, "secure": secure}], **given}
    item["data"]["config.json"] = json.dumps(content)


def without_operator(world: Any) -> Any:
    """Take the RabbitmqCluster and all that belongs to it away, and its API."""
    world.objects = [
        item for item in world.objects if item["metadata"].get("namespace") != SPACE and not item["metadata"]["name"].startswith(f"pvc-{SPACE}-")
    ]
    for name in SERVED:
        world.resources.pop(name, None)
    return world


def on_embedded(world: Any, *, node: str = "worker-1", class_name: str = "longhorn") -> Any:
    """The same installation on the broker of the chart."""
    without_operator(world).add(*embedded(node=node, class_name=class_name))
    return configured(world, EMBEDDED_HOST, 5672, False)


def on_external(world: Any, host: str = "rabbitmq.corp.example.net", port: int = 5671, secure: bool = True) -> Any:
    """The same installation on a broker outside the cluster."""
    return configured(without_operator(world), host, port, secure)


def with_three(world: Any, nodes: tuple[str, ...] = ("worker-1", "worker-2", "worker-3")) -> Any:
    """The same installation on a RabbitmqCluster of three nodes."""
    served = {name: world.resources[name] for name in SERVED}
    without_operator(world).add(*broker(nodes, "longhorn", count=3))
    world.resources |= served
    return world
