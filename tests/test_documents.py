"""The documents' generated blocks are current, their commands exist, and nothing in the repository names a machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from exivity_audit.cli import COMMANDS
from tests import handover
from tests.documents import ROOT, current, documents, generated


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_generated_blocks_are_current(path: Path) -> None:
    assert current(path.read_text()) == path.read_text(), "run `make docs`"


def test_the_handover_page_is_what_the_commands_print_today() -> None:
    assert handover.page() == handover.PAGE.read_text(), "run `make docs`"


@pytest.mark.parametrize("path", generated(), ids=lambda path: path.name)
def test_generated_pages_are_current(path: Path) -> None:
    assert generated()[path] == path.read_text(), "run `make docs`"


def test_the_readme_names_only_commands_that_exist() -> None:
    text = (ROOT / "README.md").read_text()
    assert set(re.findall(r"exivity-audit ([a-z][a-z-]*)", text)) <= set(COMMANDS)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^ {4})make ([a-z-]+)", text, re.MULTILINE)) <= targets
    assert len(text.splitlines()) <= 120, "the README is one page"


def test_no_path_of_one_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in listed:
        path = ROOT / name
        if path.suffix in (".py", ".md", ".yaml", ".toml", ".sh", "") and path.is_file() and name not in ("LICENSE",):
            found = re.search(r"(?<![\w.])/(?:home|root|work|workspace|builds)/[a-z]", path.read_text(errors="replace"))
            assert found is None, f"{name}: {found.group(0) if found else ''}"
