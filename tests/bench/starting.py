"""Measures what a person waits for, beside the limits: ``make bench``.

Each figure is the best of several runs of the whole process; the ratio is to a bare ``import rich`` of the same interpreter.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

RUNS = 7
LIMITS = {("--help",): 0.25, ("list",): 0.25, ("explain", "application/singletons"): 0.25, ("demo",): 0.6}


def seconds(*command: str) -> float:
    """Best wall time of a process."""
    best = float("inf")
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        best = min(best, time.perf_counter() - began)
    return best


def main() -> int:
    """Print the table; 1 where a limit (or five times the bare import, whichever is larger) is not kept."""
    bare = seconds(sys.executable, "-c", "import rich.console")
    print(f"{'command':40} {'seconds':>8} {'limit':>6} {'× bare import':>14}")
    print(f"{'python -c import rich.console':40} {bare:8.3f}")
    late = 0
    rows = {(sys.executable, "-m", "exivity_audit", *words): limit for words, limit in LIMITS.items()}
    if os.environ.get("KUBECONFIG"):
        rows[sys.executable, "-m", "exivity_audit", "run"] = 1.0
    for command, limit in rows.items():
        found = seconds(*command)
        kept = found <= max(limit, 5 * bare)
        late += not kept
        print(f"{' '.join(command[3:]):40} {found:8.3f} {limit:6.2f} {found / bare:14.1f}{'' if kept else '  LATE'}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
