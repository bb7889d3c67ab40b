"""OpenShift: the release reached by Routes in place of an Ingress. A variant: nothing of it stands on the plain clusters."""

from __future__ import annotations

from typing import Any

from tests.builders import HOST, WORKERS, certificate, made, stamp
from tests.mutation import put
from tests.products.gateway import PATHS, without_ingress
from tests.world import OPTIONAL, Object, World

SERVED: tuple[str, ...] = ()
BROUGHT = ("routes.route.openshift.io", "ingresscontrollers.operator.openshift.io", "clusterversions.config.openshift.io")
ROUTERS, OPERATOR = "openshift-ingress", "openshift-ingress-operator"
OWNING = "ingresscontroller.operator.openshift.io/owning-ingresscontroller"
DEPLOYED = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"
KUBERNETES, OPENSHIFT = "v1.33.6", "4.20.4"


def multi_node(installation: Any) -> list[Object]:
    """Nothing."""
    return []


single_node = multi_node


def route(name: str, path: str, service: str, host: str = HOST) -> Object:
    """A Route with edge termination and a pair of its own, admitted by the default router."""
    chain, key = (part.decode() for part in certificate(host))
    admitted = {"host": host, "routerName": "default", "routerCanonicalHostname": "router-default.apps.acme.eu", "wildcardPolicy": "None",
                "conditions": [{"type": "Admitted", "status": "True", "lastTransitionTime": stamp(20)}]}  # fmt: skip
    return made(
        "route.openshift.io/v1", "Route", name, "exivity",
        spec={"host": host, "path": path, "to": {"kind": "Service", "name": f"exivity-{service}", "weight": 100}, "port": {"targetPort": "http"},
              "wildcardPolicy": "None",
              "tls": {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect", "certificate": chain, "key": key}},
        status={"ingress": [admitted]},
    )  # fmt: skip


def ingress_controller() -> Object:
    """The default IngressController."""
    conditions = [{"type": kind, "status": status, "reason": "", "message": "", "lastTransitionTime": stamp(20)} for kind, status in (
        ("Admitted", "True"), ("Available", "True"), ("Progressing", "False"), ("Degraded", "False"))]  # fmt: skip
    return made(
        "operator.openshift.io/v1", "IngressController", "default", OPERATOR, metadata={"generation": 1},
        spec={"replicas": 2, "httpErrorCodePages": {"name": ""}, "clientTLS": {"clientCA": {"name": ""}, "clientCertificatePolicy": ""}},
        status={"availableReplicas": 2, "domain": "apps.acme.eu", "selector": f"{DEPLOYED}=default", "conditions": conditions,
                "endpointPublishingStrategy": {"type": "LoadBalancerService", "loadBalancer": {"scope": "External", "dnsManagementPolicy": "Managed"}}},
    )  # fmt: skip


def routers(nodes: tuple[str, ...] = WORKERS[:2]) -> list[Object]:
    """The routers of the default IngressController, with their Services."""
    labels, count = {DEPLOYED: "default"}, len(nodes)
    spec: Object = {"containers": [{"name": "router", "image": "quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:0a1b",
                                    "ports": [{"name": "http", "containerPort": 80}, {"name": "https", "containerPort": 443}]}]}  # fmt: skip
    ports = [{"name": "http", "port": 80, "targetPort": "http"}, {"name": "https", "port": 443, "targetPort": "https"}]
    found = [
        made("v1", "Namespace", ROUTERS), made("v1", "Namespace", OPERATOR),
        made("apps/v1", "Deployment", "router-default", ROUTERS, metadata={"labels": {OWNING: "default"}, "generation": 1},
             spec={"replicas": count, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
             status={"observedGeneration": 1, "replicas": count, "updatedReplicas": count, "readyReplicas": count}),
        made("v1", "Service", "router-default", ROUTERS, metadata={"labels": {OWNING: "default"}},
             spec={"type": "LoadBalancer", "selector": labels, "externalTrafficPolicy": "Local", "ports": ports},
             status={"loadBalancer": {"ingress": [{"hostname": "a1b2.elb.acme.eu"}]}}),
        made("v1", "Service", "router-internal-default", ROUTERS, metadata={"labels": {OWNING: "default"}}, spec={"type": "ClusterIP", "selector": labels, "ports": ports}),
    ]  # fmt: skip
    for number, place in enumerate(nodes):
        found.append(made(
            "v1", "Pod", f"router-default-6b8f-{number}", ROUTERS, metadata={"labels": labels, "ownerReferences": [{"kind": "ReplicaSet", "name": "router-default-6b8f"}]},
            spec={**spec, "nodeName": place},
            status={"phase": "Running", "podIP": f"10.42.{10 + number}.41", "conditions": [{"type": "Ready", "status": "True"}],
                    "containerStatuses": [{"name": "router", "ready": True, "restartCount": 0}]},
        ))  # fmt: skip
    return found


def cluster_version(version: str = OPENSHIFT, channel: str = "stable-4.20") -> Object:
    """OpenShift's ClusterVersion after an update that is done."""
    image = "quay.io/openshift-release-dev/ocp-release@sha256:0c2d"
    done = {"state": "Completed", "version": version, "image": image, "verified": True, "startedTime": stamp(21), "completionTime": stamp(20)}
    return made(
        "config.openshift.io/v1", "ClusterVersion", "version", spec={"clusterID": "0a5b1c7e-5c1d-4a53-9f3e-6d2f5b7a1c11", "channel": channel},
        status={"desired": {"version": version, "image": image}, "history": [done], "observedGeneration": 1, "versionHash": "x", "availableUpdates": None},
    )  # fmt: skip


def reached_by_routes(world: World) -> World:
    """The world as OpenShift, with three Routes in place of the Ingress."""
    without_ingress(world)
    world.resources |= {name: OPTIONAL[name] for name in BROUGHT}
    world.version = KUBERNETES
    for item in (node for node in world.all("Node") if node["apiVersion"] == "v1"):
        item["spec"]["providerID"] = ""
        put("status.nodeInfo.kubeletVersion", KUBERNETES)(item)
        put("status.nodeInfo.osImage", "Red Hat Enterprise Linux CoreOS 9.6.20251023-0")(item)
    names = ("exivity-v1", "exivity-v2", "exivity")
    world.add(
        ingress_controller(), cluster_version(), *routers(), *(route(name, path, service) for name, (path, service) in zip(names, PATHS, strict=True))
    )
    return world
