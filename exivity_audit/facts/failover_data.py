"""How the shared data of the active site comes to the standby: a backup target that both reach, or volumes that follow there."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from exivity_audit.fact import NotSeen, Objects, Reason
from exivity_audit.facts.backup_targets import BackupTarget
from exivity_audit.facts.claims import Claim, ClaimGroup, Volume, volume_of
from exivity_audit.facts.longhorn import LonghornClaim
from exivity_audit.facts.restore_tests import RestoredVolume
from exivity_audit.facts.sites import Pair
from exivity_audit.facts.velero import VeleroSchedule

LOOKS_AT = ("backup_targets", "storage_locations", "schedules", "longhorn_claims", "restored_volumes", "claims", "volumes")
DATA = (ClaimGroup.DATA, ClaimGroup.CONFIG)


class SharedTarget(Struct, frozen=True):
    """One place for backups, as the active site and the standby name it."""

    active: BackupTarget
    standby: BackupTarget


class SharedFiles(Struct, frozen=True):
    """A claim of the active site and one of the standby that are the same files."""

    part: str
    place: str
    active: Volume
    standby: Volume


class StandbyData(Struct, frozen=True):
    """What of the active site's data the standby can come by."""

    active_targets: tuple[BackupTarget, ...]
    standby_targets: tuple[BackupTarget, ...]
    shared: tuple[SharedTarget, ...]
    following: dict[str, RestoredVolume]  # by part: a standby volume that follows the active one's backups
    wanted: tuple[str, ...]  # parts of the claims whose data must come over
    same_files: tuple[SharedFiles, ...]
    unseen: tuple[Reason, ...]

    @property
    def covered(self) -> bool:
        """Whether a standby volume follows each claim."""
        return bool(self.wanted) and all(part in self.following for part in self.wanted)


def place_of(target: BackupTarget) -> str:
    """Where a target is, in one spelling."""
    scheme, _, rest = target.url.partition("://")
    return f"{scheme.lower()}://{rest.rstrip('/')}"


def standby_data(pair: Pair) -> StandbyData:
    """What the standby of a pair can come by."""
    look = _Look()
    ours = look.at(pair.active, "longhorn_claims", LonghornClaim)
    on_longhorn = bool(ours)
    active = (*_set(look.at(pair.active, "backup_targets", BackupTarget) if on_longhorn else ()), *_written(pair, look))
    standby = (
        *_set(look.at(pair.passive, "backup_targets", BackupTarget)), *_set(look.at(pair.passive, "storage_locations", BackupTarget)),
    )  # fmt: skip
    shared = tuple(
        SharedTarget(one, other) for one in active for other in standby if one.subject.kind == other.subject.kind and place_of(one) == place_of(other)
    )
    wanted = tuple(one.part for one in look.at(pair.active, "claims", Claim) if one.group in DATA)
    handles = {one.handle: one.claim.part for one in ours if one.handle}
    restored = look.at(pair.passive, "restored_volumes", RestoredVolume) if on_longhorn else ()
    following = {handles[one.origin]: one for one in restored if one.standby and one.origin in handles}
    return StandbyData(active, standby, shared, following, wanted, _same_files(pair, look), look.unseen)


class _Look:
    """Reads facts of sites; what cannot be seen is noted, with the site's name."""

    def __init__(self) -> None:
        self._unseen: dict[Reason, None] = {}

    @property
    def unseen(self) -> tuple[Reason, ...]:
        return tuple(self._unseen)

    def at(self, site: Any, name: str, kind: type) -> tuple[Any, ...]:
        try:
            found: Objects[Any] = site.fact(name)
        except NotSeen as error:
            self._unseen |= dict.fromkeys(error.reasons)
            return ()
        odd = (Reason(name, f"malformed: {item.subject}: {item.why}") for item in found.unreadable)
        self._unseen |= dict.fromkeys(site.here((*found.partial, *odd)))
        return tuple(found)


def _set(targets: tuple[Any, ...]) -> tuple[BackupTarget, ...]:
    return tuple(one for one in targets if one.url)


def _written(pair: Pair, look: _Look) -> tuple[BackupTarget, ...]:
    """The locations of Velero that schedules of the release's namespace write to."""
    locations = _set(look.at(pair.active, "storage_locations", BackupTarget))
    if not locations:
        return ()
    holding = [one for one in look.at(pair.active, "schedules", VeleroSchedule) if one.selection.holds(pair.active.release.namespace)]
    named = {one.location for one in holding}
    usual = any(not name for name in named)
    return tuple(one for one in locations if one.name in named or (usual and (one.default or len(locations) == 1)))


def _same_files(pair: Pair, look: _Look) -> tuple[SharedFiles, ...]:
    """Claims whose volumes at both sites are one export or share: one storage under two clusters."""
    active, standby = (
        {
            one.part: volume
            for one in look.at(site, "claims", Claim)
            if one.group in DATA and (volume := volume_of(one, look.at(site, "volumes", Volume))) is not None
        }
        for site in (pair.active, pair.passive)
    )
    return tuple(
        SharedFiles(part, _export(volume), volume, standby[part])
        for part, volume in active.items()
        if part in standby and _export(volume) and _export(volume) == _export(standby[part])
    )


def _export(volume: Volume) -> str:
    """Server and path of a volume on NFS or SMB; empty for any other, and for a server inside the cluster."""
    server: Any
    path: Any
    if volume.nfs is not None:
        server, path = volume.nfs
    else:
        server, path = (volume.attributes.get(key) for key in ("server", "share"))
        path = f"{path}#{volume.handle}" if path else path
    if not isinstance(server, str) or not isinstance(path, str) or not server or not path or ".svc" in server:
        return ""
    return f"{server.lower().rstrip('.')}:{path.rstrip('/') or '/'}"
