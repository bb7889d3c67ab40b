"""The whole command where it cannot get in: TLS of eight kinds and more, plug-ins that fail, a log-in that ends half-way, servers that hang."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.collect import tls
from exivity_audit.collect.connection import Connection
from exivity_audit.collect.transport import Deadline, Transport
from tests.collect.fake_server import FakeServer, Pair, closed_port, make_pair, raw, silent_port, status, write_kubeconfig
from tests.faults.catalogue import BY_NAME, CANARY, SAID
from tests.faults.command import Ran, command
from tests.faults.proxy import Fault, FaultProxy
from tests.faults.scoreboard import board
from tests.faults.variants import backend

VERSION, AUTH = "/version", "client.authentication.k8s.io/v1"
TOKEN = {"token": CANARY}
MOST_QUEUED = 16  # connections that fill a queue of none: Linux takes one, others a few


def audited(config: Path, *words: str, deadline: float = 20) -> Ran:
    """A run with a report file beside its kubeconfig; what holds for every run is asserted here."""
    report = config.parent / "report.json"
    fast = ("--deadline", f"{deadline:g}s", "--request-timeout", "1s", "-n", "exivity", "--release", "exivity")
    found = command("run", "--kubeconfig", config, *fast, "-o", f"json={report}", *words)
    board.add("commands")
    late = max(0.0, found.seconds - deadline)
    board.high("overrun", late)
    leaked = CANARY in found.text or (report.exists() and CANARY in report.read_text())
    board.add("leak", leaked)
    board.add("hang", late > 5)
    crashed = "Traceback" in found.text or "a bug in this tool" in found.text
    board.add("crash", crashed)
    assert not leaked, found.text
    assert not crashed, found.errors
    assert late <= 5, found.seconds
    return found


def refused(found: Ran, said: str, code: int = 4) -> None:
    """No report, the sentence with a next step, and the code."""
    board.add("code", found.code != code)
    assert found.code == code, found.errors
    assert said in found.errors
    assert "next:" in found.errors
    assert found.output == ""


@contextmanager
def alerting(alert: bytes) -> Iterator[int]:
    """A port that answers the first words of TLS with an alert."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.recv(4096)
                client.sendall(alert)
                client.recv(4096)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextmanager
def full_port() -> Iterator[int]:
    """A port whose queue is full: the kernel leaves every further SYN unanswered, so that connect() itself hangs."""
    with ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(MOST_QUEUED):
            client = held.enter_context(socket.socket())
            client.settimeout(1)
            try:
                client.connect(("127.0.0.1", port))
            except TimeoutError:
                break
        else:
            pytest.skip("this kernel answers a connect to a full queue")
        yield port


# TLS

Server = Callable[[Pair], Pair | None]
HOST = ("127.0.0.1",)
CERTIFICATES: dict[str, tuple[Server, str]] = {
    "expired": (lambda ca: make_pair("s", ca, hosts=HOST, days=(-9, -2)), "has expired"),
    "not valid yet": (lambda ca: make_pair("s", ca, hosts=HOST, days=(2, 9)), "not valid yet"),
    "wrong host": (lambda ca: make_pair("s", ca, hosts=("other.example",)), "another host name"),
    "no host but the common name": (lambda ca: make_pair("127.0.0.1", ca), "host name"),
    "self-signed": (lambda ca: make_pair("s", hosts=HOST), "self-signed"),
    "unknown authority": (lambda ca: make_pair("s", make_pair("other", authority=True), hosts=HOST), "authority"),
    "no TLS at all": (lambda ca: None, "does not speak TLS"),
}


@pytest.mark.parametrize("name", list(CERTIFICATES))
def test_tls_that_does_not_hold(name: str, authority: Pair, tmp_path: Path) -> None:
    make, said = CERTIFICATES[name]
    server = FakeServer(make(authority))
    with server.running(tmp_path):
        config = write_kubeconfig(tmp_path / "config", f"https://127.0.0.1:{server.port}", authority.certificate, user=TOKEN)
        refused(audited(config), said)
    assert server.asked == [], "no request, and so no token, went out"


@pytest.mark.parametrize(
    ("alert", "said"),
    [
        (b"\x15\x03\x01\x00\x02\x02\x46", "no TLS version from 1.2 on"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "refuses the client certificate"),
        (b"\x15\x03", ""),
    ],
)
def test_tls_that_is_too_old_or_broken_off(alert: bytes, said: str, authority: Pair, tmp_path: Path) -> None:
    with alerting(alert) as port:
        refused(audited(write_kubeconfig(tmp_path / "config", f"https://127.0.0.1:{port}", authority.certificate, user=TOKEN)), said)


