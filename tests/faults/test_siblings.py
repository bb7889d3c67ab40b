"""One bad object never hides its siblings: each finding stands beside a malformed object of the same kind, and no pass turns into a failure by it."""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass
from functools import cache

import pytest

from exivity_audit.config import Config, thresholds_of
from exivity_audit.evaluate import prepared_sites, verdicts_at
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.selection import reads_needed
from exivity_audit.snapshot import SiteSnapshot, run_now
from exivity_audit.verdict import Status, Verdict
from tests import builders
from tests.faults.scoreboard import LONG, board
from tests.faults.siblings import HARSH, Sibling, beside, fields_of, in_place, itself, key_of, kind_of, reads_of, ways_of
from tests.judging import site_of, snapshot_of
from tests.mutation import Mutation
from tests.mutations import mutations
from tests.world import Object, World

PACK, LIFECYCLE = own_pack(), load_lifecycle(None)
FOUND = (Status.FAIL, Status.WARN)
LOUD = (Status.FAIL, Status.WARN, Status.UNKNOWN, Status.MANUAL)
# Where another object of the kind may be what decides: the finding may turn to unknown.
MAY_DECIDE = {
    "backups/target-available": "it may be the target that is missing",
    "secrets/app-key": "a revision may name the key", "secrets/jwt-secret": "a revision may name the secret",
}  # fmt: skip
CONFORMING = ("multi_node", "single_node", *(f"multi_node_{one}" for one in ("argo", "flux", "keda", "gateway", "openshift", "metallb")))
# Kinds of whose objects, under a name that no check asks for, nothing but the name is looked at.
BY_NAME_ALONE = {
    "storage.k8s.io/v1/CSIDriver": "a driver is there or not",
    "longhorn.io/v1beta2/Setting": "the value is kept of those alone that are asked for by name, and any text is one",
}  # fmt: skip
# Where what is malformed was passed by on evidence of another place, which the verdict names.
SILENT = {
    "pvc_sizes/explicit": "where no values are seen, sizes that differ from the chart's are the proof",
    "upgrades/restore-switch": "the hooks of the last sync show it, whatever the values say",
    "rabbitmq/persistence": "the claims that the broker's pods mount show it",
}
# Where a finding is on values that are the same: a Secret that holds none is well-formed, and these checks say that its value is missing.
EMPTY = {("secrets/distinct", "v1/Secret"): frozenset({"secrets/app-key", "secrets/jwt-secret", "secrets/postgresql-password"})}
BESIDE = 2  # at most, malformed siblings of each mutation in the short run; of every third one its own object is malformed too


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
        words = sibling.name, str(sibling.item["kind"])
        every = ((check, one) for check, found in self.verdicts.items() for one in found if one.status is Status.UNKNOWN)
        return [check for check, one in every if any(word in f"{one.subject} {one.why} {one.needs}" for word in words)]

    def named(self, sibling: Sibling) -> bool:
        """Whether the report names the malformed object: by a verdict of its own, or among what a verdict rests on."""
        seen = (place for found in self.verdicts.values() for one in found for place in one.evidence if place.read == "malformed")
        return bool(self.unknowns(sibling)) or any(str(word) in str(place.object) for place in seen for word in (sibling.name, sibling.item["kind"]))


def judge(world: World, checks: frozenset[str], config: Config) -> Judged:
    """Some checks, with the reads that they ask for alone, and nothing of what a report adds to their verdicts."""
    site: SiteSnapshot = site_of(world, namespace="exivity", release="exivity", wanted=reads_needed(PACK, checks))
    thresholds, snapshot = thresholds_of(config, PACK.thresholds, None), snapshot_of(site)
    used, sites = prepared_sites(snapshot, PACK, config, thresholds=thresholds, lifecycle=LIFECYCLE, now=run_now(snapshot))
    found = {check.id: verdicts_at(check, sites, used) for check in PACK.checks if check.id in checks}
    return Judged(found, sum(len(record.objects) for record in site.reads))


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
        found += [(beside(item), way, False) for way in (*ways_of(item), *fields)]
        found += [(sibling, way, False) for sibling in list(in_place(world, item, touched))[:3] for way in (*ways_of(item), *fields)]
        found += [(itself(world, item), way, False) for way in (*HARSH, "labels", *fields)]
    found += [(beside(item), way, True) for item in gone for way in HARSH]
    return found


def names_one_of(verdict: Verdict, kind: str, world: World) -> bool:
    """Whether a verdict is about an object of this kind that is there."""
    subject = verdict.subject
    if subject is None or not subject.kind.endswith(kind.rpartition("/")[2]):
        return False
    return any(kind_of(item) == kind and item["metadata"]["name"] == subject.name for item in world.objects)


def missing(sibling: Sibling, now: Judged) -> bool:
    """Whether a finding says that what a Secret should hold is missing."""
    found = (one for one in now.findings().values() if one.subject is not None and one.subject.name == sibling.name)
    return any(one.measured == "missing" for one in found)


