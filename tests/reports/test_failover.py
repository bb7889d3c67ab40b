"""Readiness for failover and the runbook: what a pair shows for the vendor's eight actions, in every report."""

from __future__ import annotations

import copy
import json
import re
import shlex
from collections.abc import Callable
from typing import Any

import pytest

from exivity_audit.config import Config, thresholds_of
from exivity_audit.evaluate import Judgement, evaluate
from exivity_audit.facts.failover import State
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.readiness import Action
from exivity_audit.reports.html import render_html
from exivity_audit.reports.json_report import report_shape
from exivity_audit.reports.markdown import render_markdown
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.reports.runbook import render_runbook
from exivity_audit.reports.terminal import render_terminal
from exivity_audit.score import Scorecard, scorecard
from tests.judging import site_of, snapshot_of
from tests.products.two_sites import pair
from tests.world import World

RUN = RunInfo("0.1.0", "2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z", (), None, None, None, 0, None, None, 0, "")
Change = Callable[[dict[str, World]], None]


def judged(change: Change = lambda worlds: None, names: tuple[str, str] = ("ams", "fra")) -> Judgement:
    worlds = pair()
    change(worlds)
    sites = [site_of(world, name=name, role=role) for world, name, role in zip(worlds.values(), names, ("active", "passive"), strict=True)]
    pack = own_pack()
    return evaluate(snapshot_of(*sites), pack, Config(), thresholds=thresholds_of(Config(), pack.thresholds, None), lifecycle=load_lifecycle(None))


def actions(judgement: Judgement, site: str = "fra") -> tuple[Action, ...]:
    found: tuple[Action, ...] = judgement.tables[site]["failover"]
    return found


@pytest.fixture(scope="module")
def conforming() -> Scorecard:
    return scorecard(judged())


def test_a_conforming_pair_is_ready_but_for_what_no_cluster_shows(conforming: Scorecard) -> None:
    found = actions(conforming.judgement)
    assert [one.step for one in found] == list(range(1, 9))
    assert [one.state for one in found] == [State.BY_HAND, *[State.READY] * 7]
    assert all(one.active == "ams" and one.workflow and one.seen for one in found)
    assert "failover" not in conforming.judgement.tables["ams"]


def _edit(kind: str, name: str, namespace: str, change: Callable[[Any], None], site: str = "fra") -> Change:
    return lambda worlds: worlds[site].edit(kind, name, change, namespace)


PROMOTED = _edit("Cluster", "pg", "databases", lambda item: item["spec"]["replica"].update(enabled=False))
NO_BROKER = _edit("RabbitmqCluster", "mq", "rabbitmq", lambda item: item["status"]["conditions"].clear())
LOST_TARGET = _edit("BackupTarget", "default", "longhorn-system", lambda item: item["status"].update(available=False))


@pytest.mark.parametrize(
    ("change", "step", "state"),
    [(PROMOTED, 3, State.MISSING), (NO_BROKER, 4, State.MISSING), (LOST_TARGET, 5, State.MISSING)],
    ids=["a promoted replica", "a broker without conditions", "a target that is lost"],
)
def test_what_is_missing_stands_at_its_action(change: Change, step: int, state: State) -> None:
    found = {one.step: one for one in actions(judged(change))}
    assert found[step].state is state
    assert found[step].open
    assert found[step].checks
    assert found[8].state is State.READY


def test_an_unreached_standby_is_unknown_and_never_ready() -> None:
    worlds = pair()
    ours = site_of(worlds["ams"], name="ams", role="active")
    theirs = site_of(worlds["fra"], name="fra", role="passive")
    import msgspec

    from exivity_audit.snapshot import Outcome

    lost = tuple(msgspec.structs.replace(record, outcome=Outcome.FAILED, reason="no answer", objects=()) for record in theirs.reads)
    theirs = msgspec.structs.replace(theirs, reads=lost)
    pack = own_pack()
    found = evaluate(
        snapshot_of(ours, theirs), pack, Config(), thresholds=thresholds_of(Config(), pack.thresholds, None), lifecycle=load_lifecycle(None)
    )
    states = {one.step: one.state for one in actions(found)}
    assert {states[step] for step in (3, 4, 5, 6, 7)} == {State.UNKNOWN}
    assert "not seen" in render_runbook(scorecard(found))


