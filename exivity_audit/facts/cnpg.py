"""CloudNativePG: its clusters and poolers as the operator's objects show them."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from exivity_audit.document import Document, Malformed, NotCollected
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.quantity import Size
from exivity_audit.subject import Subject

CLUSTER_LABEL, INSTANCE_ROLE, POD_ROLE, POOLER_LABEL = "cnpg.io/cluster", "cnpg.io/instanceRole", "cnpg.io/podRole", "cnpg.io/poolerName"
BARMAN_PLUGIN = "barman-cloud.cloudnative-pg.io"
HEALTHY = "Cluster in healthy state"
DATE = "%Y-%m-%d %H:%M:%S %z"


class Bootstrap(enum.StrEnum):
    """How a cluster got its first data."""

    INITDB = "initdb"
    RECOVERY = "recovery"
    BASEBACKUP = "pg_basebackup"


class Store(Struct, frozen=True):
    """An object store that a cluster writes to or was made from: its URL, endpoint and the server's name in it; empty where not said."""

    url: str
    endpoint: str
    server: str


class Plugin(Struct, frozen=True):
    """A CNPG-I plugin of a cluster; ``store`` names its ObjectStore."""

    name: str
    enabled: bool
    archiver: bool
    store: str
    server: str

    @property
    def barman(self) -> bool:
        """Whether it is the Barman Cloud plugin."""
        return self.name == BARMAN_PLUGIN


class Origin(Struct, frozen=True):
    """What a cluster was made from: a recovery's or base backup's source by name, with its store or plugin as far as it is said."""

    kind: Bootstrap
    source: str = ""  # name of the external cluster
    backup: str = ""  # name of the Backup object
    snapshot: str = ""  # name of the volume snapshot
    store: Store | None = None
    plugin: Plugin | None = None


class Disk(Struct, frozen=True):
    """The storage that a cluster asks for each instance."""

    size: Size | None
    class_name: str


class Replication(Struct, frozen=True):
    """``spec.replica``: whether the cluster follows another one, and which; ``host`` and ``store`` are where that one is reached."""

    follows: bool
    source: str
    primary: str
    host: str = ""  # streamed from; empty where the write-ahead log comes from a store alone
    store: Store | None = None
    plugin: Plugin | None = None
    enabled: bool | None = None  # as written; None: the names of primary and self decide
    own: str = ""  # its name in the distributed topology


class Condition(Struct, frozen=True):
    """A condition of the cluster's status."""

    kind: str
    status: str
    reason: str
    since: datetime | None


class CnpgCluster(Struct, frozen=True):
    """A CloudNativePG cluster."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    instances: int
    ready: int
    primary: str
    target_primary: str
    phase: str
    conditions: tuple[Condition, ...]
    image: str  # the one that runs, else the one asked for
    major: int | None
    storage: Disk
    wal_storage: Disk | None
    replica: Replication | None
    synchronous: bool
    plugins: tuple[Plugin, ...]
    in_tree: Store | None
    retention: str  # acts on the in-tree store alone
    snapshot_class: str | None  # None: no snapshot configured; empty: the default class
    origin: Origin
    created: datetime | None
    first_points: tuple[datetime, ...]  # recoverability points of the status; the operator sets none in plugin mode
    last_backups: tuple[datetime, ...]
    last_failed: datetime | None
    certificate_expirations: tuple[tuple[str, datetime], ...]
    pod_monitor: bool
    metrics_tls: bool
    write_service: str
    hibernated: bool
    fenced: bool
    archiving_skipped: bool
    deleting: bool
    system_id: str = ""  # PostgreSQL's own identifier, the same for a primary and what follows it; operators before 1.26 do not tell

    @property
    def healthy(self) -> bool:
        """Whether the operator calls it healthy and every instance is ready."""
        return self.phase == HEALTHY and self.ready >= self.instances > 0 and not self.hibernated and not self.fenced

    @property
    def archiver(self) -> Plugin | None:
        """The plugin that archives the write-ahead log; CNPG takes the first."""
        return next((one for one in self.plugins if one.enabled and one.archiver), None)

    @property
    def backup_plugin(self) -> Plugin | None:
        """The plugin that keeps backups: the archiver, else the enabled Barman Cloud plugin."""
        return self.archiver or next((one for one in self.plugins if one.enabled and one.barman), None)

    def condition(self, kind: str) -> Condition | None:
        """The condition of this type."""
        return next((one for one in self.conditions if one.kind == kind), None)


class Pooler(Struct, frozen=True):
    """A PgBouncer pooler in front of a cluster; ``kind`` is rw or ro."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    cluster: str
    kind: str


