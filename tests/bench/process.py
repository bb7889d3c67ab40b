"""What a process cost: wall, CPU and peak memory, as the kernel counted them for it and the children it waited for."""

from __future__ import annotations

import os
import statistics
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


def measure(command: Sequence[str], *, codes: Sequence[int] = (0,), timeout: float = 120, environment: dict[str, str] | None = None) -> Cost:
    """Run a program once, its output thrown away; ``Failed``, with what it said, where it ends with another code."""
    with tempfile.TemporaryDirectory() as folder:
        file, errors = Path(folder, "cost"), Path(folder, "errors")
        with errors.open("wb") as sink:
            subprocess.run(
                [sys.executable, "-I", "-S", str(LAUNCHER), str(file), *command],
                cwd=folder, env=environment or plain_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=sink, timeout=timeout, check=False,
            )  # fmt: skip
        cost = parsed(file.read_text()) if file.exists() else None
        if cost is None or cost.code not in codes:
            said = errors.read_text(errors="replace")[-1000:]
            raise Failed(f"{' '.join(command)[:200]} ended with {cost.code if cost else 'nothing'}: {said}")
        return cost


def parsed(line: str) -> Cost:
    """The line that the launcher writes."""
    wall, user, system, kibibytes, code = line.split()
    return Cost(float(wall), float(user) + float(system), int(kibibytes) * 1024, int(code))


def best(costs: Sequence[Cost]) -> Cost:
    """The least of each: what else runs on a machine can only add to it. Of memory the most: that is what must be there."""
    return Cost(min(cost.wall for cost in costs), min(cost.cpu for cost in costs), max(cost.peak for cost in costs), costs[0].code)


def average(costs: Sequence[Cost]) -> Cost:
    """What it takes on average, for a program whose own work differs from run to run; of memory the most."""
    return Cost(
        statistics.fmean(cost.wall for cost in costs), statistics.fmean(cost.cpu for cost in costs), max(cost.peak for cost in costs), costs[0].code
    )


def plain_environment() -> dict[str, str]:
    """An environment without settings of this tool or of Kubernetes, in which compiled modules are kept."""
    dropped = ("KUBE", "EXIVITY_AUDIT_", "PYTHONDONTWRITEBYTECODE")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return environment | {"PYTHONPATH": str(REPOSITORY)}
