"""Row backups: the restore test, the ledger, jobs and schedules, targets, the age of copies, the database beside its volumes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from exivity_audit.config import Config, Declare, thresholds_of
from exivity_audit.evaluate import evaluate
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.selection import reads_needed
from exivity_audit.verdict import Status, Verdict
from tests.builders import made, multi_node, single_node, stamp
from tests.faults.siblings import Disguised
from tests.judging import judged, site_of, snapshot_of
from tests.mutation import drop, put
from tests.products import backups, postgresql
from tests.world import Object, World

PACK = own_pack()
IMPORT, REPORT = "PersistentVolumeClaim exivity/exivity-import", "PersistentVolumeClaim exivity/exivity-report"
DATABASE, DATA, SECRETS, LOGS = (f"Release exivity/exivity#{part}" for part in ("database", "data", "secrets", "logs"))
VOLUME = "pvc-exivity-import"
FAIL, PASS, WARN, SKIP, UNKNOWN, MANUAL = Status.FAIL, Status.PASS, Status.WARN, Status.SKIP, Status.UNKNOWN, Status.MANUAL


def found(world: World, check: str, config: Config | None = None, **where: Any) -> dict[str, Verdict]:
    """The verdicts of one check by subject, on what it asks for alone."""
    check = check if "/" in check else f"backups/{check}"
    config, chosen = config or Config(), frozenset({check})
    site = site_of(world, wanted=reads_needed(PACK, chosen), **where)
    thresholds = thresholds_of(config, PACK.thresholds, None)
    judgement = evaluate(snapshot_of(site), PACK, config, selected=chosen, thresholds=thresholds, lifecycle=load_lifecycle(None))
    return {str(verdict.subject or ""): verdict for verdict in judgement.outcomes[0].verdicts}


def one(world: World, check: str, subject: str = IMPORT, **rest: Any) -> Verdict:
    return found(world, check, **rest)[subject]


def denied(world: World, *resources: str) -> World:
    world.deny = lambda resource, namespace, name: resource in resources
    return world


def labelled(world: World, **labels: str) -> World:
    """Longhorn's labels on the volume of import."""
    marks = {f"{key.replace('_', '-')}.longhorn.io/{value}": "enabled" for key, value in labels.items()}
    world.edit("longhorn.io/Volume", VOLUME, put("metadata.labels", marks))
    return world


def scheduled(world: World, path: str, value: Any) -> World:
    world.edit("velero.io/Schedule", backups.SCHEDULE, put(path, value))
    return world


@pytest.mark.parametrize(("base", "manual"), [(multi_node, {"ledger"}), (single_node, {"ledger", "restore-test", "not-volumes-alone"})])
def test_conforming_clusters_have_no_finding(base: Any, manual: set[str]) -> None:
    statuses = {item.check.slug: item.status for item in judged(base()).outcomes if item.check.row == "backups"}
    assert {slug for slug, status in statuses.items() if status is MANUAL} == manual
    assert set(statuses.values()) <= {PASS, MANUAL}
    assert list(statuses) == ["restore-test", "ledger", "recurring-jobs", "target-available", "recent", "not-volumes-alone"]


def test_a_passive_site_is_judged_by_its_target_alone() -> None:
    for slug in ("restore-test", "ledger", "recurring-jobs", "recent", "not-volumes-alone"):
        assert {verdict.status for verdict in found(multi_node(), slug, role="passive").values()} == {SKIP}
    world = single_node()
    world.edit("velero.io/BackupStorageLocation", "default", put("spec.accessMode", "ReadOnly"))
    config = Config(scenario="multi-site")
    where = "BackupStorageLocation velero/default"
    assert one(world, "target-available", where, role="passive", config=config).status is PASS
    assert one(world, "target-available", where).status is FAIL


# recurring-jobs


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, PASS), ({"recurring_job_group": "default"}, PASS), ({"recurring_job_group": "other"}, FAIL), ({"recurring_job": "backup-daily"}, FAIL),
    ],
)  # fmt: skip
def test_labels_decide_which_jobs_reach_a_volume(labels: dict[str, str], expected: Status) -> None:
    verdict = one(labelled(multi_node(), **labels), "recurring-jobs")
    assert verdict.status is expected
    if labels.get("recurring_job"):
        assert "no snapshot job" in verdict.message
        assert "no backup job" not in verdict.message


