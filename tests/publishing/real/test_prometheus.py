"""Metrics pushed to a real Pushgateway and scraped by a real Prometheus; every query of the dashboard and every alert asked there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from exivity_audit.collect.deadline import Deadline
from exivity_audit.publishing.destination import Finished, Trouble
from exivity_audit.publishing.pushgateway import Pushgateway
from exivity_audit.publishing.secret import Secret
from exivity_audit.reports.prometheus import render_prometheus
from exivity_audit.score import Scorecard
from exivity_audit.snapshot import Cluster
from tests.collect.fake_server import Pair
from tests.publishing.dashboards import BOARD, DASHBOARD, RULES, VARIABLES, Query, expanded, queries
from tests.publishing.real.servers import Prometheus, program, prometheus, pushgateway, until
from tests.reports import sample_scorecard as sample

HERE = Path(__file__).parent
BCRYPT_OF_WORD = "$2b$04$HzsFvH6Vs1hIvDdFOaorKOrYzhxZTdD1S1R0ofACR9/cNkxPHgWe."


def named(card: Scorecard, cluster: str) -> Finished:
    """The run of a cluster of this name."""
    import msgspec

    snapshot = card.judgement.snapshot
    sites = tuple(msgspec.structs.replace(site, cluster=Cluster(cluster, site.cluster.uid, site.cluster.version)) for site in snapshot.sites)
    judgement = replace(card.judgement, snapshot=msgspec.structs.replace(snapshot, sites=sites))
    return Finished(replace(card, judgement=judgement), sample.run_info())


@dataclass
class Engines:
    """A Pushgateway and the Prometheus that scrapes it."""

    gateway: str
    prometheus: Prometheus

    def push(self, card: Scorecard, cluster: str) -> None:
        Pushgateway(f"http://{self.gateway}").publish(named(card, cluster), Deadline(10))


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    folder = tmp_path_factory.mktemp("engines")
    program("prometheus")
    with pushgateway(folder) as gateway, prometheus(folder, gateway, RULES) as server:
        found = Engines(gateway, server)
        found.push(sample.not_ready(), "ams")
        found.push(sample.ready(), "arn:aws:eks:eu-west-1:1:cluster/test")
        until(lambda: len(server.query("exivity_audit_info")) == 2, "both clusters to be scraped")
        yield found


def test_what_is_scraped_is_what_was_pushed(engines: Engines) -> None:
    [score] = engines.prometheus.query('exivity_audit_score{cluster="ams"}')
    run = named(sample.not_ready(), "ams")
    assert float(score["value"][1]) == run.report.summary.score
    assert (score["metric"]["job"], score["metric"]["release"]) == ("exivity-audit", "exivity")
    samples = [line for line in render_prometheus(run.report).decode().splitlines() if not line.startswith("#")]
    assert len(engines.prometheus.query('{__name__=~"exivity_audit_.+",cluster="ams"}')) == len(samples)
    assert {one["metric"]["cluster"] for one in engines.prometheus.query("exivity_audit_gate")} == {"ams", "arn:aws:eks:eu-west-1:1:cluster/test"}


@pytest.mark.parametrize("query", list(queries()), ids=lambda query: query.panel)
def test_every_panel_shows_something(query: Query, engines: Engines) -> None:
    assert engines.prometheus.query(query.expression)
    if not query.instant:
        now = float(engines.prometheus.query("time()")[1])  # type: ignore[arg-type]  # a scalar
        found = engines.prometheus.api("query_range", query=query.expression, start=str(now - 60), end=str(now), step="5")
        assert found["result"]


def test_the_variables_list_both_clusters(engines: Engines) -> None:
    for variable in VARIABLES:
        inside, _, label = variable["query"]["query"].removeprefix("label_values(").removesuffix(")").rpartition(", ")
        values: list[str] = engines.prometheus.api(f"label/{label}/values", **{"match[]": expanded(inside)})
        assert len(values) == (2 if label == "cluster" else 1)


def test_every_alert_is_evaluated_and_the_bad_cluster_stands_out(engines: Engines) -> None:
    def rules() -> list[Any]:
        found: list[Any] = engines.prometheus.api("rules")["groups"][0]["rules"]
        return found if all(rule["health"] == "ok" for rule in found) else []

    found = {rule["name"]: rule for rule in until(rules, "every rule to be evaluated")}
    assert not [rule for rule in found.values() if rule.get("lastError")]
    pending = until(lambda: engines.prometheus.query('ALERTS{alertname="ExivityAuditNotReady"}'), "the alert")
    assert [one["metric"]["cluster"] for one in pending] == ["ams"]


def test_a_push_replaces_the_whole_of_the_last(engines: Engines) -> None:
    """A finding that is mended leaves no series behind."""
    engines.push(sample.not_ready(), "mended")
    stale = 'exivity_audit_check_status{cluster="mended",status="fail"}'
    until(lambda: engines.prometheus.query(stale), "the findings")
    engines.push(sample.ready(), "mended")
    until(lambda: not engines.prometheus.query(stale), "the findings to be gone")
    assert engines.prometheus.query('exivity_audit_gate{cluster="mended",state="READY"} == 1')


@pytest.mark.parametrize("name", ["", "a b", "ümlaut/x", "..", 'quote"\\', "x" * 300])
def test_odd_names_of_clusters_arrive(name: str, engines: Engines) -> None:
    before = {one["metric"].get("cluster", "") for one in engines.prometheus.query("exivity_audit_info")}
    engines.push(sample.ready(), name)
    until(lambda: {one["metric"].get("cluster", "") for one in engines.prometheus.query("exivity_audit_info")} - before, name)
    found = {one["metric"].get("cluster", "") for one in engines.prometheus.query("exivity_audit_info")} - before
    assert found == {name[:120]}


def test_a_pushgateway_with_tls_and_a_password(server_pair: Pair, ca_file: Path, tmp_path: Path) -> None:
    (tmp_path / "server.pem").write_bytes(server_pair.certificate)
    (tmp_path / "server.key").write_bytes(server_pair.key)
    (tmp_path / "web.yaml").write_text(
        f"tls_server_config: {{cert_file: server.pem, key_file: server.key}}\nbasic_auth_users: {{ams: '{BCRYPT_OF_WORD}'}}\n"
    )
    (tmp_path / "password").write_text("word\n")
    (tmp_path / "wrong").write_text("cAnArYhunter2\n")
    run = Finished(sample.not_ready(), sample.run_info())
    with pushgateway(tmp_path, f"--web.config.file={tmp_path / 'web.yaml'}") as place:
        url = f"https://{place}"
        Pushgateway(url, user="ams", password=Secret(file=tmp_path / "password"), ca_file=ca_file).publish(run, Deadline(10))
        for wrong in (Pushgateway(url, ca_file=ca_file), Pushgateway(url, user="ams", password=Secret(file=tmp_path / "wrong"), ca_file=ca_file)):
            with pytest.raises(Trouble, match=r"does not accept the credentials \(HTTP 401\)") as raised:
                wrong.publish(run, Deadline(10))
            assert "cAnArY" not in str(raised.value)
        with pytest.raises(Trouble, match=r"self-signed|unknown authority"):
            Pushgateway(url, user="ams", password=Secret(file=tmp_path / "password")).publish(run, Deadline(10))


def test_a_prometheus_takes_no_pushes(engines: Engines) -> None:
    with pytest.raises(Trouble, match=r"no Pushgateway|takes no pushes"):
        Pushgateway(engines.prometheus.url).publish(Finished(sample.ready(), sample.run_info()), Deadline(10))


def test_promtool_takes_the_rules_and_their_unit_tests(tmp_path: Path) -> None:
    for words in (["check", "rules", str(RULES)], ["test", "rules", str(tmp_path / "test.yaml")]):
        (tmp_path / "test.yaml").write_text((HERE / "rules_test.yaml").read_text().replace("RULES", str(RULES)))
        done = subprocess.run([program("promtool"), *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_the_metrics() -> None:
    text = render_prometheus(Finished(sample.not_ready(), sample.run_info()).report).decode()
    done = subprocess.run([program("promtool"), "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines() if line]
    assert said in ([], ['exivity_audit_days_left use base unit "seconds" instead of "days"']), "days are what people count certificates in"


def test_grafana_reads_the_dashboard_by_its_own_model(tmp_path: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("Go is not installed, so Grafana's own model cannot be built")
    binary = tmp_path / "dashboard"
    built = subprocess.run(
        ["go", "build", "-o", str(binary), "."],
        cwd=HERE / "dashboard",
        env={**os.environ, "GOFLAGS": "-mod=readonly"},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode != 0 and "dial tcp" in built.stderr:
        pytest.skip("Grafana's model could not be fetched")
    assert built.returncode == 0, built.stderr
    for content, code in ((DASHBOARD.read_bytes(), 0), (b'{"unheardOf": 1}', 1), (DASHBOARD.read_bytes().replace(b'"textMode"', b'"textMood"'), 1)):
        assert subprocess.run([binary], input=content, capture_output=True, check=False).returncode == code
    assert BOARD["uid"] == "exivity-audit"
