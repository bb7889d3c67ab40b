"""What answers for a Gateway: the product behind its class, and the proxies that run for it with their Services."""

from __future__ import annotations

from typing import Any

from exivity_audit.document import Document
from exivity_audit.fact import Objects, Reason, fact, maybe, reasons_of, seen
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
    return {
        (one.namespace, one.name): _belief(one, traffic_policies)
        for one in gateways
        if classes.get(one.class_name) is Product.ENVOY_GATEWAY
    }  # fmt: skip


def _belief(gateway: Gateway, policies: Objects[Document]) -> Setting:
    forwarded = "spec.clientIPDetection.xForwardedFor"
    fitting = [item for item in policies if item.namespace == gateway.namespace and _targets(item, gateway)]
    for item in fitting:
        hops, ranges = item.integer(f"{forwarded}.numTrustedHops"), item.strings(f"{forwarded}.trustedCIDRs")
        if hops:
            return Setting(
                True,
                f"the last {hops} addresses of X-Forwarded-For, whoever sent them",
                ((ConfigSource(item.source), f"{forwarded}.numTrustedHops", hops),),
            )
        if everyone(ranges):
            return Setting(True, f"headers from {', '.join(ranges)}", ((ConfigSource(item.source), f"{forwarded}.trustedCIDRs", ", ".join(ranges)),))
        header = item.text("spec.clientIPDetection.customHeader.name")
        if header:
            return Setting(
                True, f"the header {header} from everyone", ((ConfigSource(item.source), "spec.clientIPDetection.customHeader.name", header),)
            )
        if ranges:
            return Setting(False, f"headers from {', '.join(ranges)}", ((ConfigSource(item.source), f"{forwarded}.trustedCIDRs", ", ".join(ranges)),))
    hidden = tuple(Reason("traffic_policies", f"{odd.subject}: {odd.why}") for odd in policies.unreadable) + policies.partial
    return Setting(None, "a ClientTrafficPolicy was not read", reasons=hidden) if hidden else Setting(False, "headers from nobody")


def _targets(item: Document, gateway: Gateway) -> bool:
    """Whether a policy is for a Gateway; one with selectors may be."""
    named = [(entry.text("kind"), entry.text("name")) for entry in item.items("spec.targetRefs")]
    named.append((item.text("spec.targetRef.kind"), item.text("spec.targetRef.name")))
    return ("Gateway", gateway.name) in named or bool(list(item.items("spec.targetSelectors")))


def believes(gateway: Gateway, product: Product | None, found: Any) -> Setting:
    """Whether what answers for a Gateway takes forwarded headers from any peer, as far as its own settings were looked at."""
    if product is Product.ENVOY_GATEWAY:
        if not seen(found):
            return Setting(None, "the ClientTrafficPolicies of Envoy Gateway were not read", reasons=reasons_of(found))
        one: Setting | None = found.get((gateway.namespace, gateway.name))
        if one is not None:
            return one
    return Setting(None, f"what {product or 'its controller'} believes of forwarded headers stands in its own settings, which are not looked at")
