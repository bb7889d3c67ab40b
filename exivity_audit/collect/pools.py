"""Connection pools that a watchdog can cut off: socket timeouts count per read, and a server may drip a byte at a time for ever."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from exivity_audit.collect.connection import Connection
from exivity_audit.collect.faults import NameTimeout
from exivity_audit.errors import UsageError

_AGAIN = 0.2
_current = threading.local()


class Watch:
    """One request under way: when it must be over, on which connection it runs, and whether it was cut off."""

    def __init__(self, end: float) -> None:
        self.end = end
        self.connection: HTTPConnection | None = None
        self.fired = False

    def cut(self) -> None:
        """Shut the socket down, so that the thread that reads it wakes up."""
        self.fired = True
        self.end = time.monotonic() + _AGAIN  # once more, should the connection only come about later
        held: Any = self.connection.sock if self.connection is not None else None
        raw = getattr(held, "socket", held)
        if isinstance(raw, socket.socket):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(raw, socket.SHUT_RDWR)


class Watchdog:
    """One thread that cuts off every request that is past its time, wherever it hangs after the connection came about."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._watches: set[Watch] = set()
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._wakes = 0.0  # when the thread looks again by itself; 0 until it is known

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[Watch]:
        """Watch over one request of this thread for at most `seconds`."""
        watch = Watch(time.monotonic() + seconds)
        with self._condition:
            self._watches.add(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
            if watch.end < self._wakes or not self._wakes:  # most end later than those before them, and need not wake it
                self._condition.notify()
        _current.watch = watch
        try:
            yield watch
        finally:
            _current.watch = None
            with self._condition:
                self._watches.discard(watch)

    def stop(self) -> None:
        """Cut off everything under way and end the thread."""
        with self._condition:
            self._stopped = True
            for watch in self._watches:
                watch.cut()
            self._condition.notify()

    def _run(self) -> None:
        with self._condition:
            while not self._stopped:
                now = time.monotonic()
                for watch in self._watches:
                    if watch.end <= now:
                        watch.cut()
                nearest = min((watch.end for watch in self._watches), default=None)
                self._wakes = nearest or 0.0
                self._condition.wait(None if nearest is None else max(0.0, nearest - now))


def _attach(connection: HTTPConnection) -> None:
    watch: Watch | None = getattr(_current, "watch", None)
    if watch is not None:
        watch.connection = connection


def _resolve(connection: HTTPConnection) -> None:
    """Resolve the name beforehand with a limit, for the resolver has none of its own."""
    timeout = connection.timeout
    if not isinstance(timeout, int | float):
        return
    waiting = threading.Thread(target=_look_up, args=(connection.host, connection.port), name="resolver", daemon=True)
    waiting.start()
    waiting.join(timeout)
    if waiting.is_alive():
        raise NameTimeout


def _look_up(host: str, port: int) -> None:
    with contextlib.suppress(OSError, UnicodeError):
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class _PlainConnection(HTTPConnection):
    def connect(self) -> None:
        _attach(self)
        _resolve(self)
        super().connect()

    def request(self, *arguments: Any, **named: Any) -> None:
        _attach(self)
        super().request(*arguments, **named)


class _SecureConnection(HTTPSConnection):
    def connect(self) -> None:
        _attach(self)
        _resolve(self)
        super().connect()

    def request(self, *arguments: Any, **named: Any) -> None:
        _attach(self)
        super().request(*arguments, **named)


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def manager(connection: Connection, size: int) -> urllib3.PoolManager:
    """Return the pool manager for a connection, through its proxy if it has one."""
    named: dict[str, Any] = {"maxsize": size, "block": False, "retries": False}
    if connection.ssl_context is not None:
        # urllib3 would set the context back to verifying unless told so again.
        named |= {"ssl_context": connection.ssl_context, "cert_reqs": "CERT_NONE" if connection.insecure else "CERT_REQUIRED"}
    if connection.tls_server_name:
        named["server_hostname"] = connection.tls_server_name
    if connection.insecure:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the report says it
    made: urllib3.PoolManager
    proxy = connection.proxy
    if proxy is None:
        made = urllib3.PoolManager(**named)
    elif proxy.url.startswith("socks"):
        try:
            from urllib3.contrib.socks import SOCKSProxyManager
        except ImportError:
            raise UsageError("The proxy is a SOCKS proxy, for which a package is missing.", "Install it: pip install PySocks.") from None
        user, password = proxy.userinfo
        # Names are resolved by the proxy, as with kubectl.
        return SOCKSProxyManager(proxy.url.replace("socks5:", "socks5h:"), username=user or None, password=password or None, **named)
    else:
        made = urllib3.ProxyManager(proxy.url, proxy_headers={"Proxy-Authorization": proxy.authorization} if proxy.authorization else None, **named)
    made.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
    return made
