"""What one login to PostgreSQL shows: TLS, release, role, standbys, archive, sizes and the time of a round trip; nothing is written."""

from __future__ import annotations

import math
import re
import struct
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from exivity_audit.probes.asked import Login as Monitor
from exivity_audit.probes.attempt import Attempt, Failed
from exivity_audit.probes.libpq import Mode, Refused, Server, Session, client, session
from exivity_audit.probes.logins import DatabaseLogin, database_login
from exivity_audit.probes.opening import Tools
from exivity_audit.probes.peer import Handshake, Line, Peer, exposed, shaken, within
from exivity_audit.probes.ways import split_place
from exivity_audit.probes.wire import client_context
from exivity_audit.snapshot import Place

SECONDS = 20.0
TRIPS, WARM_UP = 41, 3
MOST_STANDBYS = 20
VERIFYING = ("verify-ca", "verify-full")
ENCRYPTED = ("require", *VERIFYING)
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_WORD = re.compile(r"[A-Za-z0-9._ -]{1,40}")
# Where distributions keep the bundle of the system's authorities, for libpq, whose own default is its builder's.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
)  # fmt: skip
PLATFORMS = ("rds", "aurora", "cloudsql", "alloydb", "azure", "neon")  # whose own settings start with these

SERVER = "SELECT current_setting('server_version_num'), pg_is_in_recovery(), current_setting('archive_mode')"
RIGHTS = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"
PLATFORM = (
    f"SELECT split_part(name, '.', 1) FROM pg_settings WHERE split_part(name, '.', 1) IN ({', '.join(repr(name) for name in PLATFORMS)}) LIMIT 1"
)
ENCRYPTION = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
# A slot that decodes the log belongs to a subscriber, which is no standby.
STANDBYS = f"""
SELECT r.state, r.sync_state, r.replay_lsn IS NOT NULL,
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, r.replay_lsn),
       extract(epoch FROM r.replay_lag)
FROM pg_stat_replication r LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid
WHERE s.slot_type IS DISTINCT FROM 'logical' ORDER BY r.pid LIMIT {MOST_STANDBYS}
"""
RECEIVER = """
SELECT w.pid IS NOT NULL, w.status, pg_wal_lsn_diff(greatest(w.latest_end_lsn, pg_last_wal_receive_lsn()), pg_last_wal_replay_lsn()),
       CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0 ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END,
       extract(epoch FROM now() - w.last_msg_receipt_time)
FROM (SELECT 1) AS one LEFT JOIN pg_stat_wal_receiver w ON true
"""
ARCHIVER = """
SELECT archived_count, failed_count, extract(epoch FROM now() - last_archived_time), extract(epoch FROM now() - last_failed_time),
       last_failed_time > coalesce(last_archived_time, '-infinity')
FROM pg_stat_archiver
"""
SIZES = """
SELECT pg_database_size(current_database()),
       (SELECT sum(pg_database_size(oid)) FROM pg_database WHERE has_database_privilege(oid, 'CONNECT')), count(*) FILTER (WHERE NOT seen)
FROM (SELECT has_database_privilege(oid, 'CONNECT') AS seen FROM pg_database) AS every
"""
LOG = "SELECT sum(size) FROM pg_ls_waldir()"


class Probing:
    """Logs in as the product does, and looks; with a monitoring user of the config it looks as that one."""

    name = "postgresql"
    seconds = SECONDS

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        client_context(tools.asked.ca_file)  # a file that cannot be used is told before anything is asked

    def measure(self, place: Place, known: Mapping[str, Any], attempt: Attempt) -> dict[str, Any]:
        """What the database at ``host:port`` shows. Raises Failed and NotAsked."""
        client()
        tools, (host, port) = self._tools, split_place(place)
        own = database_login(tools, known["release"], known["secrets"], host, port)
        inner = within(attempt)
        way = tools.ways.to(host, port, inner)
        attempt.path = inner.path
        try:
            return looked(Line(way, inner, tools.resolve, tools.asked.ca_file), own, tools.asked.postgresql)
        finally:
            inner.end()


