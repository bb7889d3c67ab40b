"""cert-manager, which keeps the product's certificate: the Certificate behind the Ingress's Secret, and its issuer."""

from __future__ import annotations

from typing import Any

from tests.builders import made, stamp

SERVED = ("certificates.cert-manager.io", "issuers.cert-manager.io", "clusterissuers.cert-manager.io")
API = "cert-manager.io/v1"
ISSUED, ENDS, RENEWS = 165, -200, -170  # days before now: when it was issued, when it ends, when it is renewed


def said(kind: str, reason: str, status: str = "True") -> dict[str, Any]:
    """A condition as cert-manager writes it."""
    return {"type": kind, "status": status, "reason": reason, "message": "as said", "lastTransitionTime": stamp(ISSUED), "observedGeneration": 1}


def certificate(namespace: str, host: str, *, name: str = "exivity-tls") -> dict[str, Any]:
    """A Certificate that is ready, of a Secret with its name."""
    return made(
        API, "Certificate", name, namespace, metadata={"generation": 1},
        spec={"secretName": name, "dnsNames": [host], "renewBefore": "720h0m0s", "issuerRef": {"name": "acme-pki", "kind": "ClusterIssuer", "group": "cert-manager.io"},
              "privateKey": {"algorithm": "RSA", "size": 2048}, "usages": ["digital signature", "key encipherment"]},
        status={"conditions": [said("Ready", "Ready")], "notBefore": stamp(ISSUED), "notAfter": stamp(ENDS), "renewalTime": stamp(RENEWS), "revision": 1},
    )  # fmt: skip


def _around(installation: Any) -> list[dict[str, Any]]:
    issuer = made(
        API, "ClusterIssuer", "acme-pki", spec={"ca": {"secretName": "acme-issuing-ca"}}, status={"conditions": [said("Ready", "KeyPairVerified")]}
    )
    return [issuer, certificate(installation.namespace, installation.host)]


multi_node = single_node = _around
