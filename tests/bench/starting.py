"""What a person waits for where no cluster is asked: help, list, explain, demo, beside a bare ``import rich`` of the same interpreter, which is what the limit of a slow machine is made of."""

from __future__ import annotations

import sys

from .process import measure
from .results import Start

ROUNDS = 7
BARE_CODE = "import rich"
BARE_IMPORT = f'python -c "{BARE_CODE}"'
LIMITS: dict[tuple[str, ...], float] = {("--help",): 0.25, ("list",): 0.25, ("explain", "application/singletons"): 0.25, ("demo",): 0.6}


def starts() -> tuple[Start, ...]:
    """Best wall time of each command, in turn, the bare import first."""
    commands: dict[str, tuple[list[str], float | None]] = {BARE_IMPORT: ([sys.executable, "-c", BARE_CODE], None)}
    for words, limit in LIMITS.items():
        commands[" ".join(("exivity-audit", *words))] = ([sys.executable, "-m", "exivity_audit", *words], limit)
    costs = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, (command, _limit) in commands.items():
            costs[name].append(measure(command))
    return tuple(Start(name, min(cost.wall for cost in costs[name]), limit) for name, (_, limit) in commands.items())
