"""Which site runs the application."""

from __future__ import annotations

from exivity_audit import (
    ACTIVE_C,
    CRITICAL,
    PASSIVE_C,
    C,
    at_least,
    check,
    exactly,
    fail,
    maybe,
    ok,
    patch,
    reasons_of,
    seen,
    skip,
    task,
    unknown,
    values,
)
from exivity_audit.fact import Reason
from exivity_audit.facts.gitops import Tool

from .shared import ACTIVE_LEADS, BOTH, OTHER_SITE, PASSIVE_LEADS, asked, for_each, reasons_told

SERVICES_LEAD = "application/services-present"
HELD_AT_NOTHING = ("", "0")  # annotations of a paused ScaledObject that ask for no copy


@check("passive-replicas", severity=CRITICAL, clauses=("C1", "C8"), applies=(PASSIVE_C,))
def passive_replicas(services, release, autoscalers=maybe, installer=maybe):
    """The passive site runs no application pod.

    A second scheduler on the same data queues every job twice, and a database that is written to stops being a replica.

    Fix: set `service.<name>.replicas: 0` for all eleven services at the passive site, in its Git values.
    """
    if not services:
        services.surely()
        yield skip(release.subject, "no service of the product is there", follows=SERVICES_LEAD)
    for service in services:
        yield standing_by(service, autoscalers, installer)


def standing_by(service, autoscalers, installer):
    """The verdict on one service at a passive site."""
    asks, runs = service.replicas, service.running
    at = [(service, "spec.replicas", asks), *((pod, "status.phase", pod.phase) for pod in service.workload.alive)]
    want = exactly(0, note="until failover")
    if asks or runs:
        text = f"{asks} asked for, {runs} running"
        if asks:
            return fail(service, max(asks, runs), seen=text, wanted=want, at=at, fix=values(f"service.{service.key}.replicas", 0))
        fix = task(f"Delete the pods of {service.subject.name} that nothing asks for, and see who starts them")
        return fail(service, runs, seen=text, wanted=want, at=at, fix=fix)
    scalers = [one for one in autoscalers if one.targets(service.subject)] if seen(autoscalers) else []
    awake = next((one for one in scalers if one.keda and not (one.paused and one.held_at in HELD_AT_NOTHING)), None)
    if awake is not None:
        text = f"0 now, and {awake.printed} " + (f"is paused at {awake.held_at}" if awake.paused else "is not paused: it starts copies again")
        body = {"metadata": {"annotations": {"autoscaling.keda.sh/paused-replicas": "0"}}}
        fix = patch(awake, body, f"Annotate {awake.printed} with `autoscaling.keda.sh/paused-replicas: 0` until failover")
        return fail(service, 0, seen=text, wanted=want, at=[*at, (awake, "metadata.annotations", awake.held_at or "not paused")], fix=fix)
    healer, entry = undone(service, installer)
    if healer is not None:
        text = f"0 now, and {healer.subject.kind} {healer.name} is {entry.status} and heals itself: it puts the copies of its source back"
        fix = values(f"service.{service.key}.replicas", 0)
        return fail(service, 0, seen=text, wanted=want, at=[*at, (healer, "status.resources", f"{entry.name} {entry.status}")], fix=fix)
    why, needs = reasons_told(hiding(autoscalers, installer))
    if why:
        return unknown(service, f"0 asked for, 0 running; whether something scales it up again: {why}", needs=needs, at=at)
    plain = [one.printed for one in scalers if not one.keda]
    remark = f"{', '.join(plain)} does nothing while 0 are asked for, and scales again after failover" if plain else ""
    return ok(service, 0, seen="0 asked for, 0 running", at=at, remark=remark)


def hiding(autoscalers, installer):
    """Why something that scales a service up again may be there unseen."""
    if not seen(autoscalers) or not seen(installer):
        return (*reasons_of(autoscalers), *reasons_of(installer))
    odd = tuple(Reason(str(item.subject), f"malformed: {item.subject}: {item.why}") for item in autoscalers.unreadable)
    return (*autoscalers.partial, *odd, *(installer.doubt if installer.tool is Tool.ARGO and installer.application is None else ()))


