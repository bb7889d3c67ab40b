"""Peers that misbehave on the way: one that delays, and ones that hang after a number of bytes or say nothing at all."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class _Between:
    """A proxy before a port of loopback."""

    def __init__(self, port: int, delay: float, hang_after: int | None) -> None:
        self._port, self._delay, self._limit = port, delay, hang_after
        self.server = socket.create_server(("127.0.0.1", 0))
        self._held: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in (self.server, *self._held):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.server.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                self._held += [client, far]
                for one in (client, far):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._pump(client, far, None)
                self._pump(far, client, self._limit)

    def _pump(self, source: socket.socket, sink: socket.socket, limit: int | None) -> None:
        chunks: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

        def read() -> None:
            passed = 0
            chunk = b"."
            while chunk:
                try:
                    chunk = source.recv(65536)
                except OSError:
                    chunk = b""
                if limit is not None and passed + len(chunk) > limit:
                    chunks.put((0.0, chunk[: max(0, limit - passed)] or b" "[:0]))
                    return  # and the connection stays open
                passed += len(chunk)
                chunks.put((time.monotonic() + self._delay, chunk))

        def write() -> None:
            with contextlib.suppress(OSError):
                while True:
                    due, chunk = chunks.get()
                    time.sleep(max(0.0, due - time.monotonic()))
                    if not chunk:
                        if limit is None or due:
                            sink.shutdown(socket.SHUT_WR)
                        return
                    sink.sendall(chunk)

        for work in (read, write):
            threading.Thread(target=work, daemon=True).start()


@contextmanager
def between(port: int, *, delay: float = 0.0, hang_after: int | None = None) -> Iterator[int]:
    """A proxy before a port: each way takes so many seconds longer; after so many bytes of the server nothing comes through any more."""
    made = _Between(port, delay, hang_after)
    try:
        yield made.server.getsockname()[1]
    finally:
        made.close()


@contextmanager
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def saying(content: bytes) -> Iterator[int]:
    """A port that answers every connection with the same bytes, and keeps it open."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def run() -> None:
            with contextlib.suppress(OSError):
                while True:
                    one, _ = server.accept()
                    held.append(one)
                    one.recv(100)
                    one.sendall(content)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            for one in held:
                one.close()
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)