def looked(line: Line, own: DatabaseLogin, monitor: Monitor | None = None) -> dict[str, Any]:
    """What can be seen on a line; whatever the server does after it answered is in the result. Raises Failed."""
    address, offered, shake, open_way = _handshake(line)
    found: dict[str, Any] = {"sslmode": own.sslmode, "tls": {"offered": offered, **(shake.kept() if shake is not None else {})}}
    modes = _modes(line, own.sslmode, shake, open_way)
    found["login"] = _login(line, address, own, modes, found, look=monitor is None)
    if monitor is not None and not found.get("ended"):
        other = DatabaseLogin(own.database, monitor.user, monitor.password, own.sslmode)
        found["monitor"] = _login(line, address, other, modes, found, look=True)
    return found


def _handshake(line: Line) -> tuple[str, bool, Handshake | None, bool]:
    """The address that answers, whether it offers TLS, what its handshake shows, and whether the way is open to others. Raises Failed."""
    seen: list[tuple[str, bool]] = []

    def asked() -> Peer:
        peer = line.connect()
        seen.append((peer.address, exposed(line, peer)))
        peer.send(_SSL_REQUEST)
        answer = peer.receive(1)
        if answer != b"S":
            peer.close()
            raise _NoTls if answer == b"N" else Failed("protocol" if answer else "closed", "what answers is no PostgreSQL")
        return peer

    try:
        peer, shake = shaken(line, asked)
        peer.close()
    except _NoTls:
        return seen[-1][0], False, None, seen[-1][1]
    except Failed as error:
        if error.kind != "tls":
            raise
        return seen[-1][0], True, Handshake("", {}, "no-common-protocol"), seen[-1][1]
    return seen[-1][0], True, shake, seen[-1][1]


class _NoTls(Exception):
    pass


def _modes(line: Line, sslmode: str, shake: Handshake | None, open_way: bool) -> tuple[Mode, ...]:
    """The product's own mode, verified on top wherever that can be had; none where the product itself would not go on."""
    mode = sslmode or "disable"
    trusted = shake is not None and shake.verified
    if (mode in ENCRYPTED and shake is None) or (mode in VERIFYING and not trusted):
        return ()
    bare = Mode(mode, clear_password=not open_way)
    if mode not in (*ENCRYPTED, "prefer") or not trusted:
        return (bare,)
    files = [str(line.ca_file)] if line.ca_file is not None else []
    files += [path for path in BUNDLES if Path(path).is_file()][:1]
    verified = tuple(Mode("verify-full", path) for path in files)
    return verified if mode in VERIFYING else (*verified, bare)


def _login(line: Line, address: str, login: DatabaseLogin, modes: tuple[Mode, ...], found: dict[str, Any], look: bool) -> dict[str, Any]:
    """Log in by the first mode that the client can verify, and look. What is seen is added to what was found."""
    if not modes:
        return {"state": "untrusted" if found["tls"]["offered"] else "no-tls"}
    if not login.password:
        return {"state": "no-password"}
    opened: dict[str, Any] = {}
    try:
        for number, mode in enumerate(modes, 1):
            try:
                with session(line.attempt, Server(line.way.host, address, line.way.port), login, mode) as one:
                    opened = {"state": "open", "seconds": round(one.seconds, 6), "encrypted": one.encrypted, "pooled": one.pooled}
                    if look:
                        _look(one, found)
                return opened
            except Refused as error:
                if error.kind != "untrusted" or number == len(modes):
                    return opened or {"state": error.kind}
    except Failed as error:
        found["ended"] = error.kind
        return opened or {"state": error.kind}
    return opened


