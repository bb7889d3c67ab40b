"""Pieces of YAML for files that people fill in: quoted text and comments in which nothing of a cluster's acts."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from exivity_audit.characters import all_seen
from exivity_audit.reports.text import clean, encodable

WIDTH = 110
_NAME = re.compile(r"[a-z][a-z0-9_]*/[a-z0-9-]+")


def quoted(value: object) -> str:
    """A double-quoted scalar on one line, whatever stands in the text; numbers and booleans stay what they are."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    return '"' + "".join(map(_escaped, encodable(str(value)))) + '"'


def plain(text: str) -> str:
    """A name without quotes where it is nothing but a name."""
    return text if _NAME.fullmatch(text) else quoted(text)


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    code = ord(character)
    if all_seen(character):
        return character
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def comment(text: str, *, label: str = "", indent: int = 2) -> Iterator[str]:
    """Text as comment lines under a label."""
    lead = " " * indent + "# "
    first, rest = (f"{label:5} ", " " * 6) if label else ("", "")
    lines = textwrap.wrap(
        encodable(clean(text)), WIDTH - len(lead), initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    yield from ((lead + line).rstrip() for line in lines or [""])
