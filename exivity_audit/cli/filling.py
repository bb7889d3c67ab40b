"""Files that people fill in: judged for a cluster or a snapshot, written whole, never over another without being told."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exivity_audit.cli.options import FILE

if TYPE_CHECKING:
    from exivity_audit.evaluate import Judgement

TARGET = (
    click.option("-o", "--output", "file", type=FILE, help="File to write; else it is printed."),
    click.option("--force", is_flag=True, help="Write over a file that exists."),
)


def must_be_free(file: Path | None, force: bool) -> None:
    """Refuse a file that exists or cannot be written, before anything is read. Raises UsageError."""
    from exivity_audit.cli.output import must_be_writable
    from exivity_audit.errors import UsageError

    if file is None:
        return
    must_be_writable(file)
    if file.exists() and not force:
        raise UsageError(f"{file} exists, and somebody may have filled it in", "name another file, or write over it with --force")


def judged(snapshots: Sequence[str], flags: dict[str, Any]) -> Judgement:
    """The judgement of snapshots or live sites. Raises UsageError and Unreachable."""
    from exivity_audit.cli.judging import evaluated
    from exivity_audit.cli.obtaining import obtain
    from exivity_audit.cli.preparation import prepare

    prepared = prepare(flags)
    return evaluated(obtain(prepared, flags, snapshots).snapshot, prepared, flags)


def hand_over(text: str, file: Path | None) -> None:
    """Write the file, or print it. Raises UsageError where it cannot be written."""
    from exivity_audit.snapshot import write_whole

    content = text.encode("utf-8")
    if file is not None:
        write_whole(file, content)
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def list_problems(problems: list[Any], what: str) -> int:
    """Print every problem with its next step, then how many; 2 where there are any."""
    from exivity_audit.errors import one_line

    for problem in problems:
        click.echo(f"{one_line(problem.message, 1000)}\n  next: {one_line(problem.hint, 1000)}")
    if problems:
        click.echo(f"{what}: {len(problems)} to mend")
    return 2 if problems else 0
