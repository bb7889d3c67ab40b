"""TLS on the way in: an entry for the host, and no plain HTTP."""

from __future__ import annotations

from exivity_audit import CRITICAL, HIGH, check, fail, ok, skip, to_attest, wanted
from exivity_audit.facts.certificates import Kind

from .remedies import redirect_fix, tls_fix
from .shared import LEADER, hidden, hosts_of, unserved, without_way

TLS_LEADER = "ingress/tls"


UPSTREAM = "TLS ends upstream of the cluster"


@check(
    "tls",
    severity=CRITICAL,
    clauses=("F6", "K5"),
    attest="connect to the host over TLS at the load balancer and attach the handshake (`openssl s_client`)",
)
def tls(ways_in, terminations, release, settings):
    """TLS ends at the ingress with a key pair that fits.

    Logins, tokens and cost data cross this line; without TLS anyone on the way reads them.

    Fix: set `ingress.tls.enabled: true` and name a Secret of type kubernetes.io/tls in `ingress.tls.secret`.
    """
    if not ways_in:
        yield without_way(ways_in, release)
    for way, host, subject in hosts_of(ways_in):
        if settings.declare.ingress.tls == "upstream":
            yield to_attest(subject, f"{UPSTREAM}: show the handshake there, and record it in `evidence.yaml`", at=[(way, way.tls_at)])
            continue
        found = terminations.of(way, host)
        if found.kind is Kind.NOWHERE:
            yield skip(subject, found.seen, follows=LEADER)
        elif found.kind is Kind.HIDDEN:
            yield hidden(subject, found.seen, found.reasons)
        elif found.kind in (Kind.SECRET, Kind.DEFAULT):
            yield ok(subject, found.seen, at=found.at)
        else:
            want = wanted("a Secret of type kubernetes.io/tls with a matching pair")
            yield fail(subject, found.seen, wanted=want, at=found.at, fix=tls_fix(way, host, found))


@check("plain-http", severity=HIGH, clauses=("F6",), attest="request the host on port 80 at the load balancer and attach the answer (`curl -sI`)")
def plain_http(ways_in, terminations, attendance, plain_answers, release, settings):
    """Plain HTTP is redirected to HTTPS, or not served.

    A page that also answers on port 80 gives away the first login of everyone who types the name without https.

    Fix: redirect HTTP to HTTPS at the controller's entry point, or annotate the Ingress for it.
    """
    if not ways_in:
        yield without_way(ways_in, release)
    for way, host, subject in hosts_of(ways_in):
        if settings.declare.ingress.tls == "upstream":
            yield to_attest(subject, f"{UPSTREAM}: show that port 80 redirects there, and record it in `evidence.yaml`", at=[(way, way.tls_at)])
            continue
        found = terminations.of(way, host)
        if found.kind in (Kind.BROKEN, Kind.NONE, Kind.NOWHERE):
            yield skip(subject, found.seen, follows=LEADER if found.kind is Kind.NOWHERE else TLS_LEADER)
            continue
        answers = plain_answers.of(way, host)
        yield http_verdict(subject, way, answers) if answers else unserved(subject, attendance.of(way))


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
