"""Reads of the Gateway API: routes to the product, the Gateways they name, what runs behind these, and what they believe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from exivity_audit.collect.place import MissingRead, NotAsked, Read, cluster, led, paths, release_namespace, values
from exivity_audit.collect.reads.shapes import METADATA, POD, POD_CUT, WORKLOAD, WORKLOAD_CUT
from exivity_audit.document import Document, Malformed
from exivity_audit.fact import Unreadable
from exivity_audit.facts.data_planes import ENVOY_GATEWAY, NAME_LABEL, OWNER_LABELS
from exivity_audit.facts.gateways import leads_to_product, parents_of, references_of
from exivity_audit.snapshot import Place

SERVICE = (
    f"{METADATA} spec.type spec.selector spec.ports spec.clusterIP spec.externalIPs spec.loadBalancerClass spec.loadBalancerIP spec.externalTrafficPolicy"
    " status.loadBalancer metadata.annotations[metallb.io/ip-allocated-from-pool] metadata.annotations[metallb.universe.tf/ip-allocated-from-pool]"
    " metadata.annotations[kube-vip.io/loadbalancerIPs] metadata.annotations[kube-vip.io/vipHost]"
)


def members(items: Any) -> Iterator[Document]:
    """The documents of a read. Raises MissingRead where it was not seen."""
    if isinstance(items, Unreadable):
        raise MissingRead(items)
    yield from items


def _gateways(http_routes: Any, release: Any) -> Iterable[Place]:
    """The Gateways that routes to the product name."""
    found: set[tuple[str, str]] = set()
    for item in members(http_routes):
        try:
            if leads_to_product(item, release):
                found |= {(parent.namespace, parent.name) for parent in parents_of(item) if parent.gateway and parent.name}
        except Malformed:
            continue
    for namespace, name in sorted(found):
        yield Place(namespace, name)


def _classes(gateways: Any) -> Iterable[Place]:
    for name in values(gateways, "spec.gatewayClassName"):
        yield Place(None, name)


def gateway_secret_names(gateways: Any) -> set[tuple[str, str]]:
    """Namespace and name of the Secrets that the Gateways' listeners name."""
    found: set[tuple[str, str]] = set()
    for item in members(gateways):
        try:
            found |= {(one.namespace, one.name) for one in references_of(item) if one.kind == "Secret" and one.name}
        except Malformed:
            continue
    return found


def _secrets(gateways: Any, secrets: str) -> Iterable[Place]:
    if secrets == "none":
        raise NotAsked("--secrets none")
    for namespace, name in sorted(gateway_secret_names(gateways)):
        yield Place(namespace, name)


def _behind(gateways: Any, gateway_classes: Any) -> Iterable[Place]:
    """What runs for the Gateways: Envoy Gateway's anywhere by its owner labels, others' in the Gateway's namespace by the API's own label."""
    controllers = dict(led(members(gateway_classes), lambda item: (item.name, item.text("spec.controllerName"))))
    for item, name in led(members(gateways), lambda item: (item, item.text("spec.gatewayClassName"))):
        if controllers.get(name or "") == ENVOY_GATEWAY:
            owner, space = OWNER_LABELS
            yield Place(None, None, f"{owner}={item.name},{space}={item.namespace}")
        else:
            yield Place(item.namespace, None, f"{NAME_LABEL}={item.name}")


def _policies(gateways: Any) -> Iterable[Place]:
    for namespace in sorted({item.namespace for item in members(gateways) if item.namespace}):
        yield Place(namespace)


READS: tuple[Read, ...] = (
    Read("http_routes", "httproutes.gateway.networking.k8s.io", cluster(), paths(
        "metadata.creationTimestamp spec.parentRefs[].group spec.parentRefs[].kind spec.parentRefs[].namespace spec.parentRefs[].name spec.parentRefs[].sectionName"
        " spec.parentRefs[].port spec.hostnames spec.rules[].matches[].path.type spec.rules[].matches[].path.value spec.rules[].matches[].method"
        " spec.rules[].matches[].headers[].name spec.rules[].matches[].queryParams[].name"
        " spec.rules[].backendRefs[].kind spec.rules[].backendRefs[].namespace spec.rules[].backendRefs[].name spec.rules[].backendRefs[].port spec.rules[].backendRefs[].weight"
        " spec.rules[].filters[].type spec.rules[].filters[].requestRedirect.scheme spec.rules[].filters[].responseHeaderModifier.set[].name"
        " spec.rules[].filters[].responseHeaderModifier.add[].name status.parents[].parentRef.group status.parents[].parentRef.kind status.parents[].parentRef.namespace"
        " status.parents[].parentRef.name status.parents[].parentRef.sectionName status.parents[].parentRef.port status.parents[].controllerName"
        " status.parents[].conditions[].type status.parents[].conditions[].status status.parents[].conditions[].reason"),
        "HTTPRoute", otherwise=release_namespace()),
    Read("gateways", "gateways.gateway.networking.k8s.io", _gateways, paths(
        "metadata.labels spec.gatewayClassName spec.listeners[].name spec.listeners[].hostname spec.listeners[].port spec.listeners[].protocol spec.listeners[].tls.mode"
        " spec.listeners[].tls.certificateRefs[].kind spec.listeners[].tls.certificateRefs[].namespace spec.listeners[].tls.certificateRefs[].name"
        " spec.listeners[].allowedRoutes.namespaces.from status.addresses[].type status.addresses[].value"
        " status.conditions[].type status.conditions[].status status.conditions[].reason status.listeners[].name status.listeners[].attachedRoutes"
        " status.listeners[].conditions[].type status.listeners[].conditions[].status status.listeners[].conditions[].reason",
        {"spec.listeners[].tls.options": "keys"}), "Gateway", by_name=True),
    Read("gateway_classes", "gatewayclasses.gateway.networking.k8s.io", _classes, paths(
        "spec.controllerName status.conditions[].type status.conditions[].status status.conditions[].reason"), "GatewayClass", by_name=True),
    Read("gateway_secrets", "secrets", _secrets, paths(
        "type metadata.creationTimestamp metadata.annotations[cert-manager.io/certificate-name]", {"data": "key_pair"}), "Secret", by_name=True),
    Read("gateway_deployments", "deployments", _behind, paths(WORKLOAD, WORKLOAD_CUT), "Deployment", few=True),
    Read("gateway_daemonsets", "daemonsets", _behind, paths(WORKLOAD, WORKLOAD_CUT), "DaemonSet", few=True),
    Read("gateway_pods", "pods", _behind, paths(POD, POD_CUT), "Pod", few=True),
    Read("gateway_services", "services", _behind, paths(SERVICE), "Service", few=True),
    Read("traffic_policies", "clienttrafficpolicies.gateway.envoyproxy.io", _policies, paths(
        "spec.targetRefs[].kind spec.targetRefs[].name spec.targetRef.kind spec.targetRef.name spec.clientIPDetection.xForwardedFor.numTrustedHops"
        " spec.clientIPDetection.xForwardedFor.trustedCIDRs spec.clientIPDetection.customHeader.name spec.enableProxyProtocol spec.targetSelectors[].kind"), "ClientTrafficPolicy"),
)  # fmt: skip