def _store(item: Document, path: str) -> Store | None:
    if item.get(path) is None:
        return None
    return Store(item.text(f"{path}.destinationPath") or "", item.text(f"{path}.endpointURL") or "", item.text(f"{path}.serverName") or "")


def _plugin(item: Document, prefix: str = "", *, archiver: bool = False) -> Plugin:
    enabled = item.boolean(f"{prefix}enabled") if not prefix else True
    return Plugin(
        item.text(f"{prefix}name") or "", enabled is not False, archiver,
        item.text(f"{prefix}parameters.barmanObjectName") or "", item.text(f"{prefix}parameters.serverName") or "",
    )  # fmt: skip


def _plugins(item: Document) -> tuple[Plugin, ...]:
    return tuple(_plugin(entry, archiver=entry.boolean("isWALArchiver") or False) for entry in item.items("spec.plugins"))


def _origin(item: Document) -> Origin:
    at = "spec.bootstrap"
    if item.get(f"{at}.recovery") is not None:
        source = item.text(f"{at}.recovery.source") or ""
        backup, snapshot = item.text(f"{at}.recovery.backup.name") or "", item.text(f"{at}.recovery.volumeSnapshots.storage.name") or ""
        return Origin(Bootstrap.RECOVERY, source, backup, snapshot, *_external(item, source))
    if item.get(f"{at}.pg_basebackup") is not None:
        source = item.text(f"{at}.pg_basebackup.source") or ""
        return Origin(Bootstrap.BASEBACKUP, source, "", "", *_external(item, source))
    return Origin(Bootstrap.INITDB)


def _external(item: Document, source: str) -> tuple[Store | None, Plugin | None]:
    for entry in item.items("spec.externalClusters"):
        if entry.text("name") == source:
            plugin = _plugin(entry, "plugin.") if entry.get("plugin") is not None else None
            return _store(entry, "barmanObjectStore"), plugin
    return None, None


def _disk(item: Document, path: str) -> Disk | None:
    if item.get(path) is None:
        return None
    size = item.size(f"{path}.size") if item.get(f"{path}.size") else item.size(f"{path}.pvcTemplate.resources.requests.storage")
    return Disk(size, item.text(f"{path}.storageClass") or item.text(f"{path}.pvcTemplate.storageClassName") or "")


def _newer(item: Document, path: str) -> str:
    """A text that older snapshots did not keep; empty there, as where the operator does not tell."""
    try:
        return item.text(path) or ""
    except NotCollected:
        return ""


def _replication(item: Document) -> Replication | None:
    """By the operator's own rule: ``enabled`` where it is said, else whether another cluster is named as the primary."""
    if item.get("spec.replica") is None:
        return None
    enabled, primary = item.boolean("spec.replica.enabled"), item.text("spec.replica.primary") or ""
    own = item.text("spec.replica.self") or item.name
    follows = enabled if enabled is not None else own != primary
    source = item.text("spec.replica.source") or ""
    hosts = (_newer(entry, "connectionParameters.host") for entry in item.items("spec.externalClusters") if entry.text("name") == source)
    return Replication(follows, source, primary, next(hosts, ""), *_external(item, source), enabled, own)


def _times(item: Document, path: str) -> tuple[datetime, ...]:
    """A time of the status and its variants by method."""
    found = [item.time(path)] if item.get(path) else []
    found += [item.time(f"{path}ByMethod[{method}]") for method in sorted(item.mapping(f"{path}ByMethod"))]
    return tuple(sorted(moment for moment in found if moment is not None))


