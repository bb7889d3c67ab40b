"""Sentences that several machine formats share, from the report's values alone."""

from __future__ import annotations

from collections.abc import Iterator

from exivity_audit.reports.json_shape import ReportShape, ResultShape


def headline(report: ReportShape) -> str:
    """One line: cluster, release, gate, grade, score and how much of it was decided."""
    summary, site = report.summary, report.sites[0]
    counts = summary.counts
    open_ = counts.unknown + counts.manual + counts.error
    decided = counts.fail + counts.warn + counts.pass_
    gate = summary.gate or "no gate (evaluation)"
    grade = f"grade {summary.grade}" if summary.grade else "not graded"
    score = "no score" if summary.score is None else f"{summary.score:g} of 100"
    return f"{report.cluster.name}: {site.namespace}/{site.release} is {gate}, {grade}, {score}, {decided} of {decided + open_} checks decided"


def subject_text(result: ResultShape) -> str:
    """``Kind namespace/name#part``, or an empty text."""
    one = result.subject
    if one is None:
        return ""
    path = "/".join(part for part in (one.namespace, one.name) if part)
    return f"{one.kind} {path}".strip() + (f"#{one.part}" if one.part else "")


def details(result: ResultShape) -> Iterator[str]:
    """Lines below a finding: remark, fix, what it needs, where it was seen, its clauses."""
    if result.remark:
        yield f"note: {result.remark}"
    if result.fix is not None:
        yield f"fix: {result.fix.text}"
    for need in result.needs:
        yield f"needs: {need}"
    for evidence in result.evidence:
        if evidence.kubectl:
            yield f"see: {evidence.kubectl}"
    yield f"clauses: {', '.join(result.clauses)}; id: {result.id}; fingerprint: {result.fingerprint}"
