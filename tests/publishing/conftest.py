"""What the tests of publishing share: an authority, servers with scripted answers, and a finished run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exivity_audit.publishing import sender
from exivity_audit.publishing.destination import Finished
from tests.collect.fake_server import FakeServer, Pair, make_pair
from tests.reports import sample_scorecard as sample


@pytest.fixture(scope="session")
def authority() -> Pair:
    """A certificate authority."""
    return make_pair("authority", authority=True)


@pytest.fixture(scope="session")
def server_pair(authority: Pair) -> Pair:
    """A server certificate for 127.0.0.1."""
    return make_pair("server", authority, hosts=("127.0.0.1",))


@pytest.fixture
def server(server_pair: Pair, tmp_path: Path) -> Iterator[FakeServer]:
    """A running HTTPS server that knows nothing yet."""
    fake = FakeServer(server_pair)
    with fake.running(tmp_path):
        yield fake


@pytest.fixture
def ca_file(authority: Pair, tmp_path: Path) -> Path:
    """The authority, as a file."""
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.certificate)
    return path


@pytest.fixture
def finished() -> Finished:
    """A run whose cluster is not ready."""
    return Finished(sample.not_ready(), sample.run_info())


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials or proxies but a test's own."""
    import os

    for name in list(os.environ):
        if name.startswith(("AWS_", "EXIVITY_AUDIT_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between tries, noted and cut short."""
    asked: list[float] = []
    real: Callable[..., float] = sender.wait_before

    def wait(tries: int, said: float | None, chance: Callable[[], float]) -> float:
        asked.append(real(tries, said, chance))
        return 0.001

    monkeypatch.setattr(sender, "wait_before", wait)
    return asked