def test_a_label_that_is_not_enabled_keeps_jobs_away() -> None:
    world = multi_node()
    world.edit("longhorn.io/Volume", VOLUME, put("metadata.labels", {"recurring-job-group.longhorn.io/default": "disabled"}))
    assert one(world, "recurring-jobs").status is FAIL


@pytest.mark.parametrize("task", ["snapshot-cleanup", "snapshot-delete", "filesystem-trim", "system-backup"])
def test_tasks_that_copy_nothing_do_not_count(task: str) -> None:
    world = multi_node()
    world.edit("longhorn.io/RecurringJob", "backup-daily", put("spec.task", task))
    assert "no backup job" in one(world, "recurring-jobs").message
    world.edit("longhorn.io/RecurringJob", "backup-daily", put("spec.task", "backup-force-create"))
    assert one(world, "recurring-jobs").status is PASS


def test_what_the_claim_and_its_class_ask_for_is_shown() -> None:
    world = labelled(multi_node(), recurring_job_group="other")
    world.edit("PersistentVolumeClaim", "exivity-import", put("metadata.labels.recurring-job-group\\.longhorn\\.io/default", "enabled"))
    world.edit("StorageClass", "longhorn", put("parameters.recurringJobSelector", '[{"name":"exivity","isGroup":true}]'))
    message = one(world, "recurring-jobs").message
    assert "its class names group exivity" in message
    assert "recurring-job.longhorn.io/source: enabled" in message


def test_a_cron_that_never_runs_is_no_job() -> None:
    world = multi_node()
    world.edit("longhorn.io/RecurringJob", "backup-daily", put("spec.cron", "0 0 31 2 *"))
    assert "backup-daily never runs" in one(world, "recurring-jobs").message


@pytest.mark.parametrize("resource", ["recurringjobs.longhorn.io", "volumes.longhorn.io", "schedules.velero.io"])
def test_jobs_that_are_not_seen_are_not_ruled_out(resource: str) -> None:
    world = denied(labelled(multi_node(), recurring_job_group="other"), resource)
    verdict = one(world, "recurring-jobs")
    assert verdict.status is UNKNOWN
    assert any(resource in rule for rule in verdict.needs)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("spec.paused", True, FAIL), ("status.phase", "FailedValidation", FAIL), ("spec.template.includedNamespaces", ["*"], PASS),
        ("spec.template.includedNamespaces", [], PASS), ("spec.template.includedNamespaces", ["shop"], FAIL), ("spec.template.includedNamespaces", ["exi*"], PASS),
        ("spec.template.excludedNamespaces", ["exivity"], FAIL), ("spec.template.includedResources", ["deployments.apps"], FAIL),
        ("spec.template.includedResources", ["pods", "pvc", "pv"], PASS), ("spec.template.excludedResources", ["persistentvolumeclaims"], FAIL),
        ("spec.template.labelSelector", {"matchLabels": {"app.kubernetes.io/instance": "exivity"}}, PASS),
        ("spec.template.labelSelector", {"matchLabels": {"app": "other"}}, FAIL), ("spec.template.orLabelSelectors", [{"matchLabels": {"app": "other"}}], FAIL),
    ],
)  # fmt: skip
def test_what_a_velero_schedule_takes(path: str, value: Any, expected: Status) -> None:
    assert one(scheduled(single_node(), path, value), "recurring-jobs", REPORT).status is expected


def test_a_schedule_without_the_data_copies_none() -> None:
    world = single_node()
    for kind in ("PodVolumeBackup", "Backup"):
        for item in list(world.all(f"velero.io/{kind}")):
            world.remove(f"velero.io/{kind}", item["metadata"]["name"])
    scheduled(world, "spec.template.defaultVolumesToFsBackup", False)
    verdict = one(world, "ledger", REPORT)
    assert verdict.status is FAIL
    assert "takes the objects without the data" in verdict.message
    follower = one(world, "recurring-jobs", REPORT)
    assert (follower.status, follower.follows) == (SKIP, "backups/ledger")


def test_the_server_decides_what_the_schedule_leaves_open() -> None:
    world = single_node()
    world.edit("velero.io/Schedule", backups.SCHEDULE, drop("spec.template.defaultVolumesToFsBackup"))
    assert one(world, "recurring-jobs", REPORT).status is PASS


