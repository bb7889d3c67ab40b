"""The row ingress through OpenShift's Routes, and OpenShift's own version."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.snapshot import encode as encode_snapshot
from exivity_audit.verdict import Status, Verdict
from tests.builders import HOST, certificate, encode, made, multi_node_openshift, single_node
from tests.judging import judged, site_of, snapshot_of, status, verdicts
from tests.mutation import drop, put
from tests.products.openshift import BROUGHT, ROUTERS, cluster_version, route
from tests.world import World

FAIL, WARN, PASS, UNKNOWN, MANUAL, SKIP = Status.FAIL, Status.WARN, Status.PASS, Status.UNKNOWN, Status.MANUAL, Status.SKIP
SLUGS = ("class", "controller-supported", "routes", "dns", "tls", "certificate", "plain-http", "trusted-proxy", "load-balancer")
ROUTE, HOSTED, ROUTER = "Route exivity/exivity", f"Route exivity/exivity#{HOST}", f"Deployment {ROUTERS}/router-default"
READS = (*BROUGHT, "secrets", "deployments.apps", "pods", "services", "endpointslices.discovery.k8s.io", "nodes")


def denied(world: World, *resources: str) -> World:
    world.deny = lambda resource, namespace, name: resource in resources
    return world


def edited(*changes: Any, name: str = "exivity", kind: str = "Route") -> World:
    world = multi_node_openshift()
    for change in changes:
        world.edit(kind, name, change)
    return world


def one(world: World, slug: str, subject: str) -> Verdict:
    return verdicts(world, f"ingress/{slug}")[subject]


def default_certificate(world: World, issuer: str = "ACME Issuing CA", name: str = "router-certs-default", host: str = "*.acme.eu") -> World:
    """The world where the Routes bring no pair: the router's default certificate stands for them."""
    for item in world.all("Route"):
        for key in ("certificate", "key"):
            item["spec"]["tls"].pop(key, None)
    chain, key = certificate(host, issuer=issuer)
    world.add(made("v1", "Secret", name, ROUTERS, type="kubernetes.io/tls", data={"tls.crt": encode(chain), "tls.key": encode(key)}))
    return world


def from_ingress() -> World:
    """OpenShift made the Routes of the chart's own Ingress."""
    world = multi_node_openshift()
    paths = [
        {"path": path, "pathType": "Prefix", "backend": {"service": {"name": "exivity-glass", "port": {"name": "http"}}}} for path in ("/", "/v1/")
    ]
    world.add(made("networking.k8s.io/v1", "IngressClass", "openshift-default", spec={"controller": "openshift.io/ingress-to-route"}))
    world.add(made(
        "networking.k8s.io/v1", "Ingress", "exivity", "exivity", metadata={"labels": {"app.kubernetes.io/app": "exivity", "app.kubernetes.io/name": "exivity"}},
        spec={"ingressClassName": "openshift-default", "rules": [{"host": HOST, "http": {"paths": paths}}]},
    ))  # fmt: skip
    for number, item in enumerate(world.all("Route")):
        item["metadata"].update(
            name=f"exivity-x{number}", ownerReferences=[{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "exivity", "uid": "1"}]
        )
    return world


def test_conforming() -> None:
    found = judged(multi_node_openshift()).outcomes
    assert {item.check.slug: item.status for item in found if item.check.row == "ingress"} == {
        slug: MANUAL if slug == "dns" else PASS for slug in SLUGS
    }
    assert not [item.check.id for item in found if item.status in (FAIL, Status.ERROR)]


@pytest.mark.parametrize("resource", READS)
def test_a_denied_read_is_no_verdict_on_what_it_hides(resource: str) -> None:
    for item in judged(denied(multi_node_openshift(), resource), namespace="exivity", release="exivity").outcomes:
        if item.check.row == "ingress":
            assert item.status not in (FAIL, Status.ERROR), item.check.id


def test_no_key_is_kept() -> None:
    world = multi_node_openshift()
    world.edit("Route", "exivity", put("metadata.annotations", {"haproxy.router.openshift.io/hsts_header": "max-age=1;hunter2hunter2"}))
    text = encode_snapshot(snapshot_of(site_of(world))).decode()
    assert "PRIVATE KEY" not in text
    assert "BEGIN CERTIFICATE" not in text
    assert "hunter2hunter2" not in text


