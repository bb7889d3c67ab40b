"""One control plane for all cluster tests of a session."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import image

from . import conforming
from .controlplane import ControlPlane
from .kind import KindCluster
from .live_cluster import LiveCluster

BUILD = Path(__file__).resolve().parents[1] / "controlplane" / "build.sh"
NOTHING_TO_BUILD_WITH = 3


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what needs the control plane, so that `-m "not cluster"` leaves it out."""
    for item in items:
        if "binaries" in getattr(item, "fixturenames", ()) or "control_plane" in getattr(item, "fixturenames", ()):
            item.add_marker("cluster")


@pytest.fixture(scope="session")
def binaries() -> Path:
    """The directory of the control plane's binaries, built now if they are not there yet (a quarter of an hour)."""
    done = subprocess.run([str(BUILD)], capture_output=True, text=True, check=False)
    if done.returncode == NOTHING_TO_BUILD_WITH:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    if done.returncode != 0:
        pytest.fail(f"{BUILD.name} ended with {done.returncode}:\n{done.stderr[-3000:]}", pytrace=False)
    return Path(done.stdout.strip().splitlines()[-1])


def started(request: pytest.FixtureRequest, directory: Path) -> ControlPlane | KindCluster:
    if KindCluster.available():
        return KindCluster.start(directory)
    return ControlPlane.start(request.getfixturevalue("binaries"), directory)


@pytest.fixture(scope="session")
def control_plane(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane | KindCluster]:
    """A running cluster: kind where a container engine runs, else the control plane built from source."""
    cluster = started(request, tmp_path_factory.mktemp("cluster"))
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def conforming_cluster(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], LiveCluster]]:
    """The conforming clusters `multi_node` and `single_node`, each built when it is first asked for; tests leave them as they found them."""
    running: list[ControlPlane] = []

    @functools.cache
    def at(base: str) -> LiveCluster:
        running.append(ControlPlane.start(binaries, tmp_path_factory.mktemp(base)))
        made: LiveCluster = getattr(conforming, base)(running[-1])
        return made

    yield at
    for cluster in running:
        cluster.stop()


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's file tree."""
    try:
        image.bwrap()
        return image.tree(tmp_path_factory.mktemp("image"))
    except image.NotHere as error:
        pytest.skip(str(error))
