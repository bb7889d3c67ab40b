"""An active and a standby site on two real control planes with the real chart, audited together."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exivity_audit.keyring import comparable
from exivity_audit.snapshot import load
from exivity_audit.verdict import Status

from .auditing import run, wrong
from .controlplane import chart_path
from .two_sites import Pair, audited_pair, start

pytestmark = pytest.mark.skipif(chart_path() is None, reason="the Exivity chart is not there")


@pytest.fixture(scope="module")
def pair(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both sites, conforming."""
    found = start(binaries, tmp_path_factory.mktemp("pair"))
    yield found
    found.stop()


def test_a_conforming_pair_has_no_fail(pair: Pair) -> None:
    judgement = audited_pair(pair)
    assert str(judgement.scenario.used) == "multi-site"
    assert wrong(judgement, Status.FAIL, Status.ERROR) == {}


def test_the_command_reads_both_sites_and_writes_to_none(pair: Pair, tmp_path: Path) -> None:
    found = run(None, *pair.flags, "--save", "s.json", "--stats", kubeconfig=pair.kubeconfig, folder=tmp_path, timeout=120)
    assert found.code in (0, 1, 3), found.errors
    assert [(site["name"], site["role"]) for site in found.report["sites"]] == [("ams", "active"), ("fra", "passive")]
    assert len({site["cluster"]["uid"] for site in found.report["sites"]}) == 2
    assert comparable(*load(tmp_path / "s.json").sites)
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
