"""The progress line: on a terminal only, and gone when done."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from exivity_audit.reports.progress import NullProgress, Progress, progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_nothing() -> None:
    stream = io.StringIO()
    with progress("prod-ams", stream) as shown:
        shown.step(1, 2, "pods")
    assert type(shown) is NullProgress
    assert stream.getvalue() == ""


def test_quiet_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert type(progress("prod-ams", Terminal(), quiet=True)) is NullProgress


def test_a_dumb_terminal_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert type(progress("prod-ams", Terminal())) is NullProgress


def test_one_line_that_is_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    shown = Progress("prod-ams", Console(file=stream, force_terminal=True, width=100, _environ={"TERM": "xterm"}))
    with shown:
        shown.step(3, 9, "nodes.longhorn.io")
        shown._shown.refresh()
    text = stream.getvalue()
    assert "reading prod-ams" in text
    assert "3/9" in text
    assert "nodes.longhorn.io" in text
    assert text.endswith("\x1b[2K")


def test_hostile_names_are_shown_and_nothing_more() -> None:
    stream = Terminal()
    shown = Progress("[red]a\x1b]0;t\x07{0}", Console(file=stream, force_terminal=True, width=120, _environ={"TERM": "xterm"}))
    with shown:
        shown.step(1, 1, "[bold]\u202e")
        shown._shown.refresh()
    text = stream.getvalue()
    assert "[red]a\\x1b]0;t\\x07{0}" in text
    assert "[bold]\\u202e" in text
    assert "\x1b]0" not in text
