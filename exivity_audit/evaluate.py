"""Evaluation: sites, checks and acceptance become outcomes, one a check and site; pure, no clock, no network."""

from __future__ import annotations

import types
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from functools import cached_property
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from exivity_audit.acceptance import Acceptance, Context, Fate, context_of, fate_of
from exivity_audit.attestation import Attestation
from exivity_audit.calendar import calendars
from exivity_audit.check import Check, Evaluation
from exivity_audit.config import Config, Waiver
from exivity_audit.document import Malformed, NotCollected
from exivity_audit.fact import Broken, Crash, Facts, NotSeen, Reason, Unreadable
from exivity_audit.facts.failover import Failover, failovers
from exivity_audit.gaps import with_gaps
from exivity_audit.pack import Pack
from exivity_audit.readiness import readiness
from exivity_audit.scenario import Purpose, Role, Scenario, ScenarioUsed
from exivity_audit.scored import Scored
from exivity_audit.selection import TABLES
from exivity_audit.sites import Judged, Site, places_of, prepared_sites
from exivity_audit.snapshot import Outcome as ReadOutcome
from exivity_audit.snapshot import Record, Snapshot, run_now
from exivity_audit.subject import CLUSTER, Subject, release_subject
from exivity_audit.verdict import Severity, Status, Verdict, unknown

KEEPING = ("installer", "applications")  # facts that tell who would undo a change by hand
BLIND = (ReadOutcome.FORBIDDEN, ReadOutcome.FAILED, ReadOutcome.NOT_ASKED)


class Outcome(Scored, Struct, frozen=True, dict=True):
    """A check at a site: the unit that is scored."""

    check: Check
    site: str
    severity: Severity
    verdicts: tuple[Verdict, ...]

    @cached_property
    def statuses(self) -> frozenset[Status]:
        """The statuses of its verdicts."""
        return frozenset(verdict.status for verdict in self.verdicts)


class Judgement(Struct, frozen=True):
    """All outcomes of a run, with what they rest on."""

    snapshot: Snapshot
    pack: Pack
    config: Config
    scenario: ScenarioUsed
    purpose: Purpose
    now: datetime
    outcomes: tuple[Outcome, ...]
    attestations: tuple[Attestation, ...]
    tables: dict[str, dict[str, Any]]
    unread: tuple[tuple[str, Record], ...]
    partial: bool = False  # some checks of the checklist were left out of this run
    lifecycle: Any = None  # the dated table of supported releases it was judged by
    context: Mapping[str, Context] = field(default_factory=dict)  # by site, what attestations may be bound to
    keeping: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by site, who keeps what
    failovers: tuple[Failover, ...] = ()  # each standby with its active site

    def fate(self, paper: Waiver | Attestation) -> Fate:
        """What became of a waiver or attestation."""
        asked = {outcome.check.id for outcome in self.outcomes}
        verdicts = (verdict for outcome in self.outcomes if outcome.check.id == paper.check for verdict in outcome.verdicts)
        return fate_of(paper, verdicts, self.now, asked.__contains__)


