"""How the database is backed up, each way by its own evidence: Barman Cloud plugin, in-tree store, volume snapshots, dumps."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from exivity_audit.cron import cron_interval
from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import NotSeen, Objects, Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.cnpg import CnpgCluster, Plugin
from exivity_audit.facts.configuration import cluster_service, two_labels
from exivity_audit.facts.database import Database, DatabaseKind
from exivity_audit.facts.dumps import DumpJob
from exivity_audit.facts.middleware import within
from exivity_audit.quantity import Duration
from exivity_audit.subject import Subject

ARCHIVING = "ContinuousArchiving"
COMPLETED = "completed"
IN_TREE_METHOD, SNAPSHOT_METHOD, PLUGIN_METHOD = "barmanObjectStore", "volumeSnapshot", "plugin"


class Method(enum.StrEnum):
    """By which means the database is copied."""

    PLUGIN = "Barman Cloud plugin"
    IN_TREE = "in-tree object store"
    SNAPSHOT = "volume snapshots"
    DUMP = "dumps by a CronJob"
    NONE = "none"
    UNSEEN = "not seen from this cluster"


class Schedule(Struct, frozen=True):
    """A ScheduledBackup or CronJob that copies the database; ``fits`` where the database is set up for its method."""

    subject: Subject
    source: Source
    name: str
    cron: str
    interval: Duration | None  # the longest time between two runs
    suspended: bool
    method: str
    fits: bool
    last_run: datetime | None


class Shown(Struct, frozen=True):
    """One place where a backup, or its absence, was seen."""

    source: Source
    path: str
    value: str


class Copy(Struct, frozen=True):
    """A Backup object of the database that has completed."""

    source: Source
    method: str
    started: datetime | None
    stopped: datetime | None


class DatabaseBackup(Struct, frozen=True):
    """How the database is backed up, and what shows it; ``gap`` says what of the evidence could not be read."""

    subject: Subject
    source: Source
    method: Method
    continuous: bool = False  # the write-ahead log is archived
    archiving_ok: bool | None = None
    first_point: datetime | None = None  # the earliest point in time to which it can be restored
    last: datetime | None = None  # newest success of any evidence
    last_failed: datetime | None = None
    schedules: Objects[Schedule] = field(default_factory=Objects)
    copies: Objects[Copy] = field(default_factory=Objects)
    target: str = ""  # the public part of the URL
    endpoint: str = ""
    inside: bool | None = None  # whether the endpoint is a Service of this cluster; None where that is not known
    volumes: tuple[str, ...] = ()  # claims of this cluster that dumps are written to, as namespace/name
    retention: str = ""
    evidence: tuple[Shown, ...] = ()
    gap: tuple[Reason, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether the database is set up to be copied at all."""
        return self.method not in (Method.NONE, Method.UNSEEN)


