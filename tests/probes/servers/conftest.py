"""Each server once a session; where Debian's packages are not there, the tests say that they were skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import builders
from tests.probes.servers import certificates, postgres, processes, rabbit

DATABASE_USERS = {
    "exivity": builders.DATABASE_PASSWORD, "watcher_monitor": "wM5-watcher-of-tests-88", "refused": "rF5-refused-of-tests-1",
    "encrypted": "eN5-encrypted-of-tests-2", "clear": "cL5-clear-of-tests-3",
}  # fmt: skip
BROKER_USERS = {"exivity-app": builders.BROKER_PASSWORD, "watcher_monitor": "wM6-watcher-of-tests-77", "untagged": "uT6-untagged-of-tests-66"}


@pytest.fixture(scope="session")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests' authority."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    path.write_text(certificates.authority())
    return path


@pytest.fixture(scope="session")
def database() -> Iterator[postgres.Postgres]:
    """A primary with TLS."""
    binaries = postgres.programs()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed here (tests/probes/install.sh), or it cannot be run as its user")
    with processes.folder(postgres.ACCOUNT) as folder:
        made = postgres.primary(binaries, folder, DATABASE_USERS)
        try:
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="session")
def standby(database: postgres.Postgres) -> Iterator[postgres.Postgres]:
    """A standby that streams from it."""
    with processes.folder(postgres.ACCOUNT) as folder:
        made = postgres.standby(database, folder)
        try:
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="session")
def broker() -> Iterator[rabbit.Rabbit]:
    """A broker with TLS, and its management API."""
    if not rabbit.available():
        pytest.skip("no RabbitMQ server is installed here (tests/probes/install.sh), or it cannot be run as its user")
    with processes.folder(rabbit.ACCOUNT) as folder:
        made = rabbit.broker(folder, BROKER_USERS)
        try:
            yield made
        finally:
            made.stop()
