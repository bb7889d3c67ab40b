"""The row postgresql, check by check: each passing, failing, unknown and not applicable, on each kind of database."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from exivity_audit import chart
from exivity_audit.acceptance import Attestation
from exivity_audit.config import Config, Declare, thresholds_of
from exivity_audit.evaluate import evaluate
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.selection import reads_needed
from exivity_audit.verdict import Status, Verdict
from tests.builders import made, multi_node, single_node, stamp
from tests.judging import site_of, snapshot_of
from tests.mutation import drop, put
from tests.mutations.postgresql import BACKUP, by_hand, condition, old_backups
from tests.products import postgresql as pg
from tests.world import World

FAIL, WARN, PASS, SKIP, UNKNOWN, MANUAL = Status.FAIL, Status.WARN, Status.PASS, Status.SKIP, Status.UNKNOWN, Status.MANUAL
PACK, LIFECYCLE = own_pack(), load_lifecycle(None)
ROW = "postgresql/"
CLUSTER, RELEASE, EMBEDDED = "Cluster databases/pg", "Release exivity/exivity#database", "StatefulSet exivity/exivity-postgresql"
CNPG = "clusters.postgresql.cnpg.io"
EVALUATION = Config(purpose="evaluation")
Change = Callable[[Any], Any]


def judged(world: World, slug: str, *, config: Config | None = None, attestations: Any = (), **where: Any) -> tuple[Verdict, ...]:
    """The verdicts of one check, on what it reads alone."""
    config, selected = config or Config(), frozenset({ROW + slug})
    found = evaluate(
        snapshot_of(site_of(world, wanted={*reads_needed(PACK, selected), "nodes"}, **where)), PACK, config, selected=selected, attestations=attestations,
        thresholds=thresholds_of(config, PACK.thresholds, None), lifecycle=LIFECYCLE,
    )  # fmt: skip
    return found.outcomes[0].verdicts


def changed(*changes: Change, base: Callable[[], World] = multi_node) -> World:
    world = base()
    for change in changes:
        change(world)
    return world


def one(slug: str, *changes: Change, base: Callable[[], World] = multi_node, **rest: Any) -> Verdict:
    """The only verdict of a check on a changed cluster."""
    (found,) = judged(changed(*changes, base=base), slug, **rest)
    return found


def by_subject(slug: str, *changes: Change, base: Callable[[], World] = multi_node, **rest: Any) -> dict[str, Verdict]:
    return {str(verdict.subject or ""): verdict for verdict in judged(changed(*changes, base=base), slug, **rest)}


def deny(*resources: str, namespace: str | None = None) -> Change:
    def change(world: World) -> None:
        world.deny = lambda resource, place, name: resource in resources and namespace in (None, place)

    return change


def single_embedded(c: Any) -> None:
    pg.embedded(c, node_name="only", class_name="local-path")


def cluster(path: str, value: Any) -> Change:
    return lambda c: c.edit("Cluster", "pg", put(path, value), "databases")


def host(name: str, **parameters: Any) -> Change:
    return lambda c: pg.lead_to(c, name, **parameters)


def follower(c: Any) -> None:
    cluster("spec.replica", {"primary": "ams", "source": "ams", "self": "pg"})(c)


EVERY = ("deployment", "reachable", "high-availability", "backups", "backup-target", "tls", "latency", "version")


@pytest.mark.parametrize("slug", EVERY)
def test_the_conforming_cluster_passes(slug: str) -> None:
    found = one(slug)
    assert (str(found.subject), found.status) == (CLUSTER, PASS)
    assert found.evidence


@pytest.mark.parametrize("slug", EVERY)
def test_an_external_database_is_seen_or_attested(slug: str) -> None:
    found = one(slug, pg.external)
    assert (str(found.subject), found.status) == (RELEASE, PASS if slug in ("deployment", "tls") else MANUAL)


@pytest.mark.parametrize("slug", EVERY)
def test_nothing_is_known_without_the_configuration(slug: str) -> None:
    assert {verdict.status for verdict in judged(changed(deny("configmaps")), slug, namespace="exivity", release="exivity")} == {UNKNOWN}


@pytest.mark.parametrize("slug", [slug for slug in EVERY if slug != "reachable"])
def test_a_host_that_leads_nowhere_is_one_finding(slug: str) -> None:
    found = one(slug, host("nowhere.databases.svc"))
    assert (found.status, found.follows) == (SKIP, "postgresql/reachable")


@pytest.mark.parametrize("slug", EVERY)
def test_a_passive_site_that_restores_later(slug: str) -> None:
    assert one(slug, role="passive").status is SKIP
    assert one(slug, host("nowhere"), role="passive").status is SKIP


@pytest.mark.parametrize("slug", ["deployment", "reachable", "high-availability", "tls", "version"])
def test_a_replica_cluster_at_the_passive_site_is_judged(slug: str) -> None:
    assert one(slug, follower, role="passive").status is PASS


@pytest.mark.parametrize("slug", ["deployment", "high-availability", "backups", "backup-target"])
def test_the_operator_out_of_sight_is_unknown(slug: str) -> None:
    found = judged(changed(deny(CNPG)), slug)
    assert {verdict.status for verdict in found} == {UNKNOWN}
    assert any(CNPG in need for verdict in found for need in verdict.needs)


class TestDeployment:
    def test_embedded(self) -> None:
        found = one("deployment", pg.embedded)
        assert (str(found.subject), found.status) == (EMBEDDED, FAIL)
        assert "postgresql-17.0.2" in found.message
        assert one("deployment", single_embedded, base=single_node).status is WARN

    def test_embedded_by_its_label_or_by_its_image(self) -> None:
        assert one("deployment", lambda c: pg.embedded(c, image="registry.corp/a/b:1")).status is FAIL
        assert one("deployment", lambda c: pg.embedded(c, chart_label="")).status is FAIL
        other = one("deployment", lambda c: pg.embedded(c, chart_label="", image="docker.io/library/postgres:17"))
        assert other.status is WARN

    def test_the_same_chart_installed_by_itself_is_not_the_embedded_one(self) -> None:
        def change(c: Any) -> None:
            pg.embedded(c)
            for kind, path in (("StatefulSet", "metadata.name"), ("Service", "metadata.name")):
                c.edit(kind, "exivity-postgresql", put(path, "db-postgresql"))
            item = c.find("StatefulSet", "db-postgresql")
            item["metadata"]["labels"][chart.INSTANCE_LABEL] = "db"
            item["metadata"]["annotations"] = {chart.HELM_RELEASE: "db"}
            pg.lead_to(c, "db-postgresql")

        assert one("deployment", change).status is WARN

    def test_evaluation_accepts_it(self) -> None:
        assert one("deployment", pg.embedded, config=EVALUATION).status is WARN

    def test_another_database_of_the_cluster(self) -> None:
        found = one("deployment", by_hand)
        assert (str(found.subject), found.status) == ("StatefulSet db/postgres", WARN)

    def test_its_namespace_out_of_sight(self) -> None:
        assert {verdict.status for verdict in judged(changed(by_hand, deny("statefulsets.apps", namespace="db")), "deployment")} == {UNKNOWN}
        assert {verdict.status for verdict in judged(changed(by_hand, deny("services", namespace="db")), "deployment")} == {UNKNOWN}

    def test_a_cluster_is_known_by_its_name_where_services_are_forbidden(self) -> None:
        assert one("deployment", deny("services", namespace="databases")).status is PASS

    def test_the_broker_s_namespace_does_not_matter(self) -> None:
        assert one("deployment", deny("services", "pods", "statefulsets.apps", namespace="rabbitmq")).status is PASS

    def test_a_service_that_leads_outside(self) -> None:
        def change(c: Any) -> None:
            c.add(made("v1", "Service", "db", "exivity", spec={"ports": [{"port": 5432}]}))
            c.add(made("discovery.k8s.io/v1", "EndpointSlice", "db-1", "exivity", metadata={"labels": {"kubernetes.io/service-name": "db"}},
                       ports=[{"port": 5432}], endpoints=[{"addresses": ["192.0.2.9"], "conditions": {"ready": True}}]))  # fmt: skip
            pg.lead_to(c, "db")

        found = one("deployment", change)
        assert (found.status, "192.0.2.9" in found.message) == (PASS, True)
        assert one("reachable", change).status is MANUAL

    def test_a_service_that_leads_to_another_by_its_address(self) -> None:
        def change(c: Any) -> None:
            by_hand(c)
            c.edit("Service", "postgres", put("spec.clusterIP", "10.43.9.9"), "db")
            c.add(made("v1", "Service", "front", "db", spec={"clusterIP": "None", "ports": [{"port": 5432}]}))
            c.add(made("discovery.k8s.io/v1", "EndpointSlice", "front-1", "db", metadata={"labels": {"kubernetes.io/service-name": "front"}},
                       ports=[{"port": 5432}], endpoints=[{"addresses": ["10.43.9.9"], "conditions": {"ready": True}}]))  # fmt: skip
            pg.lead_to(c, "front.db.svc")

        assert str(one("deployment", change).subject) == "StatefulSet db/postgres"
        assert one("reachable", change).status is PASS

    def test_a_patroni_service_without_a_selector_is_in_the_cluster(self) -> None:
        def change(c: Any) -> None:
            by_hand(c)
            c.edit("Service", "postgres", drop("spec.selector"), "db")

        found = one("deployment", change)
        assert (str(found.subject), found.status) == ("StatefulSet db/postgres", WARN)


class TestReachable:
    @pytest.mark.parametrize("name", [
        "pg-rw.databases", "pg-rw.databases.svc", "pg-rw.databases.svc.cluster.local", "PG-RW.databases.svc.cluster.local.", "10.43.7.7", "db", "pool.databases.svc",
    ])  # fmt: skip
    def test_every_way_to_write_it(self, name: str) -> None:
        def change(c: Any) -> None:
            c.edit("Service", "pg-rw", put("spec.clusterIP", "10.43.7.7"), "databases")
            c.add(made("v1", "Service", "db", "exivity", spec={"type": "ExternalName", "externalName": "pg-rw.databases.svc.cluster.local"}))
            c.add(
                made(
                    "v1",
                    "Service",
                    "pool",
                    "databases",
                    metadata={"labels": {"cnpg.io/cluster": "pg"}},
                    spec={"selector": {"cnpg.io/poolerName": "pool"}, "ports": [{"port": 5432}]},
                )
            )
            c.add(pg.endpoints("pool", "databases", [("pool-1", "worker-1", "10.42.10.90")], port="pgbouncer"))
            c.add(made("postgresql.cnpg.io/v1", "Pooler", "pool", "databases", spec={"cluster": {"name": "pg"}, "instances": 1, "type": "rw"}))
            pg.lead_to(c, name)

        if name == "10.43.7.7":
            world = changed(change)
            world.edit("ConfigMap", "exivity-config-use", lambda item: None)
            found = judged(world, "reachable")
            assert [verdict.status for verdict in found] == [MANUAL]  # an address of a namespace that nothing names is not looked up
            return
        assert one("reachable", change).status is PASS

    @pytest.mark.parametrize(("name", "fix"), [("pg-ro.databases.svc", "pg-rw.databases.svc"), ("pg-r.databases.svc", "pg-rw.databases.svc")])
    def test_services_that_take_no_writes(self, name: str, fix: str) -> None:
        found = one("reachable", host(name))
        assert (found.status, found.fix.values) == (FAIL, (("postgresql.host", fix),))  # type: ignore[union-attr]

    def test_a_pooler_of_the_standbys_and_one_out_of_sight(self) -> None:
        def change(c: Any) -> None:
            c.add(
                made(
                    "v1",
                    "Service",
                    "pool",
                    "databases",
                    spec={"selector": {"cnpg.io/poolerName": "pool"}, "ports": [{"port": 5432}]},
                    metadata={"labels": {"cnpg.io/cluster": "pg"}},
                )
            )
            c.add(pg.endpoints("pool", "databases", [("pool-1", "worker-1", "10.42.10.90")], port="pgbouncer"))
            c.add(made("postgresql.cnpg.io/v1", "Pooler", "pool", "databases", spec={"cluster": {"name": "pg"}, "instances": 1, "type": "ro"}))
            pg.lead_to(c, "pool.databases.svc")

        assert one("reachable", change).status is FAIL
        assert one("reachable", change, deny("poolers.postgresql.cnpg.io")).status is UNKNOWN

    def test_a_replica_cluster_takes_no_writes(self) -> None:
        assert one("reachable", follower).status is FAIL

    @pytest.mark.parametrize("name", ["nowhere", "pg-rw.database.svc", "pg.databases.svc.cluster.local", ""])
    def test_nothing_of_that_name(self, name: str) -> None:
        assert one("reachable", host(name)).status is FAIL

    def test_the_trap_of_the_name_override(self) -> None:
        def change(c: Any) -> None:
            pg.embedded(c)
            pg.lead_to(c, "billing-postgresql")

        found = one("reachable", change, base=lambda: multi_node(name_override="billing"))
        assert (found.status, found.fix.values) == (FAIL, (("postgresql.host", "exivity-postgresql"),))  # type: ignore[union-attr]
        assert "nameOverride" in found.message

    def test_a_service_without_endpoints(self) -> None:
        gone = lambda c: c.remove("EndpointSlice", "pg-rw-k9x2p")  # noqa: E731
        found = one("reachable", gone, cluster("metadata.annotations", {"cnpg.io/hibernation": "on"}))
        assert (found.status, "hibernated" in found.message) == (FAIL, True)
        assert {verdict.status for verdict in judged(changed(deny("endpointslices.discovery.k8s.io", namespace="databases")), "reachable")} == {
            UNKNOWN
        }

    def test_another_port(self) -> None:
        found = one(
            "reachable",
            host("pg-rw.databases.svc", port=6432),
            lambda c: c.edit("ConfigMap", "exivity-postgres-config", put("data.POSTGRES_PORT", "6432")),
        )
        assert (found.status, found.fix.values) == (FAIL, (("postgresql.port", 5432),))  # type: ignore[union-attr]

    def test_each_place_names_the_same(self) -> None:
        def elsewhere(name: str) -> Change:
            def change(item: Any) -> None:
                content = json.loads(item["data"]["config.json"])
                content["db"]["parameters"]["host"] = name
                item["data"]["config.json"] = json.dumps(content)

            return lambda c: c.edit("ConfigMap", "exivity-config-use", change)

        found = by_subject("reachable", elsewhere("pg-rw.other.svc"))
        assert {subject: verdict.status for subject, verdict in found.items()} == {CLUSTER: PASS, "ConfigMap exivity/exivity-config-use": FAIL}
        assert by_subject("reachable", elsewhere("pg-rw.databases.svc.cluster.local."))[CLUSTER].status is PASS

    def test_the_table_is_missing_but_a_service_names_it(self) -> None:
        assert one("reachable", lambda c: c.remove("ConfigMap", "exivity-postgres-config")).status is PASS

    def test_an_attestation_stands_for_the_connection(self) -> None:
        item = Attestation(ROW + "reachable", None, None, "psql answered", "J. Doe", "2026-11-20", "2027-05-20", None, ())
        assert one("reachable", pg.external, attestations=(item,)).status is PASS
        assert one("reachable", host("nowhere"), attestations=(item,)).status is FAIL


class TestHighAvailability:
    @pytest.mark.parametrize(("changes", "expected"), [
        ({"spec.instances": 1, "status.readyInstances": 1}, FAIL), ({"status.readyInstances": 1}, FAIL), ({"status.readyInstances": 2}, WARN),
        ({"spec.instances": 2, "status.readyInstances": 2}, PASS), ({"status.phase": "Cluster is unrecoverable and needs manual intervention"}, FAIL),
        ({"status.phase": "Switchover in progress"}, WARN), ({"metadata.annotations": {"cnpg.io/hibernation": "on"}}, FAIL),
        ({"metadata.annotations": {"cnpg.io/fencedInstances": '["pg-2"]'}}, WARN), ({"status": {}}, UNKNOWN), ({"spec.instances": "three"}, UNKNOWN),
    ])  # fmt: skip
    def test_the_cluster(self, changes: dict[str, Any], expected: Status) -> None:
        found = judged(changed(*(cluster(path, value) for path, value in changes.items())), "high-availability")
        assert {verdict.status for verdict in found} == {expected}

    def test_where_the_instances_are(self) -> None:
        def move(*numbers: int) -> Change:
            def change(c: Any) -> None:
                for number in numbers:
                    c.edit("Pod", f"pg-{number}", put("spec.nodeName", "worker-1"), "databases")

            return change

        assert one("high-availability", move(2, 3)).status is FAIL
        assert one("high-availability", move(2)).status is WARN
        assert {verdict.status for verdict in judged(changed(deny("pods", namespace="databases")), "high-availability")} == {UNKNOWN}

    def test_embedded_follows_and_one_node_is_out_of_scope(self) -> None:
        assert one("high-availability", pg.embedded).follows == "postgresql/deployment"
        assert one("high-availability", base=single_node).status is SKIP

    def test_a_database_made_by_hand(self) -> None:
        assert one("high-availability", by_hand).status is MANUAL
        assert one("high-availability", by_hand, lambda c: c.remove("Pod", "postgres-1")).status is FAIL

    def test_no_such_cluster(self) -> None:
        assert one("high-availability", lambda c: c.remove("Cluster", "pg")).follows == "postgresql/reachable"


class TestBackups:
    @pytest.mark.parametrize(("change", "words"), [
        (lambda c: None, "Barman Cloud plugin: last success 9 h 54 min ago, write-ahead log archived"),
        (pg.in_tree_backups, "in-tree object store: last success 9 h 54 min ago, write-ahead log archived"),
    ])  # fmt: skip
    def test_each_way_by_its_own_evidence(self, change: Change, words: str) -> None:
        found = one("backups", change)
        assert (found.status, words in found.message) == (PASS, True)

    def test_snapshots_alone(self) -> None:
        found = one("backups", pg.snapshot_backups)
        assert (found.status, found.measured) == (WARN, "volume snapshots alone")
        late = Config(declare=Declare(rpo="4h"))
        assert one("backups", pg.snapshot_backups, config=late).status is FAIL

    def test_the_store_alone_or_the_objects_alone_are_evidence(self) -> None:
        def no_objects(c: Any) -> None:
            for item in list(c.all(BACKUP)):
                c.remove(BACKUP, item["metadata"]["name"])

        no_status = lambda c: c.edit("ObjectStore", "pg-store", drop("status"))  # noqa: E731
        assert one("backups", no_objects).status is PASS
        assert one("backups", no_status).status is PASS
        found = one("backups", no_objects, no_status)
        assert (found.status, found.measured) == (FAIL, "no backup yet")
        assert one("backups", no_objects, deny("objectstores.barmancloud.cnpg.io")).status is UNKNOWN

    def test_the_server_s_own_name_in_the_store(self) -> None:
        def rename(c: Any) -> None:
            old_backups(c)
            c.edit("Cluster", "pg", put("spec.plugins.0.parameters.serverName", "pg-new"))
            c.edit(
                "ObjectStore",
                "pg-store",
                put("status.serverRecoveryWindow.pg-new", {"firstRecoverabilityPoint": stamp(9), "lastSuccessfulBackupTime": stamp(0.2)}),
            )

        assert one("backups", rename).status is PASS

    @pytest.mark.parametrize(("schedule", "days", "expected"), [
        ("0 0 2 * * *", 1.9, PASS), ("0 0 2 * * *", 2.1, FAIL), ("0 0 2 * * 0", 13, PASS), ("0 0 2 * * 0", 15, FAIL), ("nonsense", 7.9, PASS), ("nonsense", 8.1, FAIL), ("@every 12h", 1.1, FAIL),
    ])  # fmt: skip
    def test_two_intervals_of_the_schedule(self, schedule: str, days: float, expected: Status) -> None:
        def change(c: Any) -> None:
            old_backups(c)
            c.edit("ScheduledBackup", "pg-daily", put("spec.schedule", schedule))
            c.edit("ObjectStore", "pg-store", put("status.serverRecoveryWindow.pg.lastSuccessfulBackupTime", stamp(days)))

        assert one("backups", change).status is expected

    def test_schedules(self) -> None:
        suspend = lambda c: c.edit("ScheduledBackup", "pg-daily", put("spec.suspend", True))  # noqa: E731
        found = one("backups", suspend)
        assert (found.status, "`spec.suspend: false` on ScheduledBackup pg-daily" in found.fix.text) == (FAIL, True)  # type: ignore[union-attr]
        method = one("backups", lambda c: c.edit("ScheduledBackup", "pg-daily", drop("spec.method")))
        assert (method.status, "asks for barmanObjectStore" in method.message) == (FAIL, True)
        assert one("backups", lambda c: c.remove("ScheduledBackup", "pg-daily")).status is FAIL
        assert {verdict.status for verdict in judged(changed(deny("scheduledbackups.postgresql.cnpg.io")), "backups")} == {UNKNOWN}
        other = pg.schedule() | {"metadata": {"name": "other", "namespace": "databases"}}
        other["spec"]["cluster"]["name"] = "another"
        assert one("backups", lambda c: c.remove("ScheduledBackup", "pg-daily"), lambda c: c.add(other)).status is FAIL

    def test_the_archive(self) -> None:
        assert one("backups", condition("ContinuousArchiving", "False")).status is FAIL
        silent = lambda c: c.edit("Cluster", "pg", put("status.conditions", []))  # noqa: E731
        assert one("backups", silent).status is UNKNOWN

    def test_a_newer_attempt_that_failed_is_told(self) -> None:
        change = lambda c: c.edit("ObjectStore", "pg-store", put("status.serverRecoveryWindow.pg.lastFailedBackupTime", stamp(0.1)))  # noqa: E731
        assert "failed" in one("backups", change).remark

    def test_no_backup_at_all(self) -> None:
        assert one("backups", pg.without_backups).measured == "none"
        assert one("backups", pg.without_backups, lambda c: c.add(pg.dump_job())).status is PASS

    def test_embedded(self) -> None:
        assert one("backups", pg.embedded).status is FAIL
        assert one("backups", pg.embedded, lambda c: c.add(pg.dump_job())).status is PASS
        assert one("backups", pg.embedded, lambda c: c.add(pg.dump_job(hours=27))).status is FAIL
        assert {verdict.status for verdict in judged(changed(pg.embedded, deny("cronjobs.batch")), "backups")} == {UNKNOWN}
        assert one("backups", pg.embedded, config=EVALUATION).status is WARN
        assert one("backups", single_embedded, base=single_node, config=EVALUATION).status is PASS
        assert one("backups", condition("ContinuousArchiving", "False"), config=EVALUATION).status is FAIL

    def test_a_cronjob_that_does_something_else(self) -> None:
        job = pg.dump_job("clean-up")
        job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0] |= {"image": "alpine:3", "command": ["sh", "-c", "rm -rf /tmp/*"]}
        assert one("backups", pg.embedded, lambda c: c.add(job)).status is FAIL

    def test_another_operator_s_backups_are_attested(self) -> None:
        assert one("backups", by_hand).status is MANUAL
        assert one("backups", by_hand, lambda c: c.add(pg.dump_job("pg-dump", "db"))).status is PASS


class TestBackupTarget:
    @pytest.mark.parametrize(("endpoint", "expected"), [
        ("https://s3.eu-1.acme.eu", PASS), (None, PASS), ("http://minio:9000", WARN), ("http://minio.storage.svc:9000", WARN),
        ("http://minio.storage:9000", WARN), ("https://minio.corp", PASS), ("https://10.1.2.3:9000", PASS),
    ])  # fmt: skip
    def test_off_the_cluster(self, endpoint: str | None, expected: Status) -> None:
        def change(c: Any) -> None:
            c.add(made("v1", "Namespace", "storage"))
            c.edit("ObjectStore", "pg-store", put("spec.configuration.endpointURL", endpoint) if endpoint else drop("spec.configuration.endpointURL"))

        assert one("backup-target", change).status is expected

    def test_a_namespace_that_may_not_be_read(self) -> None:
        change = lambda c: c.edit("ObjectStore", "pg-store", put("spec.configuration.endpointURL", "http://minio.storage:9000"))  # noqa: E731

        def hide(c: World) -> None:
            c.deny = lambda resource, namespace, name: (resource, name) == ("namespaces", "storage")

        assert one("backup-target", change, hide).status is UNKNOWN

    def test_retention(self) -> None:
        assert one("backup-target", lambda c: c.edit("ObjectStore", "pg-store", drop("spec.retentionPolicy"))).status is WARN
        assert one("backup-target", pg.in_tree_backups).status is PASS
        assert one("backup-target", pg.in_tree_backups, lambda c: c.edit("Cluster", "pg", drop("spec.backup.retentionPolicy"))).status is WARN

    def test_dumps(self) -> None:
        assert one("backup-target", pg.embedded).follows == "postgresql/backups"
        assert one("backup-target", pg.embedded, lambda c: c.add(pg.dump_job(claim="exivity-backup"))).status is WARN
        assert one("backup-target", pg.embedded, lambda c: c.add(pg.dump_job())).status is MANUAL

    def test_the_others(self) -> None:
        assert one("backup-target", pg.snapshot_backups).status is WARN
        assert one("backup-target", by_hand).status is MANUAL
        assert one("backup-target", lambda c: c.remove("ObjectStore", "pg-store")).status is FAIL
        assert one("backup-target", deny("objectstores.barmancloud.cnpg.io")).status is UNKNOWN

    def test_another_plugin_s_store_is_attested(self) -> None:
        change = lambda c: c.edit("Cluster", "pg", put("spec.plugins.0.name", "pgbackrest.acme.eu"))  # noqa: E731
        bare = lambda c: c.edit("Cluster", "pg", drop("spec.plugins.0.parameters"))  # noqa: E731
        assert one("backup-target", change, bare).status is MANUAL
        assert one("backups", change, bare).status is PASS

    def test_no_secret_of_a_url_is_kept(self) -> None:
        secret = "https://user:hunter2@s3.acme.eu/x?signature=hunter2"
        change = lambda c: c.edit("ObjectStore", "pg-store", put("spec.configuration", {"destinationPath": secret, "endpointURL": secret}))  # noqa: E731
        site = site_of(changed(change))
        kept = json.dumps([record.objects for record in site.reads])
        assert "hunter2" not in kept
        assert "https://s3.acme.eu/x" in kept


class TestTls:
    @pytest.mark.parametrize(("mode", "expected"), [
        ("require", PASS), ("verify-ca", PASS), ("verify-full", PASS), ("prefer", FAIL), ("allow", FAIL), ("disable", FAIL), ("", FAIL), ("REQUIRE", FAIL),
    ])  # fmt: skip
    def test_modes(self, mode: str, expected: Status) -> None:
        assert one("tls", host("pg-rw.databases.svc", sslmode=mode)).status is expected
        assert one("tls", host("db.acme.eu", sslmode=mode), base=single_node).status is expected

    def test_in_the_cluster_of_one_node_it_warns(self) -> None:
        assert one("tls", single_embedded, host("exivity-postgresql", sslmode=""), base=single_node).status is WARN
        assert one("tls", single_embedded, host("exivity-postgresql", sslmode=""), base=multi_node).status is FAIL

    def test_a_place_that_is_worse_has_its_own_verdict(self) -> None:
        def change(item: Any) -> None:
            content = json.loads(item["data"]["config.json"])
            del content["db"]["parameters"]["sslmode"]
            item["data"]["config.json"] = json.dumps(content)

        found = by_subject("tls", lambda c: c.edit("ConfigMap", "exivity-config-use", change))
        assert {subject: verdict.status for subject, verdict in found.items()} == {CLUSTER: PASS, "ConfigMap exivity/exivity-config-use": FAIL}

    def test_an_external_one_that_cannot(self) -> None:
        item = Attestation(ROW + "tls", None, None, "not supported", "J. Doe", "2026-11-20", "2027-05-20", None, ())
        assert one("tls", host("db.acme.eu", sslmode="disable"), attestations=(item,)).attestation == item
        assert one("tls", host("pg-rw.databases.svc", sslmode="disable"), attestations=(item,)).status is FAIL


class TestLatency:
    def test_in_one_region(self) -> None:
        assert "region eu-1" in one("latency").message
        assert "only node" in one("latency", single_embedded, base=single_node).message

    def test_regions(self) -> None:
        label = "metadata.labels.topology\\.kubernetes\\.io/region"
        assert one("latency", lambda c: c.edit("Node", "worker-1", put(label, "eu-2"))).status is MANUAL
        assert one("latency", lambda c: c.edit("Node", "worker-1", drop(label))).status is MANUAL
        assert {verdict.status for verdict in judged(changed(deny("nodes")), "latency", config=Config(scenario="multi-node"))} == {UNKNOWN}


class TestVersion:
    def image(self, tag: str) -> Change:
        def change(c: Any) -> None:
            for number in (1, 2, 3):
                c.edit("Pod", f"pg-{number}", put("spec.containers.0.image", tag), "databases")

        return change

    @pytest.mark.parametrize(("tag", "expected"), [
        ("ghcr.io/cloudnative-pg/postgresql:16.4-standard-trixie", PASS), ("registry.corp:5000/pg/postgresql:13.22", FAIL), ("x/postgresql:12", FAIL), ("x/postgresql:31.1", UNKNOWN),
    ])  # fmt: skip
    def test_the_running_image(self, tag: str, expected: Status) -> None:
        assert one("version", self.image(tag)).status is expected

    def test_an_image_by_digest_leaves_it_to_the_operator(self) -> None:
        assert "PostgreSQL 17" in one("version", self.image("ghcr.io/cloudnative-pg/postgresql@sha256:0a1b")).message

    def test_the_oldest_instance_counts(self) -> None:
        change = lambda c: c.edit("Pod", "pg-3", put("spec.containers.0.image", "x/postgresql:13.1"), "databases")  # noqa: E731
        assert one("version", change).status is FAIL

    def test_the_embedded_label_misleads(self) -> None:
        found = one("version", pg.embedded)
        assert found.status is FAIL
        assert found.measured == "14"
        assert "its label says 17.6.0" in found.remark

    def test_no_release_in_the_name(self) -> None:
        assert one("version", lambda c: pg.embedded(c, image="registry.corp/mirror/database:stable")).status is UNKNOWN


@pytest.mark.parametrize(("text", "hours"), [
    ("0 0 2 * * *", 24), ("0 0 2 * * 0", 168), ("0 30 1 * *", 24), ("@daily", 24), ("@every 6h", 6), ("0 0 */6 * * *", 6), ("0 0 1 1,15 * *", 17 * 24), ("0 0 0 30 2 *", None), ("", None), ("* * *", None),
    ("0 0 25 * * *", None), ("0 0 2 * * mon-fri", 72),
])  # fmt: skip
def test_intervals_of_six_fields(text: str, hours: float | None) -> None:
    from exivity_audit.cron import cron_interval

    found = cron_interval(text, seconds_first=True)
    assert (None if found is None else found / 3600) == hours