def _look(opened: Session, found: dict[str, Any]) -> None:
    """Ask one question after the other; one that is refused is named by its SQLSTATE. Raises Failed."""
    server = _asked(opened, SERVER, lambda row: {"version": _whole(row[0]), "recovery": _flag(row[1]), "archive_mode": _word(row[2])})
    found["server"] = server
    found["latency"] = _latency(opened)
    recovery = server.get("recovery")
    found["rights"] = _asked(opened, RIGHTS, lambda row: {"statistics": _flag(row[0])})
    found["platform"] = _asked(opened, PLATFORM, lambda row: {"name": _word(row[0])})
    found["encryption"] = _asked(opened, ENCRYPTION, lambda row: {"server": _flag(row[0])})
    found["standbys"] = _every(opened, STANDBYS, _standby)
    found["receiver"] = _asked(opened, RECEIVER, _receiver) if recovery else {}
    found["archiver"] = _asked(opened, ARCHIVER, _archiver)
    found["sizes"] = _asked(opened, SIZES, lambda row: {"database": _whole(row[0]), "databases": _whole(row[1]), "unseen": _whole(row[2])})
    found["log"] = _asked(opened, LOG, lambda row: {"size": _whole(row[0])})


Row = tuple[str | None, ...]


def _asked(opened: Session, question: str, build: Callable[[Row], dict[str, Any]]) -> dict[str, Any]:
    """The first row of an answer as a record; ``refused`` where the server did not give one."""
    every = _every(opened, question, build)
    rows = every.get("rows")
    return (dict(rows[0]) if rows else {}) if rows is not None else every


def _every(opened: Session, question: str, build: Callable[[Row], dict[str, Any]]) -> dict[str, Any]:
    try:
        return {"rows": [build(row) for row in opened.read(question)]}
    except Refused as error:
        return {"refused": error.kind}
    except (IndexError, ValueError):  # a server that is none of PostgreSQL
        return {"refused": "protocol"}


def _standby(row: Row) -> dict[str, Any]:
    """A row of pg_stat_replication; without the right all but its being there is null."""
    return {"state": _word(row[0]), "sync": _word(row[1]), "replays": _flag(row[2]), "bytes": _whole(row[3]), "seconds": _seconds(row[4])}


def _receiver(row: Row) -> dict[str, Any]:
    return {"running": _flag(row[0]), "state": _word(row[1]), "bytes": _whole(row[2]), "seconds": _seconds(row[3]), "heard": _seconds(row[4])}


def _archiver(row: Row) -> dict[str, Any]:
    return {
        "archived": _whole(row[0]), "failed": _whole(row[1]), "archived_ago": _seconds(row[2]), "failed_ago": _seconds(row[3]),
        "failing": _flag(row[4]) or False,
    }  # fmt: skip


def _whole(value: str | None) -> int | None:
    """A whole number of the server's. Raises ValueError for what is none."""
    found = _seconds(value)
    return None if found is None else int(found)


def _seconds(value: str | None) -> float | None:
    found = None if value is None else round(float(value), 3)
    if found is not None and (not math.isfinite(found) or abs(found) >= 2**63):
        raise ValueError("no number")
    return found


def _flag(value: str | None) -> bool | None:
    return None if value is None else value == "t"


def _word(value: str | None) -> str | None:
    """A word of PostgreSQL's own, such as ``streaming``; what is none is not kept."""
    return value if value is not None and _WORD.fullmatch(value) else None


def _latency(opened: Session) -> dict[str, Any]:
    """The time of a round trip on the open session, the first few left out; what was measured until the time was up. Raises nothing."""
    taken: list[float] = []
    try:
        with opened.reading():
            for number in range(WARM_UP + TRIPS):
                started = time.perf_counter()
                opened.ask("SELECT 1")
                if number >= WARM_UP:
                    taken.append(time.perf_counter() - started)
    except Refused as error:
        return {"refused": error.kind}
    except Failed:
        pass
    if not taken:
        return {"trips": 0}
    ordered = sorted(taken)
    return {
        "trips": len(ordered), "median": round(_rank(ordered, 0.5), 6), "p95": round(_rank(ordered, 0.95), 6), "least": round(ordered[0], 6),
    }  # fmt: skip


def _rank(ordered: list[float], share: float) -> float:
    """The nearest rank, so that the figure is one that was measured."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
