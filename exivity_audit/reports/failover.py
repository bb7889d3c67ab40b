"""Readiness for failover: for each standby site the vendor's actions in their order, what is ready, missing, unknown or to be attested."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from exivity_audit.facts.failover import State
from exivity_audit.readiness import Action
from exivity_audit.reports.pen import Pen
from exivity_audit.reports.site_tables import by_site
from exivity_audit.score import Scorecard
from exivity_audit.verdict import Status

LOOKS = {State.READY: Status.PASS, State.MISSING: Status.FAIL, State.UNKNOWN: Status.UNKNOWN, State.BY_HAND: Status.MANUAL}
FIELDS = ("step", "action", "active", "state", "seen", "workflow", "open", "checks")
MOST = 3  # messages of one action in the terminal; all stand in the findings


def standbys(card: Scorecard) -> dict[str, tuple[Action, ...]]:
    """The table of each standby site, by the site's name."""
    return by_site(card, "failover", FIELDS)


def failover(card: Scorecard, pen: Pen) -> RenderableType:
    """One table a standby site: the action, how it stands, and what is open."""
    blocks: list[RenderableType] = []
    for site, actions in standbys(card).items():
        table = pen.columns("", "step", "action", "state" if pen.roomy else "", numbers=frozenset({"step"}))
        for one in actions:
            table.add_row(
                pen.glyph(LOOKS[one.state]), pen.say(one.step), _told(one, pen), pen.say(one.state, "bold" if one.state is State.MISSING else "")
            )
        ready = sum(1 for one in actions if one.state is State.READY)
        title = f"Failover from {actions[0].active} to {site}" if actions[0].active else f"Failover to {site}"
        blocks += [pen.heading(title, pen.say(f"{ready} of {len(actions)} ready", "dim")), pen.indented(table)]
    return Group(*blocks)


def _told(one: Action, pen: Pen) -> Text:
    by = f" · workflow: {', '.join(one.workflow)}" if one.workflow else ""
    lines = [pen.say(one.action), Text.assemble("\n", pen.say(f"{one.seen}{by}", "dim"))]
    shown = one.open if pen.verbose else one.open[:MOST]
    lines += [Text.assemble("\n", pen.say(message)) for message in shown]
    if len(shown) < len(one.open):
        lines.append(Text.assemble("\n", pen.say(f"and {len(one.open) - len(shown)} more, see {', '.join(one.checks)}", "dim")))
    return Text.assemble(*lines, overflow="fold")
