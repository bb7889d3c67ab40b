"""Reads of the probes of the way in: what a client sees of the product's hosts, asked only where the run says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from exivity_audit.collect.place import MissingRead, Read, paths
from exivity_audit.collect.reads.ingress import product_ingresses
from exivity_audit.document import Document, Malformed
from exivity_audit.fact import Unreadable
from exivity_audit.facts import gateways as gateway_facts
from exivity_audit.facts import openshift
from exivity_audit.snapshot import Place

MOST_HOSTS = 20
API_PATHS = ("/v1/", "/v2/")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


def is_name(host: Any) -> bool:
    """Whether a host is a name that can be asked for: no pattern, no address."""
    if not isinstance(host, str) or not 0 < len(host) <= 253:
        return False
    labels = host.lower().rstrip(".").split(".")
    return all(_LABEL.fullmatch(label) for label in labels) and not labels[-1].isdigit()


def _texts(items: Iterable[Document], *places: str) -> Iterator[str]:
    """The texts at some paths of documents; ``[]`` walks a list. What is malformed is left out."""
    for item in items:
        for place in places:
            listed, _, leaf = place.partition("[].")
            try:
                found = [item.text(place)] if not leaf else [one.text(leaf) for one in item.items(listed)]
            except Malformed:
                continue
            yield from (text for text in found if text)


def _seen(read: Any) -> Iterable[Document]:
    return () if isinstance(read, Unreadable) else read


def _leading(read: Any, leads: Any, release: Any) -> list[Document]:
    found = []
    for item in _seen(read):
        try:
            if leads(item, release):
                found.append(item)
        except Malformed:
            continue
    return found


def product_hosts(ingresses: Any, http_routes: Any, gateways: Any, openshift_routes: Any, release: Any) -> list[str]:
    """The names by which the product is reached: of Ingresses, HTTPRoutes or else their Gateways' listeners, and Routes. Raises MissingRead."""
    reads = (ingresses, http_routes, openshift_routes)
    if all(isinstance(read, Unreadable) for read in reads):
        raise MissingRead(ingresses)
    own = [] if isinstance(ingresses, Unreadable) else list(product_ingresses(ingresses, release))
    routes = _leading(http_routes, gateway_facts.leads_to_product, release)
    found = list(_texts(own, "spec.rules[].host"))
    for route in routes:
        try:
            found += route.strings("spec.hostnames")
        except Malformed:
            continue
    if routes and not any(route.value.get("spec", {}).get("hostnames") for route in routes):
        found += _texts(_seen(gateways), "spec.listeners[].hostname")
    found += _texts(_leading(openshift_routes, openshift.leads_to_product, release), "spec.host")
    return sorted({host.lower().rstrip(".") for host in found if is_name(host)})[:MOST_HOSTS]


def _balancer_names(*reads: Any) -> Iterator[str]:
    """The names (in place of addresses) that load balancers were given."""
    for read in reads:
        for item in _seen(read):
            try:
                yield from (name for entry in item.items("status.loadBalancer.ingress") if (name := entry.text("hostname")))
            except Malformed:
                continue


def _dns(
    ingresses: Any, http_routes: Any, gateways: Any, openshift_routes: Any, controller_services: Any, gateway_services: Any, router_services: Any,
    release: Any,
) -> Iterable[Place]:  # fmt: skip
    """The product's hosts, and the names of the load balancers that they may lead to."""
    hosts = product_hosts(ingresses, http_routes, gateways, openshift_routes, release)
    published = set(_balancer_names(ingresses, controller_services, gateway_services, router_services)) if hosts else set()
    published |= set(_texts(_seen(gateways), "status.addresses[].value")) if hosts else set()
    published |= set(_texts(_seen(openshift_routes), "status.ingress[].routerCanonicalHostname")) if hosts else set()
    for name in (*hosts, *sorted({name.lower().rstrip(".") for name in published if is_name(name)} - set(hosts))[:MOST_HOSTS]):
        yield Place(None, name)


def _tls(ingresses: Any, http_routes: Any, gateways: Any, openshift_routes: Any, release: Any) -> Iterable[Place]:
    for host in product_hosts(ingresses, http_routes, gateways, openshift_routes, release):
        yield Place(None, f"{host}:443")


def _http(ingresses: Any, http_routes: Any, gateways: Any, openshift_routes: Any, release: Any) -> Iterable[Place]:
    for host in product_hosts(ingresses, http_routes, gateways, openshift_routes, release):
        yield Place(None, f"http://{host}/")
        for path in ("/", *API_PATHS):
            yield Place(None, f"https://{host}{path}")


ATTEMPT = "path failure.kind failure.reason"

READS: tuple[Read, ...] = (
    Read("probe_dns", "probe/dns", _dns, paths(f"{ATTEMPT} addresses canonical"), "DnsProbe", opt_in="--probe dns"),
    Read("probe_tls", "probe/tls", _tls, paths(f"{ATTEMPT} address elsewhere verified trouble protocol chain"), "TlsProbe", opt_in="--probe tls"),
    Read("probe_http", "probe/http", _http, paths(
        f"{ATTEMPT} address elsewhere status content hsts.seconds location.scheme location.host location.port"
        " forged.status forged.location.scheme forged.location.host forged.location.port forged.reflected forged.failure"),
        "HttpProbe", opt_in="--probe http"),
)  # fmt: skip
