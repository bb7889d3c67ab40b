"""What several checks of the row share: when no Ingress or no controller is known."""

from __future__ import annotations

from exivity_audit import reasons_of, seen, skip, unknown
from exivity_audit.facts.controllers import OTHER_STRINGS, class_of, serving

LEADER = "ingress/class"


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


def named(one):
    """A certificate by its common name, else by its whole subject."""
    return one.common_name or one.subject_name
