"""The net below the allow-lists: a text that still looks like a secret is replaced by a mark before anything is kept."""

from __future__ import annotations

import re
from typing import Any

import msgspec

MARK = "[redacted]"
_MOST_CLEAN = 50_000
_WORDS = r"password|passwd|passphrase|pwd|token|secret|api[_-]?key|access[_-]?key|private[_-]?key|hmacencoded|signature"
_HINTS = rf"@|{_WORDS}|private|bearer|authorization|akia|asia|eyj|gh[pousr]_|glpat-"
_ANY_HINT, _ASCII_HINT = re.compile(_HINTS, re.IGNORECASE), re.compile(_HINTS)
_NAMED = rf"((?<!tls-)(?:{_WORDS})[\"']?\s*=\s*|(?:{_WORDS})[\"']\s*:\s*)"
_VALUE = r"(?:\"[^\"]*\"?|'[^']*'?|[^\s,;&\"']+)"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MARK),
    (re.compile(r"//[^\s@]*:[^\s@]*@(?:[^\s@/]*@)*"), f"//{MARK}@"),
    (re.compile(r"(\bauthorization\b[\"']?\s*[:=]\s*)[\"']?(?:(?:basic|bearer|digest|token)\s+)?[^\s\"',;]+", re.IGNORECASE), rf"\g<1>{MARK}"),
    (re.compile(r"(\bbearer\s+)[\w.~+/=-]{8,}", re.IGNORECASE), rf"\g<1>{MARK}"),
    # the Secret that holds a controller's certificate is named by `…-tls-secret=`: a name, no value
    (re.compile(rf"{_NAMED}(?!\[redacted\]){_VALUE}", re.IGNORECASE), rf"\g<1>{MARK}"),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), MARK),
    (re.compile(r"\beyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)?"), MARK),
    (re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|glpat-[\w-]{16,})"), MARK),
)  # fmt: skip


def _hinted(text: str) -> bool:
    """Whether a text has anything that a pattern could catch. ASCII is looked at in lower case: ten times as fast as ignoring case."""
    return (_ASCII_HINT.search(text.lower()) if text.isascii() else _ANY_HINT.search(text)) is not None


def caught(text: str) -> str:
    """A text with all that looks like a secret replaced."""
    if _hinted(text):
        for pattern, mark in _PATTERNS:
            text = pattern.sub(mark, text)
    return text


def strained(value: Any) -> Any:
    """A value with every text in it strained, keys too; itself where nothing was caught."""
    if isinstance(value, list | tuple):  # a list of objects: most of them hold no word that could be caught, which their text tells at once
        known, clean = dict[str, str](), set[bytes]()
        items = [_strained(item, known) if _may_hold(item, clean) else item for item in value]
        return value if all(old is new for old, new in zip(value, items, strict=True)) else type(value)(items)
    return _strained(value, {})


def _may_hold(item: Any, clean: set[bytes]) -> bool:
    """Whether a pattern may catch something in any text of an object. ``clean`` are pieces without any hint: they recur by the thousand.

    Its JSON text is taken to pieces at each quote, which no hint has in it; without a backslash the pieces are the texts themselves.
    """
    try:
        text = msgspec.json.encode(item)
        fresh = set(text.split(b'"')) - clean
        if _hinted(b"\n".join(fresh).decode()):
            if b"\\" in text:
                return True
            hinted = {one for one in fresh if _hinted(one.decode())}
            if any(caught(one) != one for one in map(bytes.decode, hinted)):
                return True
            fresh -= hinted
    except (UnicodeEncodeError, TypeError, RecursionError):  # no JSON text can be made of it
        return True
    if len(clean) > _MOST_CLEAN:
        clean.clear()
    clean |= fresh
    return False


def _strained(value: Any, known: dict[str, str]) -> Any:
    """The same, each text looked at once: field names and words recur by the thousand."""
    if isinstance(value, str):
        found = known.get(value)
        if found is None:
            found = known[value] = caught(value)
        return value if found == value else found
    if isinstance(value, dict):
        made = {_strained(key, known): _strained(item, known) for key, item in value.items()}
        return made if any(old is not new for old, new in zip(value.values(), made.values(), strict=False)) or made.keys() != value.keys() else value
    if isinstance(value, list | tuple):
        items = [_strained(item, known) for item in value]
        return value if all(old is new for old, new in zip(value, items, strict=True)) else type(value)(items)
    return value


def marks(value: Any) -> int:
    """How many marks a value holds: its JSON text tells, or each of its texts where there is no such."""
    if isinstance(value, str):
        return value.count(MARK)
    if isinstance(value, tuple):
        return sum(map(marks, value))
    try:
        return msgspec.json.encode(value).count(MARK.encode())
    except (UnicodeEncodeError, TypeError, RecursionError):
        parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
        return sum(map(marks, parts))
