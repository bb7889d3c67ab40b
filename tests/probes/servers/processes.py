"""Starting servers of Debian's packages on loopback as their own users, and ending them by their ids alone."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PLAIN = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


def available(account: str) -> bool:
    """Whether processes can be started as an account: root may, and whoever is no root runs them as itself."""
    if os.geteuid() != 0:
        return True
    try:
        pwd.getpwnam(account)
    except KeyError:
        return False
    return shutil.which("setpriv") is not None


def command(account: str, arguments: list[str], environment: Mapping[str, str] | None = None) -> list[str]:
    """A command as an account, with an environment of its own."""
    variables = [f"{name}={value}" for name, value in {**PLAIN, **(environment or {})}.items()]
    if os.geteuid() != 0:
        return ["env", "-i", *variables, *arguments]
    return ["setpriv", "--reuid", account, "--regid", account, "--init-groups", "--reset-env", "env", "-i", *variables, *arguments]


def run(account: str, arguments: list[str], environment: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    """Run a command to its end as an account; what it says on standard output. Output goes through a file: daemons keep pipes open."""
    with tempfile.TemporaryFile() as out:
        done = subprocess.run(
            command(account, arguments, environment), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=folder or "/", timeout=120, check=False,
        )  # fmt: skip
        out.seek(0)
        said = out.read().decode("utf-8", "replace")
    assert done.returncode == 0, f"{arguments[0]} ended with {done.returncode}: {said[-2000:]}"
    return said


@contextmanager
def folder(account: str) -> Iterator[Path]:
    """A folder that an account owns, gone at the end."""
    made = Path(tempfile.mkdtemp(prefix="exivity-audit-probes-"))
    try:
        made.chmod(0o755)
        own(made, account)
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def own(path: Path, account: str) -> None:
    """Give a file or folder to an account."""
    if os.geteuid() == 0:
        found = pwd.getpwnam(account)
        os.chown(path, found.pw_uid, found.pw_gid)


def written(path: Path, text: str, account: str, mode: int = 0o600) -> Path:
    """A file with a text, of an account."""
    path.write_text(text)
    path.chmod(mode)
    own(path, account)
    return path


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def until(what: str, true: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def listening(port: int) -> bool:
    """Whether something takes connections on a port of loopback."""
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def end(pid: int, how: signal.Signals = signal.SIGTERM, seconds: float = 30) -> None:
    """End one process and wait for it to be gone."""
    for one in (how, signal.SIGKILL):
        try:
            os.kill(pid, one)
        except ProcessLookupError:
            return
        limit = time.monotonic() + seconds
        while alive(pid) and time.monotonic() < limit:
            time.sleep(0.05)
        if not alive(pid):
            return
