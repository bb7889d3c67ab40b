"""Objects that hold what their API does not say: every fact and check ends in a verdict."""

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
from tests.faults.scoreboard import LONG, Scoreboard, board, merged
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
    return Odd(name, VARIANTS[name]())


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
    world = odd(base).with_changes(changes)
    board.distinct("distinct objects", odd(base).marks(world))
    found = judge(world)
    broken = errors(found)
    board.add("uncaught", len(broken))
    assert broken == []
    assert len(found.outcomes) == len(PACK.checks)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("turn", range(160 if LONG else 2))
def test_many_odd_objects(base: str, turn: int) -> None:
    """Half of all objects odd at once, one in eight in two places: what a shrinking search is too slow for; a failure names its turn."""
    generator = random.Random(f"{base}{turn}")
    twice = [(generator.randrange(2**16), generator.randrange(2**16), generator.choice(ACTS)) for _ in range(odd(base).size // 16)]
    world = odd(base).with_changes([*odd(base).half(turn), *twice])
    board.distinct("distinct objects", odd(base).marks(world))
    broken = errors(judge(world))
    board.add("uncaught", len(broken))
    assert broken == []


def test_only_what_a_change_changed_is_counted() -> None:
    """No change of an object comes twice, what leaves it as it was is not counted, and another turn brings other objects."""
    world = odd("single_node")
    assert world.marks(world.with_changes([])) == set()
    first, second, later = (world.half(turn) for turn in (0, 1, 2))
    assert sorted(number for number, _, _ in (*first, *second)) == list(range(world.size))
    assert not {*first, *second} & set(later)
    counted = world.marks(world.with_changes(first))
    assert len(first) * 0.9 < len(counted) <= len(first)
    assert world.marks(world.with_changes([*first, *later[:5]])) != counted
    again = Scoreboard()
    again.distinct("distinct objects", counted)
    again.distinct("distinct objects", [*counted, "another"])
    assert merged([again, again]).totals() == {"distinct objects": len(counted) + 1}


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
            board.distinct("distinct objects", odd("multi_node").marks(shared))
            broken += [f"{'.'.join(map(str, path))} = {str(value(act))[:40]!r}: {text}" for text in errors(judge(shared))]
    board.add("uncaught", len(broken))
    assert broken == []
