"""A fragment of the config with one waiver for each open finding, ready to be filled in."""

from __future__ import annotations

import math
from collections.abc import Iterator

from exivity_audit.acceptance import ALL_SITES
from exivity_audit.evaluate import Judgement, Outcome, results
from exivity_audit.measure import Scalar, Unit
from exivity_audit.quantity import print_size, size
from exivity_audit.reports.dates import print_moment
from exivity_audit.reports.yaml_text import comment, plain, quoted
from exivity_audit.verdict import Status, Verdict

HOUR = 3600
HEAD = (
    "Waivers for exivity-audit: findings that somebody accepts for a time. Put this into exivity-audit.yaml.",
    "Take away what will be mended instead; fill in reason, owner and the last day; then: `exivity-audit waivers lint`.",
    "`accepts` is the value as it is now: a worse one voids the waiver. A ticket may stand beside it: `ticket: OPS-1`.",
)


def open_findings(judgement: Judgement) -> list[tuple[Outcome, Verdict]]:
    """Every fail and warn that nobody accepted yet."""
    return [(outcome, verdict) for outcome, verdict in results(judgement.outcomes) if verdict.status in (Status.FAIL, Status.WARN)]


def waivers_draft(judgement: Judgement) -> str:
    """The fragment's text."""
    sites = judgement.snapshot.sites
    places = ", ".join(f"{site.cluster.name} {site.namespace}/{site.release}" for site in sites)
    lines = [line for text in HEAD for line in comment(text, indent=0)]
    lines += ["#", *comment(f"Made for {places} as of {print_moment(judgement.now)}.", indent=0)]
    found = open_findings(judgement)
    lines += ["waivers:" if found else "waivers: []  # nothing is open"]
    for outcome, verdict in found:
        lines += ["", *_waiver(outcome, verdict, len(sites) > 1)]
    return "\n".join(lines) + "\n"


def _waiver(outcome: Outcome, verdict: Verdict, several: bool) -> Iterator[str]:
    yield from comment(f"{verdict.status} · {outcome.severity} · {outcome.check.title}")
    yield from comment(verdict.message, label="seen")
    yield f"  - check: {plain(outcome.check.id)}"
    if verdict.subject is not None:
        yield f"    subject: {quoted(verdict.subject)}"
    if several and outcome.site != ALL_SITES:
        yield f"    site: {quoted(outcome.site)}"
    accepts = acceptable(verdict)
    if accepts is not None and verdict.unit is Unit.SECONDS and abs(float(verdict.measured or 0)) >= HOUR:
        yield f'    accepts: ""  # {accepts} now, and it gets worse by itself: write how far it may go'
    elif accepts is not None:
        yield f"    accepts: {quoted(accepts)}"
    yield '    reason: ""  # why it is accepted'
    yield '    owner: ""  # who accepts it'
    yield '    expires: ""  # its last day, as 2027-01-31'


def acceptable(verdict: Verdict) -> Scalar:
    """The measured value as a waiver writes it, rounded to the worse side; None where it has no order."""
    value, want = verdict.measured, verdict.wanted
    if want is None or isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    if want.operator not in (">=", "<=", "==") or isinstance(want.value, str | bool):
        return None
    if verdict.unit is Unit.BYTES:
        text = print_size(value)
        return text if not text.endswith("bytes") and size(text) == value else int(value)
    if verdict.unit is Unit.SECONDS:
        length, unit = (HOUR, "h") if abs(value) >= HOUR else (0.001, "ms")
        return f"{math.floor(value / length) if want.operator == '>=' else math.ceil(value / length)}{unit}"
    return value
