"""Every destination under every fault: bounded in time, one sentence and a next step, no secret in them, and the right number of tries."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from exivity_audit.collect.connection import Connection
from exivity_audit.collect.credentials import Fixed
from exivity_audit.collect.deadline import Deadline
from exivity_audit.publishing.bucket import Bucket
from exivity_audit.publishing.destination import Destination, Finished, Trouble
from exivity_audit.publishing.policy_reports import PolicyReports
from exivity_audit.publishing.publish import publish
from exivity_audit.publishing.pushgateway import Pushgateway
from exivity_audit.publishing.secret import Secret
from exivity_audit.publishing.sender import TRIES, connection_to
from exivity_audit.publishing.webhook import Webhook
from tests.collect.fake_server import ConnectProxy, FakeServer, Pair, Reply, closed_port, make_pair, raw, silent_port

CANARY = "cAnArYhunter2"
Make = Callable[[str, Path | None, Path, pytest.MonkeyPatch], Destination]


def pushgateway(url: str, ca_file: Path | None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Destination:
    (folder / "token").write_text(f"{CANARY}-token\n")
    return Pushgateway(url, token=Secret(file=folder / "token"), ca_file=ca_file)


def webhook(url: str, ca_file: Path | None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Destination:
    monkeypatch.setenv("HOOK", f"{url}/services/{CANARY}?sig={CANARY}")
    return Webhook("slack", Secret(variable="HOOK"), ca_file=ca_file)


def bucket(url: str, ca_file: Path | None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Destination:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"{CANARY}-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f"{CANARY}-key")
    monkeypatch.setenv("AWS_SESSION_TOKEN", f"{CANARY}-session")
    return Bucket(f"{url}/audits", ca_file=ca_file)


def policy_report(url: str, ca_file: Path | None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Destination:
    def connect() -> Connection:
        return replace(connection_to(url, ca_file), credentials=Fixed(f"Bearer {CANARY}"))

    return PolicyReports(connect, "default")


DESTINATIONS: dict[str, Make] = {"pushgateway": pushgateway, "webhook": webhook, "bucket": bucket, "policy_report": policy_report}


@pytest.fixture(params=DESTINATIONS)
def make(request: pytest.FixtureRequest) -> Make:
    return DESTINATIONS[request.param]


def answering(server: FakeServer, *replies: Reply) -> None:
    """The same answers to whatever is asked."""
    script = list(replies)
    server.next = lambda asked: (server.asked.append(asked), script.pop(0) if len(script) > 1 else script[0])[1]  # type: ignore[method-assign]


def said(capsys: pytest.CaptureFixture[str], destination: Destination, finished: Finished, seconds: float = 10) -> str:
    """What standard error says of a failed publication."""
    began = time.monotonic()
    assert publish([destination], finished, seconds) == 1
    assert time.monotonic() - began < seconds + 20, "it ends"
    out, text = capsys.readouterr()
    lines = text.splitlines()
    assert len(lines) == 2, text
    assert lines[0].startswith("exivity-audit: not published to ")
    assert lines[1].startswith("  next: ")
    assert out == ""
    assert CANARY not in text + repr(destination)
    return text


@pytest.mark.parametrize(
    ("status", "words"),
    [(301, "redirect|another region"), (400, "HTTP 400"), (401, "credentials|webhook"), (403, "may not write|takes nothing"), (404, "no such|no Pushgateway|does not exist|neither"), (413, "too large"),
     (418, "error"), (422, "HTTP 422")],
)  # fmt: skip
def test_a_refusal_is_said_once(
    make: Make,
    status: int,
    words: str,
    server: FakeServer,
    ca_file: Path,
    finished: Finished,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    body = f"<html>{CANARY}</html>".encode()
    answering(server, Reply(status, body, (("Location", f"{server.url}/login?{CANARY}"),)))
    import re

    text = said(capsys, make(server.url, ca_file, tmp_path, monkeypatch), finished)
    assert re.search(words, text), text
    assert len(server.asked) == (2 if make is policy_report and status == 404 else 1), "asking again would change nothing"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again_a_few_times(
    make: Make,
    status: int,
    server: FakeServer,
    ca_file: Path,
    finished: Finished,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    no_waits: list[float],
) -> None:
    answering(server, Reply(status, b"busy", (("Retry-After", "2"),)))
    said(capsys, make(server.url, ca_file, tmp_path, monkeypatch), finished)
    once = make is webhook and status in (500, 502, 504)
    assert len(server.asked) == (1 if once else TRIES), "a message that may have been posted is not posted again"
    assert all(2 <= wait < 3 for wait in no_waits[:-1]), "as it asks"


def test_a_wait_beyond_the_time_is_not_waited(
    server: FakeServer, ca_file: Path, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(server, Reply(503, b"", (("Retry-After", "3600"),)))
    said(capsys, pushgateway(server.url, ca_file, tmp_path, monkeypatch), finished, 3)
    assert len(server.asked) == 1


def test_refused(
    make: Make, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], no_waits: list[float]
) -> None:
    text = said(capsys, make(f"https://127.0.0.1:{closed_port()}", None, tmp_path, monkeypatch), finished)
    assert "the connection was refused" in text


def test_hanging(make: Make, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with silent_port() as port:
        text = said(capsys, make(f"https://127.0.0.1:{port}", None, tmp_path, monkeypatch), finished, 0.7)
    assert "0.7 seconds" in text
    assert "--publish-timeout" in text


@pytest.mark.parametrize(
    "reply",
    [raw(b"HTTP/1.1 200 OK\r\n", hang=True), raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b"x" * 400, drip=0.05)],
    ids=["hangs", "drips"],
)
def test_an_answer_that_never_ends(
    make: Make,
    reply: Reply,
    server: FakeServer,
    ca_file: Path,
    finished: Finished,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answering(server, reply)
    assert "within 1 seconds" in said(capsys, make(server.url, ca_file, tmp_path, monkeypatch), finished, 1)


def test_a_broken_connection(
    make: Make,
    server: FakeServer,
    ca_file: Path,
    finished: Finished,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    no_waits: list[float],
) -> None:
    answering(server, raw(b"", reset=True))
    assert "broken off" in said(capsys, make(server.url, ca_file, tmp_path, monkeypatch), finished)
    assert len(server.asked) == (1 if make is webhook else TRIES)


@pytest.mark.parametrize("wrong", ["authority", "host", "expired", "no TLS"])
def test_tls_is_verified(
    make: Make,
    wrong: str,
    authority: Pair,
    ca_file: Path,
    finished: Finished,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    no_waits: list[float],
) -> None:
    stranger = make_pair("stranger", authority=True)
    pairs = {
        "authority": make_pair("server", stranger, hosts=("127.0.0.1",)), "host": make_pair("server", authority, hosts=("other.corp",)),
        "expired": make_pair("server", authority, hosts=("127.0.0.1",), days=(-9, -2)), "no TLS": None,
    }  # fmt: skip
    words = {"authority": "unknown authority", "host": "another host name", "expired": "expired", "no TLS": "does not speak TLS"}
    server = FakeServer(pairs[wrong])
    answering(server, Reply(200, b"{}"))
    with server.running(tmp_path):
        text = said(capsys, make(f"https://127.0.0.1:{server.port}", ca_file, tmp_path, monkeypatch), finished)
    assert words[wrong] in text
    assert not server.asked, "nothing was sent"


def test_an_authority_that_is_none(finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.pem").write_text("x")
    for name, word in (("empty.pem", "no PEM certificate"), ("missing.pem", "No such file")):
        assert word in said(capsys, pushgateway("https://127.0.0.1:1", tmp_path / name, tmp_path, monkeypatch), finished)


def test_the_proxy_of_the_environment_is_used(
    make: Make,
    server: FakeServer,
    ca_file: Path,
    finished: Finished,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Loopback never goes through a proxy, so a name stands in: the proxy refuses it, and nothing goes around it."""
    proxy = ConnectProxy(refuse=True)
    with proxy.running():
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:{CANARY}@127.0.0.1:{proxy.port}")
        text = said(capsys, make("https://target.corp:8443", ca_file, tmp_path, monkeypatch), finished)
    assert "proxy" in text
    assert set(proxy.targets) == {"target.corp:8443"}
    assert "Proxy-Authorization: Basic" in proxy.heads[0]


