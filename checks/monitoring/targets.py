"""The product's own metrics: eleven ServiceMonitors that a Prometheus takes and that find their Service."""

from __future__ import annotations

from exivity_audit import HIGH, NotSeen, Role, chart, check, fail, ok, replace, skip, task, to_attest, unknown, values, wanted
from exivity_audit.facts.monitors import component_targets, watches
from exivity_audit.facts.prometheus import Selected, missing_labels, selects
from exivity_audit.subject import Subject

from .shared import elsewhere, names, paused, printed, reason, standing_still

CHART_LABELS = (chart.APP_LABEL, chart.NAME_LABEL, chart.INSTANCE_LABEL, chart.COMPONENT_LABEL, chart.VERSION_LABEL)
SERVE = values("prometheus.metricServer.enabled", True)
MONITOR = SERVE & values("prometheus.metricServer.serviceMonitor.enabled", True)


@check(
    "service-monitors",
    severity=HIGH,
    clauses=("F10",),
    attest="show that your collector scrapes the eleven services, for example as its list of targets",
)
def service_monitors(service_monitor_objects, prometheus_servers, namespace_labels, service_targets, release, settings):
    """All eleven services are scraped.

    A ServiceMonitor that no Prometheus selects looks right and collects nothing. The chart gives its monitors no `release` label, so the
    selector of a stock kube-prometheus-stack passes them by.

    Fix: set `prometheus.metricServer.enabled` and `prometheus.metricServer.serviceMonitor.enabled`, and let your Prometheus select the monitors.
    """
    if not service_monitor_objects.installed:
        yield skip(release, "Prometheus Operator is not installed")
        return
    other = elsewhere(prometheus_servers)
    if other is not None:
        yield to_attest(release, f"{other}; show that it scrapes the eleven services")
        return
    still = standing_still(release, prometheus_servers)
    if still is not None:
        yield still
        return
    scrapers = [one for one in prometheus_servers if one.scrapes and one.working]
    passive = settings.role is Role.PASSIVE
    for component in chart.COMPONENTS:
        try:
            yield component_verdict(
                component, service_monitor_objects, scrapers, prometheus_servers, namespace_labels, service_targets, release, passive
            )
        except NotSeen as error:  # one that was not seen hides no other
            needs = tuple(dict.fromkeys(one.rule for one in error.reasons if one.rule))
            yield unknown(Subject("ServiceMonitor", f"{release.fullname}-{component}", release.namespace), str(error), needs=needs)


def component_verdict(component, monitors, scrapers, servers, namespaces, targets, release, passive):
    """The verdict on one of the eleven: scraped, not selected and why, without a port, or without a monitor."""
    own = component_targets(targets, component, release.fullname)
    subject = Subject("ServiceMonitor", f"{release.fullname}-{component}", release.namespace)
    found = watches(own, monitors, scrapers, namespaces)
    if found:
        return scraped(subject, found, own, targets, release)
    meant = [one for one in monitors if (one.name, one.namespace) == (subject.name, subject.namespace)]
    meant += [
        one
        for one in monitors
        if one not in meant and any(one.finds(target, server) for target in own for server in scrapers) and names_component(one)
    ]
    if not meant:
        monitors.surely()
        return fail(subject, "none", wanted=wanted("a ServiceMonitor that a Prometheus selects"), fix=by_the_chart(scrapers))
    taken = [(one, server) for one in meant for server in scrapers if server_takes(server, one, namespaces)]
    if taken and passive:
        return ok(
            subject,
            f"selected by {names(server for _, server in taken)}",
            remark="passive site: its target is not judged",
            at=[(taken[0][0], "metadata.labels")],
        )
    if taken:
        targets.surely()
        ports = ", ".join(sorted({one.name for one in taken[0][0].endpoints if one.name})) or "metrics"
        at = [(taken[0][0], "spec.endpoints[].port", ports), *((one, "spec.ports[].name", ", ".join(one.ports)) for one in own)]
        return fail(
            subject, f"no Service with the port `{ports}`", wanted=wanted(f"a Service of {component} with a port of that name"), at=at, fix=SERVE
        )
    return not_selected(subject, meant[0], scrapers, servers, namespaces)