def hidden(mutation: Mutation, world: World, plain: Judged, case: Case) -> list[str]:
    """What is wrong with the verdicts of the mutation's check where a malformed sibling stands by."""
    sibling, way, gone = case
    checks = frozenset({mutation.check})
    now = judge(sibling.within(world, way), checks, mutation.config)
    where = f"{mutation.check} ({mutation.name}), {sibling.kind} {sibling.name} {'beside' if sibling.place is None else 'itself' if sibling.own else 'in place'}, {way}"
    wrong = [f"{where}: {text}" for text in now.errors()]
    said, seen = now.findings(), now.unknowns(sibling)
    if sibling.own:
        every = now.verdicts[mutation.check]
        quiet = bool(plain.findings()) and not any(one.status in LOUD or one.follows for one in every) and mutation.check not in SILENT
        board.add("malformed findings", not quiet)
        return [*wrong, f"{where}: nothing says that it is odd: {now.states(mutation.check)}"] if quiet else wrong
    for key, verdict in plain.findings().items():
        if key in said and said[key].status is verdict.status:
            board.add("siblings")
            continue
        if sibling.place is not None and verdict.subject is not None and verdict.subject.name == sibling.name:
            continue  # it is the malformed one itself
        if not gone and way not in HARSH and key not in judge(sibling.within(world, None), checks, mutation.config).findings():
            continue  # it would not stand beside a well-formed one either
        others = EMPTY.get((mutation.check, sibling.kind)) if way == "spec" else None
        if others is not None and missing(sibling, judge(sibling.within(world, way), others, mutation.config)):
            board.add("siblings")
            continue
        if not seen and not (Status.UNKNOWN in now.states(mutation.check) and now.named(sibling)):
            wrong.append(f"{where}: {verdict.subject} is neither found nor unknown: {now.states(mutation.check)}")
        elif mutation.check not in MAY_DECIDE and names_one_of(verdict, sibling.kind, world):
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
        chance = random.Random(f"{mutation.check} {mutation.name}")
        beside_it, own = ([case for case in every if case[0].own is whose] for whose in (False, True))
        every = [
            *chance.sample(beside_it, min(len(beside_it), chance.randint(1, BESIDE))),
            *chance.sample(own, min(len(own), chance.randrange(3) == 0)),
        ]
    plain = judge(world, frozenset({mutation.check}), mutation.config)
    assert plain.findings() or mutation.to not in FOUND
    assert [text for case in every for text in hidden(mutation, world, plain, case)] == []


def asking(name: str) -> dict[str, frozenset[str]]:
    """The checks of the pack that look at each kind of a conforming cluster."""
    world = base(name)
    kinds = {kind_of(item) for item in world.objects}
    wanted = {check.id: reads_needed(PACK, frozenset({check.id})) for check in PACK.checks}
    return {kind: frozenset(check for check, reads in wanted.items() if reads_of(world, kind, reads)) for kind in sorted(kinds)}


def every_kind() -> list[tuple[str, str]]:
    """Every kind that a read lists, with the first conforming cluster that holds one."""
    found: dict[str, str] = {}
    for name in CONFORMING:
        for kind, checks in asking(name).items():
            if checks:
                found.setdefault(kind, name)
    return sorted((name, kind) for kind, name in found.items())


@pytest.mark.parametrize(("name", "kind"), every_kind(), ids=lambda text: text)
def test_a_malformed_sibling_fails_no_other(name: str, kind: str) -> None:
    """On a conforming cluster no pass turns into a finding on another object, and a malformed object that a check looks at is named."""
    world, checks, chance = base(name), asking(name)[kind], random.Random(kind)
    plain = judge(world, checks, Config())
    alike = [item for item in world.objects if kind_of(item) == kind]
    wanted = frozenset().union(*(reads_needed(PACK, frozenset({check})) for check in checks))
    ways = [*ways_of(alike[0]), *fields_of(reads_of(world, kind, wanted))]
    wrong = []
    for item in alike if LONG else [chance.choice(alike)]:
        sibling = beside(item)
        for way in ways if LONG else [chance.choice((*HARSH, *HARSH, *ways))]:
            now = judge(sibling.within(world, way), checks, Config())
            board.add("sibling kinds")
            wrong += [f"{way}: {text}" for text in now.errors()]
            fresh = [key for key, verdict in now.findings().items() if key not in plain.findings() and not about(verdict, sibling)]
            if fresh and way not in HARSH:
                known = judge(sibling.within(world, None), checks, Config()).findings()
                fresh = [key for key in fresh if key not in known]
            wrong += [f"{way}: a finding on another object: {key}" for key in fresh]
            looked = way in HARSH and not (way == "body" and kind in BY_NAME_ALONE)
            if looked and now.objects > plain.objects and not now.named(sibling):
                wrong.append(f"{way}: no verdict names the malformed {kind}")
    assert wrong == [], wrong


@pytest.mark.parametrize(("name", "kind"), every_kind(), ids=lambda text: text)
def test_two_that_have_no_name_are_one_subject(name: str, kind: str) -> None:
    """Nothing tells them apart, and no check says two verdicts on one subject."""
    world, checks = base(name), asking(name)[kind]
    sibling = beside(next(item for item in world.objects if kind_of(item) == kind))
    for way in ("metadata", "name"):
        now = judge(sibling.within(sibling.within(world, way), way), checks, Config())
        assert now.errors() == [], way


def about(verdict: Verdict, sibling: Sibling) -> bool:
    """Whether a verdict is about the malformed object itself."""
    return verdict.subject is not None and verdict.subject.name in (None, sibling.name)
