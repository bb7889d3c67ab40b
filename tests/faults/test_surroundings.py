"""What stands around a run: a small API server that throttles, other clocks and languages, and the ways to a server."""

from __future__ import annotations

import contextlib
import random
import select
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from exivity_audit.collect.connection import Connection
from exivity_audit.snapshot import encode
from tests.collect.fake_server import Asked, ConnectProxy, Pair, Reply, make_pair, write_kubeconfig
from tests.faults.audit import audit
from tests.faults.catalogue import RECOVERS, throttled
from tests.faults.command import Ran, command
from tests.faults.invariants import broken
from tests.faults.proxy import Backend, FaultProxy
from tests.faults.scoreboard import LONG, board
from tests.faults.test_interruptions import environment, words
from tests.faults.variants import VARIANTS, backend
from tests.judging import site_of, snapshot_of

MOST = 8  # requests in flight, until a server throttles
APF = (("X-Kubernetes-PF-FlowSchema-UID", "f1"), ("X-Kubernetes-PF-PriorityLevel-UID", "p1"))

# A small API server


@dataclass
class Small:
    """Serves few at once, each for a moment; who comes on top is told to come again."""

    backend: Backend
    room: int
    inside: int = 0
    peak: int = 0
    refused: int = 0
    later: int = 0  # peak since it has refused often

    def __post_init__(self) -> None:
        self.lock = threading.Lock()

    def __call__(self, asked: Asked) -> Reply:
        with self.lock:
            self.inside += 1
            self.peak = max(self.peak, self.inside)
            self.later = max(self.later, self.inside) if self.refused >= MOST else 0
            full = self.inside > self.room
            self.refused += full
        try:
            time.sleep(0.02)
            found = throttled("1") if full else self.backend(asked)
            return replace(found, headers=(*found.headers, *APF))
        finally:
            with self.lock:
                self.inside -= 1


@pytest.mark.parametrize("variant", list(VARIANTS) if LONG else ["multi_node"])
@pytest.mark.parametrize("room", [1, 2, 4, 100] if LONG else [1, 100])
def test_a_small_api_server(variant: str, room: int, proxy: FaultProxy, connection: Callable[[], Connection]) -> None:
    """At most eight in flight, fewer once it throttles, and the same verdicts as from a large one."""
    proxy.begin(backend(variant, 500))
    plain = audit(connection())
    server = Small(backend(variant, 500), room)
    proxy.begin(server)
    found = audit(connection(), deadline=600)
    board.high("in flight", server.peak)
    assert server.peak <= MOST
    if room < 4:
        assert server.refused
        assert server.later <= MOST // 2, "a refusal halves what is asked at once"
    assert server.refused < 60, "nobody who was refused asks at once again and again"
    assert list(broken(plain, found, RECOVERS, deadline=600, may_end=False)) == []


# Clocks and languages

ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati")
LANGUAGES = ("C", "de_DE.UTF-8", "ar_EG.UTF-8")
REPORTS = ("json", "html", "csv", "markdown", "table", "prometheus", "jsonl", "runbook", "fixes", "actions", "policyreport")


def test_the_same_bytes_everywhere(tmp_path: Path) -> None:
    """Each format of one snapshot, under every zone and language; one of them without any time zone data."""
    file = tmp_path / "s.json"
    file.write_bytes(encode(snapshot_of(site_of(VARIANTS["not ready"]()))))
    nowhere = tmp_path / "empty"
    nowhere.mkdir()
    first: dict[str, bytes] = {}
    every = [(zone, language) for zone in ZONES for language in LANGUAGES]
    for number, (zone, language) in enumerate(every if LONG else every[::2]):
        folder = tmp_path / str(number)
        folder.mkdir()
        surroundings = environment(tmp_path) | {"TZ": zone, "LANG": language, "LC_ALL": language}
        surroundings |= {"PYTHONTZPATH": "", "TZDIR": str(nowhere)} if number == 1 else {}
        flags = [word for name in REPORTS for word in ("-o", f"{name}={name}")]
        ran = subprocess.run(
            words("run", "--snapshot", "../s.json", "-q", *flags), cwd=folder, env=surroundings, capture_output=True, text=True, check=False
        )
        assert ran.returncode in (1, 3), ran.stderr
        found = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert set(found) == set(REPORTS)
        first = first or found
        assert [name for name in REPORTS if found[name] != first[name]] == [], (zone, language)
        board.add("places")


