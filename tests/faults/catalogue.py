"""The faults: what each does to an answer, and what a run may make of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from tests.collect.fake_server import Asked, Reply, raw, status
from tests.world import NOW

CANARY = "cAnArYfault7f3ahunter2"
SAID = f"token={CANARY} for https://u:{CANARY}@registry.corp"
Spoil = Callable[[Asked, Reply, int], Reply | None]
BLIND, RECOVERS, VANISHES = "blind", "recovers", "vanishes"
SPEC_NULL = "the first object spec null"
SPECIFIED = (  # kinds that are taken in with a spec alone; of most operators' kinds some make do without
    "deployments", "statefulsets", "daemonsets", "pods", "jobs", "cronjobs", "services", "ingresses", "persistentvolumes", "persistentvolumeclaims",
    "horizontalpodautoscalers", "prometheuses", "prometheusagents", "thanosrulers", "alertmanagers", "servicemonitors", "podmonitors", "prometheusrules",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    ``effect`` is what a run may show: ``blind`` (less is seen), ``recovers`` (the same is seen), ``vanishes`` (by the API's own word the
    cluster is another one meanwhile). ``lists``: only lists have it; ``later``: only pages behind the first; ``slow``: it costs a time limit.
    """

    name: str
    spoil: Spoil
    effect: str = BLIND
    lists: bool = False
    later: bool = False
    slow: bool = False

    def effect_at(self, path: str, is_list: bool) -> str:
        """The effect at a place: that an object is not there is the API's word, that a list, a part of discovery or a spec is not there is a fault."""
        if self.effect != VANISHES:
            return self.effect
        if self.name == SPEC_NULL:
            return BLIND if path.rpartition("/")[2] in SPECIFIED else VANISHES
        return BLIND if not self.lists and (is_list or not _of_an_object(path)) else VANISHES


def _of_an_object(path: str) -> bool:
    """Whether a path is that of one object: behind the prefix of its API a kind and a name, perhaps in a namespace."""
    steps = path.strip("/").split("/")[3 if path.startswith("/apis/") else 2 :]
    return len(steps) in (2, 4)


def always(answer: Reply) -> Spoil:
    """The same answer every time."""
    return lambda asked, genuine, before: answer


def times(count: int, answer: Reply) -> Spoil:
    """The answer so many times, then the genuine one."""
    return lambda asked, genuine, before: answer if before < count else None


def body(change: Callable[[bytes], bytes], **named: Any) -> Spoil:
    """The genuine answer with its bytes changed."""
    return lambda asked, genuine, before: replace(genuine, body=change(genuine.body), **named)


def packed(change: Callable[[bytes], bytes]) -> Spoil:
    """The genuine answer as gzip, spoilt."""
    return lambda asked, genuine, before: replace(genuine, body=change(gzip.compress(genuine.body)), headers=(("Content-Encoding", "gzip"),))


def listed(change: Callable[[dict[str, Any]], object]) -> Spoil:
    """The genuine JSON with one thing changed."""

    def spoil(asked: Asked, genuine: Reply, before: int) -> Reply:
        found = json.loads(genuine.body)
        change(found)
        return replace(genuine, body=json.dumps(found).encode())

    return spoil


def wire(head: bytes, part: float = 1.0, **named: Any) -> Spoil:
    """Raw bytes: a head of our own and a part of the genuine body, then what ``raw`` does."""

    def spoil(asked: Asked, genuine: Reply, before: int) -> Reply:
        content = genuine.body
        start = head.replace(b"$LENGTH", str(len(content)).encode())
        return raw(start + content[: int(len(content) * part)], **named)

    return spoil


def gone(fresh: bool) -> Reply:
    """410, with the fresh token that the API offers, or without."""
    found: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "message": SAID, "code": 410}
    if fresh:
        found["metadata"] = {"continue": "fresh:2"}
    return Reply(410, json.dumps(found).encode())


def throttled(after: str | None, code: int = 429) -> Reply:
    """Too many requests, with a Retry-After or none."""
    found = status(code, "TooManyRequests", SAID)
    return found if after is None else replace(found, headers=(("Retry-After", after),))


