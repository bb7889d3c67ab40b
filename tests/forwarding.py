"""An API server on loopback that knows one thing: port-forwards over a websocket, as a kubelet answers them. It carries bytes to a port of loopback."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BINARY, CLOSE = 2, 8


@dataclass
class Forwarder:
    """Where it carries to, how it answers, and what it was asked."""

    target: int
    status: int = 101
    odd: bytes = b""  # sent in place of what belongs there
    asked: list[str] = field(default_factory=list)
    open: int = 0
    port: int = 0

    def answer(self, made: socket.socket) -> None:
        """One connection to its end."""
        head = b""
        while b"\r\n\r\n" not in head:
            content = made.recv(4096)
            if not content:
                return
            head += content
        text = head.decode()
        self.asked.append(text)
        if self.status != 101:
            made.sendall(f"HTTP/1.1 {self.status} No\r\nContent-Length: 6\r\n\r\nCANARY".encode())
            return
        key = next(line.partition(": ")[2] for line in text.splitlines() if line.lower().startswith("sec-websocket-key:"))
        accept = base64.b64encode(hashlib.sha1(key.encode() + MAGIC).digest()).decode()
        made.sendall(
            f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"
            "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n".encode()
        )
        if self.odd:
            made.sendall(self.odd)
            made.recv(4096)
            return
        number = int(text.partition("?ports=")[2].split()[0])
        for channel in (0, 1):
            made.sendall(frame(bytes([channel]) + struct.pack("<H", number)))
        with socket.create_connection(("127.0.0.1", self.target)) as behind:
            self.open += 1
            try:
                carry(made, behind)
            finally:
                self.open -= 1


def frame(content: bytes, kind: int = BINARY) -> bytes:
    """A whole frame of a server."""
    size = len(content)
    head = bytes([0x80 | kind, size]) if size < 126 else bytes([0x80 | kind, 126]) + struct.pack(">H", size)
    return head + content


def exactly(made: socket.socket, size: int) -> bytes:
    """So many bytes."""
    found = b""
    while len(found) < size:
        content = made.recv(size - len(found))
        if not content:
            raise ConnectionError
        found += content
    return found


def received(made: socket.socket) -> tuple[int, bytes]:
    """A whole frame of a client, unmasked."""
    first, second = exactly(made, 2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack(">H", exactly(made, 2))
    elif size == 127:
        (size,) = struct.unpack(">Q", exactly(made, 8))
    mask, content = exactly(made, 4), exactly(made, size)
    return first & 0x0F, bytes(one ^ mask[number % 4] for number, one in enumerate(content))


def carry(made: socket.socket, behind: socket.socket) -> None:
    """Carry bytes both ways until one side closes."""
    while True:
        pending = isinstance(made, ssl.SSLSocket) and made.pending()
        ready = [made] if pending else select.select([made, behind], [], [], 10)[0]
        if made in ready:
            kind, content = received(made)
            if kind == CLOSE:
                return
            if content and content[0] == 0:
                behind.sendall(content[1:])
        if behind in ready:
            content = behind.recv(16384)
            if not content:
                made.sendall(frame(b"", CLOSE))
                return
            made.sendall(frame(b"\0" + content))


@contextmanager
def forwarding(target: int, context: ssl.SSLContext | None = None, *, status: int = 101, odd: bytes = b"") -> Iterator[Forwarder]:
    """The server at a free port, over TLS with a context."""
    listener = socket.create_server(("127.0.0.1", 0))
    found = Forwarder(target, status, odd, port=listener.getsockname()[1])
    held: list[socket.socket] = []

    def one(made: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), context.wrap_socket(made, server_side=True) if context else made as talking:
            found.answer(talking)

    def accepting() -> None:
        with contextlib.suppress(OSError):
            while True:
                made, _ = listener.accept()
                held.append(made)
                threading.Thread(target=one, args=(made,), daemon=True).start()

    threading.Thread(target=accepting, daemon=True).start()
    try:
        yield found
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for made in held:
            made.close()
