"""Text from clusters, papers, config and servers that is made to act where it is shown: in no format does any of it, each read as its own reader reads it."""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from exivity_audit.characters import all_seen
from exivity_audit.cli.output import FORMATS
from exivity_audit.errors import one_line
from exivity_audit.reports.csv_report import cell, render_csv
from exivity_audit.reports.github import render_github
from exivity_audit.reports.html import render_html
from exivity_audit.reports.json_lines import render_json_lines
from exivity_audit.reports.json_report import json_report, report_shape
from exivity_audit.reports.json_shape import ReportShape
from exivity_audit.reports.junit import render_junit
from exivity_audit.reports.markdown import filed, plain, render_markdown
from exivity_audit.reports.policy_report import render_open_report, render_policy_report
from exivity_audit.reports.prometheus import render_prometheus
from exivity_audit.reports.runbook import quoted
from exivity_audit.reports.sarif import render_sarif
from exivity_audit.reports.short import render_short
from exivity_audit.reports.terminal import render_terminal
from exivity_audit.reports.text import clean, encodable, json_text
from exivity_audit.score import Scorecard, scorecard
from tests import builders
from tests.collect.fake_server import Pair, Reply, status, write_kubeconfig
from tests.faults.acting import READER, READERS, SELECTABLE, acted, document, html, logged, markdown, outputs, raw, sheet, structure, terminal
from tests.faults.command import Ran, command
from tests.faults.hostile_text import COMMANDS, FORMULAS, MARK, MARKUP, SELECTORS, STRINGS, Deal, dealer, dealt, fuzzed, plant, shown_in, texts
from tests.faults.proxy import Fault, FaultProxy
from tests.faults.scoreboard import LONG, board
from tests.faults.variants import backend
from tests.products import two_sites
from tests.reports import sample_scorecard as sample
from tests.reports.test_hostile_text import hostile_judgement
from tests.reports.test_html import elements, parsed
from tests.world_server import serving_sites

TIMES = 20 if LONG else 1
ROUNDS = len(STRINGS) if LONG else 6
PAGES = 8 if LONG else 3
FUZZED = 10_000 if LONG else 1000
MACHINE: dict[str, Callable[[ReportShape], bytes]] = {
    "csv": render_csv, "github": render_github, "jsonl": render_json_lines, "junit": render_junit, "markdown": render_markdown, "openreports": render_open_report,
    "policyreport": render_policy_report, "prometheus": render_prometheus, "sarif": render_sarif,
}  # fmt: skip
HONEST = ("\u26a0\ufe0f", "\u845b\U000e0148")
NAMES = ("evil\x1b]0;x\x07\u202e", "<img src=x onerror=alert(1)>|`@octocat", "=cmd|' /C calc'!A0\n::error::x")


def none_acted(found: list[str], outputs: int) -> None:
    """Nothing of it acted; on the board."""
    board.high("hostile strings", len(STRINGS))
    board.add("hostile outputs", outputs)
    board.add("hostile acted", len(found))
    assert found == []


# Clusters


def every_format(folder: Path) -> list[str]:
    """The flags that write all of them."""
    folder.mkdir()
    return [word for name in FORMATS for word in ("-o", f"{name}={folder / name}")]


def looked_at(ran: Ran, folder: Path) -> tuple[list[str], int]:
    """What acted in a run's files and both outputs."""
    files = outputs(folder)
    assert set(files) == set(FORMATS)
    found = [said for name, content in files.items() for said in acted(name, content)]
    found += [f"standard output: {said}" for said in terminal(ran.output)] + [f"standard error: {said}" for said in logged(ran.errors)]
    return found, len(files) + 2


def written(deal: Deal) -> Deal:
    """The same strings as a file of UTF-8 can hold them."""
    return lambda: encodable(deal())


def called(config: Path, names: dict[str, str]) -> None:
    """Give the contexts and clusters of a kubeconfig other names."""
    found = json.loads(config.read_text())
    found["current-context"] = names[found["current-context"]]
    for one in (*found["clusters"], *found["contexts"]):
        one["name"] = names[one["name"]]
    for one in found["contexts"]:
        one["context"]["cluster"] = names[one["context"]["cluster"]]
    config.write_text(json.dumps(found))


