"""What stands before the controller."""

from __future__ import annotations

from exivity_audit import (
    MEDIUM,
    Scenario,
    Subject,
    at_least,
    check,
    fail,
    malformed,
    maybe,
    ok,
    reasons_of,
    seen,
    task,
    to_attest,
    unknown,
    wanted,
    warn,
)
from exivity_audit.facts.address_pools import pool_of
from exivity_audit.facts.balancers import in_front, provider_of
from exivity_audit.facts.controllers import Product
from exivity_audit.facts.gateway_ways import GatewayRoute
from exivity_audit.facts.ways_in import before_gateway, gateways_of

from .shared import hidden, unserved, without_way

TO_CONFIRM = "confirm it with the platform team, and record it in `evidence.yaml`"


@check("load-balancer", severity=MEDIUM, clauses=("B8", "A6"), attest="confirm the load balancer with the platform team and attach their answer")
def load_balancer(ways_in, attendance, release, fronts, nodes, scenario, settings, pools=maybe):
    """A load balancer stands before the ingress controllers.

    A name that leads to one node, or to a controller on one node, is down as long as that node is.

    Fix: publish the controllers by a Service of type LoadBalancer that gets an address, and run them on two nodes.
    """
    if not ways_in:
        yield without_way(ways_in, release)
        return
    judged, gateways = set(), bare_gateways(ways_in, attendance)
    for way in ways_in:
        verdict = unserved(way.subject, attendance.of(way))
        if verdict is not None and not (isinstance(way, GatewayRoute) and gateways_of(way)):
            yield verdict
    yield from malformed(attendance.unreadable)
    published = {address for way in ways_in for address in way.addresses} - {address for node in nodes for address in node.addresses}
    for controller in attendance.takers:
        if scenario is not Scenario.SINGLE_NODE:
            yield spread_verdict(controller)
        before = in_front(controller, fronts)
        loads = [one for one in before if one.kind == "LoadBalancer"]
        for one in loads:
            if one.subject not in judged:
                judged.add(one.subject)
                yield from service_verdicts(one, nodes, pools)
        if not loads:
            yield bare_verdict(controller, before, fronts, settings, sorted(published))
    for gateway in gateways:
        yield from gateway_verdicts(gateway, [one for one in before_gateway(gateway, fronts) if one.subject not in judged], fronts, nodes, pools)


def bare_gateways(ways_in, attendance):
    """The Gateways of ways in for which no workload was found: a provider's, or one that answers on the nodes themselves."""
    found = {}
    for way in ways_in:
        if isinstance(way, GatewayRoute) and not attendance.of(way).takers:
            found.update({gateway.subject: gateway for gateway, _ in gateways_of(way)})
    return [found[subject] for subject in sorted(found)]


def gateway_verdicts(gateway, before, fronts, nodes, pools):
    """A Gateway whose pods are not known: the Service made for it, else the addresses it says itself."""
    loads = [one for one in before if one.kind == "LoadBalancer"]
    for one in loads:
        yield from service_verdicts(one, nodes, pools)
    if loads:
        return
    text = ", ".join(gateway.addresses)
    own = {address for node in nodes for address in node.addresses}
    at = [(gateway, "status.addresses", text or "none")]
    if not gateway.addresses:
        fronts.surely()
        fix = task(f"Give {gateway.subject} an address: a cloud or hardware integration, or MetalLB with a pool that is advertised")
        yield fail(gateway, "no address", wanted=wanted("an address from the load balancer"), at=at, fix=fix)
    elif own & set(gateway.addresses):
        yield to_attest(gateway, f"{text}, a node's own address: {TO_CONFIRM}", measured=text, at=at)
    else:
        yield ok(gateway, text, at=at)


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


def service_verdicts(one, nodes, pools):
    """A Service of type LoadBalancer: its address, and who gave it."""
    at = [(one, "status.loadBalancer.ingress", ", ".join(one.addresses) or "none")]
    if not one.addresses:
        fix = task(f"Give {one.subject} an address: a cloud or hardware integration, or MetalLB with a pool that is advertised")
        yield fail(one, "no address", wanted=wanted("an address from the load balancer"), at=at, fix=fix)
        return
    text = ", ".join(one.addresses)
    pool = pool_of(one, pools) if seen(pools) else None
    provider = provider_of(one, nodes)
    if pool is not None or not seen(pools) or (not pools.complete and provider is None):
        provider = provider or "MetalLB"
    if provider is None:
        yield ok(one, text, at=at)
        return
    yield to_attest(one, f"{text} from {provider}: {TO_CONFIRM}", measured=text, at=at)
    if provider == "MetalLB":
        yield advertisement_verdict(one, pool, pools)


def advertisement_verdict(one, pool, pools):
    """Whether the pool that an address came from is advertised: else nobody outside the cluster finds it."""
    about = Subject(one.subject.kind, one.subject.name, one.subject.namespace, "advertisement")
    if not seen(pools):
        return hidden(about, "MetalLB's pools were not read", reasons_of(pools))
    if pool is None:
        if pools.complete and one.pool is not None:
            fix = task(f"Create the IPAddressPool {one.pool} again, or give {one.subject} an address of another pool")
            return fail(
                about, f"pool {one.pool}, which is gone", wanted=wanted("an IPAddressPool"), at=[(one, "metadata.annotations", one.pool)], fix=fix
            )
        return hidden(about, "the pool of its address was not seen", pools.partial)
    if pool.advertised_by:
        by = ", ".join(str(item.subject) for item in pool.advertised_by)
        at = [(item, "spec.ipAddressPools", ", ".join(item.pools) or "all pools") for item in pool.advertised_by]
        return ok(about, f"pool {pool.name}, advertised by {by}", at=at)
    if pool.hidden:
        return hidden(about, f"pool {pool.name}: what advertises it was not read whole", pool.hidden)
    fix = task(f"Create an L2Advertisement or BGPAdvertisement that names {pool.name} in `spec.ipAddressPools`")
    want = wanted("an L2Advertisement or BGPAdvertisement that selects it")
    return fail(about, f"pool {pool.name}, which nothing advertises", wanted=want, at=[(pool, "metadata.name", pool.name)], fix=fix)


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
    platform = controller.product is Product.OPENSHIFT_ROUTER and (controller.host_network or controller.host_ports)
    if declared or platform:
        what = "a declared balancer" if declared else "OpenShift's own virtual address, or a balancer"
        return to_attest(about, f"{text} behind {what}: {TO_CONFIRM}", measured=text, at=at)
    balancers.surely()
    if published:
        return unknown(about, f"{text}; {published[0]} is published, which no Service with the labels of the controller's chart carries", at=at)
    want = wanted("a Service of type LoadBalancer, or a balancer declared in `ingress.addresses`")
    fix = task(
        f"Publish {controller.subject} by a Service of type LoadBalancer, or declare the balancer in `declare.ingress.addresses` and attest it"
    )
    return fail(about, text, wanted=want, at=at, fix=fix)
