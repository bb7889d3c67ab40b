"""What the collector asks of an API server; the transport and the tests' own server both answer to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from exivity_audit.collect.answer import Answer, Listing


class Api(Protocol):
    """The three ways to ask: get, list page by page, review ourselves."""

    def get(self, path: str, query: Iterable[tuple[str, str]] = (), *, accept: str = "application/json") -> Answer: ...

    def list(self, path: str, query: Iterable[tuple[str, str]] = (), *, limit: int = 500, keep: Callable[[dict[str, object]], object]) -> Listing: ...

    def post_review(self, path: str, body: Mapping[str, object]) -> Answer: ...
