"""The workflow that fails a deployment over, wherever one of its sites holds it, and when it last ran to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from exivity_audit.fact import NotSeen, Objects, Reason
from exivity_audit.facts.failover_steps import FailoverPlan, plan
from exivity_audit.facts.sites import Deployment
from exivity_audit.facts.workflows import Run, Workflow

LOOKS_AT = ("workflow_library", "sensor_workflows", "failover_runs")
SUCCEEDED = "Succeeded"
OVER = (SUCCEEDED, "Failed", "Error")


class PlansAt(Struct, frozen=True):
    """The failover workflows that one site holds, the one that says most first; and why more may be there."""

    site: Any
    plans: tuple[FailoverPlan, ...]
    installed: bool  # Argo Workflows or Argo Events
    others: int  # workflows that are not for failover
    unseen: tuple[Reason, ...]

    @property
    def best(self) -> FailoverPlan | None:
        """The one that is judged."""
        return self.plans[0] if self.plans else None


def plans_of(deployment: Deployment, declared: str | None, told: Mapping[str, int]) -> tuple[PlansAt, ...]:
    """The failover workflows at each site of a deployment.

    ``declared`` names the workflow, with or without its namespace; without it the name or a label says that one is for failover.
    """
    return tuple(_at(site, declared, told) for site in deployment.sites)


def _at(site: Any, declared: str | None, told: Mapping[str, int]) -> PlansAt:
    unseen: list[Reason] = []
    parts: dict[str, Objects[Workflow]] = {}
    for name in ("workflow_library", "sensor_workflows"):
        try:
            parts[name] = site.fact(name)
        except NotSeen as error:
            unseen += error.reasons
            continue
        unseen += site.here((
            *parts[name].partial, *(Reason(name, f"malformed: {item.subject}: {item.why}") for item in parts[name].unreadable),
        ))  # fmt: skip
    library: Objects[Workflow] = parts.get("workflow_library", Objects(installed=False))
    sensors: Objects[Workflow] = parts.get("sensor_workflows", Objects(installed=False))
    every = (*library, *sensors)
    chosen = [one for one in every if _chosen(one, declared, site.release)]
    complete = "workflow_library" in parts and library.complete
    mapped = declared is not None
    ranked = sorted((plan(one, library, complete, told) for one in chosen), key=lambda one: _rank(one, site.release, mapped))
    targets = {(one.workflow.kind, one.workflow.name) for one in ranked if one.workflow.calls is None}
    plans = tuple(one for one in ranked if one.workflow.calls is None or _called(one.workflow) not in targets)
    return PlansAt(site, plans, library.installed or sensors.installed, len(every) - len(chosen), tuple(dict.fromkeys(unseen)))


def _chosen(one: Workflow, declared: str | None, release: Any) -> bool:
    """Whether a workflow is the declared one, or says of itself that it is for failover and not for another product's namespace."""
    if declared is None:
        return one.for_failover
    namespace, slash, name = declared.rpartition("/")
    return one.name == name and (not slash or one.namespace in ("", namespace))


def _called(one: Workflow) -> tuple[str, str]:
    assert one.calls is not None
    return "ClusterWorkflowTemplate" if one.calls.cluster else "WorkflowTemplate", one.calls.name


def _rank(one: FailoverPlan, release: Any, declared: bool) -> tuple[Any, ...]:
    """The product's own first, then the one with most of the actions, then what is started by hand."""
    work = one.workflow
    texts = " ".join((work.name, work.namespace, *work.labels.values())).lower()
    ours = declared or "exivity" in texts or work.namespace == release.namespace or release.name.lower() in texts
    kinds = ("WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow", "Sensor")
    return not ours, len(one.missing), bool(one.disorder), kinds.index(work.kind), work.namespace, work.name


class RunAt(Struct, frozen=True):
    """A run of a failover workflow, and where it stands."""

    site: Any
    run: Run


def runs_of(found: tuple[PlansAt, ...]) -> tuple[tuple[RunAt, ...], tuple[Reason, ...]]:
    """The runs of the failover workflows that are over, the newest first; and why others may be there."""
    runs: list[RunAt] = []
    unseen: list[Reason] = []
    for place in found:
        try:
            seen_runs: Objects[Run] = place.site.fact("failover_runs")
        except NotSeen as error:
            unseen += error.reasons
            continue
        unseen += place.site.here((
            *seen_runs.partial, *(Reason("failover_runs", f"malformed: {item.subject}: {item.why}") for item in seen_runs.unreadable),
        ))  # fmt: skip
        names = {(one.workflow.kind, one.workflow.name): one.workflow.namespace for one in place.plans}
        names |= {_called(one.workflow): one.workflow.namespace for one in place.plans if one.workflow.calls is not None}
        runs += [RunAt(place.site, run) for run in seen_runs if run.of in names and names[run.of] in ("", run.namespace)]
    over = [one for one in runs if one.run.phase in OVER and one.run.finished is not None]
    return tuple(sorted(over, key=lambda one: one.run.finished.timestamp() if one.run.finished else 0.0, reverse=True)), tuple(dict.fromkeys(unseen))
