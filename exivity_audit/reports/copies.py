"""The backup ledger: everything that must survive, what copies it, and its last good copy."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from exivity_audit.facts.copies import State
from exivity_audit.quantity import print_duration, print_size
from exivity_audit.reports import figures
from exivity_audit.reports.pen import Pen
from exivity_audit.reports.site_tables import by_site
from exivity_audit.score import Scorecard
from exivity_audit.verdict import Status

FIELDS = ("item", "kind", "size", "copied_by", "last", "age", "limit", "state", "note")
LOOKS = {
    State.NONE: Status.FAIL, State.LATE: Status.FAIL, State.UNKNOWN: Status.UNKNOWN, State.FRESH: Status.PASS, State.NEEDLESS: Status.SKIP,
}  # fmt: skip


def ledgers(card: Scorecard) -> dict[str, tuple[Any, ...]]:
    """The ledger of each site that has one; a site where it could not be computed is left out."""
    return by_site(card, "copies", FIELDS)


def copies(card: Scorecard, pen: Pen) -> RenderableType:
    """One table a site; what is missing or late stands out."""
    blocks: list[RenderableType] = []
    for site, rows in ledgers(card).items():
        names = ("copied by", "last good copy") if pen.roomy else ("last good copy",)
        table = pen.columns("", "item", "size", *names, numbers=frozenset({"size"}))
        for row in rows:
            size = print_size(row.size) if row.size is not None else "–"
            told = [_by(row, pen), _last(row, pen)] if pen.roomy else [_both(row, pen)]
            table.add_row(pen.glyph(copy_status(row)), pen.say(row.item), pen.say(size), *told)
        fresh = sum(1 for row in rows if row.state == State.FRESH)
        title = f"Backup ledger of {site}" if figures.several_sites(card) else "Backup ledger"
        blocks += [pen.heading(title, pen.say(f"{fresh} of {len(rows)} fresh", "dim")), pen.indented(table)]
    return Group(*blocks)


def copy_status(row: Any) -> Status:
    """How the state of a copy looks."""
    return next((look for state, look in LOOKS.items() if state == row.state), Status.UNKNOWN)


def _by(row: Any, pen: Pen) -> Text:
    return pen.say(row.copied_by or "nothing", "" if row.copied_by or row.state != State.NONE else "bold") if _told(row) else pen.say("–")


def _told(row: Any) -> bool:
    """Whether it is known what copies it, or that nothing does."""
    return bool(row.copied_by) or row.state == State.NONE


def _when(row: Any) -> str:
    if row.age is not None:
        late = row.state == State.LATE and row.limit is not None
        return f"{print_duration(row.age)} ago" + (f", wanted {print_duration(row.limit)}" if late else "")
    return "never" if row.state == State.NONE else ""


def _last(row: Any, pen: Pen) -> Text:
    style = "bold" if row.state in (State.NONE, State.LATE) else ""
    return Text.assemble(pen.say(_when(row), style), pen.say(f"{': ' if _when(row) else ''}{row.note}" if row.note else ""), overflow="fold")


def _both(row: Any, pen: Pen) -> Text:
    by = row.copied_by
    return Text.assemble(_last(row, pen), pen.say(f" · {by}" if by and (_when(row) or row.note) else by), overflow="fold")
