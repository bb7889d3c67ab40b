"""A way in, whatever makes it: an Ingress, an HTTPRoute behind a Gateway, or an OpenShift Route; who serves it, where TLS ends, what HTTP gets."""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit.evidence import Source
from exivity_audit.fact import NotSeen, Objects, Reason, Unread, fact, maybe, reasons_of, seen
from exivity_audit.facts import proxying
from exivity_audit.facts.balancers import Balancer, in_front
from exivity_audit.facts.certificates import Kind, Termination, TlsSecret, termination
from exivity_audit.facts.controllers import OTHER_STRINGS, PROVIDED, Controller, Product, Setting, class_of, serving
from exivity_audit.facts.data_planes import believes as gateway_believes
from exivity_audit.facts.data_planes import gateway_of, serving_gateway
from exivity_audit.facts.gateway_ways import GatewayRoute
from exivity_audit.facts.gateways import Gateway
from exivity_audit.facts.ingresses import Ingress, IngressClass, Route
from exivity_audit.facts.openshift import PlatformRoute, serving_routers
from exivity_audit.facts.openshift import believes as router_believes
from exivity_audit.facts.openshift import redirect as route_redirect
from exivity_audit.facts.traefik import Middleware
from exivity_audit.subject import Subject

ROUTE_CLASS = "openshift.io/"


class WayIn(Protocol):
    """What every way in has; ``rules_at``, ``hosts_at`` and ``tls_at`` are where its object says so."""

    @property
    def subject(self) -> Subject: ...
    @property
    def source(self) -> Source: ...
    @property
    def own(self) -> bool: ...
    @property
    def routes(self) -> tuple[Route, ...]: ...
    @property
    def hosts(self) -> tuple[str, ...]: ...
    @property
    def addresses(self) -> tuple[str, ...]: ...

    rules_at: str
    hosts_at: str
    tls_at: str


@fact
def ways_in(product_ingresses: Objects[Ingress], gateway_routes: Any = maybe, platform_routes: Any = maybe) -> Objects[Any]:
    """Every way in to the product; of an Ingress that OpenShift turned into Routes, the Routes. Where there is none, what was not read hides one."""
    own = {one.subject: one.own for one in product_ingresses}
    routed = [one.owned(own.get(one.subject, False)) for one in platform_routes] if seen(platform_routes) else []
    made = {one.subject for one in routed if one.made_from}
    found: list[Any] = [one for one in product_ingresses if one.subject not in made]
    odd = list(product_ingresses.unreadable)
    hidden: list[Reason] = []
    for read in (gateway_routes, platform_routes):
        if seen(read):
            found += routed if read is platform_routes else list(read)
            odd += read.unreadable
            hidden += read.partial
        else:
            hidden += reasons_of(read)
    partial = (*product_ingresses.partial, *(hidden if not found else ()))
    return Objects(found, unreadable=tuple(sorted(set(odd), key=str)), partial=tuple(sorted(set(partial))))


class Served(Struct, frozen=True):
    """Who serves a way in: the workloads, or why none is known."""

    takers: tuple[Controller, ...] = ()
    missing: bool = False  # nothing can serve it: its class is not named, or surely does not exist
    why: str = ""
    reasons: tuple[Reason, ...] = ()


class Attendance:
    """Who serves each way in."""

    def __init__(self, by_way: dict[Subject, Served], unreadable: tuple[Unread, ...]) -> None:
        self._by_way, self.unreadable = by_way, unreadable

    def of(self, way: WayIn) -> Served:
        """Who serves one."""
        return self._by_way[way.subject]

    @property
    def takers(self) -> tuple[Controller, ...]:
        """All who serve, each once."""
        found = {one.subject: one for served in self._by_way.values() for one in served.takers}
        return tuple(found[subject] for subject in sorted(found))


@fact
def attendance(
    ways_in: Objects[Any], ingress_classes: Objects[IngressClass], controllers: Any = maybe, data_planes: Any = maybe, routers: Any = maybe
) -> Attendance:
    """Who serves each way in."""
    found = {}
    for way in ways_in:
        if isinstance(way, GatewayRoute):
            found[way.subject] = _gateway_served(way, data_planes, controllers)
        elif isinstance(way, PlatformRoute):
            found[way.subject] = _route_served(way, routers)
        else:
            found[way.subject] = _ingress_served(way, ingress_classes, controllers)
    odd = [item for read in (controllers, data_planes, routers) if seen(read) for item in read.unreadable]
    return Attendance(found, tuple(odd))


def _ingress_served(ingress: Ingress, classes: Objects[IngressClass], controllers: Objects[Controller]) -> Served:
    one = class_of(ingress, classes)
    missing = ingress.class_name is None or (one is None and classes.complete)
    if not seen(controllers):
        return Served(reasons=reasons_of(controllers))
    return Served(serving(ingress, classes, controllers), missing, no_controller(one.controller if one else "its class"))


