"""The workflow that fails over, and whether it was tried."""

from __future__ import annotations

from exivity_audit import HIGH, C, Duration, Status, at_most, check, fail, ok, print_duration, task, to_attest, unknown, wanted
from exivity_audit.facts.failover_steps import ACTIONS
from exivity_audit.facts.failover_workflows import SUCCEEDED, plans_of, runs_of
from exivity_audit.quantity import duration

from .shared import BOTH, OTHER_SITE, for_each, hidden, reasons_told

WORKFLOW = "attach the runbook of the eight failover steps in their order, with who may start it and where it is kept"
DRILL = "fail over to the standby and back by the workflow or runbook; attach the log with the times of its eight steps"
WANTED = wanted("the eight steps in the vendor's order")
MAPPING = "`declare.failover.steps` of the config, where their names do not say it, or annotate their templates with `exivity-audit/failover-step`"
LIBRARY = ("workflow_library", "sensor_workflows")


@check("failover-automation", severity=HIGH, clauses=("C6", "C7"), applies=(C,), across=LIBRARY, attest=WORKFLOW)
def failover_automation(sites, settings):
    """A failover workflow has the eight steps.

    Under pressure steps are forgotten or swapped: traffic before the database is promoted, two sites active at once. A workflow runs
    them in one order, and the same way in a drill.

    Fix: write an Argo WorkflowTemplate for failover with the eight steps in order, or name yours in `declare.failover.workflow` and its steps in
    `declare.failover.steps`.
    """
    told = settings.declare.failover
    yield from for_each(sites, lambda deployment: automated(deployment, told))


def automated(deployment, told):
    """The verdict on the failover workflow of a deployment, at each site that holds it."""
    found = plans_of(deployment, told.workflow, told.steps)
    holding = [place for place in found if place.best is not None]
    unseen = tuple(reason for place in found for reason in place.unseen)
    for place in holding:
        yield planned(deployment, place, holding)
    if holding:
        for place in found:
            if place.best is None and place.unseen:
                yield hidden(deployment.at(place.site), place.unseen)
        return
    subject = deployment.subject
    named = f" {told.workflow}" if told.workflow else ""
    if unseen:
        yield hidden(subject, unseen)
    elif not deployment.whole:
        yield unknown(subject, f"no failover workflow{named} is seen here; {OTHER_SITE}", needs=BOTH)
    else:
        installed = [place for place in found if place.installed]
        where = ", ".join(place.site.name for place in installed)
        count = sum(place.others for place in found)
        text = f"none of {count} workflows at {where} is for failover" if installed else "Argo Workflows is at no site"
        if told.workflow:
            text = f"the declared workflow {told.workflow} is at no site"
        fix = task("Write an Argo WorkflowTemplate for failover with the eight steps in order, or name yours in `declare.failover.workflow`")
        yield fail(subject, "none", seen=text, wanted=WANTED, fix=fix, unless_attested=Status.WARN)


def planned(deployment, place, holding):
    """The verdict on the workflow that one site holds."""
    plan, subject = place.best, deployment.at(place.site)
    work = plan.workflow
    name = work.printed
    numbered = "; ".join(f"{number} {', '.join(step.name for step in plan.of(number))}" for number in ACTIONS if plan.of(number))
    at = [(work, "spec.templates" if work.kind != "Sensor" else "spec.triggers", numbered or "no step")]
    faults = list(wrong(plan))
    if faults and plan.unseen_templates and plan.missing:
        needs = reasons_told(place.unseen)[1]
        return unknown(subject, f"{name}: {faults[0]}; {', '.join(plan.unseen_templates)} may hold it and was not seen", needs=needs, at=at)
    if faults:
        fix = task(remedy(plan))
        return fail(
            subject, f"{len(ACTIONS) - len(plan.missing)} of {len(ACTIONS)}", seen=f"{name}: {'; '.join(faults)}", wanted=WANTED, at=at, fix=fix
        )
    notes = list(remarks(deployment, place, holding))
    return ok(subject, len(ACTIONS), seen=f"{name}: {numbered}", at=at, remark="; ".join(notes))


