"""Ingress: a supported controller serves the product's host over TLS, and forwards who asks."""

from __future__ import annotations

import ipaddress
from itertools import pairwise

from exivity_audit import (
    CRITICAL,
    HIGH,
    MEDIUM,
    Duration,
    Purpose,
    Role,
    Scenario,
    Subject,
    at_least,
    chart,
    check,
    exactly,
    fail,
    maybe,
    ok,
    one_of,
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
from exivity_audit.facts.balancers import in_front, provider_of
from exivity_audit.facts.certificates import Kind, termination
from exivity_audit.facts.controllers import CLASS_STRINGS, OTHER_STRINGS, Product, base_of, class_of, repository, serving
from exivity_audit.facts.ingresses import covered
from exivity_audit.facts.proxying import believes_everyone, hsts, redirect
from exivity_audit.lifecycle import ended

LEADER = "ingress/class"
TLS_LEADER = "ingress/tls"
ROUTES = {"/": "glass", "/v1/": "proximity-api", "/v2/": "proximity-api"}
LEAST_BITS = {"RSA": 2048, "EC": 256}
WEAK_SIGNATURES = ("sha1", "md5")
FORKS = {"rancher": "Rancher's build", "bitnami": "Bitnami's build", "chainguard": "Chainguard's build"}
WAYS_OUT = (
    "Move to a controller that is maintained (Traefik, HAProxy, F5 NGINX) or to Gateway API: install it beside, then set `ingress.ingressClassName`"
)
WIDEST_SUGGESTION = 8


# What several checks share


def day(moment):
    """A date as the report prints it."""
    return f"{moment.day} {moment:%b %Y}"


def hidden(about, what, reasons):
    """Unknown, with why it was not read and what would show it."""
    why = "; ".join(reason.text for reason in reasons)
    return unknown(about, f"{what}: {why}" if why else what, needs=tuple(need for reason in reasons for need in reason.needs))


def without_ingress(found, release, http_routes, openshift_routes):
    """The verdict where no Ingress leads to the product: not built yet where another way in is served, else the leader's finding."""
    found.surely()
    other = other_ways(http_routes, openshift_routes)
    if other:
        return unknown(release, f"no Ingress leads to the product, and {' and '.join(other)}: not built yet")
    return skip(release, "no Ingress leads to the product", follows=LEADER)


def other_ways(http_routes, openshift_routes):
    """Other ways in whose API the cluster serves."""
    return [name for name, read in (("Gateway API", http_routes), ("OpenShift Routes", openshift_routes)) if not seen(read)]


def class_missing(ingress, classes):
    """Whether the class is not named, or surely does not exist."""
    return ingress.class_name is None or (class_of(ingress, classes) is None and classes.complete)


def unserved(about, ingress, classes, controllers):
    """The verdict of a check about the controller where none is known; None where one is."""
    if not seen(controllers):
        return hidden(about, "its controller was not read", reasons_of(controllers))
    if serving(ingress, classes, controllers):
        return None
    if class_missing(ingress, classes):
        return skip(about, "its controller is not known", follows=LEADER)
    one = class_of(ingress, classes)
    return unknown(about, no_controller(one.controller if one else "its class"))


def no_controller(controller):
    """Why no controller is known for a class's controller string."""
    other = next((name for start, name in OTHER_STRINGS.items() if controller.startswith(start)), None)
    return f"{other}: not built yet" if other else f"no workload with the labels of a known controller's chart serves {controller}"


def hosts_of(found):
    """Each Ingress with each of its hosts, and the subject of their verdict."""
    for ingress in found:
        for host in ingress.hosts or ("",):
            yield ingress, host, ingress.subject.at(host or "any host")


def malformed(controllers):
    """An unknown for each controller that could not be read for what it holds."""
    for odd in controllers.unreadable if seen(controllers) else ():
        yield unknown(odd.subject, f"malformed: {odd.why}")


def distinct(found, classes, controllers):
    """The controllers that serve the product, each once; none where they were not read."""
    known = {}
    if not seen(controllers):
        return []
    for ingress in found:
        for controller in serving(ingress, classes, controllers):
            known.setdefault(controller.subject, controller)
    return [known[subject] for subject in sorted(known)]


@check("class", severity=HIGH, clauses=("K5", "F3"))
def ingress_class(product_ingresses, ingress_classes, release, controllers=maybe, http_routes=maybe, openshift_routes=maybe):
    """The Ingress has a class whose controller is ready.

    Without a class that exists no controller takes the Ingress, and the product answers nowhere.

    Fix: set `ingress.ingressClassName` to the class of a running controller.
    """
    if not product_ingresses:
        product_ingresses.surely()
        if other_ways(http_routes, openshift_routes):
            yield without_ingress(product_ingresses, release, http_routes, openshift_routes)
        else:
            yield fail(release, "no Ingress", wanted=wanted("an Ingress that leads to the product"), fix=values("ingress.enabled", True))
    for ingress in product_ingresses:
        yield class_verdict(ingress, ingress_classes, controllers)
    yield from malformed(controllers)


def class_verdict(ingress, classes, controllers):
    """The verdict on the class of one Ingress."""
    at, one = "spec.ingressClassName", class_of(ingress, classes)
    names = sorted(item.name for item in classes)
    if ingress.class_name is None:
        return fail(ingress, "none", wanted=wanted("the name of an IngressClass"), at=at, fix=class_fix(ingress, names))
    if one is None and not classes.complete:
        return hidden(ingress, f"the class {ingress.class_name} was not read", classes.partial)
    if one is None and not ingress.legacy:
        return fail(
            ingress,
            ingress.class_name,
            seen=f"{ingress.class_name}, no such class",
            wanted=one_of(*names or ["a class that exists"]),
            at=at,
            fix=class_fix(ingress, names),
        )
    base = base_of(one.controller)[0] if one else ""
    evidence = [(ingress, at, ingress.class_name), *([(one, "spec.controller", one.controller)] if one else [])]
    if one and base not in CLASS_STRINGS and not any(one.controller.startswith(start) for start in OTHER_STRINGS):
        return warn(
            ingress, one.controller, wanted=wanted("the controller of a product known for production"), at=evidence,
            fix=task(f"Confirm {one.controller} with Exivity support, or set `ingress.ingressClassName` to a class of Traefik, NGINX or HAProxy"),
        )  # fmt: skip
    if not seen(controllers):
        return hidden(ingress, "the controller's pods were not read", reasons_of(controllers))
    takers = serving(ingress, classes, controllers)
    if not takers and one is None:
        return fail(
            ingress,
            ingress.class_name,
            seen=f"annotation {ingress.class_name}, no such class and no controller takes it",
            wanted=one_of(*names or ["a class that exists"]),
            at="metadata.annotations[kubernetes.io/ingress.class]",
            fix=class_fix(ingress, names),
        )
    if not takers:
        return unknown(ingress, no_controller(one.controller), at=evidence)
    ready, desired = sum(taker.workload.ready for taker in takers), sum(taker.desired for taker in takers)
    text = ", ".join(f"{taker.product} {taker.workload.ready} of {taker.desired} ready" for taker in takers)
    evidence += [(taker, "status", f"{taker.workload.ready} ready") for taker in takers]
    if ready == 0 or ready < desired:
        verdict = fail if ready == 0 else warn
        names = ", ".join(f"{taker.subject.kind} {taker.namespace}/{taker.workload.name}" for taker in takers)
        return verdict(ingress, ready, seen=text, wanted=at_least(max(desired, 1)), at=evidence, fix=task(f"Bring the pods of {names} up"))
    if one is None:
        return warn(
            ingress,
            ingress.class_name,
            seen=f"annotation {ingress.class_name}, no IngressClass",
            wanted=wanted("`spec.ingressClassName` with an IngressClass"),
            at=evidence,
            fix=class_fix(ingress, names),
        )
    remark = "named by the legacy annotation" if ingress.legacy else ""
    return ok(ingress, ingress.class_name, seen=f"{ingress.class_name}: {text}", remark=remark, at=evidence)


def class_fix(ingress, names):
    """Set the class: by the chart where it made the Ingress."""
    if not names:
        return task("Install an ingress controller with its IngressClass and set `ingress.ingressClassName` to it")
    if len(names) > 1:
        return task(f"Set `ingress.ingressClassName` to one of {', '.join(names)}")
    if ingress.own:
        return values("ingress.ingressClassName", names[0])
    return patch(ingress, {"spec": {"ingressClassName": names[0]}}, f"Set `spec.ingressClassName: {names[0]}` on {ingress.subject}")


@check("controller-supported", severity=MEDIUM, clauses=("F3", "D5"))
def controller_supported(product_ingresses, ingress_classes, release, lifecycle, now, controllers=maybe, http_routes=maybe, openshift_routes=maybe):
    """The ingress controller is still maintained.

    It stands at the edge: a flaw found after the end of support is never mended, and it is open to everyone who can reach the host.

    Fix: move to a maintained controller or to Gateway API.
    """
    if not product_ingresses:
        yield without_ingress(product_ingresses, release, http_routes, openshift_routes)
        return
    for ingress in product_ingresses:
        verdict = unserved(ingress.subject, ingress, ingress_classes, controllers)
        if verdict is not None:
            yield verdict
    yield from malformed(controllers)
    for controller in distinct(product_ingresses, ingress_classes, controllers):
        at = [(controller, "spec.template.spec.containers[].image", controller.image)]
        name = f"{controller.product} {controller.version}".strip()
        last = support_end(controller, lifecycle)
        fork = next((text for part, text in FORKS.items() if part in repository(controller.image)), None)
        remark = "" if controller.by_image else f"told by its label: the image {controller.image} is not known"
        if last is None or not ended(last, now):
            yield ok(controller, name, at=at, remark=remark)
            continue
        risk = (
            "; snippets are allowed, which widens what an attacker can do"
            if (controller.config or {}).get("allow-snippet-annotations") == "true"
            else ""
        )
        text = f"{name}, {fork}; the project ended on {day(last)}" if fork else f"{name}, ended on {day(last)}"
        fix = (
            task(f"Ask who maintains {fork[:-8]}'s build of {controller.product} until when, and plan the move: {WAYS_OUT}")
            if fork
            else task(WAYS_OUT)
        )
        yield warn(controller, name, seen=text + risk, wanted=wanted("a controller that still gets fixes"), at=at, fix=fix, remark=remark)


def support_end(controller, lifecycle):
    """The last day of support by product, or by product and major version."""
    key = str(controller.product).lower().replace(" ", "-")
    major = controller.version.lstrip("v").partition(".")[0]
    return lifecycle.ingress_controllers.get(key) or lifecycle.ingress_controllers.get(f"{key}-{major}")


@check("routes", severity=HIGH, clauses=("K5",))
def routes(product_ingresses, product_endpoints, release, settings, http_routes=maybe, openshift_routes=maybe):
    """Each path leads to its service with ready endpoints.

    The page comes from glass and everything in it from the API under `/v1/` and `/v2/`; a path that leads elsewhere breaks the product.

    Fix: route `/` to glass, `/v1/` and `/v2/` to proximity-api, and bring their pods up.
    """
    if not product_ingresses:
        yield without_ingress(product_ingresses, release, http_routes, openshift_routes)
    by_host = {}
    for ingress, host, _ in hosts_of(product_ingresses):
        by_host.setdefault(host, []).extend((ingress, route) for route in ingress.routes if route.host == host)
        by_host[host] = by_host[host] or [(ingress, None)]
    page = {host for host, found in by_host.items() if any(route and route.serves("/") for _, route in found)}
    for host, found in sorted(by_host.items()):
        for path, component in ROUTES.items():
            fitting = [(ingress, route) for ingress, route in found if route and route.serves(path)]
            if fitting or host in page or not page:
                yield route_verdict(host, path, f"{release.fullname}-{component}", fitting, found[0][0], product_endpoints, settings.role)


def route_verdict(host, path, service, fitting, first, endpoints, role):
    """The verdict on one path of one host."""
    ingress, route = fitting[0] if fitting else (first, None)
    subject, at = ingress.subject.at(f"{host}{path}"), [(ingress, "spec.rules[].http.paths", route.service if route else "none")]
    if route is None or route.service != service:
        text = route.service or "no Service" if route else "no such path"
        return fail(subject, text, wanted=exactly(service), at=at, fix=route_fix(ingress, path, service))
    if role is Role.PASSIVE:
        return ok(subject, service, at=at, remark="endpoints are not looked at on the passive site")
    slices = [one for one in endpoints if one.service == service]
    named = [one for one in slices if not isinstance(route.port, str) or not one.ports or route.port in one.ports]
    ready = sum(one.ready for one in named)
    if ready:
        return ok(subject, ready, seen=f"{service}, {ready} ready", at=[*at, *((one, "endpoints[].conditions.ready", one.ready) for one in named)])
    if not endpoints.complete:
        return hidden(subject, f"{service}: its endpoints were not read whole", endpoints.partial)
    text = f"{service} has no port {route.port}" if slices and not named else f"{service}, none ready"
    fix = (
        route_fix(ingress, path, service)
        if slices and not named
        else task(f"Bring a pod of {service} up: `kubectl get pods` shows why none is ready")
    )
    return fail(subject, 0, seen=text, wanted=at_least(1, note="ready endpoints"), at=at, fix=fix)


def route_fix(ingress, path, service):
    """Route a path to its Service: the chart's own Ingress has no other routes."""
    if ingress.own:
        return task("Upgrade the release: the chart routes `/` to glass, `/v1/` and `/v2/` to proximity-api, so the Ingress was changed by hand")
    return task(f"Route `{path}` with pathType Prefix to {service}, port `http`, in {ingress.subject}")


@check("dns", severity=HIGH, clauses=("K5",), attest="resolve the host from where users sit and attach the answer with the published address")
def dns(product_ingresses, release, settings, http_routes=maybe, openshift_routes=maybe):
    """The host is a name that leads to this cluster.

    Users reach the product by this name, and its certificate stands for it; a shipped example or a bare address serves nobody.

    Fix: set `ingress.host` to the name that your DNS serves.
    """
    if not product_ingresses:
        yield without_ingress(product_ingresses, release, http_routes, openshift_routes)
    for ingress, host, subject in hosts_of(product_ingresses):
        at, fix = [(ingress, "spec.rules[].host", host or "none")], host_fix(ingress)
        want = wanted("a name that your DNS serves")
        kind, text = host_kind(host)
        if kind == "fail":
            yield fail(subject, host or "none", seen=text, wanted=want, at=at, fix=fix)
        elif kind == "warn":
            yield warn(subject, host, seen=text, wanted=want, at=at, fix=fix)
        elif settings.role is Role.PASSIVE:
            yield to_attest(subject, f"show that {host} does not lead to this site, and record it in `evidence.yaml`", measured=host, at=at)
        else:
            yield to_attest(subject, f"show that {host} leads to this cluster, and record it in `evidence.yaml`", measured=host, at=at)


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


def host_fix(ingress):
    """Name the host: by the chart where it made the Ingress."""
    return task(
        "Set `ingress.host` to the name that your DNS serves"
        if ingress.own
        else f"Set `spec.rules[].host` of {ingress.subject} to the name that your DNS serves"
    )


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


def named(one):
    """A certificate by its common name, else by its whole subject."""
    return one.common_name or one.subject_name


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


@check("trusted-proxy", severity=HIGH, clauses=("K5",))
def trusted_proxies(
    product_ingresses, ingress_classes, release, trusted_proxy, nodes=maybe, controllers=maybe, http_routes=maybe, openshift_routes=maybe
):
    """The API trusts the ingress controllers as its proxies.

    Otherwise every user seems to come from the controller's address, links turn to http, and sessions and audit records name the wrong client.

    Fix: set `ingress.trustedProxy` to the pod network of the ingress controllers.
    """
    if not product_ingresses:
        yield without_ingress(product_ingresses, release, http_routes, openshift_routes)
        return
    takers = distinct(product_ingresses, ingress_classes, controllers)
    decided = static_verdict(trusted_proxy, takers, nodes)
    if decided is not None:
        yield decided
    elif not takers:
        yield unserved(trusted_proxy.subject, next(iter(product_ingresses)), ingress_classes, controllers)
    else:
        yield coverage_verdict(trusted_proxy, takers, nodes)
    yield from malformed(controllers)
    for controller in takers:
        one = believes_everyone(controller)
        if one.holds is None:
            yield hidden(controller, one.seen, one.reasons)
        elif one.holds:
            yield warn(
                controller, one.seen, wanted=wanted("forwarded headers from the load balancer alone"), at=one.at, fix=BELIEF_FIXES[controller.product]
            )
        else:
            yield ok(controller, one.seen, at=one.at)


BELIEF_FIXES = {
    Product.TRAEFIK: task("Set Traefik's `forwardedHeaders.trustedIPs` to the load balancer's addresses on each entry point, and drop `insecure`"),
    Product.INGRESS_NGINX: task("Set `proxy-real-ip-cidr` in the ConfigMap of ingress-nginx to the load balancer's addresses"),
    Product.F5_NGINX: task("Set `set-real-ip-from` in the ConfigMap of F5 NGINX to the load balancer's addresses"),
    Product.HAPROXY_TECHNOLOGIES: task("Drop `src-ip-header` and set `proxy-protocol` in the ConfigMap of HAProxy to the load balancer's addresses"),
    Product.HAPROXY_INGRESS: task("Set `forwardfor: add` in the ConfigMap of HAProxy Ingress"),
}


def network(text):
    """An address or range; None where it is neither."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


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
    return warn(proxy, wide[0], seen=f"{wide[0]}, everyone", wanted=want, at=at, fix=fix) if wide else None


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
    """Whether every range lies in one of the networks."""
    return all(any(one.version == network(item).version and network(item).subnet_of(one) for one in networks) for item in ranges)


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
    return task("Set `ingress.trustedProxy` to the pod network of the cluster (`--cluster-cidr`)")


TO_CONFIRM = "confirm it with the platform team, and record it in `evidence.yaml`"


@check("load-balancer", severity=MEDIUM, clauses=("B8", "A6"), attest="confirm the load balancer with the platform team and attach their answer")
def load_balancer(
    product_ingresses, ingress_classes, release, balancers, nodes, scenario, settings, controllers=maybe, address_pools=maybe,
    http_routes=maybe, openshift_routes=maybe,
):  # fmt: skip
    """A load balancer stands before the ingress controllers.

    A name that leads to one node, or to a controller on one node, is down as long as that node is.

    Fix: publish the controllers by a Service of type LoadBalancer that gets an address, and run them on two nodes.
    """
    if not product_ingresses:
        yield without_ingress(product_ingresses, release, http_routes, openshift_routes)
        return
    for ingress in product_ingresses:
        verdict = unserved(ingress.subject, ingress, ingress_classes, controllers)
        if verdict is not None:
            yield verdict
    yield from malformed(controllers)
    published = {address for ingress in product_ingresses for address in ingress.addresses} - {
        address for node in nodes for address in node.addresses
    }
    judged = set()
    for controller in distinct(product_ingresses, ingress_classes, controllers):
        if scenario is not Scenario.SINGLE_NODE:
            yield spread_verdict(controller)
        fronts = in_front(controller, balancers)
        loads = [one for one in fronts if one.kind == "LoadBalancer"]
        for one in loads:
            if one.subject not in judged:
                judged.add(one.subject)
                yield from service_verdicts(one, nodes, address_pools)
        if not loads:
            yield bare_verdict(controller, fronts, balancers, settings, sorted(published))


def spread_verdict(controller):
    """On how many nodes a controller runs."""
    places = sorted({pod.node for pod in controller.pods if pod.running and pod.node})
    at = [(controller, "spec.replicas", controller.desired)]
    if len(places) >= 2:
        return ok(controller, len(places), seen=f"on {len(places)} nodes", at=at)
    fix = task(f"Run two pods of {controller.subject} on different nodes: two replicas with a topology spread constraint")
    return warn(
        controller, len(places), seen=f"on {len(places)} node{'' if len(places) == 1 else 's'}", wanted=at_least(2, note="nodes"), at=at, fix=fix
    )


def service_verdicts(one, nodes, address_pools):
    """A Service of type LoadBalancer: its address, and who gave it."""
    at = [(one, "status.loadBalancer.ingress", ", ".join(one.addresses) or "none")]
    if not one.addresses:
        fix = task(f"Give {one.subject} an address: a cloud or hardware integration, or MetalLB with a pool that is advertised")
        yield fail(one, "no address", wanted=wanted("an address from the load balancer"), at=at, fix=fix)
        return
    text = ", ".join(one.addresses)
    provider = provider_of(one, nodes) or (None if seen(address_pools) else "MetalLB")
    if provider is None:
        yield ok(one, text, at=at)
        return
    yield to_attest(one, f"{text} from {provider}: {TO_CONFIRM}", measured=text, at=at)
    if provider == "MetalLB":
        yield unknown(
            Subject(one.subject.kind, one.subject.name, one.subject.namespace, "advertisement"), "whether MetalLB advertises the pool: not built yet"
        )


def bare_verdict(controller, fronts, balancers, settings, published):
    """A controller without a Service of type LoadBalancer: its node or host ports behind a balancer that the site declares."""
    declared = settings.declare.ingress.addresses or settings.declare.ingress.tls == "upstream"
    about = fronts[0] if fronts else controller.subject.at("balancer")
    ports = ", ".join(str(port) for port in controller.host_ports)
    text = (
        "a NodePort" if any(one.kind == "NodePort" for one in fronts) else "external addresses" if fronts else f"host ports {ports}" if ports
        else "the host network" if controller.host_network else "reachable inside the cluster alone"
    )  # fmt: skip
    at = [(one, "spec.type", one.kind) for one in fronts] or [(controller, "spec.template.spec.containers[].ports", text)]
    if declared:
        return to_attest(about, f"{text} behind a declared balancer: {TO_CONFIRM}", measured=text, at=at)
    balancers.surely()
    if published:
        return unknown(about, f"{text}; the Ingress shows {published[0]}, which no Service with the labels of the controller's chart carries", at=at)
    want = wanted("a Service of type LoadBalancer, or a balancer declared in `ingress.addresses`")
    fix = task(
        f"Publish {controller.subject} by a Service of type LoadBalancer, or declare the balancer in `declare.ingress.addresses` and attest it"
    )
    return fail(about, text, wanted=want, at=at, fix=fix)
