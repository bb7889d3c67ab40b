"""The machine formats: each by its schema or its reference parser, each with hostile text in every field."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import xmlschema
import yaml
from junitparser import Error, Failure, JUnitXml, Skipped
from prometheus_client.parser import text_string_to_metric_families

from exivity_audit.reports.csv_report import COLUMNS, FORMULA_STARTS, render_csv
from exivity_audit.reports.github import render_github
from exivity_audit.reports.json_report import report_shape
from exivity_audit.reports.json_shape import ReportShape
from exivity_audit.reports.junit import render_junit
from exivity_audit.reports.markdown import LONGEST, render_markdown
from exivity_audit.reports.policy_report import render_open_report, render_policy_report
from exivity_audit.reports.prometheus import render_prometheus
from exivity_audit.reports.sarif import render_sarif
from exivity_audit.score import scorecard
from exivity_audit.verdict import Status
from tests.command import audit
from tests.reports import sample_scorecard as sample
from tests.reports.test_hostile_text import HOSTILE, RAW, hostile_judgement
from tests.reports.test_terminal import CARDS

SCHEMAS = Path(__file__).parent / "schemas"
XSD = xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd"))
SARIF = jsonschema.Draft7Validator(json.loads((SCHEMAS / "sarif-2.1.0.json").read_text()))
RENDERERS: dict[str, Callable[[ReportShape], bytes]] = {
    "junit": render_junit, "sarif": render_sarif, "markdown": render_markdown, "csv": render_csv, "prometheus": render_prometheus,
    "policyreport": render_policy_report, "openreports": render_open_report, "github": render_github,
}  # fmt: skip
MORE = ("]]>", "<!ENTITY x SYSTEM 'file:///etc/passwd'>", "&lt;&amp;", "| a | b |", "![x](http://evil/p.png)", "[a](javascript:alert(1))", "<details open>", "# head", "@everyone", "::add-mask::x",
        "a\n::error::b", "%25%0A", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "＝1+1", " =1", "a\",b", 'x"} 1\nevil_metric{a="b', "!!python/object:os.system", "&a *a", "- x\n- y", "'''", "\u2028", "${jndi:ldap://x}", "{{ x }}",
        "../../etc/passwd", "C:\\x", "a" * 3000, "\ud800", "\x00", "\x1b[2J", "\uffff", "-----BEGIN X")  # fmt: skip
CORPUS = tuple(dict.fromkeys((*HOSTILE, *MORE)))


@cache
def shape(name: str) -> ReportShape:
    return report_shape(CARDS[name](), sample.run_info())


@cache
def hostile(text: str) -> ReportShape:
    moment = "2026-11-23T14:02:11Z"
    return report_shape(scorecard(hostile_judgement(text)), sample.run_info(tool_version=text, started=moment, finished=moment, flags=(text,)))


def test_the_corpus_is_large() -> None:
    assert len(CORPUS) >= 100


@pytest.mark.parametrize("name", CARDS)
def test_junit(name: str) -> None:
    found = shape(name)
    text = render_junit(found)
    XSD.validate(text.decode())
    read = JUnitXml.fromstring(text)
    cases = [case for suite in read for case in suite]
    assert len(cases) == len(found.results)
    kinds = {Failure: Status.FAIL, Error: Status.ERROR}
    for kind, status in kinds.items():
        assert sum(isinstance(one, kind) for case in cases for one in case.result) == sum(result.status is status for result in found.results)
    undecided = sum(result.status in (Status.UNKNOWN, Status.MANUAL, Status.WAIVED, Status.SKIP) for result in found.results)
    assert sum(isinstance(one, Skipped) for case in cases for one in case.result) == undecided


@pytest.mark.parametrize("name", CARDS)
def test_sarif(name: str) -> None:
    found = shape(name)
    log = json.loads(render_sarif(found))
    SARIF.validate(log)
    run = log["runs"][0]
    findings = [result for result in found.results if result.status in (Status.FAIL, Status.WARN, Status.WAIVED)]
    assert [result["partialFingerprints"]["exivityAudit/v1"] for result in run["results"]] == [result.fingerprint for result in findings]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[A-Za-z0-9._~%/-]+", uri), "a relative URI, as code scanning asks for"
        assert ".." not in uri.split("/")
    waived = [result for result in run["results"] if "suppressions" in result]
    assert len(waived) == sum(result.status is Status.WAIVED for result in found.results)
    told = run["invocations"][0]["toolExecutionNotifications"]
    assert len(told) == sum(result.status in (Status.UNKNOWN, Status.MANUAL, Status.ERROR) for result in found.results)


@pytest.mark.parametrize("name", CARDS)
def test_prometheus(name: str) -> None:
    found = shape(name)
    families = {family.name: family for family in text_string_to_metric_families(render_prometheus(found).decode())}
    assert all(family.type == "gauge" and family.documentation for family in families.values())
    scores = {one.labels["row"]: one.value for one in families["exivity_audit_row_score"].samples}
    assert scores == {row.id: row.score for row in found.rows if row.score is not None}
    assert [one.value for one in families["exivity_audit_score"].samples] == ([] if found.summary.score is None else [found.summary.score])
    gates = {one.labels["state"]: one.value for one in families["exivity_audit_gate"].samples}
    assert [state for state, value in gates.items() if value] == ([str(found.summary.gate)] if found.summary.gate else [])
    for family in families.values():
        assert all({"cluster", "namespace"} <= set(one.labels) for one in family.samples)
    assert len(families["exivity_audit_check_status"].samples) == len({(result.site, result.id) for result in found.results})


@pytest.mark.parametrize("name", CARDS)
def test_csv(name: str) -> None:
    found = shape(name)
    lines = list(csv.DictReader(io.StringIO(render_csv(found).decode("utf-8-sig"), newline="")))
    assert len(lines) == len(found.results)
    for line, result in zip(lines, found.results, strict=True):
        assert (line["check"], line["status"], line["fingerprint"]) == (result.id, str(result.status), result.fingerprint)
        if isinstance(result.measured, int | float) and not isinstance(result.measured, bool):
            assert float(line["measured"]) == result.measured, "raw, in the unit that stands beside it"


@pytest.mark.parametrize("render", [render_policy_report, render_open_report])
@pytest.mark.parametrize("name", CARDS)
def test_policy_report(name: str, render: Callable[[ReportShape], bytes]) -> None:
    found = shape(name)
    made = yaml.safe_load(render(found))
    assert made["kind"] in ("PolicyReport", "Report")
    assert made["metadata"]["namespace"] == found.run.namespace
    assert sum(made["summary"].values()) == len(made["results"]) == len(found.results)
    passed = [one for one in made["results"] if one["result"] == "pass"]
    assert len(passed) == sum(result.status is Status.PASS for result in found.results), "nothing undecided counts as passed"


@pytest.mark.parametrize("name", CARDS)
def test_markdown_and_annotations(name: str) -> None:
    found = shape(name)
    text = render_markdown(found).decode()
    assert text.startswith("## ")
    assert len(text) <= LONGEST + 10_000
    assert all(f"| {row.verdict} |" in text for row in found.rows)
    lines = render_github(found).decode().splitlines()
    assert all(re.match(r"::(error|warning|notice) title=[^:,]*::", line) for line in lines)


@pytest.mark.parametrize("text", CORPUS, ids=lambda text: ascii(text)[:24])
def test_hostile_text_takes_no_effect(text: str) -> None:
    found = hostile(text)
    for name, render in RENDERERS.items():
        shown = render(found).decode()
        allowed = shown.replace("\r\n", "\n").removeprefix("\ufeff") if name == "csv" else shown
        assert not RAW.search(allowed), name
    XSD.validate(render_junit(found).decode())
    JUnitXml.fromstring(render_junit(found))
    SARIF.validate(json.loads(render_sarif(found)))
    assert yaml.safe_load(render_policy_report(found))["kind"] == "PolicyReport"
    _no_new_series(found)
    for line in render_github(found).decode().splitlines():
        assert re.match(r"::(error|warning|notice) title=[^:,]*::", line), "no line of its own"
    for row in csv.reader(io.StringIO(render_csv(found).decode("utf-8-sig"), newline="")):
        assert len(row) == len(COLUMNS)
        for cell in row:
            assert not cell.lstrip(" '\"\u3000\u00a0").startswith(FORMULA_STARTS) or cell.startswith("'"), cell
    _plain_markdown(render_markdown(found).decode())


def _no_new_series(found: ReportShape) -> None:
    names = {family.name for family in text_string_to_metric_families(render_prometheus(found).decode())}
    assert all(name.startswith("exivity_audit_") for name in names)


def _plain_markdown(text: str) -> None:
    """No HTML, link, image or mention but our own; every table line has the columns of its head."""
    assert set(re.findall(r"<[^>]*>", text)) <= {"<br>", "<details>", "<summary>", "</summary>", "</details>"}
    assert "@" not in text
    assert not re.search(r"(?<!\\)\]\(", text)
    assert not re.search(r"https?://", text)
    columns = 0
    for line in text.splitlines():
        if not line.startswith("|"):
            columns = 0
            continue
        found = len(re.findall(r"(?<!\\)\|", line))
        assert columns in (0, found), line
        columns = found


def test_each_format_can_be_asked_for_at_once(tmp_path: Path) -> None:
    words = ["demo", "-q"]
    for name in (*RENDERERS, "json"):
        words += ["-o", f"{name}={tmp_path / name}"]
    done = audit(*words)
    assert done.returncode == 0, done.stderr
    assert all((tmp_path / name).stat().st_size > 100 for name in (*RENDERERS, "json"))
