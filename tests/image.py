"""The image's file tree without a container engine, and a process in it as a pod runs it: UID 65532, read-only root, no capabilities, no shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
UID = "65532"


class NotHere(RuntimeError):
    """This machine has not what it takes."""


def bwrap() -> str:
    """The program that makes the sandbox; installed by apt where root may. Raises NotHere."""
    found = shutil.which("bwrap")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "bubblewrap"], capture_output=True, check=False, timeout=120)
        found = shutil.which("bwrap")
    if found is None:
        raise NotHere("bubblewrap is not installed")
    tried = subprocess.run([found, "--ro-bind", "/", "/", "--unshare-user", "--uid", UID, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise NotHere(f"bubblewrap may not make a sandbox here: {tried.stderr.strip()}")
    return found


def wheel(folder: Path, *, changed: float | None = None) -> Path:
    """The wheel, built from a copy of the tree as `make package` builds it; ``changed``: when all files of the copy were changed last."""
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".venv", ".git", "tests", "build", "dist", "*.egg-info", "__pycache__", ".*_cache"))
    for path in source.rglob("*") if changed is not None else ():
        os.utime(path, (changed, changed))
    words = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder / "dist"), str(source)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1795000000"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, umask=0o022)
    assert done.returncode == 0, done.stderr[-2000:]
    return next((folder / "dist").glob("*.whl"))


def flags(target: Path, *, index: bool) -> list[str]:
    """The words of the Dockerfile's own pip lines, with its folder replaced."""
    line = next(
        line for line in DOCKERFILE.read_text().splitlines() if "pip" in line and ("--no-index" in line) is not index and line.startswith("RUN")
    )
    words = re.findall(r"--[\w-]+(?:=[^\s\",\]]+)?", line)
    return [str(word).replace("--target=/app", f"--target={target}") for word in words if not word.startswith("--requirement")]


def tree(folder: Path) -> Path:
    """/app as the Dockerfile makes it. Raises NotHere where the package index cannot be reached."""
    app, built = folder / "app", wheel(folder)
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    lock = ROOT / "deploy" / "requirements.lock"
    done = subprocess.run([*pip, *flags(app, index=True), f"--requirement={lock}"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotHere(f"the locked dependencies could not be had: {done.stderr.strip()[-300:]}")
    subprocess.run([*pip, *flags(app, index=False), str(built)], capture_output=True, text=True, check=True)
    subprocess.run([sys.executable, "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash", str(app)], check=True)
    return app


def inside(
    app: Path,
    arguments: Iterable[str],
    *,
    environment: Mapping[str, str] | None = None,
    mounts: Mapping[str, Path] | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run the command in a root of its own: the interpreter, the libraries and /app, all read-only, and a /tmp. ``mounts``: folders by path."""
    base = sys.base_prefix
    words = [
        bwrap(),
        "--unshare-user",
        "--uid",
        UID,
        "--gid",
        UID,
        "--cap-drop",
        "ALL",
        "--unshare-pid",
        "--unshare-ipc",
        "--die-with-parent",
        "--new-session",
    ]
    for path in ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"):
        words += ["--ro-bind", path, path] if Path(path).exists() else []
    words += ["--ro-bind", base, "/usr/local", "--ro-bind", str(app), "/app", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    words += [word for path, source in (mounts or {}).items() for word in ("--ro-bind", str(source), path)]
    given = {"PYTHONPATH": "/app", "PYTHONUNBUFFERED": "1", "HOME": "/tmp", "LD_LIBRARY_PATH": "/usr/local/lib", **(environment or {})}
    words += ["--clearenv", *(word for key, value in given.items() for word in ("--setenv", key, value)), "--chdir", "/tmp", "--remount-ro", "/"]
    words += ["/usr/local/bin/python3", "-m", "exivity_audit", *arguments]
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)
