"""SARIF 2.1.0 as code scanning services take it: a rule a check, a result a finding; what was not decided is a notification."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from exivity_audit.reports.json_shape import ReportShape, ResultShape
from exivity_audit.reports.text import clean, json_text
from exivity_audit.reports.words import details, headline, several, site_text, subject_text
from exivity_audit.verdict import Severity, Status

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
FINDINGS = (Status.FAIL, Status.WARN, Status.WAIVED)
OPEN = (Status.UNKNOWN, Status.MANUAL, Status.ERROR)
LARGEST = 5000  # results that a code scanning service shows of one upload
LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
PROBLEM = {"error": "error", "warning": "warning", "note": "recommendation"}


def render_sarif(report: ReportShape) -> bytes:
    """The findings as one SARIF run; a cluster has no files, so each is placed in a made-up one named after its object."""
    findings = [result for result in report.results if result.status in FINDINGS][:LARGEST]
    rules = {result.id: result for result in reversed(report.results)}
    order = {name: number for number, name in enumerate(sorted(rules))}
    run: dict[str, Any] = {
        "tool": {"driver": {
            "name": report.tool.name, "version": report.tool.version, "semanticVersion": report.tool.version,
            "rules": [_rule(rules[name]) for name in sorted(rules)],
        }},
        "automationDetails": {"id": "/".join((report.tool.name, _part(report.cluster.name), _part(report.run.namespace), ""))},
        "invocations": [{
            "executionSuccessful": True, "startTimeUtc": report.run.started, "endTimeUtc": report.run.finished, "exitCode": report.run.exit_code,
            "toolExecutionNotifications": [_notification(result, order, report) for result in report.results if result.status in OPEN],
        }],
        "results": [_result(result, order, report) for result in findings],
        "properties": {"summary": clean(headline(report))},
    }  # fmt: skip
    return (json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}) + "\n").encode()


def _part(text: str) -> str:
    return quote(clean(text), safe="")


def _rule(result: ResultShape) -> dict[str, Any]:
    level = LEVELS[result.severity]
    return {
        "id": result.id, "name": result.id.replace("/", "-"), "shortDescription": {"text": clean(result.title)},
        "fullDescription": {"text": clean(result.title)},
        "help": {"text": f"exivity-audit explain {result.id}", "markdown": f"`exivity-audit explain {result.id}`"},
        "defaultConfiguration": {"level": level},
        "properties": {
            "tags": [result.row, *result.clauses], "precision": "high", "problem.severity": PROBLEM[level], "severity": str(result.severity),
        },
    }  # fmt: skip


def _level(result: ResultShape) -> str:
    broken = result.underlying or result.status
    return LEVELS[result.severity] if broken is Status.FAIL else "note" if result.severity is Severity.LOW else "warning"


def _result(result: ResultShape, order: dict[str, int], report: ReportShape) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": result.id, "ruleIndex": order[result.id], "level": _level(result), "kind": "fail",
        "message": {"text": "\n".join((clean(result.message), *(clean(line) for line in details(result, report))))},
        "locations": [_location(result, report)], "partialFingerprints": {"exivityAudit/v1": result.fingerprint},
    }  # fmt: skip
    if result.waiver is not None:
        said = f"{result.waiver.reason} ({result.waiver.owner}, until {result.waiver.expires})"
        found["suppressions"] = [{"kind": "external", "status": "accepted", "justification": clean(said)}]
    return found


def _location(result: ResultShape, report: ReportShape) -> dict[str, Any]:
    one = result.subject
    names = [part for part in (one.namespace, one.kind, one.name) if part] if one else [result.row]
    uri = "/".join(_part(part) for part in (site_text(result) if several(report) else "cluster", *names)) + ".yaml"
    place = {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}
    return {"physicalLocation": place, "logicalLocations": [{"fullyQualifiedName": clean(subject_text(result) or result.row), "kind": "resource"}]}


def _notification(result: ResultShape, order: dict[str, int], report: ReportShape) -> dict[str, Any]:
    text = "\n".join((clean(f"{result.status}: {result.message}"), *(clean(line) for line in details(result, report))))
    level = "error" if result.status is Status.ERROR else "warning"
    return {"level": level, "message": {"text": text}, "associatedRule": {"id": result.id, "index": order[result.id]}}
