"""The metrics that a PromQL expression names, and the label matchers on each: as much of the language as that needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from msgspec import Struct

LONGEST_PATTERN, MOST_QUANTIFIERS, MOST_GROUPS = 500, 4, 2
_TOKEN = r"""(?P<blank>\s+|\#[^\n]*)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |(?P<range>\[[^\]\["'`]*\])
    |(?P<number>0[xX][0-9a-fA-F_]+|(?:\d[\d_]*)?\.\d+(?:[eE][+-]?\d+)?|\d[\d_]*\.?(?:[eE][+-]?\d+)?(?:[a-z]+(?:\d+[a-z]+)*)?)
    |(?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
    |(?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^<>=(){},@])"""
_GROUPING = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right", "fill", "fill_left", "fill_right"})
_WORDS = frozenset({"and", "or", "unless", "atan2", "bool", "offset", "inf", "nan", "smoothed", "anchored"})
_AGGREGATIONS = frozenset(
    {"sum", "avg", "min", "max", "group", "stddev", "stdvar", "count", "count_values", "bottomk", "topk", "quantile", "limitk", "limit_ratio"}
)
_COMPARISONS = ("=", "!=", "=~", "!~")
_LITERAL = re.compile(r"[\w:/ -]*")
_RE2_ALONE = re.compile(r"\[\[:|\\[pPzQEAC]|\(\?(?!:|i\))|\\[1-9]")


class NotPromQL(ValueError):
    """A text that is no PromQL expression, as far as this reader knows the language."""


class Matcher(Struct, frozen=True):
    """One label matcher; a label that a series does not carry counts as empty."""

    label: str
    operator: str
    value: str

    @property
    def positive(self) -> bool:
        """Whether it names what it wants, in place of what it does not."""
        return self.operator in ("=", "=~")

    def admits(self, value: str) -> bool | None:
        """Whether a label value passes; None where the regular expression is not evaluated here."""
        if self.operator in ("=", "!="):
            return (value == self.value) is (self.operator == "=")
        found = pattern_fits(self.value, value)
        return None if found is None else found is (self.operator == "=~")


class Reference(Struct, frozen=True):
    """A selector of series: the metric's name (empty where matchers alone choose it) and its matchers."""

    metric: str
    matchers: tuple[Matcher, ...]

    def names(self) -> tuple[str, ...]:
        """The name, or what the names start with where a regular expression chooses among them."""
        if self.metric:
            return (self.metric,)
        chosen = next((one for one in self.matchers if one.label == "__name__" and one.operator == "=~"), None)
        if chosen is None:
            return ()
        inner = chosen.value.removeprefix("^").removesuffix("$")
        if inner.startswith("(") and inner.endswith(")") and inner.count("(") == 1:
            inner = inner[1:-1].removeprefix("?:")
        parts = [inner] if "(" in inner else inner.split("|")
        return tuple(_literal_start(part) for part in parts)


class Expression(Struct, frozen=True):
    """What an expression selects; ``either`` where it joins selectors by ``or``, so that each stands for itself."""

    references: tuple[Reference, ...]
    either: bool


def pattern_fits(pattern: str, value: str) -> bool | None:
    """Whether an anchored regular expression fits; None for one that Python reads otherwise or that could run for very long."""
    if len(pattern) > LONGEST_PATTERN or _RE2_ALONE.search(pattern) or re.search(r"\)[*+?{]", pattern) or pattern.count("(") > MOST_GROUPS:
        return None
    parts = pattern.split("|") if "(" not in pattern else [pattern]
    if any(len(re.findall(r"(?<!\()[*+?{]", part)) > MOST_QUANTIFIERS for part in parts):
        return None
    try:
        return re.fullmatch(pattern, value, re.DOTALL) is not None
    except (re.error, RecursionError, OverflowError):
        return None


def _literal_start(pattern: str) -> str:
    found = _LITERAL.match(pattern)
    text = found[0] if found else ""
    optional = len(text) < len(pattern) and pattern[len(text)] in "*?{"
    return text[:-1] if optional else text


def parse(text: str) -> Expression:
    """The selectors of an expression. Raises NotPromQL."""
    tokens = list(_tokens(text))
    found: list[Reference] = []
    either = False
    place = 0
    while place < len(tokens):
        kind, token = tokens[place]
        following = tokens[place + 1][1] if place + 1 < len(tokens) else ""
        place += 1
        if token == "{" and kind == "sign":
            name, matchers, place = _braces(tokens, place)
            found.append(Reference(name, matchers))
        elif kind == "name":
            word = token.lower()
            either |= word == "or"
            if word in _GROUPING:
                place = _closing(tokens, place) if following == "(" else place
            elif not (word in _WORDS or following == "(" or (word in _AGGREGATIONS and following.lower() in ("by", "without"))):
                matchers = ()
                if following == "{":
                    _, matchers, place = _braces(tokens, place + 1)
                found.append(Reference(token, matchers))
    return Expression(tuple(found), either)


@cache
def _token() -> re.Pattern[str]:
    """Compiled for the first expression: many clusters have none."""
    return re.compile(_TOKEN, re.VERBOSE)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    token, place = _token(), 0
    while place < len(text):
        match = token.match(text, place)
        if match is None:
            raise NotPromQL(f"unexpected character at {place}")
        place = match.end()
        if match.lastgroup not in ("blank", "range"):
            yield str(match.lastgroup), match[0]


def _closing(tokens: list[tuple[str, str]], place: int) -> int:
    """The place behind the bracket that closes the one at ``place``."""
    depth = 0
    while place < len(tokens):
        token = tokens[place][1] if tokens[place][0] == "sign" else ""
        depth += (token == "(") - (token == ")")
        place += 1
        if depth == 0:
            return place
    raise NotPromQL("an open bracket")


def _braces(tokens: list[tuple[str, str]], place: int) -> tuple[str, tuple[Matcher, ...], int]:
    """The metric named between braces, the matchers, and the place behind the closing one."""
    name, found = "", list[Matcher]()
    while place < len(tokens):
        kind, token = tokens[place]
        if token == "}" and kind == "sign":
            return name, tuple(one for one in found if not (one.label == "__name__" and one.operator == "=")), place + 1
        if token == "," and kind == "sign":
            place += 1
            continue
        operator = tokens[place + 1] if place + 1 < len(tokens) else ("", "")
        if operator[1] in _COMPARISONS and place + 2 < len(tokens) and tokens[place + 2][0] == "string" and kind in ("name", "string"):
            label = _unquoted(token) if kind == "string" else token
            found.append(Matcher(label, operator[1], _unquoted(tokens[place + 2][1])))
            if label == "__name__" and operator[1] == "=":
                name = found[-1].value
            place += 3
        elif kind == "string":
            name = _unquoted(token)
            place += 1
        else:
            raise NotPromQL("matchers that are none")
    raise NotPromQL("open braces")


def _unquoted(token: str) -> str:
    if token.startswith("`"):
        return token[1:-1]
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t", "r": "\r"}.get(match[1], match[1]), token[1:-1], flags=re.DOTALL)
