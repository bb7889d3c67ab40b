"""An active and a standby site on two real control planes with the real chart, audited together."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.config import Config
from exivity_audit.keyring import comparable
from exivity_audit.snapshot import load
from exivity_audit.verdict import Status
from tests import builders
from tests.judging import place_statuses
from tests.mutations.two_sites import PAIR, PairMutation, said
from tests.products import gitops, two_sites
from tests.products.two_sites import PASSIVE

from .auditing import PACK, run, wrong
from .controlplane import chart_path
from .live_cluster import LiveCluster
from .two_sites import Pair, audited_pair, start

Places = dict[tuple[str, str], Status]
LIVE = [mutation for mutation in PAIR if mutation.live]
PACK_CHECKS = {check.id: check for check in PACK.checks}
CLAUSE = {f"C{number}" for number in range(1, 9)}
# Every check that a clause of two sites is behind, at each site that it judges, on the conforming pair.
CONFORMING: Places = {
    ("application/one-installation", "ams"): Status.PASS,
    ("application/one-installation", "fra"): Status.PASS,
    ("storage/site-local", "ams"): Status.PASS,
    ("storage/site-local", "fra"): Status.PASS,
    ("postgresql/replication", "ams"): Status.SKIP,
    ("postgresql/replication", "fra"): Status.PASS,
    ("rabbitmq/site-local", "ams"): Status.PASS,
    ("rabbitmq/site-local", "fra"): Status.PASS,
    ("rabbitmq/not-stretched", "*"): Status.PASS,
    ("disaster_recovery/passive-replicas", "ams"): Status.SKIP,
    ("disaster_recovery/passive-replicas", "fra"): Status.PASS,
    ("disaster_recovery/active-replicas", "ams"): Status.PASS,
    ("disaster_recovery/active-replicas", "fra"): Status.SKIP,
    ("disaster_recovery/single-active", "*"): Status.PASS,
    ("disaster_recovery/gitops", "*"): Status.PASS,
    ("disaster_recovery/failover-automation", "*"): Status.PASS,
    ("disaster_recovery/failover-tested", "*"): Status.PASS,
    ("disaster_recovery/data-replicated", "*"): Status.PASS,
    ("disaster_recovery/traffic", "*"): Status.MANUAL,  # a person attests who switches the traffic
    ("disaster_recovery/standby-ingress", "ams"): Status.SKIP,
    ("disaster_recovery/standby-ingress", "fra"): Status.PASS,
    ("disaster_recovery/site-parity", "*"): Status.PASS,
}

pytestmark = pytest.mark.skipif(chart_path() is None, reason="the Exivity chart is not there")


@pytest.fixture(scope="module")
def pair(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both sites, conforming."""
    found = start(binaries, tmp_path_factory.mktemp("pair"))
    yield found
    found.stop()


