"""``fixes.values.yaml`` on the real API server with the real chart: an upgrade and a fresh install with it turn green what they say, and nothing red."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from exivity_audit.actions import Register, register
from exivity_audit.config import Config, Declare, thresholds_of
from exivity_audit.evaluate import Judgement, Outcome, evaluate
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.overlay import State
from exivity_audit.paths import steps
from exivity_audit.remedy import NEW_SECRET, REINSTALL, UPGRADE, FixKind
from exivity_audit.reports.values_overlay import values_overlay
from exivity_audit.score import scorecard
from exivity_audit.verdict import Status, Verdict
from tests import builders
from tests.world import NOW

from . import conforming
from .auditing import PACK, audited
from .controlplane import ControlPlane, Object, chart_path
from .crds import crds
from .live_cluster import LiveCluster, bare
from .test_chart_values import over

pytestmark = pytest.mark.skipif(chart_path() is None, reason="the Exivity chart is not there")

RED = (Status.FAIL, Status.WARN, Status.ERROR)
# What the person writes who fills the overlay in; whose the other values are, says the finding.
FILLED: Object = {
    "licence": builders.LICENCE, "secret.appKey": builders.APP_KEY, "secret.jwtSecret": "Jq8-vRt2_kLm5.Zx9pWn3bYc7dFh1gSa",
    "postgresql.global.postgresql.auth.password": "Tr0ub4dor-Xk29-plmQ-77vz", "postgresql.global.postgresql.auth.postgresPassword": "Wq7-nnBz31-uuYt-Lk55-xx",
    "rabbitmq.auth.username": "billing", "rabbitmq.auth.password": "Zp2-rrVm84-ccHj-Ge61-qq", "ingress.host": builders.HOST, "ingress.ingressClassName": "traefik",
    "ingress.trustedProxy": conforming.POD_NETWORK, "postgresql.host": "pg-rw.databases.svc", "rabbitmq.host": "mq.rabbitmq.svc",
    "rabbitmq.port": 5671, "rabbitmq.secure": True,
}  # fmt: skip
IN_HAND = (None, UPGRADE, REINSTALL, NEW_SECRET)  # what a fresh install and the person who fills in have in hand
# What a service's second copy makes apply, for which the chart has no value; the check for one copy was worse.
OF_SEVERAL_COPIES = ("application/declared-spread", "application/disruption")
USED = {"cpu": "250m", "memory": "512Mi"}


@dataclass(frozen=True)
class Case:
    """Values that somebody installed the chart with, on a cluster of one kind."""

    name: str
    single: bool
    values: Callable[[], Object]

    @property
    def make_volumes(self) -> Callable[[Object], list[Object]]:
        return conforming.local_path_volumes if self.single else conforming.longhorn_volumes


def _example(name: str) -> Callable[[], Object]:
    return lambda: conforming.vendor_example(name) | {"licence": builders.LICENCE}


CASES = (
    Case("the chart's defaults on several nodes", False, dict),
    Case("the vendor's multi-node values", False, _example("best-practice-multi-node")),
    Case("the vendor's single-node values", True, _example("best-practice-single-node")),
)


@pytest.fixture
def fresh(binaries: Path, tmp_path: Path) -> Iterator[ControlPlane]:
    """A control plane for one test, with nothing in it."""
    cluster = ControlPlane.start(binaries, tmp_path / "cluster")
    yield cluster
    cluster.stop()


def below(cluster: ControlPlane, single: bool) -> None:
    """What the release stands on: nodes, a class that expands where it can, a controller."""
    cluster.install_crds(crds("monitoring.coreos.com", real=cluster.crd_folder))
    (conforming.below_single_node if single else conforming.below_multi_node)(cluster)
    conforming.give(cluster, conforming.ingress_nginx(("only",) if single else builders.WORKERS))
    if not single:
        conforming.stand_beside(cluster, conforming.conforming_multi())
        mark = {"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}}
        cluster.patch("/apis/storage.k8s.io/v1/storageclasses/longhorn", mark)


def settled(cluster: ControlPlane, namespace: str, case: Case) -> LiveCluster:
    """A release whose claims are bound and as large as they ask to be, running."""
    conforming.bind(cluster, namespace, case.make_volumes)
    for claim in cluster.items(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"):
        asked = claim["spec"]["resources"]["requests"]["storage"]
        if claim["status"]["capacity"]["storage"] != asked:  # as the driver does when a claim grows
            name = claim["metadata"]["name"]
            volume = claim["spec"]["volumeName"]
            cluster.patch(f"/api/v1/persistentvolumes/{volume}", {"spec": {"capacity": {"storage": asked}}})
            cluster.patch(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}/status", {"status": {"capacity": {"storage": asked}}})
    live = LiveCluster(cluster, namespace, "exivity", make_volumes=case.make_volumes, middleware=("traefik", "kube-system", "ingress-nginx"))
    live.wait_until_ready()
    while conforming.spread_again(cluster, namespace):
        live.wait_until_ready()
    return live


def uninstalled(cluster: ControlPlane) -> None:
    """Takes the release away, with the claims and volumes that the chart tells Helm to keep."""
    cluster.helm("uninstall", "exivity", "-n", "exivity", "--no-hooks")
    cluster.wait(lambda: not cluster.items("/api/v1/namespaces/exivity/pods"), 60, "the pods of the release to be gone")
    for kind, path in (
        ("PersistentVolumeClaim", "/api/v1/namespaces/exivity/persistentvolumeclaims"),
        ("PersistentVolume", "/api/v1/persistentvolumes"),
    ):
        for item in cluster.items(path):
            if item["spec"].get("claimRef", {"namespace": "exivity"})["namespace"] != "exivity":
                continue  # of what stands beside the release
            cluster.delete({"apiVersion": "v1", "kind": kind, **item}, gone_within=30)


def judged(cluster: ControlPlane, namespace: str) -> Judgement:
    """The release of a namespace, as of the day of the fixtures."""
    config = Config(declare=Declare())
    snapshot = audited(cluster, config=config, namespace=namespace).snapshot
    return evaluate(snapshot, PACK, config, thresholds=thresholds_of(config, PACK.thresholds, None), lifecycle=load_lifecycle(None), now=NOW)


def subject_text(verdict: Verdict, namespace: str) -> str:
    """A finding's subject without the namespace and the host, which a fresh install changes."""
    text = str(verdict.subject).replace(f" {namespace}/", " ")
    return re.sub(rf"#(exivity|exivity\.local|{re.escape(builders.HOST)})$", "#host", text)