def no_controller(controller: str) -> str:
    """Why no controller is known for a class's controller string."""
    if controller.startswith(ROUTE_CLASS):
        return "OpenShift has made no Route of it"
    other = next((name for start, name in OTHER_STRINGS.items() if controller.startswith(start)), None)
    return (
        f"{other}: its pods are not looked at by this version"
        if other
        else f"no workload with the labels of a known controller's chart serves {controller}"
    )


def _gateway_served(way: GatewayRoute, planes: Objects[Controller], controllers: Objects[Controller]) -> Served:
    takers: list[Controller] = []
    whys: list[str] = []
    reasons: list[Reason] = []
    for door in way.doors:
        if door.gateway is None or door.product is None:
            reasons += door.reasons
            whys.append(f"the product behind Gateway {door.parent.namespace}/{door.parent.name} is not known")
            continue
        try:
            found = serving_gateway(door.gateway, door.product, planes, controllers)
        except NotSeen as error:
            reasons += error.reasons
            continue
        takers += found
        if not found and door.product in PROVIDED:
            whys.append(f"{door.product} answers outside the cluster")
        elif not found:
            whys.append(f"no workload of {door.product} was found for {door.gateway.subject}")
    distinct = tuple({one.subject: one for one in takers}.values())
    return Served(distinct, all(door.gateway is None and not door.reasons for door in way.doors), "; ".join(dict.fromkeys(whys)), tuple(reasons))


def _route_served(way: PlatformRoute, routers: Objects[Controller]) -> Served:
    if not way.routers:
        return Served(missing=True)
    if not seen(routers):
        return Served(reasons=reasons_of(routers))
    return Served(serving_routers(way, routers), why=f"no router of {', '.join(way.routers)} was found")


class Terminations:
    """Where TLS ends for each host of each way in."""

    def __init__(self, by_host: dict[tuple[Subject, str], Termination]) -> None:
        self._by_host = by_host

    def of(self, way: WayIn, host: str) -> Termination:
        """Where it ends for one host."""
        return self._by_host[way.subject, host]


@fact
def terminations(
    ways_in: Objects[Any], attendance: Attendance, ingress_secrets: Any = maybe, tls_stores: Any = maybe, default_secrets: Any = maybe,
    route_terminations: Any = maybe,
) -> Terminations:  # fmt: skip
    """Where TLS ends for each host of each way in."""
    found: dict[tuple[Subject, str], Termination] = {}
    for way in ways_in:
        for host in way.hosts or ("",):
            if isinstance(way, GatewayRoute):
                found[way.subject, host] = way.terminations[host]
            elif isinstance(way, PlatformRoute):
                found[way.subject, host] = route_terminations[way.subject, host]
            else:
                found[way.subject, host] = _ingress_ends(way, host, attendance.of(way), ingress_secrets, tls_stores, default_secrets)
    return Terminations(found)


def _ingress_ends(ingress: Ingress, host: str, served: Served, secrets: Objects[TlsSecret], stores: Any, defaults: Objects[TlsSecret]) -> Termination:
    known = served.takers if served.takers or (served.missing and not served.reasons) else None
    found = termination(ingress, host, secrets, known, stores, defaults)
    return replace(found, reasons=served.reasons) if found.kind is Kind.HIDDEN and not found.reasons else found


class PlainHttp(Struct, frozen=True):
    """What plain HTTP to a host gets: by whom, and whether the client is told to use TLS alone (HSTS)."""

    controller: Controller | None  # None: the way in's own object says it
    setting: Setting
    hsts: bool


class PlainAnswers:
    """What plain HTTP gets for each host of each way in."""

    def __init__(self, by_host: dict[tuple[Subject, str], tuple[PlainHttp, ...]]) -> None:
        self._by_host = by_host

    def of(self, way: WayIn, host: str) -> tuple[PlainHttp, ...]:
        """What it gets for one host, from each that serves it; empty where nobody is known."""
        return self._by_host[way.subject, host]


@fact
def plain_answers(ways_in: Objects[Any], attendance: Attendance, middlewares: Any = maybe, balancers: Any = maybe) -> PlainAnswers:
    """What plain HTTP gets for each host of each way in."""
    found: dict[tuple[Subject, str], tuple[PlainHttp, ...]] = {}
    for way in ways_in:
        for host in way.hosts or ("",):
            if isinstance(way, GatewayRoute):
                found[way.subject, host] = (PlainHttp(None, way.redirects[host], way.hsts),)
            elif isinstance(way, PlatformRoute):
                found[way.subject, host] = (PlainHttp(None, route_redirect(way, host), way.hsts),)
            else:
                found[way.subject, host] = tuple(_ingress_plain(way, host, taker, middlewares, balancers) for taker in attendance.of(way).takers)
    return PlainAnswers(found)


