"""HTTPRoutes as ways in: whether their Gateways take them, where TLS ends for their hosts, and what plain HTTP gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit import chart
from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.certificates import Kind, Termination, TlsSecret, find_secret, problem_of, tls_secret_of
from exivity_audit.facts.controllers import Product, Setting
from exivity_audit.facts.data_planes import product_of_class
from exivity_audit.facts.gateways import HTTP, HTTPS, Gateway, GatewayClass, HttpRoute, Listener, Parent, meet
from exivity_audit.facts.ingresses import Route, covered
from exivity_audit.facts.standing import Condition
from exivity_audit.subject import Subject

ABOUT_CERTIFICATES = ("InvalidCertificateRef", "RefNotPermitted")
ABOUT_BACKENDS = ("RefNotPermitted", "InvalidKind")
WORST_FIRST = (Kind.BROKEN, Kind.NONE, Kind.HIDDEN, Kind.SECRET, Kind.NOWHERE)


class Door(Struct, frozen=True):
    """A Gateway that an HTTPRoute names, as far as it was seen, with its class and the listeners that take the route."""

    parent: Parent
    gateway: Gateway | None
    one_class: GatewayClass | None
    product: Product | None
    listeners: tuple[tuple[Listener, str], ...]  # each with a host it takes
    reasons: tuple[Reason, ...] = ()  # why the Gateway or its class was not seen


class GatewayRoute(Struct, frozen=True):
    """An HTTPRoute that leads to the product."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    routes: tuple[Route, ...]
    hosts: tuple[str, ...]
    addresses: tuple[str, ...]
    doors: tuple[Door, ...]
    standing: tuple[Setting, ...]
    left_to_tls: bool  # a listener cannot use its certificate, which explains what does not stand
    hsts: bool
    terminations: dict[str, Termination]  # by host
    redirects: dict[str, Setting]
    own = False
    rules_at = "spec.rules[].backendRefs"
    hosts_at = "spec.hostnames"
    tls_at = "spec.parentRefs"

    def __hash__(self) -> int:
        return hash(self.subject)


@fact
def gateway_certificates(gateway_secrets: Objects[Document]) -> Objects[TlsSecret]:
    """The Secrets that the Gateways' listeners name."""
    return gateway_secrets.each(tls_secret_of)


@fact
def gateway_routes(
    http_routes: Objects[HttpRoute], release: Any, gateways: Any = maybe, gateway_classes: Any = maybe, gateway_certificates: Any = maybe
) -> Objects[GatewayRoute]:
    """The HTTPRoutes that lead to the product; one that only Services have for a parent is mesh traffic, and no way in."""
    backends = {f"{release.fullname}-{component}" for component in chart.EXPOSED}

    def build(one: HttpRoute) -> GatewayRoute | None:
        parents = [parent for parent in one.parents if parent.kind != "Service"]
        if not any(route.service in backends for route in one.paths) or not parents:
            return None
        doors = tuple(_door(one, parent, gateways, gateway_classes) for parent in parents)
        hosts = tuple(sorted({host for door in doors for _, host in door.listeners})) or one.hosts or ("",)
        return GatewayRoute(
            subject=one.subject, source=one.source, name=one.name, namespace=one.namespace, hosts=hosts,
            routes=tuple(replace(route, host=host) for host in hosts for route in one.paths),
            addresses=tuple(dict.fromkeys(text for door in doors if door.gateway for text in door.gateway.addresses)), doors=doors,
            standing=tuple(_standing(one, door) for door in doors),
            left_to_tls=any(_unresolved(listener) for door in doors for listener, _ in door.listeners),
            hsts=one.hsts, terminations={host: _worst(_ends(one, door, host, gateway_certificates) for door in doors) for host in hosts},
            redirects={host: _plain(door_settings(doors, host, http_routes)) for host in hosts},
        )  # fmt: skip

    found = http_routes.each(build)
    near = tuple(odd for odd in found.unreadable if odd.subject.namespace == release.namespace)  # those elsewhere are other people's
    return Objects(found, installed=found.installed, unreadable=near, partial=found.partial)


