"""The database beside its volumes."""

from __future__ import annotations

from exivity_audit import MEDIUM, check, fail, ok, print_duration, skip, task, to_attest, unknown, wanted
from exivity_audit.facts.database import DatabaseKind
from exivity_audit.facts.database_backups import Method

from .shared import PASSIVE, told


@check(
    "not-volumes-alone", severity=MEDIUM, clauses=("F9",), passive=PASSIVE,
    attest="show the database's own backups and the last that succeeded; attach the list of backups",
)  # fmt: skip
def not_volumes_alone(database_backup, database, now):
    """PostgreSQL has a native backup beside volume copies.

    A copy of a running database's volume is the state of a crash, if the copy is taken at one moment at all; only the database's own
    backup can be brought to a point in time and checked.

    Fix: back the database up natively: Barman Cloud for CloudNativePG, or dumps by a CronJob.
    """
    backup, want = database_backup, wanted("a native backup beside volume copies")
    at = [(one, one.path, one.value) for one in backup.evidence]
    fix = task("Back the database up natively: Barman Cloud to an object store for CloudNativePG, else a CronJob that runs pg_dump off the cluster")
    if database.kind is DatabaseKind.MISSING:
        yield skip(backup, "the configured host leads to no database", follows="postgresql/reachable")
    elif backup.method is Method.NONE and database.kind is DatabaseKind.OTHER:
        yield to_attest(backup, "no CronJob dumps it, and what its operator saves is not seen")
    elif backup.method is Method.UNSEEN:
        yield to_attest(backup, "the database is outside the cluster: its own backups are not seen")
    elif backup.method is Method.SNAPSHOT:
        yield fail(backup, "volume snapshots alone", wanted=want, at=at or [(backup, "spec.backup.volumeSnapshot", "alone")], fix=fix)
    elif backup.last is not None:
        age = (now - backup.last).total_seconds()
        yield ok(backup, backup.method.value, seen=f"{backup.method.value}, last {print_duration(max(0, age))} ago", at=at)
    elif backup.gap:
        why, needs = told(backup.gap)
        yield unknown(backup, why, needs=needs)
    else:
        yield skip(backup, "no native backup has succeeded", follows="postgresql/backups")
