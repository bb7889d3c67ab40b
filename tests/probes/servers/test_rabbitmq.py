"""RabbitMQ end to end: a real broker, the real probe, its record in the snapshot, and what the checks then say."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exivity_audit.config import Config
from exivity_audit.probes.asked import Login
from exivity_audit.snapshot import Outcome
from exivity_audit.verdict import Status, Verdict
from tests.builders import BROKER_PASSWORD, multi_node
from tests.judging import site_of, statuses
from tests.probes.servers import certificates, peers
from tests.probes.servers.conftest import BROKER_USERS
from tests.probes.servers.looking import Probing, judged, one, seen
from tests.probes.servers.processes import free_port, until, written
from tests.probes.servers.rabbit import ACCOUNT, HOST, Rabbit
from tests.products import rabbitmq as mq
from tests.world import World

PASS, WARN, FAIL, UNKNOWN, MANUAL, SKIP = Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.MANUAL, Status.SKIP
WATCHER = Login("watcher_monitor", BROKER_USERS["watcher_monitor"])
UNTAGGED = Login("untagged", BROKER_USERS["untagged"])


def world(secure: bool = True, **login: Any) -> World:
    """A cluster whose broker is outside."""
    made = mq.on_external(multi_node(), HOST, 5671 if secure else 5672, secure)
    return mq.configured(made, HOST, 5671 if secure else 5672, secure, **login) if login else made


def to(server: Rabbit | int, ca_file: Path | None, secure: bool = True, where: World | None = None, **rest: Any) -> Probing:
    port = server if isinstance(server, int) else server.ports.secure if secure else server.ports.plain
    connect = {(HOST, 5671 if secure else 5672): ("127.0.0.1", port)}
    return Probing(where or world(secure), connect, ca_file, names=frozenset({"rabbitmq"}), **rest)


def managed(broker: Rabbit, ca_file: Path, login: Login = WATCHER, **rest: Any) -> Probing:
    return to(broker, ca_file, broker=login, management=f"http://127.0.0.1:{broker.ports.management}", **rest)


def look(slug: str, probing: Probing, **rest: Any) -> Verdict:
    return one(probing.world, f"rabbitmq/{slug}", probing, **rest)


def record(probing: Probing) -> dict[str, Any]:
    """What the snapshot holds of the probe."""
    site = site_of(probing.world, wanted={"probe_rabbitmq"}, usage=probing)  # type: ignore[arg-type]
    found = [found for found in site.reads if found.name == "probe_rabbitmq"]
    assert [item.outcome for item in found] == [Outcome.FOUND]
    return dict(found[0].objects[0])


class TestConnectivity:
    @pytest.mark.parametrize("secure", [True, False])
    def test_a_channel_opens(self, broker: Rabbit, ca_file: Path, secure: bool) -> None:
        found = look("connectivity", to(broker, ca_file, secure))
        assert (found.status, found.measured) == (PASS, "open")
        assert "opens a channel from inside the cluster" in found.message

    def test_beside_what_the_cluster_shows(self, broker: Rabbit, ca_file: Path) -> None:
        place = {("mq.rabbitmq.svc", 5671): ("127.0.0.1", broker.ports.secure)}
        found = look("connectivity", Probing(multi_node(), place, ca_file))
        assert found.status is PASS
        assert "1 ready endpoint" in found.message
        assert "opens a channel" in found.message
        nowhere = {("mq.rabbitmq.svc", 5671): ("127.0.0.1", free_port())}
        assert look("connectivity", Probing(multi_node(), nowhere, ca_file)).status is FAIL

    def test_nobody_listens(self, broker: Rabbit, ca_file: Path) -> None:
        found = look("connectivity", to(free_port(), ca_file))
        assert (found.status, found.measured) == (FAIL, "refused")
        assert look("connectivity", to(free_port(), ca_file, inside=False)).status is MANUAL

    def test_a_wrong_password_is_one_finding(self, broker: Rabbit, ca_file: Path) -> None:
        probing = to(broker, ca_file, where=world(password="not-the-password-23"))
        assert look("connectivity", probing).status is PASS
        found = look("authentication", probing)
        assert (found.status, found.measured) == (FAIL, "refused")

    def test_no_such_virtual_host(self, broker: Rabbit, ca_file: Path) -> None:
        probing = to(broker, ca_file, where=world(vhost="missing"))
        found = look("connectivity", probing)
        assert (found.status, found.measured) == (FAIL, "no-vhost")
        assert look("authentication", probing).status is PASS

    def test_a_memory_alarm_blocks_it(self, broker: Rabbit, ca_file: Path) -> None:
        broker.control("set_vm_memory_high_watermark", "absolute", "40MB")
        try:
            until("the alarm is set", lambda: any(one.get("mem_alarm") for one in broker.api("GET", "nodes")), 30)
            found = look("connectivity", managed(broker, ca_file))
            assert found.status is FAIL
            assert "memory on localhost" in found.message
            assert look("connectivity", to(broker, ca_file)).status is PASS, "AMQP alone does not tell"
        finally:
            broker.control("set_vm_memory_high_watermark", "0.6")
        until("the alarm is gone", lambda: not any(one.get("mem_alarm") for one in broker.api("GET", "nodes")), 30)

    def test_figures_of_the_management_api(self, broker: Rabbit, ca_file: Path) -> None:
        found = look("connectivity", managed(broker, ca_file))
        assert found.status is PASS
        shown = {evidence.path: evidence.value for evidence in found.evidence if evidence.read == "probe_rabbitmq"}
        assert {"management.connections", "management.messages", "management.nodes[].memory", "management.nodes[].disk"} <= set(shown)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe that takes little time, whatever is left for all."""
    monkeypatch.setattr("exivity_audit.probes.rabbitmq.Probing.seconds", 2.5)


