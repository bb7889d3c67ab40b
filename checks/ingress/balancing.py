"""What stands before the controller."""

from __future__ import annotations

from exivity_audit import MEDIUM, Scenario, Subject, at_least, check, fail, maybe, ok, seen, task, to_attest, unknown, wanted, warn
from exivity_audit.facts.balancers import in_front, provider_of

from .shared import distinct, malformed, unserved, without_ingress

TO_CONFIRM = "confirm it with the platform team, and record it in `evidence.yaml`"


@check("load-balancer", severity=MEDIUM, clauses=("B8", "A6"), attest="confirm the load balancer with the platform team and attach their answer")
def load_balancer(
    product_ingresses, ingress_classes, release, balancers, nodes, scenario, settings, controllers=maybe, address_pools=maybe,
    http_routes=maybe, openshift_routes=maybe,
):  # fmt: skip
    """A load balancer stands before the ingress controllers.

    A name that leads to one node, or to a controller on one node, is down as long as that node is.

    Fix: publish the controllers by a Service of type LoadBalancer that gets an address, and run them on two nodes.
    """
    if not product_ingresses:
        yield without_ingress(product_ingresses, release, http_routes, openshift_routes)
        return
    for ingress in product_ingresses:
        verdict = unserved(ingress.subject, ingress, ingress_classes, controllers)
        if verdict is not None:
            yield verdict
    yield from malformed(controllers)
    published = {address for ingress in product_ingresses for address in ingress.addresses} - {
        address for node in nodes for address in node.addresses
    }
    judged = set()
    for controller in distinct(product_ingresses, ingress_classes, controllers):
        if scenario is not Scenario.SINGLE_NODE:
            yield spread_verdict(controller)
        fronts = in_front(controller, balancers)
        loads = [one for one in fronts if one.kind == "LoadBalancer"]
        for one in loads:
            if one.subject not in judged:
                judged.add(one.subject)
                yield from service_verdicts(one, nodes, address_pools)
        if not loads:
            yield bare_verdict(controller, fronts, balancers, settings, sorted(published))


def spread_verdict(controller):
    """On how many nodes a controller runs."""
    places = sorted({pod.node for pod in controller.pods if pod.running and pod.node})
    at = [(controller, "spec.replicas", controller.desired)]
    if len(places) >= 2:
        return ok(controller, len(places), seen=f"on {len(places)} nodes", at=at)
    fix = task(f"Run two pods of {controller.subject} on different nodes: two replicas with a topology spread constraint")
    return warn(
        controller, len(places), seen=f"on {len(places)} node{'' if len(places) == 1 else 's'}", wanted=at_least(2, note="nodes"), at=at, fix=fix
    )


def service_verdicts(one, nodes, address_pools):
    """A Service of type LoadBalancer: its address, and who gave it."""
    at = [(one, "status.loadBalancer.ingress", ", ".join(one.addresses) or "none")]
    if not one.addresses:
        fix = task(f"Give {one.subject} an address: a cloud or hardware integration, or MetalLB with a pool that is advertised")
        yield fail(one, "no address", wanted=wanted("an address from the load balancer"), at=at, fix=fix)
        return
    text = ", ".join(one.addresses)
    provider = provider_of(one, nodes) or (None if seen(address_pools) else "MetalLB")
    if provider is None:
        yield ok(one, text, at=at)
        return
    yield to_attest(one, f"{text} from {provider}: {TO_CONFIRM}", measured=text, at=at)
    if provider == "MetalLB":
        yield unknown(
            Subject(one.subject.kind, one.subject.name, one.subject.namespace, "advertisement"), "whether MetalLB advertises the pool: not built yet"
        )


def bare_verdict(controller, fronts, balancers, settings, published):
    """A controller without a Service of type LoadBalancer: its node or host ports behind a balancer that the site declares."""
    declared = settings.declare.ingress.addresses or settings.declare.ingress.tls == "upstream"
    about = fronts[0] if fronts else controller.subject.at("balancer")
    ports = ", ".join(str(port) for port in controller.host_ports)
    text = (
        "a NodePort" if any(one.kind == "NodePort" for one in fronts) else "external addresses" if fronts else f"host ports {ports}" if ports
        else "the host network" if controller.host_network else "reachable inside the cluster alone"
    )  # fmt: skip
    at = [(one, "spec.type", one.kind) for one in fronts] or [(controller, "spec.template.spec.containers[].ports", text)]
    if declared:
        return to_attest(about, f"{text} behind a declared balancer: {TO_CONFIRM}", measured=text, at=at)
    balancers.surely()
    if published:
        return unknown(about, f"{text}; the Ingress shows {published[0]}, which no Service with the labels of the controller's chart carries", at=at)
    want = wanted("a Service of type LoadBalancer, or a balancer declared in `ingress.addresses`")
    fix = task(
        f"Publish {controller.subject} by a Service of type LoadBalancer, or declare the balancer in `declare.ingress.addresses` and attest it"
    )
    return fail(about, text, wanted=want, at=at, fix=fix)
