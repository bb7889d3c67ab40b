"""The audit against the real control plane and the real chart: defaults, the vendor's examples, conforming installations, rights, proofs."""

from __future__ import annotations

import contextlib
import copy
import json
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from exivity_audit.attestation import Attestation
from exivity_audit.collect.reads import BY_NAME, READS
from exivity_audit.config import BrokerIntent, Config, Declare
from exivity_audit.evaluate import Judgement, Outcome
from exivity_audit.fact import reads_behind
from exivity_audit.verdict import UNDECIDED, Status
from tests import builders
from tests.mutation import Mutation
from tests.mutations import mutations
from tests.products import monitoring
from tests.world import RESOURCES

from . import conforming
from .auditing import PACK, Ran, audited, built, run, statuses, wrong
from .controlplane import Cluster, ClusterError, ControlPlane, Object, chart_path, write_kubeconfig
from .crds import crds, loaded
from .live_cluster import LiveCluster, bare
from .variants import VARIANTS, variant

pytestmark = pytest.mark.skipif(chart_path() is None, reason="the Exivity chart is not there")

BASES = (*(name for name in VARIANTS if name.startswith("multi_node_")), "single_node", "multi_node")
EVERY = sorted((mutation for mutation in mutations() if mutation.live and mutation.base in BASES), key=lambda mutation: BASES.index(mutation.base))


# Clusters


@pytest.fixture(scope="module")
def start(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], ControlPlane]]:
    """Starts a control plane of its own: what is cluster-wide (nodes, classes) differs from case to case."""
    running: list[ControlPlane] = []

    def begin() -> ControlPlane:
        running.append(ControlPlane.start(binaries, tmp_path_factory.mktemp("audit")))
        return running[-1]

    yield begin
    for cluster in running:
        cluster.stop()


@pytest.fixture
def fresh(binaries: Path, tmp_path: Path) -> Iterator[ControlPlane]:
    """A control plane for one test, with nothing in it."""
    cluster = ControlPlane.start(binaries, tmp_path / "cluster")
    yield cluster
    cluster.stop()


class Stage:
    """The conforming clusters, each built when it is first asked for; at any time the multi-node one is itself or one variant."""

    def __init__(self, start: Callable[[], ControlPlane]) -> None:
        self._start = start
        self._built: dict[str, LiveCluster] = {}
        self._variant, self._live = "", contextlib.ExitStack()
        self._shown: LiveCluster | None = None

    def at(self, base: str) -> LiveCluster:
        """The cluster as its base."""
        if base == "single_node":
            return self._of(base)
        whole = self._of("multi_node")
        if base != self._variant:
            self.leave()
            if base in VARIANTS:
                self._shown = self._live.enter_context(variant(whole, base))
                self._variant = base
        return self._shown or whole

    def leave(self) -> None:
        """Takes the variant back."""
        self._variant, self._shown = "", None
        self._live.close()

    def _of(self, base: str) -> LiveCluster:
        if base not in self._built:
            make = conforming.single_node if base == "single_node" else conforming.multi_node
            self._built[base] = make(self._start())
        return self._built[base]


@pytest.fixture(scope="module")
def stage(start: Callable[[], ControlPlane]) -> Stage:
    """The conforming clusters of this module."""
    return Stage(start)


@pytest.fixture
def multi_node(stage: Stage) -> LiveCluster:
    """Scenario B, conforming, installed by Helm as `exivity` in `exivity`."""
    return stage.at("multi_node")


@pytest.fixture
def single_node(stage: Stage) -> LiveCluster:
    """Scenario A, conforming, installed by Helm as `exivity` in `exivity`."""
    return stage.at("single_node")


# Conforming installations: no fail, no warn, nothing broken or unseen

# Left open by any cluster: a person attests them.
ATTESTED = {"application/duplicate-tasks", "application/scaling", "ingress/dns", "backups/ledger", "upgrades/version-controlled"}
# What only a database shows that lies outside the cluster: a person attests it.
OUTSIDE = {
    *(
        f"postgresql/{slug}"
        for slug in ("reachable", "high-availability", "backups", "backup-target", "monitoring", "latency", "storage-headroom", "version")
    ),
    *(
        "pvc_sizes/postgresql",
        "capacity/postgresql",
        "monitoring/alerts-postgresql",
        "postgresql/restore-tested",
        "backups/restore-test",
        "backups/not-volumes-alone",
    ),
}
# No kubelet and no Prometheus answers on this control plane.
UNMEASURED = frozenset({"capacity/growth"})
UNMEASURED_NODE = UNMEASURED | {"capacity/data", "capacity/logs", "capacity/node-disk"}


