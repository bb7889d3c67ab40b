"""Alerts by area: a rule counts when a Prometheus evaluates it, it rests on the area's metrics, and it leaves the product in."""

from __future__ import annotations

from exivity_audit import HIGH, LOW, check, fail, maybe, ok, reasons_of, seen, skip, task, to_attest, unknown, wanted
from exivity_audit.facts import alert_areas as areas
from exivity_audit.facts.alert_areas import Area, about_cluster, about_product, in_area
from exivity_audit.facts.alert_rules import EvaluatedAlert
from exivity_audit.facts.broker import BrokerKind
from exivity_audit.facts.controllers import serving
from exivity_audit.facts.database import DatabaseKind
from exivity_audit.facts.prometheus import missing_labels

from .shared import names, not_evaluated, paused, printed, reason, wanted_labels

ATTEST = "attach the list of alerts that your stack evaluates for this area"
SHOWN = 3


def evaluated(release, what, counts, alerting, examples):
    """The verdict on one area; ``counts`` says of an alert whether it counts: True, False, or None where that is not evaluated here."""
    other = not_evaluated(release, alerting.servers, f"show its {what} alerts")
    if other is not None:
        return other
    alerts, working = alerting.alerts, alerting.working
    found = [one for one in alerts.evaluated if counts(one)]
    if found:
        takers = {server for one in found for server in one.servers}
        at = [(one, "spec.groups[].rules[].alert", one.name) for one in found[:SHOWN]]
        return ok(release, len(found), seen=f"{listed(found)}, evaluated by {names(takers)}", remark=paused(takers), at=at)
    doubtful = [one for one in alerts.evaluated if counts(one) is None]
    if doubtful:
        return to_attest(release, f"whether {listed(doubtful)} is about {what} cannot be told from the expression")
    alerts.surely()
    if any(one.remote_writes for one in working):
        return to_attest(release, f"no {what} alert is evaluated here, and {names(working)} writes to another store that may evaluate them")
    at = [(one, "spec.ruleSelector", printed(one.selectors["rule"].wanted) or "none") for one in working]
    want = wanted(f"an alert on {examples}")
    aside = left_aside(counts, alerting)
    if aside is None:
        fix = task(f"Add a PrometheusRule{wanted_labels(working, 'rule')} that alerts on {examples}")
        return fail(release, 0, seen="none", wanted=want, at=at, fix=fix)
    item, alert = aside
    why = "; ".join(sorted({reason(one, item, alerting.namespaces) for one in working}))
    labels = next((asked for one in working if (asked := missing_labels(one, item))), None)
    fix = task(f"Add the label {printed(labels)} to {item.subject}" if labels else f"Let {names(working)} select {item.subject}")
    return fail(release, 0, seen=f"none; {item.subject} holds {alert.name} and is not selected: {why}", wanted=want, at=at, fix=fix)


def listed(alerts):
    """Alerts by name, the first few."""
    every = sorted({one.name for one in alerts})
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more


def left_aside(counts, alerting):
    """A PrometheusRule with an alert of it that would count and that no server takes; None where there is none."""
    for item in alerting.rules:
        alert = next((one for one in item.alerts if counts(as_evaluated(item, one))), None)
        if alert is not None:
            return item, alert
    return None


def as_evaluated(item, alert):
    """An alert as it would be if a server took its rule."""
    return EvaluatedAlert(item.subject, item.source, alert.name, item.namespace, alert.expression, ())


def of(area, *namespaces):
    """The test of an area by its metrics and namespaces."""
    return lambda alert: in_area(alert, area, namespaces)


@check("alerts-cluster", severity=HIGH, clauses=("K8",), attest=ATTEST)
def alerts_cluster(alerting, release):
    """Cluster alerts exist.

    A node that is gone or out of memory takes the product's pods along; the alert is what brings somebody before the users call.

    Fix: install the rules of kube-prometheus, or write a PrometheusRule on `kube_node_status_condition` and `kube_pod_status_phase`.
    """
    yield evaluated(
        release,
        "cluster",
        lambda alert: about_cluster(alert, release),
        alerting,
        "`kube_node_status_condition` and `kube_pod_container_status_waiting_reason`",
    )


@check("alerts-application", severity=HIGH, clauses=("K8",), attest=ATTEST)
def alerts_application(alerting, release, product_ingresses=maybe):
    """Application alerts exist.

    An alert that names no product is read by whoever runs the cluster; one on the namespace or on the host reaches those who run Exivity.

    Fix: write a PrometheusRule on `kube_deployment_status_replicas_available` in the release's namespace, or probe the host.
    """
    hosts = tuple(sorted({host for one in product_ingresses for host in one.hosts if host})) if seen(product_ingresses) else ()
    yield evaluated(
        release,
        "application",
        lambda alert: about_product(alert, release, hosts),
        alerting,
        f'`kube_deployment_status_replicas_available{{namespace="{release.namespace}"}}`',
    )


@check("alerts-postgresql", severity=HIGH, clauses=("K8",), attest="attach the list of alerts on the database, from whoever operates it")
def alerts_postgresql(alerting, database, release):
    """PostgreSQL alerts exist.

    Everything Exivity knows is in this database: a standby that lags or a volume that fills stops it.

    Fix: write a PrometheusRule on `cnpg_collector_up` and `cnpg_pg_replication_lag`, or on `pg_up` of the exporter.
    """
    if database.kind is DatabaseKind.EXTERNAL:
        yield to_attest(release, f"the database {database.config.host} is outside the cluster: show its alerts")
    elif database.kind is DatabaseKind.MISSING:
        yield skip(release, "the configured host leads to no database", follows="postgresql/reachable")
    else:
        by_operator = database.kind is DatabaseKind.CNPG
        area, metric = (areas.POSTGRESQL, "`cnpg_collector_up`") if by_operator else (areas.POSTGRESQL_EXPORTER, "`pg_up`")
        yield evaluated(release, "PostgreSQL", of(area, database.namespace), alerting, metric)


