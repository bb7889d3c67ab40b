"""What copies each claim of the release, and when it was last copied whole: Longhorn's backups, Velero, CSI snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from exivity_audit.evidence import Source
from exivity_audit.fact import NotSeen, Objects, Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.claims import Claim, Volume, volume_of
from exivity_audit.facts.longhorn import LonghornVolume, longhorn_claim
from exivity_audit.facts.longhorn_backups import COMPLETED, LastBackup, odd_among, state_of
from exivity_audit.facts.recurring_jobs import BACKUP, SNAPSHOT, RecurringJob, jobs_of
from exivity_audit.facts.selectors import Labelled, selector_fits
from exivity_audit.facts.velero import CLAIMS, PODS, VeleroBackup, VeleroSchedule
from exivity_audit.facts.workloads import Pod
from exivity_audit.quantity import Duration
from exivity_audit.subject import Subject


class Copier(Struct, frozen=True):
    """What copies a claim again and again."""

    source: Source
    name: str
    interval: Duration | None
    path: str  # where its schedule stands
    schedule: str


class GoodCopy(Struct, frozen=True):
    """A whole copy of a claim, made by whom and when; ``at`` None: nothing says when."""

    by: str
    at: datetime | None
    source: Source
    path: str


class ClaimCopies(Struct, frozen=True):
    """A claim with what copies it, and its last good copy."""

    claim: Claim
    longhorn: bool
    local: bool  # on a disk of one node, which nothing outside the cluster copies
    volume: LonghornVolume | None
    snapshots: tuple[RecurringJob, ...]  # Longhorn's snapshot jobs: copies beside the data, none elsewhere
    jobs: tuple[RecurringJob, ...]  # Longhorn's backup jobs
    schedules: tuple[VeleroSchedule, ...]  # enabled, and taking the data with them
    idle: tuple[VeleroSchedule, ...]  # would take the data, and do not run
    empty: tuple[VeleroSchedule, ...]  # take the objects without the data
    velero: bool  # Velero is in use in this cluster
    passed_over: bool  # on a hostPath volume, which Velero's file backup leaves out
    last: GoodCopy | None
    beside: bool  # there are snapshots on the volume's own storage alone
    unread: tuple[Reason, ...]  # what was not seen and may show more

    @property
    def subject(self) -> Subject:
        """The claim."""
        return self.claim.subject

    @property
    def source(self) -> Source:
        """Where the claim was seen."""
        return self.claim.source

    @property
    def copiers(self) -> tuple[Copier, ...]:
        """Everything that copies its data elsewhere, again and again; the quickest first."""
        found = [Copier(job.source, f"Longhorn job {job.name}", job.interval, "spec.cron", job.cron) for job in self.jobs]
        found += [Copier(one.source, f"Velero schedule {one.name}", one.interval, "spec.schedule", one.cron) for one in self.schedules]
        return tuple(sorted(found, key=lambda one: (one.interval is None, one.interval or 0.0, one.name)))


class _Mounting:
    """The pods that mount a claim, by claim and by their labels."""

    def __init__(self, pods: Iterable[Pod]) -> None:
        self._pods: dict[tuple[str, str], list[Pod]] = {}
        self._labelled: dict[tuple[str, str], Labelled[Pod]] = {}
        self._known: dict[tuple[str, str, str], bool] = {}
        for pod in pods:
            for name in pod.claims:
                self._pods.setdefault((pod.namespace, name), []).append(pod)

    def carries(self, claim: Claim, selectors: tuple[Any, ...]) -> bool:
        """Whether one of some selectors fits a pod that mounts a claim; looked at once for all backups with the same. Raises Malformed."""
        key = claim.namespace, claim.name, repr(selectors)
        found = self._known.get(key)
        if found is None:
            near = (pod for selector in selectors for pod in self._near(claim, selector) if selector_fits(selector, pod.labels))
            found = self._known[key] = next(near, None) is not None
        return found

    def _near(self, claim: Claim, selector: Any) -> Sequence[Pod]:
        """The pods among which are all that a selector may fit."""
        key = claim.namespace, claim.name
        pods = self._pods.get(key, [])
        wanted = selector.get("matchLabels") if isinstance(selector, dict) else None
        if not pods or not isinstance(wanted, dict) or not wanted:
            return pods
        if key not in self._labelled:
            self._labelled[key] = Labelled(pods)
        return self._labelled[key].selected(claim.namespace, wanted)


class _Around(Struct, frozen=True):
    """Everything that may copy a claim; each may be Unseen."""

    namespace: str
    volumes: Any
    classes: Any
    replicated: Any
    jobs: Any
    backups: Any
    states: Any
    schedules: Any
    copies: Any
    files: Any
    snapshots: Any
    mounting: _Mounting
    labels: dict[str, dict[str, str]]
    runs: frozenset[tuple[str, str]]  # backup and the schedule that made it


def gaps(*collections: Any) -> tuple[Reason, ...]:
    """Why absence from these collections proves nothing; empty where it does."""
    found = [reason for one in collections for reason in (one.partial if seen(one) else reasons_of(one))]
    odd = [item for one in collections if seen(one) for item in one.unreadable]
    return tuple(dict.fromkeys([*found, *(Reason(str(item.subject), f"malformed: {item.subject}: {item.why}") for item in odd)]))


@fact
def claim_copies(
    claims: Objects[Claim], release: Any, volumes: Any = maybe, storage_classes: Any = maybe, replicated_volumes: Any = maybe,
    recurring_jobs: Any = maybe, last_backups: Any = maybe, backup_states: Any = maybe, schedules: Any = maybe, velero_copies: Any = maybe,
    volume_copies: Any = maybe, claim_snapshots: Any = maybe, pods: Any = maybe, persistentvolumeclaims: Any = maybe,
) -> Objects[ClaimCopies]:  # fmt: skip
    """Every claim of the release, with its copies."""
    labels = dict(persistentvolumeclaims.each(lambda item: (item.name, item.labels()))) if seen(persistentvolumeclaims) else {}
    around = _Around(
        release.namespace, volumes, storage_classes, replicated_volumes, recurring_jobs, last_backups, backup_states, schedules, velero_copies,
        volume_copies, claim_snapshots, _Mounting(pods if seen(pods) else ()), labels,
        frozenset((one.name, one.schedule) for one in velero_copies) if seen(velero_copies) else frozenset(),
    )  # fmt: skip
    return Objects((copies_of(claim, around) for claim in claims), unreadable=claims.unreadable, partial=claims.partial)


def copies_of(claim: Claim, around: _Around) -> ClaimCopies:
    """A claim of the release, or of a database beside it, with its copies."""
    behind = volume_of(claim, around.volumes) if seen(around.volumes) else None
    unread: list[Reason] = []
    try:
        mine = longhorn_claim(claim, around.volumes, around.classes)
    except NotSeen as error:
        mine = None
        unread += error.reasons
    volume: LonghornVolume | None = None
    jobs: tuple[RecurringJob, ...] = ()
    if mine is not None:
        volume = next((one for one in around.replicated if one.name == mine.handle), None) if seen(around.replicated) else None
        jobs = jobs_of(volume, around.jobs) if volume is not None and seen(around.jobs) else ()
        unread += odd_among(_named(volume, around), around.states)
        unread += gaps(around.backups, around.jobs, *(() if volume is not None else (around.replicated, around.volumes)))
    fitting = [one for one in around.schedules if _holds(one, claim, around)] if seen(around.schedules) else []
    taking = [one for one in fitting if _takes(one, claim, behind, around)]
    if behind is None and _odd_volume(claim, around):
        unread += gaps(around.volumes)
    unread += gaps(around.schedules, around.copies, around.files, around.snapshots)
    whole = [*(_longhorn_copies(volume, around)), *(_velero_copies(claim, behind, around)), *(_snapshots(claim, around))]
    local = behind is not None and bool(behind.host_path or behind.local_path)
    return ClaimCopies(
        claim, mine is not None, local, volume,
        tuple(job for job in jobs if job.makes == SNAPSHOT), tuple(job for job in jobs if job.makes == BACKUP),
        tuple(one for one in taking if one.enabled), tuple(one for one in taking if not one.enabled),
        tuple(one for one in fitting if one not in taking),
        _velero_in_use(around), bool(fitting) and behind is not None and behind.host_path is not None and not taking,
        max(whole, key=lambda one: (one.at is not None, one.at.timestamp() if one.at else 0.0), default=None),
        any(one.claim == claim.name and one.apart is not True for one in around.snapshots) if seen(around.snapshots) else False,
        tuple(dict.fromkeys(unread)),
    )  # fmt: skip


def _velero_in_use(around: _Around) -> bool:
    schedules, copies = around.schedules, around.copies
    return (seen(schedules) and bool(schedules)) or (seen(copies) and any(one.selection.holds(around.namespace) for one in copies))


def _holds(one: VeleroSchedule | VeleroBackup, claim: Claim, around: _Around) -> bool:
    """Whether it takes the namespace and the claim's object."""
    found = one.selection
    return found.holds(claim.namespace) and found.takes(CLAIMS) and (not found.selectors or _labelled(one, claim, around))