def assert_conforms(judgement: Judgement, unseen: frozenset[str] = UNMEASURED, attested: set[str] = ATTESTED) -> None:
    """No built check fails, warns or breaks; none is blind but those named; only what no cluster can show is left to a person."""
    bad = wrong(judgement, Status.FAIL, Status.ERROR, Status.WARN, Status.UNKNOWN)
    assert set(bad) == set(unseen), bad
    found = statuses(judgement)
    assert all(found[check] is Status.UNKNOWN for check in unseen), bad
    assert {check for check, status in found.items() if status is Status.MANUAL} <= attested, wrong(judgement, Status.MANUAL)


def test_multi_node_by_helm_conforms(multi_node: LiveCluster) -> None:
    judgement = audited(multi_node.cluster)
    assert str(judgement.scenario.used) == "multi-node"
    assert_conforms(judgement)


def test_single_node_by_helm_conforms(single_node: LiveCluster) -> None:
    judgement = audited(single_node.cluster)
    assert str(judgement.scenario.used) == "single-node"
    assert_conforms(judgement, UNMEASURED_NODE, ATTESTED | OUTSIDE)


def test_multi_node_by_template_conforms(fresh: ControlPlane) -> None:
    live = conforming.multi_node(fresh, "billing", "metering", by="template", name_override="costs")
    judgement = audited(live.cluster)
    site = judgement.snapshot.sites[0]
    assert (site.namespace, site.release, site.fullname) == ("billing", "metering", "costs")
    # The objects carry Argo CD's mark, but no Application of it is there.
    assert_conforms(judgement, UNMEASURED | UNSEEN_BEHIND_ARGO, ATTESTED | {"upgrades/backup-before-upgrade"})


UNSEEN_BEHIND_ARGO = {"upgrades/release-healthy", "upgrades/restore-switch"}


# Variants of the multi-node cluster: other installers, ways in, databases and brokers


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_conforms(stage: Stage, name: str) -> None:
    config = Config(declare=Declare(rabbitmq=BrokerIntent(clustered=True))) if name == "three_brokers" else Config()
    live = stage.at(name)
    judgement = audited(live.cluster, config=config, namespace=live.namespace)
    bad = wrong(judgement, Status.FAIL, Status.ERROR, Status.WARN)
    assert not bad, bad
    left = {check for check, status in statuses(judgement).items() if status is Status.MANUAL}
    papers = tuple(Attestation(check, None, None, "looked at", "J. Doe", "2026-11-02", "2027-05-01", None) for check in left)
    attested = audited(live.cluster, config=config, namespace=live.namespace, attestations=papers)
    assert not wrong(attested, Status.MANUAL, Status.FAIL, Status.ERROR, Status.WARN)
    assert set(wrong(attested, Status.UNKNOWN)) <= UNMEASURED, wrong(attested, Status.UNKNOWN)


# The chart's defaults, and the vendor's example values

Findings = dict[str, Status]
FAIL, WARN = Status.FAIL, Status.WARN


def install(cluster: ControlPlane, values: Object, make_volumes: Callable[[Object], list[Object]], *, namespace: str = "exivity") -> LiveCluster:
    """The chart with some values and nothing beside them, running."""
    cluster.install_chart(namespace, "exivity", values)
    conforming.bind(cluster, namespace, make_volumes)
    live = LiveCluster(
        cluster, namespace, "exivity", make_volumes=make_volumes, middleware=("traefik", "kube-system", "ingress-nginx", "postgresql", "rabbitmq")
    )
    live.wait_until_ready()
    return live


def findings(found: Ran) -> Findings:
    """The built checks that fail or warn, as the JSON report says."""
    return {check: Status(status) for check, status in found.statuses.items() if status in (FAIL, WARN)}


