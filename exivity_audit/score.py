"""Score, coverage, row verdicts, grade and gate, exactly as checks.md section 1 says; pure arithmetic."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit.evaluate import Judgement, Outcome
from exivity_audit.pack import Row
from exivity_audit.scenario import Purpose, Scenario
from exivity_audit.scored import Scored
from exivity_audit.verdict import Severity, Status, Verdict

EARNED = {Status.PASS: Fraction(1), Status.WARN: Fraction(1, 2), Status.FAIL: Fraction(0)}
GRADES = ((90, "A"), (80, "B"), (70, "C"), (60, "D"))
LEAST_COVERAGE = Fraction(80, 100)


class RowVerdict(enum.StrEnum):
    """Verdict of a checklist row, the first that fits."""

    NOT_MET = "NOT MET"
    UNVERIFIED = "UNVERIFIED"
    PARTLY = "PARTLY"
    MET = "MET"
    NOT_APPLICABLE = "NOT APPLICABLE"


class Gate(enum.StrEnum):
    """Whether the cluster may be handed over."""

    READY = "READY"
    NOT_READY = "NOT READY"
    UNVERIFIED = "UNVERIFIED"


class Coverage(Struct, frozen=True):
    """Weight decided of weight applicable, and the same as counts of outcomes."""

    decided: int
    applicable: int
    decided_checks: int
    applicable_checks: int

    @property
    def ratio(self) -> Fraction | None:
        """Decided share of the weight; None where nothing applies."""
        return Fraction(self.decided, self.applicable) if self.applicable else None


class RowScore(Struct, frozen=True):
    """One row of the scorecard."""

    row: Row
    verdict: RowVerdict
    score: Fraction | None  # 0..1
    coverage: Coverage
    outcomes: tuple[Outcome, ...]

    @property
    def counts(self) -> dict[Status, int]:
        """Outcomes by status."""
        return counts(self.outcomes)


class Remedy(Struct, frozen=True):
    """One fix, the findings it answers, and the points it brings."""

    text: str
    gain: Fraction  # points of 100
    severity: Severity
    checks: tuple[str, ...]
    findings: tuple[tuple[Outcome, Verdict], ...]
    clears: tuple[str, ...]  # titles of rows that are MET or PARTLY after it


class Scorecard(Struct, frozen=True):
    """Everything a report prints; renderers count nothing themselves."""

    judgement: Judgement
    rows: tuple[RowScore, ...]
    gate: Gate | None  # None for purpose evaluation
    remarks: int  # gate rows that are PARTLY
    waivers: int  # that cover something; one with a wildcard may cover several findings
    score: Fraction | None
    score_without_waivers: Fraction | None
    grade: str | None
    cap: tuple[str, ...]  # critical failures that cap the grade
    coverage: Coverage
    counts: dict[Status, int]
    remedies: tuple[Remedy, ...]


def counts(outcomes: Iterable[Outcome]) -> dict[Status, int]:
    """Outcomes by status, every status named."""
    found = dict.fromkeys(Status, 0)
    for outcome in outcomes:
        found[Status.WAIVED if outcome.waived else outcome.status] += 1
    return found


def coverage(outcomes: Iterable[Outcome]) -> Coverage:
    """Decided and applicable, by weight and by count."""
    applicable = [outcome for outcome in outcomes if outcome.applicable]
    decided = [outcome for outcome in applicable if outcome.decided]
    return Coverage(sum(o.severity.weight for o in decided), sum(o.severity.weight for o in applicable), len(decided), len(applicable))


def score(outcomes: Iterable[Scored]) -> Fraction | None:
    """Weighted mean of the decided outcomes, 0 to 1; None where nothing is decided."""
    decided = [outcome for outcome in outcomes if outcome.decided]
    weight = sum(outcome.severity.weight for outcome in decided)
    return sum((EARNED[outcome.status] * outcome.severity.weight for outcome in decided), Fraction(0)) / weight if weight else None


def row_verdict(outcomes: Iterable[Outcome]) -> RowVerdict:
    """NOT MET, UNVERIFIED, PARTLY, MET or NOT APPLICABLE; checks whose clauses are all X do not count."""
    counted = [outcome for outcome in outcomes if not outcome.check.only_beyond]
    applicable = [outcome for outcome in counted if outcome.applicable]
    if any(outcome.status is Status.FAIL and outcome.severity in (Severity.HIGH, Severity.CRITICAL) for outcome in applicable):
        return RowVerdict.NOT_MET
    if any(not outcome.decided for outcome in applicable):
        return RowVerdict.UNVERIFIED
    if any(outcome.status in (Status.FAIL, Status.WARN) for outcome in applicable):
        return RowVerdict.PARTLY
    if applicable:
        return RowVerdict.MET
    return RowVerdict.PARTLY if any(outcome.waived for outcome in counted) else RowVerdict.NOT_APPLICABLE


def is_gate_row(row: Row, scenario: Scenario | None) -> bool:
    """Foundations and before-production rows, in C also disaster recovery."""
    return row.phase != "day-2" or (scenario is Scenario.MULTI_SITE and row.id == "disaster_recovery")


def gate(rows: Iterable[RowScore], scenario: Scenario | None, partial: bool = False) -> Gate:
    """READY only where every check of the checklist was asked, every gate row is known and met, and no critical check fails anywhere."""
    rows = list(rows)
    verdicts = [row.verdict for row in rows if is_gate_row(row.row, scenario)]
    if RowVerdict.NOT_MET in verdicts or critical_failures(rows):
        return Gate.NOT_READY
    return Gate.UNVERIFIED if RowVerdict.UNVERIFIED in verdicts or scenario is None or partial else Gate.READY


def critical_failures(rows: Iterable[RowScore]) -> tuple[str, ...]:
    """Ids of the critical checks that fail, in any row."""
    found = [o.check.id for row in rows for o in row.outcomes if o.status is Status.FAIL and o.severity is Severity.CRITICAL]
    return tuple(dict.fromkeys(found))


def overall(rows: Iterable[RowScore], scenario: Scenario | None) -> Fraction | None:
    """Mean of the rows that have a score, by row weight."""
    return mean((row.row.weight_in(scenario), row.score) for row in rows)


def mean(rows: Iterable[tuple[int, Fraction | None]]) -> Fraction | None:
    """Weighted mean of the rows that have a score, given as weight and score."""
    scored = [(share, value) for share, value in rows if value is not None]
    weight = sum(share for share, _ in scored)
    return sum((share * value for share, value in scored), Fraction(0)) / weight if weight else None


def grade(points: Fraction | None, rows: Iterable[RowScore], scenario: Scenario | None) -> str | None:
    """A to F; None under 80 % coverage of the gate's rows; a critical fail caps at D."""
    rows = list(rows)
    share = coverage(outcome for row in rows if is_gate_row(row.row, scenario) for outcome in row.outcomes).ratio
    if points is None or share is None or share < LEAST_COVERAGE:
        return None
    letter = next((letter for least, letter in GRADES if points * 100 >= least), "F")
    return max(letter, "D") if critical_failures(rows) else letter