def _labelled(one: VeleroSchedule | VeleroBackup, claim: Claim, around: _Around) -> bool:
    """Whether its label selectors fit the claim, or a pod that mounts it: Velero takes a pod's claims with it."""
    if one.selection.fits(around.labels.get(claim.name, {})):
        return True
    return around.mounting.carries(claim, one.selection.selectors)


def _takes(one: VeleroSchedule | VeleroBackup, claim: Claim, behind: Volume | None, around: _Around) -> bool:
    """Whether it takes the claim's data to its storage location: as files of a pod, or as a snapshot that is moved."""
    if one.ways.moved and behind is not None and behind.driver:
        return True
    if one.ways.files and one.selection.takes(PODS) and not (behind.host_path if behind else _odd_volume(claim, around)):
        return True
    return seen(around.files) and any(_is_copy(copy, claim) and _made_by(copy.backup, one, around) for copy in around.files)


def _odd_volume(claim: Claim, around: _Around) -> bool:
    """Whether the volume of a claim may be a malformed one, of which nothing is known."""
    return seen(around.volumes) and claim.volume is not None and any(odd.subject.name in (None, claim.volume) for odd in around.volumes.unreadable)


def _made_by(backup: str, one: VeleroSchedule | VeleroBackup, around: _Around) -> bool:
    """Whether a backup is this one, or one of this schedule."""
    if isinstance(one, VeleroBackup):
        return backup == one.name
    return (backup, one.name) in around.runs


