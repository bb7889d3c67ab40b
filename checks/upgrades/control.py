"""Who upgrades the release, from where, and how the last time ended."""

from __future__ import annotations

from exivity_audit import HIGH, MEDIUM, check, exactly, fail, maybe, ok, seen, skip, task, to_attest, unknown, wanted, warn
from exivity_audit.facts.gitops import Tool

from .shared import RECORD, no_revision

UPGRADE_REASONS = ("InstallFailed", "UpgradeFailed", "RollbackFailed", "TestFailed", "RetriesExceeded", "Stalled")  # Helm's revisions show these
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
    keeper = installer.keeper
    if keeper is not None:
        yield _kept(keeper, installer)
    elif installer.doubt:
        who = f"{installer.named} keeps the release" if installer.named else "Argo CD may keep the release"
        yield unknown(release.subject, f"{who}: {installer.doubt_text}", needs=installer.needs)
    elif installer.gitops:
        how = f"{installer.named} of {installer.tool} in another cluster"
        yield to_attest(release.subject, f"kept by {how}: its source is not seen here", measured=how)
    else:
        how = "Helm by hand" if installer.helm else "no mark of Helm, Argo CD or Flux"
        yield to_attest(release.subject, f"{how}: no cluster shows where the values file is kept", measured=how)


def _kept(keeper, installer):
    """The verdict on an Application, HelmRelease or Kustomization: where it and its values come from, and whether it follows."""
    origin, parent, above = installer.origin, installer.parent, installer.parent_origin
    at = [(keeper, _origin_path(keeper), origin.printed)]
    if parent is not None and above is not None and above.git:
        at.append((parent, _origin_path(parent), above.printed))
    lag = _lag(keeper) or (_paused(parent) if parent is not None and not origin.git else None)
    if lag:
        text, want, fix = lag
        return warn(keeper, text, seen=f"from {origin.printed}, {text}", wanted=wanted(want), at=at, fix=task(fix))
    if above is not None and above.git:
        return ok(keeper, above.printed, seen=f"from {origin.printed}; kept by {parent.subject} from {above.printed}", at=at)
    if origin.git:
        alone = " and ".join(sorted(keeper.values)) if _has_values(keeper) else ""
        remark = f"its inline values stand in this object alone: keep it in the repository too ({_few(alone)})" if alone else ""
        return ok(keeper, origin.printed, seen=f"from {origin.printed}", remark=remark, at=at)
    if installer.doubt:
        return unknown(keeper, f"from {origin.printed}; what keeps it: {installer.doubt_text}", needs=installer.needs, at=at)
    owner = f"made by ApplicationSet {keeper.owner_set}" if getattr(keeper, "owner_set", "") else "its values stand in it"
    # A chart repository versions the chart, not the values: those are as safe as the object that holds them.
    return to_attest(keeper, f"from {origin.printed}, {owner}: no cluster shows where it is kept", at=at, measured=origin.printed)


def _has_values(keeper):
    return bool(getattr(keeper, "values", None))


def _few(text, most=3):
    names = text.split(" and ")
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _origin_path(keeper):
    if keeper.subject.kind == "Application":
        return "spec.sources" if len(keeper.sources) > 1 else "spec.source.repoURL"
    return "spec.sourceRef" if keeper.subject.kind == "Kustomization" else "spec.chart.spec.sourceRef" if keeper.ref else "spec.chartRef"


def _paused(parent):
    """That what keeps an object does not follow its source; whether it lags for other objects' sake is no matter here."""
    if getattr(parent, "suspended", False) or getattr(parent, "skipped", False):
        return f"{parent.subject}, which keeps it, is suspended", "an object that is reconciled", f"Resume {parent.subject}"
    return None


def _lag(keeper):
    """How an object does not follow its source: what is seen, what is wanted and what to do; None where it does, or is not told."""
    name = keeper.subject
    if keeper.subject.kind == "Application":
        if keeper.skipped:
            return "told to skip reconciling", "an Application that is compared", f"Take the annotation argocd.argoproj.io/skip-reconcile from {name}"
        if keeper.sync == "Synced":
            return None
        trouble = f" ({', '.join(keeper.conditions)})" if keeper.conditions else ""
        fix = f"Read `argocd app diff {keeper.name}`, then sync {name}, or bring the live change into the repository"
        if keeper.sync == "OutOfSync":
            return "OutOfSync" + trouble, "Synced", fix
        return (
            f"never compared{trouble}" if not keeper.sync else f"sync {keeper.sync}{trouble}",
            "Synced",
            f"Mend what keeps Argo CD from comparing {name}",
        )
    if keeper.suspended:
        return "suspended", "an object that is reconciled", f"Resume {name}: `flux resume` or `spec.suspend: false`"
    if keeper.ready == "False" and keeper.reason not in UPGRADE_REASONS:
        return (
            f"not reconciled ({keeper.reason})",
            "Ready",
            f"Read `kubectl describe {keeper.subject.kind.lower()} {keeper.name} -n {keeper.namespace}` and mend it",
        )
    if not keeper.observed:
        return "its last change not yet reconciled", "Ready", f"Look whether Flux's controllers run: they have not seen the last change of {name}"
    return None


