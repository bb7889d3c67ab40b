"""Readiness for failover: the vendor's actions in their order, and whether a standby could take over today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from exivity_audit.acceptance import ALL_SITES
from exivity_audit.facts.failover import Failover, State, StepReadiness
from exivity_audit.pack import FailoverAction
from exivity_audit.verdict import Status, Verdict

OF_STATUS = {Status.FAIL: State.MISSING, Status.ERROR: State.UNKNOWN, Status.UNKNOWN: State.UNKNOWN, Status.MANUAL: State.BY_HAND}
GRAVEST = (State.MISSING, State.UNKNOWN, State.BY_HAND, State.READY)


class Action(Struct, frozen=True):
    """One action of a failover to a standby site: how it stands, what is seen of it, what is open, and the checks that were asked."""

    step: int
    action: str
    active: str  # the site that works now
    state: State
    seen: str  # what the clusters show of it
    workflow: tuple[str, ...]  # the steps of the failover workflow that do it
    open: tuple[str, ...]  # what is missing, unknown or in a person's hands
    checks: tuple[str, ...]  # those that are open, else those that showed it


def readiness(actions: Sequence[FailoverAction], outcomes: Iterable[Any], failover: Failover, others: Sequence[str]) -> tuple[Action, ...]:
    """The table of one standby site.

    ``outcomes`` are a run's outcomes; ``others`` are the names of further standby sites, whose verdicts within a check over several
    sites do not count here.
    """
    places = {(outcome.check.id, outcome.site): outcome for outcome in outcomes}
    return tuple(_action(one, step, failover, list(_shown(one, places, failover, others))) for one, step in zip(actions, failover.steps, strict=True))


def _shown(action: FailoverAction, places: dict[tuple[str, str], Any], failover: Failover, others: Sequence[str]) -> Iterator[tuple[str, Verdict]]:
    """The verdicts of the action's checks that apply, each with the check's id."""
    asked = ((action.standby, failover.passive), (action.active, failover.active), (action.pair, ALL_SITES))
    for name, site in ((name, site) for names, site in asked for name in names):
        outcome = places.get((name, site))
        for verdict in outcome.verdicts if outcome is not None else ():
            part = verdict.subject.part if verdict.subject else None
            if verdict.status is not Status.SKIP and not (site == ALL_SITES and part and _names(part, others)):
                yield name, verdict


def _names(part: str, others: Sequence[str]) -> bool:
    """Whether a subject's part stands for another site: it is its name, or begins with it."""
    return any(part == other or part.startswith(f"{other} ") for other in others)


def _action(action: FailoverAction, step: StepReadiness, failover: Failover, shown: list[tuple[str, Verdict]]) -> Action:
    states = [(state, name, verdict) for name, verdict in shown if (state := _state(verdict)) is not State.READY]
    states.sort(key=lambda one: GRAVEST.index(one[0]))
    state = min((step.state, *(one for one, _, _ in states)), key=GRAVEST.index)
    checks = tuple(dict.fromkeys(name for _, name, _ in states)) or tuple(dict.fromkeys(name for name, _ in shown))
    messages = tuple(dict.fromkeys(verdict.message for _, _, verdict in states))
    return Action(step.number, action.action, failover.active, state, step.text, step.steps, messages, checks)


def _state(verdict: Verdict) -> State:
    """How a verdict counts; a waived one as what it is underneath."""
    status = (verdict.underlying or verdict.status) if verdict.status is Status.WAIVED else verdict.status
    return OF_STATUS.get(status, State.READY)
