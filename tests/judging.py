"""Judging a world: the real collector and evaluator over objects in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import serialization

from exivity_audit.check import Check
from exivity_audit.collect.collector import base, gather_site
from exivity_audit.collect.discovery import discover
from exivity_audit.collect.gathered import Gathered, settled
from exivity_audit.collect.parity import ParityKey
from exivity_audit.collect.reads import READS
from exivity_audit.collect.release import find_release
from exivity_audit.config import Config, thresholds_of
from exivity_audit.evaluate import Judgement, Outcome, _relax, evaluate, places_of, prepared_sites, verdicts_at
from exivity_audit.lifecycle import Lifecycle, load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.scenario import Purpose
from exivity_audit.selection import reads_needed
from exivity_audit.snapshot import SiteSnapshot, Snapshot, Tool, run_now
from exivity_audit.verdict import Status, Verdict
from tests.usage import Usage
from tests.world import World

# OpenSSL tests the primes of a private key for 60 ms at each loading, and the clusters of all tests hold a few keys: each is loaded once.
serialization.load_pem_private_key = lru_cache(maxsize=256)(serialization.load_pem_private_key)


def gathered_of(
    world: World, *, namespace: str | None = None, release: str | None = None, secrets: str = "list", name: str = "default",
    role: str | None = None, wanted: Iterable[str] | None = None, usage: Usage | None = None,
) -> Gathered:  # fmt: skip
    """What the collector keeps of a world, its groups of secrets not numbered yet."""
    api: Any = world
    discovery = discover(api)
    version = api.get("/version")
    target = find_release(api, discovery, namespace, release, None)
    names = [read.name for read in READS] if wanted is None else list(wanted)
    return gather_site(
        api, discovery, READS, names, target, base(api, discovery, version, "test"), site=name, role=role, insecure=False, secrets=secrets,
        sources=(usage or world.usage or Usage()).sources(),
    )  # fmt: skip


def site_of(world: World, **where: Any) -> SiteSnapshot:
    """What the collector keeps of a world: everything it can read, or the wanted reads; ``usage`` stands for the servers beside the API."""
    return settled([gathered_of(world, **where)])[0]


def run_of(*sites: tuple[World, str, str | None], key: ParityKey | None = None, **where: Any) -> Snapshot:
    """Several sites read in one run, as (world, name, role): equal secrets carry one group number over all of them."""
    return snapshot_of(*settled([gathered_of(world, name=name, role=role, **where) for world, name, role in sites], key))


def snapshot_of(*sites: SiteSnapshot) -> Snapshot:
    """Sites as a snapshot."""
    return Snapshot("exivity-audit/snapshot", 1, Tool("exivity-audit", "0.1.0"), sites[0].now, sites[0].now, sites)


def judged(world: World, *, config: Config | None = None, attestations: Any = (), **where: Any) -> Judgement:
    """Every check on a world."""
    pack = own_pack()
    config = config or Config()
    return evaluate(
        snapshot_of(site_of(world, **where)), pack, config, attestations=attestations,
        thresholds=thresholds_of(config, pack.thresholds, None), lifecycle=load_lifecycle(None),
    )  # fmt: skip


def outcome(world: World, check: str, *, config: Config | None = None, attestations: Any = (), lifecycle: Any = None, **where: Any) -> Outcome:
    """One check on a world, with the reads that it asks for alone."""
    pack, selected = own_pack(), frozenset({check})
    config = config or Config()
    site = site_of(world, wanted=reads_needed(pack, selected), **where)
    return evaluate(
        snapshot_of(site), pack, config, selected=selected, attestations=attestations,
        thresholds=thresholds_of(config, pack.thresholds, None), lifecycle=lifecycle or load_lifecycle(None),
    ).outcomes[0]  # fmt: skip


def outcomes_of(snapshot: Snapshot, check: Check, config: Config, lifecycle: Lifecycle) -> dict[str, Outcome]:
    """One check on a snapshot by its places, as ``evaluate`` judges it where nothing is attested or waived; what a report needs besides is left out."""
    pack = own_pack()
    thresholds = thresholds_of(config, pack.thresholds, None)
    used, sites = prepared_sites(snapshot, pack, config, thresholds=thresholds, lifecycle=lifecycle, now=run_now(snapshot))
    found = {}
    for place, there in places_of(check, sites):
        verdicts = _relax(check, verdicts_at(check, there, used), Purpose(config.purpose), used.used)
        found[place] = Outcome(check, place, check.severity_in(used.used), verdicts)
    return found


def alone(world: World, check: str, config: Config | None = None, **where: Any) -> Outcome:
    """The same with release and namespace named, as where nothing may be listed."""
    return outcome(world, check, config=config, namespace="exivity", release="exivity", **where)


def verdicts(world: World, check: str, **where: Any) -> dict[str, Verdict]:
    """The verdicts of one check by subject."""
    return {str(verdict.subject or ""): verdict for verdict in outcome(world, check, **where).verdicts}


def status(world: World, check: str, **where: Any) -> Status:
    """The worst status of one check."""
    return outcome(world, check, **where).status


def statuses(judgement: Judgement) -> dict[str, Status]:
    """Status of every check."""
    return {found.check.id: found.status for found in judgement.outcomes}


def pair_judged(
    worlds: Mapping[str, World], *, roles: Mapping[str, str | None] | None = None, config: Config | None = None, attestations: Any = (),
    checks: frozenset[str] | None = None,
) -> Judgement:  # fmt: skip
    """Several sites read in one run: the first active and the others passive, unless the roles say otherwise; every check, or some."""
    pack, config = own_pack(), config or Config()
    usual: dict[str, str | None] = {name: "passive" if number else "active" for number, name in enumerate(worlds)}
    named = {**usual, **(roles or {})}
    wanted = None if checks is None else reads_needed(pack, checks)
    snapshot = run_of(*((world, name, named[name]) for name, world in worlds.items()), wanted=wanted, namespace="exivity", release="exivity")
    return evaluate(
        snapshot, pack, config, selected=checks, attestations=attestations, thresholds=thresholds_of(config, pack.thresholds, None),
        lifecycle=load_lifecycle(None),
    )  # fmt: skip


def place_statuses(judgement: Judgement) -> dict[tuple[str, str], Status]:
    """Status of every outcome, by check and site."""
    return {(found.check.id, found.site): found.status for found in judgement.outcomes}