def row_scores(judgement: Judgement, outcomes: tuple[Outcome, ...]) -> tuple[RowScore, ...]:
    """Every row of the checklist with its outcomes."""
    rows = judgement.pack.checklist.rows
    return tuple(row_score(row, tuple(outcome for outcome in outcomes if outcome.check.row == row.id)) for row in rows)


def row_score(row: Row, own: tuple[Outcome, ...]) -> RowScore:
    """One row by its own outcomes."""
    return RowScore(row, row_verdict(own), score(own), coverage(own), own)


def scorecard(judgement: Judgement) -> Scorecard:
    """Everything a report prints, counted once."""
    scenario = judgement.scenario.used
    rows = row_scores(judgement, judgement.outcomes)
    points = overall(rows, scenario)
    bare = tuple(_map(outcome, _unwaived) for outcome in judgement.outcomes)
    evaluation = judgement.purpose is Purpose.EVALUATION
    return Scorecard(
        judgement=judgement,
        rows=rows,
        gate=None if evaluation else gate(rows, scenario, judgement.partial),
        remarks=sum(1 for row in rows if is_gate_row(row.row, scenario) and row.verdict is RowVerdict.PARTLY),
        waivers=len({verdict.waiver for outcome in judgement.outcomes for verdict in outcome.verdicts if verdict.status is Status.WAIVED}),
        score=points,
        score_without_waivers=overall(row_scores(judgement, bare), scenario),
        grade=None if judgement.partial else grade(points, rows, scenario),
        cap=critical_failures(rows),
        coverage=coverage(judgement.outcomes),
        counts=counts(judgement.outcomes),
        remedies=_remedies(judgement, rows),
    )


