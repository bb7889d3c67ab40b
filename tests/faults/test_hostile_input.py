"""Hostile files: each is refused with a sentence, in seconds, within a small part of the memory, and nothing is written."""

from __future__ import annotations

import json
import os
import random
import select
import subprocess
import sys
from pathlib import Path

import pytest

from exivity_audit.handover.archive import Damaged
from exivity_audit.handover.verifying import verify
from exivity_audit.snapshot import encode
from tests import builders
from tests.faults.hostile_files import configs, snapshots
from tests.faults.scoreboard import LONG, ROOT, board
from tests.handover_pack import hostile
from tests.handover_pack.test_pack import made
from tests.judging import site_of, snapshot_of

LONGEST = 60  # seconds, after which a reader counts as hanging
CHILD = """
import json, sys
from pathlib import Path
from tests.faults.command import command

def peak():
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024

command("run", "--snapshot", sys.argv[1], "--quiet")
command("run", "--snapshot", sys.argv[1], "--quiet", "--baseline", sys.argv[1])
command("verify", sys.argv[1])
start = peak()
print(json.dumps(start), flush=True)
for line in sys.stdin:
    found = command(*json.loads(line))
    print(json.dumps([found.code, found.output, found.errors, found.seconds, peak() - start]), flush=True)
"""


def words(reads: str, file: Path, good: Path) -> list[str]:
    """The command that reads a hostile file."""
    judging = ["run", "--snapshot", str(good), "--quiet"]
    return {
        "snapshot": ["run", "--snapshot", str(file)], "baseline": [*judging, "--baseline", str(file)], "config": [*judging, "--config", str(file)],
        "evidence": [*judging, "--evidence", str(file)], "kubeconfig": ["run", "--kubeconfig", str(file), "--deadline", "2s"], "pack": ["verify", str(file)],
    }[reads]  # fmt: skip


class Victim:
    """A process that reads one hostile file after another."""

    def __init__(self, good: Path, folder: Path) -> None:
        self._good, self._folder = good, folder
        self._begin()

    def _begin(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(self._good)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=self._folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(self._folder)},
        )  # fmt: skip
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def read(self, arguments: list[str]) -> tuple[int, str, str, float, float]:
        """Code, outputs, seconds, and the memory on top of what two good files took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], LONGEST)
        line = self._process.stdout.readline() if ready else ""
        if not line:  # it hangs, or is gone
            self._process.kill()
            said = "it hangs" if not ready else f"the process is gone: {self._process.wait(30)}"
            self._begin()
            return -1, "", said, float(LONGEST), 0.0
        code, output, errors, seconds, memory = json.loads(line)
        return code, output, errors, seconds, memory

    def end(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


def test_hostile_files_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    good, file = tmp_path / "good.json", tmp_path / "hostile"
    good.write_bytes(encode(snapshot_of(site_of(builders.single_node()))))
    victim, said = Victim(good, folder), []
    packs = (("pack", name, content) for name, content in hostile.archives(made(False)))
    try:
        for name, reads, content in (*snapshots(good.read_bytes()), *configs(), *((name, reads, content) for reads, name, content in packs)):
            file.write_bytes(content)
            code, output, errors, seconds, memory = victim.read(words(reads, file, good))
            board.add("hostile files")
            board.high("hostile seconds", seconds)
            board.high("hostile memory", memory)
            refused = (code == 1 and "NOT AS SEALED" in output) if reads == "pack" else (code in (2, 4) and "next:" in errors and not output)
            clean = "\x1b" not in output + errors and "Traceback" not in errors and "a bug" not in errors
            board.add("hostile accepted", not (refused and clean))
            if not (refused and clean and seconds < 5 and memory < 150):
                said.append(f"{reads}: {name}: code {code}, {seconds:.1f} s, {memory:.0f} MiB: {errors[:300] or output[:200]}")
    finally:
        victim.end()
    assert said == []
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/urandom"])
@pytest.mark.parametrize("reads", ["snapshot", "baseline", "config", "evidence"])
def test_devices_are_read_to_a_limit(name: str, reads: str, tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_bytes(encode(snapshot_of(site_of(builders.single_node()))))
    victim = Victim(good, tmp_path)
    code, _, errors, seconds, memory = victim.read(words(reads, Path(name), good))
    victim.end()
    assert (code, seconds < 5, memory < 150) == (2, True, True), errors
    board.add("hostile files")


def test_every_flipped_byte_of_a_pack_is_seen() -> None:
    content, generator = bytearray(made(True)), random.Random(7)
    for _ in range(10_000 if LONG else 1000):
        place, bit = generator.randrange(len(content)), 1 << generator.randrange(8)
        content[place] ^= bit
        try:
            verify(bytes(content))
        except Damaged:
            board.add("flips missed", 0)
        else:
            board.add("flips missed")
        content[place] ^= bit
        board.add("flips")
    assert board.figures["flips missed"] == 0
