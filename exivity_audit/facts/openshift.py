"""OpenShift's way in: Routes that lead to the product, the IngressControllers that admit them, and their routers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit import chart
from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.balancers import Balancer, balancer_of
from exivity_audit.facts.certificates import TLS_TYPE, Kind, Termination, TlsSecret, chain_of, find_secret, key_of, problem_of, tls_secret_of
from exivity_audit.facts.controllers import Controller, Product, Setting, host_ports_of
from exivity_audit.facts.ingresses import Route
from exivity_audit.facts.selectors import Labelled
from exivity_audit.facts.standing import Condition, conditions
from exivity_audit.facts.workloads import pod, with_pods, workload
from exivity_audit.subject import Subject

ROUTERS = "openshift-ingress"
OWNING = "ingresscontroller.operator.openshift.io/owning-ingresscontroller"
POD_OWNER = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"
FORWARDED = "haproxy.router.openshift.io/set-forwarded-headers"
BELIEVING = ("ifnone", "if-none", "never")  # what a client sent goes through
REDIRECTS = {"Redirect": "it redirects to https", "Allow": "it answers plain HTTP"}
GENERATED_ISSUER = "ingress-operator@"  # the authority that the ingress operator makes for itself
WORST_FIRST = (Kind.BROKEN, Kind.NONE, Kind.HIDDEN, Kind.DEFAULT, Kind.SECRET)


class Router(Struct, frozen=True):
    """An IngressController of OpenShift's ingress operator."""

    subject: Subject
    source: Source
    name: str
    certificate: str  # the Secret of its default certificate, in the routers' namespace
    policy: str  # what it does with forwarded headers
    available: Condition


class RouteTls(Struct, frozen=True):
    """How TLS ends at a Route, and the pair or the Secret it brings."""

    termination: str
    insecure: str
    external: str | None
    pair: TlsSecret | None


class PlatformRoute(Struct, frozen=True):
    """A Route that leads to the product, or the several that OpenShift made of one Ingress: then the Ingress is what a person edits."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    made_from: str | None  # the Ingress
    own: bool
    routes: tuple[Route, ...]
    hosts: tuple[str, ...]
    addresses: tuple[str, ...]
    tls: tuple[tuple[str, RouteTls | None], ...]  # by host
    admitted: dict[str, Condition]  # by router
    hsts: bool = False
    forwarded: str = ""
    rules_at = "spec.to.name"
    hosts_at = "spec.host"
    tls_at = "spec.tls"

    def __hash__(self) -> int:
        return hash(self.subject)

    def owned(self, own: bool) -> PlatformRoute:
        """The same Route, told whether it is of this release."""
        return replace(self, own=own)

    @property
    def routers(self) -> tuple[str, ...]:
        """The IngressControllers that admitted it."""
        return tuple(sorted(name for name, one in self.admitted.items() if one.status == "True"))


def leads_to_product(item: Document, release: Any) -> bool:
    """Whether a Route leads to one of the product's two Services. Raises Malformed."""
    backends = {f"{release.fullname}-{component}" for component in chart.EXPOSED}
    named = [item.text("spec.to.name"), *(entry.text("name") for entry in item.items("spec.alternateBackends"))]
    return any(name in backends for name in named)


def default_secret(item: Document) -> str:
    """The Secret of an IngressController's default certificate: the one it names, else the one its operator made."""
    return item.text("spec.defaultCertificate.name") or f"router-certs-{item.name}"


def _tls(item: Document) -> RouteTls | None:
    found = item.mapping("spec.tls")
    if not found:
        return None
    texts = {key: item.text(f"spec.tls.{key}") or "" for key in ("termination", "insecure", "external")}
    pair = None
    if found.get("chain") or found.get("key"):
        pair = TlsSecret(
            subject=item.subject, source=item.source, name=item.name, namespace=item.namespace or "", type=TLS_TYPE,
            chain=chain_of(found.get("chain")),
            root=None, key=key_of(found.get("key")), managed=False, place="spec.tls",
        )  # fmt: skip
    return RouteTls(texts["termination"].lower(), texts["insecure"], texts["external"] or None, pair)


