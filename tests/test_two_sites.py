"""A snapshot of two sites, built by hand, is judged: each site by its role, in one report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from exivity_audit.config import Config, thresholds_of
from exivity_audit.evaluate import Judgement, evaluate
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.reports.json_report import json_schema
from exivity_audit.scenario import Scenario
from exivity_audit.snapshot import Snapshot, save
from exivity_audit.verdict import Status
from tests import builders
from tests.judging import site_of, snapshot_of
from tests.world import World


def passive_world() -> World:
    """The standby site: everything prepared, no copy asked for, no pod."""
    world = builders.multi_node()
    for item in world.all("Deployment"):
        if item["metadata"]["namespace"] == "exivity":
            item["spec"]["replicas"] = 0
            item["status"] = {"observedGeneration": 1}
    world.objects = [item for item in world.objects if not (item["kind"] == "Pod" and item["metadata"]["namespace"] == "exivity")]
    for item in world.all("EndpointSlice"):
        if item["metadata"]["namespace"] == "exivity":
            item["endpoints"] = []
    return world


@pytest.fixture(scope="module")
def pair() -> Snapshot:
    """An active and a passive site."""
    return snapshot_of(site_of(builders.multi_node(), name="ams", role="active"), site_of(passive_world(), name="fra", role="passive"))


@pytest.fixture(scope="module")
def judgement(pair: Snapshot) -> Judgement:
    pack = own_pack()
    return evaluate(pair, pack, Config(), thresholds=thresholds_of(Config(), pack.thresholds, None), lifecycle=load_lifecycle(None))


def status(judgement: Judgement, check: str, site: str) -> Status:
    return next(outcome.status for outcome in judgement.outcomes if outcome.check.id == check and outcome.site == site)


def test_two_sites_are_the_multi_site_scenario(judgement: Judgement) -> None:
    assert judgement.scenario.used is Scenario.MULTI_SITE
    assert len(judgement.outcomes) == 2 * len(own_pack().checks)


def test_the_active_site_is_judged_as_multi_node(judgement: Judgement) -> None:
    for check in ("application/singletons", "application/stateless-replicas", "application/effective-spread", "application/replicas-ready"):
        assert status(judgement, check, "ams") is Status.PASS


def test_the_passive_site_is_prepared_and_runs_nothing(judgement: Judgement) -> None:
    skipped = (
        "application/stateless-replicas", "application/singletons", "application/declared-spread", "application/effective-spread",
        "application/node-loss", "storage/rwx-validated", "upgrades/release-healthy",
    )  # fmt: skip
    for check in skipped:
        assert status(judgement, check, "fra") is Status.SKIP, check
    assert status(judgement, "application/replicas-ready", "fra") is Status.PASS
    assert status(judgement, "application/services-present", "fra") is Status.PASS
    assert status(judgement, "ingress/tls", "fra") is Status.PASS
    assert status(judgement, "pvc_sizes/data", "fra") is Status.PASS


def test_no_built_check_fails_on_a_prepared_pair(judgement: Judgement) -> None:
    bad = {
        (o.check.id, o.site): [v.message for v in o.verdicts if v.status is o.status]
        for o in judgement.outcomes
        if o.status in (Status.FAIL, Status.ERROR)
    }
    assert bad == {}


def test_disaster_recovery_is_to_come_and_never_met(judgement: Judgement) -> None:
    found = {outcome.status for outcome in judgement.outcomes if outcome.check.row == "disaster_recovery"}
    assert found == {Status.UNKNOWN, Status.SKIP}


def test_the_reports_name_both_sites(pair: Snapshot, tmp_path: Path) -> None:
    save(pair, tmp_path / "pair.json")
    found = subprocess.run(
        [sys.executable, "-m", "exivity_audit", "run", "--snapshot", str(tmp_path / "pair.json"), "-o", f"json={tmp_path / 'r.json'}"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert found.returncode == 3, found.stderr
    assert "ams" in found.stdout
    assert "fra" in found.stdout
    report = json.loads((tmp_path / "r.json").read_text())
    jsonschema.validate(report, json.loads(json_schema()))
    assert [(site["name"], site["role"]) for site in report["sites"]] == [("ams", "active"), ("fra", "passive")]
    assert report["cluster"]["name"] == report["sites"][0]["cluster"]["name"]
