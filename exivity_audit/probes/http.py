"""The probe of HTTP: one GET of a path, without credentials, cookies or redirects; of the answer its status and a few public headers are kept."""

from __future__ import annotations

import http.client
import io
import re
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from exivity_audit.probes.attempt import Attempt, Failed
from exivity_audit.probes.opening import Tools
from exivity_audit.probes.ways import Way
from exivity_audit.probes.wire import Bounded, client_context, connected, secured, sent
from exivity_audit.snapshot import Place

SECONDS = 10.0
LARGEST_ANSWER = 512 * 1024
LARGEST_BODY = 64 * 1024
PORTS = {"http": 80, "https": 443}
FORGED_HOST = "exivity-audit.invalid"  # a name that can never be anybody's (RFC 2606)
FORGED_ADDRESS = "192.0.2.1"  # nor this address (RFC 5737)
_AGE = re.compile(r"(?:^|;)\s*max-age\s*=\s*\"?(\d{1,10})\"?\s*(?:;|$)", re.IGNORECASE)


class Probing:
    """Asks the product's hosts for a page."""

    name = "http"
    seconds = SECONDS

    def __init__(self, tools: Tools) -> None:
        self._ways, self._resolve = tools.ways, tools.resolve

    def measure(self, place: Place, known: Mapping[str, Any], attempt: Attempt) -> dict[str, Any]:
        """What a URL answers, and whether headers that only a proxy may send change it. Raises Failed and OSError.

        The certificate is not verified here: that is the TLS probe's, and nothing secret is sent.
        """
        parts = urlsplit(place.name or "")
        host = parts.hostname or ""
        way = self._ways.straight(host, PORTS[parts.scheme], attempt)
        found, body = self._get(parts.scheme, parts.path, way, attempt, {})
        if way.address != host:
            found["elsewhere"] = f"{way.address}:{way.port}"
        if parts.path == "/":
            found["forged"] = self._forged(parts.scheme, parts.path, way, attempt, body)
        return found

    def _forged(self, scheme: str, path: str, way: Way, attempt: Attempt, before: bytes) -> dict[str, Any]:
        """The same with the headers of a proxy, naming another client, host and the other scheme."""
        headers = {
            "X-Forwarded-For": FORGED_ADDRESS, "X-Forwarded-Host": FORGED_HOST, "X-Forwarded-Proto": "https" if scheme == "http" else "http",
        }  # fmt: skip
        part = Attempt(attempt.left() / 2, attempt.path)  # one that hangs now must not take what was answered before along
        attempt.at_end(part.end)
        try:
            found, body = self._get(scheme, path, way, part, headers)
        except (Failed, OSError):
            return {"failure": True}
        finally:
            part.end()
        marks = (FORGED_HOST.encode(), FORGED_ADDRESS.encode())
        said = found["location"]["host"] == FORGED_HOST if found["location"] else False
        return {
            "status": found["status"], "location": found["location"],
            "reflected": said or any(mark in body and mark not in before for mark in marks),
        }  # fmt: skip

    def _get(self, scheme: str, path: str, way: Way, attempt: Attempt, headers: Mapping[str, str]) -> tuple[dict[str, Any], bytes]:
        made: socket.socket = connected(attempt, way.address, way.port, self._resolve)
        address = str(made.getpeername()[0])
        if scheme == "https":
            made = secured(attempt, made, client_context(None, verify=False), way.host)
        sent(attempt, made, _request(way.host, path, headers))
        response = http.client.HTTPResponse(_Reading(attempt, made), method="GET")  # type: ignore[arg-type]  # all it uses of a socket is makefile
        try:
            response.begin()
            body = b"" if 300 <= response.status < 400 else response.read(LARGEST_BODY)
        except (http.client.HTTPException, ValueError):
            raise Failed("protocol", "its answer is no HTTP") from None
        finally:
            response.close()
        return {
            "address": address,
            "status": response.status,
            "content": content_of(response.headers.get("Content-Type", ""), body),
            "hsts": _hsts(response.headers.get("Strict-Transport-Security")),
            "location": _location(response.headers.get("Location"), f"{scheme}://{way.host}{path}"),
        }, body  # fmt: skip


class _Reading:
    """What http.client needs of a socket, with reads that are bounded by the attempt."""

    def __init__(self, attempt: Attempt, made: socket.socket) -> None:
        self._raw = Bounded(attempt, made, LARGEST_ANSWER)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._raw)


def _request(host: str, path: str, headers: Mapping[str, str]) -> bytes:
    from exivity_audit import __version__

    lines = {
        "Host": host, "User-Agent": f"exivity-audit/{__version__} (probe)", "Accept": "text/html,application/json;q=0.9,*/*;q=0.8",
        "Accept-Encoding": "identity", "Connection": "close", **headers,
    }  # fmt: skip
    return "\r\n".join([f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items()), "", ""]).encode("ascii")


def content_of(kind: str, body: bytes) -> str:
    """What a body is: ``html``, ``json``, ``text``, ``empty`` or ``other``, by its type and by its first characters."""
    start = body.lstrip()[:200].lower()
    if not start:
        return "empty"
    named = kind.partition(";")[0].strip().lower()
    if named == "application/json" or named.endswith("+json"):
        return "json"
    if named in ("text/html", "application/xhtml+xml"):
        return "html"
    if start.startswith((b"<!doctype html", b"<html")):
        return "html"
    return "text" if named.startswith("text/") else "other"


def _hsts(header: str | None) -> dict[str, Any] | None:
    if header is None:
        return None
    age = _AGE.search(header)
    return {"seconds": int(age[1]) if age else None}


def _location(header: str | None, asked: str) -> dict[str, Any] | None:
    """Where a redirect leads: scheme, host and port; the rest may hold anything."""
    if not header:
        return None
    try:
        parts = urlsplit(urljoin(asked, header.strip()[:2048]))
        host, port = parts.hostname, parts.port
    except ValueError:
        return {"scheme": None, "host": None, "port": None}
    return {"scheme": parts.scheme[:16].lower(), "host": (host or "")[:253].lower().rstrip("."), "port": port}
