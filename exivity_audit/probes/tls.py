"""The probe of TLS: a handshake as a browser makes it; what it verified or why not, and the chain as the server sent it. No request follows."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Mapping
from pathlib import Path as File
from typing import Any

from exivity_audit.collect.pem import describe_certificates
from exivity_audit.probes.attempt import Attempt
from exivity_audit.probes.opening import Tools
from exivity_audit.probes.ways import Way, split_place
from exivity_audit.probes.wire import Resolve, client_context, connected, secured
from exivity_audit.snapshot import Place

SECONDS = 10.0
MOST_CERTIFICATES = 20
# OpenSSL's X509_V_ERR_* → what it is in a word
TROUBLES = {
    9: "not-yet-valid", 10: "expired", 18: "self-signed", 19: "unknown-authority", 20: "unknown-authority", 21: "incomplete", 23: "revoked",
    62: "wrong-host", 64: "wrong-host", 66: "weak", 67: "weak", 68: "weak",
}  # fmt: skip


class Probing:
    """Makes handshakes with the product's hosts."""

    name = "tls"
    seconds = SECONDS

    def __init__(self, tools: Tools) -> None:
        self._ways, self._resolve, self._ca_file = tools.ways, tools.resolve, tools.asked.ca_file
        client_context(self._ca_file)  # a file that cannot be used is told before anything is asked

    def measure(self, place: Place, known: Mapping[str, Any], attempt: Attempt) -> dict[str, Any]:
        """What a handshake with ``host:port`` showed. Raises Failed and OSError."""
        host, port = split_place(place)
        way = self._ways.straight(host, port, attempt)
        found = handshake(way, attempt, self._resolve, self._ca_file)
        return found if way.address == host else {**found, "elsewhere": f"{way.address}:{way.port}"}


def handshake(way: Way, attempt: Attempt, resolve: Resolve, ca_file: File | None) -> dict[str, Any]:
    """A verified handshake; where it is refused for the certificate, another one that looks at the chain and trusts nothing."""
    trouble = None
    try:
        made = _handshake(way, attempt, resolve, client_context(ca_file))
    except ssl.SSLCertVerificationError as error:
        trouble = TROUBLES.get(error.verify_code, "untrusted")
        made = _handshake(way, attempt, resolve, client_context(None, verify=False))
    except (ssl.SSLError, ConnectionError) as error:  # a server of old protocols alone sends an alert, or hangs up
        try:
            return _old(way, attempt, resolve)
        except (ssl.SSLError, ConnectionError):
            raise error from None
    chain = _chain(made)
    if trouble == "unknown-authority" and len(chain) == 1:
        trouble = "incomplete"  # the certificate alone, by an issuer that is not trusted here: what signed it was not sent
    return {**_seen(made, chain), "verified": trouble is None, "trouble": trouble}


def _handshake(way: Way, attempt: Attempt, resolve: Resolve, context: ssl.SSLContext) -> ssl.SSLSocket:
    context.set_alpn_protocols(["h2", "http/1.1"])
    return secured(attempt, connected(attempt, way.address, way.port, resolve), context, way.host)


def _old(way: Way, attempt: Attempt, resolve: Resolve) -> dict[str, Any]:
    """What a server shows that no browser talks to any more. Raises ssl.SSLError, OSError and Failed."""
    context = client_context(None, verify=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    made = _handshake(way, attempt, resolve, context)
    return {**_seen(made, _chain(made)), "verified": False, "trouble": "old-protocol"}


def _seen(made: ssl.SSLSocket, chain: list[bytes]) -> dict[str, Any]:
    text = "".join(ssl.DER_cert_to_PEM_cert(one) for one in chain).encode()
    return {"address": _peer(made), "protocol": made.version(), "chain": describe_certificates(text)}


def _peer(made: socket.socket) -> str | None:
    try:
        return str(made.getpeername()[0])
    except OSError:
        return None


def _chain(made: ssl.SSLSocket) -> list[bytes]:
    """The certificates as the server sent them; the first one alone where this Python does not tell the others."""
    held: Any = made if hasattr(made, "get_unverified_chain") else getattr(made, "_sslobj", None)
    try:
        sent = held.get_unverified_chain() or ()
        found = [one if isinstance(one, bytes) else ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in sent]
    except (AttributeError, TypeError, ValueError, ssl.SSLError):
        found = []
    first = made.getpeercert(True)
    return found[:MOST_CERTIFICATES] or ([first] if first else [])
