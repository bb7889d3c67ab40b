"""Asks the API server: get, list and reviews of ourselves, within one deadline, never raising for what a network or server may do."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import urllib3
from msgspec import Struct

from exivity_audit.collect import asking, faults, pools
from exivity_audit.collect.answer import Answer, Failure, Kind, Listing, failed, with_failure
from exivity_audit.collect.body import LARGEST_BODY, BodyError, Parse, TooLarge, decoded, parse, parse_page, read_body
from exivity_audit.collect.connection import Connection
from exivity_audit.collect.contact import first_contact
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.interpret import interpret
from exivity_audit.collect.retry import RETRIED_STATUS, TRIES, Gate, http_date, retry_after, wait_before
from exivity_audit.collect.stats import Stats

__all__ = ["Answer", "Deadline", "Failure", "Kind", "Listing", "Transport"]

_UNAUTHORIZED = Failure("unauthorized", 401, "the server does not accept the credentials", "Log in again, or have the token or certificate renewed.")
_FIRST_TRIES = 2  # where nothing has answered yet, more would only keep the operator waiting
_GIVEN_UP = 24  # tries in a row without any answer: the server is gone, and asking twice no longer helps
MOST_PAGES = 2_000  # a million objects at 500 a page: a list with more never ends, and would be held until memory does
_REPORT = "Report this: no answer should be so large."
_NO_TIME = Failure("deadline", None, "the time for the whole run was up", "Give more time with --deadline.")


class _Try(Struct, frozen=True):
    answer: Answer
    again: bool
    wait: float | None = None


class Transport:
    """The one way to the API server of a connection; safe to use from several threads."""

    def __init__(
        self,
        connection: Connection,
        *,
        deadline: Deadline,
        request_timeout: float = 30,
        connect_timeout: float = 5,
        concurrency: int = 8,
        largest_body: int = LARGEST_BODY,
        stats: Stats | None = None,
        sleep: Callable[[float], object] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.connection = connection
        self.deadline = deadline
        self.stats = stats or Stats()
        self.gate = Gate(concurrency)
        self._request_timeout = request_timeout
        self._connect_timeout = connect_timeout
        self._largest_body = largest_body
        self._stopped = threading.Event()
        self._sleep = sleep or self._stopped.wait
        self._chance = chance
        self._watchdog = pools.Watchdog()
        self._manager = pools.manager(connection, concurrency)
        self._login = threading.Lock()
        self._renewed = False
        self._unauthorized = False
        self._contacted = False
        self._silent = 0
        self._server = connection.server.rstrip("/")

    def first_contact(self) -> Answer:
        """Ask /version; raise Unreachable with a sentence and a next step unless a Kubernetes API server answers. 403 is fine."""
        return first_contact(self)

    def get(self, path: str, query: Iterable[tuple[str, str]] = (), *, accept: str = "application/json") -> Answer:
        """Ask for one thing. A fault is the answer's failure; Refused (a ValueError) is raised for what is never asked."""
        return self._ask("GET", asking.checked_path(path), asking.checked_query(query), None, accept)

    def _get_page(self, path: str, query: Iterable[tuple[str, str]], shape: Callable[[], Any] | None) -> Answer:
        def parsing(content_type: str, body: bytes | bytearray) -> dict[str, object]:
            return parse_page(content_type, body, shape)

        return self._ask("GET", asking.checked_path(path), asking.checked_query(query), None, "application/json", parsing)

    def post_review(self, path: str, body: Mapping[str, object]) -> Answer:
        """Post one of the reviews of ourselves (which the server stores nowhere); anything else is refused."""
        return self._ask("POST", asking.checked_review(path), "", json.dumps(body).encode(), "application/json")

    def list(
        self,
        path: str,
        query: Iterable[tuple[str, str]] = (),
        *,
        limit: int = 500,
        keep: Callable[[dict[str, object]], object],
        shape: Callable[[], Any] | None = None,
        most: int | None = None,
    ) -> Listing:
        """List page by page, pruning each item by `keep` as its page comes; items that are not objects go to `keep` as they are.

        `limit` of 0 is none. `shape` makes a type that holds all that `keep` looks at: a large page is decoded straight into it where
        its items fit. With `most`, a list that has more than so many pages after its first is left before its end.
        When the list has changed too much (410) it is begun anew once, without the token and without what came so far.
        """
        asked = [*query, ("limit", str(limit))] if limit else [*query]
        restarted = False
        pages = 0
        items: list[object] = []
        token = version = ""
        date: datetime | None = None
        while True:
            answer = self._get_page(path, [*asked, ("continue", token)] if token else asked, shape)
            pages += 1
            if answer.failure is not None and answer.failure.kind == "gone" and not restarted:
                restarted, items, token, version = True, [], "", ""
                continue
            page, following, failure = _page(answer, token)
            if failure is None and following[0] and pages >= MOST_PAGES:
                failure = Failure("too-large", answer.status, f"the list does not end within {MOST_PAGES:,} pages", _REPORT)
            if failure is not None:
                return Listing((), failure, "", pages, answer.date, answer.status)
            if not token:
                version, date = following[1], answer.date
            try:
                items.extend(keep(decoded(item) if isinstance(item, msgspec.Raw) else item) for item in page)  # type: ignore[arg-type]
            except BodyError as error:
                return Listing((), _malformed(answer.status, error), "", pages, answer.date, answer.status)
            left = most is not None and bool(following[0]) and pages - 1 + _pages_left(answer, limit) > most
            token = "" if left else following[0]
            if not token:
                return Listing(tuple(items), None, version, pages, date, answer.status, left)

    def close(self) -> None:
        """Cut off what is under way, wake what sleeps, and close the connections; later requests answer `deadline`."""
        self._stopped.set()
        self.gate.close()
        self._watchdog.stop()
        self._manager.clear()

    def _ask(self, method: str, path: str, query: str, body: bytes | None, accept: str, parsing: Parse = parse) -> Answer:
        url = f"{self._server}{path}" + (f"?{query}" if query else "")
        tries = 0
        while True:
            if self._unauthorized:
                return failed(_UNAUTHORIZED)
            ticket = None if self.deadline.expired else self.gate.enter(self.deadline.remaining())
            if ticket is None:
                return failed(_NO_TIME)
            generation = self.connection.credentials.generation
            try:
                tried = failed(_NO_TIME) if self.deadline.expired or self._stopped.is_set() else None
                outcome = _Try(tried, False) if tried else self._try(method, url, body, accept, parsing)
            finally:
                self.gate.leave()
            tries += 1
            if outcome.answer.failure is not None and outcome.answer.failure.kind == "unauthorized":
                if self._renew(generation):
                    self.stats.count_retry()
                    continue
                return outcome.answer
            if outcome.answer.status == 429 or outcome.wait is not None:
                self.gate.halve(ticket)
            self._silent = self._silent + 1 if outcome.answer.status == 0 else 0
            if not outcome.again or tries >= (TRIES if self._contacted else _FIRST_TRIES) or self._silent >= _GIVEN_UP:
                return outcome.answer
            wait = wait_before(tries, outcome.wait, self._chance)
            if wait >= self.deadline.remaining():
                return _out_of_time(outcome.answer)
            self.stats.count_retry()
            self._sleep(wait)

    def _try(self, method: str, url: str, body: bytes | None, accept: str, parsing: Parse) -> _Try:
        seconds = min(self._request_timeout, self.deadline.remaining())
        header = self.connection.credentials.authorization(max(0.1, self.deadline.remaining()))
        headers = self._headers(accept, header, body is not None)
        timeout = urllib3.Timeout(connect=min(self._connect_timeout, seconds), read=seconds)
        self.stats.count_request(method)
        response: urllib3.BaseHTTPResponse | None = None
        whole = False
        with self._watchdog.limit(seconds) as watch:
            try:
                response = self._manager.request(
                    method,
                    url,
                    body=body,
                    headers=headers,
                    timeout=timeout,
                    retries=False,
                    redirect=False,
                    preload_content=False,
                    decode_content=False,
                )
                self._contacted = True
                content = read_body(response, self._largest_body, self.stats.count_bytes, lambda: not watch.fired)
                whole = not watch.fired
            except BodyError as error:
                return _bad_body(response.status if response is not None else 0, error)
            except Exception as error:
                if watch.fired:
                    return _Try(self._too_late(), False)
                failure, again = faults.from_exception(error, insecure=self.connection.insecure)
                return _Try(self._too_late() if failure.kind == "timeout" and self.deadline.expired else failed(failure), again)
            finally:
                if response is not None and not whole:
                    response.close()
        if not whole:
            return _Try(self._too_late(), False)
        answer = interpret(
            response.status,
            response.headers.get("Content-Type", ""),
            response.headers.get("Date"),
            content,
            lambda text: _scrubbed(text, header),
            parsing,
        )
        asked = retry_after(response.headers.get("Retry-After"), http_date(response.headers.get("Date")))
        again = response.status in RETRIED_STATUS
        return _Try(answer, again, asked if again else None)

    def _headers(self, accept: str, authorization: str | None, has_body: bool) -> urllib3.HTTPHeaderDict:
        from exivity_audit import __version__

        headers = urllib3.HTTPHeaderDict({"Accept": accept, "Accept-Encoding": "gzip", "User-Agent": f"exivity-audit/{__version__}"})
        if has_body:
            headers["Content-Type"] = "application/json"
        if authorization is not None:
            headers["Authorization"] = authorization
        for name, value in self.connection.impersonation:
            headers.add(name, value.encode().decode("latin-1"))  # bytes of UTF-8 on the wire, as client-go sends them
        return headers

    def _too_late(self) -> Answer:
        if self.deadline.remaining() <= 0.01 or self._stopped.is_set():
            return failed(_NO_TIME)
        return failed(Failure("timeout", None, f"the server did not finish its answer within {self._request_timeout:g} seconds", "Try again later."))

    def _renew(self, generation: int) -> bool:
        """After a 401: return whether asking again makes sense. Credentials are renewed once in a run; after that nobody asks any more."""
        with self._login:
            if self._unauthorized:
                return False
            if self.connection.credentials.generation != generation:
                return True  # renewed by another thread since
            if not self._renewed:
                self._renewed = True
                if self.connection.credentials.renew(max(0.1, self.deadline.remaining())):
                    self._manager.clear()  # a new client certificate needs new connections
                    return True
            self._unauthorized = True
            return False


