"""Faults before the real API server: the same proxy and the same invariants as over a cluster in memory (tests/faults)."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exivity_audit.collect import tls
from exivity_audit.collect.connection import Connection
from exivity_audit.collect.credentials import Fixed
from tests.collect.fake_server import Pair, make_pair
from tests.faults.audit import Run, audit
from tests.faults.catalogue import BLIND, BY_NAME, CANARY, KINDS, RECOVERS, VANISHES, Kind, gone
from tests.faults.invariants import broken
from tests.faults.proxy import Fault, FaultProxy, in_front_of
from tests.faults.scoreboard import FOLDER
from tests.world import NOW

from . import conforming
from .controlplane import ControlPlane, chart_path

pytestmark = pytest.mark.skipif(chart_path() is None, reason="the Exivity chart is not there")
# Of each family of faults some; pages and shapes that need a list cut small belong to the cluster in memory.
CHOSEN = [kind for kind in KINDS if not kind.later and kind.effect == BLIND][::2]
# And what may mend itself, what the API itself says, and a log-in page: of each of these a few, by name.
NAMED = [BY_NAME[name] for name in ("404", "404 plain", "401", "401 once", "HTML login page", "bad UTF-8", "429 twice, Retry-After 1", "503 twice", "503 twice, Retry-After 1", "reset once",
                                    "closed once before an answer")]  # fmt: skip
PLACES, SMALL = 2, "5"  # places for each kind of fault; objects of a page where lists are cut
DONE: list[str] = []  # combinations, for the scoreboard
BROKEN: list[str] = []
Live = tuple[FaultProxy, Callable[[], Connection]]


@pytest.fixture(scope="module")
def live(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The proxy before a conforming single-node cluster, and connections to it."""
    folder = tmp_path_factory.mktemp("faults")
    cluster = ControlPlane.start(binaries, folder / "cluster")
    authority: Pair = make_pair("authority", authority=True)
    proxy = FaultProxy(make_pair("server", authority, hosts=("127.0.0.1",)))
    try:
        conforming.single_node(cluster)
        proxy.backend = in_front_of(cluster.server, cluster._context)
        with proxy.running(folder):
            yield (
                proxy,
                lambda: Connection(
                    server=proxy.url, ssl_context=tls.context(authority.certificate, insecure=False), credentials=Fixed(f"Bearer {CANARY}")
                ),
            )
    finally:
        cluster.stop()
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / "live.json").write_text(json.dumps({"live combinations": len(DONE), "live broken": len(BROKEN)}) + "\n")


@pytest.fixture(scope="module")
def plain(live: Live) -> tuple[Run, list[tuple[str, bool]]]:
    """The run without a fault, and what it asked: path, and whether it is a list."""
    proxy, connection = live
    proxy.begin(proxy.backend)
    run = audit(connection(), now=NOW)
    lists = {one.path for one in proxy.asked if "limit" in one.query}
    return run, sorted({(one.path, one.path in lists) for one in proxy.asked if one.path != "/version"})


def test_without_a_fault_the_proxy_changes_nothing(plain: tuple[Run, list[tuple[str, bool]]]) -> None:
    run, asked = plain
    assert run.card is not None, run.said
    assert not [check for (check, _), status in run.statuses.items() if status in ("fail", "error")]
    assert len(asked) > 40


@pytest.mark.parametrize("kind", [*CHOSEN, *(kind for kind in NAMED if kind not in CHOSEN)], ids=lambda kind: kind.name)
def test_a_fault_before_the_real_server(kind: Kind, live: Live, plain: tuple[Run, list[tuple[str, bool]]]) -> None:
    without, asked = plain
    generator = random.Random(kind.name)
    for path, is_list in generator.sample([one for one in asked if one[1] or not kind.lists], PLACES):
        assert tried(live, without, Fault(path, kind.spoil), kind.effect_at(path, is_list), slow=kind.slow) == [], path


def test_what_the_real_server_says_is_gone_is_gone(live: Live, plain: tuple[Run, list[tuple[str, bool]]]) -> None:
    """A 404 for an object that was there: another cluster, judged whole. For a list: nothing is concluded from it."""
    (without, asked), kind = plain, BY_NAME["404"]
    objects = [path for path, is_list in asked if kind.effect_at(path, is_list) == VANISHES and not path.endswith("/namespaces/exivity")]
    lists = [path for path, is_list in asked if is_list]
    for path in (*objects[:3], *random.Random("lists").sample(lists, 3)):
        assert tried(live, without, Fault(path, kind.spoil), VANISHES if path in objects else BLIND) == [], path
    assert len(objects) >= 3


@pytest.fixture(scope="module")
def cut(live: Live) -> Iterator[tuple[Run, list[str]]]:
    """The real server's own pages of a few objects and its own tokens: the run without a fault, and the lists that have several pages."""
    proxy, connection = live
    whole = proxy.backend
    proxy.begin(lambda asked: whole(replace(asked, query=asked.query | {"limit": SMALL}) if "limit" in asked.query else asked))
    run = audit(connection(), now=NOW)
    yield run, sorted({one.path for one in proxy.asked if "continue" in one.query})
    proxy.begin(whole)


def test_pages_of_the_real_server_hide_nothing(cut: tuple[Run, list[str]], plain: tuple[Run, list[tuple[str, bool]]]) -> None:
    assert cut[0].verdicts == plain[0].verdicts
    assert len(cut[1]) >= 3


@pytest.mark.parametrize("fresh", [False, True], ids=["without a token", "with a fresh token"])
@pytest.mark.parametrize("times", [1, 99], ids=["once", "for ever"])
def test_a_later_page_that_expired(times: int, fresh: bool, live: Live, cut: tuple[Run, list[str]]) -> None:
    """410 once: the list is begun anew, and the verdicts are the same. For ever: nothing passes for it."""
    without, paged = cut
    for path in random.Random(f"{times} {fresh}").sample(paged, PLACES):
        left = [gone(fresh)] * times
        fault = Fault(path, lambda asked, genuine, before, left=left: left.pop() if left else None, page=2)
        assert tried(live, without, fault, RECOVERS if times == 1 else BLIND) == [], path
        assert len(left) < times, path


def tried(live: Live, without: Run, fault: Fault, effect: str, *, slow: bool = False) -> list[str]:
    """What a run with a fault broke; counted for the scoreboard."""
    proxy, connection = live
    proxy.begin(proxy.backend, fault)
    deadline = 6.0 if slow else 120.0
    run = audit(connection(), deadline=deadline, request_timeout=0.8 if slow else 20, now=NOW)
    found = list(broken(without, run, effect, deadline=deadline, may_end=fault.path.endswith("/namespaces/exivity")))
    DONE.append(fault.path)
    BROKEN.extend([fault.path] if found else [])
    return found
