"""The end of the report, the first thing seen: what to fix first, the tally, and how the run ended."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from exivity_audit.quantity import print_size
from exivity_audit.reports import figures
from exivity_audit.reports.identity import result_line
from exivity_audit.reports.layout import Labelled
from exivity_audit.reports.pen import Pen
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.reports.sentences import together
from exivity_audit.reports.texts import ENGLISH
from exivity_audit.score import Remedy, Scorecard
from exivity_audit.verdict import Severity

FIRST = 5
EXITS = "0 clean · 1 findings · 3 incomplete"


def fix_first(card: Scorecard, pen: Pen) -> RenderableType:
    """Five remedies, those of critical failures first, then by points; then what all of them bring."""
    best = card.remedies[:FIRST]
    if not best:
        return Group()
    gains = [pen.say(f"+{figures.gain(remedy):.1f}", "bold green") for remedy in best]
    wide = max(gain.cell_len for gain in gains)
    lines: list[tuple[Text, Text]] = []
    for remedy, gain in zip(best, gains, strict=True):
        gain.pad_left(wide - gain.cell_len)
        lines += [(gain, pen.remedy(remedy.text)), (Text(), pen.join((", ".join(remedy.checks), *_effect(remedy)), "dim"))]
    heading = pen.heading("Fix these first", pen.say("critical first, then points gained", "dim"))
    return Group(heading, pen.indented(Labelled(lines, wide), Text(), pen.say(together(card, best, ENGLISH))))


def _effect(remedy: Remedy) -> tuple[str, ...]:
    findings = len({(outcome.check.id, outcome.site) for outcome, _ in remedy.findings})
    return (
        "critical" if remedy.severity is Severity.CRITICAL else "",
        f"{findings} findings" if findings > 1 else "",
        f"clears {', '.join(remedy.clears)}" if remedy.clears else "",
    )


def result(card: Scorecard, run: RunInfo, pen: Pen) -> RenderableType:
    """The tally in three lines that add up, reads and writes, identity, uid, snapshot, exit code, result line."""
    tally = []
    for name, statuses in figures.TALLY.items():
        parts = [Text.assemble(pen.glyph(status), f" {card.counts[status]} {status}") for status in statuses if card.counts[status]]
        tally.append((name, Text("   ").join(parts) if parts else Text("0")))
    lines = [("read", pen.say(_traffic(card, run), "dim"))]
    several = figures.several_sites(card)
    for site in card.judgement.snapshot.sites:
        lines.append(("uid", pen.say((f"{site.name}: " if several else "") + (site.cluster.uid or "not seen"), "dim")))
    if run.snapshot_file:
        lines.append(("kept", pen.say(f"{run.snapshot_file} (redacted)", "dim")))
    lines.append(("exit", Text.assemble(pen.say(f"{run.exit_code}  {run.exit_reason}"), pen.say(f"  ({EXITS})", "dim"), overflow="fold")))
    return Group(pen.heading("Result"), pen.indented(pen.labelled(tally, wide=12), Text(), pen.labelled(lines), Text(), result_line(card, pen)))


def _traffic(card: Scorecard, run: RunInfo) -> str:
    identity = run.identity or next((site.identity for site in card.judgement.snapshot.sites if site.identity), None)
    requests = "no requests, a snapshot was judged" if run.requests is None else f"{run.requests} requests"
    parts = [requests, f"{run.writes} {'write' if run.writes == 1 else 'writes'}"]
    parts += [print_size(run.bytes_received)] if run.bytes_received is not None and run.requests is not None else []
    parts += [f"{run.seconds:.1f} s"] if run.seconds is not None else []
    parts += [f"as {identity}"] if identity else []
    parts += ["the server's certificate was not verified"] if any(site.insecure for site in card.judgement.snapshot.sites) else []
    return ", ".join(parts)
