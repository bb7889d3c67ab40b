"""The terminal report: answer, reason, remedy, proof, in that order; the result line comes first and last."""

from __future__ import annotations

import io
import re

from rich.console import Console, Group

from exivity_audit.reports.acceptances import attested_and_waived
from exivity_audit.reports.arithmetic import arithmetic
from exivity_audit.reports.calendar import calendar
from exivity_audit.reports.checklist_table import checklist
from exivity_audit.reports.closing import fix_first, result
from exivity_audit.reports.copies import copies
from exivity_audit.reports.failover import failover
from exivity_audit.reports.findings import Findings
from exivity_audit.reports.identity import identity, opening
from exivity_audit.reports.node_loss import node_loss
from exivity_audit.reports.pen import NARROWEST, WIDEST, Pen
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.reports.since import since
from exivity_audit.reports.trend import trend
from exivity_audit.reports.undecided import could_not_look, to_attest
from exivity_audit.score import Scorecard

_TRAILING = re.compile(r" +$", re.MULTILINE)


def render_terminal(
    scorecard: Scorecard,
    run: RunInfo,
    *,
    width: int,
    colour: bool,
    ascii: bool,
    verbose: bool,
    explain_score: bool = False,
) -> str:
    """The report as text, laid out between 80 and 110 columns.

    ``colour`` off is plain text without an escape of any kind.
    """
    pen = Pen(min(max(width, NARROWEST), WIDEST), ascii, verbose, badges=colour)
    report = Group(
        identity(scorecard, run, pen),
        opening(scorecard, pen),
        since(run.baseline, pen),
        pen.heading("Checklist"),
        checklist(scorecard, pen),
        Findings(scorecard, pen).render(),
        could_not_look(scorecard, pen),
        to_attest(scorecard, pen),
        attested_and_waived(scorecard, pen),
        failover(scorecard, pen),
        node_loss(scorecard, pen),
        copies(scorecard, pen),
        calendar(scorecard, pen),
        trend(scorecard, pen),
        fix_first(scorecard, pen),
        *([arithmetic(scorecard, pen)] if explain_score else []),
        result(scorecard, run, pen),
    )
    console = Console(
        file=io.StringIO(),
        width=pen.width,
        height=100,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )
    with console.capture() as captured:
        console.print(report)
    return _TRAILING.sub("", captured.get()).rstrip("\n") + "\n"
