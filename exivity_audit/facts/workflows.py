"""Argo's workflows as they are written and as they ran: what calls what, and what surely runs after what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct

from exivity_audit.chart import FAILOVER_STEP
from exivity_audit.document import Document, Malformed
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.subject import Subject

LABELS = {
    "workflows.argoproj.io/workflow-template": "WorkflowTemplate", "workflows.argoproj.io/cluster-workflow-template": "ClusterWorkflowTemplate",
    "workflows.argoproj.io/cron-workflow": "CronWorkflow", "events.argoproj.io/sensor": "Sensor",
}  # fmt: skip
_FAILOVER = re.compile(r"(?:^|[^a-z])(?:fail-?over|dr|disaster-?recovery|site-?switch)(?:[^a-z]|$)")


class Reference(Struct, frozen=True):
    """A WorkflowTemplate, or one template of it, that something calls by name."""

    name: str
    template: str
    cluster: bool  # a ClusterWorkflowTemplate


class Call(Struct, frozen=True):
    """A step or task of a template."""

    name: str
    template: str  # of the same workflow; empty where it calls another's or holds its own
    reference: Reference | None
    inline: Template | None
    after: tuple[str, ...]  # tasks that must be over before it starts; empty for steps, whose groups tell


class Template(Struct, frozen=True):
    """One template of a workflow: groups of steps, tasks of a DAG, or neither where it does something itself."""

    name: str
    mark: str  # of the annotation that says which action it does
    groups: tuple[tuple[Call, ...], ...]
    tasks: tuple[Call, ...]


class Workflow(Struct, frozen=True):
    """A workflow as it is written: a WorkflowTemplate, ClusterWorkflowTemplate or CronWorkflow, or what a Sensor submits."""

    subject: Subject
    source: Source
    kind: str
    name: str
    namespace: str
    labels: dict[str, str]
    mark: str
    entrypoint: str
    templates: tuple[Template, ...]
    calls: Reference | None  # the WorkflowTemplate that it runs as a whole
    suspended: bool = False
    submits: bool = True  # of a Sensor: whether it is seen to submit a workflow at all

    def __hash__(self) -> int:
        return hash(self.subject)

    @property
    def printed(self) -> str:
        """Kind, namespace and name, as a report names it."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def for_failover(self) -> bool:
        """Whether its name or one of its labels says that it is for failover."""
        texts = (self.name, *self.labels, *self.labels.values())
        return any(_FAILOVER.search(text.lower()) for text in texts) and "failback" not in self.name.lower()

    def template(self, name: str) -> Template | None:
        """One of its templates by name."""
        return next((one for one in self.templates if one.name == name), None)

    @property
    def entry(self) -> Template | None:
        """The template that it starts with: as it says, else the first that no other one calls."""
        if self.entrypoint:
            return self.template(self.entrypoint)
        called = {call.template for one in self.templates for call in (*one.tasks, *(step for group in one.groups for step in group))}
        free = [one for one in self.templates if one.name not in called]
        return next((one for one in free if one.groups or one.tasks), free[0] if free else None)