def why(found: Ran, expected: Findings) -> list[str]:
    """What the report says where it differs from what the vendor's text gives."""
    different = {check for check, _ in set(findings(found).items()) ^ set(expected.items())}
    return [
        f"{item['id']} {item['status']}: {item['message']}"
        for item in found.report["results"]
        if item["id"] in different and item["status"] != "skip"
    ]


# What has one copy stops with its node: node-loss leaves that to stateless-replicas, one cause is one finding.
# The same for all four: nobody has filled in what the vendor leaves empty, and the chart offers no other rollout or spread.
NOT_FILLED_IN: Findings = {
    "secrets/app-key": FAIL,  # F7 "Set secret.appKey and secret.jwtSecret explicitly … Do not rely on generated values"
    "secrets/jwt-secret": FAIL,
    "secrets/postgresql-password": FAIL,  # K6; Password12! in the defaults, replace-with-postgresql-password in the examples
    "secrets/rabbitmq-password": FAIL,  # K6; pass, replace-with-rabbitmq-password
    "ingress/dns": FAIL,  # K5; exivity in the defaults, exivity.local in the examples
    "ingress/trusted-proxy": FAIL,  # K5; trustedProxy is empty in all of them
    "ingress/tls": FAIL,  # F6; off in the defaults; the examples name a Secret exivity-tls that someone must make
    "application/singleton-rollout": WARN,  # R3; the chart sets no rollout strategy, so the new pod starts before the old one ends
    "application/resources": WARN,  # X2; 25m and 50Mi are the chart's own
}
# A stock kube-prometheus-stack watches the cluster and its volumes; nobody has told it of the product and what belongs to it.
UNWATCHED: Findings = {
    "postgresql/monitoring": FAIL,  # K3 F10
    "rabbitmq/monitoring": FAIL,  # MQ7
    "monitoring/service-monitors": FAIL,  # F10; off, or without the label by which a stock Prometheus selects
    "monitoring/alerts-application": FAIL,  # K8
    "monitoring/alerts-postgresql": FAIL,
    "monitoring/alerts-rabbitmq": FAIL,
    "monitoring/alerts-ingress": FAIL,
    "monitoring/alerts-certificates": FAIL,  # X2
    "monitoring/alerts-backups": FAIL,
}
EMBEDDED: Findings = {
    "postgresql/backups": FAIL,  # PG4; the chart's job runs at upgrades alone
    "postgresql/version": FAIL,  # D5; PostgreSQL 14 ended on 12 November 2026
    "rabbitmq/version": FAIL,  # D5; 4.1
    "rabbitmq/tls": WARN,  # K4; plaintext inside the cluster
    "security/images-patched": FAIL,  # D5; bitnamilegacy gets no fixes
}
DEFAULTS: Findings = NOT_FILLED_IN | UNWATCHED | EMBEDDED | {
    "secrets/licence": FAIL,  # demo
    "application/stateless-replicas": FAIL,  # R1 R2; one of each
    "pvc_sizes/data": FAIL,  # P2 P3; 1Gi
    "pvc_sizes/logs": FAIL,  # P4; 1Gi
    "pvc_sizes/explicit": FAIL,  # P1
    "pvc_sizes/postgresql": FAIL,  # P6; the embedded claim is 8Gi
    "postgresql/deployment": FAIL,  # PG1 B4
    "postgresql/tls": FAIL,  # PG5; disable
    "rabbitmq/deployment": FAIL,  # MQ2 B5
    "rabbitmq/authentication": FAIL,  # K4; user and pass
    "ingress/class": FAIL,  # K5; none
    "logs/retention": WARN,  # F11; 365 and 30 untouched
}  # fmt: skip
MULTI_NODE_EXAMPLE: Findings = NOT_FILLED_IN | UNWATCHED | {
    "application/stateless-replicas": WARN,  # R2 says two of transcript and use, these values one
    "application/declared-spread": WARN,  # B10; no anti-affinity in the chart
    "application/disruption": WARN,  # X2; no PodDisruptionBudget in the chart
    "ingress/controller-supported": WARN,  # F3 D5; class nginx, and ingress-nginx was archived in March 2026
    "rabbitmq/tls": WARN,  # K4; secure is false
}  # fmt: skip
SINGLE_NODE_EXAMPLE: Findings = NOT_FILLED_IN | UNWATCHED | EMBEDDED | {
    "postgresql/deployment": WARN,  # A2; embedded on a single node
    "postgresql/tls": WARN,  # PG5; embedded on a single node
    "rabbitmq/deployment": WARN,  # A3 MQ2
    "ingress/controller-supported": WARN,  # F3 D5
}  # fmt: skip


