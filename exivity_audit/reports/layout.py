"""How lines are laid out: a margin, a label before a text, something at the right. Each line is made once.

Nested grids of the terminal library measure every cell at every level, and pad and cut each line anew: a third of a run's own time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console, ConsoleOptions, JustifyMethod, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text

if TYPE_CHECKING:
    from rich.table import Table

GAP = 2  # columns between a label and its text, and before what stands at the right
_END = Segment.line()


class Indented:
    """Items some columns in."""

    def __init__(self, items: Sequence[RenderableType], columns: int) -> None:
        self._items, self._columns = items, columns

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines of the items behind the margin."""
        inner = options.update_width(options.max_width - self._columns)
        margin = _blank(self._columns)
        for item in self._items:
            for line in Segment.split_lines(console.render(item, inner)):
                yield margin
                yield from line
                yield _END


class Labelled:
    """Texts in one column, each behind its short label; what does not fit into a line goes on below itself."""

    def __init__(self, lines: Iterable[tuple[Text, Text]], least: int) -> None:
        self._lines = tuple(lines)
        self._wide = GAP + max([least, *(label.cell_len for label, _ in self._lines)])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines of each text, the first one behind the label."""
        for label, text in self._lines:
            for left, line in zip(chain([label], repeat(Text())), _wrapped(text, console, options.max_width - self._wide), strict=False):
                yield from _shown(left, console)
                yield _blank(self._wide - left.cell_len)
                yield from _shown(line, console)
                yield _END


class Title:
    """A sign, a text, and something at the right of its first line; below the text where that takes more than half of the room."""

    def __init__(self, sign: Text, text: Text, right: Text, below: bool) -> None:
        self._sign, self._text, self._right, self._below = sign, text, right, below

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines of the text behind the sign."""
        width = options.max_width - GAP
        right = Text() if self._below else self._right
        room = width - (GAP + right.cell_len if right else 0)
        lines = _wrapped(self._text, console, room)
        if self._below:
            lines += _wrapped(self._right, console, width)
        for number, line in enumerate(lines):
            yield from _shown(Text() if number else self._sign, console)
            yield _blank(GAP if number else GAP - self._sign.cell_len)
            yield from _shown(line, console)
            if right and not number:
                yield _blank(room + GAP - line.cell_len)
                yield from _shown(right, console)
            yield _END


class Ends:
    """A text at the left and another at the right of one line; below each other where both do not fit."""

    def __init__(self, left: Text, right: Text) -> None:
        self._left, self._right = left, right

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """One line, or the lines of both."""
        between = options.max_width - self._left.cell_len - self._right.cell_len
        if between < 0:
            yield self._left
            yield self._right
            return
        yield from _shown(self._left, console)
        yield _blank(between)
        yield from _shown(self._right, console)
        yield _END


class Column(NamedTuple):
    """A column of a table: its head, whether it stands at the right, the least room it takes, whether its texts go on below themselves."""

    head: Text
    right: bool = False
    least: int = 0
    folds: bool = True


class Columns:
    """A table without a frame. Where all of it fits each line is made at once; where it does not, the library shares the room out."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns, self._rows = columns, [tuple(column.head for column in columns)]

    def add_row(self, *cells: Text) -> None:
        """A row; cells that are left out at its end are empty."""
        self._rows.append((*cells, *repeat(Text(), len(self._columns) - len(cells))))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The heads and the rows."""
        widths = [max(column.least, *(row[place].cell_len for row in self._rows)) for place, column in enumerate(self._columns)]
        if sum(widths) + GAP * (len(widths) - 1) > options.max_width or any("\n" in cell.plain for row in self._rows for cell in row):
            yield self._table()
            return
        for row in self._rows:
            blank = 0
            for cell, column, width in zip(row, self._columns, widths, strict=True):
                rest = width - cell.cell_len
                if cell:
                    yield _blank(blank + (rest if column.right else 0))
                    yield from _shown(cell, console)
                    blank = GAP + (0 if column.right else rest)
                else:
                    blank += GAP + width
            yield _END

    def _table(self) -> Table:
        from rich.table import Table  # seldom needed

        table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="")
        for column in self._columns:
            justify: JustifyMethod = "right" if column.right else "left"
            table.add_column(column.head, min_width=column.least or None, no_wrap=not column.folds, overflow="fold", justify=justify)
        for row in self._rows[1:]:
            table.add_row(*row)
        return table


def _wrapped(text: Text, console: Console, width: int) -> list[Text]:
    return list(text.wrap(console, max(1, width), overflow="fold"))


def _shown(text: Text, console: Console) -> Iterable[Segment]:
    """A line in its style; the library leaves the style of a text without parts to whatever lays it out."""
    return text.render(console) if text.spans else [Segment(text.plain, console.get_style(text.style))]


def _blank(columns: int) -> Segment:
    return Segment(" " * max(0, columns))
