"""Why a score changed: its difference split, to the last tenth, into checklist, waivers, evidence, coverage and the cluster itself.

The old outcomes are turned into the new ones cause by cause, in that order, and the score is taken after each step: what a step brings
is its share. Outcomes that only one side judges belong to the checklist; those that differ because a waiver or an attestation does, to
these; those that were decided on one side only, to coverage; every other change to the cluster.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from msgspec import Struct

from exivity_audit.comparison import Unit, units
from exivity_audit.reports.figures import tenths
from exivity_audit.reports.json_shape import ReportShape, ResultShape
from exivity_audit.score import mean, score
from exivity_audit.verdict import Status

Key = tuple[str, str]
Cause = Callable[[Unit, Unit], bool]


class Attribution(Struct, frozen=True):
    """Points of 100 by cause, in the order they are taken; they add up to the difference of the two scores."""

    before: float | None
    after: float | None
    shares: tuple[tuple[str, float], ...]


def attribute(old: ReportShape, new: ReportShape) -> Attribution:
    """The difference of two scores by cause; no shares where one side has no score."""
    before, after = units(old), units(new)
    weights = {row.id: row.weight for row in old.rows} | {row.id: row.weight for row in new.rows}
    was, now = _points(before, weights), _points(after, weights)
    if was is None or now is None:
        return Attribution(_tenths(was), _tenths(now), ())
    steps, state = [], dict(before)
    for name, change in (("checklist", _checklist), *((name, _where(cause)) for name, cause in CAUSES)):
        changed = change(state, after)
        steps.append((name, _points(state, weights) or Fraction(0), _points(changed, weights) or Fraction(0)))
        state = changed
    return Attribution(_tenths(was), _tenths(now), _rounded(steps, _tenths(now) or 0.0, _tenths(was) or 0.0))


def _points(found: dict[Key, Unit], weights: dict[str, int]) -> Fraction | None:
    rows: dict[str, list[Unit]] = {}
    for unit in found.values():
        rows.setdefault(unit.row, []).append(unit)
    points = mean((weights.get(row, 1), score(group)) for row, group in sorted(rows.items()))
    return None if points is None else points * 100


def _tenths(value: Fraction | None) -> float | None:
    return None if value is None else tenths(value / 100)


def _rounded(steps: list[tuple[str, Fraction, Fraction]], after: float, before: float) -> tuple[tuple[str, float], ...]:
    """The shares with one decimal; what rounding leaves over goes to the last, so that the printed figures add up."""
    shares = [(name, round(float(now - was), 1)) for name, was, now in steps]
    rest = round(after - before - sum(share for _, share in shares), 1)
    name, last = shares[-1]
    return (*shares[:-1], (name, round(last + rest, 1)))


def _checklist(state: dict[Key, Unit], after: dict[Key, Unit]) -> dict[Key, Unit]:
    """Checks that only one side judges, and severities that were changed."""
    kept = {key: Unit(unit.id, unit.site, unit.row, after[key].severity, unit.results) for key, unit in state.items() if key in after}
    return kept | {key: unit for key, unit in after.items() if key not in state}


def _where(cause: Cause) -> Callable[[dict[Key, Unit], dict[Key, Unit]], dict[Key, Unit]]:
    def change(state: dict[Key, Unit], after: dict[Key, Unit]) -> dict[Key, Unit]:
        return {key: after[key] if cause(unit, after[key]) else unit for key, unit in state.items()}

    return change


def _bare(result: ResultShape) -> Status:
    """The status without what people accepted or vouched for."""
    return result.underlying if result.underlying is not None and (result.waiver is not None or result.attestation is not None) else result.status


def _seen_alike(before: Unit, after: Unit) -> bool:
    """Whether the cluster shows the same on both sides, people's words left out."""
    return {_bare(result) for result in before.results} == {_bare(result) for result in after.results}


def _by_waiver(before: Unit, after: Unit) -> bool:
    return _seen_alike(before, after) and (Status.WAIVED in before.statuses) != (Status.WAIVED in after.statuses)


def _by_evidence(before: Unit, after: Unit) -> bool:
    attested = [any(result.attestation is not None for result in unit.results) for unit in (before, after)]
    return _seen_alike(before, after) and attested[0] != attested[1]


def _by_coverage(before: Unit, after: Unit) -> bool:
    return before.applicable and after.applicable and before.decided != after.decided


CAUSES: tuple[tuple[str, Cause], ...] = (
    ("waivers", _by_waiver), ("evidence", _by_evidence), ("coverage", _by_coverage), ("cluster", lambda before, after: True),
)  # fmt: skip
