"""Publishing the policy report on the real API server with the real definitions: what it may, what it needs, and what it leaves alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.publishing.cluster_writer import VERBS, object_name, write_rules

from .auditing import Ran, run
from .controlplane import Cluster, ControlPlane, Object
from .crds import loaded
from .kind import KindCluster

NAMESPACE, RELEASE = "exivity", "exivity"
NAME = object_name(RELEASE)
OPEN = f"/apis/openreports.io/v1alpha1/namespaces/{NAMESPACE}/reports/{NAME}"
OLD = f"/apis/wgpolicyk8s.io/v1alpha2/namespaces/{NAMESPACE}/policyreports/{NAME}"
ROLE = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "policy-report", "namespace": NAMESPACE}}
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "policy-report", "namespace": NAMESPACE},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "policy-report"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "auditor"}],
}  # fmt: skip


@dataclass
class Site:
    """A cluster with the report APIs, and an account that has no rights but those granted here."""

    cluster: Cluster
    kubeconfig: Path
    folder: Path

    def grant(self, verbs: Iterable[str] = VERBS) -> None:
        """The rules that the tool asks for, of these verbs; each by the object's name."""
        rules = [
            {
                "apiGroups": [rule.resource.partition(".")[2]],
                "resources": [rule.resource.partition(".")[0]],
                "verbs": [rule.verb],
                "resourceNames": [rule.name],
            }
            for rule in write_rules(NAMESPACE, RELEASE)
            if rule.verb in verbs
        ]
        self.cluster.delete(ROLE, gone_within=10)
        self.cluster.apply({**ROLE, "rules": rules}, BINDING)

    def publish(self, *arguments: str) -> Ran:
        """A run of an account that may read nothing: a whole report of unknowns."""
        words = ("--namespace", NAMESPACE, "--release", RELEASE, "--quiet", *arguments)
        return run(self.cluster, *words, kubeconfig=self.kubeconfig, folder=self.folder)

    def remove(self, path: str) -> None:
        if self.cluster.exists(path):
            self.cluster.request("DELETE", path)


def definitions(cluster: Cluster) -> dict[str, list[Object]]:
    assert cluster.crd_folder is not None
    found: dict[str, list[Object]] = {}
    for file in sorted(cluster.crd_folder.glob("*report*.yaml")):
        item = loaded(file)
        found.setdefault(item["spec"]["group"], []).append(item)
    return found


@pytest.fixture(scope="module")
def site(control_plane: ControlPlane | KindCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    cluster = control_plane
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    for items in definitions(cluster).values():
        cluster.install_crds(items)
    folder = tmp_path_factory.mktemp("auditor")
    yield Site(cluster, cluster.kubeconfig_for(cluster.tokens["auditor"], folder / "kubeconfig"), folder)
    cluster.remove_namespace(NAMESPACE)


def test_without_the_right_the_report_is_whole_and_the_rule_is_named(site: Site) -> None:
    found = site.publish("--publish-policy-reports")
    assert found.code == 2
    assert f"create, get, patch reports.openreports.io {NAME} in {NAMESPACE}" in found.errors
    assert found.report["run"]["exit_code"] == 3, "the verdict is what it was"
    assert not site.cluster.exists(OPEN)


def test_with_the_named_rights_it_makes_and_replaces_one_object(site: Site) -> None:
    site.remove(OPEN)
    site.grant()
    before = len(site.cluster.audit_records())
    first = site.publish("--publish-policy-reports")
    assert first.code == 3, first.errors
    made = site.cluster.get(OPEN)
    assert len(made["results"]) == len(first.report["results"])
    assert made["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "exivity-audit"
    assert [entry["manager"] for entry in made["metadata"]["managedFields"]] == ["exivity-audit"]
    site.cluster.patch(OPEN, {"summary": {"pass": 4242}})  # somebody edits it by hand
    second = site.publish("--publish-policy-reports")
    assert second.code == 3, second.errors
    again = site.cluster.get(OPEN)
    assert (again["metadata"]["uid"], again["summary"]["pass"]) == (made["metadata"]["uid"], made["summary"]["pass"])
    written = [
        record
        for record in site.cluster.audit_records()[before:]
        if record["user"]["username"] == "auditor" and record["verb"] not in ("get", "list")
    ]
    kinds = {(record["verb"], re.sub(r"\?.*", "", record["requestURI"])) for record in written}
    assert {kind for kind in kinds if "selfsubject" not in kind[1]} == {("patch", OPEN)}
    assert not site.cluster.exists(OLD), "where both are served, the newer one alone"


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_is_needed(verb: str, site: Site) -> None:
    site.remove(OPEN)
    site.grant([one for one in VERBS if one != verb])
    found = site.publish("--publish-policy-reports")
    assert (found.code, "may not write its policy report" in found.errors) == (2, True), found.errors
    assert not site.cluster.exists(OPEN)


def test_another_object_of_that_name_is_left_alone(site: Site) -> None:
    site.remove(OPEN)
    site.grant()
    theirs: dict[str, Any] = {
        "apiVersion": "openreports.io/v1alpha1", "kind": "Report", "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": {"app.kubernetes.io/managed-by": "kyverno"}},
        "summary": {"pass": 1},
    }  # fmt: skip
    site.cluster.apply(theirs)
    before = site.cluster.get(OPEN)
    found = site.publish("--publish-policy-reports")
    assert (found.code, "left alone" in found.errors) == (2, True), found.errors
    assert site.cluster.get(OPEN) == before
    site.remove(OPEN)


def test_without_the_flag_nothing_is_written(site: Site) -> None:
    site.grant()
    before = len(site.cluster.audit_records())
    assert site.publish().code == 3
    verbs = {record["verb"] for record in site.cluster.audit_records()[before:] if record["user"]["username"] == "auditor"}
    assert verbs <= {"get", "list", "create"}, "create: the reviews of ourselves, which are stored nowhere"
    assert not site.cluster.exists(OPEN)


def test_the_older_api_where_it_alone_is_served(site: Site) -> None:
    site.grant()
    own = definitions(site.cluster)
    site.cluster.remove(own["openreports.io"])
    try:
        found = site.publish("--publish-policy-reports")
        assert found.code == 3, found.errors
        assert site.cluster.get(OLD)["kind"] == "PolicyReport"
    finally:
        site.cluster.install_crds(own["openreports.io"])
