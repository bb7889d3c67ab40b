"""The example pack as its users have it: by folder, and as an installed wheel that the config names; and what a broken one does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import builders
from tests.builders import made
from tests.world import World
from tests.world_server import serving

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT / "examples" / "platform_pack"
FOLDER = PROJECT / "acme_platform_checks"


def world(*, used: str = "2", owner: str | None = "billing") -> World:
    found = builders.single_node()
    if owner:
        found.edit("Namespace", "exivity", lambda item: item["metadata"].setdefault("labels", {}).update({"acme.example/owner": owner}))
    found.add(made("v1", "ResourceQuota", "limits", "exivity", status={"hard": {"requests.cpu": "8"}, "used": {"requests.cpu": used}}))
    return found


def run(config: Path, folder: Path, *arguments: str, path: str = "") -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("KUBE", "EXIVITY_AUDIT"))}
    environment["PYTHONPATH"] = os.pathsep.join(part for part in (path, str(ROOT)) if part)
    report = folder / "report.json"
    words = ["run", "--kubeconfig", str(config), "--checks", "platform", "--quiet", "-o", f"json={report}", *arguments]
    done = subprocess.run(
        [sys.executable, "-m", "exivity_audit", *words], capture_output=True, text=True, check=False, timeout=90, env=environment, cwd=folder
    )
    return done, json.loads(report.read_text()) if report.exists() else {}


def results(report: dict[str, Any]) -> dict[str, str]:
    return {result["id"]: result["status"] for result in report["results"]}


def test_by_folder(tmp_path: Path) -> None:
    with serving(world(), tmp_path) as (config, server):
        done, report = run(config, tmp_path, "--pack", str(FOLDER))
    assert done.returncode == 0, done.stderr
    assert results(report) == {"platform/owner": "pass", "platform/quota": "pass"}
    assert any(asked.startswith("/api/v1/namespaces/exivity/resourcequotas") for _, asked in server.asked), "its own read was asked"


def test_its_checks_can_fail(tmp_path: Path) -> None:
    with serving(world(used="7500m", owner=None), tmp_path) as (config, _):
        done, report = run(config, tmp_path, "--pack", str(FOLDER))
    assert done.returncode == 1, done.stderr
    assert results(report) == {"platform/owner": "fail", "platform/quota": "fail"}


def test_what_it_may_not_read_is_unknown(tmp_path: Path) -> None:
    closed = world()
    closed.deny = lambda resource, namespace, name: resource == "resourcequotas"
    with serving(closed, tmp_path) as (config, _):
        done, report = run(config, tmp_path, "--pack", str(FOLDER))
    assert done.returncode == 3
    assert results(report)["platform/quota"] == "unknown"


def test_as_an_installed_wheel(tmp_path: Path) -> None:
    source, site = tmp_path / "source", tmp_path / "site"
    shutil.copytree(PROJECT, source, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    for words in (["build", "--wheel", "--outdir", str(tmp_path), str(source)],
                  ["pip", "install", "--quiet", "--no-deps", "--no-index", "--find-links", str(tmp_path), "--target", str(site), "acme-platform-checks"]):  # fmt: skip
        done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    (tmp_path / "exivity-audit.yaml").write_text("packs: [acme]\nthresholds: {platform.quota: 0.2}\n")
    with serving(world(), tmp_path) as (config, _):
        done, report = run(config, tmp_path, path=str(site))
    assert results(report) == {"platform/owner": "pass", "platform/quota": "fail"}, done.stderr


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("for namespace in own_namespace:", "for namespace in own_namespace.nodes:", 3, ""),
        ("def owner(own_namespace)", "def owner(own_namespaces)", 2, "did you mean 'own_namespace'?"),
        ('@check("owner"', '@chek("owner"', 2, "platform.py:"),
        ("Fix: label", "label", 2, "platform.py:"),
    ],
    ids=["a check that crashes", "an unknown read", "an import that fails", "no fix"],
)
def test_a_broken_pack(tmp_path: Path, old: str, new: str, code: int, said: str) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(FOLDER, broken, ignore=shutil.ignore_patterns("__pycache__"))
    text = (broken / "platform.py").read_text()
    assert old in text
    (broken / "platform.py").write_text(text.replace(old, new))
    with serving(world(), tmp_path) as (config, _):
        done, report = run(config, tmp_path, "--pack", str(broken))
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    if code == 3:
        assert results(report) == {"platform/owner": "error", "platform/quota": "pass"}
        crash = next(result for result in report["results"] if result["status"] == "error")
        assert "platform.py:" in crash["message"]
