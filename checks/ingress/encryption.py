"""TLS on the way in: an entry for the host, its certificate, and no plain HTTP."""

from __future__ import annotations

from itertools import pairwise

from exivity_audit import (
    CRITICAL,
    HIGH,
    Duration,
    Purpose,
    Scenario,
    at_least,
    chart,
    check,
    fail,
    maybe,
    ok,
    patch,
    print_duration,
    reasons_of,
    seen,
    skip,
    task,
    to_attest,
    unknown,
    values,
    wanted,
    warn,
)
from exivity_audit.facts.balancers import in_front
from exivity_audit.facts.certificates import Kind, termination
from exivity_audit.facts.controllers import Product, serving
from exivity_audit.facts.ingresses import covered
from exivity_audit.facts.proxying import hsts, redirect

from .shared import class_missing, day, hidden, hosts_of, named, unserved, without_ingress

TLS_LEADER = "ingress/tls"


LEAST_BITS = {"RSA": 2048, "EC": 256}


WEAK_SIGNATURES = ("sha1", "md5")


UPSTREAM = "TLS ends upstream of the cluster"


@check(
    "tls",
    severity=CRITICAL,
    clauses=("F6", "K5"),
    attest="connect to the host over TLS at the load balancer and attach the handshake (`openssl s_client`)",
)
def tls(
    product_ingresses, ingress_classes, release, settings, controllers=maybe, ingress_secrets=maybe, tls_stores=maybe, default_secrets=maybe,
    http_routes=maybe, openshift_routes=maybe,
):  # fmt: skip
    """TLS ends at the ingress with a key pair that fits.

    Logins, tokens and cost data cross this line; without TLS anyone on the way reads them.

    Fix: set `ingress.tls.enabled: true` and name a Secret of type kubernetes.io/tls in `ingress.tls.secret`.
    """
    if not product_ingresses:
        yield without_ingress(product_ingresses, release, http_routes, openshift_routes)
    for ingress, host, subject in hosts_of(product_ingresses):
        if settings.declare.ingress.tls == "upstream":
            yield to_attest(subject, f"{UPSTREAM}: show the handshake there, and record it in `evidence.yaml`", at=[(ingress, "spec.tls")])
            continue
        found = ends(ingress, host, ingress_classes, controllers, ingress_secrets, tls_stores, default_secrets)
        if found.kind is Kind.HIDDEN:
            yield hidden(subject, found.seen, found.reasons or reasons_of(controllers))
        elif found.kind in (Kind.SECRET, Kind.DEFAULT):
            yield ok(subject, found.seen, at=found.at)
        elif found.kind is Kind.NONE and not seen(openshift_routes):
            yield unknown(subject, f"{found.seen}, and OpenShift Routes: not built yet")
        else:
            want = wanted("a Secret of type kubernetes.io/tls with a matching pair")
            yield fail(subject, found.seen, wanted=want, at=found.at, fix=tls_fix(ingress, host, found))


def ends(ingress, host, classes, controllers, secrets, stores, defaults):
    """Where TLS ends for a host, with the controllers that serve it where these are known."""
    takers = serving(ingress, classes, controllers) if seen(controllers) else ()
    known = takers if takers or (seen(controllers) and class_missing(ingress, classes)) else None
    return termination(ingress, host, secrets, known, stores, defaults)


def tls_fix(ingress, host, found):
    """Give the host a TLS entry, or its Secret what is missing."""
    if found.kind is Kind.NONE:
        if ingress.own:
            return values("ingress.tls.enabled", True) & values("ingress.tls.secret", "exivity-tls")
        return patch(
            ingress,
            {"spec": {"tls": [{"hosts": [host], "secretName": "exivity-tls"}]}},
            f"Add a TLS entry for {host} with its Secret to {ingress.subject}",
        )
    return task(f"Create {found.named} anew with `kubectl create secret tls`, from the chain and the key for {host}")