@pytest.mark.parametrize("content", [None, b"", b"not a certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_an_authority_that_is_none(content: bytes | None, proxy: FaultProxy, tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    if content is not None:
        file.write_bytes(content)
    proxy.begin(backend("single_node", 500))
    found = audited(write_kubeconfig(tmp_path / "config", proxy.url, user=TOKEN, certificate_authority=str(file)))
    assert found.code in (2, 4), found.errors
    refused(found, "certificate", found.code)
    assert proxy.asked == []


def test_an_insecure_run_says_so(authority: Pair, tmp_path: Path) -> None:
    server = FaultProxy(make_pair("s", hosts=("other.example",)))
    with server.running(tmp_path):
        server.begin(backend("single_node", 500))
        config = write_kubeconfig(tmp_path / "config", server.url, authority.certificate, user=TOKEN)
        found = audited(config, "--insecure-skip-tls-verify")
    assert found.code in (0, 3), found.errors
    assert "not verified" in found.output or "insecure" in found.output.lower()


# The log-in


def plugin(folder: Path, body: str) -> dict[str, Any]:
    """A user whose plug-in is this shell script."""
    file = folder / "plug-in"
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    return {"exec": {"apiVersion": AUTH, "command": str(file), "args": [f"--password={CANARY}"], "interactiveMode": "Never"}}


def credential(**named: str) -> str:
    """What a plug-in prints."""
    return json.dumps({"apiVersion": AUTH, "kind": "ExecCredential", "status": {"token": CANARY, **named}})


PLUGINS: dict[str, tuple[str, str]] = {
    "fails": (f"echo '{SAID}' >&2; exit 1", "exit code 1"),
    "fails after a credential": (f"echo '{credential()}'; exit 3", "exit code 3"),
    "is killed": ("kill -9 $$", "signal 9"),
    "prints garbage": (f"echo '{SAID}'", "not an ExecCredential"),
    "prints nothing": ("exit 0", "not an ExecCredential"),
    "prints another kind": (f'echo \'{{"kind": "Pod", "x": "{CANARY}"}}\'', "not an ExecCredential"),
    "prints bytes": ("printf '\\377\\376'", "not an ExecCredential"),
    "hands over what expired": (f"echo '{credential(expirationTimestamp='2020-01-01T00:00:00Z')}'", "already expired"),
    "hands over a broken stamp": (f"echo '{credential(expirationTimestamp=CANARY)}'", "not an ExecCredential"),
    "hands over a header": (f"echo '{credential(token=CANARY + ' x')}'", "not an ExecCredential"),
    "hands over half a certificate": (f"echo '{credential(clientCertificateData=CANARY)}'", "not an ExecCredential"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(PLUGINS))
def test_a_plug_in_that_fails(name: str, proxy: FaultProxy, authority: Pair, tmp_path: Path) -> None:
    body, said = PLUGINS[name]
    proxy.begin(backend("single_node", 500))
    refused(audited(write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user=plugin(tmp_path, body))), said)
    assert proxy.asked == [], "nobody went on anonymously"


def test_a_plug_in_that_is_not_there_or_wants_a_terminal(proxy: FaultProxy, authority: Pair, tmp_path: Path) -> None:
    proxy.begin(backend("single_node", 500))
    for changes, said in (
        ({"command": "no-such-plug-in", "installHint": f"get it{chr(27)}[31m"}, "not found"),
        ({"interactiveMode": "Always"}, "terminal"),
    ):
        user = plugin(tmp_path, "exit 1")
        user["exec"] |= changes
        refused(audited(write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user=user)), said)


def test_a_plug_in_that_hangs(proxy: FaultProxy, authority: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from exivity_audit.collect import exec_plugin

    monkeypatch.setattr(exec_plugin, "LONGEST_RUN", 1.0)
    proxy.begin(backend("single_node", 500))
    found = audited(write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user=plugin(tmp_path, f"echo {CANARY} >&2; sleep 60")))
    refused(found, "gave no answer within")
    assert found.seconds < 50


@pytest.mark.parametrize("way", ["plug-in", "token", "basic", "token file"])
@pytest.mark.parametrize("path", [VERSION, "/api/v1/nodes", "/apis/apps/v1/namespaces/exivity/deployments"])
def test_401_at_the_start_and_half_way(way: str, path: str, proxy: FaultProxy, authority: Pair, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(CANARY)
    runs = tmp_path / "runs"
    users: dict[str, dict[str, Any]] = {
        "plug-in": plugin(tmp_path, f"echo x >> {runs}; echo '{credential()}'"), "token": TOKEN, "token file": {"tokenFile": str(tmp_path / "token")},
        "basic": {"username": "joe", "password": CANARY},
    }  # fmt: skip
    proxy.begin(backend("single_node", 500), Fault(path, BY_NAME["401"].spoil))
    found = audited(write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user=users[way]))
    if way == "plug-in":
        assert runs.read_text().count("x") == 2, "it ran once more, and then nobody asked any more"
    if path == VERSION:
        refused(found, "credentials")
        return
    assert found.code == 3, found.errors
    assert (tmp_path / "report.json").exists()


def test_401_once_with_a_plug_in_is_mended(proxy: FaultProxy, authority: Pair, tmp_path: Path) -> None:
    proxy.begin(backend("single_node", 500))
    config = write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user=plugin(tmp_path, f"echo '{credential()}'"))
    plain = audited(config)
    once = json.loads((tmp_path / "report.json").read_text())
    proxy.begin(backend("single_node", 500), Fault("/api/v1/nodes", BY_NAME["401 once"].spoil))
    again = audited(config)
    assert (again.code, json.loads((tmp_path / "report.json").read_text())["rows"]) == (plain.code, once["rows"])