def test_every_report_has_the_table(conforming: Scorecard) -> None:
    for width in (80, 110):
        text = render_terminal(conforming, RUN, width=width, colour=False, ascii=False, verbose=False)
        assert "FAILOVER FROM AMS TO FRA" in text
        assert "7 of 8 ready" in text
        assert max(len(line) for line in text.splitlines()) <= width
    report = report_shape(conforming, RUN)
    rows = report.tables.failover
    assert rows is not None
    assert [(row.site, row.step, row.state) for row in rows][:2] == [("fra", 1, State.BY_HAND), ("fra", 2, State.READY)]
    assert "### Failover to fra" in render_markdown(report).decode()
    for language in ("en", "nl", "de"):
        assert render_html(conforming, RUN, language).decode().count('<section id="failover"') == 1


def test_one_site_has_no_table() -> None:
    world = pair()["ams"]
    pack = own_pack()
    found = evaluate(
        snapshot_of(site_of(world, name="default", role=None)), pack, Config(), thresholds=thresholds_of(Config(), pack.thresholds, None),
        lifecycle=load_lifecycle(None),
    )  # fmt: skip
    card = scorecard(found)
    assert report_shape(card, RUN).tables.failover is None
    assert "FAILOVER" not in render_terminal(card, RUN, width=80, colour=False, ascii=False, verbose=False)
    assert "no active site with a standby" in render_runbook(card)


def test_the_runbook_names_this_pair(conforming: Scorecard) -> None:
    text = render_runbook(conforming)
    assert re.findall(r"^## (\d)\.", text, re.MULTILINE) == list("12345678")
    for told in (
        "from ams to fra", "argo submit --context \"$FRA\" -n argo --from workflowtemplate/exivity-failover", "scale --replicas=0 deployment/exivity-glass",
        "patch cluster.postgresql.cnpg.io pg", "get rabbitmqcluster.rabbitmq.com mq", "https://exivity.acme.eu/", "| exivity-extracted | 100Gi |",
        "service.proximityApi.replicas: 2", "--site fra=",
    ):  # fmt: skip
        assert told in text, told
    scaled = next(line for line in text.splitlines() if "--replicas=1" in line)
    assert {word for word in shlex.split(scaled) if word.startswith("deployment/")} == {
        "deployment/exivity-chronos", "deployment/exivity-executor", "deployment/exivity-griffon", "deployment/exivity-proximity-cli",
    }  # fmt: skip


def test_the_promotion_fits_how_the_replica_is_declared() -> None:
    def by_name(item: Any) -> None:
        item["spec"]["replica"] = {"primary": "pg-ams", "self": "pg-fra", "source": "pg-ams"}

    def by_switch(item: Any) -> None:
        item["spec"]["replica"] = {"enabled": True, "source": "pg-ams"}

    for change, wanted in ((by_name, {"primary": "pg-fra"}), (by_switch, {"enabled": False})):
        text = render_runbook(scorecard(judged(_edit("Cluster", "pg", "databases", change))))
        line = next(line for line in text.splitlines() if "patch cluster.postgresql.cnpg.io" in line)
        assert json.loads(shlex.split(line)[-1]) == {"spec": {"replica": wanted}}


def test_hostile_names_stay_names() -> None:
    bad = "fra`$(reboot)\n```\n# owned"
    text = render_runbook(scorecard(judged(names=("ams", bad))))
    assert "\n# owned" not in text
    assert text.count("```") % 2 == 0
    assert not any(line.startswith("```") and line not in ("```", "```sh") for line in text.splitlines())


def test_two_standbys_have_a_table_and_a_runbook_each() -> None:
    worlds = pair()
    third = copy.deepcopy(worlds["fra"])
    sites = [("ams", "active", worlds["ams"]), ("fra", "passive", worlds["fra"]), ("dub", "passive", third)]
    third.edit("Cluster", "pg", lambda item: item["spec"]["replica"].update(enabled=False), "databases")
    pack = own_pack()
    found = evaluate(
        snapshot_of(*(site_of(world, name=name, role=role) for name, role, world in sites)), pack, Config(),
        thresholds=thresholds_of(Config(), pack.thresholds, None), lifecycle=load_lifecycle(None),
    )  # fmt: skip
    assert {one.step: one.state for one in actions(found, "dub")}[3] is State.MISSING
    assert {one.step: one.state for one in actions(found, "fra")}[3] is State.READY
    text = render_runbook(scorecard(found))
    assert text.count("# Failover runbook") == 2
