"""Whom the API believes about the client's address."""

from __future__ import annotations

import ipaddress

from exivity_audit import HIGH, check, fail, malformed, maybe, ok, reasons_of, seen, skip, task, unknown, values, wanted, warn
from exivity_audit.facts.controllers import Product
from exivity_audit.facts.ranges import everyone, network

from .served import answered
from .shared import LEADER, hidden, hosts_of, unserved, without_way

WIDEST_SUGGESTION = 8


@check("trusted-proxy", severity=HIGH, clauses=("K5",))
def trusted_proxies(ways_in, attendance, release, trusted_proxy, settings, nodes=maybe, peers=maybe, web_answers=maybe):
    """The API trusts the ingress controllers as its proxies.

    Otherwise every user seems to come from the controller's address, links turn to http, and sessions and audit records name the wrong client.

    Fix: set `ingress.trustedProxy` to the pod network of the ingress controllers.
    """
    if not ways_in:
        yield without_way(ways_in, release)
        return
    takers = attendance.takers
    decided = static_verdict(trusted_proxy, takers, nodes)
    if decided is not None:
        yield decided
    elif not takers:
        yield unserved(trusted_proxy.subject, attendance.of(next(iter(ways_in))))
    else:
        yield coverage_verdict(trusted_proxy, takers, nodes)
    yield from malformed(attendance.unreadable)
    yield from forged_verdicts(ways_in, web_answers, settings.role)
    for peer in peers:
        yield belief_verdict(peer)


def belief_verdict(peer):
    """The verdict on one who forwards requests to the API: whether it believes what a client says of itself."""
    one = peer.belief
    if one.holds is None:
        return hidden(peer, one.seen, one.reasons)
    if one.holds:
        want = wanted("forwarded headers from the load balancer alone")
        return warn(peer, one.seen, wanted=want, at=one.at, fix=BELIEF_FIXES.get(peer.product, OTHER_BELIEF_FIX))
    return ok(peer, one.seen, at=one.at)


def forged_verdicts(ways_in, answers, role):
    """A warning for each host where headers that a client forged changed the answer; that nothing showed proves nothing.

    From inside the cluster a probe may stand among the trusted, so it tells nothing.
    """
    judged = set()
    for _, host, subject in hosts_of(ways_in):
        for scheme in ("http", "https"):
            found = answered(answers, scheme, host, "/", role)
            if found is None or host in judged or not found.believed or not found.outside:
                continue
            judged.add(host)
            want = wanted("forwarded headers from the load balancer alone")
            text = f"{found.believed} ({found.by})"
            yield warn(subject, text, wanted=want, at=[(found, "forged", found.believed)], fix=OTHER_BELIEF_FIX)


BELIEF_FIXES = {
    Product.TRAEFIK: task("Set Traefik's `forwardedHeaders.trustedIPs` to the load balancer's addresses on each entry point, and drop `insecure`"),
    Product.INGRESS_NGINX: task("Set `proxy-real-ip-cidr` in the ConfigMap of ingress-nginx to the load balancer's addresses"),
    Product.F5_NGINX: task("Set `set-real-ip-from` in the ConfigMap of F5 NGINX to the load balancer's addresses"),
    Product.HAPROXY_TECHNOLOGIES: task("Drop `src-ip-header` and set `proxy-protocol` in the ConfigMap of HAProxy to the load balancer's addresses"),
    Product.HAPROXY_INGRESS: task("Set `forwardfor: add` in the ConfigMap of HAProxy Ingress"),
    Product.ENVOY_GATEWAY: task("Set `clientIPDetection.xForwardedFor.trustedCIDRs` in the ClientTrafficPolicy to the load balancer's addresses"),
    Product.OPENSHIFT_ROUTER: task("Set `spec.httpHeaders.forwardedHeaderPolicy: Append` on the IngressController, and drop the Route's annotation"),
}
OTHER_BELIEF_FIX = task("Have what answers at the edge take forwarded headers from the load balancer's addresses alone")


def static_verdict(proxy, takers, nodes):
    """What the value alone decides: not set, not readable, everyone; None where the controllers decide."""
    at = [(proxy, "data.TRUSTED_PROXY", ", ".join(proxy.items) or "none")]
    fix, want = trust_fix(takers, nodes), wanted("the pod network of the ingress controllers")
    if not proxy.items:
        return fail(proxy, "not set", wanted=want, at=at, fix=fix)
    odd = [item for item in proxy.items if item != "*" and network(item) is None]
    if odd:
        return fail(proxy, odd[0], seen=f"{odd[0]}, no address and no range", wanted=want, at=at, fix=fix)
    wide = [item for item in proxy.items if item == "*" or network(item).prefixlen == 0]
    if wide:
        return warn(proxy, wide[0], seen=f"{wide[0]}, everyone", wanted=want, at=at, fix=fix)
    if everyone(proxy.items):
        text = ", ".join(proxy.items)
        return warn(proxy, text, seen=f"{text}, together everyone", wanted=want, at=at, fix=fix)
    return None


