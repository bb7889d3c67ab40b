"""An exec plug-in may be missing, fail, hang or babble: each is one sentence with a next step, and nothing it prints is shown."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.collect import credentials
from exivity_audit.collect.exec_plugin import ExecPlugin, plugin_from
from exivity_audit.errors import Unreachable, UsageError
from tests.collect.fake_server import VERSION, Asked, FakeServer, Pair, Reply, make_pair, page, reply, status

CANARY = "CANARY-secret-0123456789"
V1 = "client.authentication.k8s.io/v1"


def script(folder: Path, body: str) -> Path:
    """Write a plug-in in Python."""
    path = folder / "plug-in"
    path.write_text(f"#!{sys.executable} -S\nimport sys, os, json, time\n{body}\n")
    path.chmod(0o755)
    return path


def credential(token: str = CANARY, **named: Any) -> str:
    return json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": {"token": token, **named}})


def stamp(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def refused(plugin: ExecPlugin, limit: float = 10) -> str:
    with pytest.raises(Unreachable) as error:
        plugin.run(limit)
    assert error.value.hint
    assert error.value.exit_code == 4
    assert "CANARY" not in str(error.value)
    assert "CANARY" not in repr(plugin)
    chain: BaseException | None = error.value
    while chain is not None:
        assert "CANARY" not in str(chain)
        chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)
    return str(error.value)


def test_a_token_comes_with_its_expiry_and_the_plug_in_knows_what_it_is_asked(tmp_path: Path) -> None:
    body = "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
    body += "assert info['spec'] == {'interactive': False, 'cluster': {'server': 'https://x'}}, info\nassert sys.stdin.read() == ''\n"
    body += "assert sys.argv[1:] == ['get $(id); token'] and os.environ['REGION'] == 'ams'\n"
    body += f"print({credential(expirationTimestamp=stamp(600))!r})"
    block = {
        "apiVersion": V1,
        "command": "./" + script(tmp_path, body).name,
        "args": ["get $(id); token"],
        "env": [{"name": "REGION", "value": "ams"}],
        "provideClusterInfo": True,
    }
    got = plugin_from(block, tmp_path, {"server": "https://x"}).run()
    assert got.token == CANARY
    assert not got.expired
    assert got.expires is not None
    assert CANARY not in repr(got)


def test_v1beta1_is_understood(tmp_path: Path) -> None:
    beta = V1 + "beta1"
    path = script(tmp_path, f"print({credential().replace(V1, beta)!r})")
    assert ExecPlugin(str(path), api_version=beta).run().token == CANARY
    assert "another version" in refused(ExecPlugin(str(path)))


def test_a_missing_one_names_it_and_its_install_hint() -> None:
    said = refused(ExecPlugin("no-such-plug-in", install_hint="get it\x1b[31m at https://x" + "y" * 999))
    assert "no-such-plug-in" in said
    assert "get it" in said
    assert "\x1b" not in said
    assert len(said) < 400
    assert "not found" in refused(ExecPlugin("./relative", base=Path("/nowhere")))


def test_one_that_cannot_be_started(tmp_path: Path) -> None:
    path = tmp_path / "plug-in"
    path.write_text("no interpreter")
    path.chmod(0o755)
    assert "could not be started" in refused(ExecPlugin(str(path)))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (f"sys.stderr.write({CANARY!r}); sys.exit(1)", "exit code 1"),
        (f"print({credential()!r}); sys.stderr.write({CANARY!r}); sys.exit(3)", "exit code 3"),
        ("os.kill(os.getpid(), 9)", "signal 9"),
        (f"print({CANARY!r})", "not an ExecCredential"),
        ("pass", "not an ExecCredential"),
        ("sys.stdout.buffer.write(b'\\xff\\xfe')", "not an ExecCredential"),
        ("print('[' * 100000)", "not an ExecCredential"),
        ('print(\'{"kind": "Pod"}\')', "not an ExecCredential"),
        (f'print(\'{{"kind": "ExecCredential", "apiVersion": "{V1}"}}\')', "not an ExecCredential"),
        (f"print({credential('')!r})", "neither a token nor a certificate"),
        (f"print({credential(CANARY + chr(10) + 'X: y')!r})", "not an ExecCredential"),
        (f"print({credential(expirationTimestamp='CANARY')!r})", "not an ExecCredential"),
        (f"print({credential(expirationTimestamp='2020-01-01T00:00:00Z')!r})", "already expired"),
        (f"print({credential(clientCertificateData='x')!r})", "not an ExecCredential"),
    ],
)
def test_what_it_may_do_wrong(tmp_path: Path, body: str, said: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    assert said in refused(ExecPlugin(str(script(tmp_path, body)), arguments=("CANARY-argument",)))
    out, err = capfd.readouterr()
    assert "CANARY" not in out + err + caplog.text


def test_one_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    child = tmp_path / "child"
    body = f"import subprocess\np = subprocess.Popen(['sleep', '60'])\nopen({str(child)!r}, 'w').write(str(p.pid))\ntime.sleep(60)"
    assert "no answer within" in refused(ExecPlugin(str(script(tmp_path, body))), limit=1)
    pid = int(child.read_text())
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            break
        if state == "Z":
            break
        time.sleep(0.02)
    else:
        pytest.fail("the child of the plug-in lives on")


def test_one_that_babbles_for_ever_is_ended(tmp_path: Path) -> None:
    assert "was stopped" in refused(ExecPlugin(str(script(tmp_path, "while True: print('x' * 100000)"))))


def test_a_daemon_left_behind_that_holds_the_pipe_is_not_waited_for(tmp_path: Path) -> None:
    body = f"print({credential()!r}); sys.stdout.flush()\nimport subprocess\nsubprocess.Popen(['sleep', '3'])"
    assert ExecPlugin(str(script(tmp_path, body))).run(limit=2.5).token == CANARY


def test_one_that_wants_a_terminal_is_not_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    path = script(tmp_path, f"open({str(ran)!r}, 'w')")
    assert "insists on a terminal" in refused(ExecPlugin(str(path), interactive_mode="Always"))
    assert not ran.exists()


@pytest.mark.parametrize(
    "block",
    [
        {},
        {"apiVersion": V1},
        {"apiVersion": V1, "command": ["x"]},
        {"apiVersion": V1 + "alpha1", "command": "x"},
        {"apiVersion": V1, "command": "x", "env": [3]},
    ],
)
def test_a_malformed_block_is_refused(block: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        plugin_from(block, Path(), None)


def counting(folder: Path, *outputs: str) -> Path:
    """Write a plug-in that gives its outputs one by one, the last for ever, and leaves a mark each time."""
    body = f"n = len([f for f in os.listdir({str(folder)!r}) if f.startswith('ran-')])\nopen({str(folder)!r} + f'/ran-{{n}}', 'w')\n"
    body += f"outputs = {outputs!r}\nprint(outputs[min(n, len(outputs) - 1)])"
    return script(folder, body)


def runs(folder: Path) -> int:
    return len([name for name in os.listdir(folder) if name.startswith("ran-")])


def test_401_runs_it_once_more_and_then_asks_nothing(
    server: FakeServer, transport: Callable[..., Any], link: Callable[..., Any], tmp_path: Path
) -> None:
    path = counting(tmp_path, credential("first"), credential("second"), credential("third"))
    trial = transport(link(server.url, user={"exec": {"apiVersion": V1, "command": str(path)}}))
    server.route("/api/v1/pods", lambda asked: page([]) if asked.header("authorization") == ["Bearer second"] else status(401, "Unauthorized"))
    assert trial.get("/api/v1/pods").failure is None
    server.route("/api/v1/pods", status(401, "Unauthorized"))
    before = len(server.asked)
    for _ in range(3):
        assert trial.get("/api/v1/pods").failure.kind == "unauthorized"
    assert runs(tmp_path) == 2
    assert len(server.asked) == before + 1


def test_a_refresh_that_fails_is_unauthorized(server: FakeServer, transport: Callable[..., Any], link: Callable[..., Any], tmp_path: Path) -> None:
    path = counting(tmp_path, credential("first"), "garbage")
    trial = transport(link(server.url, user={"exec": {"apiVersion": V1, "command": str(path)}}))
    server.route("/version", status(401, "Unauthorized"))
    with pytest.raises(Unreachable, match="does not accept"):
        trial.first_contact()
    assert runs(tmp_path) == 2


def test_an_expired_credential_is_fetched_before_it_is_used(
    server: FakeServer, transport: Callable[..., Any], link: Callable[..., Any], tmp_path: Path
) -> None:
    path = counting(tmp_path, credential("first", expirationTimestamp=stamp(3600)), credential("second"))
    connection = link(server.url, user={"exec": {"apiVersion": V1, "command": str(path)}})
    assert isinstance(connection.credentials, credentials.ExecCredentials)
    assert runs(tmp_path) == 1
    transport(connection).first_contact()
    connection.credentials._renew_at = datetime.now(UTC)
    transport(connection).first_contact()
    assert [asked.header("authorization") for asked in server.asked] == [["Bearer first"], ["Bearer second"]]


def test_a_client_certificate_of_a_plug_in_is_used_and_renewed(
    server_pair: Pair, authority: Pair, transport: Callable[..., Any], link: Callable[..., Any], tmp_path: Path
) -> None:
    outputs = []
    for name in ("first", "second"):
        pair = make_pair(name, authority)
        outputs.append(credential("", clientCertificateData=pair.certificate.decode(), clientKeyData=pair.key.decode()))
    path = counting(tmp_path, *outputs)

    def judge(asked: Asked) -> Reply:
        assert asked.client is not None
        return reply(VERSION) if ((("commonName", "second"),)) in asked.client["subject"] else status(401, "Unauthorized")

    fake = FakeServer(server_pair, authority.certificate)
    fake.route("/version", judge)
    with fake.running(tmp_path):
        assert transport(link(fake.url, user={"exec": {"apiVersion": V1, "command": str(path)}})).first_contact().status == 200
    assert runs(tmp_path) == 2
    assert all(asked.header("authorization") == [] for asked in fake.asked)
