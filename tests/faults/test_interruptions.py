"""Signals, closed pipes, full and read-only disks, two runs at once, kills at any moment: no half file, the right code."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.snapshot import decode, encode
from tests import builders
from tests.collect.fake_server import Pair, make_pair, write_kubeconfig
from tests.faults.canaries import CORE, standing, traces
from tests.faults.proxy import Fault, FaultProxy
from tests.faults.scoreboard import LONG, ROOT, board
from tests.faults.test_secrets_stay import Carrying, nest, served
from tests.faults.variants import backend
from tests.judging import site_of, snapshot_of
from tests.test_whole_run import clean, heeding

TOKEN = f"tok{CORE}qq424242"
KILLS = 200 if LONG else 20


def words(*arguments: str | Path) -> list[str]:
    """The command as a process."""
    return [sys.executable, "-m", "exivity_audit", *(str(one) for one in arguments)]


def environment(folder: Path) -> dict[str, str]:
    """A clean environment with a folder of its own for temporary files."""
    (folder / "tmp").mkdir(exist_ok=True)
    return {**clean(), "TMPDIR": str(folder / "tmp"), "HOME": str(folder), "PYTHONPATH": str(ROOT)}


def user(authority: Pair) -> dict[str, Any]:
    """Credentials of every kind that could be left behind."""
    import base64

    pair = make_pair("client", authority)
    return {
        "token": TOKEN, "client-certificate-data": base64.b64encode(pair.certificate).decode(), "client-key-data": base64.b64encode(pair.key).decode(),
    }  # fmt: skip


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A saved cluster."""
    file = tmp_path / "s.json"
    file.write_bytes(encode(snapshot_of(site_of(builders.single_node()))))
    return file


def secret(content: bytes) -> bool:
    """Whether some bytes hold a canary in any coding, or key material."""
    return any(traces(content)) or b"PRIVATE KEY" in content


def whole(folder: Path) -> list[str]:
    """What is wrong with the files of a folder: half ones, strangers, secrets."""
    found = []
    for path in folder.rglob("*"):
        if path.is_dir():
            continue
        content = path.read_bytes()
        if secret(content):
            found.append(f"{path.name} holds a secret")
        try:
            if path.name == "snapshot.json":
                decode(content, "s")
            elif path.name == "report.json":
                assert json.loads(content)["results"]
            elif path.name == "page.html":
                assert content.rstrip().endswith(b"</html>")
            elif path.name != "old.json":
                found.append(f"{path.name} was left behind ({len(content)} bytes)")
        except Exception as error:
            found.append(f"{path.name}: {type(error).__name__}")
    return found


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("path", ["/version", "/api/v1/nodes"])
def test_signals_while_it_reads(number: int, code: int, path: str, proxy: FaultProxy, authority: Pair, tmp_path: Path) -> None:
    import threading

    reached = threading.Event()

    def hang(asked: Any, genuine: Any, before: int) -> Any:
        reached.set()
        time.sleep(0.2)
        from tests.collect.fake_server import raw

        return raw(b"", hang=True)

    out = tmp_path / "out"
    out.mkdir()
    proxy.begin(backend("single_node", 500), Fault(path, hang))
    config = write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user=user(authority))
    arguments = words("run", "--kubeconfig", config, "-n", "exivity", "--save", out / "snapshot.json", "-o", f"json={out / 'report.json'}")
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(tmp_path), preexec_fn=heeding)
    assert reached.wait(60)
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    board.add("interruptions")
    assert (process.returncode, output) == (code, ""), errors
    assert "Traceback" not in errors
    assert list(out.iterdir()) == []
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("lines", [0, 3])
def test_a_pipe_that_closes(lines: int, saved: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    process = subprocess.Popen(
        words("run", "--snapshot", saved, "-v", "-o", "table", "-o", f"json={report}"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    for _ in range(lines):
        process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read().decode()
    board.add("interruptions")
    assert process.wait(30) in (0, 1, 3), errors
    assert errors.count("\n") <= 1, errors
    assert json.loads(report.read_text())["results"], "the files were written before"


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[bool]:
    """A file system in memory on a folder, where this may be; its size or mode as told."""
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, options.encode()) == 0
    try:
        yield done
    finally:
        if done:
            libc.umount2(str(folder).encode(), 2)


@pytest.mark.parametrize("target", ["report", "demo", "page", "pack", "standard output", "snapshot beside a report", "snapshot collected"])
def test_a_full_disk(target: str, saved: Path, proxy: FaultProxy, authority: Pair, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    proxy.begin(backend("single_node", 500))
    config = write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user=user(authority))
    live = ["--kubeconfig", config, "-n", "exivity"]
    disk.mkdir()
    with mounted(disk, "size=64k") as done:
        limit: Callable[[], None] | None = None
        if not done:  # without the right to mount: files of at most 64 KiB do the same

            def limit() -> None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))

        flags: dict[str, list[str | Path]] = {
            "report": ["run", "--snapshot", saved, "-q", "-o", f"json={disk / 'report.json'}"], "page": ["run", "--snapshot", saved, "-q", "-o", f"html={disk / 'page.html'}"],
            "pack": ["seal", "--snapshot", saved, "-o", disk / "pack.zip"], "standard output": ["run", "--snapshot", saved, "-o", "json"], "demo": ["demo", "-o", f"json={disk / 'report.json'}", "-q"],
            "snapshot beside a report": ["run", *live, "-q", "--save", disk / "snapshot.json"], "snapshot collected": ["collect", *live, "-o", disk / "snapshot.json"],
        }  # fmt: skip
        (disk / "old.json").write_text("old")
        with Path("/dev/full" if target == "standard output" else os.devnull).open("wb") as output:
            found = subprocess.run(
                words(*flags[target]), stdout=output, stderr=subprocess.PIPE, text=True, check=False, timeout=120, env=environment(tmp_path),
                preexec_fn=limit,
            )  # fmt: skip
        board.add("interruptions")
        assert found.returncode == 2, found.stderr
        assert "next:" in found.stderr
        assert "Traceback" not in found.stderr
        assert [path.name for path in disk.iterdir()] == ["old.json"], "no half file"


