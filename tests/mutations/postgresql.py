"""Mutations of the row postgresql."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from exivity_audit.config import Config, Declare
from exivity_audit.verdict import Status
from tests.builders import made, stamp
from tests.mutation import Mutation, put
from tests.probed_servers import SEEN, Probes, changed, handshake
from tests.products.postgresql import NAME, SPACE, embedded, endpoints, lead_to, snapshot_backups, without_backups
from tests.world import Object

UNWATCHED = ("postgresql/monitoring", "monitoring/alerts-postgresql")
EMBEDDED_TOO = ("postgresql/deployment", "postgresql/backups", "postgresql/version", "security/images-patched", "security/pod-security", *UNWATCHED)
BACKUP = "postgresql.cnpg.io/Backup"


def cluster(path: str, value: Any) -> Callable[[Any], None]:
    """A change of the Cluster."""
    return lambda c: c.edit("Cluster", NAME, put(path, value), SPACE)


def condition(kind: str, status: str) -> Callable[[Any], None]:
    """A change of one of the Cluster's conditions."""

    def change(item: Object) -> None:
        next(one for one in item["status"]["conditions"] if one["type"] == kind)["status"] = status

    return lambda c: c.edit("Cluster", NAME, change, SPACE)


def alone(c: Any) -> None:
    """One instance."""
    cluster("spec.instances", 1)(c)
    cluster("status.readyInstances", 1)(c)


def old_backups(c: Any) -> None:
    """The newest base backup is twenty days old; the log is archived all the same."""
    c.edit("ObjectStore", f"{NAME}-store", put(f"status.serverRecoveryWindow.{NAME}.lastSuccessfulBackupTime", stamp(20)), SPACE)
    for item in list(c.all(BACKUP)):
        c.edit(
            BACKUP,
            item["metadata"]["name"],
            put("status", {"phase": "completed", "method": "plugin", "startedAt": stamp(20), "stoppedAt": stamp(20)}),
            SPACE,
        )


def old_release(c: Any) -> None:
    """PostgreSQL 13 in the Cluster and its pods."""
    image = "ghcr.io/cloudnative-pg/postgresql:13.22"
    for path in ("spec.imageName", "status.image", "status.pgDataImageInfo.image"):
        cluster(path, image)(c)
    cluster("status.pgDataImageInfo.majorVersion", 13)(c)
    for number in (1, 2, 3):
        c.edit("Pod", f"{NAME}-{number}", put("spec.containers.0.image", image), SPACE)


def one_elsewhere(c: Any) -> None:
    """Edify is configured for another database."""

    def change(item: Object) -> None:
        content = json.loads(item["data"]["config.json"])
        content["db"]["parameters"]["host"] = "db-old.acme.eu"
        item["data"]["config.json"] = json.dumps(content)

    c.edit("ConfigMap", "exivity-config-edify", change)


def on_one_node(c: Any) -> None:
    """All instances on one node."""
    for number in (2, 3):
        c.edit("Pod", f"{NAME}-{number}", put("spec.nodeName", "worker-1"), SPACE)


