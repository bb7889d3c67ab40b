"""A world in memory behind HTTP on loopback, for runs of the whole command; single paths can be made to hang or to answer anything."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.world import NOW, World


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    world: World
    hanging: frozenset[str] = frozenset()
    asked: list[tuple[str, str]]
    reached: threading.Event


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        self.server.asked.append(("GET", self.path))
        if any(path.path.endswith(part) for part in self.server.hanging):
            self.server.reached.set()
            threading.Event().wait(60)
            return
        self._send(self.server.world.get(path.path, parse_qsl(path.query)))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(("POST", self.path))
        self._send(self.server.world.post_review(self.path, body))

    def _send(self, answer: Any) -> None:
        if answer.failure is not None:
            reason = {403: "Forbidden", 404: "NotFound"}[answer.failure.status]
            body: Any = {
                "kind": "Status",
                "apiVersion": "v1",
                "status": "Failure",
                "reason": reason,
                "code": answer.failure.status,
                "message": reason,
            }
        else:
            body = answer.body
        content = json.dumps(body).encode()
        self.send_response_only(answer.failure.status if answer.failure is not None else 200)
        self.send_header("Date", format_datetime(NOW, usegmt=True))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(world: World, folder: Path, hanging: tuple[str, ...] = ()) -> Iterator[tuple[Path, _Server]]:
    """The kubeconfig of a server on a free port, and the server with what it was asked."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.world, server.hanging, server.asked, server.reached = world, frozenset(hanging), [], threading.Event()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "test", "user": {}}], "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }  # fmt: skip
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    try:
        yield path, server
    finally:
        server.shutdown()
        server.server_close()