def papers(folder: Path, deal: Deal) -> list[str]:
    """Config and evidence, hostile in each text that a person may write."""
    deal = written(deal)
    waivers = [
        {"check": check, "reason": deal() or "r", "owner": deal(), "expires": "2027-01-31", "ticket": deal()}
        for check in ("application/node-loss", "storage/provisioned", "cluster/nodes-healthy", "cluster/csi-driver", "monitoring/service-monitors")
    ]
    declared = {
        "registries": [deal()],
        "topology_key": "topology.kubernetes.io/zone",
        "ingress": {"addresses": [deal()]},
        "failover": {"workflow": deal()},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump({"waivers": waivers, "declare": declared}))
    items = [
        {"check": check, "statement": deal(), "by": deal(), "date": "2026-11-01", "valid_for": valid, "context": {}}
        for check, valid in (("backups/restore-test", "300d"), ("upgrades/version-controlled", "300d"), ("disaster_recovery/failover-tested", "1d"))
    ]
    (folder / "evidence.yaml").write_text(yaml.safe_dump({"items": items}))
    return ["--config", str(folder / "config.yaml"), "--evidence", str(folder / "evidence.yaml")]


def in_papers(folder: Path) -> set[str]:
    """The hostile strings that waivers and attestations hold whole, those that are short aside."""
    waivers, items = yaml.safe_load((folder / "config.yaml").read_text())["waivers"], yaml.safe_load((folder / "evidence.yaml").read_text())["items"]
    return {text for text in texts([waivers, items]) if len(text) > 3} & set(STRINGS)


@pytest.mark.parametrize("seed", range(TIMES))
def test_one_hostile_cluster_in_every_format_and_command(seed: int, tmp_path: Path) -> None:
    deal, generator = dealer(start=seed * 97), random.Random(seed)
    world = plant(builders.multi_node(), deal, generator, 0.5)
    world.identity = NAMES[seed % 3]
    snapshot = str(tmp_path / "snapshot.json.gz")
    with serving_sites({"test": world}, tmp_path) as (config, _):
        called(config, {"test": NAMES[(seed + 1) % 3]})
        access = ["--kubeconfig", str(config), "-n", "exivity", "--release", "exivity"]
        files = every_format(tmp_path / "out")
        ran = command("run", *access, "--save", snapshot, "-v", "--stats", "--explain-score", *papers(tmp_path, deal), *files, "-o", "table")
        assert ran.code in (1, 3), ran.errors
        world.deny = lambda resource, namespace, name: hash((resource, namespace)) % 3 == 0
        said = [command("preflight", *access), command("rbac", *access), command("collect", *access, "-o", tmp_path / "again.json")]
    found, count = looked_at(ran, tmp_path / "out")
    saved = ["--snapshot", snapshot]
    said += [
        command("run", *saved, "--short"), command("run", *saved, "--short", "--ascii"), command("run", *saved, "--ascii", "-v"), command("evidence", "template", *saved),
        command("waivers", "draft", *saved), command("diff", tmp_path / "out" / "json", snapshot), command("seal", *saved, "-o", tmp_path / "pack.zip"),
    ]  # fmt: skip
    for one in said:
        assert "a bug in this tool" not in one.errors, one.errors
        found += [f"{one.output[:40]!r}: {text}" for text in (*terminal(one.output), *terminal(one.errors))]
    assert all(one.text.isascii() for one in said[4:6])
    assert [list(yaml.safe_load_all(one.output)) for one in (said[1], said[6], said[7])]
    board.high("hostile shown", len(shown_in((tmp_path / "out" / "json").read_bytes())))
    none_acted(found, count + 2 * len(said))


