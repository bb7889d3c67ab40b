"""The checklist: one line a row with verdict, score, bar, decided, and one number a status that stays open."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from exivity_audit.reports import figures
from exivity_audit.reports.glyphs import LOOKS, OPEN, PHASES, VERDICT_STATUS
from exivity_audit.reports.pen import Pen
from exivity_audit.score import RowScore, RowVerdict, Scorecard
from exivity_audit.verdict import Status

CELLS = 24


def checklist(card: Scorecard, pen: Pen) -> RenderableType:
    """The table and its legend."""
    used = tuple(status for status in OPEN if card.counts[status])
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="")
    table.add_column("", width=1)
    table.add_column("", min_width=18, overflow="fold")
    table.add_column(Text("verdict", style="dim"), min_width=14, no_wrap=True)
    table.add_column(Text("score", style="dim"), justify="right", no_wrap=True)
    if pen.roomy:
        table.add_column(Text("earned, lost, undecided", style="dim"), min_width=CELLS, no_wrap=True)
    table.add_column(Text("decided", style="dim"), justify="right", no_wrap=True)
    for status in used:
        table.add_column(pen.glyph(status), justify="right", min_width=2, no_wrap=True)
    phase = ""
    for row in card.rows:
        if row.row.phase != phase:
            if phase:
                table.add_row()
            phase = row.row.phase
            table.add_row("", pen.say(PHASES[phase], "dim"))
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
