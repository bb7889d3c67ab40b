"""MetalLB: its address pools, and whether anything advertises them."""

from __future__ import annotations

import ipaddress
from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.balancers import Balancer
from exivity_audit.facts.ranges import network
from exivity_audit.facts.selectors import selector_fits
from exivity_audit.subject import Subject


class Advertisement(Struct, frozen=True):
    """An L2Advertisement or BGPAdvertisement; without pools and selectors it is for every pool."""

    subject: Subject
    source: Source
    namespace: str
    pools: tuple[str, ...]
    selectors: tuple[Any, ...]

    def selects(self, name: str, namespace: str, labels: dict[str, str]) -> bool:
        """Whether it is for a pool."""
        if namespace != self.namespace:
            return False
        return not (self.pools or self.selectors) or name in self.pools or any(selector_fits(one, labels) for one in self.selectors)


class Pool(Struct, frozen=True):
    """An IPAddressPool with what advertises it."""

    subject: Subject
    source: Source
    name: str
    ranges: tuple[str, ...]
    advertised_by: tuple[Advertisement, ...]
    hidden: tuple[Reason, ...]  # advertisements that were not read

    def holds(self, address: str) -> bool:
        """Whether an address comes from its ranges (``10.0.0.0/28``, ``10.0.0.1-10.0.0.9``)."""
        try:
            wanted = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(_inside(wanted, text) for text in self.ranges)


def _inside(address: ipaddress.IPv4Address | ipaddress.IPv6Address, text: str) -> bool:
    first, dash, last = (part.strip() for part in text.partition("-"))
    if not dash:
        found = network(first)
        return found is not None and found.version == address.version and address in found
    try:
        start, end = ipaddress.ip_address(first), ipaddress.ip_address(last)
    except ValueError:
        return False
    return start.version == end.version == address.version and int(start) <= int(address) <= int(end)


def _advertisement(item: Document) -> Advertisement:
    selectors = tuple(entry.value for entry in item.items("spec.ipAddressPoolSelectors"))
    for one in selectors:
        selector_fits(one, {})  # a malformed one is told here, not where it is used
    return Advertisement(item.subject, item.source, item.namespace or "", item.strings("spec.ipAddressPools"), selectors)


@fact
def advertisements(l2_advertisements: Any = maybe, bgp_advertisements: Any = maybe) -> Objects[Advertisement]:
    """MetalLB's advertisements of both kinds; partial where one of the kinds could not be read."""
    found: Objects[Advertisement] = Objects()
    for read in (l2_advertisements, bgp_advertisements):
        found = found.join(read.each(_advertisement) if seen(read) else Objects(partial=reasons_of(read)))
    return found


@fact
def pools(address_pools: Objects[Document], advertisements: Any = maybe) -> Objects[Pool]:
    """MetalLB's pools, each with the advertisements that select it."""

    def build(item: Document) -> Pool:
        space = item.namespace or ""
        fitting = tuple(one for one in advertisements if one.selects(item.name, space, item.labels()))
        return Pool(item.subject, item.source, item.name, item.strings("spec.addresses"), fitting, advertisements.gaps)

    return address_pools.each(build)


def pool_of(one: Balancer, found: Objects[Pool]) -> Pool | None:
    """The pool that a Service's address came from: named by MetalLB's annotation, else by its ranges."""
    if one.pool is not None:
        return next((pool for pool in found if pool.name == one.pool), None)
    return next((pool for address in one.addresses for pool in found if pool.holds(address)), None)
