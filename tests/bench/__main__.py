"""``python -m tests.bench``: measure everything and print what was kept; ``python -m tests.bench document``: write docs/performance.md from the last run."""

from __future__ import annotations

import sys

from . import document, limits
from .results import FILE, Results


def main() -> int:
    """1 where a promise is not kept."""
    if sys.argv[1:] == ["document"]:
        document.write(Results.read())
        return 0
    if sys.argv[1:] == ["starts"]:
        from .results import Machine, today
        from .starting import starts

        results = Results(today(), Machine.here(), starts(), (), 0, ())
    else:
        from .suite import run

        results = run()
        results.write()
        print(f"kept in {FILE}; `python -m tests.bench document` writes it into {document.PAGE.name}")
    print(limits.table(results))
    return 1 if limits.broken(results) else 0


if __name__ == "__main__":
    sys.exit(main())
