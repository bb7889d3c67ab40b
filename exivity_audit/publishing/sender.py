"""Sends one request to a destination: verified, through the proxy of the environment, a few tries, never past its time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import urllib3
from msgspec import Struct

from exivity_audit.collect import faults, pools, tls
from exivity_audit.collect.answer import Failure
from exivity_audit.collect.beside import proxied
from exivity_audit.collect.body import BodyError, read_body
from exivity_audit.collect.connection import Connection
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.retry import http_date, retry_after, wait_before
from exivity_audit.discreet import Discreet
from exivity_audit.errors import AuditError, one_line
from exivity_audit.publishing.destination import Trouble

CONNECT = 5.0
TRIES = 3
LARGEST_ANSWER = 1024 * 1024
_REFUSED_FOR_NOW = frozenset({429, 503})  # nothing was done with the request
_BROKEN = frozenset({500, 502, 504})
_NEXT = {
    "timeout": "check its address, and what stands between it and here: NetworkPolicy, firewall, proxy",
    "connection": "check its address and name, NetworkPolicy, firewall and proxy settings",
    "tls": "check its address and certificate; name a private authority's file with --publish-ca, or ca_file in the config",
    "deadline": "give it more time with --publish-timeout",
}
Words = Mapping[int, tuple[str, str]]
"""What an HTTP status of a destination means, and what to do about it."""


class Request(Discreet, Struct, frozen=True):
    """One request; ``repeatable`` when doing it twice is the same as doing it once."""

    unprinted = ("url", "body", "headers")

    method: str
    url: str
    body: bytes | None
    headers: Mapping[str, str]
    repeatable: bool


class Sent(Discreet, Struct, frozen=True):
    """A whole answer; of an answer that says no nothing but its status is ever shown."""

    unprinted = ("content",)

    status: int
    content: bytes


def connection_to(url: str, ca_file: Path | None) -> Connection:
    """The way to a destination; the file's authorities are trusted besides the system's. Raises Trouble."""
    try:
        proxy = proxied(url)
    except AuditError as error:
        raise Trouble(error.message.rstrip("."), error.hint.rstrip(".")) from None
    if not url.startswith("https:"):
        return Connection(url, proxy=proxy)
    context = tls.context(None, insecure=False)
    if ca_file is not None:
        try:
            context.load_verify_locations(cadata=ca_file.read_bytes().decode("ascii"))
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            why = "no PEM certificate is in it" if not isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError) else error.strerror
            raise Trouble(
                f"the file of its authority, {one_line(ca_file, 200)}, cannot be used: {why}", "name a file with PEM certificates"
            ) from None
    return Connection(url, context, proxy=proxy)


class Sender:
    """Sends to one server."""

    def __init__(
        self,
        connection: Connection,
        deadline: Deadline,
        *,
        sleep: Callable[[float], object] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._connection, self._deadline, self._sleep, self._chance = connection, deadline, sleep, chance
        self._watchdog = pools.Watchdog()
        self._manager = pools.manager(connection, 1)

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.stop()
        self._manager.clear()

    def send(self, request: Request, words: Words | None = None, *, taken: frozenset[int] = frozenset()) -> Sent:
        """The answer of a success, or of a status in ``taken``. Raises Trouble for everything else that a network or server may do."""
        again = _REFUSED_FOR_NOW | _BROKEN if request.repeatable else _REFUSED_FOR_NOW
        tries = 0
        while True:
            tries += 1
            sent, wait, trouble = self._try(request)
            if sent is not None:
                if 200 <= sent.status < 300 or sent.status in taken:
                    return sent
                trouble = _refusal(sent.status, words or {})
                retried = sent.status in again
            else:
                retried = request.repeatable and wait is not None
            assert trouble is not None
            pause = wait_before(tries, wait or None, self._chance)
            if not retried or tries >= TRIES or pause >= self._deadline.remaining():
                raise trouble
            self._sleep(pause)

    def _try(self, request: Request) -> tuple[Sent | None, float | None, Trouble | None]:
        """The answer with the wait that it asks for; or no answer, the trouble, and a wait (of 0) where asking again may help."""
        seconds = self._deadline.remaining()
        if seconds <= 0:
            return None, None, _trouble(Failure("deadline", None, "there was no time left for it"))
        response: urllib3.BaseHTTPResponse | None = None
        whole = False
        with self._watchdog.limit(seconds) as watch:
            try:
                response = self._manager.request(
                    request.method,
                    request.url,
                    body=request.body,
                    headers=self._headers(request.headers),
                    timeout=urllib3.Timeout(connect=min(CONNECT, seconds), read=seconds),
                    retries=False,
                    redirect=False,
                    preload_content=False,
                    decode_content=False,
                )
                content = read_body(response, LARGEST_ANSWER, lambda size: None, lambda: not watch.fired)
                whole = not watch.fired
            except BodyError:  # the status has come all the same, and says more
                status = response.status if response is not None else 0
                return Sent(status, b""), None, None
            except Exception as error:
                if watch.fired:
                    return None, None, self._late()
                failure, again = faults.from_exception(error, insecure=self._connection.insecure)
                return None, 0.0 if again else None, self._late() if failure.kind == "timeout" and self._deadline.expired else _trouble(failure)
            finally:
                if response is not None and not whole:
                    response.close()
        if not whole:
            return None, None, self._late()
        wait = retry_after(response.headers.get("Retry-After"), http_date(response.headers.get("Date")))
        return Sent(response.status, bytes(content)), wait, None

    def _headers(self, own: Mapping[str, str]) -> urllib3.HTTPHeaderDict:
        from exivity_audit import __version__

        headers = urllib3.HTTPHeaderDict({"Accept-Encoding": "identity", "User-Agent": f"exivity-audit/{__version__}", **own})
        header = self._connection.credentials.authorization(max(0.1, self._deadline.remaining()))
        if header is not None:
            headers["Authorization"] = header
        for name, value in self._connection.impersonation:
            headers.add(name, value.encode().decode("latin-1"))
        return headers

    def _late(self) -> Trouble:
        return _trouble(Failure("deadline", None, f"it did not finish its answer within {self._deadline.seconds:g} seconds"))


def _trouble(failure: Failure) -> Trouble:
    reason = failure.reason.replace(" and not the one the kubeconfig trusts", " and not trusted here")
    return Trouble(reason, _NEXT.get(failure.kind, _NEXT["connection"]))


def _refusal(status: int, words: Words) -> Trouble:
    usual: dict[int, tuple[str, str]] = {
        401: ("it does not accept the credentials", "renew them"),
        403: ("the credentials may not write there", "grant the right, or correct the address"),
        404: ("it has no such place", "correct the address"),
        407: ("the proxy wants credentials", "write them into HTTPS_PROXY"),
        413: ("what was sent is too large for it", "raise its limit, or the proxy's before it"),
        429: ("it takes no more for now", "publish less often"),
    }
    if status in words or status in usual:
        what, following = words.get(status) or usual[status]
        return Trouble(f"{what} (HTTP {status})", following)
    if 300 <= status < 400:
        return Trouble(f"it sends elsewhere, such as to a login page, and no redirect is followed (HTTP {status})", "correct the address")
    return Trouble(f"it answers with an error (HTTP {status})", "look into its own log")
