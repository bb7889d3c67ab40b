"""The whole command over HTTP: what it asks, that offline equals live, and that a server that hangs loses nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.pack import own_pack
from tests import builders
from tests.command import audit
from tests.world import RESOURCES
from tests.world_server import serving


def run(config: Path, *arguments: str, command: str = "run") -> subprocess.CompletedProcess[str]:
    return audit(command, "--kubeconfig", str(config), *arguments, env=clean())


def clean() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("KUBE", "EXIVITY_AUDIT"))}


def heeding() -> None:
    """In the child: heed an interrupt, also where the tests run in the background of a shell that lets them ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def report(path: Path) -> Any:
    return json.loads(path.read_text())


def test_it_reads_within_its_budget_and_writes_nothing(tmp_path: Path) -> None:
    world = builders.single_node()
    with serving(world, tmp_path) as (config, server):
        found = run(config, "--stats", "--quiet", "-o", f"json={tmp_path / 'r.json'}")
    assert found.returncode == 3, found.stderr
    posts = [path for method, path in server.asked if method != "GET"]
    assert sorted(posts) == ["/apis/authentication.k8s.io/v1/selfsubjectreviews", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"]
    allowed = 60 + len(set(world.resources) - set(RESOURCES))  # one more for each kind of an operator that is served
    assert len(server.asked) <= allowed, len(server.asked)
    assert f"{len(server.asked)} requests" in found.stderr
    assert len(set(server.asked)) >= len(server.asked) - 2, "hardly anything is asked twice"


def test_only_what_the_selected_checks_need_is_read(tmp_path: Path) -> None:
    with serving(builders.multi_node(), tmp_path) as (config, server):
        run(config, "--checks", "logs/retention", "--quiet")
    asked = {path for _, path in server.asked}
    assert not any("secrets" in path or "longhorn" in path or "ingresses" in path for path in asked), asked


@pytest.mark.parametrize("secrets", ["list", "named", "none"])
def test_offline_verdicts_equal_live_verdicts(tmp_path: Path, secrets: str) -> None:
    with serving(builders.multi_node(), tmp_path) as (config, server):
        live = run(config, "--secrets", secrets, "-o", f"json={tmp_path / 'live.json'}", "--save", str(tmp_path / "saved.json"), "--quiet")
        run(config, "--secrets", secrets, "--output", str(tmp_path / "collected.json.gz"), command="collect")
    listed = [path for _, path in server.asked if "/secrets?" in path]
    assert bool(listed) == (secrets == "list")
    assert any("/secrets/" in path for _, path in server.asked) == (secrets != "none")
    for name in ("saved.json", "collected.json.gz"):
        offline = audit("run", "--snapshot", str(tmp_path / name), "-o", f"json={tmp_path / 'offline.json'}", "--quiet", env=clean())
        assert offline.returncode == live.returncode
        first, second = report(tmp_path / "live.json"), report(tmp_path / "offline.json")
        for key in ("sites", "rows", "results", "summary", "tables", "fixes", "unread", "scenario", "cluster"):
            assert json.dumps(first[key]) == json.dumps(second[key]), key


def test_a_resource_that_hangs_costs_its_own_checks_and_no_more(tmp_path: Path) -> None:
    with serving(builders.multi_node(), tmp_path) as (config, _):
        run(config, "--quiet", "-o", f"json={tmp_path / 'whole.json'}")
    with serving(builders.multi_node(), tmp_path, hanging=("/namespaces/exivity/persistentvolumeclaims",)) as (config, _):
        words = ["run", "--kubeconfig", str(config), "--deadline", "4s", "--quiet", "-o", f"json={tmp_path / 'part.json'}"]
        found = subprocess.run([sys.executable, "-m", "exivity_audit", *words], capture_output=True, text=True, check=False, timeout=90, env=clean())
    assert found.returncode == 3, found.stderr
    whole, part = report(tmp_path / "whole.json"), report(tmp_path / "part.json")

    def statuses(one: Any) -> dict[str, set[str]]:
        by_check: dict[str, set[str]] = {}
        for result in one["results"]:
            by_check.setdefault(result["id"], set()).add(result["status"])
        return by_check

    before, after = statuses(whole), statuses(part)
    assert set(before) == set(after) == {check.id for check in own_pack().checks}
    assert after["storage/claims-bound"] == {"unknown"}
    assert after["application/singletons"] == before["application/singletons"] == {"pass"}
    passed = {check for check, found in after.items() if found == {"pass"}}
    assert passed <= {check for check, found in before.items() if "pass" in found}
    assert part["summary"]["coverage"]["ratio"] < whole["summary"]["coverage"]["ratio"]
    assert {item["read"] for item in part["unread"]} >= {"persistentvolumeclaims"}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_ends_at_once_and_leaves_nothing(tmp_path: Path, number: int, code: int) -> None:
    target = tmp_path / "out"
    target.mkdir()
    with serving(builders.multi_node(), tmp_path, hanging=("/persistentvolumeclaims",)) as (config, server):
        words = [sys.executable, "-m", "exivity_audit", "run", "--kubeconfig", str(config), "-n", "exivity", "-o", f"json={target / 'r.json'}"]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean(), preexec_fn=heeding)
        assert server.reached.wait(30)
        process.send_signal(number)
        output, errors = process.communicate(timeout=20)
    assert process.returncode == code, errors
    assert output == ""
    assert "Traceback" not in errors
    assert list(target.iterdir()) == []


def test_nothing_allowed_with_a_release_is_a_full_report_of_unknowns(tmp_path: Path) -> None:
    world = builders.multi_node()
    world.deny = lambda resource, namespace, name: True
    with serving(world, tmp_path) as (config, _):
        found = run(config, "--release", "exivity", "-n", "exivity", "-o", f"json={tmp_path / 'r.json'}")
        none = run(config)
        missing = run(config, "--release", "exivity", "-n", "exivity", command="preflight")
    assert found.returncode == 3, found.stderr
    assert "UNVERIFIED" in found.stdout
    assert {item["id"] for item in report(tmp_path / "r.json")["results"]} == {check.id for check in own_pack().checks}
    assert none.returncode == 2
    assert "cannot look for the Exivity release" in none.stderr
    assert missing.returncode == 3
    assert "missing  list deployments in exivity" in missing.stdout
    assert "application/singletons" in missing.stdout


def test_preflight_asks_for_exactly_what_a_run_reads(tmp_path: Path) -> None:
    with serving(builders.multi_node(), tmp_path) as (config, _):
        found = run(config, command="preflight")
    assert found.returncode == 0, found.stdout
    assert "rights are there" in found.stdout
