"""Which characters are seen: what every output asks of a text that somebody else wrote."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache

# What Unicode draws as text unless U+FE0F follows it (emoji-variation-sequences.txt). Digits, `#` and `*` are left out: they look the same with it.
_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u2328\u23cf\u23ed-\u23ef\u23f1\u23f2\u23f8-\u23fa\u24c2\u25aa\u25ab"
    "\u25b6\u25c0\u25fb\u25fc\u2600-\u2604\u260e\u2611\u2618\u261d\u2620\u2622\u2623\u2626\u262a\u262e\u262f\u2638-\u263a\u2640\u2642"
    "\u265f\u2660\u2663\u2665\u2666\u2668\u267b\u267e\u2692\u2694-\u2697\u2699\u269b\u269c\u26a0\u26a7\u26b0\u26b1\u26c8\u26cf\u26d1"
    "\u26d3\u26e9\u26f0\u26f1\u26f4\u26f7-\u26f9\u2702\u2708\u2709\u270c\u270d\u270f\u2712\u2714\u2716\u271d\u2721\u2733\u2734\u2744"
    "\u2747\u2763\u2764\u27a1\u2934\u2935\u2b05-\u2b07\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f321\U0001f324-\U0001f32c\U0001f336"
    "\U0001f37d\U0001f396\U0001f397\U0001f399-\U0001f39b\U0001f39e\U0001f39f\U0001f3cb-\U0001f3ce\U0001f3d4-\U0001f3df\U0001f3f3"
    "\U0001f3f5\U0001f3f7\U0001f43f\U0001f441\U0001f4fd\U0001f549\U0001f54a\U0001f56f\U0001f570\U0001f573-\U0001f579\U0001f587"
    "\U0001f58a-\U0001f58d\U0001f590\U0001f5a5\U0001f5a8\U0001f5b1\U0001f5b2\U0001f5bc\U0001f5c2-\U0001f5c4\U0001f5d1-\U0001f5d3"
    "\U0001f5dc-\U0001f5de\U0001f5e1\U0001f5e3\U0001f5e8\U0001f5ef\U0001f5f3\U0001f5fa\U0001f6cb\U0001f6cd-\U0001f6cf"
    "\U0001f6e0-\U0001f6e5\U0001f6e9\U0001f6f0\U0001f6f3"
)
_HAN = (
    "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002a6df\U0002a700-\U0002b738\U0002b740-\U0002b81d\U0002b820-\U0002cea1"
    "\U0002ceb0-\U0002ebe0\U00030000-\U0003134a"
)
_ALONE = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u2800\u3164\uffa0" + "".join(map(chr, range(0xFE00, 0xFE0F)))
_HIDING = frozenset(_ALONE).union("\ufe0f", map(chr, range(0xE0100, 0xE01F0)))  # the latter stand where they change what is before them
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


@cache
def _hidden() -> re.Pattern[str]:
    """Letters and marks that Python calls printable and Unicode says to show as nothing, and Braille's blank: names that differ in one look alike.

    A variation selector changes how the character before it is drawn: one stands where it has such a character, any other could hide data.
    Few texts have any of them, and it takes 2 ms to compile: it is made for the first one.
    """
    return re.compile(f"[{_ALONE}]|(?<![{_EMOJI}])\ufe0f|(?<![{_HAN}])[\U000e0100-\U000e01ef]")


def all_seen(text: str) -> bool:
    """Whether each character of a text is one that shows itself and does nothing else."""
    return text.isprintable() and (text.isascii() or _HIDING.isdisjoint(text) or _hidden().search(text) is None)


def with_unseen(text: str, shown: Callable[[str], str]) -> str:
    """The text with what is to be shown for each character that does not show itself."""
    if all_seen(text):
        return text
    hidden = {match.start() for match in _hidden().finditer(text)} if not _HIDING.isdisjoint(text) else ()
    return "".join(shown(one) if number in hidden or not one.isprintable() else one for number, one in enumerate(text))


def escape(character: str) -> str:
    """A character that is not seen as an escape (``\\x1b``, ``\\u202e``); an odd blank as a blank."""
    if unicodedata.category(character) == "Zs":
        return " "
    code = ord(character)
    return _NAMED.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
