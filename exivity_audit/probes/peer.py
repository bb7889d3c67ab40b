"""What the probes of the database and the broker share: a line to one server, TLS on it with what was found wrong, and who logs in."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable
from pathlib import Path as File
from typing import Any

from msgspec import Struct

from exivity_audit.collect.pem import describe_certificates
from exivity_audit.probes.attempt import Attempt, Failed, Path, failure_of
from exivity_audit.probes.tls import TROUBLES
from exivity_audit.probes.ways import Way
from exivity_audit.probes.wire import Resolve, client_context, connected, secured, sent

MARGIN = 0.3  # seconds kept back, so that what was seen before a peer hung is told in time
LARGEST_READ = 65536


class Line(Struct, frozen=True):
    """One server, how it is reached and until when; the attempt closes whatever was opened."""

    way: Way
    attempt: Attempt
    resolve: Resolve
    ca_file: File | None

    def connect(self) -> Peer:
        """A new connection. Raises Failed."""
        try:
            return Peer(self.attempt, connected(self.attempt, self.way.address, self.way.port, self.resolve))
        except OSError as error:
            raise failure_of(error, self.attempt.seconds) from None


def within(attempt: Attempt) -> Attempt:
    """An attempt that ends a little before another, and with it."""
    found = Attempt(max(attempt.left() - MARGIN, attempt.left() / 2), attempt.path)
    attempt.at_end(found.end)
    return found


class Peer:
    """A connection whose every step is bounded by the attempt. Raises Failed, and Untrusted for a certificate."""

    def __init__(self, attempt: Attempt, made: socket.socket) -> None:
        self._attempt, self._made = attempt, made

    @property
    def address(self) -> str:
        """The IP address that answered."""
        return str(self._made.getpeername()[0]).partition("%")[0]

    def send(self, content: bytes) -> None:
        """Send all of it."""
        self._do(lambda: sent(self._attempt, self._made, content))

    def receive(self, most: int = LARGEST_READ) -> bytes:
        """What comes next; empty at the end."""

        def read() -> bytes:
            self._made.settimeout(self._attempt.left())
            return self._made.recv(most)

        found: bytes = self._do(read)
        return found

    def secure(self, context: ssl.SSLContext, host: str) -> Handshake:
        """Go on over TLS; a certificate that does not hold is Untrusted."""
        try:
            made: ssl.SSLSocket = self._do(lambda: secured(self._attempt, self._made, context, host))
        except ValueError:  # a host that cannot stand in a certificate
            raise Untrusted("wrong-host") from None
        self._made = made
        sent_one = made.getpeercert(True)
        chain = describe_certificates(ssl.DER_cert_to_PEM_cert(sent_one).encode()) if sent_one else {}
        return Handshake(made.version() or "", next(iter(chain.get("certificates") or [{}])))

    def close(self) -> None:
        """Let go of the connection."""
        self._made.close()

    def _do(self, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except ssl.SSLCertVerificationError as error:
            raise Untrusted(TROUBLES.get(error.verify_code, "untrusted")) from None
        except OSError as error:
            raise failure_of(error, self._attempt.seconds) from None


class Untrusted(Exception):
    """A certificate that does not hold; ``trouble`` is why, in a word of the TLS probe."""

    def __init__(self, trouble: str) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class Handshake(Struct, frozen=True):
    """What a handshake showed; ``trouble`` is empty where the certificate holds for the host."""

    protocol: str
    certificate: dict[str, Any]
    trouble: str = ""

    @property
    def verified(self) -> bool:
        """Whether the certificate holds."""
        return not self.trouble

    def kept(self) -> dict[str, Any]:
        """As the snapshot keeps it."""
        return {"protocol": self.protocol, "verified": self.verified, "trouble": self.trouble or None, "certificate": self.certificate}


def shaken(line: Line, opened: Callable[[], Peer]) -> tuple[Peer, Handshake]:
    """A connection over TLS: verified, else once more without, to see what the certificate is. ``opened`` gives one on which TLS may begin."""
    peer = opened()
    try:
        return peer, peer.secure(client_context(line.ca_file), line.way.host)
    except Untrusted as error:
        peer.close()
        peer = opened()
        seen = peer.secure(client_context(None, verify=False), line.way.host)
        return peer, Handshake(seen.protocol, seen.certificate, error.trouble)


def exposed(line: Line, peer: Peer) -> bool:
    """Whether the way is not the product's own and crosses a network, so that no password goes over it unguarded."""
    return line.way.path is Path.LAPTOP and not ipaddress.ip_address(peer.address).is_loopback


def ended(error: Failed) -> str:
    """How a step that failed stands in the answer."""
    return error.kind
