"""What a process cost: wall, CPU and peak memory, as the kernel counted them for it and the children it waited for."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launcher.py")
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Cost:
    """One run of a process."""

    wall: float
    cpu: float
    peak: int  # bytes
    code: int


class Failed(RuntimeError):
    """A measured program did not do what it is measured for."""


def measure(
    command: Sequence[str], *, codes: Sequence[int] = (0,), timeout: float = 120, environment: dict[str, str] | None = None, output: Path | None = None,
) -> Cost:  # fmt: skip
    """Run a program once, its output into a file or thrown away; ``Failed``, with what it said, where it ends with another code or not in time."""
    with tempfile.TemporaryDirectory() as folder:
        file, errors = Path(folder, "cost"), Path(folder, "errors")
        with errors.open("wb") as sink, (output or Path(os.devnull)).open("wb") as said:
            launcher = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LAUNCHER), str(file), *command],
                cwd=folder, env=environment or plain_environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=sink, start_new_session=True,
            )  # fmt: skip
            try:
                launcher.wait(timeout)
            except subprocess.TimeoutExpired:
                raise Failed(f"{' '.join(command)[:200]} did not end within {timeout:g} s") from None
            finally:
                if launcher.returncode is None:  # the launcher and what it started are one group: neither may go on beside the next
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(launcher.pid, signal.SIGKILL)
                    launcher.wait()
        cost = parsed(file.read_text()) if file.exists() else None
        if cost is None or cost.code not in codes:
            why = errors.read_text(errors="replace")[-1000:]
            raise Failed(f"{' '.join(command)[:200]} ended with {cost.code if cost else 'nothing'}: {why}")
        return cost


def parsed(line: str) -> Cost:
    """The line that the launcher writes."""
    wall, user, system, kibibytes, code = line.split()
    return Cost(float(wall), float(user) + float(system), int(kibibytes) * 1024, int(code))


def best(costs: Sequence[Cost]) -> Cost:
    """The least of each: what else runs on a machine can only add to it. Of memory the most: that is what must be there."""
    return Cost(min(cost.wall for cost in costs), min(cost.cpu for cost in costs), max(cost.peak for cost in costs), costs[0].code)


def plain_environment() -> dict[str, str]:
    """An environment without settings of this tool or of Kubernetes, in which compiled modules are kept."""
    dropped = ("KUBE", "EXIVITY_AUDIT_", "PYTHONDONTWRITEBYTECODE")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return environment | {"PYTHONPATH": str(REPOSITORY)}
