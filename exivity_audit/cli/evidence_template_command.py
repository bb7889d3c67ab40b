"""``exivity-audit evidence template``: write the file with every item that this cluster needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from exivity_audit.cli.filling import TARGET
from exivity_audit.cli.options import ACCESS, JUDGING, SNAPSHOTS, add


@click.command("template", context_settings={"max_content_width": 110})
@add(SNAPSHOTS, TARGET, ACCESS, JUDGING)
def command(snapshots: tuple[str, ...], file: Path | None, force: bool, **flags: Any) -> int:
    """Write `evidence.yaml` with an item for each thing that this cluster cannot show: what to do, what to attach, today's context.

    Items that --evidence holds already are left out. Exit codes: 0 written, 2 usage, 4 no cluster.
    """
    from exivity_audit.cli.filling import hand_over, judged, must_be_free

    must_be_free(file, force)
    judgement = judged(snapshots, flags)
    from exivity_audit.reports.evidence_template import evidence_template, needed

    hand_over(evidence_template(judgement), file)
    count = len(needed(judgement))
    click.echo(f"{file or 'evidence'}: {count} {'item' if count == 1 else 'items'} to fill in", err=file is None)
    return 0