def evaluate(
    snapshot: Snapshot,
    pack: Pack,
    config: Config,
    *,
    selected: frozenset[str] | None = None,
    attestations: tuple[Attestation, ...] = (),
    thresholds: dict[str, Any],
    lifecycle: Any,
    now: datetime | None = None,
    foreign: Mapping[tuple[str, str], tuple[Verdict, ...]] | None = None,
    around: Callable[[Check], AbstractContextManager[object]] = nullcontext,
) -> Judgement:
    """Judge every selected check at every site of a snapshot. Never raises for what a cluster holds.

    ``foreign`` are the verdicts of other packs' checks, by check and site, where those were judged in a process of their own;
    ``around`` is entered while a check is judged (see ``Profile``).
    """
    now = now or run_now(snapshot)
    purpose = Purpose(config.purpose)
    used, sites = prepared_sites(snapshot, pack, config, thresholds=thresholds, lifecycle=lifecycle, now=now)
    checks = [check for check in pack.checks if selected is None or check.id in selected]
    context = {site.name: context_of(facts) for site, _, facts in sites}
    acceptance = Acceptance(config.waivers, attestations, now, context)
    outcomes = []
    for check in checks:
        for name, its in places_of(check, sites):
            told = (foreign or {}).get((check.id, name))
            with around(check):
                outcomes.append(_outcome(check, name, its, told, used, purpose, acceptance))
    tables = {site.name: {name: facts.value(name) for name in TABLES} for site, _, facts in sites}
    for place, rows in calendars({site: found["calendar"] for site, found in tables.items()}, config.waivers, attestations, now).items():
        tables.setdefault(place, {})["calendar"] = rows
    pairs = _failovers(config, sites[0][2].value("sites")) if used.used is Scenario.MULTI_SITE and pack.checklist.failover else ()
    for pair in pairs:
        others = [other.passive for other in pairs if other.passive != pair.passive]
        tables[pair.passive]["failover"] = readiness(pack.checklist.failover, outcomes, pair, others)
    keeping = {site.name: {name: facts.value(name) for name in KEEPING} for site, _, facts in sites}
    unread = tuple((site.name, record) for site, _, _ in sites for record in site.reads if record.outcome in BLIND)
    return Judgement(
        snapshot, pack, config, used, purpose, now, tuple(outcomes), attestations, tables, unread, len(checks) < len(pack.checks), lifecycle, context,
        keeping, pairs,
    )  # fmt: skip


def _failovers(config: Config, sites: tuple[Judged, ...]) -> tuple[Failover, ...]:
    """Each declared standby with its active site; none where a fact broke, which the checks that use it say."""
    declared = config.declare.failover
    try:
        return tuple(one for one in failovers(sites, declared.workflow, declared.steps) if one.pair.passive.passive)
    except Crash:
        return ()


def verdicts_at(check: Check, sites: list[Site], scenario: ScenarioUsed) -> tuple[Verdict, ...]:
    """What a check says at one of its places, before purpose, waivers and attestations."""
    snapshot, role, facts = sites[0]
    return _verdicts(check, release_subject(snapshot.namespace, snapshot.release), role, facts, scenario, _compared(check, facts))


def _compared(check: Check, facts: Facts) -> tuple[Judged, ...]:
    """The sites whose facts a check compares, its own among them."""
    every: tuple[Judged, ...] = facts.value("sites")
    if "sites" in (*check.needs, *check.alternates):
        return every
    return (*(one for one in every if one.facts is facts), *facts.value("other_sites")) if check.across else ()


def _outcome(
    check: Check,
    site: str,
    sites: list[Site],
    told: tuple[Verdict, ...] | None,
    scenario: ScenarioUsed,
    purpose: Purpose,
    acceptance: Acceptance,
) -> Outcome:
    verdicts = verdicts_at(check, sites, scenario) if told is None else told
    verdicts = _relax(check, verdicts, purpose, scenario.used)
    verdicts = tuple(acceptance.accept(verdict, check.id, site, check.attest is not None) for verdict in verdicts)
    return Outcome(check, site, check.severity_in(scenario.used), verdicts)


def _verdicts(
    check: Check, subject: Subject, role: Role | None, facts: Facts, scenario: ScenarioUsed, compared: tuple[Judged, ...]
) -> tuple[Verdict, ...]:
    used = scenario.used
    if used is None and check.depends_on_scenario:
        why, rules = _unread_nodes(facts)
        return (unknown(CLUSTER, f"the scenario is unknown: {why}; pass `--scenario`", needs=(*rules, "--scenario")),)
    if used is not None and not any(scope.holds(used, role) for scope in check.applies):
        at_all = any(scope.value[0] is used for scope in check.applies)
        why = f"does not apply at the {role or Role.ACTIVE} site" if at_all else f"does not apply to {used}"
        return (Verdict(Status.SKIP, None, why=why),)
    if role is Role.PASSIVE and check.passive is not None:
        return (Verdict(Status.SKIP, None, why=f"passive site: {check.passive}"),)
    if check.judge is None:
        return (unknown(subject, "no code judges this yet; verify it by hand", needs=("a later release",)),)
    arguments = facts.arguments(check.needs, check.alternates)
    if isinstance(arguments, Unreadable):
        first, *others = arguments.reasons
        return tuple(_unknowns([(subject, first), *((subject.at(reason.rule or reason.text), reason) for reason in others)]))
    if isinstance(arguments, Broken):
        return (_error(subject, arguments.error),)
    found = _run(check, arguments, subject)
    return with_gaps(found, check, facts, subject, compared)


