"""Figures that several renderers print and the Scorecard does not hold, each computed in one place."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.acceptance import ALL_SITES
from exivity_audit.evaluate import Outcome
from exivity_audit.score import (
    EARNED,
    GRADES,
    Coverage,
    Gate,
    Remedy,
    RowScore,
    RowVerdict,
    Scorecard,
    coverage,
    fixed,
    gate,
    grade,
    is_gate_row,
    overall,
)
from exivity_audit.snapshot import Outcome as ReadOutcome
from exivity_audit.snapshot import SiteSnapshot
from exivity_audit.verdict import UNDECIDED, Status, Verdict

BORDERS = (100, *(least for least, _ in GRADES))  # a printed score is never rounded up over one of these
TALLY = {
    "decided": (Status.FAIL, Status.WARN, Status.PASS),
    "not decided": (Status.UNKNOWN, Status.MANUAL, Status.ERROR),
    "left out": (Status.WAIVED, Status.SKIP),
}


def _rounded(value: Fraction, steps: int) -> Fraction:
    exact = value * 100
    near = Fraction(math.floor(exact * steps + Fraction(1, 2)), steps)
    crossed = any(exact < border <= near for border in BORDERS)
    return Fraction(math.floor(exact * steps), steps) if crossed else near


def whole(score: Fraction | None) -> int | None:
    """A score as a whole number of 100; 89.6 is 89, since its grade is B and not A."""
    return None if score is None else int(_rounded(score, 1))


def tenths(score: Fraction | None) -> float | None:
    """A score of 100 with one decimal, rounded by the same rule."""
    return None if score is None else float(_rounded(score, 10))


def gain(remedy: Remedy) -> float:
    """Points a remedy brings, with one decimal."""
    return points(remedy.gain)


def points(gained: Fraction) -> float:
    """Points of 100 with one decimal."""
    return float(Fraction(math.floor(gained * 10 + Fraction(1, 2)), 10))


class Bar(Struct, frozen=True):
    """Weight of a row: earned, lost to warnings, lost to failures, undecided."""

    earned: Fraction
    warned: Fraction
    failed: Fraction
    undecided: Fraction

    @property
    def total(self) -> Fraction:
        """The applicable weight."""
        return self.earned + self.warned + self.failed + self.undecided


def bar(row: RowScore) -> Bar:
    """The four parts of a row's applicable weight."""
    parts = {"earned": Fraction(0), Status.WARN: Fraction(0), Status.FAIL: Fraction(0), "undecided": Fraction(0)}
    for outcome in row.outcomes:
        weight = outcome.severity.weight
        if outcome.decided:
            parts["earned"] += EARNED[outcome.status] * weight
            if outcome.status is not Status.PASS:
                parts[outcome.status] += (1 - EARNED[outcome.status]) * weight
        elif outcome.applicable:
            parts["undecided"] += weight
    return Bar(parts["earned"], parts[Status.WARN], parts[Status.FAIL], parts["undecided"])


def gate_rows(card: Scorecard, rows: Iterable[RowScore] | None = None) -> tuple[RowScore, ...]:
    """The rows that decide readiness."""
    return tuple(row for row in (card.rows if rows is None else rows) if is_gate_row(row.row, card.judgement.scenario.used))


def gate_coverage(card: Scorecard) -> Coverage:
    """Coverage of the rows that decide readiness."""
    return coverage(outcome for row in gate_rows(card) for outcome in row.outcomes)


def standing(card: Scorecard) -> dict[RowVerdict, int]:
    """Rows that decide readiness, by verdict."""
    verdicts = [row.verdict for row in gate_rows(card)]
    return {verdict: verdicts.count(verdict) for verdict in RowVerdict if verdict in verdicts}


def shown_status(outcome: Outcome) -> Status:
    """The status an outcome is counted under."""
    return Status.WAIVED if outcome.waived else outcome.status


def failures(card: Scorecard) -> tuple[Outcome, ...]:
    """Failed outcomes, the gravest first, else in report order."""
    failed = [outcome for outcome in card.judgement.outcomes if outcome.status is Status.FAIL]
    return tuple(sorted(failed, key=lambda outcome: -outcome.severity.weight))


class After(Struct, frozen=True):
    """Where the score stands once some remedies are applied."""

    score: Fraction | None
    grade: str | None
    gate: Gate
    not_met: tuple[str, ...]
    unverified: tuple[str, ...]


def after(card: Scorecard, remedies: Iterable[Remedy]) -> After:
    """Score, grade and gate with the findings of some remedies passed."""
    scenario = card.judgement.scenario.used
    rows = fixed(card.rows, frozenset(remedy.text for remedy in remedies))
    points = overall(rows, scenario)
    titles = {verdict: tuple(row.row.title for row in gate_rows(card, rows) if row.verdict is verdict) for verdict in RowVerdict}
    return After(points, grade(points, rows, scenario), gate(rows, scenario), titles[RowVerdict.NOT_MET], titles[RowVerdict.UNVERIFIED])


def several_sites(card: Scorecard) -> bool:
    """Whether findings must name their site."""
    return len(card.judgement.snapshot.sites) > 1


def site_coverage(card: Scorecard, site: str) -> Coverage:
    """Coverage of the checks of one site, without those that compare sites."""
    return coverage(outcome for row in card.rows for outcome in row.outcomes if outcome.site == site)


def site_words(outcome: Outcome) -> str:
    """The site of an outcome as a report names it."""
    return "all sites" if outcome.site == ALL_SITES else outcome.site


def nodes(site: SiteSnapshot) -> tuple[int, int] | None:
    """Nodes, and those that could carry workloads; None where they could not be listed."""
    for record in site.reads:
        if record.resource == "nodes" and record.place.name is None and record.outcome is ReadOutcome.FOUND:
            return len(record.objects), sum(1 for node in record.objects if not _reserved(node))
    return None


def _reserved(node: Any) -> bool:
    taints = _at(node, "spec", "taints")
    found = [taint for taint in taints if isinstance(taint, dict)] if isinstance(taints, list | tuple) else []
    return any(taint.get("effect") in ("NoSchedule", "NoExecute") and not str(taint.get("key")).startswith("node.kubernetes.io/") for taint in found)


def chart_version(site: SiteSnapshot) -> str | None:
    """Version of the release's chart, by its label on the release's Deployments; None where none or several show it."""
    found = set()
    for record in site.reads:
        if record.name == "deployments":
            for item in record.objects:
                labels = _at(item, "metadata", "labels")
                if (
                    isinstance(labels, dict)
                    and labels.get(chart.APP_LABEL) == chart.APP
                    and labels.get(chart.NAME_LABEL) in (site.fullname, site.release)
                ):
                    found.add(str(labels.get(chart.VERSION_LABEL) or "")[:32])
    return found.pop() or None if len(found) == 1 else None


def _at(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def to_come(card: Scorecard) -> dict[str, tuple[str, ...]]:
    """Checks without code that apply here: slugs by the title of their row."""
    found = {row.row.title: tuple(dict.fromkeys(outcome.check.slug for outcome in row.outcomes if is_to_come(outcome))) for row in card.rows}
    return {title: slugs for title, slugs in found.items() if slugs}


def is_to_come(outcome: Outcome) -> bool:
    """Whether an outcome is open only because no code judges its check yet."""
    return not outcome.check.built and outcome.status in UNDECIDED


def undecided_verdicts(outcome: Outcome) -> tuple[Verdict, ...]:
    """The verdicts of an outcome that this run could not decide."""
    return tuple(verdict for verdict in outcome.verdicts if verdict.status in UNDECIDED)
