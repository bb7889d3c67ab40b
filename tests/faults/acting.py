"""What of a text would act where it is read: each format through its own reader, what is wrong with it in words."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import xmlschema
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from prometheus_client.parser import text_string_to_metric_families
from rich._unicode_data import load

from exivity_audit.reports.csv_report import COLUMNS
from exivity_audit.reports.json_report import json_schema
from tests.reports.test_html import check_safe, parsed
from tests.reports.test_machine_formats import SARIF, XSD

# C0 but LF, DEL, C1 (8-bit CSI and OSC among them), bidi, zero-width and all else that Unicode says is not seen, lone surrogates.
RAW = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
SELECTABLE = load("latest").narrow_to_wide  # what U+FE0F makes a picture of, in Rich's copy of Unicode's tables
SGR = re.compile(r"\x1b\[(?:(?:[012]|[34][0-7])(?:;|(?=m)))*m")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")
COMMAND = re.compile(r"^\s*(::|##\[|##vso\[)")  # what runners take for a command at the beginning of a line
ANNOTATION = re.compile(r"::(error|warning|notice) title=[^:,\r\n]*::[^\r\n]*")
OURS = re.compile(r"<br>|</?details>|</?summary>|<details><summary>\d+ not decided</summary>")
MENTION = re.compile(r"(?<![\w/])@\w|(?<![\w&/])#\d|(?<!\w)GH-\d")  # GitHub looks for them in what it rendered, entities or not
HOST = re.compile(r"(?<![\w.])www\.\w", re.IGNORECASE)  # and for bare hosts in the source
LINK = re.compile(r"https?://", re.IGNORECASE)
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
JSON = jsonschema.Draft202012Validator(json.loads(json_schema()))


def raw(text: str) -> set[str]:
    """What acts or is not seen; one variation selector is neither where it stands right behind a character that it changes."""
    return {found[0] for found in RAW.finditer(text) if not _selects(found[0], text[max(found.start() - 1, 0) : found.start()])}


def _selects(selector: str, base: str) -> bool:
    if selector == "\ufe0f":
        return base in SELECTABLE and not base.isascii()
    return "\U000e0100" <= selector <= "\U000e01ef" and unicodedata.name(base or " ", "").startswith("CJK UNIFIED IDEOGRAPH-")


def terminal(text: str, *, escapes: bool = False) -> Iterator[str]:
    """Raw bytes but our own colours; none of those either where there is no terminal."""
    own = SGR.sub("", text) if escapes else text
    yield from (f"raw {found!r}" for found in raw(own))
    yield from (f"unprintable {one!r}" for one in set(own) if one != "\n" and not one.isprintable())


def logged(text: str) -> Iterator[str]:
    """Standard error: one event is one line, and each line begins as ours do."""
    yield from terminal(text)
    yield from (f"a line of its own: {line[:80]!r}" for line in text.splitlines() if not re.match(r"note: |stats: |exivity-audit: |  next: ", line))


def html(text: str) -> Iterator[str]:
    """Only the template's elements and attributes, its policy, and links within the page."""
    yield from (f"raw {found!r}" for found in raw(text))
    try:
        check_safe(parsed(text))
    except AssertionError as error:
        yield f"beyond the template: {str(error)[:200]}"


def sheet(text: str) -> Iterator[str]:
    """No cell that a spreadsheet calculates, whatever blanks or quotes stand before it and however wide its first sign is."""
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    yield from (f"{len(row)} cells" for row in rows if len(row) != len(COLUMNS))
    for cell in (cell for row in rows for cell in row):
        start = unicodedata.normalize("NFKC", cell).lstrip(' "\u3000\xa0')[:1]
        if start in FORMULA and start and not NUMBER.fullmatch(cell):
            yield f"a formula: {cell[:60]!r}"
        yield from (f"raw {found!r}" for found in raw(cell) | set(re.findall(r"[\r\n]", cell)))


def markdown(text: str) -> Iterator[str]:
    """What is posted: as a file, and no mention or bare host, which GitHub looks for."""
    yield from document(text)
    for token in _inner(text):
        if token.type == "text" and (found := MENTION.search(token.content)):
            yield f"a mention: {token.content[found.start() : found.start() + 40]!r}"
        elif token.type == "inline" and (found := HOST.search(re.sub(r"(`+).*?\1", "", token.content))):
            yield f"a link: {found[0]!r}"


def document(text: str) -> Iterator[str]:
    """A file: no HTML, link, image or command but our own, each row of a table with as many cells as its head."""
    yield from (f"raw {found!r}" for found in raw(text))
    yield from (f"a command: {line[:60]!r}" for line in text.splitlines() if COMMAND.match(line))
    for token in _inner(text):
        if token.type in ("link_open", "image"):
            yield f"a link: {token.attrs}"
        elif token.type in ("html_block", "html_inline") and not OURS.fullmatch(token.content.strip()):
            yield f"HTML: {token.content[:80]!r}"
        elif token.type == "inline" and (found := LINK.search(re.sub(r"(`+).*?\1", "", token.content))):
            yield f"a link: {found[0]!r}"
    yield from _tables(text)


