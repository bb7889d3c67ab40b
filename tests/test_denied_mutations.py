"""Every mutation with each read behind its check denied in turn: what was found bad never becomes good by seeing less."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.collect.answer import Failure
from exivity_audit.collect.beside import Told
from exivity_audit.collect.collector import Collector
from exivity_audit.collect.reads import BY_NAME
from exivity_audit.config import thresholds_of
from exivity_audit.evaluate import evaluate
from exivity_audit.fact import reads_behind
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.selection import reads_needed
from exivity_audit.verdict import Status
from tests import builders
from tests.judging import site_of, snapshot_of
from tests.mutation import Mutation
from tests.mutations import mutations

PACK, LIFECYCLE = own_pack(), load_lifecycle(None)
CHECKS = {check.id: check for check in PACK.checks}
FORBIDDEN = Failure("forbidden", 403, "forbidden")
BAD = (Status.FAIL, Status.WARN)
# (check, mutation, read): the check says by another source what the denied one would have said better.
EXCEPTIONS = {
    ("pvc_sizes/explicit", "the values name no sizes", "helm_releases"),  # without values, sizes that differ from the default are explicit
    ("cluster/distribution", "the node is one of kind", "nodes"),  # the server's version names a production distribution
}


def _status(mutation: Mutation) -> Status:
    """The status of the mutation's own check alone, on what it asks for."""
    world = getattr(builders, mutation.base)()
    mutation.change(world)
    selected = frozenset({mutation.check})
    site = site_of(world, wanted=reads_needed(PACK, selected))
    found = evaluate(
        snapshot_of(site),
        PACK,
        mutation.config,
        selected=selected,
        thresholds=thresholds_of(mutation.config, PACK.thresholds, None),
        lifecycle=LIFECYCLE,
    )
    return found.outcomes[0].status


def _without(monkeypatch: pytest.MonkeyPatch, *reads: str) -> None:
    """Forbid some reads at every place, others of the same resource not."""
    at, bulk, told = Collector._at, Collector._bulk, Collector._told

    def denied_at(self: Any, asked: Any, served: Any, place: Any) -> Any:
        return self._failed(asked, served, place, FORBIDDEN) if asked.name in reads else at(self, asked, served, place)

    def denied_bulk(self: Any, asked: Any, served: Any, places: Any) -> Any:
        failed = tuple(self._failed(asked, served, place, FORBIDDEN) for place in places) if asked.name in reads else ()
        return failed or bulk(self, asked, served, places)

    def denied_told(self: Any, asked: Any, place: Any, source: Any, known: Any) -> Any:
        return told(self, asked, place, (lambda place, known: Told(failure=FORBIDDEN)) if asked.name in reads else source, known)

    monkeypatch.setattr(Collector, "_told", denied_told)
    monkeypatch.setattr(Collector, "_at", denied_at)
    monkeypatch.setattr(Collector, "_bulk", denied_bulk)


@pytest.mark.parametrize("mutation", mutations(), ids=lambda mutation: f"{mutation.check}: {mutation.name}")
def test_a_denied_read_never_turns_bad_into_good(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _status(mutation)
    if before not in BAD:
        pytest.skip(f"alone it is {before}")
    check = CHECKS[mutation.check]
    needed, optional = reads_behind(PACK.facts, check.needs, check.looks_at)
    reads = sorted((needed | optional) & set(BY_NAME))
    with monkeypatch.context() as patched:  # what a probe alone found is lost with the probe, or with the place it would look at
        _without(patched, *(read for read in reads if BY_NAME[read].resource.startswith("probe/")))
        unprobed = _status(mutation)
    for read in reads:
        with monkeypatch.context() as patched:
            _without(patched, read)
            now = _status(mutation)
        assert now is not Status.ERROR, f"it breaks without {read}"
        excepted = (mutation.check, mutation.name, read) in EXCEPTIONS
        assert excepted or now not in (Status.PASS, Status.SKIP) or now is unprobed, f"{before} becomes {now} without {read}"
