"""Native backups of the database: that they run, that they are recent, and where they go."""

from __future__ import annotations

from exivity_audit import (
    CRITICAL,
    HIGH,
    Duration,
    NotSeen,
    at_most,
    check,
    exactly,
    fail,
    maybe,
    ok,
    print_duration,
    skip,
    task,
    to_attest,
    unknown,
    wanted,
    warn,
)  # fmt: skip
from exivity_audit.facts.database_backups import Method
from exivity_audit.quantity import duration

from .probing import archive_fails, archive_told, probe_of
from .shared import BACKUPS, EMBEDDED, EXTERNAL, OTHER, forgiven, host_at, not_there

SLACK = 1.1  # of the recovery point: a run may take its time
TIMES = 2  # of the schedule's interval
NATIVE = wanted("a scheduled native backup")


@check(
    "backups", severity=CRITICAL, clauses=("PG4", "K3", "F9"), passive="the database is backed up at the active site",
    attest="show the schedule of the database's native backups and the newest one that succeeded; attach the platform's page or the backup's log",
)  # fmt: skip
def backups(database, database_backup, settings, scenario, thresholds, now, database_probes=maybe):
    """A native backup succeeded within the recovery point.

    Everything that was billed and reported is in the database; a copy of its volume alone may not start, and a replica repeats every mistake.

    Fix: back CloudNativePG up with Barman Cloud: an ObjectStore, a plugin with `isWALArchiver: true`, and a daily ScheduledBackup.
    """
    absent = not_there(database, settings)
    if absent is not None:
        yield absent
    elif database.kind is EXTERNAL:
        yield _outside(database, probe_of(database_probes))
    elif database_backup.method is Method.NONE and database.kind is OTHER:
        yield to_attest(database, "no CronJob dumps it, and what its operator saves is not seen from here", at=[host_at(database)])
    elif database_backup.method is Method.NONE:
        yield forgiven(_none(database), database, settings, scenario)
    else:
        yield forgiven(_judge(database_backup, settings, thresholds, now), database, settings, scenario)


def _outside(database, probe):
    """An external database: its own word that the archive fails is a finding; that it works is no backup yet."""
    text = f"{database.config.host} is outside this cluster, which does not show its backups{archive_told(probe)}"
    return archive_fails(database, probe) or to_attest(database, text, at=[host_at(database)])


def _none(database):
    if database.kind is EMBEDDED:
        text = "no CronJob dumps it; the chart's own job runs at upgrades only"
        fix = task("Add a CronJob that runs `pg_dump` to an object store every day, or move the data to CloudNativePG with Barman Cloud")
    else:
        text = "no plugin, object store or volume snapshot is set up for it, and no CronJob dumps it"
        fix = task("Add an ObjectStore, the Barman Cloud plugin with `isWALArchiver: true`, and a daily ScheduledBackup")
    return fail(database, "none", seen=text, wanted=NATIVE, at=[host_at(database)], fix=fix)


def _judge(backup, settings, thresholds, now):
    """One way of backing up, by its schedule, its archive and its newest success."""
    at = [(one, one.path, one.value) for one in backup.evidence]
    at += [(one, "spec.schedule", one.cron) for one in backup.schedules]
    running = [one for one in backup.schedules if one.fits and not one.suspended]
    if backup.archiving_ok is False:
        fix = task(
            "Read the logs of the primary's pod and of its plugin for what the archive command says, and mend it before the volume fills with the log"
        )
        return fail(
            backup, "archiving fails", seen=f"{backup.method}: the write-ahead log is not archived", wanted=exactly("archiving works"), at=at, fix=fix
        )
    if not running:
        return _unscheduled(backup, at)
    if backup.last is None:
        return _never(backup, at)
    age, limit = Duration(max((now - backup.last).total_seconds(), 0)), _limit(backup, running, settings, thresholds)
    text = f"{backup.method}: last success {print_duration(age)} ago" + (", write-ahead log archived" if backup.continuous else "")
    want = at_most(limit, note="two intervals" if backup.continuous else "the recovery point and a tenth")
    failed = backup.last_failed is not None and backup.last_failed > backup.last
    remark = "a newer attempt failed" if failed else ""
    if age > limit:
        if backup.gap:
            raise NotSeen(backup.gap)
        fix = task("Read the newest Backup objects or Jobs for why they fail, mend that, and start one by hand")
        return fail(backup, age, seen=text, wanted=want, at=at, fix=fix, remark=remark)
    if backup.continuous and backup.archiving_ok is None:
        return unknown(backup, f"{text.partition(',')[0]}; the operator does not say whether the write-ahead log is archived", at=at)
    if backup.method is Method.SNAPSHOT:
        fix = task(
            "Add an ObjectStore and the Barman Cloud plugin with `isWALArchiver: true`: a snapshot restores one moment, and lies beside the volume"
        )
        return warn(backup, "volume snapshots alone", seen=text, wanted=wanted("an archive in an object store"), at=at, fix=fix, remark=remark)
    return ok(backup, age, seen=text, wanted=want, at=at, remark=remark)