class ObjectStore(Struct, frozen=True):
    """An ObjectStore of the Barman Cloud plugin; ``windows`` are first point, last success and last failure by server name."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    url: str
    endpoint: str
    retention: str
    windows: dict[str, tuple[datetime | None, datetime | None, datetime | None]]


class BackupObject(Struct, frozen=True):
    """A Backup of CloudNativePG."""

    source: Source
    namespace: str
    cluster: str
    method: str
    phase: str
    started: datetime | None
    stopped: datetime | None


@fact
def barman_stores(object_stores: Objects[Document]) -> Objects[ObjectStore]:
    """Every ObjectStore that could be seen."""

    def build(item: Document) -> ObjectStore:
        at = "status.serverRecoveryWindow"
        keys = ("firstRecoverabilityPoint", "lastSuccessfulBackupTime", "lastFailedBackupTime")
        windows: dict[str, tuple[datetime | None, datetime | None, datetime | None]] = {}
        for server in sorted(item.mapping(at)):
            first, last, failed = (item.time(f"{at}[{server}].{key}") for key in keys)
            windows[server] = first, last, failed
        return ObjectStore(
            item.subject, item.source, item.name, item.namespace or "", item.text("spec.configuration.destinationPath") or "",
            item.text("spec.configuration.endpointURL") or "", item.text("spec.retentionPolicy") or "", windows,
        )  # fmt: skip

    return object_stores.each(build)


@fact
def cnpg_backups(postgresql_backups: Objects[Document]) -> Objects[BackupObject]:
    """Every Backup of CloudNativePG that could be seen."""

    def build(item: Document) -> BackupObject:
        method = item.text("status.method") or item.text("spec.method") or IN_TREE_METHOD
        return BackupObject(
            item.source, item.namespace or "", item.text("spec.cluster.name") or "", method,
            item.text("status.phase") or "", item.time("status.startedAt"), item.time("status.stoppedAt"),
        )  # fmt: skip

    return postgresql_backups.each(build)


@fact
def database_backup(
    database: Database,
    barman_stores: Any = maybe,
    cnpg_backups: Any = maybe,
    database_schedules: Any = maybe,
    dump_jobs: Any = maybe,
    store_namespaces: Any = maybe,
) -> DatabaseBackup:
    """How the product's database is backed up."""
    if database.kind in (DatabaseKind.EXTERNAL, DatabaseKind.MISSING):
        return _nothing(database, Method.UNSEEN)
    if database.kind is DatabaseKind.CNPG:
        if database.cluster is None:
            if database.cluster_gap:
                raise NotSeen(database.cluster_gap)
            return _nothing(database, Method.NONE)
        found = _by_operator(database.cluster, barman_stores, cnpg_backups, database_schedules, store_namespaces)
        if found is not None:
            return found
    return _by_dumps(database, dump_jobs)


def _nothing(database: Database, method: Method) -> DatabaseBackup:
    return DatabaseBackup(database.subject, database.source, method)


def _by_dumps(database: Database, jobs: Any) -> DatabaseBackup:
    """CronJobs in the database's namespace or the release's; none is proven only where all were seen. Raises NotSeen."""
    homes = tuple({space for space in (database.namespace, database.config.source.namespace) if space})
    ours: Objects[DumpJob] = within(jobs.where(lambda job: job.namespace in homes), *homes)
    if not ours:
        ours.surely()
        return _nothing(database, Method.NONE)
    schedules = ours.each(
        lambda job: Schedule(job.subject, job.source, job.name, job.schedule, cron_interval(job.schedule), job.suspended, "dump", True, job.last_run)
    )
    done = [job for job in ours if job.last_success is not None]
    newest = max(done, key=lambda job: job.last_success or datetime.min, default=None)
    evidence = tuple(Shown(job.source, "status.lastSuccessfulTime", _printed(job.last_success)) for job in ours)
    newest_success = newest.last_success if newest is not None else None
    volumes = tuple(sorted({f"{job.namespace}/{claim}" for job in ours for claim in job.claims}))
    return DatabaseBackup(
        database.subject, database.source, Method.DUMP, first_point=newest_success, last=newest_success, schedules=schedules, volumes=volumes,
        evidence=evidence,
    )  # fmt: skip


