"""What is kept of Argo's workflows: names of steps and templates, what follows what, and one annotation; no argument, script or environment."""

from __future__ import annotations

import re
from typing import Any

from exivity_audit.chart import FAILOVER_STEP
from exivity_audit.collect.public import malformed

MOST = 500  # templates, groups or steps of one list that are looked at
DEEPEST = 5  # templates written inside a step
_NAME = re.compile(r"[A-Za-z0-9_{][\w.{}-]{0,127}")
_WORD = re.compile(r"[A-Za-z0-9_-]+")
_DEPENDS = re.compile(r"[\w.&|!() -]{0,4096}")
_MARK = re.compile(r"[\w. -]{1,64}")
TEMPLATE_KINDS = ("WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")


def step_name(value: Any) -> Any:
    """The name of a step, task, template or trigger."""
    if value is None:
        return None
    return value if isinstance(value, str) and _NAME.fullmatch(value) else malformed(value)


def step_mark(value: Any) -> Any:
    """The annotation that says which action a step does: a number, or a word that the config maps to one."""
    return value if isinstance(value, str) and _MARK.fullmatch(value) else None


def workflow_templates(value: Any) -> Any:
    """The ``templates`` of a workflow: what each calls, in which order."""
    return [_template(item) for item in value[:MOST]] if isinstance(value, list) else None if value is None else malformed(value)


def _template(value: Any, depth: int = 0) -> Any:
    if not isinstance(value, dict):
        return malformed(value)
    found: dict[str, Any] = {"name": step_name(value.get("name")), "mark": _mark(value)}
    if value.get("steps") is not None:
        found["steps"] = _groups(value["steps"], depth)
    dag = value.get("dag")
    if dag is not None:
        tasks = dag.get("tasks") if isinstance(dag, dict) else None
        found["tasks"] = [_call(item, depth) for item in tasks[:MOST]] if isinstance(tasks, list) else malformed(dag)
    return found


def _groups(value: Any, depth: int) -> Any:
    """The groups of a template's steps; the steps of one group run at the same time."""
    if not isinstance(value, list):
        return malformed(value)
    return [[_call(item, depth) for item in group[:MOST]] if isinstance(group, list) else malformed(group) for group in value[:MOST]]


def _call(value: Any, depth: int) -> Any:
    """A step or task: its name, what it calls, and what must be over before it starts."""
    if not isinstance(value, dict):
        return malformed(value)
    found: dict[str, Any] = {"name": step_name(value.get("name")), "template": step_name(value.get("template")), "after": _after(value)}
    reference = value.get("templateRef")
    if isinstance(reference, dict):
        names = {key: step_name(reference.get(key)) for key in ("name", "template")}
        found["reference"] = {**names, "cluster": reference.get("clusterScope") is True}
    if isinstance(value.get("inline"), dict) and depth < DEEPEST:
        found["inline"] = _template(value["inline"], depth + 1)
    return found


def _after(value: dict[str, Any]) -> Any:
    """The tasks that must be over first: ``dependencies``, or every task that ``depends`` names, whatever result it asks for."""
    listed, told = value.get("dependencies"), value.get("depends")
    if listed is not None:
        return [step_name(item) for item in listed[:MOST]] if isinstance(listed, list) else malformed(listed)
    if told is None or told == "":
        return []
    if not isinstance(told, str) or not _DEPENDS.fullmatch(told):
        return malformed(told)
    return sorted({name[0] for term in re.split(r"[&|!() ]+", told) if (name := _WORD.match(term))})


def _mark(value: dict[str, Any]) -> Any:
    """The annotation of a template, on itself or on the pods it makes."""
    metadata = value.get("metadata")
    for place in (value.get("annotations"), metadata.get("annotations") if isinstance(metadata, dict) else None):
        if isinstance(place, dict) and FAILOVER_STEP in place:
            return step_mark(place[FAILOVER_STEP])
    return None


def sensor_triggers(value: Any) -> Any:
    """The triggers of a Sensor: names, and the workflow that each submits, by reference or as it is written there."""
    return [_trigger(item) for item in value[:MOST]] if isinstance(value, list) else None if value is None else malformed(value)


def _trigger(value: Any) -> Any:
    template = value.get("template") if isinstance(value, dict) else None
    if not isinstance(template, dict):
        return malformed(value)
    found: dict[str, Any] = {"name": step_name(template.get("name")), "submits": False}
    started = next((one for key in ("argoWorkflow", "k8s") if isinstance(one := template.get(key), dict)), None)
    if started is None:
        return found
    source = started.get("source")
    resource = source.get("resource") if isinstance(source, dict) else None
    if not isinstance(resource, dict):
        return {**found, "submits": "argoWorkflow" in template}
    return {**found, **_submitted(resource)}


def _submitted(resource: dict[str, Any]) -> dict[str, Any]:
    """What a trigger submits: a Workflow, or a template by its own name."""
    kind, metadata, spec = resource.get("kind"), resource.get("metadata"), resource.get("spec")
    if kind in TEMPLATE_KINDS:
        name = metadata.get("name") if isinstance(metadata, dict) else None
        return {"submits": True, "kind": kind, "reference": {"name": step_name(name), "cluster": kind == "ClusterWorkflowTemplate"}}
    if kind != "Workflow":
        return {"submits": False}
    spec = spec if isinstance(spec, dict) else {}
    found: dict[str, Any] = {"submits": True, "kind": "WorkflowTemplate", "entrypoint": step_name(spec.get("entrypoint"))}
    reference = spec.get("workflowTemplateRef")
    if isinstance(reference, dict):
        found["reference"] = {"name": step_name(reference.get("name")), "cluster": reference.get("clusterScope") is True}
    return {**found, "templates": workflow_templates(spec.get("templates"))}


WORKFLOWS = {"step_name": step_name, "step_mark": step_mark, "workflow_templates": workflow_templates, "sensor_triggers": sensor_triggers}
