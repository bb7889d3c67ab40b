"""What an audit may ask where no operator is installed, beside hundreds of claims and volumes of others: counted in the API server's own audit log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import filling, product
from tests.bench.audit_log import AuditLog, Request
from tests.bench.plane import ACCOUNT, BenchPlane

from .auditing import run
from .controlplane import chart_path

pytestmark = pytest.mark.skipif(chart_path() is None, reason="the Exivity chart is not there")

REQUESTS = 60


@pytest.fixture(scope="module")
def plane(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BenchPlane]:
    """The vendor's values for several nodes, a few nodes, 500 claims of others with their volumes, no operator's API."""
    plane = BenchPlane.start(binaries, tmp_path_factory.mktemp("budget"))
    filling.nodes_and_class(plane, nodes=6)
    product.plain(plane)
    filling.surroundings(plane, namespaces=10)
    yield plane
    plane.stop()


@pytest.fixture
def asked(plane: BenchPlane, tmp_path: Path) -> list[Request]:
    """What one audit asked."""
    log = AuditLog(plane.audit_log, ACCOUNT)
    account = plane.account(tmp_path / "kubeconfig")
    log.mark()
    done = run(plane, kubeconfig=account, folder=tmp_path)
    assert done.code == 1, done.errors
    return log.requests()


def test_without_operators_it_asks_sixty_times_at_most(asked: list[Request]) -> None:
    assert 20 < len(asked) <= REQUESTS, "\n".join(request.path for request in asked)
    assert not any(request.writes for request in asked)


def test_nothing_is_asked_twice(asked: list[Request]) -> None:
    paths = [request.path for request in asked if request.verb in ("get", "list")]
    assert sorted(paths) == sorted(set(paths))
