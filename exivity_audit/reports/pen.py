"""The small pieces every section of the terminal report is made of: clean text, headings, labelled lines, columns."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from exivity_audit.reports.glyphs import LOOKS
from exivity_audit.reports.text import ascii_text, clean
from exivity_audit.verdict import Status

NARROWEST, WIDEST, ROOMY = 80, 110, 100
INDENT = 2
STRONG = frozenset({"fix", "do"})


class Pen(Struct, frozen=True):
    """Writes for one console. All text enters through ``say`` and is never read as markup."""

    width: int
    ascii: bool
    verbose: bool
    badges: bool  # whether the gate may stand on a coloured ground

    @property
    def roomy(self) -> bool:
        """Whether there is room for bars and wide tables."""
        return self.width >= ROOMY

    def say(self, text: object, style: str = "") -> Text:
        """Text in a style, with everything hostile in it made visible."""
        shown = clean(text)
        return Text(ascii_text(shown) if self.ascii else shown, style=style, overflow="fold")

    def remedy(self, text: str) -> Text:
        """A remedy; one that is nothing but code stands bare, ready to copy."""
        return self.say(text[1:-1] if text.count("`") == 2 and text[0] == text[-1] == "`" else text)

    def join(self, parts: Iterable[str], style: str = "") -> Text:
        """The parts that are not empty, with dots between."""
        return self.say(" · ".join(part for part in parts if part), style)

    def glyph(self, status: Status) -> Text:
        """The sign of a status."""
        look = LOOKS[status]
        return Text(look.ascii if self.ascii else look.glyph, style=look.style)

    def word(self, status: Status) -> Text:
        """The word of a status."""
        return Text(str(status), style=LOOKS[status].style)

    def heading(self, title: str, remark: Text | None = None) -> RenderableType:
        """Capitals, a remark at the right, one rule."""
        line = Table.grid(expand=True)
        line.add_column(overflow="fold")
        line.add_column(justify="right", overflow="fold")
        line.add_row(self.say(title.upper(), "bold"), remark or Text())
        return Group(Text(), line, self.say("─" * self.width, "dim"), Text())

    def indented(self, *items: RenderableType) -> RenderableType:
        """The items two columns in."""
        return Padding(Group(*items), (0, 0, 0, INDENT))

    def title(self, status: Status, text: Text, right: Text) -> RenderableType:
        """A line with the glyph, the text and something at the right; below it where there is no room."""
        line = Table.grid(expand=True)
        line.add_column(width=2)
        line.add_column(ratio=1, overflow="fold")
        crowded = right.cell_len > self.width // 2
        if not crowded:
            line.add_column(justify="right", no_wrap=True)
        line.add_row(self.glyph(status), text, *([] if crowded else [Text.assemble("  ", right)]))
        if crowded:
            line.add_row("", right)
        return line

    def labelled(self, lines: Iterable[tuple[str, Text]], wide: int = 4) -> RenderableType:
        """Lines with a short label; what to do stands out, where it came from steps back."""
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(min_width=wide, no_wrap=True)
        grid.add_column(overflow="fold")
        for label, text in lines:
            grid.add_row(Text(label, style="bold" if label in STRONG else "dim"), text)
        return grid

    def columns(self, *names: str, numbers: frozenset[str] = frozenset()) -> Table:
        """A table without a frame; columns of numbers stand at the right."""
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
        for name in names:
            table.add_column(Text(name), overflow="fold", justify="right" if name in numbers else "left")
        return table
