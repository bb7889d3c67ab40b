"""A proxy before the API server that answers each request so much later, counts the bytes, and keeps when each request came and went.

It ends TLS with the API server's own certificate, so that a client finds the authority it knows; the answers pass as they came, compressed or not.
Connections are not delayed: the figures are those of requests on connections that stand.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .audit_log import Request
from .plane import BenchPlane

DROPPED = ("connection", "keep-alive", "transfer-encoding", "content-length")


class LatencyProxy:
    """The proxy; ``seconds`` may be changed between two runs."""

    def __init__(self, plane: BenchPlane) -> None:
        self.seconds = 0.0
        self.bytes = 0
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._context = plane._context
        address = urllib.parse.urlsplit(plane.server)
        self._server = (address.hostname or "", address.port)
        self._certificate = (plane.directory / "server.crt", plane.directory / "server.key")

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """Serves while this lasts; yields the address."""
        handler = type("Bound", (_Handler,), {"proxy": self})
        server = _Threads(("127.0.0.1", 0), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self._certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()

    def begin(self, seconds: float) -> None:
        """A new run: nothing was asked yet."""
        with self._lock:
            self.seconds, self.bytes, self.requests = seconds, 0, []

    def connect(self) -> http.client.HTTPSConnection:
        """A connection to the API server, for one connection of a client."""
        return http.client.HTTPSConnection(*self._server, context=self._context, timeout=60)

    def note(self, request: Request, size: int) -> None:
        """A request that was answered."""
        with self._lock:
            self.requests.append(request)
            self.bytes += size

    def seen(self) -> list[Request]:
        """The requests since the run began, in the order in which they began."""
        with self._lock:
            return sorted(self.requests, key=lambda request: (request.began, request.ended))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one go
    proxy: LatencyProxy

    def setup(self) -> None:
        super().setup()
        self._backend = self.proxy.connect()

    def finish(self) -> None:
        super().finish()
        self._backend.close()

    def _pass(self) -> None:
        began = time.monotonic()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("connection", "host", "content-length")}
        self._backend.request(self.command, self.path, body, headers)
        answer = self._backend.getresponse()
        content = answer.read()
        time.sleep(self.proxy.seconds)
        # Noted before the client can go on: what it asks next began after this had ended.
        verb = {"GET": "get", "POST": "create"}.get(self.command, self.command.lower())
        self.proxy.note(Request(verb, self.path, answer.status, began, time.monotonic()), len(content))
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in DROPPED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with contextlib.suppress(OSError):
            request.settimeout(60)
            request.do_handshake()
            super().process_request_thread(request, client_address)

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """A client that went away is its own affair."""
