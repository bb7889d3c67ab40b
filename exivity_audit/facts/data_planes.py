"""What answers for a Gateway: the product behind its class, and the proxies that run for it with their Services."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.fact import Objects, fact, maybe, reasons_of, seen
from exivity_audit.facts.balancers import Balancer, balancer_of
from exivity_audit.facts.controllers import ConfigSource, Controller, Product, Setting, host_ports_of
from exivity_audit.facts.gateways import Gateway, GatewayClass
from exivity_audit.facts.ranges import everyone
from exivity_audit.facts.selectors import Labelled
from exivity_audit.facts.workloads import pod, with_pods, workload

ENVOY_GATEWAY = "gateway.envoyproxy.io/gatewayclass-controller"
# The API's own label on what a controller makes for a Gateway, and Envoy Gateway's two.
NAME_LABEL = "gateway.networking.k8s.io/gateway-name"
OWNER_LABELS = ("gateway.envoyproxy.io/owning-gateway-name", "gateway.envoyproxy.io/owning-gateway-namespace")
# By the start of a class's controller name.
PRODUCTS = {
    ENVOY_GATEWAY: Product.ENVOY_GATEWAY, "gateway.nginx.org/nginx-gateway-controller": Product.NGINX_GATEWAY_FABRIC, "istio.io/": Product.ISTIO,
    "traefik.io/gateway-controller": Product.TRAEFIK, "projectcontour.io/": Product.CONTOUR, "kgateway.dev/": Product.KGATEWAY,
    "konghq.com/": Product.KONG,
    "io.cilium/gateway-controller": Product.CILIUM, "haproxy-ingress.github.io/": Product.HAPROXY_INGRESS,
    "openshift.io/gateway-controller": Product.OPENSHIFT_GATEWAY,
    "application-networking.k8s.aws/": Product.AWS, "gateway.k8s.aws/": Product.AWS, "networking.gke.io/": Product.GKE,
    "alb.networking.azure.io/": Product.AZURE,
}  # fmt: skip
SHARED = frozenset({Product.TRAEFIK, Product.HAPROXY_INGRESS})  # one workload serves Ingress objects and Gateways alike
TRAEFIK_PROVIDER = "providers.kubernetesgateway"


def product_of_class(controller: str) -> Product | None:
    """The product behind a GatewayClass's controller name."""
    return next((product for start, product in PRODUCTS.items() if controller.startswith(start)), None)


def gateway_of(labels: dict[str, str], namespace: str) -> tuple[str, str] | None:
    """Namespace and name of the Gateway that an object was made for."""
    name, space = (labels.get(label) for label in OWNER_LABELS)
    if name and space:
        return space, name
    own = labels.get(NAME_LABEL)
    return (namespace, own) if own else None


@fact
def data_planes(
    gateway_deployments: Objects[Document],
    gateway_daemonsets: Objects[Document],
    gateway_pods: Objects[Document],
    gateways: Objects[Gateway],
    gateway_classes: Objects[GatewayClass],
) -> Objects[Controller]:
    """The proxies that run for the product's Gateways."""
    pods = Labelled(gateway_pods.each(pod))
    classes = {one.name: product_of_class(one.controller) for one in gateway_classes}
    products = {(one.namespace, one.name): classes.get(one.class_name) for one in gateways}

    def build(item: Document) -> Controller | None:
        found = with_pods(workload(item), pods)
        owner = gateway_of(found.labels, found.namespace)
        product = products.get(owner) if owner else None
        if product is None:
            return None
        desired = item.integer("status.desiredNumberScheduled") if item.kind == "DaemonSet" else found.replicas
        return Controller(
            workload=found, product=product, image=next(iter(found.images), ""), by_image=True, arguments={}, config={}, config_source=None,
            config_reasons=(),
            host_network=item.boolean("spec.template.spec.hostNetwork") or False, host_ports=host_ports_of(item), desired=desired or 0,
            data_plane=True,
        )  # fmt: skip

    return gateway_deployments.join(gateway_daemonsets).each(build)


