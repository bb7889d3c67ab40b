"""How an outcome counts by the statuses of its verdicts: the rule that scores, reports and comparisons share (checks.md section 1)."""

from __future__ import annotations

from functools import cached_property

from exivity_audit.verdict import UNDECIDED, Severity, Status


class Scored:
    """A check at a site, by the statuses of its verdicts; the class that it is mixed into says them."""

    severity: Severity

    @cached_property
    def statuses(self) -> frozenset[Status]:
        """The statuses of its verdicts."""
        raise NotImplementedError

    @cached_property
    def status(self) -> Status:
        """Worst status of its verdicts that apply; skip where none does."""
        return min(self.statuses, key=lambda status: status.urgency, default=Status.SKIP)

    @cached_property
    def applicable(self) -> bool:
        """Whether it counts in score and coverage: not skipped, not waived."""
        return self.status not in (Status.SKIP, Status.WAIVED) and not self.waived

    @cached_property
    def waived(self) -> bool:
        """Whether all its open verdicts are waived."""
        return Status.WAIVED in self.statuses and not self.statuses & {Status.FAIL, Status.WARN, *UNDECIDED}

    @cached_property
    def decided(self) -> bool:
        """Whether one of its verdicts fails, or all that apply are decided."""
        return self.applicable and (Status.FAIL in self.statuses or not self.statuses & UNDECIDED)