@check("certificate", severity=CRITICAL, clauses=("K5",), attest="attach the chain that the load balancer sends (`openssl s_client -showcerts`)")
def certificate(
    product_ingresses, ingress_classes, release, settings, thresholds, now, controllers=maybe, ingress_secrets=maybe, tls_stores=maybe,
    default_secrets=maybe, certificates=maybe, http_routes=maybe, openshift_routes=maybe,
):  # fmt: skip
    """The certificate covers the host, and is valid and whole.

    An expired, foreign or incomplete chain stops browsers, extractors and API clients at once; the generated one is trusted by nobody.

    Fix: put a certificate of your PKI, or one that cert-manager renews, with its full chain into the Secret.
    """
    if not product_ingresses:
        yield without_ingress(product_ingresses, release, http_routes, openshift_routes)
    served = {}
    for ingress, host, subject in hosts_of(product_ingresses):
        if settings.declare.ingress.tls == "upstream":
            yield to_attest(subject, f"{UPSTREAM}: show the certificate there, and record it in `evidence.yaml`", at=[(ingress, "spec.tls")])
            continue
        found = ends(ingress, host, ingress_classes, controllers, ingress_secrets, tls_stores, default_secrets)
        if found.kind is Kind.BROKEN or (found.kind is Kind.NONE and seen(openshift_routes)):
            yield skip(subject, found.seen, follows=TLS_LEADER)
        elif found.secret is None:
            also = "" if seen(certificates) else "; the status of cert-manager's Certificate: not built yet"
            yield hidden(subject, f"{found.seen}: its certificate was not read{also}", found.reasons or reasons_of(controllers))
        else:
            served.setdefault(found.secret.subject, (found.secret, []))[1].append(host)
    for _, (secret, hosts) in sorted(served.items()):
        yield certificate_verdict(
            secret, [host for host in hosts if host], settings, days_of(thresholds["certificate.days"]), now, seen(certificates)
        )


def days_of(value):
    """A threshold in days: 30, "30" or "30d"."""
    return Duration(float(str(value).removesuffix("d")) * 86400)


def certificate_verdict(secret, hosts, settings, least, now, certificates_seen):
    """The verdict on one Secret: the gravest thing wrong with its chain, or how long it still holds."""
    leaf = secret.chain[0]
    for measured, want, fix in broken(secret, hosts, now):
        return fail(secret, measured, wanted=want, at="data", fix=fix)
    replace = task(
        f"Put a certificate for {', '.join(hosts) or 'the host'} of your PKI, or one that cert-manager renews, with its chain into {secret.subject}"
    )
    if leaf.issuer == chart.GENERATED_ISSUER:
        return generated(
            secret,
            settings,
            task(f"Name a Secret with a certificate of your PKI or of cert-manager in `ingress.tls.secret`, in place of {secret.subject}"),
        )
    for measured, want, fix in weak(secret):
        return fail(secret, measured, wanted=want, at="data", fix=fix)
    left = Duration((min(one.not_after for one in secret.chain if not one.self_signed or one is leaf) - now).total_seconds())
    text = f"valid until {day(leaf.not_after)}, {print_duration(left)} left"
    if left <= least and secret.managed and not certificates_seen:
        return unknown(secret, f"{text}; whether cert-manager renews in time: not built yet")
    if left <= least:
        return warn(secret, left, seen=text, wanted=at_least(least), at="data", fix=replace)
    if leaf.self_signed:
        return warn(
            secret,
            "self-signed",
            seen=f"self-signed, {text}",
            wanted=wanted("a certificate of an authority that clients trust"),
            at="data",
            fix=replace,
        )
    return ok(secret, left, seen=f"{leaf.issuer or leaf.issuer_name}, {text}, {leaf.key_type} {leaf.key_bits}", at="data")


def generated(secret, settings, fix):
    """The chart's own certificate: fails in production, is accepted for evaluation."""
    measured, want = f"made by the chart ({chart.GENERATED_ISSUER})", wanted("a certificate of your PKI or of cert-manager")
    if settings.purpose is not Purpose.EVALUATION:
        return fail(secret, measured, wanted=want, at="data", fix=fix)
    remark = "fail in production, accepted for evaluation"
    if settings.scenario.used is Scenario.SINGLE_NODE:
        return ok(secret, measured, at="data", remark=remark)
    return warn(secret, measured, wanted=want, at="data", fix=fix, remark=remark)


def broken(secret, hosts, now):
    """What stops every client at once: a foreign name, or a certificate outside its time."""
    leaf = secret.chain[0]
    missing = [host for host in hosts if not covered(host, leaf.hosts)]
    if missing:
        fix = task(f"Have the certificate in {secret.subject} issued anew with {', '.join(missing)} among its subject alternative names")
        yield f"for {', '.join(leaf.hosts) or 'no name'}", wanted(f"names that cover {', '.join(missing)}"), fix
    for one in secret.chain:
        name = named(one)
        renew = task(f"Renew the certificate of {name} in {secret.subject}")
        if one.self_signed and one is not leaf:
            continue
        if one.not_after <= now:
            yield f"{name} expired on {day(one.not_after)}", wanted("a certificate that is valid now"), renew
        elif one.not_before > now:
            yield f"{name} is valid from {day(one.not_before)}", wanted("a certificate that is valid now"), renew


