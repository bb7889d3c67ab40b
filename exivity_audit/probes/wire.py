"""TCP and TLS connections of probes: every step is bounded by what is left of the attempt, not by a limit of its own for each read."""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path as File
from typing import Any

from exivity_audit.errors import UsageError
from exivity_audit.probes.attempt import Attempt, Failed

Resolve = Callable[[str], "Resolved"]
MOST_ADDRESSES = 64


class Resolved(tuple[str, ...]):
    """The addresses of a name, each once and in the resolver's order, and the name that it ends at."""

    canonical: str

    def __new__(cls, addresses: Iterable[str], canonical: str = "") -> Resolved:
        found = super().__new__(cls, tuple(dict.fromkeys(addresses))[:MOST_ADDRESSES])
        found.canonical = canonical
        return found


def resolve(host: str) -> Resolved:
    """All addresses of a name by the system's resolver, as a browser asks it. Raises Failed.

    It has no limit of its own: the attempt's thread is left behind where it hangs.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise Failed("unreachable", "the resolver of this machine did not answer") from None
        raise Failed("unresolved", "the name does not resolve here") from None
    except (OSError, UnicodeError):
        raise Failed("unresolved", "the name cannot be resolved") from None
    canonical = next((name for *_, name, _ in found if name), "")
    return Resolved((str(address[0]).partition("%")[0] for *_, address in found), canonical.rstrip(".").lower())


def connected(attempt: Attempt, host: str, port: int, resolve: Resolve) -> socket.socket:
    """A connection to the first address of a host that takes one. Raises Failed and OSError."""
    addresses = resolve(host)
    if not addresses:
        raise Failed("unresolved", "the name does not resolve here")
    trouble: BaseException | None = None
    for number, address in enumerate(addresses):
        share = attempt.left() / (len(addresses) - number)  # one that drops packets must not use up the time of the others
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        attempt.at_end(made.close)
        try:
            made.settimeout(share)
            made.connect((address, port))
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            made.close()
            trouble = error
        else:
            attempt.at_end(partial(socket.socket.shutdown, made, socket.SHUT_RDWR))  # a close alone wakes up nobody who reads
            return made
    assert trouble is not None
    raise trouble


def client_context(ca_file: File | None, *, verify: bool = True) -> ssl.SSLContext:
    """A context as a browser has it: TLS 1.2 or newer, the system's authorities and those of a file beside them. Raises UsageError."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.hostname_checks_common_name = False
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        return made
    made.load_default_certs()
    if ca_file is not None:
        try:
            made.load_verify_locations(cafile=str(ca_file))
        except (OSError, ValueError):  # ssl.SSLError is an OSError
            raise UsageError("probes.ca_file in the config cannot be read, or holds no certificate", "name a PEM file") from None
    return made


def secured(attempt: Attempt, made: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """TLS over a connection, for a host. Raises ssl.SSLError, OSError and Failed."""
    made.settimeout(attempt.left())  # of a handshake it is the limit as a whole
    wrapped = context.wrap_socket(made, server_hostname=host, do_handshake_on_connect=False)
    attempt.at_end(wrapped.close)
    attempt.at_end(partial(socket.socket.shutdown, wrapped, socket.SHUT_RDWR))
    wrapped.settimeout(attempt.left())
    wrapped.do_handshake()
    return wrapped


class Bounded(io.RawIOBase):
    """The reading side of a connection as a file; each read waits for what is left of the attempt, and all together stay below a size."""

    def __init__(self, attempt: Attempt, made: socket.socket, largest: int) -> None:
        super().__init__()
        self._attempt, self._made, self._room = attempt, made, largest

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Some bytes. Raises Failed when the time is up or it is too large."""
        self._made.settimeout(self._attempt.left())
        count = self._made.recv_into(buffer)
        self._room -= count
        if self._room < 0:
            raise Failed("too-large", "its answer is larger than any that belongs here")
        return count


def sent(attempt: Attempt, made: socket.socket, content: bytes) -> None:
    """Send all of it within the attempt."""
    made.settimeout(attempt.left())
    made.sendall(content)
