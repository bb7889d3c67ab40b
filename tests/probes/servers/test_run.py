"""The whole command with the probes of database and broker, and both of them through a port-forward."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from exivity_audit.collect.connection import Connection
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.discovery import discover
from exivity_audit.probes.asked import Asked
from exivity_audit.probes.opening import open_probes
from exivity_audit.verdict import Status
from tests.builders import BROKER_PASSWORD, DATABASE_PASSWORD, multi_node
from tests.forwarding import forwarding
from tests.judging import verdicts
from tests.probes.servers import postgres, rabbit
from tests.probes.servers.conftest import BROKER_USERS, DATABASE_USERS
from tests.probes.servers.postgres import Postgres
from tests.probes.servers.processes import until
from tests.probes.servers.rabbit import Rabbit
from tests.products import postgresql as pg
from tests.products import rabbitmq as mq
from tests.test_whole_run import clean, report, run
from tests.world_server import serving

WATCHER = "EXIVITY_TEST_WATCHER"


def test_live_equals_offline_and_nothing_leaks(database: Postgres, broker: Rabbit, ca_file: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv(WATCHER, BROKER_USERS["watcher_monitor"])
    (tmp_path / "word").write_text(DATABASE_USERS["watcher_monitor"] + "\n")
    (tmp_path / "ca.pem").write_text(ca_file.read_text())
    connect = {f"{postgres.HOST}:5432": f"127.0.0.1:{database.port}", f"{rabbit.HOST}:5671": f"127.0.0.1:{broker.ports.secure}"}
    probes = {
        "connect": connect, "ca_file": "ca.pem", "postgresql": {"user": "watcher_monitor", "password_file": "word"},
        "rabbitmq": {"user": "watcher_monitor", "password_variable": WATCHER, "management": f"http://127.0.0.1:{broker.ports.management}"},
    }  # fmt: skip
    config = tmp_path / "exivity-audit.yaml"
    config.write_text(json.dumps({"probes": probes, "declare": {"database_disk": "100Gi"}}))
    world = mq.on_external(multi_node(), rabbit.HOST)
    pg.lead_to(world, postgres.HOST, sslmode="require")
    with serving(world, tmp_path) as (cluster, server):
        words = ("--config", str(config), "--probe", "postgresql,rabbitmq", "--probe-default-logins", "--checks", "postgresql,rabbitmq")
        live = run(
            cluster,
            *words,
            "-o",
            f"json={tmp_path / 'live.json'}",
            "-o",
            f"html={tmp_path / 'live.html'}",
            "-o",
            "table",
            "-v",
            "--save",
            str(tmp_path / "saved.json"),
        )
        assert {method for method, _ in server.asked} <= {"GET", "POST"}
    offline = subprocess.run(
        [
            sys.executable, "-m", "exivity_audit", "run", "--snapshot", str(tmp_path / "saved.json"), "--config", str(config), "--checks", "postgresql,rabbitmq",
            "-o", f"json={tmp_path / 'offline.json'}",
        ],
        capture_output=True, text=True, check=False, timeout=120, env={**clean(), WATCHER: "not-needed-offline"},
    )  # fmt: skip
    assert offline.returncode == live.returncode, offline.stderr
    first, second = report(tmp_path / "live.json"), report(tmp_path / "offline.json")
    for key in ("sites", "rows", "results", "summary", "unread"):
        assert json.dumps(first[key]) == json.dumps(second[key]), key
    found = {one["id"]: one["status"] for one in first["results"]}
    expected = {
        "postgresql/reachable": "pass", "postgresql/tls": "pass", "postgresql/version": "pass", "postgresql/storage-headroom": "pass", "postgresql/latency": "manual",
        "rabbitmq/connectivity": "pass", "rabbitmq/tls": "pass",
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    texts = [live.stdout, live.stderr, offline.stdout, *((tmp_path / name).read_text() for name in ("saved.json", "live.json", "live.html"))]
    for secret in (DATABASE_PASSWORD, BROKER_PASSWORD, *DATABASE_USERS.values(), *BROKER_USERS.values()):
        assert all(secret not in text for text in texts)
    until("no session is left", lambda: database.sessions() == 0, 20)


class Forwarded:
    """Probes from a laptop, through a port-forward."""

    def __init__(self, world: Any, port: int, ca_file: Path, name: str) -> None:
        self._world, self._port, self._ca_file, self._name = world, port, ca_file, name

    def sources(self) -> dict[str, Any]:
        """What the collector is given."""
        asked = Asked(frozenset({self._name}), 20, True, True, self._ca_file)
        connection = Connection(f"http://localhost:{self._port}")
        return dict(open_probes(asked, connection, self._world, discover(self._world), "exivity", Deadline(60)).sources())


def test_the_database_through_a_port_forward(database: Postgres, ca_file: Path) -> None:
    world = multi_node()
    with forwarding(database.port) as forwarder:
        usage: Any = Forwarded(world, forwarder.port, ca_file, "postgresql")
        found = {slug: next(iter(verdicts(world, f"postgresql/{slug}", usage=usage).values())) for slug in ("reachable", "tls", "latency")}
    assert {slug: verdict.status for slug, verdict in found.items()} == dict.fromkeys(found, Status.PASS)
    assert "through a port-forward" in found["reachable"].message
    assert "its certificate holds until" in found["tls"].message, "the name is verified, not the loopback address"
    assert "through a port-forward" in found["latency"].remark


def test_the_broker_through_a_port_forward(broker: Rabbit, ca_file: Path) -> None:
    world = multi_node()
    broker.user("guest", "guest")
    try:
        with forwarding(broker.ports.secure) as forwarder:
            usage: Any = Forwarded(world, forwarder.port, ca_file, "rabbitmq")
            assert next(iter(verdicts(world, "rabbitmq/connectivity", usage=usage).values())).status is Status.PASS
            found = verdicts(world, "rabbitmq/authentication", usage=usage)
    finally:
        broker.api("DELETE", "users/guest")
    assert found["Release exivity/exivity"].status is Status.PASS
    (guest,) = (verdict for subject, verdict in found.items() if subject.endswith(" guest"))
    assert guest.status is Status.UNKNOWN, "it enters from the broker's own loopback"
