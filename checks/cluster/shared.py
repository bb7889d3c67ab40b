"""Words that several checks of the row use."""

from __future__ import annotations


def listed(names, most=5):
    """A few names, and how many more there are."""
    names = sorted(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def nodes_word(count):
    """``1 node``, ``3 nodes``."""
    return f"{count} node{'' if count == 1 else 's'}"
