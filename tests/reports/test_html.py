"""The page without a browser: whole, safe, in three languages, and with the figures of the JSON report."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import string
import subprocess
import sys
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest
from jinja2 import Environment, TemplateError, nodes

from exivity_audit.reports import texts as table
from exivity_audit.reports.html import pieces, printed, render_html
from exivity_audit.reports.json_report import json_report
from exivity_audit.reports.page_tables import node_losses
from exivity_audit.reports.texts import LANGUAGES, TABLE, Texts
from exivity_audit.score import scorecard
from exivity_audit.verdict import Status
from tests.command import audit
from tests.reports import sample_scorecard as sample
from tests.reports.test_hostile_text import RAW, hostile_judgement
from tests.reports.test_machine_formats import CORPUS
from tests.reports.test_terminal import CARDS

PAGE = Path(table.__file__).parent / "page"
HISTORY = [("2026-09-01T12:00:00Z", 61.2), ("2026-10-11T12:00:00Z", None), ("2026-11-02T12:00:00Z", 74.9), ("2026-11-23T14:02:11Z", 78.9)]
ALLOWED = {
    "html", "head", "meta", "title", "style", "script", "body", "header", "main", "footer", "section", "article", "nav", "div", "span", "p", "a", "b", "i", "br", "strong", "code", "ul", "ol", "li", "dl", "dt", "dd",
    "h1", "h2", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "form", "fieldset", "legend", "label", "input", "select", "option", "button", "output", "svg", "defs", "pattern", "line", "rect", "path",
}  # fmt: skip
ATTRIBUTES = {
    "class", "id", "lang", "charset", "http-equiv", "content", "name", "href", "hidden", "type", "scope", "colspan", "role", "aria-label", "aria-labelledby", "aria-hidden", "aria-live", "value", "checked", "disabled",
    "placeholder", "tabindex", "viewBox", "width", "height", "x", "y", "x1", "y1", "x2", "y2", "d", "preserveAspectRatio", "focusable", "patternUnits", "patternTransform", "data-dark", "data-light", "data-row", "data-pick",
    "data-status", "data-severity", "data-site", "data-text", "data-copy", "data-copied", "data-label",
}  # fmt: skip


@cache
def markup(name: str, language: str = "en") -> str:
    return render_html(CARDS[name](), sample.run_info(), language, HISTORY).decode()


@cache
def report(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json_report(CARDS[name](), sample.run_info()))
    return found


def parsed(page: str) -> Element:
    parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    root: Element = parser.parse(page)
    assert not [error for error in parser.errors if error[1] != "non-void-element-with-trailing-solidus"], parser.errors
    return root


@cache
def dom(name: str, language: str = "en") -> Element:
    return parsed(markup(name, language))


def tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def by_id(root: Element, name: str) -> Element:
    return next(element for element in root.iter() if element.get("id") == name)


def of_class(root: Element, name: str) -> list[Element]:
    return [element for element in root.iter() if name in (element.get("class") or "").split()]


def csp(root: Element) -> str:
    return next(str(element.get("content")) for element in root.iter() if element.get("http-equiv") == "Content-Security-Policy")


def sha(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def check_safe(root: Element) -> None:
    """Only the template's elements and attributes; nothing runs, loads or leads anywhere but in this page."""
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue  # the doctype
        assert tag(element) in ALLOWED, tag(element)
        for name, value in element.attrib.items():
            assert name in ATTRIBUTES, f"{tag(element)} {name}"
            if name == "href":
                assert value.startswith("#")
    scripts = [element for element in root.iter() if tag(element) == "script"]
    styles = [element for element in root.iter() if tag(element) == "style"]
    assert len(scripts) == len(styles) == 1
    policy = csp(root)
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src '{sha(styles[0].text or '')}'" in policy
    assert f"script-src '{sha(scripts[0].text or '')}'" in policy
    assert "unsafe" not in policy
    assert "://" not in (styles[0].text or "") + (scripts[0].text or "")
    ids = [str(element.get("id")) for element in root.iter() if element.get("id") is not None]
    assert [name for name, number in Counter(ids).items() if number > 1] == []
    for element in root.iter():
        for attribute in ("href", "aria-labelledby"):
            target = element.get(attribute)
            assert target is None or target.removeprefix("#") in ids, target


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CARDS)
def test_the_page_is_safe_and_sound(name: str, language: str) -> None:
    root = dom(name, language)
    check_safe(root)
    assert root.get("lang") == language
    levels = [int(tag(element)[1]) for element in root.iter() if re.fullmatch(r"h[1-6]", tag(element))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), "no level is left out"


