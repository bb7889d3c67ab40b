"""Foreign checks that misbehave in every way: each is an error of its own, and every other check keeps its verdict."""

from __future__ import annotations

import json
import os
import select
import socket
from pathlib import Path
from typing import Any

import pytest

from exivity_audit import foreign
from exivity_audit.snapshot import encode
from tests import builders
from tests.faults.catalogue import CANARY
from tests.faults.command import Ran, command
from tests.faults.rogue_pack import ROGUES, write
from tests.faults.scoreboard import board
from tests.judging import site_of, snapshot_of


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """A saved cluster."""
    file = tmp_path / "s.json"
    file.write_bytes(encode(snapshot_of(site_of(builders.single_node()))))
    return file


def results(file: Path) -> dict[str, dict[str, Any]]:
    """The results of a JSON report by check."""
    found: dict[str, dict[str, Any]] = {}
    for one in json.loads(file.read_text())["results"]:  # the most urgent of a check comes first
        found.setdefault(one["id"], one)
    return found


def judged(snapshot: Path, *words: str) -> tuple[Ran, dict[str, dict[str, Any]]]:
    """A run over the saved cluster, and its results."""
    report = snapshot.parent / "report.json"
    found = command("run", "--snapshot", snapshot, "--quiet", "-o", f"json={report}", *words)
    return found, results(report)


def test_rogue_checks_are_contained(snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "SECONDS", 2.0)
    monkeypatch.setattr(foreign, "_GRACE", 3.0)
    monkeypatch.setenv("SECRET_OF_OURS", CANARY)
    _, plain = judged(snapshot)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(listener.getsockname())
        slugs = write(tmp_path / "rogues", listener.getsockname()[1])
        found, beside = judged(snapshot, "--pack", str(tmp_path / "rogues"))
        assert select.select([listener, datagrams], [], [], 0)[0] == [], "nobody called"
    assert found.code in (1, 3), found.errors
    ours = {name: one for name, one in beside.items() if not name.startswith("rogue/")}
    assert ours == plain, "no verdict of the checklist changed"
    assert (beside["rogue/first"]["status"], beside["rogue/last"]["status"]) == ("pass", "pass")
    escaped = []
    for slug, (_, harmless) in zip(slugs, ROGUES.values(), strict=True):
        status, message = beside[f"rogue/{slug}"]["status"], beside[f"rogue/{slug}"]["message"]
        good = status == "pass" and beside[f"rogue/{slug}"]["measured"] == plain_nodes(beside)
        board.add("rogues")
        told = good if harmless else status == "error" if harmless is False else status in ("pass", "error", "skip")
        if not told:
            escaped.append(f"{slug}: {status}: {message}")
    for slug in ("connects", "looks-up-a-name", "binds", "runs-a-program"):
        if "Refused" not in beside[f"rogue/{slug}"]["message"]:
            escaped.append(f"{slug} is an error for another reason: {beside[f'rogue/{slug}']['message']}")
    board.add("rogues escaped", len(escaped))
    assert escaped == []
    assert CANARY not in found.text + (tmp_path / "report.json").read_text()
    written = Path("/tmp/rogue-was-here")
    assert not written.exists() or written.stat().st_size == 0, "a name may be left, no byte"
    written.unlink(missing_ok=True)
    assert not (tmp_path / "rogue-was-here").exists()


def plain_nodes(found: dict[str, dict[str, Any]]) -> int:
    """How many nodes the first, well-behaved check saw."""
    count: int = found["rogue/first"]["measured"]
    return count


@pytest.mark.parametrize(
    "text", ["raise SystemExit(0)", "import sys; sys.exit(0)", "raise BaseException('x')", "1 / 0", "def", "import no_such_module"]
)
def test_a_pack_that_cannot_be_imported_is_refused(text: str, snapshot: Path, tmp_path: Path) -> None:
    write(tmp_path / "pack")
    (tmp_path / "pack" / "rogue.py").write_text(text)
    found = command("run", "--snapshot", snapshot, "--quiet", "--pack", tmp_path / "pack")
    assert found.code == 2, "a pack that ends the process would have been a clean run"
    assert "cannot be imported" in found.errors
    board.add("hostile files")


def test_no_process_is_left(snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "SECONDS", 1.0)
    write(tmp_path / "rogues")
    judged(snapshot, "--pack", str(tmp_path / "rogues"), "--checks", "rogue/forks-and-stays,rogue/sleeps,rogue/first")
    workers = [name for name in os.listdir("/proc") if name.isdigit() and b"exivity_audit.foreign_worker" in _words(name)]
    assert workers == []


def _words(process: str) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""