PAGE = f"<!DOCTYPE html><html><body>Sign in {SAID}</body></html>".encode()
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: $LENGTH\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
AFTER: dict[str, str | None] = {
    "none": None, "0": "0", "1": "1", "30": "30", "7200": "7200", "abc": "abc", "negative": "-5", "fraction": "1.5", "huge": "9" * 400, "empty": "",
    "date": format_datetime(NOW + timedelta(seconds=2), usegmt=True), "past date": format_datetime(NOW - timedelta(days=1), usegmt=True),
    "far date": "Fri, 31 Dec 9999 23:59:59 GMT", "bad date": "Fri, 99 Foo 2026 25:61:00 GMT", "canary": CANARY,
}  # fmt: skip


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


KINDS: tuple[Kind, ...] = (
    # what the server says
    Kind("403", always(status(403, "Forbidden", SAID))),
    Kind("403 page of a proxy", always(Reply(403, PAGE, content_type="text/html"))),
    Kind("403 plain text", always(Reply(403, SAID.encode(), content_type="text/plain"))),
    Kind("404", always(status(404, "NotFound", SAID)), VANISHES),
    Kind("404 plain", always(Reply(404, b"404 page not found\n", content_type="text/plain; charset=utf-8")), VANISHES),
    Kind("404 page of a proxy", always(Reply(404, PAGE, content_type="text/html"))),
    Kind("404 JSON of a proxy", always(Reply(404, json.dumps({"error": SAID}).encode()))),
    Kind("401", always(status(401, "Unauthorized", SAID))),
    Kind("401 once", times(1, status(401, "Unauthorized", SAID))),
    Kind("409", always(status(409, "Conflict", SAID))),
    Kind("418", always(Reply(418, b"{}"))),
    Kind("400", always(status(400, "BadRequest", SAID))),
    Kind("405", always(status(405, "MethodNotAllowed", SAID))),
    Kind("410 always", always(gone(False)), lists=True),
    Kind("410 always, fresh token", always(gone(True)), lists=True),
    Kind("410 once on the first page", times(1, gone(False)), RECOVERS, lists=True),
    Kind("410 once on a later page", times(1, gone(False)), RECOVERS, lists=True, later=True),
    Kind("410 once on a later page, fresh token", times(1, gone(True)), RECOVERS, lists=True, later=True),
    Kind("410 on a later page, for ever", always(gone(False)), lists=True, later=True),
    Kind("410 on a later page, for ever, fresh token", always(gone(True)), lists=True, later=True),
    *(Kind(f"429 for ever, Retry-After {name}", always(throttled(value))) for name, value in AFTER.items()),
    *(Kind(f"429 twice, Retry-After {name}", times(2, throttled(value)), RECOVERS) for name, value in AFTER.items()
      if name not in ("7200", "huge", "far date")),
    *(Kind(f"{code} for ever", always(status(code, "InternalError", SAID))) for code in (500, 502, 503, 504)),
    *(Kind(f"{code} twice", times(2, status(code, "InternalError", SAID)), RECOVERS) for code in (500, 502, 503, 504)),
    Kind("503 page of a proxy", always(Reply(503, PAGE, content_type="text/html"))),
    Kind("503 twice, Retry-After 1", times(2, throttled("1", 503)), RECOVERS),
    Kind("501", always(status(501, "NotImplemented", SAID))),
    Kind("200 with a failed Status", always(status(200, "Forbidden", SAID))),
    Kind("204", always(Reply(204, b"", content_type=""))),
    Kind("redirect to a login", always(Reply(302, b"", (("Location", f"https://login.corp/?token={CANARY}"),)))),
    # bytes
    Kind("HTML login page", always(Reply(200, PAGE, content_type="text/html"))),
    Kind("HTML login page called JSON", always(Reply(200, PAGE))),
    Kind("content type text/plain", body(lambda content: content, content_type="text/plain")),
    Kind("content type YAML", body(lambda content: content, content_type="application/yaml")),
    Kind("content type protobuf", body(lambda content: b"k8s\0" + content, content_type="application/vnd.kubernetes.protobuf")),
    Kind("truncated JSON", body(_cut)),
    Kind("JSON cut by one byte", body(lambda content: content[:-1])),
    Kind("empty body", body(lambda content: b"")),
    Kind("null", body(lambda content: b"null")),
    Kind("a list", body(lambda content: b"[" + content + b"]")),
    Kind("a text", body(lambda content: json.dumps(SAID).encode())),
    Kind("two documents", body(lambda content: content + content)),
    Kind("bad UTF-8", body(lambda content: content.replace(b'"', b'"\xff\xfe', 5))),
    Kind("lone surrogate bytes", body(lambda content: content.replace(b'"', b'"\xed\xa0\x80', 5))),
    Kind("byte order mark", body(lambda content: b"\xef\xbb\xbf" + content)),
    Kind("UTF-16", body(lambda content: content.decode().encode("utf-16"))),
    Kind("NaN", body(lambda content: content[:-1] + b', "x": NaN}')),
    Kind("nested without end", body(lambda content: content[:-1] + b', "x": ' + b"[" * 100_000)),
    Kind("zero bytes", body(lambda content: b"\0" * len(content))),
    Kind("gzip garbage", packed(lambda content: b"\x1f\x8b garbage " + CANARY.encode())),
    Kind("gzip cut short", packed(_cut)),
    Kind("gzip with a wrong check sum", packed(lambda content: content[:-8] + b"\0" * 8)),
    Kind("gzip with something behind", packed(lambda content: content + b"more")),
    Kind("gzip that is none", body(lambda content: content, headers=(("Content-Encoding", "gzip"),))),
    Kind("packed as brotli", body(lambda content: content, headers=(("Content-Encoding", "br"),))),
    # shapes
    Kind("items null", listed(lambda found: found.update(items=None)), lists=True),
    Kind("items missing", listed(lambda found: found.pop("items")), lists=True),
    Kind("items an object", listed(lambda found: found.update(items={})), lists=True),
    Kind("kind is no list", listed(lambda found: found.update(kind="Pod")), lists=True),
    Kind("metadata a list", listed(lambda found: found.update(metadata=[])), lists=True),
    Kind("continue a number", listed(lambda found: found.update(metadata={"continue": 5})), lists=True),
    Kind("a token that repeats itself", listed(lambda found: found.update(metadata={"continue": "t:1"})), lists=True),
    Kind("items with a null among them", listed(lambda found: found.update(items=[None, 3, *found["items"]])), lists=True),
    Kind("objects without metadata", listed(lambda found: [item.pop("metadata", None) for item in found["items"]]), lists=True),
    Kind("objects that are empty", listed(lambda found: found.update(items=[{} for _ in found["items"]])), lists=True),
    Kind(SPEC_NULL, listed(lambda found: [item.update(spec=None, status=None) for item in found["items"][:1]]), VANISHES, lists=True),
    Kind("every object gone", listed(lambda found: found.update(items=[])), VANISHES, lists=True),
    Kind("half of the objects gone", listed(lambda found: found.update(items=found["items"][::2])), VANISHES, lists=True),
    # the wire
    Kind("closed before an answer", always(raw(b""))),
    Kind("closed once before an answer", times(1, raw(b"")), RECOVERS),
    Kind("reset before an answer", always(raw(b"", reset=True))),
    Kind("reset once", times(1, raw(b"", reset=True)), RECOVERS),
    Kind("reset inside the body", wire(OK, 0.5, reset=True)),
    Kind("closed inside the body", wire(OK, 0.5)),
    Kind("closed inside a chunk", wire(CHUNKED + b"fffff\r\n", 0.5)),
    Kind("a chunk of no size", wire(CHUNKED + b"zz\r\n")),
    Kind("no HTTP", always(raw(b"SSH-2.0-OpenSSH " + CANARY.encode() + b"\r\n"))),
    Kind("a status that is none", always(raw(b"HTTP/1.1 999 " + CANARY.encode() + b"\r\nContent-Length: 2\r\n\r\n{}"))),
    Kind("a status line of garbage", always(raw(b"HTTP/9.9 abc\r\n\r\n"))),
    Kind("a header without end", always(raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000))),
    Kind("a thousand headers", wire(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"Content-Length: $LENGTH\r\n\r\n")),
    Kind("a length that is wrong", wire(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n")),
    Kind("a length that is none", wire(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: -7\r\n\r\n")),
    Kind("two lengths", wire(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: $LENGTH\r\n\r\n")),
    Kind("hangs before the head", always(raw(b"", hang=True)), slow=True),
    Kind("hangs inside the head", always(raw(b"HTTP/1.1 200 OK\r\nContent-Type: appl", hang=True)), slow=True),
    Kind("hangs before the body", wire(OK, 0, hang=True), slow=True),
    Kind("hangs inside the body", wire(OK, 0.5, hang=True), slow=True),
    Kind("a byte now and then", wire(OK, 1, drip=0.05), slow=True),
)  # fmt: skip
BY_NAME = {kind.name: kind for kind in KINDS}
assert len(BY_NAME) == len(KINDS)
