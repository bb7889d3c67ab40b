"""What an upgrade changes: with a database backup before, no restore by accident, and one version after it."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta

from exivity_audit import (
    CRITICAL,
    HIGH,
    MEDIUM,
    NotSeen,
    chart,
    check,
    exactly,
    fail,
    maybe,
    ok,
    print_duration,
    seen,
    skip,
    task,
    to_attest,
    unknown,
    values,
    wanted,
    warn,
)
from exivity_audit.facts.database import DatabaseKind
from exivity_audit.facts.gitops import Tool
from exivity_audit.facts.helm import chart_change, value

from .shared import RECORD, no_revision

NEAR = timedelta(hours=24)
EARLY = wanted("a backup at most 24 h before it")
RETENTION = re.compile(r"([1-9]\d{0,4})([dwm])")
RESTORE, BACKUP = "service.restore.enabled", "service.backup.enabled"
NUMBERED = re.compile(r"v?[0-9]+\.[0-9]+")  # how a tag that names a version starts; `latest` or a branch names none


@check(
    "backup-before-upgrade", severity=HIGH, clauses=("D1",),
    attest="back PostgreSQL up at most 24 hours before each upgrade; attach the backup's log with its time",
)  # fmt: skip
def backup_before_upgrade(revisions, release, now, database=maybe, database_backup=maybe, installer=maybe):
    """PostgreSQL was backed up before the last upgrade.

    A new chart version migrates the database, and no rollback of Helm undoes that: only a backup from before the upgrade leads back.

    Fix: run a native backup of PostgreSQL before each upgrade.
    """
    if not revisions or (seen(installer) and installer.tool is Tool.ARGO):  # revisions of an earlier life say nothing of Argo CD's syncs
        yield _unrecorded(release, revisions, installer)
        return
    change = chart_change(revisions)
    if change is None:
        revisions.surely()
        oldest = revisions[-1]
        if oldest.number == 1:
            yield skip(release.subject, f"the chart's version never changed: {oldest.chart_version or 'one'} since revision 1")
        else:
            text = f"the last change of the chart's version lies before revision {oldest.number}, the oldest stored"
            yield to_attest(release.subject, text, at=[(oldest, RECORD, oldest.chart_version)])
        return
    yield _before(release, change, database, database_backup, now)


def _before(release, change, database, backup, now):
    """What the cluster shows of a backup before the change of the chart's version."""
    newer, older = change
    when = f" on {newer.deployed:%d %b %Y}" if newer.deployed else ""
    text = f"chart {older.chart_version} → {newer.chart_version} in revision {newer.number}{when}"
    at = [(newer, RECORD, newer.chart_version), (older, RECORD, older.chart_version)]
    host = database.config.host
    place = "data.POSTGRES_HOST" if database.config.source.read == "postgres_config" else "data[config.json]"
    if database.kind is DatabaseKind.EXTERNAL:
        return to_attest(release.subject, f"{text}; the database {host} lies outside this cluster", at=[*at, (database.config, place, host)])
    if database.kind is DatabaseKind.MISSING:
        return to_attest(release.subject, f"{text}; no database that could show a backup: {host or 'no host'} leads nowhere", at=at)
    if newer.deployed is None:
        return to_attest(release.subject, f"{text}; the revision does not say when", at=at)
    early = _early_enough(backup, newer.deployed)
    if early:
        shown = [(one, one.path, one.value) for one in backup.evidence]
        return ok(release.subject, early, seen=f"{text}; {early}", at=[*at, *shown])
    if backup.gap:
        raise NotSeen(backup.gap)
    if database.kind is not DatabaseKind.CNPG:
        return _without_operator(release, newer, text, at, database)
    return _none_before(release, newer.deployed, text, at, database, backup, now)