@pytest.mark.usefixtures("short")
class TestHangingPeers:
    @pytest.mark.parametrize("after", [0, 5, 200, 530])
    @pytest.mark.parametrize("secure", [True, False])
    def test_it_never_outlasts_its_limit(self, broker: Rabbit, ca_file: Path, after: int, secure: bool) -> None:
        with peers.between(broker.ports.secure if secure else broker.ports.plain, hang_after=after) as port:
            started = time.monotonic()
            found = look("connectivity", to(port, ca_file, secure))
            assert time.monotonic() - started < 30
            assert found.status in (FAIL, PASS), "a broker that named itself answered"
            assert found.status is FAIL or after == 530

    def test_a_peer_that_says_nothing(self, ca_file: Path) -> None:
        with peers.silent() as port:
            started = time.monotonic()
            assert look("connectivity", to(port, ca_file, secure=False)).status is FAIL
            assert time.monotonic() - started < 30

    @pytest.mark.parametrize(
        "said",
        [
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b"AMQP\0\0\x09\x01",
            b"\x01\0\0\xff\xff\xff\xff",
            b"\x01\0\0\0\0\0\x04\0\x0a\0\x0a\xce",
            b"\0" * 4000,
        ],
    )
    def test_a_peer_that_is_no_broker(self, ca_file: Path, said: bytes) -> None:
        with peers.saying(said) as port:
            for secure in (True, False):
                assert look("connectivity", to(port, ca_file, secure)).status is FAIL