@check("alerts-rabbitmq", severity=HIGH, clauses=("K8",), attest="attach the list of alerts on the broker, from whoever operates it")
def alerts_rabbitmq(alerting, brokers, release, settings):
    """RabbitMQ alerts exist.

    A broker in alarm blocks every publisher without an error: jobs stop and nothing says so.

    Fix: write a PrometheusRule on `rabbitmq_queue_messages_ready`, `rabbitmq_alarms_memory_used_watermark` and `rabbitmq_disk_space_available_bytes`.
    """
    there = [one for one in brokers if one.kind is not BrokerKind.MISSING]
    outside = next((one for one in there if one.kind is BrokerKind.EXTERNAL), None)
    if not brokers:
        brokers.surely()
        yield unknown(release, "the configuration names no broker")
    elif not there:
        yield skip(release, "the configured host leads to no broker", follows="rabbitmq/connectivity")
    elif outside is not None:
        yield to_attest(release, f"the broker {outside.host} is outside the cluster: show its alerts")
    elif settings.declare.rabbitmq.managed:
        yield to_attest(release, "the broker is managed by the platform: show its alerts")
    else:
        spaces = sorted({one.location.named[1] for one in there})
        metrics = "`rabbitmq_queue_messages_ready` and `rabbitmq_alarms_memory_used_watermark`"
        yield evaluated(release, "RabbitMQ", of(areas.RABBITMQ, *spaces), alerting, metrics)


@check("alerts-ingress", severity=HIGH, clauses=("K8",), attest=ATTEST)
def alerts_ingress(alerting, release, product_ingresses=maybe, ingress_classes=maybe, controllers=maybe):
    """Ingress alerts exist.

    Errors and latency at the way in are what users see first.

    Fix: write a PrometheusRule on the metrics of your controller, such as `traefik_service_requests_total` or `nginx_ingress_controller_requests`.
    """
    other = not_evaluated(release, alerting.servers, "show its ingress alerts")
    if other is not None:
        yield other
        return
    families, reasons = controller_families(product_ingresses, ingress_classes, controllers)
    spaces = [release.namespace, *sorted({one.namespace for one in controllers} if seen(controllers) else ())]
    if families is None and any(
        in_area(one, Area(areas.EVERY_WAY_IN, areas.EXPIRY_AT_THE_INGRESS), tuple(spaces)) for one in alerting.alerts.evaluated
    ):
        why = "; ".join(one.text for one in reasons)
        yield unknown(release, f"which controller serves the product was not seen: {why}", needs=tuple(need for one in reasons for need in one.needs))
        return
    area = Area(families or areas.EVERY_WAY_IN, areas.EXPIRY_AT_THE_INGRESS)
    yield evaluated(release, "ingress", of(area, *spaces), alerting, f"`{area.families[0]}…` metrics")


def controller_families(found, classes, controllers):
    """The metric families of the controllers that serve the product: all where none is known, None with reasons where they were not seen."""
    for one in (found, classes, controllers):
        if not seen(one):
            return None, reasons_of(one)
    products = {controller.product for ingress in found for controller in serving(ingress, classes, controllers)}
    families = tuple(dict.fromkeys(family for product in sorted(products) for family in areas.INGRESS.get(product, ())))
    return families or areas.EVERY_WAY_IN, ()


@check("alerts-storage", severity=HIGH, clauses=("K8",), attest=ATTEST)
def alerts_storage(alerting, release):
    """Storage alerts exist.

    A full volume stops extraction and reports at once; the alert comes while there is still time to grow it.

    Fix: write a PrometheusRule on `kubelet_volume_stats_available_bytes`, and on `longhorn_volume_robustness` where Longhorn is used.
    """
    yield evaluated(release, "storage", of(areas.STORAGE, release.namespace), alerting, "`kubelet_volume_stats_available_bytes`")


@check("alerts-certificates", severity=LOW, clauses=("X2",), attest=ATTEST)
def alerts_certificates(alerting, release):
    """Certificate alerts exist.

    A certificate that runs out closes the product for everybody on a day that was known a year before.

    Fix: write a PrometheusRule on `certmanager_certificate_expiration_timestamp_seconds`, or on the expiry metric of your controller.
    """
    yield evaluated(
        release,
        "certificate",
        of(areas.CERTIFICATES, release.namespace),
        alerting,
        "`certmanager_certificate_expiration_timestamp_seconds` or `traefik_tls_certs_not_after`",
    )


@check("alerts-backups", severity=LOW, clauses=("X2",), attest=ATTEST)
def alerts_backups(alerting, release, database=maybe):
    """Backup alerts exist.

    A backup that stopped weeks ago is noticed on the day it is needed.

    Fix: write a PrometheusRule on `velero_backup_last_successful_timestamp` or `cnpg_collector_last_available_backup_timestamp`.
    """
    spaces = {release.namespace, *((database.namespace,) if seen(database) and database.namespace else ())}
    metrics = "`velero_backup_last_successful_timestamp` or `cnpg_collector_last_available_backup_timestamp`"
    yield evaluated(release, "backup", of(areas.BACKUPS, *sorted(spaces)), alerting, metrics)