def test_data_movement_needs_a_csi_volume() -> None:
    world = multi_node()
    world.add(backups.storage_location(), backups.schedule("exivity", defaultVolumesToFsBackup=False, snapshotMoveData=True))
    assert "data movement" in one(labelled(world, recurring_job_group="other"), "recurring-jobs").message
    local = scheduled(scheduled(single_node(), "spec.template.defaultVolumesToFsBackup", False), "spec.template.snapshotMoveData", True)
    local.objects = [item for item in local.objects if item["kind"] != "PodVolumeBackup"]
    assert one(local, "ledger", REPORT).status is FAIL


def test_storage_that_no_cluster_shows_is_attested() -> None:
    world = multi_node()
    world.edit("PersistentVolume", VOLUME, drop("spec.csi"))
    world.edit("PersistentVolume", VOLUME, put("spec.nfs", {"server": "nas.acme.eu", "path": "/exivity/import"}))
    for slug in ("recurring-jobs", "ledger", "recent"):
        assert one(world, slug).status is MANUAL, slug
    bare = single_node()
    bare.objects = [item for item in bare.objects if not item["apiVersion"].startswith("velero.io")]
    for slug in ("recurring-jobs", "ledger", "recent", "target-available"):
        assert {verdict.status for verdict in found(bare, slug).values()} <= {MANUAL, PASS}, slug
        assert MANUAL in {verdict.status for verdict in found(bare, slug).values()}, slug


# ledger and recent


def test_the_ledger_has_a_line_for_everything() -> None:
    lines = found(multi_node(), "ledger")
    assert len([subject for subject in lines if subject.startswith("PersistentVolumeClaim")]) == 7
    assert {lines[subject].status for subject in (DATABASE, LOGS)} == {PASS}
    assert lines[SECRETS].status is MANUAL
    assert "Barman Cloud plugin" in lines[DATABASE].message
    assert one(single_node(), "ledger", SECRETS).status is PASS


def test_an_uncovered_claim_leads() -> None:
    world = backups.forget(labelled(multi_node(), recurring_job_group="other"), "import")
    verdict = one(world, "ledger")
    assert verdict.status is FAIL
    assert "UNCOVERED" in verdict.message
    assert verdict.fix is not None
    for slug in ("recurring-jobs", "recent"):
        follower = one(world, slug)
        assert (follower.status, follower.follows) == (SKIP, "backups/ledger")
    snapshots = backups.forget(labelled(multi_node(), recurring_job="snapshot-daily"), "import")
    assert "snapshots on its own storage alone" in one(snapshots, "ledger").message


@pytest.mark.parametrize(
    ("resource", "expected"),
    [("backupvolumes.longhorn.io", UNKNOWN), ("volumes.longhorn.io", UNKNOWN), ("schedules.velero.io", UNKNOWN), ("backups.longhorn.io", FAIL)],
)
def test_an_unseen_copy_is_unknown(resource: str, expected: Status) -> None:
    assert one(denied(backups.forget(multi_node(), "import"), resource), "ledger").status is expected


@pytest.mark.parametrize(("days", "expected", "remark"), [(1.05, PASS, False), (1.5, PASS, True), (2.1, FAIL, False), (-1, PASS, False)])
def test_how_old_a_copy_may_be(days: float, expected: Status, remark: bool) -> None:
    verdict = one(backups.aged(multi_node(), "import", days), "recent")
    assert verdict.status is expected
    assert bool(verdict.remark) is remark


def test_the_declared_recovery_point_counts_where_no_job_runs() -> None:
    world = backups.aged(labelled(multi_node(), recurring_job_group="other"), "import", 0.3)
    assert one(world, "recent", config=Config(declare=Declare(rpo="4h"))).status is FAIL
    assert one(world, "recent", config=Config(declare=Declare(rpo="8h"))).status is PASS
    assert "no job now" in one(world, "ledger").message


def test_a_backup_that_is_not_whole_is_no_copy() -> None:
    world = backups.aged(multi_node(), "import", 0.3)
    world.edit("longhorn.io/Backup", f"backup-{VOLUME}", put("status.state", "Error"))
    assert one(world, "ledger").status is FAIL


