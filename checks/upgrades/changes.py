"""What an upgrade changes: with a database backup before, no restore by accident, and one version after it."""

from __future__ import annotations

import re
from collections import Counter

from exivity_audit import (
    CRITICAL,
    HIGH,
    MEDIUM,
    chart,
    check,
    exactly,
    fail,
    maybe,
    ok,
    seen,
    skip,
    task,
    to_attest,
    unknown,
    values,
    wanted,
    warn,
)
from exivity_audit.facts.configuration import cluster_service, embedded_database
from exivity_audit.facts.gitops import Tool
from exivity_audit.facts.helm import chart_change, value

from .shared import RECORD, no_revision

LATER = ("a later release",)
RESTORE, BACKUP = "service.restore.enabled", "service.backup.enabled"
NUMBERED = re.compile(r"v?[0-9]+\.[0-9]+")  # how a tag that names a version starts; `latest` or a branch names none


@check(
    "backup-before-upgrade", severity=HIGH, clauses=("D1",),
    attest="back PostgreSQL up at most 24 hours before each upgrade; attach the backup's log with its time",
)  # fmt: skip
def backup_before_upgrade(revisions, release, database_config=maybe, postgresql_clusters=maybe, installer=maybe):
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
    newer, older = change
    when = f" on {newer.deployed:%d %b %Y}" if newer.deployed else ""
    text = f"chart {older.chart_version} → {newer.chart_version} in revision {newer.number}{when}"
    at = [(newer, RECORD, newer.chart_version), (older, RECORD, older.chart_version)]
    config = database_config.one()
    if config is None or not config.host:
        database_config.surely()
        yield to_attest(release.subject, f"{text}; no database host is configured that would show a backup", at=at)
    elif embedded_database(config.host, release):
        if _on(value(newer, BACKUP)):
            fix = task("Back PostgreSQL up natively before each upgrade: the chart's job runs after the new pods start, and dumps to a volume")
            seen_words = f"{text}; only the chart's own backup job ran"
            yield warn(release.subject, "the chart's job only", seen=seen_words, wanted=wanted("a backup at most 24 h before it"), at=at, fix=fix)
        else:
            yield to_attest(release.subject, f"{text}; nothing in the cluster shows a backup of the embedded database before it", at=at)
    elif cluster_service(config.host, release.namespace) is None:
        yield to_attest(
            release.subject, f"{text}; the database {config.host} lies outside this cluster", at=[*at, (config, "data.POSTGRES_HOST", config.host)]
        )
    elif not seen(postgresql_clusters) or postgresql_clusters.installed:
        yield unknown(release.subject, f"{text}; the backups of CloudNativePG: not built yet", needs=LATER)
    else:
        yield to_attest(release.subject, f"{text}; nothing here shows a backup of the database {config.host} before it", at=at)


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
