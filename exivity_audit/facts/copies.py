"""The backup ledger: everything that must survive, what copies it, and how old its last good copy is."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit import chart
from exivity_audit.document import Document
from exivity_audit.fact import Objects, Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.claim_copies import ClaimCopies, gaps, of_kind
from exivity_audit.facts.claims import ClaimGroup
from exivity_audit.facts.database import DatabaseKind
from exivity_audit.facts.database_backups import DatabaseBackup, Method, Shown
from exivity_audit.facts.velero import SECRETS, VeleroBackup, VeleroSchedule
from exivity_audit.quantity import Duration, duration
from exivity_audit.scenario import Role
from exivity_audit.subject import Subject

KEPT_CLAIMS = ("extracted", "exported", "import", "report", "etl-config", "griffon-config", "chronos-config")
"""The claims whose data nobody makes again; log lines may be lost, and the broker's messages are transient."""
MARGIN, BASE_BACKUP = "backup.margin", "postgresql.base_backup"


class State(enum.StrEnum):
    """How a copy stands."""

    FRESH = "fresh"
    LATE = "late"
    NONE = "none"
    UNKNOWN = "unknown"
    NEEDLESS = "not needed"


class Kind(enum.StrEnum):
    """What is copied."""

    CLAIM = "claim"
    DATABASE = "database"
    SECRETS = "secrets"
    LOGS = "logs"
    BROKER = "broker"


class Entry(Struct, frozen=True):
    """One line of the ledger; ``unread`` says what was not seen, ``elsewhere`` that no cluster shows it."""

    kind: Kind
    subject: Subject
    item: str
    state: State
    size: int | None = None
    copied_by: str = ""  # empty: nothing
    last: datetime | None = None
    undated: bool = False  # there is a copy, and nothing says of when
    age: Duration | None = None
    limit: Duration | None = None
    within: Duration | None = None  # the recovery point with its margin; ``limit`` may be longer where the job runs more rarely
    note: str = ""
    elsewhere: bool = False
    unread: tuple[Reason, ...] = ()
    evidence: tuple[Shown, ...] = ()

    @property
    def copied(self) -> bool:
        """Whether there is a good copy, however old."""
        return self.last is not None or self.undated


class Copy(Struct, frozen=True):
    """A row of the report's table. Times are RFC 3339, ages and limits seconds, sizes bytes; null where there is none."""

    item: str
    kind: str  # claim, database, secrets, logs, broker
    size: int | None
    copied_by: str  # empty: nothing
    last: str | None
    age: float | None
    limit: float | None
    state: str  # fresh, late, none, unknown, not needed
    note: str


def _age(moment: datetime | None, now: datetime) -> Duration | None:
    return None if moment is None else Duration(max(0.0, (now - moment).total_seconds()))


def recovery_point(settings: Any, thresholds: Any) -> Duration:
    """The declared recovery point with the margin that a run may take."""
    return Duration(round(duration(settings.declare.rpo) * (1 + float(thresholds[MARGIN]))))


def limit_of(within: Duration, interval: Duration | None) -> Duration:
    """How old a copy may be: the recovery point with its margin, or twice the time between two runs."""
    return within if interval is None else Duration(max(within, 2 * interval))


@fact
def ledger(
    claim_copies: Objects[ClaimCopies], release: Any, settings: Any, thresholds: Any, now: datetime, database_backup: Any = maybe,
    schedules: Any = maybe, velero_copies: Any = maybe, app_key: Any = maybe, jwt_secret: Any = maybe, licence: Any = maybe,
    postgres_secret: Any = maybe, database: Any = maybe,
) -> Objects[Entry]:  # fmt: skip
    """Every line of the ledger: the claims, the database, the Secrets, the logs, the broker."""
    within = recovery_point(settings, thresholds)
    found = [claim_entry(one, within, now) for one in of_kind(claim_copies, KEPT_CLAIMS)]
    found.append(_database(database_backup, database, release, within, Duration(duration(thresholds[BASE_BACKUP])), now))
    found.append(_secrets(schedules, velero_copies, (app_key, jwt_secret, licence, postgres_secret), release, within, now))
    found.extend(_logs(claim_copies, release, within, now))
    found.extend(_broker(claim_copies))
    return Objects(found, unreadable=claim_copies.unreadable, partial=claim_copies.partial)


