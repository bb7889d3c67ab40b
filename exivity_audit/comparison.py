"""Two reports compared finding by finding: new, worse, better, resolved, and what can not be compared.

A finding keeps its fingerprint (check, site, subject) over runs. What failed and could not be seen again is not resolved.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct

from exivity_audit.measure import Wanted
from exivity_audit.reports.json_shape import ReportShape, ResultShape
from exivity_audit.scored import Scored
from exivity_audit.verdict import UNDECIDED, Severity, Status

OPEN = frozenset({Status.FAIL, Status.WARN})


class Change(enum.StrEnum):
    """What became of a finding, in order of interest."""

    NEW = "new"
    WORSE = "worse"
    INCOMPARABLE = "incomparable"
    BETTER = "better"
    RESOLVED = "resolved"


class Difference(Struct, frozen=True):
    """One finding that is not what it was; one side is None where it was not there."""

    change: Change
    before: ResultShape | None
    after: ResultShape | None
    why: str = ""

    @property
    def result(self) -> ResultShape:
        """The newer side that exists."""
        found = self.after or self.before
        assert found is not None
        return found


class Unit(Scored, Struct, frozen=True, dict=True):
    """A check at a site as a report tells it: the unit that is scored."""

    id: str
    site: str
    row: str
    severity: Severity
    results: tuple[ResultShape, ...]

    @cached_property
    def statuses(self) -> frozenset[Status]:
        """The statuses of its results."""
        return frozenset(result.status for result in self.results)


def units(report: ReportShape) -> dict[tuple[str, str], Unit]:
    """The outcomes of a report, by site and check."""
    groups: dict[tuple[str, str], list[ResultShape]] = {}
    for result in report.results:
        groups.setdefault((result.site, result.id), []).append(result)
    return {key: Unit(found[0].id, found[0].site, found[0].row, found[0].severity, tuple(found)) for key, found in groups.items()}


def compare(old: ReportShape, new: ReportShape) -> tuple[Difference, ...]:
    """Every finding that changed, in the order of ``Change`` and of the report."""
    old_units, new_units = units(old), units(new)
    before = {result.fingerprint: result for result in old.results}
    after = {result.fingerprint: result for result in new.results}
    found: list[Difference] = []
    for mark, result in after.items():
        was = before.get(mark)
        one = _pair(was, result) if was is not None else _appeared(result, old_units.get((result.site, result.id)))
        if one is not None:
            found.append(one)
    told = {(one.result.site, one.result.id) for one in found if one.change is Change.INCOMPARABLE}
    for mark, result in before.items():
        if mark not in after and result.status in (*OPEN, Status.WAIVED):
            key = (result.site, result.id)
            gone = _vanished(result, new_units.get(key))
            if gone.change is not Change.INCOMPARABLE or key not in told or result.status in OPEN:
                found.append(gone)
    order = list(Change)
    return tuple(sorted(found, key=lambda one: order.index(one.change)))


def _pair(before: ResultShape, after: ResultShape) -> Difference | None:
    was, now = before.status, after.status
    if now in OPEN:
        return _open_now(before, after)
    if now in UNDECIDED:
        return None if was in UNDECIDED else Difference(Change.INCOMPARABLE, before, after, f"was {was}, now {now}: {after.message}")
    if was in (*OPEN, Status.WAIVED):
        return _closed(before, after)
    return Difference(Change.BETTER, before, after, f"was {was}, now seen") if was in UNDECIDED and now is Status.PASS else None


def _open_now(before: ResultShape, after: ResultShape) -> Difference | None:
    was, now = before.status, after.status
    if was is Status.WAIVED:
        return Difference(Change.WORSE, before, after, "the waiver no longer covers it")
    if was not in OPEN:
        return Difference(Change.NEW, before, after, f"was {was}")
    if was is not now:
        return Difference(Change.WORSE if now is Status.FAIL else Change.BETTER, before, after, f"was {was}")
    better, worse = _no_worse(after, before), _no_worse(before, after)
    if before.measured == after.measured or better == worse:
        return None
    return Difference(Change.BETTER if better else Change.WORSE, before, after, f"was {before.message}")


def _no_worse(one: ResultShape, other: ResultShape) -> bool:
    if one.wanted is None:
        return False
    want = Wanted(one.wanted.operator, one.wanted.value, one.wanted.unit)
    return want.no_worse(one.measured, other.measured)


def _closed(before: ResultShape, after: ResultShape) -> Difference | None:
    if after.status is Status.WAIVED:
        if before.status is Status.WAIVED or after.waiver is None:
            return None
        return Difference(Change.BETTER, before, after, f"waived until {after.waiver.expires} by {after.waiver.owner}")
    if after.status is Status.SKIP and after.follows:
        return Difference(Change.INCOMPARABLE, before, after, f"follows {after.follows} now")
    said = f"attested by {after.attestation.by}" if after.attestation else "passes" if after.status is Status.PASS else f"skipped: {after.message}"
    return Difference(Change.RESOLVED, before, after, said)


def _appeared(result: ResultShape, before: Unit | None) -> Difference | None:
    """A result whose subject was not there before."""
    if result.status in OPEN:
        was = "" if before is None else "the check was not decided" if before.statuses & UNDECIDED else "not there before"
        return Difference(Change.NEW, None, result, was or "a check that was not judged before")
    if result.status in UNDECIDED and before is not None and before.decided:
        return Difference(Change.INCOMPARABLE, None, result, f"was {before.status}, now {result.status}: {result.message}")
    return None


def _vanished(result: ResultShape, after: Unit | None) -> Difference:
    """A finding whose subject is not there any more."""
    if after is None:
        return Difference(Change.INCOMPARABLE, result, None, "its check is not judged any more")
    blind = next((one for one in after.results if one.status in UNDECIDED), None)
    if blind is not None:
        return Difference(Change.INCOMPARABLE, result, None, f"could not look: {blind.message}")
    leader = next((one.follows for one in after.results if one.follows), None)
    if leader:
        return Difference(Change.INCOMPARABLE, result, None, f"follows {leader} now")
    return Difference(Change.RESOLVED, result, None, "the object is gone")


def counted(differences: tuple[Difference, ...]) -> Iterator[tuple[Change, int]]:
    """How many findings changed in which way, every way named."""
    for change in Change:
        yield change, sum(1 for one in differences if one.change is change)
