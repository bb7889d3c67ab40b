"""The page's tables: what is not decided, readiness for failover, the loss of a node, the backup ledger, the calendar, people's word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from exivity_audit.attestation import Attestation
from exivity_audit.calendar import EVERY_SITE, due_by_site
from exivity_audit.evaluate import Outcome
from exivity_audit.facts.copies import State
from exivity_audit.quantity import print_duration, print_size
from exivity_audit.readiness import Action
from exivity_audit.reading import reason_of
from exivity_audit.reports import figures
from exivity_audit.reports.acceptances import MARKS, papers
from exivity_audit.reports.calendar import due_status, unseen
from exivity_audit.reports.copies import copy_status, ledgers
from exivity_audit.reports.failover import LOOKS, standbys
from exivity_audit.reports.node_loss import losses, node_status, tight
from exivity_audit.reports.page_findings import Reference
from exivity_audit.reports.texts import Texts
from exivity_audit.reports.undecided import attested_by, decided_by
from exivity_audit.score import Scorecard
from exivity_audit.snapshot import Record
from exivity_audit.verdict import Status

Refer = Callable[[str], Reference]


class Todo(Struct, frozen=True):
    """What would decide some checks."""

    text: str
    checks: tuple[Reference, ...]


class Unread(Struct, frozen=True):
    """Reads that saw nothing for the same reason."""

    site: str
    reads: tuple[str, ...]
    reason: str
    rule: str


class Table(Struct, frozen=True):
    """One line of a table: how it looks, and its cells by name."""

    status: Status
    site: str
    cells: dict[str, str]


class Takeover(Struct, frozen=True):
    """An action of the failover to a standby site."""

    status: Status
    step: int
    site: str
    action: str
    state: str
    seen: str
    open: tuple[str, ...]
    checks: tuple[Reference, ...]


class Paper(Struct, frozen=True):
    """An attestation or a waiver and what became of it."""

    status: Status
    kind: str
    check: Reference
    subject: str
    site: str
    who: str
    statement: str
    until: str
    state: str
    why: str


def could_not_look(card: Scorecard, refer: Refer) -> tuple[Todo, ...]:
    """Unknown and error, over what would decide them; checks without code stand last."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in card.judgement.outcomes:
        if outcome.status in (Status.UNKNOWN, Status.ERROR) and not figures.is_to_come(outcome):
            groups.setdefault(decided_by(outcome), []).append(outcome)
    for outcome in card.judgement.outcomes:
        if figures.is_to_come(outcome):
            groups.setdefault("Verify by hand what no code judges yet", []).append(outcome)
    return _todos(groups, refer)


def to_attest(card: Scorecard, refer: Refer) -> tuple[Todo, ...]:
    """What no cluster shows."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in card.judgement.outcomes:
        if outcome.status is Status.MANUAL:
            groups.setdefault(attested_by(outcome), []).append(outcome)
    return _todos(groups, refer)


def _todos(groups: dict[str, list[Outcome]], refer: Refer) -> tuple[Todo, ...]:
    return tuple(
        Todo(text, tuple(refer(name) for name in dict.fromkeys(outcome.check.id for outcome in outcomes))) for text, outcomes in groups.items()
    )


def unread(card: Scorecard) -> tuple[Unread, ...]:
    """The reads that ended without an answer, those with one reason and one remedy together."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for site, record in card.judgement.unread:
        reason = reason_of(record)
        groups.setdefault((site, reason.text, reason.rule or ""), []).append(_place(record))
    return tuple(Unread(site, tuple(dict.fromkeys(reads)), reason, rule) for (site, reason, rule), reads in groups.items())


def _place(record: Record) -> str:
    place = record.place
    where = "/".join(part for part in (place.namespace, place.name) if part)
    return " ".join(part for part in (record.name, where) if part)


def takeover(card: Scorecard, texts: Texts, refer: Refer) -> tuple[Takeover, ...]:
    """The actions of a failover to each standby site."""
    return tuple(
        Takeover(
            LOOKS[one.state],
            one.step,
            site,
            one.action,
            texts(f"readiness.{one.state}"),
            _seen(one),
            one.open,
            tuple(refer(name) for name in one.checks),
        )
        for site, actions in standbys(card).items()
        for one in actions
    )