def by_subject(judgement: Judgement, namespace: str) -> dict[tuple[str, str], tuple[Outcome, Verdict]]:
    """Every verdict by its check and subject."""
    return {
        (outcome.check.id, subject_text(verdict, namespace)): (outcome, verdict) for outcome in judgement.outcomes for verdict in outcome.verdicts
    }


def overlay(judgement: Judgement) -> tuple[str, Register]:
    """The overlay's text, and what it is written from."""
    card = scorecard(judgement)
    found = register(card)
    return values_overlay(card, found, judgement.snapshot.sites[0]), found


def filled(text: str, found: Register) -> Object:
    """The overlay with every comment that stands for a value taken in, and what a person knows written there."""
    whole = re.sub(r"^( *)#: ", r"\1", text, flags=re.M)
    values: Any = yaml.safe_load(whole)
    for setting in found.settings:
        if setting.state is State.FILL_IN:
            *above, leaf = steps(setting.path)
            node = values
            for step in above:
                node = node[step]
            node[leaf] = USED[leaf] if ".resources." in setting.path else FILLED[setting.path]
    return dict(values)


def red(found: dict[tuple[str, str], tuple[Outcome, Verdict]]) -> dict[tuple[str, str], str]:
    return {key: f"{verdict.status}: {verdict.message}" for key, (_, verdict) in found.items() if verdict.status in RED}


def newly_red(before: Judgement, after: Judgement, namespace: str) -> dict[tuple[str, str], str]:
    """What is red and was not, but where it was hidden by the finding it followed, or is said of several copies alone."""
    was, now = by_subject(before, "exivity"), by_subject(after, namespace)
    old = red(was)
    worse = {Status.WARN: (Status.FAIL, Status.ERROR), Status.FAIL: (Status.ERROR,), Status.ERROR: ()}
    hidden = {key for key, (_, verdict) in was.items() if verdict.follows}
    hidden |= {key for key, (_, verdict) in now.items() if key[0] in OF_SEVERAL_COPIES and verdict.status is Status.WARN}
    return {
        key: words for key, words in red(now).items() if key not in hidden and (key not in old or now[key][1].status in worse[was[key][1].status])
    }


def mendable(found: Register, *, by_upgrade: bool) -> set[tuple[str, str]]:
    """The findings that the overlay says it mends: of an upgrade those whose values are all set by it."""
    mended = set()
    for action in found.actions:
        for outcome, verdict in action.findings:
            fix = verdict.fix
            if fix is None or not (fix.kind is FixKind.VALUES or (fix.fill and not by_upgrade)):
                continue
            if not by_upgrade and fix.needs not in IN_HAND:
                continue
            if by_upgrade and (fix.needs not in (None, UPGRADE) or not paths_set(found, verdict)):
                continue
            mended.add((outcome.check.id, subject_text(verdict, "exivity")))
    return mended


def paths_set(found: Register, verdict: Verdict) -> bool:
    states = {setting.path: setting.state for setting in found.settings}
    assert verdict.fix is not None
    return all(states[path] is State.SET for path, _ in verdict.fix.own or verdict.fix.values)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_upgrade_and_a_fresh_install_turn_green_what_they_say(fresh: ControlPlane, tmp_path: Path, case: Case) -> None:
    below(fresh, case.single)
    installed = case.values()
    fresh.install_chart("exivity", "exivity", installed)
    settled(fresh, "exivity", case)
    before = judged(fresh, "exivity")
    text, found = overlay(before)
    assert found.of(FixKind.VALUES)

    file = tmp_path / "fixes.values.yaml"
    file.write_text(text)
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump(installed))
    fresh.helm("upgrade", "exivity", str(chart_path()), "-n", "exivity", "--no-hooks", "-f", str(own), "-f", str(file))
    settled(fresh, "exivity", case)
    upgraded = judged(fresh, "exivity")
    assert not (turned := newly_red(before, upgraded, "exivity")), turned
    left = red(by_subject(upgraded, "exivity"))
    assert not (kept := {key: left[key] for key in mendable(found, by_upgrade=True) & left.keys()}), kept
    for secret in (value for path, value in FILLED.items() if path.startswith("secret.")):
        assert secret not in text

    uninstalled(fresh)
    space = "second"
    secret_object = next(item for item in conforming.conforming_multi(space).network() if item["kind"] == "Secret")
    fresh.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}}, bare(secret_object))
    fresh.install_chart(space, "exivity", over(installed, filled(text, found)))
    settled(fresh, space, case)
    again = judged(fresh, space)
    assert not (turned := newly_red(before, again, space)), turned
    left = red(by_subject(again, space))
    assert not (kept := {key: left[key] for key in mendable(found, by_upgrade=False) & left.keys()}), kept
