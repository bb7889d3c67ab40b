"""What changed since the baseline: one line for every report, and a section of the terminal's."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from exivity_audit.baseline import Baseline
from exivity_audit.reports.dates import print_day
from exivity_audit.reports.pen import Pen
from exivity_audit.reports.words import changes_words, score_words, subject_text

LINES = 8  # new and worse findings that are printed


def counts_words(baseline: Baseline) -> str:
    """``2 new, 0 worse, 3 better``: what was added is always said."""
    return changes_words({str(change): count for change, count in baseline.counts})


def since_words(baseline: Baseline) -> str:
    """One line: since when, how many changed, and the score."""
    return f"Since {print_day(baseline.old.run.now)} ({baseline.file}): {counts_words(baseline)}; {_score(baseline)}."


def since(baseline: Baseline | None, pen: Pen) -> RenderableType:
    """The section: counts, new and worse findings, the score's change with its causes."""
    if baseline is None:
        return Group()
    added = baseline.added
    shown = added if pen.verbose else added[:LINES]
    parts: list[RenderableType] = []
    for one in shown:
        result = one.result
        parts.append(pen.title(result.status, pen.say(result.title), pen.join((str(one.change), str(result.severity)), "dim")))
        parts.append(pen.indented(pen.say(result.message), pen.join((one.why, result.id, subject_text(result)), "dim")))
    if len(added) > len(shown):
        parts.append(pen.say(f"and {len(added) - len(shown)} more: `--verbose` prints them", "dim"))
    parts += [Text()] if parts else []
    lines = [("found", pen.say(counts_words(baseline))), ("score", pen.say(_score(baseline)))]
    lines += [("note", pen.say(remark, "dim")) for remark in baseline.remarks]
    heading = pen.heading("Since the baseline", pen.say(f"{baseline.file} of {print_day(baseline.old.run.now)}", "dim"))
    return Group(heading, pen.indented(*parts, pen.labelled(lines)))


def _score(baseline: Baseline) -> str:
    return score_words(baseline.why.before, baseline.why.after, dict(baseline.why.shares))
