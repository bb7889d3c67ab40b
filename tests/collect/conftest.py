"""What the tests of `collect/` share: an authority, a server certificate, a running server and a transport to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.collect.connection import Connection, connect
from exivity_audit.collect.transport import Deadline, Transport
from tests.collect.fake_server import VERSION, FakeServer, Pair, make_pair, reply, write_kubeconfig


@pytest.fixture(scope="session")
def authority() -> Pair:
    """A certificate authority."""
    return make_pair("authority", authority=True)


@pytest.fixture(scope="session")
def server_pair(authority: Pair) -> Pair:
    """A certificate of the server, for 127.0.0.1 and api.example."""
    return make_pair("server", authority, hosts=("127.0.0.1", "api.example"))


@pytest.fixture
def server(server_pair: Pair, tmp_path: Path) -> Iterator[FakeServer]:
    """A running server that knows /version."""
    fake = FakeServer(server_pair)
    fake.route("/version", reply(VERSION))
    with fake.running(tmp_path):
        yield fake


@pytest.fixture
def link(authority: Pair, tmp_path: Path) -> Callable[..., Connection]:
    """Make a connection to a URL from a kubeconfig written for it; an empty environment."""

    def make(
        url: str, trusted: bytes | None = authority.certificate, *, user: dict[str, Any] | None = None, insecure: bool = False, **cluster: Any
    ) -> Connection:
        path = write_kubeconfig(tmp_path / "config", url, trusted, user={"token": "CANARY-token"} if user is None else user, **cluster)
        return connect(kubeconfig=path, insecure=insecure, environment={}, home=tmp_path)

    return make


class Trial(Transport):
    """A transport that notes its sleeps instead of sleeping."""

    slept: list[float]


@pytest.fixture
def transport(server: FakeServer, link: Callable[..., Connection]) -> Iterator[Callable[..., Trial]]:
    """Make transports to the server that note their sleeps in `slept`; closed at the end."""
    made: list[Transport] = []

    def make(connection: Connection | None = None, *, seconds: float = 20, **named: Any) -> Trial:
        slept: list[float] = []
        trial = Trial(connection or link(server.url), deadline=Deadline(seconds), sleep=slept.append, **named)
        trial.slept = slept
        made.append(trial)
        return trial

    yield make
    for one in made:
        one.close()