@check("release-healthy", severity=HIGH, clauses=("D1",), passive="the chart's hooks need a database that can be written to")
def release_healthy(release, revisions=maybe, installer=maybe, declared_services=maybe):
    """The last upgrade is finished and in force.

    A failed upgrade leaves old and new objects side by side, perhaps with half a migration; a pending one blocks every upgrade after it.
    Helm's newest revision tells, or Argo CD's last sync and health, or Flux's own record.

    Fix: read `helm history` or `argocd app get`, mend what failed, then upgrade again or roll back.
    """
    if seen(installer) and installer.tool is Tool.ARGO:
        yield _argo_health(release, installer, declared_services)  # revisions of an earlier life say nothing of it
        return
    if not seen(revisions) and seen(installer) and installer.helm_object is not None:
        yield _flux_health(installer.helm_object)
        return
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
    revisions.surely()


def _not_helm(release, installer):
    """What is said where no Helm revision is stored."""
    if installer.kustomization is not None or installer.helm_object is not None:
        return _flux_health(installer.keeper)
    if installer.doubt:
        who = f"{installer.named} keeps the release" if installer.named else "no Helm revision is stored, and Argo CD may keep the release"
        return unknown(release.subject, f"{who}: {installer.doubt_text}", needs=installer.needs)
    if installer.elsewhere and not installer.helm:
        return unknown(release.subject, f"{installer.named} keeps the release from another cluster: its health is not seen here")
    return no_revision(release, installer)


def _argo_health(release, installer, declared_services):
    """How Argo CD's last sync ended, and what it says of the release's health."""
    one = installer.application
    if one is None:
        why = installer.doubt_text or "it is not in this cluster"
        return unknown(release.subject, f"{installer.named} keeps the release: {why}", needs=installer.needs)
    want = wanted("Healthy after a sync that succeeded")
    at = [(one, "status.operationState.phase", one.phase), (one, "status.health.status", one.health)]
    text = f"last sync {one.phase or 'not told'}, {one.health or 'no health'}"
    if one.phase in ("Failed", "Error"):
        fix = task(f"Read `argocd app get {one.name}` for the step that failed, mend it and sync again")
        return fail(one, one.phase, seen=text, wanted=want, at=at, fix=fix)
    if one.health in ("Degraded", "Missing"):
        short = _short_of_pods(declared_services)
        if short:
            return skip(one, f"{text}: {short}", follows="application/replicas-ready")
        bad = [f"{each.kind} {each.name}" for each in one.resources if each.health == one.health]
        fix = task(f"Read `argocd app get {one.name}` and mend what is {one.health}: {', '.join(bad[:5]) or 'its resources'}")
        return fail(one, one.health, seen=f"{text}{': ' if bad else ''}{', '.join(bad[:5])}", wanted=want, at=at, fix=fix)
    if one.phase == "Running" or one.health in ("Progressing", "Suspended"):
        fix = task(f"Read `argocd app get {one.name}`: a sync or rollout is under way or paused; end it")
        return warn(one, one.health or one.phase, seen=text, wanted=want, at=at, fix=fix)
    if one.health == "Healthy":
        return ok(one, "Healthy", seen=text, at=at)
    return unknown(one, f"{text}: Argo CD does not tell", at=at)


def _short_of_pods(declared_services):
    """The services with fewer ready copies than asked for, which other checks report."""
    found = declared_services if seen(declared_services) else ()
    return ", ".join(one.component for one in found if one.workload.ready < one.replicas)


def _flux_health(one):
    """How Flux's last upgrade or apply ended."""
    newest = getattr(one, "newest", "")
    at = [(one, "status.conditions", f"Ready {one.ready}"), *([(one, "status.history", newest)] if newest else [])]
    text = f"Ready {one.ready or 'not told'}" + (f" ({one.reason})" if one.reason else "") + (f", newest release {newest}" if newest else "")
    fix = task(f"Read `kubectl describe {one.subject.kind.lower()} {one.name} -n {one.namespace}`, mend what failed, and let Flux try again")
    if newest in BROKEN or newest.startswith("pending-") or one.ready == "False":
        return fail(one, newest or one.ready, seen=text, wanted=wanted("Ready, with the newest release deployed"), at=at, fix=fix)
    if one.ready == "True":
        return ok(one, "Ready", seen=text, at=at)
    return unknown(one, f"{text}: Flux does not tell", at=at)
