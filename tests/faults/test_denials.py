"""Every check, every read it rests on, denied: unknown where it is needed, named in the evidence where it is an alternate; never a pass."""

from __future__ import annotations

import re
from functools import cache

import pytest

from exivity_audit.collect.reads import BY_NAME
from exivity_audit.evaluate import Outcome
from exivity_audit.fact import reads_behind
from exivity_audit.pack import own_pack
from exivity_audit.score import coverage
from exivity_audit.snapshot import Record, SiteSnapshot
from exivity_audit.verdict import UNDECIDED, Status
from tests import builders
from tests.judging import judged, site_of
from tests.world import World

PACK = own_pack()
BASES = ("multi_node", "single_node")
READ_NAMES = sorted(
    {name for check in PACK.checks for names in reads_behind(PACK.facts, check.needs, check.looks_at) for name in names if name in BY_NAME}
)
EARNED = {Status.PASS: 2, Status.WARN: 1}


@cache
def _world(base: str) -> World:
    world: World = getattr(builders, base)()
    return world


@cache
def _plain(base: str) -> dict[str, Outcome]:
    return {outcome.check.id: outcome for outcome in judged(_world(base).copy()).outcomes}


def _denied(base: str, read: str) -> dict[str, Outcome]:
    """Outcomes with one read forbidden; release and namespace named, as where nothing may be listed."""
    world = _world(base).copy()
    wanted = BY_NAME[read]
    resource = next(
        name
        for name in world.resources
        if wanted.resource in (name, name.partition(".")[0] if not name.endswith(".io") or ".k8s.io" in name else name)
    )
    target = {record.place for record in _records(base, read)}

    def deny(asked: str, namespace: str | None, name: str | None) -> bool:
        if asked != resource:
            return False
        if wanted.labelled and name is None:  # who may list them may read each
            return True
        return wanted.bulk or wanted.otherwise is not None or any(place.namespace == namespace and place.name == name for place in target)

    world.deny = deny
    return {outcome.check.id: outcome for outcome in judged(world, namespace="exivity", release="exivity").outcomes}


@cache
def _records(base: str, read: str) -> tuple[Record, ...]:
    return tuple(record for record in _site(base).reads if record.name == read)


@cache
def _site(base: str) -> SiteSnapshot:
    return site_of(_world(base).copy())


def _asked(base: str, read: str) -> bool:
    return any(record.status is not None for record in _records(base, read))


CASES = [(base, read) for base in BASES for read in READ_NAMES if _asked(base, read)]


@pytest.mark.parametrize(("base", "read"), CASES)
def test_a_denied_read_never_passes(base: str, read: str) -> None:
    plain, denied = _plain(base), _denied(base, read)
    assert list(plain) == list(denied), "the number of outcomes is fixed"
    for check in PACK.checks:
        was, now = plain[check.id], denied[check.id]
        assert Status.ERROR not in {verdict.status for verdict in now.verdicts}, f"{check.id} broke without {read}"
        before, after = EARNED.get(was.status, 0), EARNED.get(now.status, 0)
        assert after <= before or was.status is Status.SKIP, f"{check.id} rose from {was.status} to {now.status} without {read}"
        assert not (now.status is Status.PASS and was.status is not Status.PASS), f"{check.id} passes only without {read}"
        if not check.built or was.status is Status.SKIP:
            continue
        needed, optional = reads_behind(PACK.facts, check.needs, check.looks_at)
        if read in needed:
            assert now.status in UNDECIDED, f"{check.id} is {now.status} without {read}, which it needs"
        elif read in optional and now.status in (Status.PASS, Status.WARN, Status.FAIL):
            assert any(evidence.read == read for verdict in now.verdicts for evidence in verdict.evidence), (
                f"{check.id} does not name {read} as unread"
            )


DECIDED = frozenset(Status) - UNDECIDED - {Status.SKIP, Status.MANUAL, Status.ERROR}
NEEDED = [
    (base, read)
    for base, read in CASES
    if any(
        check.built and read in reads_behind(PACK.facts, check.needs, check.looks_at)[0] and _plain(base)[check.id].status in DECIDED
        for check in PACK.checks
    )
]


@pytest.mark.parametrize(("base", "read"), NEEDED)
def test_a_denied_read_costs_coverage_and_names_the_rule(base: str, read: str) -> None:
    """Where a check that was decided needs it: what is seen falls, and each such check names verb and resource, which is what a role has to give."""
    plain, denied = _plain(base), _denied(base, read)
    assert coverage(denied.values()).ratio < coverage(plain.values()).ratio
    named = re.compile(rf"(?:get|list) {re.escape(BY_NAME[read].resource)}(?: |$)")
    for check in PACK.checks:
        if not check.built or plain[check.id].status not in DECIDED or read not in reads_behind(PACK.facts, check.needs, check.looks_at)[0]:
            continue
        unseen = [verdict for verdict in denied[check.id].verdicts if verdict.status is Status.UNKNOWN]
        assert any(named.match(rule) for verdict in unseen for rule in verdict.needs), f"{check.id}: {[verdict.needs for verdict in unseen]}"
        assert any("forbidden" in verdict.why for verdict in unseen), f"{check.id}: {[verdict.why for verdict in unseen]}"


def test_most_reads_are_needed_somewhere() -> None:
    assert len({read for _, read in NEEDED}) >= 25


@pytest.mark.parametrize("base", BASES)
def test_everything_denied_is_a_full_report_of_unknowns(base: str) -> None:
    world = _world(base).copy()
    world.deny = lambda resource, namespace, name: True
    outcomes = judged(world, namespace="exivity", release="exivity").outcomes
    assert [outcome.check.id for outcome in outcomes] == list(_plain(base))
    for outcome in outcomes:
        needed, _ = reads_behind(PACK.facts, outcome.check.needs, ())
        rests_on_reads = bool(needed & set(BY_NAME))
        allowed = {Status.UNKNOWN, Status.MANUAL, Status.SKIP} | (set() if rests_on_reads else {Status.PASS})  # the server's version is no read
        assert outcome.status in allowed, outcome.check.id