def wrong(plan):
    """What is wrong with a plan, in words."""
    if not plan.steps:
        yield "no step of it is seen" if plan.workflow.submits else "it submits no workflow that can be seen"
        return
    if plan.missing:
        lacking = ", ".join(f"{number} ({ACTIONS[number]})" for number in plan.missing)
        loose = ", ".join(step.name for step in plan.untold[:6])
        yield f"no step for {lacking}" + (f"; not told what {loose} do" if loose else "")
    if plan.unclear and plan.missing:
        yield "unclear: " + ", ".join(f"{step.name} may be {' or '.join(map(str, step.unclear))}" for step in plan.unclear[:6])
    if plan.disorder:
        pairs = ", ".join(f"{later.number} {later.name} is not surely after {one.number} {one.name}" for one, later in plan.disorder[:3])
        yield f"out of order: {pairs}" + (f" and {len(plan.disorder) - 3} more" if len(plan.disorder) > 3 else "")
    if plan.missing_templates:
        yield f"it calls {', '.join(plan.missing_templates[:3])}, which is not there"
    if plan.cut:
        yield "its templates call each other in a ring or go on beyond what is followed"


def remedy(plan):
    """What to do about a plan, in one sentence."""
    name = plan.workflow.printed
    if plan.missing or not plan.steps:
        numbers = ", ".join(map(str, plan.missing))
        return f"Give {name} a step for {numbers}, or say which of its steps does it in {MAPPING}"
    if plan.disorder:
        one, later = plan.disorder[0]
        return f"Let {later.name} of {name} wait for {one.name}: a later group of steps, or `depends: {one.name}`"
    return f"Mend the templates that {name} calls"


def remarks(deployment, place, holding):
    """What a person should know of a workflow that has its eight steps."""
    work = place.best.workflow
    if deployment.whole and place.site is deployment.active and len(holding) == 1:
        yield f"it stands at {place.site.name} alone and is lost with that site: keep it at the standby or in a third cluster too"
    if work.kind == "CronWorkflow" and not work.suspended:
        yield "its schedule is on: it fails over by itself at that time"


@check(
    "failover-tested", severity=HIGH, clauses=("C7", "D4"), applies=(C,), across=(*LIBRARY, "failover_runs"), attest=DRILL, attest_for="180d",
)  # fmt: skip
def failover_tested(sites, settings, now, thresholds):
    """Failover was tested in the last 180 days.

    A workflow that never ran hides an expired credential, a renamed volume or a step that waits for ever, until the day it is needed.

    Fix: run the failover workflow to the standby and back, and record it in `evidence.yaml` where its run is no longer in the cluster.
    """
    told, limit = settings.declare.failover, Duration(duration(thresholds["failover.age"]))
    yield from for_each(sites, lambda deployment: tested(deployment, told, now, limit))


def tested(deployment, told, now, limit):
    """The verdict on the last runs of the failover workflow."""
    found = plans_of(deployment, told.workflow, told.steps)
    runs, unseen = runs_of(found)
    good = next((one for one in runs if one.run.phase == SUCCEEDED), None)
    age = Duration(max(0.0, (now - good.run.finished).total_seconds())) if good is not None else None
    subject, at = deployment.subject, [(one.run, "status.phase", f"{one.site.name}: {one.run.phase}") for one in runs[:5]]
    last = runs[0] if runs else None
    if good is not None and age <= limit:
        text = f"Workflow {good.run.namespace}/{good.run.name} succeeded at {good.site.name} {print_duration(age)} ago"
        remark = f"the newest run, {last.run.name} at {last.site.name}, ended as {last.run.phase}" if last is not good else ""
        yield ok(subject, age, seen=text, at=at, wanted=at_most(limit), remark=remark)
        return
    why, needs = reasons_told((*unseen, *(reason for place in found for reason in place.unseen)))
    if why:
        yield unknown(subject, f"no test of the failover is seen: {why}", needs=needs, at=at)
    elif last is not None and last is not good:
        fix = task(f"Read why Workflow {last.run.namespace}/{last.run.name} at {last.site.name} ended as {last.run.phase}, mend it and run it again")
        text = f"Workflow {last.run.namespace}/{last.run.name} at {last.site.name} ended as {last.run.phase}, and none succeeded since"
        yield fail(subject, last.run.phase, seen=text, wanted=wanted("a run that succeeded"), at=at, fix=fix, unless_attested=True)
    elif good is not None:
        text = f"Workflow {good.run.name} at {good.site.name} succeeded {print_duration(age)} ago, more than {print_duration(limit)}"
        yield to_attest(subject, text, at=at, measured=age)
    else:
        held = any(place.plans for place in found)
        yield to_attest(subject, "no run of the failover workflow is in the clusters" if held else "no failover workflow is seen, nor a run of one")