def undone(service, installer):
    """The Application that would undo the copies asked for now, with its entry of the Deployment; a pair of nothing where there is none."""
    application = installer.application if seen(installer) and installer.tool is Tool.ARGO else None
    if application is None or not application.self_heal or application.skipped:
        return None, None
    entry = application.resource("Deployment", service.subject.name, service.workload.namespace)
    return (application, entry) if entry is not None and entry.status == "OutOfSync" else (None, None)


@check("active-replicas", severity=CRITICAL, clauses=("C1",), applies=(ACTIVE_C,))
def active_replicas(declared_services, release):
    """The active site runs the application.

    A site that is called active and runs nothing is a failover that was not finished, or a role that is not its own.

    Fix: set the replicas of the eleven services at the active site, or declare the site passive (`--site NAME=CONTEXT:passive`).
    """
    if not declared_services:
        declared_services.surely()
        yield skip(release.subject, "no service of the product is there", follows=SERVICES_LEAD)
        return
    running = [one for one in declared_services if one.replicas > 0]
    at = [(one, "spec.replicas", one.replicas) for one in declared_services]
    text = f"{len(running)} of {len(declared_services)} services asked for"
    if running:
        still = ", ".join(one.component for one in declared_services if not one.replicas)
        yield ok(release.subject, len(running), seen=text, at=at, remark=f"not asked for: {still}" if still else "")
        return
    declared_services.surely()
    fix = task("Set `service.<name>.replicas` of all services as the values of the active site have them, or declare this site passive")
    yield fail(release.subject, 0, seen=text, wanted=at_least(1, note="service"), at=at, fix=fix)


ACTIVE_ACTIVE = "agree the design of active/active with Exivity engineering; attach their answer and how two schedulers are kept from the same jobs"


@check("single-active", severity=CRITICAL, clauses=("C8",), applies=(C,), across=("services",), attest=ACTIVE_ACTIVE)
def single_active(sites):
    """Exactly one site is active.

    Only one site should execute workflows: two of them run every job twice and write into each other's reports, and two databases that
    take writes have to be merged by hand.

    Fix: scale all sites but one to 0, and declare their roles (`--site NAME=CONTEXT:active|passive`).
    """
    yield from for_each(sites, one_active)


def one_active(deployment):
    """The verdict on the sites of one deployment."""
    found = {site.name: site.fact("services") for site in deployment.sites}
    running = [site for site in deployment.sites if asked(found[site.name])]
    strays = [site.name for site in running if site.passive]
    active = [site for site in running if not site.passive]
    at = [(one, "spec.replicas", f"{site.name}: {one.replicas}") for site in deployment.sites for one in found[site.name]]
    subject, want = deployment.subject, exactly(1, note="site")
    if strays and len(active) < 2:
        yield skip(subject, f"{', '.join(strays)}, declared passive, runs the application", follows=PASSIVE_LEADS)
    elif len(active) > 1:
        names = " and ".join(site.name for site in active)
        fix = task("Scale all sites but one to 0; where both must run, agree the design with Exivity engineering and attest it")
        yield fail(subject, len(active), seen=f"{names} run the application", wanted=want, at=at, fix=fix, unless_attested=True)
    elif not active and all(site.passive for site in deployment.sites):
        yield from nobody(deployment, found, at)
    elif not active:
        yield skip(subject, "the site declared active runs nothing", follows=ACTIVE_LEADS)
    elif not deployment.whole:
        yield unknown(subject, f"{active[0].name} runs the application; {OTHER_SITE}", needs=BOTH, at=at)
    else:
        for site in deployment.sites:
            found[site.name].surely()
        idle = [site.name for site in deployment.sites if not site.passive and site is not active[0]]
        remark = f"{', '.join(idle)} runs nothing and is not declared passive" if idle else ""
        yield ok(subject, 1, seen=f"{active[0].name} runs the application", at=at, remark=remark)


def nobody(deployment, found, at):
    """The verdict where every audited site is declared passive and runs nothing."""
    if not deployment.whole:
        yield unknown(deployment.subject, f"{deployment.active.name} stands by; {OTHER_SITE}", needs=BOTH, at=at)
        return
    for site in deployment.sites:
        found[site.name].surely()
    names = ", ".join(site.name for site in deployment.sites)
    fix = task("Scale the application up at the site that shall serve, and declare that site active")
    yield fail(deployment.subject, 0, seen=f"no site is active: {names} stand by", wanted=exactly(1, note="site"), at=at, fix=fix)
