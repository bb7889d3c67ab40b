"""What a client is served: the handshake and the answers that probes saw, turned into verdicts."""

from __future__ import annotations

from exivity_audit import Duration, Purpose, Role, Scenario, at_least, chart, fail, ok, print_duration, seen, task, unknown, wanted, warn
from exivity_audit.facts.ingresses import covered
from exivity_audit.facts.probing import answer_of, of_host

from .chain import broken, weak
from .shared import day

ANSWERED = ("tls", "protocol", "closed")  # failures of a server that was reached
CA_FILE = "probes.ca_file in the config"
TRUSTED = "a certificate of an authority that clients trust"


def handshake_of(handshakes, host, role):
    """The handshake with a host; None where there was none, or at the passive site: there the name leads to the other one."""
    return of_host(handshakes, host) if host and seen(handshakes) and role is not Role.PASSIVE else None


def answered(answers, scheme, host, place, role):
    """The answer of a URL, under the same rule."""
    return answer_of(answers, scheme, host, place) if host and seen(answers) and role is not Role.PASSIVE else None


def served_fix(host):
    """Where TLS ends for clients, which need not be the Secret that was read."""
    return task(f"Put a certificate of your PKI for {host}, with its full chain, where TLS ends for https://{host}")


def no_tls(subject, found):
    """The verdict on a host that answers, but not as a browser takes it; None where it does, or was not reached."""
    want, fix = wanted("a handshake of TLS 1.2 or newer"), task(f"Switch TLS 1.2 and 1.3 on where TLS ends for https://{found.host}")
    if found.failure is not None:
        if found.failure.kind not in ANSWERED:
            return None
        text = f"no TLS handshake: {found.failure.reason} ({found.by})"
        return fail(subject, text, wanted=want, at=[(found, "failure.kind", found.failure.kind)], fix=fix)
    if not found.old:
        return None
    return fail(subject, found.protocol, seen=f"{found.protocol} alone ({found.by})", wanted=want, at=[(found, "protocol", found.protocol)], fix=fix)


def shown_pair(found, host):
    """Whether a handshake proves that a pair for the host is there: who finishes one holds the key of the certificate that it sent."""
    return found is not None and found.failure is None and not found.old and bool(found.chain) and covered(host, found.chain[0].hosts)


def same_leaf(found, secret):
    """Whether a host serves the certificate of a Secret."""
    return bool(found.chain) and bool(secret.chain) and found.chain[0] == secret.chain[0]


def certificate_served(subject, found, host, settings, limits, now):
    """The verdict on the chain that a host sends: what stops clients, what may be trusted elsewhere, or how long it holds."""
    at = [(found, "chain.certificates[]", "; ".join(one.common_name or one.subject_name for one in found.chain) or "none")]
    fix, leaf = served_fix(host), found.chain[0] if found.chain else None
    if leaf is None:
        return unknown(subject, f"the certificate that was sent could not be read ({found.by})", at=at)
    for measured, want, _ in broken(found, [host], now):
        return fail(subject, f"{measured} ({found.by})", wanted=want, at=at, fix=fix)
    left = Duration((min(one.not_after for one in found.chain if not one.self_signed or one is leaf) - now).total_seconds())
    text = f"valid until {day(leaf.not_after)}, {print_duration(left)} left ({found.by})"
    if leaf.issuer == chart.GENERATED_ISSUER:
        return generated(subject, f"made by the chart ({found.by})", settings, at, fix)
    if not found.verified:
        return untrusted(subject, found, leaf, text, at, fix)
    for measured, want, _ in weak(found):
        return fail(subject, f"{measured} ({found.by})", wanted=want, at=at, fix=fix)
    if left <= limits.least:
        return warn(subject, left, seen=text, wanted=at_least(limits.least), at=at, fix=fix)
    return ok(subject, left, seen=f"{leaf.issuer or leaf.issuer_name}, {text}", at=at)