def _early_enough(backup, moment):
    """The backup that leads back to before a moment, in words; empty where none is seen."""
    done = [when for one in backup.copies if (when := one.stopped or one.started) is not None]
    done += [backup.last] if backup.last is not None else []
    near = [when for when in done if timedelta() <= moment - when <= NEAR]
    if near:
        return f"a backup completed {print_duration((moment - max(near)).total_seconds())} before"
    if backup.continuous and backup.first_point is not None and backup.first_point <= moment:
        return f"recoverable to any moment since {backup.first_point:%d %b %Y}"
    return ""


def _without_operator(release, newer, text, at, database):
    embedded = database.kind is DatabaseKind.EMBEDDED
    if embedded and _on(value(newer, BACKUP)):
        fix = task("Back PostgreSQL up natively before each upgrade: the chart's job runs after the new pods start, and dumps to a volume")
        return warn(release.subject, "the chart's job only", seen=f"{text}; only the chart's own backup job ran", wanted=EARLY, at=at, fix=fix)
    what = "of the embedded database before it" if embedded else f"of the database {database.config.host} before it"
    return to_attest(release.subject, f"{text}; nothing in the cluster shows a backup {what}", at=at)


def _none_before(release, moment, text, at, database, backup, now):
    """The verdict where CloudNativePG shows no backup before the change: none there was, or none that is still kept."""
    if not backup.exists:
        return skip(release.subject, f"{text}; the database has no native backup", follows="postgresql/backups")
    kept = _kept(backup.retention)
    created = database.cluster.created if database.cluster is not None else None
    younger = created is not None and created > moment
    if kept is None or moment < now - kept or younger:
        why = "the Cluster is younger than the change" if younger else "what is kept of backups does not reach back to it"
        return to_attest(release.subject, f"{text}; {why}", at=at)
    fix = task(f"Start a backup before each upgrade: `kubectl cnpg backup {database.subject.name} -n {database.namespace}`")
    shown = [*at, *((one, one.path, one.value) for one in backup.evidence)]
    return fail(release.subject, "none before it", seen=f"{text}; no backup from before it", wanted=EARLY, at=shown, fix=fix)


def _kept(retention):
    """How long backups are kept: ``30d``, ``4w``, ``6m``; None where it is not said."""
    found = RETENTION.fullmatch(retention)
    return timedelta(days=int(found[1]) * {"d": 1, "w": 7, "m": 30}[found[2]]) if found else None


def _unrecorded(release, revisions, installer):
    """What is said where no Helm revision tells when the chart's version changed."""
    if installer.gitops:
        what = f"{installer.tool} keeps the release: no stored revision tells when the chart's version changed"
        return to_attest(release.subject, what)
    if installer.doubt:
        why = f"no Helm revision is stored, and Argo CD may keep the release: {installer.doubt_text}"
        return unknown(release.subject, why, needs=installer.needs)
    revisions.surely()
    return no_revision(release, installer)


def _on(given):
    """Whether a template's ``if`` takes a value for true: any text that is not empty, ``"false"`` too."""
    return bool(given)


@check("restore-switch", severity=CRITICAL, clauses=("D1",))
def restore_switch(release, given_values=maybe, jobs=maybe, installer=maybe):
    """The chart's restore switch is off.

    While `service.restore.enabled` is true the chart restores the newest dump before every upgrade: the next one, whatever it was meant for,
    puts an old database over the live one.

    Fix: set `service.restore.enabled` to false before the next upgrade.
    """
    if seen(given_values):
        yield _switch(given_values, release, installer)
    name = f"{release.fullname}-db-restore"
    for job in jobs:
        if job.name == name:
            fix = task(f"Read the log of the Job `{name}`, check which dump it restored, and delete the Job")
            yield warn(job, "there", wanted=exactly("no restore job"), at="metadata.name", fix=fix)
    jobs.surely()
    given_values.surely()