def serving_gateway(gateway: Gateway, product: Product, planes: Objects[Controller], controllers: Objects[Controller]) -> tuple[Controller, ...]:
    """The workloads that answer for a Gateway; empty where its product runs none of its own in the cluster, or none was found."""
    if product in SHARED:
        fitting = [one for one in controllers if one.product is product]
        told = [one for one in fitting if any(name == TRAEFIK_PROVIDER or name.startswith(f"{TRAEFIK_PROVIDER}.") for name in one.arguments)]
        return tuple(told or fitting)
    place = (gateway.namespace, gateway.name)
    return tuple(one for one in planes if gateway_of(one.workload.labels, one.namespace) == place)


@fact
def gateway_balancers(gateway_services: Objects[Document]) -> Objects[Balancer]:
    """The Services that were made for the product's Gateways."""
    return gateway_services.each(balancer_of)


@fact
def beliefs(traffic_policies: Objects[Document], gateways: Objects[Gateway], gateway_classes: Any = maybe) -> dict[tuple[str, str], Setting]:
    """What Envoy Gateway believes of forwarded headers, by Gateway: nobody's, unless a ClientTrafficPolicy says otherwise."""
    if not seen(gateway_classes):
        return {}
    classes = {one.name: product_of_class(one.controller) for one in gateway_classes}
    policies = traffic_policies.each(_policy)
    return {
        (one.namespace, one.name): _belief(one, policies)
        for one in gateways
        if classes.get(one.class_name) is Product.ENVOY_GATEWAY
    }  # fmt: skip


class Policy(Struct, frozen=True):
    """A ClientTrafficPolicy: for which Gateways, and whom it tells them to believe."""

    namespace: str
    gateways: frozenset[str]
    chosen: bool  # by selectors: it may be for any Gateway of its namespace
    belief: Setting | None  # None: it says nothing of forwarded headers


def _policy(item: Document) -> Policy:
    named = [(entry.text("kind"), entry.text("name")) for entry in item.items("spec.targetRefs")]
    named.append((item.text("spec.targetRef.kind"), item.text("spec.targetRef.name")))
    names = frozenset(name for kind, name in named if kind == "Gateway" and name)
    return Policy(item.namespace or "", names, bool(list(item.items("spec.targetSelectors"))), _said(item))


def _said(item: Document) -> Setting | None:
    """Whom a policy believes: True for everyone. Raises Malformed."""
    forwarded, custom, source = "spec.clientIPDetection.xForwardedFor", "spec.clientIPDetection.customHeader.name", ConfigSource(item.source)
    hops, ranges, header = item.integer(f"{forwarded}.numTrustedHops"), item.strings(f"{forwarded}.trustedCIDRs"), item.text(custom)
    if hops:
        return Setting(True, f"the last {hops} addresses of X-Forwarded-For, whoever sent them", ((source, f"{forwarded}.numTrustedHops", hops),))
    at = ((source, f"{forwarded}.trustedCIDRs", ", ".join(ranges)),)
    if everyone(ranges):
        return Setting(True, f"headers from {', '.join(ranges)}", at)
    if header:
        return Setting(True, f"the header {header} from everyone", ((source, custom, header),))
    return Setting(False, f"headers from {', '.join(ranges)}", at) if ranges else None


def _belief(gateway: Gateway, policies: Objects[Policy]) -> Setting:
    """What the policies for a Gateway come to; one that could not be read, or is malformed beside it, may be for it too."""
    said = [one.belief for one in policies if one.namespace == gateway.namespace and (one.chosen or gateway.name in one.gateways) and one.belief]
    believing = next((one for one in said if one.holds), None)
    near = tuple(odd for odd in policies.unreadable if odd.subject.namespace in (None, gateway.namespace))
    hidden = Objects[Policy](partial=policies.partial, unreadable=near).gaps
    if believing is None and hidden:
        return Setting(None, "a ClientTrafficPolicy was not read", reasons=hidden)
    return believing or next(iter(said), None) or Setting(False, "headers from nobody")


def believes(gateway: Gateway, product: Product | None, found: Any) -> Setting:
    """Whether what answers for a Gateway takes forwarded headers from any peer, as far as its own settings were looked at."""
    if product is Product.ENVOY_GATEWAY:
        if not seen(found):
            return Setting(None, "the ClientTrafficPolicies of Envoy Gateway were not read", reasons=reasons_of(found))
        one: Setting | None = found.get((gateway.namespace, gateway.name))
        if one is not None:
            return one
    return Setting(None, f"what {product or 'its controller'} believes of forwarded headers stands in its own settings, which are not looked at")
