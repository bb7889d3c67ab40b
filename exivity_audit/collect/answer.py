"""What comes back from the API server: an answer or a listing, each with the failure it may carry instead of an exception."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

Kind = Literal[
    "forbidden", "not-found", "unauthorized", "gone", "throttled", "server", "timeout", "deadline", "tls", "connection", "malformed", "too-large"
]


class Failure(Struct, frozen=True):
    """Why something could not be read: a kind, the HTTP status when there was one, a reason in words and a next step."""

    kind: Kind
    status: int | None
    reason: str
    hint: str = ""


class Answer(Struct, frozen=True):
    """One answer. `status` is 0 when no HTTP answer came; `body` is the parsed JSON object, only of a success or a Status."""

    status: int
    body: object | None
    reason: str
    message: str
    date: datetime | None
    failure: Failure | None


class Listing(Struct, frozen=True):
    """All pages of a list, pruned. With a failure `items` is empty: half a list is never handed out.

    ``remaining``: the list was left before its end, as the caller wished for lists that are too long.
    """

    items: tuple[object, ...]
    failure: Failure | None
    resource_version: str
    pages: int
    date: datetime | None = None
    status: int = 0
    remaining: bool = False


def failed(failure: Failure, date: datetime | None = None) -> Answer:
    """Return the answer that carries nothing but `failure`."""
    return Answer(failure.status or 0, None, failure.reason, "", date, failure)


def with_failure(answer: Answer, failure: Failure) -> Answer:
    """Return `answer` turned into a failed one, without its body."""
    return replace(answer, body=None, failure=failure)
