"""Runs what many reads have to ask: each as soon as what it follows from is known, the longest way first, so many at a time."""

from __future__ import annotations

import heapq
import queue
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from msgspec import Struct

Made = TypeVar("Made")
Call = Callable[[], Any]


class After(Struct, frozen=True):
    """A course waits here for other courses; those that are not run are not waited for."""

    names: frozenset[str]


class Ask(Struct, frozen=True):
    """A course waits here for the answers to some questions, and gets them in this order; ``apart``: of servers that may be slow."""

    calls: Sequence[Call]
    apart: bool = False


Course = Generator[After | Ask, Any, Made]


class Schedule(Generic[Made]):
    """Some courses by name, advanced in the calling thread; their questions are asked in others, at most ``places`` of them at once.

    ``ways`` says of each course how many follow from it one after another: the longest way is asked first. Questions that are
    asked apart have as many places of their own.
    """

    def __init__(self, courses: Mapping[str, Course[Made]], ways: Mapping[str, int], places: int, finished: Callable[[str, Made], object]) -> None:
        self._courses, self._ways, self._places, self._finished = dict(courses), ways, places, finished
        self._open = set(self._courses)
        self._held: dict[str, set[str]] = {}  # course → those that it waits for
        self._answers: dict[str, list[Any]] = {}
        self._missing: dict[str, int] = {}
        self._ready: deque[tuple[str, Any]] = deque((name, None) for name in self._courses)
        self._questions: dict[bool, list[tuple[int, int, str, int, Call]]] = {False: [], True: []}
        self._asked = 0
        self._under_way = {False: 0, True: 0}
        self._home: queue.SimpleQueue[tuple[str, int, Any, BaseException | None, bool]] = queue.SimpleQueue()

    def run(self) -> None:
        """Run all courses to their end. Raises what a course or a question raises."""
        pools = {False: ThreadPoolExecutor(self._places), True: ThreadPoolExecutor(self._places)}  # threads are made when first needed
        try:
            while True:
                self._advance()
                for apart, pool in pools.items():
                    self._send(pool, apart)
                if not any(self._under_way.values()):
                    break
                self._take()
        finally:
            for pool in pools.values():
                pool.shutdown(wait=False, cancel_futures=True)  # an interrupted run does not wait for a server that hangs
        if self._open:
            raise RuntimeError(f"reads that wait for each other: {', '.join(sorted(self._open))}")

    def _advance(self) -> None:
        while self._ready:
            name, value = self._ready.popleft()
            try:
                step = self._courses[name].send(value)
            except StopIteration as stop:
                self._end(name, stop.value)
                continue
            if isinstance(step, After):
                waiting = set(step.names) & self._open
                if waiting:
                    self._held[name] = waiting
                else:
                    self._ready.append((name, None))
            elif not step.calls:
                self._ready.append((name, []))
            else:
                self._answers[name], self._missing[name] = [None] * len(step.calls), len(step.calls)
                for number, call in enumerate(step.calls):
                    self._asked += 1
                    heapq.heappush(self._questions[step.apart], (-self._ways.get(name, 0), self._asked, name, number, call))

    def _end(self, name: str, made: Made) -> None:
        self._open.discard(name)
        self._finished(name, made)
        for other in [other for other, waiting in self._held.items() if name in waiting]:
            self._held[other].discard(name)
            if not self._held[other]:
                del self._held[other]
                self._ready.append((other, None))

    def _send(self, pool: ThreadPoolExecutor, apart: bool) -> None:
        while self._questions[apart] and self._under_way[apart] < self._places:
            _, _, name, number, call = heapq.heappop(self._questions[apart])
            self._under_way[apart] += 1
            pool.submit(self._answer, name, number, call, apart)

    def _answer(self, name: str, number: int, call: Call, apart: bool) -> None:
        try:
            self._home.put((name, number, call(), None, apart))
        except BaseException as error:
            self._home.put((name, number, None, error, apart))

    def _take(self) -> None:
        name, number, value, error, apart = self._home.get()
        self._under_way[apart] -= 1
        if error is not None:
            raise error
        self._answers[name][number] = value
        self._missing[name] -= 1
        if not self._missing[name]:
            self._ready.append((name, self._answers.pop(name)))


def longest_ways(follows: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """How many courses follow from each one after another, from what each follows."""
    behind: dict[str, set[str]] = {name: set() for name in follows}
    for name, others in follows.items():
        for other in others:
            if other in behind:
                behind[other].add(name)
    found: dict[str, int] = {}

    def way(name: str, seen: frozenset[str]) -> int:
        if name not in found:
            found[name] = max((1 + way(other, seen | {name}) for other in behind[name] if other not in seen), default=0)
        return found[name]

    for name in follows:
        way(name, frozenset())
    return found
