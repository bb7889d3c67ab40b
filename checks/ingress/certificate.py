"""The certificate on the way in: what stands in the Secret, and what cert-manager says of it."""

from __future__ import annotations

from typing import NamedTuple

from exivity_audit import (  # fmt: skip
    CRITICAL,
    NEW_SECRET,
    Duration,
    at_least,
    chart,
    check,
    fail,
    maybe,
    ok,
    print_duration,
    reasons_of,
    seen,
    skip,
    task,
    to_attest,
    unknown,
    wanted,
    warn,
)
from exivity_audit.facts.cert_manager import Managed, keeper_of
from exivity_audit.facts.certificates import Kind
from exivity_audit.facts.ingresses import covered
from exivity_audit.facts.openshift import GENERATED_ISSUER as ROUTER_ISSUER

from .chain import broken, weak
from .encryption import TLS_LEADER, UPSTREAM
from .served import certificate_served, generated, handshake_of, same_leaf
from .shared import LEADER, day, hidden, hosts_of, without_way


class Limits(NamedTuple):
    """Days a certificate must still be valid, and days left at which a renewal that is overdue fails."""

    least: Duration
    urgent: Duration


@check("certificate", severity=CRITICAL, clauses=("K5",), attest="attach the chain that the load balancer sends (`openssl s_client -showcerts`)")
def certificate(ways_in, terminations, release, settings, thresholds, now, managed_certificates=maybe, handshakes=maybe):
    """The certificate covers the host, and is valid and whole.

    An expired, foreign or incomplete chain stops browsers, extractors and API clients at once; the generated one is trusted by nobody.

    Fix: put a certificate of your PKI, or one that cert-manager renews, with its full chain into the Secret.
    """
    if not ways_in:
        yield without_way(ways_in, release)
    limits = Limits(days_of(thresholds["certificate.days"]), days_of(thresholds["certificate.urgent"]))
    served, kept = {}, {}
    for way, host, subject in hosts_of(ways_in):
        shown = handshake_of(handshakes, host, settings.role)
        if settings.declare.ingress.tls == "upstream":
            yield upstream_verdict(subject, way, host, shown, settings, limits, now)
            continue
        found = terminations.of(way, host)
        sent = shown is not None and shown.failure is None and not shown.old
        keeper = keeper_of(found.named, managed_certificates)
        if found.kind in (Kind.BROKEN, Kind.NONE, Kind.NOWHERE):
            yield skip(subject, found.seen, follows=LEADER if found.kind is Kind.NOWHERE else TLS_LEADER)
        elif found.secret is not None and found.secret.chain:
            served.setdefault(found.secret.subject, (found.secret, keeper, []))[2].append(host)
            if sent and not same_leaf(shown, found.secret):
                yield certificate_served(subject, shown, host, settings, limits, now).with_remark(f"not the one in {found.secret.subject}")
        elif isinstance(keeper, Managed):
            kept.setdefault(keeper.subject, (keeper, found.seen, []))[2].append(host)
            if sent:
                yield certificate_served(subject, shown, host, settings, limits, now)
        elif sent:
            yield certificate_served(subject, shown, host, settings, limits, now)
        else:
            reasons = found.reasons or reasons_of(managed_certificates)
            yield hidden(subject, f"{found.seen}: its certificate was not read", reasons)
    for _, (secret, keeper, hosts) in sorted(served.items(), key=lambda item: item[0]):
        yield certificate_verdict(secret, keeper, [host for host in hosts if host], settings, limits, now, managed_certificates)
    for _, (keeper, why, hosts) in sorted(kept.items(), key=lambda item: item[0]):
        yield keeper_verdict(keeper, why, [host for host in hosts if host], limits, now)


def upstream_verdict(subject, way, host, shown, settings, limits, now):
    """The verdict where TLS ends before the cluster: by the chain that was sent there, else a person's word."""
    if shown is not None and shown.old:
        return skip(subject, f"{shown.protocol} alone", follows=TLS_LEADER)
    if shown is None or shown.failure is not None:
        lost = f" ({shown.by}: {shown.failure.reason})" if shown is not None else ""
        return to_attest(subject, f"{UPSTREAM}: show the certificate there{lost}, and record it in `evidence.yaml`", at=[(way, way.tls_at)])
    return certificate_served(subject, shown, host, settings, limits, now)


