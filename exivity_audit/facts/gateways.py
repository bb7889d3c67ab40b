"""The Gateway API's objects: classes, Gateways with their listeners, and HTTPRoutes with the paths that lead to the product."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.facts.ingresses import Route
from exivity_audit.facts.standing import Condition, conditions
from exivity_audit.subject import Subject

GROUP = "gateway.networking.k8s.io"
KINDS = {"Exact": "Exact", "RegularExpression": "ImplementationSpecific"}
HTTP, HTTPS = "HTTP", "HTTPS"


class Parent(Struct, frozen=True):
    """What an HTTPRoute attaches to."""

    group: str
    kind: str
    namespace: str
    name: str
    section: str | None
    port: int | None

    @property
    def gateway(self) -> bool:
        """Whether it is a Gateway; a Service is a parent of mesh traffic, which is no way in."""
        return self.kind == "Gateway" and self.group == GROUP


class Accepted(Struct, frozen=True):
    """What one controller says of a route at one of its parents."""

    parent: Parent
    conditions: dict[str, Condition]

    def __hash__(self) -> int:
        return hash(self.parent)


class HttpRoute(Struct, frozen=True):
    """An HTTPRoute."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    hosts: tuple[str, ...]  # empty: the listeners' hosts
    parents: tuple[Parent, ...]
    paths: tuple[Route, ...]  # those that lead to Services of the release's namespace; their host is empty here
    redirects: bool  # every path is redirected to https
    accepted: tuple[Accepted, ...]
    hsts: bool


class Reference(Struct, frozen=True):
    """What a listener names as its certificate."""

    kind: str
    namespace: str
    name: str


class Listener(Struct, frozen=True):
    """One listener of a Gateway."""

    name: str
    host: str  # empty: every host
    port: int
    protocol: str
    mode: str  # Terminate, Passthrough
    certificates: tuple[Reference, ...]
    options: bool  # the implementation's own TLS options are set
    spaces: str  # whose routes it takes: Same, All, Selector
    attached: int | None
    conditions: dict[str, Condition]

    def __hash__(self) -> int:
        return hash((self.name, self.host, self.port))


class Gateway(Struct, frozen=True):
    """A Gateway that routes of the product name."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    class_name: str
    listeners: tuple[Listener, ...]
    addresses: tuple[str, ...]  # as its controller published them
    conditions: dict[str, Condition]

    def __hash__(self) -> int:
        return hash(self.subject)


class GatewayClass(Struct, frozen=True):
    """A GatewayClass."""

    subject: Subject
    source: Source
    name: str
    controller: str
    accepted: Condition


def meet(one: str, other: str) -> str | None:
    """The hosts that two names have in common, as the narrower of them; empty stands for every host, None for none in common."""
    one, other = one.lower().rstrip("."), other.lower().rstrip(".")
    if not one or one == other:
        return other
    if not other:
        return one
    if one.startswith("*.") and other.endswith(one[1:]):
        return other
    return one if other.startswith("*.") and one.endswith(other[1:]) else None


def parents_of(item: Document) -> tuple[Parent, ...]:
    """What an HTTPRoute attaches to. Raises Malformed."""
    return tuple(_parent(entry, "", item.namespace or "") for entry in item.items("spec.parentRefs"))


def _parent(item: Document, prefix: str, namespace: str) -> Parent:
    return Parent(
        group=GROUP if (group := item.text(f"{prefix}group")) is None else group, kind=item.text(f"{prefix}kind") or "Gateway",
        namespace=item.text(f"{prefix}namespace") or namespace, name=item.text(f"{prefix}name") or "",
        section=item.text(f"{prefix}sectionName"), port=item.integer(f"{prefix}port"),
    )  # fmt: skip


def paths_of(item: Document, namespace: str) -> Iterator[Route]:
    """The paths of an HTTPRoute whose backend is a Service of a namespace; matches with further conditions take only some of the requests."""
    for rule in item.items("spec.rules"):
        backends = [
            (entry.text("name") or "", entry.integer("port"))
            for entry in rule.items("backendRefs")
            if (entry.text("kind") or "Service") == "Service"
            and (entry.text("namespace") or item.namespace) == namespace
            and entry.integer("weight") != 0
        ]
        for path, kind in _matches(rule):
            yield from (Route("", path, kind, service, port) for service, port in backends)


def _matches(rule: Document) -> Iterator[tuple[str, str]]:
    found = list(rule.items("matches"))
    if not found:
        yield "/", "Prefix"
    for match in found:
        if match.text("method") is None and not list(match.items("headers")) and not list(match.items("queryParams")):
            yield match.text("path.value") or "/", KINDS.get(match.text("path.type") or "", "Prefix")


def leads_to_product(item: Document, release: Any) -> bool:
    """Whether an HTTPRoute leads to one of the product's two Services. Raises Malformed."""
    backends = {f"{release.fullname}-{component}" for component in chart.EXPOSED}
    return any(route.service in backends for route in paths_of(item, release.namespace))