@pytest.mark.parametrize("seed", range(TIMES))
def test_a_hostile_pair_of_sites_in_every_format(seed: int, tmp_path: Path) -> None:
    """With the runbook of a failover, the values of each site, and names of contexts."""
    deal, generator = dealer(start=seed * 131 + 60), random.Random(100 + seed)
    worlds = {name: plant(world, deal, generator, 0.4) for name, world in two_sites.pair().items()}
    names = {name: f"{text}{name}".replace(":", "") for name, text in zip(worlds, NAMES, strict=False)}
    with serving_sites(worlds, tmp_path) as (config, _):
        called(config, names)
        sites = [word for name, role in zip(worlds, ("active", "passive"), strict=True) for word in ("--site", f"{name}={names[name]}:{role}")]
        files = every_format(tmp_path / "out")
        ran = command("run", "--kubeconfig", config, "-n", "exivity", "--release", "exivity", *sites, *papers(tmp_path, deal), *files, "-o", "table")
    assert ran.code in (1, 3), ran.errors
    for path in (tmp_path / "out").glob("fixes.*"):
        path.rename(tmp_path / "out" / "fixes")
    found, count = looked_at(ran, tmp_path / "out")
    assert "## 8." in (tmp_path / "out" / "runbook").read_text()
    shown = shown_in((tmp_path / "out" / "json").read_bytes())
    board.high("hostile shown", len(shown))
    assert in_papers(tmp_path) <= shown, "what a person wrote is shown, and nothing of it cut away"
    assert len(shown) >= 20, (
        "what was planted is shown"
    )  # of one draw, whose papers may hold short strings alone; of the best the scoreboard asks more
    none_acted(found, count)


def test_the_words_of_a_server(proxy: FaultProxy, authority: Pair, tmp_path: Path) -> None:
    """Error texts, reasons and content types of an API server, in the report and in sentences."""
    deal, generator = dealer(), random.Random(7)

    def spoil(asked: Any, genuine: Reply, before: int) -> Reply | None:
        if asked.path in ("/version", "/api", "/apis") or generator.random() < 0.5:
            return None
        return replace(
            status(generator.choice((400, 403, 404, 409, 418, 422)), deal(), deal()),
            content_type=generator.choice(("application/json", "text/plain")),
        )

    proxy.begin(backend("multi_node", 500), Fault("*", spoil))
    config = write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user={"token": "token"}, name="ams\x1b[31m<b>")
    files = every_format(tmp_path / "out")
    ran = command("run", "--kubeconfig", config, "-n", "exivity", "--release", "exivity", "-v", *files, "-o", "table")
    assert ran.code in (1, 3), ran.errors
    found, count = looked_at(ran, tmp_path / "out")
    for text in STRINGS[:: 1 if LONG else 12]:
        proxy.begin(backend("multi_node", 500), Fault("/version", lambda asked, genuine, before, text=text: status(400, text, text)))  # type: ignore[misc]
        one = command("run", "--kubeconfig", config)
        assert one.code == 4, one.errors
        found += [f"standard error: {said}" for said in logged(one.errors)]
        count += 1
    none_acted(found, count)


SENTENCES: tuple[Callable[[str, Path], list[Any]], ...] = (
    lambda text, folder: ["explain", text], lambda text, folder: ["run", "--checks", text], lambda text, folder: ["run", "--now", text], lambda text, folder: ["run", "-o", text], lambda text, folder: [text],
    lambda text, folder: ["run", "--site", f"a={text}", "--kubeconfig", folder / "config"], lambda text, folder: ["run", "--context", text, "--kubeconfig", folder / "config"],
    lambda text, folder: ["run", "--snapshot", folder / "none" / text.replace("\0", "").replace("/", "-")[:80]], lambda text, folder: ["run", "--config", folder / "odd.yaml"], lambda text, folder: ["run", "--evidence", folder / "odd.yaml", "--snapshot", "x"],
)  # fmt: skip


