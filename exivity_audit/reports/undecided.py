"""Checks without an answer: what this run could not see, and what a person has to attest; grouped by what would decide."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.text import Text

from exivity_audit.evaluate import Outcome
from exivity_audit.reading import REACH
from exivity_audit.reports import figures, measures
from exivity_audit.reports.pen import Pen
from exivity_audit.score import Scorecard
from exivity_audit.verdict import Status

READS = ("list ", "get ")
NAMED_NEEDS = {
    "a newer snapshot": "Take a new snapshot: `exivity-audit collect`",
    "a later release": "Verify it by hand",
}


def could_not_look(card: Scorecard, pen: Pen) -> RenderableType:
    """Unknown and error, over the permission, flag or command that decides them; checks to come in one line a row."""
    blocks = [*_not_reached(card, pen), *_groups(card, pen, (Status.UNKNOWN, Status.ERROR), decided_by)]
    for title, slugs in figures.to_come(card).items():
        some = f"1 check of {title} is not built yet; verify it by hand"
        many = f"{len(slugs)} checks of {title} are not built yet; verify them by hand"
        blocks.append(pen.title(Status.UNKNOWN, pen.say(f"{some if len(slugs) == 1 else many}: {', '.join(slugs)}"), Text()))
    return _section(pen, "Could not look", "a permission or a flag decides these", blocks)


def _lost(card: Scorecard, pen: Pen) -> dict[str, str]:
    """Sites that were not reached, with the reason; when verbose their checks are listed like others."""
    return {} if pen.verbose else {site.name: site.unreached for site in card.judgement.snapshot.sites if site.unreached}


def _not_reached(card: Scorecard, pen: Pen) -> list[RenderableType]:
    """One block for all that is unknown at a site that nobody could ask."""
    blocks: list[RenderableType] = []
    for name, why in _lost(card, pen).items():
        outcomes = [one for one in card.judgement.outcomes if one.site == name and one.status is Status.UNKNOWN and not figures.is_to_come(one)]
        if not outcomes:
            continue
        needs = dict.fromkeys(need for one in outcomes for verdict in one.verdicts for need in verdict.needs if need.startswith(REACH))
        count = "1 check" if len(outcomes) == 1 else f"{len(outcomes)} checks"
        lines = [("why", pen.say(f"the site was not reached: {why}")), ("do", pen.remedy(what_decides(tuple(needs)) or "Repeat the run"))]
        blocks += [pen.title(Status.UNKNOWN, pen.say(f"{count} of the site {name}"), pen.say(name, "dim")), pen.indented(pen.labelled(lines)), Text()]
    return blocks


def to_attest(card: Scorecard, pen: Pen) -> RenderableType:
    """What no cluster shows."""
    blocks = _groups(card, pen, (Status.MANUAL,), attested_by)
    return _section(pen, "To attest", "a person vouches for these in evidence.yaml", blocks)


def _section(pen: Pen, title: str, remark: str, blocks: list[RenderableType]) -> RenderableType:
    while blocks and isinstance(blocks[-1], Text) and not blocks[-1].plain:
        blocks.pop()
    return Group(pen.heading(title, pen.say(remark, "dim")), pen.indented(*blocks)) if blocks else Group()


def _groups(card: Scorecard, pen: Pen, statuses: tuple[Status, ...], decides: Callable[[Outcome], str]) -> list[RenderableType]:
    groups: dict[str, list[Outcome]] = {}
    lost = _lost(card, pen)
    for outcome in card.judgement.outcomes:
        told = outcome.site in lost and outcome.status is Status.UNKNOWN
        if outcome.status in statuses and not told and not figures.is_to_come(outcome):
            groups.setdefault(decides(outcome), []).append(outcome)
    several = figures.several_sites(card)
    blocks: list[RenderableType] = []
    for remedy, outcomes in groups.items():
        for outcome in outcomes:
            place = f" · {figures.site_words(outcome)}" if several else ""
            blocks.append(pen.title(outcome.status, pen.say(outcome.check.title), pen.say(outcome.check.id + place, "dim")))
        doubtful = [verdict for outcome in outcomes for verdict in outcome.verdicts if verdict.status is Status.WARN]
        open_verdicts = [verdict for outcome in outcomes for verdict in figures.undecided_verdicts(outcome)]
        lines = [("why", pen.say(line)) for line in measures.cut(measures.reasons(open_verdicts, pen.verbose), pen.verbose)]
        lines += [("warn", pen.say(line)) for line in measures.seen(doubtful, pen.verbose)]
        lines += [("do", pen.remedy(remedy))]
        blocks += [pen.indented(pen.labelled(lines)), Text()]
    return blocks


def what_decides(needs: tuple[str, ...]) -> str:
    """The permission, flag or command that would decide, as one sentence."""
    rules = tuple(need for need in needs if need.startswith(READS))
    flags = tuple(need for need in needs if need.startswith("-"))
    others = tuple(need for need in needs if need not in rules and need not in flags)
    parts = []
    if rules:
        parts.append(f"allow {', '.join(f'`{rule}`' for rule in rules)} (`exivity-audit rbac` writes the rules)")
    if flags:
        parts.append(f"run with {' '.join(f'`{flag}`' for flag in flags)}")
    parts += [need if need.startswith(REACH) else _lower(NAMED_NEEDS.get(need, f"provide {need}")) for need in others]
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def decided_by(outcome: Outcome) -> str:
    """What would decide a check that this run could not."""
    if outcome.status is Status.ERROR:
        return f"Report it, with this line and the version: `exivity-audit explain {outcome.check.id}`"
    needs = dict.fromkeys(need for verdict in figures.undecided_verdicts(outcome) for need in verdict.needs)
    return what_decides(tuple(needs)) or "Repeat the run; if it stays, look by hand"


def attested_by(outcome: Outcome) -> str:
    """What a person does to vouch for a check."""
    text = (outcome.check.attest or "").strip().rstrip(".")
    text = text[:1].upper() + text[1:]
    if not text:
        return "Verify it by hand: " + outcome.check.fix
    return text if "evidence.yaml" in text else f"{text}, then record it in `evidence.yaml`"
