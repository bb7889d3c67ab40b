"""Rows postgresql and rabbitmq with what their probes saw: every end of a login, by every way, and what is left open without one."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from exivity_audit.collect.answer import Failure
from exivity_audit.collect.connection import Connection
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.discovery import discover
from exivity_audit.config import BrokerIntent, Config, Declare
from exivity_audit.probes.asked import Asked
from exivity_audit.probes.opening import open_probes
from exivity_audit.snapshot import Outcome
from exivity_audit.verdict import Status, Verdict
from tests.builders import multi_node, single_node
from tests.judging import alone, pair_judged, site_of, verdicts
from tests.probed_servers import ANSWERED, BROKER, HIDDEN, HOST, MANAGED, SEEN, STREAMING, Probes, broken, changed, handshake
from tests.products import postgresql as pg
from tests.products import rabbitmq as mq
from tests.products import two_sites
from tests.world import World

PASS, WARN, FAIL, UNKNOWN, MANUAL, SKIP = Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.MANUAL, Status.SKIP
Object = dict[str, Any]


def external(**parameters: Any) -> World:
    made = multi_node()
    pg.lead_to(made, HOST, **parameters)
    return made


def database(
    slug: str,
    answer: Object | None = None,
    changes: Mapping[str, Any] | None = None,
    *,
    world: World | None = None,
    path: str = "in-cluster",
    **rest: Any,
) -> Verdict:
    probes = Probes(database=changed(answer if answer is not None else SEEN, changes or {}), path=path)
    (found,) = verdicts(world or external(), f"postgresql/{slug}", usage=probes, **rest).values()
    return found


def broker(
    slug: str,
    answer: Object | None = None,
    changes: Mapping[str, Any] | None = None,
    *,
    world: World | None = None,
    path: str = "in-cluster",
    **rest: Any,
) -> dict[str, Verdict]:
    probes = Probes(broker=changed(answer if answer is not None else ANSWERED, changes or {}), path=path)
    return verdicts(world or mq.on_external(multi_node()), f"rabbitmq/{slug}", usage=probes, **rest)


def one(slug: str, *arguments: Any, **rest: Any) -> Verdict:
    (found,) = broker(slug, *arguments, **rest).values()
    return found


DATABASE = ("reachable", "high-availability", "backups", "tls", "latency", "storage-headroom", "version")
BROKER_CHECKS = ("connectivity", "authentication", "tls", "queues", "version")


@pytest.mark.parametrize("slug", DATABASE)
@pytest.mark.parametrize("base", [multi_node, single_node, external])
def test_without_the_probe_the_database_is_judged_as_ever(slug: str, base: Any) -> None:
    world = base()
    before = {verdict.subject: (verdict.status, verdict.message, verdict.remark) for verdict in verdicts(world, f"postgresql/{slug}").values()}
    nothing = Probes(database=SEEN, failing=Failure("deadline", None, "the time for all probes was up"))
    after = {
        verdict.subject: (verdict.status, verdict.message, verdict.remark)
        for verdict in verdicts(world, f"postgresql/{slug}", usage=nothing).values()
    }
    assert before == after


@pytest.mark.parametrize("slug", BROKER_CHECKS)
@pytest.mark.parametrize("external_one", [True, False])
def test_without_the_probe_the_broker_is_judged_as_ever(slug: str, external_one: bool) -> None:
    world = mq.on_external(multi_node()) if external_one else multi_node()
    before = {verdict.subject: (verdict.status, verdict.message, verdict.remark) for verdict in verdicts(world, f"rabbitmq/{slug}").values()}
    nothing = Probes(broker=ANSWERED, failing=Failure("deadline", None, "the time for all probes was up"))
    after = {
        verdict.subject: (verdict.status, verdict.message, verdict.remark) for verdict in verdicts(world, f"rabbitmq/{slug}", usage=nothing).values()
    }
    assert before == after


def test_the_probes_are_asked_at_the_configured_servers() -> None:
    probes = Probes(database=SEEN, broker=ANSWERED)
    world = mq.configured(external(port=5433), "mq-a.corp:5673", "", True)
    world.edit("ConfigMap", "exivity-postgres-config", lambda item: item["data"].update(POSTGRES_PORT="5433"))
    alone(world, "postgresql/reachable", usage=probes)
    alone(world, "rabbitmq/connectivity", usage=probes)
    assert sorted(set(probes.asked)) == ["amqps://mq-a.corp:5673", "db.acme.eu:5433"]


@pytest.mark.parametrize(
    ("module", "check", "read"), [("psycopg", "postgresql/reachable", "probe_postgresql"), ("pika.frame", "rabbitmq/connectivity", "probe_rabbitmq")]
)
def test_without_its_library_a_probe_is_not_asked(module: str, check: str, read: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)

    class Real:
        def sources(self) -> dict[str, Any]:
            api: Any = multi_node()
            asked = Asked(frozenset({"postgresql", "rabbitmq"}), 20)
            return dict(
                open_probes(
                    asked, Connection("https://kubernetes.default.svc", in_cluster=True), api, discover(api), "exivity", Deadline(60)
                ).sources()
            )

    real: Any = Real()
    site = site_of(multi_node(), wanted={read}, usage=real)
    (record,) = (one for one in site.reads if one.name == read)
    assert record.outcome is Outcome.NOT_ASKED
    assert "install exivity-audit[probes]" in record.reason
    assert {verdict.status for verdict in verdicts(multi_node(), check, usage=real).values()} == {PASS}


class TestDatabaseReached:
    @pytest.mark.parametrize(
        ("state", "inside", "laptop"),
        [
            ("open", PASS, PASS), ("login", FAIL, FAIL), ("no-database", FAIL, FAIL), ("no-right", FAIL, FAIL), ("full", FAIL, FAIL), ("starting", FAIL, FAIL),
            ("no-entry", FAIL, MANUAL), ("refused", FAIL, MANUAL), ("timeout", FAIL, MANUAL), ("closed", FAIL, MANUAL), ("tls", FAIL, MANUAL),
            ("protocol", FAIL, MANUAL), ("no-tls", SKIP, SKIP), ("untrusted", MANUAL, MANUAL), ("no-password", UNKNOWN, UNKNOWN),
            ("clear-text", UNKNOWN, UNKNOWN), ("client", UNKNOWN, UNKNOWN), ("a word of a later release", MANUAL, MANUAL),
        ],
    )  # fmt: skip
    def test_by_the_end_of_the_login(self, state: str, inside: Status, laptop: Status) -> None:
        answer = {"tls": SEEN["tls"], "login": {"state": state}}
        found = database("reachable", answer)
        assert found.status is inside
        assert (found.fix is not None) == (inside is FAIL)
        assert database("reachable", answer, path="port-forward").status is inside
        assert database("reachable", answer, path="laptop").status is laptop

    @pytest.mark.parametrize(
        ("kind", "inside"),
        [("refused", FAIL), ("timeout", FAIL), ("unresolved", FAIL), ("unreachable", FAIL), ("forward", MANUAL), ("broken", MANUAL)],
    )
    def test_by_what_failed_on_the_way(self, kind: str, inside: Status) -> None:
        assert database("reachable", broken(kind)).status is inside
        found = database("reachable", broken(kind), path="laptop")
        assert found.status is MANUAL
        assert "it did not answer" in found.why

    def test_inside_the_cluster_endpoints_stand_beside_it(self) -> None:
        assert "opens a session" in database("reachable", world=multi_node()).message
        assert database("reachable", {"login": {"state": "login"}}, world=multi_node()).status is FAIL
        found = database("reachable", broken("unreachable"), world=multi_node(), path="laptop")
        assert found.status is PASS
        assert "no session" in found.remark

    def test_a_service_without_endpoints_stays_the_finding(self) -> None:
        world = multi_node()
        world.objects = [item for item in world.objects if not (item["kind"] == "EndpointSlice" and item["metadata"]["name"].startswith("pg-rw"))]
        found = database("reachable", world=world)
        assert found.status is FAIL
        assert "no ready endpoint" in found.message

    def test_the_monitoring_user_shows_that_it_answers(self) -> None:
        found = database("reachable", changes={"login": {"state": "no-password"}, "monitor": {"state": "open"}})
        assert found.status is PASS
        assert "the monitoring user's login" in found.message
        assert "password was not seen" in found.remark

    def test_a_standby(self) -> None:
        assert database("reachable", changes={"server.recovery": True}).measured == "standby"
        multi = Config(scenario="multi-site")
        assert database("reachable", changes={"server.recovery": True}, role="passive", config=multi).status is PASS
        assert "does not follow" in database("reachable", role="passive", config=multi).remark


class TestStandbys:
    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({}, PASS), ({"standbys.rows": [HIDDEN]}, UNKNOWN), ({"standbys.rows": []}, FAIL), ({"standbys.rows": [], "platform.name": "rds"}, MANUAL),
            ({"standbys.rows": [STREAMING | {"state": "catchup"}]}, WARN), ({"standbys.rows": [STREAMING | {"seconds": 900.0}]}, WARN),
            ({"standbys.rows": [STREAMING | {"seconds": 900.0}, STREAMING]}, PASS), ({"standbys.rows": [STREAMING | {"replays": False}]}, FAIL),
            ({"standbys": {"refused": "42501"}}, MANUAL), ({"server.recovery": True}, MANUAL), ({"login.state": "login"}, MANUAL),
        ],
    )  # fmt: skip
    def test_by_what_streams(self, changes: dict[str, Any], status: Status) -> None:
        found = database("high-availability", changes=changes)
        assert found.status is status

    def test_the_grant_is_named_and_a_person_may_vouch(self) -> None:
        assert "GRANT pg_monitor" in database("high-availability", changes={"standbys.rows": [HIDDEN]}).needs[0]
        assert database("high-availability", changes={"standbys.rows": []}).unless_attested is PASS

    def test_the_limit_is_a_threshold(self) -> None:
        late = {"standbys.rows": [STREAMING | {"seconds": 900.0}]}
        assert database("high-availability", changes=late, config=Config(thresholds={"postgresql.lag": "1h"})).status is PASS

    def test_an_operator_of_this_cluster_is_believed_before(self) -> None:
        found = database("high-availability", changes={"standbys.rows": []}, world=multi_node())
        assert found.status is PASS


class TestArchive:
    FAILING: ClassVar[Object] = {"archiver": {"archived": 90, "failed": 7, "archived_ago": 9000.0, "failed_ago": 3.0, "failing": True}}

    def test_a_failing_one_is_a_finding(self) -> None:
        found = database("backups", changes=self.FAILING)
        assert found.status is FAIL
        assert "7 failures" in found.message

    @pytest.mark.parametrize("changes", [{}, {"server.archive_mode": "off"}, {"server.recovery": True}, {"archiver": {"refused": "42501"}}])
    def test_a_working_one_is_no_backup_yet(self, changes: dict[str, Any]) -> None:
        assert database("backups", changes=changes).status is MANUAL
        if changes:
            assert database("backups", changes={**self.FAILING, **changes}).status is MANUAL

    def test_it_is_never_archived(self) -> None:
        found = database("backups", changes=self.FAILING | {"archiver.archived_ago": None, "archiver.archived": 0})
        assert "nothing was ever archived" in found.message


class TestDatabaseTls:
    @pytest.mark.parametrize(
        ("mode", "changes", "status"),
        [
            ("require", {}, PASS), ("require", {"tls": {"offered": False}}, FAIL), ("disable", {}, FAIL), ("prefer", {}, FAIL), ("verify-full", {}, PASS),
            ("verify-full", {"tls": {"offered": True, **handshake("unknown-authority")}}, UNKNOWN), ("verify-full", {"tls": {"offered": True, **handshake("expired")}}, FAIL),
            ("verify-full", {"tls": {"offered": True, **handshake("wrong-host")}}, FAIL), ("verify-ca", {"tls": {"offered": True, **handshake("wrong-host")}}, PASS),
            ("require", {"tls": {"offered": True, **handshake("self-signed")}}, PASS),
        ],
    )  # fmt: skip
    def test_by_mode_and_handshake(self, mode: str, changes: dict[str, Any], status: Status) -> None:
        assert database("tls", changes={"sslmode": mode, **changes}, world=external(sslmode=mode)).status is status

    def test_what_cannot_be_verified_is_said(self) -> None:
        found = database("tls", changes={"tls": {"offered": True, **handshake("self-signed")}})
        assert "could not be verified" in found.remark
        assert "in use" in found.message

    def test_a_certificate_that_ends_soon(self) -> None:
        found = database("tls", changes={"tls": {"offered": True, **handshake(not_after="2026-12-01T00:00:00+00:00")}})
        assert found.status is PASS
        assert "its certificate ends in 7 d" in found.remark

    def test_a_server_that_offers_it_needs_no_change(self) -> None:
        before = verdicts(external(sslmode="disable"), "postgresql/tls")["Release exivity/exivity#database"]
        after = database("tls", changes={"sslmode": "disable"}, world=external(sslmode="disable"))
        assert before.fix is not None
        assert after.fix is not None
        assert (before.fix.needs, after.fix.needs) == ("TLS at the server", None)


class TestLatency:
    @pytest.mark.parametrize(("median", "status"), [(0.0021, PASS), (0.01499, PASS), (0.015, FAIL), (0.2, FAIL)])
    def test_from_inside(self, median: float, status: Status) -> None:
        assert database("latency", changes={"latency.median": median}).status is status
        assert database("latency", changes={"latency.median": median}, world=multi_node()).status is status

    @pytest.mark.parametrize("path", ["laptop", "port-forward", ""])
    def test_from_elsewhere_it_is_shown(self, path: str) -> None:
        found = database("latency", changes={"latency.median": 0.2}, path=path)
        assert found.status is MANUAL
        assert "median 200.0 ms" in found.why
        assert database("latency", changes={"latency.median": 0.2}, path=path, world=multi_node()).status is PASS

    def test_too_few_round_trips_decide_nothing(self) -> None:
        assert database("latency", changes={"latency.trips": 29}).status is MANUAL


class TestRoom:
    def test_a_declared_disk(self) -> None:
        def room(size: str) -> Verdict:
            return database("storage-headroom", config=Config(declare=Declare(database_disk=size)))

        assert (room("100Gi").status, room("17Gi").status, room("12Gi").status) == (PASS, FAIL, FAIL)
        assert "a stand-in figure" in room("100Gi").message
        assert "a stand-in figure" in room("12Gi").remark

    def test_nothing_declared(self) -> None:
        found = database("storage-headroom")
        assert found.status is MANUAL
        assert "it counts 11Gi" in found.why

    def test_what_may_not_be_seen_is_said(self) -> None:
        found = database(
            "storage-headroom", changes={"log": {"refused": "42501"}, "sizes.unseen": 2}, config=Config(declare=Declare(database_disk="100Gi"))
        )
        assert "2 databases that the user may not see and the write-ahead log" in found.message

    def test_the_volume_of_an_instance(self) -> None:
        world = multi_node()
        for item in list(world.all("longhorn.io/Volume")):
            item["status"].pop("actualSize", None)
        probes = Probes(database=SEEN)
        found = verdicts(world, "postgresql/storage-headroom", usage=probes)
        assert {verdict.status for verdict in found.values()} == {PASS}
        assert all("a stand-in figure" in verdict.message for verdict in found.values())
        probes = Probes(database=changed(SEEN, {"sizes.databases": 40 * 2**30}))
        assert {verdict.status for verdict in verdicts(world, "postgresql/storage-headroom", usage=probes).values()} == {FAIL}


class TestDatabaseVersion:
    @pytest.mark.parametrize(("number", "status"), [(170006, PASS), (140018, FAIL), (90624, MANUAL), (None, MANUAL)])
    def test_by_its_own_word(self, number: int | None, status: Status) -> None:
        assert database("version", changes={"server.version": number}).status is status

    def test_an_image_is_believed_before(self) -> None:
        assert database("version", changes={"server.version": 140018}, world=multi_node()).status is PASS


RECEIVING = {"running": True, "state": "streaming", "bytes": 4096, "seconds": 0.4, "heard": 0.2}


class TestReplication:
    """The database of a passive site, outside the cluster at both."""

    def follows(self, changes: Mapping[str, Any], active: Mapping[str, Any] | None) -> Verdict:
        worlds = two_sites.pair()
        for name, seen in ((two_sites.ACTIVE, active), (two_sites.PASSIVE, {"server.recovery": True, "receiver": RECEIVING, **changes})):
            pg.lead_to(worlds[name], f"db.{name}.acme.eu")
            worlds[name].usage = Probes(database=changed(SEEN, seen)) if seen is not None else None
        found = pair_judged(worlds, checks=frozenset({"postgresql/replication"}))
        (verdict,) = next(one.verdicts for one in found.outcomes if one.site == two_sites.PASSIVE)
        return verdict

    @pytest.mark.parametrize(
        ("changes", "active", "status"),
        [
            ({"identity.system": "74"}, {"identity.system": "74"}, PASS), ({"identity.system": "75"}, {"identity.system": "74"}, FAIL), ({"identity.system": "74"}, {}, MANUAL),
            ({"identity.system": "74"}, None, MANUAL), ({"receiver.running": False}, {}, FAIL), ({"receiver.state": None}, {}, UNKNOWN), ({"server.recovery": False}, {}, MANUAL),
            ({"receiver": {"refused": "42501"}}, {}, MANUAL), ({"login.state": "login"}, {}, MANUAL),
            ({"identity.system": "74", "receiver.seconds": 1000.0}, {"identity.system": "74"}, WARN), ({"identity.system": "74", "receiver.state": "waiting"}, {"identity.system": "74"}, WARN),
        ],
    )  # fmt: skip
    def test_by_its_own_stream(self, changes: dict[str, Any], active: dict[str, Any] | None, status: Status) -> None:
        assert self.follows(changes, active).status is status


class TestBrokerReached:
    @pytest.mark.parametrize(
        ("state", "product", "inside", "laptop"),
        [
            ("open", "RabbitMQ", PASS, PASS), ("login", "RabbitMQ", PASS, PASS), ("no-right", "RabbitMQ", PASS, PASS), ("not-sent", "RabbitMQ", PASS, PASS),
            ("timeout", "RabbitMQ", PASS, PASS), ("no-vhost", "RabbitMQ", FAIL, FAIL), ("vhost-down", "RabbitMQ", FAIL, FAIL), ("timeout", "", FAIL, MANUAL),
            ("closed", "", FAIL, MANUAL), ("protocol", "", FAIL, MANUAL), ("no-tls", "", SKIP, SKIP), ("open", "another", MANUAL, MANUAL),
        ],
    )  # fmt: skip
    def test_by_the_end_of_the_login(self, state: str, product: str, inside: Status, laptop: Status) -> None:
        changes = {"login.state": state, "server.product": product}
        assert one("connectivity", changes=changes).status is inside
        assert one("connectivity", changes=changes, path="laptop").status is laptop

    @pytest.mark.parametrize(
        ("kind", "inside"), [("refused", FAIL), ("timeout", FAIL), ("unresolved", FAIL), ("forward", MANUAL), ("broken", MANUAL)]
    )
    def test_by_what_failed_on_the_way(self, kind: str, inside: Status) -> None:
        assert one("connectivity", broken(kind)).status is inside
        assert one("connectivity", broken(kind), path="laptop").status is MANUAL
        assert one("connectivity", broken(kind), world=multi_node(), path="laptop").status is PASS

    def test_alarms(self) -> None:
        node = MANAGED["nodes"][0]
        memory = {"management": MANAGED | {"alarm": True, "nodes": [node | {"memory_alarm": True}]}}
        found = one("connectivity", changes=memory)
        assert found.status is FAIL
        assert "memory on mq-0" in found.message
        assert one("connectivity", changes={"management": MANAGED | {"alarm": True, "nodes": []}}).status is FAIL
        assert one("connectivity", changes={"management": MANAGED}).status is PASS
        assert one("connectivity", changes={"management": {"state": "login"}}).status is PASS

    def test_a_queue_with_no_replica_to_spare(self) -> None:
        found = one("connectivity", changes={"management": MANAGED | {"quorum_critical": True}})
        assert found.status is PASS
        assert "no replica to spare" in found.remark

    def test_figures_that_are_left_out_are_unknown(self) -> None:
        bare = {"management": {"state": "open", "nodes": [{"name": "mq-0"}]}}
        found = one("connectivity", changes=bare)
        shown = {evidence.path: evidence.value for evidence in found.evidence if evidence.read == "probe_rabbitmq"}
        assert (shown["management.connections"], shown["management.messages"]) == ("unknown", "unknown")


class TestBrokerLogin:
    @pytest.mark.parametrize(
        ("state", "status"), [("open", PASS), ("login", FAIL), ("no-right", FAIL), ("not-sent", PASS), ("mechanism", PASS), ("timeout", PASS)]
    )
    def test_by_its_end(self, state: str, status: Status) -> None:
        assert one("authentication", changes={"login.state": state}).status is status

    def test_a_shipped_value_is_the_finding_whatever_the_broker_says(self) -> None:
        world = mq.configured(mq.on_external(multi_node()), BROKER, user="user", password="pass")
        assert one("authentication", world=world).status is FAIL

    @pytest.mark.parametrize(
        ("name", "state", "path", "status"),
        [
            ("guest", "refused", "in-cluster", PASS), ("guest", "accepted", "in-cluster", FAIL), ("guest", "accepted", "laptop", FAIL), ("guest", "accepted", "port-forward", UNKNOWN),
            ("user", "accepted", "port-forward", FAIL), ("user", "timeout", "in-cluster", UNKNOWN), ("user", "not-sent", "laptop", UNKNOWN),
        ],
    )  # fmt: skip
    def test_shipped_logins(self, name: str, state: str, path: str, status: Status) -> None:
        found = broker("authentication", changes={"defaults": {name: state}}, path=path)
        about = next(verdict for subject, verdict in found.items() if subject.endswith(f" {name}"))
        assert about.status is status
        assert found["Release exivity/exivity"].status is PASS


class TestBrokerTls:
    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({}, PASS), ({"tls": handshake("self-signed")}, PASS), ({"tls": handshake("expired", not_after="2026-11-01T00:00:00+00:00")}, FAIL),
            ({"tls": handshake(not_after="2026-12-01T00:00:00+00:00")}, WARN), ({"tls": {}, "login.state": "no-tls"}, FAIL), ({"tls": {}, "login.state": "timeout"}, PASS),
        ],
    )  # fmt: skip
    def test_by_the_handshake(self, changes: dict[str, Any], status: Status) -> None:
        assert one("tls", changes=changes).status is status

    def test_plaintext_stays_what_it_is(self) -> None:
        world = mq.on_external(multi_node(), port=5672, secure=False)
        assert one("tls", changes={"secure": False, "tls": {}}, world=world).status is FAIL

    def test_a_port_that_looked_like_plaintext_speaks_tls(self) -> None:
        world = mq.on_external(multi_node(), port=5672)
        assert next(iter(verdicts(world, "rabbitmq/tls").values())).status is WARN
        assert one("tls", world=world).status is PASS


class TestQueues:
    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({}, PASS), ({"classic": 1, "classic_names": ["TRANSFORM"]}, WARN), ({"unknown": 2, "quorum": 3}, MANUAL), ({"whole": False}, MANUAL), ({"count": 0, "quorum": 0}, MANUAL),
            ({"quorum": 3, "stream": 2}, PASS),
        ],
    )  # fmt: skip
    def test_by_what_is_there(self, changes: dict[str, Any], status: Status) -> None:
        assert one("queues", changes={"management": MANAGED | {"queues": MANAGED["queues"] | changes}}).status is status

    def test_a_default_that_came_too_late(self) -> None:
        classic = {"management": MANAGED | {"queues": MANAGED["queues"] | {"classic": 5, "quorum": 0, "classic_names": ["REPORT"]}}}
        assert one("queues", changes=classic, world=multi_node()).status is WARN

    def test_without_the_api(self) -> None:
        assert one("queues").status is MANUAL


class TestBrokerVersion:
    @pytest.mark.parametrize(("version", "status"), [("4.3.1", PASS), ("3.10.8", FAIL), ("", MANUAL), ("unknown", MANUAL)])
    def test_by_its_own_word(self, version: str, status: Status) -> None:
        found = one("version", changes={"server.version": version}, config=Config(declare=Declare(rabbitmq=BrokerIntent(managed=True))))
        assert found.status is status


@pytest.mark.parametrize(
    ("path", "value"),
    [("login", "open"), ("login.state", 7), ("standbys.rows", {}), ("latency.median", "soon"), ("tls.certificate.not_after", "never"), ("server.version", "17"), ("tls.certificate.hosts", "all")],
)  # fmt: skip
def test_a_malformed_record_counts_for_nothing(path: str, value: Any) -> None:
    probes = Probes(database=changed(SEEN, {path: value}))
    for slug in DATABASE:
        plain, found = (verdicts(external(), f"postgresql/{slug}", usage=usage) for usage in (None, probes))
        assert [verdict.status for verdict in found.values()] == [verdict.status for verdict in plain.values()], slug