def test_one_failure_keeps_nothing_from_the_others(
    server: FakeServer, ca_file: Path, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        name = "something broken"

        def publish(self, finished: Finished, deadline: Deadline) -> None:
            raise RuntimeError(CANARY)

    answering(server, Reply(200, b"ok"))
    broken: list[Any] = [Broken(), pushgateway(f"https://127.0.0.1:{closed_port()}", None, tmp_path, monkeypatch), Broken()]
    assert (
        publish([*broken, pushgateway(server.url, ca_file, tmp_path, monkeypatch), webhook(server.url, ca_file, tmp_path, monkeypatch)], finished, 5)
        == 3
    )
    assert [asked.method for asked in server.asked] == ["PUT", "POST"]


def test_a_bug_is_told_by_its_type_alone(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    class Broken:
        name = "something broken"

        def publish(self, finished: Finished, deadline: Deadline) -> None:
            raise RuntimeError(CANARY)

    assert "a bug in this tool (RuntimeError)" in said(capsys, Broken(), finished)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read"), (b"", "is empty"), (b"a b", "one line"), (b"a\nb", "one line"), (b"\xff\xfe", "no text"), (b"x" * 20_000, "larger")]
)  # fmt: skip
def test_a_secret_that_is_not_there_is_a_failure_of_its_destination(content: bytes | None, words: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Trouble, match=words):
        Secret(file=file).read()
    with pytest.raises(Trouble, match="not set or empty"):
        Secret(variable="NOT_THERE").read()
