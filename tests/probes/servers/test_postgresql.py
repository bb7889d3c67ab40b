"""PostgreSQL end to end: a real server, the real probe, its record in the snapshot, and what the checks then say."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exivity_audit.config import Config, Declare
from exivity_audit.probes.asked import Login
from exivity_audit.snapshot import Outcome
from exivity_audit.verdict import Status, Verdict
from tests.builders import DATABASE_PASSWORD, multi_node
from tests.judging import site_of, statuses
from tests.probes.servers import peers, processes
from tests.probes.servers.conftest import DATABASE_USERS
from tests.probes.servers.looking import Probing, judged, one
from tests.probes.servers.postgres import ACCOUNT, ADMINISTRATOR, HOST, POOLER, Postgres, pooler
from tests.probes.servers.processes import free_port, until
from tests.products import postgresql as pg
from tests.world import World

PASS, WARN, FAIL, UNKNOWN, MANUAL, SKIP = Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.MANUAL, Status.SKIP
WATCHER = Login("watcher_monitor", DATABASE_USERS["watcher_monitor"])


def world(**parameters: Any) -> World:
    """A cluster whose database is outside; the parameters are those of its ``config.json``."""
    made = multi_node()
    pg.lead_to(made, HOST, **{"sslmode": "require", **parameters})
    return made


def to(port: int, ca_file: Path | None, where: World | None = None, **rest: Any) -> Probing:
    return Probing(where or world(), {(HOST, 5432): ("127.0.0.1", port)}, ca_file, names=frozenset({"postgresql"}), **rest)


def look(slug: str, probing: Probing, **rest: Any) -> Verdict:
    return one(probing.world, f"postgresql/{slug}", probing, **rest)


def record(probing: Probing) -> dict[str, Any]:
    """What the snapshot holds of the probe."""
    site = site_of(probing.world, wanted={"probe_postgresql"}, usage=probing)  # type: ignore[arg-type]
    found = [found for found in site.reads if found.name == "probe_postgresql"]
    assert [item.outcome for item in found] == [Outcome.FOUND]
    return dict(found[0].objects[0])


class TestReachable:
    def test_a_session_opens(self, database: Postgres, ca_file: Path) -> None:
        found = look("reachable", to(database.port, ca_file))
        assert (found.status, found.measured) == (PASS, "open")
        assert "opens a session to the product's login, from inside the cluster" in found.message

    def test_from_a_laptop_too(self, database: Postgres, ca_file: Path) -> None:
        assert look("reachable", to(database.port, ca_file, inside=False)).status is PASS

    @pytest.mark.parametrize(
        ("parameters", "measured", "words"),
        [
            ({"password": "not-the-password-17"}, "login", "refuses the login"),
            ({"user": "nobody_there"}, "login", "refuses the login"),
            ({"dbname": "missing"}, "no-database", "no database of that name"),
            ({"dbname": "closed"}, "no-right", "may not connect"),
        ],
    )  # fmt: skip
    def test_a_login_that_is_refused(self, database: Postgres, ca_file: Path, parameters: dict[str, str], measured: str, words: str) -> None:
        for inside in (True, False):
            found = look("reachable", to(database.port, ca_file, world(**parameters), inside=inside))
            assert (found.status, found.measured) == (FAIL, measured)
            assert words in found.message
            assert found.fix is not None

    def test_a_rule_of_the_server_counts_for_the_address_that_asked(self, database: Postgres, ca_file: Path) -> None:
        where = world(user="refused", password=DATABASE_USERS["refused"])
        assert look("reachable", to(database.port, ca_file, where)).status is FAIL
        found = look("reachable", to(database.port, ca_file, where, inside=False))
        assert found.status is MANUAL
        assert "pg_hba.conf" in found.why

    def test_nobody_listens(self, database: Postgres, ca_file: Path) -> None:
        port = free_port()
        found = look("reachable", to(port, ca_file))
        assert (found.status, found.measured) == (FAIL, "refused")
        found = look("reachable", to(port, ca_file, inside=False))
        assert found.status is MANUAL
        assert "from where the tool runs" in found.why

    def test_a_server_that_was_killed(self, standby: Postgres, ca_file: Path) -> None:
        standby.kill()
        try:
            assert look("reachable", to(standby.port, ca_file)).status is FAIL
        finally:
            standby.start()

    def test_no_server_inside_the_cluster_either(self, database: Postgres, ca_file: Path) -> None:
        made = multi_node()
        probing = Probing(made, {("pg-rw.databases.svc", 5432): ("127.0.0.1", database.port)}, ca_file)
        found = look("reachable", probing)
        assert found.status is PASS
        assert "1 ready" in found.message
        assert "opens a session" in found.message
        probing = Probing(made, {("pg-rw.databases.svc", 5432): ("127.0.0.1", free_port())}, ca_file)
        assert look("reachable", probing).status is FAIL

    def test_a_standby_takes_no_writes(self, standby: Postgres, ca_file: Path) -> None:
        found = look("reachable", to(standby.port, ca_file))
        assert (found.status, found.measured) == (FAIL, "standby")

    def test_a_standby_is_right_at_a_passive_site(self, standby: Postgres, database: Postgres, ca_file: Path) -> None:
        config = Config(scenario="multi-site")
        found = look("reachable", to(standby.port, ca_file), role="passive", config=config)
        assert found.status is PASS
        assert "a standby in recovery" in found.message
        assert not found.remark
        found = look("reachable", to(database.port, ca_file), role="passive", config=config)
        assert found.status is PASS
        assert "does not follow the active site's" in found.remark


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe that takes little time, whatever is left for all."""
    monkeypatch.setattr("exivity_audit.probes.postgresql.Probing.seconds", 2.5)


