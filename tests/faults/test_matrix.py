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
from exivity_audit.verdict import Status
from tests.faults.audit import Run, audit
from tests.faults.catalogue import BLIND, BY_NAME, CANARY, KINDS, RECOVERS, SPEC_NULL, VANISHES, Kind
from tests.faults.invariants import broken
from tests.faults.proxy import Fault, FaultProxy
from tests.faults.scoreboard import LONG, board
from tests.faults.variants import VARIANTS, backend

SIZES = (500, 500, 500, 7)
PLACES = 50 if LONG else 6  # places for each kind of fault
PAIRS = 500 if LONG else 40
MEASURES = ("crash", "hang", "false pass", "score", "lost", "leak", "code")
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
    effects = {kind.effect_at(fault.path, plain.asked[fault.path][0]) for kind, fault in faults}
    effect = VANISHES if VANISHES in effects else BLIND if len(faults) > 1 or BLIND in effects else RECOVERS
    found = _judged(plain, run, effect, deadline, may_end=any(_may_end(fault.path, named) for _, fault in faults))
    where = " and ".join(f"{kind.name} at {fault.path} page {fault.page}" for kind, fault in faults)
    return [f"{variant}, pages of {size}: {where}: {text}" for text in found]


def _judged(plain: Plain, run: Run, effect: str, deadline: float, *, may_end: bool) -> list[str]:
    """What a combination broke, on the board; of a run that ended with a sentence nothing is compared."""
    found = list(broken(plain.run, run, effect, deadline=deadline, may_end=may_end))
    board.add("combinations")
    board.add("no report" if run.card is None else "other clusters" if effect == VANISHES else "looked for passes")
    board.high("overrun", max(0.0, run.passed - deadline))
    for measure in MEASURES:
        board.add(measure, sum(1 for text in found if text.startswith(f"{measure}:")))
    return found


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
    assert _judged(without, run, RECOVERS if abs(hours) == 1 else VANISHES, 120, may_end=False) == []


@pytest.mark.parametrize("variant", list(VARIANTS) if LONG else ["flawed", "single_node"])
def test_a_list_that_is_not_found_is_not_seen(
    variant: str, proxy: FaultProxy, connection: Callable[[], Connection], plain: Callable[[str, int, bool], Plain]
) -> None:
    """A 404 on a list is no empty list and no absent API: it is judged as an answer that means nothing is, and what needs it is unknown."""
    without, unseen = plain(variant, 500, True), 0
    for number, path in enumerate(path for path, (is_list, _) in without.asked.items() if is_list):
        if not LONG and number % 7:
            continue
        runs = []
        for name in ("404", "418"):
            proxy.begin(backend(variant, 500), Fault(path, BY_NAME[name].spoil))
            runs.append(audit(connection()))
        assert _judged(without, runs[0], BLIND, 120, may_end=False) == [], path
        assert runs[0].verdicts == runs[1].verdicts, path
        unseen += sum(1 for key, status in runs[0].statuses.items() if status is Status.UNKNOWN and without.run.statuses[key] is not Status.UNKNOWN)
    assert unseen > 10


def test_only_one_object_may_be_said_not_to_be_there() -> None:
    genuine, objects = BY_NAME["404"], BY_NAME["every object gone"]
    for path in (
        "/api/v1/namespaces/exivity/secrets/x",
        "/api/v1/namespaces/exivity",
        "/apis/apps/v1/namespaces/exivity/deployments/x",
        "/apis/g/v1/kinds/x",
    ):
        assert genuine.effect_at(path, False) == VANISHES, path
        assert genuine.effect_at(path, True) == BLIND, path
    for path in (
        "/version",
        "/api",
        "/apis",
        "/api/v1",
        "/apis/apps/v1",
        "/api/v1/nodes",
        "/api/v1/namespaces/exivity/secrets",
        "/apis/g/v1/namespaces/a/kinds",
    ):
        assert genuine.effect_at(path, False) == BLIND, path
        assert objects.effect_at(path, True) == VANISHES, path


@pytest.mark.parametrize("variant", ["flawed", "not ready"])
def test_nothing_follows_from_a_spec_that_is_missing(
    variant: str, proxy: FaultProxy, connection: Callable[[], Connection], plain: Callable[[str, int, bool], Plain]
) -> None:
    kind, without = BY_NAME[SPEC_NULL], plain(variant, 500, True)
    paths = [path for path, (is_list, _) in without.asked.items() if is_list and kind.effect_at(path, True) == BLIND]
    assert len(paths) > 10
    assert [text for path in paths for text in _try(proxy, connection, without, variant, 500, True, (kind, Fault(path, kind.spoil)))] == []


def test_the_matrix_has_teeth(proxy: FaultProxy, connection: Callable[[], Connection], plain: Callable[[str, int, bool], Plain]) -> None:
    """Each invariant tells when it is broken: a run beside another cluster's, with a canary, too late, with a code that does not fit."""
    ready, flawed = plain("multi_node", 500, True).run, plain("flawed", 500, True).run
    assert sum(1 for status in flawed.statuses.values() if status == "fail") >= 25
    assert not [text for text in broken(flawed, ready, VANISHES, deadline=120, may_end=False) if text.startswith(("false pass:", "score:"))]
    said = " ".join(broken(flawed, ready, BLIND, deadline=120, may_end=False))
    assert "false pass:" in said
    assert "score:" in said
    assert "lost:" in " ".join(broken(ready, flawed, RECOVERS, deadline=120, may_end=False))
    assert "hang:" in " ".join(broken(ready, ready, BLIND, deadline=ready.passed - 6, may_end=False))
    worse = replace(ready, texts={"json": json.dumps(CANARY)}, code=0, longest=31)
    assert {text.partition(":")[0] for text in broken(ready, worse, BLIND, deadline=120, may_end=False)} == {"leak", "code", "hang"}
    assert list(broken(ready, replace(ready, card=None, said=""), BLIND, deadline=120, may_end=False))