def infrastructure(cluster: ControlPlane, *, single: bool = False) -> None:
    """What lies below the product, as it should be, a stock kube-prometheus-stack, and the ingress controller that the vendor's examples name."""
    cluster.install_crds(crds("monitoring.coreos.com", "postgresql.cnpg.io", "barmancloud.cnpg.io", "rabbitmq.com", real=cluster.crd_folder))
    if single:
        conforming.below_single_node(cluster)
    else:
        conforming.below_multi_node(cluster)
        conforming.give(cluster, conforming.longhorn_backups())
    conforming.give(cluster, monitoring.stack())
    conforming.give(cluster, conforming.ingress_nginx(("only",) if single else builders.WORKERS))


def test_the_defaults_of_the_chart(fresh: ControlPlane, tmp_path: Path) -> None:
    infrastructure(fresh)
    # The defaults ask for no class: the cluster's default class is taken.
    mark = {"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}}
    fresh.patch("/apis/storage.k8s.io/v1/storageclasses/longhorn", mark)
    install(fresh, {}, conforming.longhorn_volumes)
    found = run(fresh, folder=tmp_path)
    assert (found.code, found.report["scenario"]["used"]) == (1, "multi-node"), found.errors
    assert findings(found) == DEFAULTS, why(found, DEFAULTS)


@pytest.mark.parametrize("name", ["best-practice-multi-node", "best-practice-multi-site-active-passive"])
def test_the_vendors_multi_node_values(fresh: ControlPlane, tmp_path: Path, name: str) -> None:
    """The values of the active site of a pair are those of the multi-node example; one site alone is judged as multi-node."""
    infrastructure(fresh)
    conforming.give(fresh, conforming.named_by_the_examples())
    install(fresh, conforming.vendor_example(name) | {"licence": builders.LICENCE}, conforming.longhorn_volumes)
    found = run(fresh, folder=tmp_path)
    assert (found.code, found.report["scenario"]["used"]) == (1, "multi-node"), found.errors
    assert findings(found) == MULTI_NODE_EXAMPLE, why(found, MULTI_NODE_EXAMPLE)


def test_the_vendors_single_node_values(fresh: ControlPlane, tmp_path: Path) -> None:
    infrastructure(fresh, single=True)
    install(fresh, conforming.vendor_example("best-practice-single-node") | {"licence": builders.LICENCE}, conforming.local_path_volumes)
    found = run(fresh, "--stats", folder=tmp_path)
    assert (found.code, found.report["scenario"]["used"]) == (1, "single-node"), found.errors
    assert_within_budget(fresh, found)
    assert findings(found) == SINGLE_NODE_EXAMPLE, why(found, SINGLE_NODE_EXAMPLE)


# A Helm upgrade that names a key: the chart keeps the installed one


def upgrade(live: LiveCluster, values: Object, folder: Path) -> Outcome:
    """Upgrades the release with these values, and says what is found of its appKey."""
    file = folder / "values.json"
    file.write_text(json.dumps(values))
    live.cluster.helm("upgrade", "exivity", str(chart_path()), "--namespace", "exivity", "--no-hooks", "--values", str(file))
    live.wait_until_ready()
    return built(audited(live.cluster))["secrets/app-key"]


def test_an_upgrade_that_ignores_a_key_is_seen(fresh: ControlPlane, tmp_path: Path) -> None:
    infrastructure(fresh)
    installed = conforming.conforming_multi()
    values = conforming.user_values(installed)
    del values["secret"]["appKey"]
    secret = next(item for item in installed.network() if item["kind"] == "Secret")
    fresh.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "exivity"}}, bare(secret))
    live = install(fresh, values, conforming.longhorn_volumes)
    assert built(audited(fresh))["secrets/app-key"].status is FAIL
    # The key of the first install was made up by the chart; naming one afterwards does not change it.
    values["secret"]["appKey"] = builders.APP_KEY
    found = upgrade(live, values, tmp_path)
    assert found.status is FAIL
    assert "revision 2 names: the upgrade ignored it" in found.verdicts[0].message


