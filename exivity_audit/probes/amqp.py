"""One login over AMQP 0-9-1 as the product makes it: open, a channel, close; nothing is declared, published or consumed.

The frames are those of pika; the socket is ours, so that a peer which hangs in the middle of the protocol ends with the time that is left.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from exivity_audit.collect.place import NotAsked
from exivity_audit.probes.attempt import Failed
from exivity_audit.probes.logins import BrokerLogin
from exivity_audit.probes.peer import Peer
from exivity_audit.reading import HELP

PRODUCT = "exivity-audit"
LARGEST_FRAMES = 2**20  # of all that is waited for before an answer is whole
HEARTBEAT = 10  # seconds after which the broker takes a connection of ours for lost
MECHANISM = "PLAIN"
_VERSION = re.compile(r"[0-9A-Za-z.+~-]{1,40}")
_REFUSED, _NOT_ALLOWED = 403, 530


class Opened(Struct, frozen=True):
    """How a login ended, in one word (``open`` where a channel was), and what the broker says of itself."""

    state: str
    product: str = ""
    version: str = ""
    mechanisms: tuple[str, ...] = ()


class _Ended(Exception):
    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


def library() -> Any:
    """The codec. Raises NotAsked where it is not installed."""
    try:
        import pika.frame
        import pika.spec
    except ImportError:
        raise NotAsked(f"the RabbitMQ client is not installed{HELP}install exivity-audit[probes])") from None
    return pika


def log_in(peer: Peer, login: BrokerLogin | None) -> Opened:
    """Log in, open a channel and close both; without a login only what the broker says first. Raises NotAsked."""
    talk = _Talk(library(), peer)
    try:
        talk.start(login)
    except _Ended as error:
        return talk.opened(error.state)
    except Failed as error:
        return talk.opened("login" if error.kind == "closed" and talk.answered else error.kind)  # brokers of old hang up on a wrong login
    return talk.opened("open")


class _Talk:
    """The methods of one connection in their order."""

    def __init__(self, pika: Any, peer: Peer) -> None:
        self._pika, self._peer = pika, peer
        self._pending = b""
        self._said: dict[str, Any] = {}
        self._mechanisms: tuple[str, ...] = ()
        self.answered = False  # the login was sent, and no word came back yet

    def opened(self, state: str) -> Opened:
        """The result, with what the broker said of itself."""
        version = str(self._said.get("version", ""))
        product = "RabbitMQ" if self._said.get("product") == "RabbitMQ" else "another" if self._said else ""
        return Opened(state, product, version if _VERSION.fullmatch(version) else "", self._mechanisms)

    def start(self, login: BrokerLogin | None) -> None:
        """Everything from the first byte to the last. Raises _Ended and Failed."""
        spec, connection = self._pika.spec, self._pika.spec.Connection
        self._peer.send(self._pika.frame.ProtocolHeader().marshal())
        first = self._next(connection.Start)
        self._said = first.server_properties if isinstance(first.server_properties, dict) else {}
        self._mechanisms = tuple(sorted(set(re.findall(r"[A-Z0-9_-]{1,30}", _text(first.mechanisms)))))[:8]
        if login is None:
            raise _Ended("not-sent")
        if MECHANISM not in self._mechanisms:
            raise _Ended("mechanism")
        capabilities = {"authentication_failure_close": True}
        answer = f"\0{login.user}\0{login.password}"
        self._send(0, connection.StartOk({"product": PRODUCT, "capabilities": capabilities}, MECHANISM, answer, "en_US"))
        self.answered = True
        tune = self._next(connection.Tune, {_REFUSED: "login"})
        self.answered = False
        self._send(0, connection.TuneOk(tune.channel_max, tune.frame_max, min(tune.heartbeat, HEARTBEAT) or HEARTBEAT))
        self._send(0, connection.Open(login.vhost))
        self._next(connection.OpenOk, {_NOT_ALLOWED: _vhost, _REFUSED: "no-right"})
        self._send(1, spec.Channel.Open())
        self._next(spec.Channel.OpenOk)
        self._send(1, spec.Channel.Close(200, "", 0, 0))
        self._next(spec.Channel.CloseOk)
        self._send(0, connection.Close(200, "", 0, 0))
        self._next(connection.CloseOk)

    def _send(self, channel: int, method: Any) -> None:
        self._peer.send(self._pika.frame.Method(channel, method).marshal())

    def _next(self, wanted: Any, meanings: dict[int, str | Callable[[str], str]] | None = None) -> Any:
        """The next method, which must be the wanted one. Raises _Ended."""
        while True:
            frame = self._frame()
            method = getattr(frame, "method", None)
            if isinstance(method, wanted):
                return method
            if isinstance(method, self._pika.spec.Connection.Close):
                meaning = (meanings or {}).get(method.reply_code, "broken-off")
                raise _Ended(meaning if isinstance(meaning, str) else meaning(_text(method.reply_text)))
            if isinstance(frame, self._pika.frame.ProtocolHeader) or (method is not None and method.synchronous):
                raise _Ended("protocol")

    def _frame(self) -> Any:
        while True:
            try:
                consumed, frame = self._pika.frame.decode_frame(self._pending)
            except Exception:  # bytes that are no AMQP may raise anything
                raise _Ended("protocol") from None
            if frame is not None:
                self._pending = self._pending[consumed:]
                return frame
            if len(self._pending) > LARGEST_FRAMES or (len(self._pending) >= 7 and self._pending[0] not in b"\x01\x02\x03\x08A"):
                raise _Ended("protocol")
            more = self._peer.receive()
            if not more:
                raise Failed("closed", "it closed the connection")
            self._pending += more


def _vhost(text: str) -> str:
    """Whether a virtual host that may not be opened is not there, or closed to this user."""
    return "no-vhost" if "not found" in text else "vhost-down" if "is down" in text else "no-right"


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
