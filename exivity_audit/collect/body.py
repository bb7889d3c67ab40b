"""Reads a response body within its bounds and turns it into JSON, or says in words why it cannot."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import msgspec
import urllib3

LARGEST_BODY = 256 * 1024 * 1024
_CHUNK = 256 * 1024


class BodyError(Exception):
    """A body that cannot be used; the text is ours and safe to show."""


class TooLarge(BodyError):
    """A body over the size limit, on the wire or unpacked."""


def read_body(response: urllib3.BaseHTTPResponse, limit: int, received: Callable[[int], None], go_on: Callable[[], bool]) -> bytes:
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
    return bytes(body)


def is_html(content_type: str, body: bytes) -> bool:
    """Whether this is a page for people: a login page or an error page of a proxy."""
    return "html" in content_type.lower() or body.lstrip()[:9].lower().startswith((b"<!doctype", b"<html"))


def parse(content_type: str, body: bytes, *, lists: bool = False) -> dict[str, object]:
    """Parse a JSON object, strictly; raise BodyError for anything else. With ``lists`` a list is one too, under ``items``."""
    if is_html(content_type, body):
        raise BodyError("an HTML page came instead of JSON, such as a login page or a proxy's error page")
    name = content_type.split(";", 1)[0].strip().lower()
    if name and name != "application/json" and not name.endswith("+json"):
        raise BodyError(f"the content type is {name[:60]!r} instead of JSON")
    try:
        parsed = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError):
        raise BodyError("the answer is not valid JSON") from None
    except RecursionError:
        raise BodyError("the answer is nested too deeply") from None
    if lists and isinstance(parsed, list):
        return {"items": parsed}
    if not isinstance(parsed, dict):
        raise BodyError("the answer is not a JSON object")
    return parsed
