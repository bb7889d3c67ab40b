"""What several checks of the row share: when the database is not there to be judged, and what evaluation forgives."""

from __future__ import annotations

from exivity_audit import NotSeen, Purpose, Role, Scenario, Status, replace, skip
from exivity_audit.facts.database import DatabaseKind

DEPLOYMENT, REACHABLE, BACKUPS = "postgresql/deployment", "postgresql/reachable", "postgresql/backups"
MOVE = "Move the data to CloudNativePG or an external PostgreSQL, then set `postgresql.enabled: false` and `postgresql.host`"
EXTERNAL, MISSING, EMBEDDED, CNPG, OTHER = (
    DatabaseKind.EXTERNAL, DatabaseKind.MISSING, DatabaseKind.EMBEDDED, DatabaseKind.CNPG, DatabaseKind.OTHER,
)  # fmt: skip


def restored_later(database, settings):
    """The skip at a passive site whose database does not follow the active one: it is restored at failover. None elsewhere."""
    if settings.role is not Role.PASSIVE or database.kind is EXTERNAL or follows(database):
        return None
    if database.kind is CNPG and database.cluster is None and database.cluster_gap:
        raise NotSeen(database.cluster_gap)
    return skip(database, "passive site: no replica cluster, so the database is restored at failover")


def follows(database):
    """Whether the database is a replica cluster of CloudNativePG."""
    cluster = database.cluster
    return cluster is not None and cluster.replica is not None and cluster.replica.follows


def not_there(database, settings):
    """The skip where the database is restored later, or where the host leads nowhere, which its leader says; None where there is one."""
    later = restored_later(database, settings)
    if later is not None:
        return later
    return skip(database, "the configured host leads to no database", follows=REACHABLE) if database.kind is MISSING else None


def without_cluster(database):
    """The skip where a Service selects a Cluster that does not exist. Raises NotSeen where that is not proven."""
    if database.cluster_gap:
        raise NotSeen(database.cluster_gap)
    return skip(database, "there is no such Cluster", follows=REACHABLE)


def forgiven(verdict, database, settings, scenario):
    """A verdict on the embedded database as purpose ``evaluation`` takes it; only that one is forgiven there."""
    if settings.purpose is not Purpose.EVALUATION or database.kind is not EMBEDDED or verdict.status not in (Status.FAIL, Status.WARN):
        return verdict
    softer = Status.PASS if scenario is Scenario.SINGLE_NODE else Status.WARN
    return replace(verdict, status=softer).with_remark(f"{verdict.status} in production, accepted for evaluation")


def host_at(database):
    """The configured host as evidence."""
    path = "data.POSTGRES_HOST" if database.config.source.read == "postgres_config" else "data[config.json]"
    return database.config, path, database.config.host or "empty"
