"""The engine of the probes: limits, failures as values, what is asked when; the flags and the config that ask for it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path as File
from typing import Any

import pytest

from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.place import NotAsked
from exivity_audit.collect.reads import READS
from exivity_audit.config import BrokerProbe, Config, ProbeLogin, Probes, load_config
from exivity_audit.errors import UsageError
from exivity_audit.handover.paper_files import config_paper
from exivity_audit.probes.asked import Asked, Login, asked_of
from exivity_audit.probes.attempt import Attempt, Failed, Path
from exivity_audit.probes.engine import Engine
from exivity_audit.probes.wire import Bounded, Resolved, connected
from exivity_audit.snapshot import Place
from tests import builders
from tests.judging import site_of

HOST = "exivity.acme.eu"


class Stand:
    """A probe that does what a test says."""

    name = "tls"

    def __init__(self, act: Callable[[Attempt], dict[str, Any]], seconds: float = 5) -> None:
        self._act, self.seconds, self.attempts = act, seconds, list[Attempt]()

    def measure(self, place: Place, known: Mapping[str, Any], attempt: Attempt) -> dict[str, Any]:
        self.attempts.append(attempt)
        return self._act(attempt)


def engine(probe: Stand, seconds: float = 60, deadline: float = 120) -> Engine:
    """An engine with one probe."""
    return Engine([probe], seconds=seconds, deadline=Deadline(deadline), path=Path.LAPTOP)


def asked(probe: Stand, **limits: float) -> Any:
    """What a probe tells of one place."""
    return engine(probe, **limits).sources()["probe/tls"](Place(None, f"{HOST}:443"), {})


def raising(error: BaseException) -> Callable[[Attempt], dict[str, Any]]:
    def act(attempt: Attempt) -> dict[str, Any]:
        raise error

    return act


FAILURES: list[tuple[BaseException, str]] = [
    (Failed("login", "the login was refused"), "login"), (ConnectionRefusedError(111, "CANARY"), "refused"), (ConnectionResetError(104, "CANARY"), "closed"),
    (TimeoutError("CANARY"), "timeout"), (socket.gaierror(-2, "CANARY"), "unresolved"), (ssl.SSLCertVerificationError(1, "CANARY"), "tls"),
    (ssl.SSLEOFError(8, "CANARY"), "closed"), (ssl.SSLError(1, "CANARY"), "tls"), (OSError(101, "CANARY"), "unreachable"), (OSError(5, "CANARY"), "unreachable"),
    (ValueError("CANARY"), "broken"), (RecursionError("CANARY"), "broken"), (MemoryError("CANARY"), "broken"), (SystemExit("CANARY"), "broken"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "kind"), FAILURES, ids=[type(one[0]).__name__ + one[1] for one in FAILURES])
def test_every_failure_is_a_value_with_a_kind_and_none_of_its_text(error: BaseException, kind: str) -> None:
    told = asked(Stand(raising(error)))
    (found,) = told.objects
    assert (found["failure"]["kind"], found["path"], found["metadata"]) == (kind, "laptop", {"name": f"{HOST}:443"})
    assert "CANARY" not in str(found)


def test_what_was_not_allowed_is_not_asked() -> None:
    with pytest.raises(NotAsked, match="because"):
        asked(Stand(raising(NotAsked("because"))))


def test_a_probe_that_hangs_is_left_behind_and_what_it_holds_is_closed() -> None:
    closed: list[str] = []
    release = threading.Event()

    def act(attempt: Attempt) -> dict[str, Any]:
        attempt.at_end(lambda: closed.append("first"))
        attempt.at_end(lambda: closed.append("second"))
        release.wait(120)
        attempt.at_end(lambda: closed.append("late"))
        return {}

    before = time.monotonic()
    told = asked(Stand(act, seconds=0.3))
    assert time.monotonic() - before < 30
    assert told.objects[0]["failure"]["kind"] == "timeout"
    assert closed == ["second", "first"]
    release.set()
    time.sleep(0.2)
    assert closed == ["second", "first", "late"], "what comes after the end is closed at once"


@pytest.mark.parametrize("limits", [{"seconds": 0.3}, {"deadline": 0.3}])
def test_the_limit_of_all_and_the_run_s_end_cut_a_probe_short(limits: dict[str, float]) -> None:
    before = time.monotonic()
    told = asked(Stand(lambda attempt: {"waited": time.sleep(120)}), **limits)
    assert time.monotonic() - before < 30
    assert told.failure.kind == "deadline"
    assert told.helps == "a longer --probe-limit or --deadline"


def test_after_the_limit_of_all_nothing_is_tried_any_more() -> None:
    probe = Stand(lambda attempt: {"waited": time.sleep(0.4)})
    source = engine(probe, seconds=0.3).sources()["probe/tls"]
    for _ in range(3):
        assert source(Place(None, "a:443"), {}).failure.kind == "deadline"
    assert len(probe.attempts) == 1


def test_closing_the_engine_wakes_what_waits() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def act(attempt: Attempt) -> dict[str, Any]:
        made = connected(attempt, "127.0.0.1", listener.getsockname()[1], lambda host: Resolved((host,)))
        return {"said": made.recv(10).decode()}

    one = engine(Stand(act, seconds=30))
    threading.Timer(0.3, one.close).start()
    before = time.monotonic()
    told = one.sources()["probe/tls"](Place(None, "a:443"), {})
    assert time.monotonic() - before < 30
    assert told.objects[0].get("failure", {}).get("kind") in ("timeout", "closed", "unreachable", None)
    listener.close()


def test_of_several_addresses_the_first_that_takes_a_connection() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    made = connected(Attempt(5), "x", port, lambda host: Resolved(("127.0.0.2", "127.0.0.1")))
    assert made.getpeername()[0] == "127.0.0.1"
    made.close()
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        connected(Attempt(5), "x", port, lambda host: Resolved(("127.0.0.2", "127.0.0.1")))


def test_reading_is_bounded_in_size() -> None:
    one, other = socket.socketpair()
    one.sendall(b"x" * 100)
    reading = Bounded(Attempt(5), other, 50)
    with pytest.raises(Failed, match="larger"):
        reading.read(100)
    one.close()
    other.close()


def test_probes_come_last_and_only_where_they_are_asked_for() -> None:
    world = builders.multi_node()
    order: list[int] = []

    def source(place: Place, known: Mapping[str, Any]) -> Any:
        order.append(len(world.requests))
        return Engine([Stand(lambda attempt: {})], seconds=9, deadline=Deadline(9), path=Path.LAPTOP).sources()["probe/tls"](place, known)

    class Only:
        def sources(self) -> dict[str, Any]:
            return {"probe/tls": source}

    world.usage = Only()
    found = site_of(world)
    assert order
    assert set(order) == {len(world.requests)}, "nothing is asked of the cluster once the probes begin"
    outcomes = {one.name: (str(one.outcome), one.reason) for one in found.reads if one.resource.startswith("probe/")}
    assert outcomes["probe_tls"] == ("found", "")
    assert outcomes["probe_dns"] == ("not-asked", "only where the run says so (would help: --probe dns)")


def test_what_is_kept_of_a_probe_is_on_its_list() -> None:
    for read in READS:
        if read.resource.startswith("probe/"):
            assert read.opt_in == f"--probe {read.resource.removeprefix('probe/')}"
            assert {"metadata.name", "path", "failure.kind", "failure.reason"} <= set(read.keep)


def test_flags() -> None:
    def named(text: str | None, config: Probes | None = None, **more: Any) -> Asked | None:
        return asked_of(text, 60, config or Probes(), **{"port_forward": False, "default_logins": False, **more})

    assert named(None) is None
    every = named("all")
    assert every is not None
    assert {"dns", "tls", "http"} <= every.names
    one = named("DNS, tls")
    assert one is not None
    assert one.names == {"dns", "tls"}
    for text, said in (("tsl", "did you mean|tls"), (" , ", "names nothing"), ("dns,CANARY1234", "no probe")):
        with pytest.raises(UsageError, match=said):
            named(text)
    for flag in ("port_forward", "default_logins"):
        with pytest.raises(UsageError, match="without --probe"):
            named(None, **{flag: True})
    for wrong in ({"a": "b:1"}, {"a:1": "b"}, {"a:0": "b:1"}, {"a:1": "b:99999"}, {"a:x": "b:1"}, {"a b:1": "b:1"}):
        with pytest.raises(UsageError, match=r"probes\.connect"):
            named("dns", Probes(connect=wrong))
    found = named("dns", Probes(connect={"Exivity.acme.eu:443": "[2001:db8::1]:8443"}))
    assert found is not None
    assert found.connect == {(HOST, 443): ("2001:db8::1", 8443)}


def test_the_config_names_files_beside_it_and_its_paper_names_no_login(tmp_path: File) -> None:
    path = tmp_path / "exivity-audit.yaml"
    path.write_text(
        "probes:\n  ca_file: ca.pem\n  connect: {'a:443': 'b:8443'}\n  postgresql: {user: CANARY-user, password_file: secret/CANARY-file}\n"
        "  rabbitmq: {user: CANARY-user, password_variable: CANARY_VARIABLE, management: 'https://CANARY-user:CANARY-pass@mq.corp:15671/?t=CANARY'}\n"
    )
    config, _ = load_config(path)
    assert config.probes.ca_file == str(tmp_path / "ca.pem")
    assert config.probes.postgresql.password_file == str(tmp_path / "secret/CANARY-file")
    assert config.probes.rabbitmq.password_file is None
    text = config_paper(path).content.decode()
    assert "CANARY" not in text
    assert "mq.corp:15671" in text
    path.write_text("probes: {postgres: {}}\n")
    with pytest.raises(UsageError, match="postgresql"):
        load_config(path)


def test_logins_are_never_shown(tmp_path: File) -> None:
    (tmp_path / "password").write_text("CANARY-1\n")
    login = Login("CANARY-0", "CANARY-1")
    held = Asked(frozenset({"tls"}), postgresql=login, rabbitmq=login)
    assert "CANARY" not in repr(held) + repr(login) + str(held)
    assert Config().probes == Probes(rabbitmq=BrokerProbe(), postgresql=ProbeLogin())
