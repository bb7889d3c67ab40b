"""``exivity-audit collect``: save what an audit reads, redacted, to a file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from exivity_audit.cli import saying
from exivity_audit.cli.options import ACCESS, FILE, HISTORY, JUDGING, Grouped, add


@click.command("collect", cls=Grouped, context_settings={"max_content_width": 110})
@click.option("-o", "--output", "file", type=FILE, required=True, help="File to write; gzip where it ends in .gz.")
@click.option("--stats", is_flag=True, help="Requests, bytes and time on standard error.")
@add(HISTORY, ACCESS, JUDGING)
def command(file: Path, stats: bool, **flags: Any) -> int:
    """Read a cluster, or several sites, and save it, redacted, for `run --snapshot FILE` anywhere."""
    from exivity_audit.cli.output import must_be_writable
    from exivity_audit.cli.preparation import prepare

    began = time.perf_counter()
    must_be_writable(file)
    prepared = prepare(flags)
    from exivity_audit.cli.obtaining import obtain
    from exivity_audit.snapshot import Outcome, save

    found = obtain(prepared, flags)
    save(found.snapshot, file)
    seen = True
    for site in found.snapshot.sites:
        blind = [record for record in site.reads if record.outcome in (Outcome.FORBIDDEN, Outcome.FAILED)]
        seen = seen and not blind
        place = f"site {site.name}, " if len(found.snapshot.sites) > 1 else ""
        told = "not reached" if site.unreached else f"{len(site.reads)} reads, {len(blind)} not seen"
        saying.tell(f"{file}: {place}{site.cluster.name}, release {site.namespace}/{site.release}, {told}")
    if stats:
        for line in found.spent(time.perf_counter() - began):
            saying.stats(line)
    return 0 if seen else 3