@pytest.mark.parametrize(("path", "value"), [("status.state", 7), ("metadata.name", None)])
def test_a_malformed_backup_hides_no_finding_on_another_claim(path: str, value: Any) -> None:
    world = backups.aged(backups.forget(multi_node(), "extracted"), "exported", 22)
    world.edit("longhorn.io/Backup", "backup-pvc-exivity-import", lambda item: world.objects.append(_served(item, path, value)))
    world.remove("longhorn.io/Backup", "backup-pvc-exivity-import")
    extracted, exported = (f"PersistentVolumeClaim exivity/exivity-{part}" for part in ("extracted", "exported"))
    lines, ages = found(world, "ledger"), found(world, "recent")
    assert (lines[extracted].status, ages[exported].status) == (FAIL, FAIL)
    assert (lines[IMPORT].status, ages[IMPORT].status) == (UNKNOWN, UNKNOWN)
    assert "malformed: LonghornBackup" in lines[IMPORT].why
    assert [subject for subject, verdict in lines.items() if verdict.status is UNKNOWN] == [IMPORT]


def _served(item: Object, path: str, value: Any) -> Disguised:
    odd = copy.deepcopy(item)
    put(path, value)(odd)
    return Disguised(item, odd)


def test_a_backup_that_the_volume_alone_names_is_no_good_copy_where_it_is_malformed() -> None:
    world = multi_node()
    world.objects = [item for item in world.objects if item["kind"] != "BackupVolume"]
    assert one(world, "ledger").status is PASS
    world.edit("longhorn.io/Backup", f"backup-{VOLUME}", put("status.state", 7))
    assert one(world, "ledger").status is UNKNOWN
    assert one(world, "ledger", REPORT).status is PASS


def test_a_copy_without_a_time_is_unknown() -> None:
    world = backups.forget(multi_node(), "import")
    world.edit("longhorn.io/Volume", VOLUME, put("status.lastBackup", "backup-x"))
    assert one(world, "recent").status is UNKNOWN


def test_a_failed_volume_backup_of_velero_is_no_copy() -> None:
    world = single_node()
    name = next(item["metadata"]["name"] for item in world.all("velero.io/PodVolumeBackup") if item["spec"]["volume"] == "exivity-report")
    world.edit("velero.io/PodVolumeBackup", name, put("status.phase", "Failed"))
    assert one(world, "ledger", REPORT).status is FAIL
    assert one(denied(world, "podvolumebackups.velero.io"), "ledger", REPORT).status is UNKNOWN


def test_only_a_snapshot_that_leaves_the_volume_is_a_copy() -> None:
    def snapshot(kind: str, driver: str = "driver.longhorn.io") -> World:
        world = backups.forget(multi_node(), "import")
        world.add(
            made("snapshot.storage.k8s.io/v1", "VolumeSnapshotClass", "nightly", driver=driver, parameters={"type": kind}, deletionPolicy="Delete"),
            made("snapshot.storage.k8s.io/v1", "VolumeSnapshot", "import-1", "exivity",
                 spec={"volumeSnapshotClassName": "nightly", "source": {"persistentVolumeClaimName": "exivity-import"}},
                 status={"readyToUse": True, "creationTime": stamp(0.3)}),
        )  # fmt: skip
        return world  # type: ignore[no-any-return]

    assert one(snapshot("snap"), "ledger").status is FAIL
    assert one(snapshot("bak"), "ledger").status is PASS
    assert one(snapshot("", "ebs.csi.aws.com"), "recent").status is PASS


def test_claims_without_a_volume_have_nothing_to_copy() -> None:
    world = multi_node()
    world.edit("PersistentVolumeClaim", "exivity-import", put("status.phase", "Pending"))
    world.edit("PersistentVolumeClaim", "exivity-import", drop("spec.volumeName"))
    for slug in ("ledger", "recent", "recurring-jobs"):
        assert one(world, slug).status is SKIP, slug
    world.remove("PersistentVolumeClaim", "exivity-import")
    follower = one(world, "ledger")
    assert (follower.status, follower.follows) == (SKIP, "storage/claims-bound")