def by_the_chart(scrapers):
    """The chart's own monitors; where every server asks for a label that the chart does not set, they come to nothing without it."""
    asked = [
        {key: value for key, value in one.selectors["serviceMonitor"].wanted.items() if key not in CHART_LABELS}
        for one in scrapers
        if not one.unmanaged
    ]
    if not asked or not all(asked):
        return MONITOR
    return replace(MONITOR, needs=f"the label {printed(asked[0])} on the ServiceMonitors, or a Prometheus that selects them")


def names_component(monitor):
    """Whether a monitor's selector names what it wants; one that takes every Service was meant for none in particular."""
    return bool(monitor.selector and any(monitor.selector.get(key) for key in ("matchLabels", "matchExpressions")))


def server_takes(server, monitor, namespaces):
    """Whether a server surely takes a monitor."""
    try:
        return not server.unmanaged and selects(server, monitor, namespaces) is Selected.YES
    except NotSeen:
        return False


def scraped(subject, found, own, targets, release):
    """The pass: which monitor and which server, and whether another release is scraped along with it."""
    watch = found[0]
    shared = sorted(
        target.name for target in targets
        if target not in own and watch.monitor.finds(target, watch.server) and watch.monitor.takes(target)
        and target.labels.get(chart.APP_LABEL) == chart.APP and target.labels.get(chart.NAME_LABEL) != release.fullname
    )  # fmt: skip
    notes = [paused({one.server for one in found}), f"it scrapes {', '.join(shared)} of another release too" if shared else ""]
    at = [
        (watch.monitor, "metadata.labels", printed(watch.monitor.labels)),
        (watch.server, "spec.serviceMonitorSelector", printed(watch.server.selectors["serviceMonitor"].wanted) or "all"),
    ]
    remark = "; ".join(note for note in notes if note)
    return ok(subject, f"selected by {names({one.server for one in found})}", remark=remark, at=at)


def not_selected(subject, monitor, scrapers, servers, namespaces):
    """The verdict on a monitor that no server takes: the label or namespace that is missing, or what cannot be told."""
    managed = [one for one in scrapers if not one.unmanaged]
    if not managed:
        return to_attest(subject, f"{names(scrapers)} takes its configuration from elsewhere; show that it scrapes the eleven services")
    why = "; ".join(f"{one.kind} {one.namespace}/{one.name}: {reason(one, monitor, namespaces)}" for one in managed)
    servers.surely()
    at = [
        (monitor, "metadata.labels", printed(monitor.labels)),
        *((one, "spec.serviceMonitorSelector", printed(one.selectors["serviceMonitor"].wanted) or "none") for one in managed),
    ]
    return fail(
        subject,
        "not selected",
        seen=f"not selected: {why}",
        wanted=wanted("a ServiceMonitor that a Prometheus selects"),
        at=at,
        fix=select_fix(monitor, managed),
    )


def select_fix(monitor, servers):
    """How a server comes to take the monitors: by its selector, or by the label it asks for."""
    labels = next((found for one in servers if (found := missing_labels(one, monitor))), None)
    if labels and set(labels) == {"release"}:
        return task(
            "Set `prometheus.prometheusSpec.serviceMonitorSelectorNilUsesHelmValues: false` in the values of kube-prometheus-stack, or add the label"
            f" {printed(labels)} to the ServiceMonitors with a post-renderer: the chart has no value for it"
        )
    if labels:
        add = f"Add the label {printed(labels)} to the ServiceMonitors with a post-renderer (the chart has no value for it)"
        return task(f"{add}, or widen `spec.serviceMonitorSelector` of {names(servers)}")
    if any(one.selectors["serviceMonitor"].objects is None for one in servers):
        return task(f"Set `spec.serviceMonitorSelector` on {names(servers)}: null selects no ServiceMonitor, `{{}}` selects all")
    return task(f"Let `spec.serviceMonitorNamespaceSelector` of {names(servers)} take the namespace {monitor.namespace}")
