"""The checklist: one line a row with verdict, score, bar, decided, and one number a status that stays open."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from exivity_audit.reports import figures
from exivity_audit.reports.glyphs import LOOKS, OPEN, PHASES, VERDICT_STATUS
from exivity_audit.reports.layout import Column, Columns
from exivity_audit.reports.pen import Pen
from exivity_audit.score import RowScore, RowVerdict, Scorecard
from exivity_audit.verdict import Status

CELLS = 24


def checklist(card: Scorecard, pen: Pen) -> RenderableType:
    """The table and its legend."""
    used = tuple(status for status in OPEN if card.counts[status])
    heads = [
        Column(Text(), least=1),
        Column(Text(), least=18),
        Column(Text("verdict", "dim"), least=14, folds=False),
        Column(Text("score", "dim"), right=True, folds=False),
        *([Column(Text("earned, lost, undecided", "dim"), least=CELLS, folds=False)] if pen.roomy else []),
        Column(Text("decided", "dim"), right=True, folds=False),
        *(Column(pen.glyph(status), right=True, least=2, folds=False) for status in used),
    ]
    table = Columns(heads)
    phase = ""
    for row in card.rows:
        if row.row.phase != phase:
            if phase:
                table.add_row()
            phase = row.row.phase
            table.add_row(Text(), pen.say(PHASES[phase], "dim"))
        table.add_row(*_cells(row, used, pen))
    legend = Text("   ").join(Text.assemble(pen.glyph(status), " ", pen.say(status, "dim")) for status in used)
    return pen.indented(table, *([Text(), legend] if used else []))


def _cells(row: RowScore, used: tuple[Status, ...], pen: Pen) -> list[Text]:
    status = VERDICT_STATUS[row.verdict]
    empty = row.verdict is RowVerdict.NOT_APPLICABLE
    cover, points = row.coverage, figures.whole(row.score)
    decided = f"{cover.decided_checks}/{cover.applicable_checks}" if cover.applicable_checks else "–"
    cells = [
        pen.glyph(status),
        pen.say(row.row.title, "dim" if empty else ""),
        Text(str(row.verdict), style=LOOKS[status].style),
        pen.say("–", "dim") if points is None else Text(str(points), style="bold"),
        *([_bar(row, pen)] if pen.roomy else []),
        pen.say(decided, "dim" if cover.decided_checks == cover.applicable_checks else "cyan"),
    ]
    counts = row.counts
    return cells + [Text(str(counts[one])) if counts[one] else Text(".", style="dim") for one in used]


def _bar(row: RowScore, pen: Pen) -> Text:
    """Weight earned, lost and undecided on one scale; a loss is never rounded away."""
    parts = figures.bar(row)
    total = parts.total
    if not total:
        return Text()
    cells = [max(1, round(CELLS * part / total)) if part else 0 for part in (parts.warned, parts.failed, parts.undecided)]
    while sum(cells) > CELLS:  # several parts that were all rounded up
        cells[cells.index(max(cells))] -= 1
    lost = zip(cells, ("╍", "╍", "┄"), ("yellow", "red", "dim"), strict=True)
    return Text.assemble(pen.say("━" * (CELLS - sum(cells)), "green"), *(pen.say(sign * number, style) for number, sign, style in lost))
