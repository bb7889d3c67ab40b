"""The class and the controller behind it."""

from __future__ import annotations

from exivity_audit import HIGH, MEDIUM, Role, at_least, check, fail, malformed, ok, one_of, skip, task, unknown, values, wanted, warn
from exivity_audit.facts.controllers import CLASS_STRINGS, OTHER_STRINGS, base_of, class_of, repository
from exivity_audit.facts.gateway_ways import GatewayRoute
from exivity_audit.facts.ingresses import Ingress
from exivity_audit.facts.openshift import standing
from exivity_audit.facts.ways_in import gateways_of
from exivity_audit.lifecycle import ended

from .remedies import WAYS_OUT, class_fix, standing_fix
from .shared import day, hidden, unserved, without_way

FORKS = {"rancher": "Rancher's build", "bitnami": "Bitnami's build", "chainguard": "Chainguard's build"}
TLS_LEADER, STANDBY_LEADER = "ingress/tls", "disaster_recovery/standby-ingress"


@check("class", severity=HIGH, clauses=("K5", "F3"))
def ingress_class(ways_in, ingress_classes, attendance, release, settings):
    """The Ingress has a class whose controller is ready.

    Without a class that exists no controller takes the Ingress, and the product answers nowhere. An HTTPRoute that its Gateway accepts, or an
    OpenShift Route that a router admits, serves as well.

    Fix: set `ingress.ingressClassName` to the class of a running controller.
    """
    if not ways_in and settings.role is Role.PASSIVE:
        ways_in.surely()
        yield skip(release, "no Ingress leads to the product", follows=STANDBY_LEADER)
    elif not ways_in:
        ways_in.surely()
        yield fail(release, "no Ingress", wanted=wanted("an Ingress that leads to the product"), fix=values("ingress.enabled", True))
    for way in ways_in:
        served = attendance.of(way)
        yield class_verdict(way, ingress_classes, served) if isinstance(way, Ingress) else standing_verdict(way, served)
    yield from malformed(attendance.unreadable)


def class_verdict(ingress, classes, served):
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
    if served.reasons:
        return hidden(ingress, "the controller's pods were not read", served.reasons)
    if not served.takers and one is None:
        return fail(
            ingress,
            ingress.class_name,
            seen=f"annotation {ingress.class_name}, no such class and no controller takes it",
            wanted=one_of(*names or ["a class that exists"]),
            at="metadata.annotations[kubernetes.io/ingress.class]",
            fix=class_fix(ingress, names),
        )
    if not served.takers:
        return unknown(ingress, served.why, at=evidence)
    found, text = readiness(ingress, served.takers, evidence)
    if found is not None:
        return found
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


def readiness(way, takers, evidence):
    """The verdict where the pods of those who serve a way in are not all ready, else None; and how many are, in words."""
    ready, desired = sum(taker.workload.ready for taker in takers), sum(taker.desired for taker in takers)
    text = ", ".join(f"{taker.product} {taker.workload.ready} of {taker.desired} ready" for taker in takers)
    evidence += [(taker, "status", f"{taker.workload.ready} ready") for taker in takers]
    if ready == 0 or ready < desired:
        verdict = fail if ready == 0 else warn
        names = ", ".join(f"{taker.subject.kind} {taker.namespace}/{taker.workload.name}" for taker in takers)
        fix = task(f"Bring the pods of {names} up")
        return verdict(way, ready, seen=text, wanted=at_least(max(desired, 1)), at=evidence, fix=fix), text
    if not any(pod.ready for taker in takers for pod in taker.pods):
        return unknown(way, f"{text} by its status, but no ready pod of it was seen: run the audit again", at=evidence), text
    return None, text


def standing_verdict(way, served):
    """The verdict on an HTTPRoute or Route: whether what answers at the edge takes it, and is ready."""
    gateway = isinstance(way, GatewayRoute)
    found = way.standing if gateway else (standing(way),)
    evidence = [place for one in found for place in one.at]
    for one in found:
        if one.holds is False and gateway and way.left_to_tls:
            return skip(way, one.seen, follows=TLS_LEADER)
        if one.holds is False:
            want = wanted("a Gateway that accepts it" if gateway else "a router that admits it")
            return fail(way, one.seen, wanted=want, at=one.at, fix=standing_fix(way))
    for one in found:
        if one.holds is None:
            return hidden(way, one.seen, one.reasons)
    words = "; ".join(one.seen for one in found)
    strange = [item.class_name for item, product in gateways_of(way) if product is None] if gateway else []
    if strange:
        return warn(
            way, ", ".join(strange), seen=f"{words}, of a controller that is not known", at=evidence,
            wanted=wanted("the controller of a product known for production"),
            fix=task(f"Confirm the controller of {strange[0]} with Exivity support"),
        )  # fmt: skip
    if served.reasons:
        return hidden(way, "the controller's pods were not read", served.reasons)
    if not served.takers:
        return ok(way, words, at=evidence, remark=f"by its conditions: {served.why}")
    trouble, text = readiness(way, served.takers, evidence)
    return trouble or ok(way, words, seen=f"{words}: {text}", at=evidence)


@check("controller-supported", severity=MEDIUM, clauses=("F3", "D5"))
def controller_supported(ways_in, attendance, release, lifecycle, now):
    """The ingress controller is still maintained.

    It stands at the edge: a flaw found after the end of support is never mended, and it is open to everyone who can reach the host.

    Fix: move to a maintained controller or to Gateway API.
    """
    if not ways_in:
        yield without_way(ways_in, release)
        return
    for way in ways_in:
        verdict = unserved(way.subject, attendance.of(way))
        if verdict is not None:
            yield by_class(way) or verdict
    yield from malformed(attendance.unreadable)
    for controller in attendance.takers:
        yield support_verdict(controller, lifecycle, now)


def by_class(way):
    """The verdict on a Gateway whose product runs no workload of its own that could be looked at: told by its class."""
    known = gateways_of(way) if isinstance(way, GatewayRoute) else ()
    if not known or any(product is None for _, product in known):
        return None
    at = [(gateway, "spec.gatewayClassName", gateway.class_name) for gateway, _ in known]
    return ok(way, ", ".join(sorted({str(product) for _, product in known})), at=at, remark="told by its GatewayClass: no image of it was seen")


def support_verdict(controller, lifecycle, now):
    """The verdict on what answers at the edge, by its image."""
    at = [(controller, "spec.template.spec.containers[].image", controller.image)]
    name = f"{controller.product} {controller.version}".strip()
    last = lifecycle.controller(controller.product, controller.version)
    fork = next((text for part, text in FORKS.items() if part in repository(controller.image)), None)
    remark = "" if controller.by_image else f"told by its label: the image {controller.image} is not known"
    if last is None or not ended(last, now):
        return ok(controller, name, at=at, remark=remark)
    risk = (
        "; snippets are allowed, which widens what an attacker can do" if (controller.config or {}).get("allow-snippet-annotations") == "true" else ""
    )
    text = f"{name}, {fork}; the project ended on {day(last)}" if fork else f"{name}, ended on {day(last)}"
    fix = task(f"Ask who maintains {fork[:-8]}'s build of {controller.product} until when, and plan the move: {WAYS_OUT}") if fork else task(WAYS_OUT)
    return warn(controller, name, seen=text + risk, wanted=wanted("a controller that still gets fixes"), at=at, fix=fix, remark=remark)
