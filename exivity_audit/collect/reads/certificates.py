"""Reads of cert-manager: the Certificates behind the product's TLS Secrets, and who issues them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exivity_audit.collect.place import MissingRead, Read, led, paths
from exivity_audit.collect.reads.gateway import gateway_secret_names
from exivity_audit.collect.reads.ingress import default_certificate_places
from exivity_audit.fact import Unreadable
from exivity_audit.facts.openshift import ROUTERS
from exivity_audit.snapshot import Place

GROUP = "cert-manager.io"
LEAVES = ("group", "kind", "name")
READY = "status.conditions[].type status.conditions[].status status.conditions[].reason"


def _namespaces(
    ingresses: Any, gateways: Any, controller_deployments: Any, controller_daemonsets: Any, traefik_tls_stores: Any, ingress_controllers: Any,
    release: Any,
) -> Iterable[Place]:  # fmt: skip
    """The release's namespace, and those of the Secrets that Gateways, controllers and routers name."""
    found = {release.namespace}
    if not isinstance(gateways, Unreadable):
        found |= {namespace for namespace, _ in gateway_secret_names(gateways)}
    if not isinstance(ingress_controllers, Unreadable) and len(ingress_controllers):
        found.add(ROUTERS)
    try:
        places = default_certificate_places(ingresses, controller_deployments, controller_daemonsets, traefik_tls_stores, release)
        found |= {namespace for namespace, _ in places}
    except MissingRead:
        pass  # the controllers were not read, so nothing says where their default certificates are
    for namespace in sorted(found):
        yield Place(namespace)


def _issuers(kind: str) -> Any:
    def where(certificates: Any) -> Iterable[Place]:
        """The issuers that the Certificates name; those of other groups are no objects of cert-manager."""
        if isinstance(certificates, Unreadable):
            raise MissingRead(certificates)
        found: set[tuple[str | None, str]] = set()
        for space, reference in led(certificates, lambda item: (item.namespace, [item.text(f"spec.issuerRef.{leaf}") for leaf in LEAVES])):
            group, named, name = reference
            if (group or GROUP) == GROUP and (named or "Issuer") == kind and name:
                found.add((space if kind == "Issuer" else None, name))
        for namespace, name in sorted(found, key=str):
            yield Place(namespace, name)

    return where


READS: tuple[Read, ...] = (
    Read("certificates", "certificates.cert-manager.io", _namespaces, paths(
        "metadata.creationTimestamp spec.secretName spec.dnsNames spec.commonName spec.duration spec.renewBefore spec.renewBeforePercentage spec.issuerRef.name"
        f" spec.issuerRef.kind spec.issuerRef.group {READY} status.notBefore status.notAfter status.renewalTime status.revision status.lastFailureTime"
        " status.failedIssuanceAttempts"), "Certificate"),
    Read("issuers", "issuers.cert-manager.io", _issuers("Issuer"), paths(READY), "Issuer", by_name=True),
    Read("cluster_issuers", "clusterissuers.cert-manager.io", _issuers("ClusterIssuer"), paths(READY), "ClusterIssuer", by_name=True),
)  # fmt: skip
