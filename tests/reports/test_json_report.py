"""The JSON report: schema, contract keys, sameness."""

from __future__ import annotations

import json
import math
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from exivity_audit.reports.json_report import json_report, json_schema
from exivity_audit.score import scorecard
from exivity_audit.subject import fingerprint
from exivity_audit.verdict import Status
from tests.reports import sample_scorecard as sample
from tests.reports.golden_files import check_golden
from tests.reports.test_terminal import CARDS

SCHEMA = json.loads(json_schema())
KEYS = {
    "": "schema_version tool checklist run cluster sites scenario summary rows results tables unread fixes attestations waivers lifecycle actions baseline",
    "run": "started finished now namespace release flags exit_code",
    "cluster": "name uid version",
    "scenario": "declared detected used purpose",
    "summary": "gate remarks waivers grade score score_without_waivers coverage counts",
    "summary.coverage": "decided applicable ratio",
    "summary.counts": "fail error unknown manual warn waived pass skip",
    "sites.0": "name role cluster namespace release reads insecure now coverage unreached",
    "sites.0.reads": "found empty not_installed forbidden failed not_asked",
    "rows.0": "id title phase verdict score coverage counts weight",
    "results.0": "id row site fingerprint title severity status underlying remark subject message measured unit wanted evidence clauses fix needs follows waiver attestation",
    "tables": "node_loss copies calendar volumes trend failover",
    "tables.calendar.0": "site date kind what subject days_left",
    "attestations.0": "check subject site statement by date expires artefact context state why",
    "waivers.0": "check subject site reason owner expires ticket accepts state why",
    "lifecycle": "date stale file",
    "actions": "register values keepers",
    "actions.register.0": "number kind action severity gain needs sites checks results fill patches",
    "actions.values.0": "site path value state needs others results",
    "unread.0": "site read place outcome reason rule",
    "fixes.0": "gain fix results",
    "fixes.0.fix": "text kind values patch needs fill",
}


def report(card: str) -> Any:
    return json.loads(json_report(CARDS[card](), sample.run_info()))


@pytest.mark.parametrize("card", CARDS)
def test_it_validates(card: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(report(card), SCHEMA, cls=jsonschema.Draft202012Validator)


def test_golden() -> None:
    check_golden("report.json", json_report(sample.not_ready(), sample.run_info()).decode())
    check_golden("schema.json", json_schema().decode())


@pytest.mark.parametrize("place", KEYS)
def test_the_contracts_keys_are_there_in_order(place: str) -> None:
    value = report("not_ready")
    for step in filter(None, place.split(".")):
        value = value[int(step)] if isinstance(value, list) else value[step]
    assert list(value) == KEYS[place].split()


def test_every_key_of_the_schema_is_required() -> None:
    for name, shape in SCHEMA["$defs"].items():
        if shape.get("type") == "object":
            assert set(shape.get("required", ())) == set(shape["properties"]), name


def test_the_words_are_the_checklists() -> None:
    found = report("not_ready")
    assert found["summary"]["gate"] == "NOT READY"
    assert {row["verdict"] for row in found["rows"]} == {"NOT MET", "UNVERIFIED", "PARTLY", "NOT APPLICABLE"}
    assert {result["status"] for result in found["results"]} == {str(status) for status in Status}
    assert report("evaluation")["summary"]["gate"] is None
    assert report("blind")["summary"]["grade"] is None
    assert report("blind")["summary"]["score"] is None


def test_an_outcome_without_subject_is_one_result() -> None:
    skipped = next(result for result in report("not_ready")["results"] if result["id"] == "application/same-node")
    assert skipped["subject"] is None
    assert skipped["fingerprint"] == fingerprint("application/same-node", "default", None)


def test_one_result_a_verdict_and_unique_fingerprints() -> None:
    card, found = sample.not_ready(), report("not_ready")
    assert len(found["results"]) == sum(len(outcome.verdicts) for outcome in card.judgement.outcomes)
    assert len({result["fingerprint"] for result in found["results"]}) == len(found["results"])


def test_a_fixs_results_are_fingerprints_of_results() -> None:
    found = report("two_sites")
    known = {result["fingerprint"] for result in found["results"]}
    assert found["fixes"]
    assert all(set(fix["results"]) <= known for fix in found["fixes"])


def test_values_and_patches_are_kept() -> None:
    results = {result["id"]: result for result in report("not_ready")["results"] if result["status"] in ("fail", "warn")}
    assert results["application/singletons"]["fix"]["values"] == {"service.chronos.replicas": 1}
    assert results["ingress/class"]["fix"]["patch"] == {"metadata": {"annotations": {"a": "b"}}}
    assert results["rabbitmq/legacy-image"]["fix"] == {
        "text": "Repair legacy-image",
        "kind": "task",
        "values": None,
        "patch": None,
        "needs": None,
        "fill": [],
    }
    assert results["application/singletons"]["wanted"] == {
        "operator": "==",
        "value": 1,
        "unit": "count",
        "note": "a second scheduler queues every job twice",
    }


def test_the_same_twice_is_the_same_bytes() -> None:
    assert json_report(sample.two_sites(), sample.run_info()) == json_report(sample.two_sites(), sample.run_info())


def test_only_run_and_tool_depend_on_the_process() -> None:
    first = report("not_ready")
    later = json.loads(json_report(sample.not_ready(), sample.run_info(started="x", finished="y", requests=None, seconds=9.0, flags=(), exit_code=0)))
    assert {key for key in first if first[key] != later[key]} == {"run"}


def test_numbers_that_json_has_no_word_for_become_text() -> None:
    card = sample.not_ready()
    outcomes = tuple(replace(o, verdicts=tuple(replace(v, measured=math.nan) for v in o.verdicts)) for o in card.judgement.outcomes)
    found = json.loads(json_report(scorecard(replace(card.judgement, outcomes=outcomes)), sample.run_info()))
    assert {result["measured"] for result in found["results"]} == {"nan"}
    jsonschema.validate(found, SCHEMA, cls=jsonschema.Draft202012Validator)


def test_the_ledger_has_its_keys_and_its_site() -> None:
    rows = report("two_sites")["tables"]["copies"]
    assert [row["site"] for row in rows] == ["ams"] * 8 + ["fra"] * 8
    assert rows[2] == {
        "site": "ams", "item": "exivity-import", "kind": "claim", "size": 20 * 2**30, "copied_by": "", "last": None, "age": None, "limit": 172800.0, "state": "none",
        "note": "snapshots on its own storage alone",
    }  # fmt: skip


def test_the_node_table_carries_its_site() -> None:
    rows = report("two_sites")["tables"]["node_loss"]
    assert [row["site"] for row in rows] == ["ams"] * 4 + ["fra"] * 4
    assert report("blind")["tables"] == {"node_loss": None, "copies": None, "calendar": None, "volumes": None, "trend": None, "failover": None}
