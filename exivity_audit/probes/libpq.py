"""libpq driven without blocking: no server can hold a session beyond its last moment, and what one says is turned into kinds."""

from __future__ import annotations

import os
import re
import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from exivity_audit.collect.place import NotAsked
from exivity_audit.probes.attempt import Attempt, Failed, late
from exivity_audit.probes.logins import DatabaseLogin
from exivity_audit.reading import HELP

APPLICATION = "exivity-audit"
STATEMENT, LOCK, IDLE = 5000, 1000, 15000  # milliseconds: limits that the server itself keeps
LIMITS = {"statement_timeout": STATEMENT, "lock_timeout": LOCK, "idle_in_transaction_session_timeout": IDLE}
ALIVE = {"tcp_keepalives_idle": 20, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 4}  # a client that is gone without a word is noticed
OPTIONS = " ".join(f"-c {name}={value}" for name, value in {"default_transaction_read_only": "on", **LIMITS, **ALIVE}.items())
GUARDED = 160000  # the libpq that can be told to keep a password back
BEGIN = "; ".join(["BEGIN TRANSACTION READ ONLY", *(f"SET LOCAL {name} = {value}" for name, value in LIMITS.items())])
NOWHERE = f"{os.devnull}/none"  # where no file is: libpq would take one of the user's home
_CODE = re.compile(r"[0-9A-Z]{5}")
# What a refusal says, to what it means; the first that fits. A server that speaks another language is told by no more than that it refused.
_KINDS = (
    ("server does not support SSL", "no-tls"), ("certificate verify failed", "untrusted"), ("does not match host name", "untrusted"),
    ("no pg_hba.conf entry", "no-entry"), ("pg_hba.conf rejects", "no-entry"), ("no such database", "no-database"),
    ("requested a cleartext password", "clear-text"), ("password authentication failed", "login"), ("authentication failed", "login"),
    ("no such user", "login"), ("wrong password", "login"), ("not permitted to log in", "login"), ("unsupported startup parameter", "startup"),
    ("command-line", "startup"), ("unrecognized configuration parameter", "startup"),
    ("permission denied for database", "no-right"), ("not currently accepting connections", "no-database"), ("remaining connection slots", "full"),
    ("too many", "full"), ("starting up", "starting"), ("shutting down", "starting"), ("in recovery mode", "starting"),
    ("not yet accepting", "starting"), ("not accepting", "starting"), ("closed the connection", "closed"),
)  # fmt: skip
_MISSING = re.compile(r'(role|database) "[^"]*" does not exist')


class Server(Struct, frozen=True):
    """The address that answers, and the name that its certificate must carry."""

    host: str
    address: str
    port: int


class Mode(Struct, frozen=True):
    """How a session is encrypted and verified."""

    sslmode: str
    authority: str = ""  # the file by which the server is verified; none: it is not
    clear_password: bool = True  # whether the password may be sent as it is, where the server asks for that


class Refused(Exception):
    """The server refused a login or a question: a kind of this module, or the five characters of its SQLSTATE."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def client() -> Any:
    """The client library. Raises NotAsked where it is not installed."""
    try:
        import psycopg
    except ImportError:
        raise NotAsked(f"the PostgreSQL client is not installed{HELP}install exivity-audit[probes])") from None
    return psycopg


class Session:
    """An open connection, asked one question after the other. ``pooled``: a pooler stands between, which keeps no settings."""

    def __init__(self, psycopg: Any, attempt: Attempt, connection: Any, pooled: bool, seconds: float) -> None:
        self._psycopg, self._attempt, self._connection = psycopg, attempt, connection
        self.pooled, self.seconds = pooled, seconds

    @property
    def encrypted(self) -> bool:
        """Whether this connection is."""
        return bool(self._connection.ssl_in_use)

    def read(self, question: str) -> list[tuple[str | None, ...]]:
        """The rows of one question, in a transaction of its own that may only read. Raises Refused and Failed."""
        with self.reading():
            return self.ask(question)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A transaction that may only read, and is rolled back. Raises Refused and Failed."""
        self.ask(BEGIN)
        try:
            yield
        except Refused:
            self.ask("ROLLBACK")
            raise
        self.ask("ROLLBACK")

    def ask(self, question: str) -> list[tuple[str | None, ...]]:
        """The rows of the last statement of a text. Raises Refused and Failed."""
        try:
            return self._asked(question)
        except (OSError, self._psycopg.Error):
            raise Failed("closed", "it broke the session off") from None

    def _asked(self, question: str) -> list[tuple[str | None, ...]]:
        pq, connection = self._psycopg.pq, self._connection
        connection.send_query(question.encode())
        while connection.flush():
            wait(connection.socket, self._attempt, selectors.EVENT_WRITE)
        rows: list[tuple[str | None, ...]] = []
        refusal = ""
        while (result := self._result()) is not None:
            if result.status == pq.ExecStatus.TUPLES_OK:
                rows = [tuple(_text(result.get_value(row, column)) for column in range(result.nfields)) for row in range(result.ntuples)]
            elif result.status != pq.ExecStatus.COMMAND_OK:
                code = _text(result.error_field(pq.DiagnosticField.SQLSTATE)) or ""
                refusal = refusal or (code if _CODE.fullmatch(code) else "refused")
        if refusal:
            raise Refused(refusal)
        return rows

    def _result(self) -> Any:
        while self._connection.is_busy():
            wait(self._connection.socket, self._attempt, selectors.EVENT_READ)
            self._connection.consume_input()
        return self._connection.get_result()


