"""Peers that misbehave: they hang at every place where a client may wait, or say what is no protocol."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.probes.edge.pki import Pair

Behaviour = Callable[[socket.socket, threading.Event], None]


def silent(made: socket.socket, over: threading.Event) -> None:
    """Takes the connection and says nothing."""
    over.wait()


def saying(content: bytes, *, then: Behaviour | None = None) -> Behaviour:
    """Reads once, answers something and closes, or goes on as told."""

    def behave(made: socket.socket, over: threading.Event) -> None:
        made.recv(4096)
        made.sendall(content)
        if then is not None:
            then(made, over)

    return behave


def dripping(start: bytes, drop: bytes) -> Behaviour:
    """Answers a start, then for ever a drop at a time: no single read ever waits long."""

    def behave(made: socket.socket, over: threading.Event) -> None:
        made.recv(4096)
        made.sendall(start)
        while not over.wait(0.05):
            made.sendall(drop)

    return behave


def flooding(start: bytes, drop: bytes) -> Behaviour:
    """Answers without end, as fast as it can."""

    def behave(made: socket.socket, over: threading.Event) -> None:
        made.recv(4096)
        made.sendall(start)
        while not over.is_set():
            made.sendall(drop)

    return behave


@contextmanager
def peer(behave: Behaviour, pair: Pair | None = None, folder: Path | None = None) -> Iterator[int]:
    """The port of a peer on loopback; over TLS with a pair."""
    context = None
    if pair is not None and folder is not None:
        (folder / "peer.pem").write_bytes(pair.chain + pair.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.load_cert_chain(folder / "peer.pem")
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()
    held: list[socket.socket] = []

    def one(made: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), context.wrap_socket(made, server_side=True) if context else made as talking:
            behave(talking, over)

    def accepting() -> None:
        with contextlib.suppress(OSError):
            while True:
                made, _ = listener.accept()
                held.append(made)
                threading.Thread(target=one, args=(made,), daemon=True).start()

    thread = threading.Thread(target=accepting, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for made in held:
            made.close()
        thread.join(5)