def days_of(value):
    """A threshold in days: 30, "30" or "30d"."""
    return Duration(float(str(value).removesuffix("d")) * 86400)


def certificate_verdict(secret, keeper, hosts, settings, limits, now, managed_certificates):
    """The verdict on one Secret: the gravest thing wrong with its chain, what its keeper says, or how long it still holds."""
    leaf, place = secret.chain[0], secret.place
    for measured, want, fix in broken(secret, hosts, now):
        return fail(secret, measured, wanted=want, at=place, fix=fix)
    if leaf.issuer == chart.GENERATED_ISSUER:
        fix = task(
            f"Name a Secret with a certificate of your PKI or of cert-manager in `ingress.tls.secret`, in place of {secret.subject}",
            fill="ingress.tls.secret",
            needs=NEW_SECRET,
        )
        return generated(secret.subject, f"made by the chart ({chart.GENERATED_ISSUER})", settings, [(secret, place)], fix)
    if not leaf.issuer.startswith(ROUTER_ISSUER):  # one that nobody trusts is told below, whatever its chain
        for measured, want, fix in weak(secret):
            return fail(secret, measured, wanted=want, at=place, fix=fix)
    kept = kept_verdict(secret, keeper, limits, now, managed_certificates)
    return kept or lasting_verdict(secret, hosts, limits, now)


def remaining(secret, now):
    """How long the chain still holds: as long as the certificate of it that ends first."""
    leaf = secret.chain[0]
    return Duration((min(one.not_after for one in secret.chain if not one.self_signed or one is leaf) - now).total_seconds())


def kept_verdict(secret, keeper, limits, now, managed_certificates):
    """The verdict where cert-manager keeps the Secret and has more to say than its chain; else None."""
    leaf, left = secret.chain[0], remaining(secret, now)
    text = f"valid until {day(leaf.not_after)}, {print_duration(left)} left"
    if secret.managed and not seen(managed_certificates):
        return hidden(secret, f"{text}; whether cert-manager renews it was not seen", reasons_of(managed_certificates))
    if not isinstance(keeper, Managed):
        odd = keeper is not None and (secret.managed or left <= limits.least)
        return unknown(secret, f"{text}; whether cert-manager renews in time was not seen: {keeper.subject} is malformed") if odd else None
    own = keeper.describes(leaf.not_after)
    if own or keeper.ready.status == "False":
        trouble = renewal_trouble(keeper, secret, limits.urgent, now)
        if trouble is not None:
            return trouble
    if not own or left > limits.least or keeper.renewal is None or leaf.self_signed:
        return None
    at = [(secret, secret.place), (keeper, "status.renewalTime", day(keeper.renewal))]
    text = f"{text}, {keeper.subject} renews it on {day(keeper.renewal)}"
    if keeper.issuer_hidden:
        return hidden(secret, f"{text}, by {keeper.issuer}, which was not read", keeper.issuer_hidden)
    if keeper.issuer_ready is not None and keeper.issuer_ready.status != "True":
        want = wanted("an issuer that is Ready")
        return warn(secret, left, seen=f"{text}, but {keeper.issuer} is not ready", wanted=want, at=at, fix=task(f"Bring {keeper.issuer} up"))
    return ok(secret, left, seen=text, at=at)


