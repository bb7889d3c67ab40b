"""A scripted API server over HTTPS, in this process, on loopback; and a CONNECT proxy, certificates and kubeconfigs to go with it."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import json
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

JSON = "application/json"
VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.3"}


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM and as objects to sign with."""

    certificate: bytes
    key: bytes
    signer: x509.Certificate
    private: ec.EllipticCurvePrivateKey


def make_pair(
    name: str, issuer: Pair | None = None, *, hosts: tuple[str, ...] = (), days: tuple[int, int] = (-1, 30), authority: bool = False
) -> Pair:
    """Make a certificate valid over `days` from today, signed by `issuer` or by itself."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.signer.subject if issuer else subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if hosts:
        names: list[x509.GeneralName] = []
        for host in hosts:
            try:
                names.append(x509.IPAddress(ipaddress.ip_address(host)))
            except ValueError:
                names.append(x509.DNSName(host))
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(issuer.private if issuer else private, hashes.SHA256())
    key = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Pair(certificate.public_bytes(serialization.Encoding.PEM), key, certificate, private)


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: list[tuple[str, str]]
    body: bytes
    client: dict[str, Any] | None = None

    def header(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass(frozen=True)
class Reply:
    """One answer; `act` takes over the handler instead."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON
    act: Callable[[Handler], None] | None = None


def reply(value: object, status: int = 200, **headers: str) -> Reply:
    """Return a JSON answer."""
    return Reply(status, json.dumps(value).encode(), tuple((name.replace("_", "-"), text) for name, text in headers.items()))


def status(code: int, reason: str, message: str = "", **headers: str) -> Reply:
    """Return a Status of Kubernetes."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code}
    return reply(body, code, **headers)


def page(names: list[str], token: str = "", version: str = "7") -> Reply:
    """Return a page of a list."""
    return reply(
        {"kind": "PodList", "metadata": {"resourceVersion": version, "continue": token}, "items": [{"metadata": {"name": name}} for name in names]}
    )


def raw(data: bytes, *, drip: float = 0.0, hang: bool = False, reset: bool = False) -> Reply:
    """Return an answer that writes bytes as they are, perhaps a byte at a time, then hangs, resets or closes."""

    def act(handler: Handler) -> None:
        server = handler.fake
        with contextlib.suppress(OSError):
            for piece in [data[index : index + 1] for index in range(len(data))] if drip else [data]:
                handler.wfile.write(piece)
                handler.wfile.flush()
                if drip and server.stopping.wait(drip):
                    break
            while hang and not server.stopping.wait(0.05) and not select.select([handler.connection], [], [], 0)[0]:
                pass
            if reset:
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True

    return Reply(act=act)


class Handler(BaseHTTPRequestHandler):
    """Answers from the script of its server."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fake: FakeServer

    def answer(self) -> None:
        """Record the request and give the next answer of its path; the last one is repeated."""
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        client = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), list(self.headers.items()), body, client)
        chosen = self.fake.next(asked)
        if chosen.act is not None:
            chosen.act(self)
            return
        self.send_response(chosen.status)
        for name, value in (("Content-Type", chosen.content_type), ("Content-Length", str(len(chosen.body))), *chosen.headers):
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(chosen.body)

    do_GET = do_POST = do_PUT = do_PATCH = answer

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *arguments: Any) -> None:
        pass


@dataclass
class FakeServer:
    """The script and the record of one server."""

    pair: Pair | None
    client_authority: bytes | None = None
    scripts: dict[str, list[Reply | Callable[[Asked], Reply]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    handler: type[Handler] = Handler

    def route(self, path: str, *replies: Reply | Callable[[Asked], Reply]) -> None:
        """Script the answers of a path."""
        self.scripts[path] = list(replies)

    def next(self, asked: Asked) -> Reply:
        """Return the next answer of a path."""
        with self.lock:
            self.asked.append(asked)
            script = self.scripts.get(asked.path)
            if not script:
                return Reply(404, b"404 page not found\n", content_type="text/plain; charset=utf-8")
            chosen = script.pop(0) if len(script) > 1 else script[0]
        return chosen(asked) if callable(chosen) else chosen

    def count(self, path: str) -> int:
        """Return how often a path was asked."""
        return sum(asked.path == path for asked in self.asked)

    @contextlib.contextmanager
    def running(self, tmp_path: Path) -> Iterator[FakeServer]:
        """Serve until the end of the block."""
        handler = type("Bound", (self.handler,), {"fake": self})
        self.http = _Threads(("127.0.0.1", 0), handler)
        self.port = self.http.server_address[1]
        if self.pair is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            file = tmp_path / f"server-{self.port}.pem"
            file.write_bytes(self.pair.certificate + self.pair.key)
            context.load_cert_chain(file)
            file.unlink()
            if self.client_authority is not None:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(cadata=self.client_authority.decode())
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.stopping.set()
            self.http.shutdown()
            self.http.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self.pair else 'http'}://127.0.0.1:{self.port}"


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """Give a port that accepts connections and never says a word."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=16)
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def closed_port() -> int:
    """Return a port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass
class ConnectProxy:
    """A proxy that only knows CONNECT; it records targets and headers, and may refuse."""

    refuse: bool = False
    targets: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def running(self) -> Iterator[ConnectProxy]:
        """Serve until the end of the block."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=self._tunnel, args=(client,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield self
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def address(self, host: str, port: int) -> tuple[str, int]:
        """Where it connects to when it is asked for a host."""
        return host, port

    def _tunnel(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            self.heads.append(head.decode())
            target = head.split()[1].decode()
            self.targets.append(target)
            if self.refuse:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            host, _, port = target.rpartition(":")
            with socket.create_connection(self.address(host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                end = time.monotonic() + 20
                while time.monotonic() < end:
                    for ready in select.select([client, server], [], [], 0.5)[0]:
                        data = ready.recv(65536)
                        if not data:
                            return
                        (server if ready is client else client).sendall(data)


def write_kubeconfig(
    path: Path, server: str, authority: bytes | None = None, *, user: dict[str, Any] | None = None, name: str = "ams", **cluster: Any
) -> Path:
    """Write a kubeconfig with one context, cluster and user, all called `name`."""
    import base64

    values: dict[str, Any] = {"server": server, **{key.replace("_", "-"): value for key, value in cluster.items()}}
    if authority is not None:
        values["certificate-authority-data"] = base64.b64encode(authority).decode()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": values}],
        "users": [{"name": name, "user": user or {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "exivity"}}],
    }
    path.write_text(yaml.safe_dump(document))
    return path
