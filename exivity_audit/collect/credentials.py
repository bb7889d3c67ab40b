"""Who we are to the API server: something that gives the Authorization header and may renew itself."""

from __future__ import annotations

import base64
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from exivity_audit.collect import tls
from exivity_audit.collect.exec_plugin import LONGEST_RUN, ExecCredential, ExecPlugin
from exivity_audit.errors import AuditError, Unreachable, one_line

TOKEN_AGE = 60.0
_BEFORE_EXPIRY = timedelta(seconds=10)


class Credentials(Protocol):
    """A provider of the Authorization header; safe to use from several threads."""

    generation: int

    def authorization(self, limit: float = LONGEST_RUN) -> str | None:
        """Return the header's value, or None to go without; may renew, within `limit` seconds, what is known to be expired."""

    def renew(self, limit: float = LONGEST_RUN) -> bool:
        """Get new credentials after a 401; return whether another try makes sense. Never raises."""


class Anonymous:
    """No Authorization header: a client certificate, or nothing."""

    generation = 0

    def authorization(self, limit: float = LONGEST_RUN) -> str | None:
        """Return None."""
        return None

    def renew(self, limit: float = LONGEST_RUN) -> bool:
        """Return False: there is nothing to renew."""
        return False


class Fixed(Anonymous):
    """A header that never changes: a token of the kubeconfig, or basic auth."""

    def __init__(self, header: str) -> None:
        self._header = header

    def authorization(self, limit: float = LONGEST_RUN) -> str | None:
        """Return the header's value."""
        return self._header


def basic(username: str, password: str) -> Fixed:
    """Return basic auth."""
    return Fixed("Basic " + base64.b64encode(f"{username}:{password}".encode()).decode())


class TokenFile:
    """A token in a file that someone else rotates: read again every 60 seconds, and after a 401."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.generation = 0
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._token = self._read()
        self._read_at = clock()

    def authorization(self, limit: float = LONGEST_RUN) -> str | None:
        """Return the header's value, from the file when it was read more than 60 seconds ago."""
        with self._lock:
            if self._clock() - self._read_at >= TOKEN_AGE:
                self._again()
            return f"Bearer {self._token}"

    def renew(self, limit: float = LONGEST_RUN) -> bool:
        """Read the file now; True when it held another token."""
        with self._lock:
            return self._again()

    def _again(self) -> bool:
        self._read_at = self._clock()
        try:
            token = self._read()
        except AuditError:
            return False  # keep the old one: it may still be good
        changed = token != self._token
        if changed:
            self._token = token
            self.generation += 1
        return changed

    def _read(self) -> str:
        shown = one_line(self._path)
        try:
            token = self._path.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            raise Unreachable(f"The token file {shown} cannot be read.", "Check the path and its permissions.") from None
        if not token or any(character.isspace() or not character.isprintable() for character in token):
            raise Unreachable(f"The token file {shown} holds no token.", "Write one token on one line into it.")
        return token


class ExecCredentials:
    """The credentials of an exec plug-in; runs it at once, again shortly before they expire, and after a 401."""

    def __init__(self, plugin: ExecPlugin, context: ssl.SSLContext | None, limit: float = LONGEST_RUN) -> None:
        self.generation = 0
        self._plugin = plugin
        self._context = context
        self._lock = threading.Lock()
        self._renew_at: datetime | None = None
        self._credential = self._run(limit)

    def authorization(self, limit: float = LONGEST_RUN) -> str | None:
        """Return the header's value; run the plug-in again first when the credential is about to expire."""
        with self._lock:
            if self._renew_at is not None and self._renew_at <= datetime.now(UTC) and not self._again(limit):
                self._renew_at = None  # the old one goes on until the server says 401
            return f"Bearer {self._credential.token}" if self._credential.token else None

    def renew(self, limit: float = LONGEST_RUN) -> bool:
        """Run the plug-in now; True when it worked."""
        with self._lock:
            return self._again(limit)

    def _again(self, limit: float) -> bool:
        try:
            self._credential = self._run(limit)
        except AuditError:
            return False
        self.generation += 1
        return True

    def _run(self, limit: float) -> ExecCredential:
        credential = self._plugin.run(limit)
        if credential.certificate and self._context is not None:
            tls.load_client_certificate(self._context, credential.certificate.encode(), credential.key.encode())
        if credential.expires is not None:
            now = datetime.now(UTC)
            life = credential.expires - now
            self._renew_at = now + max(life - _BEFORE_EXPIRY, life / 2)  # short-lived ones are not fetched for every request
        else:
            self._renew_at = None
        return credential