@pytest.mark.parametrize(
    ("change", "expected", "follows"),
    [
        (postgresql.without_backups, SKIP, "postgresql/backups"), (postgresql.snapshot_backups, SKIP, "backups/not-volumes-alone"),
        (postgresql.external, MANUAL, None), (postgresql.embedded, SKIP, "postgresql/backups"),
    ],
)  # fmt: skip
def test_the_database_counts_by_its_own_backup(change: Callable[[Any], None], expected: Status, follows: str | None) -> None:
    world = multi_node()
    change(world)
    verdict = one(world, "ledger", DATABASE)
    assert (verdict.status, verdict.follows) == (expected, follows)
    if follows:
        assert any(verdict.status in (FAIL, WARN) for verdict in found(world, follows).values())


# target-available


def test_targets() -> None:
    where = "BackupTarget longhorn-system/default"
    assert one(multi_node(), "target-available", where).status is PASS
    for url, expected in (("nfs://10.0.0.9:/backups", PASS), ("nfs://nfs.storage.svc.cluster.local:/x", WARN), ("cifs://nas.acme.eu/share", PASS)):
        world = multi_node()
        world.edit("longhorn.io/BackupTarget", "default", put("spec.backupTargetURL", url))
        assert one(world, "target-available", where).status is expected, url
    world.edit("longhorn.io/BackupTarget", "default", drop("status"))
    assert one(world, "target-available", where).status is UNKNOWN
    gone = multi_node()
    gone.remove("longhorn.io/BackupTarget", "default")
    assert {verdict.status for verdict in found(gone, "target-available").values()} == {FAIL}
    unseen = found(denied(multi_node(), "backuptargets.longhorn.io"), "target-available")
    assert {verdict.status for verdict in unseen.values()} == {UNKNOWN}


def test_a_location_that_is_there_for_others_is_not_judged() -> None:
    world = multi_node()
    world.add(backups.storage_location("Unavailable"), backups.schedule("shop"))
    assert {verdict.status for verdict in found(world, "target-available").values()} == {PASS}
    scheduled(world, "spec.template.includedNamespaces", ["exivity"])
    assert one(world, "target-available", "BackupStorageLocation velero/default").status is FAIL


def test_the_setting_of_old_releases_stands_in() -> None:
    world = multi_node()
    world.remove("longhorn.io/BackupTarget", "default")
    world.add(made("longhorn.io/v1beta2", "Setting", "backup-target", "longhorn-system", value="s3://old@eu-1/x"))
    verdict = one(world, "target-available", "LonghornSetting longhorn-system/backup-target")
    assert verdict.status is UNKNOWN
    assert "s3://old@eu-1/x" in verdict.message


def test_a_login_in_a_target_is_never_kept() -> None:
    world = multi_node()
    for number, url in enumerate(("nfs://joe:s3cr3t@nas/x?token=s3cr3t", "s3://AKIA:s3cr3t@bucket/x", "s3cr3t", "cifs://nas/x#s3cr3t")):
        world.add(backups.backup_target(url, name=f"odd-{number}"))
    world.add(backups.restored_volume("odd", f"{VOLUME}&secret=s3cr3t"))
    world.add(made("longhorn.io/v1beta2", "Setting", "backup-target", "longhorn-system", value="s3://k:s3cr3t@eu-1/x"))
    world.add(backups.storage_location(config={"s3Url": "https://k:s3cr3t@s3.acme.eu/x?sig=s3cr3t", "secret": "s3cr3t"}))
    assert "s3cr3t" not in str(site_of(world))


# not-volumes-alone and the restores


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (postgresql.snapshot_backups, FAIL), (postgresql.without_backups, SKIP), (postgresql.in_tree_backups, PASS), (postgresql.external, MANUAL),
        (postgresql.embedded, SKIP),
    ],
)  # fmt: skip
def test_the_database_beside_its_volumes(change: Callable[[Any], None], expected: Status) -> None:
    world = multi_node()
    change(world)
    assert {verdict.status for verdict in found(world, "not-volumes-alone").values()} == {expected}


