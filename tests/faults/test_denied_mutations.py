"""Every mutation with each read behind its check denied in turn: what was found bad never becomes good by seeing less."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest

from exivity_audit.collect import gathered
from exivity_audit.collect.answer import Failure
from exivity_audit.collect.beside import Told
from exivity_audit.collect.collector import Collector, inputs
from exivity_audit.collect.discovery import discover
from exivity_audit.collect.gathered import Gathered, settled
from exivity_audit.collect.net import strained
from exivity_audit.collect.reads import BY_NAME, READS
from exivity_audit.collect.recorder import Recorder
from exivity_audit.collect.release import find_release
from exivity_audit.fact import reads_behind
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.selection import reads_needed
from exivity_audit.verdict import Status
from tests import builders
from tests.judging import gathered_of, outcomes_of, snapshot_of
from tests.mutation import Mutation
from tests.mutations import mutations
from tests.usage import Usage
from tests.world import World

PACK, LIFECYCLE = own_pack(), load_lifecycle(None)
CHECKS = {check.id: check for check in PACK.checks}
FORBIDDEN = Failure("forbidden", 403, "forbidden")
BAD = (Status.FAIL, Status.WARN)
# (check, mutation, read): the check says by another source what the denied one would have said better.
EXCEPTIONS = {
    ("pvc_sizes/explicit", "the values name no sizes", "helm_releases"),  # without values, sizes that differ from the default are explicit
    ("cluster/distribution", "the node is one of kind", "nodes"),  # the server's version names a production distribution
}


class Stage:
    """A mutation's cluster read once for its own check; reads denied later cost only what follows from them."""

    def __init__(self, mutation: Mutation) -> None:
        world: World = getattr(builders, mutation.base)()
        mutation.change(world)
        self._mutation = mutation
        self._wanted = reads_needed(PACK, frozenset({mutation.check}))
        api: Any = world
        discovery = discover(api)
        target = find_release(api, discovery, None, None, None)
        self._collector: Callable[[], Collector] = lambda: Collector(
            api, discovery, READS, target, "list", sources=(world.usage or Usage()).sources()
        )
        self._site = gathered_of(world, wanted=()).site
        self._whole = self._collector()
        self._clean: dict[int, Any] = {}  # objects of records in which no text was caught, by identity
        with pytest.MonkeyPatch.context() as patched:
            self.reached = _without(patched)
            self._whole.collect(self._wanted)

    def status(self, *denied: str) -> Status:
        """The status of the mutation's own check alone, on what it asks for without the denied reads.

        Nothing is collected again but them and the reads whose places follow from them: the others never learn of it.
        """
        found, known = self._collector(), dict(self._whole._records)
        for name in _following(denied):
            known.pop(name, None)
        found._records.update(known)
        found.vault.entries.extend(self._whole.vault.entries)
        found.vault.reads.update(self._whole.vault.reads)
        with pytest.MonkeyPatch.context() as patched:
            _without(patched, *denied)
            records = found.collect(self._wanted)
            site = msgspec.structs.replace(self._site, reads=tuple(sorted((*records, *self._site.reads), key=lambda one: (one.name, str(one.place)))))
            patched.setattr(gathered, "strained", self._strained)
            snapshot = snapshot_of(*settled([Gathered(site, found.vault)]))
        (outcome,) = outcomes_of(snapshot, CHECKS[self._mutation.check], self._mutation.config, LIFECYCLE).values()
        return outcome.status

    def _strained(self, objects: Any) -> Any:
        """The objects of a record strained, those of a read that no denial touches once."""
        if id(objects) not in self._clean:
            found = strained(objects)
            if found is not objects:
                return found
            self._clean[id(objects)] = objects
        return objects


def _following(names: Iterable[str]) -> set[str]:
    """Some reads and all whose places follow from them."""
    found = set(names)
    while more := {read.name for read in READS if read.name not in found and not found.isdisjoint(inputs(read))}:
        found |= more
    return found


def _without(monkeypatch: pytest.MonkeyPatch, *reads: str) -> set[str]:
    """Forbid some reads at every place, others of the same resource not; what comes back fills with the names of all that are asked."""
    at, among, told = Recorder.at, Recorder.among, Recorder.told
    reached: set[str] = set()

    def denied_at(self: Any, asked: Any, served: Any, place: Any) -> Any:
        reached.add(asked.name)
        return self.failed(asked, served, place, FORBIDDEN) if asked.name in reads else at(self, asked, served, place)

    def denied_among(self: Any, asked: Any, served: Any, namespace: Any, names: Any) -> Any:
        reached.add(asked.name)
        return (None, names) if asked.name in reads else among(self, asked, served, namespace, names)

    def denied_told(self: Any, asked: Any, place: Any, source: Any, known: Any) -> Any:
        reached.add(asked.name)
        return told(self, asked, place, (lambda place, known: Told(failure=FORBIDDEN)) if asked.name in reads else source, known)

    monkeypatch.setattr(Recorder, "at", denied_at)
    monkeypatch.setattr(Recorder, "among", denied_among)
    monkeypatch.setattr(Recorder, "told", denied_told)
    return reached


@pytest.mark.parametrize("mutation", mutations(), ids=lambda mutation: f"{mutation.check}: {mutation.name}")
def test_a_denied_read_never_turns_bad_into_good(mutation: Mutation) -> None:
    """A read that asks nothing on this cluster (its API is not served, nothing names an object) cannot be denied: it is left out."""
    stage = Stage(mutation)
    before = stage.status()
    if before not in BAD:
        pytest.skip(f"alone it is {before}")
    check = CHECKS[mutation.check]
    needed, optional = reads_behind(PACK.facts, check.needs, check.looks_at)
    reads = sorted((needed | optional) & set(BY_NAME) & stage.reached)
    # What a probe alone found is lost with the probe, or with the place it would look at.
    probes = [read for read in reads if BY_NAME[read].resource.startswith("probe/")]
    unprobed = stage.status(*probes) if probes else before
    for read in reads:
        now = stage.status(read)
        assert now is not Status.ERROR, f"it breaks without {read}"
        excepted = (mutation.check, mutation.name, read) in EXCEPTIONS
        assert excepted or now not in (Status.PASS, Status.SKIP) or now is unprobed, f"{before} becomes {now} without {read}"
