"""``exivity-audit run``: audit a cluster, or a snapshot of one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exivity_audit.cli.options import ACCESS, FILE, HISTORY, JUDGING, PUBLISHING, REPORT, SNAPSHOTS, Grouped, add

if TYPE_CHECKING:
    from exivity_audit.cli.history_keeping import Keeping
    from exivity_audit.cli.preparation import Preparation
    from exivity_audit.reports.json_shape import ReportShape


@click.command("run", cls=Grouped, context_settings={"max_content_width": 110})
@add(SNAPSHOTS)
@click.option("--save", "save_file", type=FILE, help="Also save what was read, redacted.")
@click.option(
    "--baseline",
    "baseline_file",
    type=FILE,
    envvar="EXIVITY_AUDIT_BASELINE",
    help="An earlier JSON report or snapshot: the report says what changed since.",
)
@click.option("--fail-on-new", is_flag=True, help="Exit 1 only for findings that are new or worse than the baseline's, at or above --fail-on.")
@click.option("--history-keep", type=int, metavar="COUNT", help="Keep so many reports of this release in --history.  [default: all]")
@click.option("--history-age", type=int, metavar="DAYS", help="Keep them so many days.  [default: for ever]")
@add(HISTORY, ACCESS, JUDGING, REPORT, PUBLISHING)
def command(snapshots: tuple[str, ...], save_file: Path | None, baseline_file: Path | None, fail_on_new: bool, **flags: Any) -> int:
    """Audit a cluster, or several sites together, against the operations checklist, and say what to mend first.

    Exit codes: 0 clean, 1 findings, 2 usage, 3 something could not be seen, 4 no cluster.
    """
    from exivity_audit.cli.output import must_be_writable, outputs_of
    from exivity_audit.cli.preparation import prepare
    from exivity_audit.cli.publications import publications
    from exivity_audit.errors import UsageError
    from exivity_audit.exit_code import limit

    began = time.perf_counter()
    outputs = outputs_of(flags["outputs"], flags["quiet"])
    if fail_on_new and baseline_file is None:
        raise UsageError("--fail-on-new compares with a baseline, and none is named", "name an earlier report with --baseline FILE")
    ends = limit(flags["fail_on"], flags["min_score"], flags["report_only"], fail_on_new)
    if save_file is not None:
        must_be_writable(save_file)
    prepared = prepare(flags)
    published = publications(flags, prepared, snapshots)
    from exivity_audit.cli.judging import judge, sayer
    from exivity_audit.cli.obtaining import obtain
    from exivity_audit.snapshot import save

    history = _history(prepared, flags)
    say = sayer(flags)
    baseline = _baseline(baseline_file, prepared, flags) if baseline_file is not None else None
    found = obtain(prepared, flags, snapshots, history.folder if history else None)
    if save_file is not None:
        save(found.snapshot, save_file)
    if say is not None:
        for line in found.spent(time.perf_counter() - began):
            say(line)
    return judge(
        found.snapshot,
        prepared,
        flags,
        outputs,
        ends,
        requests=found.requests,
        received=found.received,
        snapshot_file=str(save_file) if save_file else found.files,
        began=began if found.live else None,
        say=say,
        baseline=baseline,
        history=history,
        published=published,
    )


def _history(prepared: Preparation, flags: dict[str, Any]) -> Keeping | None:
    """The folder of past reports, where the run has one. Raises UsageError."""
    if prepared.config.history is None and all(flags.get(name) is None for name in ("history", "history_keep", "history_age")):
        return None
    from exivity_audit.cli.history_keeping import keeping

    return keeping(flags, prepared.config)


def _baseline(file: Path, prepared: Preparation, flags: dict[str, Any]) -> tuple[str, ReportShape]:
    """The earlier report, read before the cluster is. Raises UsageError."""
    from exivity_audit.cli.comparing import side

    return str(file), side(file, prepared, flags)
