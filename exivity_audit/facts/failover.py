"""What a pair of sites shows for each of the vendor's eight failover steps: the inputs of the readiness table and of the runbook."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from msgspec import Struct

from exivity_audit.discreet import Discreet
from exivity_audit.fact import NotSeen, Reason
from exivity_audit.facts.broker import BrokerInstance, BrokerKind
from exivity_audit.facts.cnpg import HEALTHY
from exivity_audit.facts.database import Database, DatabaseKind
from exivity_audit.facts.failover_data import LOOKS_AT as DATA
from exivity_audit.facts.failover_data import StandbyData, standby_data
from exivity_audit.facts.failover_database import Kinship, Pattern, kinship, pattern
from exivity_audit.facts.failover_steps import ACTIONS, FailoverPlan
from exivity_audit.facts.failover_workflows import LOOKS_AT as WORKFLOWS
from exivity_audit.facts.failover_workflows import PlansAt, RunAt, plans_of, runs_of
from exivity_audit.facts.rabbitmq import CONDITIONS
from exivity_audit.facts.sites import Deployment, Pair, deployments

LOOKS_AT = ("declared_services", "database", "barman_stores", "brokers", "claim_copies", "ways_in", *WORKFLOWS, *DATA)
"""The facts that are taken of each site: whoever asks for ``failovers`` names them."""

Seen = TypeVar("Seen")


class State(enum.StrEnum):
    """How far a pair is for one step."""

    READY = "ready"
    MISSING = "missing"
    UNKNOWN = "unknown"
    BY_HAND = "by hand"  # no cluster shows it: a person does it or knows it


class Sight(Struct, Generic[Seen], frozen=True):
    """Something of a site, or why it was not seen."""

    value: Seen | None
    reasons: tuple[Reason, ...] = ()

    @property
    def why(self) -> str:
        """Why it was not seen; empty where it was."""
        return "; ".join(dict.fromkeys(one.text for one in self.reasons))


def _sight(look: Callable[[], Seen]) -> Sight[Seen]:
    try:
        return Sight(look())
    except NotSeen as error:
        return Sight(None, error.reasons)


class ClaimAtStandby(Struct, frozen=True):
    """One claim of the active site and how its data come to the standby."""

    part: str
    claim: str
    size: int | None
    by: str  # `Longhorn DR volume restored-x`, `backups in s3://…`; empty where nothing is seen
    last: datetime | None  # the last good copy at the active site
    standby_claim: bool  # whether the standby has the claim already


class StepReadiness(Struct, frozen=True):
    """One of the eight steps: how far this pair is, and what was seen of it."""

    number: int
    title: str
    state: State
    text: str
    steps: tuple[str, ...]  # names of the workflow's steps that do it


class Failover(Discreet, Struct, frozen=True):
    """A standby that can take over from the active site of its deployment, as typed inputs; each says itself why it was not seen."""

    unprinted = ("data", "claims", "plans", "runs")

    pair: Pair
    release: str
    active: str
    passive: str
    namespaces: tuple[str, str]
    wanted: Sight[dict[str, int]]  # by component: copies that the active site asks for
    standby: Sight[dict[str, int]]  # by component: copies that the standby asks for now
    databases: tuple[Sight[Database], Sight[Database]]
    pattern: Sight[Pattern]
    kinship: Sight[Kinship]
    brokers: tuple[Sight[tuple[BrokerInstance, ...]], Sight[tuple[BrokerInstance, ...]]]
    data: StandbyData
    claims: Sight[tuple[ClaimAtStandby, ...]]
    hosts: tuple[Sight[tuple[str, ...]], Sight[tuple[str, ...]]]
    addresses: tuple[Sight[tuple[str, ...]], Sight[tuple[str, ...]]]
    plans: tuple[PlansAt, ...]
    runs: tuple[RunAt, ...]

    @property
    def plan(self) -> FailoverPlan | None:
        """The failover workflow: the standby's own where it has one, else that of another site."""
        return self.held.best if self.held is not None else None

    @property
    def held(self) -> PlansAt | None:
        """The site that holds the workflow."""
        holding = [place for place in self.plans if place.best is not None]
        return next((place for place in holding if place.site.name == self.passive), holding[0] if holding else None)

    @property
    def steps(self) -> tuple[StepReadiness, ...]:
        """The eight steps in the vendor's order."""
        return tuple(self._step(number) for number in ACTIONS)

    def _step(self, number: int) -> StepReadiness:
        state, text = _JUDGED[number](self)
        names = tuple(step.name for step in self.plan.of(number)) if self.plan is not None else ()
        return StepReadiness(number, ACTIONS[number], state, text, names)