def test_an_upgrade_that_ignores_another_key_is_remarked(multi_node: LiveCluster, tmp_path: Path) -> None:
    values = conforming.user_values(conforming.conforming_multi())
    values["secret"]["appKey"] = builders.APP_KEY[::-1]
    first = multi_node.find("Secret", "sh.helm.release.v1.exivity.v1")
    try:
        found = upgrade(multi_node, values, tmp_path)
    finally:
        multi_node.cluster.helm("rollback", "exivity", "1", "--namespace", "exivity", "--no-hooks")
        for revision in ("v2", "v3"):
            multi_node.remove("Secret", f"sh.helm.release.v1.exivity.{revision}")
        # The first revision is the deployed one again.
        multi_node.edit("Secret", first["metadata"]["name"], lambda item: item.update({"data": first["data"], "metadata": first["metadata"]}))
        multi_node.forget()
        multi_node.wait_until_ready()
    assert_conforms(audited(multi_node.cluster))
    # An explicit key is in use, as F7 wants it, but not the one that the newest values name.
    assert found.status is Status.PASS
    assert "revision 2 names another value, which the upgrade ignored" in found.verdicts[0].remark


# One thing broken at a time

# What else is true on a real control plane, where controllers answer a change.
ALSO_LIVE: dict[tuple[str, str], set[str]] = {
    # The second pod is scheduled to another node, while both mount the claim that one node may write to.
    ("application/singletons", "a second chronos is asked for"): {"storage/access-mode"},
    # With its pods the endpoints of its Service go.
    ("application/services-present", "glass is gone from the single node"): {"ingress/routes"},
}


@pytest.fixture(scope="module")
def baselines() -> dict[tuple[str, str], dict[str, Status]]:
    """What the conforming clusters say under each config that a mutation asks for."""
    return {}


def audited_once_restored(live: LiveCluster, mutation: Mutation, before: dict[str, Status]) -> Judgement:
    """An audit after a mutation was undone: the last of a few, since controllers may take longer than they are given to settle."""
    for number in range(5):
        if number:
            time.sleep(2)
        judgement = audited(live.cluster, config=mutation.config, namespace=live.namespace)
        if statuses(judgement) == before:
            break
    return judgement


@pytest.mark.parametrize("mutation", EVERY, ids=lambda mutation: f"{mutation.base}: {mutation.check}: {mutation.name}")
def test_exactly_the_meant_check_turns(mutation: Mutation, stage: Stage, baselines: dict[tuple[str, str], dict[str, Status]]) -> None:
    live = stage.at(mutation.base)
    key = mutation.base, repr(mutation.config)
    if key not in baselines:
        baselines[key] = statuses(audited(live.cluster, config=mutation.config, namespace=live.namespace))
    before = baselines[key]
    try:
        mutation.change(live)
        live.settle()
        judgement = audited(live.cluster, config=mutation.config, namespace=live.namespace)
    finally:
        live.undo()
        live.settle()
    restored = audited_once_restored(live, mutation, before)
    after = statuses(judgement)
    bad = {Status.FAIL, Status.ERROR} if mutation.to is Status.FAIL else {Status.FAIL, Status.ERROR, Status.WARN}
    words = wrong(judgement, Status.FAIL, Status.ERROR, Status.WARN, Status.UNKNOWN, Status.MANUAL)
    assert after[mutation.check] is mutation.to, words.get(mutation.check, f"{mutation.check} is {after[mutation.check]}")
    turned = {check for check, now in after.items() if now in bad and before[check] is not now}
    meant = {mutation.check, *mutation.also, *ALSO_LIVE.get((mutation.check, mutation.name), set())}
    assert turned <= meant, {check: words[check] for check in turned - meant}
    assert statuses(restored) == before, wrong(restored, Status.FAIL, Status.ERROR, Status.WARN, Status.UNKNOWN)


# Rights


GROUPS = {name.partition(".")[0]: name.partition(".")[2] for name in RESOURCES}
DENIED = (
    "configmaps",
    "deployments",
    "ingresses",
    "nodes",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "secrets",
    "storageclasses",
    "volumes.longhorn.io",
)


