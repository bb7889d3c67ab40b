"""Mutations of the row ingress where cert-manager, a Gateway, OpenShift's routers or MetalLB have their part in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exivity_audit.verdict import Status
from tests.builders import HOST, certificate, made, stamp
from tests.mutation import Mutation, drop, put
from tests.mutations.ingress import pair

GATEWAY, OPENSHIFT, METALLB = "multi_node_gateway", "multi_node_openshift", "multi_node_metallb"
CLASS, ROUTES, DNS, TLS, CERTIFICATE, PLAIN, TRUST, BALANCER = (
    f"ingress/{slug}" for slug in ("class", "routes", "dns", "tls", "certificate", "plain-http", "trusted-proxy", "load-balancer")
)  # fmt: skip
ROUTERS, PROXIES = "openshift-ingress", "envoy-exivity-exivity-1f3a9c07"
MANAGED = "metadata.annotations.cert-manager\\.io/certificate-name"
Change = Callable[[Any], Any]


def several(*changes: Change) -> Change:
    """Several changes of a cluster as one."""

    def change(cluster: Any) -> None:
        for one in changes:
            one(cluster)

    return change


def edit(kind: str, name: str, *changes: Change) -> Change:
    """Changes of one object."""
    return several(*(lambda cluster, one=one: cluster.edit(kind, name, one) for one in changes))


def overdue(days: int) -> Change:
    """A renewal that was due ten days ago, with some days left."""
    return several(
        edit("Certificate", "exivity-tls", put("status.notAfter", stamp(-days)), put("status.renewalTime", stamp(10)), put("status.failedIssuanceAttempts", 3)),
        edit("Secret", "exivity-tls", put(MANAGED, "exivity-tls"), pair(*certificate(HOST, days=days))),
    )  # fmt: skip


def said(number: int, status: str, reason: str) -> tuple[Change, Change]:
    """A condition of an object's status."""
    return put(f"status.conditions.{number}.status", status), put(f"status.conditions.{number}.reason", reason)


def refused(cluster: Any) -> None:
    """The Gateway does not accept the HTTPRoute."""
    path = "status.parents.0.conditions.0"
    cluster.edit("HTTPRoute", "exivity", put(f"{path}.status", "False"))
    cluster.edit("HTTPRoute", "exivity", put(f"{path}.reason", "NoMatchingListenerHostname"))


def secret_gone(cluster: Any) -> None:
    """The listener's Secret is gone, and the Gateway's controller says so."""
    cluster.remove("Secret", "exivity-tls")
    for number, status, reason in ((1, "False", "Invalid"), (2, "False", "InvalidCertificateRef")):
        cluster.edit("Gateway", "exivity", put(f"status.listeners.1.conditions.{number}.status", status))
        cluster.edit("Gateway", "exivity", put(f"status.listeners.1.conditions.{number}.reason", reason))


def section(name: str | None) -> Change:
    """The HTTPRoute attached to another listener, or to all."""
    change = drop if name is None else (lambda path: put(path, name))
    return edit("HTTPRoute", "exivity", change("spec.parentRefs.0.sectionName"), change("status.parents.0.parentRef.sectionName"))


def renamed(name: str) -> Change:
    """Another host on the Gateway and its HTTPRoutes, with a certificate for it."""
    return several(
        edit("Gateway", "exivity", put("spec.listeners.0.hostname", name), put("spec.listeners.1.hostname", name)),
        edit("HTTPRoute", "exivity", put("spec.hostnames", [name])), edit("HTTPRoute", "exivity-redirect", put("spec.hostnames", [name])),
        edit("Secret", "exivity-tls", pair(*certificate(name))), edit("Certificate", "exivity-tls", put("spec.dnsNames", [name])),
    )  # fmt: skip


def believing(cluster: Any) -> None:
    """A ClientTrafficPolicy counts hops, whoever the peer is."""
    cluster.add(made(
        "gateway.envoyproxy.io/v1alpha1", "ClientTrafficPolicy", "edge", "exivity",
        spec={"targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "exivity"}],
              "clientIPDetection": {"xForwardedFor": {"numTrustedHops": 2}}},
    ))  # fmt: skip


def inline(chain: bytes, key: bytes) -> Change:
    """Another pair in the Route of the page."""
    return edit("Route", "exivity", put("spec.tls.certificate", chain.decode()), put("spec.tls.key", key.decode()))


TRUSTED = edit("ConfigMap", "exivity-proximity-api-env", put("data.TRUSTED_PROXY", "192.168.0.0/16"))
NOT_ADMITTED = edit("Route", "exivity", *(put(f"status.ingress.0.conditions.0.{key}", value) for key, value in (("status", "False"), ("reason", "HostAlreadyClaimed"))))  # fmt: skip
EXPIRED = several(edit("Secret", "exivity-tls", pair(*certificate(HOST, days=-3))), lambda cluster: cluster.remove("Certificate", "exivity-tls"))
WARN = Status.WARN


def version(text: str, channel: str) -> Change:
    """Another release of OpenShift."""
    return edit("ClusterVersion", "version", put("status.history.0.version", text), put("status.desired.version", text), put("spec.channel", channel))


