"""The small pieces every section of the terminal report is made of: clean text, headings, labelled lines, columns."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from rich.console import Group, RenderableType
from rich.text import Text

from exivity_audit.reports.glyphs import LOOKS
from exivity_audit.reports.layout import Column, Columns, Ends, Indented, Labelled, Title
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
        return Group(Text(), Ends(self.say(title.upper(), "bold"), remark or Text()), self.say("─" * self.width, "dim"), Text())

    def indented(self, *items: RenderableType) -> RenderableType:
        """The items two columns in."""
        return Indented(items, INDENT)

    def title(self, status: Status, text: Text, right: Text) -> RenderableType:
        """A line with the glyph, the text and something at the right; below it where there is no room."""
        return Title(self.glyph(status), text, right, below=right.cell_len > self.width // 2)

    def labelled(self, lines: Iterable[tuple[str, Text]], wide: int = 4) -> RenderableType:
        """Lines with a short label; what to do stands out, where it came from steps back."""
        return Labelled(((Text(label, style="bold" if label in STRONG else "dim"), text) for label, text in lines), wide)

    def columns(self, *names: str, numbers: frozenset[str] = frozenset()) -> Columns:
        """A table without a frame; columns of numbers stand at the right."""
        return Columns([Column(Text(name, "dim"), right=name in numbers) for name in names])
