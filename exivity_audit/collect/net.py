"""The net below the allow-lists: a text that still looks like a secret is replaced by a mark before anything is kept."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec

MARK = "[redacted]"
_MOST_CLEAN = 50_000
_WORDS = (
    r"password|passwd|passphrase|pwd|token|secret|a(?:pi|pp|ccess|ccount)[_-]?key|private[_-]?key|hmacencoded|signature|erlang[_-]?cookie"
    r"|pass(?<![a-z]pass)"
)
# What a pattern below needs to see first, in lower case and without a quote: a text without any of it is clean. The search stops at each
# character that one of these begins with, so those of keys begin with what is rare in names, and look back.
_HINTS = (
    rf"@|\$|{_WORDS}|private|bearer|auth|cookie|hooks?|akia|asia|aiza|pypi-|xox|xapp-|\{{s?sha|~(?<=q~)|5(?<=md5)|j(?<=eyj)|=(?<=[?&]sig=)|\.(?:(?<=ya29\.)|(?<=hv[sbr]\.)|(?<=sg\.))"
    r"|_(?:pat_|v1_|live_|test_|(?<=gh[pousr]_)|(?<=npm_)|(?<=glsa_)|(?<=glc_)|(?<=hf_))|-(?:(?<=gl[drf]t-)|(?<=gl[cp][abt]t-)|(?<=glagent-)|(?<=gocspx-)|(?<=sk-))"
    r"|:(?:aa|5432:|6432:|(?<=base64:))"
)
_ANY_HINT, _ASCII_HINT = re.compile(_HINTS, re.IGNORECASE), re.compile(_HINTS)
_NAMED = rf"((?<!tls-)(?:{_WORDS})[\"']?\s*=\s*|(?:{_WORDS})\\*[\"']\s*:\s*)"
_VALUE = r"(?:\\*\"[^\"]*\"?|'[^']*'?|[^\s,;&\"']+)"
_CALLED = r"password|passwd|passphrase|pwd|(?:api|access|account|private)[_-]?key|(?:auth|session|access|refresh)[_-]?token"
# Keys and tokens that tell what they are by how they begin.
_KEYS = "|".join((
    r"(?:AKIA|ASIA)[0-9A-Z]{16}\b", r"eyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)?", r"gh[pousr]_[A-Za-z0-9]{30,}",
    r"(?:github|dckr)_pat_[\w-]{20,}", r"gl(?:pat|dt|rt|ft|cbt|ptt|agent)-[\w-]{16,}", r"xox[abeoprs]-[\w-]{10,}", r"xapp-[\w-]{20,}",
    r"[rps]k_(?:live|test)_[A-Za-z0-9]{10,}", r"AIza[\w-]{30,}", r"GOCSPX-[\w-]{20,}", r"ya29\.[\w-]{20,}", r"npm_[A-Za-z0-9]{30,}",
    r"pypi-[\w-]{40,}", r"hv[sbr]\.[\w-]{20,}", r"SG\.[\w-]{16,}\.[\w-]{16,}", r"do[opr]_v1_[a-f0-9]{40,}", r"glsa_\w{20,}",
    r"glc_[\w+/=-]{30,}", r"hf_[A-Za-z0-9]{30,}", r"sk-(?:ant|proj|svcacct)-[\w-]{20,}", r"AGE-SECRET-KEY-1[0-9A-Z]{40,}",
    r"base64:[A-Za-z0-9+/]{40,}={0,2}", r"md5[0-9a-f]{32}\b", r"\d{8,10}:AA[\w-]{32,}", r"\w{3}\dQ~[\w.~-]{30,}",
))  # fmt: skip
_HASHES = (
    r"\$(?:2[abxy]?|argon2(?:id?|d)|s?crypt|pbkdf2(?:-sha\d+)?|apr1|gy|[15-7y])\$[^\s\"']{20,}|\b(?:pbkdf2|scrypt|bcrypt|argon2)\w*\$[^\s\"']{20,}"
    r"|\bSCRAM-SHA-\d+\$\d+:[^\s\"']{20,}|\{S?SHA(?:\d{3})?\}[A-Za-z0-9+/=]{20,}"
)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """What is looked for, and what stands there then; made at the first text that may hold something: it takes milliseconds."""
    return (
        (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)", re.DOTALL), MARK),
        (re.compile(r"(\bPrivate-Lines:)(?! \[redacted\]).*?(?:\bPrivate-MAC:\s*\w+|\Z)", re.DOTALL), rf"\g<1> {MARK}"),  # PuTTY's
        (re.compile(r"//[^\s@]*:[^\s@]*@(?:[^\s@/]*@)*"), f"//{MARK}@"),
        (re.compile(r"//(?=[\w-]*\d)[\w-]{20,}@"), f"//{MARK}@"),  # a token in the place of a user
        (re.compile(r"(\b(?:hooks\.slack\.com|discord(?:app)?\.com/api/webhooks|webhook\.office\.com)/)[^\s\"']+", re.IGNORECASE), rf"\g<1>{MARK}"),
        (re.compile(r"([?&]sig=)[^\s\"'&]+", re.IGNORECASE), rf"\g<1>{MARK}"),
        (re.compile(r"(\bauthorization\b[\"']?\s*[:=]\s*)[\"']?(?:(?:basic|bearer|digest|token)\s+)?[^\s\"',;]+", re.IGNORECASE), rf"\g<1>{MARK}"),
        (re.compile(r"(\b(?:x-[a-z-]{0,20}(?:key|token)|private-token|(?:set-)?cookie)\s*:\s*)[^\s\"',;]+", re.IGNORECASE), rf"\g<1>{MARK}"),
        (re.compile(r"(\bbearer\s+)[\w.~+/=-]{8,}", re.IGNORECASE), rf"\g<1>{MARK}"),
        (re.compile(r"(\"_?auth(?:token)?\\*\"\s*:\s*)\\*\"[^\"]{8,}\"?", re.IGNORECASE), rf"\g<1>{MARK}"),  # of a registry
        # the Secret that holds a controller's certificate is named by `…-tls-secret=`: a name, no value
        (re.compile(rf"{_NAMED}(?!\[redacted\]){_VALUE}", re.IGNORECASE), rf"\g<1>{MARK}"),
        (re.compile(rf"((?:{_CALLED})\s*:\s+)(?=[^\s,;&\"']*\d)[^\s,;&\"']{{8,}}", re.IGNORECASE), rf"\g<1>{MARK}"),  # YAML; no sentence
        (re.compile(r"(--[\w.-]{0,40}(?:password|passwd|token|api-?key|access-?key)\s+)(?![-\[])[^\s\"']{6,}", re.IGNORECASE), rf"\g<1>{MARK}"),
        (re.compile(r"(<(?:password|passwd|secret|token)>)[^<\s\[]+", re.IGNORECASE), rf"\g<1>{MARK}"),
        (re.compile(r"(:(?:5432|6432):[^\s:]+:[^\s:]+:)[^\s:]+"), rf"\g<1>{MARK}"),  # a line of .pgpass
        (re.compile(rf"\b(?:{_KEYS})"), MARK),
        (re.compile(_HASHES), MARK),
    )  # fmt: skip


def _hinted(text: str) -> bool:
    """Whether a text has anything that a pattern could catch. ASCII is looked at in lower case: ten times as fast as ignoring case."""
    return (_ASCII_HINT.search(text.lower()) if text.isascii() else _ANY_HINT.search(text)) is not None


def caught(text: str) -> str:
    """A text with all that looks like a secret replaced."""
    if _hinted(text):
        for pattern, mark in _patterns():
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
