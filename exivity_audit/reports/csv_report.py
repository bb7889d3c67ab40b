"""CSV for a spreadsheet: one line a verdict, raw numbers with their unit, and no cell that a spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import Any

from exivity_audit.reports.json_shape import ReportShape, ResultShape
from exivity_audit.reports.text import clean
from exivity_audit.reports.words import site_text

COLUMNS = (
    "cluster", "site", "namespace", "row", "check", "title", "severity", "status", "underlying", "subject_kind", "subject_namespace", "subject_name",
    "subject_part", "measured", "unit", "wanted_operator", "wanted_value", "message", "remark", "fix", "needs", "clauses", "waived_until",
    "attested_by", "fingerprint",
)  # fmt: skip
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def cell(value: Any) -> Any:
    """A number as it is; a text that no spreadsheet evaluates: one that starts like a formula gets a leading apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    shown = clean(value)
    start = unicodedata.normalize("NFKC", shown.lstrip(" '\"\u3000\u00a0"))[:1]
    return f"'{shown}" if start in FORMULA_STARTS and start else shown


def render_csv(report: ReportShape) -> bytes:
    """Every verdict as one line, the columns of ``COLUMNS`` in the first; UTF-8 with a mark that spreadsheets look for."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    places = {site.name: (site.cluster.name, site.name, site.namespace) for site in report.sites}
    for result in report.results:
        every = (report.cluster.name, site_text(result), report.run.namespace)  # of a check that compares sites
        writer.writerow([cell(value) for value in _values(result, places.get(result.site, every))])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _values(result: ResultShape, place: tuple[str, ...]) -> list[Any]:
    one, want = result.subject, result.wanted
    value = want.value if want else None
    subject = (one.kind, one.namespace, one.name, one.part) if one else (None,) * 4
    return [
        *place, result.row, result.id, result.title, str(result.severity), str(result.status),
        str(result.underlying) if result.underlying else None, *subject, result.measured, str(result.unit), want.operator if want else None,
        "; ".join(str(item) for item in value) if isinstance(value, list) else value, result.message, result.remark,
        result.fix.text if result.fix else None, "; ".join(result.needs), " ".join(result.clauses),
        result.waiver.expires if result.waiver else None, result.attestation.by if result.attestation else None, result.fingerprint,
    ]  # fmt: skip
