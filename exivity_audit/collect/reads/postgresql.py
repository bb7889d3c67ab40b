"""Reads of the database and its operator: CloudNativePG, and the object stores of its Barman Cloud plugin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exivity_audit.collect.place import MissingRead, Read, cluster, paths, values
from exivity_audit.collect.reads.middleware import home_and_middleware, middleware_places
from exivity_audit.collect.reads.shapes import CRONJOB, CRONJOB_CUT, METADATA
from exivity_audit.fact import Unreadable
from exivity_audit.facts.configuration import two_labels
from exivity_audit.snapshot import Place


def _database_namespace(postgres_config: Any, service_objects: Any, host_namespaces: Any, release: Any) -> Iterable[Place]:
    """The namespace, other than the release's, where the database is."""
    if isinstance(postgres_config, Unreadable):
        raise MissingRead(postgres_config)
    yield from middleware_places(postgres_config, (), service_objects, host_namespaces, release)


def _store_namespaces(postgresql_clusters: Any, object_stores: Any) -> Iterable[Place]:
    """Namespaces that the endpoints of the object stores may name (``minio.storage``); whether one exists decides what the host is."""
    found: set[str] = set()
    for read, path in ((object_stores, "spec.configuration.endpointURL"), (postgresql_clusters, "spec.backup.barmanObjectStore.endpointURL")):
        endpoints = () if isinstance(read, Unreadable) else values(read, path)
        hosts = (endpoint.partition("://")[2].partition("/")[0].partition(":")[0] for endpoint in endpoints)
        found |= {namespace for host in hosts if (namespace := two_labels(host))}
    for namespace in sorted(found):
        yield Place(None, namespace)


def _storage(prefix: str) -> str:
    leaves = ("size", "storageClass", "pvcTemplate.resources.requests.storage", "pvcTemplate.storageClassName")
    return " ".join(f"{prefix}.{leaf}" for leaf in leaves)


CLUSTER = (
    f"{METADATA} metadata.deletionTimestamp metadata.annotations[cnpg.io/hibernation] metadata.annotations[cnpg.io/fencedInstances]"
    " metadata.annotations[cnpg.io/skipWalArchiving]"
    " spec.instances spec.minSyncReplicas spec.postgresql.synchronous.method"
    " spec.imageCatalogRef.major"
    f" {_storage('spec.storage')} {_storage('spec.walStorage')}"
    " spec.backup.barmanObjectStore.serverName spec.backup.volumeSnapshot.className"
    " spec.backup.retentionPolicy"
    " spec.plugins[].name spec.plugins[].enabled spec.plugins[].isWALArchiver spec.plugins[].parameters.barmanObjectName spec.plugins[].parameters.serverName"
    " spec.replica.enabled spec.replica.source spec.replica.primary spec.replica.self"
    " spec.externalClusters[].name spec.externalClusters[].barmanObjectStore.serverName spec.externalClusters[].plugin.name"
    " spec.externalClusters[].plugin.parameters.barmanObjectName spec.externalClusters[].plugin.parameters.serverName"
    " spec.bootstrap.initdb.database spec.bootstrap.recovery.source spec.bootstrap.recovery.backup.name"
    " spec.bootstrap.recovery.volumeSnapshots.storage.name spec.bootstrap.pg_basebackup.source"
    " spec.monitoring.enablePodMonitor spec.monitoring.tls.enabled"
    " status.readyInstances status.currentPrimary status.targetPrimary status.phase"
    " status.conditions[].type status.conditions[].status status.conditions[].reason status.conditions[].lastTransitionTime"
    " status.firstRecoverabilityPoint status.firstRecoverabilityPointByMethod status.lastSuccessfulBackup status.lastSuccessfulBackupByMethod"
    " status.systemID status.lastFailedBackup status.certificates.expirations status.writeService status.pgDataImageInfo.majorVersion"
)
CLUSTER_CUT = {
    "spec.imageName": "image", "status.image": "image", "status.pgDataImageInfo.image": "image",
    "spec.backup.barmanObjectStore.destinationPath": "store_url", "spec.backup.barmanObjectStore.endpointURL": "store_url",
    "spec.externalClusters[].connectionParameters.host": "host", "spec.externalClusters[].barmanObjectStore.destinationPath": "store_url", "spec.externalClusters[].barmanObjectStore.endpointURL": "store_url",
}  # fmt: skip

READS: tuple[Read, ...] = (
    Read("postgresql_clusters", "clusters.postgresql.cnpg.io", cluster(), paths(CLUSTER, CLUSTER_CUT), "Cluster", otherwise=home_and_middleware),
    Read("postgresql_backups", "backups.postgresql.cnpg.io", cluster(), paths(
        "metadata.labels metadata.creationTimestamp spec.cluster.name spec.method"
        " status.phase status.startedAt status.stoppedAt status.method"), "Backup", otherwise=home_and_middleware),
    Read("postgresql_schedules", "scheduledbackups.postgresql.cnpg.io", cluster(), paths(
        "metadata.labels metadata.creationTimestamp spec.schedule spec.suspend spec.cluster.name spec.method status.lastScheduleTime"), "ScheduledBackup", otherwise=home_and_middleware),
    Read("postgresql_poolers", "poolers.postgresql.cnpg.io", cluster(), paths(
        "metadata.labels spec.cluster.name spec.type"), "Pooler", otherwise=home_and_middleware),
    Read("object_stores", "objectstores.barmancloud.cnpg.io", cluster(), paths(
        "metadata.labels spec.retentionPolicy status.serverRecoveryWindow",
        {"spec.configuration.destinationPath": "store_url", "spec.configuration.endpointURL": "store_url"}), "ObjectStore", otherwise=home_and_middleware),
    Read("middleware_cronjobs", "cronjobs", _database_namespace, paths(CRONJOB, CRONJOB_CUT), "CronJob"),
    Read("store_namespaces", "namespaces", _store_namespaces, paths("status.phase"), "Namespace", by_name=True),
)  # fmt: skip