def _door(one: HttpRoute, parent: Parent, gateways: Objects[Gateway], classes: Objects[GatewayClass]) -> Door:
    if not parent.gateway:
        return Door(parent, None, None, None, (), (Reason("gateways", f"{parent.kind} {parent.namespace}/{parent.name} is not looked at"),))
    if not seen(gateways):
        return Door(parent, None, None, None, (), reasons_of(gateways))
    found = next((item for item in gateways if (item.namespace, item.name) == (parent.namespace, parent.name)), None)
    if found is None:
        near = [item for item in gateways.unreadable if item.subject.namespace in (None, parent.namespace)]
        odd = [item for item in near if item.subject.name in (None, parent.name)]
        return Door(parent, None, None, None, (), (*gateways.partial, *(Reason("gateways", f"{item.subject}: {item.why}") for item in odd)))
    listeners = tuple(attached(one, parent, found))
    if not seen(classes):
        return Door(parent, found, None, None, listeners, reasons_of(classes))
    one_class = next((item for item in classes if item.name == found.class_name), None)
    hidden = () if one_class else (*classes.partial, *(Reason("gateway_classes", f"{odd.subject}: {odd.why}") for odd in classes.unreadable))
    return Door(parent, found, one_class, product_of_class(one_class.controller) if one_class else None, listeners, hidden)


def attached(one: HttpRoute, parent: Parent, gateway: Gateway) -> Iterator[tuple[Listener, str]]:
    """The listeners of a Gateway that take an HTTPRoute, each with a host that both name."""
    for listener in gateway.listeners:
        if listener.protocol not in (HTTP, HTTPS) or parent.section not in (None, listener.name) or parent.port not in (None, listener.port):
            continue
        if not _takes(listener, gateway, one):
            continue
        for name in one.hosts or ("",):
            host = meet(name, listener.host)
            if host is not None:
                yield listener, host


def _takes(listener: Listener, gateway: Gateway, one: HttpRoute) -> bool:
    """Whether a listener takes routes of the HTTPRoute's namespace; where it chooses namespaces by label, its own count decides."""
    if listener.spaces == "Same":
        return gateway.namespace == one.namespace
    return listener.spaces == "All" or (listener.spaces == "Selector" and listener.attached != 0)


def _unresolved(listener: Listener) -> str | None:
    """Why a listener cannot use its certificate."""
    said = listener.conditions.get("ResolvedRefs", Condition())
    return said.reason if said.status == "False" and said.reason in ABOUT_CERTIFICATES else None


def _standing(one: HttpRoute, door: Door) -> Setting:
    """Whether a Gateway takes the HTTPRoute, as the conditions of both and of the class say."""
    name, gateway = f"Gateway {door.parent.namespace}/{door.parent.name}", door.gateway
    if gateway is None:
        if door.reasons:
            return Setting(None, f"{name} was not read", reasons=door.reasons)
        return Setting(False, f"{name} does not exist", ((one, "spec.parentRefs[].name", door.parent.name),))
    for word in ("Accepted", "Programmed"):
        said = gateway.conditions.get(word)
        if (said is not None and said.status != "True") or (said is None and word == "Programmed"):
            said = said or Condition()
            return Setting(False, f"{name} is not {word.lower()}: {said.said}", ((gateway, "status.conditions", f"{word} {said.said}"),))
    if door.one_class is None:
        if door.reasons:
            return Setting(None, f"the class {gateway.class_name} of {name} was not read", reasons=door.reasons)
        return Setting(False, f"GatewayClass {gateway.class_name} does not exist", ((gateway, "spec.gatewayClassName", gateway.class_name),))
    if door.one_class.accepted.status != "True":
        said = door.one_class.accepted
        return Setting(False, f"GatewayClass {gateway.class_name} is not accepted: {said.said}", ((door.one_class, "status.conditions", said.said),))
    return _taken(one, door, gateway, name)