def _map(outcome: Outcome, change: Callable[[Verdict], Verdict]) -> Outcome:
    return replace(outcome, verdicts=tuple(change(verdict) for verdict in outcome.verdicts))


def _unwaived(verdict: Verdict) -> Verdict:
    return replace(verdict, status=verdict.underlying) if verdict.status is Status.WAIVED and verdict.underlying else verdict


def fixed(rows: Iterable[RowScore], texts: frozenset[str]) -> tuple[RowScore, ...]:
    """The rows as they would be with some remedies applied: their findings pass; a row that none of them touches is itself."""

    def mended(outcome: Outcome) -> Outcome:
        def mends(verdict: Verdict) -> bool:
            return verdict.status in (Status.FAIL, Status.WARN) and remedy_text(outcome, verdict) in texts

        if outcome.statuses.isdisjoint((Status.FAIL, Status.WARN)) or not any(mends(verdict) for verdict in outcome.verdicts):
            return outcome
        return _map(outcome, lambda verdict: replace(verdict, status=Status.PASS) if mends(verdict) else verdict)

    found = []
    for row in rows:
        own = tuple(mended(outcome) for outcome in row.outcomes)
        same = all(one is other for one, other in zip(own, row.outcomes, strict=True))
        found.append(row if same else row_score(row.row, own))
    return tuple(found)


def remedy_text(outcome: Outcome, verdict: Verdict) -> str:
    """The words of a finding's remedy: its own, else the check's."""
    return verdict.fix.text if verdict.fix else outcome.check.fix


def _remedies(judgement: Judgement, rows: tuple[RowScore, ...]) -> tuple[Remedy, ...]:
    """Every remedy, those of critical failures first, then by points gained."""
    scenario = judgement.scenario.used
    before = overall(rows, scenario) or Fraction(0)
    findings: dict[str, list[tuple[Outcome, Verdict]]] = {}
    for outcome in judgement.outcomes:
        for verdict in outcome.verdicts:
            if verdict.status in (Status.FAIL, Status.WARN):
                findings.setdefault(remedy_text(outcome, verdict), []).append((outcome, verdict))
    found = []
    was = {row.row.id: row.verdict for row in rows}
    for text, group in findings.items():
        after = fixed(rows, frozenset({text}))
        gain = ((overall(after, scenario) or Fraction(0)) - before) * 100
        clears = tuple(
            r.row.title for r in after if r.verdict in (RowVerdict.MET, RowVerdict.PARTLY) and was[r.row.id] not in (r.verdict, RowVerdict.MET)
        )
        failing = [outcome.severity for outcome, verdict in group if verdict.status is Status.FAIL]
        gravest = max(failing or [outcome.severity for outcome, _ in group], key=lambda severity: severity.weight)
        checks = tuple(dict.fromkeys(outcome.check.id for outcome, _ in group))
        found.append(Remedy(text, gain, gravest if failing else min(gravest, Severity.HIGH, key=lambda s: s.weight), checks, tuple(group), clears))
    return tuple(sorted(found, key=lambda remedy: (remedy.severity is not Severity.CRITICAL, -remedy.gain, remedy.text)))
