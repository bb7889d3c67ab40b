"""The short form: a dozen lines without colour, to paste into a chat."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from exivity_audit.reports import figures, measures
from exivity_audit.reports.dates import print_moment
from exivity_audit.reports.glyphs import LOOKS
from exivity_audit.reports.identity import release_words, result_words, scenario_words
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.reports.sentences import conditions
from exivity_audit.reports.since import since_words
from exivity_audit.reports.text import ascii_text, clean
from exivity_audit.reports.texts import ENGLISH
from exivity_audit.score import Scorecard
from exivity_audit.verdict import Status

FAILURES = 8
WIDTH = 100
COUNTED = (Status.ERROR, Status.UNKNOWN, Status.MANUAL, Status.WARN, Status.WAIVED)


def render_short(scorecard: Scorecard, run: RunInfo, *, ascii: bool = False, width: int = WIDTH) -> str:
    """Result, cluster, at most eight failures of one line each, the tally, versions and time."""
    judgement, counts = scorecard.judgement, scorecard.counts
    gate, grade, points, decided = result_words(scorecard)
    score = points if scorecard.score is None else f"{points}/100"
    first = " ".join(part for part in (gate, conditions(scorecard, ENGLISH)) if part)
    lines = [f"{first} · {grade} · {score} · {decided} decided"]
    for site in judgement.snapshot.sites:
        place = f"{site.name} ({site.role}): " if site.role else f"{site.name}: "
        who = f"{place if figures.several_sites(scorecard) else ''}{site.cluster.name}"
        lines.append(f"{who} · {release_words(site)} · {scenario_words(scorecard)} · {judgement.purpose}{' · NOT REACHED' if site.unreached else ''}")
    failed = figures.failures(scorecard)
    mark = LOOKS[Status.FAIL].ascii if ascii else LOOKS[Status.FAIL].glyph
    for outcome in failed[:FAILURES]:
        place = f" ({figures.site_words(outcome)})" if figures.several_sites(scorecard) else ""
        broken = [verdict for verdict in outcome.verdicts if verdict.status is Status.FAIL]
        lines.append(f"{mark} {outcome.check.id}{place}  {measures.seen(broken, False)[0]}")
    more = [f"{len(failed) - FAILURES} more failed"] if len(failed) > FAILURES else []
    open_counts = [f"{counts[status]} {status}" for status in COUNTED if counts[status]]
    lines.append(" · ".join([*more, *open_counts, f"{counts[Status.PASS]} passed"]))
    if run.baseline is not None:
        lines.append(since_words(run.baseline))
    lines.append(f"exivity-audit {run.tool_version} · checklist {judgement.pack.checklist.version} · {print_moment(judgement.now)}")
    return "".join(f"{_fitted(line, width, ascii)}\n" for line in lines)


def _fitted(line: str, width: int, ascii: bool) -> str:
    """One clean line, cut with an ellipsis where it is wider than the width."""
    shown = ascii_text(clean(line)) if ascii else clean(line)
    ellipsis = "..." if ascii else "…"
    if cell_len(shown) > width:
        shown = set_cell_size(shown, width - len(ellipsis)).rstrip() + ellipsis
    return shown.rstrip()
