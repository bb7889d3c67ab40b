"""A headless Chromium, and the sample's pages opened in it without a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from exivity_audit.reports.html import render_html
from tests.reports import sample_scorecard as sample
from tests.reports.test_html import HISTORY
from tests.reports.test_terminal import CARDS

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--font-render-hinting=none",
)


def executable() -> str | None:
    """Where a Chromium is; None where there is none."""
    return next((found for found in map(shutil.which, NAMES) if found), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """A running browser."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
        yield found
        found.close()


@dataclass
class Opened:
    """A page and everything that it said, asked for or broke."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        self.said.append(f"{message.type}: {message.text}")


def write(folder: Path, card: str, language: str = "en") -> Path:
    """The page of a sample as a file."""
    path = folder / f"{card}-{language}.html"
    if not path.exists():
        path.write_bytes(render_html(CARDS[card](), sample.run_info(), language, HISTORY))
    return path


@contextmanager
def opened(browser: Browser, file: Path, *, anchor: str = "", width: int = 1280, height: int = 900, **options: Any) -> Iterator[Opened]:
    """The file in a fresh profile that is offline."""
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True, **options)
    found = Opened(context.new_page())
    found.page.on("console", found.hear)
    found.page.on("pageerror", lambda error: found.said.append(f"error: {error}"))
    found.page.on("request", lambda request: found.asked.append(request.url))
    found.page.goto(file.as_uri() + anchor)
    yield found
    context.close()