def generated(subject, measured, settings, at, fix):
    """The chart's own certificate: fails in production, is accepted for evaluation."""
    want, remark = wanted("a certificate of your PKI or of cert-manager"), "fail in production, accepted for evaluation"
    if settings.purpose is not Purpose.EVALUATION:
        return fail(subject, measured, wanted=want, at=at, fix=fix)
    if settings.scenario.used is Scenario.SINGLE_NODE:
        return ok(subject, measured, at=at, remark=remark)
    return warn(subject, measured, wanted=want, at=at, fix=fix, remark=remark)


def untrusted(subject, found, leaf, text, at, fix):
    """A chain that a browser on this machine refuses."""
    if leaf.self_signed:
        return warn(subject, "self-signed", seen=f"self-signed, {text}", wanted=wanted(TRUSTED), at=at, fix=fix)
    for measured, want, _ in weak(found) if found.trouble == "weak" else ():
        return fail(subject, f"{measured} ({found.by})", wanted=want, at=at, fix=fix)
    if found.trouble == "incomplete":
        words = f"sent alone, without {leaf.issuer or leaf.issuer_name} ({found.by})"
        return fail(subject, words, wanted=wanted("a complete chain"), at=at, fix=fix, remark=f"or its authority is missing in {CA_FILE}")
    if found.trouble in ("unknown-authority", "untrusted", ""):
        above = found.chain[-1]
        name = (above.common_name or above.subject_name) if above.self_signed else (above.issuer or above.issuer_name)
        return unknown(subject, f"{text}; {name} is not an authority that this machine trusts", needs=(CA_FILE,), at=at)
    return fail(subject, f"{found.trouble} ({found.by})", wanted=wanted(TRUSTED), at=at, fix=fix)


def plain_verdict(subject, plain, handshake, secure):
    """The verdict on what port 80 answers; None where nothing can be told."""
    if plain is None:
        return None
    remark = "" if secure is not None and secure.failure is None and secure.hsts else "Strict-Transport-Security was not seen"
    if plain.failure is not None:
        other = handshake is not None and handshake.failure is None
        if other and plain.failure.kind in ("refused", "timeout"):
            how = "refuses" if plain.failure.kind == "refused" else "does not answer"
            return ok(subject, f"port 80 {how}, 443 answers ({plain.by})", at=[(plain, "failure.kind", plain.failure.kind)], remark=remark)
        return None
    at = [(plain, "status", plain.status)]
    if plain.to_https:
        at += [(plain, "location.host", plain.redirect.host)]
        elsewhere = f"to another host, {plain.redirect.host}" if plain.redirect.host != plain.host else ""
        text = f"{plain.status} to https ({plain.by})"
        return ok(subject, plain.status, seen=text, at=at, remark="; ".join(note for note in (elsewhere, remark) if note))
    if plain.status in (401, 407) or plain.status < 400:
        where = f" to {plain.redirect.scheme or 'nowhere'}" if plain.redirect is not None else ""
        fix = task(f"Redirect http://{plain.host} to https where it is answered")
        return fail(
            subject,
            plain.status,
            seen=f"answers {plain.status}{where} ({plain.by})",
            wanted=wanted("a redirect to https, or no HTTP"),
            at=at,
            fix=fix,
        )
    if plain.status < 500:
        return ok(subject, plain.status, seen=f"answers {plain.status}, no page ({plain.by})", at=at, remark=remark)
    return None


def wrong_answer(path, service, found):
    """What is wrong with the answer of a path that leads to the right Service; empty where nothing can be told, or it is right."""
    if found is None or found.failure is not None:
        return ""
    if found.status in (502, 503, 504):
        return f"{found.status}, nothing behind it"
    if path == "/" and (found.status == 404 or (found.content == "json" and 200 <= found.status < 300)):
        return f"{found.status} {found.content}, no page"
    if path != "/" and found.content == "html" and 200 <= found.status < 300:
        return f"{found.status} with a page, not {service}"
    return ""


def right_answer(path, found):
    """Whether an answer is surely that of the right service: a page, or JSON."""
    if found is None or found.failure is not None:
        return False
    return found.content == "html" and 200 <= found.status < 300 if path == "/" else found.content == "json" and found.status < 500
