"""Mutations of the row ingress."""

from __future__ import annotations

from typing import Any

from exivity_audit.config import Config, Declare, IngressIntent
from exivity_audit.verdict import Status
from tests.builders import HOST, certificate, encode, ingress_nginx
from tests.mutation import Mutation, drop, put
from tests.probed import UNRESOLVED, Probed, answering, leading, shaken

PATHS = "spec.rules.0.http.paths"
ARGUMENTS = "spec.template.spec.containers.0.args"


def without(part: str) -> Any:
    """A change that drops a container's arguments that hold a text."""

    def change(item: dict[str, Any]) -> None:
        container = item["spec"]["template"]["spec"]["containers"][0]
        container["args"] = [argument for argument in container["args"] if part not in argument]

    return change


def pair(chain: bytes, key: bytes) -> Any:
    """A change that puts another pair into a TLS Secret."""
    return put("data", {"tls.crt": encode(chain), "tls.key": encode(key)})


def by_hand(chain: bytes, key: bytes) -> Any:
    """A change that puts another pair into the TLS Secret, which cert-manager no longer keeps."""

    def change(cluster: Any) -> None:
        cluster.remove("Certificate", "exivity-tls")
        cluster.edit("Secret", "exivity-tls", pair(chain, key))

    return change


def host(name: str) -> Any:
    """A change of the chart's host, with a certificate for it, as an upgrade makes it."""

    def change(cluster: Any) -> None:
        cluster.edit("Ingress", "exivity", put("spec.rules.0.host", name))
        cluster.edit("Ingress", "exivity", put("spec.tls.0.hosts", [name]))
        cluster.edit("Secret", "exivity-tls", pair(*certificate(name)))

    return change


UPSTREAM = Config(declare=Declare(ingress=IngressIntent(tls="upstream")))
BEHIND = Config(declare=Declare(ingress=IngressIntent(addresses=("198.51.100.7",))))


def seen(**answers: Any) -> Any:
    """A run with probes that see something."""

    def change(cluster: Any) -> None:
        cluster.usage = Probed(**answers)

    return change


def nginx(cluster: Any) -> None:
    """The project's ingress-nginx takes over from Traefik."""
    cluster.add(*ingress_nginx())
    cluster.edit("Ingress", "exivity", put("spec.ingressClassName", "nginx"))


