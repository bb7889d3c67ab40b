"""Upgrades: from version-controlled values, with a database backup before, and finished."""

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
from exivity_audit.facts.helm import chart_change, value

NEAR = timedelta(hours=24)
EARLY = wanted("a backup at most 24 h before it")
RETENTION = re.compile(r"([1-9]\d{0,4})([dwm])")
LATER = ("a later release",)
RESTORE, BACKUP = "service.restore.enabled", "service.backup.enabled"
RECORD = "data.release"
NUMBERED = re.compile(r"v?[0-9]+\.[0-9]+")  # how a tag that names a version starts; `latest` or a branch names none
BROKEN = ("failed", "uninstalling", "uninstalled", "superseded")


@check(
    "version-controlled", severity=MEDIUM, clauses=("D1", "F4"),
    attest="keep the values file in a repository and upgrade from it; attach the repository's URL and the commit of the last upgrade",
)  # fmt: skip
def version_controlled(installer, release):
    """Upgrades run from values in version control.

    Values that stand on one laptop are lost with it, and nobody can say what the last upgrade changed or how to undo it.

    Fix: keep the values file in a repository, and let Argo CD, Flux or a pipeline upgrade from it.
    """
    keeper = installer.possible
    if keeper:
        words = "keeps the release" if installer.marked else "is installed and may keep the release"
        yield unknown(release.subject, f"{keeper} {words}; its source, and whether it is in sync: not built yet", needs=LATER)
    else:
        how = "Helm by hand" if installer.helm else "no mark of Helm, Argo CD or Flux"
        yield to_attest(release.subject, f"{how}: no cluster shows where the values file is kept", measured=how)


@check("release-healthy", severity=HIGH, clauses=("D1",), passive="the chart's hooks need a database that can be written to")
def release_healthy(revisions, release, installer=maybe):
    """The newest Helm revision is deployed.

    A failed upgrade leaves old and new objects side by side, perhaps with half a migration; a pending one blocks every upgrade after it.

    Fix: read `helm history`, mend what failed, then upgrade again or roll back.
    """
    newest = revisions.one()
    if newest is None:
        revisions.surely()
        yield _not_helm(release, installer)
        return
    at, want = [(newest, RECORD, newest.status)], exactly("deployed")
    place = f"-n {release.namespace}"
    if newest.status == "deployed":
        yield ok(release.subject, "deployed", seen=f"revision {newest.number} deployed", at=at)
    elif newest.status.startswith("pending-"):
        fix = task(f"When no upgrade runs any more, `helm rollback {release.name} {place}` to the last deployed revision")
        yield fail(release.subject, newest.status, seen=f"revision {newest.number} {newest.status}", wanted=want, at=at, fix=fix)
    elif newest.status in BROKEN:
        fix = task(f"Read `helm history {release.name} {place}`, mend what failed, then upgrade again or roll back")
        yield fail(release.subject, newest.status, seen=f"revision {newest.number} {newest.status}", wanted=want, at=at, fix=fix)
    else:
        yield unknown(release.subject, f"revision {newest.number} has the status {newest.status or 'none'}")


def _not_helm(release, installer):
    """What is said where no Helm revision is stored."""
    if installer.marked:
        return unknown(release.subject, f"{installer.marked} keeps the release; its health: not built yet", needs=LATER)
    if installer.helm:
        return unknown(release.subject, "Helm installed the release, but stores its revisions elsewhere than in Secrets (HELM_DRIVER)")
    if installer.possible:
        return unknown(release.subject, f"no Helm revision is stored; {installer.possible} may keep the release: not built yet", needs=LATER)
    return skip(release.subject, "no Helm revision is stored: Helm did not install the release")


@check(
    "backup-before-upgrade", severity=HIGH, clauses=("D1",),
    attest="back PostgreSQL up at most 24 hours before each upgrade; attach the backup's log with its time",
)  # fmt: skip
def backup_before_upgrade(revisions, release, now, database=maybe, database_backup=maybe, installer=maybe):
    """PostgreSQL was backed up before the last upgrade.

    A new chart version migrates the database, and no rollback of Helm undoes that: only a backup from before the upgrade leads back.

    Fix: run a native backup of PostgreSQL before each upgrade.
    """
    if not revisions:
        revisions.surely()
        yield _not_helm(release, installer)
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


def _on(given):
    """Whether a template's ``if`` takes a value for true: any text that is not empty, ``"false"`` too."""
    return bool(given)


@check("restore-switch", severity=CRITICAL, clauses=("D1",))
def restore_switch(release, revisions=maybe, jobs=maybe, installer=maybe):
    """The chart's restore switch is off.

    While `service.restore.enabled` is true the chart restores the newest dump before every upgrade: the next one, whatever it was meant for,
    puts an old database over the live one.

    Fix: set `service.restore.enabled` to false before the next upgrade.
    """
    if seen(revisions):
        yield _switch(revisions, release, installer)
    name = f"{release.fullname}-db-restore"
    for job in jobs:
        if job.name == name:
            fix = task(f"Read the log of the Job `{name}`, check which dump it restored, and delete the Job")
            yield warn(job, "there", wanted=exactly("no restore job"), at="metadata.name", fix=fix)
    jobs.surely()
    revisions.surely()


def _switch(revisions, release, installer):
    current = {one.number: one for one in (revisions.one(), next((one for one in revisions if one.status == "deployed"), None)) if one is not None}
    on = next((one for one in current.values() if _on(value(one, RESTORE))), None)
    if on is not None:
        text = f"{RESTORE} is {str(value(on, RESTORE)).lower()} in revision {on.number}"
        return fail(release.subject, "true", seen=text, wanted=exactly("false"), at=[(on, f"{RECORD}.values.{RESTORE}")], fix=values(RESTORE, False))
    revisions.surely()
    if not current:
        keeper = installer.possible
        why = f"what {keeper} renders: not built yet" if keeper else "no Helm revision is stored, so the values are not seen"
        return unknown(release.subject, f"{RESTORE}: {why}", needs=LATER if keeper else ())
    return ok(release.subject, "false", seen="off", at=[(revisions[0], f"{RECORD}.values.{RESTORE}")])


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
