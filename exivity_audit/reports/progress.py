"""One line on stderr while a cluster is read, on a terminal only; nothing of it is left behind."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from exivity_audit.reports.text import ascii_text, clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import ProgressColumn
    from rich.table import Column


class NullProgress:
    """Shows nothing: for pipes, logs and ``--quiet``."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def step(self, done: int, total: int, what: str) -> None:
        """So many of so many reads are done; this is being read."""


class Progress(NullProgress):
    """Spinner, what is read of which cluster, bar, n/m, elapsed."""

    def __init__(self, name: str, console: Console) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self._ascii = not console.encoding.lower().startswith("utf")
        columns: tuple[ProgressColumn, ...] = (
            SpinnerColumn("line" if self._ascii else "dots"),
            TextColumn("reading {task.description}", markup=False, table_column=_one_line()),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[kind]}", markup=False, style="dim", table_column=_one_line()),
            TimeElapsedColumn(),
        )
        self._shown = RichProgress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
        self._task = self._shown.add_task(self._text(name), total=None, kind="")

    def _text(self, text: str) -> str:
        return ascii_text(clean(text)) if self._ascii else clean(text)

    def __enter__(self) -> Self:
        self._shown.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._shown.stop()

    def step(self, done: int, total: int, what: str) -> None:
        self._shown.update(self._task, completed=done, total=total, kind=self._text(what))


def _one_line() -> Column:
    from rich.table import Column

    return Column(no_wrap=True, overflow="crop")


def progress(name: str, stream: TextIO | None = None, *, quiet: bool = False) -> NullProgress:
    """A progress line for the cluster of this name; the null version unless the stream (stderr) is a terminal."""
    target = stream or sys.stderr
    if quiet or not target.isatty():
        return NullProgress()
    from rich.console import Console  # only for a terminal

    console = Console(file=target, markup=False, emoji=False, highlight=False)
    return Progress(name, console) if console.is_terminal and not console.is_dumb_terminal else NullProgress()
