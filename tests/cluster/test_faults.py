"""Faults before the real API server: the same proxy and the same invariants as over a cluster in memory (tests/faults)."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exivity_audit.collect import tls
from exivity_audit.collect.connection import Connection
from exivity_audit.collect.credentials import Fixed
from tests.collect.fake_server import Pair, make_pair
from tests.faults.audit import Run, audit
from tests.faults.catalogue import BLIND, CANARY, KINDS, Kind
from tests.faults.invariants import broken
from tests.faults.proxy import Fault, FaultProxy, in_front_of
from tests.faults.scoreboard import FOLDER
from tests.world import NOW

from . import conforming
from .controlplane import ControlPlane, chart_path

pytestmark = pytest.mark.skipif(chart_path() is None, reason="the Exivity chart is not there")
# Of each family of faults some; pages and shapes that need a list cut small belong to the cluster in memory.
CHOSEN = [kind for kind in KINDS if not kind.later and kind.effect == BLIND][::2]
PLACES = 2
DONE: list[str] = []  # combinations, for the scoreboard


@pytest.fixture(scope="module")
def live(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FaultProxy, Callable[[], Connection]]]:
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
        (FOLDER / "live.json").write_text(json.dumps({"live combinations": len(DONE)}) + "\n")


@pytest.fixture(scope="module")
def plain(live: tuple[FaultProxy, Callable[[], Connection]]) -> tuple[Run, list[tuple[str, bool]]]:
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


@pytest.mark.parametrize("kind", CHOSEN, ids=lambda kind: kind.name)
def test_a_fault_before_the_real_server(
    kind: Kind, live: tuple[FaultProxy, Callable[[], Connection]], plain: tuple[Run, list[tuple[str, bool]]]
) -> None:
    (proxy, connection), (without, asked) = live, plain
    generator = random.Random(kind.name)
    for path, _ in generator.sample([one for one in asked if one[1] or not kind.lists], PLACES):
        proxy.begin(proxy.backend, Fault(path, kind.spoil))
        deadline = 6.0 if kind.slow else 120.0
        run = audit(connection(), deadline=deadline, request_timeout=0.8 if kind.slow else 20, now=NOW)
        DONE.append(path)
        may_end = path.endswith("/namespaces/exivity")
        assert list(broken(without, run, kind.effect, deadline=deadline, may_end=may_end)) == [], path