MUTATIONS = [
    Mutation("the Certificate is not ready", "multi_node", CERTIFICATE, several(
        edit("Certificate", "exivity-tls", *said(0, "False", "IncorrectIssuer")), edit("Secret", "exivity-tls", put(MANAGED, "exivity-tls")))),
    Mutation("the renewal is overdue", "multi_node", CERTIFICATE, overdue(60), to=WARN),
    Mutation("the renewal is overdue and the end is near", "single_node", CERTIFICATE, overdue(5)),
    Mutation("the Gateway is not programmed", GATEWAY, CLASS, edit("Gateway", "exivity", *said(1, "False", "AddressNotAssigned"))),
    Mutation("the Gateway is gone", GATEWAY, CLASS, lambda c: c.remove("Gateway", "exivity")),
    Mutation("the GatewayClass is not accepted", GATEWAY, CLASS, edit("GatewayClass", "eg", *said(0, "Unknown", "Pending"))),
    Mutation("the Gateway does not accept the HTTPRoute", GATEWAY, CLASS, refused),
    Mutation("no proxy of the Gateway is ready", GATEWAY, CLASS, edit("Deployment", PROXIES, put("status.readyReplicas", 0)), live=False),
    Mutation("the HTTPRoute is gone", GATEWAY, CLASS, lambda c: c.remove("HTTPRoute", "exivity")),
    Mutation("the HTTPRoute leads the API to glass", GATEWAY, ROUTES, edit("HTTPRoute", "exivity", put("spec.rules.0.backendRefs.0.name", "exivity-glass"))),
    Mutation("the HTTPRoute lacks a path", GATEWAY, ROUTES, edit("HTTPRoute", "exivity", drop("spec.rules.1"))),
    Mutation("the host of the Gateway is an example", GATEWAY, DNS, renamed("exivity.example.com")),
    Mutation("the Secret of the listener is gone", GATEWAY, TLS, secret_gone),
    Mutation("the listener for HTTP alone takes the HTTPRoute", GATEWAY, TLS, section("http")),
    Mutation("the listener names no certificate", GATEWAY, TLS, edit("Gateway", "exivity", put("spec.listeners.1.tls.certificateRefs", [])), live=False),  # the real definition refuses it
    Mutation("the certificate of the listener expired", GATEWAY, CERTIFICATE, EXPIRED),
    Mutation("both listeners take the HTTPRoute", GATEWAY, PLAIN, section(None)),
    Mutation("the trusted proxy is not the Gateway's", GATEWAY, TRUST, TRUSTED),
    Mutation("the Gateway believes everyone", GATEWAY, TRUST, believing, to=WARN),
    Mutation("the Service of the Gateway has no address", GATEWAY, BALANCER, edit("Service", PROXIES, put("status", {}))),
    Mutation("a Route is not admitted", OPENSHIFT, CLASS, NOT_ADMITTED),
    Mutation("no router is ready", OPENSHIFT, CLASS, edit("Deployment", "router-default", put("status.readyReplicas", 0)), live=False),
    Mutation("a Route is gone", OPENSHIFT, ROUTES, lambda c: c.remove("Route", "exivity-v2")),
    Mutation("a Route leads elsewhere", OPENSHIFT, ROUTES, edit("Route", "exivity-v1", put("spec.to.name", "exivity-glass"))),
    Mutation("a Route has no TLS", OPENSHIFT, TLS, edit("Route", "exivity-v1", drop("spec.tls"))),
    Mutation("a Route passes TLS through", OPENSHIFT, TLS, edit("Route", "exivity", put("spec.tls", {"termination": "passthrough"}))),
    Mutation("a Route holds a key of another certificate", OPENSHIFT, TLS, inline(certificate(HOST)[0], certificate("other.acme.eu")[1])),
    Mutation("the pair in a Route expired", OPENSHIFT, CERTIFICATE, inline(*certificate(HOST, days=-3))),
    Mutation("a Route answers plain HTTP", OPENSHIFT, PLAIN, edit("Route", "exivity", put("spec.tls.insecureEdgeTerminationPolicy", "Allow"))),
    Mutation("the trusted proxy is not the routers'", OPENSHIFT, TRUST, TRUSTED),
    Mutation("the routers pass on what a client says", OPENSHIFT, TRUST,
             edit("IngressController", "default", put("spec.httpHeaders", {"forwardedHeaderPolicy": "IfNone"})), to=WARN),
    Mutation("the Service of the routers has no address", OPENSHIFT, BALANCER, edit("Service", "router-default", put("status", {}))),
    Mutation("OpenShift is past its maintenance", OPENSHIFT, "cluster/kubernetes-version", version("4.17.30", "stable-4.17")),
    Mutation("OpenShift is on no channel of extended support", OPENSHIFT, "cluster/kubernetes-version", version("4.18.30", "stable-4.18"), to=WARN),
    Mutation("nothing advertises the pool", METALLB, BALANCER, lambda c: c.remove("L2Advertisement", "edge")),
    Mutation("another pool is advertised", METALLB, BALANCER, edit("L2Advertisement", "edge", put("spec.ipAddressPools", ["inner"]))),
]  # fmt: skip
