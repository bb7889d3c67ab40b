"""Generated roles on the real API server: the administrator's result, no request refused or outside the rules, each rule needed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from exivity_audit.evaluate import Judgement
from exivity_audit.selection import checks_by_read
from exivity_audit.verdict import UNDECIDED, Status
from tests.granting import allows

from .accounts import login_of
from .auditing import PACK, audited, run
from .controlplane import Cluster, Object, chart_path
from .live_cluster import LiveCluster

pytestmark = pytest.mark.skipif(chart_path() is None, reason="the Exivity chart is not there")

BASES = ("multi_node", "single_node")
SPACE, NAME = "audit", "exivity-audit"
USER = f"system:serviceaccount:{SPACE}:{NAME}"
RELEASE = {"namespace": "exivity", "release": "exivity"}
Conforming = Callable[[str], LiveCluster]


@contextmanager
def granted(cluster: Cluster, folder: Path, secrets: str) -> Iterator[tuple[Path, list[Object]]]:
    """The roles as the command writes them, applied; a kubeconfig of the service account, and the objects."""
    file = folder / f"roles-{secrets}.yaml"
    made = run(cluster, "--service-account", f"{SPACE}:{NAME}", "--secrets", secrets, "-o", str(file), "--force", command="rbac", folder=folder)
    assert made.code == 0, made.errors
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
    objects = [item for item in yaml.safe_load_all(file.read_text()) if item]
    for item in objects:
        dry = cluster.path(item).rpartition("/")[0] + "?dryRun=All&fieldValidation=Strict"
        if not cluster.exists(cluster.path(item)):
            cluster.request("POST", dry, item)
    cluster.apply(*objects)
    try:
        yield login_of(cluster, SPACE, NAME, folder), objects
    finally:
        cluster.remove([item for item in objects if item["kind"].endswith(("Role", "RoleBinding", "ClusterRoleBinding"))])


def seen(judgement: Judgement) -> dict[str, Any]:
    return {
        outcome.check.id: (outcome.status, tuple((str(one.subject), one.status, one.message, one.evidence) for one in outcome.verdicts))
        for outcome in judgement.outcomes
    }


def named(output: str) -> set[str]:
    """The checks that preflight names."""
    lines = re.findall(r"^ +(?:blind|less evidence, or unknown): (.*?)  \(clauses", output, re.MULTILINE)
    return {check for line in lines for check in line.split(", ")}


def settled(cluster: Cluster, kubeconfig: Path, count: int) -> None:
    """Waits until the authorizer has heard of the roles."""
    folder = kubeconfig.parent

    def heard() -> bool:
        return run(cluster, "-n", "exivity", kubeconfig=kubeconfig, command="preflight", folder=folder).code in ((0,) if count else (3,))

    cluster.wait(heard, 60, "the roles to count")


def rules_of(objects: list[Object]) -> dict[str | None, list[Any]]:
    return {item["metadata"].get("namespace"): item["rules"] for item in objects if item["kind"] in ("Role", "ClusterRole")}


@pytest.mark.parametrize("base", BASES)
def test_with_the_roles_the_result_is_the_admins_and_no_request_is_outside_of_them(base: str, conforming_cluster: Conforming, tmp_path: Path) -> None:
    cluster = conforming_cluster(base).cluster
    with granted(cluster, tmp_path, "list") as (kubeconfig, objects):
        settled(cluster, kubeconfig, 1)
        start = len(cluster.audit_records())
        mine, admin = audited(cluster, kubeconfig=kubeconfig, **RELEASE), audited(cluster, **RELEASE)
        assert seen(mine) == seen(admin)
        records = [record for record in cluster.audit_records()[start:] if record["user"]["username"] == USER]
    assert len(records) > 50
    for record in records:
        place = record.get("objectRef", {})
        if record["verb"] == "create":
            assert place["resource"] in ("selfsubjectreviews", "selfsubjectaccessreviews")
        elif "resource" in place:
            assert record["responseStatus"]["code"] in (200, 404), record["requestURI"]
            resource = f"{place['resource']}.{place['apiGroup']}" if place.get("apiGroup") else place["resource"]
            space = place.get("namespace") if place["resource"] != "namespaces" else None
            rules = [*rules_of(objects).get(None, ()), *(rules_of(objects).get(space, ()) if space else ())]
            assert any(allows(rule, resource, record["verb"], place.get("name")) for rule in rules), record["requestURI"]
        else:
            assert record["requestURI"].partition("?")[0] in ("/version", "/api", "/apis")
    verbs = {verb for items in rules_of(objects).values() for rule in items for verb in rule["verbs"]}
    assert verbs == {"get", "list"}
    assert "*" not in str(rules_of(objects))


@pytest.mark.parametrize("mode", ["named", "none"])
@pytest.mark.parametrize("base", BASES)
def test_with_fewer_secrets_it_differs_by_exactly_the_checks_that_preflight_names(
    base: str, mode: str, conforming_cluster: Conforming, tmp_path: Path
) -> None:
    cluster = conforming_cluster(base).cluster
    with granted(cluster, tmp_path, mode) as (kubeconfig, _):

        def told() -> str:
            found = run(cluster, "-n", "exivity", "--secrets", mode, kubeconfig=kubeconfig, command="preflight", folder=tmp_path)
            return found.output if found.code == 0 else ""

        output = cluster.wait(told, 60, "the roles to count")
        mine, admin = seen(audited(cluster, kubeconfig=kubeconfig, secrets=mode, **RELEASE)), seen(audited(cluster, **RELEASE))
    differing = {check for check in admin if mine[check] != admin[check]}
    assert set() != differing <= named(output)
    assert {admin[check][0] for check in named(output) - differing} <= {Status.SKIP}, "what does not apply here loses nothing"


@pytest.mark.parametrize("base", BASES)
def test_each_rule_is_needed(base: str, conforming_cluster: Conforming, tmp_path: Path) -> None:
    """On one node only what several nodes do not have."""
    cluster = conforming_cluster(base).cluster
    with granted(cluster, tmp_path, "list") as (kubeconfig, objects):
        settled(cluster, kubeconfig, 1)
        admin = seen(audited(cluster, kubeconfig=kubeconfig, **RELEASE))
        for item in objects:
            if item["kind"] not in ("Role", "ClusterRole"):
                continue
            for number, rule in enumerate(item["rules"]):
                if base == "single_node" and not (rule["resources"] == ["persistentvolumes"] or "velero.io" in rule["apiGroups"]):
                    continue
                cluster.request("PUT", cluster.path(item), {**item, "rules": [*item["rules"][:number], *item["rules"][number + 1 :]]})
                _assert_lost(cluster, kubeconfig, admin, f"{rule} in {item['metadata'].get('namespace')}")
                cluster.request("PUT", cluster.path(item), item)


def _assert_lost(cluster: Cluster, kubeconfig: Path, admin: dict[str, Any], rule: str) -> None:
    def changed() -> Judgement | None:
        found = audited(cluster, kubeconfig=kubeconfig, **RELEASE)
        refused = [record for _, record in found.unread if record.outcome == "forbidden"]
        return found if refused else None

    judgement = cluster.wait(changed, 30, f"a read to be refused without {rule}")
    forbidden = {record.name for _, record in judgement.unread if record.outcome == "forbidden"}
    unread = forbidden | {record.name for _, record in judgement.unread if "follows from" in record.reason}
    if forbidden == {"cluster_uid"}:
        assert judgement.snapshot.sites[0].cluster.uid is None
        return
    if forbidden == {"release_namespace"}:
        return
    now = seen(judgement)
    differing = [check for check in admin if now[check] != admin[check]]
    if not differing:  # read of any cluster, judged of two sites alone
        behind = checks_by_read(PACK, None)
        looking = {id for name in forbidden for id in (*behind[name].needing, *behind[name].other)}
        assert not [id for id in looking if admin[id][0] is not Status.SKIP], f"nothing is lost without {rule}"
    for check in differing:
        told = any(evidence.read in unread for *_, evidences in now[check][1] for evidence in evidences)
        assert now[check][0] in UNDECIDED or told, f"{check} does not say what it did not see without {rule}"
        assert now[check][0] is not Status.PASS or admin[check][0] is Status.PASS, f"{check} passes for want of {rule}"


def test_preflight_says_what_only_narrower_places_show(conforming_cluster: Conforming, tmp_path: Path) -> None:
    """A list of the whole cluster does not count as there because it is allowed in one namespace."""
    cluster = conforming_cluster("multi_node").cluster
    with granted(cluster, tmp_path, "list") as (kubeconfig, objects):
        settled(cluster, kubeconfig, 1)
        wide = next(item for item in objects if item["kind"] == "ClusterRole")
        rule = next(one for one in wide["rules"] if one["resources"] == ["servicemonitors"])
        home = next(item for item in objects if item["kind"] == "Role" and item["metadata"]["namespace"] == "exivity")
        cluster.request("PUT", cluster.path(wide), {**wide, "rules": [one for one in wide["rules"] if one is not rule]})
        cluster.request("PUT", cluster.path(home), {**home, "rules": [*home["rules"], rule]})

        def told() -> str:
            found = run(cluster, "-n", "exivity", kubeconfig=kubeconfig, command="preflight", folder=tmp_path)
            return found.output if "partly" in found.output else ""

        output = cluster.wait(told, 60, "the narrower role to count")
    assert "partly  list servicemonitors.monitoring.coreos.com (cluster): only in exivity, so what lies elsewhere stays unseen" in output
    assert "1 is missing" in output