def _taken(one: HttpRoute, door: Door, gateway: Gateway, name: str) -> Setting:
    said = [
        entry.conditions for entry in one.accepted
        if (entry.parent.namespace, entry.parent.name) == (door.parent.namespace, door.parent.name)
        and (entry.parent.section, entry.parent.port) == (door.parent.section, door.parent.port)
    ]  # fmt: skip
    accepted = [found.get("Accepted", Condition()) for found in said]
    if not any(condition.status == "True" for condition in accepted):
        words = next((condition.said for condition in accepted), "no controller has answered")
        return Setting(False, f"{name} does not accept it: {words}", ((one, "status.parents[].conditions", words),))
    for found in said:
        refs = found.get("ResolvedRefs", Condition())
        if refs.status == "False" and refs.reason in ABOUT_BACKENDS:
            return Setting(False, f"{name} does not reach its Services: {refs.reason}", ((one, "status.parents[].conditions", refs.said),))
    for listener, _ in door.listeners:
        for word in ("Accepted", "Programmed"):
            state = listener.conditions.get(word, Condition())
            if state.status == "False":
                text = f"listener {listener.name} of {name} is not {word.lower()}: {state.said}"
                return Setting(False, text, ((gateway, "status.listeners[].conditions", f"{listener.name}: {word} {state.said}"),))
    at = ((one, "status.parents[].conditions", "Accepted True"), (gateway, "status.conditions", "Programmed True"))
    if not door.listeners:
        return Setting(None, f"{name} accepts it by a listener that is not its own, which is not looked at", at)
    return Setting(True, f"{name} of class {gateway.class_name}", at)


def _worst(found: Iterable[Termination]) -> Termination:
    return min(found, key=lambda one: WORST_FIRST.index(one.kind))


def _ends(one: HttpRoute, door: Door, host: str, secrets: Objects[TlsSecret]) -> Termination:
    """Where TLS ends for a host at one Gateway: the certificates of its HTTPS listeners."""
    gateway = door.gateway
    name = f"Gateway {door.parent.namespace}/{door.parent.name}"
    if gateway is None:
        kind, why = (Kind.HIDDEN, f"{name} was not read") if door.reasons else (Kind.NOWHERE, f"{name} does not exist")
        return Termination(kind, why, at=((one, "spec.parentRefs[].name", door.parent.name),), reasons=door.reasons)
    takers = [listener for listener, taken in door.listeners if listener.protocol == HTTPS and taken == host]
    if not takers:
        if not door.listeners:
            return Termination(Kind.HIDDEN, f"no listener of {name} was seen to take it", at=((gateway, "spec.listeners"),))
        return Termination(Kind.NONE, f"no HTTPS listener of {name} takes it", at=((gateway, "spec.listeners[].protocol", HTTP),))
    return _worst(_listener_ends(gateway, listener, host, secrets) for listener in takers)


def _listener_ends(gateway: Gateway, listener: Listener, host: str, secrets: Objects[TlsSecret]) -> Termination:
    at = ((gateway, "spec.listeners[].tls.certificateRefs", ", ".join(ref.name for ref in listener.certificates) or "none"),)
    if listener.mode == "Passthrough":
        return Termination(
            Kind.BROKEN, f"listener {listener.name} passes TLS through to the product's pods, which speak plain HTTP", None, gateway.subject, at
        )
    if not listener.certificates:
        if listener.options:
            return Termination(
                Kind.HIDDEN, f"the certificate of listener {listener.name} is named in its `tls.options`, which are its product's own", at=at
            )
        return Termination(Kind.BROKEN, f"listener {listener.name} names no certificate", None, gateway.subject, at)
    ends = [_reference_ends(ref.kind, (ref.namespace, ref.name), secrets, at) for ref in listener.certificates]
    fitting = [one for one in ends if one.secret is not None and one.secret.chain and (not host or covered(host, one.secret.chain[0].hosts))]
    best = fitting[0] if fitting else _worst(ends)
    reason = _unresolved(listener)
    if reason is not None and best.kind in (Kind.SECRET, Kind.HIDDEN):
        text = f"listener {listener.name} cannot use {best.named}: {reason}"
        return Termination(Kind.BROKEN, text, best.secret, best.named, (*at, (gateway, "status.listeners[].conditions", f"ResolvedRefs {reason}")))
    return best


