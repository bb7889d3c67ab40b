"""Score, coverage, row verdicts, grade and gate, against tables worked out by hand from checks.md section 1."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from exivity_audit.check import AS_IS, Check
from exivity_audit.evaluate import Outcome
from exivity_audit.pack import Row
from exivity_audit.scenario import EVERYWHERE, Scenario
from exivity_audit.score import Gate, RowScore, RowVerdict, coverage, gate, grade, overall, row_verdict, score
from exivity_audit.subject import Subject
from exivity_audit.verdict import Severity, Status, Verdict

CRITICAL, HIGH, MEDIUM, LOW = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW
PASS, WARN, FAIL, SKIP = Status.PASS, Status.WARN, Status.FAIL, Status.SKIP
UNKNOWN, MANUAL, ERROR, WAIVED = Status.UNKNOWN, Status.MANUAL, Status.ERROR, Status.WAIVED


def outcome(severity: Severity, *statuses: Status, clauses: tuple[str, ...] = ("F1",), row: str = "row") -> Outcome:
    check = Check("slug", row, "T", "w", "f", severity, clauses, EVERYWHERE, AS_IS, None, (), (), "here")
    return Outcome(check, "default", severity, tuple(Verdict(status, Subject("Thing", str(number))) for number, status in enumerate(statuses)))


@pytest.mark.parametrize(
    ("statuses", "applicable", "decided", "status"),
    [
        ((PASS,), True, True, PASS),
        ((PASS, PASS, WARN), True, True, WARN),
        ((PASS, FAIL), True, True, FAIL),
        ((FAIL, UNKNOWN), True, True, FAIL),
        ((FAIL, ERROR, MANUAL), True, True, FAIL),
        ((PASS, UNKNOWN), True, False, UNKNOWN),
        ((WARN, MANUAL), True, False, MANUAL),
        ((PASS, ERROR), True, False, ERROR),
        ((SKIP,), False, False, SKIP),
        ((), False, False, SKIP),
        ((SKIP, PASS), True, True, PASS),
        ((WAIVED,), False, False, WAIVED),
        ((WAIVED, PASS), False, False, WAIVED),
        ((WAIVED, WARN), True, True, WARN),
        ((WAIVED, FAIL), True, True, FAIL),
        ((WAIVED, UNKNOWN), True, False, UNKNOWN),
    ],
)
def test_decided(statuses: tuple[Status, ...], applicable: bool, decided: bool, status: Status) -> None:
    found = outcome(HIGH, *statuses)
    assert (found.applicable, found.decided, found.status) == (applicable, decided, status)


def test_a_check_counts_once_with_its_worst_verdict_by_weight() -> None:
    outcomes = [outcome(CRITICAL, PASS), outcome(HIGH, WARN, PASS), outcome(MEDIUM, FAIL, PASS, PASS), outcome(LOW, UNKNOWN), outcome(CRITICAL, SKIP)]
    assert score(outcomes) == Fraction(8 * 2 + 5, 2 * (8 + 5 + 3))
    found = coverage(outcomes)
    assert (found.decided, found.applicable, found.decided_checks, found.applicable_checks) == (16, 17, 3, 4)
    assert found.ratio == Fraction(16, 17)


def test_nothing_decided_has_no_score() -> None:
    assert score([outcome(HIGH, UNKNOWN), outcome(HIGH, MANUAL), outcome(LOW, SKIP)]) is None
    assert score([]) is None
    assert coverage([outcome(LOW, SKIP)]).ratio is None


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([outcome(HIGH, FAIL), outcome(HIGH, UNKNOWN)], RowVerdict.NOT_MET),
        ([outcome(CRITICAL, FAIL)], RowVerdict.NOT_MET),
        ([outcome(MEDIUM, FAIL), outcome(HIGH, UNKNOWN)], RowVerdict.UNVERIFIED),
        ([outcome(HIGH, PASS), outcome(LOW, MANUAL)], RowVerdict.UNVERIFIED),
        ([outcome(HIGH, PASS), outcome(LOW, ERROR)], RowVerdict.UNVERIFIED),
        ([outcome(MEDIUM, FAIL), outcome(HIGH, PASS)], RowVerdict.PARTLY),
        ([outcome(CRITICAL, WARN), outcome(HIGH, PASS)], RowVerdict.PARTLY),
        ([outcome(CRITICAL, PASS), outcome(HIGH, SKIP)], RowVerdict.MET),
        ([outcome(CRITICAL, WAIVED), outcome(HIGH, PASS)], RowVerdict.MET),
        ([outcome(CRITICAL, WAIVED)], RowVerdict.PARTLY),
        ([outcome(CRITICAL, WAIVED), outcome(CRITICAL, SKIP)], RowVerdict.PARTLY),
        ([outcome(CRITICAL, SKIP)], RowVerdict.NOT_APPLICABLE),
        ([], RowVerdict.NOT_APPLICABLE),
        ([outcome(HIGH, PASS), outcome(MEDIUM, FAIL, clauses=("X2",))], RowVerdict.MET),
        ([outcome(HIGH, PASS), outcome(MEDIUM, UNKNOWN, clauses=("X2", "X4"))], RowVerdict.MET),
        ([outcome(HIGH, PASS), outcome(MEDIUM, FAIL, clauses=("X2", "R5"))], RowVerdict.PARTLY),
    ],
)
def test_row_verdicts(outcomes: list[Outcome], verdict: RowVerdict) -> None:
    assert row_verdict(outcomes) is verdict


def row(name: str, *outcomes: Outcome, phase: Any = "before-production", weight: int = 3, multi: int | None = None) -> RowScore:
    return RowScore(Row(name, name, phase, weight, multi), row_verdict(outcomes), score(outcomes), coverage(outcomes), outcomes)


def test_overall_weighs_the_rows_that_have_a_score() -> None:
    rows = [
        row("a", outcome(HIGH, PASS)),
        row("b", outcome(HIGH, WARN), weight=2),
        row("c", outcome(HIGH, UNKNOWN)),
        row("d", outcome(LOW, FAIL), phase="day-2", weight=1),
    ]
    assert overall(rows, Scenario.MULTI_NODE) == Fraction(3 + 1, 6)
    assert overall([row("c", outcome(HIGH, UNKNOWN))], None) is None
    multi = [row("a", outcome(HIGH, PASS)), row("disaster_recovery", outcome(HIGH, FAIL), phase="day-2", weight=1, multi=3)]
    assert overall(multi, Scenario.MULTI_NODE) == Fraction(3, 4)
    assert overall(multi, Scenario.MULTI_SITE) == Fraction(1, 2)


@pytest.mark.parametrize(
    ("rows", "scenario", "expected"),
    [
        ([row("a", outcome(HIGH, PASS))], Scenario.MULTI_NODE, Gate.READY),
        ([row("a", outcome(HIGH, WARN))], Scenario.MULTI_NODE, Gate.READY),
        ([row("a", outcome(HIGH, FAIL))], Scenario.MULTI_NODE, Gate.NOT_READY),
        ([row("a", outcome(HIGH, UNKNOWN))], Scenario.MULTI_NODE, Gate.UNVERIFIED),
        ([row("a", outcome(HIGH, PASS)), row("b", outcome(HIGH, FAIL), phase="day-2")], Scenario.MULTI_NODE, Gate.READY),
        ([row("a", outcome(HIGH, PASS)), row("b", outcome(CRITICAL, FAIL), phase="day-2")], Scenario.MULTI_NODE, Gate.NOT_READY),
        ([row("a", outcome(HIGH, PASS)), row("b", outcome(HIGH, UNKNOWN), phase="day-2")], Scenario.MULTI_NODE, Gate.READY),
        ([row("a", outcome(HIGH, PASS)), row("disaster_recovery", outcome(HIGH, FAIL), phase="day-2")], Scenario.MULTI_NODE, Gate.READY),
        ([row("a", outcome(HIGH, PASS)), row("disaster_recovery", outcome(HIGH, FAIL), phase="day-2")], Scenario.MULTI_SITE, Gate.NOT_READY),
        ([row("a", outcome(HIGH, PASS))], None, Gate.UNVERIFIED),
        ([row("a", outcome(HIGH, UNKNOWN)), row("b", outcome(HIGH, FAIL))], None, Gate.NOT_READY),
        ([row("a", outcome(HIGH, PASS)), row("b", outcome(CRITICAL, FAIL, clauses=("X1",)))], Scenario.MULTI_NODE, Gate.NOT_READY),
    ],
)
def test_gate(rows: list[RowScore], scenario: Scenario | None, expected: Gate) -> None:
    assert gate(rows, scenario) is expected


@pytest.mark.parametrize(
    ("points", "letter"), [(100, "A"), (90, "A"), (89, "B"), (80, "B"), (79, "C"), (70, "C"), (69, "D"), (60, "D"), (59, "F"), (0, "F")]
)
def test_grade_letters(points: int, letter: str) -> None:
    assert grade(Fraction(points, 100), [row("a", outcome(HIGH, PASS))], Scenario.MULTI_NODE) == letter


def test_grade_needs_coverage_and_is_capped_by_a_critical_fail() -> None:
    rows = [row("a", *[outcome(HIGH, PASS)] * 4, outcome(HIGH, UNKNOWN))]
    assert grade(Fraction(1), rows, Scenario.MULTI_NODE) == "A"
    rows = [row("a", *[outcome(HIGH, PASS)] * 3, outcome(HIGH, UNKNOWN))]
    assert grade(Fraction(1), rows, Scenario.MULTI_NODE) is None
    rows = [row("a", outcome(HIGH, PASS)), row("b", outcome(LOW, UNKNOWN, UNKNOWN), outcome(LOW, UNKNOWN), phase="day-2")]
    assert grade(Fraction(1), rows, Scenario.MULTI_NODE) == "A", "coverage of the gate's rows alone decides"
    rows = [row("a", *[outcome(HIGH, PASS)] * 40), row("b", outcome(CRITICAL, FAIL), phase="day-2")]
    assert grade(Fraction(95, 100), rows, Scenario.MULTI_NODE) == "D"
    assert grade(Fraction(50, 100), rows, Scenario.MULTI_NODE) == "F"
    assert grade(None, [row("a", outcome(HIGH, PASS))], Scenario.MULTI_NODE) is None