def _page(answer: Answer, token: str) -> tuple[list[object], tuple[str, str], Failure | None]:
    """Return the items, the (continue token, resource version) and the failure of one page."""
    if answer.failure is not None:
        return [], ("", ""), answer.failure
    body = answer.body
    assert isinstance(body, dict)
    items, metadata, kind = body.get("items"), body.get("metadata"), body.get("kind")
    metadata = {} if metadata is None else metadata
    if not isinstance(items, list) or not isinstance(metadata, dict) or not isinstance(kind, str) or not kind.endswith("List"):
        return [], ("", ""), Failure("malformed", answer.status, "the answer is not a list of objects")
    following, version = metadata.get("continue") or "", metadata.get("resourceVersion") or ""
    if not isinstance(following, str) or not isinstance(version, str) or (following and following == token):
        return [], ("", ""), Failure("malformed", answer.status, "the list does not say where it continues")
    return items, (following, version), None


def _pages_left(answer: Answer, limit: int) -> int:
    """How many pages follow one that says where it continues, as the server says; at least one."""
    body: Any = answer.body
    count = (body.get("metadata") or {}).get("remainingItemCount")
    return max(1, -(-count // limit)) if isinstance(count, int) and not isinstance(count, bool) and limit else 1


def _malformed(status: int, error: BodyError) -> Failure:
    return Failure("malformed", status, str(error), "Try again; check what stands between the server and here.")


def _bad_body(status: int, error: BodyError) -> _Try:
    if isinstance(error, TooLarge):
        return _Try(failed(Failure("too-large", status, str(error), _REPORT)), False)
    return _Try(failed(_malformed(status, error)), status in RETRIED_STATUS)


def _out_of_time(answer: Answer) -> Answer:
    assert answer.failure is not None
    failure = answer.failure
    return with_failure(answer, Failure(failure.kind, failure.status, f"{failure.reason}; no time was left for another try", failure.hint))


def _scrubbed(text: str, authorization: str | None) -> str:
    """Take our own credentials out of a text of the server."""
    secret = (authorization or "").partition(" ")[2]
    return text.replace(secret, "…") if len(secret) >= 4 else text