def claim_entry(one: ClaimCopies, within: Duration, now: datetime) -> Entry:
    """The line of a claim."""
    copiers, last = one.copiers, one.last
    limit = limit_of(within, next((copier.interval for copier in copiers), None))
    moment = last.at if last is not None else None
    age = _age(moment, now)
    decided = one.longhorn or one.passed_over or (one.local and one.velero)
    gone = "" if last is not None else "no volume yet" if not one.claim.volume else "its volume is lost" if one.claim.phase == "Lost" else ""
    if gone:
        return Entry(Kind.CLAIM, one.subject, one.claim.name, State.NEEDLESS, _size(one), within=within, note=gone)
    return Entry(
        Kind.CLAIM, one.subject, one.claim.name, _state(last is not None, age, limit, one.unread, decided), _size(one),
        copied_by=", ".join(copier.name for copier in copiers[:2]) or (f"{last.by}, no job now" if last is not None else ""),
        last=moment, undated=last is not None and moment is None, age=age, limit=limit, within=within, note=_note(one),
        elsewhere=not decided, unread=one.unread, evidence=(Shown(last.source, last.path, _stamp(moment)),) if last is not None else (),
    )  # fmt: skip


def _size(one: ClaimCopies) -> int | None:
    size = one.claim.capacity or one.claim.request
    return int(size) if size is not None else None


