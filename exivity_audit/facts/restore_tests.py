"""Restores that this cluster shows: databases recovered from the live one's store, and volumes made from its backups."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.claim_copies import gaps
from exivity_audit.facts.claims import Claim
from exivity_audit.facts.cnpg import Bootstrap, CnpgCluster
from exivity_audit.facts.database import Database, DatabaseKind
from exivity_audit.facts.database_backups import Shown
from exivity_audit.facts.longhorn import LonghornClaim
from exivity_audit.facts.velero import CLAIMS, COMPLETED, VeleroBackup, VeleroRestore, VeleroSchedule
from exivity_audit.subject import Subject

REHEARSED_CLAIMS = ("extracted", "exported", "etl-config")
_VOLUME = re.compile(r"[?&]volume=([^&]+)")


class RestoredVolume(Struct, frozen=True):
    """A Longhorn volume made from a backup; ``origin`` is the volume the backup is of."""

    subject: Subject
    source: Source
    origin: str
    made: datetime | None
    standby: bool
    whole: bool


class Rehearsal(Struct, frozen=True):
    """A restore that was seen to have worked: of what, when, and where it shows."""

    what: str
    at: datetime
    shown: tuple[Shown, ...]


class Rehearsals(Struct, frozen=True):
    """The newest restore seen, why it is not enough where it is not, and what could not be seen."""

    newest: Rehearsal | None
    note: str
    unread: tuple[Reason, ...]


@fact
def restored_volumes(longhorn_restores: Objects[Document]) -> Objects[RestoredVolume]:
    """The Longhorn volumes that were made from a backup."""

    def build(item: Document) -> RestoredVolume | None:
        url = item.text("spec.fromBackup")
        found = _VOLUME.search(url or "")
        standby = item.boolean("spec.Standby") or item.boolean("status.isStandby") or False
        whole = not item.boolean("status.restoreRequired") and item.text("status.robustness") != "faulted"
        return RestoredVolume(item.subject, item.source, found[1], item.time("metadata.creationTimestamp"), standby, whole) if found else None

    return longhorn_restores.each(build)


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@fact
def database_restores(database: Database, cnpg_clusters: Any = maybe, barman_stores: Any = maybe, cnpg_backups: Any = maybe) -> Rehearsals:
    """Healthy CloudNativePG clusters, other than the live one, that were recovered from its store or from one of its backups."""
    live = database.cluster
    if live is None:
        return Rehearsals(None, _elsewhere(database), database.cluster_gap)
    if not seen(cnpg_clusters):
        return Rehearsals(None, "", reasons_of(cnpg_clusters))
    home = _store_of(live, barman_stores)
    others = [one for one in cnpg_clusters if (one.name, one.namespace) != (live.name, live.namespace) and one.origin.kind is Bootstrap.RECOVERY]
    mine = [one for one in others if _recovered(one, live, home, barman_stores, cnpg_backups)]
    good = [one for one in mine if one.healthy and one.created is not None and not one.deleting]
    newest = max(good, key=lambda one: one.created.timestamp() if one.created else 0.0, default=None)
    unread = gaps(cnpg_clusters, *((barman_stores,) if others and not mine else ()))
    if newest is None or newest.created is None:
        note = (
            f"Cluster {mine[0].namespace}/{mine[0].name} was recovered from its store, and is not healthy: {mine[0].phase or 'no phase'}"
            if mine
            else ""
        )
        return Rehearsals(None, note, unread)
    where = f"Cluster {newest.namespace}/{newest.name}, recovered from its store"
    shown = (Shown(newest.source, "metadata.creationTimestamp", _stamp(newest.created)), Shown(newest.source, "status.phase", newest.phase))
    return Rehearsals(Rehearsal(where, newest.created, shown), "", unread)


def _elsewhere(database: Database) -> str:
    """Why no Cluster of the operator is the database, where that says something of its restores."""
    if database.kind is DatabaseKind.MISSING:
        return "the configured host leads to no database"
    return "" if database.in_cluster else "the database is outside the cluster"


def _store_of(live: CnpgCluster, stores: Any) -> tuple[str, str]:
    """URL and server name of the store that the live cluster writes to."""
    if live.backup_plugin is not None:
        return _url(live.backup_plugin.store, live.namespace, stores), live.backup_plugin.server or live.name
    return (live.in_tree.url, live.in_tree.server or live.name) if live.in_tree is not None else ("", live.name)


def _url(store: str, namespace: str, stores: Any) -> str:
    return next((one.url for one in stores if (one.name, one.namespace) == (store, namespace)), "") if seen(stores) else ""


def _recovered(one: CnpgCluster, live: CnpgCluster, home: tuple[str, str], stores: Any, backups: Any) -> bool:
    """Whether a cluster was recovered from the live one's store, or from one of its Backup objects."""
    origin = one.origin
    if origin.backup:
        known = [each for each in backups if each.source.name == origin.backup and each.namespace == one.namespace] if seen(backups) else []
        return one.namespace == live.namespace and any(each.cluster == live.name for each in known)
    if origin.plugin is not None:
        url, server = _url(origin.plugin.store, one.namespace, stores), origin.plugin.server or origin.source
    elif origin.store is not None:
        url, server = origin.store.url, origin.store.server or origin.source
    else:
        return False
    return bool(url) and (url.rstrip("/"), server) == (home[0].rstrip("/"), home[1])