class TestClass:
    def test_not_admitted_by_anybody(self) -> None:
        found = one(edited(drop("status")), "class", ROUTE)
        assert (found.status, "no router has admitted it" in found.message) == (FAIL, True)

    def test_one_of_two_routers_admits_it(self) -> None:
        world = edited()
        item = world.find("Route", "exivity")
        item["status"]["ingress"].append(
            {"routerName": "inner", "conditions": [{"type": "Admitted", "status": "False", "reason": "HostAlreadyClaimed"}]}
        )
        assert one(world, "class", ROUTE).status is PASS

    def test_routers_not_read(self) -> None:
        world = multi_node_openshift()
        world.deny = lambda resource, namespace, name: resource == "deployments.apps" and namespace == ROUTERS
        found = one(world, "class", ROUTE)
        assert (found.status, found.needs) == (UNKNOWN, (f"list deployments in {ROUTERS}",))

    def test_nothing_of_openshift_is_asked_elsewhere(self) -> None:
        world = single_node()
        judged(world)
        assert not [path for _, path in world.requests if "openshift" in path or "/gateway" in path or "metallb" in path]

    def test_malformed(self) -> None:
        world = edited(put("spec.to", "glass"))
        assert one(world, "class", ROUTE).status is UNKNOWN
        assert one(world, "class", f"{ROUTE}-v1").status is PASS


class TestFromAnIngress:
    def test_the_ingress_is_what_is_judged(self) -> None:
        found = judged(from_ingress()).outcomes
        assert {item.check.slug: item.status for item in found if item.check.row == "ingress"} == {
            slug: MANUAL if slug == "dns" else PASS for slug in SLUGS
        }
        assert set(verdicts(from_ingress(), "ingress/class")) == {"Ingress exivity/exivity"}

    def test_its_worst_route_counts(self) -> None:
        world = from_ingress()
        world.edit("Route", "exivity-x1", drop("spec.tls"))
        found = one(world, "tls", f"Ingress exivity/exivity#{HOST}")
        assert (found.status, "route.openshift.io/termination" in str(found.fix)) == (FAIL, True)
        world.edit("Route", "exivity-x2", put("status.ingress.0.conditions.0.status", "False"))
        assert one(world, "class", "Ingress exivity/exivity").status is FAIL

    def test_without_routes_it_serves_nobody(self) -> None:
        world = from_ingress()
        for item in list(world.all("Route")):
            world.objects.remove(item)
        found = one(world, "class", "Ingress exivity/exivity")
        assert (found.status, "OpenShift has made no Route of it" in found.message) == (UNKNOWN, True)


class TestRoutes:
    def test_a_path_and_a_host_given_by_the_router(self) -> None:
        world = edited(drop("spec.host"), drop("spec.path"))
        assert status(world, "ingress/routes") is PASS
        assert set(verdicts(world, "ingress/dns")) == {HOSTED}

    def test_a_port_that_is_not_there(self) -> None:
        found = one(edited(put("spec.port.targetPort", "web")), "routes", f"{HOSTED}/")
        assert "has no port web" in found.message


class TestTls:
    @pytest.mark.parametrize(("change", "wanted", "words"), [
        (put("spec.tls.termination", "reencrypt"), PASS, ""), (put("spec.tls.termination", "passthrough"), FAIL, "plain HTTP"), (put("spec.tls", {}), FAIL, "no TLS"),
        (drop("spec.tls.key"), FAIL, "holds no key"), (put("spec.tls.certificate", "nonsense"), FAIL, "holds no certificate"),
        (put("spec.tls", {"termination": "edge", "externalCertificate": {"name": "exivity-tls"}}), PASS, "Secret exivity-tls"),
        (put("spec.tls", {"termination": "edge", "externalCertificate": {"name": "none"}}), FAIL, "Secret none is missing"), (put("spec.tls", "edge"), UNKNOWN, ""),
    ])  # fmt: skip
    def test_terminations(self, change: Any, wanted: Status, words: str) -> None:
        world = edited(change)
        found = [item for subject, item in verdicts(world, "ingress/tls").items() if subject in (HOSTED, ROUTE)]
        assert [(item.status, words in item.message) for item in found] == [(wanted, True)]
        assert wanted is not FAIL or one(world, "certificate", HOSTED).follows == "ingress/tls"

    def test_the_routers_default_certificate(self) -> None:
        world = default_certificate(multi_node_openshift())
        assert one(world, "tls", HOSTED).status is PASS
        assert one(world, "certificate", f"Secret {ROUTERS}/router-certs-default").status is PASS
        world.edit("IngressController", "default", put("spec.defaultCertificate", {"name": "wildcard"}))
        assert one(world, "certificate", HOSTED).status is UNKNOWN
        default_certificate(world, name="wildcard")
        assert one(world, "certificate", f"Secret {ROUTERS}/wildcard").status is PASS

    def test_the_operators_own_authority_is_trusted_by_nobody(self) -> None:
        world = default_certificate(multi_node_openshift(), issuer="ingress-operator@1764000000")
        found = one(world, "certificate", f"Secret {ROUTERS}/router-certs-default")
        assert (found.status, "made by OpenShift" in found.message) == (WARN, True)

    def test_an_external_certificate_that_cert_manager_keeps(self) -> None:
        world = edited(put("spec.tls", {"termination": "edge", "externalCertificate": {"name": "exivity-tls"}}))
        world.deny = lambda resource, namespace, name: resource == "secrets" and name == "exivity-tls"
        assert one(world, "certificate", "Certificate exivity/exivity-tls").status is PASS


