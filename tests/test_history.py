"""`--history`: trend and growth from past reports, the same offline; retention takes away nothing but a run's own reports."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exivity_audit.collect.history import LARGEST, History, told
from exivity_audit.collect.reads import BY_NAME
from exivity_audit.past_report import NAME, decoded, file_name, mark_of
from exivity_audit.reports.json_report import json_report
from exivity_audit.score import scorecard
from exivity_audit.snapshot import Cluster, Place, Snapshot, encode
from exivity_audit.verdict import Status, Verdict
from tests import builders
from tests.command import audit
from tests.judging import judged, site_of, snapshot_of
from tests.mutations.capacity import mounted
from tests.reports import sample_scorecard as sample
from tests.test_diff import statuses
from tests.test_whole_run import clean, report, run
from tests.usage import GI, Usage
from tests.world import NOW, World
from tests.world_server import serving

CLAIM = "PersistentVolumeClaim exivity/exivity-extracted"
FORMS = "date score grade gate coverage checklist"


def tool(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return audit(*words, env=clean(), cwd=folder)


@cache
def content() -> dict[str, Any]:
    """A report of the conforming cluster."""
    found: dict[str, Any] = json.loads(json_report(scorecard(judged(builders.multi_node())), sample.run_info()))
    return found


def past(folder: Path, days: float, used: float | None = None, source: str = "kubelet_stats", **changes: Any) -> Path:
    """Put a report of so many days ago into a folder, in which extracted used so many Gi."""
    when = NOW - timedelta(days=days)
    one = json.loads(json.dumps(content()))
    one["run"]["now"] = when.isoformat().replace("+00:00", "Z")
    volume = {"site": "default", "subject": CLAIM, "used": int((used or 0) * GI), "capacity": 100 * GI, "read": source}
    one["tables"]["volumes"] = [volume] if used is not None else None
    site = json.loads(json.dumps(one["sites"][0]))
    for path, value in changes.items():
        *way, last = path.split("__")
        place = one
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[last] = value
    file = folder / file_name(when, Cluster(site["cluster"]["name"], site["cluster"]["uid"], None), site["namespace"], site["release"])
    file.write_text(json.dumps(one))
    return file


def collected(folder: Path, used: float | None = None, world: World | None = None) -> Snapshot:
    """A snapshot taken with that folder, in which a kubelet says what extracted uses."""
    usage = Usage(kubelets={"worker-1": mounted(extracted=used)} if used is not None else None)
    return told(snapshot_of(site_of(world or builders.multi_node(), usage=usage)), folder, BY_NAME["history_reports"])[0]


def growth(snapshot: Snapshot) -> dict[str, Verdict]:
    from exivity_audit.config import Config, thresholds_of
    from exivity_audit.evaluate import evaluate
    from exivity_audit.lifecycle import load_lifecycle
    from exivity_audit.pack import own_pack

    pack = own_pack()
    found = evaluate(
        snapshot,
        pack,
        Config(),
        selected=frozenset({"capacity/growth"}),
        thresholds=thresholds_of(Config(), pack.thresholds, None),
        lifecycle=load_lifecycle(None),
    )
    return {str(verdict.subject): verdict for verdict in found.outcomes[0].verdicts}


@pytest.mark.parametrize(
    ("points", "used", "status"),
    [
        ([(14, 20), (7, 28)], 60, Status.FAIL),
        ([(14, 20), (7, 59)], 60, Status.PASS),
        ([(14, 90), (7, 80)], 60, Status.PASS),
        ([(7, 28), (0.01, 60)], 60, Status.FAIL),
        ([(7, 28)], 60, None),  # one stored run tells no pace
        ([(0.5, 28), (0.3, 29)], 60, None),  # nor do two of the same day
        ([], 60, None),
    ],
)
def test_growth_by_past_reports(tmp_path: Path, points: list[tuple[float, float]], used: float, status: Status | None) -> None:
    for days, then in points:
        past(tmp_path, days, then)
    found = growth(collected(tmp_path, used))
    if status is None:
        assert CLAIM not in found
        assert {verdict.status for verdict in found.values()} == {Status.UNKNOWN}
        assert any("a pace needs two" in verdict.why for verdict in found.values())
        return
    assert found[CLAIM].status is status, found[CLAIM].message
    assert [item.read for item in found[CLAIM].evidence][:2] == ["kubelet_stats", "history_reports"]
    if status is Status.FAIL:
        assert "7 d" in found[CLAIM].message


def test_figures_of_two_sources_make_no_pace(tmp_path: Path) -> None:
    for days in (14, 7):
        past(tmp_path, days, 20, source="longhorn_volumes")
    assert CLAIM not in growth(collected(tmp_path, 60))


def test_a_prometheus_is_asked_before_the_past_reports(tmp_path: Path) -> None:
    for days in (14, 7):
        past(tmp_path, days, 20, source="prometheus_volumes")
    usage = Usage(prometheus=mounted(extracted=60), earlier={"exivity/exivity-extracted": 59})
    snapshot = told(snapshot_of(site_of(builders.multi_node(), usage=usage)), tmp_path, BY_NAME["history_reports"])[0]
    assert growth(snapshot)[CLAIM].status is Status.PASS
    assert growth(collected(tmp_path, 60)).get(CLAIM) is None


def test_a_report_tells_the_use_that_the_next_run_measures_by() -> None:
    usage = Usage(kubelets={"worker-1": mounted(extracted=60)})
    found = json.loads(json_report(scorecard(judged(builders.multi_node(), usage=usage)), sample.run_info()))
    volumes = {one["subject"]: one for one in found["tables"]["volumes"]}
    assert volumes[CLAIM] == {"site": "default", "subject": CLAIM, "used": 60 * GI, "capacity": 100 * GI, "read": "kubelet_stats"}
    assert found["tables"]["trend"] is None


def test_the_trend_is_the_same_live_and_offline(tmp_path: Path) -> None:
    folder = tmp_path / "history"
    folder.mkdir()
    for days in (3, 2, 1):
        past(folder, days, 40 - days, source="longhorn_volumes", summary__score=80 - days)
    with serving(builders.multi_node(), tmp_path) as (cluster, _):
        words = ("--history", str(folder), "-o", f"json={tmp_path / 'live.json'}", "--save", str(tmp_path / "saved.json"))
        live = run(cluster, *words)
        run(cluster, "--history", str(folder), "--output", str(tmp_path / "collected.json"), command="collect")
    assert "TREND" in live.stdout
    first = report(tmp_path / "live.json")
    trend = first["tables"]["trend"]
    assert [one["score"] for one in trend] == [77, 78, 79]
    assert list(trend[0]) == FORMS.split()
    assert any(evidence["read"] == "history_reports" for one in first["results"] if one["id"] == "capacity/growth" for evidence in one["evidence"])
    stored = sorted(folder.iterdir())
    assert len(stored) == 4
    assert any(json.loads(file.read_text()) == first for file in stored), "the run adds its own report"
    for name, more in (("saved", ()), ("saved", ("--history", str(folder))), ("collected", ())):
        offline = tool(tmp_path, "run", "--snapshot", f"{name}.json", "-q", "-o", f"json={tmp_path / 'offline.json'}", *more)
        assert offline.returncode == live.returncode, offline.stderr
        second = report(tmp_path / "offline.json")
        for key in ("sites", "rows", "results", "summary", "tables", "unread"):
            if name == "saved":
                assert json.dumps(first[key]) == json.dumps(second[key]), key


def test_a_run_adds_its_report_and_reads_it_the_next_time(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_bytes(encode(snapshot_of(site_of(builders.multi_node()))))
    days = [f"2026-11-{day}T12:00:00Z" for day in ("10", "16", "20")]
    for day in days:
        assert tool(tmp_path, "run", "--snapshot", "s.json", "--history", "h", "--now", day, "-q").returncode in (0, 1, 3)
    found = tool(tmp_path, "run", "--snapshot", "s.json", "--history", "h", "-q", "-o", "json=r.json")
    assert [one["date"] for one in report(tmp_path / "r.json")["tables"]["trend"]] == days
    assert found.stderr == ""
    assert all(NAME.fullmatch(file.name) for file in (tmp_path / "h").iterdir())
    assert len(list((tmp_path / "h").iterdir())) == 4


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (("--history-keep", "2"), 1),
        (("--history-age", "5"), 1),
        (("--config", "c.yaml"), 1),
        (("--history-age", "5", "--history-keep", "9"), 1),
        (("--history-keep", "1"), 0),
        (("--history-age", "36500", "--now", "2150-01-01T00:00:00Z"), 4),  # a later --now makes no report older
    ],
)
def test_retention_takes_away_nothing_but_its_own(tmp_path: Path, words: tuple[str, ...], left: int) -> None:
    (tmp_path / "s.json").write_bytes(encode(snapshot_of(site_of(builders.multi_node()))))
    (tmp_path / "c.yaml").write_text("history: {folder: h, keep: 2}\n")
    folder = tmp_path / "h"
    folder.mkdir()
    own = [past(folder, days) for days in (30, 20, 10, 3)]
    other = past(folder, 40, sites__0__cluster__uid="another")
    foreign = past(folder, 50, sites__0__release="other")
    corrupt = folder / own[0].name.replace("exivity-audit-20", "exivity-audit-19")
    corrupt.write_text(own[0].read_text()[:500])
    renamed = folder / "report-of-then.json"
    renamed.write_text(own[0].read_text())
    link = folder / own[0].name.replace("exivity-audit-20", "exivity-audit-18")
    link.symlink_to(own[0])
    stays = {other, foreign, corrupt, renamed, link, folder / "notes.txt"}
    (folder / "notes.txt").write_text("x")
    history = () if "--config" in words else ("--history", "h")
    found = tool(tmp_path, "run", "--snapshot", "s.json", *history, *words, "-q")
    assert found.returncode in (1, 3), found.stderr
    now = set(folder.iterdir())
    assert stays <= now, "files that are not its own stay"
    assert [file in now for file in own] == [False] * (4 - left) + [True] * left
    assert len(now - stays - set(own)) == 1, "its new report"
    assert found.stderr.count("notes.txt") == 1, "named once"
    assert "left alone" in found.stderr


@pytest.mark.parametrize(
    "change",
    [
        b"", b"{}", b"null", b"[" * 200_000, b'{"schema_version": 9}', b"\xff\xfe\x00", b'{"schema_version":1,"tool":{"name":"other"}}',
        {"run__now": "yesterday"}, {"run__now": "0001-01-01T00:00:00+23:59"}, {"sites": []}, {"sites__0__namespace": "other"}, {"summary": None},
        {"summary__score": 1e999}, {"summary__gate": "\x1b[31mREADY"}, {"tables__volumes": "many"}, {"tables__volumes": [{"subject": 1}]},
    ],
)  # fmt: skip
def test_an_odd_file_is_passed_over_with_a_remark(tmp_path: Path, change: Any) -> None:
    for days in (14, 7):
        past(tmp_path, days, 28)
    odd = past(tmp_path, 3, **(change if isinstance(change, dict) else {}))
    if isinstance(change, bytes):
        odd.write_bytes(change)
    (folder := tmp_path / "folder.json").mkdir()
    snapshot, notes = told(snapshot_of(site_of(builders.multi_node())), tmp_path, BY_NAME["history_reports"])
    (record,) = [one for one in snapshot.sites[0].reads if one.name == "history_reports"]
    assert [one["date"][:10] for one in record.objects] == ["2026-11-09", "2026-11-16"]
    assert len(notes) == 1
    assert odd.name in notes[0]
    assert folder.is_dir()
    assert Status.ERROR not in statuses(snapshot).values()


def test_hostile_figures_are_left_out_or_bounded(tmp_path: Path) -> None:
    volume = {"subject": CLAIM, "used": GI, "capacity": GI, "read": "kubelet_stats"}
    odd = [
        {**volume, "used": -1},
        {**volume, "capacity": 0},
        {**volume, "subject": "\x1b[2J"},
        {**volume, "read": "../x"},
        {**volume, "subject": "x" * 10_000},
    ]
    past(tmp_path, 3, tables__volumes=odd + [{**volume, "subject": f"Claim {number}"} for number in range(5000)], checklist__version="\x07" * 9)
    past(tmp_path, 2, summary__coverage__ratio=7, summary__score=-3)
    (first, second) = collected(tmp_path).sites[0].reads[[one.name for one in collected(tmp_path).sites[0].reads].index("history_reports")].objects
    assert len(first["volumes"]) < 501
    assert "\x1b" not in json.dumps(first)
    assert first["checklist"] is None
    assert (second["score"], second["coverage"]) == (None, None)


def test_a_file_that_is_huge_or_no_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(LARGEST + 1)
    os.mkfifo(tmp_path / "pipe.json")
    site = site_of(builders.multi_node())
    history = History(tmp_path, site.cluster, site.namespace, site.release, NOW)
    assert history(Place("exivity"), {}).objects == ()
    assert history.odd == {"huge.json": "larger than 64 MiB", "pipe.json": "no file"}
    gone = History(tmp_path / "gone", site.cluster, site.namespace, site.release, NOW)(Place("exivity"), {})
    assert gone.failure is not None


def test_reports_of_after_the_time_that_is_judged_are_left_out(tmp_path: Path) -> None:
    for days in (14, 7, 0, -1):
        past(tmp_path, days, 28)
    snapshot = collected(tmp_path, 60)
    assert len(next(one for one in snapshot.sites[0].reads if one.name == "history_reports").objects) == 2


def test_an_old_report_without_figures_is_a_point_of_the_trend() -> None:
    old = json.loads(json.dumps(content()))
    del old["tables"]["volumes"], old["tables"]["trend"], old["baseline"]
    assert decoded(json.dumps(old).encode()).tables.volumes is None


def test_names() -> None:
    cluster = Cluster("arn:aws:eks:eu/../prod \u202e", None, None)
    name = file_name(NOW, cluster, "exivity", "exivity")
    assert NAME.fullmatch(name), name
    assert mark_of(cluster, "a", "b") != mark_of(cluster, "b", "a")
    assert msgspec.json.decode(json.dumps(content())) == content()


@pytest.mark.parametrize(
    "words", [("--history-keep", "2"), ("--history", "missing/h"), ("--history", "h", "--history-keep", "0"), ("--history", "s.json")]
)
def test_flags_that_are_wrong(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "s.json").write_bytes(encode(snapshot_of(site_of(builders.multi_node()))))
    found = tool(tmp_path, "run", "--snapshot", "s.json", *words)
    assert found.returncode == 2, found
    assert "history" in found.stderr
