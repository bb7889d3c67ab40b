"""A conforming pair of sites is judged, each by its role and both against each other; single mutations and denied reads of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import jsonschema
import msgspec
import pytest
from msgspec.structs import replace

from exivity_audit.check import check
from exivity_audit.collect.reads import BY_NAME
from exivity_audit.config import Config, thresholds_of
from exivity_audit.evaluate import Judgement, evaluate
from exivity_audit.fact import fact, reads_behind
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.reports.json_report import json_schema
from exivity_audit.scenario import Scenario
from exivity_audit.selection import reads_needed
from exivity_audit.sites import Judged
from exivity_audit.snapshot import Outcome, Snapshot, encode, save
from exivity_audit.verdict import Severity, Status, Verdict, ok
from tests.command import audit
from tests.judging import outcomes_of, pair_judged, place_statuses, run_of
from tests.mutations.two_sites import EVERYWHERE, PAIR, PairMutation, said
from tests.products import two_sites
from tests.products.two_sites import ACTIVE, PASSIVE

PACK, LIFECYCLE = own_pack(), load_lifecycle(None)
COMPARING = [check for check in PACK.checks if check.row == "disaster_recovery" or check.across]
READS = sorted(
    {
        name
        for check in COMPARING
        for names in reads_behind(PACK.facts, check.needs, check.looks_at)
        for name in names
        if name in BY_NAME and not BY_NAME[name].opt_in
    }
)
OURS = {check.id for check in COMPARING}
BROKEN = [
    one
    for one in PAIR
    if one.to is Status.FAIL and one.site != EVERYWHERE and one.check in OURS and not one.name.startswith("the workflow has no step")
]
SKIPPED_AT_THE_STANDBY = (
    "application/stateless-replicas", "application/singletons", "application/declared-spread", "application/effective-spread",
    "application/node-loss", "storage/rwx-validated", "upgrades/release-healthy", "backups/restore-test", "backups/ledger",
    "backups/recurring-jobs", "backups/recent",
)  # fmt: skip


@cache
def pair() -> Snapshot:
    """The conforming pair, read in one run."""
    return run_of(*((world, name, role) for (name, world), role in zip(two_sites.pair().items(), ("active", "passive"), strict=True)))


def judge(snapshot: Snapshot, checks: frozenset[str] | None = None) -> Judgement:
    return evaluate(snapshot, PACK, Config(), selected=checks, thresholds=thresholds_of(Config(), PACK.thresholds, None), lifecycle=LIFECYCLE)


@cache
def judgement() -> Judgement:
    return judge(pair())


def status(check: str, site: str) -> Status:
    return place_statuses(judgement())[check, site]


def test_two_sites_are_the_multi_site_scenario() -> None:
    once = [check for check in PACK.checks if "sites" in check.needs]
    assert judgement().scenario.used is Scenario.MULTI_SITE
    assert len(judgement().outcomes) == 2 * len(PACK.checks) - len(once)


def test_the_active_site_is_judged_as_multi_node() -> None:
    for name in ("application/singletons", "application/stateless-replicas", "application/effective-spread", "application/replicas-ready"):
        assert status(name, ACTIVE) is Status.PASS


def test_the_passive_site_is_prepared_and_runs_nothing() -> None:
    for name in SKIPPED_AT_THE_STANDBY:
        assert status(name, PASSIVE) is Status.SKIP, name
    for name in ("application/replicas-ready", "application/services-present", "ingress/tls", "pvc_sizes/data", "postgresql/high-availability"):
        assert status(name, PASSIVE) is Status.PASS, name


def test_no_check_fails_on_a_conforming_pair() -> None:
    bad = {
        (o.check.id, o.site): [v.message for v in o.verdicts if v.status is o.status]
        for o in judgement().outcomes
        if o.status in (Status.FAIL, Status.ERROR)
    }
    assert bad == {}


def test_disaster_recovery_is_met_but_for_what_a_person_attests() -> None:
    found = {outcome.check.slug: outcome.status for outcome in judgement().outcomes if outcome.check.row == "disaster_recovery"}
    expected = {check.slug: Status.PASS for check in PACK.checks if check.row == "disaster_recovery"} | {"traffic": Status.MANUAL}
    decided = {outcome.check.slug for outcome in judgement().outcomes if outcome.check.row == "disaster_recovery" and outcome.status is Status.PASS}
    assert decided == {slug for slug, wanted in expected.items() if wanted is Status.PASS}
    assert found["traffic"] is Status.MANUAL


def test_subjects_of_one_outcome_are_distinct() -> None:
    for outcome in judgement().outcomes:
        subjects = [str(verdict.subject) for verdict in outcome.verdicts]
        assert len(set(subjects)) == len(subjects), outcome.check.id


def test_nothing_of_a_workflow_but_names_is_kept() -> None:
    text = encode(pair()).decode()
    for canary in (*two_sites.CANARIES, "bitnami/kubectl", "DNS_API_KEY"):
        assert canary not in text
    assert "promote-database" in text


def test_the_reports_name_both_sites(tmp_path: Path) -> None:
    save(pair(), tmp_path / "pair.json")
    found = audit("run", "--snapshot", str(tmp_path / "pair.json"), "-o", f"json={tmp_path / 'r.json'}")
    assert found.returncode == 3, found.stderr
    assert ACTIVE in found.stdout
    assert PASSIVE in found.stdout
    report = json.loads((tmp_path / "r.json").read_text())
    jsonschema.validate(report, json.loads(json_schema()))
    assert [(site["name"], site["role"]) for site in report["sites"]] == [(ACTIVE, "active"), (PASSIVE, "passive")]
    assert report["cluster"]["name"] == report["sites"][0]["cluster"]["name"]


@cache
def _before(roles: tuple[tuple[str, str | None], ...], config: str) -> dict[tuple[str, str], Status]:
    mutation = next(one for one in PAIR if (tuple(sorted(one.roles.items())), repr(one.config)) == (roles, config))
    return place_statuses(pair_judged(two_sites.pair(), roles=mutation.roles, config=mutation.config))


def mutated(mutation: PairMutation) -> Judgement:
    """The pair with one thing broken."""
    worlds = two_sites.pair()
    for name in mutation.sites:
        mutation.apply(worlds[name])
    return pair_judged(worlds, roles=mutation.roles, config=mutation.config)


@pytest.mark.parametrize("mutation", PAIR, ids=lambda mutation: f"{mutation.check}: {mutation.name}")
def test_exactly_the_meant_check_turns(mutation: PairMutation) -> None:
    found = mutated(mutation)
    mutation.assert_caught(_before(tuple(sorted(mutation.roles.items())), repr(mutation.config)), found)


def test_names_are_distinct_and_there_are_many() -> None:
    names = [(mutation.check, mutation.name) for mutation in PAIR]
    assert len(set(names)) == len(names) >= 40


def test_a_malformed_node_of_a_site_is_named_where_brokers_are_not_stretched() -> None:
    worlds = two_sites.pair()
    node = copy.deepcopy(worlds[PASSIVE].find("Node", "worker-1"))
    node["metadata"]["name"], node["spec"]["taints"] = "zz-odd", "text"
    worlds[PASSIVE].objects.append(node)
    found = next(outcome for outcome in pair_judged(worlds).outcomes if outcome.check.id == "rabbitmq/not-stretched")
    assert found.status is Status.PASS
    for verdict in found.verdicts:
        assert [entry.object for entry in verdict.evidence if entry.read == "malformed"] == [f"Node zz-odd at {PASSIVE}"]


# What the engine does


def test_a_fact_that_breaks_at_another_site_is_a_visible_error() -> None:
    @fact
    def odd(pods: object) -> object:
        raise ZeroDivisionError

    @check("comparing", severity=Severity.LOW, clauses=("C1",), across=("odd",))
    def comparing(sites: Sequence[Judged]) -> Iterator[Verdict]:
        """Sites are compared.

        Because.

        Fix: none.
        """
        for site in sites:
            yield ok(site.release.subject.at(site.name), site.fact("odd"))

    pack = replace(PACK, checks=(replace(comparing, row="logs"),), facts={**PACK.facts, "odd": odd})
    found = evaluate(pair(), pack, Config(), thresholds={}, lifecycle=None).outcomes[0]
    assert [verdict.status for verdict in found.verdicts] == [Status.ERROR]
    assert "ams" in found.verdicts[0].message


def test_reads_of_what_is_compared_are_collected() -> None:
    needed = reads_needed(PACK, frozenset({"disaster_recovery/site-parity", "postgresql/replication"}))
    assert {"app_key", "persistentvolumeclaims", "postgresql_clusters", "object_stores"} <= needed


# Denied


def forbidden(snapshot: Snapshot, site: str, *reads: str) -> Snapshot:
    """The snapshot as it would be where some reads of one site are forbidden; all of them where none is named."""

    def record(one: object) -> object:
        if reads and one.name not in reads:  # type: ignore[attr-defined]
            return one
        return msgspec.structs.replace(one, outcome=Outcome.FORBIDDEN, status=403, reason="forbidden", objects=())  # type: ignore[type-var]

    sites = tuple(
        msgspec.structs.replace(one, reads=tuple(record(read) for read in one.reads)) if one.name == site else one for one in snapshot.sites
    )
    return msgspec.structs.replace(snapshot, sites=sites)


@pytest.mark.parametrize("site", [ACTIVE, PASSIVE])
@pytest.mark.parametrize("read", READS)
def test_a_denied_read_is_named_and_never_earns_more(site: str, read: str) -> None:
    chosen = frozenset(check.id for check in COMPARING)
    found = judge(forbidden(pair(), site, read), chosen)
    before, after = place_statuses(judgement()), place_statuses(found)
    for outcome in found.outcomes:
        place = (outcome.check.id, outcome.site)
        assert outcome.status is not Status.ERROR, (place, said(found, outcome.check.id))
        assert not (after[place] is Status.PASS and before[place] is not Status.PASS), place
        needed, _ = reads_behind(PACK.facts, outcome.check.needs if outcome.site == site else (), outcome.check.across)
        if read in needed and outcome.status in (Status.PASS, Status.WARN, Status.FAIL):
            shown = {evidence.read for verdict in outcome.verdicts for evidence in verdict.evidence}
            assert read in shown or any(verdict.status is Status.UNKNOWN for verdict in outcome.verdicts), place


@pytest.mark.parametrize("site", [ACTIVE, PASSIVE])
def test_a_site_that_shows_nothing_leaves_the_other_judged(site: str) -> None:
    found = place_statuses(judge(forbidden(pair(), site)))
    other = ACTIVE if site == PASSIVE else PASSIVE
    before = place_statuses(judgement())
    own = {place: now for place, now in found.items() if place[1] == other and before[place] is Status.PASS}
    assert [place for place, now in own.items() if now is not Status.PASS and place[0] not in ("postgresql/replication",)] == []
    for one in COMPARING:
        at = EVERYWHERE if "sites" in one.needs else site
        seen_elsewhere = one.slug == "failover-tested" and site == ACTIVE  # its run stands at the standby
        assert seen_elsewhere or found[one.id, at] in (Status.UNKNOWN, Status.SKIP, Status.MANUAL), (one.id, found[one.id, at])


@pytest.mark.parametrize("mutation", BROKEN, ids=lambda one: one.name)
def test_what_is_broken_is_never_called_good_by_seeing_less(mutation: PairMutation) -> None:
    worlds = two_sites.pair()
    mutation.apply(worlds[mutation.site])
    usual = {ACTIVE: "active", PASSIVE: "passive", **mutation.roles}
    meant = next(one for one in PACK.checks if one.id == mutation.check)
    snapshot = run_of(*((worlds[name], name, usual[name]) for name in worlds))  # type: ignore[arg-type]
    needed, optional = reads_behind(PACK.facts, meant.needs, meant.looks_at)
    seen_there = {(one.name, record.name) for one in snapshot.sites for record in one.reads if record.objects}
    for read in sorted((needed | optional) & set(BY_NAME)):
        for site in (one for one in (ACTIVE, PASSIVE) if (one, read) in seen_there):
            now = outcomes_of(forbidden(snapshot, site, read), meant, Config(), LIFECYCLE)[mutation.at].status
            assert now is not Status.ERROR, (read, site)
            assert now is not Status.PASS, f"it passes without {read} of {site}"
