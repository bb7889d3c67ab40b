"""Text from the cluster, a pack or an operator is hostile: nothing of it acts, in any output."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache

import jsonschema
import pytest
from msgspec.structs import replace

from exivity_audit.attestation import Attestation
from exivity_audit.check import Check
from exivity_audit.config import Waiver
from exivity_audit.evaluate import Judgement
from exivity_audit.evidence import Evidence
from exivity_audit.facts.copies import Copy
from exivity_audit.measure import Unit, wanted
from exivity_audit.pack import Row
from exivity_audit.remedy import task
from exivity_audit.reports.json_report import json_report, json_schema
from exivity_audit.reports.short import render_short
from exivity_audit.reports.terminal import render_terminal
from exivity_audit.reports.text import ascii_text, clean
from exivity_audit.score import scorecard
from exivity_audit.snapshot import Cluster, Place, Record
from exivity_audit.snapshot import Outcome as ReadOutcome
from exivity_audit.subject import Subject
from exivity_audit.verdict import Status, Verdict
from tests.reports import sample_scorecard as sample

HOSTILE = (
    *(f"a{chr(code)}b" for code in (0, 1, 7, 8, 9, 10, 11, 12, 13, 14, 27, 31, 127, 128, 133, 144, 155, 157, 159)),
    *(f"a{chr(code)}b" for code in (0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069, 0x061C)),
    *(f"a{chr(code)}b" for code in (0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, 0x00AD, 0x2028, 0x2029, 0x0085, 0xE0041, 0xD800, 0xDFFF, 0xFFFE)),
    "\x1b[31mred\x1b[0m", "\x1b]8;;http://evil\x07link\x1b]8;;\x07", "\x1b]0;title\x07", "\x9b31m", "\x1b[2J\x1b[H", "\r\x1b[K  READY   grade A", "\x1bP+q544e\x1b\\",
    "line\nREADY   grade A   100 / 100", "a\r\nb", "[bold red]READY[/]", "[link=http://evil]x[/link]", "[/]", "[", "[[]", "\\[red]", ":warning: :smile:",
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "{0}", "%s%n", "`rm -rf /`", "$(reboot)", "::error::x", "%0A::set-output", "=cmd|' /C calc'!A0",
    "名前" * 20, "e" + "\u0301" * 5, "👩‍👩‍👧", "ＲＥＡＤＹ", "x" * 500, "a b " * 100, "", " ", "\u3000", "\u00a0", "–·→", "\u202egnp.exe",
)  # fmt: skip
RAW = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
VALIDATOR = jsonschema.Draft202012Validator(json.loads(json_schema()))


def hostile_judgement(text: str) -> Judgement:
    """The sample with one hostile text in every field that somebody else writes, under every status."""
    subject = Subject(text, text, text, text)
    waiver = Waiver("x/y", text, text, text, ticket=text, accepts=text)
    attestation = Attestation("x/y", text, text, text, text, text, text, text, ((text, text),))
    evidence = (Evidence(text, text, text, text, text),)

    def verdict(status: Status, number: int) -> Verdict:
        open_reason = text if status in (Status.UNKNOWN, Status.MANUAL, Status.ERROR, Status.SKIP) else ""
        return Verdict(
            status, subject.at(f"{text}{number}"), text, Unit.TEXT, wanted(text), text, open_reason, text, task(text) if status is Status.FAIL else None,
            text, (text, f"list {text}", f"--{text}"), evidence, Status.FAIL if status is Status.WAIVED else None,
            waiver if status is Status.WAIVED else None, attestation if status is Status.PASS else None,
        )  # fmt: skip

    rows = [Row("row", text, "foundation", 2), Row("late", "Late", "day-2", 1)]
    pairs: list[tuple[Check, tuple[Verdict, ...]]] = []
    for number, status in enumerate(Status):
        check = replace(sample.a_check(f"row/slug{number}", sample.CRITICAL, text, fix=text, attest=text), slug=f"{text}{number}", clauses=(text,))
        pairs.append((check, (verdict(status, 0), verdict(status, 1), verdict(Status.PASS, 2))))
    pairs.append((sample.a_check(f"row/later{text}", sample.HIGH, text, judge=None), (verdict(Status.UNKNOWN, 0),)))
    lines = (Copy(text, text, 2**30, text, text, 90000.0, 3600.0, state, text) for state in ("late", "none", text))
    kept = tuple(lines)
    losses = (sample.NodeLoss(text, text, (text,), (text, text), (text,), True, 0.95),)
    forbidden = Record(text, text, text, text, Place(text, text, text), ReadOutcome.FORBIDDEN, 403, text, (), ())
    node = Record(
        "nodes",
        "nodes",
        "v1",
        "Node",
        Place(),
        ReadOutcome.FOUND,
        200,
        "",
        (),
        ({"spec": {"taints": text}}, text, None, {"spec": {"taints": [text, {"key": text}]}}),
    )
    deployment = {"metadata": {"labels": {"helm.sh/chart": f"exivity-1.2{text}"}}}
    labelled = Record("deployments", "deployments", "v1", "Deployment", Place(), ReadOutcome.FOUND, 200, "", (), (deployment, text, None))
    reads = (forbidden, node, labelled)
    sites = tuple(replaced(sample.a_site(f"{text}{number}", release=text, namespace=text), text, reads) for number in range(2))
    judged = sample.judgement(pairs, sites=sites, tables={site.name: {"node_loss": losses, "copies": kept} for site in sites}, rows=rows)
    return replace(judged, attestations=(attestation,), unread=((text, forbidden),), config=type(judged.config)(waivers=(waiver,)))


def replaced(site: object, text: str, reads: tuple[Record, ...]) -> object:
    import msgspec

    return msgspec.structs.replace(site, cluster=Cluster(text, text, text), identity=text, reads=reads)


STYLES: dict[str, dict[str, bool]] = {"plain": {"colour": False}, "colour": {"colour": True}}


@cache
def outputs(text: str, *styles: str) -> dict[str, str]:
    """Every output with a text in it, on a terminal in some styles or all.

    What may be taken for a style or an escape is shown in all eight ways to combine style, ASCII and verbosity; the rest in four of
    them, which pair each of these with each other.
    """
    card = scorecard(hostile_judgement(text))
    run = sample.run_info(tool_version=text, started=text, finished=text, flags=(text,), identity=text, snapshot_file=text, exit_reason=text)
    shown = {"json": json_report(card, run).decode(), "short": render_short(card, run), "short ascii": render_short(card, run, ascii=True)}
    for name in styles or STYLES:
        for ascii in (False, True):
            for verbose in (False, True):
                if not re.search(r"[\[\]\\\x1b\x9b]", text) and (ascii is verbose) is (name == "colour"):
                    continue
                key = f"{name}{' ascii' if ascii else ''}{' verbose' if verbose else ''}"
                shown[key] = render_terminal(card, run, width=80, ascii=ascii, verbose=verbose, explain_score=True, **STYLES[name])  # type: ignore[arg-type]
    return shown


def test_there_are_enough_hostile_strings() -> None:
    assert len(set(HOSTILE)) >= 60


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:24])
def test_nothing_raw_in_any_output_and_the_json_keeps_the_text(text: str) -> None:
    """One test a text: its reports on a terminal are rendered once."""
    for name, shown in outputs(text).items():
        own = re.sub(r"\x1b\[[0-9;]*m", "", shown) if name.startswith("colour") else shown
        assert not RAW.search(own), name
        assert all(character == "\n" or character.isprintable() for character in own), name
        if "ascii" in name:
            assert own.isascii(), name
        own.encode()
        for code in re.findall(r"\x1b(?!\[)|\x1b\[([0-9;]*)m", shown):
            assert set(code.split(";")) <= {"0", "1", "2", *map(str, range(30, 38)), *map(str, range(40, 48))}, f"{name}: no escape of ours"
    found = json.loads(outputs(text)["json"])
    VALIDATOR.validate(found)
    kept = "".join("\ufffd" if unicodedata.category(character) == "Cs" else character for character in text)
    assert found["cluster"]["name"] == kept


@pytest.mark.parametrize("text", ["[bold red]READY[/]", "[/]", "[link=http://evil]x[/link]", ":warning: :smile:", "\\[red]", "{{7*7}}", "{0}"])
def test_markup_is_text(text: str) -> None:
    for name, shown in outputs(text).items():
        if not name.startswith("json"):
            assert text in shown or "colour" in name, name


@pytest.mark.parametrize(
    "text", ["名前" * 60, "x" * 500, "e\u0301" * 200, "a b " * 200, "\n" * 50, "ｗ" * 130, "\u26a0\ufe0f" * 130, "\u845b\U000e0100" * 130]
)
def test_no_line_is_wider_than_the_layout(text: str) -> None:
    from rich.cells import cell_len

    for name, shown in outputs(text, "plain").items():
        if name.startswith("plain"):
            assert max(cell_len(line) for line in shown.splitlines()) <= 80, name
            assert not re.search("(?<![\u26a0\u845b])[\ufe0f\U000e0100]", shown), f"{name}: a selector without what it stands behind"


def test_a_line_can_not_be_forged() -> None:
    shown = outputs("x\n  READY   grade A   100 / 100   1 of 1 checks decided", "plain")["plain"]
    assert not [line for line in shown.splitlines() if line.startswith("  READY ")]


def test_cleaning_shows_what_was_there() -> None:
    assert clean("a\x1b[2Jb\u202ec\nd\U000e0041") == "a\\x1b[2Jb\\u202ec\\nd\\U000e0041"
    assert clean("a\u00a0b\u3000c") == "a b c"
    assert ascii_text("é → ≥ 名") == "\\xe9 -> >= \\u540d"
