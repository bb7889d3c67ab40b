"""The command as a process of its own: ``exivity-audit``, ``python -m exivity_audit``."""

import contextlib
import os
import sys
from typing import NoReturn

from exivity_audit.cli import main


def run() -> NoReturn:
    """Run the command and end with its code once all is said; to take the interpreter apart first would take a tenth of a run's time."""
    try:
        main()
    except SystemExit as ended:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):  # full, closed, or never there
                stream.flush()
        os._exit(ended.code if isinstance(ended.code, int) else 0)


if __name__ == "__main__":
    run()
