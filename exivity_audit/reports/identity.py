"""The top of the report: which cluster, when, by what; the result line; the sentences that say why."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from exivity_audit.config import Waiver
from exivity_audit.lifecycle import STALE_AFTER
from exivity_audit.reports import figures
from exivity_audit.reports.acceptances import papers
from exivity_audit.reports.dates import print_day, print_moment
from exivity_audit.reports.glyphs import EVALUATION, GATE_STYLE, VERDICT_WORDS
from exivity_audit.reports.pen import Pen
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.score import Gate, Scorecard
from exivity_audit.snapshot import SiteSnapshot


def result_words(card: Scorecard) -> tuple[str, str, str, str]:
    """Gate, grade, score and decided as every report words them."""
    points = figures.whole(card.score)
    return (
        str(card.gate) if card.gate is not None else EVALUATION,
        f"grade {card.grade}" if card.grade else "not graded",
        "no score" if points is None else str(points),
        f"{card.coverage.decided_checks} of {card.coverage.applicable_checks}",
    )


def conditions(card: Scorecard) -> str:
    """``with remarks, with 2 waivers`` where the gate is READY on such conditions."""
    if card.gate is not Gate.READY:
        return ""
    waivers = f"with {_count(card.waivers, 'waiver')}" if card.waivers else ""
    return ", ".join(part for part in ("with remarks" if card.remarks else "", waivers) if part)


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


def identity(card: Scorecard, run: RunInfo, pen: Pen) -> RenderableType:
    """Cluster, release, scenario, purpose; Kubernetes, nodes, time; tool, checklist, how the scenario was found."""
    judgement = card.judgement
    sites = judgement.snapshot.sites
    about = (scenario_words(card), str(judgement.purpose))
    when = print_moment(judgement.now)
    if len(sites) == 1:
        site = sites[0]
        role = f"{site.role} site" if site.role else ""
        lines = [
            Text.assemble(pen.say(site.cluster.name, "bold"), "  ", pen.join((release_words(site), *about, role)), overflow="fold"),
            pen.join((_kubernetes(site), _nodes(site), when), "dim"),
        ]
    else:
        lines = [pen.join((f"{len(sites)} sites", *about, when))]
        for site in sites:
            words = (str(site.role or ""), site.cluster.name, release_words(site), _kubernetes(site), _nodes(site))
            lines.append(Text.assemble(pen.say(site.name, "bold"), "  ", pen.join(words, "dim"), overflow="fold"))
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


def why(card: Scorecard) -> tuple[str, ...]:
    """Sentences: rows met and not met, what caps the grade, what holds back a grade, what is waived."""
    rows = figures.gate_rows(card)
    found = [f"{number} {VERDICT_WORDS[verdict]}" for verdict, number in figures.standing(card).items()]
    sentences = [f"Of the {len(rows)} rows that decide readiness: {', '.join(found)}."] if rows else []
    with_conditions = conditions(card)
    if with_conditions:
        sentences.append(f"Ready {with_conditions}.")
    if card.gate is None:
        sentences.append("Evaluation prints no gate: this installation is not judged for production.")
    if card.judgement.scenario.used is None:
        sentences.append("The scenario is unknown, so the gate stays UNVERIFIED: pass `--scenario`.")
    if card.cap:
        capped = "Capped at D by " if card.grade == "D" else ""
        number = "1 critical failure" if len(card.cap) == 1 else f"{len(card.cap)} critical failures"
        sentences.append(f"{capped}{number}: {', '.join(card.cap)}.")
    if card.grade is None:
        share = figures.gate_coverage(card).ratio
        percent = f": {int(share * 100)} %" if share is not None else ""
        part = "Not graded, and the gate stays open: some checks were left out of this run."
        sentences.append(part if card.judgement.partial else f"Not graded: less than 80 % of these rows' weight is decided{percent}.")
    if card.waivers:
        bare = figures.whole(card.score_without_waivers)
        sentences.append(f"Without its {_count(card.waivers, 'waiver')} the score is {'none' if bare is None else bare}.")
    found_papers = papers(card)
    for noun, waived in (("waiver", True), ("attestation", False)):
        for state in ("unused", "expired", "void"):
            names = [paper.check for paper, fate in found_papers if isinstance(paper, Waiver) is waived and fate.state == state]
            if names:
                sentences.append(f"{_count(len(names), noun)} {state}: {', '.join(names)}.")
    return (*sentences, *_table(card))


def _table(card: Scorecard) -> tuple[str, ...]:
    """What must be known of the table of supported releases: that it is the site's own, or that it is old."""
    table, file = card.judgement.lifecycle, card.judgement.config.lifecycle
    if table is None:
        return ()
    of = f"of {print_day(table.date.isoformat())}"
    if table.stale(card.judgement.now):
        which = f"in {file} " if file else ""
        return (f"The table of supported releases {which}is {of}, older than {STALE_AFTER.days} days: what ended since is not in it.",)
    return (f"Supported releases by {file}, {of}.",) if file else ()


def opening(card: Scorecard, pen: Pen) -> RenderableType:
    """The result line and why."""
    return pen.indented(Text(), result_line(card, pen), Text(), *(pen.say(sentence) for sentence in why(card)))