# Ways to a server

NAME = "api.corp.example"


@dataclass
class Tunnel(ConnectProxy):
    """A proxy that knows where a name really is."""

    port_behind: int = 0

    def address(self, host: str, port: int) -> tuple[str, int]:
        """Where it connects to."""
        return ("127.0.0.1", self.port_behind) if host == NAME else (host, port)


@contextlib.contextmanager
def forwarded(port: int, host: str = "127.0.0.1") -> Iterator[int]:
    """A port of another address that leads to a server, as ``kubectl port-forward`` makes one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family)

    def lead(client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", port)) as server, contextlib.suppress(OSError):
            while True:
                for ready in select.select([client, server], [], [], 30)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    (server if ready is client else client).sendall(data)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=lead, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture
def server(authority: Pair, tmp_path: Path) -> Iterator[FaultProxy]:
    """A server that is called as clusters are, with a certificate for that name alone."""
    found = FaultProxy(make_pair("server", authority, hosts=(NAME,)))
    with found.running(tmp_path):
        found.begin(backend("single_node", 500))
        yield found


def audited(config: Path, **variables: str) -> Ran:
    """A run with these variables, and whether it found its way on the board."""
    report = config.parent / "report.json"
    found = command(
        "run",
        "--kubeconfig",
        config,
        "-n",
        "exivity",
        "--release",
        "exivity",
        "-q",
        "--deadline",
        "20s",
        "-o",
        f"json={report}",
        environment=variables,
    )
    board.add("ways")
    board.add("ways failed", found.code not in (0, 1, 3) or not report.exists())
    return found


def test_a_proxy_of_the_environment(server: FaultProxy, authority: Pair, tmp_path: Path) -> None:
    config = write_kubeconfig(tmp_path / "config", f"https://{NAME}:6443", authority.certificate, user={"token": "token"})
    with Tunnel(port_behind=server.port).running() as way:
        found = audited(config, HTTPS_PROXY=f"http://user:secret7q@127.0.0.1:{way.port}")
        assert found.code in (0, 1, 3), found.errors
        assert set(way.targets) == {f"{NAME}:6443"}
        assert "Proxy-Authorization: Basic" in way.heads[0]
        assert "token" not in "".join(way.heads), "what is for the server is not for the proxy"
    assert server.asked
    assert "secret7q" not in found.text + (tmp_path / "report.json").read_text()


def test_a_server_that_no_proxy_excepts(server: FaultProxy, authority: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **named: real("127.0.0.1" if host == NAME else host, *rest, **named))
    config = write_kubeconfig(tmp_path / "config", f"https://{NAME}:{server.port}", authority.certificate, user={"token": "token"})
    with Tunnel(port_behind=server.port).running() as way:
        found = audited(config, HTTPS_PROXY=f"http://127.0.0.1:{way.port}", NO_PROXY="10.0.0.0/8, .corp.example")
        assert found.code in (0, 1, 3), found.errors
        assert way.targets == []
    assert server.asked


def test_a_socks_proxy_is_honoured_or_refused_in_a_sentence(server: FaultProxy, authority: Pair, tmp_path: Path) -> None:
    """Without the package that speaks SOCKS nothing goes out another way."""
    try:
        import socks  # noqa: F401
    except ImportError:
        pass
    else:
        pytest.skip("the package that speaks SOCKS is installed")
    board.add("ways")
    board.add("ways failed", 0)
    for named, variables in (({"proxy_url": "socks5://127.0.0.1:1"}, {}), ({}, {"HTTPS_PROXY": "socks5://127.0.0.1:1"})):
        config = write_kubeconfig(tmp_path / "config", f"https://{NAME}:{server.port}", authority.certificate, user={"token": "token"}, **named)
        found = command("run", "--kubeconfig", config, environment=variables)
        assert found.code == 2, found.errors
        assert "SOCKS" in found.errors
        assert "next:" in found.errors
    assert server.asked == []


def test_an_address_of_ipv6(authority: Pair, tmp_path: Path) -> None:
    server = FaultProxy(make_pair("server", authority, hosts=("::1",)))
    with server.running(tmp_path), forwarded(server.port, "::1") as port:
        server.begin(backend("single_node", 500))
        found = audited(write_kubeconfig(tmp_path / "config", f"https://[::1]:{port}", authority.certificate, user={"token": "token"}))
    assert found.code in (0, 1, 3), found.errors
    assert server.asked[0].header("host") == [f"[::1]:{port}"]


def test_a_name_that_tls_is_to_expect(server: FaultProxy, authority: Pair, tmp_path: Path) -> None:
    wrong = write_kubeconfig(tmp_path / "wrong", f"https://127.0.0.1:{server.port}", authority.certificate, user={"token": "token"})
    refused = command("run", "--kubeconfig", wrong)
    assert refused.code == 4, refused.errors
    assert server.asked == [], "no token goes to who has another name"
    config = write_kubeconfig(
        tmp_path / "config", f"https://127.0.0.1:{server.port}", authority.certificate, user={"token": "token"}, tls_server_name=NAME
    )
    found = audited(config)
    assert found.code in (0, 1, 3), found.errors


def test_a_forwarded_port_of_this_machine(server: FaultProxy, authority: Pair, tmp_path: Path) -> None:
    """It is reached past every proxy, and closed in the middle it costs what was not read."""
    with forwarded(server.port) as port, Tunnel().running() as way:
        config = write_kubeconfig(
            tmp_path / "config", f"https://127.0.0.1:{port}", authority.certificate, user={"token": "token"}, tls_server_name=NAME
        )
        found = audited(config, HTTPS_PROXY=f"http://127.0.0.1:{way.port}")
        assert found.code in (0, 1, 3), found.errors
        assert way.targets == []


# Pages


def test_random_page_cuts(proxy: FaultProxy, connection: Callable[[], Connection]) -> None:
    """Lists cut anywhere, pages that are empty, a token that expires on any of them, twice: each object once, or the list is not whole."""
    from exivity_audit.collect.transport import Deadline, Transport

    names = [f"pod-{number}" for number in range(40)]
    for seed in range(1000 if LONG else 150):
        generator = random.Random(seed)
        cuts = sorted(generator.choices(range(len(names) + 1), k=generator.randrange(1, 7)))
        pages = [names[first:last] for first, last in zip([0, *cuts], [*cuts, len(names)], strict=True)]
        gone = generator.randrange(3)
        proxy.begin(_Cut(pages, generator, gone))
        transport = Transport(connection(), deadline=Deadline(60), sleep=lambda seconds: None)
        listing = transport.list("/api/v1/pods", keep=lambda item: item["metadata"]["name"])  # type: ignore[index]
        transport.close()
        board.add("page cuts")
        wrong = listing.failure is None and list(listing.items) != names
        board.add("page cuts wrong", wrong)
        assert not wrong, (seed, listing.items)
        assert (listing.failure is None) == (gone < 2), "one expiry is made good, after the second the list is not whole"


class _Cut:
    """A list in given pages; the token of one of them has expired, so many times."""

    def __init__(self, pages: list[list[str]], generator: random.Random, gone: int) -> None:
        self.pages, self.left, self.at = pages, gone, generator.randrange(1, len(pages))
        self.fresh = generator.random() < 0.5

    def __call__(self, asked: Asked) -> Reply:
        from tests.collect.fake_server import page
        from tests.faults.catalogue import gone

        number = int(asked.query.get("continue", "0"))
        if number == self.at and self.left:
            self.left -= 1
            return gone(self.fresh)
        more = str(number + 1) if number + 1 < len(self.pages) else ""
        return page(self.pages[number], more, version=str(7 + self.left))
