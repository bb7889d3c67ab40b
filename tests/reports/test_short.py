"""The short form."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from exivity_audit.reports.short import render_short
from exivity_audit.score import scorecard
from tests.reports import sample_scorecard as sample
from tests.reports.golden_files import check_golden
from tests.reports.test_terminal import CARDS


@pytest.mark.parametrize("card", CARDS)
def test_golden(card: str) -> None:
    check_golden(f"short-{card.replace('_', '-')}.txt", render_short(CARDS[card](), sample.run_info()))


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("width", [40, 80, 100])
def test_lines_fit(card: str, ascii: bool, width: int) -> None:
    text = render_short(CARDS[card](), sample.run_info(), ascii=ascii, width=width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert text.isascii() or not ascii


def test_at_most_eight_failures_and_the_rest_counted() -> None:
    pairs = sample.told()
    extra = [
        (sample.a_check(f"security/extra-{number}", sample.LOW, "Extra"), (sample.found(sample.FAIL, "Pod", f"extra-{number}", "x" * 300),))
        for number in range(3)
    ]
    text = render_short(scorecard(sample.judgement([*pairs, *extra])), sample.run_info())
    assert text.count("✘") == 8
    assert "\n3 more failed · 1 error" in text
    assert len(text.splitlines()) == 12


def test_ready_names_its_conditions() -> None:
    assert render_short(sample.ready(), sample.run_info()).startswith("READY with remarks, with 1 waiver · grade A · 98/100 · 40 of 40 decided\n")
