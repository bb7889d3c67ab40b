"""The exit code of a run, the first that fits, with its reason (contracts: exit codes)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from exivity_audit.errors import UsageError
from exivity_audit.score import Gate, Scorecard
from exivity_audit.verdict import UNDECIDED, Severity, Status

if TYPE_CHECKING:
    from exivity_audit.baseline import Baseline

MEANING = {0: "clean", 1: "findings", 2: "usage", 3: "incomplete", 4: "no cluster"}


class Limit(Struct, frozen=True):
    """What ends a run with 1: fails (and warns) from a severity on, or the gate."""

    severity: Severity = Severity.LOW
    warns: bool = False
    gate: bool = False
    min_score: float | None = None
    report_only: bool = False
    new: bool = False  # of the findings only those that are new or worse than the baseline's


def limit(fail_on: str, min_score: float | None, report_only: bool, new: bool = False) -> Limit:
    """``high``, ``warn:medium`` or ``gate`` as a limit; ``new`` leaves known findings out. Raises UsageError."""
    if min_score is not None and not 0 <= min_score <= 100:
        raise UsageError(f"--min-score {min_score} is no score", "write a number from 0 to 100")
    if fail_on == "gate":
        if new:
            raise UsageError("--fail-on gate looks at the gate and --fail-on-new at findings", "leave one of them out")
        return Limit(gate=True, min_score=min_score, report_only=report_only)
    word, _, rest = fail_on.partition(":")
    warns, name = (True, rest or "low") if word == "warn" else (False, fail_on)
    if name not in tuple(Severity):
        raise UsageError(f"--fail-on {fail_on!r} is no severity", "write critical, high, medium, low, warn:SEVERITY or gate")
    return Limit(Severity(name), warns, False, min_score, report_only, new)


def exit_code(scorecard: Scorecard, limit: Limit, baseline: Baseline | None = None) -> tuple[int, str]:
    """0, 1 or 3, and why."""
    code, reason = _code(scorecard, limit, baseline)
    return (0, f"report only: {reason}") if limit.report_only and code else (code, reason)


def _code(scorecard: Scorecard, limit: Limit, baseline: Baseline | None) -> tuple[int, str]:
    level = f"{'warn:' if limit.warns else ''}{limit.severity}"
    if limit.gate:
        if scorecard.gate is not Gate.READY:
            return 1, f"the gate is {scorecard.gate or 'not printed for evaluation'}"
    elif limit.new:
        if baseline is not None and (found := baseline.failing(limit.severity, limit.warns)):
            return 1, f"{len(found)} new or worse {'finding' if len(found) == 1 else 'findings'} at or above --fail-on {level}"
    elif _findings(scorecard, limit):
        return 1, f"findings at or above --fail-on {level}"
    if limit.min_score is not None and scorecard.score is not None and scorecard.score * 100 < limit.min_score:
        return 1, f"the score is below --min-score {limit.min_score:g}"
    if any(verdict.status in UNDECIDED - {Status.MANUAL} for outcome in scorecard.judgement.outcomes for verdict in outcome.verdicts):
        return 3, "some checks could not look"
    if limit.min_score is not None and scorecard.grade is None:
        return 3, "not graded, so --min-score cannot be judged"
    return 0, "no finding is new or worse" if limit.new and _findings(scorecard, limit) else "clean"


def _findings(scorecard: Scorecard, limit: Limit) -> bool:
    statuses = {Status.FAIL, Status.WARN} if limit.warns else {Status.FAIL}
    return any(
        verdict.status in statuses and outcome.severity.weight >= limit.severity.weight
        for outcome in scorecard.judgement.outcomes
        for verdict in outcome.verdicts
    )
