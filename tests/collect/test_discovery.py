"""What is served, what is not installed, and what cannot be known are three things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from exivity_audit.collect.discovery import AGGREGATED, Served, discover
from tests.collect.fake_server import FakeServer, Reply, reply, status


def resource(plural: str, kind: str, scope: str = "Namespaced") -> dict[str, Any]:
    return {"resource": plural, "responseKind": {"group": "", "version": "", "kind": kind}, "scope": scope, "verbs": ["get", "list"]}


def group(name: str | None, *versions: tuple[str, str, list[Any]]) -> dict[str, Any]:
    metadata = {"name": name} if name else {"creationTimestamp": None}
    return {
        "metadata": metadata,
        "versions": [{"version": version, "freshness": freshness, "resources": resources} for version, freshness, resources in versions],
    }


def groups(*items: Any) -> Reply:
    return reply({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": list(items)})


CORE = group(
    None, ("v1", "Current", [resource("pods", "Pod"), resource("persistentvolumes", "PersistentVolume", "Cluster"), resource("events", "Event")])
)
APPS = group("apps", ("v1", "Current", [resource("deployments", "Deployment")]))
EVENTS = group("events.k8s.io", ("v1", "Current", [resource("events", "Event")]))
LONGHORN = group(
    "longhorn.io",
    ("v1beta2", "Current", [resource("volumes", "Volume")]),
    ("v1beta1", "Current", [resource("volumes", "Volume"), resource("old", "Old")]),
)
STALE = group("metrics.k8s.io", ("v1beta1", "Stale", []))


@pytest.fixture
def aggregated(server: FakeServer) -> FakeServer:
    server.route("/api", groups(CORE))
    server.route("/apis", groups(APPS, EVENTS, LONGHORN, STALE))
    return server


def test_aggregated_takes_two_requests(aggregated: FakeServer, transport: Callable[..., Any]) -> None:
    found = discover(transport())
    assert found.aggregated
    assert len(aggregated.asked) == 2
    assert all(asked.header("accept") == [AGGREGATED] for asked in aggregated.asked)
    assert found.find("persistentvolumes") == Served("", "v1", "persistentvolumes", "PersistentVolume", False, "/api/v1")
    assert found.find("deployments") == Served("apps", "v1", "deployments", "Deployment", True, "/apis/apps/v1")
    assert found.find("deployments.apps") == found.find("deployments")
    events = found.find("events")
    assert events is not None
    assert events.group == ""


def test_versions_the_preferred_one_first_of_those_understood(aggregated: FakeServer, transport: Callable[..., Any]) -> None:
    found = discover(transport())
    for versions, expected in (((), "v1beta2"), (("v1beta1", "v1beta2"), "v1beta2"), (("v1beta1",), "v1beta1")):
        volumes = found.find("volumes.longhorn.io", versions)
        assert volumes is not None
        assert volumes.version == expected
    old = found.find("old.longhorn.io")
    assert old is not None
    assert old.version == "v1beta1"
    assert found.find("volumes.longhorn.io", ("v7",)) is None
    failure = found.why_not("volumes.longhorn.io", ("v7",))
    assert failure is not None
    assert "v1beta2" in failure.reason


def test_not_installed_is_not_failed(aggregated: FakeServer, transport: Callable[..., Any]) -> None:
    found = discover(transport())
    assert found.find("volumes") is None
    assert found.why_not("volumes") is None
    assert found.find("backups.velero.io") is None
    assert found.why_not("backups.velero.io") is None
    assert found.find("pods.metrics.k8s.io") is None
    failure = found.why_not("pods.metrics.k8s.io")
    assert failure is not None
    assert failure.kind == "server"
    assert list(found.failed_groups) == ["metrics.k8s.io"]
    assert found.has_group("longhorn.io")
    assert not found.has_group("velero.io")


def test_a_stale_built_in_group_makes_an_unqualified_name_unknown(server: FakeServer, transport: Callable[..., Any]) -> None:
    server.route("/api", groups(CORE))
    server.route("/apis", groups(group("apps", ("v1", "Stale", []))))
    found = discover(transport())
    assert found.why_not("deployments") is not None
    assert found.find("pods") is not None


@pytest.mark.parametrize("kind", ["forbidden", "server", "malformed"])
def test_a_lost_half_is_failed_for_all_of_it(server: FakeServer, transport: Callable[..., Any], kind: str) -> None:
    lost = {"forbidden": status(403, "Forbidden"), "server": status(503, "Busy"), "malformed": Reply(body=b"<html>")}[kind]
    server.route("/api", groups(CORE))
    server.route("/apis", lost)
    found = discover(transport())
    assert found.find("pods") is not None
    for name in ("volumes.longhorn.io", "deployments", "deployments.apps"):
        failure = found.why_not(name)
        assert failure is not None
        assert failure.kind == kind


@pytest.mark.parametrize(
    "odd",
    [
        None,
        3,
        {},
        {"metadata": {"name": "../x"}, "versions": []},
        {"metadata": {"name": 5}},
        group("longhorn.io", ("v1", "Current", [None])),
        group("longhorn.io", ("v1/../..", "Current", [])),
        {"metadata": {"name": "longhorn.io"}, "versions": "x"},
        group("longhorn.io", ("v1", "Current", [resource("../secrets", "Secret")])),
    ],
)
def test_an_odd_entry_never_reads_as_not_installed(server: FakeServer, transport: Callable[..., Any], odd: Any) -> None:
    server.route("/api", groups(CORE))
    server.route("/apis", groups(odd, APPS))
    found = discover(transport())
    assert found.find("deployments") is not None
    assert found.find("volumes.longhorn.io") is None
    assert found.why_not("volumes.longhorn.io") is not None


@pytest.fixture
def legacy(server: FakeServer) -> FakeServer:
    def kinds(place: str, *resources: tuple[str, str, bool]) -> Reply:
        listed = [{"name": name, "kind": kind, "namespaced": namespaced, "verbs": ["get"]} for name, kind, namespaced in resources]
        return reply({"kind": "APIResourceList", "groupVersion": place, "resources": listed})

    def versions(name: str, preferred: str, *rest: str) -> dict[str, Any]:
        return {
            "name": name,
            "versions": [{"groupVersion": f"{name}/{one}", "version": one} for one in (*rest, preferred)],
            "preferredVersion": {"version": preferred},
        }

    server.route("/api", reply({"kind": "APIVersions", "versions": ["v1"]}))
    server.route("/api/v1", kinds("v1", ("pods", "Pod", True), ("pods/log", "Pod", True), ("nodes", "Node", False)))
    server.route(
        "/apis",
        reply(
            {
                "kind": "APIGroupList",
                "groups": [versions("apps", "v1"), versions("longhorn.io", "v1beta2", "v1beta1"), versions("metrics.k8s.io", "v1beta1")],
            }
        ),
    )
    server.route("/apis/apps/v1", kinds("apps/v1", ("deployments", "Deployment", True)))
    for version in ("v1beta1", "v1beta2"):
        server.route(f"/apis/longhorn.io/{version}", kinds(version, ("volumes", "Volume", True)))
    server.route("/apis/metrics.k8s.io/v1beta1", status(503, "ServiceUnavailable"))
    return server


def test_legacy_gives_the_same_answers(legacy: FakeServer, transport: Callable[..., Any]) -> None:
    found = discover(transport())
    assert not found.aggregated
    nodes, volumes = found.find("nodes"), found.find("volumes.longhorn.io")
    assert nodes is not None
    assert not nodes.namespaced
    assert nodes.kind == "Node"
    assert volumes is not None
    assert volumes.version == "v1beta2"
    assert found.find("pods/log") is None
    assert found.why_not("backups.velero.io") is None
    failure = found.why_not("pods.metrics.k8s.io")
    assert failure is not None
    assert failure.kind == "server"


def test_legacy_asks_only_the_groups_wanted(legacy: FakeServer, transport: Callable[..., Any]) -> None:
    found = discover(transport(), groups=("longhorn.io",))
    assert legacy.count("/apis/metrics.k8s.io/v1beta1") == 0
    assert found.find("volumes.longhorn.io") is not None
    assert found.find("deployments") is not None
    assert found.why_not("pods.metrics.k8s.io") is not None


def test_paths_are_quoted() -> None:
    served = Served("apps", "v1", "deployments", "Deployment", True, "/apis/apps/v1")
    assert served.path("exivity", "../../secrets") == "/apis/apps/v1/namespaces/exivity/deployments/..%2F..%2Fsecrets"
    assert served.path() == "/apis/apps/v1/deployments"
    assert served.path("exivity") == "/apis/apps/v1/namespaces/exivity/deployments"
