"""What the commands say beside their reports: one event is one line, and nothing in it acts on a terminal."""

from __future__ import annotations

import sys

import click


def note(text: str) -> None:
    """Something to know of the run, on standard error."""
    from exivity_audit.reports.text import clean

    print(f"note: {clean(text)}", file=sys.stderr)


def stats(text: str) -> None:
    """A line of ``--stats``, on standard error."""
    from exivity_audit.reports.text import clean

    print(f"stats: {clean(text)}", file=sys.stderr)


def tell(text: str, *, err: bool = False) -> None:
    """One line of an answer, on standard output unless told otherwise."""
    from exivity_audit.reports.text import clean

    click.echo(clean(text), err=err)
