"""PostgreSQL of Debian's package on loopback: a primary, a standby that streams from it, and the users that probes log in as."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.probes.servers import certificates, processes
from tests.probes.servers.processes import command, end, free_port, listening, run, until, written

ACCOUNT = "postgres"
HOST = "db.acme.eu"  # the name that the server's certificate carries
ADMINISTRATOR = "aZ4-admin-of-tests-91"
DATABASE = "exivity"
POOLER = "/usr/sbin/pgbouncer"


def programs() -> Path | None:
    """The folder of the newest PostgreSQL's programs; None where none is installed or may be run."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found and processes.available(ACCOUNT) else None


@dataclass
class Postgres:
    """One running server."""

    binaries: Path
    folder: Path
    port: int

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self.folder / "data"

    @property
    def pid(self) -> int:
        """Its postmaster."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def start(self) -> None:
        """Start and wait until it answers."""
        log = self.folder / "log"
        run(ACCOUNT, [str(self.binaries / "pg_ctl"), "-D", str(self.data), "-l", str(log), "-w", "-t", "60", "start"], folder=self.folder)

    def stop(self) -> None:
        """Stop it, where it runs, and wait until it is gone."""
        try:
            pid = self.pid
        except (OSError, ValueError, IndexError):
            return
        end(pid, signal.SIGINT)

    def kill(self) -> None:
        """End the postmaster as a lost machine does."""
        pid = self.pid
        end(pid, signal.SIGKILL)
        until("its port is closed", lambda: not listening(self.port))
        until("it is reaped, or a start would take it for running", lambda: not Path(f"/proc/{pid}").exists())

    def ask(self, *statements: str, user: str = "postgres", database: str = "postgres", password: str = ADMINISTRATOR) -> list[Any]:
        """Run statements as the administrator; the rows of the last one."""
        import psycopg

        where = f"host=127.0.0.1 port={self.port} user={user} dbname={database} password={password} connect_timeout=10"
        with psycopg.connect(where, autocommit=True) as connection:
            cursor = None
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor is not None and cursor.description else []

    @contextmanager
    def set(self, **settings: str) -> Iterator[None]:
        """Settings that take a reload alone, taken back at the end."""
        before = self.ask("SELECT pg_conf_load_time()")
        self.ask(*(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in settings.items()), "SELECT pg_reload_conf()")
        until("the settings are loaded", lambda: self.ask("SELECT pg_conf_load_time()") != before)
        try:
            yield
        finally:
            self.ask(*(f"ALTER SYSTEM RESET {name}" for name in settings), "SELECT pg_reload_conf()")
            until(
                "the settings are taken back",
                lambda: (
                    self.ask(
                        f"SELECT count(*) FROM pg_settings WHERE sourcefile LIKE '%postgresql.auto.conf' AND name IN ({', '.join(repr(name) for name in settings)})"
                    )
                    == [(0,)]
                ),
            )

    def sessions(self) -> int:
        """How many sessions of the probe the server still has."""
        return int(self.ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'exivity-audit'")[0][0])


def primary(binaries: Path, folder: Path, users: dict[str, str]) -> Postgres:
    """A server with TLS, an archive that works, and a database; users by their names and passwords, those named ``…_monitor`` may read statistics."""
    made = Postgres(binaries, folder, free_port())
    word = written(folder / "word", ADMINISTRATOR, ACCOUNT)
    run(ACCOUNT, [
        str(binaries / "initdb"), "-D", str(made.data), "-U", "postgres", "-A", "scram-sha-256", "--pwfile", str(word), "-E", "UTF8", "--no-sync", "--locale=C.UTF-8",
    ], folder=folder)  # fmt: skip
    pair = certificates.signed(HOST, "pg-rw.databases.svc")
    written(made.data / "server.crt", pair.certificate, ACCOUNT)
    written(made.data / "server.key", pair.key, ACCOUNT)
    settings = {
        "listen_addresses": "'127.0.0.1'", "port": str(made.port), "unix_socket_directories": f"'{folder}'", "fsync": "off", "ssl": "on",
        "archive_mode": "on", "archive_command": "'/bin/true'", "max_connections": "60", "wal_level": "replica", "autovacuum": "off",
    }  # fmt: skip
    with (made.data / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = {value}\n" for name, value in settings.items())
    rules = [
        "host all refused 127.0.0.1/32 reject", "hostnossl all encrypted 127.0.0.1/32 reject", "host all clear 127.0.0.1/32 password",
        "host replication replicator 127.0.0.1/32 scram-sha-256",
    ]  # fmt: skip
    hba = made.data / "pg_hba.conf"
    written(hba, "\n".join(rules) + "\n" + hba.read_text(), ACCOUNT)
    made.start()
    roles = [
        f"CREATE ROLE {user} LOGIN PASSWORD '{password}'{' IN ROLE pg_monitor' if user.endswith('_monitor') else ''}"
        for user, password in users.items()
    ]
    made.ask(
        *roles,
        f"CREATE ROLE replicator LOGIN REPLICATION PASSWORD '{ADMINISTRATOR}'",
        f"CREATE DATABASE {DATABASE}",
        "CREATE DATABASE closed",
        "REVOKE CONNECT ON DATABASE closed FROM public",
    )
    return made


def standby(first: Postgres, folder: Path) -> Postgres:
    """A server that streams from another."""
    made = Postgres(first.binaries, folder, free_port())
    word = written(folder / "word", f"127.0.0.1:{first.port}:*:replicator:{ADMINISTRATOR}\n", ACCOUNT)
    run(ACCOUNT, [
        str(first.binaries / "pg_basebackup"), "-h", "127.0.0.1", "-p", str(first.port), "-U", "replicator", "-D", str(made.data), "-R", "-C", "-S", "follower",
        "-X", "stream", "--checkpoint=fast", "--no-sync",
    ], {"PGPASSFILE": str(word)}, folder=folder)  # fmt: skip
    conf = made.data / "postgresql.conf"
    conf.write_text(conf.read_text().replace(f"port = {first.port}", f"port = {made.port}").replace(f"'{first.folder}'", f"'{folder}'"))
    made.start()
    until("the standby streams", lambda: first.ask("SELECT state FROM pg_stat_replication") == [("streaming",)])
    return made


@contextmanager
def pooler(server: Postgres, folder: Path, users: dict[str, str]) -> Iterator[int]:
    """PgBouncer before a server, which hands its sessions out for one transaction each; its port."""
    port = free_port()
    table = written(folder / "users.txt", "".join(f'"{user}" "{password}"\n' for user, password in users.items()), ACCOUNT)
    lines = [
        "[databases]", f"* = host=127.0.0.1 port={server.port}", "[pgbouncer]", "listen_addr = 127.0.0.1", f"listen_port = {port}", f"unix_socket_dir = {folder}",
        "auth_type = scram-sha-256", f"auth_file = {table}", "pool_mode = transaction", "default_pool_size = 1", f"pidfile = {folder / 'pid'}",
    ]  # fmt: skip
    settings = written(folder / "pgbouncer.ini", "\n".join(lines) + "\n", ACCOUNT)
    with (folder / "out").open("ab") as out:
        process = subprocess.Popen(command(ACCOUNT, [POOLER, str(settings)]), stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder)
    try:
        until("the pooler listens", lambda: listening(port))
        yield port
    finally:
        end(process.pid, signal.SIGINT)
        process.wait(10)
