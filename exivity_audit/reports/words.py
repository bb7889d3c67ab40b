"""Sentences that several machine formats share, from the report's values alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from exivity_audit.acceptance import ALL_SITES
from exivity_audit.reports.dates import print_day
from exivity_audit.reports.json_shape import BaselineShape, ReportShape, ResultShape


def headline(report: ReportShape) -> str:
    """One line: cluster, release, gate, grade, score and how much of it was decided."""
    summary, site = report.summary, report.sites[0]
    counts = summary.counts
    open_ = counts.unknown + counts.manual + counts.error
    decided = counts.fail + counts.warn + counts.pass_
    gate = summary.gate or "no gate (evaluation)"
    grade = f"grade {summary.grade}" if summary.grade else "not graded"
    score = "no score" if summary.score is None else f"{summary.score:g} of 100"
    what = f"{report.cluster.name}: {site.namespace}/{site.release} is"
    if several(report):
        what = f"{', '.join(f'{one.name} ({one.role})' if one.role else one.name for one in report.sites)} are"
    return f"{what} {gate}, {grade}, {score}, {decided} of {decided + open_} checks decided"


def several(report: ReportShape) -> bool:
    """Whether findings must name their site."""
    return len(report.sites) > 1


def site_text(result: ResultShape) -> str:
    """The site of a result as a report names it."""
    return "all sites" if result.site == ALL_SITES else result.site


def subject_text(result: ResultShape) -> str:
    """``Kind namespace/name#part``, or an empty text."""
    one = result.subject
    if one is None:
        return ""
    path = "/".join(part for part in (one.namespace, one.name) if part)
    return f"{one.kind} {path}".strip() + (f"#{one.part}" if one.part else "")


def baseline_words(found: BaselineShape, score: float | None) -> str:
    """One line: since when, how many findings changed, and the score with what moved it."""
    counts = changes_words(msgspec.structs.asdict(found.counts))
    return f"Since {print_day(found.now)} ({found.file}): {counts}; {score_words(found.score, score, found.shares)}."


def changes_words(counts: Mapping[str, int]) -> str:
    """``2 new, 0 worse, 3 better``: what was added is always said, the rest where there is any."""
    return ", ".join(f"{count} {change}" for change, count in counts.items() if count or change in ("new", "worse"))


def score_words(before: float | None, after: float | None, shares: Mapping[str, float]) -> str:
    """``score 71.2 → 73 (+1.8: waivers -0.2, cluster +2)``."""
    text = " → ".join("none" if value is None else f"{value:g}" for value in (before, after))
    if before is None or after is None:
        return f"score {text}"
    causes = ", ".join(f"{name} {share:+g}" for name, share in shares.items() if share)
    return f"score {text} ({after - before:+.1f}{f': {causes}' if causes else ''})"


def details(result: ResultShape, report: ReportShape) -> Iterator[str]:
    """Lines below a finding: its site where there are several, remark, fix, what it needs, where it was seen, its clauses."""
    if several(report):
        yield f"site: {site_text(result)}"
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
