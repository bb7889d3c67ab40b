"""The page in a browser: it says nothing, asks for nothing, filters, prints, and everybody can use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import Browser, Page

from exivity_audit.reports.texts import LANGUAGES
from tests.browser import chromium
from tests.browser.chromium import Opened
from tests.reports.test_terminal import CARDS

pytestmark = pytest.mark.skipif(chromium.executable() is None, reason="no Chromium on this machine: tests/browser/install.sh says why")
Open = Callable[..., AbstractContextManager[Opened]]
THEMES = ("light", "dark")
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.browser() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def show(browser: Browser, folder: Path) -> Open:
    """Opens a sample's page."""
    return lambda card="not_ready", language="en", **options: chromium.opened(browser, chromium.write(folder, card, language), **options)


def shown(page: Page) -> list[str]:
    """Ids of the checks that can be seen."""
    found: list[str] = page.locator(".check").evaluate_all("all => all.filter(one => one.checkVisibility()).map(one => one.id)")
    return found


def wait(page: Page, condition: str) -> None:
    """Until a condition holds; asked from outside, since the page's policy lets nothing evaluate a text inside."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {condition}")


def of_status(page: Page, *statuses: str) -> set[str]:
    found: list[list[str]] = page.locator(".check").evaluate_all("all => all.map(one => [one.id, one.dataset.status])")
    return {name for name, status in found if status in statuses}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("card", CARDS)
def test_it_says_nothing_and_asks_for_nothing(show: Open, card: str, language: str) -> None:
    with show(card, language) as found:
        found.page.get_by_role("searchbox").fill("exivity")
        found.page.locator("#theme").click()
        assert found.said == []
        assert len(found.asked) == 1, "the file itself"
        assert found.page.locator("h1").is_visible()


def test_the_policy_holds(show: Open) -> None:
    with show() as found:
        refused = found.page.evaluate("""() => {
            const refused = [];
            try { document.body.innerHTML += '<b>x</b>'; } catch { refused.push('markup'); }
            const style = document.createElement('style');
            style.textContent = 'body { outline: 9px solid red }';
            document.head.append(style);
            if (getComputedStyle(document.body).outlineStyle === 'none') refused.push('style');
            try { const script = document.createElement('script'); script.textContent = 'window.ran = 1'; document.body.append(script); } catch { refused.push('script'); }
            const image = document.createElement('img');
            image.src = 'https://example.org/x.png';
            document.body.append(image);
            return [...refused, window.ran ?? 'nothing ran'];
        }""")
        assert refused == ["markup", "style", "script", "nothing ran"]
        wait(found.page, "document.images[0].complete")
        assert found.page.evaluate("document.images[0].naturalWidth") == 0
        assert any("violates the following Content Security Policy directive" in line and "x.png" in line for line in found.said)


def test_untouched_it_shows_what_is_open(show: Open) -> None:
    with show() as found:
        open_ones = of_status(found.page, "fail", "error", "unknown", "manual", "warn", "waived")
        assert set(shown(found.page)) == open_ones
        every = found.page.locator(".check").count()
        assert found.page.locator(".shown").text_content() == f"{len(open_ones)} of {every} checks"


def test_the_filters(show: Open) -> None:
    with show() as found:
        page = found.page
        page.get_by_role("checkbox", name=re.compile("^fail")).uncheck()
        assert set(shown(page)) == of_status(page, "error", "unknown", "manual", "warn", "waived")
        page.get_by_role("checkbox", name=re.compile("^pass")).check()
        assert of_status(page, "pass") <= set(shown(page)), "folds open for what is looked for"
        page.get_by_role("button", name="Reset").click()
        wait(page, "!document.querySelector('.filters').classList.contains('narrowed')")
        page.get_by_label("Severity").select_option("critical")
        critical = set(page.locator(".check[data-severity=critical]").evaluate_all("all => all.map(one => one.id)"))
        assert set(shown(page)) == critical - of_status(page, "pass", "skip")
        assert {"application.singletons", "storage.longhorn-replicas", "postgresql.backups"} <= critical
        page.get_by_label("Severity").select_option("low")
        page.get_by_label("Row", exact=True).select_option("ingress")
        assert shown(page)
        assert all(name.startswith("ingress.") for name in shown(page))
        assert page.locator(".row:visible").count() == 1
        page.get_by_label("Row", exact=True).select_option("")
        page.get_by_role("searchbox").fill("NUMBEROFREPLICAS")
        assert shown(page) == ["storage.longhorn-replicas"]
        assert page.locator(".shown").text_content().startswith("1 of ")
        page.get_by_role("searchbox").fill("no such words")
        assert shown(page) == []
        assert page.get_by_text("No check fits this filter.").is_visible()


def test_findings_are_filtered_by_site(show: Open) -> None:
    with show("two_sites") as found:
        found.page.get_by_label("Site", exact=True).select_option("fra")
        assert shown(found.page)
        assert all(name.endswith(".fra") for name in shown(found.page))


def test_a_count_shows_exactly_those_checks(show: Open) -> None:
    with show() as found:
        page = found.page
        links = page.locator("a[data-pick]")
        for place in range(links.count()):
            link = links.nth(place)
            row, status, number = link.get_attribute("data-row"), str(link.get_attribute("data-pick")), int(re.sub(r"\D", "", link.inner_text()))
            link.click()
            wait(page, f"document.querySelector('.filters').elements.row.value === '{row}'")
            page.wait_for_timeout(20)
            names = shown(page)
            assert len(names) == number
            assert set(names) <= of_status(page, status)


def test_a_link_opens_what_hides_its_check(show: Open) -> None:
    with show(anchor="#storage.class-exists") as found:
        page = found.page
        wait(page, "document.getElementById('storage.class-exists').checkVisibility()")
        page.get_by_role("searchbox").fill("nothing like it")
        page.evaluate("location.hash = '#application.singletons'")
        wait(page, "document.getElementById('application.singletons').checkVisibility()")
        top = page.evaluate("document.getElementById('application.singletons').getBoundingClientRect().top")
        bar = page.evaluate("document.querySelector('.filters').getBoundingClientRect().bottom")
        assert 0 <= top <= 900
        assert top >= bar - 1, "not under the filters"


def test_the_keyboard_reaches_everything(show: Open) -> None:
    with show() as found:
        page = found.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip-link"
        assert page.locator(".skip-link").bounding_box()["x"] >= 0
        page.keyboard.press("Enter")
        assert page.url.endswith("#findings")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.value") == "fail"
        width = page.evaluate("getComputedStyle(document.activeElement.closest('.pill')).outlineWidth")
        assert width == "2px", "the focus is seen"
        page.keyboard.press("Space")
        assert not of_status(page, "fail") & set(shown(page))
        page.locator("#application\\.declared-spread summary").focus()
        page.keyboard.press("Enter")
        assert page.locator("#application\\.declared-spread details").evaluate("one => one.open")


def test_commands_can_be_copied(show: Open) -> None:
    with show(permissions=["clipboard-read", "clipboard-write"]) as found:
        page = found.page
        page.locator("#application\\.singletons summary").click()
        line = page.locator("#application\\.singletons .command").first
        line.get_by_role("button").click()
        line.get_by_role("button", name="Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == line.locator("code").inner_text()


@pytest.mark.parametrize("system", THEMES)
def test_the_theme_follows_the_system_until_somebody_chooses(show: Open, system: str) -> None:
    with show(color_scheme=system) as found:
        page = found.page
        colour = "getComputedStyle(document.body).backgroundColor"
        light, dark = "rgb(255, 255, 255)", "rgb(15, 19, 24)"
        assert page.evaluate(colour) == (dark if system == "dark" else light)
        page.locator("#theme").click()
        other = light if system == "dark" else dark
        assert page.evaluate(colour) == other
        page.reload()
        assert page.evaluate(colour) == other, "kept"


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 2200])
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_wider_than_the_screen(show: Open, language: str, width: int) -> None:
    with show("two_sites", language, width=width) as found:
        found.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert found.page.evaluate("document.documentElement.scrollWidth") <= width


def violations(page: Page) -> list[str]:
    page.evaluate(AXE)
    result: dict[str, Any] = page.evaluate("rules => axe.run(document, { runOnly: { type: 'tag', values: rules } })", RULES)
    return [f"{found['id']}: {node['html'][:160]}: {node['failureSummary']}" for found in result["violations"] for node in found["nodes"][:3]]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("card", "language"), [("not_ready", "en"), ("two_sites", "nl"), ("ready", "de"), ("blind", "en"), ("evaluation", "en")])
def test_it_is_accessible(show: Open, card: str, language: str, theme: str) -> None:
    with show(card, language, color_scheme=theme) as found:
        assert violations(found.page) == []
        found.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert violations(found.page) == [], "with every fold open"


def test_it_is_accessible_on_a_phone(show: Open) -> None:
    with show(width=390, height=844) as found:
        assert violations(found.page) == []


def test_every_figure_has_words(show: Open) -> None:
    with show() as found:
        page = found.page
        assert page.get_by_role("img", name=re.compile(r"\d+ % earned")).count() >= 10
        assert page.get_by_role("img", name=re.compile("Score from 61.2 of 100 on 1 Sep 2026 to 78.9")).count() == 1
        assert page.get_by_role("link", name="2 fail in Application: show them").count() == 1
        assert page.get_by_role("navigation", name="Contents").count() == 1
        assert page.get_by_role("region", name="Findings").count() == 1


def test_without_script_it_is_complete(show: Open) -> None:
    with show(java_script_enabled=False) as found:
        page = found.page
        assert not page.locator(".filters").is_visible()
        assert not page.locator(".tools").is_visible()
        assert page.locator("#application\\.singletons").is_visible()
        page.locator("#storage .folded > summary").click()
        assert page.locator("#storage\\.class-exists").is_visible()


def test_paper_is_a4_light_and_whole(show: Open) -> None:
    with show(color_scheme="dark") as found:
        page = found.page
        content = page.pdf(prefer_css_page_size=True, print_background=True)
        boxes = {tuple(round(float(number)) for number in box.split()) for box in re.findall(rb"/MediaBox \[([^\]]+)\]", content)}
        assert boxes == {(0, 0, 595, 842)}
        assert len(re.findall(rb"/Type /Page\b", content)) >= 5
        page.emulate_media(media="print", color_scheme="light")
        page.set_viewport_size({"width": 680, "height": 960})
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        hidden = page.locator(".check").evaluate_all("all => all.filter(one => !one.checkVisibility()).length")
        assert hidden == 0, "no fold hides a check on paper"
        assert page.evaluate("document.documentElement.scrollWidth") <= 680
        assert not page.locator(".tools, .filters, .contents").first.is_visible()
        assert page.locator("#sign").evaluate("one => getComputedStyle(one).breakBefore") == "page"
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator("details[open]").count() == 0


def test_a_filtered_print_says_so(show: Open) -> None:
    with show() as found:
        page = found.page
        page.get_by_role("searchbox").fill("numberofreplicas")
        page.emulate_media(media="print")
        assert page.locator(".shown").is_visible()
        assert page.locator(".shown").inner_text().startswith("1 of ")
        assert not page.get_by_role("searchbox").is_visible()


def test_markup_of_others_is_text(browser: Browser, folder: Path) -> None:
    """Payloads in every text that others write: the browser runs, loads and says nothing, and builds the elements of harmless text."""
    from exivity_audit.reports.html import render_html
    from tests.faults.hostile_text import MARKUP, dealer
    from tests.faults.test_output_injection import hostile_card

    counted = []
    for name, texts in (("hostile", MARKUP), ("harmless", tuple(f"harmless {number}" for number in range(len(MARKUP))))):
        card, run = hostile_card(dealer(texts))
        file = folder / f"{name}.html"
        file.write_bytes(render_html(card, run))
        with chromium.opened(browser, file) as found:
            found.page.on("dialog", lambda dialog: found.said.append(f"dialog: {dialog.message}"))
            found.page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
            found.page.get_by_role("searchbox").fill("<img src=x onerror=alert(1)>")
            found.page.mouse.move(400, 400)
            assert found.said == []
            assert len(found.asked) == 1, "the file itself"
            assert found.page.locator("a:not([href^='#'])").count() == 0
            counted.append(
                found.page.evaluate("[...document.querySelectorAll('*')].map(one => one.localName).filter(name => name !== 'code').sort().join(' ')")
            )
    assert counted[0] == counted[1]
