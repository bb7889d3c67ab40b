"""Reads of OpenShift's way in: Routes to the product, the IngressControllers that admit them, and their routers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exivity_audit.collect.place import NotAsked, Read, cluster, in_namespace, led, paths, release_namespace
from exivity_audit.collect.reads.gateway import SERVICE, members
from exivity_audit.collect.reads.shapes import METADATA, POD, POD_CUT, WORKLOAD, WORKLOAD_CUT
from exivity_audit.document import Document, Malformed
from exivity_audit.facts.openshift import OWNING, POD_OWNER, ROUTERS, default_secret, leads_to_product
from exivity_audit.snapshot import Place

OPERATOR = "openshift-ingress-operator"


def _product_routes(openshift_routes: Any, release: Any) -> Iterable[Document]:
    for item in members(openshift_routes):
        try:
            if leads_to_product(item, release):
                yield item
        except Malformed:
            continue


def _routers(label: str) -> Any:
    def where(openshift_routes: Any, ingress_controllers: Any, release: Any) -> Iterable[Place]:
        """The routers' namespace, only where a Route leads to the product and an IngressController makes routers."""
        if any(True for _ in _product_routes(openshift_routes, release)) and any(True for _ in members(ingress_controllers)):
            yield Place(ROUTERS, None, label)

    return where


def _route_secrets(openshift_routes: Any, ingress_controllers: Any, release: Any, secrets: str) -> Iterable[Place]:
    """Secrets that the product's Routes name, and the routers' default certificates where a Route brings none."""
    if secrets == "none":
        raise NotAsked("--secrets none")
    found: set[tuple[str, str]] = set()
    bare = False
    for item, tls in led(_product_routes(openshift_routes, release), lambda item: (item, item.get("spec.tls"))):
        external = tls.get("external") if isinstance(tls, dict) else None
        if isinstance(external, str) and external:
            found.add((item.namespace or "", external))
        elif isinstance(tls, dict) and not tls.get("chain"):
            bare = True
    if bare:
        found |= {(ROUTERS, name) for name in led(members(ingress_controllers), default_secret)}
    for namespace, name in sorted(found):
        yield Place(namespace, name)


READS: tuple[Read, ...] = (
    Read("openshift_routes", "routes.route.openshift.io", release_namespace(), paths(
        f"{METADATA} metadata.ownerReferences[].kind metadata.ownerReferences[].name metadata.annotations[haproxy.router.openshift.io/set-forwarded-headers]"
        " spec.host spec.path spec.to.kind spec.to.name spec.port.targetPort spec.alternateBackends[].kind spec.alternateBackends[].name spec.wildcardPolicy"
        " status.ingress[].host status.ingress[].routerName status.ingress[].routerCanonicalHostname"
        " status.ingress[].conditions[].type status.ingress[].conditions[].status status.ingress[].conditions[].reason",
        {"spec.tls": "route_tls", "metadata.annotations[haproxy.router.openshift.io/hsts_header]": "given"}), "Route"),
    Read("ingress_controllers", "ingresscontrollers.operator.openshift.io", cluster(), paths(
        "spec.replicas spec.domain spec.defaultCertificate.name spec.httpHeaders.forwardedHeaderPolicy spec.endpointPublishingStrategy.type"
        " status.availableReplicas status.domain status.endpointPublishingStrategy.type status.conditions[].type status.conditions[].status status.conditions[].reason"),
        "IngressController", otherwise=in_namespace(OPERATOR)),
    Read("route_secrets", "secrets", _route_secrets, paths(
        "type metadata.creationTimestamp metadata.annotations[cert-manager.io/certificate-name]", {"data": "key_pair"}), "Secret", by_name=True),
    Read("router_deployments", "deployments", _routers(OWNING), paths(WORKLOAD, WORKLOAD_CUT), "Deployment", few=True),
    Read("router_pods", "pods", _routers(POD_OWNER), paths(POD, POD_CUT), "Pod", few=True),
    Read("router_services", "services", _routers(OWNING), paths(SERVICE), "Service", few=True),
)  # fmt: skip
