"""``exivity-audit demo``: audit the bundled sample cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from exivity_audit.cli.options import REPORT, add

SAMPLE = Path(__file__).parents[1] / "data" / "sample.json"


@click.command("demo", context_settings={"max_content_width": 110})
@add(REPORT)
def command(**flags: Any) -> int:
    """Audit a sample cluster that comes with the tool: no cluster is needed, nothing is read from the network.

    The sample is not ready for production. The exit code is 0 all the same; the report's last lines name what `run` would exit with.
    """
    from exivity_audit.cli.judging import judge, sayer
    from exivity_audit.cli.output import outputs_of
    from exivity_audit.cli.preparation import Preparation
    from exivity_audit.config import Config, thresholds_of
    from exivity_audit.exit_code import limit
    from exivity_audit.lifecycle import load_lifecycle
    from exivity_audit.pack import own_pack
    from exivity_audit.snapshot import decode

    outputs = outputs_of(flags["outputs"], flags["quiet"])
    ends = limit(flags["fail_on"], flags["min_score"], flags["report_only"])
    pack, config = own_pack(), Config()
    prepared = Preparation(config, None, pack, None, thresholds_of(config, pack.thresholds, None), load_lifecycle(None))
    content = SAMPLE.read_bytes()
    judge(decode(content, "the bundled sample"), prepared, flags, outputs, ends, snapshot_file="the bundled sample", say=sayer(flags))
    return 0