def _text(value: bytes | None) -> str | None:
    return None if value is None else bytes(value).decode("utf-8", "replace")


def wait(descriptor: int, attempt: Attempt, event: int) -> None:
    """Wait until a socket can be read or written. Raises Failed when the time is up."""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, event)
        if not selector.select(attempt.left()):
            raise late(attempt.seconds)


@contextmanager
def session(attempt: Attempt, server: Server, login: DatabaseLogin, mode: Mode) -> Iterator[Session]:
    """A session whose settings allow no write, closed at the end. Raises NotAsked, Refused and Failed."""
    psycopg = client()
    started = time.monotonic()
    pooled = False
    try:
        connection = _connected(psycopg, attempt, server, login, mode, OPTIONS)
    except Refused as error:
        if error.kind != "startup":
            raise
        # A pooler takes no settings at the start, and hands later ones to whoever comes next: all of them stay inside a transaction.
        pooled, started = True, time.monotonic()
        connection = _connected(psycopg, attempt, server, login, mode, "")
    try:
        yield Session(psycopg, attempt, connection, pooled, time.monotonic() - started)
    finally:
        connection.finish()


def _connected(psycopg: Any, attempt: Attempt, server: Server, login: DatabaseLogin, mode: Mode, options: str) -> Any:
    from psycopg.conninfo import make_conninfo

    pq = psycopg.pq
    if pq.version() < GUARDED and not mode.clear_password:
        raise Refused("clear-text")
    given: dict[str, Any] = {
        "host": server.host, "hostaddr": server.address, "port": server.port, "dbname": login.database, "user": login.user,
        "password": login.password, "sslmode": mode.sslmode, "sslrootcert": mode.authority or NOWHERE, "passfile": NOWHERE,
        "gssencmode": "disable", "application_name": APPLICATION, "client_encoding": "UTF8", "options": options,
        "target_session_attrs": "any", "channel_binding": "prefer", "tcp_user_timeout": max(1, int(attempt.left() * 1000)),
    }  # fmt: skip
    if pq.version() >= GUARDED:
        given |= {"sslcertmode": "disable", "require_auth": "" if mode.clear_password else "!password"}
    connection = pq.PGconn.connect_start(make_conninfo("", **{key: value for key, value in given.items() if value != ""}).encode())
    try:
        if connection.status == pq.ConnStatus.BAD:
            raise Refused("client")
        connection.nonblocking = 1
        while (state := connection.connect_poll()) != pq.PollingStatus.OK:
            if state == pq.PollingStatus.FAILED:
                raise Refused(_kind(connection.get_error_message()))
            wait(connection.socket, attempt, selectors.EVENT_READ if state == pq.PollingStatus.READING else selectors.EVENT_WRITE)
    except BaseException as error:
        connection.finish()
        if isinstance(error, OSError | psycopg.Error):
            raise Failed("closed", "it broke the session off") from None
        raise
    return connection


def _kind(text: str) -> str:
    """What the words of a refusal mean; they themselves name users and databases and are not kept."""
    missing = _MISSING.search(text)
    if missing is not None:
        return "no-database" if missing[1] == "database" else "login"
    return next((kind for words, kind in _KINDS if words in text), "refused")