@fact
def data_restores(
    longhorn_claims: Objects[LonghornClaim], claims: Objects[Claim], release: Any, restored_volumes: Any = maybe, restores: Any = maybe,
    velero_copies: Any = maybe, schedules: Any = maybe,
) -> Rehearsals:  # fmt: skip
    """The newest restore of the shared data: by Velero, or as Longhorn volumes of all three claims that count."""
    mine = {one.claim.part: one.handle for one in longhorn_claims if one.claim.part in REHEARSED_CLAIMS and one.handle}
    by_volumes, note = _by_volumes(mine, restored_volumes)
    by_velero, other = _by_velero(release.namespace, restores, velero_copies, schedules)
    unread = gaps(restores, *((restored_volumes,) if mine else ()), *((velero_copies,) if seen(restores) and restores else ()))
    every = [one for one in (by_volumes, by_velero) if one is not None]
    return Rehearsals(max(every, key=lambda one: one.at, default=None), "; ".join(filter(None, (note, other))), unread)


def _by_volumes(handles: dict[str, str], restored: Any) -> tuple[Rehearsal | None, str]:
    """The restore of all three claims into Longhorn volumes, as old as the oldest of the newest; else which are there."""
    if not seen(restored) or not handles:
        return None, ""
    newest: dict[str, RestoredVolume] = {}
    for one in restored:
        part = next((name for name, handle in handles.items() if handle == one.origin), None)
        if part is not None and one.made is not None and one.whole and not one.standby and (part not in newest or newest[part].made < one.made):
            newest[part] = one
    missing = [part for part in REHEARSED_CLAIMS if part not in newest]
    if missing:
        return None, f"Longhorn volumes restored of {', '.join(sorted(newest))}, none of {', '.join(missing)}" if newest else ""
    moments = [one.made for one in newest.values() if one.made is not None]
    shown = tuple(
        Shown(newest[part].source, "metadata.creationTimestamp", _stamp(moment)) for part in REHEARSED_CLAIMS if (moment := newest[part].made)
    )
    return Rehearsal(f"Longhorn volumes restored of {', '.join(REHEARSED_CLAIMS)}", min(moments), shown), ""


def _by_velero(namespace: str, restores: Any, copies: Any, schedules: Any) -> tuple[Rehearsal | None, str]:
    """The newest whole restore of the namespace with its volumes; else why the newest of the namespace does not count."""
    ours = [one for one in restores if one.selection.holds(namespace) and one.finished is not None] if seen(restores) else []
    backups, plans = _by_name(copies), _by_name(schedules)
    note = ""
    for one in sorted(ours, key=lambda each: each.finished, reverse=True):
        why = _wanting(one, namespace, backups.get(one.backup) or plans.get(one.schedule))
        if not why:
            shown = (Shown(one.source, "status.phase", one.phase), Shown(one.source, "status.completionTimestamp", _stamp(one.finished)))
            return Rehearsal(f"Velero restore {one.name} of backup {one.backup or one.schedule}", one.finished, shown), ""
        note = note or f"Velero restore {one.name}: {why}"
    return None, note


def _by_name(read: Any) -> dict[str, VeleroBackup | VeleroSchedule]:
    """The first of each name."""
    return {one.name: one for one in reversed(tuple(read))} if seen(read) else {}


def _wanting(one: VeleroRestore, namespace: str, origin: VeleroBackup | VeleroSchedule | None) -> str:
    """Why a restore is no proof; empty where it is."""
    if one.phase != COMPLETED or one.errors:
        return f"{one.phase or 'no phase'}{f', {one.errors} errors' if one.errors else ''}"
    if not one.volumes or not one.selection.takes(CLAIMS) or one.selection.selectors:
        return "it left out volumes"
    if origin is None:
        return "its backup is not there, so whether it held volumes is not seen"
    if not origin.selection.holds(namespace):
        return "its backup does not hold the namespace"
    return "" if origin.ways.files or origin.ways.moved or origin.ways.snapshots else "its backup held no volume data"