def _limit(backup, running, settings, thresholds):
    """How old the newest success may be: two intervals with an archive, the recovery point without."""
    if not backup.continuous:
        return Duration(duration(settings.declare.rpo) * SLACK)
    intervals = [one.interval for one in running if one.interval]
    return Duration(TIMES * min(intervals)) if intervals else duration(thresholds["postgresql.base_backup"])


def _unscheduled(backup, at):
    """No schedule that makes backups: none at all, suspended, or of a method that the Cluster is not set up for."""
    idle = [one for one in backup.schedules if one.suspended]
    foreign = [one for one in backup.schedules if not one.fits and not one.suspended]
    backup.schedules.surely()
    names = ", ".join(f"{one.subject.kind} {one.name}" for one in (*idle, *foreign))
    if foreign:
        fix = task(f"Set `spec.method` of {names} to the way the Cluster is set up: {backup.method}")
        text = f"{names} asks for {foreign[0].method}, which the Cluster is not set up for"
    elif idle:
        fix = task(f"Set `spec.suspend: false` on {names}")
        text = f"{names} is suspended"
    else:
        fix = task('Add a ScheduledBackup with `spec.schedule: "0 0 2 * * *"` for the Cluster')
        text = "no ScheduledBackup"
    return fail(backup, "not scheduled", seen=f"{backup.method}: {text}", wanted=NATIVE, at=at, fix=fix)


def _never(backup, at):
    """No success is on record."""
    if backup.gap:
        raise NotSeen(backup.gap)
    backup.copies.surely()
    if backup.first_point is not None:
        return unknown(backup, f"{backup.method}: a recoverability point, and no time of the newest backup", at=at)
    fix = task("Start a backup by hand, and read its object or Job for why none has completed yet")
    return fail(
        backup, "no backup yet", seen=f"{backup.method}: no backup has completed, so there is no recoverability point", wanted=NATIVE, at=at, fix=fix
    )


@check(
    "backup-target", severity=HIGH, clauses=("PG4",), passive="the database is backed up at the active site",
    attest="show where the database's backups are kept, that this is outside the cluster, and for how long; attach the platform's page",
)  # fmt: skip
def backup_target(database, database_backup, settings):
    """Database backups leave the cluster.

    What kills the cluster or its storage takes the backups along that lie in it; and a store without retention grows until it refuses the next one.

    Fix: let the ObjectStore write to S3-compatible storage outside the cluster, with a retention policy.
    """
    absent = not_there(database, settings)
    method = database_backup.method
    if absent is not None:
        yield absent
    elif database.kind is EXTERNAL:
        yield to_attest(database, f"{database.config.host} is outside this cluster, which does not show its backups")
    elif method is Method.NONE and database.kind is OTHER:
        yield to_attest(database, "where its operator keeps backups is not seen from here")
    elif method is Method.NONE:
        yield skip(database, "there is no native backup", follows=BACKUPS)
    else:
        yield _target(database_backup, database.cluster)


OFF = wanted("a store outside the cluster")


def _target(backup, cluster):
    move = task("Let the backups go to S3-compatible storage outside the cluster, with a retention policy")
    if backup.method is Method.SNAPSHOT:
        at = [(backup, "spec.backup.volumeSnapshot.className", "set")]
        return warn(backup, "volume snapshots", seen="volume snapshots, kept by the cluster's own storage", wanted=OFF, at=at, fix=move)
    if backup.method is Method.DUMP:
        at = [(one, "spec.jobTemplate.spec.template.spec.volumes", ", ".join(backup.volumes)) for one in backup.schedules]
        if backup.volumes:
            return warn(backup, "a volume of this cluster", seen=f"dumps on the claim {', '.join(backup.volumes)}", wanted=OFF, at=at, fix=move)
        return to_attest(backup, "where the CronJob puts its dumps is not seen", at=at)
    at = [(one, one.path, one.value) for one in backup.evidence]
    if not backup.target:
        if backup.gap:
            raise NotSeen(backup.gap)
        if backup.method is Method.PLUGIN and not cluster.backup_plugin.barman:
            return to_attest(backup, f"where the plugin {cluster.backup_plugin.name} keeps backups is not seen from here", at=at)
        return fail(backup, "none", seen=f"{backup.method}: names no object store that exists", wanted=OFF, at=at, fix=move)
    place = f"{backup.target}{f' at {backup.endpoint}' if backup.endpoint else ''}"
    if backup.inside:
        return warn(backup, "in this cluster", seen=f"{place}, a Service of this cluster", wanted=OFF, at=at, fix=move)
    if backup.inside is None:
        host = backup.endpoint.partition("://")[2]
        return unknown(backup, f"{place}: whether {host} is a Service of this cluster is not known", needs=("get namespaces",), at=at)
    if not backup.retention:
        where = "the ObjectStore's `spec.retentionPolicy`" if backup.method is Method.PLUGIN else "`spec.backup.retentionPolicy`"
        fix = task(f"Set {where}, for example to 30d, or keep a lifecycle rule on the bucket")
        return warn(backup, "no retention", seen=f"{place}, without retention", wanted=wanted("a retention policy"), at=at, fix=fix)
    return ok(backup, backup.target, seen=f"{place}, kept {backup.retention}", at=at)
