"""If a node dies: what stops, what moves, and whether the rest has room."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from exivity_audit.reports import figures
from exivity_audit.reports.pen import Pen
from exivity_audit.reports.site_tables import by_site
from exivity_audit.score import Scorecard
from exivity_audit.verdict import Status

FIELDS = ("node", "zone", "stops", "moves", "notes", "fits", "memory", "perhaps")
FITS = {True: "yes", False: "no", None: "unknown"}
TIGHT = 0.9  # share of memory from which it is named
MANY = 6  # nodes whose loss changes nothing, before they are one line


def losses(card: Scorecard) -> dict[str, tuple[Any, ...]]:
    """The table of each site that has one; a site where it could not be computed is left out."""
    return by_site(card, "node_loss", FIELDS)


def node_loss(card: Scorecard, pen: Pen) -> RenderableType:
    """One table a site; six columns where there is room, one sentence a node where there is not."""
    blocks: list[RenderableType] = []
    for site, rows in losses(card).items():
        names = ("stops", "moves", "middleware", "fits on the rest") if pen.roomy else ("what happens",)
        zoned = any(row.zone for row in rows)
        table = pen.columns("", "node", *(("zone",) if zoned else ()), *names)
        shown, quiet = told(rows, pen.verbose)
        for row in shown:
            zone = [pen.say(row.zone or "–", "dim")] if zoned else []
            table.add_row(pen.glyph(node_status(row)), pen.say(row.node), *zone, *(_wide(row, pen) if pen.roomy else [_sentence(row, pen)]))
        title = f"If a node dies at {site}" if figures.several_sites(card) else "If a node dies"
        blocks += [pen.heading(title), pen.indented(*([table] if shown else []), *([_quiet_line(quiet, bool(shown), pen)] if quiet else []))]
    return Group(*blocks)


def told(rows: tuple[Any, ...], verbose: bool) -> tuple[tuple[Any, ...], int]:
    """The rows worth a line of their own, and how many nodes are left over: a large cluster has hundreds whose loss changes nothing."""
    quiet = sum(1 for row in rows if _changes_nothing(row))
    if verbose or quiet <= MANY:
        return rows, 0
    return tuple(row for row in rows if not _changes_nothing(row)), quiet


def _changes_nothing(row: Any) -> bool:
    return row.fits is True and not (row.stops or row.perhaps or row.moves or row.notes or tight(row))


def _quiet_line(number: int, more: bool, pen: Pen) -> Text:
    nodes = f"each of {number} {'more ' if more else ''}nodes"
    return Text.assemble(pen.glyph(Status.PASS), pen.say(f"  {nodes}: nothing stops or moves; -v lists them", "dim"))


def node_status(row: Any) -> Status:
    """How the loss of a node looks: something stops, or the rest has no room, or nobody knows."""
    if row.stops:
        return Status.FAIL
    if row.perhaps and row.fits is not False:
        return Status.UNKNOWN
    return {True: Status.PASS, False: Status.WARN, None: Status.UNKNOWN}[row.fits]


def tight(row: Any) -> bool:
    """Whether the share of memory is worth telling."""
    return row.memory is not None and (row.memory >= TIGHT or row.fits is False)


def _fits(row: Any, pen: Pen) -> str:
    told = row.memory is not None and (tight(row) or pen.verbose)
    return FITS[row.fits] + (f", memory at {row.memory * 100:.0f} %" if told else "")


def _list(names: Any) -> str:
    return ", ".join(str(name) for name in names)


def _stops(row: Any) -> str:
    perhaps = f"perhaps {_list(row.perhaps)}" if row.perhaps else ""
    return ", ".join(part for part in (_list(row.stops), perhaps) if part) or "nothing"


def _wide(row: Any, pen: Pen) -> list[Text]:
    return [
        pen.say(_stops(row), "bold" if row.stops else ""),
        pen.say(_list(row.moves) or "–"),
        pen.say(_list(row.notes) or "–"),
        pen.say(_fits(row, pen)),
    ]


def _sentence(row: Any, pen: Pen) -> Text:
    stops = pen.say(f"stops {_stops(row)}", "bold" if row.stops else "")
    moves = f"moves {_list(row.moves)}" if row.moves else ""
    rest = pen.join((moves, _list(row.notes), f"fits: {_fits(row, pen)}"))
    return Text.assemble(stops, pen.say(" · "), rest, overflow="fold")