def elements(root: Element) -> Counter[str]:
    """How many elements of each kind; code depends on what a text looks like (a flag is code)."""
    return Counter(tag(element) for element in root.iter() if isinstance(element.tag, str) and tag(element) != "code")


@pytest.mark.parametrize("text", CORPUS, ids=lambda text: ascii(text)[:24])
def test_hostile_text_adds_nothing(text: str) -> None:
    run = sample.run_info(tool_version=text, flags=(text,), identity=text, snapshot_file=text, exit_reason=text)
    page = render_html(scorecard(hostile_judgement(text)), run).decode()
    assert not RAW.search(page)
    root = parsed(page)
    check_safe(root)
    if text and "`" not in text and text.strip():
        assert elements(root) == elements_of_harmless_text(), "the elements of the same page with harmless text"


@cache
def elements_of_harmless_text() -> Counter[str]:
    text = "harmless"
    run = sample.run_info(tool_version=text, flags=(text,), identity=text, snapshot_file=text, exit_reason=text)
    return elements(parsed(render_html(scorecard(hostile_judgement(text)), run).decode()))


@pytest.mark.parametrize("name", CARDS)
def test_every_result_is_there(name: str) -> None:
    root, found = dom(name), report(name)
    articles = of_class(root, "check")
    assert len(articles) == sum(found["summary"]["counts"].values())
    by_title: dict[str, str] = {}
    for article in articles:
        title = words(next(element for element in article.iter() if tag(element) == "h4"))
        by_title[f"{title}@{article.get('data-site')}"] = by_title.get(title, "") + words(article)
    for result in found["results"]:
        place = result["site"] if len(found["sites"]) > 1 else ""
        text = by_title[f"{' '.join(result['title'].split())}@{place}"]
        subject = result["subject"]
        short = "" if subject is None else f"{subject['name'] or subject['kind']} {subject['part'] or ''}".strip()
        assert short in text
        message = result["message"].removeprefix(f"{short}: ")
        if result["wanted"] and result["status"] in ("fail", "warn"):
            message = message.partition(", wanted ")[0]
        assert message.replace("`", "") in text, result["id"]
        for evidence in result["evidence"]:
            assert evidence["kubectl"] is None or result["status"] in ("pass", "skip") or evidence["kubectl"] in text
        if result["fix"] and result["status"] in ("fail", "warn"):
            assert result["fix"]["text"].replace("`", "") in text


@pytest.mark.parametrize("name", CARDS)
def test_the_figures_are_those_of_the_json(name: str) -> None:
    root, found = dom(name), report(name)
    summary, counts = found["summary"], found["summary"]["counts"]
    decided = counts["fail"] + counts["warn"] + counts["pass"]
    applicable = decided + counts["unknown"] + counts["manual"] + counts["error"]
    grade = words(of_class(root, "grade")[0])
    assert f"{decided} of {applicable} checks" in grade
    score = re.search(r"(\d+) of 100", grade)
    assert (score is None) == (summary["score"] is None)
    assert score is None or abs(int(score[1]) - summary["score"]) <= 0.95
    assert [words(letter) for letter in of_class(root, "letter")] == ([summary["grade"]] if summary["grade"] else [])
    tallies = {str(tally.get("data-status")): int(re.sub(r"\D", "", words(tally))) for tally in of_class(root, "tally")}
    assert tallies == {status: number for status, number in counts.items() if number}
    lines = [line for line in of_class(root, "checklist")[0].iter() if tag(line) == "tr"][1:]
    rows = [line for line in lines if line.get("class") != "group"]
    assert len(rows) == len(found["rows"])
    for line, row in zip(rows, found["rows"], strict=True):
        title, verdict, points, graph, told, open_ = (words(cell) for cell in line)
        assert (title, verdict[2:]) == (row["title"], row["verdict"])
        assert points == "–" if row["score"] is None else abs(int(points) - row["score"]) <= 0.95
        own = row["counts"]
        done = own["fail"] + own["warn"] + own["pass"]
        every = done + own["unknown"] + own["manual"] + own["error"]
        assert told == (f"{done}/{every}" if every else "–")
        assert graph == ""
        assert [int(number) for number in re.findall(r"\d+", open_)] == [
            own[str(status)] for status in Status if status not in ("pass", "skip") and own[str(status)]
        ]
    gains = [float(words(gain).split()[0]) for gain in of_class(root, "gain")]
    assert gains == [fix["gain"] for fix in found["fixes"][:5]]
    statuses = Counter(str(article.get("data-status")) for article in of_class(root, "check"))
    assert statuses == {status: number for status, number in counts.items() if number}


