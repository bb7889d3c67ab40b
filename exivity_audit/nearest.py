"""The nearest valid name, for the sentence that refuses a wrong one."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, valid: Iterable[str]) -> str:
    """``; did you mean 'x'?`` where a valid name is close, else the empty string."""
    from difflib import get_close_matches  # only where something is wrong

    found = get_close_matches(name, sorted(valid), n=1, cutoff=0.6)
    return f"; did you mean {found[0]!r}?" if found else ""
