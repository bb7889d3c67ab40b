"""JSON lines for a log collector: one of the summary, then one of each finding; no line is split by a container's log driver."""

from __future__ import annotations

import json
from typing import Any

from exivity_audit.reports.json_shape import CountsShape, ReportShape, ResultShape
from exivity_audit.reports.text import clean
from exivity_audit.reports.words import headline, subject_text
from exivity_audit.verdict import Severity, Status

LONGEST = 1000  # characters of one text
LARGEST = 15_000  # bytes of a line: container runtimes split one at 16 KiB
CUT = 80
_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "warning"}
_QUIET = (Status.PASS, Status.SKIP)


def render_json_lines(report: ReportShape) -> bytes:
    """The summary, then what did not pass, the most urgent first."""
    findings = sorted((one for one in report.results if one.status not in _QUIET), key=lambda one: (one.status.urgency, -one.severity.weight))
    lines = [summary_line(report), *(_finding(one, report) for one in findings)]
    return "".join(f"{_line(line)}\n" for line in lines).encode()


def summary_line(report: ReportShape) -> dict[str, Any]:
    """The answer of the run as one flat object."""
    summary = report.summary
    return {
        **_common(report, "summary", "info" if report.run.exit_code == 0 else "warning"),
        "message": _short(headline(report)), "gate": summary.gate, "grade": summary.grade, "score": summary.score,
        "score_without_waivers": summary.score_without_waivers, "coverage": summary.coverage.ratio, "checks": _counts(summary.counts),
        "scenario": report.scenario.used, "purpose": report.scenario.purpose, "exit_code": report.run.exit_code,
        "checklist": _short(report.checklist.version), "version": _short(report.tool.version),
        "cluster_uid": _short(report.cluster.uid or "") or None, "cluster_version": _short(report.cluster.version or "") or None,
    }  # fmt: skip


def _line(values: dict[str, Any]) -> str:
    """One line of ASCII; where it would be split, with its texts cut further."""
    text = json.dumps(values, separators=(",", ":"), allow_nan=False)
    if len(text) <= LARGEST:
        return text
    cut = {
        key: value[:CUT] if isinstance(value, str) else [item[:CUT] for item in value[:3]] if isinstance(value, list) else value
        for key, value in values.items()
    }
    return json.dumps(cut, separators=(",", ":"), allow_nan=False)


def _finding(result: ResultShape, report: ReportShape) -> dict[str, Any]:
    level = _LEVELS[result.severity] if result.status in (Status.FAIL, Status.ERROR) else "info" if result.status is Status.WAIVED else "warning"
    return {
        **_common(report, "finding", level), "site": _short(result.site), "check": _short(result.id), "row": _short(result.row),
        "severity": str(result.severity),
        "status": str(result.status), "title": _short(result.title), "subject": _short(subject_text(result)), "message": _short(result.message),
        "fix": _short(result.fix.text) if result.fix is not None else None, "needs": [_short(need) for need in result.needs[:5]],
        "fingerprint": result.fingerprint, "clauses": result.clauses[:20],
    }  # fmt: skip


def _common(report: ReportShape, kind: str, level: str) -> dict[str, Any]:
    return {
        "time": report.run.now, "level": level, "type": kind, "tool": "exivity-audit", "cluster": _short(report.cluster.name),
        "namespace": _short(report.run.namespace), "release": _short(report.run.release),
    }  # fmt: skip


def _counts(counts: CountsShape) -> dict[str, int]:
    return {str(status): getattr(counts, "pass_" if status is Status.PASS else str(status)) for status in Status}


def _short(text: str) -> str:
    shown = clean(text)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"
