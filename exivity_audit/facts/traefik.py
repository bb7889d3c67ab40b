"""Traefik's own settings: entry points in its arguments, and Middleware objects that redirect."""

from __future__ import annotations

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact, reasons_of, seen
from exivity_audit.facts.controllers import Controller, Setting
from exivity_audit.facts.ingresses import Ingress
from exivity_audit.facts.ranges import everyone
from exivity_audit.subject import Subject

ARGUMENTS = "spec.template.spec.containers[].args"
PREFIX = "traefik.ingress.kubernetes.io/router."
INTERNAL = ("traefik", "metrics", "ping")
TLS_PORTS = (":443", ":8443")


class EntryPoint(Struct, frozen=True):
    """A listener of Traefik, as its arguments describe it."""

    name: str
    address: str
    tls: bool
    redirects: bool  # to https
    default: bool
    trusted: tuple[str, ...]
    insecure: bool

    @property
    def for_tls(self) -> bool:
        """Whether it is meant for TLS: told so, or on a port for it."""
        return self.tls or self.name in ("websecure", "https") or self.address.partition("/")[0].endswith(TLS_PORTS)


class Middleware(Struct, frozen=True):
    """A Middleware of the release's namespace."""

    subject: Subject
    source: Source
    reference: str  # as an annotation names it
    redirects: bool
    hsts: bool


class TlsStore(Struct, frozen=True):
    """A TLSStore; Traefik uses the one named ``default``."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    secret: str | None


@fact
def middlewares(traefik_middlewares: Objects[Document]) -> Objects[Middleware]:
    """Middlewares that redirect to https or set HSTS."""

    def build(item: Document) -> Middleware:
        scheme = item.text("spec.redirectScheme.scheme")
        return Middleware(
            subject=Subject("Middleware", item.name, item.namespace), source=item.source, reference=f"{item.namespace}-{item.name}@kubernetescrd",
            redirects=(scheme or "").lower() == "https", hsts=bool(item.integer("spec.headers.stsSeconds")),
        )  # fmt: skip

    return traefik_middlewares.each(build)


@fact
def tls_stores(traefik_tls_stores: Objects[Document]) -> Objects[TlsStore]:
    """Traefik's TLS stores, with the Secret of their default certificate."""

    def build(item: Document) -> TlsStore:
        return TlsStore(item.subject, item.source, item.name, item.namespace or "", item.text("spec.defaultCertificate.secretName"))

    return traefik_tls_stores.each(build)


def entry_points(controller: Controller) -> tuple[EntryPoint, ...]:
    """The entry points its arguments name; empty where its configuration stands elsewhere."""
    settings: dict[str, dict[str, str]] = {}
    for argument, value in controller.arguments.items():
        parts = argument.split(".", 2)
        if parts[0] == "entrypoints" and len(parts) > 1:
            settings.setdefault(parts[1], {})[parts[2] if len(parts) > 2 else ""] = value
    return tuple(_entry_point(name, found) for name, found in sorted(settings.items()))


def _entry_point(name: str, found: dict[str, str]) -> EntryPoint:
    redirect = found.get("http.redirections.entrypoint.to")
    trusted = [found.get(f"{kind}.trustedips", "") for kind in ("forwardedheaders", "proxyprotocol")]
    return EntryPoint(
        name=name, address=found.get("address", ""),
        tls=any(key == "http.tls" or key.startswith("http.tls.") for key in found) and found.get("http.tls") != "false",
        redirects=redirect is not None and found.get("http.redirections.entrypoint.scheme", "https").lower() == "https",
        default=found.get("asdefault") == "true",
        trusted=tuple(item.strip() for part in trusted for item in part.split(",") if item.strip()),
        insecure=any(found.get(f"{kind}.insecure") == "true" for kind in ("forwardedheaders", "proxyprotocol")),
    )  # fmt: skip


def attached(ingress: Ingress, points: tuple[EntryPoint, ...]) -> tuple[EntryPoint, ...]:
    """The entry points an Ingress listens on: those its annotation names, else the default ones, else all but the internal."""
    named = ingress.annotations.get(f"{PREFIX}entrypoints")
    if named:
        wanted = {part.strip().lower() for part in named.split(",")}
        return tuple(point for point in points if point.name in wanted)
    return tuple(point for point in points if point.default) or tuple(point for point in points if point.name not in INTERNAL)


def redirect(ingress: Ingress, controller: Controller, found: Objects[Middleware]) -> Setting:
    """Whether plain HTTP is redirected, or not served, for an Ingress."""
    asked = [part.strip() for part in ingress.annotations.get(f"{PREFIX}middlewares", "").split(",") if part.strip()]
    place = f"metadata.annotations[{PREFIX}middlewares]"
    known = {one.reference: one for one in found} if seen(found) else {}
    for name in asked:
        if name in known and known[name].redirects:
            return Setting(True, f"{known[name].subject} redirects to https", ((ingress, place, name), (known[name], "spec.redirectScheme", "https")))
    if ingress.annotations.get(f"{PREFIX}tls") == "true":
        return Setting(True, "its router answers TLS alone", ((ingress, f"metadata.annotations[{PREFIX}tls]", "true"),))
    points = entry_points(controller)
    if not points:
        return Setting(None, "Traefik's entry points are not in its arguments")
    plain = [point for point in attached(ingress, points) if not point.for_tls and not point.redirects]
    if not plain:
        names = ", ".join(point.name for point in points if point.redirects)
        text = f"{names} redirects to https" if names else "no entry point serves plain HTTP"
        return Setting(True, text, ((controller, ARGUMENTS, text),))
    names = ", ".join(point.name for point in plain)
    elsewhere = [
        name for name in asked if name not in known and (not seen(found) or not found.complete or not name.startswith(f"{ingress.namespace}-"))
    ]
    if elsewhere:
        return Setting(None, f"the middleware {elsewhere[0]} was not read", reasons=found.gaps if seen(found) else reasons_of(found))
    return Setting(False, f"the entry point {names} serves HTTP", ((controller, ARGUMENTS, names),))


def hsts(ingress: Ingress, found: Objects[Middleware]) -> bool:
    """Whether a Middleware of the Ingress sets Strict-Transport-Security."""
    asked = ingress.annotations.get(f"{PREFIX}middlewares", "")
    return seen(found) and any(one.hsts and one.reference in asked for one in found)


def believes_everyone(controller: Controller) -> Setting:
    """Whether it takes forwarded headers from any peer."""
    points = entry_points(controller)
    if not points:
        return Setting(None, "Traefik's entry points are not in its arguments")
    for point in points:
        if point.insecure or everyone(point.trusted):
            what = f"the entry point {point.name} {'is insecure' if point.insecure else 'trusts every address'}"
            return Setting(True, what, ((controller, ARGUMENTS, what),))
    trusted = sorted({item for point in points for item in point.trusted})
    return Setting(
        False, f"headers from {', '.join(trusted)}" if trusted else "headers from nobody", ((controller, ARGUMENTS, ", ".join(trusted) or "none"),)
    )
