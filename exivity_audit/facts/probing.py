"""What probes of the way in saw: names, handshakes and answers, each with the way it was measured by."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from exivity_audit.document import Document, Malformed
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.facts.certificates import Certificate, chain_of
from exivity_audit.subject import Subject

OUTSIDE = "laptop"
WORDS = {
    OUTSIDE: "probe from outside the cluster", "in-cluster": "probe from inside the cluster", "port-forward": "probe through a port-forward",
}  # fmt: skip


@dataclass(frozen=True)
class Trouble:
    """Why a probe came to nothing: its kind and our own words for it."""

    kind: str
    reason: str


@dataclass(frozen=True)
class Measured:
    """What every probe has: its object, the way it was measured by, and why it came to nothing, where it did."""

    subject: Subject
    source: Source
    path: str
    failure: Trouble | None

    @property
    def by(self) -> str:
        """How it was measured, as a message says it."""
        return WORDS.get(self.path, "probe")

    @property
    def outside(self) -> bool:
        """Whether it was measured from where clients may be."""
        return self.path == OUTSIDE


@dataclass(frozen=True)
class Resolution(Measured):
    """What a name resolves to."""

    host: str
    addresses: tuple[str, ...]
    canonical: str  # the name it ends at


@dataclass(frozen=True)
class Handshake(Measured):
    """What a TLS handshake with a host showed; the chain is as it was sent."""

    host: str
    address: str
    verified: bool
    trouble: str  # why it was not: expired, wrong-host, incomplete, self-signed, unknown-authority, old-protocol, …
    protocol: str
    chain: tuple[Certificate, ...]

    @property
    def root(self) -> str | None:
        """The authority above the chain; whether this machine knows it is said by ``trouble``."""
        return self.chain[-1].issuer_name if self.chain else None

    @property
    def old(self) -> bool:
        """Whether the server talks in protocols that no browser takes."""
        return self.trouble == "old-protocol"


@dataclass(frozen=True)
class Redirect:
    """Where an answer leads."""

    scheme: str
    host: str


@dataclass(frozen=True)
class Answer(Measured):
    """What a URL answers, and what headers that only a proxy may send changed of it."""

    scheme: str
    host: str
    place: str
    address: str
    status: int
    content: str  # html, json, text, empty, other
    hsts: bool
    redirect: Redirect | None
    believed: str  # how forged headers changed the answer; empty where nothing shows
    forged: bool  # whether they were tried

    @property
    def url(self) -> str:
        """What was asked for."""
        return f"{self.scheme}://{self.host}{self.place}"

    @property
    def to_https(self) -> bool:
        """Whether it redirects to TLS."""
        return 300 <= self.status < 400 and self.redirect is not None and self.redirect.scheme == "https"


def same_address(one: str, other: str) -> bool:
    """Whether two texts are one address."""
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return one.lower().rstrip(".") == other.lower().rstrip(".")


def among(address: str, places: Iterable[str]) -> bool:
    """Whether an address is one of some addresses, or lies in one of the ranges."""
    for place in places:
        try:
            if ipaddress.ip_address(address) in ipaddress.ip_network(place, strict=False):
                return True
        except ValueError:
            if same_address(address, place):
                return True
    return False


def measured_of(item: Document) -> tuple[Subject, Source, str, Trouble | None]:
    """What every probe's object has. Raises Malformed."""
    kind = item.text("failure.kind")
    return item.subject, item.source, item.text("path") or "", Trouble(kind, item.text("failure.reason") or "") if kind else None


def _said(measured: tuple[Subject, Source, str, Trouble | None], path: str, value: Any) -> None:
    """Nothing, where a probe that came to something says what. Raises Malformed elsewhere."""
    if measured[3] is None and not value:
        raise Malformed(path, "result of a probe", value)


def _resolution(item: Document) -> Resolution:
    measured, addresses = measured_of(item), item.strings("addresses")
    _said(measured, "addresses", addresses)
    return Resolution(*measured, item.name, addresses, item.text("canonical") or "")


@fact
def resolutions(probe_dns: Objects[Document]) -> Objects[Resolution]:
    """What the product's hosts, and the names of their load balancers, resolve to."""
    return probe_dns.each(_resolution)


def _chain(item: Document) -> tuple[Certificate, ...]:
    """The certificates that were sent; none where one of them is no certificate."""
    try:
        return chain_of(item.mapping("chain"))
    except Malformed:
        return ()


def _handshake(item: Document) -> Handshake:
    measured, protocol = measured_of(item), item.text("protocol")
    _said(measured, "protocol", protocol)
    return Handshake(
        *measured, item.name.rpartition(":")[0], item.text("address") or "", item.boolean("verified") is True, item.text("trouble") or "",
        protocol or "", _chain(item),
    )  # fmt: skip


@fact
def handshakes(probe_tls: Objects[Document]) -> Objects[Handshake]:
    """TLS handshakes with the product's hosts."""
    return probe_tls.each(_handshake)


def _redirect(item: Document, path: str) -> Redirect | None:
    if not item.mapping(path):
        return None
    return Redirect(item.text(f"{path}.scheme") or "", item.text(f"{path}.host") or "")


def _answer(item: Document) -> Answer:
    parts = urlsplit(item.name)
    status, redirect, measured = item.integer("status") or 0, _redirect(item, "location"), measured_of(item)
    _said(measured, "status", status)
    forged = bool(item.mapping("forged")) and item.boolean("forged.failure") is not True
    return Answer(
        *measured, scheme=parts.scheme, host=parts.hostname or "", place=parts.path, address=item.text("address") or "", status=status,
        content=item.text("content") or "", hsts=bool(item.integer("hsts.seconds")), redirect=redirect,
        believed=_belief(item, parts.scheme, status, redirect) if forged else "", forged=forged,
    )  # fmt: skip


def _belief(item: Document, scheme: str, status: int, before: Redirect | None) -> str:
    """How headers that claim to come from a proxy changed an answer; empty where nothing shows that they were believed."""
    after, redirect = item.integer("forged.status") or 0, _redirect(item, "forged.location")
    if item.boolean("forged.reflected") is True:
        return "the answer carries what was forged"
    secure = 300 <= status < 400 and before is not None and before.scheme == "https"
    if scheme == "http" and secure and 200 <= after < 300:
        return "a forged X-Forwarded-Proto takes the redirect to https away"
    if scheme == "https" and 200 <= status < 300 and 300 <= after < 400 and redirect is not None and redirect.scheme == "https":
        return "a forged X-Forwarded-Proto brings a redirect to https"
    return ""


@fact
def web_answers(probe_http: Objects[Document]) -> Objects[Answer]:
    """What the product's hosts answer, over plain HTTP and over TLS."""
    return probe_http.each(_answer)


def of_host(found: Any, host: str) -> Any:
    """The resolution or handshake of a host; None where there is none."""
    name = host.lower().rstrip(".")
    return next((one for one in found if one.host == name), None)


def known_addresses(places: Iterable[str], resolutions: Iterable[Resolution]) -> tuple[str, ...]:
    """Addresses as they are, and of names what a probe resolved them to."""
    found: list[str] = []
    for place in places:
        resolved = of_host(resolutions, place)
        found += [place] if resolved is None else resolved.addresses
    return tuple(dict.fromkeys(found))


def answer_of(found: Objects[Answer], scheme: str, host: str, place: str) -> Answer | None:
    """The answer of a URL; None where it was not asked for."""
    name = host.lower().rstrip(".")
    return next((one for one in found if (one.scheme, one.host, one.place) == (scheme, name, place)), None)
