"""The row ingress through the Gateway API, and the address that MetalLB gives."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.config import Config, Declare, IngressIntent
from exivity_audit.facts.gateways import meet
from exivity_audit.verdict import Status, Verdict
from tests.builders import HOST, made, multi_node, multi_node_gateway, multi_node_metallb
from tests.judging import judged, status, verdicts
from tests.mutation import drop, put
from tests.products.gateway import API, CONTROLLER, GROUP, said
from tests.products.metallb import FROM_POOL
from tests.world import OPTIONAL, World

FAIL, WARN, PASS, UNKNOWN, MANUAL, SKIP = Status.FAIL, Status.WARN, Status.PASS, Status.UNKNOWN, Status.MANUAL, Status.SKIP
SLUGS = ("class", "controller-supported", "routes", "dns", "tls", "certificate", "plain-http", "trusted-proxy", "load-balancer")
ROUTE, GATEWAY, HOSTED = "HTTPRoute exivity/exivity", "Gateway exivity/exivity", f"HTTPRoute exivity/exivity#{HOST}"
PROXIES = "envoy-exivity-exivity-1f3a9c07"
READS = (
    f"httproutes.{GROUP}", f"gateways.{GROUP}", f"gatewayclasses.{GROUP}", "clienttrafficpolicies.gateway.envoyproxy.io", "secrets", "deployments.apps",
    "daemonsets.apps", "pods", "services", "configmaps", "endpointslices.discovery.k8s.io",
)  # fmt: skip


def denied(world: World, *resources: str) -> World:
    world.deny = lambda resource, namespace, name: resource in resources
    return world


def of_another_controller(controller: str, *, service: bool = False) -> World:
    """The world behind a Gateway of another implementation, without the proxies of Envoy Gateway."""
    world = multi_node_gateway()
    world.objects = [item for item in world.objects if item["metadata"].get("namespace") != "envoy-gateway-system"]
    world.edit("GatewayClass", "eg", put("spec.controllerName", controller))
    if service:
        world.add(made(
            "v1", "Service", "cilium-gateway-exivity", "exivity", metadata={"labels": {"gateway.networking.k8s.io/gateway-name": "exivity"}},
            spec={"type": "LoadBalancer", "ports": [{"name": "https", "port": 443}]}, status={"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}},
        ))  # fmt: skip
    return world


def only(world: World, slug: str, **where: Any) -> Verdict:
    (one,) = verdicts(world, f"ingress/{slug}", **where).values()
    return one


def test_conforming() -> None:
    found = {one.check.slug: one.status for one in judged(multi_node_gateway()).outcomes if one.check.row == "ingress"}
    assert found == {slug: MANUAL if slug == "dns" else PASS for slug in SLUGS}
    assert not [one.check.id for one in judged(multi_node_gateway()).outcomes if one.status in (FAIL, Status.ERROR)]


@pytest.mark.parametrize("resource", READS)
def test_a_denied_read_is_no_verdict_on_what_it_hides(resource: str) -> None:
    """Nothing fails for what may not be read, and what still passes names it as unread."""
    plain = {one.check.slug: one.status for one in judged(multi_node_gateway()).outcomes if one.check.row == "ingress"}
    for one in judged(denied(multi_node_gateway(), resource), namespace="exivity", release="exivity").outcomes:
        if one.check.row == "ingress":
            assert one.status not in (FAIL, Status.ERROR), one.check.id
            assert one.status in (UNKNOWN, MANUAL, SKIP) or one.status is plain[one.check.slug], one.check.id


def test_routes_may_be_listed_in_the_namespace_alone() -> None:
    world = multi_node_gateway()
    world.deny = lambda resource, namespace, name: resource == f"httproutes.{GROUP}" and namespace is None
    assert status(world, "ingress/class") is PASS


def test_a_route_beside_an_ingress_is_judged_too() -> None:
    world = multi_node()
    other = multi_node_gateway()
    world.resources |= {name: OPTIONAL[name] for name in (f"httproutes.{GROUP}", f"gateways.{GROUP}", f"gatewayclasses.{GROUP}")}
    world.add(*(item for item in other.objects if item["apiVersion"].startswith(GROUP)))
    assert set(verdicts(world, "ingress/class")) == {"Ingress exivity/exivity", ROUTE}


@pytest.mark.parametrize(("one", "other", "common"), [
    ("a.eu", "", "a.eu"), ("", "A.eu", "a.eu"), ("*.eu", "a.eu", "a.eu"), ("a.b.eu", "*.eu", "a.b.eu"), ("*.eu", "*.b.eu", "*.b.eu"), ("a.eu", "b.eu", None),
    ("*.eu", "eu", None), ("", "", ""),
])  # fmt: skip
def test_hosts_in_common(one: str, other: str, common: str | None) -> None:
    assert meet(one, other) == common


class TestClass:
    def test_without_gateways_listed(self) -> None:
        one = only(denied(multi_node_gateway(), f"gateways.{GROUP}"), "class")
        assert (one.status, one.needs) == (UNKNOWN, (f"get gateways.{GROUP} exivity in exivity",))

    @pytest.mark.parametrize(("change", "wanted", "words"), [
        (drop("status"), FAIL, "no controller has answered"), (put("status.parents", []), FAIL, "no controller has answered"),
        (put("status.parents.0.conditions", [said("Accepted"), said("ResolvedRefs", "RefNotPermitted", "False")]), FAIL, "does not reach its Services"),
        (put("status.parents.0.conditions", [said("Accepted"), said("ResolvedRefs", "BackendNotFound", "False")]), PASS, ""),
        (put("status.parents.0.parentRef.sectionName", "other"), FAIL, "no controller has answered"),
        (put("spec.parentRefs.0.kind", "ListenerSet"), UNKNOWN, "ListenerSet exivity/exivity is not looked at"),
    ])  # fmt: skip
    def test_what_the_gateway_says(self, change: Any, wanted: Status, words: str) -> None:
        world = multi_node_gateway()
        world.edit("HTTPRoute", "exivity", change)
        assert (only(world, "class").status, words in only(world, "class").message) == (wanted, True)

    def test_a_listener_that_is_not_programmed(self) -> None:
        world = multi_node_gateway()
        world.edit("Gateway", "exivity", put("status.listeners.1.conditions", [said("Accepted", "PortUnavailable", "False")]))
        assert "listener https of Gateway exivity/exivity is not accepted: False (PortUnavailable)" in only(world, "class").message

    def test_a_gateway_nobody_looked_at(self) -> None:
        world = multi_node_gateway()
        world.edit("Gateway", "exivity", drop("status"))
        assert "is not programmed: not said" in only(world, "class").message

    def test_the_class_is_gone(self) -> None:
        world = multi_node_gateway()
        world.remove("GatewayClass", "eg")
        assert "GatewayClass eg does not exist" in only(world, "class").message

    def test_a_broken_certificate_is_left_to_tls(self) -> None:
        world = multi_node_gateway()
        world.remove("Secret", "exivity-tls")
        world.edit("Gateway", "exivity", put("status.conditions.1", said("Programmed", "Invalid", "False")))
        world.edit("Gateway", "exivity", put("status.listeners.1.conditions", [said("ResolvedRefs", "InvalidCertificateRef", "False")]))
        assert (only(world, "class").status, only(world, "class").follows) == (SKIP, "ingress/tls")
        assert only(world, "tls").status is FAIL

    @pytest.mark.parametrize(("controller", "wanted", "words"), [
        ("io.cilium/gateway-controller", PASS, "by its conditions"), ("networking.gke.io/gateway", PASS, "answers outside the cluster"),
        ("door.corp/controller", WARN, ""), ("istio.io/gateway-controller", PASS, "no workload of Istio"),
    ])  # fmt: skip
    def test_other_controllers(self, controller: str, wanted: Status, words: str) -> None:
        one = only(of_another_controller(controller), "class")
        assert (one.status, words in one.remark) == (wanted, True)

    def test_traefik_serves_it_itself(self) -> None:
        world = of_another_controller("traefik.io/gateway-controller")
        world.add(*(item for item in multi_node().objects if item["metadata"].get("namespace") == "traefik"))
        assert "Traefik 2 of 2 ready" in only(world, "class").message
        assert "Deployment traefik/traefik" in verdicts(world, "ingress/trusted-proxy")

    def test_istio_by_the_apis_own_label(self) -> None:
        world = multi_node_gateway()
        world.edit("GatewayClass", "eg", put("spec.controllerName", "istio.io/gateway-controller"))
        for item in world.objects:
            if item["metadata"].get("namespace") == "envoy-gateway-system":
                item["metadata"]["namespace"] = "exivity"
                item["metadata"]["labels"]["gateway.networking.k8s.io/gateway-name"] = "exivity"
        assert "Istio 2 of 2 ready" in only(world, "class").message
        assert verdicts(world, "ingress/trusted-proxy")[GATEWAY].status is UNKNOWN

    def test_partly_ready(self) -> None:
        world = multi_node_gateway()
        world.edit("Deployment", PROXIES, put("status.readyReplicas", 1))
        assert only(world, "class").status is WARN

    @pytest.mark.parametrize(("kind", "name", "change"), [
        ("HTTPRoute", "exivity", put("spec.rules", "none")), ("Gateway", "exivity", put("spec.listeners", [7])), ("GatewayClass", "eg", put("status.conditions", 7)),
    ])  # fmt: skip
    def test_malformed(self, kind: str, name: str, change: Any) -> None:
        world = multi_node_gateway()
        world.edit(kind, name, change)
        for slug in SLUGS:
            assert FAIL not in {one.status for one in verdicts(world, f"ingress/{slug}").values()}, slug
        assert status(world, "ingress/class") is UNKNOWN

    def test_a_malformed_route_of_other_people_is_theirs(self) -> None:
        world = multi_node_gateway()
        world.add(made(API, "HTTPRoute", "odd", "shop", spec={"rules": 7}))
        assert status(world, "ingress/class") is PASS


class TestRoutes:
    @pytest.mark.parametrize(("change", "wanted"), [
        (put("spec.rules.0.matches.0.path.value", "/v1"), PASS), (put("spec.rules.0.matches.0.path.type", "Exact"), FAIL), (drop("spec.rules.2.matches"), PASS),
        (put("spec.rules.0.matches.0.method", "GET"), FAIL), (put("spec.rules.0.matches.0.headers", [{"name": "x", "value": "1"}]), FAIL),
        (put("spec.rules.0.backendRefs.0.namespace", "other"), FAIL), (put("spec.rules.0.backendRefs.0.weight", 0), FAIL),
        (put("spec.rules.0.backendRefs.0.kind", "ServiceImport"), FAIL), (drop("spec.rules.0.backendRefs.0.kind"), PASS),
    ])  # fmt: skip
    def test_rules(self, change: Any, wanted: Status) -> None:
        world = multi_node_gateway()
        world.edit("HTTPRoute", "exivity", change)
        assert status(world, "ingress/routes") is wanted

    def test_no_ready_endpoint(self) -> None:
        world = multi_node_gateway()
        world.edit("EndpointSlice", "exivity-glass-x7k2p", put("endpoints", []))
        assert verdicts(world, "ingress/routes")[f"{HOSTED}/"].status is FAIL

    def test_mesh_traffic_is_no_way_in(self) -> None:
        world = multi_node_gateway()
        world.edit("HTTPRoute", "exivity", put("spec.parentRefs.0", {"group": "", "kind": "Service", "name": "exivity-glass"}))
        assert verdicts(world, "ingress/class")["Release exivity/exivity"].status is FAIL

    def test_a_route_from_another_namespace(self) -> None:
        world = multi_node_gateway()
        item = world.find("HTTPRoute", "exivity")
        item["metadata"]["namespace"] = "edge"
        for rule in item["spec"]["rules"]:
            rule["backendRefs"][0]["namespace"] = "exivity"
        for part in (item["spec"]["parentRefs"][0], item["status"]["parents"][0]["parentRef"]):
            part["namespace"] = "exivity"
        for listener in world.find("Gateway", "exivity")["spec"]["listeners"]:
            listener["allowedRoutes"]["namespaces"]["from"] = "All"
        assert status(world, "ingress/routes") is PASS
        assert status(world, "ingress/tls") is PASS


class TestHosts:
    def test_a_route_without_hosts_has_those_of_its_listener(self) -> None:
        world = multi_node_gateway()
        world.edit("HTTPRoute", "exivity", drop("spec.hostnames"))
        assert set(verdicts(world, "ingress/dns")) == {HOSTED}

    def test_neither_says_one(self) -> None:
        world = multi_node_gateway()
        world.edit("HTTPRoute", "exivity", drop("spec.hostnames"))
        world.edit("Gateway", "exivity", drop("spec.listeners.1.hostname"))
        assert only(world, "dns").status is FAIL


class TestTls:
    @pytest.mark.parametrize(("change", "wanted", "words"), [
        (put("spec.listeners.1.tls.mode", "Passthrough"), FAIL, "speak plain HTTP"), (put("spec.listeners.1.tls.certificateRefs.0.name", "none"), FAIL, "Secret none is missing"),
        (put("spec.listeners.1.tls.certificateRefs.0.kind", "Bundle"), UNKNOWN, "is a Bundle"),
        (put("spec.listeners.1.tls", {"options": {"networking.gke.io/pre-shared-certs": "x"}}), UNKNOWN, "tls.options"),
        (put("status.listeners.1.conditions", [said("ResolvedRefs", "RefNotPermitted", "False")]), FAIL, "cannot use Secret exivity/exivity-tls: RefNotPermitted"),
    ])  # fmt: skip
    def test_listeners(self, change: Any, wanted: Status, words: str) -> None:
        world = multi_node_gateway()
        world.edit("Gateway", "exivity", change)
        one = only(world, "tls")
        assert (one.status, words in one.message) == (wanted, True)
        if wanted is FAIL:
            assert one.fix is not None
            assert only(world, "certificate").follows == "ingress/tls"
            assert only(world, "plain-http").follows == "ingress/tls"

    def test_a_secret_in_the_gateways_namespace(self) -> None:
        world = multi_node_gateway()
        world.find("Secret", "exivity-tls")["metadata"]["namespace"] = "edge"
        world.edit("Gateway", "exivity", put("spec.listeners.1.tls.certificateRefs.0.namespace", "edge"))
        assert only(world, "tls").status is PASS
        assert set(verdicts(world, "ingress/certificate")) == {"Secret edge/exivity-tls"}

    def test_a_gateway_that_is_gone_is_left_to_the_class(self) -> None:
        world = multi_node_gateway()
        world.remove("Gateway", "exivity")
        assert {slug: only(world, slug).follows for slug in ("tls", "certificate", "plain-http")} == dict.fromkeys(
            ("tls", "certificate", "plain-http"), "ingress/class"
        )

    def test_upstream(self) -> None:
        config = Config(declare=Declare(ingress=IngressIntent(tls="upstream")))
        found = {one.check.slug: one.status for one in judged(multi_node_gateway(), config=config).outcomes if one.check.row == "ingress"}
        assert {found[slug] for slug in ("tls", "certificate", "plain-http")} == {MANUAL}


class TestPlainHttp:
    def test_no_http_listener(self) -> None:
        world = multi_node_gateway()
        world.remove("HTTPRoute", "exivity-redirect")
        assert "has no route for it" in only(world, "plain-http").message
        world.edit("Gateway", "exivity", drop("spec.listeners.0"))
        assert "has no HTTP listener" in only(world, "plain-http").message

    def test_a_port_stands_for_a_listener(self) -> None:
        world = multi_node_gateway()
        for path in ("spec.parentRefs.0", "status.parents.0.parentRef"):
            world.edit("HTTPRoute", "exivity", drop(f"{path}.sectionName"))
            world.edit("HTTPRoute", "exivity", put(f"{path}.port", 443))
        assert only(world, "plain-http").status is PASS

    def test_a_listener_of_another_namespace_takes_no_route(self) -> None:
        world = multi_node_gateway()
        for path in ("spec.parentRefs.0", "status.parents.0.parentRef"):
            world.edit("HTTPRoute", "exivity", drop(f"{path}.sectionName"))
        assert only(world, "plain-http").status is FAIL
        world.edit("Gateway", "exivity", put("spec.listeners.0.allowedRoutes.namespaces.from", "None"))
        assert only(world, "plain-http").status is PASS

    def test_hsts(self) -> None:
        world = multi_node_gateway()
        header = {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [{"name": "Strict-Transport-Security", "value": "max-age=1"}]}}
        world.edit("HTTPRoute", "exivity", put("spec.rules.2.filters", [header]))
        assert only(world, "plain-http").remark == ""


class TestTrustedProxy:
    @pytest.mark.parametrize(("detection", "wanted"), [
        ({"xForwardedFor": {"numTrustedHops": 1}}, WARN), ({"xForwardedFor": {"trustedCIDRs": ["0.0.0.0/0"]}}, WARN), ({"customHeader": {"name": "x-real-ip"}}, WARN),
        ({"xForwardedFor": {"trustedCIDRs": ["10.0.0.0/24"]}}, PASS), ({}, PASS), ({"xForwardedFor": "odd"}, UNKNOWN),
    ])  # fmt: skip
    def test_client_traffic_policies(self, detection: Any, wanted: Status) -> None:
        world = multi_node_gateway()
        world.add(made("gateway.envoyproxy.io/v1alpha1", "ClientTrafficPolicy", "p", "exivity", spec={"targetRef": {"kind": "Gateway", "name": "exivity"}, "clientIPDetection": detection}))  # fmt: skip
        assert wanted in {one.status for one in verdicts(world, "ingress/trusted-proxy").values()}
        world.edit("ClientTrafficPolicy", "p", put("spec.targetRef.name", "another"))
        assert detection == {"xForwardedFor": "odd"} or status(world, "ingress/trusted-proxy") is PASS

    def test_addresses_of_the_proxies(self) -> None:
        world = multi_node_gateway(trusted_proxy="10.42.99.0/24")
        found = verdicts(world, "ingress/trusted-proxy")["ConfigMap exivity/exivity-proximity-api-env"]
        assert (found.status, "10.42.10.31" in found.message) == (FAIL, True)


class TestLoadBalancer:
    def test_a_service_of_no_known_pods(self) -> None:
        world = of_another_controller("io.cilium/gateway-controller", service=True)
        assert verdicts(world, "ingress/load-balancer")["Service exivity/cilium-gateway-exivity"].status is PASS

    def test_addresses_of_the_gateway_itself(self) -> None:
        world = of_another_controller("networking.gke.io/gateway")
        assert only(world, "load-balancer").status is PASS
        node = world.find("Node", "worker-1")["status"]["addresses"][0]["address"]
        world.edit("Gateway", "exivity", put("status.addresses", [{"value": node}]))
        assert only(world, "load-balancer").status is MANUAL
        world.edit("Gateway", "exivity", drop("status.addresses"))
        assert only(world, "load-balancer").status is FAIL
        assert {one.status for one in verdicts(denied(world, "services"), "ingress/load-balancer").values()} == {UNKNOWN}

    def test_one_node(self) -> None:
        world = multi_node_gateway()
        for item in world.all("Pod"):
            if item["metadata"]["namespace"] == "envoy-gateway-system":
                item["spec"]["nodeName"] = "worker-1"
        assert status(world, "ingress/load-balancer") is WARN


SERVICE, ADVERTISED = "Service traefik/traefik", "Service traefik/traefik#advertisement"


class TestMetalLB:
    def test_conforming(self) -> None:
        found = verdicts(multi_node_metallb(), "ingress/load-balancer")
        assert (found[SERVICE].status, found[ADVERTISED].status) == (MANUAL, PASS)
        assert "MetalLB" in found[SERVICE].message

    def test_the_range_tells_the_pool_where_no_annotation_does(self) -> None:
        world = multi_node_metallb()
        world.edit("Service", "traefik", drop("metadata.annotations"))
        assert verdicts(world, "ingress/load-balancer")[ADVERTISED].status is PASS
        world.edit("IPAddressPool", "edge", put("spec.addresses", ["203.0.113.0/28", "fd00::/64"]))
        assert verdicts(world, "ingress/load-balancer")[ADVERTISED].status is PASS
        world.edit("IPAddressPool", "edge", put("spec.addresses", ["198.51.100.0/28"]))
        assert verdicts(world, "ingress/load-balancer")[SERVICE].status is PASS, "another balancer gave it"

    @pytest.mark.parametrize(("spec", "wanted"), [
        ({}, PASS), ({"ipAddressPools": ["inner"]}, FAIL), ({"ipAddressPoolSelectors": [{"matchLabels": {"zone": "edge"}}]}, PASS),
        ({"ipAddressPoolSelectors": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["inner"]}]}]}, FAIL),
        ({"ipAddressPools": ["inner"], "ipAddressPoolSelectors": [{"matchLabels": {"zone": "edge"}}]}, PASS), ({"ipAddressPools": None}, PASS),
        ({"ipAddressPoolSelectors": [{"matchLabels": 7}]}, UNKNOWN),
    ])  # fmt: skip
    def test_advertisements(self, spec: Any, wanted: Status) -> None:
        world = multi_node_metallb()
        world.edit("L2Advertisement", "edge", put("spec", spec))
        assert verdicts(world, "ingress/load-balancer")[ADVERTISED].status is wanted

    def test_bgp_advertises_as_well(self) -> None:
        world = multi_node_metallb()
        world.remove("L2Advertisement", "edge")
        assert verdicts(world, "ingress/load-balancer")[ADVERTISED].fix is not None
        world.add(made("metallb.io/v1beta1", "BGPAdvertisement", "edge", "metallb-system", spec={}))
        assert verdicts(world, "ingress/load-balancer")[ADVERTISED].status is PASS

    def test_a_pool_that_is_gone(self) -> None:
        world = multi_node_metallb()
        world.edit("Service", "traefik", put("metadata.annotations", {FROM_POOL: "old"}))
        assert verdicts(world, "ingress/load-balancer")[ADVERTISED].status is FAIL

    @pytest.mark.parametrize("resource", ["ipaddresspools.metallb.io", "l2advertisements.metallb.io", "bgpadvertisements.metallb.io"])
    def test_denied(self, resource: str) -> None:
        world = multi_node_metallb()
        if resource.startswith("bgp"):
            world.remove("L2Advertisement", "edge")
        found = verdicts(denied(world, resource), "ingress/load-balancer")
        assert (found[SERVICE].status, found[ADVERTISED].status) == (MANUAL, UNKNOWN)

    def test_its_own_namespace_is_enough(self) -> None:
        world = multi_node_metallb()
        world.deny = lambda resource, namespace, name: resource.endswith("metallb.io") and namespace is None
        assert verdicts(world, "ingress/load-balancer")[ADVERTISED].status is PASS


def test_the_controllers_name_is_what_the_class_says() -> None:
    world = multi_node_gateway()
    assert world.find("GatewayClass", "eg")["spec"]["controllerName"] == CONTROLLER
    world.add(made(API, "GatewayClass", "other", spec={"controllerName": "door.corp/x"}))
    assert only(world, "controller-supported").measured == "Envoy Gateway"
