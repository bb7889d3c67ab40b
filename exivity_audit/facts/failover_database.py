"""How the standby's database comes by the data of the active one."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from exivity_audit.fact import seen
from exivity_audit.facts.cnpg import CnpgCluster, Plugin, Store
from exivity_audit.facts.database import Database, DatabaseKind


class Pattern(enum.Enum):
    """What the standby's database is to the active one."""

    REPLICA = "a replica cluster"
    PROMOTED = "a replica cluster that was promoted"
    OWN = "a cluster that follows nobody"
    OTHER = "another database"
    EMBEDDED = "the chart's own database"
    EXTERNAL = "a database outside the cluster"
    ABSENT = "no database yet"


def pattern(database: Database) -> Pattern:
    """What a standby's database is, by what is seen of it. The cluster of a CloudNativePG database must have been seen."""
    if database.kind is DatabaseKind.CNPG:
        cluster = database.cluster
        if cluster is None:
            return Pattern.ABSENT
        if cluster.replica is None:
            return Pattern.OWN
        return Pattern.REPLICA if cluster.replica.follows else Pattern.PROMOTED
    return {
        DatabaseKind.EMBEDDED: Pattern.EMBEDDED, DatabaseKind.EXTERNAL: Pattern.EXTERNAL, DatabaseKind.MISSING: Pattern.ABSENT,
    }.get(database.kind, Pattern.OTHER)  # fmt: skip


class Kinship(Struct, frozen=True):
    """Whether a replica cluster follows the active one, and what shows it; ``same`` None: nothing tells."""

    same: bool | None
    how: str
    at: tuple[tuple[Any, str, str], ...] = ()


class _Home(Struct, frozen=True):
    """Where a cluster's write-ahead log and base backups are: public part of the URL, and the server's name there."""

    url: str
    server: str

    @property
    def known(self) -> bool:
        return bool(self.url and self.server)

    @property
    def printed(self) -> str:
        return f"{self.url} (server {self.server})"


def kinship(active: CnpgCluster, standby: CnpgCluster, active_stores: Any, standby_stores: Any) -> Kinship:
    """Whether a replica cluster follows another cluster: by PostgreSQL's own identifier, else by the store it reads."""
    replica = standby.replica
    if active.system_id and standby.system_id:
        at = ((standby, "status.systemID", standby.system_id), (active, "status.systemID", active.system_id))
        same = active.system_id == standby.system_id
        return Kinship(same, f"PostgreSQL's system identifier is {'the same' if same else 'another one'}", at)
    if replica is None:
        return Kinship(None, "it names no source")
    read = _home(replica.store, replica.plugin, standby.namespace, replica.source, standby_stores)
    written = _home(active.in_tree, active.backup_plugin, active.namespace, active.name, active_stores)
    if read.known and written.known:
        same = (read.url.rstrip("/"), read.server) == (written.url.rstrip("/"), written.server)
        at = ((standby, "spec.externalClusters", read.printed), (active, "spec.plugins" if active.backup_plugin else "spec.backup", written.printed))
        return Kinship(same, f"it reads {read.printed}" + ("" if same else f", the active one writes {written.printed}"), at)
    where = f"it streams from {replica.host}" if replica.host else f"its source is {replica.source or 'not named'}"
    return Kinship(None, where, ((standby, "spec.replica.source", replica.source),))


def _home(store: Store | None, plugin: Plugin | None, namespace: str, usual: str, stores: Any) -> _Home:
    if plugin is not None and plugin.barman:
        known: Iterable[Any] = stores if seen(stores) else ()
        url = next((one.url for one in known if (one.name, one.namespace) == (plugin.store, namespace)), "")
        return _Home(url, plugin.server or usual)
    return _Home(store.url, store.server or usual) if store is not None else _Home("", "")
