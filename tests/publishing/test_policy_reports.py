"""The only write: one object of ours, never another's, with three verbs on one name; and nothing else in the tool can write."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from exivity_audit.collect.connection import Connection
from exivity_audit.collect.credentials import Fixed
from exivity_audit.collect.deadline import Deadline
from exivity_audit.errors import Unreachable
from exivity_audit.publishing.cluster_writer import APIS, VERBS, Refused, ReportWriter, object_name, write_rules
from exivity_audit.publishing.destination import Finished, Trouble
from exivity_audit.publishing.policy_reports import PolicyReports
from exivity_audit.publishing.sender import connection_to
from exivity_audit.reports.policy_report import policy_report
from tests.collect.fake_server import Pair
from tests.publishing.report_api import ReportApi
from tests.reports import sample_scorecard as sample

ROOT = Path(__file__).resolve().parents[2]
OPEN = "/apis/openreports.io/v1alpha1/namespaces/exivity/reports/exivity-audit-exivity"
OLD = "/apis/wgpolicyk8s.io/v1alpha2/namespaces/exivity/policyreports/exivity-audit-exivity"
Connect = Callable[[], Connection]


@pytest.fixture
def api(server_pair: Pair, tmp_path: Path) -> Iterator[ReportApi]:
    fake = ReportApi(server_pair)
    with fake.running(tmp_path):
        yield fake


@pytest.fixture
def connect(api: ReportApi, ca_file: Path) -> Connect:
    return lambda: replace(connection_to(api.url, ca_file), credentials=Fixed("Bearer t0ken"), impersonation=(("Impersonate-User", "auditor"),))


def published(connect: Connect, finished: Finished) -> None:
    PolicyReports(connect, "default").publish(finished, Deadline(5))


def test_the_object_is_made_and_then_replaced(api: ReportApi, connect: Connect, finished: Finished) -> None:
    published(connect, finished)
    [(path, made)] = api.objects.items()
    assert path == OPEN
    assert (made["apiVersion"], made["kind"]) == ("openreports.io/v1alpha1", "Report")
    assert made["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "exivity-audit"}
    assert len(made["results"]) == len(finished.report.results)
    published(connect, Finished(sample.ready(), sample.run_info()))
    assert api.objects[OPEN]["metadata"]["uid"] == made["metadata"]["uid"]
    assert api.objects[OPEN]["summary"]["fail"] == 0
    assert {asked.method for asked in api.asked} == {"GET", "PATCH"}
    assert all(asked.header("Authorization") == ["Bearer t0ken"] and asked.header("Impersonate-User") == ["auditor"] for asked in api.asked)
    assert all(asked.query == {"fieldManager": "exivity-audit", "force": "true"} for asked in api.asked if asked.method == "PATCH")


def test_the_older_api_where_it_alone_is_served(api: ReportApi, connect: Connect, finished: Finished) -> None:
    api.served = {"/apis/wgpolicyk8s.io/v1alpha2"}
    published(connect, finished)
    assert set(api.objects) == {OLD}


def test_neither_is_served(api: ReportApi, connect: Connect, finished: Finished) -> None:
    api.served = set()
    with pytest.raises(Trouble, match="serves neither") as raised:
        published(connect, finished)
    assert "CustomResourceDefinitions" in raised.value.following
    assert not any(asked.method == "PATCH" for asked in api.asked)


@pytest.mark.parametrize("labels", [None, {}, {"app.kubernetes.io/managed-by": "kyverno"}])
def test_an_object_that_is_not_ours_is_left_alone(labels: Any, api: ReportApi, connect: Connect, finished: Finished) -> None:
    theirs = {"metadata": {"name": "exivity-audit-exivity", "uid": "theirs", "labels": labels}, "results": ["theirs"]}
    api.objects[OPEN] = theirs
    with pytest.raises(Trouble, match="left alone"):
        published(connect, finished)
    assert api.objects[OPEN] is theirs
    assert not any(asked.method == "PATCH" for asked in api.asked)


def test_an_object_that_changes_hands_meanwhile_is_left_alone(api: ReportApi, connect: Connect, finished: Finished) -> None:
    """Between the look and the write ours was deleted, and somebody made one of that name."""
    published(connect, finished)
    usual = api.next

    def swapping(asked: Any) -> Any:
        answer = usual(asked)
        if asked.method == "GET" and asked.path == OPEN:
            api.objects[OPEN] = {"metadata": {"uid": "theirs", "labels": {}}}
        return answer

    api.next = swapping  # type: ignore[method-assign]
    with pytest.raises(Trouble, match="at the same time"):
        published(connect, finished)
    assert api.objects[OPEN] == {"metadata": {"uid": "theirs", "labels": {}}}


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_is_needed_and_named(verb: str, api: ReportApi, connect: Connect, finished: Finished) -> None:
    api.denied = {verb}
    with pytest.raises(Trouble, match="may not write its policy report") as raised:
        published(connect, finished)
    assert "create, get, patch reports.openreports.io exivity-audit-exivity in exivity" in raised.value.following
    assert not api.objects


def test_an_account_that_may_no_longer_make_one_still_replaces_it(api: ReportApi, connect: Connect, finished: Finished) -> None:
    published(connect, finished)
    api.denied = {"create"}
    published(connect, finished)


def test_the_rules_are_one_name_and_three_verbs() -> None:
    rules = write_rules("exivity", "billing")
    assert {rule.verb for rule in rules} == set(VERBS) == {"create", "get", "patch"}
    assert {rule.resource for rule in rules} == {"reports.openreports.io", "policyreports.wgpolicyk8s.io"}
    assert {(rule.namespace, rule.name) for rule in rules} == {("exivity", "exivity-audit-billing")}


def test_anything_else_is_refused_before_it_is_sent(api: ReportApi, connect: Connect, finished: Finished) -> None:
    good = policy_report(finished.report, APIS[0].api_version, APIS[0].kind, name=object_name("exivity"))
    wrong: list[dict[str, Any]] = [
        {**good, "kind": "Secret"}, {**good, "apiVersion": "v1"}, {**good, "metadata": {**good["metadata"], "name": "other"}},
        {**good, "metadata": {**good["metadata"], "namespace": "kube-system"}}, {**good, "metadata": {**good["metadata"], "labels": {}}},
    ]  # fmt: skip
    with ReportWriter(connect(), "exivity", "exivity", Deadline(5)) as writer:
        for item in wrong:
            with pytest.raises(Refused):
                writer.apply(APIS[0], item)
        with pytest.raises(Refused):
            writer.apply(replace(APIS[0], plural="secrets", group=""), good)
    assert not api.asked
    for namespace, release in (("a/b", "x"), ("..", "x"), ("exivity", "x/../../secrets/y"), ("exivity", "A"), ("", "x")):
        with pytest.raises(Refused):
            ReportWriter(connect(), namespace, release, Deadline(5))


def test_a_site_of_several_gets_its_own_results(api: ReportApi, connect: Connect) -> None:
    both = Finished(sample.two_sites(), sample.run_info())
    for site in both.report.sites:
        PolicyReports(connect, site.name).publish(both, Deadline(5))
        made = next(item for path, item in api.objects.items() if path.endswith(object_name(site.release)) and f"/{site.namespace}/" in path)
        assert len(made["results"]) == sum(one.site == site.name for one in both.report.results)


def test_a_login_that_fails_is_a_failure_of_publishing_alone(finished: Finished) -> None:
    def connect() -> Connection:
        raise Unreachable("The plug-in ended with an error.", "Log in again.")

    with pytest.raises(Trouble, match="plug-in"):
        published(connect, finished)


def test_what_reads_cannot_write_and_what_writes_is_alone() -> None:
    """In the source: nothing under collect/ sends PUT, PATCH or DELETE or knows publishing; one module of publishing knows the API's paths."""
    for path in (ROOT / "exivity_audit" / "collect").rglob("*.py"):
        tree = ast.parse(path.read_text())
        words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        assert not words & {"PUT", "PATCH", "DELETE"}, path.name
        modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not any(module.startswith("exivity_audit.publishing") for module in modules), path.name
    writers = {path.name for path in (ROOT / "exivity_audit").rglob("*.py") if '"PATCH"' in path.read_text()}
    assert writers == {"cluster_writer.py"}
    assert not any('"DELETE"' in path.read_text() for path in (ROOT / "exivity_audit" / "publishing").rglob("*.py"))
    users = {path.name for path in (ROOT / "exivity_audit").rglob("*.py") if "ReportWriter(" in path.read_text()}
    assert users == {"policy_reports.py"}
