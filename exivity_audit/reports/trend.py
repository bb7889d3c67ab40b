"""How earlier runs ended: the trend of score, coverage and gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType

from exivity_audit.reports import figures
from exivity_audit.reports.dates import print_day
from exivity_audit.reports.pen import Pen
from exivity_audit.score import Scorecard

LINES = 8


def trend_rows(tables: Mapping[str, Mapping[str, Any]]) -> tuple[Any, ...] | None:
    """The past runs by the first site that tells them; None where no run was given a history."""
    found = (rows for one in tables.values() if isinstance(rows := one.get("trend"), tuple))
    return next(found, None)


def points(card: Scorecard) -> tuple[tuple[str, float | None], ...]:
    """Day and score of the past runs and of this one, for a chart; empty where no run was given a history."""
    rows = trend_rows(card.judgement.tables)
    return (*((row.date, row.score) for row in rows), (card.judgement.now.isoformat(), figures.tenths(card.score))) if rows else ()


def trend(card: Scorecard, pen: Pen) -> RenderableType:
    """The last runs and this one below each other."""
    rows = trend_rows(card.judgement.tables)
    if not rows:
        return Group()
    table = pen.columns("run", "score", "grade", "decided", "gate", numbers=frozenset({"score", "decided"}))
    shown = rows if pen.verbose else rows[-LINES:]
    for row in shown:
        table.add_row(*(pen.say(text) for text in _texts(row.date, row.score, row.grade, row.coverage, row.gate)))
    ratio = card.coverage.ratio
    now = card.judgement.now.isoformat()
    last = _texts(now, figures.tenths(card.score), card.grade, None if ratio is None else float(ratio), card.gate)
    table.add_row(*(pen.say(text, "bold") for text in last))
    left = len(rows) - len(shown)
    older = f"{left} older ones: `--verbose` prints them" if left else ""
    return Group(pen.heading("Trend", pen.say(older, "dim")), pen.indented(table))


def _texts(date: str, score: float | None, grade: str | None, coverage: float | None, gate: object) -> tuple[str, ...]:
    points = "none" if score is None else f"{score:g}"
    return f"{print_day(date)} {date[11:16]}", points, grade or "none", "–" if coverage is None else f"{int(coverage * 100)} %", str(gate or "none")
