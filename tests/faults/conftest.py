"""What the fault suites share: a proxy with a certificate, connections to it, and the scoreboard at the end of the session."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.collect import tls
from exivity_audit.collect.connection import Connection
from exivity_audit.collect.credentials import Fixed
from tests.collect.fake_server import Pair, make_pair
from tests.faults import scoreboard
from tests.faults.catalogue import CANARY
from tests.faults.proxy import FaultProxy

PARTS = scoreboard.FOLDER / "parts"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin with an empty board, in the process that leads; a run in several sessions (``FAULTS_GO_ON``) adds to the one before."""
    if not hasattr(session.config, "workerinput"):
        if not os.environ.get("FAULTS_GO_ON"):
            shutil.rmtree(PARTS, ignore_errors=True)
        session.config.stash[_BEGAN] = time.monotonic()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave this process's figures behind."""
    if scoreboard.board.figures or scoreboard.board.seen:
        scoreboard.board.write(PARTS)


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """Print the board; a session of all suites keeps it for the document."""
    scoreboard.board.add("seconds", time.monotonic() - config.stash.get(_BEGAN, time.monotonic()))
    scoreboard.board.add("failed sessions", int(exitstatus != 0))
    ran = (report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, ()))
    scoreboard.board.distinct(scoreboard.SUITES, (report.nodeid.partition("::")[0].rpartition("/")[2] for report in ran))
    scoreboard.board.write(PARTS)
    found = scoreboard.gathered(PARTS)
    figures = found.totals()
    terminalreporter.section("scoreboard")
    terminalreporter.write_line(scoreboard.printed(figures, scoreboard.LONG))
    if not config.option.keyword and {"combinations", "canaries", "distinct objects", "kills"} <= set(figures):
        terminalreporter.write_line(f"  kept in {scoreboard.save(found).relative_to(scoreboard.ROOT)}")


_BEGAN: pytest.StashKey[float] = pytest.StashKey()


@pytest.fixture(scope="session")
def authority() -> Pair:
    """A certificate authority."""
    return make_pair("authority", authority=True)


@pytest.fixture(scope="session")
def proxy(authority: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultProxy]:
    """The fault proxy, running."""
    found = FaultProxy(make_pair("server", authority, hosts=("127.0.0.1",)))
    with found.running(tmp_path_factory.mktemp("proxy")):
        yield found


@pytest.fixture(scope="session")
def connection(authority: Pair, proxy: FaultProxy) -> Callable[[], Connection]:
    """Connections to the proxy, each with a token that must not be seen anywhere."""
    return lambda: Connection(server=proxy.url, ssl_context=tls.context(authority.certificate, insecure=False), credentials=Fixed(f"Bearer {CANARY}"))


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder with nothing in it."""
    found = tmp_path / "empty"
    found.mkdir()
    return found
