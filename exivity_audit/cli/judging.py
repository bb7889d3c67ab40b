"""Judging a snapshot and writing the reports: what ``run`` and ``demo`` share."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from exivity_audit.attestation import refuse_future
from exivity_audit.cli import saying
from exivity_audit.cli.output import Output, Style, deliver
from exivity_audit.cli.preparation import Preparation, moment
from exivity_audit.errors import AuditError
from exivity_audit.evaluate import Judgement, evaluate
from exivity_audit.exit_code import Limit, exit_code
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.score import scorecard
from exivity_audit.snapshot import Snapshot, run_now
from exivity_audit.verdict import Verdict
from exivity_audit.version import version

if TYPE_CHECKING:
    from exivity_audit.cli.history_keeping import Keeping
    from exivity_audit.cli.publications import Publications
    from exivity_audit.profile import Profile
    from exivity_audit.reports.json_shape import ReportShape


def sayer(flags: dict[str, Any]) -> Callable[[str], None] | None:
    """What says a line of ``--stats``; None without it."""
    return saying.stats if flags["stats"] else None


def evaluated(snapshot: Snapshot, prepared: Preparation, flags: dict[str, Any], profile: Profile | None = None) -> Judgement:
    """The judgement of a snapshot as flags and config want it; expired attestations are named on standard error.

    ``profile`` measures what each check costs. Raises UsageError for an attestation of the future.
    """
    now = moment(flags.get("now"))
    today = now or run_now(snapshot)
    refuse_future(prepared.attestations, today)
    for one in prepared.attestations:
        if one.expired(today):
            saying.note(f"{one.place}: {one.check}: it expired on {one.expires} and covers nothing")
    foreign = _foreign(snapshot, prepared, today)
    if profile is not None:
        profile.told(foreign)
    return evaluate(
        snapshot,
        prepared.pack if profile is None else profile.measured(prepared.pack),
        prepared.config,
        selected=prepared.selected,
        attestations=prepared.attestations,
        thresholds=prepared.thresholds,
        lifecycle=prepared.lifecycle,
        now=now,
        foreign=foreign,
        around=nullcontext if profile is None else profile.around,
    )


def _foreign(snapshot: Snapshot, prepared: Preparation, now: datetime) -> dict[tuple[str, str], tuple[Verdict, ...]]:
    """What the checks of other packs say, each judged in a process that holds nothing but the redacted snapshot."""
    if not any(check.foreign for check in prepared.pack.checks):
        return {}
    from exivity_audit.foreign import Job, verdicts

    job = Job(prepared.others, snapshot, prepared.config, prepared.thresholds, prepared.lifecycle, f"{now:%Y-%m-%dT%H:%M:%S%z}")
    return verdicts(job, prepared.pack, prepared.selected)


def _profile() -> Profile:
    from exivity_audit.profile import Profile

    return Profile()


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
    baseline: tuple[str, ReportShape] | None = None,
    history: Keeping | None = None,
    published: Publications | None = None,
) -> int:
    """Evaluate, score, hold against the baseline, deliver, publish; the exit code. Raises UsageError for bad evidence and unwritable outputs."""
    started = time.perf_counter()
    profile = _profile() if say is not None else None
    judgement = evaluated(snapshot, prepared, flags, profile)
    card = scorecard(judgement)
    seconds = time.perf_counter() - began if began is not None else None
    run = RunInfo(
        tool_version=version(),
        started=snapshot.started,
        finished=snapshot.finished,
        flags=tuple(sys.argv[1:]),
        requests=requests,
        bytes_received=received,
        seconds=seconds,
        writes=published.writes if published is not None else 0,
        identity=next((site.identity for site in snapshot.sites if site.identity), None),
        snapshot_file=snapshot_file,
        exit_code=0,
        exit_reason="",
    )
    held = None
    if baseline is not None:
        from exivity_audit.baseline import hold_against
        from exivity_audit.reports.json_report import report_shape

        held = hold_against(baseline[0], baseline[1], report_shape(card, run))
    code, reason = exit_code(card, limit, held)
    run = replace(run, exit_code=code, exit_reason=reason, baseline=held)
    judged = time.perf_counter()
    unwritten: Exception | None = None
    try:
        deliver(card, run, outputs, Style(flags["verbose"], flags["ascii"], flags["explain_score"], flags["short"], flags["language"]))
        if history is not None:
            from exivity_audit.cli.history_keeping import add_report

            add_report(history, card, run)
    except (AuditError, OSError) as error:  # a full disk must not keep the results from where they are published
        unwritten = error
    if say is not None:
        say(f"judged in {judged - started:.2f} s, rendered in {time.perf_counter() - judged:.2f} s")
        for line in profile.lines() if profile is not None else ():
            say(line)
    failed = published.send(card, run) if published is not None else 0
    if unwritten is not None:
        raise unwritten
    return 2 if failed else code
