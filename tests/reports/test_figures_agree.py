"""Terminal, short form and JSON print the same figures, and they add up."""

from __future__ import annotations

import json
import re
from fractions import Fraction

import pytest

from exivity_audit.reports import figures
from exivity_audit.reports.json_report import json_report
from exivity_audit.reports.short import render_short
from exivity_audit.verdict import Status
from tests.reports import sample_scorecard as sample
from tests.reports.test_terminal import CARDS, render

RESULT = re.compile(
    r"^  (NOT READY|READY|UNVERIFIED|EVALUATION)   (?:grade ([A-F])|not graded)   (?:(\d+) / 100|no score)   (\d+) of (\d+) checks decided$", re.M
)
SHORT = re.compile(
    r"^(NOT READY|READY|UNVERIFIED|EVALUATION)[^·]* · (?:grade ([A-F])|not graded) · (?:(\d+)/100|no score) · (\d+) of (\d+) decided$", re.M
)
DECIDED = ("fail", "warn", "pass")
OPEN = ("unknown", "manual", "error")


@pytest.mark.parametrize("card", CARDS)
def test_the_summary_agrees(card: str) -> None:
    scorecard = CARDS[card]()
    lines = RESULT.findall(render(scorecard))
    short = SHORT.findall(render_short(scorecard, sample.run_info()))
    summary = json.loads(json_report(scorecard, sample.run_info()))["summary"]
    counts = summary["counts"]
    decided = sum(counts[status] for status in DECIDED)
    assert len(lines) == 2
    assert set(lines) == set(short)
    gate, grade, score, told, of = lines[0]
    assert gate == (summary["gate"] or "EVALUATION")
    assert (grade or None) == summary["grade"]
    assert (int(told), int(of)) == (decided, decided + sum(counts[status] for status in OPEN))
    assert score == "" if summary["score"] is None else abs(int(score) - summary["score"]) <= 0.55


@pytest.mark.parametrize("card", CARDS)
def test_the_tally_adds_up(card: str) -> None:
    scorecard = CARDS[card]()
    text = render(scorecard)
    tally = text[text.rindex("\nRESULT") : text.rindex("\n  read  ")]
    numbers = {word: int(number) for number, word in re.findall(r"(\d+) (fail|warn|pass|unknown|manual|error|waived|skip)\b", tally)}
    assert numbers == {str(status): number for status, number in scorecard.counts.items() if number}
    assert sum(numbers.values()) == len(scorecard.judgement.outcomes)
    by_group = [sum(scorecard.counts[status] for status in statuses) for statuses in figures.TALLY.values()]
    assert by_group[0] == scorecard.coverage.decided_checks
    assert by_group[0] + by_group[1] == scorecard.coverage.applicable_checks
    assert sorted(status for statuses in figures.TALLY.values() for status in statuses) == sorted(Status)


@pytest.mark.parametrize("card", CARDS)
def test_the_rows_agree(card: str) -> None:
    scorecard = CARDS[card]()
    rows = json.loads(json_report(scorecard, sample.run_info()))["rows"]
    text = render(scorecard, width=80)
    table = text[text.index("CHECKLIST") :]
    for row in rows:
        line = next(line for line in table.splitlines() if re.match(rf"  \S  {re.escape(row['title'])} ", line))
        found = re.match(r"  \S  .+?  +(NOT MET|NOT APPLICABLE|UNVERIFIED|PARTLY|MET) +(\d+|–) +(\d+/\d+|–)", line)
        assert found is not None
        decided = sum(row["counts"][status] for status in DECIDED)
        applicable = decided + sum(row["counts"][status] for status in OPEN)
        assert found[1] == row["verdict"]
        assert found[2] == "–" if row["score"] is None else abs(int(found[2]) - row["score"]) <= 0.95
        assert found[3] == (f"{decided}/{applicable}" if applicable else "–")


@pytest.mark.parametrize("card", CARDS)
def test_a_bars_parts_are_the_rows_weight(card: str) -> None:
    for row in CARDS[card]().rows:
        parts = figures.bar(row)
        decided = parts.earned + parts.warned + parts.failed
        assert parts.total == row.coverage.applicable
        assert decided == row.coverage.decided
        assert row.score == (parts.earned / decided if decided else None)


def test_the_gains_are_those_of_the_json() -> None:
    card = sample.not_ready()
    text = render(card)
    gains = re.findall(r"^  \+(\d+\.\d)  ", text[text.index("FIX THESE FIRST") :], re.M)
    assert [float(gain) for gain in gains] == [fix["gain"] for fix in json.loads(json_report(card, sample.run_info()))["fixes"][:5]]


@pytest.mark.parametrize(
    ("score", "whole", "tenths"),
    [
        (Fraction(0), 0, 0.0), (Fraction(1), 100, 100.0), (Fraction(896, 1000), 89, 89.6), (Fraction(895, 1000), 89, 89.5), (Fraction(786, 1000), 79, 78.6),
        (Fraction(8996, 10000), 89, 89.9), (Fraction(9999, 10000), 99, 99.9), (Fraction(9, 10), 90, 90.0), (Fraction(785, 1000), 79, 78.5), (Fraction(1, 3), 33, 33.3),
    ],
)  # fmt: skip
def test_a_score_is_never_rounded_into_a_better_grade(score: Fraction, whole: int, tenths: float) -> None:
    assert figures.whole(score) == whole
    assert figures.tenths(score) == tenths