def grant(cluster: Cluster, group: str, *, without: str = "") -> list[Object]:
    """A role that lets a group read every resource that a read asks for, but for one; returned so that it can be removed."""
    rules = []
    for resource in sorted({"namespaces", *(read.resource for read in READS)}):
        if resource != without:
            plural, _, api_group = resource.partition(".")
            rules.append({"apiGroups": [api_group or GROUPS.get(plural, "")], "resources": [plural], "verbs": ["get", "list"]})
    name = f"tests-{group}-{secrets.token_hex(3)}"
    subject = {"kind": "Group", "name": group, "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"kind": "ClusterRole", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    made: list[Object] = [
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "subjects": [subject],
            "roleRef": reference,
        },
    ]
    cluster.apply(*made)
    return made


def may_list(cluster: Cluster, user: str, groups: list[str], resource: str) -> bool:
    plural, _, group = resource.partition(".")
    attributes = {"verb": "list", "resource": plural, "group": group or GROUPS.get(plural, "")}
    spec = {"user": user, "groups": groups, "resourceAttributes": attributes}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    return bool(cluster.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)["status"]["allowed"])


@contextlib.contextmanager
def allowed(cluster: Cluster, user: str, group: str, *, without: str = "") -> Iterator[None]:
    """While this lasts a user may read all that an audit reads, but for one resource."""
    seen = "endpointslices"
    made = grant(cluster, group, without=without)
    try:
        cluster.wait(lambda: may_list(cluster, user, [group], seen), 10, f"the rights of {user}")
        assert not (without and may_list(cluster, user, [group], without))
        yield
    finally:
        cluster.remove(made)
        cluster.wait(lambda: not may_list(cluster, user, [group], seen), 10, f"the rights of {user} to end")


def login(cluster: Cluster, user: str, folder: Path) -> Path:
    return cluster.kubeconfig_for(cluster.tokens[user], folder / f"{user}.kubeconfig")


@pytest.mark.parametrize("resource", DENIED)
def test_one_denied_resource_makes_unknown_and_never_passes(multi_node: LiveCluster, tmp_path: Path, resource: str) -> None:
    before = audited(multi_node.cluster)
    with allowed(multi_node.cluster, "auditor", "auditors", without=resource):
        denied = audited(multi_node.cluster, kubeconfig=login(multi_node.cluster, "auditor", tmp_path), namespace="exivity", release="exivity")
    blind = {record.name for record in denied.snapshot.sites[0].reads if record.outcome == "forbidden"}
    assert blind
    assert {BY_NAME[name].resource for name in blind} == {resource}
    assert [outcome.check.id for outcome in denied.outcomes] == [outcome.check.id for outcome in before.outcomes]
    after = built(denied)
    for check, was in built(before).items():
        now = after[check].status
        needed, _ = reads_behind(PACK.facts, was.check.needs, was.check.alternates)
        assert now is not Status.ERROR, f"{check} broke without {resource}"
        assert now is not Status.FAIL, f"{check} fails for want of {resource}"
        assert now is not Status.PASS or was.status is Status.PASS, f"{check} rose from {was.status} to pass without {resource}"
        if blind & set(needed) and was.status is not Status.SKIP:
            assert now in UNDECIDED, f"{check} is {now} without {resource}, which it needs"


def test_without_any_right_a_named_release_gets_a_full_report_of_unknowns(multi_node: LiveCluster, tmp_path: Path) -> None:
    full = run(multi_node.cluster, folder=tmp_path)
    found = run(
        multi_node.cluster,
        "--namespace",
        "exivity",
        "--release",
        "exivity",
        kubeconfig=login(multi_node.cluster, "outsider", tmp_path),
        folder=tmp_path,
    )
    assert found.code == 3, found.errors
    assert found.errors == ""
    assert {item["id"] for item in found.report["results"]} == {item["id"] for item in full.report["results"]} == {check.id for check in PACK.checks}
    assert sum(found.report["summary"]["counts"].values()) == sum(full.report["summary"]["counts"].values()) == len(PACK.checks)
    assert set(found.statuses.values()) <= {"unknown", "manual", "skip"}


def test_without_any_right_and_without_a_name_there_is_one_sentence(multi_node: LiveCluster, tmp_path: Path) -> None:
    found = run(multi_node.cluster, kubeconfig=login(multi_node.cluster, "outsider", tmp_path), folder=tmp_path)
    assert_one_sentence(found, 2, r"cannot look for the Exivity release.*\n  next: .*--release")


