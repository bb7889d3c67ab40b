"""docs/reliability.md: no measure, suite or gap is left out of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults import scoreboard
from tests.faults.catalogue import KINDS
from tests.faults.scoreboard import BEGIN, END, LINES, LIVE, NOT_RUN, PAGE, SUITES, SUITES_FOLDER, Line, Scoreboard, gathered, rows, save, table
from tests.faults.variants import VARIANTS


def test_a_measure_without_a_figure_is_a_row_that_says_so() -> None:
    found = {title: (shown, holds) for title, shown, _, holds in rows({"crash": 1, "combinations": 700}, False)}
    assert len(found) == len(LINES)
    assert found["fault combinations injected"] == ("700", "yes")
    assert found["… crashes"] == ("1", "NO")
    assert found["different mutated objects judged"] == (NOT_RUN, "–")
    assert rows({"n": 300_000.0}, True, [Line("n", "N", (1, 200_000))]) == [("N", "300,000", "≥ 200,000", "yes")]


def test_a_run_says_which_suites_it_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoreboard, "FOLDER", tmp_path)
    board = Scoreboard({"seconds": 61, "failed sessions": 0, "overrun": 1.5})
    board.distinct(SUITES, ["test_matrix.py"])
    board.write(tmp_path)
    said = table(save(gathered(tmp_path)), False)
    assert "| worst overrun past a deadline | 1.5 s | ≤ 5 s | yes |" in said
    missing = sorted({path.name for path in SUITES_FOLDER.glob("test_*.py")} - {"test_matrix.py"})
    assert f"Every suite ran but {', '.join(f'`{name}`' for name in missing)}, whose measures are marked." in said
    path = tmp_path / f"{scoreboard.PROFILE}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"suites": [*missing, "test_matrix.py"]}))
    assert f"Every suite ran, {len(missing) + 1} of them." in table(path, False)


def test_the_page_has_every_measure_of_every_run() -> None:
    shown = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    sections = {part.partition("\n")[0]: part for part in shown.split("### ")[1:]}
    for head, lines in (("The run of every push", LINES), ("The long run", LINES), ("Before the real API server", LIVE)):
        section = next(text for title, text in sections.items() if title.startswith(head))
        assert [row.split("|")[1].strip() for row in section.splitlines() if row.startswith("| ")][1:] == [line.title for line in lines]


def test_the_page_names_every_suite_and_counts_the_faults() -> None:
    said = PAGE.read_text().partition(BEGIN)[0]
    for path in SUITES_FOLDER.glob("test_*.py"):
        assert f"`{path.name}`" in said, path.name
    assert f": {len(KINDS)} kinds of fault" in said
    assert len(VARIANTS) == 10
    assert "× ten clusters ×" in said