def _printed(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment is not None else "none"


def _method(cluster: CnpgCluster) -> Method | None:
    if cluster.backup_plugin is not None:
        return Method.PLUGIN
    if cluster.in_tree is not None:
        return Method.IN_TREE
    return Method.SNAPSHOT if cluster.snapshot_class is not None else None


def _by_operator(cluster: CnpgCluster, stores: Any, backups: Any, schedules: Any, namespaces: Any) -> DatabaseBackup | None:
    """The operator's own backups; None where the cluster is set up for none."""
    method = _method(cluster)
    if method is None:
        return None
    copies = _copies(cluster, backups)
    firsts, lasts, failed = list(cluster.first_points), list(cluster.last_backups), cluster.last_failed
    evidence = [Shown(cluster.source, "status.lastSuccessfulBackup", _printed(lasts[-1]))] if lasts else []
    gap: tuple[Reason, ...] = ()
    target = endpoint = retention = ""
    if method is Method.PLUGIN and cluster.backup_plugin is not None:
        store, gap = _store(cluster, cluster.backup_plugin, stores)
        if store is not None:
            target, endpoint, retention = store.url, store.endpoint, store.retention
            server = cluster.backup_plugin.server or cluster.name
            first, last, failed = store.windows.get(server, (None, None, None))
            firsts, lasts = [*firsts, *([first] if first else [])], [*lasts, *([last] if last else [])]
            evidence.append(Shown(store.source, f"status.serverRecoveryWindow[{server}].lastSuccessfulBackupTime", _printed(last)))
    elif cluster.in_tree is not None:
        target, endpoint, retention = cluster.in_tree.url, cluster.in_tree.endpoint, cluster.retention
    done = [(moment, one) for one in copies if (moment := one.stopped or one.started) is not None]
    if done:
        moment, newest = max(done, key=lambda pair: pair[0])
        evidence.append(Shown(newest.source, "status.stoppedAt", _printed(moment)))
        lasts.append(moment)
        firsts = firsts or [min(moment for moment, _ in done)]
    condition = cluster.condition(ARCHIVING)
    continuous = (cluster.archiver is not None or cluster.in_tree is not None) and not cluster.archiving_skipped
    if condition is not None and continuous:
        evidence.append(Shown(cluster.source, "status.conditions[].status", f"{ARCHIVING} {condition.status}"))
    archiving = {"True": True, "False": False}.get(condition.status) if condition is not None else None
    return DatabaseBackup(
        cluster.subject, cluster.source, method, continuous, archiving if continuous else None, min(firsts, default=None), max(lasts, default=None),
        failed, schedules, copies, target, endpoint, _inside(endpoint, cluster.namespace, namespaces), retention=retention,
        evidence=tuple(evidence), gap=(*gap, *copies.partial),
    )  # fmt: skip


def _inside(endpoint: str, home: str, namespaces: Any) -> bool | None:
    """Whether an endpoint's host is a Service, as the database's namespace sees it; two labels are one where the second is a namespace."""
    host = endpoint.partition("://")[2].partition("/")[0].partition(":")[0]
    if not host or cluster_service(host, home) is not None:
        return bool(host)
    second = two_labels(host)
    if second is None:
        return False
    if not seen(namespaces):
        return None
    return True if any(item.name == second for item in namespaces) else False if namespaces.complete else None


def _store(cluster: CnpgCluster, plugin: Plugin, stores: Any) -> tuple[ObjectStore | None, tuple[Reason, ...]]:
    """The plugin's ObjectStore, or why it was not seen."""
    if not plugin.store:
        return None, ()
    if not seen(stores):
        return None, reasons_of(stores)
    found = next((one for one in stores if (one.name, one.namespace) == (plugin.store, cluster.namespace)), None)
    odd = tuple(Reason(str(item.subject), f"{item.subject}: {item.why}") for item in stores.unreadable)
    return found, () if found is not None else (*stores.partial, *odd)


def _copies(cluster: CnpgCluster, backups: Any) -> Objects[Copy]:
    if not seen(backups):
        return Objects(partial=reasons_of(backups))
    ours: Objects[Any] = backups.where(lambda one: (one.cluster, one.namespace) == (cluster.name, cluster.namespace) and one.phase == COMPLETED)
    return ours.each(lambda one: Copy(one.source, one.method, one.started, one.stopped))


@fact
def database_schedules(database: Database, postgresql_schedules: Any = maybe) -> Objects[Schedule]:
    """The ScheduledBackups of the database's cluster; one of a method that it is not set up for makes only failed backups."""
    if database.cluster is None:
        return Objects()
    if not seen(postgresql_schedules):
        return Objects(partial=reasons_of(postgresql_schedules))
    cluster: CnpgCluster = database.cluster
    usable = {
        PLUGIN_METHOD: any(plugin.enabled for plugin in cluster.plugins), IN_TREE_METHOD: cluster.in_tree is not None,
        SNAPSHOT_METHOD: cluster.snapshot_class is not None,
    }  # fmt: skip

    def build(item: Document) -> Schedule | None:
        if (item.text("spec.cluster.name"), item.namespace) != (cluster.name, cluster.namespace):
            return None
        cron, method = item.text("spec.schedule") or "", item.text("spec.method") or IN_TREE_METHOD
        return Schedule(
            item.subject, item.source, item.name, cron, cron_interval(cron, seconds_first=True), item.boolean("spec.suspend") or False, method,
            usable.get(method, False), item.time("status.lastScheduleTime"),
        )  # fmt: skip

    found: Objects[Schedule] = postgresql_schedules.each(build)
    return found
