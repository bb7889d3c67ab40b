"""Host names and paths."""

from __future__ import annotations

import ipaddress

from exivity_audit import HIGH, Role, at_least, chart, check, exactly, fail, maybe, ok, seen, skip, task, wanted, warn

from ..application.shared import resting
from .names import leading_verdict
from .remedies import host_fix, route_fix
from .served import answered, right_answer, wrong_answer
from .shared import hidden, hosts_of, without_way

ROUTES = {"/": "glass", "/v1/": "proximity-api", "/v2/": "proximity-api"}


@check("routes", severity=HIGH, clauses=("K5",))
def routes(ways_in, product_endpoints, release, settings, scenario, web_answers=maybe, declared_services=maybe):
    """Each path leads to its service with ready endpoints.

    The page comes from glass and everything in it from the API under `/v1/` and `/v2/`; a path that leads elsewhere breaks the product.

    Fix: route `/` to glass, `/v1/` and `/v2/` to proximity-api, and bring their pods up.
    """
    if not ways_in:
        yield without_way(ways_in, release)
    by_host = {}
    for way, host, _ in hosts_of(ways_in):
        by_host.setdefault(host, []).extend((way, route) for route in way.routes if route.host == host)
        by_host[host] = by_host[host] or [(way, None)]
    slices = {}
    for one in product_endpoints:
        slices.setdefault(one.service, []).append(one)
    asleep = seen(declared_services) and resting(declared_services, scenario)
    page = {host for host, found in by_host.items() if any(route and route.serves("/") for _, route in found)}
    for host, found in sorted(by_host.items()):
        for path, component in ROUTES.items():
            fitting = [(way, route) for way, route in found if route and route.serves(path)]
            if fitting or host in page or not page:
                service, answer = f"{release.fullname}-{component}", answered(web_answers, "https", host, path, settings.role)
                yield route_verdict(
                    host, path, service, fitting, found[0][0], slices.get(service, ()), product_endpoints, settings.role, answer, asleep
                )


def route_verdict(host, path, service, fitting, first, slices, endpoints, role, answer=None, asleep=False):
    """The verdict on one path of one host."""
    way, route = fitting[0] if fitting else (first, None)
    subject, at = way.subject.at(f"{host}{path}"), [(way, way.rules_at, route.service if route else "none")]
    if route is None or route.service != service:
        text = route.service or "no Service" if route else "no such path"
        return fail(subject, text, wanted=exactly(service), at=at, fix=route_fix(way, path, service))
    if role is Role.PASSIVE:
        return ok(subject, service, at=at, remark="endpoints are not looked at on the passive site")
    named = [one for one in slices if not isinstance(route.port, str) or not one.ports or route.port in one.ports]
    ready = sum(one.ready for one in named)
    if ready:
        at = [*at, *((one, "endpoints[].conditions.ready", one.ready) for one in named)]
        return reached_verdict(subject, path, service, ready, at, answer)
    if not endpoints.complete:
        return hidden(subject, f"{service}: its endpoints were not read whole", endpoints.partial)
    if asleep:
        return skip(subject, "the site asks for no copy of any service", follows="disaster_recovery/active-replicas")
    text = f"{service} has no port {route.port}" if slices and not named else f"{service}, none ready"
    fix = route_fix(way, path, service) if slices and not named else task(f"Bring a pod of {service} up: `kubectl get pods` shows why none is ready")
    return fail(subject, 0, seen=text, wanted=at_least(1, note="ready endpoints"), at=at, fix=fix)


def reached_verdict(subject, path, service, ready, at, answer):
    """The verdict on a path that leads to ready endpoints: what a client gets there, where that was tried."""
    wrong = wrong_answer(path, service, answer)
    if wrong:
        fix = task(f"Follow {answer.url} from where it is answered to {service}: something between sends it elsewhere")
        want = exactly(service)
        return fail(subject, wrong, seen=f"answers {wrong} ({answer.by})", wanted=want, at=[*at, (answer, "status", answer.status)], fix=fix)
    if not right_answer(path, answer):
        return ok(subject, ready, seen=f"{service}, {ready} ready", at=at)
    at = [*at, (answer, "status", answer.status), (answer, "content", answer.content)]
    return ok(subject, ready, seen=f"{service}, {ready} ready, answers {answer.status} {answer.content} ({answer.by})", at=at)


@check("dns", severity=HIGH, clauses=("K5",), attest="resolve the host from where users sit and attach the answer with the published address")
def dns(ways_in, release, settings, resolutions=maybe, published=maybe):
    """The host is a name that leads to this cluster.

    Users reach the product by this name, and its certificate stands for it; a shipped example or a bare address serves nobody.

    Fix: set `ingress.host` to the name that your DNS serves.
    """
    if not ways_in:
        yield without_way(ways_in, release)
    judged = set()
    for way, host, subject in hosts_of(ways_in):
        if host in judged:
            continue  # several Routes of one host are one name
        judged.add(host)
        at, fix = [(way, way.hosts_at, host or "none")], host_fix(way)
        want = wanted("a name that your DNS serves")
        kind, text = host_kind(host)
        if kind == "fail":
            yield fail(subject, host or "none", seen=text, wanted=want, at=at, fix=fix)
        elif kind == "warn":
            yield warn(subject, host, seen=text, wanted=want, at=at, fix=fix)
        else:
            yield leading_verdict(subject, way, host, at, resolutions, published, settings)


def host_kind(host):
    """Whether a host can be right at all, and what it is in words."""
    name = host.lower().rstrip(".")
    labels = name.split(".")
    try:
        ipaddress.ip_address(name.strip("[]"))
        return "fail", "an address"
    except ValueError:
        pass
    if not name:
        return "fail", "no host"
    if name in chart.DEFAULT_HOSTS or "example" in labels[:-1] or labels[-1] == "example":
        return "fail", "a shipped example"
    if len(labels) == 1:
        return "warn", "a single label"
    return ("warn", "a name for multicast DNS") if labels[-1] == "local" else ("", host)
