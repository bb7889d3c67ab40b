"""The top of the report: which cluster, when, by what; the result line; the sentences that say why."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from exivity_audit.document import parse_time
from exivity_audit.reports import figures
from exivity_audit.reports.dates import print_moment
from exivity_audit.reports.glyphs import EVALUATION, GATE_STYLE, LOOKS
from exivity_audit.reports.pen import Pen
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.reports.sentences import why
from exivity_audit.reports.texts import ENGLISH
from exivity_audit.score import Scorecard
from exivity_audit.snapshot import SiteSnapshot
from exivity_audit.verdict import Status


def result_words(card: Scorecard) -> tuple[str, str, str, str]:
    """Gate, grade, score and decided as every report words them."""
    points = figures.whole(card.score)
    return (
        str(card.gate) if card.gate is not None else EVALUATION,
        f"grade {card.grade}" if card.grade else "not graded",
        "no score" if points is None else str(points),
        f"{card.coverage.decided_checks} of {card.coverage.applicable_checks}",
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def release_words(site: SiteSnapshot) -> str:
    """``exivity/exivity 3.39.2``: namespace, release and the chart's version where it was seen."""
    version = figures.chart_version(site)
    return f"{site.namespace}/{site.release}" + (f" {version}" if version else "")


def scenario_words(card: Scorecard) -> str:
    """The scenario used."""
    return str(card.judgement.scenario.used or "scenario unknown")


def _kubernetes(site: SiteSnapshot) -> str:
    return f"Kubernetes {site.cluster.version}" if site.cluster.version else "Kubernetes version not seen"


def _nodes(site: SiteSnapshot) -> str:
    found = figures.nodes(site)
    return f"{_count(found[0], 'node')}, {_count(found[1], 'worker')}" if found else "nodes not seen"


def _seen(site: SiteSnapshot, card: Scorecard, pen: Pen) -> Text:
    """How much of a site could be decided and when it was read; of one that was not reached, why."""
    cover = figures.site_coverage(card, site.name)
    decided = f"{cover.decided_checks} of {cover.applicable_checks} decided"
    if site.unreached:
        return Text.assemble(pen.say("NOT REACHED", LOOKS[Status.UNKNOWN].style), pen.say(f": {site.unreached} · {decided}", "dim"))
    return pen.join((decided, f"read {print_moment(parse_time(site.now))}"), "dim")


def identity(card: Scorecard, run: RunInfo, pen: Pen) -> RenderableType:
    """Cluster, release, scenario, purpose; Kubernetes, nodes, time; tool, checklist, how the scenario was found."""
    judgement = card.judgement
    sites = judgement.snapshot.sites
    about = (scenario_words(card), str(judgement.purpose))
    when = print_moment(judgement.now)
    if len(sites) == 1:
        site = sites[0]
        role = f"{site.role} site" if site.role else ""
        lines: list[RenderableType] = [
            Text.assemble(pen.say(site.cluster.name, "bold"), "  ", pen.join((release_words(site), *about, role)), overflow="fold"),
            pen.join((_kubernetes(site), _nodes(site), when), "dim"),
        ]
    else:
        lines = [pen.join((f"{len(sites)} sites", *about, when))]
        for site in sites:
            words = (str(site.role or ""), site.cluster.name, release_words(site), *([] if site.unreached else [_kubernetes(site), _nodes(site)]))
            lines.append(Text.assemble(pen.say(site.name, "bold"), "  ", pen.join(words, "dim"), overflow="fold"))
            lines.append(pen.indented(_seen(site, card, pen)))
    checklist = judgement.pack.checklist
    lines.append(pen.join((f"exivity-audit {run.tool_version}", f"checklist {checklist.version}", judgement.scenario.how), "dim"))
    return pen.indented(Text(), *lines)


def result_line(card: Scorecard, pen: Pen) -> Text:
    """Gate badge, grade, score, decided: the first and the last thing printed."""
    gate, grade, points, decided = result_words(card)
    style = GATE_STYLE[card.gate] if card.gate is not None else "bold"
    badge = (f" {gate} ", style) if pen.badges and card.gate is not None else (gate, "bold")
    letter = [("grade ", "dim"), (grade.removeprefix("grade "), "bold")] if card.grade else [(grade, "bold")]
    score = [(points, "bold"), (" / 100", "dim")] if card.score is not None else [(points, "bold")]
    return Text.assemble(badge, "   ", *letter, "   ", *score, "   ", (decided, "bold"), (" checks decided", "dim"))


def opening(card: Scorecard, pen: Pen) -> RenderableType:
    """The result line and why."""
    return pen.indented(Text(), result_line(card, pen), Text(), *(pen.say(sentence) for sentence in why(card, ENGLISH)))
