"""Where the users' traffic goes, and what waits for it at the standby."""

from __future__ import annotations

from exivity_audit import HIGH, MEDIUM, PASSIVE_C, C, NotSeen, check, fail, ok, skip, to_attest, unknown, values, wanted
from exivity_audit.facts.certificates import Kind
from exivity_audit.facts.probing import among, of_host

from .shared import for_each

CLASS_LEADS, TLS_LEADS, CERTIFICATE_LEADS, NAMES_LEAD = "ingress/class", "ingress/tls", "ingress/certificate", "ingress/dns"
LEADS = "show that DNS, GSLB or the load balancer sends users to the active site alone; attach the answer to a look-up and the pool's members"


@check("traffic", severity=HIGH, clauses=("C5",), applies=(C,), across=("ways_in", "published", "resolutions"), attest=LEADS)
def traffic(sites):
    """Traffic goes to the active site only.

    A standby that answers shows a product without data, or a second login to a database that must not be written to.

    Fix: let DNS, GSLB or the load balancer hold the active site's address alone, and switch it by the failover workflow.
    """
    yield from for_each(sites, led)


def led(deployment):
    """The verdict on where each host of a deployment leads."""
    ways = deployment.active.fact("ways_in")
    hosts = sorted({host.lower() for way in ways for host in way.hosts if host})
    at = [(way, way.hosts_at, f"{deployment.active.name}: {', '.join(way.hosts) or 'none'}") for way in ways]
    for host in hosts:
        yield host_verdict(deployment, deployment.subject.at(host), host, at)
    if not hosts:
        ways.surely()
        yield to_attest(deployment.subject, f"no host is seen at {deployment.active.name}: show what users are sent to", at=at)


def host_verdict(deployment, subject, host, at):
    """Where one host leads, by what it resolved to where that was asked; only an answer from outside the clusters counts."""
    where = deployment.active.name if not deployment.active.passive else "the active site"
    asked = [one for site in deployment.sites for one in resolved(site, host)]
    if not asked:
        return to_attest(subject, f"show that {host} leads to {where} alone", measured=host, at=at)
    found = sorted({address for one in asked for address in one.addresses})
    at = [*at, *((one, "addresses", ", ".join(one.addresses)) for one in asked)]
    text = f"{host} is {', '.join(found)} ({asked[0].by})"
    stray = [site.name for site in deployment.sites if site.passive and any(among(address, addresses_of(site)) for address in found)]
    if stray:
        return skip(subject, f"{text}: it leads to {', '.join(stray)}, which stands by", follows=NAMES_LEAD)
    own = addresses_of(deployment.active)
    if not deployment.active.passive and found and all(among(address, own) for address in found):
        return ok(subject, ", ".join(found), seen=f"{text}, of {where}", at=at)
    return to_attest(
        subject, f"{text}, an address of no audited site: show that what answers there sends users to {where} alone", measured=host, at=at
    )


def resolved(site, host):
    """What a host resolved to from outside the cluster of a site; nothing where that was not asked or came to nothing."""
    try:
        found = site.fact("resolutions")
    except NotSeen:
        return ()
    return [one for one in found if one.host.lower() == host and one.outside and one.failure is None and one.addresses]


def addresses_of(site):
    """The addresses that a site's way in is published at, and what the names among them resolve to."""
    try:
        published, resolutions = site.fact("published"), site.fact("resolutions")
    except NotSeen:
        return ()
    found = []
    for place in (place for one in published.values() for place in one.places):
        told = of_host(resolutions, place)
        found += [place] if told is None else told.addresses
    return found


@check("standby-ingress", severity=MEDIUM, clauses=("C5",), applies=(PASSIVE_C,))
def standby_ingress(ways_in, attendance, terminations, release, settings, now):
    """The standby ingress is prepared.

    At failover traffic is switched within minutes; an Ingress, class or certificate that has to be made first turns them into hours.

    Fix: set `ingress.enabled: true`, `ingress.host`, `ingress.ingressClassName` and `ingress.tls.secret` at the passive site as at the active one.
    """
    if not ways_in:
        ways_in.surely()
        yield fail(release.subject, "no Ingress", wanted=wanted("an Ingress that waits for failover"), fix=values("ingress.enabled", True))
    for way in ways_in:
        served = attendance.of(way)
        for host in way.hosts or ("",):
            yield prepared(way, host, served, terminations.of(way, host), settings, now)


def prepared(way, host, served, ends, settings, now):
    """The verdict on one host of the standby's way in."""
    subject, at = way.subject.at(host or "any host"), [(way, way.hosts_at, host or "none"), *ends.at]
    if not served.takers:
        if served.reasons:
            return unknown(subject, "; ".join(one.text for one in served.reasons), needs=tuple(one.rule for one in served.reasons if one.rule))
        return skip(subject, served.why or "nobody serves its class", follows=CLASS_LEADS) if served.missing else unknown(subject, served.why)
    if not any(pod.ready for one in served.takers for pod in one.pods):
        return skip(subject, "no pod of its controller is ready", follows=CLASS_LEADS)
    text = f"{host or 'any host'}, served by {', '.join(sorted({one.subject.name for one in served.takers}))}"
    if settings.declare.ingress.tls == "upstream":
        return ok(subject, text, at=at, remark="TLS ends upstream of the cluster")
    if ends.kind is Kind.HIDDEN:
        return unknown(subject, ends.seen, needs=tuple(one.rule for one in ends.reasons if one.rule))
    if ends.kind in (Kind.BROKEN, Kind.NONE, Kind.NOWHERE):
        return skip(subject, ends.seen, follows=CLASS_LEADS if ends.kind is Kind.NOWHERE else TLS_LEADS)
    chain = ends.secret.chain if ends.secret is not None else ()
    if chain and chain[0].not_after < now:
        return skip(subject, "its certificate has expired", follows=CERTIFICATE_LEADS)
    return ok(subject, f"{text}; {ends.seen}", at=at)
