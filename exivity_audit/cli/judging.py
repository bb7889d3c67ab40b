"""Judging a snapshot and writing the reports: what ``run`` and ``demo`` share."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from exivity_audit.cli.output import Output, Style, deliver
from exivity_audit.cli.preparation import Preparation, moment
from exivity_audit.document import parse_time
from exivity_audit.evaluate import evaluate
from exivity_audit.exit_code import Limit, exit_code
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.score import scorecard
from exivity_audit.snapshot import Snapshot
from exivity_audit.version import version


def judge(
    snapshot: Snapshot,
    prepared: Preparation,
    flags: dict[str, Any],
    outputs: tuple[Output, ...],
    limit: Limit,
    *,
    requests: int | None = None,
    received: int | None = None,
    snapshot_file: str | None = None,
    began: float | None = None,
    say: Callable[[str], None] | None = None,
) -> int:
    """Evaluate, score, deliver; the exit code. Raises UsageError for bad evidence and unwritable outputs."""
    now = moment(flags.get("now"))
    attestations: Any = ()
    if flags.get("evidence"):
        from exivity_audit.acceptance import load_evidence

        attestations = load_evidence(flags["evidence"], {check.id: check for check in prepared.pack.checks}, now or parse_time(snapshot.sites[0].now))
    started = time.perf_counter()
    card = scorecard(
        evaluate(
            snapshot,
            prepared.pack,
            prepared.config,
            selected=prepared.selected,
            attestations=attestations,
            thresholds=prepared.thresholds,
            lifecycle=prepared.lifecycle,
            now=now,
        )
    )
    code, reason = exit_code(card, limit)
    seconds = time.perf_counter() - began if began is not None else None
    run = RunInfo(
        tool_version=version(),
        started=snapshot.started,
        finished=snapshot.finished,
        flags=tuple(sys.argv[1:]),
        requests=requests,
        bytes_received=received,
        seconds=seconds,
        writes=0,
        identity=snapshot.sites[0].identity,
        snapshot_file=snapshot_file,
        exit_code=code,
        exit_reason=reason,
    )
    judged = time.perf_counter()
    deliver(card, run, outputs, Style(flags["verbose"], flags["ascii"], flags["explain_score"], flags["short"]))
    if say is not None:
        say(f"judged in {judged - started:.2f} s, rendered in {time.perf_counter() - judged:.2f} s")
    return code