def by_hand(c: Any) -> None:
    """A StatefulSet that somebody made."""
    labels, image = {"app": "postgres"}, "docker.io/library/postgres:17.6"
    spec: Object = {"containers": [{"name": "postgres", "image": image, "ports": [{"containerPort": 5432}]}]}
    c.add(
        made("v1", "Namespace", "db"),
        made("apps/v1", "StatefulSet", "postgres", "db", metadata={"labels": labels}, spec={"replicas": 2, "serviceName": "postgres", "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
             status={"replicas": 2, "readyReplicas": 2}),
        made("v1", "Service", "postgres", "db", spec={"selector": labels, "ports": [{"name": "postgres", "port": 5432}]}),
        endpoints("postgres", "db", [("postgres-0", "worker-1", "10.42.10.70"), ("postgres-1", "worker-2", "10.42.11.70")], port="postgres"),
        *(made("v1", "Pod", f"postgres-{number}", "db", metadata={"labels": labels, "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "postgres", "uid": "x"}]},
               spec={**spec, "nodeName": f"worker-{number + 1}"}, status={"phase": "Running", "podIP": f"10.42.1{number}.70", "conditions": [{"type": "Ready", "status": "True"}]}) for number in (0, 1)),
    )  # fmt: skip
    lead_to(c, "postgres.db.svc")


def in_this_cluster(c: Any) -> None:
    """The object store is a MinIO of the same cluster."""
    c.edit("ObjectStore", f"{NAME}-store", put("spec.configuration.endpointURL", "http://minio.storage.svc:9000"), SPACE)


def small(c: Any) -> None:
    """The Cluster asks for 8Gi an instance."""
    cluster("spec.storage.size", "8Gi")(c)


def probed(changes: Any) -> Any:
    """A run whose probe sees a database, with some of it changed."""

    def change(c: Any) -> None:
        c.usage = Probes(database=changed(SEEN, changes))

    return change


MUTATIONS = [
    Mutation("the chart's own database", "multi_node", "postgresql/deployment", embedded, also=EMBEDDED_TOO),
    Mutation("the chart's own database from a mirror", "multi_node", "postgresql/deployment", lambda c: embedded(c, image="registry.corp/mirror/database:14.18.0"), also=EMBEDDED_TOO),
    Mutation("the chart's own database on one node", "single_node", "postgresql/deployment",
             lambda c: embedded(c, node_name="only", class_name="local-path"), Status.WARN, also=EMBEDDED_TOO),
    Mutation("a database made by hand", "multi_node", "postgresql/deployment", by_hand, Status.WARN, also=UNWATCHED),
    Mutation("the host leads to the standbys", "multi_node", "postgresql/reachable", lambda c: lead_to(c, "pg-ro.databases.svc")),
    Mutation("the host leads to any instance", "multi_node", "postgresql/reachable", lambda c: lead_to(c, "pg-r.databases")),
    Mutation("no Service of that name", "multi_node", "postgresql/reachable", lambda c: lead_to(c, "pg-primary.databases.svc")),
    Mutation("another port", "multi_node", "postgresql/reachable", lambda c: lead_to(c, "pg-rw.databases.svc", port=5432) or c.edit("ConfigMap", "exivity-postgres-config", put("data.POSTGRES_PORT", "6432"))),
    Mutation("one service is configured for another database", "multi_node", "postgresql/reachable", one_elsewhere),
    Mutation("nothing is ready", "multi_node", "postgresql/reachable",
             lambda c: c.edit("EndpointSlice", "pg-rw-k9x2p", put("endpoints.0.conditions.ready", False), SPACE), live=False),
    Mutation("one instance", "multi_node", "postgresql/high-availability", alone),
    Mutation("the operator waits for somebody", "multi_node", "postgresql/high-availability", cluster("status.phase", "Waiting for user action")),
    Mutation("a standby is missing", "multi_node", "postgresql/high-availability", cluster("status.readyInstances", 2), Status.WARN),
    Mutation("all instances on one node", "multi_node", "postgresql/high-availability", on_one_node, live=False),
    Mutation("no native backup", "multi_node", "postgresql/backups", without_backups),
    Mutation("the log is not archived", "multi_node", "postgresql/backups", condition("ContinuousArchiving", "False")),
    Mutation("the schedule is suspended", "multi_node", "postgresql/backups", lambda c: c.edit("ScheduledBackup", f"{NAME}-daily", put("spec.suspend", True), SPACE)),
    Mutation("no schedule", "multi_node", "postgresql/backups", lambda c: c.remove("ScheduledBackup", f"{NAME}-daily")),
    Mutation("the newest base backup is old", "multi_node", "postgresql/backups", old_backups),
    Mutation("volume snapshots alone", "multi_node", "postgresql/backups", snapshot_backups, Status.WARN, also=("postgresql/backup-target", "backups/not-volumes-alone")),
    Mutation("the object store is in this cluster", "multi_node", "postgresql/backup-target", in_this_cluster, Status.WARN),
    Mutation("nothing is ever deleted", "multi_node", "postgresql/backup-target", lambda c: c.edit("ObjectStore", f"{NAME}-store", lambda item: item["spec"].pop("retentionPolicy"), SPACE), Status.WARN),
    Mutation("no such object store", "multi_node", "postgresql/backup-target", lambda c: c.remove("ObjectStore", f"{NAME}-store")),
    Mutation("no encryption to the Cluster", "multi_node", "postgresql/tls", lambda c: lead_to(c, "pg-rw.databases.svc", sslmode="disable")),
    Mutation("encryption only where the server offers it", "multi_node", "postgresql/tls", lambda c: lead_to(c, "pg-rw.databases.svc", sslmode="prefer")),
    Mutation("no encryption to a database outside", "single_node", "postgresql/tls", lambda c: lead_to(c, "db.acme.eu", sslmode="")),
    Mutation("nodes in two regions", "multi_node", "postgresql/latency",
             lambda c: c.edit("Node", "worker-3", put("metadata.labels.topology\\.kubernetes\\.io/region", "eu-2")), Status.MANUAL),
    Mutation("a release past its support", "multi_node", "postgresql/version", old_release, live=False),
    Mutation("small volumes of the Cluster", "multi_node", "pvc_sizes/postgresql", small),
    Mutation("the server refuses the product's login", "multi_node", "postgresql/reachable", probed({"login.state": "login"}), live=False),
    Mutation("the host leads to a standby, by its own word", "single_node", "postgresql/reachable", probed({"server.recovery": True}), live=False),
    Mutation("the server offers no TLS", "single_node", "postgresql/tls", probed({"tls": {"offered": False}, "login": {"state": "no-tls"}}), live=False),
    Mutation("the server's certificate has expired", "single_node", "postgresql/tls", probed({"tls": {"offered": True, **handshake("expired")}}), live=False),
    Mutation("the database is in another site", "multi_node", "postgresql/latency", probed({"latency.median": 0.031}), live=False),
    Mutation("the external server says that it is PostgreSQL 14", "single_node", "postgresql/version", probed({"server.version": 140018}), live=False),
    Mutation("the external server cannot archive", "single_node", "postgresql/backups", probed({"archiver.failing": True, "archiver.failed": 9}), live=False),
    Mutation("the external server's disk is nearly full", "single_node", "postgresql/storage-headroom", probed({}), live=False,
             config=Config(declare=Declare(database_disk="13Gi"))),
]  # fmt: skip
