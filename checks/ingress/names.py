"""Where a host leads, as a probe resolved it."""

from __future__ import annotations

from exivity_audit import Role, fail, ok, seen, skip, task, to_attest, wanted
from exivity_audit.facts.probing import among, known_addresses, of_host, same_address

TRAFFIC_LEADS = "disaster_recovery/traffic"
ATTEST = "and record it in `evidence.yaml`"


def leading_verdict(subject, way, host, at, resolutions, published, settings):
    """The verdict on a name that may be right: by the probe where there was one, else a person's word."""
    passive = settings.role is Role.PASSIVE
    found = of_host(resolutions, host) if seen(resolutions) else None
    if found is None or (found.failure is not None and found.failure.kind != "unresolved"):
        lost = f" ({found.by}: {found.failure.reason})" if found is not None else ""
        what = f"does not lead to this site{lost}" if passive else f"leads to this cluster{lost}"
        return to_attest(subject, f"show that {host} {what}, {ATTEST}", measured=host, at=at)
    places = published[way.subject]
    if found.failure is not None:
        return unresolved_verdict(subject, host, at, found, passive)
    text = f"leads to {', '.join(found.addresses)} ({found.by})"
    at = [*at, (found, "addresses", ", ".join(found.addresses)), *places.at]
    own = known_addresses(places.places, resolutions)
    if passive:
        return passive_verdict(subject, host, text, at, found, own, places)
    declared = settings.declare.ingress.addresses
    if within(found, [*own, *places.places], [*known_addresses(declared, resolutions), *declared]):
        return ok(subject, host, seen=text, at=at)
    here = f"this cluster publishes {', '.join(places.places)}" if places.places else "what this cluster publishes was not seen"
    if declared:
        fix = task(f"Point {host} at {', '.join(declared)} in your DNS, or correct `declare.ingress.addresses`")
        return fail(subject, host, seen=text, wanted=wanted(f"the declared {', '.join(declared)}"), at=at, fix=fix)
    why = f"{host} {text}, {here}: show that it leads to this cluster, {ATTEST}, or declare it in `declare.ingress.addresses`"
    return to_attest(subject, why, measured=host, at=at)


def unresolved_verdict(subject, host, at, found, passive):
    """A name that does not resolve at all: nobody reaches the product; at the passive site nobody is led there."""
    text, at = f"does not resolve ({found.by})", [*at, (found, "failure.kind", "unresolved")]
    if passive:
        return ok(subject, host, seen=text, at=at, remark="so it does not lead to this site")
    return fail(subject, host, seen=text, wanted=wanted("a name that resolves"), at=at, fix=task(f"Have {host} served by your DNS"))


def passive_verdict(subject, host, text, at, found, own, places):
    """At the passive site the name must lead elsewhere."""
    if any(among(address, own) for address in found.addresses):
        return skip(subject, f"{host} {text}, this site", follows=TRAFFIC_LEADS)
    if not places.places or not places.whole:
        return to_attest(subject, f"{host} {text}, what this site publishes was not seen: show that it does not lead here, {ATTEST}", at=at)
    return ok(subject, host, seen=f"{text}, not to this site", at=at)


def within(found, *groups):
    """Whether a name ends at one of the names, or all its addresses are among the addresses."""
    places = [place for group in groups for place in group]
    ends = any(same_address(found.canonical, place) for place in places) if found.canonical and found.canonical != found.host else False
    return ends or (bool(found.addresses) and all(among(address, places) for address in found.addresses))
