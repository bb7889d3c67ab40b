"""The report's lines are laid out as the terminal library's own tables would, which is the oracle here."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as any_of
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from exivity_audit.reports.layout import Column, Columns, Ends, Indented, Labelled, Title

WORDS = any_of.text("ab é漢 -", max_size=90).map(lambda text: " ".join(text.split()))
SHORT = any_of.text("abcd é", max_size=12).map(str.strip)
WIDTHS = any_of.integers(50, 110)


def lines(item: RenderableType, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None, legacy_windows=False, _environ={})
    with console.capture() as captured:
        console.print(item)
    return [line.rstrip() for line in captured.get().splitlines()]


def text(words: str) -> Text:
    return Text(words, overflow="fold")


@given(rows=any_of.lists(any_of.tuples(SHORT, WORDS), min_size=1, max_size=4), width=WIDTHS)
def test_labels_stand_before_their_texts(rows: list[tuple[str, str]], width: int) -> None:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(min_width=4, no_wrap=True)
    grid.add_column(overflow="fold")
    for label, words in rows:
        grid.add_row(Text(label), text(words))
    assert lines(Labelled(((Text(label), text(words)) for label, words in rows), 4), width) == lines(grid, width)


@given(rows=any_of.lists(any_of.tuples(SHORT, SHORT, WORDS), min_size=1, max_size=4), width=WIDTHS)
def test_columns_that_fit_stand_as_those_that_do_not(rows: list[tuple[str, str, str]], width: int) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="")
    ours = Columns([Column(Text("one"), right=True), Column(Text("two"), least=8), Column(Text())])
    table.add_column(Text("one"), justify="right", overflow="fold")
    table.add_column(Text("two"), min_width=8, overflow="fold")
    table.add_column(Text(), overflow="fold")
    for row in rows:
        table.add_row(*map(text, row))
        ours.add_row(*map(text, row))
    assert lines(ours, width) == lines(table, width)


@given(words=WORDS, right=SHORT, width=WIDTHS)
def test_a_title_has_something_at_its_right(words: str, right: str, width: int) -> None:
    grid = Table.grid(expand=True)
    grid.add_column(width=2)
    grid.add_column(ratio=1, overflow="fold")
    grid.add_column(justify="right", no_wrap=True)
    grid.add_row(Text("x"), text(words), Text.assemble("  ", right) if right else Text())
    assert lines(Title(Text("x"), text(words), Text(right), below=False), width) == lines(grid, width)


def test_what_is_long_stands_below_a_title() -> None:
    assert lines(Title(Text("x"), Text("title"), Text("long " * 12), below=True), 40)[0] == "x title"
    assert lines(Title(Text("x"), Text("title"), Text("a" * 50), below=True), 40)[1:] == ["  " + "a" * 38, "  " + "a" * 12]


def test_two_ends_share_a_line_where_both_fit() -> None:
    assert lines(Ends(Text("LEFT"), Text("right")), 20) == ["LEFT           right"]
    assert lines(Ends(Text("L" * 15), Text("r" * 5)), 20) == ["L" * 15 + "r" * 5]
    assert lines(Ends(Text("L" * 16), Text("r" * 5)), 20) == ["L" * 16, "r" * 5]


@given(rows=any_of.lists(WORDS, max_size=4), width=WIDTHS)
def test_a_margin_is_one_of_the_library(rows: list[str], width: int) -> None:
    items = [text(row) for row in rows]
    nested = Indented([Indented(items, 2), Text()], 3)
    assert lines(nested, width) == lines(Padding(Group(Padding(Group(*items), (0, 0, 0, 2)), Text()), (0, 0, 0, 3)), width)


def test_colours_stay_where_the_words_are() -> None:
    console = Console(file=io.StringIO(), width=40, force_terminal=True, color_system="standard", legacy_windows=False, _environ={})
    with console.capture() as captured:
        console.print(Labelled([(Text("fix", "bold"), Text("words", "red"))], 4))
    assert captured.get() == "\x1b[1mfix\x1b[0m   \x1b[31mwords\x1b[0m\n"
