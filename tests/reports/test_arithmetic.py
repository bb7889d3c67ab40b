"""``--explain-score``: its numbers are the score's, with waivers, with rows without a score, and with nothing decided."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from msgspec.structs import replace
from rich.console import Console

from exivity_audit.config import Waiver
from exivity_audit.reports import figures
from exivity_audit.reports.arithmetic import arithmetic
from exivity_audit.reports.pen import Pen
from exivity_audit.score import EARNED, Scorecard, overall, scorecard
from exivity_audit.verdict import Status
from tests.reports.test_terminal import CARDS

WAIVER = Waiver("x/y", None, None, "r", "o", "2027-01-31", ticket=None, accepts=None)


def explained(card: Scorecard) -> str:
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(arithmetic(card, Pen(160, ascii=False, verbose=False, badges=False)))
    return console.export_text()


def waived(card: Scorecard, *checks: str) -> Scorecard:
    """The same run with every finding of some checks waived."""
    outcomes = tuple(
        replace(
            outcome,
            verdicts=tuple(
                replace(verdict, status=Status.WAIVED, underlying=verdict.status, waiver=WAIVER)
                if verdict.status in (Status.FAIL, Status.WARN)
                else verdict
                for verdict in outcome.verdicts
            ),
        )
        if outcome.check.id in checks
        else outcome
        for outcome in card.judgement.outcomes
    )
    return scorecard(replace(card.judgement, outcomes=outcomes))


def sums(text: str) -> tuple[float, float]:
    """The mean from the table's own numbers, and the mean as printed."""
    cells = [re.split(r" {2,}", line.strip()) for line in text.splitlines()]
    rows = [(int(cell[1]), float(cell[3])) for cell in cells if len(cell) == 5 and re.fullmatch(r"\d+", cell[1]) and " of " in cell[2]]
    printed = re.search(r"= ([\d.]+), printed as", text)
    assert printed is not None
    return sum(weight * score for weight, score in rows) / sum(weight for weight, _ in rows), float(printed[1])


@pytest.mark.parametrize("name", [name for name in CARDS if CARDS[name]().score is not None])
def test_the_table_gives_the_score(name: str) -> None:
    card = CARDS[name]()
    computed, printed = sums(explained(card))
    assert card.score is not None
    assert computed == pytest.approx(float(card.score * 100), abs=0.06)
    assert printed == pytest.approx(float(card.score * 100), abs=0.006)
    assert f"printed as {figures.whole(card.score)}" in explained(card)


@pytest.mark.parametrize("name", list(CARDS))
def test_each_row_earns_what_its_checks_earn_and_every_loss_is_listed(name: str) -> None:
    card = CARDS[name]()
    text = explained(card)
    for row in card.rows:
        decided = [outcome for outcome in row.outcomes if outcome.decided]
        if not decided:
            assert re.search(rf"{re.escape(row.row.title)} +\d+ +– +no score +left out", text)
            continue
        earned = sum((EARNED[outcome.status] * outcome.severity.weight for outcome in decided), Fraction(0))
        weight = sum(outcome.severity.weight for outcome in decided)
        shown = f"{float(earned):.1f}".removesuffix(".0")
        assert re.search(rf"{re.escape(row.row.title)} +\d+ +{re.escape(shown)} of {weight} ", text), row.row.title
    lost = [outcome for outcome in card.judgement.outcomes if outcome.decided and outcome.status is not Status.PASS]
    assert len(re.findall(r"^ *lost ", text, re.MULTILINE)) == len(lost)


def test_a_waived_check_is_in_neither_number_and_named() -> None:
    card = waived(CARDS["not_ready"](), "application/singletons", "postgresql/backups")
    text = explained(card)
    computed, _ = sums(text)
    assert card.score is not None
    assert card.score_without_waivers is not None
    assert computed == pytest.approx(float(card.score * 100), abs=0.06)
    assert not re.search(r"lost .*application/singletons", text)
    assert re.search(r"waived +8 left out +application/singletons", text)
    assert f"their findings counted: {float(card.score_without_waivers * 100):.2f}" in text
    assert card.score_without_waivers < card.score


def test_a_row_that_has_only_waived_checks_has_no_score() -> None:
    card = CARDS["not_ready"]()
    logs = next(row for row in card.rows if row.row.id == "logs")
    found = waived(card, *(outcome.check.id for outcome in logs.outcomes))
    assert re.search(rf"{logs.row.title} +1 +– +no score", explained(found))
    assert found.score == overall((row for row in found.rows if row.row.id != "logs"), found.judgement.scenario.used)


def test_nothing_decided_says_so() -> None:
    text = explained(CARDS["blind"]())
    assert ("No row has a score" in text) == (CARDS["blind"]().score is None)
    assert "Not graded" in text
