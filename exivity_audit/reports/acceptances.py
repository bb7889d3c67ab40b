"""What people vouch for and accept: every attestation and waiver with its name, its days, and what became of it in this run."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from exivity_audit.acceptance import Fate, State
from exivity_audit.attestation import Attestation
from exivity_audit.config import Waiver
from exivity_audit.reports import figures
from exivity_audit.reports.dates import print_day
from exivity_audit.reports.pen import Pen
from exivity_audit.score import Scorecard
from exivity_audit.verdict import Status

Paper = Attestation | Waiver
MARKS: dict[State, Status] = {"used": Status.PASS, "unused": Status.SKIP, "expired": Status.WARN, "void": Status.FAIL}


def papers(card: Scorecard) -> list[tuple[Paper, Fate]]:
    """Attestations, then waivers, each with what became of it."""
    every: tuple[Paper, ...] = (*card.judgement.attestations, *card.judgement.config.waivers)
    return [(paper, card.judgement.fate(paper)) for paper in every]


def attested_and_waived(card: Scorecard, pen: Pen) -> RenderableType:
    """One block a paper: kind, check, state and last day; who and why; what is wrong with it."""
    blocks: list[RenderableType] = []
    for paper, found in papers(card):
        kind = "attested" if isinstance(paper, Attestation) else "waived"
        name = Text.assemble(pen.say(f"{kind} "), pen.say(paper.check, "bold"), overflow="fold")
        if paper.subject:
            name.append_text(pen.say(f" {paper.subject}"))
        if paper.site and figures.several_sites(card):
            name.append_text(pen.say(f" at {paper.site}", "dim"))
        state = f"{found.state} · until {print_day(paper.expires)}"
        lines = [("who", pen.say(_who(paper)))]
        lines += [("but" if found.state == "used" else "why", pen.say(found.why))] if found.why else []
        blocks += [pen.title(MARKS[found.state], name, pen.say(state, "dim")), pen.indented(pen.labelled(lines))]
    if not blocks:
        return Group()
    return Group(pen.heading("Attested and waived", pen.say("what rests on a person's word", "dim")), pen.indented(*blocks))


def _who(paper: Paper) -> str:
    if isinstance(paper, Attestation):
        artefact = f" ({paper.artefact})" if paper.artefact else ""
        return f"{paper.by} on {print_day(paper.date)}: {paper.statement}{artefact}"
    ticket = f" ({paper.ticket})" if paper.ticket else ""
    accepts = f", accepts {paper.accepts}" if paper.accepts is not None else ""
    return f"{paper.owner}: {paper.reason}{ticket}{accepts}"
