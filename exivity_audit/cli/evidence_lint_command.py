"""``exivity-audit evidence lint``: tell everything that is wrong with a file of attestations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from exivity_audit.cli.options import FILE


@click.command("lint", context_settings={"max_content_width": 110})
@click.argument("file", type=FILE, default="evidence.yaml")
@click.option("--config", "config_file", type=FILE, envvar="EXIVITY_AUDIT_CONFIG", help="Config file.  [default: exivity-audit.yaml here, if any]")
@click.option("--pack", "pack_folders", type=click.Path(path_type=Path, file_okay=False), multiple=True, help="Folder of further checks.")
@click.option("--now", metavar="TIME", help="Judge as of this time (2026-11-23T12:00:00Z) instead of today.")
def command(file: Path, now: str | None, **flags: Any) -> int:
    """Tell everything that is wrong with FILE: unknown checks, blanks, days, artefacts that are missing or changed, expired items.

    Exit codes: 0 nothing is wrong, 2 something is.
    """
    from datetime import UTC, datetime

    from exivity_audit.attestation import examine
    from exivity_audit.cli.filling import list_problems
    from exivity_audit.cli.preparation import moment, prepare

    pack = prepare(flags).pack
    found, problems = examine(file, {check.id: check for check in pack.checks}, moment(now) or datetime.now(UTC))
    if not problems:
        first = min((one.expires for one in found), default=None)
        click.echo(f"{file}: {len(found)} {'item' if len(found) == 1 else 'items'}, nothing to mend{f'; the first ends on {first}' if first else ''}")
    return list_problems(problems, str(file))