def _stamp(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment is not None else "no time"


def _state(copied: bool, age: Duration | None, limit: Duration, unread: tuple[Reason, ...], decided: bool) -> State:
    if copied and age is not None and age <= limit:
        return State.FRESH
    if unread or (copied and age is None):
        return State.UNKNOWN
    if copied:
        return State.LATE
    return State.NONE if decided else State.UNKNOWN


def _note(one: ClaimCopies) -> str:
    if one.last is not None:
        return ""
    if one.passed_over:
        return "a hostPath volume, which Velero's file-system backup passes over"
    if one.empty and not one.schedules:
        return f"Velero schedule {one.empty[0].name} takes the objects without the data"
    if one.beside or (one.longhorn and one.snapshots):
        return "snapshots on its own storage alone"
    if one.longhorn or (one.local and one.velero):
        return "no good copy is seen"
    return "no cluster shows whether the storage is copied"


NOTES = {Method.UNSEEN: "outside the cluster", Method.NONE: "no native backup", Method.SNAPSHOT: "volume snapshots alone"}


def _database(backup: Any, database: Any, release: Any, within: Duration, base: Duration, now: datetime) -> Entry:
    """The line of the database: native copies alone count."""
    about = release.subject.at("database")
    if not seen(backup):
        return Entry(Kind.DATABASE, about, "PostgreSQL", State.UNKNOWN, within=within, unread=reasons_of(backup))
    found: DatabaseBackup = backup
    running = [one for one in found.schedules if not one.suspended and one.fits]
    interval = min((one.interval for one in running if one.interval is not None), default=None)
    usual = Duration(2 * interval) if interval is not None else base
    limit = usual if found.continuous else limit_of(within, interval)
    age = _age(found.last, now)
    note = NOTES.get(found.method, "")
    other = found.method is Method.NONE and seen(database) and database.kind is DatabaseKind.OTHER  # its operator may save it by its own means
    elsewhere = found.method is Method.UNSEEN or other
    return Entry(
        Kind.DATABASE, about, "PostgreSQL" if found.method is Method.UNSEEN or not found.subject.name else f"PostgreSQL {found.subject.name}",
        _state(found.last is not None, age, limit, (*found.gap, *(() if found.last else gaps(found.schedules))), not elsewhere),
        copied_by=f"{found.method}{f' → {found.target}' if found.target else ''}" if found.exists else "", last=found.last, age=age, limit=limit,
        within=within, note="what its operator saves is not seen" if other else note, elsewhere=elsewhere, unread=found.gap, evidence=found.evidence,
    )  # fmt: skip


SECRET_NAMES = (chart.APP_KEY[0], chart.JWT_SECRET[0], chart.LICENCE[0], chart.POSTGRES_SECRET[0])


def _secrets(schedules: Any, copies: Any, reads: tuple[Any, ...], release: Any, within: Duration, now: datetime) -> Entry:
    """The line of the four Secrets: Velero takes them with the namespace; elsewhere no cluster shows it."""
    labels = [item.labels() for one in reads if seen(one) for item in one if isinstance(item, Document)]

    def takes(one: VeleroSchedule | VeleroBackup) -> bool:
        chosen = one.selection
        fits = not chosen.selectors or (bool(labels) and all(chosen.fits(each) for each in labels))
        return chosen.holds(release.namespace) and chosen.takes(SECRETS) and fits

    running = [one for one in schedules if one.enabled and takes(one)] if seen(schedules) else []
    newest = next((one for one in copies if one.good and takes(one)), None) if seen(copies) else None
    limit = limit_of(within, min((one.interval for one in running if one.interval is not None), default=None))
    moment, unread = newest.finished if newest else None, gaps(schedules, copies)
    age = _age(moment, now)
    return Entry(
        Kind.SECRETS, release.subject.at("secrets"), f"Secrets ({len(SECRET_NAMES)})", _state(newest is not None, age, limit, unread, False),
        copied_by=", ".join(f"Velero schedule {one.name}" for one in running[:2]) or ("Velero, no schedule now" if newest else ""), last=moment,
        age=age, limit=limit, within=within, note="" if newest else "no cluster shows where else they are kept", elsewhere=newest is None,
        unread=unread, evidence=(Shown(newest.source, "status.completionTimestamp", _stamp(moment)),) if newest is not None else (),
    )  # fmt: skip


def _logs(found: Objects[ClaimCopies], release: Any, within: Duration, now: datetime) -> Iterator[Entry]:
    """The log claims as one line, with the oldest of their last copies."""
    logs = [claim_entry(one, within, now) for one in found if one.claim.group is ClaimGroup.LOG]
    sizes = [one.size for one in logs if one.size is not None]
    fresh = [one for one in logs if one.state is State.FRESH]
    about, item, size = release.subject.at("logs"), f"Log claims ({len(logs)})", sum(sizes) if len(sizes) == len(logs) else None
    if logs and len(fresh) == len(logs):
        oldest = max(fresh, key=lambda one: one.age or 0.0)
        by = ", ".join(dict.fromkeys(one.copied_by for one in fresh if one.copied_by))
        yield replace(oldest, kind=Kind.LOGS, subject=about, item=item, size=size, copied_by=by)
    elif logs:
        note = f"{len(fresh)} of {len(logs)} copied; log lines may be lost"
        yield Entry(Kind.LOGS, about, item, State.NEEDLESS, size, within=within, note=note)


def _broker(found: Objects[ClaimCopies]) -> Iterator[Entry]:
    """The embedded broker's claim: what lies on it is in flight."""
    for one in found:
        if one.claim.group is ClaimGroup.RABBITMQ:
            yield Entry(Kind.BROKER, one.subject, one.claim.name, State.NEEDLESS, _size(one), note="messages are transient")


@fact
def copies(ledger: Objects[Entry], settings: Any) -> tuple[Copy, ...]:
    """The ledger as the report's table; empty at a passive site, whose data live at the active one."""
    if settings.role is Role.PASSIVE:
        return ()
    return tuple(
        Copy(
            one.item, one.kind.value, one.size, one.copied_by, _stamp(one.last) if one.last else None,
            float(one.age) if one.age is not None else None, float(one.limit) if one.limit is not None else None, one.state.value, _said(one),
        )
        for one in ledger
    )  # fmt: skip


def _said(one: Entry) -> str:
    if one.unread and one.state is State.UNKNOWN:
        return "; ".join(reason.text for reason in one.unread)
    return "nothing says of when its copy is" if one.undated else one.note