class Before:
    """What the conforming pair says, under each way of asking that a mutation wants."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._known: dict[str, Places] = {}

    def of(self, roles: Mapping[str, str | None], config: Config) -> Places:
        """The status of every check at every site."""
        key = repr((sorted(roles.items()), config))
        if key not in self._known:
            self._known[key] = place_statuses(audited_pair(self._pair, roles=roles, config=config))
        return self._known[key]


@pytest.fixture(scope="module")
def before(pair: Pair) -> Before:
    """The conforming pair as it was before anything was changed."""
    found = Before(pair)
    found.of({}, Config())
    return found


def test_a_conforming_pair_has_no_fail(pair: Pair) -> None:
    judgement = audited_pair(pair)
    assert str(judgement.scenario.used) == "multi-site"
    assert wrong(judgement, Status.FAIL, Status.ERROR) == {}
    found = {place: status for place, status in place_statuses(judgement).items() if CLAUSE.intersection(PACK_CHECKS[place[0]].clauses)}
    assert found == CONFORMING, {check: said(judgement, check) for check, _ in {place for place, _ in found.items() ^ CONFORMING.items()}}


# What the clusters of this pair hold and nobody may find in a report: values of Secrets, and what a workflow's script carries.
SECRETS = (builders.APP_KEY, builders.JWT_SECRET, builders.DATABASE_PASSWORD, builders.BROKER_PASSWORD, builders.LICENCE, *two_sites.CANARIES)


def guesses(value: str) -> Iterator[str]:
    """A secret as it is, encoded, and under the plain hashes that a dictionary undoes."""
    yield value
    yield builders.encode(value)
    for algorithm in ("md5", "sha1", "sha256", "sha512"):
        digest = hashlib.new(algorithm, value.encode())
        yield from (digest.hexdigest(), builders.encode(digest.digest()))


def test_the_command_reads_both_sites_and_writes_to_none(pair: Pair, tmp_path: Path) -> None:
    found = run(None, *pair.flags, "--save", "s.json", "--stats", kubeconfig=pair.kubeconfig, folder=tmp_path, timeout=120)
    assert found.code in (0, 1, 3), found.errors
    assert [(site["name"], site["role"]) for site in found.report["sites"]] == [("ams", "active"), ("fra", "passive")]
    assert len({site["cluster"]["uid"] for site in found.report["sites"]}) == 2
    assert comparable(*load(tmp_path / "s.json").sites)
    everything = (tmp_path / "s.json").read_text() + found.output + found.errors + json.dumps(found.report)
    assert [value for value in SECRETS if any(guess in everything for guess in guesses(value))] == []
    for plane in pair.planes.values():
        ours = [record for record in plane.audit_records() if record.get("userAgent", "").startswith("exivity-audit/")]
        assert ours
        reviews = {"selfsubjectreviews", "selfsubjectaccessreviews"}
        assert all(record["verb"] in ("get", "list") or record["objectRef"]["resource"] in reviews for record in ours)


def test_the_same_from_two_snapshots_with_a_parity_key(pair: Pair, tmp_path: Path) -> None:
    run(None, "-o", "k", folder=tmp_path, command="parity-key")
    for name in ("ams", "fra"):
        found = run(
            None,
            "--context",
            name,
            "--parity-key",
            "k",
            "-o",
            f"{name}.json",
            kubeconfig=pair.kubeconfig,
            folder=tmp_path,
            command="collect",
            timeout=120,
        )
        assert (tmp_path / f"{name}.json").is_file(), found.errors
    apart = run(None, "--snapshot", "ams=ams.json:active", "--snapshot", "fra=fra.json:passive", folder=tmp_path)
    together = run(None, *pair.flags, kubeconfig=pair.kubeconfig, folder=tmp_path, timeout=120)
    words = [{(one["id"], one["site"], json.dumps(one["subject"])): one["status"] for one in found.report["results"]} for found in (apart, together)]
    assert words[0] == words[1]


@contextlib.contextmanager
def changed(pair: Pair, change: Callable[[LiveCluster], Any], *sites: str) -> Iterator[None]:
    """The pair with some sites changed, while this lasts."""
    try:
        for name in sites:
            change(pair.sites[name])
        pair.settle(*sites)
        yield
    finally:
        for name in sites:
            pair.sites[name].undo()
        pair.settle(*sites)


@pytest.mark.parametrize("mutation", LIVE, ids=lambda mutation: f"{mutation.check}: {mutation.name}")
def test_exactly_the_meant_check_turns(mutation: PairMutation, pair: Pair, before: Before) -> None:
    conforming = before.of(mutation.roles, mutation.config)
    with changed(pair, mutation.change, *mutation.sites):
        found = audited_pair(pair, roles=mutation.roles, config=mutation.config)
    mutation.assert_caught(conforming, found)
    other = frozenset(place[0] for place, status in place_statuses(found).items() if conforming[place] is not status)
    restored = audited_pair(pair, checks=other, roles=mutation.roles, config=mutation.config)
    now = place_statuses(restored)
    assert now == {place: conforming[place] for place in now}, {check: said(restored, check) for check in other}


def test_a_plain_autoscaler_at_the_standby_starts_nothing_and_is_remarked(pair: Pair) -> None:
    """What the check rests on: the controller leaves a Deployment alone that is asked for 0 times."""
    live, autoscaler = pair.sites[PASSIVE], gitops.keda_autoscaler("glass", 2, 4)
    path = live.cluster.path(autoscaler)

    def looked_at() -> list[str]:
        told = live.cluster.get(path).get("status", {}).get("conditions", [])
        return [entry["reason"] for entry in told if entry["type"] == "ScalingActive" and entry["status"] == "False"]

    with changed(pair, lambda found: found.add(autoscaler), PASSIVE):
        assert live.cluster.wait(looked_at, 60, "the controller to have looked at the autoscaler") == ["ScalingDisabled"]
        assert live.find("Deployment", "exivity-glass")["spec"]["replicas"] == 0
        standing = "disaster_recovery/passive-replicas"
        judgement = audited_pair(pair, checks=frozenset({standing}))
    assert place_statuses(judgement)[standing, PASSIVE] is Status.PASS
    remarks = [verdict.remark for outcome in judgement.outcomes for verdict in outcome.verdicts if verdict.remark]
    assert remarks == ["HorizontalPodAutoscaler keda-hpa-glass does nothing while 0 are asked for, and scales again after failover"]


def test_what_was_tried_live_is_taken_back(pair: Pair, before: Before) -> None:
    assert len(LIVE) >= 40
    judgement = audited_pair(pair)
    now, conforming = place_statuses(judgement), before.of({}, Config())
    assert now == conforming, {check: said(judgement, check) for check, _ in {place for place, _ in now.items() ^ conforming.items()}}


def test_a_site_killed_in_the_middle_leaves_a_whole_report_within_the_deadline(pair: Pair, tmp_path: Path) -> None:
    """The last test: it ends a control plane."""
    plane = pair.planes["fra"]
    before = len(plane.audit_records())

    def kill() -> None:
        while len(plane.audit_records()) < before + 20:
            time.sleep(0.02)
        plane.stop()

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    began = time.monotonic()
    found = run(None, *pair.flags, "--deadline", "40s", kubeconfig=pair.kubeconfig, folder=tmp_path, timeout=120)
    took = time.monotonic() - began
    killer.join(30)
    assert found.code in (1, 3), found.errors
    assert took < 40 + 5 + 5, "the deadline, five seconds, and judging"
    by_site = {name: {one["id"] for one in found.report["results"] if one["site"] == name} for name in ("ams", "fra")}
    assert by_site["ams"] == by_site["fra"]
    assert {one["status"] for one in found.report["results"] if one["site"] == "fra"} & {"unknown"}
    assert not [one["id"] for one in found.report["results"] if one["site"] == "ams" and one["status"] in ("fail", "error")]
