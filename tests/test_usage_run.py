"""Whole runs with a Prometheus and with --kubelet-stats: offline equals live, nothing leaks, a preflight asks for the right."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests import builders
from tests.collect.fake_server import Asked, FakeServer, Reply, closed_port, reply
from tests.command import audit
from tests.test_whole_run import clean, report, run
from tests.world import World
from tests.world_server import serving

USED = {"used_bytes": 55, "capacity_bytes": 100, "available_bytes": 45}


def told(asked: Asked) -> Reply:
    """Figures of extracted, which grew by 15 % in a week."""
    query = asked.query["query"]
    metric = next((metric for metric in USED if f"volume_stats_{metric}" in query), None)
    if metric is None or 'namespace="exivity"' not in query:
        return reply({"status": "success", "data": {"resultType": "vector", "result": []}})
    share = 40 if "offset" in query else USED[metric]
    labels = {"namespace": "exivity", "persistentvolumeclaim": "exivity-extracted", "node": "worker-1"}
    result = [{"metric": labels, "value": [1_795_000_000, str(share * 2**30)]}]
    return reply({"status": "success", "data": {"resultType": "vector", "result": result}})


def use_results(path: Path) -> dict[str, Any]:
    """The results of the row by id and subject."""
    rows = ("capacity", "postgresql")
    return {f"{item['id']} {(item['subject'] or {}).get('name')}": item for item in report(path)["results"] if item["row"] in rows}


def config(folder: Path, text: str) -> str:
    """A config file."""
    path = folder / "exivity-audit.yaml"
    path.write_text(text)
    return str(path)


def test_offline_equals_live_with_a_prometheus(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("CANARY-token")
    prometheus = FakeServer(None)
    prometheus.route("/api/v1/query", told)
    with prometheus.running(tmp_path), serving(builders.multi_node(), tmp_path) as (cluster, server):
        words = ("--config", config(tmp_path, f"prometheus: {{url: '{prometheus.url}', token_file: token}}\n"))
        live = run(cluster, *words, "-o", f"json={tmp_path / 'live.json'}", "--save", str(tmp_path / "saved.json"))
        assert not any("/proxy" in path for _, path in server.asked)
    assert prometheus.asked[0].header("Authorization") == ["Bearer CANARY-token"]
    offline = audit("run", "--snapshot", str(tmp_path / "saved.json"), "-o", f"json={tmp_path / 'offline.json'}", env=clean())
    assert offline.returncode == live.returncode, offline.stderr
    first, second = report(tmp_path / "live.json"), report(tmp_path / "offline.json")
    for key in ("sites", "rows", "results", "summary", "unread"):
        assert json.dumps(first[key]) == json.dumps(second[key]), key
    found = use_results(tmp_path / "live.json")
    assert found["capacity/data exivity-extracted"]["measured"] == 55
    assert found["capacity/growth exivity-extracted"]["status"] == "fail"
    assert found["capacity/data exivity-exported"]["message"].count("Longhorn")
    for text in (live.stdout, live.stderr, (tmp_path / "live.json").read_text(), (tmp_path / "saved.json").read_text()):
        assert "CANARY" not in text
        assert not re.search(rf"\b{prometheus.port}\b", text), "where Prometheus is, is not kept"


def test_a_prometheus_that_is_not_there_costs_nothing_else(tmp_path: Path) -> None:
    with serving(builders.multi_node(), tmp_path) as (cluster, _):
        words = ("--config", config(tmp_path, f"prometheus: {{url: 'http://user:CANARY@127.0.0.1:{closed_port()}'}}\n"))
        found = run(cluster, *words, "-o", f"json={tmp_path / 'r.json'}", "-v")
    assert "CANARY" not in found.stdout + found.stderr + (tmp_path / "r.json").read_text()
    results = use_results(tmp_path / "r.json")
    assert results["capacity/data exivity-extracted"]["status"] == "pass"
    assert any(item["read"] == "prometheus_volumes" for item in results["capacity/data exivity-extracted"]["evidence"])
    assert {item["outcome"] for item in report(tmp_path / "r.json")["unread"] if item["read"].startswith("prometheus")} == {"failed"}


def test_kubelet_stats_is_opt_in_and_never_goes_through_the_proxy_of_the_api(tmp_path: Path) -> None:
    for flags in ((), ("--kubelet-stats",)):
        with serving(builders.single_node(), tmp_path) as (cluster, server):
            run(cluster, *flags, "--checks", "capacity", "-o", f"json={tmp_path / 'r.json'}")
        assert not any("/proxy" in path or "stats" in path for _, path in server.asked)
        (unread,) = [item for item in report(tmp_path / "r.json")["unread"] if item["read"] == "kubelet_stats"]
        assert unread["outcome"] == ("failed" if flags else "not-asked"), "over plain HTTP nothing vouches for a kubelet"


@pytest.mark.parametrize("allowed", [True, False])
def test_preflight_asks_for_nodes_stats(tmp_path: Path, allowed: bool) -> None:
    asked: list[Any] = []

    class Reviewed(World):
        def post_review(self, path: str, body: Any) -> Any:
            attributes = body.get("spec", {}).get("resourceAttributes", {})
            if attributes.get("subresource"):
                asked.append(attributes)
                return self._ok({"status": {"allowed": allowed}})
            return super().post_review(path, body)

    world = builders.single_node()
    world.__class__ = Reviewed
    with serving(world, tmp_path) as (cluster, _):
        assert run(cluster, command="preflight").returncode == 0
        assert asked == []
        found = run(cluster, "--kubelet-stats", command="preflight")
    assert [(one["verb"], one["resource"], one["subresource"]) for one in asked] == [("get", "nodes", "stats")]
    assert found.returncode == (0 if allowed else 3)
    assert ("missing  get nodes/stats (cluster)" in found.stdout) is not allowed


def test_flags_and_config_that_are_wrong(tmp_path: Path) -> None:
    with serving(builders.single_node(), tmp_path) as (cluster, _):
        for text, said in (
            ("prometheus: {url: 'ftp://CANARY:x@h'}\n", "no URL"),
            ("prometheus: {url: 'http://prometheus.corp', token_file: t}\n", "in the clear"),
            ("prometheus: {url: 'https://h', tokenfile: t}\n", "did you mean 'token_file'?"),
        ):
            found = run(cluster, "--config", config(tmp_path, text))
            assert found.returncode == 2, found.stderr
            assert said in found.stderr
            assert "CANARY" not in found.stderr
    found = audit("run", "--snapshot", "x.json", "--kubelet-stats", env=clean(), cwd=tmp_path)
    assert found.returncode == 2
