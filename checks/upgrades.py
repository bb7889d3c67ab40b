"""Upgrades: from version-controlled values, with a database backup before, and finished."""

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
from exivity_audit.facts.helm import chart_change, value

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
def backup_before_upgrade(revisions, release, database_config=maybe, postgresql_clusters=maybe, installer=maybe):
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
