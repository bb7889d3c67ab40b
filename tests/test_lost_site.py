"""A site that was not reached: no check of it passes or fails, none is missing, and every report and paper says so."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from exivity_audit.cli import group
from exivity_audit.collect.gathered import settled
from exivity_audit.collect.reads import READS
from exivity_audit.collect.unreached import unreached
from exivity_audit.config import Config, thresholds_of
from exivity_audit.evaluate import Judgement, evaluate
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.scenario import Scenario
from exivity_audit.snapshot import SiteSnapshot, Snapshot, decode, encode, save
from exivity_audit.verdict import Status
from tests import builders
from tests.judging import gathered_of, snapshot_of
from tests.products.two_sites import passive_world
from tests.world import NOW

WHY = "The API server at fra.corp:6443 cannot be reached: the connection was refused."


def lost(name: str = "fra", role: str | None = "passive") -> SiteSnapshot:
    found = unreached(name, role, "prod-fra", "exivity", "exivity", NOW, READS, [read.name for read in READS], WHY, "Check that the server runs.")  # type: ignore[arg-type]
    return settled([found])[0]


@pytest.fixture(scope="module")
def ams() -> SiteSnapshot:
    return settled([gathered_of(builders.multi_node(), name="ams", role="active")])[0]


@pytest.fixture(scope="module")
def pair(ams: SiteSnapshot) -> Snapshot:
    return snapshot_of(ams, lost())


@pytest.fixture(scope="module")
def whole(ams: SiteSnapshot) -> Snapshot:
    return snapshot_of(ams, settled([gathered_of(passive_world(), name="fra", role="passive")])[0])


def judged(snapshot: Snapshot) -> Judgement:
    pack = own_pack()
    return evaluate(snapshot, pack, Config(), thresholds=thresholds_of(Config(), pack.thresholds, None), lifecycle=load_lifecycle(None))


def test_nothing_of_a_lost_site_is_decided_and_nothing_is_missing(pair: Snapshot, whole: Snapshot) -> None:
    found, other = judged(pair), judged(whole)
    assert Counter((outcome.check.id, outcome.site) for outcome in found.outcomes) == Counter(
        (outcome.check.id, outcome.site) for outcome in other.outcomes
    )
    decided = {
        outcome.check.id: outcome.status
        for outcome in found.outcomes
        if outcome.site == "fra" and outcome.status in (Status.PASS, Status.FAIL, Status.WARN, Status.ERROR)
    }
    assert decided == {}
    unknown = [outcome for outcome in found.outcomes if outcome.site == "fra" and outcome.status is Status.UNKNOWN and outcome.check.built]
    assert len(unknown) > 30
    assert all(
        any("site not reached: The API server at fra.corp:6443" in verdict.message for verdict in outcome.verdicts)
        for outcome in unknown
        if outcome.check.id != "cluster/kubernetes-version"
    )
    needs = {
        need for outcome in unknown for verdict in outcome.verdicts for need in verdict.needs if outcome.check.id != "cluster/kubernetes-version"
    }
    assert needs == {"reach the site: Check that the server runs"}


def test_what_was_seen_of_the_other_site_is_judged_the_same(pair: Snapshot, whole: Snapshot) -> None:
    one, other = ({outcome.check.id: outcome.status for outcome in judged(found).outcomes if outcome.site == "ams"} for found in (pair, whole))
    assert one == other


def test_a_lost_site_may_be_the_first(ams: SiteSnapshot) -> None:
    late = lost("aaa", "active")
    found = judged(snapshot_of(late, ams))
    assert found.scenario.used is Scenario.MULTI_SITE
    assert found.now == datetime.fromisoformat(ams.now).astimezone(UTC)


def test_releases_of_one_cluster_are_no_multi_site_unless_a_role_says_so(ams: SiteSnapshot) -> None:
    from msgspec.structs import replace

    one, two = replace(ams, name="one", role=None), replace(ams, name="two", role=None)
    assert judged(snapshot_of(one, two)).scenario.used is Scenario.MULTI_NODE
    assert judged(snapshot_of(one, replace(two, role="passive"))).scenario.used is Scenario.MULTI_SITE
    assert judged(snapshot_of(one, lost("two", None))).scenario.used is Scenario.MULTI_SITE


def test_a_lost_site_is_saved_and_read_back(pair: Snapshot) -> None:
    assert decode(encode(pair), "file") == pair


def call(*arguments: object) -> Result:
    return CliRunner().invoke(group, [str(one) for one in arguments], standalone_mode=False)


@pytest.fixture(scope="module")
def files(pair: Snapshot, whole: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lost")
    save(pair, folder / "lost.json")
    save(whole, folder / "whole.json")
    return folder


def test_a_seen_failure_is_never_resolved_by_losing_the_site(ams: SiteSnapshot, files: Path) -> None:
    world = passive_world()
    world.objects = [item for item in world.objects if item["kind"] != "Ingress"]
    save(snapshot_of(ams, settled([gathered_of(world, name="fra", role="passive")])[0]), files / "broken.json")
    found = call("diff", files / "broken.json", files / "lost.json", "-o", f"json={files / 'd.json'}")
    assert found.return_value == 0, found.output
    changes = json.loads((files / "d.json").read_text())["changes"]
    at_fra = {one["change"] for one in changes if one["site"] == "fra"}
    assert "incomparable" in at_fra
    assert "resolved" not in at_fra


@pytest.mark.parametrize("which", ["lost", "whole"])
def test_papers_of_a_pair_are_written_and_sealed(which: str, files: Path) -> None:
    snapshot = files / f"{which}.json"
    for words in (("evidence", "template"), ("waivers", "draft")):
        target = files / f"{which}-{words[0]}.yaml"
        found = call(*words, "--snapshot", snapshot, "-o", target)
        assert found.return_value == 0, found.output
        assert "prod-fra" in target.read_text() or which == "whole"
    assert "site: 'fra'" in (text := (files / f"{which}-evidence.yaml").read_text()) or 'site: "fra"' in text or "site: fra" in text
    sealed = call("seal", "--snapshot", snapshot, "-o", files / f"{which}.zip")
    assert sealed.return_value == 0, sealed.output
    told = call("verify", files / f"{which}.zip")
    assert ("site fra was not reached: " in told.output) is (which == "lost")
    assert "fra: " in told.output


@pytest.mark.parametrize("which", ["lost", "whole"])
def test_reports_are_no_wider_than_asked_and_name_every_site(which: str, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.cells import cell_len

    monkeypatch.setenv("COLUMNS", "80")
    outputs = [
        part
        for name in ("html", "markdown", "csv", "junit", "sarif", "prometheus", "github", "actions")
        for part in ("-o", f"{name}={files / f'{which}.{name}'}")
    ]
    found = call("run", "--snapshot", files / f"{which}.json", "-v", *outputs)
    assert found.return_value in (1, 3), found.output
    assert max(cell_len(line) for line in found.stdout.splitlines()) <= 80
    for name in ("html", "markdown", "csv", "junit", "sarif", "prometheus"):
        text = (files / f"{which}.{name}").read_text()
        assert "ams" in text, name
        assert "fra" in text, name
    for name in ("html", "markdown"):
        assert ("NOT REACHED" in (files / f"{which}.{name}").read_text().upper()) is (which == "lost"), name
    assert ("NOT REACHED" in found.output) is (which == "lost")
    short = call("run", "--snapshot", files / f"{which}.json", "--short").output
    assert ("NOT REACHED" in short) is (which == "lost")


def test_the_history_of_a_site_holds_its_own_volumes_alone() -> None:
    from exivity_audit.past_report import decoded, kept
    from exivity_audit.snapshot import Cluster

    def place(name: str) -> dict[str, object]:
        return {"name": name, "cluster": {"name": name, "uid": f"uid-{name}"}, "namespace": "exivity", "release": "exivity"}

    volumes = [
        {"site": name, "subject": "PersistentVolumeClaim exivity/data", "used": used, "capacity": 10, "read": "r"}
        for name, used in (("ams", 1), ("fra", 2))
    ]
    report = {
        "schema_version": 1, "tool": {"name": "exivity-audit"}, "checklist": {"version": "1"}, "run": {"now": "2026-11-20T12:00:00Z"},
        "sites": [place("ams"), place("fra")], "tables": {"volumes": volumes},
        "summary": {"gate": None, "grade": None, "score": None, "coverage": {"ratio": None}},
    }  # fmt: skip
    found = decoded(json.dumps(report).encode())
    for name, used in (("ams", 1), ("fra", 2)):
        sites = found.sites_of(Cluster(name, f"uid-{name}", None), "exivity", "exivity")
        assert [one["used"] for one in kept(found, sites)["volumes"]] == [used]
