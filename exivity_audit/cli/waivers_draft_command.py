"""``exivity-audit waivers draft``: print a waiver for each open finding, to be filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from exivity_audit.cli.filling import TARGET
from exivity_audit.cli.options import ACCESS, JUDGING, SNAPSHOTS, add


@click.command("draft", context_settings={"max_content_width": 110})
@add(SNAPSHOTS, TARGET, ACCESS, JUDGING)
def command(snapshots: tuple[str, ...], file: Path | None, force: bool, **flags: Any) -> int:
    """Print a fragment of the config with a waiver for each open fail and warn: its subject, and the value that would be accepted.

    Findings that the config's waivers cover already are left out. Exit codes: 0 written, 2 usage, 4 no cluster.
    """
    from exivity_audit.cli.filling import hand_over, judged, must_be_free

    must_be_free(file, force)
    judgement = judged(snapshots, flags)
    from exivity_audit.reports.waivers_draft import open_findings, waivers_draft

    hand_over(waivers_draft(judgement), file)
    count = len(open_findings(judgement))
    click.echo(f"{file or 'waivers'}: {count} {'waiver' if count == 1 else 'waivers'} to fill in or to take away", err=file is None)
    return 0