def test_sentences_of_an_error_are_one_line_each(tmp_path: Path) -> None:
    write_kubeconfig(tmp_path / "config", "https://127.0.0.1:1", user={"token": "x"}, name="ams\x1b[2J\u202e\n::error::x")
    found = []
    for number, text in enumerate(map(encodable, STRINGS[:: 1 if LONG else 3])):
        (tmp_path / "odd.yaml").write_text(yaml.safe_dump({text: text, "items": [{"check": text, text: text}]}))
        words = SENTENCES[number % len(SENTENCES)](text, tmp_path)
        ran = command(*words)
        assert ran.code in (2, 4), (words, ran.errors)
        assert "a bug in this tool" not in ran.errors, (words, ran.errors)
        found += [f"{words[0]!r}: {said}" for said in (*logged(ran.errors), *terminal(ran.output))]
    none_acted(found, number + 1)


# Columns


def hostile_card(deal: Deal) -> tuple[Scorecard, Any]:
    """The sample under every status, another string in each text that others write."""
    judged, kept = hostile_judgement(MARK), {f"{MARK}{number}": f"{number}{deal()}" for number in range(2)}
    kept[MARK] = deal()
    made = dealt(judged, deal, {name: text for name, text in kept.items() if name != MARK})
    run = sample.run_info(tool_version=deal(), flags=(deal(), deal()), identity=deal(), snapshot_file=deal(), exit_reason=deal())
    return scorecard(made), run


@cache
def harmless(count: int) -> Any:
    """The elements of the page with so many harmless texts in turn."""
    card, run = hostile_card(dealer(tuple(f"harmless {number}" for number in range(count))))
    return elements(parsed(render_html(card, run).decode()))


@pytest.mark.parametrize("number", range(ROUNDS))
def test_all_columns(number: int) -> None:
    """Each round gives each column the next string."""
    card, run = hostile_card(dealer(start=number * (1 if LONG else 41)))
    found, ways = [], [(80, True), (120, True), (80, False), (120, False)]
    for width, colour in ways if LONG else ways[number % 4 :: 2]:
        shown = render_terminal(card, run, width=width, colour=colour, ascii=number % 3 == 0, verbose=number % 2 == 0, explain_score=True)
        found += [f"terminal {width}: {said}" for said in terminal(shown, escapes=colour)]
        assert colour == ("\x1b" in shown), "colours where they were asked for, and no escape at all elsewhere"
    found += [f"short: {said}" for said in terminal(render_short(card, run))]
    found += acted("json", json_report(card, run))
    none_acted(found, 4)


def test_the_environment_decides_about_escapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal with NO_COLOR, and none at all, get not one."""
    import os
    import pty
    import subprocess
    import sys

    words = [sys.executable, "-m", "exivity_audit", "demo"]
    for variables, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        leader, follower = pty.openpty()
        surroundings = {key: text for key, text in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm-256color"} | variables
        process = subprocess.Popen(words, stdout=follower, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=surroundings)
        os.close(follower)
        shown = b""
        try:
            while part := os.read(leader, 65536):
                shown += part
        except OSError:
            pass  # the other end is closed
        os.close(leader)
        assert process.wait(60) == 0
        assert b"READY" in shown
        assert (b"\x1b" in shown) is coloured
    piped = subprocess.run(
        words, capture_output=True, check=True, env={**os.environ, "TERM": "xterm-256color", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}
    )
    assert b"\x1b" not in piped.stdout + piped.stderr
    none_acted([], 3)


# Formats


@pytest.mark.parametrize("number", range(PAGES))
def test_markup_in_the_page(number: int) -> None:
    """The parsed page holds the template's elements and no other, its policy, and no link out of it."""
    payloads = MARKUP[number::PAGES]
    board.add("payloads", len(payloads))
    found, deal = [], dealer(payloads)
    card, run = hostile_card(deal)
    page = render_html(card, run, ("en", "nl", "de")[number % 3]).decode()
    found += [f"page: {said}" for said in html(page)]
    wanted, there = harmless(len(payloads)), elements(parsed(page))
    differing = {name: (there[name], wanted[name]) for name in {*there, *wanted} if there[name] != wanted[name]}
    found += [f"page: elements {differing}"] if differing else []
    none_acted(found, 1)


