"""How the score is made: every row's weight, what each open check costs, and the mean of the rows."""

from __future__ import annotations

from fractions import Fraction

from rich.console import Group, RenderableType
from rich.text import Text

from exivity_audit.evaluate import Outcome
from exivity_audit.reports import figures
from exivity_audit.reports.pen import Pen
from exivity_audit.score import EARNED, LEAST_COVERAGE, Coverage, RowScore, Scorecard
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
            table.add_row(*map(pen.say, (row.row.title, share, "–", "no score", "left out")))
            continue
        weights, total = weights + share, total + share * row.score * 100
        earned = f"{_number(parts.earned)} of {_number(decided)}"
        table.add_row(*map(pen.say, (row.row.title, share, earned, _number(row.score * 100), _number(share * row.score * 100))))
        lost += _losses(row, card, pen)
    lines: list[RenderableType] = [table, Text()]
    if weights:
        lines.append(pen.say(f"{_number(total)} / {weights} = {float(total / weights):.2f}, printed as {figures.whole(card.score)}"))
    else:
        lines.append(pen.say("No row has a score: nothing was decided."))
    lines += [pen.say(text) for text in (*_without_waivers(card), _covered(card), _graded(card))]
    lines += [
        pen.say("A check weighs critical 8, high 5, medium 3, low 1; pass earns all of it, warn half, fail nothing.", "dim"),
        pen.say("Undecided, skipped and waived checks are in neither number.", "dim"),
    ]
    lost += [("waived", pen.say(f"{outcome.severity.weight} left out  {outcome.check.id}")) for outcome in card.judgement.outcomes if outcome.waived]
    heading = pen.heading("How the score is made", pen.say("the mean of the rows by weight", "dim"))
    return Group(heading, pen.indented(*lines, *([Text(), pen.labelled(lost)] if lost else [])))


def _without_waivers(card: Scorecard) -> list[str]:
    """The score with every waived finding as what it is, where a waiver covers something."""
    if not any(verdict.status is Status.WAIVED for outcome in card.judgement.outcomes for verdict in outcome.verdicts):
        return []
    score = card.score_without_waivers
    return ["Without the waivers: no score" if score is None else f"Without the waivers, their findings counted: {float(score * 100):.2f}"]


def _covered(card: Scorecard) -> str:
    """What was decided, of all checks and of those that decide readiness."""
    every, gate = card.coverage, figures.gate_coverage(card)
    ready = f"of the rows that decide readiness {gate.decided} of {gate.applicable}{_share(gate)}"
    return f"Decided: weight {every.decided} of {every.applicable}; {ready}"


def _share(cover: Coverage) -> str:
    return "" if cover.ratio is None else f", {float(cover.ratio):.1%}"


def _graded(card: Scorecard) -> str:
    """Why the grade is what it is."""
    if card.grade is None:
        whole = (
            "a part of the checklist was left out"
            if card.judgement.partial
            else f"less than {float(LEAST_COVERAGE):.0%} of the rows that decide readiness is decided"
        )
        return f"Not graded: {whole}" if card.score is not None else "Not graded: there is no score"
    capped = f"; no better than D: {', '.join(card.cap)}" if card.cap else ""
    return f"Grade {card.grade}: A from 90, B from 80, C from 70, D from 60{capped}"


def _losses(row: RowScore, card: Scorecard, pen: Pen) -> list[tuple[str, Text]]:
    several = figures.several_sites(card)

    def line(outcome: Outcome) -> tuple[str, Text]:
        weight = outcome.severity.weight
        place = f" at {figures.site_words(outcome)}" if several else ""
        cost = f"{_number((1 - EARNED[outcome.status]) * weight)} of {weight}"
        return "lost", pen.say(f"{cost}  {outcome.check.id}{place} · {outcome.status} · {outcome.severity}")

    return [line(outcome) for outcome in row.outcomes if outcome.decided and outcome.status is not Status.PASS]