class Run(Struct, frozen=True):
    """A Workflow that ran or runs; ``of`` is what it was made from, as kind and name."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    of: tuple[str, str]
    phase: str
    started: datetime | None
    finished: datetime | None


def _reference(value: Any) -> Reference | None:
    return Reference(_text(value, "name"), _text(value, "template"), value.get("cluster") is True) if isinstance(value, dict) else None


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    if found is not None and not isinstance(found, str):
        raise Malformed(f"spec.templates[].{key}", "name", found)
    return found or ""


def _call(value: Any) -> Call:
    if not isinstance(value, dict) or "malformed" in value:
        raise Malformed("spec.templates[]", "step", value)
    after = value.get("after") or []
    if not isinstance(after, list) or any(not isinstance(one, str) for one in after):
        raise Malformed("spec.templates[].dag.tasks[].depends", "list of tasks", after)
    inline = value.get("inline")
    return Call(
        _text(value, "name"),
        _text(value, "template"),
        _reference(value.get("reference")),
        _template(inline) if inline is not None else None,
        tuple(after),
    )


def _template(value: Any) -> Template:
    if not isinstance(value, dict) or "malformed" in value:
        raise Malformed("spec.templates[]", "template", value)
    groups = []
    for group in _list(value, "steps"):
        if not isinstance(group, list):
            raise Malformed("spec.templates[].steps[]", "list of steps", group)
        groups.append(tuple(_call(one) for one in group))
    return Template(_text(value, "name"), _text(value, "mark"), tuple(groups), tuple(_call(one) for one in _list(value, "tasks")))


def _list(value: dict[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    if found is not None and not isinstance(found, list):
        raise Malformed(f"spec.templates[].{key}", "list", found)
    return found or []


def templates_of(value: Any) -> tuple[Template, ...]:
    """The described ``templates`` of a workflow. Raises Malformed."""
    if value is not None and not isinstance(value, list):
        raise Malformed("spec.templates", "list", value)
    return tuple(_template(one) for one in value or ())


def _written(item: Document, prefix: str) -> Workflow:
    name, mark = item.text(f"{prefix}.workflowTemplateRef.name"), item.text(f"metadata.annotations[{FAILOVER_STEP}]") or ""
    calls = Reference(name, "", item.boolean(f"{prefix}.workflowTemplateRef.clusterScope") or False) if name else None
    entry, templates = item.text(f"{prefix}.entrypoint") or "", templates_of(item.get(f"{prefix}.templates"))
    return Workflow(
        item.subject, item.source, item.kind, item.name, item.namespace or "", item.labels(), mark, entry, templates, calls,
        item.boolean("spec.suspend") or False,
    )  # fmt: skip


@fact
def workflow_library(
    workflow_templates: Objects[Document], cluster_workflow_templates: Objects[Document], cron_workflows: Objects[Document]
) -> Objects[Workflow]:
    """Every WorkflowTemplate, ClusterWorkflowTemplate and CronWorkflow."""
    plain: Objects[Workflow] = workflow_templates.each(lambda item: _written(item, "spec"))
    wide: Objects[Workflow] = cluster_workflow_templates.each(lambda item: _written(item, "spec"))
    timed: Objects[Workflow] = cron_workflows.each(lambda item: _written(item, "spec.workflowSpec"))
    return plain.join(wide, timed)


@fact
def sensor_workflows(sensors: Objects[Document]) -> Objects[Workflow]:
    """What the Sensors of Argo Events submit, one for each trigger."""
    pairs: Objects[tuple[Workflow, ...]] = sensors.each(lambda item: tuple(_triggered(item)))
    found = (one for several in pairs for one in several)
    return Objects(found, installed=pairs.installed, unreadable=pairs.unreadable, partial=pairs.partial)


def _triggered(item: Document) -> Iterator[Workflow]:
    triggers = item.get("spec.triggers")
    if triggers is not None and not isinstance(triggers, list):
        raise Malformed("spec.triggers", "list", triggers)
    for one in triggers or ():
        if not isinstance(one, dict) or "malformed" in one:
            raise Malformed("spec.triggers[]", "trigger", one)
        calls = _reference(one.get("reference"))
        yield Workflow(
            item.subject, item.source, "Sensor", item.name, item.namespace or "", {**item.labels(), "trigger": _text(one, "name")}, "",
            _text(one, "entrypoint"), templates_of(one.get("templates")), calls, submits=one.get("submits") is True,
        )  # fmt: skip


@fact
def failover_runs(workflow_runs: Objects[Document]) -> Objects[Run]:
    """Every Workflow that is still there, with what it was made from."""

    def build(item: Document) -> Run:
        name, wide = item.text("spec.workflowTemplateRef.name"), item.boolean("spec.workflowTemplateRef.clusterScope")
        told = next(((kind, text) for key, kind in LABELS.items() if (text := item.text(f"metadata.labels[{key}]"))), ("", ""))
        of = ("ClusterWorkflowTemplate" if wide else "WorkflowTemplate", name) if name else told
        started = item.time("status.startedAt") or item.time("metadata.creationTimestamp")
        return Run(
            item.subject, item.source, item.name, item.namespace or "", of, item.text("status.phase") or "", started, item.time("status.finishedAt")
        )

    return workflow_runs.each(build)
