"""What is kept of Argo's workflows and Sensors: names alone, whatever else stands there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exivity_audit.collect.workflows import DEEPEST, MOST, sensor_triggers, step_mark, step_name, workflow_templates

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


STR, LIST, DICT, NONE = ({"malformed": name} for name in ("str", "list", "dict", "NoneType"))


def template(**content: Any) -> Any:
    """What is kept of a template, without its name and mark."""
    found = workflow_templates([{"name": "t", **content}])[0]
    assert found.pop("name") == "t"
    return found


def call(**content: Any) -> Any:
    """What is kept of a task."""
    return template(dag={"tasks": [content]})["tasks"][0]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, None), ("promote-database", "promote-database"), ("{{inputs.parameters.a}}", "{{inputs.parameters.a}}"), ("a" * 128, "a" * 128), ("a" * 129, STR), ("", STR), ("a b", STR),
        ("-a", STR), (7, {"malformed": "int"}), ([SECRET], LIST),
    ],
)  # fmt: skip
def test_a_name_looks_like_one(value: Any, kept: Any) -> None:
    assert step_name(value) == kept


@pytest.mark.parametrize(
    ("value", "kept"),
    [("3", "3"), ("promote", "promote"), (3, None), (None, None), ("a" * 64, "a" * 64), ("a" * 65, None), ("a=b", None), ("", None)],
)
def test_a_mark_is_a_number_or_a_word(value: Any, kept: Any) -> None:
    assert step_mark(value) == kept


@pytest.mark.parametrize("describe", [workflow_templates, sensor_triggers])
def test_lists_are_cut_null_stays_and_another_type_is_named(describe: Any) -> None:
    assert describe(None) is None
    assert describe([]) == []
    assert describe({"a": SECRET}) == DICT
    assert describe([SECRET, None]) == [STR, NONE]
    assert len(describe([SECRET] * (MOST + 1))) == MOST


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        ({}, {"mark": None}), ({"steps": None, "dag": None}, {"mark": None}), ({"steps": [[{"name": "a"}], SECRET, [SECRET]]}, {"mark": None, "steps": [[{"name": "a", "template": None, "after": []}], STR, [STR]]}),
        ({"steps": SECRET}, {"mark": None, "steps": STR}), ({"dag": SECRET}, {"mark": None, "tasks": STR}), ({"dag": {"tasks": None}}, {"mark": None, "tasks": DICT}),
        ({"annotations": {"exivity-audit/failover-step": "2"}}, {"mark": "2"}), ({"annotations": {"exivity-audit/failover-step": SECRET * 9}}, {"mark": None}), ({"annotations": SECRET, "metadata": SECRET}, {"mark": None}),
        ({"annotations": {}, "metadata": {"annotations": {"exivity-audit/failover-step": "3"}}}, {"mark": "3"}), ({"metadata": {"annotations": SECRET}}, {"mark": None}),
        ({"annotations": {"exivity-audit/failover-step": "2"}, "metadata": {"annotations": {"exivity-audit/failover-step": "3"}}}, {"mark": "2"}),
    ],
)  # fmt: skip
def test_what_is_kept_of_a_template(content: Any, kept: Any) -> None:
    assert template(**content) == kept


def test_groups_and_tasks_without_end_are_cut() -> None:
    assert len(template(steps=[[]] * (MOST + 1))["steps"]) == MOST
    assert len(template(steps=[[SECRET] * (MOST + 1)])["steps"][0]) == MOST
    assert len(template(dag={"tasks": [SECRET] * (MOST + 1)})["tasks"]) == MOST
    assert len(call(dependencies=["a"] * (MOST + 1))["after"]) == MOST


@pytest.mark.parametrize("by", ["steps", "tasks"])
def test_templates_inside_steps_are_followed_so_far(by: str) -> None:
    inner: dict[str, Any] = {"name": "last"}
    for _ in range(DEEPEST + 3):
        step = {"name": "s", "inline": inner}
        inner = {"name": "t", **({"steps": [[step]]} if by == "steps" else {"dag": {"tasks": [step]}})}
    found, levels = workflow_templates([inner])[0], 0
    while by in found:
        step = found["steps"][0][0] if by == "steps" else found["tasks"][0]
        found, levels = step.get("inline", {}), levels + 1
    assert levels == DEEPEST + 1


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        ({}, {}), ({"templateRef": SECRET, "inline": SECRET}, {}), ({"templateRef": {"name": "a", "template": "b"}}, {"reference": {"name": "a", "template": "b", "cluster": False}}),
        ({"templateRef": {"clusterScope": "true"}}, {"reference": {"name": None, "template": None, "cluster": False}}), ({"inline": {}}, {"inline": {"name": None, "mark": None}}),
    ],
)  # fmt: skip
def test_what_a_step_calls(content: Any, kept: Any) -> None:
    assert call(name="a", template="b", **content) == {"name": "a", "template": "b", "after": [], **kept}


@pytest.mark.parametrize(
    ("content", "after"),
    [
        ({"dependencies": ["a", SECRET * 9]}, ["a", STR]), ({"dependencies": []}, []), ({"dependencies": SECRET}, STR), ({"dependencies": ["a"], "depends": "b"}, ["a"]), ({"depends": ""}, []),
        ({"depends": "(b.Succeeded && a) || !c"}, ["a", "b", "c"]), ({"depends": "a || a.Failed"}, ["a"]), ({"depends": "a = b"}, STR), ({"depends": 7}, {"malformed": "int"}), ({"depends": "&& ."}, []),
    ],
)  # fmt: skip
def test_what_must_be_over_first(content: Any, after: Any) -> None:
    assert call(**content)["after"] == after


def trigger(**content: Any) -> Any:
    return sensor_triggers([{"template": {"name": "t", **content}}])[0]


def submitting(resource: Any, key: str = "argoWorkflow") -> Any:
    return trigger(**{key: {"source": {"resource": resource}}})


def test_a_trigger_that_starts_nothing_of_ours() -> None:
    assert trigger() == trigger(http={"url": SECRET}) == trigger(argoWorkflow=SECRET) == {"name": "t", "submits": False}
    assert (
        trigger(argoWorkflow={})
        == trigger(argoWorkflow={"source": SECRET})
        == trigger(argoWorkflow={"source": {"resource": SECRET}})
        == {"name": "t", "submits": True}
    )
    assert trigger(k8s={"source": {}}) == {"name": "t", "submits": False}
    assert submitting({"kind": "Job", "metadata": {"name": SECRET}}, "k8s") == {"name": "t", "submits": False}
    assert sensor_triggers([{"template": SECRET}, {}]) == [DICT, DICT]


@pytest.mark.parametrize(
    ("resource", "kept"),
    [
        ({"kind": "WorkflowTemplate", "metadata": {"name": "f"}}, {"kind": "WorkflowTemplate", "reference": {"name": "f", "cluster": False}}),
        ({"kind": "ClusterWorkflowTemplate", "metadata": {"name": "f"}}, {"kind": "ClusterWorkflowTemplate", "reference": {"name": "f", "cluster": True}}),
        ({"kind": "CronWorkflow", "metadata": SECRET}, {"kind": "CronWorkflow", "reference": {"name": None, "cluster": False}}),
        ({"kind": "Workflow"}, {"kind": "WorkflowTemplate", "entrypoint": None, "templates": None}), ({"kind": "Workflow", "spec": SECRET}, {"kind": "WorkflowTemplate", "entrypoint": None, "templates": None}),
        (
            {"kind": "Workflow", "spec": {"entrypoint": "main", "templates": [{"name": "main"}], "workflowTemplateRef": {"name": "f", "clusterScope": True}}},
            {"kind": "WorkflowTemplate", "entrypoint": "main", "templates": [{"name": "main", "mark": None}], "reference": {"name": "f", "cluster": True}},
        ),
        ({"kind": "Workflow", "spec": {"workflowTemplateRef": {"name": "f"}}}, {"kind": "WorkflowTemplate", "entrypoint": None, "templates": None, "reference": {"name": "f", "cluster": False}}),
        ({"kind": "Workflow", "spec": {"workflowTemplateRef": SECRET}}, {"kind": "WorkflowTemplate", "entrypoint": None, "templates": None}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["argoWorkflow", "k8s"])
def test_what_a_trigger_submits(resource: Any, kept: Any, key: str) -> None:
    assert submitting(resource, key) == {"name": "t", "submits": True, **kept}
