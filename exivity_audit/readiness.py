"""Readiness for failover: the vendor's actions in their order, and whether a standby could take over today, by what the checks found."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from exivity_audit.acceptance import ALL_SITES
from exivity_audit.pack import FailoverAction
from exivity_audit.verdict import UNDECIDED, Status, Verdict


class State(enum.StrEnum):
    """How an action stands."""

    READY = "ready"
    MISSING = "missing"
    UNKNOWN = "unknown"
    ATTEST = "to attest"


@dataclass(frozen=True)
class Action:
    """One action of a failover to a standby site: how it stands, the messages of what is open, and the checks that were asked."""

    step: int
    action: str
    active: str  # the site that works now; empty where none does, or several do
    state: State
    open: tuple[str, ...]  # what is missing, unknown or to be attested
    checks: tuple[str, ...]  # those that are open, else those that showed it


def readiness(
    actions: Sequence[FailoverAction], outcomes: Iterable[Any], standby: str, active: Sequence[str], others: Sequence[str]
) -> tuple[Action, ...]:
    """The table for one standby site.

    ``outcomes`` are a run's outcomes; ``others`` are the names of further standby sites, whose verdicts within a check over several
    sites do not count here.
    """
    by_place: dict[tuple[str, str], Any] = {(outcome.check.id, outcome.site): outcome for outcome in outcomes}
    single = active[0] if len(active) == 1 else ""
    found = []
    for number, one in enumerate(actions, 1):
        places = [
            *((name, standby) for name in one.standby),
            *((name, site) for name in one.active for site in active),
            *((name, ALL_SITES) for name in one.pair),
        ]
        shown = [(name, verdict) for name, site in places for verdict in _of(by_place.get((name, site)), others if site == ALL_SITES else ())]
        found.append(_action(number, one.action, single, shown))
    return tuple(found)


def _of(outcome: Any, others: Sequence[str]) -> tuple[Verdict, ...]:
    """The verdicts of an outcome that apply and are not about another standby; a waived one counts as what it is underneath."""
    verdicts = outcome.verdicts if outcome is not None else ()
    return tuple(
        one for one in verdicts if one.status is not Status.SKIP and not (one.subject and one.subject.part and _names(one.subject.part, others))
    )


def _names(part: str, others: Sequence[str]) -> bool:
    """Whether a subject's part stands for another site: it is its name, or begins with it."""
    return any(part == other or part.startswith((f"{other} ", f"{other}:")) for other in others)


def _action(number: int, action: str, active: str, shown: list[tuple[str, Verdict]]) -> Action:
    looks = ((State.MISSING, {Status.FAIL}), (State.UNKNOWN, UNDECIDED - {Status.MANUAL}), (State.ATTEST, {Status.MANUAL}))
    open_ = [(name, verdict) for _, statuses in looks for name, verdict in shown if _status(verdict) in statuses]
    state = next(
        (state for state, statuses in looks if any(_status(verdict) in statuses for _, verdict in shown)), State.READY if shown else State.UNKNOWN
    )
    messages = tuple(dict.fromkeys(verdict.message for _, verdict in open_))
    if not shown:
        messages = ("no check of this run looked at it",)
    return Action(number, action, active, state, messages, tuple(dict.fromkeys(name for name, _ in open_ or shown)))


def _status(verdict: Verdict) -> Status:
    return (verdict.underlying or verdict.status) if verdict.status is Status.WAIVED else verdict.status
