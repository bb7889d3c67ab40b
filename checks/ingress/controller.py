"""The class and the controller behind it."""

from __future__ import annotations

from exivity_audit import HIGH, MEDIUM, at_least, check, fail, maybe, ok, one_of, patch, reasons_of, seen, task, unknown, values, wanted, warn
from exivity_audit.facts.controllers import CLASS_STRINGS, OTHER_STRINGS, base_of, class_of, repository, serving
from exivity_audit.lifecycle import ended

from .shared import day, distinct, hidden, malformed, no_controller, other_ways, unserved, without_ingress

FORKS = {"rancher": "Rancher's build", "bitnami": "Bitnami's build", "chainguard": "Chainguard's build"}


WAYS_OUT = (
    "Move to a controller that is maintained (Traefik, HAProxy, F5 NGINX) or to Gateway API: install it beside, then set `ingress.ingressClassName`"
)


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
    if not any(pod.ready for taker in takers for pod in taker.pods):
        return unknown(ingress, f"{text} by its status, but no ready pod of it was seen: run the audit again", at=evidence)
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
        last = lifecycle.controller(controller.product, controller.version)
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
