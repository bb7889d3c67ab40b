"""Publishing a finished run: every destination is tried, and what failed is said; none of it touches the verdict or another destination."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from exivity_audit.collect.deadline import Deadline
from exivity_audit.errors import AuditError, one_line
from exivity_audit.publishing.destination import Destination, Finished, Trouble


def publish(destinations: Sequence[Destination], finished: Finished, seconds: float) -> int:
    """Send to each destination, each within its seconds; return how many failed, each told on standard error."""
    failed = 0
    for destination in destinations:
        try:
            destination.publish(finished, Deadline(seconds))
        except Trouble as error:
            failed += _say(destination.name, error.what, error.following)
        except AuditError as error:
            failed += _say(destination.name, error.message, error.hint)
        except Exception as error:  # a bug of this tool, or of a package: its text may quote a secret
            failed += _say(destination.name, f"a bug in this tool ({type(error).__name__})", "report it with the version and this line")
    return failed


def _say(name: str, what: str, following: str) -> int:
    print(f"exivity-audit: not published to {one_line(name, 300)}: {one_line(what, 600).rstrip('.')}.", file=sys.stderr)
    print(f"  next: {one_line(following, 600).rstrip('.')}.", file=sys.stderr, flush=True)
    return 1
