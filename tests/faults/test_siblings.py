"""One bad object never hides its siblings: each finding stands beside a malformed object of the same kind, and no pass turns into a failure by it."""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass
from functools import cache

import pytest

from exivity_audit.config import Config, thresholds_of
from exivity_audit.evaluate import evaluate
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.selection import reads_needed
from exivity_audit.snapshot import SiteSnapshot
from exivity_audit.verdict import Status, Verdict
from tests import builders
from tests.faults.scoreboard import LONG, board
from tests.faults.siblings import HARSH, WAYS, Sibling, beside, fields_of, in_place, itself, key_of, kind_of, reads_of
from tests.judging import site_of, snapshot_of
from tests.mutation import Mutation
from tests.mutations import mutations
from tests.world import Object, World

PACK, LIFECYCLE = own_pack(), load_lifecycle(None)
FOUND = (Status.FAIL, Status.WARN)
LOUD = (Status.FAIL, Status.WARN, Status.UNKNOWN)
TRIES = 2  # of each mutation in the short run


@dataclass(frozen=True)
class Judged:
    """The verdicts on a world, by check, and how many objects they rest on."""

    verdicts: dict[str, tuple[Verdict, ...]]
    objects: int

    def findings(self) -> dict[tuple[str, str], Verdict]:
        """What failed or warned, by check and subject."""
        return {(check, str(one.subject)): one for check, every in self.verdicts.items() for one in every if one.status in FOUND}

    def errors(self) -> list[str]:
        """What broke."""
        return [f"{check}: {one.why}" for check, every in self.verdicts.items() for one in every if one.status is Status.ERROR]

    def states(self, check: str) -> list[str]:
        """The statuses of a check's verdicts."""
        return sorted({str(one.status) for one in self.verdicts[check]})

    def unknowns(self, sibling: Sibling) -> list[str]:
        """The checks that say they could not see something, and name the malformed object or, where it has no name, its kind."""
        kind = str(sibling.item["kind"])
        return [
            check
            for check, every in self.verdicts.items()
            for one in every
            if one.status is Status.UNKNOWN and any(word in f"{one.subject} {one.why} {one.needs}" for word in (sibling.name, kind))
        ]


def judge(world: World, checks: frozenset[str] | None, config: Config) -> Judged:
    """Some checks, with the reads that they ask for alone."""
    site: SiteSnapshot = site_of(world, namespace="exivity", release="exivity", wanted=reads_needed(PACK, checks))
    found = evaluate(
        snapshot_of(site), PACK, config, selected=checks, thresholds=thresholds_of(config, PACK.thresholds, None), lifecycle=LIFECYCLE
    )  # fmt: skip
    return Judged({one.check.id: one.verdicts for one in found.outcomes}, sum(len(record.objects) for record in site.reads))


@cache
def base(name: str) -> World:
    """A conforming cluster; its objects are not to be changed."""
    world: World = getattr(builders, name)()
    return world


def differing(before: World, after: World) -> tuple[list[Object], list[Object]]:
    """The objects that a mutation changed or added, as they are now, and those that it took away, as they were."""
    was, now = ({key_of(item): item for item in world.objects} for world in (before, after))
    return [item for key, item in now.items() if was.get(key) != item], [item for key, item in was.items() if key not in now]


Case = tuple[Sibling, str, bool]


def cases(mutation: Mutation, world: World) -> list[Case]:
    """Siblings of what a mutation touched, with the way in which each is malformed, and whether what it is a copy of is gone."""
    changed, gone = differing(base(mutation.base), world)
    touched = {key_of(item) for item in changed}
    reads, found = reads_needed(PACK, frozenset({mutation.check})), []
    for item in changed:
        asking = reads_of(world, kind_of(item), reads)
        if not asking:
            continue
        fields = fields_of(asking)
        found += [(beside(item), way, False) for way in (*WAYS, *fields)]
        found += [(sibling, way, False) for sibling in list(in_place(world, item, touched))[:3] for way in (*WAYS, *fields)]
        found += [(itself(world, item), way, False) for way in (*WAYS, *fields)]
    found += [(beside(item), way, True) for item in gone for way in HARSH]
    return found


def names_one_of(verdict: Verdict, kind: str, world: World) -> bool:
    """Whether a verdict is about an object of this kind that is there."""
    subject = verdict.subject
    if subject is None or not subject.kind.endswith(kind.rpartition("/")[2]):
        return False
    return any(kind_of(item) == kind and item["metadata"]["name"] == subject.name for item in world.objects)


def hidden(mutation: Mutation, world: World, plain: Judged, case: Case) -> list[str]:
    """What is wrong with the verdicts of the mutation's check where a malformed sibling stands by."""
    sibling, way, gone = case
    checks = frozenset({mutation.check})
    now = judge(sibling.within(world, way), checks, mutation.config)
    where = f"{mutation.check} ({mutation.name}), {sibling.kind} {sibling.name} {'beside' if sibling.place is None else 'itself' if sibling.own else 'in place'}, {way}"
    wrong = [f"{where}: {text}" for text in now.errors()]
    said, seen = now.findings(), now.unknowns(sibling)
    if sibling.own:
        quiet = not any(one.status in LOUD for one in now.verdicts[mutation.check]) and bool(plain.findings())
        board.add("no false pass", not quiet)
        return [*wrong, f"{where}: nothing says that it is odd: {now.states(mutation.check)}"] if quiet else wrong
    for key, verdict in plain.findings().items():
        if key in said and said[key].status is verdict.status:
            board.add("siblings")
            continue
        if sibling.place is not None and verdict.subject is not None and verdict.subject.name == sibling.name:
            continue  # it is the malformed one itself
        if not gone and way not in HARSH and key not in judge(sibling.within(world, None), checks, mutation.config).findings():
            continue  # it would not stand beside a well-formed one either
        if not seen:
            wrong.append(f"{where}: {verdict.subject} is neither found nor unknown: {now.states(mutation.check)}")
        elif names_one_of(verdict, sibling.kind, world):
            wrong.append(f"{where}: the finding on {verdict.subject} is hidden")
        else:
            board.add("siblings")
    return wrong


@pytest.mark.parametrize("mutation", mutations(), ids=lambda one: f"{one.check}: {one.name}")
def test_a_finding_stands_beside_a_malformed_sibling(mutation: Mutation) -> None:
    world = World([], version=base(mutation.base).version, identity=base(mutation.base).identity)
    world.resources, world.usage = dict(base(mutation.base).resources), base(mutation.base).usage
    world.objects = copy.deepcopy(base(mutation.base).objects)
    mutation.change(world)
    every = cases(mutation, world)
    if not LONG:
        every = random.Random(f"{mutation.check} {mutation.name}").sample(every, min(len(every), TRIES))
    plain = judge(world, frozenset({mutation.check}), mutation.config)
    assert plain.findings() or mutation.to not in FOUND
    assert [text for case in every for text in hidden(mutation, world, plain, case)] == []