def _expirations(item: Document) -> tuple[tuple[str, datetime], ...]:
    """Secrets of certificates and until when they are valid; the operator writes ``2026-12-01 10:00:00 +0000 UTC``."""
    found = []
    for name, text in sorted(item.labels("status.certificates.expirations").items()):
        try:
            found.append((name, datetime.strptime(text.rpartition(" ")[0], DATE).astimezone(UTC)))
        except ValueError as error:
            raise Malformed(f"status.certificates.expirations[{name}]", "date", text) from error
    return tuple(found)


@fact
def cnpg_clusters(postgresql_clusters: Objects[Document]) -> Objects[CnpgCluster]:
    """Every CloudNativePG cluster that could be seen, the product's own and others."""
    return postgresql_clusters.each(_cluster)


def _cluster(item: Document) -> CnpgCluster:
    instances, synchronous = item.integer("spec.instances"), item.get("spec.postgresql.synchronous.method") is not None
    conditions = tuple(
        Condition(entry.text("type") or "", entry.text("status") or "", entry.text("reason") or "", entry.time("lastTransitionTime"))
        for entry in item.items("status.conditions")
    )
    snapshot = item.get("spec.backup.volumeSnapshot") is not None
    fenced = item.text("metadata.annotations[cnpg.io/fencedInstances]")
    return CnpgCluster(
        subject=item.subject, source=item.source, name=item.name, namespace=item.namespace or "",
        instances=1 if instances is None else instances, ready=item.integer("status.readyInstances") or 0,
        primary=item.text("status.currentPrimary") or "", target_primary=item.text("status.targetPrimary") or "",
        phase=item.text("status.phase") or "", conditions=conditions,
        image=item.text("status.pgDataImageInfo.image") or item.text("status.image") or item.text("spec.imageName") or "",
        major=item.integer("status.pgDataImageInfo.majorVersion") or item.integer("spec.imageCatalogRef.major"),
        storage=_disk(item, "spec.storage") or Disk(None, ""), wal_storage=_disk(item, "spec.walStorage"), replica=_replication(item),
        synchronous=synchronous or bool(item.integer("spec.minSyncReplicas")), plugins=_plugins(item),
        in_tree=_store(item, "spec.backup.barmanObjectStore"), retention=item.text("spec.backup.retentionPolicy") or "",
        snapshot_class=(item.text("spec.backup.volumeSnapshot.className") or "") if snapshot else None,
        origin=_origin(item), created=item.time("metadata.creationTimestamp"),
        first_points=_times(item, "status.firstRecoverabilityPoint"), last_backups=_times(item, "status.lastSuccessfulBackup"),
        last_failed=item.time("status.lastFailedBackup") if item.get("status.lastFailedBackup") else None,
        certificate_expirations=_expirations(item), pod_monitor=item.boolean("spec.monitoring.enablePodMonitor") or False,
        metrics_tls=item.boolean("spec.monitoring.tls.enabled") or False, write_service=item.text("status.writeService") or f"{item.name}-rw",
        hibernated=item.text("metadata.annotations[cnpg.io/hibernation]") == "on", fenced=fenced not in (None, "", "[]"),
        archiving_skipped=item.text("metadata.annotations[cnpg.io/skipWalArchiving]") == "enabled",
        deleting=item.text("metadata.deletionTimestamp") is not None, system_id=_newer(item, "status.systemID"),
    )  # fmt: skip


@fact
def poolers(postgresql_poolers: Objects[Document]) -> Objects[Pooler]:
    """Every pooler that could be seen."""

    def build(item: Document) -> Pooler:
        cluster, kind = item.text("spec.cluster.name") or "", item.text("spec.type") or "rw"
        return Pooler(item.subject, item.source, item.name, item.namespace or "", cluster, kind)

    return postgresql_poolers.each(build)


def named_cluster(name: str, namespace: str, clusters: Any) -> CnpgCluster | None:
    """The cluster of this name, where it was seen."""
    return next((one for one in clusters if (one.name, one.namespace) == (name, namespace)), None)