def failovers(sites: Sequence[Any], workflow: str | None, steps: Mapping[str, int]) -> tuple[Failover, ...]:
    """Each standby of each deployment with its active site; ``workflow`` and ``steps`` are what the config declares of the failover."""
    return tuple(_failover(deployment, pair, workflow, steps) for deployment in deployments(sites) for pair in deployment.pairs)


def _failover(deployment: Deployment, pair: Pair, workflow: str | None, steps: Mapping[str, int]) -> Failover:
    active, passive = pair.active, pair.passive
    plans = plans_of(deployment, workflow, steps)
    databases = tuple(_sight(lambda site=site: site.fact("database")) for site in (active, passive))  # type: ignore[misc]
    data = standby_data(pair)
    return Failover(
        pair=pair, release=active.release.name, active=active.name, passive=passive.name,
        namespaces=(active.release.namespace, passive.release.namespace),
        wanted=_sight(lambda: _copies(active)), standby=_sight(lambda: _copies(passive)), databases=(databases[0], databases[1]),
        pattern=_sight(lambda: _pattern(passive)), kinship=_sight(lambda: _kinship(active, passive)),
        brokers=(_sight(lambda: tuple(active.fact("brokers"))), _sight(lambda: tuple(passive.fact("brokers")))),
        data=data, claims=_sight(lambda: _claims(pair, data)),
        hosts=(_sight(lambda: _of_ways(active, "hosts")), _sight(lambda: _of_ways(passive, "hosts"))),
        addresses=(_sight(lambda: _of_ways(active, "addresses")), _sight(lambda: _of_ways(passive, "addresses"))),
        plans=plans, runs=runs_of(plans)[0],
    )  # fmt: skip


def _copies(site: Any) -> dict[str, int]:
    return {one.component: one.replicas for one in site.fact("declared_services").surely()}


def _pattern(site: Any) -> Pattern:
    found: Database = site.fact("database")
    if found.kind is DatabaseKind.CNPG and found.cluster is None and found.cluster_gap:
        raise NotSeen(site.here(found.cluster_gap))
    return pattern(found)


def _kinship(active: Any, passive: Any) -> Kinship:
    ours, theirs = active.fact("database"), passive.fact("database")
    if ours.cluster is None or theirs.cluster is None:
        return Kinship(None, "the databases are not two clusters of CloudNativePG")
    stores = [_sight(lambda site=site: site.fact("barman_stores")).value or () for site in (active, passive)]  # type: ignore[misc]
    return kinship(ours.cluster, theirs.cluster, *stores)


def _claims(pair: Pair, data: StandbyData) -> tuple[ClaimAtStandby, ...]:
    copies = {one.claim.part: one for one in pair.active.fact("claim_copies")}
    there = _sight(lambda: {one.part for one in pair.passive.fact("claims")}).value or set()
    target = next((one.standby.url for one in data.shared if one.standby.available), "")
    found = []
    for claim in pair.active.fact("claims").surely():
        if claim.part not in data.wanted:
            continue
        following = data.following.get(claim.part)
        copy = copies.get(claim.part)
        last = copy.last.at if copy is not None and copy.last is not None else None
        copied = copy is not None and copy.last is not None
        by = f"Longhorn DR volume {following.subject.name}" if following else f"backups in {target}" if target and copied else ""
        found.append(ClaimAtStandby(claim.part, claim.name, claim.request, by, last, claim.part in there))
    return tuple(found)


def _of_ways(site: Any, what: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for way in site.fact("ways_in").surely() for one in getattr(way, what) if one))


# What is ready for each step


def _blind(*sights: Sight[Any]) -> tuple[State, str] | None:
    why = "; ".join(dict.fromkeys(one.why for one in sights if one.why))
    return (State.UNKNOWN, why) if why else None


def _done(pair: Failover, number: int) -> State:
    """Whether a workflow does a step, or whether one may that was not seen."""
    if pair.plan is not None and pair.plan.of(number):
        return State.READY
    return State.UNKNOWN if pair.plan is None and any(place.unseen for place in pair.plans) else State.BY_HAND


def _traffic_off(pair: Failover) -> tuple[State, str]:
    hosts = ", ".join(pair.hosts[0].value or ())
    text = f"take {hosts or 'the product'} away from {pair.active}"
    return _blind(pair.hosts[0]) or (_done(pair, 1), text)


def _scale_down(pair: Failover) -> tuple[State, str]:
    asked = {name: count for name, count in (pair.wanted.value or {}).items() if count}
    text = f"{len(asked)} services of {pair.active} to 0, where its cluster can be reached"
    return _blind(pair.wanted) or (_done(pair, 2), text)


