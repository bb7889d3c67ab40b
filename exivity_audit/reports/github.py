"""GitHub Actions annotations: workflow commands on standard output, one line a finding."""

from __future__ import annotations

from exivity_audit.reports.json_shape import ReportShape, ResultShape
from exivity_audit.reports.text import clean
from exivity_audit.reports.words import headline, several, site_text
from exivity_audit.verdict import Severity, Status

MOST = 50
COMMANDS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "notice"}


def data(text: object) -> str:
    """A command's message: one line, nothing in it ends the command or starts another."""
    return clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def property_value(text: object) -> str:
    """A command's property: the same, and without what separates properties."""
    return data(text).replace(":", "%3A").replace(",", "%2C")


def render_github(report: ReportShape) -> bytes:
    """Annotations of the gravest findings, then a notice with the result."""
    findings = sorted(
        (result for result in report.results if result.status in (Status.FAIL, Status.WARN, Status.ERROR)),
        key=lambda result: (result.status.urgency, -result.severity.weight),
    )
    lines = [_line(result, report) for result in findings[:MOST]]
    if len(findings) > MOST:
        lines.append(f"::notice title=exivity-audit::{data(f'{len(findings) - MOST} more findings: see the report')}")
    gate = "notice" if report.run.exit_code == 0 else "error"
    lines.append(f"::{gate} title=exivity-audit::{data(headline(report))}")
    return ("\n".join(lines) + "\n").encode()


def _line(result: ResultShape, report: ReportShape) -> str:
    command = COMMANDS[result.severity] if result.status is Status.FAIL else "error" if result.status is Status.ERROR else "warning"
    place = f" at {site_text(result)}" if several(report) else ""
    fix = f" Fix: {result.fix.text}" if result.fix else ""
    return f"::{command} title={property_value(f'{result.title}{place} ({result.id})')}::{data(result.message + fix)}"