def _seen(one: Action) -> str:
    return f"{one.seen} ({', '.join(one.workflow)})" if one.workflow else one.seen


def takeover_counts(lines: tuple[Takeover, ...], texts: Texts) -> str:
    """How many actions are ready at each standby site."""
    sites = {line.site: [one for one in lines if one.site == line.site] for line in lines}
    return " ".join(
        texts("failover.ready", ready=sum(one.status is Status.PASS for one in found), all=len(found), site=site) for site, found in sites.items()
    )


def node_losses(card: Scorecard, texts: Texts) -> tuple[Table, ...]:
    """What stops and moves where a node dies."""
    found = []
    for site, rows in losses(card).items():
        for row in rows:
            cells = {
                "node": str(row.node), "zone": str(row.zone or "–"), "stops": _stops(row, texts),
                "moves": _names(row.moves) or "–", "middleware": _names(row.notes) or "–", "fits": _fits(row, texts),
            }  # fmt: skip
            found.append(Table(node_status(row), site, cells))
    return tuple(found)


def _stops(row: Any, texts: Texts) -> str:
    perhaps = texts("perhaps", names=_names(row.perhaps)) if row.perhaps else ""
    return ", ".join(part for part in (_names(row.stops), perhaps) if part) or texts("nothing")


def _names(names: Any) -> str:
    return ", ".join(str(name) for name in names)


def _fits(row: Any, texts: Texts) -> str:
    word = texts({True: "fits.yes", False: "fits.no"}.get(row.fits, "fits.unknown"))
    return f"{word}, {texts('fits.memory', percent=f'{row.memory * 100:.0f}')}" if tight(row) else word


def ledger(card: Scorecard, texts: Texts) -> tuple[Table, ...]:
    """Everything that must survive, with its last good copy."""
    found = []
    for site, rows in ledgers(card).items():
        for row in rows:
            nothing = texts("nothing") if row.state == State.NONE else "–"
            state = str(row.state) if isinstance(row.state, State) else next((str(one) for one in State if one == row.state), str(State.UNKNOWN))
            cells = {
                "item": str(row.item), "size": "–" if row.size is None else print_size(row.size), "copied_by": str(row.copied_by or nothing),
                "state": texts(f"copy.{state}"), "last": _last(row, texts), "note": str(row.note),
            }  # fmt: skip
            found.append(Table(copy_status(row), site, cells))
    return tuple(found)


def _last(row: Any, texts: Texts) -> str:
    if row.age is None:
        return "–"
    if row.state == State.LATE and row.limit is not None:
        return texts("ago.wanted", age=print_duration(row.age), limit=print_duration(row.limit))
    return texts("ago", age=print_duration(row.age))


def calendar(card: Scorecard, texts: Texts) -> tuple[tuple[Table, ...], tuple[str, ...]]:
    """What becomes due, the nearest day first; and what of it could not be seen."""
    rows = due_by_site(card.judgement.tables) or []
    lines = tuple(
        Table(
            due_status(row),
            texts("site.all") if site == EVERY_SITE else site,
            {"day": texts.day(row.date), "left": str(row.days_left), "what": row.what, "subject": row.subject or ""},
        )
        for site, row in rows
    )
    return lines, () if card.judgement.partial else tuple(texts("calendar.unseen", reason=reason) for reason in unseen(card))


def every_paper(card: Scorecard, texts: Texts, refer: Refer) -> tuple[Paper, ...]:
    """Every attestation and waiver."""
    found = []
    for paper, fate in papers(card):
        if isinstance(paper, Attestation):
            kind, who = "paper.attestation", f"{paper.by} {texts('given', date=texts.day(paper.date))}"
            said = f"{paper.statement} ({paper.artefact})" if paper.artefact else paper.statement
        else:
            kind, who = "paper.waiver", paper.owner
            said = f"{paper.reason} ({paper.ticket})" if paper.ticket else paper.reason
            said += f"; {texts('accepts', value=paper.accepts)}" if paper.accepts is not None else ""
        found.append(
            Paper(
                MARKS[fate.state], texts(kind), refer(paper.check), paper.subject or "", paper.site or "", who, said, texts.day(paper.expires),
                texts(f"fate.{fate.state}"), fate.why,
            )
        )  # fmt: skip
    return tuple(found)
