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
    token: str = ""  # what a client must bear, where anything
    lives: int | None = None  # requests that are answered before the server dies


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        self.server.asked.append(("GET", self.path))
        if self._refused():
            return
        if any(path.path.endswith(part) for part in self.server.hanging):
            self.server.reached.set()
            threading.Event().wait(60)
            return
        self._send(self.server.world.get(path.path, parse_qsl(path.query)))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(("POST", self.path))
        if self._refused():
            return
        self._send(self.server.world.post_review(self.path, body))

    def _refused(self) -> bool:
        """Whether the server is dead, or does not know who asks."""
        if self.server.lives is not None and len(self.server.asked) > self.server.lives:
            self.server.reached.set()
            self.close_connection = True
            self.server.socket.close()  # nobody can connect any more
            return True
        if self.server.token and self.headers.get("Authorization") != f"Bearer {self.server.token}":
            self.send_response_only(401)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return True
        return False

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
    with serving_sites({"test": world}, folder) as (path, servers):
        servers["test"].hanging = frozenset(hanging)
        yield path, servers["test"]


@contextmanager
def serving_sites(worlds: dict[str, World], folder: Path) -> Iterator[tuple[Path, dict[str, _Server]]]:
    """One kubeconfig with a context, cluster and user for each world, named as it is, and the servers."""
    servers: dict[str, _Server] = {}
    for name, world in worlds.items():
        server = servers[name] = _Server(("127.0.0.1", 0), _Handler)
        server.world, server.asked, server.reached = world, [], threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
    path = folder / "kubeconfig"
    path.write_text(json.dumps(kubeconfig({name: f"http://127.0.0.1:{server.server_port}" for name, server in servers.items()})))
    try:
        yield path, servers
    finally:
        for server in servers.values():
            server.shutdown()
            server.server_close()


def kubeconfig(servers: dict[str, str]) -> dict[str, Any]:
    """A kubeconfig with a context for each server; the first is the current one."""
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": next(iter(servers)),
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in servers.items()],
        "users": [{"name": name, "user": {"token": f"token-of-{name}"}} for name in servers],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in servers],
    }  # fmt: skip
