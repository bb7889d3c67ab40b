"""What several checks share: which servers count, and what is said where none does."""

from __future__ import annotations

from exivity_audit import skip, to_attest
from exivity_audit.facts.prometheus import missing_labels, selects

LEADER = "monitoring/stack"


def elsewhere(servers):
    """Why no cluster shows what another stack does; None where a Prometheus of the operator is to be judged."""
    if not servers.installed:
        return "no Prometheus Operator: another stack watches the cluster, or none"
    if not servers:
        servers.surely()
        return "the operator's APIs are served, but there is no Prometheus: another stack uses them, or none"
    return None


def standing_still(about, servers):
    """The verdict where no server works: the finding of the stack. None where one does."""
    if any(one.working for one in servers):
        return None
    servers.surely()
    return skip(about, "no Prometheus runs", follows=LEADER)


def not_evaluated(about, servers, why):
    """The verdict where rules are evaluated elsewhere, or nowhere; None where a server here takes them."""
    other = elsewhere(servers)
    if other is not None:
        return to_attest(about, f"{other}; {why}")
    still = standing_still(about, servers)
    if still is not None:
        return still
    if not any(one.evaluates and one.working for one in servers):
        servers.surely()
        still = [one for one in servers if one.evaluates]
        where = f"{names(still)} has no ready replica" if still else "an agent scrapes here and another place evaluates the rules"
        return to_attest(about, f"{where}; {why}")
    return None


def names(servers):
    """Servers as a report names them."""
    return ", ".join(sorted({f"{one.kind} {one.namespace}/{one.name}" for one in servers}))


def paused(servers):
    """The remark where the operator does not apply what was selected."""
    found = [one for one in servers if one.paused]
    return f"{names(found)} is paused: what is selected now is applied when it is resumed" if found and len(found) == len(tuple(servers)) else ""


def reason(server, item, namespaces):
    """Why a server does not take an object, in words."""
    found = selects(server, item, namespaces)
    labels = missing_labels(server, item)
    if labels:
        return f"without the label {printed(labels)}"
    refused = item.rejection(server)
    return f"{found.value} ({refused})" if refused else found.value


def printed(labels):
    """Labels as a report prints them."""
    return ", ".join(f"`{key}: {value}`" for key, value in sorted(labels.items()))


def wanted_labels(servers, kind):
    """The labels by which the servers select a kind, as a sentence ends with them."""
    found = sorted({printed(one.selectors[kind].wanted) for one in servers if kind in one.selectors and one.selectors[kind].wanted})
    return f" with the label {' or '.join(found)}" if found else ""
