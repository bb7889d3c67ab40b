"""TLS Secrets as their public fields, and where TLS ends for a host of an Ingress."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from msgspec import Struct

from exivity_audit.document import Document, Malformed, parse_time
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, Reason, fact, reasons_of, seen
from exivity_audit.facts.controllers import Controller, Product
from exivity_audit.facts.ingresses import Ingress
from exivity_audit.facts.traefik import ARGUMENTS, TlsStore
from exivity_audit.subject import Subject

MANAGED = "metadata.annotations[cert-manager.io/certificate-name]"
DEFAULT_ARGUMENTS = ("default-ssl-certificate", "wildcard-tls-secret", "default-server-tls-secret")
TLS_TYPE = "kubernetes.io/tls"


class Certificate(Struct, frozen=True):
    """One certificate of a chain."""

    subject_name: str
    issuer: str  # the issuer's common name
    issuer_name: str
    common_name: str
    hosts: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    signature: str | None
    key_type: str
    key_bits: int

    @property
    def self_signed(self) -> bool:
        """Whether it names itself as its issuer."""
        return self.subject_name == self.issuer_name


class TlsSecret(Struct, frozen=True):
    """A Secret with a certificate chain and its key."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    type: str
    chain: tuple[Certificate, ...]  # in the order of the file; empty where it holds none that can be read
    root: str | None  # subject of the certificate in ca.crt, where that one is self-signed
    key: str  # matches, differs, missing, unreadable
    managed: bool  # cert-manager wrote it
    place: str = "data"  # where the pair stands in its object


class Kind(enum.Enum):
    """How TLS ends for a host."""

    SECRET = "secret"
    DEFAULT = "default"  # the controller's default certificate
    BROKEN = "broken"  # a Secret is named that cannot serve
    NONE = "none"
    HIDDEN = "hidden"  # what would show it was not read
    NOWHERE = "nowhere"  # nothing serves the way in at all


class Termination(Struct, frozen=True):
    """Where TLS ends for one host, what is wrong there, and the Secret that was read."""

    kind: Kind
    seen: str
    secret: TlsSecret | None = None
    named: Subject | None = None
    at: tuple[tuple[Any, ...], ...] = ()
    reasons: tuple[Reason, ...] = ()


