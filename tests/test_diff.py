"""`diff`, `run --baseline` and `--fail-on-new`; snapshots of older and newer versions judged by this one."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exivity_audit.collect.reads import READS
from exivity_audit.config import Config, thresholds_of
from exivity_audit.evaluate import evaluate
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.snapshot import Outcome, Snapshot, decode, encode
from exivity_audit.verdict import Status
from tests import builders
from tests.command import audit
from tests.judging import site_of, snapshot_of
from tests.test_comparison import doubled, sized
from tests.test_whole_run import clean

EARNED = {Status.PASS: 2, Status.WARN: 1}
LINE = "Since 23 Nov 2026"


@cache
def snapshots() -> dict[str, Snapshot]:
    worlds = {"clean": builders.multi_node(), "small": sized(builders.multi_node(), "40Gi"), "smaller": sized(builders.multi_node(), "30Gi")}
    return {name: snapshot_of(site_of(world)) for name, world in {**worlds, "doubled": doubled(builders.multi_node())}.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of each state, and reports of two of them."""
    found = tmp_path_factory.mktemp("diff")
    for name, snapshot in snapshots().items():
        (found / f"{name}.json").write_bytes(encode(snapshot))
    for name in ("clean", "small"):
        assert tool(found, "run", "--snapshot", f"{name}.json", "-q", "-o", f"json={name}-report.json").returncode in (1, 3)
    return found


def tool(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return audit(*words, env=clean(), cwd=folder)


@pytest.mark.parametrize(("old", "new"), [("clean-report", "small"), ("clean", "small-report"), ("clean", "small"), ("clean-report", "small-report")])
def test_a_report_and_a_snapshot_compare_alike(folder: Path, old: str, new: str) -> None:
    found = tool(folder, "diff", f"{old}.json", f"{new}.json", "-o", "json")
    assert found.returncode == 0, found.stderr
    content = json.loads(found.stdout)
    assert content["counts"]["new"] == sum(one["change"] == "new" for one in content["changes"]) > 0
    assert any(one["id"] == "pvc_sizes/data" and one["before"]["status"] == "pass" for one in content["changes"])
    assert round(sum(content["score"]["shares"].values()), 1) == round(content["score"]["after"] - content["score"]["before"], 1)


def test_a_diff_goes_where_it_is_told(folder: Path, tmp_path: Path) -> None:
    words = ("diff", "small.json", "clean.json", "-o", f"markdown={tmp_path / 'd.md'}", "-o", f"json={tmp_path / 'd.json'}", "-o", "table")
    found = tool(folder, *words)
    assert found.returncode == 0, found.stderr
    assert "RESOLVED" in found.stdout
    assert "### Resolved" in (tmp_path / "d.md").read_text()
    assert json.loads((tmp_path / "d.json").read_text())["counts"]["resolved"] > 0
    assert tool(folder, "diff", "small.json", "clean.json", "--ascii").stdout.isascii()
    assert tool(folder, "diff", "small.json", "clean.json", "-o", f"json={tmp_path / 'e.json'}").stdout == ""


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\x1f\x8b\x08junk", b'{"schema_version": 2}', b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_neither_is_refused(folder: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.json").write_bytes(content)
    for words in (("diff", str(tmp_path / "odd.json"), "clean.json"), ("run", "--snapshot", "clean.json", "--baseline", str(tmp_path / "odd.json"))):
        found = tool(folder, *words)
        assert found.returncode == 2, found.stderr
        assert "bug" not in found.stderr


def test_a_baseline_is_told_in_every_report(folder: Path, tmp_path: Path) -> None:
    words = ("run", "--snapshot", "small.json", "--baseline", "clean-report.json", "-o", f"markdown={tmp_path / 'r.md'}")
    found = tool(folder, *words, "-o", f"json={tmp_path / 'r.json'}")
    assert "SINCE THE BASELINE" in found.stdout
    assert "new · " in found.stdout
    assert LINE in (tmp_path / "r.md").read_text()
    assert LINE in tool(folder, *words[:5], "--short").stdout
    baseline = json.loads((tmp_path / "r.json").read_text())["baseline"]
    assert baseline["counts"]["new"] == sum(one["change"] == "new" for one in baseline["changes"]) > 0
    assert baseline["file"] == "clean-report.json"
    plain = tool(folder, "run", "--snapshot", "small.json", "-o", "json")
    assert json.loads(plain.stdout)["baseline"] is None