@pytest.mark.parametrize("name", CARDS)
def test_the_tables_are_those_of_the_json(name: str) -> None:
    root, found = dom(name), report(name)
    for section, key in (("nodes", "node_loss"), ("copies", "copies"), ("calendar", "calendar")):
        rows = found["tables"][key] or []
        there = [element for element in root.iter() if element.get("id") == section]
        lines = [line for element in there for line in element.iter() if tag(line) == "tr" and line.get("data-status")]
        assert len(lines) == len(rows)
        for line, row in zip(lines, rows, strict=True):
            assert str(row.get("node") or row.get("item") or row.get("what")) in words(line)
    papers = of_class(root, "papers")
    told = words(papers[0]) if papers else ""
    for paper in [*found["attestations"], *found["waivers"]]:
        assert all(
            part in told
            for part in (paper["check"], paper.get("by") or paper["owner"], paper.get("statement") or paper["reason"], paper["state"], paper["why"])
        )
    for record in found["unread"]:
        shown = words(by_id(root, "decide"))
        assert record["read"] in shown
        assert record["reason"] in shown


def test_what_perhaps_stops_with_a_node_is_said_in_every_language() -> None:
    lost = sample.NodeLoss("odd", None, ("use",), (), (), True, 0.5, ("chronos",))
    card = scorecard(sample.judgement(sample.told(), tables={"default": {"node_loss": (lost,)}}))
    told = [node_losses(card, Texts(language))[0].cells["stops"] for language in ("en", "nl", "de")]
    assert told == ["use, perhaps chronos", "use, misschien chronos", "use, vielleicht chronos"]


def test_the_sign_off_names_the_gravest_failures_and_has_room() -> None:
    root = dom("not_ready")
    table_ = of_class(by_id(root, "sign"), "points")[0]
    lines = [line for line in table_.iter() if tag(line) == "tr"][1:]
    failed = list(dict.fromkeys(result["title"] for result in report("not_ready")["results"] if result["status"] == "fail"))
    shown = [words(line) for line in lines]
    assert all(any(title in line for line in shown) for title in failed[:12])
    assert sum(line.get("class") == "free" for line in lines) == 4
    assert {words(element) for element in of_class(by_id(root, "sign"), "hands")[0].iter() if tag(element) == "h3"} == {"Supplier", "Customer"}


def test_a_trend_needs_two_scores() -> None:
    assert by_id(dom("not_ready"), "trend") is not None
    page = parsed(render_html(sample.not_ready(), sample.run_info(), "en", HISTORY[:1]).decode())
    assert not [element for element in page.iter() if element.get("id") == "trend"]
    check_safe(page)


def test_findings_of_several_sites_name_theirs() -> None:
    sites = {article.get("data-site") for article in of_class(dom("two_sites"), "check")}
    assert sites == {"ams", "fra"}
    assert {article.get("data-site") for article in of_class(dom("not_ready"), "check")} == {""}


@pytest.mark.parametrize("key", TABLE)
def test_every_text_is_there_in_every_language(key: str) -> None:
    found = TABLE[key]
    assert len(found) == len(LANGUAGES)
    assert all(text.strip() and text == text.strip() for text in found) or key in ("and", "comma", "why.table.in")
    fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in found]
    own = key.endswith(".one")  # one thing needs no number
    assert all(names - {"number"} == fields[0] - {"number"} if own else names == fields[0] for names in fields), fields
    assert not key.endswith(".one") or f"{key.removesuffix('.one')}.many" in TABLE


def test_every_text_is_used() -> None:
    code = (
        "".join(path.read_text() for path in [*PAGE.glob("*.j2"), *PAGE.parent.glob("*.py")] if path.name != "texts.py")
        + Path(table.__file__).read_text().partition("class Texts")[2]
    )
    begun = {match.rstrip(".") for match in re.findall(r"""["']([a-z_.]+\.)["{]""", code)}  # the beginning of a key that is put together
    missing = []
    for key in TABLE:
        stem = key.removesuffix(".one").removesuffix(".many").removesuffix(".two")
        if not re.search(rf"""["']({re.escape(key)}|{re.escape(stem)})["']""", code) and not any(key.startswith(f"{name}.") for name in begun):
            missing.append(key)
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_dates_and_numbers_are_the_languages_own(language: str) -> None:
    texts = Texts(language)
    assert [texts.day(f"2026-{month:02}-05") for month in (3, 5)] == {
        "en": ["5 Mar 2026", "5 May 2026"], "nl": ["5 mrt 2026", "5 mei 2026"], "de": ["5. März 2026", "5. Mai 2026"],
    }[language]  # fmt: skip
    assert texts.number(78.6) == ("78.6" if language == "en" else "78,6")
    assert texts.listed(("a", "b", "c")) == {"en": "a, b and c", "nl": "a, b en c", "de": "a, b und c"}[language]


