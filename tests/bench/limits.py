"""What must hold, and whether it did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .results import BARE, KUBECTL, POPEYE, TOOL, Results
from .starting import BARE_IMPORT

MIB = 2**20
UNEVEN = 3  # times the quickest round: a round above it did other work


@dataclass(frozen=True)
class Line:
    """One promise: what was measured, what it may be.

    ``note``: why it came out so. ``least``: it must be at least that, not at most. ``given``: only measured where somebody gave the program.
    """

    title: str
    measured: float | None
    limit: float
    unit: str = ""
    least: bool = False
    binding: bool = True
    given: bool = False
    note: str = ""  # why

    @property
    def kept(self) -> bool | None:
        """None where it was not measured."""
        if self.measured is None:
            return None
        return self.measured >= self.limit if self.least else self.measured <= self.limit

    @property
    def verdict(self) -> str:
        """In a word, and why."""
        if not self.binding:
            return "for comparison"
        word = {None: "not measured", True: "kept", False: "NOT KEPT"}[self.kept]
        return f"{word}: {self.note}" if self.note else word

    @property
    def figure(self) -> str:
        """The measured value."""
        return "–" if self.measured is None else shown(self.measured, self.unit)

    @property
    def wanted(self) -> str:
        """The limit."""
        return f"{'≥' if self.least else '≤'} {shown(self.limit, self.unit)}"


def shown(value: float, unit: str) -> str:
    """A figure with its unit: counts whole, seconds to a hundredth."""
    text = f"{value:.2f}" if unit == "s" else f"{value:.1f}" if unit in ("×", "%") else f"{value:.0f}"
    return f"{text} {unit}".strip()


def lines(results: Results) -> Iterator[Line]:
    """Every promise in the order of the table."""
    full = results.find(TOOL, unrelated=5000)
    bare = results.find(BARE, unrelated=5000)
    none = results.find(TOOL, unrelated=0)
    popeye, kubectl = (results.find(program, unrelated=5000) for program in (POPEYE, KUBECTL))
    operators = results.find(TOOL, unrelated=5000, operators=True)
    inside = next((one for one in results.measurements if one.program == TOOL and one.situation.inside == 10_000), None)
    slow = {one.situation.latency: one for one in results.measurements if one.program == TOOL and one.situation.latency is not None}
    yield Line("an audit beside 5,000 unrelated pods: wall", full and full.wall, 1.0, "s")
    yield Line("… peak memory of the whole process", full and full.peak / MIB, 100, "MiB")
    walls = popeye.walls if popeye is not None else ()
    long_rounds = sum(1 for wall in walls if wall > UNEVEN * min(walls))
    note = f"in {long_rounds} of its {len(walls)} rounds it loaded every pod of the cluster" if long_rounds else ""
    for how, ratio in (
        ("on average", popeye and full and popeye.average / full.average),
        ("by the median round", popeye and full and popeye.median / full.median),
    ):
        yield Line(f"… times faster than popeye of the same namespace, {how}", ratio, 5, "×", least=True, given=True, note=note)
    yield Line("… times faster than kubectl reading the same kinds", kubectl and full and kubectl.wall / full.wall, 1, "×", least=True, binding=False)
    yield Line("… times the bare reads", full and bare and full.wall / bare.wall, 3, "×")
    yield Line("… growth from 0 to 5,000 unrelated pods", full and none and (full.wall / none.wall - 1) * 100, 15, "%")
    yield Line("… requests, no operator installed", full and full.requests, 60)
    yield Line("… requests, every operator installed", operators and operators.requests, 60 + results.served)
    written = [one.writes or 0 for one in results.measurements if one.program == TOOL]
    yield Line("… requests that write", max(written, default=None), 0)
    yield Line("10,000 pods in the audited namespace: peak memory", inside and inside.peak / MIB, 200, "MiB")
    deep = slow.get(100)
    yield Line("100 ms of latency: requests of the longest chain", deep and deep.depth, 15)
    yield Line("… round trips' worth of added time", deep and slow.get(0) and max(0.0, deep.wall - slow[0].wall) / 0.1, 15)
    imported = next((one.seconds for one in results.starts if one.command == BARE_IMPORT), None)
    for one in results.starts:
        if one.limit is not None:
            yield Line(one.command, one.seconds, max(one.limit, 5 * (imported or 0)), "s")


def table(results: Results) -> str:
    """The promises as text, for a terminal."""
    rows = list(lines(results))
    width = max(len(row.title) for row in rows)
    return "\n".join(f"{row.title:{width}}  {row.figure:>10}  {row.wanted:>12}  {row.verdict}" for row in rows)


def broken(results: Results) -> list[Line]:
    """The promises that were not kept; where clusters were measured, those as well of which nobody knows."""
    rows = [row for row in lines(results) if row.binding]
    unknown = [row for row in rows if row.kept is None and not row.given] if results.measurements else []
    return [*(row for row in rows if row.kept is False), *unknown]
