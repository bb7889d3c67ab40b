"""Whether the broker is scraped, and whether somebody is told of what stops it."""

from __future__ import annotations

from exivity_audit import HIGH, Objects, check, fail, maybe, ok, seen, skip, task, to_attest, wanted
from exivity_audit.facts import alert_areas as areas
from exivity_audit.facts.alert_rules import covers
from exivity_audit.facts.broker import BrokerKind
from exivity_audit.facts.monitors import pod_target

from ..monitoring.shared import names, not_evaluated, paused, wanted_labels
from ..scraping import scraped, service_target, service_targets
from .shared import REACHED, by_home, missing, none_named

ATTEST = "attach the broker's metrics and the list of alerts on it, from whoever operates it"
SCRAPE = "Create a ServiceMonitor for the broker's Service (port `prometheus` or `prometheus-tls`) with the labels that your Prometheus selects by"


@check(
    "monitoring",
    severity=HIGH,
    clauses=("K4", "MQ7", "F10"),
    attest=ATTEST,
)
def monitoring(
    brokers, alerting, service_monitor_objects, pod_monitor_objects, release, settings, cluster_services=maybe
):  # fmt: skip
    """Queues, memory, disk and connections are watched.

    A broker over its memory or disk mark blocks all publishers without an error, and a queue that grows says that a consumer has stopped.

    Fix: scrape the broker by a ServiceMonitor, and alert on `rabbitmq_queue_messages_ready`, `rabbitmq_alarms_memory_used_watermark`,
    `rabbitmq_disk_space_available_bytes` and `rabbitmq_connections`.
    """
    if not brokers:
        yield none_named(brokers, release)
    for broker in brokers:
        if broker.kind is BrokerKind.MISSING:
            yield missing(broker)
    for subject, broker in by_home(brokers):
        if broker.kind is BrokerKind.EXTERNAL:
            yield to_attest(broker, f"{broker.server} is outside the cluster: show that it is watched", at=[broker.at])
        elif settings.declare.rabbitmq.managed:
            yield to_attest(broker, f"{broker.server} is managed by the platform: show that it is watched", at=[broker.at])
        else:
            monitors = service_monitor_objects.join(pod_monitor_objects)
            yield metrics(subject.at("metrics"), broker, monitors, alerting, cluster_services)
            yield alerted(subject.at("alerts"), broker, alerting)


def metrics(about, broker, monitors, alerting, services):
    """The verdict on its metrics; a broker whose Service is gone has none to be found by."""
    if broker.location.service is None:
        return skip(about, f"{broker.server} leads to no Service", follows=REACHED)
    return scraped(about, broker_targets(broker, services), monitors, alerting.servers, alerting.namespaces, task(SCRAPE))


def broker_targets(broker, services):
    """The broker's Services and pods."""
    own, pods = broker.location.service, tuple(broker.pods)
    others = [one for one in services if one != own] if seen(services) else []
    return Objects([service_target(own), *service_targets(others, pods), *(pod_target(pod) for pod in pods)])


def alerted(about, broker, alerting):
    """The verdict on the alerts: one on each concern, those named that none covers, or the finding of the row monitoring."""
    other = not_evaluated(about, alerting.servers, "show its alerts on queue depth, memory, disk free and connections")
    if other is not None:
        return other
    spaces = (broker.location.named[1],)
    counted = {name: [one for one in alerting.alerts.evaluated if covers(one, families, spaces)] for name, families in areas.BROKER_CONCERNS.items()}
    found = {alert.name: alert for alerts in counted.values() for alert in alerts}
    lacking = [name for name, alerts in counted.items() if not alerts]
    at = [(alert, "spec.groups[].rules[].alert", alert.name) for alert in found.values()]
    if not lacking:
        takers = {server for alert in found.values() for server in alert.servers}
        return ok(about, len(found), seen=f"{', '.join(sorted(found))}, evaluated by {names(takers)}", at=at, remark=paused(takers))
    return unwatched(about, lacking, found, spaces, alerting, at)


def unwatched(about, lacking, found, spaces, alerting, at):
    """The verdict where no alert covers some concerns: what cannot be told, what another store may evaluate, or what is missing."""
    every, working, what = alerting.alerts.evaluated, alerting.working, ", ".join(lacking)
    doubtful = sorted({one.name for one in every if any(covers(one, areas.BROKER_CONCERNS[name], spaces) is None for name in lacking)})
    if doubtful:
        return to_attest(about, f"whether {', '.join(doubtful)} covers {what} cannot be told from the expression")
    alerting.alerts.surely()
    if any(one.remote_writes for one in working):
        return to_attest(about, f"no alert on {what} is evaluated here, and {names(working)} writes to another store")
    if not found and not any(covers(one, areas.RABBITMQ.families, spaces) for one in every):
        return skip(about, "no RabbitMQ alert is evaluated", follows="monitoring/alerts-rabbitmq")
    fix = task(f"Add a PrometheusRule{wanted_labels(working, 'rule')} that alerts on {what} of the broker")
    return fail(about, f"no alert on {what}", wanted=wanted("alerts on queue depth, memory, disk free and connections"), at=at, fix=fix)
