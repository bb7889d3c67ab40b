"""A pack of a few small checks and a cluster of a few things: what the evaluator is tried on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from exivity_audit.check import Check, check
from exivity_audit.config import Config
from exivity_audit.document import Document
from exivity_audit.evaluate import Judgement, Outcome, evaluate
from exivity_audit.fact import Fact, fact
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.measure import at_least
from exivity_audit.pack import Checklist, FailoverAction, Pack, Row
from exivity_audit.snapshot import Cluster, Place, Record, SiteSnapshot, Snapshot, Tool
from exivity_audit.snapshot import Outcome as Read
from exivity_audit.verdict import Severity, fail, ok

KEEP = ("metadata.name", "metadata.namespace", "spec.size", "spec.count")


def record(name: str, *objects: Any, outcome: Read = Read.FOUND, place: Place | None = None, keep: tuple[str, ...] = KEEP) -> Record:
    return Record(name, name, "v1", "Thing", place or Place("ns"), outcome, 200, "", keep, objects)


def thing(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "ns"}, "spec": spec}


def node_record(workers: int) -> Record:
    nodes = tuple({"metadata": {"name": f"n{number}"}} for number in range(workers))
    return Record("nodes", "nodes", "v1", "Node", Place(), Read.FOUND, 200, "", ("metadata.name",), nodes)


class Worker:
    """A node fact with just what the scenario asks."""

    worker = True


@fact
def nodes(nodes: Any) -> Any:
    return nodes.each(lambda item: Worker())


@fact
def things(things: Any) -> Any:
    return things.each(lambda item: Size(item))


@fact
def node_loss() -> tuple[()]:
    return ()


class Size:
    """A fact about a thing."""

    def __init__(self, item: Document) -> None:
        self.subject, self.source, self.size = item.subject, item.source, item.integer("spec.size")


def pack(*checks: Check, facts: tuple[Fact, ...] = (), phase: Any = "foundation", failover: tuple[FailoverAction, ...] = ()) -> Pack:
    checklist = Checklist("Test", "1", [Row("row", "Row", phase, 1)], failover)
    known = {one.name: one for one in (nodes, things, node_loss, *facts)}
    return Pack("test", checklist, tuple(replace(one, row="row") for one in checks), known, (), {}, {})


def site(
    *records: Record,
    name: str = "default",
    role: Any = None,
    workers: int | None = 3,
    cluster: tuple[str, str | None] = ("c", None),
    release: str = "rel",
    fullname: str | None = "rel",
    unreached: str = "",
) -> SiteSnapshot:
    reads = (*(() if workers is None else (node_record(workers),)), *records)
    where = Cluster(*cluster, "v1")
    return SiteSnapshot(name, role, where, "ns", release, fullname, None, "2026-11-23T12:00:00Z", False, reads, unreached=unreached)


def judged(checks: Pack, *sites: SiteSnapshot, config: Config | None = None, **rest: Any) -> Judgement:
    snapshot = Snapshot("exivity-audit/snapshot", 1, Tool("t", "1"), "", "", sites)
    return evaluate(snapshot, checks, config or Config(), thresholds={}, lifecycle=load_lifecycle(None), **rest)


def judge(checks: Pack, *sites: SiteSnapshot, **rest: Any) -> tuple[Outcome, ...]:
    return judged(checks, *sites, **rest).outcomes


def rule(function: Callable[..., Iterator[Any]], slug: str = "rule", **options: Any) -> Check:
    function.__doc__ = "Things are large.\n\nBecause.\n\nFix: make them larger."
    return check(slug, **{"severity": Severity.HIGH, "clauses": ("F1",), **options})(function)


def large(things: Any) -> Iterator[Any]:
    for one in things:
        yield ok(one, one.size) if one.size >= 5 else fail(one, one.size, wanted=at_least(5), at="spec.size")


def only(checks: Pack, *records: Record, **rest: Any) -> Outcome:
    return judge(checks, site(*records), **rest)[0]
