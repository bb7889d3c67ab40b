"""``exivity-audit collect``: save what an audit reads, redacted, to a file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from exivity_audit.cli.options import ACCESS, FILE, HISTORY, JUDGING, Grouped, add


@click.command("collect", cls=Grouped, context_settings={"max_content_width": 110})
@click.option("-o", "--output", "file", type=FILE, required=True, help="File to write; gzip where it ends in .gz.")
@click.option("--stats", is_flag=True, help="Requests, bytes and time on standard error.")
@add(HISTORY, ACCESS, JUDGING)
def command(file: Path, stats: bool, **flags: Any) -> int:
    """Read a cluster and save it, redacted, for `run --snapshot FILE` anywhere."""
    from exivity_audit.cli.output import must_be_writable
    from exivity_audit.cli.preparation import prepare

    began = time.perf_counter()
    must_be_writable(file)
    prepared = prepare(flags)
    from exivity_audit.cli.collecting import collect
    from exivity_audit.snapshot import Outcome, save

    snapshot, cost = collect(prepared, flags)
    save(snapshot, file)
    site = snapshot.sites[0]
    blind = [record for record in site.reads if record.outcome in (Outcome.FORBIDDEN, Outcome.FAILED)]
    click.echo(f"{file}: {site.cluster.name}, release {site.namespace}/{site.release}, {len(site.reads)} reads, {len(blind)} not seen")
    if stats:
        click.echo(f"stats: {cost.requests} requests, {cost.bytes_received} bytes, {time.perf_counter() - began:.2f} s", err=True)
    return 3 if blind else 0
