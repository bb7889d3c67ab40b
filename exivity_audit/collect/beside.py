"""Servers beside the API (a Prometheus, the kubelets): how they are asked, bounded in time and size, and how what they say is cut."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3
from msgspec import Struct, field

from exivity_audit.collect import faults, pools
from exivity_audit.collect.answer import Failure
from exivity_audit.collect.body import BodyError, TooLarge, parse, read_body
from exivity_audit.collect.connection import Connection
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.proxy import choose
from exivity_audit.collect.stats import Stats
from exivity_audit.reading import HELP
from exivity_audit.snapshot import Place

LARGEST = 16 * 2**20
SECONDS = 10.0
CONNECT = 5.0
MOST = 2**63
_NO_TIME = Failure("deadline", None, "the time for the whole run was up")
_WORDS = {401: "it does not accept the credentials", 403: "the account may not read this", 404: "it has no such thing"}
_HELPS = {"timeout": "a route from this machine to it", "connection": "a route from this machine to it", "deadline": "a longer --deadline"}


class Told(Struct, frozen=True):
    """What one server said for one place: objects as they may be kept, or why not and what would help."""

    objects: tuple[Any, ...] = ()
    failure: Failure | None = None
    helps: str = ""


Source = Callable[[Place, Mapping[str, Any]], Told]
"""Asks at a place, with what the read's place follows from. Raises NotAsked; everything that a server may do is a failure."""


def reason_of(told: Told) -> str:
    """A failure as its record keeps it."""
    assert told.failure is not None
    helps = told.helps or _HELPS.get(told.failure.kind, "")
    return told.failure.reason + (f"{HELP}{helps})" if helps else "")


class Reply(Struct, frozen=True):
    """One answer: the parsed object of a success, or the failure."""

    body: dict[str, Any] = field(default_factory=dict)
    failure: Failure | None = None


class Client:
    """Gets JSON from servers that share one way to verify them; one try, no redirects, never past the run's deadline."""

    def __init__(
        self, connection: Connection, deadline: Deadline, stats: Stats, *, seconds: float = SECONDS, largest: int = LARGEST, lists: bool = False
    ) -> None:
        self._connection, self._deadline, self._stats, self._lists = connection, deadline, stats, lists
        self._seconds, self._largest = seconds, largest
        self._watchdog = pools.Watchdog()
        self._manager = pools.manager(connection, 8)

    def get(self, url: str, query: Iterable[tuple[str, str]] = ()) -> Reply:
        """Ask for one thing. Never raises for what a network or server may do."""
        seconds = min(self._seconds, self._deadline.remaining())
        if seconds <= 0:
            return Reply(failure=_NO_TIME)
        asked = urlencode(list(query))
        self._stats.count_request("GET")
        response: urllib3.BaseHTTPResponse | None = None
        whole = False
        with self._watchdog.limit(seconds) as watch:
            try:
                response = self._manager.request(
                    "GET",
                    f"{url}?{asked}" if asked else url,
                    headers=self._headers(),
                    timeout=urllib3.Timeout(connect=min(CONNECT, seconds), read=seconds),
                    retries=False,
                    redirect=False,
                    preload_content=False,
                    decode_content=False,
                )
                content = read_body(response, self._largest, self._stats.count_bytes, lambda: not watch.fired)
                whole = not watch.fired
            except BodyError as error:
                status = response.status if response is not None else None
                return Reply(failure=Failure("too-large" if isinstance(error, TooLarge) else "malformed", status, str(error)))
            except Exception as error:
                if watch.fired:
                    return Reply(failure=self._late())
                failure, _ = faults.from_exception(error, insecure=self._connection.insecure)
                return Reply(failure=self._late() if failure.kind == "timeout" and self._deadline.expired else failure)
            finally:
                if response is not None and not whole:
                    response.close()
        return (
            interpret(response.status, response.headers.get("Content-Type", ""), content, lists=self._lists) if whole else Reply(failure=self._late())
        )

    def close(self) -> None:
        """Cut off what is under way and close the connections."""
        self._watchdog.stop()
        self._manager.clear()

    def _headers(self) -> dict[str, str]:
        from exivity_audit import __version__

        headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": f"exivity-audit/{__version__}"}
        header = self._connection.credentials.authorization(max(0.1, self._deadline.remaining()))
        return headers if header is None else {**headers, "Authorization": header}

    def _late(self) -> Failure:
        if self._deadline.remaining() <= 0.01:
            return _NO_TIME
        return Failure("timeout", None, f"the server did not finish its answer within {self._seconds:g} seconds")


def interpret(status: int, content_type: str, content: bytes | bytearray, *, lists: bool = False) -> Reply:
    """What a complete answer means; of an error nothing but its status is taken, for its text is anybody's. ``lists``: see ``parse``."""
    if 300 <= status < 400:
        return Reply(failure=Failure("malformed", status, "a redirect came, such as to a login page; it is not followed"))
    if status != 200:
        kind: Any = {401: "unauthorized", 403: "forbidden", 404: "not-found", 429: "throttled"}.get(status, "server")
        return Reply(failure=Failure(kind, status, _WORDS.get(status, f"it answers with an error ({status})")))
    try:
        return Reply(parse(content_type, content, lists=lists))
    except BodyError as error:
        return Reply(failure=Failure("malformed", status, str(error)))


def proxied(server: str) -> Any:
    """The proxy of the environment for a server, or None."""
    return choose(server, "", os.environ)


def amount(value: object) -> int | None:
    """A number of bytes or inodes that may be kept; None for anything that is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not 0 <= value < MOST:
        return None
    return int(value)
