"""Who changes a site: Argo CD, Flux, or somebody by hand."""

from __future__ import annotations

from exivity_audit import HIGH, C, NotSeen, Status, check, fail, ok, skip, task, to_attest, unknown, wanted, warn
from exivity_audit.facts.gitops import Tool

from .running import undone
from .shared import BOTH, OTHER_SITE, PASSIVE_LEADS, contained, for_each

RUNBOOK = "show the runbook that both sites are changed by at failover; attach it with the date of its last review"
GITOPS = "Let an Argo CD Application of each site keep the release from one Git repository"


@check("gitops", severity=HIGH, clauses=("C6",), applies=(C,), across=("installer", "applications", "services"), attest=RUNBOOK)
def gitops(sites):
    """GitOps controls both sites.

    A failover is a change of scale, routing and roles at two sites under pressure; from one repository it is the same commit each time.

    Fix: let an Argo CD Application of each site keep the release from one Git repository, synced and healthy.
    """
    yield from for_each(sites, lambda deployment: controlled(deployment, sites))


def controlled(deployment, sites):
    """The verdict on each site of a deployment; an Application may stand at any audited site."""
    for site in deployment.sites:
        yield from contained(deployment.at(site), kept(deployment, site, sites))
    if not deployment.whole:
        yield unknown(deployment.subject, OTHER_SITE, needs=BOTH)


def kept(deployment, site, sites):
    """The verdict on what keeps the release at one site."""
    subject, found = deployment.at(site), site.fact("installer")
    if found.doubt and found.keeper is None:
        who = f"{found.named} keeps the release" if found.named else "Argo CD may keep the release"
        yield unknown(subject, f"{who}: {found.doubt_text}", needs=found.needs)
    elif found.tool is Tool.ARGO:
        application = found.application or from_afar(found, site, sites)
        yield by_argo(subject, site, application, found) if application is not None else outside(subject, site, found)
    elif found.tool is Tool.FLUX:
        yield by_flux(subject, site, found) if found.keeper is not None else outside(subject, site, found)
    else:
        how = "Helm by hand" if found.helm else "no mark of Helm, Argo CD or Flux"
        services = site.fact("services")
        at = [(one, "metadata.annotations", how) for one in services]
        text = f"{how}: a failover there is typed by hand"
        yield fail(subject, how, seen=text, wanted=wanted("Argo CD, or an attested runbook"), at=at, fix=task(GITOPS), unless_attested=Status.WARN)


def from_afar(found, site, sites):
    """The Application of another audited site that deploys to this one, as the marks here name it. Raises NotSeen."""
    name = found.named.removeprefix("Application ").rpartition("/")[2]
    unseen = []
    for other in sites:
        if other is site:
            continue
        try:
            applications = other.fact("applications")
        except NotSeen as error:
            unseen += error.reasons
            continue
        fitting = [one for one in applications if one.name == name and one.target in ("", site.release.namespace) and not one.local]
        if fitting:
            return fitting[0]
        unseen += other.here(applications.partial)
    if unseen:
        raise NotSeen(tuple(unseen))
    return None


def outside(subject, site, found):
    """The verdict where the marks name an object that no audited site holds."""
    return to_attest(subject, f"kept by {found.named} of a {found.tool} that is not audited: show that it is synced", measured=found.named)


def by_argo(subject, site, one, found):
    """The verdict on an Application: it follows its source, and what it made is well."""
    place = f" at {one.destination}" if found.application is None and one.destination else ""
    at = [(one, "status.sync.status", one.sync or "none"), (one, "status.health.status", one.health or "none")]
    text = f"Application {one.namespace}/{one.name}{place}, {one.sync or 'never compared'}, {one.health or 'no health'}"
    want = wanted("Synced and Healthy")
    if one.skipped:
        fix = task(f"Take the annotation argocd.argoproj.io/skip-reconcile from Application {one.name}")
        return fail(subject, "not reconciled", seen=f"{text}, told to skip reconciling", wanted=want, at=at, fix=fix)
    if one.sync != "Synced":
        undoing = site.passive and any(undone(service, found)[0] is not None for service in site.fact("services"))
        if undoing:
            return skip(subject, f"{text}: it would undo the replicas of the standby", follows=PASSIVE_LEADS)
        fix = task(
            f"Read `argocd app diff {one.name}` and bring the live change into the repository, or sync it: a failover starts from what Git says"
        )
        return fail(subject, one.sync or "never compared", seen=text, wanted=want, at=at, fix=fix)
    if one.health == "Healthy":
        return ok(subject, "Synced and Healthy", seen=text, at=at)
    fix = task(f"Read `argocd app get {one.name}` and mend what is not healthy")
    return warn(subject, one.health or "no health", seen=text, wanted=want, at=at, fix=fix)


def by_flux(subject, site, found):
    """The verdict on a HelmRelease or Kustomization."""
    one = found.keeper
    state = "suspended" if one.suspended else f"Ready {one.ready or 'not told'}"
    text = f"{one.subject}, {state}"
    at = [(one, "spec.suspend", one.suspended), (one, "status.conditions", f"Ready {one.ready}")]
    if one.suspended or one.ready == "False":
        fix = task(f"Resume or mend {one.subject}: a failover cannot go through what does not reconcile")
        return fail(subject, state, seen=text, wanted=wanted("an object that is reconciled"), at=at, fix=fix)
    if one.ready != "True":
        return unknown(subject, f"{text}: Flux does not tell", at=at)
    return ok(subject, "Flux", seen=text, at=at, remark="the vendor prefers Argo CD with Argo Workflows or Argo Events")