# What is sent to the API server


def test_the_audit_log_shows_reads_alone(multi_node: LiveCluster, tmp_path: Path) -> None:
    cluster = multi_node.cluster
    with allowed(cluster, "reader", "readers"):
        seen = len(cluster.audit_records())
        found = run(cluster, "--stats", "--quiet", kubeconfig=login(cluster, "reader", tmp_path), folder=tmp_path)
    counted = re.search(r"stats: (\d+) requests \((.*?)\), (\d+) bytes", found.errors)
    assert counted, found.errors
    requests = int(counted[1])

    def recorded() -> list[Object]:
        records = [record for record in cluster.audit_records()[seen:] if record["user"]["username"] == "reader"]
        return records if len(records) >= requests else []

    records = cluster.wait(recorded, 10, f"{requests} requests in the audit log")
    assert len(records) == requests
    assert {record["verb"] for record in records} <= {"get", "list", "create"}
    created = [record for record in records if record["verb"] == "create"]
    assert {record["objectRef"]["resource"] for record in created} <= {"selfsubjectreviews", "selfsubjectaccessreviews"}
    assert {record["responseStatus"]["code"] for record in records} <= {200, 201, 404}
    assert int(counted[3]) > 0
    # Secrets are listed in the release's namespace alone, elsewhere one is read by its name: Alertmanager's configuration.
    secrets_asked = [(record["verb"], record["objectRef"]) for record in records if record.get("objectRef", {}).get("resource") == "secrets"]
    assert all(reference["namespace"] == "exivity" for verb, reference in secrets_asked if verb == "list")
    elsewhere = {(reference["namespace"], reference["name"]) for _, reference in secrets_asked if reference["namespace"] != "exivity"}
    assert elsewhere == {("monitoring", item["metadata"]["name"]) for item in monitoring.config_secrets()}