def test_no_template_lets_text_pass_as_markup() -> None:
    from jinja2 import nodes

    from exivity_audit.reports.html import _environment

    environment = _environment()
    assert environment.autoescape is True
    for name in environment.list_templates(["j2"]):
        assert environment.loader is not None
        tree = environment.parse(environment.loader.get_source(environment, name)[0])
        assert {one.name for one in tree.find_all(nodes.Filter)} <= {"length", "pieces"}, name
        assert not list(tree.find_all((nodes.MarkSafe, nodes.ScopedEvalContextModifier))), name


def test_no_cell_is_a_formula() -> None:
    board.add("payloads", len(FORMULAS))
    card, run = hostile_card(dealer(FORMULAS))
    found = [f"csv: {said}" for said in sheet(render_csv(report_shape(card, run)).decode())]
    found += [f"cell {text!r}" for text in FORMULAS if sheet_of(cell(text))]
    assert all(sheet_of(text) for text in ("=1+1", "＝1", ' "=1')), "the reader tells a formula"
    none_acted(found, 1)


def sheet_of(text: Any) -> list[str]:
    """What is wrong with a sheet of one cell, but for the number of cells."""
    import csv
    import io

    written = io.StringIO()
    csv.writer(written).writerow([text])
    return [said for said in sheet(written.getvalue()) if not said.endswith("cells")]


@pytest.mark.parametrize("text", COMMANDS, ids=ascii)
@pytest.mark.parametrize("form", [plain, filed])
def test_markdown_is_text(form: Callable[[object], str], text: str) -> None:
    """A payload in a heading, a line, an item, a cell: the reader finds the blocks of harmless text, and the payload's own signs."""
    board.add("payloads", 1)
    frame = "## {0}\n\n{0}\n\n- {0}\n1. x {0}\n\n| a | b |\n|---|---|\n| {0} | x {0} |\n"
    shown = frame.format(form(text))
    found = [f"markdown: {said}" for said in (markdown if form is plain else document)(shown)]
    assert structure(frame.format("harmless")) == structure(shown) or not clean(text).strip()
    rendered = (
        re.sub(r"<[^>]*>", "", READER.render(form(f"x{text}")))
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", '"')
        .replace("&amp;", "&")
        .replace("\u200b", "" if form is plain else "\u200b")
    )
    assert rendered.strip() == f"x{clean(text)}".strip()
    none_acted(found, 1)


@pytest.mark.parametrize(
    "text", ["s3://exivity-backups@eu-central-1/prod", "2001:db8::1", "www.exivity.acme.eu", "image@sha256:0f", "exivity/exivity#10.0.0.5/"]
)
def test_what_is_copied_from_a_file_is_what_it_was(text: str) -> None:
    """Nothing invisible in it; and in the source but Markdown's own escapes, no entity in the place of a sign."""
    assert filed(text).replace("\\", "") == text
    assert re.sub(r"<[^>]*>", "", READER.render(filed(text))).strip() == text


def test_a_mention_alone_is_broken_where_it_is_posted() -> None:
    assert "8203" not in plain("s3://exivity-backups@eu-central-1/prod, image@sha256:0f")
    for text in ("@octocat", "a @octocat", "(@octocat", "/@octocat", "_@octocat", "é@octocat", "a@b @octocat", "exivity/exivity#10"):
        assert plain(text).count("&#8203;") == 1, text


def test_a_variation_selector_stands_behind_what_it_changes_and_nowhere_else() -> None:
    for text in SELECTORS[:-1]:
        assert not raw(clean(text)), text
        assert not raw(one_line(text)), text
        assert clean(text).count("\\") == len(re.findall("[\ufe0e\ufe0f\U000e0100-\U000e01ef]", text)) - (text[4:5] + text[5:6] in HONEST), text
    assert clean(SELECTORS[-1]) == one_line(SELECTORS[-1]) == SELECTORS[-1]
    every = [chr(code) for code in range(0x110000)]
    assert {one for one in every if all_seen(f"{one}\ufe0f")} == {one for one in SELECTABLE if not one.isascii()}
    assert all(unicodedata.name(one).startswith("CJK UNIFIED") for one in every if all_seen(f"{one}\U000e0100"))


