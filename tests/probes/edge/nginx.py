"""Debian's nginx as the edge of a cluster, on free ports of loopback, as one process that ends with the test."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.probes.edge.pki import HOST, Pair

BINARY = Path("/usr/sbin/nginx")
MISSING = "" if BINARY.exists() else "no nginx: tests/probes/install.sh installs it"
REDIRECT = "location / { return 308 https://$host$request_uri; }"
PAGE = "location / { default_type text/html; return 200 '<!doctype html><title>Exivity</title>'; }"
API = "location ~ ^/v[12]/ { default_type application/json; return 404 '{\"errors\":[]}'; }"
_FRAME = """
daemon off;
master_process off;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
  log_format requests '$scheme $host $request "$http_authorization" "$http_cookie"';
  access_log {folder}/access.log requests;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fast; uwsgi_temp_path {folder}/uw; scgi_temp_path {folder}/scgi;
  {servers}
}}
"""


@dataclass(frozen=True)
class Edge:
    """An nginx that runs: its ports, and its folder with the log of requests."""

    folder: Path
    tls: int
    plain: int

    def connect(self, host: str = HOST) -> dict[tuple[str, int], tuple[str, int]]:
        """Where the host is reached."""
        return {(host, 443): ("127.0.0.1", self.tls), (host, 80): ("127.0.0.1", self.plain)}

    def requests(self) -> str:
        """What was asked of it."""
        return (self.folder / "access.log").read_text()


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def edge(
    folder: Path, pair: Pair, *, tls: str = f"{API} {PAGE}", plain: str = REDIRECT, settings: str = "", others: tuple[tuple[str, Pair], ...] = ()
) -> Iterator[Edge]:
    """An nginx that serves a pair over TLS, with locations for both ports; ``others`` are further names with pairs of their own."""
    found = Edge(folder, free_port(), free_port())
    servers = [f"server {{ listen 127.0.0.1:{found.plain}; {plain} }}"]
    for number, (name, one) in enumerate((*others, ("_", pair))):
        (folder / f"{number}.pem").write_bytes(one.chain)
        (folder / f"{number}.key").write_bytes(one.key)
        default = " default_server" if name == "_" else ""
        servers.append(
            f"server {{ listen 127.0.0.1:{found.tls} ssl{default}; server_name {name};"
            f" ssl_certificate {folder}/{number}.pem; ssl_certificate_key {folder}/{number}.key; {settings} {tls} }}"
        )
    (folder / "nginx.conf").write_text(_FRAME.format(folder=folder, servers="\n  ".join(servers)))
    (folder / "access.log").touch()
    process = subprocess.Popen(
        [BINARY, "-c", folder / "nginx.conf", "-e", folder / "error.log"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        _until_up(process, found.tls)
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until_up(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if process.poll() is not None:
            raise AssertionError((process.stderr.read() if process.stderr else b"").decode())
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("nginx did not come up")
