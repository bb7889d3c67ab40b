"""What holds for every run under a fault, beside the same run without: no false pass, nothing lost, nothing leaked, in time."""

from __future__ import annotations

from collections.abc import Iterator

from exivity_audit.score import Gate
from exivity_audit.verdict import UNDECIDED, Status
from tests.faults.audit import Run
from tests.faults.catalogue import CANARY, RECOVERS, VANISHES

EARNED = {Status.PASS: 2, Status.WARN: 1}
LONGEST_SLEEP, OVERRUN = 30.0, 5.0


def broken(plain: Run, found: Run, effect: str, *, deadline: float, may_end: bool) -> Iterator[str]:
    """The invariants that a run broke, in words; ``may_end``: the fault stands before the reads, so that a sentence may be all there is."""
    if found.passed > deadline + OVERRUN or found.seconds > deadline + OVERRUN:
        yield f"hang: it took {max(found.passed, found.seconds):.1f} s of {deadline:g}"
    if found.longest > LONGEST_SLEEP:
        yield f"hang: it slept {found.longest:.0f} s"
    yield from (f"leak: the canary stands in {name}" for name, text in {**found.texts, "its sentence": found.said}.items() if CANARY in text)
    if found.card is None:
        if not may_end:
            yield f"lost: no report: {found.said}"
        if found.code not in (2, 4) or not found.said:
            yield f"code: {found.code} without a report"
        return
    if list(found.statuses) != list(plain.statuses):
        yield "lost: other outcomes"
        return
    yield from (f"crash: {check} is an error" for (check, _), status in found.statuses.items() if status is Status.ERROR)
    yield from (f"crash: {check} {subject}" for ((check, _), subject), status in found.verdicts.items() if status is Status.ERROR)
    if found.code != _expected_code(found):
        yield f"code: {found.code} instead of {_expected_code(found)}"
    if effect == RECOVERS:
        yield from _differences(plain, found)
    elif effect != VANISHES:
        yield from _false(plain, found)


def _expected_code(found: Run) -> int:
    statuses = set(found.verdicts.values())
    return 1 if Status.FAIL in statuses else 3 if statuses & (UNDECIDED - {Status.MANUAL}) else 0


def _differences(plain: Run, found: Run) -> Iterator[str]:
    for (key, subject), status in plain.verdicts.items():
        now = found.verdicts.get((key, subject))
        if now is not status:
            yield f"lost: {key[0]} {subject} is {now} after it recovered, not {status}"


def _false(plain: Run, found: Run) -> Iterator[str]:
    for key, was in plain.statuses.items():
        now = found.statuses[key]
        if now is Status.PASS and was is not Status.PASS:
            yield f"false pass: {key[0]} was {was}"
        elif EARNED.get(now, 0) > EARNED.get(was, 0) and was is not Status.SKIP:
            yield f"false pass: {key[0]} rose from {was} to {now}"
        elif now is Status.SKIP and was in (Status.FAIL, Status.WARN):
            yield f"false pass: {key[0]} was {was} and is skipped"
    for (key, subject), was in plain.verdicts.items():
        if was in (Status.FAIL, Status.WARN) and found.verdicts.get((key, subject)) is Status.PASS:
            yield f"false pass: {key[0]} {subject} was {was}"
    assert plain.card is not None
    assert found.card is not None
    if found.points > plain.points:
        yield f"score: {found.points} points, {plain.points} without the fault"
    if found.card.gate is Gate.READY and plain.card.gate is not Gate.READY:
        yield "score: the gate is READY"
    before, after = plain.card.coverage.ratio or 0, found.card.coverage.ratio or 0
    if (found.card.score or 0) > (plain.card.score or 0) and after >= before:
        yield f"score: {found.card.score} over a coverage of {after}, {plain.card.score} over {before} without the fault"
