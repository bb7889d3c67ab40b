"""Faults × reads × clusters × pages: whatever goes wrong on the way, nothing passes that did not pass, nothing is lost and nothing leaks."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from exivity_audit.collect.connection import Connection
from tests.faults.audit import Run, audit
from tests.faults.catalogue import BLIND, BY_NAME, CANARY, KINDS, RECOVERS, VANISHES, Kind
from tests.faults.invariants import broken
from tests.faults.proxy import Fault, FaultProxy
from tests.faults.scoreboard import LONG, board
from tests.faults.variants import VARIANTS, backend

SIZES = (500, 500, 500, 7)
PLACES = 50 if LONG else 6  # places for each kind of fault
PAIRS = 500 if LONG else 40
MEASURES = ("combinations", "crash", "hang", "false pass", "score", "lost", "leak", "code")
Audit = Callable[..., Run]


@dataclass(frozen=True)
class Plain:
    """A cluster without faults: what comes of it, and what is asked (path → whether it is a list, and of how many pages)."""

    run: Run
    asked: dict[str, tuple[bool, int]]


_plain: dict[tuple[str, int, bool], Plain] = {}


@pytest.fixture
def plain(proxy: FaultProxy, connection: Callable[[], Connection]) -> Callable[[str, int, bool], Plain]:
    """The plain run of a variant, made once."""

    def make(variant: str, size: int, named: bool) -> Plain:
        key = (variant, size, named)
        if key not in _plain:
            proxy.begin(backend(variant, size))
            run = audit(connection(), **_names(named))
            pages: dict[str, set[str]] = {}
            lists = {one.path for one in proxy.asked if one.query.keys() & {"limit", "labelSelector", "fieldSelector"}}
            for one in proxy.asked:
                pages.setdefault(one.path, set()).add(one.query.get("continue", ""))
            _plain[key] = Plain(run, {path: (path in lists, len(tokens)) for path, tokens in sorted(pages.items())})
        return _plain[key]

    return make


def _names(named: bool) -> dict[str, Any]:
    return {} if named else {"namespace": None, "release": None}


def _fault(kind: Kind, path: str, generator: random.Random) -> Fault:
    page = 2 if kind.later else 1 if kind.effect == RECOVERS else generator.choice((0, 0, 1))
    return Fault(path, kind.spoil, page)


def _may_end(path: str, named: bool) -> bool:
    """Whether a fault at a path may leave nothing but a sentence: first contact, or where the release is looked for."""
    return (
        path == "/version"
        or path.endswith("/namespaces/exivity")
        or (not named and path.endswith(("/deployments", "/persistentvolumeclaims", "/api", "/apis")))
    )


def _try(
    proxy: FaultProxy, connection: Callable[[], Connection], plain: Plain, variant: str, size: int, named: bool, *faults: tuple[Kind, Fault]
) -> list[str]:
    """One combination on the board; what it broke, in words."""
    proxy.begin(backend(variant, size), *(fault for _, fault in faults))
    slow = any(kind.slow for kind, _ in faults)
    deadline = 4.0 if slow else 120.0
    run = audit(connection(), deadline=deadline, request_timeout=0.5 if slow else 20, **_names(named))
    effects = {kind.effect for kind, _ in faults}
    effect = VANISHES if VANISHES in effects else BLIND if len(faults) > 1 or BLIND in effects else RECOVERS
    found = list(broken(plain.run, run, effect, deadline=deadline, may_end=any(_may_end(fault.path, named) for _, fault in faults)))
    board.add("combinations")
    board.high("overrun", max(0.0, run.passed - deadline))
    for measure in MEASURES[1:]:
        board.add(measure, sum(1 for text in found if text.startswith(f"{measure}:")))
    where = " and ".join(f"{kind.name} at {fault.path} page {fault.page}" for kind, fault in faults)
    return [f"{variant}, pages of {size}: {where}: {text}" for text in found]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_fault_anywhere(kind: Kind, proxy: FaultProxy, connection: Callable[[], Connection], plain: Callable[[str, int, bool], Plain]) -> None:
    number = KINDS.index(kind)
    generator = random.Random(number)
    names = list(VARIANTS)
    said: list[str] = []
    for turn in range(PLACES):
        variant = names[(number + turn) % len(names)]
        size = 7 if kind.later or (number + turn) % 4 == 0 else 500
        named = (number + turn) % 5 != 0
        without = plain(variant, size, named)
        paths = [path for path, (is_list, pages) in without.asked.items() if (is_list or not kind.lists) and (pages > 1 or not kind.later)]
        if not paths:
            continue
        path = paths[(number * 31 + turn * 7) % len(paths)]
        said += _try(proxy, connection, without, variant, size, named, (kind, _fault(kind, path, generator)))
    assert said == []


@pytest.mark.parametrize("seed", range(PAIRS // 10))
def test_two_faults_at_once(seed: int, proxy: FaultProxy, connection: Callable[[], Connection], plain: Callable[[str, int, bool], Plain]) -> None:
    generator = random.Random(1000 + seed)
    said: list[str] = []
    for _ in range(10):
        variant, size = generator.choice(list(VARIANTS)), generator.choice(SIZES)
        without = plain(variant, size, True)
        lists = [path for path, (is_list, _) in without.asked.items() if is_list]
        kinds = generator.sample([kind for kind in KINDS if not kind.later], 2)
        faults = [(kind, _fault(kind, generator.choice(lists), generator)) for kind in kinds]
        said += _try(proxy, connection, without, variant, size, True, *faults)
    assert said == []


@pytest.mark.parametrize(
    "name", ["403", "429 for ever, Retry-After 7200", "503 for ever", "hangs before the head", "reset before an answer", "HTML login page", "401"]
)
@pytest.mark.parametrize("variant", ["multi_node", "single_node", "not ready"])
def test_a_fault_everywhere(
    name: str, variant: str, proxy: FaultProxy, connection: Callable[[], Connection], plain: Callable[[str, int, bool], Plain]
) -> None:
    """Everything but the first contact."""
    kind, without = BY_NAME[name], plain(variant, 500, True)
    faults = [(kind, Fault(path, kind.spoil)) for path in without.asked if path not in ("/version", "/api", "/apis")]
    assert _try(proxy, connection, without, variant, 500, True, *faults) == []


@pytest.mark.parametrize("hours", [-1, 1, -24 * 365 * 30, 24 * 365 * 50])
@pytest.mark.parametrize("variant", list(VARIANTS))
def test_a_clock_that_is_wrong(
    variant: str, hours: int, proxy: FaultProxy, connection: Callable[[], Connection], plain: Callable[[str, int, bool], Plain]
) -> None:
    """The server's clock is what ages are measured by: an hour off changes nothing, decades break nothing."""
    without = plain(variant, 500, True)
    proxy.begin(backend(variant, 500), skew=timedelta(hours=hours))
    run = audit(connection())
    board.add("combinations")
    said = list(broken(without.run, run, RECOVERS if abs(hours) == 1 else VANISHES, deadline=120, may_end=False))
    assert said == []


def test_the_matrix_has_teeth(proxy: FaultProxy, connection: Callable[[], Connection], plain: Callable[[str, int, bool], Plain]) -> None:
    """Each invariant tells when it is broken: a run beside another cluster's, with a canary, too late, with a code that does not fit."""
    ready, flawed = plain("multi_node", 500, True).run, plain("flawed", 500, True).run
    assert sum(1 for status in flawed.statuses.values() if status == "fail") >= 25
    said = " ".join(broken(flawed, ready, BLIND, deadline=120, may_end=False))
    assert "false pass:" in said
    assert "score:" in said
    assert "lost:" in " ".join(broken(ready, flawed, RECOVERS, deadline=120, may_end=False))
    assert "hang:" in " ".join(broken(ready, ready, BLIND, deadline=ready.passed - 6, may_end=False))
    worse = replace(ready, texts={"json": json.dumps(CANARY)}, code=0, longest=31)
    assert {text.partition(":")[0] for text in broken(ready, worse, BLIND, deadline=120, may_end=False)} == {"leak", "code", "hang"}
    assert list(broken(ready, replace(ready, card=None, said=""), BLIND, deadline=120, may_end=False))
