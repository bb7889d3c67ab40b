"""What the collector asks of an API server; the transport and the tests' own server both answer to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from exivity_audit.collect.answer import Answer, Listing

CACHED = ("resourceVersion", "0")
"""Answered from the API server's own cache, without asking its database; never with a limit, which it would not heed."""


class Api(Protocol):
    """The three ways to ask: get, list page by page, review ourselves."""

    def get(self, path: str, query: Iterable[tuple[str, str]] = (), *, accept: str = "application/json") -> Answer: ...

    def list(
        self,
        path: str,
        query: Iterable[tuple[str, str]] = (),
        *,
        limit: int = 500,
        keep: Callable[[dict[str, object]], object],
        shape: Callable[[], Any] | None = None,
        most: int | None = None,
    ) -> Listing: ...

    def post_review(self, path: str, body: Mapping[str, object]) -> Answer: ...
