"""A run held against an earlier report: what is new or worse since, and why the score moved."""

from __future__ import annotations

from msgspec import Struct

from exivity_audit.attribution import Attribution, attribute
from exivity_audit.comparison import OPEN, Change, Difference, compare, counted
from exivity_audit.reports.json_shape import ReportShape
from exivity_audit.verdict import Severity, Status

ADDED = (Change.NEW, Change.WORSE)


class Baseline(Struct, frozen=True):
    """An earlier report and what changed since."""

    file: str
    old: ReportShape
    differences: tuple[Difference, ...]
    why: Attribution
    remarks: tuple[str, ...] = ()  # what makes the two hard to compare

    @property
    def added(self) -> tuple[Difference, ...]:
        """Findings that are new or worse: what a change brought."""
        return tuple(one for one in self.differences if one.change in ADDED and one.result.status in OPEN)

    def failing(self, severity: Severity, warns: bool) -> tuple[Difference, ...]:
        """New and worse fails (and warns) of a severity or above."""
        statuses = OPEN if warns else {Status.FAIL}
        return tuple(one for one in self.added if one.result.status in statuses and one.result.severity.weight >= severity.weight)

    @property
    def counts(self) -> tuple[tuple[Change, int], ...]:
        """How many findings changed in which way."""
        return tuple(counted(self.differences))


def hold_against(file: str, old: ReportShape, new: ReportShape) -> Baseline:
    """What changed between an earlier report and a new one."""
    return Baseline(file, old, compare(old, new), attribute(old, new), tuple(_remarks(old, new)))


def _remarks(old: ReportShape, new: ReportShape) -> list[str]:
    found = []
    if (old.cluster.uid or old.cluster.name) != (new.cluster.uid or new.cluster.name):
        found.append(f"it is of another cluster: {old.cluster.name}")
    if (old.run.namespace, old.run.release) != (new.run.namespace, new.run.release):
        found.append(f"it is of another release: {old.run.namespace}/{old.run.release}")
    if old.scenario.used is not new.scenario.used:
        found.append(f"it was judged as {old.scenario.used or 'scenario unknown'}")
    if old.checklist.version != new.checklist.version:
        found.append(f"it was judged by checklist {old.checklist.version}")
    return found