def _reference_ends(kind: str, place: tuple[str, str], secrets: Objects[TlsSecret], at: tuple[tuple[Any, ...], ...]) -> Termination:
    named = Subject(kind, place[1], place[0])
    if kind != "Secret":
        return Termination(Kind.HIDDEN, f"the certificate is a {kind}, which is not looked at", None, named, at)
    found = find_secret(place, secrets)
    if found is None:
        return Termination(Kind.BROKEN, f"Secret {place[1]} is missing", None, named, at)
    if isinstance(found, tuple):
        return Termination(Kind.HIDDEN, f"Secret {place[1]} was not read", None, named, at, found)
    problem = problem_of(found)
    text = f"Secret {place[1]} {problem or 'holds a matching pair'}"
    return Termination(Kind.BROKEN if problem else Kind.SECRET, text, found, named, (*at, (found, "type", found.type)))


def door_settings(doors: Iterable[Door], host: str, routes: Objects[HttpRoute]) -> Iterator[Setting]:
    """What each Gateway does with plain HTTP to a host: one whose HTTP listener takes the product's route serves it."""
    for door in doors:
        gateway = door.gateway
        if gateway is None:
            yield Setting(None, f"Gateway {door.parent.namespace}/{door.parent.name} was not read", reasons=door.reasons)
            continue
        plain = [listener for listener in gateway.listeners if listener.protocol == HTTP and meet(host, listener.host) is not None]
        served = [listener for listener, taken in door.listeners if listener.protocol == HTTP and taken == host]
        at = ((gateway, "spec.listeners[].protocol", ", ".join(f"{listener.name}: {listener.protocol}" for listener in gateway.listeners)),)
        if served:
            yield Setting(False, f"listener {served[0].name} of Gateway {gateway.namespace}/{gateway.name} serves it over HTTP", at)
        elif not door.listeners:
            yield Setting(None, f"no listener of Gateway {gateway.namespace}/{gateway.name} was seen to take it", at)
        elif not plain:
            yield Setting(True, f"Gateway {gateway.namespace}/{gateway.name} has no HTTP listener for it", at)
        else:
            yield _redirected(gateway, plain, host, routes, at)


def _redirected(gateway: Gateway, plain: list[Listener], host: str, routes: Objects[HttpRoute], at: tuple[tuple[Any, ...], ...]) -> Setting:
    """An HTTP listener that the product's route keeps off: redirected by another HTTPRoute, or not answered."""
    for one in routes:
        for parent in one.parents:
            if not one.redirects or not parent.gateway or (parent.namespace, parent.name) != (gateway.namespace, gateway.name):
                continue
            if any(listener in plain and meet(host, taken) is not None for listener, taken in attached(one, parent, gateway)):
                return Setting(True, f"{one.subject} redirects to https", (*at, (one, "spec.rules[].filters[].requestRedirect.scheme", "https")))
    return Setting(True, f"listener {plain[0].name} of Gateway {gateway.namespace}/{gateway.name} has no route for it", at)


def _plain(found: Iterator[Setting]) -> Setting:
    """Several Gateways as one: one that serves plain HTTP, else one that was not seen, else all."""
    every = list(found)
    for holds in (False, None):
        one = next((setting for setting in every if setting.holds is holds), None)
        if one is not None:
            return one
    return Setting(True, "; ".join(sorted({one.seen for one in every})), tuple(place for one in every for place in one.at))