class TestAuthentication:
    def test_the_login_works(self, broker: Rabbit, ca_file: Path) -> None:
        found = look("authentication", to(broker, ca_file))
        assert found.status is PASS
        assert "takes it from inside the cluster" in found.message

    def test_no_right_on_the_virtual_host(self, broker: Rabbit, ca_file: Path) -> None:
        broker.api("PUT", "vhosts/closed")
        try:
            found = look("authentication", to(broker, ca_file, where=world(vhost="closed")))
            assert (found.status, found.measured) == (FAIL, "no right")
            assert found.fix is not None
            assert "set_permissions" in found.fix.text
        finally:
            broker.api("DELETE", "vhosts/closed")

    def test_a_password_stays_here_where_the_way_is_open(self, broker: Rabbit, ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("exivity_audit.probes.rabbitmq.exposed", lambda line, peer: True)  # as if it were no loopback
        found = look("authentication", to(broker, ca_file, secure=False))
        assert found.status is PASS
        assert "the password was not sent" in found.remark
        assert look("connectivity", to(broker, ca_file, secure=False)).status is PASS
        assert "takes it" in look("authentication", to(broker, ca_file)).message, "over verified TLS it is"
        assert "not sent" in look("authentication", to(broker, None)).remark

    def test_shipped_logins_are_tried_only_when_asked_for(self, broker: Rabbit, ca_file: Path) -> None:
        assert len(seen(world(), "rabbitmq/authentication", to(broker, ca_file))) == 1
        found = seen(world(), "rabbitmq/authentication", to(broker, ca_file, default_logins=True))
        assert [verdict.status for verdict in found.values()] == [PASS] * 3
        assert {str(verdict.measured) for verdict in list(found.values())[1:]} == {"refused"}

    def test_a_shipped_login_that_works(self, broker: Rabbit, ca_file: Path) -> None:
        broker.user("user", "pass")
        broker.user("guest", "guest", vhost=None)
        try:
            found = seen(world(), "rabbitmq/authentication", to(broker, ca_file, default_logins=True))
            assert {subject.rpartition(" ")[2]: verdict.status for subject, verdict in found.items() if "#" in subject} == {
                "guest": FAIL,
                "user": FAIL,
            }
            own = to(broker, ca_file, default_logins=True, where=world(user="user", password="pass"))
            found = seen(own.world, "rabbitmq/authentication", own)
            assert found["Release exivity/exivity"].status is FAIL
            assert next(verdict for subject, verdict in found.items() if subject.endswith(" user")).status is SKIP
        finally:
            broker.api("DELETE", "users/user")
            broker.api("DELETE", "users/guest")


class TestTls:
    def test_a_handshake_that_holds(self, broker: Rabbit, ca_file: Path) -> None:
        found = look("tls", to(broker, ca_file))
        assert found.status is PASS
        assert "its certificate holds until" in found.message

    def test_one_that_cannot_be_verified(self, broker: Rabbit) -> None:
        found = look("tls", to(broker, None))
        assert found.status is PASS
        assert "authority is not known here" in found.remark

    def test_plaintext_behind_the_port(self, broker: Rabbit, ca_file: Path) -> None:
        probing = to(broker.ports.plain, ca_file)
        found = look("tls", probing)
        assert (found.status, found.measured) == (FAIL, "plaintext")
        followed = look("connectivity", probing)
        assert (followed.status, followed.follows) == (SKIP, "rabbitmq/tls")

    @pytest.mark.parametrize(("days", "status"), [(10, WARN), (-20, FAIL)])
    def test_a_certificate_that_ends(self, broker: Rabbit, ca_file: Path, days: float, status: Status) -> None:
        pair, before = certificates.signed(HOST, days=days), {name: (broker.folder / name).read_text() for name in ("server.pem", "server.key")}

        def serve(certificate: str, key: str) -> None:
            written(broker.folder / "server.pem", certificate, ACCOUNT)
            written(broker.folder / "server.key", key, ACCOUNT)
            broker.control("eval", "ssl:clear_pem_cache().")

        serve(pair.certificate, pair.key)
        try:
            found = look("tls", to(broker, ca_file))
            assert found.status is status
            assert "its certificate end" in found.message
        finally:
            serve(before["server.pem"], before["server.key"])


class TestQueues:
    def test_quorum_and_classic(self, broker: Rabbit, ca_file: Path) -> None:
        with broker.queue("REPORT", "quorum"):
            assert look("queues", managed(broker, ca_file)).status is PASS
            with broker.queue("TRANSFORM", "classic"):
                found = look("queues", managed(broker, ca_file))
                assert found.status is WARN
                assert "1 of them classic: TRANSFORM" in found.message

    def test_none_yet(self, broker: Rabbit, ca_file: Path) -> None:
        found = look("queues", managed(broker, ca_file))
        assert found.status is MANUAL
        assert "no queue in / yet" in found.remark

    def test_a_user_without_the_tag(self, broker: Rabbit, ca_file: Path) -> None:
        assert record(managed(broker, ca_file, UNTAGGED))["management"] == {"state": "login"}
        assert look("queues", managed(broker, ca_file, UNTAGGED)).status is MANUAL

    def test_over_tls(self, broker: Rabbit, ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        probing = to(broker, ca_file, broker=WATCHER, management=f"https://127.0.0.1:{broker.ports.secure_management}")
        assert record(probing)["management"] == {"state": "tls"}, "the certificate is for another name"

    def test_no_password_over_plain_http(self, broker: Rabbit, ca_file: Path) -> None:
        probing = to(broker, ca_file, broker=WATCHER, management="http://mq.corp:15672")
        assert record(probing)["management"] == {"state": "clear-text"}


class TestVersion:
    def test_by_its_own_word(self, broker: Rabbit, ca_file: Path) -> None:
        found = look("version", to(broker, ca_file))
        assert found.status is FAIL, "Debian's 3.10 is past its support"
        assert str(found.measured).startswith("3.")
        assert "probe_rabbitmq" in {evidence.read for evidence in found.evidence}


class TestHarmless:
    def test_nothing_is_left_and_nothing_is_shown(self, broker: Rabbit, ca_file: Path) -> None:
        before = broker.api("GET", "definitions")
        probing = managed(broker, ca_file, default_logins=True)
        found = judged(probing.world, usage=probing, config=Config())
        text = json.dumps([msgspec.to_builtins(verdict, enc_hook=str) for outcome in found.outcomes for verdict in outcome.verdicts])
        kept = json.dumps(record(probing))
        for secret in (BROKER_PASSWORD, *BROKER_USERS.values()):
            assert secret not in text
            assert secret not in kept
        assert Status.ERROR not in statuses(found).values()
        until("no connection is left", lambda: broker.connections() == 0, 30)
        after = broker.api("GET", "definitions")
        assert {key: after[key] for key in ("queues", "exchanges", "bindings", "users", "permissions")} == {
            key: before[key] for key in ("queues", "exchanges", "bindings", "users", "permissions")
        }


def test_a_run_that_is_killed_leaves_no_connection(broker: Rabbit, ca_file: Path, tmp_path: Path) -> None:
    import signal
    import subprocess
    import sys

    script = tmp_path / "hold.py"
    script.write_text(
        "import sys, time\n"
        "from exivity_audit.probes.attempt import Attempt, Path\n"
        "from exivity_audit.probes.logins import BrokerLogin\n"
        "from exivity_audit.probes.peer import Line\n"
        "from exivity_audit.probes.rabbitmq import looked\n"
        "from exivity_audit.probes.ways import Way\n"
        "from exivity_audit.probes.wire import resolve\n"
        "port, password = int(sys.argv[1]), sys.stdin.readline().strip()\n"
        "while True:\n"
        "    attempt = Attempt(10, Path.IN_CLUSTER)\n"
        "    looked(Line(Way('mq', '127.0.0.1', port, Path.IN_CLUSTER), attempt, resolve, None), BrokerLogin('exivity-app', password), secure=False)\n"
        "    attempt.end()\n"
        "    print('looked', flush=True)\n"
    )
    for number in range(25):
        run = subprocess.Popen([sys.executable, str(script), str(broker.ports.plain)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert run.stdin is not None
        assert run.stdout is not None
        run.stdin.write(BROKER_PASSWORD.encode() + b"\n")
        run.stdin.flush()
        assert run.stdout.readline() == b"looked\n"
        time.sleep(0.0017 * number)
        run.send_signal(signal.SIGKILL)
        run.wait()
        run.stdin.close()
        run.stdout.close()
    until("no connection is left", lambda: broker.connections() == 0, 40)
