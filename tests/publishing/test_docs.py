"""What docs/publishing.md and the manifests say is what the tool and the chart take."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from exivity_audit.cli.run_command import command
from exivity_audit.config import Config, load_config
from exivity_audit.publishing.cluster_writer import write_rules
from tests.publishing.dashboards import DEPLOY
from tests.publishing.test_publishing_run import flags, publications

PAGE = (DEPLOY.parent / "docs" / "publishing.md").read_text()
BLOCKS: list[dict[str, Any]] = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
CHART: dict[str, Any] = next(block for block in BLOCKS if "networkPolicy" in block)
SET: dict[str, Any] = yaml.safe_load((DEPLOY / "argocd" / "applicationset.yaml").read_text())
VALUES: dict[str, Any] = SET["spec"]["template"]["spec"]["source"]["helm"]["valuesObject"]


def understood(config: dict[str, Any], folder: Path) -> Config:
    path = folder / "exivity-audit.yaml"
    path.write_text(yaml.safe_dump(config).replace("{{ .nameNormalized }}", "ams"))
    found = load_config(path)[0]
    path.write_text(path.read_text().replace("policy_reports: true", "policy_reports: false"))  # for want of a cluster
    assert publications(flags(), path)
    return found


def test_the_config_that_is_shown_is_understood(tmp_path: Path) -> None:
    found = understood(next(block for block in BLOCKS if "publish" in block), tmp_path)
    assert found.publish.pushgateway is not None
    assert found.publish.bucket is not None
    assert found.publish.policy_reports
    assert len(found.publish.webhooks) == 2
    assert understood(CHART["config"], tmp_path).cluster_name == "ams"
    assert understood(VALUES["config"], tmp_path).publish.bucket is not None


def test_every_flag_that_is_named_exists_and_every_one_of_publishing_is_named() -> None:
    options = {name: parameter for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    named = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", PAGE)) - {"--persistence", "--from-file"}
    assert named <= set(options), named - set(options)
    assert {"--push", "--webhook", "--bucket", "--publish-policy-reports", "--publish-ca", "--publish-timeout", "--no-publish"} <= named
    variables = {str(parameter.envvar) for parameter in command.params if parameter.envvar}
    assert set(re.findall(r"EXIVITY_AUDIT_[A-Z_]+", PAGE)) <= variables | {f"EXIVITY_AUDIT_PUSH_{name}" for name in ("TOKEN", "USER", "PASSWORD")}


def test_the_role_that_is_shown_is_the_rule() -> None:
    role = next(block for block in BLOCKS if block.get("kind") == "Role")
    shown = {(f"{rule['resources'][0]}.{rule['apiGroups'][0]}", verb, rule["resourceNames"][0]) for rule in role["rules"] for verb in rule["verbs"]}
    assert shown == {(rule.resource, rule.verb, rule.name) for rule in write_rules("exivity", "exivity")}
    applied, binding = yaml.safe_load_all((DEPLOY / "policy-reports" / "role.yaml").read_text())
    assert applied == role
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["metadata"]["namespace"] == role["metadata"]["namespace"]


def test_the_files_that_are_named_are_there() -> None:
    for name in re.findall(r"deploy/(?:grafana|prometheus|argocd|policy-reports)/[\w.-]+", PAGE):
        assert (DEPLOY.parent / name).is_file(), name


def test_the_applicationset() -> None:
    assert (SET["apiVersion"], SET["kind"]) == ("argoproj.io/v1alpha1", "ApplicationSet")
    spec = SET["spec"]
    assert spec["goTemplate"] is True
    assert VALUES["config"]["cluster_name"] == "{{ .name }}", "each cluster reports under its own name"
    used = set(re.findall(r"\{\{ \.(\w+) \}\}", yaml.safe_dump(spec["template"])))
    assert used <= {"name", "nameNormalized", "server"}, "what the clusters generator gives"


def merged(usual: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """As Helm merges values."""
    return {
        **usual,
        **{key: merged(usual[key], value) if isinstance(value, dict) and isinstance(usual.get(key), dict) else value for key, value in given.items()},
    }


def test_the_chart_takes_the_values() -> None:
    schema = DEPLOY / "chart" / "values.schema.json"
    if not schema.is_file():
        pytest.skip("the chart is not in this tree")
    usual = yaml.safe_load((DEPLOY / "chart" / "values.yaml").read_text())
    for values in (CHART, VALUES):
        assert set(values) <= set(usual)
        jsonschema.validate(merged(usual, values), json.loads(schema.read_text()))