def _certificate(value: Any) -> Certificate:
    if not isinstance(value, dict) or "malformed" in value:
        raise Malformed("data.tls.crt", "readable certificate", value)
    try:
        return Certificate(
            subject_name=value["subject_name"], issuer=value["issuer"], issuer_name=value["issuer_name"], common_name=value["subject"],
            hosts=tuple(value["hosts"]), not_before=parse_time(value["not_before"]), not_after=parse_time(value["not_after"]),
            signature=value["signature"], key_type=value["key_type"], key_bits=value["key_bits"],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed("data.tls.crt", "described certificate", value) from error


def chain_of(value: Any) -> tuple[Certificate, ...]:
    """The described certificates of a chain. Raises Malformed."""
    found = value.get("certificates") if isinstance(value, dict) else None
    return tuple(_certificate(item) for item in found) if isinstance(found, list) else ()


def root_of(value: Any) -> str | None:
    """The subject of the first self-signed certificate. Raises Malformed."""
    found = chain_of(value)
    return next((one.subject_name for one in found if one.self_signed), None)


def key_of(value: Any) -> str:
    """Whether the described key belongs to the certificate: matches, differs, missing, unreadable."""
    if not isinstance(value, dict):
        return "missing"
    return "unreadable" if "malformed" in value else "matches" if value.get("matches") is True else "differs"


def tls_secret_of(item: Document) -> TlsSecret:
    """A Secret with a described pair. Raises Malformed."""
    data = item.mapping("data")
    return TlsSecret(
        subject=item.subject, source=item.source, name=item.name, namespace=item.namespace or "", type=item.text("type") or "",
        chain=chain_of(data.get("chain")), root=root_of(data.get("authority")), key=key_of(data.get("key")), managed=item.text(MANAGED) is not None,
    )  # fmt: skip


@fact
def ingress_secrets(tls_secrets: Objects[Document]) -> Objects[TlsSecret]:
    """The Secrets that the product's Ingress objects name."""
    return tls_secrets.each(tls_secret_of)


@fact
def default_secrets(default_certificates: Objects[Document]) -> Objects[TlsSecret]:
    """The Secrets of the controllers' default certificates, where an Ingress names none of its own."""
    return default_certificates.each(tls_secret_of)


def find_secret(place: tuple[str, str], secrets: Objects[TlsSecret]) -> TlsSecret | tuple[Reason, ...] | None:
    """A Secret by namespace and name: itself, why it was not read, or None where it does not exist."""
    if not seen(secrets):
        return reasons_of(secrets)
    for one in secrets:
        if (one.namespace, one.name) == place:
            return one
    for odd in secrets.unreadable:
        if odd.subject.name in (None, place[1]):
            return (Reason("tls_secrets", f"{odd.subject}: malformed: {odd.why}"),)
    hidden = tuple(reason for reason in secrets.partial if not reason.rule or reason.rule == f"get secrets {place[1]} in {place[0]}")
    return hidden or None


def termination(
    ingress: Ingress, host: str, secrets: Objects[TlsSecret], controllers: tuple[Controller, ...] | None, stores: Objects[TlsStore],
    defaults: Objects[TlsSecret],
) -> Termination:  # fmt: skip
    """Where TLS ends for a host of an Ingress; ``controllers`` is None where those that serve it are not known."""
    entry = ingress.entry(host)
    if entry is None or entry.secret is None:
        return _by_default(entry is not None, ingress, controllers, stores, defaults)
    place = (ingress.namespace, entry.secret)
    named = Subject("Secret", entry.secret, ingress.namespace)
    at = ((ingress, "spec.tls[].secretName", entry.secret),)
    found = find_secret(place, secrets)
    if found is None:
        return Termination(Kind.BROKEN, f"Secret {entry.secret} is missing", None, named, at)
    if isinstance(found, tuple):
        return Termination(Kind.HIDDEN, f"Secret {entry.secret} was not read", None, named, at, found)
    problem = problem_of(found)
    return Termination(
        Kind.BROKEN if problem else Kind.SECRET,
        f"Secret {entry.secret} {problem or 'holds a matching pair'}",
        found,
        named,
        (*at, (found, "type", found.type)),
    )


def problem_of(secret: TlsSecret) -> str | None:
    """Why a pair cannot serve; None where it can."""
    if secret.type != TLS_TYPE:
        return f"is of type {secret.type or 'none'}"
    if not secret.chain:
        return "holds no certificate"
    return {"matches": None, "differs": "holds a key of another certificate", "missing": "holds no key"}.get(
        secret.key, "holds a key that cannot be read"
    )


def _by_default(
    entry: bool, ingress: Ingress, controllers: tuple[Controller, ...] | None, stores: Objects[TlsStore], defaults: Objects[TlsSecret]
) -> Termination:
    """A controller's default certificate: in its arguments, its ConfigMap, or Traefik's default TLSStore."""
    what = "the TLS entry names no Secret" if entry else "no TLS entry covers the host"
    at = ((ingress, "spec.tls", "no Secret" if entry else "none"),)
    if controllers is None:
        return Termination(Kind.HIDDEN, f"{what}, and its controller was not seen", at=at)
    for controller in controllers:
        found = _default_of(controller, stores, entry)
        if found is not None:
            text, evidence = found
            space, _, name = text.replace("$(POD_NAMESPACE)", controller.namespace).partition("/")
            secret = find_secret((space, name), defaults)
            known = secret if isinstance(secret, TlsSecret) else None
            reasons = secret if isinstance(secret, tuple) else ()
            return Termination(
                Kind.DEFAULT, f"default certificate {text} of {controller.subject}", known, Subject("Secret", name, space), (*at, evidence), reasons
            )
    hidden = [controller for controller in controllers if controller.product is Product.HAPROXY_TECHNOLOGIES and controller.config is None]
    unread = (stores.gaps if seen(stores) else reasons_of(stores)) if any(one.product is Product.TRAEFIK for one in controllers) else ()
    if hidden or unread:
        return Termination(
            Kind.HIDDEN,
            f"{what}, and the controller's default certificate was not read",
            at=at,
            reasons=(*unread, *(r for c in hidden for r in c.config_reasons)),
        )
    return Termination(Kind.NONE, what, at=at)


def _default_of(controller: Controller, stores: Objects[TlsStore], entry: bool) -> tuple[str, tuple[Any, ...]] | None:
    for name in DEFAULT_ARGUMENTS:
        value = controller.arguments.get(name, "")
        if "/" in value and (controller.product is not Product.F5_NGINX or (name == "wildcard-tls-secret" and entry)):
            return value, (controller, ARGUMENTS, f"{name}={value}")
    configured = (controller.config or {}).get("ssl-certificate", "")
    if controller.product is Product.HAPROXY_TECHNOLOGIES and "/" in configured and controller.config_source:
        return configured, (controller.config_source, "data[ssl-certificate]", configured)
    if controller.product is Product.TRAEFIK and seen(stores):
        for store in stores:
            if store.name == "default" and store.secret:
                return f"{store.namespace}/{store.secret}", (store, "spec.defaultCertificate.secretName", store.secret)
    return None