@pytest.mark.parametrize("command", [["run", "-q", "-o", "json={}/report.json"], ["seal", "-o", "{}/pack.zip"]])
def test_a_folder_that_may_only_be_read(command: list[str], saved: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted(disk, "size=1m,ro") as done:
        if not done:
            disk.chmod(0o500)
        # root may write where the mode says no; where it may not mount either, /proc takes no file from anybody
        folder = disk if done or os.geteuid() != 0 else Path("/proc")
        arguments = [part.format(folder) for part in command]
        found = subprocess.run(
            words(arguments[0], "--snapshot", saved, *arguments[1:]),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env=environment(tmp_path),
        )
        assert found.returncode == 2, found.stderr
        assert "cannot write" in found.stderr
        assert "next:" in found.stderr
        assert "Traceback" not in found.stderr
        assert list(disk.iterdir()) == []
        assert [name for name in ("report.json", "pack.zip") if (folder / name).exists()] == []
        board.add("interruptions")


def test_two_runs_at_once_into_one_file(saved: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    arguments = words("run", "--snapshot", saved, "-q", "-o", f"json={out / 'report.json'}", "-o", f"html={out / 'page.html'}")
    running = [subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, env=environment(tmp_path)) for _ in range(4 if not LONG else 50)]
    for process in running:
        _, errors = process.communicate(timeout=300)
        assert process.returncode in (0, 1, 3), errors
    board.add("interruptions")
    assert whole(out) == []
    assert len(list(out.iterdir())) == 2


def test_kills_at_any_moment(proxy: FaultProxy, authority: Pair, tmp_path: Path) -> None:
    """SIGKILL leaves nobody time to tidy up: what is there then is whole or is not there, and holds no secret; nor do temporary files.

    The cluster is one with a canary at every trap, and an undisturbed run shows that its answers carry them to the process that is killed.
    """
    server = Carrying(served("single_node"))
    proxy.begin(server)
    config = write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user=user(authority))
    out = tmp_path / "out"
    out.mkdir()
    arguments = words(
        "run",
        "--kubeconfig",
        config,
        "-n",
        "exivity",
        "-q",
        "--save",
        out / "snapshot.json",
        "-o",
        f"json={out / 'report.json'}",
        "-o",
        f"html={out / 'page.html'}",
    )
    generator, surroundings = random.Random(3), environment(tmp_path)
    began = time.monotonic()
    subprocess.run(arguments, check=False, env=surroundings, timeout=120)
    length, said = time.monotonic() - began, []
    assert len(standing(nest(), server.answers)) >= 200
    assert whole(out) == []
    assert len(list(out.iterdir())) == 3
    most = len(server.answers)
    for number in range(KILLS):
        proxy.begin(server.backend)
        with contextlib.suppress(FileNotFoundError):
            (out / generator.choice(["snapshot.json", "report.json", "page.html"])).unlink()
        process = subprocess.Popen(arguments, env=surroundings)
        if number % 2:  # once it was answered so many times, and a little later: it holds what the cluster said, or writes it
            wanted = generator.randrange(1, most + 1)
            while len(proxy.asked) < wanted and process.poll() is None:
                time.sleep(0.01)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(generator.uniform(0, length * (0.5 if number % 2 else 1.2)))
        process.kill()
        process.wait(30)
        board.add("kills")
        left = [path for path in tmp_path.rglob("*") if path.is_file() and path != config]
        board.add("kill files searched", len(left))
        wrong = [one for one in whole(out) if not one.startswith(".")] + whole(tmp_path / "tmp")
        wrong += [f"{path.name} holds a secret" for path in left if path.parent != tmp_path / "tmp" and secret(path.read_bytes())]
        for path in out.glob(".*"):
            path.unlink()  # the file beside the target that a kill leaves: under another name, and redacted
        board.add("corrupted", len(wrong))
        said += wrong
    assert said == []
