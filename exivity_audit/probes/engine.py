"""Runs probes as reads: each within its own limit and that of all, in a thread that nobody waits for longer; each answer is an object."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from exivity_audit.collect.answer import Failure
from exivity_audit.collect.beside import Source, Told
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.place import NotAsked
from exivity_audit.probes.attempt import Attempt, Failed, Path, failure_of
from exivity_audit.reading import HELP
from exivity_audit.snapshot import Place

PREFIX = "probe/"  # of the resources of probes; a probe `tls` answers reads of `probe/tls`
_NO_TIME = Told(failure=Failure("deadline", None, "the time for all probes was up"), helps="a longer --probe-limit or --deadline")


class Probe(Protocol):
    """One kind of probe. ``measure`` returns what is kept; it raises Failed, NotAsked, or whatever its sockets raise."""

    @property
    def name(self) -> str: ...

    @property
    def seconds(self) -> float: ...

    def measure(self, place: Place, known: Mapping[str, Any], attempt: Attempt) -> dict[str, Any]: ...


class Engine:
    """The probes of one run; an object says by which way it was measured (``path``), and a failure is a part of it (``failure``)."""

    def __init__(
        self, probes: Iterable[Probe], *, seconds: float, deadline: Deadline, path: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._probes = tuple(probes)
        self._seconds, self._deadline, self._path, self._clock = seconds, deadline, path, clock
        self._lock = threading.Lock()
        self._end: float | None = None
        self._attempts: set[Attempt] = set()
        self._closed = False

    def sources(self) -> dict[str, Source]:
        """What answers the reads of the probes, by resource."""
        return {f"{PREFIX}{probe.name}": self._source(probe) for probe in self._probes}

    def close(self) -> None:
        """Cut off what is under way."""
        with self._lock:
            self._closed = True
            attempts = tuple(self._attempts)
        for attempt in attempts:
            attempt.end()

    def _source(self, probe: Probe) -> Source:
        def source(place: Place, known: Mapping[str, Any]) -> Told:
            return self._ask(probe, place, known)

        return source

    def _left(self) -> float:
        """Seconds left for all probes: they begin with the first one, and end with the run at the latest."""
        with self._lock:
            if self._end is None:
                self._end = self._clock() + self._seconds
            return 0.0 if self._closed else min(self._end - self._clock(), self._deadline.remaining())

    def _ask(self, probe: Probe, place: Place, known: Mapping[str, Any]) -> Told:
        left = self._left()
        if left <= 0:
            return _NO_TIME
        attempt = Attempt(min(probe.seconds, left), self._path, self._clock)
        with self._lock:
            self._attempts.add(attempt)
        try:
            found = _run(probe, place, known, attempt)
        finally:
            attempt.end()
            with self._lock:
                self._attempts.discard(attempt)
        if isinstance(found, NotAsked):
            raise found
        if isinstance(found, Failed):
            if found.kind == "timeout" and attempt.seconds < probe.seconds:
                return _NO_TIME
            found = {"failure": {"kind": found.kind, "reason": found.reason}}
        return Told(({"metadata": {"name": place.name}, "path": str(attempt.path), **found},))


def _run(probe: Probe, place: Place, known: Mapping[str, Any], attempt: Attempt) -> dict[str, Any] | Failed | NotAsked:
    """The probe's result or failure, within its limit: a resolver or library that hangs is left behind in its thread."""
    found: list[dict[str, Any] | Failed | NotAsked] = []

    def work() -> None:
        try:
            found.append(probe.measure(place, known, attempt))
        except NotAsked as error:
            found.append(error)
        except BaseException as error:
            found.append(failure_of(error, attempt.seconds))

    thread = threading.Thread(target=work, name=f"probe {probe.name}", daemon=True)
    thread.start()
    thread.join(attempt.seconds)
    return found[0] if found else Failed("timeout", f"no complete answer within {attempt.seconds:g} seconds")


def not_without(flag: str, why: str) -> NotAsked:
    """The refusal of a probe that the run did not allow all it takes."""
    return NotAsked(f"{why}{HELP}{flag})")
