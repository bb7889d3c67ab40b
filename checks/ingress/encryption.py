"""TLS on the way in: an entry for the host, and no plain HTTP."""

from __future__ import annotations

from exivity_audit import CRITICAL, HIGH, Status, check, fail, maybe, ok, seen, skip, to_attest, wanted
from exivity_audit.facts.certificates import Kind
from exivity_audit.facts.probing import among

from .remedies import redirect_fix, tls_fix
from .served import answered, handshake_of, no_tls, plain_verdict, shown_pair
from .shared import LEADER, hidden, hosts_of, unserved, without_way

TLS_LEADER = "ingress/tls"


UPSTREAM = "TLS ends upstream of the cluster"


@check(
    "tls",
    severity=CRITICAL,
    clauses=("F6", "K5"),
    attest="connect to the host over TLS at the load balancer and attach the handshake (`openssl s_client`)",
)
def tls(ways_in, terminations, release, settings, handshakes=maybe):
    """TLS ends at the ingress with a key pair that fits.

    Logins, tokens and cost data cross this line; without TLS anyone on the way reads them.

    Fix: set `ingress.tls.enabled: true` and name a Secret of type kubernetes.io/tls in `ingress.tls.secret`.
    """
    if not ways_in:
        yield without_way(ways_in, release)
    for way, host, subject in hosts_of(ways_in):
        shown = handshake_of(handshakes, host, settings.role)
        without = no_tls(subject, shown) if shown is not None else None
        if settings.declare.ingress.tls == "upstream":
            yield without or upstream_verdict(subject, way, shown)
            continue
        found = terminations.of(way, host)
        if found.kind is Kind.NOWHERE:
            yield skip(subject, found.seen, follows=LEADER)
        elif without is not None and found.kind in (Kind.HIDDEN, Kind.SECRET, Kind.DEFAULT):
            yield without
        elif found.kind is Kind.HIDDEN and shown_pair(shown, host):
            at = [*found.at, (shown, "protocol", shown.protocol)]
            yield ok(subject, shown.protocol, seen=f"{shown.protocol} with a certificate for it ({shown.by})", at=at, remark=found.seen)
        elif found.kind is Kind.HIDDEN:
            yield hidden(subject, found.seen, found.reasons)
        elif found.kind in (Kind.SECRET, Kind.DEFAULT):
            spoken = f", {shown.protocol} ({shown.by})" if shown is not None and shown.failure is None else ""
            yield ok(subject, f"{found.seen}{spoken}", at=[*found.at, *([(shown, "protocol", shown.protocol)] if spoken else [])])
        else:
            want = wanted("a Secret of type kubernetes.io/tls with a matching pair")
            yield fail(subject, found.seen, wanted=want, at=found.at, fix=tls_fix(way, host, found))


def upstream_verdict(subject, way, shown):
    """The verdict where TLS ends before the cluster: by a handshake there, else a person's word."""
    if shown is None or shown.failure is not None:
        lost = f" ({shown.by}: {shown.failure.reason})" if shown is not None else ""
        return to_attest(subject, f"{UPSTREAM}: show the handshake there{lost}, and record it in `evidence.yaml`", at=[(way, way.tls_at)])
    return ok(subject, shown.protocol, seen=f"{UPSTREAM}, {shown.protocol} ({shown.by})", at=[(way, way.tls_at), (shown, "protocol", shown.protocol)])


@check("plain-http", severity=HIGH, clauses=("F6",), attest="request the host on port 80 at the load balancer and attach the answer (`curl -sI`)")
def plain_http(ways_in, terminations, attendance, plain_answers, release, settings, web_answers=maybe, handshakes=maybe, published=maybe):
    """Plain HTTP is redirected to HTTPS, or not served.

    A page that also answers on port 80 gives away the first login of everyone who types the name without https.

    Fix: redirect HTTP to HTTPS at the controller's entry point, or annotate the Ingress for it.
    """
    if not ways_in:
        yield without_way(ways_in, release)
    for way, host, subject in hosts_of(ways_in):
        plain = answered(web_answers, "http", host, "/", settings.role)
        tried = plain_verdict(subject, plain, handshake_of(handshakes, host, settings.role), answered(web_answers, "https", host, "/", settings.role))
        if settings.declare.ingress.tls == "upstream":
            yield tried or to_attest(
                subject, f"{UPSTREAM}: show that port 80 redirects there, and record it in `evidence.yaml`", at=[(way, way.tls_at)]
            )
            continue
        found = terminations.of(way, host)
        if found.kind in (Kind.BROKEN, Kind.NONE, Kind.NOWHERE):
            yield skip(subject, found.seen, follows=LEADER if found.kind is Kind.NOWHERE else TLS_LEADER)
            continue
        answers = plain_answers.of(way, host)
        configured = http_verdict(subject, way, answers) if answers else unserved(subject, attendance.of(way))
        yield both(configured, tried, plain is not None and here(plain, published, way))


def here(answer, published, way):
    """Whether an answer came from an address that this way in publishes."""
    return seen(published) and among(answer.address, published[way.subject].places)


def both(configured, tried, own):
    """What is set and what was tried as one verdict: the graver one; what was tried at its own address decides."""
    if tried is None:
        return configured
    if configured.status is Status.FAIL and tried.status is Status.PASS:
        if own:
            return tried.with_evidence(configured).with_remark(f"though set otherwise: {configured.measured_text}")
        return configured.with_evidence(tried).with_remark(f"tried: {tried.measured_text}, at an address that this cluster does not publish")
    if configured.status is Status.PASS and tried.status is Status.PASS:
        text = f"{configured.measured_text}; {tried.measured_text}"
        return ok(configured.subject, text, remark=tried.remark).with_evidence(configured, tried)
    return configured if configured.status is Status.FAIL else tried.with_evidence(configured)


def http_verdict(subject, way, answers):
    """The verdict on one host: somebody who serves plain HTTP, one who could not be seen, or all who redirect."""
    for one in answers:
        if one.setting.holds is False:
            want = wanted("a redirect to https, or no HTTP")
            return fail(subject, one.setting.seen, wanted=want, at=one.setting.at, fix=redirect_fix(way, one.controller))
    for one in answers:
        if one.setting.holds is None:
            return hidden(subject, one.setting.seen, one.setting.reasons)
    text = "; ".join(sorted({one.setting.seen for one in answers}))
    at = [place for one in answers for place in one.setting.at]
    return ok(subject, text, at=at, remark="" if all(one.hsts for one in answers) else "Strict-Transport-Security was not seen")
