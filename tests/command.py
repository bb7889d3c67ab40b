"""The command as it is run, in a process of its own that is forked from this one: nothing is imported again, which is most of a short run.

What only a new interpreter shows stays with ``python -m exivity_audit``: what is imported, how the environment sets up Python, signals and
pipes, how a process ends that still waits for a server (tests/test_cli.py, tests/test_whole_run.py, tests/test_packaging.py).
"""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import select
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from typing import NoReturn

import exivity_audit
from exivity_audit.cli import main
from exivity_audit.pack import own_pack


def audit(*words: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 90) -> CompletedProcess[str]:
    """``exivity-audit …`` with its output and exit code, as ``subprocess.run`` gives them."""
    _warm()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = os.fork()
        if process == 0:
            _become(words, os.environ if env is None else env, cwd, output.fileno(), errors.fileno())
        code = _waited(process, timeout)
        if code is None:
            raise TimeoutExpired(words, timeout)
        output.seek(0)
        errors.seek(0)
        return CompletedProcess(list(words), code, output.read().decode(), errors.read().decode())


@cache
def _warm() -> None:
    """Import what commands import."""
    for info in pkgutil.walk_packages(exivity_audit.__path__, "exivity_audit."):
        if not info.name.endswith(("__main__", "_worker")):
            importlib.import_module(info.name)
    own_pack()


def _waited(process: int, seconds: float) -> int | None:
    """The exit code; None where the time was up and the process was killed."""
    descriptor = os.pidfd_open(process)
    try:
        ready, _, _ = select.select([descriptor], [], [], seconds)
        if not ready:
            os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
    finally:
        os.close(descriptor)
    return os.waitstatus_to_exitcode(status) if ready else None


def _become(words: tuple[str, ...], env: Mapping[str, str], cwd: Path | None, output: int, errors: int) -> NoReturn:
    """Be the command, with nothing of the test's process but its modules."""
    code: object = 1
    try:
        gc.freeze()  # nothing that was there is collected: it would close descriptors of the same number
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(errors, 2)
        os.closerange(3, 4096)
        sys.stdin, sys.stdout = open(0, encoding="utf-8"), open(1, "w", encoding="utf-8")  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
        sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]
        signal.signal(signal.SIGINT, signal.default_int_handler)
        warnings.resetwarnings()
        for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)
        os.environ.clear()
        os.environ.update(env)
        time.tzset()
        os.chdir(cwd or Path.cwd())
        sys.argv = ["exivity-audit", *words]
        main(list(words))
    except SystemExit as error:
        code = error.code
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                code = 120
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)