def test_no_english_is_left_in_the_managers_part() -> None:
    for language in ("nl", "de"):
        told = " ".join(words(by_id(dom("not_ready", language), section)) for section in ("checklist", "arithmetic"))
        for key in ("verdict.NOT MET", "status.fail", "bar.earned", "row.weight", "checklist.about", "decided.label"):
            english, other = TABLE[key][0], Texts(language)(key)
            assert other in told
            assert not re.search(rf"\b{re.escape(english)}\b", told), english


def test_the_templates_take_no_way_around_escaping() -> None:
    """No `safe`, no `autoescape`, no filter but those named; no markup made in code."""
    environment = Environment()
    for path in PAGE.glob("*.j2"):
        tree = environment.parse(path.read_text())
        assert {found.name for found in tree.find_all(nodes.Filter)} <= {"length", "pieces"}, path.name
        assert not list(tree.find_all(nodes.MarkSafe))
        assert not list(tree.find_all(nodes.ScopedEvalContextModifier))
        assert not re.search(r"\bon[a-z]+=|\bstyle=", path.read_text()), "no inline handler, no inline style"
    for path in PAGE.parent.glob("*.py"):
        assert not re.search(r"Markup\(|autoescape=False|\|\s*safe", path.read_text()), path.name


def test_what_is_undefined_or_none_is_an_error() -> None:
    from exivity_audit.reports import html

    with pytest.raises(ValueError, match="None"):
        printed(None)
    broken = html._values(sample.not_ready(), sample.run_info(), Texts("en"), ())
    del broken["weights"]
    with pytest.raises(TemplateError):
        html._environment().get_template("arithmetic.html.j2").render(broken)


def test_backticks_are_code() -> None:
    assert pieces("set `a: 1` now") == [(False, "set "), (True, "a: 1"), (False, " now")]
    assert pieces("a lone ` stays") == [(False, "a lone ` stays")]


def test_the_size_is_that_of_a_picture_not_of_a_film() -> None:
    assert len(markup("not_ready")) < 160_000
    assert len(markup("two_sites")) < 260_000


def test_long_lists_are_cut_and_counted() -> None:
    from msgspec.structs import replace

    pair = (
        sample.a_check("storage/claims-bound", sample.HIGH, "Every claim is bound"),
        tuple(sample.found(Status.FAIL, "PersistentVolumeClaim", f"c{number}", "Pending") for number in range(1000)),
    )
    judged = sample.judgement([pair])
    page = render_html(scorecard(replace(judged)), sample.run_info()).decode()
    assert "and 800 more, all in the JSON report" in page
    assert "c199" in page
    assert "c200" not in page


def test_the_command_writes_it_in_a_language(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    done = audit("demo", "-q", "--lang", "nl", "-o", f"html={file}")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    root = parsed(file.read_text())
    check_safe(root)
    assert "is niet klaar voor productie" in words(root)
    assert file.stat().st_size < 400_000
    wrong = audit("demo", "-q", "--lang", "fr", "-o", f"html={file}")
    assert wrong.returncode == 2


def test_nothing_else_pays_for_it() -> None:
    """The template engine is loaded by this format alone."""
    code = "import sys, exivity_audit.cli as c\ntry:\n    c.main(['demo', '-q', '-o', 'json=/dev/null'])\nexcept SystemExit:\n    pass\nassert 'jinja2' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_pictures_of_the_documents_are_there_and_small() -> None:
    root = Path(__file__).resolve().parents[2]
    named = set()
    for document in (root / "README.md", *(root / "docs").glob("*.md")):
        for name in re.findall(r'(?:\]\(|src=")([^)"]*pictures/[^)"]+)', document.read_text()):
            named.add((document.parent / name).resolve())
    assert named == set((root / "docs" / "pictures").iterdir())
    assert all(path.stat().st_size < 300_000 for path in named)
    assert len((root / "README.md").read_text().splitlines()) <= 120