@pytest.mark.usefixtures("short")
class TestHangingPeers:
    @pytest.mark.parametrize("after", [0, 1, 600, 1500])
    def test_it_never_outlasts_its_limit(self, database: Postgres, ca_file: Path, after: int) -> None:
        with peers.between(database.port, hang_after=after) as port:
            started = time.monotonic()
            found = look("reachable", to(port, ca_file))
            assert time.monotonic() - started < 30
            assert found.status is FAIL
            assert "time" in str(found.measured)
        until("its session is gone", lambda: database.sessions() == 0, 20)

    def test_a_session_that_hangs_tells_what_it_saw(self, database: Postgres, ca_file: Path) -> None:
        with peers.between(database.port, hang_after=6000) as port:
            kept = record(to(port, ca_file))
        assert kept["login"]["state"] == "open"
        assert kept["ended"] == "timeout"

    def test_a_peer_that_says_nothing(self, ca_file: Path) -> None:
        with peers.silent() as port:
            started = time.monotonic()
            assert look("reachable", to(port, ca_file)).status is FAIL
            assert time.monotonic() - started < 30

    @pytest.mark.parametrize(
        "said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"N" * 5000, b"E\0\0\0\x04", b"S\x15\x03\x01\0\x02\x02\x28", b"N" + b"\0" * 60, b"NR\xff\xff\xff\xff"]
    )
    def test_a_peer_that_is_no_database(self, ca_file: Path, said: bytes) -> None:
        with peers.saying(said) as port:
            for mode in ("require", "disable"):
                probing = to(port, ca_file, world(sslmode=mode))
                assert look("reachable", probing).status in (FAIL, SKIP)