def _redirects(item: Document) -> bool:
    """Whether a rule for every path redirects to https."""
    for rule in item.items("spec.rules"):
        to_https = any(
            entry.text("type") == "RequestRedirect" and (entry.text("requestRedirect.scheme") or "").lower() == "https"
            for entry in rule.items("filters")
        )
        if to_https and any(path == "/" and kind == "Prefix" for path, kind in _matches(rule)):
            return True
    return False


def _hsts(item: Document) -> bool:
    added = (
        header.text("name") or ""
        for rule in item.items("spec.rules")
        for entry in rule.items("filters")
        for how in ("set", "add")
        for header in entry.items(f"responseHeaderModifier.{how}")
    )
    return any(name.lower() == "strict-transport-security" for name in added)


@fact
def http_routes(http_routes: Objects[Document], release: Any) -> Objects[HttpRoute]:
    """Every HTTPRoute that was read: those that lead to the product, and those that may redirect to it."""

    def build(item: Document) -> HttpRoute:
        space = item.namespace or ""
        return HttpRoute(
            subject=item.subject, source=item.source, name=item.name, namespace=space, hosts=item.strings("spec.hostnames"), parents=parents_of(item),
            paths=tuple(paths_of(item, release.namespace)), redirects=_redirects(item),
            accepted=tuple(Accepted(_parent(entry, "parentRef.", space), conditions(entry, "conditions")) for entry in item.items("status.parents")),
            hsts=_hsts(item),
        )  # fmt: skip

    return http_routes.each(build)


def references_of(item: Document) -> Iterator[Reference]:
    """The certificates that a Gateway's listeners name. Raises Malformed."""
    for listener in item.items("spec.listeners"):
        yield from _references(listener, item.namespace or "")


def _references(listener: Document, namespace: str) -> Iterator[Reference]:
    for entry in listener.items("tls.certificateRefs"):
        yield Reference(entry.text("kind") or "Secret", entry.text("namespace") or namespace, entry.text("name") or "")


def _listener(item: Document, namespace: str, said: dict[str, tuple[int | None, dict[str, Condition]]]) -> Listener:
    name = item.text("name") or ""
    attached, found = said.get(name, (None, {}))
    return Listener(
        name=name, host=item.text("hostname") or "", port=item.integer("port") or 0, protocol=item.text("protocol") or "",
        mode=item.text("tls.mode") or "Terminate", certificates=tuple(_references(item, namespace)), options=bool(item.get("tls.options")),
        spaces=item.text("allowedRoutes.namespaces.from") or "Same", attached=attached, conditions=found,
    )  # fmt: skip


@fact
def gateways(gateways: Objects[Document]) -> Objects[Gateway]:
    """The Gateways that routes of the product attach to."""

    def build(item: Document) -> Gateway:
        said = {
            entry.text("name") or "": (entry.integer("attachedRoutes"), conditions(entry, "conditions")) for entry in item.items("status.listeners")
        }
        space = item.namespace or ""
        return Gateway(
            subject=item.subject, source=item.source, name=item.name, namespace=space, class_name=item.text("spec.gatewayClassName") or "",
            listeners=tuple(_listener(entry, space, said) for entry in item.items("spec.listeners")),
            addresses=tuple(text for entry in item.items("status.addresses") if (text := entry.text("value"))), conditions=conditions(item),
        )  # fmt: skip

    return gateways.each(build)


@fact
def gateway_classes(gateway_classes: Objects[Document]) -> Objects[GatewayClass]:
    """The classes of those Gateways."""

    def build(item: Document) -> GatewayClass:
        accepted = conditions(item).get("Accepted", Condition())
        return GatewayClass(Subject("GatewayClass", item.name), item.source, item.name, item.text("spec.controllerName") or "", accepted)

    return gateway_classes.each(build)
