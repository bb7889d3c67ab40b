"""The Ingress objects that lead to the product, with their classes, and the endpoints behind them."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.subject import Subject

LEGACY_CLASS = "kubernetes.io/ingress.class"
DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"
SERVICE_NAME = "kubernetes.io/service-name"
ANNOTATIONS = (
    "nginx.ingress.kubernetes.io/ssl-redirect", "nginx.ingress.kubernetes.io/force-ssl-redirect", "nginx.org/ssl-redirect",
    "ingress.kubernetes.io/ssl-redirect", "haproxy.org/ssl-redirect", "haproxy.com/ssl-redirect", "haproxy-ingress.github.io/ssl-redirect",
    "traefik.ingress.kubernetes.io/router.entrypoints", "traefik.ingress.kubernetes.io/router.middlewares",
    "traefik.ingress.kubernetes.io/router.tls",    "haproxy-ingress.github.io/hsts",
)  # fmt: skip


class Route(Struct, frozen=True):
    """One path of a rule and the Service behind it."""

    host: str
    path: str
    kind: str  # Prefix, Exact, ImplementationSpecific
    service: str
    port: str | int | None  # by name, or by number

    def serves(self, wanted: str) -> bool:
        """Whether the path takes what begins with the wanted one (``/``, ``/v1/``); ``/v1``, ``/v1/*`` and ``/v1(.*)`` do too."""
        plain = re.split(r"[*(\[.?]", self.path or "/", maxsplit=1)[0]
        return self.kind != "Exact" and f"{plain.rstrip('/')}/" == wanted


class TlsEntry(Struct, frozen=True):
    """One entry of ``spec.tls``."""

    hosts: tuple[str, ...]
    secret: str | None

    def covers(self, host: str) -> bool:
        """Whether the entry is for a host; one without hosts is for all."""
        return not self.hosts or covered(host, self.hosts)


class Ingress(Struct, frozen=True):
    """An Ingress that leads to the product."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    own: bool  # made by the chart, so its values reach it
    class_name: str | None
    legacy: bool  # the class is named by the legacy annotation alone
    routes: tuple[Route, ...]
    hosts: tuple[str, ...]  # "" for a rule without host
    tls: tuple[TlsEntry, ...]
    annotations: dict[str, str]
    addresses: tuple[str, ...]  # as its controller published them
    rules_at = "spec.rules[].http.paths"
    hosts_at = "spec.rules[].host"
    tls_at = "spec.tls"

    def entry(self, host: str) -> TlsEntry | None:
        """The TLS entry for a host; one that names it goes before one for all."""
        fitting = [entry for entry in self.tls if entry.covers(host)]
        return next((entry for entry in fitting if entry.hosts), fitting[0] if fitting else None)


class IngressClass(Struct, frozen=True):
    """An IngressClass."""

    subject: Subject
    source: Source
    name: str
    controller: str
    default: bool


class Endpoints(Struct, frozen=True):
    """One EndpointSlice: the Service it belongs to, its ports by name, and how many addresses are ready."""

    subject: Subject
    source: Source
    service: str
    ports: tuple[str, ...]
    ready: int


def covered(host: str, names: tuple[str, ...]) -> bool:
    """Whether one of the names is the host or a wildcard one label above it."""
    name = host.lower().rstrip(".")
    above = name.partition(".")[2]
    known = {one.lower().rstrip(".") for one in names}
    return name in known or (bool(above) and not name.startswith("*.") and f"*.{above}" in known)


def _route(rule: Document, path: Document) -> Route:
    port: Any = path.text("backend.service.port.name") or path.integer("backend.service.port.number")
    return Route(rule.text("host") or "", path.text("path") or "/", path.text("pathType") or "", path.text("backend.service.name") or "", port)


@fact
def product_ingresses(ingresses: Objects[Document], release: Any) -> Objects[Ingress]:
    """The chart's Ingress by label, and any other of the namespace that routes to the product's two Services."""
    backends = {f"{release.fullname}-{component}" for component in chart.EXPOSED}

    def build(item: Document) -> Ingress | None:
        labels = item.labels()
        own = labels.get(chart.APP_LABEL) == chart.APP and labels.get(chart.NAME_LABEL, release.fullname) == release.fullname
        rules = list(item.items("spec.rules"))
        routes = tuple(_route(rule, path) for rule in rules for path in rule.items("http.paths"))
        if not own and not any(route.service in backends for route in routes):
            return None
        named, legacy = item.text("spec.ingressClassName"), item.text(f"metadata.annotations[{LEGACY_CLASS}]")
        found = {name: item.text(f"metadata.annotations[{name}]") for name in ANNOTATIONS}
        return Ingress(
            subject=item.subject, source=item.source, name=item.name, namespace=item.namespace or "", own=own, class_name=named or legacy or None,
            legacy=not named and bool(legacy), routes=routes, hosts=tuple(sorted({rule.text("host") or "" for rule in rules})),
            tls=tuple(TlsEntry(entry.strings("hosts"), entry.text("secretName") or None) for entry in item.items("spec.tls")),
            annotations={name: value for name, value in found.items() if value is not None},
            addresses=tuple(text for entry in item.items("status.loadBalancer.ingress") if (text := entry.text("ip") or entry.text("hostname"))),
        )  # fmt: skip

    return ingresses.each(build)


@fact
def ingress_classes(ingressclasses: Objects[Document]) -> Objects[IngressClass]:
    """Every IngressClass of the cluster."""

    def build(item: Document) -> IngressClass:
        default = item.text(f"metadata.annotations[{DEFAULT_CLASS}]") == "true"
        return IngressClass(Subject("IngressClass", item.name), item.source, item.name, item.text("spec.controller") or "", default)

    return ingressclasses.each(build)


@fact
def product_endpoints(endpointslices: Objects[Document]) -> Objects[Endpoints]:
    """The EndpointSlices of the namespace; a slice without ready addresses counts none."""

    def build(item: Document) -> Endpoints | None:
        service = item.labels().get(SERVICE_NAME)
        if not service:
            return None
        ready = sum(len(entry.strings("addresses")) for entry in item.items("endpoints") if entry.boolean("conditions.ready") is not False)
        ports = tuple(port.text("name") or "" for port in item.items("ports"))
        return Endpoints(item.subject, item.source, service, ports, ready)

    return endpointslices.each(build)


class TrustedProxy(Struct, frozen=True):
    """What the API trusts as a proxy, as ``FN-proximity-api-env`` says."""

    subject: Subject
    source: Source | None
    items: tuple[str, ...]


@fact
def trusted_proxy(api_environment: Objects[Document], release: Any) -> TrustedProxy:
    """The addresses whose forwarded headers the API believes; empty where nothing is set."""
    found = api_environment.surely().one()
    value = found.text("data.TRUSTED_PROXY") if found is not None else None
    items = tuple(part for part in re.split(r"[,\s]+", value or "") if part)
    subject = Subject("ConfigMap", f"{release.fullname}-proximity-api-env", release.namespace)
    return TrustedProxy(subject, found.source if found is not None else None, items)
