"""What each check cost: processor time of the check, and of the facts that it was the first to ask for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from exivity_audit.check import Check
from exivity_audit.fact import Fact, Objects
from exivity_audit.pack import Pack
from exivity_audit.verdict import Verdict


class Cost(Struct):
    """A check over all sites; seconds are of the processor."""

    check: str
    own: float = 0.0
    facts: float = 0.0  # those that no check before it had asked for
    verdicts: int = 0
    objects: int = 0  # members of the collections that it was handed
    foreign: bool = False  # judged in a process of its own: of it there are its verdicts alone

    @property
    def seconds(self) -> float:
        """Both together."""
        return self.own + self.facts


class Profile:
    """Measures the checks of a pack while they are judged; the verdicts are the same with and without it."""

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._costs: dict[str, Cost] = {}
        self._open: Cost | None = None
        self._facts = 0.0
        self._depth = 0
        self.elsewhere = 0.0  # facts that something else than a check asked for first: the scenario, the tables of the report

    def measured(self, pack: Pack) -> Pack:
        """The pack with facts that are timed and checks that are counted."""
        facts = {name: msgspec.structs.replace(one, function=self._timed(one)) for name, one in pack.facts.items()}
        return replace(pack, facts=facts, checks=tuple(self._counted(one) for one in pack.checks))

    @contextmanager
    def around(self, check: Check) -> Iterator[Cost]:
        """The time in which a check is judged at one of its places."""
        self._open = cost = self._costs.setdefault(check.id, Cost(check.id, foreign=check.foreign))
        began, self._facts = self._clock(), 0.0
        try:
            yield cost
        finally:
            cost.facts += self._facts
            cost.own += self._clock() - began - self._facts
            self._open = None

    def told(self, verdicts: Mapping[tuple[str, str], tuple[Verdict, ...]]) -> None:
        """Count what the checks of other packs said, by check and site."""
        for (check, _), found in verdicts.items():
            cost = self._costs.setdefault(check, Cost(check, foreign=True))
            cost.verdicts += len(found)

    def costs(self) -> list[Cost]:
        """Every check that was judged, the slowest first, those of other packs last."""
        return sorted(self._costs.values(), key=lambda one: (one.foreign, -one.seconds, one.check))

    def lines(self) -> Iterator[str]:
        """The table in words, a line a check."""
        costs = self.costs()
        others = sum(one.foreign for one in costs)
        yield "processor time of each check, of the facts it was the first to ask for, its verdicts, and the objects it was handed:"
        for one in costs:
            spent = f"{'-':>8}    {'-':>8}    {one.verdicts:6} {'-':>7}"
            if not one.foreign:
                spent = f"{one.own * 1000:8.1f} ms {one.facts * 1000:8.1f} ms {one.verdicts:6} {one.objects:7}"
            yield f"{spent}  {one.check}"
        own, facts = sum(one.own for one in costs) * 1000, sum(one.facts for one in costs) * 1000
        yield f"{len(costs) - others} checks {own:.0f} ms, their facts {facts:.0f} ms, facts of scenario and tables {self.elsewhere * 1000:.0f} ms"
        if others:
            yield f"{others} of other packs: judged in a process of their own, where nothing is measured"

    def _timed(self, fact: Fact) -> Callable[..., Any]:
        def function(**arguments: Any) -> Any:
            if self._depth:  # asked for inside another fact, whose time it is a part of
                return fact.function(**arguments)
            self._depth, began = 1, self._clock()
            try:
                return fact.function(**arguments)
            finally:
                self._depth, spent = 0, self._clock() - began
                if self._open is None:
                    self.elsewhere += spent
                else:
                    self._facts += spent

        return function

    def _counted(self, check: Check) -> Check:
        judge = check.judge
        if judge is None:
            return check

        def counted(**arguments: Any) -> Iterator[Any]:
            cost = self._costs.setdefault(check.id, Cost(check.id))
            cost.objects += sum(len(value) for value in arguments.values() if isinstance(value, Objects))
            for verdict in judge(**arguments):
                cost.verdicts += 1
                yield verdict

        return replace(check, judge=counted)
