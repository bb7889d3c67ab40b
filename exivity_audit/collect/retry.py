"""When to ask again, how long to wait before it, and how many may ask at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

TRIES = 5
LONGEST_WAIT = 30.0
RETRIED_STATUS = frozenset({429, 500, 502, 503, 504})
_FIRST_BACKOFF = 0.5
_LAST_BACKOFF = 8.0


def http_date(value: str | None) -> datetime | None:
    """Parse an HTTP date to an aware UTC time; garbage gives None."""
    if not value:
        return None
    try:
        parsed = parsedate_to_datetime(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def retry_after(value: str | None, now: datetime | None) -> float | None:
    """Return the seconds a Retry-After header asks for (seconds or a date against the server's `now`); garbage and negatives give None."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    date = http_date(text)
    if date is None:
        return None
    seconds = (date - (now or datetime.now(UTC))).total_seconds()
    return seconds if seconds >= 0 else None


def wait_before(tries: int, asked: float | None, chance: Callable[[], float]) -> float:
    """Return the wait after `tries` failed tries: what the server asked for, else exponential; with jitter, never over 30 s."""
    if asked is not None:
        return min(LONGEST_WAIT, asked + 0.1 * chance())
    backoff = min(_LAST_BACKOFF, _FIRST_BACKOFF * 2.0 ** (tries - 1))
    return backoff * (0.5 + 0.5 * chance())


class Gate:
    """A semaphore whose size can be halved while in use; a burst of 429s from one flight halves it once."""

    def __init__(self, size: int) -> None:
        self._condition = threading.Condition()
        self._size = max(1, size)
        self._inside = 0
        self._generation = 0
        self._closed = False
        self.peak = 0

    @property
    def size(self) -> int:
        """How many may be inside at once."""
        return self._size

    def enter(self, seconds: float) -> int | None:
        """Wait for a place for at most `seconds`; return a ticket for `halve`, or None when no place came free."""
        with self._condition:
            if not self._condition.wait_for(lambda: self._closed or self._inside < self._size, timeout=seconds) or self._closed:
                return None
            self._inside += 1
            self.peak = max(self.peak, self._inside)
            return self._generation

    def leave(self) -> None:
        """Give the place back."""
        with self._condition:
            self._inside -= 1
            self._condition.notify()

    def halve(self, ticket: int) -> None:
        """Halve the size, at least 1, unless someone did since `ticket` was handed out."""
        with self._condition:
            if ticket == self._generation:
                self._generation += 1
                self._size = max(1, self._size // 2)

    def close(self) -> None:
        """Let nobody in any more."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