def _ingress_plain(ingress: Ingress, host: str, controller: Controller, middlewares: Objects[Middleware], balancers: Objects[Balancer]) -> PlainHttp:
    fronts = in_front(controller, balancers) if seen(balancers) and balancers.complete else ()
    setting = proxying.redirect(ingress, host, controller, middlewares, fronts)
    return PlainHttp(controller, setting, proxying.hsts(ingress, controller, middlewares))


class Peer(Struct, frozen=True):
    """Someone whose requests reach the API, and whether it passes on what a client says of itself."""

    subject: Subject
    source: Source
    product: Product | None
    belief: Setting


@fact
def peers(ways_in: Objects[Any], attendance: Attendance, beliefs: Any = maybe, ingress_controllers: Any = maybe) -> tuple[Peer, ...]:
    """Everyone who serves a way in, with what they believe of forwarded headers."""
    found: dict[Subject, Peer] = {}
    for way in ways_in:
        takers = attendance.of(way).takers
        if isinstance(way, GatewayRoute):
            for gateway, product in gateways_of(way):
                if product is not Product.TRAEFIK:
                    found.setdefault(gateway.subject, Peer(gateway.subject, gateway.source, product, gateway_believes(gateway, product, beliefs)))
            takers = tuple(one for one in takers if one.product is Product.TRAEFIK)
        for one in takers:
            if isinstance(way, PlatformRoute):
                routed = [other for other in ways_in if isinstance(other, PlatformRoute)]
                belief = router_believes(routed, one, ingress_controllers)
            else:
                belief = proxying.believes_everyone(one)
            found.setdefault(one.subject, Peer(one.subject, one.source, one.product, belief))
    return tuple(found[subject] for subject in sorted(found))


def gateways_of(way: GatewayRoute) -> tuple[tuple[Gateway, Product | None], ...]:
    """The Gateways of an HTTPRoute that were seen, with the product behind each."""
    return tuple((door.gateway, door.product) for door in way.doors if door.gateway is not None)


@fact
def fronts(ways_in: Objects[Any], balancers: Objects[Balancer], gateway_balancers: Any = maybe, router_balancers: Any = maybe) -> Objects[Balancer]:
    """Every Service before what serves a way in; those of a kind of way in that is not used are not missed."""
    found, hidden, odd = list(balancers), list(balancers.partial), list(balancers.unreadable)
    for kind, read in ((GatewayRoute, gateway_balancers), (PlatformRoute, router_balancers)):
        if not any(isinstance(way, kind) for way in ways_in):
            continue
        if seen(read):
            found, hidden, odd = [*found, *read], [*hidden, *read.partial], [*odd, *read.unreadable]
        else:
            hidden += reasons_of(read)
    distinct = {one.subject: one for one in found}
    return Objects(distinct.values(), unreadable=tuple(sorted(set(odd), key=str)), partial=tuple(sorted(set(hidden))))


def before_gateway(gateway: Gateway, found: Objects[Balancer]) -> tuple[Balancer, ...]:
    """The Services that were made for a Gateway."""
    place = (gateway.namespace, gateway.name)
    return tuple(one for one in found if one.outside and gateway_of(one.labels, one.namespace) == place)


class Published(Struct, frozen=True):
    """Where the cluster says that its way in is reached, with the objects that say so; ``whole``: nothing that may say more was left unread."""

    places: tuple[str, ...]  # addresses and names
    at: tuple[tuple[Any, str, str], ...]
    whole: bool


@fact
def published(ways_in: Objects[Any], attendance: Any = maybe, fronts: Any = maybe) -> dict[Subject, Published]:
    """The addresses of each way in: its own status, its Gateways', and those of the Services before what serves it."""
    found: dict[Subject, Published] = {}
    for way in ways_in:
        objects: list[tuple[Any, str, tuple[str, ...]]] = [(way, "status", way.addresses)]
        if isinstance(way, GatewayRoute):
            objects += [(gateway, "status.addresses", gateway.addresses) for gateway, _ in gateways_of(way)]
        if seen(fronts):
            before = [one for gateway, _ in gateways_of(way) for one in before_gateway(gateway, fronts)] if isinstance(way, GatewayRoute) else []
            takers = attendance.of(way).takers if seen(attendance) else ()
            before += [one for taker in takers for one in in_front(taker, fronts)]
            objects += [(one, "status.loadBalancer.ingress", (*one.addresses, *one.external)) for one in before]
        places = tuple(dict.fromkeys(place for _, _, given in objects for place in given))
        at = tuple((one, path, ", ".join(given)) for one, path, given in objects if given)
        found[way.subject] = Published(places, at, seen(attendance) and seen(fronts) and fronts.complete)
    return found
