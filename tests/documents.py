"""The generated parts of the documents: ``python -m tests.documents`` rewrites them, a test tells when one is not current."""

from __future__ import annotations

import os
import re
from pathlib import Path

from exivity_audit.collect.reads import READS
from exivity_audit.explanation import page
from exivity_audit.pack import own_pack
from tests.command import audit

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(<!-- output of: (?P<command>[^>]+?) -->\n```[a-z]*\n)(?P<text>.*?)(```\n<!-- end -->)", re.DOTALL)


def output(command: str) -> str:
    """What a command of the tool prints, as plain text."""
    words = command.split()
    assert words[0] == "exivity-audit", command
    done = audit(*words[1:], env={**os.environ, "COLUMNS": "80"}, cwd=ROOT)
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines()) + "\n"


def current(text: str) -> str:
    """A document with every marked block as the command prints it today."""
    return BLOCK.sub(lambda match: match[1] + output(match["command"]) + match[4], text)


def documents() -> list[Path]:
    """The documents that have such blocks."""
    return [path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if BLOCK.search(path.read_text())]


def generated() -> dict[Path, str]:
    """The documents that are made whole."""
    return {ROOT / "docs" / "checks.md": page(own_pack(), READS)}


def main() -> None:
    """Rewrite them."""
    for path, text in generated().items():
        path.write_text(text)
    for path in documents():
        path.write_text(current(path.read_text()))
        print(path.relative_to(ROOT))
    from tests import handover

    handover.PAGE.write_text(handover.page())
    print(handover.PAGE.relative_to(ROOT))


if __name__ == "__main__":
    main()