def inside(address, networks):
    """The ranges that hold an address."""
    place = ipaddress.ip_address(address)
    return [one for one in networks if one.version == place.version and place in one]


def coverage_verdict(proxy, takers, nodes):
    """Whether the trusted ranges hold the controllers: their pods' addresses, or their nodes' on the host network."""
    at = [(proxy, "data.TRUSTED_PROXY", ", ".join(proxy.items))]
    pods = [pod for taker in takers for pod in taker.pods]
    on_host = [pod for pod in pods if pod.host_network]
    if on_host and not seen(nodes):
        return hidden(proxy, "the addresses of the controllers' nodes were not read", reasons_of(nodes))
    known = {node.name: node for node in nodes} if seen(nodes) else {}
    peers = [pod.address for pod in pods if not pod.host_network and network(pod.address or "")]
    places = [found for pod in on_host if pod.node in known and (found := [item for item in known[pod.node].addresses if network(item)])]
    if not peers and not places:
        ready = sum(taker.workload.ready for taker in takers)
        return unknown(proxy, "no address of a controller's pod was read") if ready else skip(proxy, "no controller pod is ready", follows=LEADER)
    networks = [network(item) for item in proxy.items]
    text, fix, want = ", ".join(proxy.items), trust_fix(takers, nodes), wanted("the pod network of the ingress controllers")
    if places:
        want = wanted("the addresses of the nodes, for a controller on the host network")
    outside = [address for address in peers if not inside(address, networks)]
    outside += [found[0] for found in places if not any(inside(address, networks) for address in found)]
    if outside:
        ranges = [item for pod in on_host if pod.node in known for item in known[pod.node].pod_ranges]
        if places and not any(not inside(address, networks) for address in peers) and ranges and holds(networks, ranges):
            return warn(proxy, text, seen=f"{text}, the pod network; the controllers run on the host network", wanted=want, at=at, fix=fix)
        return fail(proxy, text, seen=f"{text}, without {outside[0]} of a controller", wanted=want, at=at, fix=fix)
    if any(all(one.num_addresses == 1 for one in inside(address, networks)) for address in peers):
        return warn(proxy, text, seen=f"{text}, single pod addresses that change at the next restart", wanted=want, at=at, fix=fix)
    ranges = pod_ranges(peers, known.values())
    if ranges and not holds(networks, ranges):
        return warn(proxy, text, seen=f"{text}, not the pod network of every node", wanted=want, at=at, fix=fix)
    return ok(proxy, text, at=at)


def pod_ranges(peers, nodes):
    """The pod ranges of all workers, where the pods' addresses come from them at all (some networks assign their own)."""
    ranges = [item for node in nodes if node.worker for item in node.pod_ranges if network(item) is not None]
    every = [network(item) for node in nodes for item in node.pod_ranges if network(item) is not None]
    versions = {ipaddress.ip_address(peer).version for peer in peers}
    return [item for item in ranges if network(item).version in versions] if peers and all(inside(peer, every) for peer in peers) else []


def holds(networks, ranges):
    """Whether every range lies in the networks, taken together."""
    joined = [one for version in (4, 6) for one in ipaddress.collapse_addresses(item for item in networks if item.version == version)]
    return all(any(one.version == network(item).version and network(item).subnet_of(one) for one in joined) for item in ranges)


def trust_fix(takers, nodes):
    """What to set `ingress.trustedProxy` to: the nodes' addresses on the host network, else the range that holds the pod networks."""
    known = {node.name: node for node in nodes} if seen(nodes) else {}
    pods = [pod for taker in takers for pod in taker.pods]
    if pods and all(pod.host_network for pod in pods):
        every = {address for pod in pods if pod.node in known for address in known[pod.node].addresses if network(address)}
        addresses = sorted(address for address in every if network(address).is_private) or sorted(every)
        if addresses:
            return values("ingress.trustedProxy", ", ".join(addresses))
    peers = [pod.address for pod in pods if network(pod.address or "")]
    every = [item for node in known.values() for item in (*node.pod_ranges, *peers)] if pod_ranges(peers, known.values()) else []
    ranges = [found for item in every if (found := network(item)) is not None]
    first = next(iter(ranges), None)
    if first is not None and all(one.version == first.version for one in ranges):
        while not all(one.subnet_of(first) for one in ranges):
            first = first.supernet()
        if first.prefixlen >= WIDEST_SUGGESTION:
            return values("ingress.trustedProxy", str(first))
    return task("Set `ingress.trustedProxy` to the pod network of the cluster (`--cluster-cidr`)", fill="ingress.trustedProxy")
