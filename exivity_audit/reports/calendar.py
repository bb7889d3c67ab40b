"""What becomes due: certificates, attestations, waivers and releases by their last good day."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from exivity_audit.calendar import EVERY_SITE, Due, due_by_site
from exivity_audit.fact import Objects
from exivity_audit.reports import figures
from exivity_audit.reports.dates import print_day
from exivity_audit.reports.measures import cut
from exivity_audit.reports.pen import Pen
from exivity_audit.score import Scorecard
from exivity_audit.verdict import Status

SOON = 30  # days from which a line is marked
LINES = 12  # lines that are printed, past ones and near ones first


def calendar(card: Scorecard, pen: Pen) -> RenderableType:
    """One table over all sites, the nearest day first; what could not be seen of it stands below."""
    rows = due_by_site(card.judgement.tables) or []
    hidden = [] if card.judgement.partial else unseen(card)
    if not rows and not hidden:
        return Group()
    several = figures.several_sites(card)
    table = pen.columns("", "last day", "left", *(("site",) if several else ()), "what", numbers=frozenset({"left"}))
    shown = rows if pen.verbose else rows[:LINES]
    for site, row in shown:
        place = [pen.say("all" if site == EVERY_SITE else site, "dim")] if several else []
        table.add_row(pen.glyph(due_status(row)), pen.say(print_day(row.date)), pen.say(_left(row)), *place, _what(row, pen))
    parts: list[RenderableType] = [table] if rows else []
    if len(rows) > len(shown):
        parts.append(pen.say(f"and {len(rows) - len(shown)} later: `--verbose` prints them", "dim"))
    if hidden:
        parts += [Text(), pen.labelled(("not seen", pen.say(line, "dim")) for line in cut(hidden, pen.verbose))]
    return Group(pen.heading("Calendar", pen.say("what becomes due if nothing is done", "dim")), pen.indented(*parts))


def due_status(row: Due) -> Status:
    """Past, soon, or later."""
    return Status.FAIL if row.days_left < 0 else Status.WARN if row.days_left <= SOON else Status.PASS


def _left(row: Due) -> str:
    return f"{row.days_left} d"


def _what(row: Due, pen: Pen) -> Text:
    return Text.assemble(pen.say(row.what), *([pen.say(f"  {row.subject}", "dim")] if row.subject else []), overflow="fold")


def unseen(card: Scorecard) -> list[str]:
    """What the calendar could not see, each reason once."""
    found: dict[str, None] = {}
    for tables in card.judgement.tables.values():
        rows = tables.get("calendar")
        if isinstance(rows, Objects):
            found |= {reason.text: None for reason in rows.partial} | {f"{odd.subject}: {odd.why}": None for odd in rows.unreadable}
    return list(found)
