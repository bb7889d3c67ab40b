"""The page's findings: every outcome with its verdicts grouped by what they say, and nothing cut but endless lists."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from msgspec import Struct

from exivity_audit.acceptance import ALL_SITES
from exivity_audit.evaluate import Outcome
from exivity_audit.reports import figures, measures
from exivity_audit.reports.anchors import Anchors
from exivity_audit.reports.texts import Texts
from exivity_audit.reports.undecided import attested_by, decided_by
from exivity_audit.score import RowScore, Scorecard, remedy_text
from exivity_audit.verdict import Status, Verdict

LONGEST = 200  # subjects or sources of one list; the JSON report has them all
QUIET = (Status.PASS, Status.SKIP)
MENDED = (Status.FAIL, Status.WARN, Status.WAIVED)


class Alike(Struct, frozen=True):
    """Subjects of which the same is to say."""

    subjects: tuple[str, ...]
    more: int
    text: str


class Said(Struct, frozen=True):
    """What the verdicts of one status say, under its label."""

    status: Status
    label: str
    lines: tuple[Alike, ...]


class Reference(Struct, frozen=True):
    """A link to a check."""

    name: str
    anchor: str


class Finding(Struct, frozen=True):
    """One check at one site, as the page shows it."""

    anchor: str
    id: str
    title: str
    site: str
    status: Status
    severity: str
    said: tuple[Said, ...]
    wanted: tuple[str, ...]
    notes: tuple[str, ...]
    remedies: tuple[str, ...]
    sources: tuple[str, ...]
    commands: tuple[str, ...]
    patches: tuple[str, ...]
    follows: tuple[Reference, ...]
    clauses: str
    more_sources: int
    more_commands: int


class RowFindings(Struct, frozen=True):
    """A row of the checklist with its findings: what is open, then what passed or was left out."""

    anchor: str
    title: str
    open: tuple[Finding, ...]
    quiet: tuple[Finding, ...]
    passed: int
    skipped: int


def check_anchor(outcome: Outcome, anchors: Anchors, several: bool) -> str:
    """The id of a check's element; with several sites each has its own."""
    return anchors(outcome.check.id, outcome.site) if several else anchors(outcome.check.id)


def references(card: Scorecard, anchors: Anchors) -> Callable[[str], Reference]:
    """From a check's id to its element: the most urgent where several sites have one."""
    several, found = figures.several_sites(card), dict[str, Outcome]()
    for outcome in sorted(card.judgement.outcomes, key=lambda outcome: figures.shown_status(outcome).urgency):
        found.setdefault(outcome.check.id, outcome)
    return lambda name: Reference(name, check_anchor(found[name], anchors, several) if name in found else "")


def row_findings(card: Scorecard, texts: Texts, anchors: Anchors) -> tuple[RowFindings, ...]:
    """Every row that has checks, in checklist order."""
    refer = references(card, anchors)
    return tuple(_row(row, card, texts, anchors, refer) for row in card.rows if row.outcomes)


def _row(row: RowScore, card: Scorecard, texts: Texts, anchors: Anchors, refer: Callable[[str], Reference]) -> RowFindings:
    ordered = sorted(row.outcomes, key=lambda outcome: (figures.shown_status(outcome).urgency, -outcome.severity.weight))
    found = [_finding(outcome, texts, anchors, refer, figures.several_sites(card)) for outcome in ordered]
    quiet = tuple(one for one in found if one.status in QUIET)
    counts = row.counts
    shown = tuple(one for one in found if one.status not in QUIET)
    return RowFindings(anchors(row.row.id), row.row.title, shown, quiet, counts[Status.PASS], counts[Status.SKIP])


def _finding(outcome: Outcome, texts: Texts, anchors: Anchors, refer: Callable[[str], Reference], several: bool) -> Finding:
    status = figures.shown_status(outcome)
    told = [verdict for verdict in outcome.verdicts if verdict.status not in QUIET] or list(outcome.verdicts)
    sources, commands = measures.sources(told), _commands(told)
    follows = tuple(dict.fromkeys(verdict.follows for verdict in outcome.verdicts if verdict.follows))
    return Finding(
        anchor=check_anchor(outcome, anchors, several),
        id=outcome.check.id,
        title=outcome.check.title,
        site=(texts("site.all") if outcome.site == ALL_SITES else outcome.site) if several else "",
        status=status,
        severity=str(outcome.severity),
        said=_said(outcome, status, texts),
        wanted=measures.wants(told),
        notes=_notes(outcome.verdicts),
        remedies=_remedies(outcome, status),
        sources=sources[:LONGEST],
        commands=commands[:LONGEST],
        patches=_patches(told),
        follows=tuple(refer(name) for name in follows),
        clauses=", ".join(outcome.check.clauses),
        more_sources=max(0, len(sources) - LONGEST),
        more_commands=max(0, len(commands) - LONGEST),
    )


def _said(outcome: Outcome, status: Status, texts: Texts) -> tuple[Said, ...]:
    """The verdicts by status; the outcome's own status first, under the word for what it tells."""
    own = {Status.UNKNOWN: "why", Status.ERROR: "why", Status.MANUAL: "why", Status.SKIP: "why"}.get(status, "measured")
    found = []
    for one in sorted(Status, key=lambda other: (other is not status, other.urgency)):
        verdicts = [verdict for verdict in outcome.verdicts if verdict.status is one]
        if verdicts:
            label = texts(own) if one is status else texts("also", status=texts(f"status.{one}"))
            found.append(Said(one, label, _alike(verdicts)))
    return tuple(found)


def _alike(verdicts: Iterable[Verdict]) -> tuple[Alike, ...]:
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(verdict.why or verdict.measured_text, []).append(verdict)
    lines = []
    for text, alike in groups.items():
        names = measures.subject_names(verdict.subject for verdict in alike)
        lines.append(Alike(tuple(names[:LONGEST]), max(0, len(names) - LONGEST), text))
    return tuple(lines)


def _notes(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """Who waived or attested, and remarks; each once, with the subjects it is about."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.status is Status.WAIVED:
            groups.setdefault(measures.waived(verdict), []).append(verdict)
        if verdict.attestation is not None:
            groups.setdefault(measures.attested(verdict), []).append(verdict)
        if verdict.remark:
            groups.setdefault(verdict.remark, []).append(verdict)
    lines = []
    for text, alike in groups.items():
        names = measures.subject_names(verdict.subject for verdict in alike)
        lines.append(": ".join(part for part in (measures.named(names, False), text) if part))
    return tuple(lines)


def _remedies(outcome: Outcome, status: Status) -> tuple[str, ...]:
    """What mends it, and beside that what would decide the rest of it."""
    found = [remedy_text(outcome, verdict) for verdict in outcome.verdicts if verdict.status in MENDED]
    if status is Status.MANUAL:
        found.append(attested_by(outcome))
    elif figures.is_to_come(outcome):
        found.append("Verify it by hand: no code judges this check yet")
    elif figures.undecided_verdicts(outcome):
        found.append(decided_by(outcome))
    return tuple(dict.fromkeys(text for text in found if text.strip()))


def _commands(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.kubectl for verdict in verdicts for item in verdict.evidence if item.kubectl))


def _patches(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    found = (f"{v.fix.target or ''} {json.dumps(v.fix.patch, default=str)}".strip() for v in verdicts if v.fix and v.fix.patch is not None)
    return tuple(dict.fromkeys(found))
