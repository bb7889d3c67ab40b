"""What a program asked, by the API server's own audit log: how often, what, when, and how deep its questions built on each other."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Request:
    """One request as the server saw it; times in seconds, from whenever the log counts."""

    verb: str
    path: str
    code: int
    began: float
    ended: float

    @property
    def writes(self) -> bool:
        """Whether it changed anything: reviews are posted and stored nowhere."""
        review = self.verb == "create" and self.path.split("?")[0].rpartition("/")[2] in ("selfsubjectreviews", "selfsubjectaccessreviews")
        return self.verb not in ("get", "list", "watch") and not review


class AuditLog:
    """The end of an audit log: what was written since it was marked."""

    def __init__(self, path: Path, user: str) -> None:
        self._path = path
        self._user = user
        self._mark = 0

    def mark(self) -> None:
        """From here on."""
        self._mark = self._path.stat().st_size

    def requests(self, settled: float = 0.3, within: float = 10) -> list[Request]:
        """The requests of the user since the mark, once none has come for a moment: an answer may be there before its line is."""
        deadline = time.monotonic() + within
        size = -1
        while size != self._path.stat().st_size and time.monotonic() < deadline:
            size = self._path.stat().st_size
            time.sleep(settled)
        with self._path.open("rb") as file:
            file.seek(self._mark)
            lines = file.read().splitlines(keepends=True)
        return parsed(lines, self._user)


def parsed(lines: Iterable[bytes], user: str) -> list[Request]:
    """The finished requests of a user in lines of an audit log, in the order in which they began. A line not yet whole is left out."""
    marks = (b'"username":"%s"' % user.encode(), b"\n")
    records: list[dict[str, Any]] = [json.loads(line) for line in lines if marks[0] in line and line.endswith(marks[1])]
    found = [
        Request(
            record["verb"],
            record["requestURI"],
            int(record.get("responseStatus", {}).get("code", 0)),
            _seconds(record["requestReceivedTimestamp"]),
            _seconds(record["stageTimestamp"]),
        )
        for record in records
        if record["user"]["username"] == user and record["stage"] in ("ResponseComplete", "Panic")
    ]
    return sorted(found, key=lambda request: (request.began, request.ended))


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def depth(requests: Sequence[Request]) -> list[Request]:
    """The longest chain in which each request began when the one before it had ended: the round trips that nothing could have shared.

    Where every request takes at least the latency that was added, the run takes at least so many times the latency.
    """
    chain: list[Request] = []
    for request in sorted(requests, key=lambda one: one.ended):
        if not chain or request.began >= chain[-1].ended:
            chain.append(request)
    return chain


def line(request: Request) -> str:
    """A request in one line."""
    return f"{request.code} {request.verb:6} {request.path[:120]}"
