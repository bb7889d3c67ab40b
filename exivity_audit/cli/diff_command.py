"""``exivity-audit diff``: tell what changed between two reports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from exivity_audit.cli.options import FILE, JUDGING, ROLE, Grouped, add

FORMATS = ("table", "json", "markdown")


@click.command("diff", cls=Grouped, context_settings={"max_content_width": 110})
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@click.option("-o", "--output", "outputs", metavar="FORMAT[=FILE]", multiple=True, help="table, json or markdown; repeatable.  [default: table]")
@click.option("--ascii", is_flag=True, help="ASCII characters only.")
@add(ROLE, JUDGING)
def command(old: Path, new: Path, outputs: tuple[str, ...], ascii: bool, **flags: Any) -> int:
    """Tell what changed from OLD to NEW: findings that are new, worse, better and resolved, and why the score moved.

    Each is a JSON report (`run -o json=FILE`), or a snapshot, which is judged now by the present checklist with these flags.
    What failed and could not be seen again is never called resolved. Exit codes: 0 compared, 2 usage; `run --baseline` judges what is new.
    """
    from exivity_audit.cli.output import outputs_of
    from exivity_audit.snapshot import write_whole

    chosen = outputs_of(outputs, quiet=bool(outputs), formats=FORMATS)
    from exivity_audit.cli.comparing import side
    from exivity_audit.cli.preparation import prepare

    prepared = prepare(flags)
    before, after = side(old, prepared, flags), side(new, prepared, flags)
    from exivity_audit.attribution import attribute
    from exivity_audit.comparison import compare
    from exivity_audit.reports.difference import difference_json, difference_markdown, render_difference

    found, why = compare(before, after), attribute(before, after)
    for output in sorted(chosen, key=lambda output: output.file is None):
        encoding = (sys.stdout.encoding or "ascii") if output.file is None else "utf-8"
        if output.format == "json":
            content = difference_json(before, after, found, why)
        elif output.format == "markdown":
            content = difference_markdown(before, after, found, why)
        else:
            plain = ascii or encoding.lower().replace("-", "") != "utf8"
            content = render_difference(before, after, found, why, ascii=plain).encode(encoding, "replace")
        if output.file is not None:
            write_whole(output.file, content)
        else:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
    return 0