def test_no_secret_value_leaves_the_cluster(multi_node: LiveCluster, tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    assert run(multi_node.cluster, "--output", str(file), folder=tmp_path, command="collect").code == 0
    found = run(multi_node.cluster, "--verbose", folder=tmp_path)
    everything = file.read_text() + found.output + json.dumps(found.report)
    for value in (builders.APP_KEY, builders.JWT_SECRET, builders.DATABASE_PASSWORD, builders.BROKER_PASSWORD, builders.LICENCE):
        assert value not in everything
        assert builders.encode(value) not in everything
    assert "PRIVATE KEY" not in everything


def test_it_asks_no_more_than_its_budget(multi_node: LiveCluster, tmp_path: Path) -> None:
    """Although database and broker stand in namespaces of their own, each with lists of its own."""
    found = run(multi_node.cluster, "--stats", folder=tmp_path)
    assert_within_budget(multi_node.cluster, found)


def assert_within_budget(cluster: Cluster, found: Ran) -> None:
    """Sixty requests, and one more for each kind of an operator that the cluster serves."""
    counted = re.search(r"stats: (\d+) requests", found.errors)
    assert counted, found.errors
    served = {f"{plural}.{group}" for group, plural in kinds_of_operators(cluster)} & {read.resource for read in READS}
    assert {"clusters.postgresql.cnpg.io", "prometheuses.monitoring.coreos.com", "rabbitmqclusters.rabbitmq.com"} <= served
    assert int(counted[1]) <= 60 + len(served), found.errors


def kinds_of_operators(cluster: Cluster) -> set[tuple[str, str]]:
    listed = cluster.items("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
    return {(item["spec"]["group"], item["spec"]["names"]["plural"]) for item in listed}


# Reports that are objects of Kubernetes


@pytest.mark.parametrize("form", ["policyreport", "openreports"])
def test_the_api_server_takes_the_report(multi_node: LiveCluster, tmp_path: Path, form: str) -> None:
    """With the real definitions, and unknown or doubled fields refused."""
    cluster = multi_node.cluster
    assert cluster.crd_folder is not None
    definitions = [loaded(file) for file in sorted(cluster.crd_folder.glob("*report*.yaml"))]
    assert {item["spec"]["group"] for item in definitions} == {"wgpolicyk8s.io", "openreports.io"}
    cluster.install_crds(definitions)
    file = tmp_path / "report.yaml"
    assert run(cluster, "-o", f"{form}={file}", folder=tmp_path).code == 1 or file.exists()
    report = yaml.safe_load(file.read_text())
    assert len(report["results"]) >= len(PACK.checks)
    path = cluster.path(report).rpartition("/")[0]
    taken = cluster.request("POST", f"{path}?dryRun=All&fieldValidation=Strict", report)
    assert taken["results"] == report["results"]
    with pytest.raises(ClusterError, match="unknown field"):
        cluster.request("POST", f"{path}?dryRun=All&fieldValidation=Strict", {**report, "unheardOf": 1})


# Offline equals live


@pytest.mark.parametrize("base", ["multi_node", "single_node"])
def test_a_snapshot_is_judged_as_the_cluster_is(base: str, stage: Stage, tmp_path: Path) -> None:
    live = stage.at(base)
    file = tmp_path / "snapshot.json.gz"
    direct = run(live.cluster, "--save", str(file), folder=tmp_path)
    offline = run(None, "--snapshot", str(file), folder=tmp_path)
    assert offline.code == direct.code
    for part in ("sites", "rows", "results", "summary"):
        assert json.dumps(offline.report[part]) == json.dumps(direct.report[part]), part


# Bad input: the right exit code and one sentence with the next step


def assert_one_sentence(found: Ran, code: int, pattern: str) -> None:
    """The exit code, nothing on standard output, and on standard error one sentence and a next step."""
    assert (found.code, found.output) == (code, ""), found.errors
    assert re.search(pattern, found.errors, re.DOTALL), found.errors
    assert "Traceback" not in found.errors
    lines = found.errors.splitlines()
    assert len(lines) == 2, found.errors
    assert lines[0].startswith("exivity-audit: ")
    assert lines[1].startswith("  next: ")


def test_several_releases_are_named(multi_node: LiveCluster, tmp_path: Path) -> None:
    another = copy.deepcopy(multi_node.find("Deployment", "exivity-glass"))
    another["metadata"]["namespace"] = "acceptance"
    another["spec"]["replicas"] = 0
    try:
        multi_node.add(another)
        found = run(multi_node.cluster, folder=tmp_path)
        assert_one_sentence(found, 2, r"several Exivity releases.*acceptance/exivity, exivity/exivity.*--release")
        assert run(multi_node.cluster, "--namespace", "exivity", folder=tmp_path).report["sites"][0]["namespace"] == "exivity"
    finally:
        multi_node.undo()
        multi_node.settle()


@pytest.mark.parametrize(
    ("flags", "pattern"),
    [
        (("--context", "nowhere"), "nowhere"),
        (("--namespace", "exivty"), "the namespace 'exivty' does not exist"),
        (("--namespace", "default"), "no Exivity release in namespace default"),
        (("--release", "exivty"), "no release 'exivty'.*exivity/exivity"),
    ],
    ids=["context", "namespace", "no release", "release"],
)
def test_a_wrong_name_is_one_sentence(multi_node: LiveCluster, tmp_path: Path, flags: tuple[str, str], pattern: str) -> None:
    assert_one_sentence(run(multi_node.cluster, *flags, folder=tmp_path), 2, pattern)


def test_a_cluster_without_the_product_is_one_sentence(fresh: ControlPlane, tmp_path: Path) -> None:
    assert_one_sentence(run(fresh, folder=tmp_path), 2, "no Exivity release in the cluster")


def test_no_cluster_is_one_sentence(multi_node: LiveCluster, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = f"https://127.0.0.1:{taken.getsockname()[1]}"
        authority = (multi_node.cluster.directory / "authority.crt").read_bytes()
        path = write_kubeconfig(tmp_path / "nobody.kubeconfig", server, authority, {"token": "none"})
        assert_one_sentence(run(None, "--request-timeout", "2s", kubeconfig=path, folder=tmp_path), 4, "cannot be reached")


def test_a_token_that_is_not_known_is_one_sentence(multi_node: LiveCluster, tmp_path: Path) -> None:
    path = multi_node.cluster.kubeconfig_for("wrong", tmp_path / "wrong.kubeconfig")
    assert_one_sentence(run(None, kubeconfig=path, folder=tmp_path), 4, "does not accept the credentials")
