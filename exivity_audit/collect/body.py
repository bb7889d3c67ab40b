"""Reads a response body within its bounds and turns it into JSON, or says in words why it cannot."""

from __future__ import annotations

import contextlib
import re
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, TypedDict

import msgspec
import urllib3

LARGEST_BODY = 256 * 1024 * 1024
SMALL = 128 * 1024
"""Bodies up to this size are parsed at once; of a larger list no more than one object is held as it came."""
_CHUNK = 256 * 1024
DEEPEST = 200
"""Levels of JSON that are read: no field that anybody looks at lies so deep, and decoders, ours too, go down by recursion."""
DEEPER_THAN_ANY = 10_000
"""Levels of JSON that no API server takes in: an answer with more is none of its."""
MOST_SIGNS = 2_000_000
"""Texts and brackets up to which an answer that is nested too deeply is looked through for what is not: half a second or two."""
BURIED = "nested too deeply"
_SIGN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


class BodyError(Exception):
    """A body that cannot be used; the text is ours and safe to show."""


class TooLarge(BodyError):
    """A body over the size limit, on the wire or unpacked."""


Parse = Callable[[str, bytes | bytearray], dict[str, object]]


def read_body(response: urllib3.BaseHTTPResponse, limit: int, received: Callable[[int], None], go_on: Callable[[], bool]) -> bytearray:
    """Read the whole body, unpacked. `received` hears the bytes of every piece, `go_on` is asked after each and may stop it."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip"):
        raise BodyError("the answer is packed in a way that was not asked for")
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if encoding == "gzip" else None
    body = bytearray()
    wire = 0
    while go_on():
        piece = response.read1(_CHUNK, decode_content=False)
        if not piece:
            break
        received(len(piece))
        wire += len(piece)
        if unpack is None:
            body += piece
        else:
            try:
                body += unpack.decompress(piece, limit + 1 - len(body))
            except zlib.error:
                raise BodyError("the answer is not valid gzip") from None
        if max(len(body), wire) > limit:
            raise TooLarge(f"the answer is larger than {limit // (1024 * 1024)} MiB")
    if unpack is not None and (not unpack.eof or unpack.unused_data) and wire:
        raise BodyError("the answer is not valid gzip")
    return body


def is_html(content_type: str, body: bytes | bytearray) -> bool:
    """Whether this is a page for people: a login page or an error page of a proxy."""
    return "html" in content_type.lower() or body[:256].lstrip()[:9].lower().startswith((b"<!doctype", b"<html"))


def parse(content_type: str, body: bytes | bytearray, *, lists: bool = False) -> dict[str, object]:
    """Parse a JSON object, strictly; raise BodyError for anything else. With ``lists`` a list is one too, under ``items``."""
    _expect_json(content_type, body)
    parsed = decoded(body)
    if lists and isinstance(parsed, list):
        return {"items": parsed}
    if not isinstance(parsed, dict):
        raise BodyError("the answer is not a JSON object")
    return parsed


def parse_page(content_type: str, body: bytes | bytearray, shape: Callable[[], Any] | None) -> dict[str, object]:
    """Parse a page of a list. The items of a large one come in ``shape``, else as text for ``decoded``, so that it is never held whole as objects."""
    _expect_json(content_type, body)
    if len(body) <= SMALL:
        return parse(content_type, body)
    if shape is not None:
        with contextlib.suppress(msgspec.ValidationError):  # an item that is odd: each is looked at by itself
            page: dict[str, object] = decoded(body, _page_of(shape()))
            return page
    try:
        parts = decoded(body, dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        raise BodyError("the answer is not a JSON object") from None
    page = {key: decoded(text) for key, text in parts.items() if key != "items"}
    if "items" in parts:
        text = parts["items"]
        page["items"] = decoded(text, list[msgspec.Raw]) if bytes(memoryview(text)[:1]) == b"[" else decoded(text)
    return page


def decoded(text: bytes | bytearray | msgspec.Raw, form: Any = Any) -> Any:
    """JSON as objects of a form; raises BodyError for what is none, and ValidationError for what has another form.

    One object that is nested too deeply must not cost those beside it: what lies too deep becomes a text, which is malformed to whoever looks for
    an object there.
    """
    try:
        return _decoded(text, form)
    except RecursionError:
        return _decoded(_shallow(memoryview(text)), form)


def _decoded(text: bytes | bytearray | msgspec.Raw, form: Any) -> Any:
    try:
        return msgspec.json.decode(text, type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        if form is not Any and isinstance(error, msgspec.ValidationError):
            raise
        raise BodyError("the answer is not valid JSON") from None


def _shallow(text: memoryview) -> bytes:
    """JSON in which what lies deeper than `DEEPEST` is replaced by a text that says so."""
    parts: list[bytes | memoryview] = []
    level = begin = 0
    for number, sign in enumerate(_SIGN.finditer(text)):
        first = text[sign.start()]
        if first in b"{[":
            level += 1
            if level > DEEPER_THAN_ANY or number > MOST_SIGNS:
                raise BodyError(f"the answer is {BURIED}")
            if level == DEEPEST + 1:
                parts += (text[begin : sign.start()], msgspec.json.encode(BURIED))
                begin = len(text)
        elif first in b"}]":
            if level == DEEPEST + 1:
                begin = sign.end()
            level -= 1
    return b"".join((*parts, text[begin:]))


@cache
def _page_of(shape: Any) -> Any:
    """A list of objects of a shape, and what is asked of a list or of a Status in its place."""
    fields = dict.fromkeys(("kind", "apiVersion", "metadata", "status", "reason", "message", "code"), Any)
    return TypedDict("Page", {**fields, "items": list[shape]}, total=False)  # type: ignore[operator]


def _expect_json(content_type: str, body: bytes | bytearray) -> None:
    if is_html(content_type, body):
        raise BodyError("an HTML page came instead of JSON, such as a login page or a proxy's error page")
    name = content_type.split(";", 1)[0].strip().lower()
    if name and name != "application/json" and not name.endswith("+json"):
        raise BodyError(f"the content type is {name[:60]!r} instead of JSON")
