"""``exivity-audit waivers lint``: tell everything that is wrong with the config's waivers."""

from __future__ import annotations

from typing import Any

import click

from exivity_audit.cli.options import JUDGING, SNAPSHOTS, add


@click.command("lint", context_settings={"max_content_width": 110})
@add(SNAPSHOTS, JUDGING)
def command(snapshots: tuple[str, ...], **flags: Any) -> int:
    """Tell everything that is wrong with the waivers of the config: unknown checks, blanks, days that have passed.

    With --snapshot also: subjects and sites that are not there, values that cannot be compared, waivers that are void or cover nothing.
    Exit codes: 0 nothing is wrong, 2 something is.
    """
    from exivity_audit.cli.filling import list_problems
    from exivity_audit.cli.linting import waiver_problems

    path, count, problems = waiver_problems(snapshots, flags)
    if not problems:
        click.echo(f"{path}: {count} {'waiver' if count == 1 else 'waivers'}, nothing to mend")
    return list_problems(problems, str(path))