@fact
def platform_routes(openshift_routes: Objects[Document], release: Any) -> Objects[PlatformRoute]:
    """The Routes that lead to the product; those of one Ingress together."""

    def build(item: Document) -> PlatformRoute | None:
        if not leads_to_product(item, release):
            return None
        owner = next((entry.text("name") for entry in item.items("metadata.ownerReferences") if entry.text("kind") == "Ingress"), None)
        admissions = list(item.items("status.ingress"))
        given = next((text for entry in admissions if (text := entry.text("host"))), "")
        host = item.text("spec.host") or given
        service, port = item.text("spec.to.name") or "", item.get("spec.port.targetPort")
        return PlatformRoute(
            subject=Subject("Ingress", owner, item.namespace) if owner else item.subject, source=item.source, name=item.name,
            namespace=item.namespace or "",
            made_from=owner, own=False, hosts=(host,), tls=((host, _tls(item)),),
            routes=(Route(host, item.text("spec.path") or "/", "Prefix", service, port if isinstance(port, str | int) else None),),
            addresses=tuple(text for entry in admissions if (text := entry.text("routerCanonicalHostname"))),
            admitted={entry.text("routerName") or "": conditions(entry, "conditions").get("Admitted", Condition()) for entry in admissions},
            hsts=bool(item.get("metadata.annotations[haproxy.router.openshift.io/hsts_header]")),
            forwarded=item.text(f"metadata.annotations[{FORWARDED}]") or "",
        )  # fmt: skip

    found = openshift_routes.each(build)
    groups: dict[Subject, list[PlatformRoute]] = {}
    for one in found:
        groups.setdefault(one.subject, []).append(one)
    together = [_joined(group) for _, group in sorted(groups.items())]
    return Objects(together, installed=found.installed, unreadable=found.unreadable, partial=found.partial)


def _joined(group: list[PlatformRoute]) -> PlatformRoute:
    first = group[0]
    admitted: dict[str, Condition] = {}
    for one in group:
        for name, said in one.admitted.items():
            if admitted.get(name, said).status == "True":
                admitted[name] = said  # one that is not admitted is what counts
    return PlatformRoute(
        subject=first.subject, source=first.source, name=first.name, namespace=first.namespace, made_from=first.made_from, own=first.own,
        routes=tuple(route for one in group for route in one.routes), hosts=tuple(sorted({host for one in group for host in one.hosts})),
        addresses=tuple(sorted({text for one in group for text in one.addresses})), tls=tuple(pair for one in group for pair in one.tls),
        admitted=admitted, hsts=all(one.hsts for one in group), forwarded=next((one.forwarded for one in group if one.forwarded), ""),
    )  # fmt: skip


@fact
def ingress_controllers(ingress_controllers: Objects[Document]) -> Objects[Router]:
    """The IngressControllers of the cluster."""

    def build(item: Document) -> Router:
        policy = item.text("spec.httpHeaders.forwardedHeaderPolicy") or "Append"
        available = conditions(item).get("Available", Condition())
        return Router(item.subject, item.source, item.name, default_secret(item), policy, available)

    return ingress_controllers.each(build)


@fact
def routers(router_deployments: Objects[Document], router_pods: Objects[Document]) -> Objects[Controller]:
    """The routers as workloads."""
    pods = Labelled(router_pods.each(pod))

    def build(item: Document) -> Controller:
        found = with_pods(workload(item), pods)
        return Controller(
            workload=found, product=Product.OPENSHIFT_ROUTER, image=next(iter(found.images), ""), by_image=True, arguments={}, config={},
            config_source=None,
            config_reasons=(), host_network=item.boolean("spec.template.spec.hostNetwork") or False, host_ports=host_ports_of(item),
            desired=found.replicas,
            data_plane=True,
        )  # fmt: skip

    return router_deployments.each(build)


@fact
def router_balancers(router_services: Objects[Document]) -> Objects[Balancer]:
    """The Services before the routers."""
    return router_services.each(balancer_of)


@fact
def route_certificates(route_secrets: Objects[Document]) -> Objects[TlsSecret]:
    """Secrets that the product's Routes name, and the routers' default ones."""
    return route_secrets.each(tls_secret_of)


@fact
def route_terminations(
    platform_routes: Objects[PlatformRoute], ingress_controllers: Any = maybe, route_certificates: Any = maybe
) -> dict[tuple[Subject, str], Termination]:
    """Where TLS ends for each host of each Route: the worst of several Routes for one host."""
    found: dict[tuple[Subject, str], Termination] = {}
    for way in platform_routes:
        for host, tls in way.tls:
            one, key = _ends(way, tls, ingress_controllers, route_certificates), (way.subject, host)
            if key not in found or WORST_FIRST.index(one.kind) < WORST_FIRST.index(found[key].kind):
                found[key] = one
    return found


