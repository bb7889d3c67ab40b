"""Objects that hold what their API does not say: every fact and check ends in a verdict, and a bad object hides no other."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

from exivity_audit.config import Config, thresholds_of
from exivity_audit.evaluate import Judgement, evaluate
from exivity_audit.exit_code import Limit, exit_code
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.score import scorecard
from exivity_audit.verdict import Status
from tests.builders import made
from tests.faults.mutants import ACTS, VALUES, Odd, changed, paths, value
from tests.faults.scoreboard import LONG, board
from tests.faults.variants import VARIANTS
from tests.judging import site_of, snapshot_of
from tests.world import World

PACK, LIFECYCLE = own_pack(), load_lifecycle(None)
THRESHOLDS = thresholds_of(Config(), PACK.thresholds, None)
BASES = [name for name in VARIANTS if name != "not ready"]
SPACE = made("v1", "Namespace", "exivity")
CHANGE = some.tuples(some.integers(0, 2**16), some.integers(0, 2**16), some.sampled_from(ACTS))


@cache
def odd(name: str) -> Odd:
    """A variant, ready to be changed."""
    return Odd(VARIANTS[name]())


def judge(world: World) -> Judgement:
    """Collected, judged and scored as in a run where the release is named; a namespace that an odd name hides is put back."""
    world.objects = (
        [*world.objects, SPACE] if not any(item["metadata"].get("name") == "exivity" for item in world.all("Namespace")) else world.objects
    )
    site = site_of(world, namespace="exivity", release="exivity")
    found = evaluate(snapshot_of(site), PACK, Config(), thresholds=THRESHOLDS, lifecycle=LIFECYCLE)
    exit_code(scorecard(found), Limit())
    return found


def errors(judgement: Judgement) -> list[str]:
    """What broke."""
    return [f"{one.check.id}: {verdict.why}" for one in judgement.outcomes for verdict in one.verdicts if verdict.status is Status.ERROR]


@settings(
    max_examples=2500 if LONG else 60, deadline=None, derandomize=not LONG, database=None, print_blob=True,
    suppress_health_check=list(HealthCheck), phases=(Phase.generate, Phase.shrink),
)  # fmt: skip
@given(base=some.sampled_from(BASES), changes=some.lists(CHANGE, min_size=1, max_size=8))
def test_a_few_odd_objects(base: str, changes: list[tuple[int, int, object]]) -> None:
    found = judge(odd(base).with_changes(changes))
    board.add("objects", len(changes))
    broken = errors(found)
    board.add("uncaught", len(broken))
    assert broken == []
    assert len(found.outcomes) == len(PACK.checks)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("seed", range(150 if LONG else 2))
def test_many_odd_objects(base: str, seed: int) -> None:
    """Half of all objects odd at once: what a shrinking search is too slow for; a failure names its seed."""
    world, generator = odd(base), random.Random(f"{base}{seed}")
    changes = [(generator.randrange(2**16), generator.randrange(2**16), generator.choice(ACTS)) for _ in range(world.size // 2)]
    broken = errors(judge(world.with_changes(changes)))
    board.add("objects", len(changes))
    board.add("uncaught", len(broken))
    assert broken == []


SPECIAL = (None, "text", 7, [], [None], {"malformed": "str"}, "1e999", "9999-12-31T23:59:59-12:00")
KINDS = sorted({f"{item['apiVersion']}/{item['kind']}" for item in VARIANTS["multi_node"]().objects})


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_kind(kind: str) -> None:
    """Each field of one object of each kind in turn; in the long run with one odd value in twenty, else with one in turn."""
    world = VARIANTS["multi_node"]()
    number = next(index for index, item in enumerate(world.objects) if f"{item['apiVersion']}/{item['kind']}" == kind)
    original, broken = world.objects[number], []
    known = list(paths(original))
    few = known if LONG else random.Random(kind).sample(known, min(len(known), 4))
    shared = World([])
    shared.resources, shared.usage = world.resources, world.usage
    for turn, path in enumerate(few):
        for act in range(len(VALUES))[turn % 20 :: 20] if LONG else [turn * 13 % len(VALUES)]:
            shared.objects = list(world.objects)
            shared.objects[number] = changed(original, path, act)
            if not isinstance(shared.objects[number]["metadata"], dict):
                continue
            board.add("objects")
            broken += [f"{'.'.join(map(str, path))} = {str(value(act))[:40]!r}: {text}" for text in errors(judge(shared))]
    board.add("uncaught", len(broken))
    assert broken == []


LISTED = (
    "apps/v1/Deployment",
    "v1/PersistentVolumeClaim",
    "v1/Node",
    "v1/Pod",
    "v1/Service",
    "storage.k8s.io/v1/StorageClass",
    "longhorn.io/v1beta2/Volume",
    "v1/PersistentVolume",
)


@pytest.mark.parametrize("kind", LISTED)
@pytest.mark.parametrize("way", ["metadata", "spec", "labels"])
def test_a_bad_object_hides_no_sibling(kind: str, way: str) -> None:
    """In a cluster full of findings one more object is malformed: each finding on another object is still there."""
    plain = judge(VARIANTS["flawed"]())
    world = VARIANTS["flawed"]()
    first = next(item for item in world.objects if f"{item['apiVersion']}/{item['kind']}" == kind)
    bad = changed(first, ("metadata", "name"), 0)
    bad["metadata"]["name"] = "zz-odd"
    if way == "metadata":
        bad["metadata"]["name"] = None
    elif way == "spec":
        bad["spec"] = bad["status"] = "text"
    else:
        bad["metadata"]["labels"] = {"app": 3}
    odd_free = list(world.objects)
    world.objects.append(bad)
    found = judge(world)
    assert errors(found) == []
    now = {(one.check.id, str(verdict.subject)): verdict.status for one in found.outcomes for verdict in one.verdicts}
    ours = {one.check.id: one.status for one in found.outcomes}
    for one in plain.outcomes:
        for verdict in one.verdicts:
            if verdict.status not in (Status.FAIL, Status.WARN):
                continue
            status = now.get((one.check.id, str(verdict.subject)))
            if status is not verdict.status:
                assert ours[one.check.id] in (Status.UNKNOWN, Status.FAIL, Status.WARN), f"{one.check.id} {verdict.subject} is {ours[one.check.id]}"
            there = (
                any((item["kind"], item["metadata"]["name"]) == (verdict.subject.kind, verdict.subject.name) for item in odd_free)
                if verdict.subject
                else False
            )
            if there and verdict.subject is not None and verdict.subject.kind == kind.rpartition("/")[2]:  # what is missing may be the odd one
                board.add("siblings")
                assert status is verdict.status, f"{one.check.id}: the finding on {verdict.subject} is hidden: {status}"
