"""JUnit XML: a suite a row, a case a verdict; what could not be decided is skipped with its reason, never passed in silence."""

from __future__ import annotations

from xml.etree import ElementTree

from exivity_audit.reports.json_shape import ReportShape, ResultShape, RowShape
from exivity_audit.reports.text import clean
from exivity_audit.reports.words import details, headline, several, subject_text
from exivity_audit.verdict import Status

LEFT_OUT = (Status.UNKNOWN, Status.MANUAL, Status.WAIVED, Status.SKIP)


def render_junit(report: ReportShape) -> bytes:
    """The report as XML that the xUnit plug-ins take; a fail is a failure, a check that broke an error, a warn passes with output."""
    root = ElementTree.Element("testsuites", name=clean(headline(report)))
    for row in report.rows:
        found = [result for result in report.results if result.row == row.id]
        if found:
            root.append(_suite(row, found, report))
    ElementTree.indent(root, " ")
    body: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _suite(row: RowShape, results: list[ResultShape], report: ReportShape) -> ElementTree.Element:
    def count(*statuses: Status) -> str:
        return str(sum(1 for result in results if result.status in statuses))

    suite = ElementTree.Element(
        "testsuite", name=clean(row.id), tests=str(len(results)), failures=count(Status.FAIL), errors=count(Status.ERROR), skipped=count(*LEFT_OUT),
        timestamp=report.run.now.removesuffix("Z"), hostname=clean(report.cluster.name),
    )  # fmt: skip
    suite.extend(_case(result, report) for result in results)
    return suite


def _case(result: ResultShape, report: ReportShape) -> ElementTree.Element:
    slug = result.id.partition("/")[2]
    site = f"{result.site}." if several(report) else ""
    name = f"{result.title} - {subject_text(result)}" if result.subject else result.title
    case = ElementTree.Element("testcase", classname=clean(f"{site}{result.row}.{slug}"), name=clean(name))
    message, text = clean(result.message), "\n".join(clean(line) for line in details(result, report))
    if result.status is Status.FAIL:
        ElementTree.SubElement(case, "failure", message=message, type=str(result.severity)).text = text
    elif result.status is Status.ERROR:
        ElementTree.SubElement(case, "error", message=message, type="error").text = text
    elif result.status in LEFT_OUT:
        ElementTree.SubElement(case, "skipped", message=f"{result.status}: {message}")
    elif result.status is Status.WARN:
        ElementTree.SubElement(case, "system-out").text = f"warn: {message}\n{text}"
    return case
