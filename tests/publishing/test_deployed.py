"""Dashboard, alerts and manifests by what can be said of them without a server: they name what there is, and nothing overlaps."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from exivity_audit.publishing.destination import Finished
from exivity_audit.reports.prometheus import render_prometheus
from exivity_audit.score import Gate, RowVerdict
from exivity_audit.verdict import Severity, Status
from tests.publishing.dashboards import BOARD, DEPLOY, RULES, VARIABLES, queries
from tests.reports import sample_scorecard as sample

FAMILIES = {
    family.name: family
    for family in text_string_to_metric_families(render_prometheus(Finished(sample.not_ready(), sample.run_info()).report).decode())
}
ALERTS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
EXPRESSIONS = {
    **{f"panel {query.panel} {number}": query.expression for number, query in enumerate(queries())},
    **{rule["alert"]: rule["expr"] for rule in ALERTS},
}
VALUES = {"state": set(Gate), "status": set(Status), "severity": set(Severity), "verdict": set(RowVerdict), "kind": {"certificate", "support", "attestation", "waiver"},
          "outcome": {one.labels["outcome"] for one in FAMILIES["exivity_audit_reads"].samples}}  # fmt: skip


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_queries_name_metrics_labels_and_values_that_there_are(name: str) -> None:
    expression = EXPRESSIONS[name]
    metrics = set(re.findall(r"exivity_audit_\w+", expression))
    assert metrics
    assert metrics <= set(FAMILIES), metrics - set(FAMILIES)
    for metric, inside in re.findall(r"(exivity_audit_\w+)\{([^}]*)\}", expression):
        known = {label for one in FAMILIES[metric].samples for label in one.labels}
        for label, value in re.findall(r'(\w+)(?:=~|!=|=)"([^"]*)"', inside):
            assert label in known, f"{metric} has no label {label}"
            if label in VALUES:
                assert set(value.split("|")) <= {str(one) for one in VALUES[label]}, value
    by = {label.strip() for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for label in labels.split(",")}
    assert by <= {label for metric in metrics for one in FAMILIES[metric].samples for label in one.labels}


def test_the_dashboard_shows_what_it_should() -> None:
    used = {metric for query in queries() for metric in re.findall(r"exivity_audit_(\w+)", query.expression)}
    assert {"gate", "score", "coverage_ratio", "row_verdict", "findings", "check_status", "days_left", "last_run_timestamp_seconds"} <= used
    assert {one["name"] for one in VARIABLES} == {"cluster", "release"}
    trend = [panel["title"] for panel in BOARD["panels"] if panel["type"] == "timeseries"]
    assert {"Score", "Coverage"} <= set(trend)
    assert all(panel.get("description") for panel in BOARD["panels"] if panel["type"] != "row")


def test_panels_do_not_overlap_and_ask_the_chosen_data_source() -> None:
    taken: dict[tuple[int, int], str] = {}
    identities = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(identities)) == len(identities)
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]
        for target in panel.get("targets", ()):
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_renamed_columns_are_columns() -> None:
    """A table's overrides and order name what its queries give."""
    for panel in BOARD["panels"]:
        if panel["type"] != "table":
            continue
        organize = next(one["options"] for one in panel["transformations"] if one["id"] == "organize")
        several = len(panel["targets"]) > 1
        values = {f"Value #{target['refId']}" if several else "Value" for target in panel["targets"]}
        labels = {
            label.strip() for target in panel["targets"] for part in re.findall(r"\bby \(([^)]*)\)", target["expr"]) for label in part.split(",")
        }
        assert set(organize["indexByName"]) | set(organize["excludeByName"]) == values | labels | {"Time"}
        shown = set(organize["indexByName"])
        assert set(organize["renameByName"]) == shown - set(organize["excludeByName"])
        named = {one["matcher"]["options"] for one in panel["fieldConfig"]["overrides"]} | {
            one["displayName"] for one in panel["options"].get("sortBy", ())
        }
        assert named <= set(organize["renameByName"].values())


def test_the_object_of_the_operator_holds_the_same_rules() -> None:
    made = yaml.safe_load((DEPLOY / "prometheus" / "prometheusrule.yaml").read_text())
    assert (made["apiVersion"], made["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert made["spec"] == yaml.safe_load(RULES.read_text())


def test_every_alert_says_what_and_how_grave() -> None:
    assert {"ExivityAuditNotReady", "ExivityAuditScoreDropped", "ExivityAuditNotRun", "ExivityAuditCoverageDropped"} <= {
        rule["alert"] for rule in ALERTS
    }
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["for"]
