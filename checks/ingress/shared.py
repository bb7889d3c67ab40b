"""What several checks of the row share: when no way in or nobody who serves it is known."""

from __future__ import annotations

from exivity_audit import skip, unknown

LEADER = "ingress/class"


def day(moment):
    """A date as the report prints it."""
    return f"{moment.day} {moment:%b %Y}"


def hidden(about, what, reasons):
    """Unknown, with why it was not read and what would show it."""
    why = "; ".join(reason.text for reason in reasons)
    return unknown(about, f"{what}: {why}" if why else what, needs=tuple(need for reason in reasons for need in reason.needs))


def without_way(found, release):
    """The verdict where nothing leads to the product: the leader's finding."""
    found.surely()
    return skip(release, "no Ingress leads to the product", follows=LEADER)


def unserved(about, served):
    """The verdict of a check about who serves a way in where nobody is known; None where somebody is."""
    if served.takers:
        return None
    if served.reasons:
        return hidden(about, "its controller was not read", served.reasons)
    if served.missing:
        return skip(about, "its controller is not known", follows=LEADER)
    return unknown(about, served.why)


def hosts_of(found):
    """Each way in with each of its hosts, and the subject of their verdict."""
    for way in found:
        for host in way.hosts or ("",):
            yield way, host, way.subject.at(host or "any host")


def named(one):
    """A certificate by its common name, else by its whole subject."""
    return one.common_name or one.subject_name