def lasting_verdict(secret, hosts, limits, now):
    """The verdict on a chain that is whole: how long it holds, and whether clients trust who made it."""
    leaf, place, left = secret.chain[0], secret.place, remaining(secret, now)
    text = f"valid until {day(leaf.not_after)}, {print_duration(left)} left"
    replace = task(
        f"Put a certificate for {', '.join(hosts) or 'the host'} of your PKI, or one that cert-manager renews, with its chain into {secret.subject}"
    )
    if left <= limits.least:
        return warn(secret, left, seen=text, wanted=at_least(limits.least), at=place, fix=replace)
    if leaf.self_signed or leaf.issuer.startswith(ROUTER_ISSUER):
        words, measured = ("self-signed", "self-signed") if leaf.self_signed else (f"made by OpenShift ({leaf.issuer})", "made by OpenShift")
        want = wanted("a certificate of an authority that clients trust")
        return warn(secret, measured, seen=f"{words}, {text}", wanted=want, at=place, fix=replace)
    return ok(secret, left, seen=f"{leaf.issuer or leaf.issuer_name}, {text}, {leaf.key_type} {leaf.key_bits}", at=place)


def renewal_trouble(keeper, about, urgent, now):
    """What cert-manager says is wrong with a certificate that still holds: it is not as asked for, or its renewal is overdue; else None."""
    state = [(keeper, "status.conditions", f"Ready {keeper.ready.said}")]
    repair = task(
        f"Have cert-manager issue {keeper.subject} anew: `cmctl status certificate {keeper.name} -n {keeper.namespace}` says what hinders it"
    )
    if keeper.ready.status == "False":
        text = f"{keeper.subject} is not ready{f': {keeper.ready.reason}' if keeper.ready.reason else ''}"
        return fail(about, text, wanted=wanted("a Certificate that is Ready"), at=state, fix=repair)
    if keeper.ready.status != "True":
        return unknown(about, f"{keeper.subject} does not say whether it is ready", at=state)
    if not keeper.late(now):
        return None
    left = Duration((keeper.not_after - now).total_seconds())
    failed = f", {keeper.failures} attempts failed" if keeper.failures else ""
    issuer = f", {keeper.issuer} is not ready" if keeper.issuer_ready is not None and keeper.issuer_ready.status == "False" else ""
    text = f"the renewal of {keeper.subject} was due on {day(keeper.renewal)}{failed}{issuer}, {print_duration(left)} left"
    at = [(keeper, "status.renewalTime", day(keeper.renewal)), (keeper, "status.notAfter", day(keeper.not_after))]
    verdict = fail if left <= urgent else warn
    return verdict(about, left, seen=text, wanted=wanted("a renewal when it is due"), at=at, fix=repair)


def keeper_verdict(keeper, why, hosts, limits, now):
    """The verdict by cert-manager alone, where its Secret could not be read."""
    at = [
        (keeper, "status.notAfter", day(keeper.not_after) if keeper.not_after else "none"),
        (keeper, "status.conditions", f"Ready {keeper.ready.said}"),
    ]
    missing = [host for host in hosts if not covered(host, keeper.hosts)]
    if missing:
        fix = task(f"Add {', '.join(missing)} to `spec.dnsNames` of {keeper.subject}")
        want = wanted(f"names that cover {', '.join(missing)}")
        return fail(
            keeper, f"for {', '.join(keeper.hosts) or 'no name'}", wanted=want, at=[(keeper, "spec.dnsNames", ", ".join(keeper.hosts))], fix=fix
        )
    if keeper.not_after is None:
        return unknown(keeper, f"{why}, and the Certificate does not say until when it is valid", at=at)
    if keeper.not_after <= now:
        fix = task(f"Have cert-manager issue {keeper.subject} anew")
        return fail(keeper, f"expired on {day(keeper.not_after)}", wanted=wanted("a certificate that is valid now"), at=at, fix=fix)
    trouble = renewal_trouble(keeper, keeper, limits.urgent, now)
    if trouble is not None:
        return trouble
    left = Duration((keeper.not_after - now).total_seconds())
    text = f"Ready, valid until {day(keeper.not_after)}, {print_duration(left)} left"
    if left <= limits.least and keeper.renewal is None:
        return warn(keeper, left, seen=text, wanted=at_least(limits.least), at=at, fix=task(f"Renew {keeper.subject}"))
    return ok(keeper, left, seen=text, at=at, remark=f"told by cert-manager: {why}, so its chain was not looked at")