def weak(secret):
    """What many clients refuse: a chain with a gap, a short key, an old digest."""
    chain = secret.chain
    fill = task(f"Write into `tls.crt` of {secret.subject} the certificate first, then each certificate that signed the one before it")
    for one, above in pairwise(chain):
        if one.issuer_name != above.subject_name:
            yield (
                f"{named(one)} is followed by {named(above)}, not by {one.issuer or one.issuer_name}",
                wanted("a chain in order"),
                fill,
            )
    if len(chain) == 1 and not chain[0].self_signed and secret.root != chain[0].issuer_name:
        yield f"alone, without {chain[0].issuer or chain[0].issuer_name}", wanted("a complete chain"), fill
    for number, one in enumerate(chain):
        name, least = named(one), LEAST_BITS.get(one.key_type)
        again = task(f"Have the certificate of {name} in {secret.subject} issued anew with RSA 2048 or P-256 and SHA-256")
        if least is None or one.key_bits < least:
            yield f"{name} has a key {one.key_type} {one.key_bits}", wanted("RSA 2048 or P-256, or more"), again
        if one.signature in WEAK_SIGNATURES and (number == 0 or not one.self_signed):
            yield f"{name} is signed with {one.signature.upper()}", wanted("SHA-256 or better"), again


REDIRECT_ANNOTATIONS = {
    Product.INGRESS_NGINX: "nginx.ingress.kubernetes.io/force-ssl-redirect", Product.F5_NGINX: "nginx.org/ssl-redirect",
    Product.HAPROXY_TECHNOLOGIES: "haproxy.org/ssl-redirect", Product.HAPROXY_INGRESS: "haproxy-ingress.github.io/ssl-redirect",
}  # fmt: skip


@check("plain-http", severity=HIGH, clauses=("F6",), attest="request the host on port 80 at the load balancer and attach the answer (`curl -sI`)")
def plain_http(
    product_ingresses, ingress_classes, release, settings, controllers=maybe, ingress_secrets=maybe, tls_stores=maybe, default_secrets=maybe,
    middlewares=maybe, balancers=maybe, http_routes=maybe, openshift_routes=maybe,
):  # fmt: skip
    """Plain HTTP is redirected to HTTPS, or not served.

    A page that also answers on port 80 gives away the first login of everyone who types the name without https.

    Fix: redirect HTTP to HTTPS at the controller's entry point, or annotate the Ingress for it.
    """
    if not product_ingresses:
        yield without_ingress(product_ingresses, release, http_routes, openshift_routes)
    for ingress, host, subject in hosts_of(product_ingresses):
        if settings.declare.ingress.tls == "upstream":
            yield to_attest(subject, f"{UPSTREAM}: show that port 80 redirects there, and record it in `evidence.yaml`", at=[(ingress, "spec.tls")])
            continue
        found = ends(ingress, host, ingress_classes, controllers, ingress_secrets, tls_stores, default_secrets)
        if found.kind is Kind.BROKEN or (found.kind is Kind.NONE and seen(openshift_routes)):
            yield skip(subject, found.seen, follows=TLS_LEADER)
            continue
        verdict = unserved(subject, ingress, ingress_classes, controllers)
        yield (
            verdict
            if verdict is not None
            else http_verdict(subject, ingress, host, serving(ingress, ingress_classes, controllers), middlewares, balancers)
        )


def http_verdict(subject, ingress, host, takers, middlewares, balancers):
    """The verdict on one host: a controller that serves plain HTTP, one that could not be seen, or all that redirect."""
    settings = [
        (taker, redirect(ingress, host, taker, middlewares, in_front(taker, balancers) if seen(balancers) and balancers.complete else ()))
        for taker in takers
    ]
    for taker, one in settings:
        if one.holds is False:
            return fail(subject, one.seen, wanted=wanted("a redirect to https, or no HTTP"), at=one.at, fix=redirect_fix(ingress, taker))
    for _, one in settings:
        if one.holds is None:
            return hidden(subject, one.seen, one.reasons)
    plain = all(hsts(ingress, taker, middlewares) for taker in takers)
    text = "; ".join(sorted({one.seen for _, one in settings}))
    return ok(subject, text, at=[place for _, one in settings for place in one.at], remark="" if plain else "Strict-Transport-Security was not seen")


def redirect_fix(ingress, controller):
    """Switch the redirect on: Traefik by its entry point, the others by an annotation that the chart's values reach."""
    name = REDIRECT_ANNOTATIONS.get(controller.product)
    if name is None:
        return task(f"Set `--entryPoints.web.http.redirections.entryPoint.to=websecure` and `.scheme=https` on {controller.subject}")
    if ingress.own:
        return values(f"ingress.annotations[{name}]", "true")
    return patch(ingress, {"metadata": {"annotations": {name: "true"}}}, f'Annotate {ingress.subject} with `{name}: "true"`')
