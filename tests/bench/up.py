"""A filled control plane that stays until it is told to stop: ``python -m tests.bench.up FOLDER [PODS] [operators]``.

It writes its kubeconfig to FOLDER/kubeconfig when everything is there, and ends when FOLDER/stop appears or on Ctrl-C.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from . import filling, product
from .plane import BenchPlane
from .process import REPOSITORY

BUILD = REPOSITORY / "tests" / "controlplane" / "build.sh"


def binaries() -> Path:
    """The directory of the control plane's binaries, built where they are not there yet."""
    done = subprocess.run([str(BUILD)], stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Start, fill, say where, wait."""
    folder, pods = Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 5000
    folder.mkdir(parents=True, exist_ok=True)
    plane = BenchPlane.start(binaries(), folder)
    try:
        filling.nodes_and_class(plane)
        (product.with_operators if "operators" in sys.argv else product.plain)(plane)
        print("installed", flush=True)
        filling.surroundings(plane)
        print("surroundings are there", flush=True)
        with plane.standing_still("kwok"):
            print(f"{pods} pods in {filling.unrelated_pods(plane, 0, pods):.0f} s", flush=True)
        plane.quiet()
        path = plane.account(folder / "kubeconfig")
        with plane.standing_still():
            print(f"kubeconfig: {path}\naudit log: {plane.audit_log}", flush=True)
            while not (folder / "stop").exists():
                time.sleep(0.5)
    except KeyboardInterrupt:
        pass
    finally:
        plane.stop()


if __name__ == "__main__":
    main()
