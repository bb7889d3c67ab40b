"""Which characters are seen: what every output asks of a text that somebody else wrote."""

from __future__ import annotations

import re

# Letters and marks that Python calls printable and Unicode says to show as nothing, and Braille's blank: names that differ in one look alike.
HIDDEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def all_seen(text: str) -> bool:
    """Whether each character of a text is one that shows itself and does nothing else."""
    return text.isprintable() and (text.isascii() or HIDDEN.search(text) is None)
