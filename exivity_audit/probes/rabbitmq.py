"""What one login to RabbitMQ shows, and what its management API says where the config names it; nothing is published, declared or purged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from exivity_audit.probes.amqp import Opened, library, log_in
from exivity_audit.probes.attempt import Attempt, Failed
from exivity_audit.probes.logins import BrokerLogin, broker_login
from exivity_audit.probes.management import asked_of
from exivity_audit.probes.opening import Tools
from exivity_audit.probes.peer import Handshake, Line, Peer, exposed, shaken, within
from exivity_audit.probes.ways import split_place
from exivity_audit.probes.wire import client_context
from exivity_audit.snapshot import Place

SECONDS = 20.0
# Pairs that the chart and RabbitMQ itself ship, by the name under which the snapshot tells of them.
DEFAULT_PAIRS = {"guest": ("guest", "guest"), "user": ("user", "pass")}


class Probing:
    """Logs in to the broker as the product does, and asks the management API as the monitoring user."""

    name = "rabbitmq"
    seconds = SECONDS

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        client_context(tools.asked.ca_file)  # a file that cannot be used is told before anything is asked

    def measure(self, place: Place, known: Mapping[str, Any], attempt: Attempt) -> dict[str, Any]:
        """What the broker at ``amqp://host:port`` or ``amqps://host:port`` shows. Raises Failed and NotAsked."""
        library()
        tools = self._tools
        scheme, _, server = (place.name or "").partition("://")
        host, port = split_place(Place(None, server))
        login = broker_login(tools, known["release"], host, port)
        inner = within(attempt)
        way = tools.ways.to(host, port, inner)
        attempt.path = inner.path
        line = Line(way, inner, tools.resolve, tools.asked.ca_file)
        try:
            found = looked(line, login, secure=scheme == "amqps", default_logins=tools.asked.default_logins)
            if tools.asked.management is not None and tools.asked.rabbitmq is not None:
                found["management"] = asked_of(tools.asked.management, tools.asked.rabbitmq, inner, tools.asked.ca_file, login.vhost)
            return found
        finally:
            inner.end()


def looked(line: Line, login: BrokerLogin, *, secure: bool, default_logins: bool = False) -> dict[str, Any]:
    """What can be seen on a line; whatever the server does after it answered is in the result. Raises Failed."""
    peer, shake = _opened(line, secure)
    opened = _tried(line, peer, shake, login) if peer is not None else Opened("no-tls")
    found: dict[str, Any] = {
        "secure": secure, "tls": shake.kept() if shake is not None else {}, "login": {"state": opened.state},
        "server": {"product": opened.product, "version": opened.version, "mechanisms": list(opened.mechanisms)},
    }  # fmt: skip
    if default_logins and peer is not None:
        found["defaults"] = {name: _default(line, secure, replace(login, user=pair[0], password=pair[1])) for name, pair in DEFAULT_PAIRS.items()}
    return found


def _opened(line: Line, secure: bool) -> tuple[Peer | None, Handshake | None]:
    """A connection as the product makes it; no peer where TLS is asked of a server that speaks none. Raises Failed."""
    if not secure:
        return line.connect(), None
    try:
        return shaken(line, line.connect)
    except Failed as error:
        if error.kind not in ("tls", "closed"):
            raise
        peer = line.connect()
        said = log_in(peer, None)
        peer.close()
        if not said.product:
            raise
        return None, None


def _tried(line: Line, peer: Peer, shake: Handshake | None, login: BrokerLogin) -> Opened:
    """One login; the password is kept back where the way would show it to others."""
    guarded = not exposed(line, peer) or (shake is not None and shake.verified)
    try:
        return log_in(peer, login if guarded and login.password else None)
    finally:
        peer.close()


def _default(line: Line, secure: bool, login: BrokerLogin) -> str:
    """What became of a login by a shipped pair: who gets as far as the virtual host was let in."""
    try:
        peer, shake = _opened(line, secure)
        state = _tried(line, peer, shake, login).state if peer is not None else "no-tls"
    except Failed as error:
        state = error.kind
    return "accepted" if state in ("open", "no-right", "no-vhost", "vhost-down") else "refused" if state == "login" else state
