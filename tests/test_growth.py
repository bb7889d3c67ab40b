"""Judging costs what it looks at: twice the objects are at most twice the lines of code that run, for each kind by itself and for all together.

Counted are the lines of the engine and of the checks that are executed, and the calls they make, never seconds: the numbers are the same on
every machine. A check that holds each pod against each Service, or each node against each other node, runs four times as many.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import exivity_audit
from exivity_audit.check import Check
from exivity_audit.config import Config, thresholds_of
from exivity_audit.evaluate import evaluate
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.snapshot import Snapshot
from tests import builders
from tests.growing import APART, KINDS, grown
from tests.judging import site_of, snapshot_of
from tests.world import World

OWN = (str(Path(exivity_audit.__file__).parent), str(Path(own_pack().checks[0].place).parents[1]))
SLACK = 1.25
"""The second half may cost a quarter more than the first: a small cluster has fewer candidates than the five that are looked at."""
Base = Callable[[], World]
SMALL = 2_000  # lines in which nothing is to be seen yet


class Counter:
    """Counts executed lines of our code by the check that is judged; what no check asked for counts under the empty name."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self._check = ""

    @contextmanager
    def around(self, check: Check) -> Iterator[None]:
        self._check = check.id
        yield
        self._check = ""

    def _called(self, frame: FrameType, event: str, argument: Any) -> Any:
        self.lines[self._check] = self.lines.get(self._check, 0) + 1
        return self._line if frame.f_code.co_filename.startswith(OWN) else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        self.lines[self._check] = self.lines.get(self._check, 0) + 1
        return self._line

    def judge(self, snapshot: Snapshot) -> None:
        pack, lifecycle = own_pack(), load_lifecycle(None)
        thresholds = thresholds_of(Config(), pack.thresholds, None)
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            evaluate(snapshot, pack, Config(), thresholds=thresholds, lifecycle=lifecycle, around=self.around)
        finally:
            sys.settrace(before)


@lru_cache(maxsize=8)
def plain(base: Base = builders.multi_node) -> dict[str, int]:
    """Lines for a conforming cluster as it is."""
    return lines(base)


def lines(base: Base = builders.multi_node, **counts: int) -> dict[str, int]:
    """Lines by check for a cluster with so many more objects."""
    counter = Counter()
    counter.judge(snapshot_of(site_of(grown(base, **counts))))
    return counter.lines


def too_many(base: dict[str, int], some: dict[str, int], twice: dict[str, int]) -> dict[str, tuple[int, int]]:
    """What the first and the second half of the objects cost, by check, where the second costs more."""
    halves = {name: (some.get(name, 0) - base.get(name, 0), twice[name] - some.get(name, 0)) for name in twice}
    return {name: half for name, half in halves.items() if half[1] > SLACK * max(half[0], SMALL)}


@pytest.mark.parametrize(("kind", "count"), [("pods", 80), ("claims", 40), ("nodes", 80), ("services", 40), ("ingresses", 40), ("rules", 40)])
def test_twice_the_objects_cost_twice_the_lines(kind: str, count: int) -> None:
    assert kind in KINDS
    some, twice = lines(**{kind: count}), lines(**{kind: 2 * count})
    assert sum(twice.values()) > sum(plain().values()) + 5 * count, "they are looked at"
    assert too_many(plain(), some, twice) == {}


@pytest.mark.parametrize(("kind", "count"), [("local_volumes", 80), ("velero", 60), ("routes", 40), ("applications", 40)])
def test_twice_the_objects_of_another_cluster_cost_twice_the_lines(kind: str, count: int) -> None:
    base = APART[kind][0]
    some, twice = lines(base, **{kind: count}), lines(base, **{kind: 2 * count})
    assert sum(twice.values()) > sum(plain(base).values()) + 5 * count, "they are looked at"
    assert too_many(plain(base), some, twice) == {}


def test_every_kind_is_counted() -> None:
    counted = {kind for test in (test_twice_the_objects_cost_twice_the_lines, test_twice_the_objects_of_another_cluster_cost_twice_the_lines)
               for mark in test.pytestmark for kind, _ in mark.args[1]}  # type: ignore[attr-defined] # fmt: skip
    assert counted == {*KINDS, *APART}


@pytest.mark.parametrize(("base", "kinds"), [(builders.multi_node, (*KINDS,)), (builders.single_node, ("local_volumes", "velero"))])
def test_kinds_are_not_held_against_each_other(base: Base, kinds: tuple[str, ...]) -> None:
    some, twice = lines(base, **dict.fromkeys(kinds, 15)), lines(base, **dict.fromkeys(kinds, 30))
    assert too_many(plain(base), some, twice) == {}


def test_the_count_finds_what_is_held_against_each_other() -> None:
    """The measure itself: a join of all with all stands out, one by name does not."""
    assert too_many({"a": 100}, {"a": 100 + 80 * 80}, {"a": 100 + 160 * 160}) == {"a": (6400, 19200)}
    assert too_many({"a": 100}, {"a": 100 + 80 * 50}, {"a": 100 + 160 * 50}) == {}
