"""The pictures of README and documents: ``python -m tests.pictures`` makes them of the demo's sample cluster.

The terminal's is Rich's SVG of the report; the page's are Chromium's, light, dark, and page 1 on paper.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser
from rich.console import Console
from rich.text import Text

from tests.browser import chromium

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
WIDTH, HEIGHT = 1180, 1320
COLUMNS, LINES = 100, 46
A4 = (794, 1123)  # at 96 dots an inch
LARGEST = 300_000


def demo(*words: str) -> str:
    """What the demo prints."""
    command = [sys.executable, "-m", "exivity_audit", "demo", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def terminal() -> str:
    """The beginning of the terminal report in colours, as SVG."""
    code = (
        "from exivity_audit.cli import judging, output\n"
        "from exivity_audit.reports.terminal import render_terminal\n"
        f"output.deliver = judging.deliver = lambda card, run, *_: print(render_terminal(card, run, width={COLUMNS}, colour=True, ascii=False, verbose=False))\n"
        "from exivity_audit.cli import main\n"
        "main(['demo'])\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi("\n".join(shown.splitlines()[:LINES])))
    return console.export_svg(title="exivity-audit run")


def save(name: str, picture: bytes) -> None:
    """A PNG, packed as small as it gets without losing a colour."""
    path = FOLDER / name
    Image.open(io.BytesIO(picture)).convert("RGB").save(path, optimize=True)
    report(path)


def report(path: Path) -> None:
    """Name the file and its size; too large is an error."""
    size = path.stat().st_size
    print(f"{path.relative_to(FOLDER.parents[1])}  {size // 1000} kB")
    if size > LARGEST:
        raise SystemExit(f"{path} is larger than {LARGEST} bytes")


def page(browser: Browser, file: Path) -> None:
    """Light, dark, the findings, and page 1 on paper."""
    for theme in ("light", "dark"):
        with chromium.opened(browser, file, width=WIDTH, height=HEIGHT, color_scheme=theme) as found:
            save(f"page-{theme}.png", found.page.screenshot())
            if theme == "light":
                found.page.evaluate("document.getElementById('findings').scrollIntoView()")
                save("page-findings.png", found.page.screenshot())
    with chromium.opened(browser, file, width=A4[0] - 113, height=A4[1] - 121) as found:
        found.page.emulate_media(media="print")
        found.page.evaluate("document.querySelectorAll('#checklist ~ *, footer').forEach(other => other.remove())")  # they begin page 2
        paper = Image.new("RGB", A4, "white")
        paper.paste(Image.open(io.BytesIO(found.page.screenshot())), (57, 57))
        content = io.BytesIO()
        paper.save(content, "PNG")
        save("page-print.png", content.getvalue())


def main() -> None:
    """Rewrite them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    svg = FOLDER / "terminal.svg"
    svg.write_text(terminal(), encoding="utf-8")
    report(svg)
    with tempfile.TemporaryDirectory() as folder, chromium.browser() as browser:
        file = Path(folder) / "report.html"
        demo("-q", "-o", f"html={file}")
        page(browser, file)


if __name__ == "__main__":
    main()
