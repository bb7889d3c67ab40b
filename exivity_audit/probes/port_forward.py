"""A port-forward to a pod by the ``kubernetes`` package, at a loopback port for as long as a probe lasts. It writes nothing to the cluster."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from exivity_audit.collect.connection import Connection
from exivity_audit.probes.attempt import Attempt, Failed
from exivity_audit.probes.engine import not_without
from exivity_audit.probes.ways import Pod
from exivity_audit.probes.wire import connected, resolve, secured

RIGHTS = "get and create pods/portforward"
PROTOCOL = "v4.channel.k8s.io"
_CHUNK = 65536
_TURN = 0.2


class PortForwards:
    """Opens port-forwards with the run's own credentials; nothing outlives its attempt, for the sockets are this process's own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self, pod: Pod, attempt: Attempt) -> tuple[str, int]:
        """A loopback address and port that lead to a port of a pod. Raises Failed, and NotAsked without the right."""
        if self._connection.proxy is not None:
            raise not_without("a way to the API server without a proxy", "a port-forward is not opened through a proxy")
        first = self._open(pod, attempt)  # tells at once whether it is allowed; its connection is the first one that comes
        listener = socket.create_server(("127.0.0.1", 0), backlog=4)
        attempt.at_end(listener.close)
        attempt.at_end(partial(listener.shutdown, socket.SHUT_RDWR))  # a close alone wakes up nobody who waits
        waiting = [first]
        threading.Thread(target=self._serve, args=(listener, pod, attempt, waiting), name="port-forward", daemon=True).start()
        address, port = listener.getsockname()[:2]
        return str(address), int(port)

    def _serve(self, listener: socket.socket, pod: Pod, attempt: Attempt, waiting: list[Any]) -> None:
        """Give each connection to the loopback port a forwarded one of its own, until the attempt ends."""
        with contextlib.suppress(OSError, ValueError, Failed):
            while True:
                listener.settimeout(attempt.left())
                local, _ = listener.accept()
                attempt.at_end(local.close)
                attempt.at_end(partial(local.shutdown, socket.SHUT_RDWR))
                try:
                    remote = waiting.pop() if waiting else self._open(pod, attempt)
                except BaseException:
                    local.close()
                    continue
                threading.Thread(target=_carry, args=(local, remote.socket(pod.port), attempt), name="port-forward", daemon=True).start()

    def _open(self, pod: Pod, attempt: Attempt) -> Any:
        from websocket import WebSocket, WebSocketBadStatusException, WebSocketException

        parts = urlsplit(self._connection.server)
        host = parts.hostname or ""
        made: socket.socket = connected(attempt, host, parts.port or 443, resolve)
        if self._connection.ssl_context is not None:
            made = secured(attempt, made, self._connection.ssl_context, self._connection.tls_server_name or host)
        web = WebSocket()
        path = f"{parts.path.rstrip('/')}/api/v1/namespaces/{quote(pod.namespace, safe='')}/pods/{quote(pod.name, safe='')}/portforward"
        try:
            made.settimeout(attempt.left())
            web.connect(  # type: ignore[no-untyped-call]
                f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}{path}?ports={pod.port}",
                socket=made, header=self._headers(attempt), timeout=attempt.left(), suppress_origin=True, redirect_limit=0,
            )  # fmt: skip
        except WebSocketBadStatusException as error:
            if error.status_code in (401, 403):
                raise not_without(RIGHTS, "a port-forward is not allowed") from None
            raise Failed("forward", f"the API server refused the port-forward ({error.status_code})") from None
        except (WebSocketException, ValueError):
            raise Failed("forward", "the API server did not open the port-forward") from None
        return _forward(web, pod.port)

    def _headers(self, attempt: Attempt) -> list[str]:
        """The run's own credentials and impersonation, and the protocol of port-forwards."""
        held = self._connection.credentials.authorization(attempt.left())
        found = [f"{name}: {value}" for name, value in self._connection.impersonation]
        return [f"Sec-WebSocket-Protocol: {PROTOCOL}", *found, *([f"Authorization: {held}"] if held else [])]


def _forward(web: Any, port: int) -> Any:
    """The package's port-forward over an open websocket; what a server does against the protocol closes it, and says nothing."""
    from kubernetes.stream.ws_client import PortForward

    class Quiet(PortForward):  # the package has no types
        def _proxy(self) -> None:
            try:
                super()._proxy()  # type: ignore[no-untyped-call]
            except Exception:
                for one in self.local_ports.values():
                    one.python.close()
                self.websocket.shutdown()

    return Quiet(web, [port])  # type: ignore[no-untyped-call]


def _carry(local: socket.socket, remote: Any, attempt: Attempt) -> None:
    """Carry bytes both ways until one side closes or the attempt ends."""
    attempt.at_end(remote.close)
    with contextlib.suppress(OSError, ValueError, Failed):
        while True:
            ready, _, _ = select.select([local, remote], [], [], min(_TURN, attempt.left()))
            for one, other in ((local, remote), (remote, local)):
                if one in ready:
                    content = one.recv(_CHUNK)
                    if not content:
                        return _close(local, remote)
                    other.settimeout(attempt.left())
                    other.sendall(content)
    return _close(local, remote)


def _close(*sockets: Any) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.close()