def _switch(given_values, release, installer):
    on = next((one for one in given_values if _on(value(one, RESTORE))), None)
    if on is not None:
        text = f"{RESTORE} is {str(value(on, RESTORE)).lower()} in {on.where}"
        return fail(release.subject, "true", seen=text, wanted=exactly("false"), at=[(on, f"{on.path}.values.{RESTORE}")], fix=values(RESTORE, False))
    given_values.surely()
    hooks = _hooks(release, installer)
    if hooks is not None:
        one, ran = hooks
        at = [(one, "status.operationState.syncResult.resources", ", ".join(one.hooks))]
        if ran:
            text = f"the last sync of {one.subject} ran the restore job"
            return fail(release.subject, "true", seen=text, wanted=exactly("false"), at=at, fix=values(RESTORE, False))
        return ok(release.subject, "false", seen=f"off: the last sync of {one.subject} ran no restore job", at=at)
    if not given_values:
        why = f"{installer.named} is not in this cluster" if installer.elsewhere else "no Helm revision is stored"
        return unknown(release.subject, f"{RESTORE}: {why}, so the values are not seen")
    shown = given_values[0]
    if shown.gap and value(shown, RESTORE) is None:
        return unknown(release.subject, f"{RESTORE}: {shown.where} takes values from {shown.gap}, which the cluster does not show")
    return ok(release.subject, "false", seen="off", at=[(shown, f"{shown.path}.values.{RESTORE}")])


def _hooks(release, installer):
    """The Application whose last sync ran the chart's hooks, and whether the restore job was one; None where no such sync is seen.

    The chart's migration always is a hook: a sync that lists it lists all of them.
    """
    one = installer.application
    if one is None or one.phase != "Succeeded" or f"{release.fullname}-migration" not in one.hooks:
        return None
    return one, f"{release.fullname}-db-restore" in one.hooks


@check("versions-aligned", severity=MEDIUM, clauses=("X4",))
def versions_aligned(declared_services):
    """All services run the chart's version.

    The services talk to each other and to one database schema of one release; a service left at another version reads what it does not know.

    Fix: leave `service.tag` and the services' own tags empty, so that the chart's version is used.
    """
    labels = Counter(one.workload.labels[chart.VERSION_LABEL] for one in declared_services if one.workload.labels.get(chart.VERSION_LABEL))
    tags = Counter(version for one in declared_services if (version := _version(one)) and NUMBERED.match(version))
    reference = next((name for name, _ in (labels or tags).most_common(1)), "")
    for service in declared_services:
        image, version, label = _image(service), _version(service), service.workload.labels.get(chart.VERSION_LABEL, "")
        at = [(service, "spec.template.spec.containers[].image", image), (service, f"metadata.labels[{chart.VERSION_LABEL}]", label)]
        want = exactly(reference, note="the chart's version")
        fix = values(f"service.{service.key}.tag", "")
        if version is None or not reference:
            yield unknown(service, f"its image names no version: {image or 'none'}", at=at)
        elif version != reference:
            yield fail(service, version, wanted=want, at=at, fix=fix)
        elif label and label != reference:
            fix = task("Upgrade the release once more, so that every Deployment is of one chart version")
            yield fail(service, label, seen=f"chart label {label}", wanted=want, at=at, fix=fix)
        elif service.workload.rolling:
            work = service.workload
            text = f"{version}, rollout half finished: {work.updated} of {work.replicas} updated, {work.total} running"
            fix = task(f"Read `kubectl rollout status deployment/{work.name} -n {work.namespace}` and mend what holds it up")
            yield warn(service, "rollout half finished", seen=text, wanted=wanted("a finished rollout"), at="status.updatedReplicas", fix=fix)
        else:
            yield ok(service, version, at=at)


def _image(service):
    """The image of the service's own container, also beside a sidecar."""
    containers = service.workload.containers
    own = [one for one in containers if one.name == service.component] or list(containers[:1])
    return own[0].image if own else ""


def _version(service):
    """The product version that an image's tag names; None where it names a digest alone, or nothing."""
    name = _image(service).partition("@")[0]
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag.removeprefix("exivity-") or None
