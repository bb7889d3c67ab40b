"""What is kept of Argo's workflows and Sensors: names alone, whatever else stands there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exivity_audit.collect.workflows import sensor_triggers, workflow_templates

SECRET = "Zq8-secretValue-31"


def test_a_template_keeps_names_and_what_follows_what() -> None:
    template = {
        "name": "main", "inputs": {"parameters": [{"name": "token", "value": SECRET}]}, "metadata": {"annotations": {"exivity-audit/failover-step": "3", "note": SECRET}},
        "dag": {"tasks": [
            {"name": "a", "template": "do-a", "arguments": {"parameters": [{"name": "password", "value": SECRET}]}},
            {"name": "b", "templateRef": {"name": "parts", "template": "late", "clusterScope": True}, "depends": "a.Succeeded || !a-b.Failed", "when": SECRET},
            {"name": "c", "inline": {"script": {"source": SECRET}, "steps": [[{"name": "d", "template": "e"}]]}, "dependencies": ["a", "b"]},
        ]},
    }  # fmt: skip
    found = workflow_templates([template])
    assert SECRET not in json.dumps(found)
    assert found[0]["mark"] == "3"
    tasks: list[dict[str, Any]] = found[0]["tasks"]
    assert [task["after"] for task in tasks] == [[], ["a", "a-b"], ["a", "b"]]
    assert tasks[1]["reference"] == {"name": "parts", "template": "late", "cluster": True}
    assert tasks[2]["inline"]["steps"][0][0]["name"] == "d"


@pytest.mark.parametrize(
    "odd",
    [
        SECRET, {"name": SECRET}, [SECRET], [[SECRET]], [{"name": f"https://user:{SECRET}@host"}], [{"steps": SECRET}], [{"steps": [SECRET]}],
        [{"steps": [[SECRET]]}], [{"dag": SECRET}], [{"dag": {"tasks": [SECRET]}}], [{"dag": {"tasks": [{"name": "a", "depends": f"x = '{SECRET}'"}]}}],
        [{"metadata": {"annotations": {"exivity-audit/failover-step": f"token={SECRET}"}}}],
    ],
)  # fmt: skip
def test_what_has_another_form_is_named_and_never_copied(odd: Any) -> None:
    assert SECRET not in json.dumps(workflow_templates(odd))
    assert SECRET not in json.dumps(sensor_triggers(odd))


def test_a_trigger_keeps_what_it_submits() -> None:
    resource = {"kind": "Workflow", "spec": {"workflowTemplateRef": {"name": "failover"}, "arguments": {"parameters": [{"value": SECRET}]}}}
    by_name = {"kind": "WorkflowTemplate", "metadata": {"name": "failover"}}
    triggers = [
        {"template": {"name": "one", "argoWorkflow": {"operation": "submit", "source": {"resource": resource}, "parameters": [{"src": SECRET}]}}},
        {"template": {"name": "two", "argoWorkflow": {"operation": "submit-from", "source": {"resource": by_name}}}},
        {"template": {"name": "three", "http": {"url": f"https://user:{SECRET}@host", "headers": {"token": SECRET}}}},
    ]  # fmt: skip
    found = sensor_triggers(triggers)
    assert SECRET not in json.dumps(found)
    assert [one["submits"] for one in found] == [True, True, False]
    assert [one.get("reference", {}).get("name") for one in found] == ["failover", "failover", None]