class TestPlainHttp:
    @pytest.mark.parametrize(("change", "wanted"), [
        (drop("spec.tls.insecureEdgeTerminationPolicy"), PASS), (put("spec.tls.insecureEdgeTerminationPolicy", "None"), PASS),
        (put("spec.tls.insecureEdgeTerminationPolicy", "Allow"), FAIL), (put("spec.tls.insecureEdgeTerminationPolicy", ""), PASS),
    ])  # fmt: skip
    def test_policies(self, change: Any, wanted: Status) -> None:
        assert one(edited(change), "plain-http", HOSTED).status is wanted

    def test_hsts(self) -> None:
        assert one(edited(put("metadata.annotations", {"haproxy.router.openshift.io/hsts_header": "max-age=1"})), "plain-http", HOSTED).remark == ""


class TestTrustedProxy:
    @pytest.mark.parametrize(("policy", "wanted"), [("Append", PASS), ("Replace", PASS), ("IfNone", WARN), ("Never", WARN)])
    def test_policies(self, policy: str, wanted: Status) -> None:
        world = edited(put("spec.httpHeaders", {"forwardedHeaderPolicy": policy}), kind="IngressController", name="default")
        assert one(world, "trusted-proxy", ROUTER).status is wanted

    def test_a_route_says_otherwise(self) -> None:
        world = edited(put("metadata.annotations", {"haproxy.router.openshift.io/set-forwarded-headers": "if-none"}), name="exivity-v1")
        assert one(world, "trusted-proxy", ROUTER).status is WARN


def test_routers_on_the_host_network_are_confirmed() -> None:
    world = multi_node_openshift()
    world.remove("Service", "router-default")
    world.edit("Deployment", "router-default", put("spec.template.spec.hostNetwork", True))
    found = one(world, "load-balancer", f"{ROUTER}#balancer")
    assert (found.status, "OpenShift's own virtual address" in found.message) == (MANUAL, True)


class TestVersion:
    @pytest.mark.parametrize(("version", "channel", "wanted", "words"), [
        ("4.20.4", "stable-4.20", PASS, "supported until 21 Apr 2027"), ("4.18.30", "eus-4.18", PASS, "Extended Update Support until 25 Feb 2027"),
        ("4.18.30", "stable-4.18", WARN, "extended until"), ("4.17.30", "stable-4.17", FAIL, "maintenance ended on 1 Apr 2026"),
        ("4.16.50", "eus-4.16", FAIL, "maintenance ended"), ("4.31.0", "stable-4.31", WARN, "v1.33.6"),
    ])  # fmt: skip
    def test_by_openshifts_calendar(self, version: str, channel: str, wanted: Status, words: str) -> None:
        world = multi_node_openshift()
        world.remove("ClusterVersion", "version")
        world.add(cluster_version(version, channel))
        found = verdicts(world, "cluster/kubernetes-version")["Cluster#version"]
        assert (found.status, words in found.message) == (wanted, True)

    def test_an_update_under_way_counts_when_it_is_done(self) -> None:
        world = multi_node_openshift()
        history = world.find("ClusterVersion", "version")["status"]["history"]
        history.insert(0, {"state": "Partial", "version": "4.31.0"})
        assert "4.20.4" in verdicts(world, "cluster/kubernetes-version")["Cluster#version"].message

    @pytest.mark.parametrize("resource", ["clusterversions.config.openshift.io"])
    def test_what_may_not_be_read_still_tells_openshift(self, resource: str) -> None:
        world = denied(multi_node_openshift(), resource)
        assert status(world, "cluster/distribution") is PASS
        assert verdicts(world, "cluster/kubernetes-version")["Cluster#version"].status is WARN

    def test_without_a_status(self) -> None:
        world = multi_node_openshift()
        world.edit("ClusterVersion", "version", drop("status"))
        assert status(world, "cluster/distribution") is PASS
        assert status(world, "cluster/kubernetes-version") is WARN


def test_a_second_host_for_the_api_alone() -> None:
    world = multi_node_openshift()
    world.add(route("api", "/v1/", "proximity-api", "api.acme.eu"))
    found = verdicts(world, "ingress/routes")
    assert {item.status for item in found.values()} == {PASS}
    assert "Route exivity/api#api.acme.eu/v1/" in found
