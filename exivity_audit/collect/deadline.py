"""The wall clock of a whole run."""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """A point in time after which nothing is asked any more; shared by every request of a run."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    def remaining(self) -> float:
        """Return the seconds left, never below zero."""
        return max(0.0, self._end - self._clock())

    @property
    def expired(self) -> bool:
        """Whether the time is up."""
        return self.remaining() <= 0
