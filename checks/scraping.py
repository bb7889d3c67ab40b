"""Whether a Prometheus scrapes something, in verdicts: the rows postgresql and rabbitmq share it."""

from __future__ import annotations

from exivity_audit import fail, ok, task, to_attest, wanted
from exivity_audit.facts.monitors import Target, watches
from exivity_audit.facts.prometheus import missing_labels
from exivity_audit.facts.workloads import selects

from .monitoring.shared import elsewhere, names, paused, printed, reason, standing_still


def scraped(about, targets, monitors, servers, namespaces, fix):
    """The verdict on some targets: a monitor that a Prometheus takes finds them, one that finds them is not taken, or there is none.

    Raises NotSeen where something that would show one was not read.
    """
    other = elsewhere(servers)
    if other is not None:
        return to_attest(about, f"{other}; show that it is scraped")
    still = standing_still(about, servers)
    if still is not None:
        return still
    scrapers = [one for one in servers if one.scrapes and one.working]
    found = watches(targets, monitors, scrapers, namespaces)
    if found:
        watch = found[0]
        at = [(watch.monitor, "metadata.labels", printed(watch.monitor.labels)), (watch.server, f"spec.{watch.monitor.kind}Selector")]
        text = f"{watch.monitor.subject}, selected by {names({one.server for one in found})}"
        return ok(about, str(watch.monitor.subject), seen=text, at=at, remark=paused({one.server for one in found}))
    monitors.surely()
    servers.surely()
    targets.surely()
    managed = [one for one in scrapers if not one.unmanaged]
    if not managed:
        return to_attest(about, f"{names(scrapers)} takes its configuration from elsewhere; show that it is scraped")
    want = wanted("a PodMonitor or ServiceMonitor that a Prometheus selects")
    meant = next((one for one in monitors if any(one.finds(target, server) and one.takes(target) for target in targets for server in managed)), None)
    if meant is None:
        return fail(about, "no monitor finds it", wanted=want, fix=fix)
    why = "; ".join(f"{one.kind} {one.namespace}/{one.name}: {reason(one, meant, namespaces)}" for one in managed)
    labels = next((asked for one in managed if (asked := missing_labels(one, meant))), {})
    add = task(f"Add the label {printed(labels)} to {meant.subject}" if labels else f"Let the selectors of {names(managed)} take {meant.subject}")
    at = [(meant, "metadata.labels", printed(meant.labels))]
    return fail(about, "not selected", seen=f"{meant.subject} is not selected: {why}", wanted=want, at=at, fix=add)


def service_targets(services, pods):
    """The Services of a collection that select one of some pods, as what a ServiceMonitor may find."""
    return [service_target(one) for one in services if any(_selects(one, pod) for pod in pods)]


def service_target(one):
    """A Service as what a ServiceMonitor may find."""
    return Target(one.subject, one.source, one.name, one.namespace, one.labels, tuple(port.name for port in one.ports), "serviceMonitor")


def _selects(service, pod):
    return service.namespace == pod.namespace and selects(service.selector, pod.labels)
