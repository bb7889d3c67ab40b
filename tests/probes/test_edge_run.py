"""The whole command with probes: live equals offline, nothing leaks, a peer that hangs costs its limit alone, and a killed run leaves nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import builders
from tests.mutation import put
from tests.probes.edge import pki
from tests.probes.edge.nginx import MISSING, edge
from tests.probes.edge.peers import dripping, peer, silent
from tests.probes.edge.pki import HOST
from tests.test_whole_run import clean, heeding, report, run
from tests.world_server import serving

RUNS = 50
MARK = "EXIVITY_AUDIT_TEST_MARK"
FORWARDING = """
import sys, time
from exivity_audit.collect.connection import Connection
from exivity_audit.probes.attempt import Attempt
from exivity_audit.probes.port_forward import PortForwards
from exivity_audit.probes.ways import Pod
attempt = Attempt(60)
PortForwards(Connection(f"http://localhost:{sys.argv[1]}"))(Pod("databases", "pg-1", 5432), attempt)
print("open", flush=True)
time.sleep(60)
"""
needs_nginx = pytest.mark.skipif(bool(MISSING), reason=MISSING)


def config(folder: Path, connect: dict[tuple[str, int], tuple[str, int]], **more: Any) -> Path:
    """A config that sends the host to servers on loopback."""
    path = folder / "exivity-audit.yaml"
    places = {f"{host}:{port}": f"{other}:{number}" for (host, port), (other, number) in connect.items()}
    path.write_text(json.dumps({"probes": {"connect": places, **more}}))
    return path


def results(path: Path, check: str) -> dict[str, dict[str, Any]]:
    """The results of one check by the part of their subject."""
    return {str((one["subject"] or {}).get("part")): one for one in report(path)["results"] if one["id"] == check}


@needs_nginx
def test_live_equals_offline_and_nothing_leaks(tmp_path: Path) -> None:
    pair = pki.issued(end=-3)
    (tmp_path / "ca.pem").write_bytes(pki.root())
    with edge(tmp_path, pair) as served, serving(builders.multi_node(), tmp_path) as (cluster, server):
        words = ("--config", str(config(tmp_path, served.connect(), ca_file="ca.pem")), "--probe", "tls,http", "--checks", "ingress")
        live = run(cluster, *words, "-o", f"json={tmp_path / 'live.json'}", "-o", "table", "-v", "--save", str(tmp_path / "saved.json"))
        assert not any("portforward" in path for _, path in server.asked)
        assert {method for method, _ in server.asked} <= {"GET", "POST"}
    offline = subprocess.run(
        [sys.executable, "-m", "exivity_audit", "run", "--snapshot", str(tmp_path / "saved.json"), "--checks", "ingress", "-o", f"json={tmp_path / 'offline.json'}"],
        capture_output=True, text=True, check=False, timeout=90, env=clean(),
    )  # fmt: skip
    assert offline.returncode == live.returncode, offline.stderr
    first, second = report(tmp_path / "live.json"), report(tmp_path / "offline.json")
    for key in ("sites", "rows", "results", "summary", "unread"):
        assert json.dumps(first[key]) == json.dumps(second[key]), key
    assert results(tmp_path / "live.json", "ingress/certificate")[HOST]["status"] == "fail"
    assert "probe from outside the cluster" in live.stdout
    assert "expired" in live.stdout
    for text in (live.stdout, live.stderr, (tmp_path / "saved.json").read_text(), (tmp_path / "live.json").read_text()):
        assert pair.key.decode().splitlines()[1] not in text
        assert "ca.pem" not in text


def test_a_snapshot_refuses_the_flags_of_probes(tmp_path: Path) -> None:
    with serving(builders.single_node(), tmp_path) as (cluster, _):
        run(cluster, "--save", str(tmp_path / "saved.json"), "--checks", "ingress")
    for flag in ("--probe", "--probe=dns", "--probe-port-forward", "--probe-default-logins"):
        words = [sys.executable, "-m", "exivity_audit", "run", "--snapshot", str(tmp_path / "saved.json"), flag]
        found = subprocess.run(words, capture_output=True, text=True, check=False, timeout=90, env=clean())
        assert (found.returncode, flag.partition("=")[0] in found.stderr) == (2, True)


def test_a_name_of_this_machine_by_the_system_s_resolver(tmp_path: Path) -> None:
    world = builders.multi_node()
    world.edit("Ingress", "exivity", put("spec.rules.0.host", "localhost"))
    with serving(world, tmp_path) as (cluster, _):
        run(cluster, "--probe", "dns", "--checks", "ingress/dns", "--save", str(tmp_path / "saved.json"))
    (seen,) = [
        one
        for read in report(tmp_path / "saved.json")["sites"][0]["reads"]
        if read["name"] == "probe_dns" and read["place"]["name"] == "localhost"
        for one in read["objects"]
    ]
    assert "127.0.0.1" in seen["addresses"]


def test_peers_that_hang_cost_their_limit_alone(tmp_path: Path) -> None:
    with peer(silent) as one, peer(dripping(b"HTTP/1.1 200 OK\r\nX: ", b"a")) as other, serving(builders.multi_node(), tmp_path) as (cluster, _):
        path = config(tmp_path, {(HOST, 443): ("127.0.0.1", one), (HOST, 80): ("127.0.0.1", other)})
        before = time.monotonic()
        found = run(cluster, "--config", str(path), "--probe", "tls,http", "--probe-limit", "2s", "-o", f"json={tmp_path / 'r.json'}")
        assert time.monotonic() - before < 25, "the rest of the run is no part of the limit"
    assert found.returncode == 1 or found.returncode == 3
    unread = {one["read"]: one["rule"] for one in report(tmp_path / "r.json")["unread"] if one["read"].startswith("probe_")}
    assert unread["probe_tls"] == "a longer --probe-limit or --deadline"
    assert {one["status"] for one in results(tmp_path / "r.json", "ingress/class").values()} == {"pass"}


def processes(mark: str) -> Iterator[int]:
    """The processes of this machine that carry a mark in their environment, zombies left out."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                yield int(folder.name)
        except OSError:
            continue


