"""Where the users' traffic goes, and what waits for it at the standby."""

from __future__ import annotations

from exivity_audit import HIGH, MEDIUM, PASSIVE_C, C, NotSeen, check, fail, ok, skip, task, to_attest, unknown, values, wanted
from exivity_audit.facts.certificates import Kind
from exivity_audit.facts.probing import among, known_addresses, of_host

from .shared import for_each

CLASS_LEADS, TLS_LEADS, CERTIFICATE_LEADS, NAME_LEADS = "ingress/class", "ingress/tls", "ingress/certificate", "ingress/dns"
LEADS = "show that DNS, GSLB or the load balancer sends users to the active site alone; attach the answer to a look-up and the pool's members"


@check("traffic", severity=HIGH, clauses=("C5",), applies=(C,), across=("ways_in", "published", "resolutions"), attest=LEADS)
def traffic(sites):
    """Traffic goes to the active site only.

    A standby that answers shows a product without data, or a second login to a database that must not be written to.

    Fix: let DNS, GSLB or the load balancer hold the active site's address alone, and switch it by the failover workflow.
    """
    yield from for_each(sites, led)


def led(deployment):
    """The verdict on where the hosts of a deployment lead."""
    ways = deployment.active.fact("ways_in")
    hosts = sorted({host.lower() for way in ways for host in way.hosts if host})
    at = [(way, way.hosts_at, f"{deployment.active.name}: {', '.join(way.hosts) or 'none'}") for way in ways]
    where = deployment.active.name if not deployment.active.passive else "the active site"
    for host in hosts:
        found = resolved(deployment, host)
        if found:
            yield tried(deployment, host, found, where, at)
        else:
            yield to_attest(deployment.subject.at(host), f"show that {host} leads to {where} alone", measured=host, at=at)
    if not hosts:
        ways.surely()
        yield to_attest(deployment.subject, f"no host is seen at {deployment.active.name}: show what users are sent to", at=at)


def resolved(deployment, host):
    """What probes resolved a host to, from whichever sites were audited with one; nothing where none came to anything."""
    return [found for site in deployment.sites if (found := resolved_at(site, host)) is not None]


def resolved_at(site, host):
    """The same of one site; None where it was not asked, or came to nothing."""
    try:
        found = of_host(site.fact("resolutions"), host)
    except NotSeen:
        return None
    return found if found is not None and (found.failure is None or found.failure.kind == "unresolved") else None


def own_addresses(site):
    """The addresses at which a site publishes its ways in."""
    places = tuple(place for one in site.fact("published").values() for place in one.places)
    try:
        return known_addresses(places, site.fact("resolutions"))
    except NotSeen:
        return places


def tried(deployment, host, found, where, at):
    """The verdict on a name that was resolved: to a standby, to the active site alone, or to what no site publishes.

    Inside a cluster a name may lead elsewhere than for users, so only an answer from outside shows where they are led.
    """
    subject = deployment.subject.at(host)
    at = [*at, *((one, "addresses", ", ".join(one.addresses) or "none") for one in found)]
    addresses = sorted({address for one in found for address in one.addresses})
    if not addresses:
        text = f"{host} does not resolve ({found[0].by})"
        told = resolved_at(deployment.active, host) is not None and not deployment.active.passive  # then its own check of names says so
        return skip(subject, text, follows=NAME_LEADS) if told else to_attest(subject, f"{text}: show that it leads to {where} alone", at=at)
    text = f"{host} leads to {', '.join(addresses)} ({found[0].by})"
    for site in deployment.sites:
        led_there = [address for address in addresses if site.passive and among(address, own_addresses(site))]
        if led_there:
            want, fix = wanted(f"{where} alone"), task(f"Take {', '.join(led_there)} of {site.name} out of what {host} leads to")
            return fail(subject, host, seen=f"{text}, of which {', '.join(led_there)} is {site.name}, which stands by", wanted=want, at=at, fix=fix)
    active = deployment.active
    own = () if active.passive else own_addresses(active)
    if own and all(among(address, own) for address in addresses) and all(one.outside for one in found):
        return ok(subject, host, seen=f"{text}, {active.name} alone", at=at)
    where_not = "" if own and all(among(address, own) for address in addresses) else ", which no audited site publishes"
    return to_attest(subject, f"{text}{where_not}: show that it leads to {where} alone", measured=host, at=at)


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