class TestTls:
    def test_in_use_and_verifiable(self, database: Postgres, ca_file: Path) -> None:
        found = look("tls", to(database.port, ca_file))
        assert found.status is PASS
        assert "TLSv1.3 in use; its certificate holds until" in found.message
        assert not found.remark

    def test_in_use_and_not_verifiable(self, database: Postgres) -> None:
        found = look("tls", to(database.port, None))
        assert found.status is PASS
        assert "authority is not known here" in found.remark

    def test_verified_by_name(self, database: Postgres, ca_file: Path) -> None:
        assert look("tls", to(database.port, ca_file, world(sslmode="verify-full"))).status is PASS
        where = multi_node()
        pg.lead_to(where, "other.acme.eu", sslmode="verify-full")
        found = look("tls", Probing(where, {("other.acme.eu", 5432): ("127.0.0.1", database.port)}, ca_file))
        assert (found.status, found.measured) == (FAIL, "wrong-host")
        found = look("tls", to(database.port, None, world(sslmode="verify-full")))
        assert found.status is UNKNOWN
        assert "probes.ca_file in the config" in found.needs

    def test_asked_for_and_not_offered(self, database: Postgres, ca_file: Path) -> None:
        with database.set(ssl="off"):
            found = look("tls", to(database.port, ca_file))
            assert (found.status, found.measured) == (FAIL, "not offered")
            followed = look("reachable", to(database.port, ca_file))
            assert (followed.status, followed.follows) == (SKIP, "postgresql/tls")

    def test_offered_and_not_asked_for(self, database: Postgres, ca_file: Path) -> None:
        found = look("tls", to(database.port, ca_file, world(sslmode="disable")))
        assert found.status is FAIL
        assert "the server offers TLSv1.3, and its certificate holds" in found.remark
        assert found.fix is not None
        assert found.fix.needs is None
        assert record(to(database.port, ca_file, world(sslmode="disable")))["login"]["encrypted"] is False

    def test_neither_offered_nor_asked_for(self, database: Postgres, ca_file: Path) -> None:
        with database.set(ssl="off"):
            found = look("tls", to(database.port, ca_file, world(sslmode="disable")))
            assert found.status is FAIL
            assert "the server offers no TLS" in found.remark
            assert look("reachable", to(database.port, ca_file, world(sslmode="disable"))).status is PASS

    def test_a_server_that_takes_no_plaintext(self, database: Postgres, ca_file: Path) -> None:
        where = world(sslmode="disable", user="encrypted", password=DATABASE_USERS["encrypted"])
        assert look("reachable", to(database.port, ca_file, where)).status is FAIL

    def test_a_password_in_clear_text_goes_only_where_it_is_guarded(self, database: Postgres, ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        login = {"user": "clear", "password": DATABASE_USERS["clear"]}
        assert look("reachable", to(database.port, ca_file, world(sslmode="disable", **login))).status is PASS
        monkeypatch.setattr("exivity_audit.probes.postgresql.exposed", lambda line, peer: True)  # as if it were no loopback
        found = look("reachable", to(database.port, ca_file, world(sslmode="disable", **login)))
        assert found.status is UNKNOWN
        assert "clear text" in found.why
        assert look("reachable", to(database.port, None, world(**login))).status is UNKNOWN, "TLS that cannot be verified guards nothing"
        assert look("reachable", to(database.port, ca_file, world(**login))).status is PASS
        assert look("reachable", to(database.port, ca_file, world(sslmode="disable"))).status is PASS, "SCRAM shows nobody the password"

    def test_the_environment_of_the_user_changes_nothing(self, database: Postgres, ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        odd = {
            "PGHOSTADDR": "192.0.2.1", "PGOPTIONS": "-c search_path=nowhere", "PGSSLMODE": "disable", "PGTARGETSESSIONATTRS": "standby", "PGPASSFILE": "/dev/null",
            "PGSSLROOTCERT": "/dev/null", "PGAPPNAME": "other", "PGDATABASE": "other", "PGUSER": "other", "PGPASSWORD": "other", "PGCLIENTENCODING": "SQL_ASCII",
        }  # fmt: skip
        for name, value in odd.items():
            monkeypatch.setenv(name, value)
        assert look("reachable", to(database.port, ca_file)).status is PASS
        assert look("tls", to(database.port, ca_file)).status is PASS
        monkeypatch.setenv("PGSERVICE", "nowhere")
        found = look("reachable", to(database.port, ca_file))
        assert found.status is UNKNOWN
        assert "PGSERVICE" in found.why


class TestStandbys:
    def test_one_that_streams(self, standby: Postgres, database: Postgres, ca_file: Path) -> None:
        found = look("high-availability", to(database.port, ca_file, database=WATCHER))
        assert (found.status, found.measured) == (PASS, 1)
        assert "1 standby streaming (async)" in found.message
        assert "behind" in found.message

    def test_the_right_to_see_it_is_missing(self, standby: Postgres, database: Postgres, ca_file: Path) -> None:
        found = look("high-availability", to(database.port, ca_file))
        assert found.status is UNKNOWN
        assert any("GRANT pg_monitor" in need for need in found.needs)

    def test_none(self, standby: Postgres, database: Postgres, ca_file: Path) -> None:
        standby.stop()
        try:
            until("the primary has noticed", lambda: database.ask("SELECT count(*) FROM pg_stat_replication") == [(0,)])
            for login in (None, WATCHER):
                found = look("high-availability", to(database.port, ca_file, database=login))
                assert (found.status, found.measured, found.unless_attested) == (FAIL, 0, PASS)
        finally:
            standby.start()
            until("it streams", lambda: database.ask("SELECT state FROM pg_stat_replication") == [("streaming",)])

    def test_one_whose_replay_stands_still(self, standby: Postgres, database: Postgres, ca_file: Path) -> None:
        standby.ask("SELECT pg_wal_replay_pause()")
        try:
            database.ask("CREATE TABLE IF NOT EXISTS lag (n int)", "INSERT INTO lag SELECT generate_series(1, 20000)", database="exivity")
            until("the lag is told", lambda: (database.ask("SELECT extract(epoch FROM replay_lag) FROM pg_stat_replication")[0][0] or 0) > 2, 30)
            found = look("high-availability", to(database.port, ca_file, database=WATCHER), config=Config(thresholds={"postgresql.lag": "1s"}))
            assert found.status is WARN
            assert "behind" in found.message
            assert "Mi" in found.message
        finally:
            standby.ask("SELECT pg_wal_replay_resume()")

    def test_what_a_standby_says_of_its_own_stream(self, standby: Postgres, ca_file: Path) -> None:
        kept = record(to(standby.port, ca_file, database=WATCHER))
        assert kept["server"]["recovery"] is True
        assert (kept["receiver"]["running"], kept["receiver"]["state"]) == (True, "streaming")
        hidden = record(to(standby.port, ca_file))
        assert kept["identity"]["system"] == hidden["identity"]["system"], "a standby is the same system as its primary"
        assert len(hidden["identity"]["system"]) > 10
        assert (hidden["receiver"]["running"], hidden["receiver"]["state"]) == (True, None)


class TestArchive:
    def test_it_works(self, database: Postgres, ca_file: Path) -> None:
        database.ask("SELECT pg_switch_wal()")
        found = look("backups", to(database.port, ca_file))
        assert found.status is MANUAL
        assert "write-ahead log was archived" in found.why

    def test_it_fails(self, database: Postgres, ca_file: Path) -> None:
        with database.set(archive_command="/bin/false"):
            database.ask("CREATE TABLE IF NOT EXISTS something (n int)", "INSERT INTO something VALUES (1)", "SELECT pg_switch_wal()")
            until("a failure is counted", lambda: database.ask("SELECT last_failed_time > last_archived_time FROM pg_stat_archiver") == [(True,)])
            found = look("backups", to(database.port, ca_file))
            assert (found.status, found.measured) == (FAIL, "archiving fails")
        database.ask("SELECT pg_switch_wal()")
        until("it is archived again", lambda: database.ask("SELECT last_failed_time > last_archived_time FROM pg_stat_archiver") == [(False,)], 90)


class TestRoom:
    def test_nearly_full_by_a_stand_in(self, database: Postgres, ca_file: Path) -> None:
        found = look("storage-headroom", to(database.port, ca_file, database=WATCHER), config=Config(declare=Declare(database_disk="64Mi")))
        assert found.status is FAIL
        assert "a stand-in figure" in found.remark
        assert "as declared" in found.remark

    def test_room_by_a_stand_in(self, database: Postgres, ca_file: Path) -> None:
        found = look("storage-headroom", to(database.port, ca_file, database=WATCHER), config=Config(declare=Declare(database_disk="100Gi")))
        assert found.status is PASS
        assert "a stand-in figure" in found.message
        found = look("storage-headroom", to(database.port, ca_file), config=Config(declare=Declare(database_disk="100Gi")))
        assert "the write-ahead log, which the user may not see" in found.message

    def test_without_the_disk_the_size_is_shown(self, database: Postgres, ca_file: Path) -> None:
        found = look("storage-headroom", to(database.port, ca_file))
        assert found.status is MANUAL
        assert "it counts" in found.why
        assert "database_disk" in found.why


class TestVersion:
    def test_by_its_own_word(self, database: Postgres, ca_file: Path) -> None:
        found = look("version", to(database.port, ca_file))
        assert (found.status, found.measured) == (PASS, "15")
        assert "probe_postgresql" in {evidence.read for evidence in found.evidence}


class TestLatency:
    def test_from_inside_it_decides(self, database: Postgres, ca_file: Path) -> None:
        found = look("latency", to(database.port, ca_file))
        assert found.status is PASS
        assert "of 41 round trips from inside the cluster" in found.message

    def test_twenty_milliseconds_more(self, database: Postgres, ca_file: Path) -> None:
        with peers.between(database.port, delay=0.010) as port:
            found = look("latency", to(port, ca_file))
            assert found.status is FAIL
            assert 20 <= float(str(found.measured)) < 60
            outside = look("latency", to(port, ca_file, inside=False))
            assert outside.status is MANUAL
            assert "round trips from where the tool runs" in outside.why

    def test_from_outside_it_is_shown(self, database: Postgres, ca_file: Path) -> None:
        found = look("latency", to(database.port, ca_file, inside=False))
        assert found.status is MANUAL
        assert "median" in found.why


class TestPooler:
    """A pooler hands a session to whoever comes next: whatever was set in it would reach the product."""

    @pytest.fixture
    def port(self, database: Postgres) -> Iterator[int]:
        if not Path(POOLER).is_file():
            pytest.skip("PgBouncer is not installed (tests/probes/install.sh)")
        users = {"exivity": DATABASE_PASSWORD, "postgres": ADMINISTRATOR}
        with processes.folder(ACCOUNT) as folder, pooler(database, folder, users) as port:
            yield port

    def test_it_is_looked_through_and_keeps_no_setting(self, database: Postgres, ca_file: Path, port: int) -> None:
        where = world(sslmode="disable")
        kept = record(to(port, ca_file, where))
        assert kept["login"]["state"] == "open"
        assert kept["login"]["pooled"] is True
        assert kept["server"]["version"] >= 150000
        assert kept["latency"]["trips"] == 41
        through = Postgres(database.binaries, database.folder, port)
        names = ("default_transaction_read_only", "transaction_read_only", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        shown = [through.ask(f"SHOW {name}", user="exivity", database="exivity", password=DATABASE_PASSWORD)[0][0] for name in names]
        assert shown == ["off", "off", "0", "0", "0"]

    def test_a_login_that_it_refuses(self, database: Postgres, ca_file: Path, port: int) -> None:
        where = world(sslmode="disable", password="not-the-password-29")
        assert look("reachable", to(port, ca_file, where)).measured == "login"
        where = world(sslmode="disable", dbname="missing")
        assert look("reachable", to(port, ca_file, where)).status is FAIL


class TestHarmless:
    def test_the_session_can_only_read(self, database: Postgres, ca_file: Path) -> None:
        from exivity_audit.probes.attempt import Attempt
        from exivity_audit.probes.libpq import Mode, Refused, Server, session
        from exivity_audit.probes.logins import DatabaseLogin

        attempt = Attempt(10)
        login = DatabaseLogin("exivity", "postgres", "aZ4-admin-of-tests-91")
        with session(attempt, Server(HOST, "127.0.0.1", database.port), login, Mode("verify-full", str(ca_file))) as one_session:
            with pytest.raises(Refused) as refused:
                one_session.ask("CREATE TABLE forbidden (n int)")
            assert refused.value.kind == "25006"
            shown = {
                name: one_session.ask(f"SHOW {name}")[0][0]
                for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "application_name")
            }
            assert shown == {
                "statement_timeout": "5s",
                "lock_timeout": "1s",
                "idle_in_transaction_session_timeout": "15s",
                "application_name": "exivity-audit",
            }
        attempt.end()

    def test_nothing_is_left_and_nothing_is_shown(self, database: Postgres, ca_file: Path) -> None:
        probing = to(database.port, ca_file, database=WATCHER)
        found = judged(probing.world, usage=probing)
        text = json.dumps([msgspec.to_builtins(verdict, enc_hook=str) for outcome in found.outcomes for verdict in outcome.verdicts])
        kept = json.dumps(record(probing))
        for secret in (DATABASE_PASSWORD, *DATABASE_USERS.values()):
            assert secret not in text
            assert secret not in kept
        assert Status.ERROR not in statuses(found).values()
        until("no session is left", lambda: database.sessions() == 0, 20)

    def test_the_record_is_judged_the_same_later(self, database: Postgres, ca_file: Path) -> None:
        import msgspec

        from exivity_audit.config import thresholds_of
        from exivity_audit.evaluate import evaluate
        from exivity_audit.lifecycle import load_lifecycle
        from exivity_audit.pack import own_pack
        from exivity_audit.snapshot import Snapshot
        from tests.judging import snapshot_of

        probing = to(database.port, ca_file)
        pack = own_pack()
        live = snapshot_of(site_of(probing.world, usage=probing))  # type: ignore[arg-type]
        loaded = msgspec.json.decode(msgspec.json.encode(live), type=Snapshot)
        rest = {"thresholds": thresholds_of(Config(), pack.thresholds, None), "lifecycle": load_lifecycle(None)}
        first, second = (statuses(evaluate(one_of, pack, Config(), **rest)) for one_of in (live, loaded))
        assert first == second
        assert first["postgresql/reachable"] is PASS


def test_runs_that_are_killed_leave_no_session(database: Postgres, ca_file: Path, tmp_path: Path) -> None:
    script = tmp_path / "hold.py"
    script.write_text(
        "import sys\n"
        "from exivity_audit.probes.attempt import Attempt, Path\n"
        "from exivity_audit.probes.logins import DatabaseLogin\n"
        "from exivity_audit.probes.peer import Line\n"
        "from exivity_audit.probes.postgresql import looked\n"
        "from exivity_audit.probes.ways import Way\n"
        "from exivity_audit.probes.wire import resolve\n"
        "port, password = int(sys.argv[1]), sys.stdin.readline().strip()\n"
        "while True:\n"
        "    attempt = Attempt(10, Path.IN_CLUSTER)\n"
        "    line = Line(Way('db', '127.0.0.1', port, Path.IN_CLUSTER), attempt, resolve, None)\n"
        "    looked(line, DatabaseLogin('exivity', 'exivity', password, 'require'))\n"
        "    attempt.end()\n"
        "    print('looked', flush=True)\n"
    )
    seen = 0
    for number in range(25):
        run = subprocess.Popen([sys.executable, str(script), str(database.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert run.stdin is not None
        assert run.stdout is not None
        run.stdin.write(DATABASE_PASSWORD.encode() + b"\n")
        run.stdin.flush()
        run.stdout.readline()
        time.sleep(0.013 * number)
        seen += database.sessions()
        run.send_signal(signal.SIGKILL)
        run.wait()
        run.stdin.close()
        run.stdout.close()
    assert seen, "none of them had a session when it was killed"
    until("no session is left", lambda: database.sessions() == 0, 20)