def _is_copy(copy: Any, claim: Claim) -> bool:
    return bool(copy.good) and copy.claim == claim.name and copy.namespace == claim.namespace


def _on_targets(volume: LonghornVolume, around: _Around) -> list[LastBackup]:
    return [one for one in around.backups if one.volume == volume.name] if seen(around.backups) else []


def _named(volume: LonghornVolume | None, around: _Around) -> list[str]:
    """The backups that its targets and the volume itself name as its newest."""
    return [] if volume is None else [*(one.name for one in _on_targets(volume, around)), volume.last_backup]


def _longhorn_copies(volume: LonghornVolume | None, around: _Around) -> Iterator[GoodCopy]:
    """Backups of a Longhorn volume, as its target and as the volume itself names them."""
    if volume is None:
        return
    broken = {name for name in _named(volume, around) if state_of(name, around.states) not in ("", COMPLETED)}
    for one in _on_targets(volume, around):
        if one.name not in broken:
            yield GoodCopy("Longhorn", one.at, one.source, one.path)
    if volume.last_backup and volume.last_backup not in broken:
        yield GoodCopy("Longhorn", volume.last_backup_at, volume.source, "status.lastBackupAt")


def _velero_copies(claim: Claim, behind: Volume | None, around: _Around) -> Iterator[GoodCopy]:
    """Volumes copied as files, and whole backups that moved a snapshot of the volume."""
    for copy in around.files if seen(around.files) else ():
        if _is_copy(copy, claim):
            yield GoodCopy("Velero", copy.finished, copy.source, "status.completionTimestamp")
    moved = behind is not None and bool(behind.driver)
    for one in around.copies if seen(around.copies) and moved else ():
        if one.good and one.ways.moved and _holds(one, claim, around):
            yield GoodCopy("Velero", one.finished, one.source, "status.completionTimestamp")


def _snapshots(claim: Claim, around: _Around) -> Iterator[GoodCopy]:
    """CSI snapshots that leave the volume's own disks."""
    for one in around.snapshots if seen(around.snapshots) else ():
        if one.claim == claim.name and one.apart:
            yield GoodCopy("CSI snapshot", one.taken, one.source, "status.creationTime")


def of_kind(found: Iterable[ClaimCopies], parts: Iterable[str]) -> tuple[ClaimCopies, ...]:
    """The claims of these parts, in this order."""
    by_part = {one.claim.part: one for one in found}
    return tuple(by_part[part] for part in parts if part in by_part)