def test_a_recovered_cluster_is_a_restore() -> None:
    def world(**changes: Any) -> World:
        whole = multi_node()
        whole.remove("Cluster", "rehearsed")
        whole.objects = [item for item in whole.objects if not (item["kind"] == "ObjectStore" and item["metadata"]["name"] == "origin")]
        whole.add(*backups.recovered_cluster(**changes))
        return whole

    for check in ("restore-test", "postgresql/restore-tested"):
        assert one(world(days=20), check, DATABASE).status is PASS
        assert one(world(days=181), check, DATABASE).status is MANUAL
        assert one(world(server="another"), check, DATABASE).status is MANUAL
        assert one(world(url="s3://elsewhere/x"), check, DATABASE).status is MANUAL
        sick = world(days=20)
        sick.edit("Cluster", "rehearsed", put("status.phase", "Failing over"))
        assert one(sick, check, DATABASE).status is MANUAL
        assert one(denied(world(days=20), "clusters.postgresql.cnpg.io"), check, DATABASE).status is UNKNOWN


def test_three_restored_volumes_are_a_restore() -> None:
    assert one(multi_node(), "restore-test", DATA).status is PASS
    for name, change in (("restored-exported", put("spec.Standby", True)), ("restored-etl-config", put("status.restoreRequired", True))):
        world = multi_node()
        world.edit("longhorn.io/Volume", name, change)
        verdict = one(world, "restore-test", DATA)
        assert verdict.status is MANUAL
        assert "none of" in verdict.message
    old = multi_node()
    old.edit("longhorn.io/Volume", "restored-extracted", put("metadata.creationTimestamp", stamp(190)))
    assert one(old, "restore-test", DATA).status is MANUAL
    assert one(denied(multi_node(), "volumes.longhorn.io"), "restore-test", DATA).status is UNKNOWN


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("status.phase", "PartiallyFailed", MANUAL), ("status.errors", 2, MANUAL), ("spec.restorePVs", False, MANUAL), ("spec.excludedResources", ["pvc"], MANUAL),
        ("spec.includedNamespaces", ["shop"], MANUAL), ("spec.includedNamespaces", ["*"], PASS), ("spec.backupName", "gone", MANUAL),
        ("spec.labelSelector", {"matchLabels": {"a": "b"}}, MANUAL), ("status.completionTimestamp", stamp(190), MANUAL),
    ],
)  # fmt: skip
def test_which_velero_restore_counts(path: str, value: Any, expected: Status) -> None:
    world = single_node()
    world.edit("velero.io/Restore", "exivity-rehearsal", put(path, value))
    assert one(world, "restore-test", DATA).status is expected


def test_odd_objects_are_contained() -> None:
    world = single_node()
    world.add(made("velero.io/v1", "Schedule", "odd", "velero", spec={"schedule": 5, "template": {"orLabelSelectors": {"a": 1}}}))
    world.add(made("velero.io/v1", "Backup", "odd", "velero", spec=None, status=None), made("velero.io/v1", "Restore", "odd", "velero"))
    world.add(
        made("velero.io/v1", "PodVolumeBackup", "odd", "velero", spec={"pod": None}), made("velero.io/v1", "BackupStorageLocation", "odd", "velero")
    )
    odd = multi_node()
    odd.add(made("longhorn.io/v1beta2", "RecurringJob", "odd", "longhorn-system", spec={"groups": "all"}))
    odd.add(made("longhorn.io/v1beta2", "BackupVolume", "odd", "longhorn-system", status={"lastBackupAt": "soon"}))
    for cluster in (world, odd):
        statuses = {verdict.status for item in judged(cluster).outcomes if item.check.row == "backups" for verdict in item.verdicts}
        assert Status.ERROR not in statuses
        assert FAIL not in statuses


def test_velero_under_another_name_is_found_and_a_narrower_account_reads_it() -> None:
    world = single_node()
    world.deny = lambda resource, namespace, name: resource.endswith("velero.io") and namespace is None
    assert one(world, "recurring-jobs", REPORT).status is PASS


def test_other_names_of_namespace_and_release() -> None:
    world = multi_node(namespace="billing", release="cost", name_override="exi")
    lines = found(world, "ledger")
    assert lines["PersistentVolumeClaim billing/exi-import"].status is PASS
    assert {verdict.status for verdict in found(world, "recent").values()} == {PASS}


def test_a_host_that_leads_nowhere_is_not_outside_the_cluster() -> None:
    world = multi_node()
    postgresql.lead_to(world, "pg-primary.databases.svc")
    assert "the configured host leads to no database" in one(world, "restore-test", DATABASE).message
    postgresql.lead_to(world, "db.acme.eu")
    assert "the database is outside the cluster" in one(world, "restore-test", DATABASE).message
