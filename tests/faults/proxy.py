"""A proxy that spoils answers by rule, in front of a cluster in memory or of a real API server; everything else passes as it came."""

from __future__ import annotations

import json
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from tests.collect.fake_server import Asked, FakeServer, Handler, Reply, reply, status
from tests.world import NOW, World

Backend = Callable[[Asked], Reply]


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one path: ``spoil`` gets the request, the genuine answer and how often this place was asked before.

    ``page`` counts from 1; 0 is every page. A ``None`` of ``spoil`` lets the genuine answer pass.
    """

    path: str
    spoil: Callable[[Asked, Reply, int], Reply | None]
    page: int = 0

    def fits(self, asked: Asked, page: int) -> bool:
        """Whether the request is the one that goes wrong."""
        return (self.path in ("*", asked.path)) and self.page in (0, page)


class Dated(Handler):
    """Answers with the clock of the case."""

    fake: FaultProxy

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The time of the Date header."""
        return format_datetime(NOW + self.fake.skew, usegmt=True)


@dataclass
class FaultProxy(FakeServer):
    """The proxy; ``backend`` and ``faults`` are set anew for each case."""

    handler: type[Handler] = Dated

    backend: Backend = field(default=lambda asked: status(404, "NotFound"))
    faults: tuple[Fault, ...] = ()
    skew: timedelta = timedelta(0)
    counted: dict[tuple[str, str], int] = field(default_factory=dict)

    def begin(self, backend: Backend, *faults: Fault, skew: timedelta = timedelta(0)) -> None:
        """A new case: nothing was asked yet, and what still hangs of the case before is let go."""
        stopping, self.stopping = self.stopping, threading.Event()
        stopping.set()
        self.backend, self.faults, self.skew = backend, faults, skew
        self.asked, self.counted = [], {}

    def next(self, asked: Asked) -> Reply:
        """The genuine answer, or what a fault makes of it."""
        token = asked.query.get("continue", "")
        with self.lock:
            self.asked.append(asked)
            before = self.counted.get((asked.path, token), 0)
            self.counted[(asked.path, token)] = before + 1
        genuine = self.backend(asked)
        page = _page_of(token)
        for fault in self.faults:
            if fault.fits(asked, page) and (spoilt := fault.spoil(asked, genuine, before)) is not None:
                return spoilt
        return genuine


def _page_of(token: str) -> int:
    number = token.rpartition(":")[2]
    return int(number) if number.isdigit() else 1 if not token else 2


def in_memory(world: World, size: int = 500) -> Backend:
    """A world as an API server that cuts its lists into pages of ``size``; the answers are made once."""
    known: dict[tuple[str, str, str], Reply] = {}
    lock = threading.Lock()

    def answer(asked: Asked) -> Reply:
        if asked.method == "POST":
            return _as_reply(world.post_review(asked.path, json.loads(asked.body)))
        query = {key: value for key, value in asked.query.items() if key not in ("limit", "continue")}
        key = (asked.path, urlencode(sorted(query.items())), asked.query.get("continue", ""))
        with lock:
            if key not in known:
                known[key] = _paged(_as_reply(world.get(asked.path, query.items())), asked.query.get("continue", ""), size)
            return known[key]

    return answer


def _as_reply(answer: Any) -> Reply:
    if answer.failure is None:
        return reply(answer.body)
    return status(answer.failure.status, {403: "Forbidden", 404: "NotFound"}.get(answer.failure.status, "Failure"), "no")


def _paged(whole: Reply, token: str, size: int) -> Reply:
    body = json.loads(whole.body)
    if body.get("kind") != "List" or whole.status != 200:
        return whole
    number = _page_of(token)
    items = body["items"]
    part = items[(number - 1) * size : number * size]
    more = f"t:{number + 1}" if number * size < len(items) else ""
    return reply({"kind": "List", "metadata": {"resourceVersion": "7", "continue": more}, "items": part})


def in_front_of(server: str, context: ssl.SSLContext, headers: dict[str, str] | None = None) -> Backend:
    """A real API server behind the proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))

    def answer(asked: Asked) -> Reply:
        query = f"?{urlencode(asked.query)}" if asked.query else ""
        request = urllib.request.Request(f"{server}{asked.path}{query}", data=asked.body or None, method=asked.method, headers=dict(headers or {}))
        for name in ("Accept", "Content-Type"):
            for value in asked.header(name):
                request.add_header(name, value)
        try:
            with opener.open(request, timeout=30) as found:
                return Reply(found.status, found.read(), content_type=found.headers.get("Content-Type", ""))
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.read(), content_type=error.headers.get("Content-Type", ""))

    return answer