# Servers that hang, and what else may stand at the first contact


def test_nobody_there(authority: Pair, tmp_path: Path) -> None:
    refused(audited(write_kubeconfig(tmp_path / "config", f"https://127.0.0.1:{closed_port()}", authority.certificate, user=TOKEN)), "refused")
    refused(audited(write_kubeconfig(tmp_path / "config", "https://no-such-host.invalid:6443", authority.certificate, user=TOKEN)), "name")


def test_a_server_that_accepts_and_says_nothing(authority: Pair, tmp_path: Path) -> None:
    with silent_port() as port:
        refused(audited(write_kubeconfig(tmp_path / "config", f"https://127.0.0.1:{port}", authority.certificate, user=TOKEN), deadline=3), "")


def test_a_connect_that_nobody_answers(authority: Pair, tmp_path: Path) -> None:
    """The limit on connecting ends it, long before that of an answer, and it is not tried again."""
    trusted = tls.context(authority.certificate, insecure=False)
    with full_port() as port:
        server = f"https://127.0.0.1:{port}"
        config = write_kubeconfig(tmp_path / "config", server, authority.certificate, user=TOKEN)
        refused(audited(config, "--request-timeout", "90s", deadline=60), "no connection to the server came about in time")
        transport = Transport(Connection(server=server, ssl_context=trusted), deadline=Deadline(60), request_timeout=90, connect_timeout=0.2)
        try:
            found = transport.get("/api/v1/nodes")
        finally:
            transport.close()
    assert found.failure is not None
    assert (found.failure.kind, found.failure.reason) == ("timeout", "no connection to the server came about in time")
    assert (transport.stats.requests, transport.stats.retries) == (1, 0)
    assert not transport.deadline.expired


@pytest.mark.parametrize("name", ["403", "404 plain", "503 for ever", "HTML login page", "redirect to a login", "truncated JSON", "hangs before the head", "hangs inside the body",
                                  "reset before an answer", "no HTTP", "429 for ever, Retry-After 7200", "a header without end"])  # fmt: skip
def test_the_first_contact(name: str, proxy: FaultProxy, authority: Pair, tmp_path: Path) -> None:
    proxy.begin(backend("single_node", 500), Fault(VERSION, BY_NAME[name].spoil))
    found = audited(write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user=TOKEN), deadline=4)
    if name == "403":
        assert found.code in (0, 3), found.errors
    else:
        refused(found, "")


@pytest.mark.parametrize("name", ["hangs before the head", "hangs inside the body", "a byte now and then"])
def test_everything_hangs_after_the_first_contact(name: str, proxy: FaultProxy, authority: Pair, tmp_path: Path) -> None:
    """The deadline ends it, with a report of what could not be seen."""
    kind = BY_NAME[name]

    def spoil(asked: Any, genuine: Any, before: int) -> Any:
        return None if asked.path == VERSION else kind.spoil(asked, genuine, before)

    proxy.begin(backend("single_node", 500), Fault("*", spoil))
    found = audited(write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user=TOKEN), deadline=3)
    assert found.code == 3, found.errors
    assert json.loads((tmp_path / "report.json").read_text())["results"]


def test_the_canary_of_every_sentence_is_looked_for(proxy: FaultProxy, authority: Pair, tmp_path: Path) -> None:
    """A server that repeats our token in its words, on every page of its own."""
    spoilt = status(403, "Forbidden", f"the token {CANARY} may not")
    proxy.begin(backend("single_node", 500), Fault("*", lambda asked, genuine, before: None if asked.path == VERSION else spoilt))
    found = audited(write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user=TOKEN), "-v", "--stats")
    assert found.code == 3
    proxy.begin(backend("single_node", 500), Fault(VERSION, lambda asked, genuine, before: raw(b"HTTP/1.1 500 " + CANARY.encode() + b"\r\n\r\n")))
    refused(audited(write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user=TOKEN), "-v"), "")
