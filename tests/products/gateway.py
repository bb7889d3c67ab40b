"""The Gateway API: the release reached through Envoy Gateway in place of an Ingress. A variant: nothing of it stands on the plain clusters."""

from __future__ import annotations

from typing import Any

from tests.builders import HOST, WORKERS, made, stamp
from tests.world import OPTIONAL, Object, World

SERVED: tuple[str, ...] = ()
GROUP = "gateway.networking.k8s.io"
API, SPACE = f"{GROUP}/v1", "envoy-gateway-system"
CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller"
BROUGHT = (f"gatewayclasses.{GROUP}", f"gateways.{GROUP}", f"httproutes.{GROUP}", "clienttrafficpolicies.gateway.envoyproxy.io")
PATHS = (("/v1/", "proximity-api"), ("/v2/", "proximity-api"), ("/", "glass"))
ADDRESS = "203.0.113.9"


def multi_node(installation: Any) -> list[Object]:
    """Nothing."""
    return []


single_node = multi_node


def said(kind: str, reason: str = "", status: str = "True") -> Object:
    """A condition as a Gateway's controller writes it."""
    return {"type": kind, "status": status, "reason": reason or kind, "message": "", "lastTransitionTime": stamp(20), "observedGeneration": 1}


def route(name: str, section: str, rules: list[Object], namespace: str = "exivity", host: str = HOST) -> Object:
    """An HTTPRoute that its Gateway accepts."""
    parent = {"group": GROUP, "kind": "Gateway", "name": "exivity", "sectionName": section}
    accepted = {"parentRef": dict(parent), "controllerName": CONTROLLER, "conditions": [said("Accepted"), said("ResolvedRefs")]}
    return made(
        API, "HTTPRoute", name, namespace, metadata={"generation": 1}, spec={"parentRefs": [parent], "hostnames": [host], "rules": rules},
        status={"parents": [accepted]},
    )  # fmt: skip


def backed(path: str, service: str) -> Object:
    """A rule that leads a path to a Service."""
    return {
        "matches": [{"path": {"type": "PathPrefix", "value": path}}],
        "backendRefs": [{"kind": "Service", "name": f"exivity-{service}", "port": 80, "weight": 1}],
    }


def gateway(namespace: str = "exivity", host: str = HOST) -> Object:
    """A Gateway with a listener for HTTP and one for TLS, programmed at an address."""
    listeners = [
        {"name": "http", "port": 80, "protocol": "HTTP", "hostname": host, "allowedRoutes": {"namespaces": {"from": "Same"}}},
        {"name": "https", "port": 443, "protocol": "HTTPS", "hostname": host, "allowedRoutes": {"namespaces": {"from": "Same"}},
         "tls": {"mode": "Terminate", "certificateRefs": [{"group": "", "kind": "Secret", "name": "exivity-tls"}]}},
    ]  # fmt: skip
    kinds = [{"group": GROUP, "kind": "HTTPRoute"}]
    conditions = [said("Accepted"), said("Programmed"), said("ResolvedRefs")]
    return made(
        API, "Gateway", "exivity", namespace, metadata={"generation": 1}, spec={"gatewayClassName": "eg", "listeners": listeners},
        status={"addresses": [{"type": "IPAddress", "value": ADDRESS}], "conditions": [said("Accepted"), said("Programmed")],
                "listeners": [{"name": one["name"], "attachedRoutes": 1, "supportedKinds": kinds, "conditions": conditions} for one in listeners]},
    )  # fmt: skip


def proxies(nodes: tuple[str, ...] = WORKERS[:2], namespace: str = "exivity") -> list[Object]:
    """The Envoy proxies that Envoy Gateway runs for the Gateway, with their Service."""
    name = f"envoy-{namespace}-exivity-1f3a9c07"
    labels = {
        "app.kubernetes.io/name": "envoy", "app.kubernetes.io/component": "proxy", "app.kubernetes.io/managed-by": "envoy-gateway",
        "gateway.envoyproxy.io/owning-gateway-name": "exivity", "gateway.envoyproxy.io/owning-gateway-namespace": namespace,
    }  # fmt: skip
    ports = [{"name": "http-80", "containerPort": 10080, "protocol": "TCP"}, {"name": "https-443", "containerPort": 10443, "protocol": "TCP"}]
    spec: Object = {"containers": [{"name": "envoy", "image": "docker.io/envoyproxy/envoy:distroless-v1.36.2", "ports": ports}]}
    count = len(nodes)
    found = [
        made("v1", "Namespace", SPACE),
        made("apps/v1", "Deployment", name, SPACE, metadata={"labels": labels, "generation": 1},
             spec={"replicas": count, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
             status={"observedGeneration": 1, "replicas": count, "updatedReplicas": count, "readyReplicas": count}),
        made("v1", "Service", name, SPACE, metadata={"labels": labels},
             spec={"type": "LoadBalancer", "selector": labels, "externalTrafficPolicy": "Local",
                   "ports": [{"name": "http-80", "port": 80, "targetPort": 10080}, {"name": "https-443", "port": 443, "targetPort": 10443}]},
             status={"loadBalancer": {"ingress": [{"ip": ADDRESS}]}}),
    ]  # fmt: skip
    for number, place in enumerate(nodes):
        found.append(made(
            "v1", "Pod", f"{name}-5d7c-{number}", SPACE, metadata={"labels": labels, "ownerReferences": [{"kind": "ReplicaSet", "name": f"{name}-5d7c"}]},
            spec={**spec, "nodeName": place},
            status={"phase": "Running", "podIP": f"10.42.{10 + number}.31", "conditions": [{"type": "Ready", "status": "True"}],
                    "containerStatuses": [{"name": "envoy", "ready": True, "restartCount": 0}]},
        ))  # fmt: skip
    return found


def without_ingress(world: World) -> World:
    """The world without the chart's Ingress and without the controller that served it."""
    world.objects = [
        item for item in world.objects if item["kind"] not in ("Ingress", "IngressClass") and item["metadata"].get("namespace") != "traefik"
    ]  # fmt: skip
    for name in ("middlewares.traefik.io", "tlsstores.traefik.io"):
        world.resources.pop(name, None)
    return world


def reached_through_a_gateway(world: World) -> World:
    """The world with Envoy Gateway in place of the Ingress: an HTTPRoute for TLS, and one that redirects."""
    without_ingress(world)
    world.resources |= {name: OPTIONAL[name] for name in BROUGHT}
    redirect = {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}]}  # fmt: skip
    world.add(
        made(API, "GatewayClass", "eg", metadata={"generation": 1}, spec={"controllerName": CONTROLLER}, status={"conditions": [said("Accepted")]}),
        gateway(), route("exivity", "https", [backed(path, service) for path, service in PATHS]), route("exivity-redirect", "http", [redirect]), *proxies(),
    )  # fmt: skip
    return world