MUTATIONS = [
    Mutation("the class does not exist", "multi_node", "ingress/class", lambda c: c.edit("Ingress", "exivity", put("spec.ingressClassName", "nginx"))),
    Mutation("no class is named", "single_node", "ingress/class", lambda c: c.edit("Ingress", "exivity", drop("spec.ingressClassName"))),
    Mutation("the Ingress is gone", "multi_node", "ingress/class", lambda c: c.remove("Ingress", "exivity")),
    Mutation("the controller has no ready pod", "multi_node", "ingress/class", lambda c: c.edit("Deployment", "traefik", put("status.readyReplicas", 0)), live=False),
    Mutation("the archived ingress-nginx serves it", "multi_node", "ingress/controller-supported", nginx, to=Status.WARN, also=("monitoring/alerts-ingress",)),
    Mutation("the API path leads to glass", "multi_node", "ingress/routes", lambda c: c.edit("Ingress", "exivity", put(f"{PATHS}.0.backend.service.name", "exivity-glass"))),
    Mutation("a path is missing", "single_node", "ingress/routes", lambda c: c.edit("Ingress", "exivity", drop(f"{PATHS}.1"))),
    Mutation("glass has no endpoints", "multi_node", "ingress/routes", lambda c: c.edit("EndpointSlice", "exivity-glass-x7k2p", put("endpoints", [])), live=False),
    Mutation("the host is the shipped one", "multi_node", "ingress/dns", host("exivity.local")),
    Mutation("the host is an example", "single_node", "ingress/dns", host("exivity.example.com")),
    Mutation("the host is a single label", "multi_node", "ingress/dns", host("costs"), to=Status.WARN),
    Mutation("TLS is off", "multi_node", "ingress/tls", lambda c: c.edit("Ingress", "exivity", drop("spec.tls"))),
    Mutation("the TLS Secret is gone", "single_node", "ingress/tls", lambda c: c.remove("Secret", "exivity-tls")),
    Mutation("the key is another one's", "multi_node", "ingress/tls", lambda c: c.edit("Secret", "exivity-tls", pair(certificate(HOST)[0], certificate("other.acme.eu")[1]))),
    Mutation("the certificate expired", "multi_node", "ingress/certificate", by_hand(*certificate(HOST, days=-3))),
    Mutation("the certificate ends soon", "single_node", "ingress/certificate", by_hand(*certificate(HOST, days=12)), to=Status.WARN),
    Mutation("the certificate is another host's", "multi_node", "ingress/certificate", by_hand(*certificate(HOST, names=("x.acme.eu",)))),
    Mutation("the chart made the certificate", "single_node", "ingress/certificate", by_hand(*certificate(HOST, issuer="exivity-ca", chained=False))),
    Mutation("the intermediate is missing", "multi_node", "ingress/certificate", by_hand(*certificate(HOST, chained=False))),
    Mutation("the key is short", "multi_node", "ingress/certificate", by_hand(*certificate(HOST, key_bits=1024))),
    Mutation("the redirect is gone", "multi_node", "ingress/plain-http", lambda c: c.edit("Deployment", "traefik", without("redirections"))),
    Mutation("the trusted proxy is not set", "single_node", "ingress/trusted-proxy", lambda c: c.edit("ConfigMap", "exivity-proximity-api-env", drop("data.TRUSTED_PROXY"))),
    Mutation("the trusted proxy is elsewhere", "multi_node", "ingress/trusted-proxy", lambda c: c.edit("ConfigMap", "exivity-proximity-api-env", put("data.TRUSTED_PROXY", "192.168.0.0/16"))),
    Mutation("everyone is trusted", "multi_node", "ingress/trusted-proxy", lambda c: c.edit("ConfigMap", "exivity-proximity-api-env", put("data.TRUSTED_PROXY", "*")), to=Status.WARN),
    Mutation("everyone is trusted in two halves", "multi_node", "ingress/trusted-proxy",
             lambda c: c.edit("ConfigMap", "exivity-proximity-api-env", put("data.TRUSTED_PROXY", "0.0.0.0/1,128.0.0.0/1")), to=Status.WARN),
    Mutation("the controller believes everyone", "multi_node", "ingress/trusted-proxy", lambda c: c.edit(
        "Deployment", "traefik", lambda item: item["spec"]["template"]["spec"]["containers"][0]["args"].append("--entryPoints.web.forwardedHeaders.insecure=true")), to=Status.WARN),
    Mutation("the Service has no address", "multi_node", "ingress/load-balancer", lambda c: c.edit("Service", "traefik", put("status", {}), namespace="traefik")),
    Mutation("the Service is inside the cluster alone", "single_node", "ingress/load-balancer", lambda c: c.edit("Service", "traefik", put("spec.type", "ClusterIP"))),
    Mutation("the host leads elsewhere than declared", "multi_node", "ingress/dns", seen(dns={HOST: leading("192.0.2.9")}), config=BEHIND, live=False),
    Mutation("the host resolves to nothing", "single_node", "ingress/dns", seen(dns={HOST: UNRESOLVED}), live=False),
    Mutation("the load balancer talks TLS 1.1", "multi_node", "ingress/tls", seen(tls={f"{HOST}:443": shaken(certificate(HOST)[0], protocol="TLSv1.1", trouble="old-protocol")}),
             config=UPSTREAM, live=False),
    Mutation("the load balancer's certificate expired", "multi_node", "ingress/certificate",
             seen(tls={f"{HOST}:443": shaken(certificate(HOST, days=-3)[0], trouble="expired")}), config=UPSTREAM, live=False),
    Mutation("the load balancer sends its certificate alone", "single_node", "ingress/certificate",
             seen(tls={f"{HOST}:443": shaken(certificate(HOST, chained=False)[0], trouble="incomplete")}), config=UPSTREAM, live=False),
    Mutation("the load balancer answers in the clear", "multi_node", "ingress/plain-http", seen(http={f"http://{HOST}/": answering(200)}), config=UPSTREAM, live=False),
]  # fmt: skip
