"""Whether the database's metrics are collected."""

from __future__ import annotations

from exivity_audit import HIGH, Objects, check, maybe, seen, skip, task, to_attest
from exivity_audit.facts.monitors import pod_target

from ..scraping import scraped, service_targets
from .shared import CNPG, EXTERNAL, REACHABLE, host_at, not_there

EXPORTERS = ("postgres-exporter", "postgres_exporter", "pgexporter", "pgmonitor")


@check("monitoring", severity=HIGH, clauses=("K3", "F10"), attest="attach the database's metrics or dashboard, from whoever operates it")
def monitoring(
    database, prometheus_servers, pod_monitor_objects, service_monitor_objects, namespace_labels, settings, cluster_pods=maybe, cluster_services=maybe
):  # fmt: skip
    """PostgreSQL is scraped.

    Connections, replication lag and archiving show a failure hours before the product notices; a monitor that no Prometheus selects shows nothing.

    Fix: write a PodMonitor for the cluster's pods (port `metrics`) with the labels that your Prometheus selects by.
    """
    if database.kind is EXTERNAL:
        yield to_attest(database, f"{database.config.host} is outside the cluster: show that it is monitored", at=[host_at(database)])
        return
    missing = not_there(database, settings)
    if missing is not None:
        yield missing
        return
    if not database.pods and not any(one.ready for one in database.endpoints):
        database.pods.surely()
        database.endpoints.surely()
        yield skip(database, "nothing of it runs", follows=REACHABLE)
        return
    targets = database_targets(database, cluster_pods, cluster_services)
    monitors = pod_monitor_objects.join(service_monitor_objects)
    yield scraped(database, targets, monitors, prometheus_servers, namespace_labels, monitor_fix(database))


def database_targets(database, pods, services):
    """The database's pods, exporters beside it, and the Services that lead to either."""
    exporters = [pod for pod in pods if is_exporter(pod)] if seen(pods) else []
    found = [*database.pods, *exporters]
    every = [pod_target(pod) for pod in found] + (service_targets(services, found) if seen(services) else [])
    return Objects(every, unreadable=database.pods.unreadable, partial=database.pods.partial)


def is_exporter(pod):
    """Whether a pod runs an exporter for PostgreSQL."""
    return pod.alive and any(word in container.image.rpartition("/")[2] for container in pod.containers for word in EXPORTERS)


def monitor_fix(database):
    """How the database comes to be scraped."""
    if database.kind is CNPG:
        name = database.cluster.name if database.cluster is not None else database.location.named[0].removesuffix("-rw")
        return task(f"Create a PodMonitor in {database.namespace} that selects `cnpg.io/cluster: {name}` at the port `metrics`")
    return task("Run postgres_exporter beside the database, with a ServiceMonitor that your Prometheus selects")
