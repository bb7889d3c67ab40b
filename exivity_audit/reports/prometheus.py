"""Prometheus text: scores, verdicts and counts as gauges; labels are ids and names, so their number is bounded by the checklist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from exivity_audit.reports.json_shape import ReportShape
from exivity_audit.reports.text import clean
from exivity_audit.score import Gate, RowVerdict
from exivity_audit.verdict import Status

PREFIX = "exivity_audit"
DATES = 200  # lines of the calendar that become series
Sample = tuple[Mapping[str, str], float]


def label(text: object) -> str:
    """A label's value: one line, backslash and quote escaped, 120 characters at most."""
    return clean(text)[:120].replace("\\", "\\\\").replace('"', '\\"')


def render_prometheus(report: ReportShape) -> bytes:
    """The report as exposition text, for a textfile collector or a Pushgateway."""
    base = {"cluster": report.cluster.name, "namespace": report.run.namespace, "release": report.run.release}
    summary = report.summary
    blocks = [
        _gauge("info", "What wrote the report.", [({"version": report.tool.version, "checklist": report.checklist.version}, 1)], base),
        _gauge("last_run_timestamp_seconds", "When the cluster was read.", [({}, _seconds(report.run.now))], base),
        _gauge("exit_code", "Exit code of the run.", [({}, report.run.exit_code)], base),
        _gauge("score", "Score of 100; absent where nothing is decided.", _known(summary.score), base),
        _gauge("score_without_waivers", "Score of 100 without waivers.", _known(summary.score_without_waivers), base),
        _gauge("coverage_ratio", "Weight decided of weight applicable.", _known(summary.coverage.ratio), base),
        _gauge("gate", "1 for the gate's state.", [({"state": str(gate)}, float(gate is summary.gate)) for gate in Gate], base),
        _gauge("checks", "Checks by status.", [({"status": str(status)}, _count(summary.counts, status)) for status in Status], base),
        _gauge("row_score", "Score of a row.", _rows({row.id: row.score for row in report.rows}), base),
        _gauge("row_coverage_ratio", "Weight decided of a row.", _rows({row.id: row.coverage.ratio for row in report.rows}), base),
        _gauge("row_verdict", "1 for a row's verdict.", _verdicts(report), base),
        _gauge("site_coverage_ratio", "Weight decided of the weight applicable at a site.", _sites(report), base),
        _gauge("site_reached", "1 where the site could be asked.", _reached(report), base),
        _gauge("check_status", "1 for the worst status of a check.", _checks(report), base),
        _gauge("days_left", "Days until something expires or is due, by the calendar.", _calendar(report), base),
    ]  # fmt: skip
    return "".join(blocks).encode()


def _gauge(name: str, meaning: str, samples: Iterable[Sample], base: Mapping[str, str]) -> str:
    lines = [f"{PREFIX}_{name}{_labels({**base, **labels})} {value:.12g}" for labels, value in samples]
    head = [f"# HELP {PREFIX}_{name} {meaning}", f"# TYPE {PREFIX}_{name} gauge"]
    return "\n".join((*head, *lines)) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{label(value)}"' for name, value in labels.items()) + "}"


def _known(value: float | None) -> list[Sample]:
    return [] if value is None else [({}, value)]


def _rows(values: Mapping[str, float | None]) -> list[Sample]:
    return [({"row": row}, value) for row, value in values.items() if value is not None]


def _sites(report: ReportShape) -> list[Sample]:
    return [({"site": site.name}, site.coverage.ratio) for site in report.sites if site.coverage.ratio is not None]


def _reached(report: ReportShape) -> list[Sample]:
    return [({"site": site.name}, float(site.unreached is None)) for site in report.sites]


def _verdicts(report: ReportShape) -> list[Sample]:
    return [({"row": row.id, "verdict": str(one)}, float(one is row.verdict)) for row in report.rows for one in RowVerdict]


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _count(counts: object, status: Status) -> float:
    return float(getattr(counts, "pass_" if status is Status.PASS else str(status)))


def _checks(report: ReportShape) -> list[Sample]:
    worst: dict[tuple[str, str], tuple[str, str, Status]] = {}
    for result in report.results:
        key = (result.site, result.id)
        if key not in worst or result.status.urgency < worst[key][2].urgency:
            worst[key] = (result.row, str(result.severity), result.status)
    return [
        ({"site": site, "row": row, "check": check, "severity": severity, "status": str(status)}, 1.0)
        for (site, check), (row, severity, status) in worst.items()
    ]


def _calendar(report: ReportShape) -> list[Sample]:
    """One series a dated thing; the first lines of the calendar, which are the nearest dates."""
    found: dict[tuple[str, str, str, str], float] = {}
    for line in (report.tables.calendar or [])[:DATES]:
        found.setdefault((line.site, str(line.kind), line.what, line.subject or ""), float(line.days_left))
    return [({"site": site, "kind": kind, "what": what, "subject": subject}, days) for (site, kind, what, subject), days in found.items()]