def _inner(text: str) -> list[Token]:
    tokens = READER.parse(text)
    return [*tokens, *(child for token in tokens for child in token.children or ())]


def structure(text: str) -> list[tuple[str, str]]:
    """The blocks of a Markdown text, which must not depend on what stands in it."""
    return [(token.type, token.tag) for token in READER.parse(text) if token.nesting != 0 or token.type in ("fence", "hr", "html_block")]


def _tables(text: str) -> Iterator[str]:
    """Rows with another number of cells than their head: a reader of Markdown drops or adds cells without a word."""
    columns, fence = 0, ""
    for line in text.splitlines():
        if found := re.match(r"(`{3,})", line):
            fence = "" if fence == found[1] else fence or found[1]
        if fence or not line.startswith("|"):
            columns = 0
            continue
        cells = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))
        if columns not in (0, cells):
            yield f"{cells - 1} cells of {columns - 1}: {line[:80]!r}"
        columns = cells


def annotations(text: str) -> Iterator[str]:
    """Nothing but our own commands, one a line."""
    yield from terminal(text)
    yield from (f"not ours: {line[:80]!r}" for line in text.split("\n")[:-1] if not ANNOTATION.fullmatch(line))


def report(text: str) -> Iterator[str]:
    """JSON of our schema, in which no raw control stands."""
    yield from (f"raw {found!r}" for found in raw(text))
    yield from (f"schema: {error.message[:120]}" for error in JSON.iter_errors(_json(text)))


def lines(text: str) -> Iterator[str]:
    """A JSON object a line."""
    yield from (f"raw {found!r}" for found in raw(text))
    yield from (f"no object: {line[:60]!r}" for line in text.splitlines() if not isinstance(_json(line), dict))


def junit(text: str) -> Iterator[str]:
    """XML of the schema, without illegal characters or entities of its own."""
    yield from (f"raw {found!r}" for found in raw(text))
    yield from ("a document type" for _ in range("<!DOCTYPE" in text or "<!ENTITY" in text))
    ElementTree.fromstring(text)
    yield from (f"schema: {error.reason}" for error in XSD.iter_errors(xmlschema.XMLResource(text)))


def sarif(text: str) -> Iterator[str]:
    """SARIF of its schema; locations are relative."""
    yield from (f"raw {found!r}" for found in raw(text))
    log = _json(text)
    yield from (f"schema: {error.message[:120]}" for error in SARIF.iter_errors(log))
    for result in log["runs"][0]["results"]:
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        if not re.fullmatch(r"[A-Za-z0-9._~%/-]+", uri) or ".." in uri.split("/"):
            yield f"a place: {uri!r}"


def metrics(text: str) -> Iterator[str]:
    """Prometheus text: our own series alone, each once."""
    yield from terminal(text)
    seen: set[tuple[Any, ...]] = set()
    for family in text_string_to_metric_families(text):
        if not family.name.startswith("exivity_audit_") or family.type != "gauge":
            yield f"a series: {family.name}"
        for sample in family.samples:
            key = (sample.name, *sorted(sample.labels.items()))
            yield from (f"twice: {key}" for _ in range(key in seen))
            seen.add(key)


def manifest(text: str) -> Iterator[str]:
    """A policy report as YAML."""
    yield from (f"raw {found!r}" for found in raw(text))
    found = yaml.safe_load(text)
    yield from ("not one report" for _ in range(found.get("kind") not in ("PolicyReport", "Report") or "results" not in found))


def values(text: str) -> Iterator[str]:
    """Chart values as YAML of plain mappings; comments stay comments."""
    yield from (f"raw {found!r}" for found in raw(text))
    found = list(yaml.safe_load_all(text))
    yield from (f"not values: {type(one)}" for one in found if one is not None and not isinstance(one, dict))
    yield from (f"a key that no chart has: {key!r}" for one in found for key in one or {} if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", str(key)))


def _json(text: str) -> Any:
    def refused(word: str) -> Any:
        raise ValueError(word)

    return json.loads(text, parse_constant=refused)


READERS: dict[str, Callable[[str], Iterator[str]]] = {
    "table": terminal, "short": terminal, "html": html, "csv": sheet, "markdown": markdown, "actions": document, "runbook": document, "github": annotations, "json": report, "jsonl": lines,
    "junit": junit, "sarif": sarif, "prometheus": metrics, "policyreport": manifest, "openreports": manifest, "fixes": values,
}  # fmt: skip


def acted(name: str, content: bytes) -> list[str]:
    """What is wrong with an output of a format, also that its own reader does not read it."""
    try:
        return [f"{name}: {said}" for said in READERS[name](content.decode())]
    except Exception as error:
        return [f"{name}: unreadable: {type(error).__name__}: {str(error)[:200]}"]


def outputs(folder: Path) -> dict[str, bytes]:
    """The files of a run, each called as its format is."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name in READERS}
