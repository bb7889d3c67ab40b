"""One probe under way: until when it may go on, by which way it reaches its server, and what is closed when it ends or is cut off."""

from __future__ import annotations

import contextlib
import enum
import errno
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

Kind = Literal["unresolved", "refused", "unreachable", "timeout", "closed", "tls", "protocol", "too-large", "login", "denied", "forward", "broken"]


class Path(enum.StrEnum):
    """The way a probe's connection takes."""

    LAPTOP = "laptop"  # wherever the tool runs outside the cluster
    IN_CLUSTER = "in-cluster"
    PORT_FORWARD = "port-forward"


class Failed(Exception):
    """A probe's server was not reached, or did something else than its protocol says. The reason is ours: it quotes nothing of the server."""

    def __init__(self, kind: Kind, reason: str) -> None:
        super().__init__(reason)
        self.kind, self.reason = kind, reason


class Attempt:
    """Handed to a probe: ``left`` bounds whatever it waits for, ``at_end`` takes what must be closed, however the probe ends."""

    def __init__(self, seconds: float, path: Path = Path.LAPTOP, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self.path = path
        self._clock = clock
        self._end = clock() + seconds
        self._lock = threading.Lock()
        self._closing: list[Callable[[], Any]] = []
        self._over = False

    def left(self) -> float:
        """The seconds that are left. Raises Failed when there are none."""
        found = self._end - self._clock()
        if found <= 0 or self._over:
            raise late(self.seconds)
        return found

    def at_end(self, close: Callable[[], Any]) -> None:
        """Call this when the probe ends or is cut off, the last one first; at once where it is over already."""
        with self._lock:
            if not self._over:
                self._closing.append(close)
                return
        with contextlib.suppress(Exception):
            close()

    def end(self) -> None:
        """Close everything; a thread that still waits for a socket of it wakes up."""
        with self._lock:
            self._over = True
            closing, self._closing = self._closing[::-1], []
        for close in closing:
            with contextlib.suppress(Exception):
                close()


def late(seconds: float) -> Failed:
    """The failure of a server that takes its time."""
    return Failed("timeout", f"no complete answer within {seconds:g} seconds")


def failure_of(error: BaseException, seconds: float) -> Failed:
    """What an exception means, in our words alone: its own text may quote anything."""
    if isinstance(error, Failed):
        return error
    if isinstance(error, TimeoutError):
        return late(seconds)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failed("tls", "its certificate is not trusted")
    if isinstance(error, ssl.SSLEOFError):
        return Failed("closed", "it closed the connection")
    if isinstance(error, ssl.SSLError):
        return Failed("tls", "the TLS handshake failed")
    if isinstance(error, socket.gaierror):
        return Failed("unresolved", "the name does not resolve here")
    if isinstance(error, ConnectionRefusedError):
        return Failed("refused", "the connection was refused")
    if isinstance(error, ConnectionError):
        return Failed("closed", "it closed the connection")
    if isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL):
        return Failed("unreachable", "no route leads there")
    if isinstance(error, OSError):
        return Failed("unreachable", f"the connection failed ({errno.errorcode.get(error.errno or 0, type(error).__name__)})")
    return Failed("broken", f"the probe broke: {type(error).__name__}")