@pytest.mark.parametrize(
    ("baseline", "now", "flags", "code"),
    [
        ("clean", "small", (), 1),
        ("small", "small", (), 3),
        ("small", "smaller", (), 1),  # worse by the measured value
        ("smaller", "small", (), 3),
        ("small", "clean", (), 3),
        ("clean", "small", ("--fail-on", "critical"), 3),
        ("clean", "doubled", ("--fail-on", "critical"), 1),
        ("doubled", "doubled", ("--fail-on", "warn:low"), 3),
        ("small", "small", ("--min-score", "100"), 1),
        ("clean", "small", ("--report-only",), 0),
        ("clean", "small", ("--fail-on", "gate"), 2),
    ],
)
def test_fail_on_new(folder: Path, baseline: str, now: str, flags: tuple[str, ...], code: int) -> None:
    found = tool(folder, "run", "--snapshot", f"{now}.json", "--baseline", f"{baseline}.json", "--fail-on-new", *flags, "-q")
    assert found.returncode == code, found.stderr


def test_fail_on_new_needs_a_baseline(folder: Path) -> None:
    found = tool(folder, "run", "--snapshot", "clean.json", "--fail-on-new")
    assert found.returncode == 2
    assert "--baseline FILE" in found.stderr


def statuses(snapshot: Snapshot) -> dict[str, Status]:
    found = evaluate(snapshot, own_pack(), Config(), thresholds=thresholds_of(Config(), own_pack().thresholds, None), lifecycle=load_lifecycle(None))
    assert Status.ERROR not in {verdict.status for outcome in found.outcomes for verdict in outcome.verdicts}
    return {outcome.check.id: outcome.status for outcome in found.outcomes}


def older(snapshot: Snapshot, names: set[str], most: int = 100) -> Snapshot:
    """The snapshot as a version wrote it that knew fewer reads, and kept fewer paths of the others."""
    site = snapshot.sites[0]
    kept = [record for record in site.reads if record.name not in names]
    reads = tuple(msgspec.structs.replace(record, keep=record.keep[:most]) for record in kept)
    return msgspec.structs.replace(snapshot, sites=(msgspec.structs.replace(site, reads=reads),))


@pytest.mark.parametrize("number", range(4))
def test_an_older_snapshot_never_passes_what_it_did_not_collect(number: int) -> None:
    whole = statuses(snapshots()["small"])
    names = {read.name for read in READS[number::4]}
    for most in (100, 3, 0):
        found = statuses(older(snapshots()["small"], names, most))
        assert list(found) == list(whole)
        for check, status in found.items():
            assert not (status is Status.PASS and whole[check] is not Status.PASS), f"{check} passes without {sorted(names)}"
            assert EARNED.get(status, 0) <= EARNED.get(whole[check], 0) or whole[check] is Status.SKIP, check


def test_an_older_snapshot_is_compared_and_nothing_of_it_is_called_resolved(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "old.json").write_bytes(encode(older(snapshots()["small"], {"persistentvolumeclaims"})))
    found = json.loads(tool(folder, "diff", "small.json", str(tmp_path / "old.json"), "-o", "json").stdout)
    assert not [one for one in found["changes"] if one["id"].startswith("pvc_sizes/") and one["change"] in ("resolved", "better")]
    assert found["counts"]["incomparable"] > 0


def newer(change: Any) -> bytes:
    """A snapshot as a later version may write it."""
    content = json.loads(encode(snapshots()["clean"]))
    content |= {"later": {"a": [1]}}
    site = content["sites"][0]
    site["later"] = "x"
    site["cluster"]["later"] = None
    claims = next(read for read in site["reads"] if read["name"] == "persistentvolumeclaims")
    site["reads"].append({**claims, "name": "later_read", "resource": "laters.example.com", "kind": "Later", "later": 1})
    claims["keep"].append("spec.later[].deep")
    for item in claims["objects"]:
        item["spec"]["later"] = [{"deep": 1}]
    change(site, claims)
    return json.dumps(content).encode()


def test_a_newer_snapshot_is_judged_as_far_as_it_is_understood() -> None:
    found = statuses(decode(newer(lambda site, claims: None), "newer"))
    assert found == statuses(snapshots()["clean"])


@pytest.mark.parametrize("change", [lambda read: read["place"].update(shard="a"), lambda read: read.update(outcome="throttled")])
def test_a_read_that_a_newer_version_made_in_another_way_counts_as_failed(change: Any) -> None:
    snapshot = decode(newer(lambda site, claims: change(claims)), "newer")
    (record,) = [record for record in snapshot.sites[0].reads if record.name == "persistentvolumeclaims"]
    assert (record.outcome, record.objects) == (Outcome.FAILED, ())
    assert statuses(snapshot)["storage/claims-bound"] is Status.UNKNOWN


def test_a_place_of_a_newer_version_that_narrows_nothing_is_taken_as_it_is() -> None:
    snapshot = decode(newer(lambda site, claims: claims["place"].update(shard=None)), "newer")
    assert statuses(snapshot) == statuses(snapshots()["clean"])