def test_killed_runs_leave_nothing(tmp_path: Path) -> None:
    from tests.forwarding import forwarding

    chance, mark = random.Random(7), f"{MARK}={os.getpid()}-{time.monotonic_ns()}"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**clean(), "TMPDIR": str(temporary), mark.partition("=")[0]: mark.partition("=")[2]}
    with peer(silent) as one, peer(silent) as target, forwarding(target) as forwarder, serving(builders.multi_node(), tmp_path) as (cluster, _):
        path = config(tmp_path, {(HOST, 443): ("127.0.0.1", one), (HOST, 80): ("127.0.0.1", one)})
        probing = [
            sys.executable, "-m", "exivity_audit", "run", "--kubeconfig", str(cluster), "--config", str(path), "--probe", "tls,http", "--checks", "ingress/tls,ingress/plain-http",
            "-o", f"json={temporary / 'r.json'}",
        ]  # fmt: skip
        carrying = [sys.executable, "-c", FORWARDING, str(forwarder.port)]
        codes = []
        for number in range(RUNS):
            command = carrying if number % 5 == 0 else probing
            started = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heeding
            )
            if command is carrying:
                assert started.stdout is not None
                assert started.stdout.readline() == b"open\n"
            else:
                time.sleep(chance.uniform(0.05, 1.6))
            started.send_signal(chance.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT)))
            started.communicate(timeout=10)
            codes.append(started.returncode)
        assert not list(processes(mark))
        assert not list(temporary.iterdir()), "no file, and no half of one"
        end = time.monotonic() + 5
        while forwarder.open and time.monotonic() < end:
            time.sleep(0.05)
        assert forwarder.open == 0
    assert set(codes) <= {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, 130, 143, 1}
