"""Prometheus and Pushgateway as processes of the tests: on loopback, on free ports, with folders of their own, ended and waited for."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

Found = TypeVar("Found")
NAMES = {"prometheus": ("prometheus",), "promtool": ("promtool",), "pushgateway": ("prometheus-pushgateway", "pushgateway")}


def program(name: str) -> str:
    """The path of a program; the test is skipped, and says so, where it is not installed."""
    for one in NAMES[name]:
        if found := shutil.which(one):
            return found
    pytest.skip(f"{NAMES[name][0]} is not installed (tests/publishing/install.sh)")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def until(ask: Callable[[], Found], what: str, seconds: float = 30) -> Found:
    """Ask until the answer is true."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            if found := ask():
                return found
        assert time.monotonic() < end, f"waited {seconds:g} s in vain for {what}"
        time.sleep(0.1)


@contextlib.contextmanager
def running(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose words go to a file."""
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def pushgateway(folder: Path, *arguments: str) -> Iterator[str]:
    """The address (host and port) of a running Pushgateway."""
    place = f"127.0.0.1:{free_port()}"
    kept = f"--persistence.file={folder / 'pushed'}"  # Debian's would else keep what it is given in a file of the system
    with running([program("pushgateway"), f"--web.listen-address={place}", kept, *arguments], folder):
        host, _, port = place.partition(":")
        until(lambda: socket.create_connection((host, int(port)), 1).close() or True, "the Pushgateway")
        yield place


@contextlib.contextmanager
def prometheus(folder: Path, gateway: str, rules: Path) -> Iterator[Prometheus]:
    """A running Prometheus that scrapes a Pushgateway every second."""
    place = f"127.0.0.1:{free_port()}"
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(rules)],
        "scrape_configs": [{"job_name": "pushgateway", "honor_labels": True, "static_configs": [{"targets": [gateway]}]}],
    }  # fmt: skip
    (folder / "prometheus.yaml").write_text(json.dumps(config))
    words = [f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={place}"]
    with running([program("prometheus"), *words], folder):
        server = Prometheus(f"http://{place}")
        until(lambda: server.text("/-/ready"), "Prometheus")
        yield server


class Prometheus:
    """Asks a running Prometheus."""

    def __init__(self, url: str) -> None:
        self.url = url

    def text(self, path: str) -> str:
        """An answer as it is."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url + path, timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def api(self, path: str, **query: str) -> Any:
        """The data of an answer of the API; a query that does not parse is an AssertionError that quotes it."""
        try:
            found = json.loads(self.text(f"/api/v1/{path}?{urllib.parse.urlencode(query)}"))
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{query}: {error.read().decode()}") from None
        return found["data"]

    def query(self, expression: str) -> list[Any]:
        """The series of an instant query."""
        series: list[Any] = self.api("query", query=expression)["result"]
        return series
