"""How the score is made: every row's weight, what each open check costs, and the mean of the rows."""

from __future__ import annotations

from fractions import Fraction

from rich.console import Group, RenderableType
from rich.text import Text

from exivity_audit.evaluate import Outcome
from exivity_audit.reports import figures
from exivity_audit.reports.pen import Pen
from exivity_audit.score import EARNED, RowScore, Scorecard
from exivity_audit.verdict import Status


def _number(value: Fraction | int) -> str:
    return f"{float(value):.1f}".removesuffix(".0")


def arithmetic(card: Scorecard, pen: Pen) -> RenderableType:
    """The section that ``--explain-score`` adds."""
    scenario = card.judgement.scenario.used
    names = ("weight", "earned of decided", "score", "weight " + pen.say("×").plain + " score")
    table = pen.columns("row", *names, numbers=frozenset(names))
    total, weights = Fraction(0), 0
    lost: list[tuple[str, Text]] = []
    for row in card.rows:
        share, parts = row.row.weight_in(scenario), figures.bar(row)
        decided = parts.earned + parts.warned + parts.failed
        if row.score is None:
            table.add_row(pen.say(row.row.title), str(share), pen.say("–"), pen.say("no score"), pen.say("left out"))
            continue
        weights, total = weights + share, total + share * row.score * 100
        earned = f"{_number(parts.earned)} of {_number(decided)}"
        table.add_row(pen.say(row.row.title), str(share), earned, _number(row.score * 100), _number(share * row.score * 100))
        lost += _losses(row, card, pen)
    lines: list[RenderableType] = [table, Text()]
    if weights:
        lines.append(pen.say(f"{_number(total)} / {weights} = {float(total / weights):.2f}, printed as {figures.whole(card.score)}"))
    lines += [
        pen.say("A check weighs critical 8, high 5, medium 3, low 1; pass earns all of it, warn half, fail nothing.", "dim"),
        pen.say("Undecided, skipped and waived checks are in neither number.", "dim"),
    ]
    heading = pen.heading("How the score is made", pen.say("the mean of the rows by weight", "dim"))
    return Group(heading, pen.indented(*lines, *([Text(), pen.labelled(lost)] if lost else [])))


def _losses(row: RowScore, card: Scorecard, pen: Pen) -> list[tuple[str, Text]]:
    several = figures.several_sites(card)

    def line(outcome: Outcome) -> tuple[str, Text]:
        weight = outcome.severity.weight
        place = f" at {figures.site_words(outcome)}" if several else ""
        cost = f"{_number((1 - EARNED[outcome.status]) * weight)} of {weight}"
        return "lost", pen.say(f"{cost}  {outcome.check.id}{place} · {outcome.status} · {outcome.severity}")

    return [line(outcome) for outcome in row.outcomes if outcome.decided and outcome.status is not Status.PASS]