def test_two_names_are_never_one_in_a_sentence() -> None:
    """What is not seen was a blank once."""
    names = ["a b", "a\u200bb", "a\ufe0fb", "a\u3164b", "a\x1bb", "a\u202eb", "a\U000e0101b"]
    assert len({one_line(name) for name in names}) == len(names)


def test_a_word_of_a_shell_stays_one() -> None:
    """Names in the runbook's and the reports' commands."""
    import shlex

    for text in STRINGS:
        assert shlex.split(quoted(text)) == [clean(text)]
        assert "\n" not in quoted(text)


def test_whole_reports_for_markdown_and_runners() -> None:
    found = []
    for start in range(0, len(COMMANDS), 1 if LONG else 9):
        card, run = hostile_card(dealer(COMMANDS, start))
        shape = report_shape(card, run)
        found += [*acted("markdown", render_markdown(shape)), *acted("github", render_github(shape))]
    none_acted(found, 2)


@cache
def marked() -> dict[str, Any]:
    """The values of a report with the mark in each text that others write."""
    judged = hostile_judgement(MARK)
    moment = "2026-11-23T14:02:11Z"
    run = sample.run_info(tool_version=MARK, started=moment, finished=moment, flags=(MARK,), identity=MARK, snapshot_file=MARK)
    found: dict[str, Any] = msgspec.to_builtins(report_shape(scorecard(judged), run))
    return found


def test_fuzzed_strings_in_every_machine_format() -> None:
    """Each report holds hundreds of random strings; it is valid by its schema, and says them as they are."""
    count, said, seed = 0, [], 0
    while count < FUZZED:
        deal, given = fuzzed(random.Random(seed)), []

        def dealing(deal: Deal = deal, given: list[str] = given) -> str:
            given.append(deal())
            return given[-1].encode("utf-16", "surrogatepass").decode("utf-16", "replace")

        shape = msgspec.convert(dealt(marked(), dealing, {}), ReportShape)
        whole = json_text(msgspec.to_builtins(shape))
        said += acted("json", whole.encode())
        assert json.loads(whole) == msgspec.to_builtins(shape), "nothing of a text is lost"
        for name, render in MACHINE.items():
            if name in READERS:
                said += acted(name, render(shape))
        count, seed = count + len(given), seed + 1
    board.add("fuzzed strings", count)
    board.add("fuzzed unreadable", len(said))
    assert said == []


def test_the_readers_have_teeth() -> None:
    """Each tells what it is there for."""
    for text in ("\x1b[2J", "\x9b31m", "a\rb", "\u202e", "\u200b", "\ufeff", "\x1b]0;x\x07", "\u3164"):
        assert list(terminal(f"x{text}", escapes=True)), text
    assert not list(terminal("\x1b[1;31mred\x1b[0m", escapes=True))
    assert list(terminal("\x1b[1mbold\x1b[0m"))
    assert list(logged("note: a\nforged\n"))
    for text in (
        "<b>x</b>",
        "[a](http://x)",
        "![a](b)",
        "hi @octocat",
        "see #12",
        "GH-3",
        "::error::x",
        "| a | b |\n|---|---|\n| 1 |",
        "http://evil.example",
        "www.evil.example",
    ):
        assert list(markdown(text)), text
    page = render_html(sample.not_ready(), sample.run_info()).decode()
    assert not list(html(page))
    assert list(html(page.replace("</main>", "<img src=x onerror=alert(1)></main>")))
    assert list(html(page.replace('href="#findings"', 'href="https://evil.example"')))
    assert acted("prometheus", b'evil_metric{a="b"} 1\n')
    assert acted("json", b'{"schema_version": NaN}')
    assert acted("junit", b"<a>\x00</a>")
    assert acted("github", b"::error title=x::y\n::stop-commands::t\n")
    assert acted("fixes", b"=1: x\n")