def _promote(pair: Failover) -> tuple[State, str]:
    database = pair.databases[1].value
    blind = _blind(pair.databases[1], pair.pattern)
    if blind or database is None or pair.pattern.value is None:
        return blind or (State.UNKNOWN, "the standby's database was not seen")
    cluster, kind = database.cluster, pair.pattern.value
    if kind is Pattern.PROMOTED:
        return State.MISSING, f"{database.subject} was promoted already"
    if kind is not Pattern.REPLICA or cluster is None:
        return State.BY_HAND, f"{kind.value}: restore the latest validated backup, or fail over by the platform's own means"
    if cluster.phase != HEALTHY or not cluster.ready:
        return State.MISSING, f"{database.subject}: {cluster.phase or 'no phase'}, {cluster.ready} of {cluster.instances} instances ready"
    kin = pair.kinship.value
    if kin is not None and kin.same is False:
        return State.MISSING, f"{database.subject} follows another database: {kin.how}"
    if kin is None or kin.same is None:
        return State.UNKNOWN, f"{database.subject} is healthy; {kin.how if kin is not None else pair.kinship.why}"
    return State.READY, f"{database.subject} follows {pair.active}: {kin.how}"


def _well(one: BrokerInstance) -> bool:
    conditions = one.cluster.conditions if one.cluster is not None else {}
    return all(kind in conditions and conditions[kind].status == "True" for kind in CONDITIONS)


def _broker(pair: Failover) -> tuple[State, str]:
    found = pair.brokers[1]
    if found.value is None:
        return State.UNKNOWN, found.why
    if not found.value:
        return State.UNKNOWN, "no config.json at the standby names a broker"
    lost = [one for one in found.value if one.kind is BrokerKind.MISSING]
    if lost:
        return State.MISSING, f"{', '.join(one.server for one in lost)} leads to no broker"
    unwell = [one for one in found.value if one.cluster is not None and not _well(one)]
    names = ", ".join(str(one.home) if one.inside else one.server for one in found.value)
    if unwell:
        return State.MISSING, f"{', '.join(str(one.home) for one in unwell)} is not well"
    return (State.READY if all(one.cluster is not None for one in found.value) else State.BY_HAND), f"{names} at {pair.passive}"


def _volumes(pair: Failover) -> tuple[State, str]:
    found = pair.claims
    if found.value is None:
        return State.UNKNOWN, found.why
    lacking = [one.part for one in found.value if not one.by]
    if not lacking and found.value:
        ways = ", ".join(dict.fromkeys(one.by.partition(" restored-")[0] for one in found.value))
        return State.READY, f"{len(found.value)} claims: {ways}"
    if pair.data.unseen:
        return State.UNKNOWN, "; ".join(dict.fromkeys(one.text for one in pair.data.unseen))
    if len(lacking) < len(found.value):
        return State.MISSING, f"nothing brings {', '.join(lacking)} to {pair.passive}"
    return State.BY_HAND, f"no backup target or volume that {pair.passive} shares with {pair.active} is seen"


def _scale_up(pair: Failover) -> tuple[State, str]:
    blind = _blind(pair.wanted, pair.standby)
    if blind:
        return blind
    wanted, there = pair.wanted.value or {}, pair.standby.value or {}
    absent = [name for name in wanted if name not in there]
    if absent:
        return State.MISSING, f"{pair.passive} has no Deployment of {', '.join(absent)}"
    counts = ", ".join(f"{name} {count}" for name, count in wanted.items() if count)
    return _done(pair, 6), f"to the copies of {pair.active}: {counts or 'none is seen'}"


def _traffic_on(pair: Failover) -> tuple[State, str]:
    blind = _blind(*pair.hosts)
    if blind:
        return blind
    here, there = (set(one.value or ()) for one in pair.hosts)
    if here - there or not there:
        return State.MISSING, f"{pair.passive} has no way in for {', '.join(sorted(here - there)) or 'any host'}"
    addresses = ", ".join(pair.addresses[1].value or ())
    return _done(pair, 7), f"{', '.join(sorted(here))} to {addresses or pair.passive}"


def _validate(pair: Failover) -> tuple[State, str]:
    names = ", ".join(step.name for step in pair.plan.of(8)) if pair.plan is not None else ""
    return (State.READY, names) if names else (_done(pair, 8), "log in, open a report and run a workflow before users come back")


_JUDGED: dict[int, Callable[[Failover], tuple[State, str]]] = {
    1: _traffic_off, 2: _scale_down, 3: _promote, 4: _broker, 5: _volumes, 6: _scale_up, 7: _traffic_on, 8: _validate,
}  # fmt: skip