def _unread_nodes(facts: Facts) -> tuple[str, tuple[str, ...]]:
    """Which nodes could not be read, and the rule that would show them."""
    nodes = facts.value("nodes")
    reasons = nodes.reasons if isinstance(nodes, Unreadable) else getattr(nodes, "malformed", ())
    return "; ".join(dict.fromkeys(reason.text for reason in reasons)) or "the nodes could not be read", tuple(
        reason.rule for reason in reasons if reason.rule
    )


def _unknowns(reasons: Iterable[tuple[Subject, Reason]]) -> Iterator[Verdict]:
    """An unknown for each subject: several objects without a name are one subject, and two reads may want one rule."""
    known: set[Subject] = set()
    for subject, reason in reasons:
        if subject not in known:
            known.add(subject)
            yield unknown(subject, reason.text, needs=reason.needs)


def _error(subject: Subject, what: str) -> Verdict:
    return Verdict(Status.ERROR, subject, why=f"the check broke: {what}")


def _run(check: Check, arguments: dict[str, Any], subject: Subject) -> tuple[Verdict, ...]:
    """The verdicts of a check; what it raises becomes unknown or a visible error beside those it gave already."""
    found: list[Verdict] = []
    assert check.judge is not None
    try:
        for verdict in check.judge(**arguments):
            if not isinstance(verdict, Verdict):
                return (*found, _error(subject, f"it yielded {type(verdict).__name__}, not a verdict"))
            found.append(verdict)
    except NotSeen as error:
        single = len(error.reasons) == 1
        found.extend(_unknowns((subject.at(reason.read if single else reason.rule or reason.text), reason) for reason in error.reasons))
    except NotCollected as error:
        found.append(unknown(subject.at(error.read), str(error), needs=("a newer snapshot",)))
    except Malformed as error:
        found.append(unknown(subject.at("malformed"), f"malformed: {error}"))
    except Crash as error:
        found.append(_error(subject.at("broken"), error.error))
    except Exception as error:  # a bug of the check: visible, never dropped; the text may quote cluster data, so the type alone is shown
        found.append(_error(subject, f"{type(error).__name__} at {_line(error)}"))
    counts = Counter(verdict.subject for verdict in found)
    doubled = next((one for one, count in counts.items() if count > 1), None)
    if doubled is not None or counts[None] > 1:
        distinct = {verdict.subject: verdict for verdict in sorted(found, key=lambda verdict: -verdict.status.urgency)}
        return (*distinct.values(), _error(subject.at("doubled"), f"two verdicts on {doubled}"))
    return tuple(found) or (Verdict(Status.SKIP, None, why="nothing to look at"),)


def _line(error: BaseException) -> str:
    trace: types.TracebackType | None = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}" if trace is not None else "?"


def _relax(check: Check, verdicts: tuple[Verdict, ...], purpose: Purpose, scenario: Scenario | None) -> tuple[Verdict, ...]:
    if purpose is not Purpose.EVALUATION or check.evaluation is not Evaluation.RELAX:
        return verdicts
    softer = Status.PASS if scenario is Scenario.SINGLE_NODE else Status.WARN
    return tuple(
        replace(verdict, status=softer, remark=f"fail in production, accepted for evaluation{'; ' + verdict.remark if verdict.remark else ''}")
        if verdict.status is Status.FAIL
        else verdict
        for verdict in verdicts
    )


def results(outcomes: Iterable[Outcome]) -> list[tuple[Outcome, Verdict]]:
    """Every verdict with its outcome, in report order, the most urgent first inside an outcome."""
    return [
        (outcome, verdict)
        for outcome in outcomes
        for verdict in sorted(outcome.verdicts, key=lambda item: (item.status.urgency, str(item.subject or "")))
    ]
