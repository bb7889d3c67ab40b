"""Each single mutation of a conforming cluster makes exactly its own check fail; followers may turn to skip."""

from __future__ import annotations

import pytest

from exivity_audit.verdict import Status
from tests import builders
from tests.judging import judged, statuses
from tests.mutation import Mutation
from tests.mutations import mutations

EVERY = mutations()


_BEFORE: dict[tuple[str, str], dict[str, Status]] = {}


def _before(mutation: Mutation) -> dict[str, Status]:
    """Statuses of the untouched cluster, judged once for each base and config."""
    key = mutation.base, repr(mutation.config)
    if key not in _BEFORE:
        _BEFORE[key] = statuses(judged(getattr(builders, mutation.base)(), config=mutation.config))
    return _BEFORE[key]


@pytest.mark.parametrize("mutation", EVERY, ids=lambda mutation: f"{mutation.check}: {mutation.name}")
def test_exactly_the_meant_check_turns(mutation: Mutation) -> None:
    world = getattr(builders, mutation.base)()
    mutation.change(world)
    found = judged(world, config=mutation.config)
    before, after = _before(mutation), statuses(found)
    assert after[mutation.check] is mutation.to, _why(found, mutation.check)
    bad = {Status.FAIL, Status.ERROR} if mutation.to is Status.FAIL else {Status.FAIL, Status.ERROR, Status.WARN}
    turned = {check for check, now in after.items() if now in bad and before[check] is not now}
    assert turned <= {mutation.check, *mutation.also}, {check: _why(found, check) for check in turned - {mutation.check, *mutation.also}}


def _why(found: object, check: str) -> list[str]:
    return [f"{verdict.status}: {verdict.message}" for item in found.outcomes if item.check.id == check for verdict in item.verdicts]  # type: ignore[attr-defined]


def test_names_are_distinct() -> None:
    names = [(mutation.check, mutation.name) for mutation in EVERY]
    assert len(set(names)) == len(names)