def _ends(way: PlatformRoute, tls: RouteTls | None, routers: Objects[Router], secrets: Objects[TlsSecret]) -> Termination:
    if tls is None or not tls.termination:
        return Termination(Kind.NONE, "the Route has no TLS", at=((way, "spec.tls", "none"),))
    at = ((way, "spec.tls.termination", tls.termination),)
    if tls.termination == "passthrough":
        return Termination(Kind.BROKEN, "passthrough leaves TLS to the product's pods, which speak plain HTTP", None, way.subject, at)
    if tls.external:
        named = Subject("Secret", tls.external, way.namespace)
        return _named(find_secret((way.namespace, tls.external), secrets), f"Secret {tls.external}", named, at)
    if tls.pair is not None:
        return _named(tls.pair, "the Route", tls.pair.subject, at)
    return _by_default(way, tls, routers, secrets, at)


def _named(found: TlsSecret | tuple[Reason, ...] | None, what: str, named: Subject, at: tuple[tuple[Any, ...], ...]) -> Termination:
    if found is None:
        return Termination(Kind.BROKEN, f"{what} is missing", None, named, at)
    if isinstance(found, tuple):
        return Termination(Kind.HIDDEN, f"{what} was not read", None, named, at, found)
    problem = problem_of(found)
    return Termination(
        Kind.BROKEN if problem else Kind.SECRET, f"{what} {problem or 'holds a matching pair'}", found, named, (*at, (found, found.place, found.type))
    )


def _by_default(
    way: PlatformRoute, tls: RouteTls, routers: Objects[Router], secrets: Objects[TlsSecret], at: tuple[tuple[Any, ...], ...]
) -> Termination:
    """The default certificate of the router that admitted the Route."""
    text = f"{tls.termination} with the router's default certificate"
    if not seen(routers):
        return Termination(Kind.DEFAULT, text, at=at, reasons=reasons_of(routers))
    one = next((router for router in routers if router.name in way.routers), None) or routers.one()
    if one is None:
        return Termination(Kind.DEFAULT, text, at=at, reasons=routers.partial)
    secret = find_secret((ROUTERS, one.certificate), secrets)
    return Termination(
        Kind.DEFAULT, f"{text}, Secret {one.certificate}", secret if isinstance(secret, TlsSecret) else None,
        Subject("Secret", one.certificate, ROUTERS),
        (*at, (one, "spec.defaultCertificate.name", one.certificate)), secret if isinstance(secret, tuple) else (),
    )  # fmt: skip


def redirect(way: PlatformRoute, host: str) -> Setting:
    """Whether plain HTTP to a host of a Route is redirected or refused: refused where nothing is said."""
    said = [tls.insecure if tls is not None else "Allow" for name, tls in way.tls if name == host]
    word = "Allow" if "Allow" in said else next((one for one in said if one == "Redirect"), "None")
    at = ((way, "spec.tls.insecureEdgeTerminationPolicy", word),)
    return Setting(word != "Allow", REDIRECTS.get(word, "it does not answer plain HTTP"), at)


def standing(way: PlatformRoute) -> Setting:
    """Whether a router admitted it."""
    at = ((way, "status.ingress[].conditions", ", ".join(f"{name} {one.said}" for name, one in sorted(way.admitted.items())) or "none"),)
    if way.routers:
        return Setting(True, f"admitted by {', '.join(way.routers)}", at)
    refused = next((f"{name or 'a router'}: {one.reason or 'not admitted'}" for name, one in sorted(way.admitted.items())), None)
    return Setting(False, f"not admitted by {refused}" if refused else "no router has admitted it", at)


def serving_routers(way: PlatformRoute, found: Iterable[Controller]) -> tuple[Controller, ...]:
    """The routers of the IngressControllers that admitted a Route."""
    return tuple(one for one in found if one.workload.labels.get(OWNING) in way.routers)


def believes(ways: Iterable[PlatformRoute], controller: Controller, routers: Objects[Router]) -> Setting:
    """Whether a router passes on what a client says of itself: by its policy, or by a Route's annotation."""
    for way in ways:
        if way.forwarded.lower() in BELIEVING:
            return Setting(True, f"`{FORWARDED}: {way.forwarded}`", ((way, f"metadata.annotations[{FORWARDED}]", way.forwarded),))
    if not seen(routers):
        return Setting(None, "its IngressController was not read", reasons=reasons_of(routers))
    one = next((router for router in routers if router.name == controller.workload.labels.get(OWNING)), None)
    if one is None:
        return Setting(None, "its IngressController was not read", reasons=routers.partial)
    policy = f"`forwardedHeaderPolicy: {one.policy}`"
    return Setting(one.policy.lower() in BELIEVING, policy, ((one, "spec.httpHeaders.forwardedHeaderPolicy", one.policy),))
