"""cert-manager's Certificates: what they keep up to date, whether they do, and when they renew."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, Reason, Unread, fact, maybe, reasons_of, seen
from exivity_audit.facts.standing import Condition, conditions
from exivity_audit.subject import Subject

GROUP = "cert-manager.io"
PATIENCE = timedelta(hours=1)  # what a renewal may take before it is late
SAME = timedelta(minutes=1)


class Managed(Struct, frozen=True):
    """A Certificate of cert-manager."""

    subject: Subject
    source: Source
    namespace: str
    name: str
    secret: str
    hosts: tuple[str, ...]
    ready: Condition
    not_after: datetime | None
    renewal: datetime | None
    failures: int  # failed issuances since the last good one
    issuer: str  # kind and name
    issuer_ready: Condition | None  # None: not cert-manager's own, or not read
    issuer_hidden: tuple[Reason, ...]  # why it was not read

    def late(self, now: datetime) -> bool:
        """Whether a renewal was due and has not come: cert-manager moves the time when it has renewed."""
        return self.renewal is not None and now > self.renewal + PATIENCE

    def describes(self, not_after: datetime) -> bool:
        """Whether it is about the certificate that ends then, and not about one that was put there by hand."""
        return self.not_after is not None and abs(self.not_after - not_after) <= SAME


@fact
def managed_certificates(certificates: Objects[Document], issuers: Any = maybe, cluster_issuers: Any = maybe) -> Objects[Managed]:
    """The Certificates of the namespaces in which the product's TLS Secrets lie."""
    known: dict[tuple[str, str | None, str], Condition] = {}
    hidden = {"Issuer": reasons_of(issuers), "ClusterIssuer": reasons_of(cluster_issuers)}
    for kind, read in (("Issuer", issuers), ("ClusterIssuer", cluster_issuers)):
        told = read.each(lambda item: (item.namespace, item.name, conditions(item).get("Ready", Condition()))) if seen(read) else Objects[Any]()
        known |= {(kind, space if kind == "Issuer" else None, name): ready for space, name, ready in told}
        hidden[kind] += told.gaps

    def build(item: Document) -> Managed:
        kind, name = item.text("spec.issuerRef.kind") or "Issuer", item.text("spec.issuerRef.name") or ""
        ours = (item.text("spec.issuerRef.group") or GROUP) == GROUP
        common, place = item.text("spec.commonName"), (kind, item.namespace if kind == "Issuer" else None, name)
        return Managed(
            subject=item.subject, source=item.source, namespace=item.namespace or "", name=item.name, secret=item.text("spec.secretName") or "",
            hosts=tuple(dict.fromkeys((*item.strings("spec.dnsNames"), *([common] if common else [])))),
            ready=conditions(item).get("Ready", Condition()),
            not_after=item.time("status.notAfter"), renewal=item.time("status.renewalTime"),
            failures=item.integer("status.failedIssuanceAttempts") or 0,
            issuer=f"{kind} {name}", issuer_ready=known.get(place) if ours else None,
            issuer_hidden=hidden.get(kind, ()) if ours and place not in known else (),
        )  # fmt: skip

    return certificates.each(build)


def keeper_of(secret: Subject | None, found: Objects[Managed]) -> Managed | Unread | None:
    """The Certificate that keeps a Secret, one that may but is malformed, or None where none does."""
    if secret is None or not seen(found):
        return None
    for one in found:
        if (one.namespace, one.secret) == (secret.namespace, secret.name):
            return one
    return next((odd for odd in found.unreadable if odd.subject.namespace == secret.namespace), None)
