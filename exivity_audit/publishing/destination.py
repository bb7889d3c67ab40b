"""What a finished run hands to a destination, and how a destination says that it failed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from exivity_audit.collect.deadline import Deadline
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.score import Scorecard

if TYPE_CHECKING:
    from exivity_audit.reports.json_shape import ReportShape


class Trouble(Exception):
    """A destination that was not reached or said no: what happened and what to do next, both in our own words and safe to show."""

    def __init__(self, what: str, following: str) -> None:
        super().__init__(what, following)
        self.what, self.following = what, following


class Finished(Struct, frozen=True, dict=True):
    """A run that is judged and whose reports are written."""

    card: Scorecard
    run: RunInfo
    language: str = "en"

    @cached_property
    def report(self) -> ReportShape:
        """What the machine formats are written from."""
        from exivity_audit.reports.json_report import report_shape

        return report_shape(self.card, self.run)


class Destination(Protocol):
    """One place that results go to."""

    @property
    def name(self) -> str:
        """What it is called in messages; holds no secret."""

    def publish(self, finished: Finished, deadline: Deadline) -> None:
        """Send what belongs there, within the deadline. Raises Trouble."""
