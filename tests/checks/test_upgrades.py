"""Row upgrades: who keeps the values, the newest revision, the backup before, the restore switch, one version."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from exivity_audit import chart
from exivity_audit.verdict import Status
from tests.builders import Installation, encode, made, multi_node, single_node, stamp
from tests.judging import judged, outcome, status, verdicts
from tests.mutation import drop, put
from tests.products import postgresql
from tests.world import World

PLAIN = Installation(nodes=("n",), replicas=1, class_name="longhorn", access_mode="ReadWriteMany")
ARGO, FLUX = "applications.argoproj.io", "helmreleases.helm.toolkit.fluxcd.io"


def stored(*revisions: dict[str, Any], **installation: Any) -> World:
    """The conforming cluster with other stored revisions."""
    world = multi_node(**installation)
    if installation.get("helm", True):
        world.remove("Secret", "sh.helm.release.v1.exivity.v1")
    world.add(*revisions)
    return world


def revision(number: int, *, status: str = "deployed", version: str = "3.39.2", path: str | None = None, value: Any = None) -> dict[str, Any]:
    values = copy.deepcopy(PLAIN.values())
    if path:
        put(path, value)(values)
    return PLAIN.revision(number, values, status=status, chart_version=version)


def marked(world: World, tool: str) -> World:
    for item in world.all("Deployment"):
        if tool == "Argo CD":
            item["metadata"].setdefault("annotations", {})[chart.ARGO_TRACKING] = "exivity:apps/Deployment:exivity/x"
        else:
            item["metadata"]["labels"][chart.FLUX_NAME if tool == "Flux" else "kustomize.toolkit.fluxcd.io/name"] = "exivity"
    return world


def served(world: World, *apis: str) -> World:
    for api in apis:
        world.resources[api] = ("v1", "Application", True)
    return world


def one(world: World, check: str, **where: Any) -> Any:
    found = outcome(world, check, **where).verdicts
    assert len(found) == 1, [verdict.message for verdict in found]
    return found[0]


@pytest.mark.parametrize("base", [multi_node, single_node])
def test_a_conforming_cluster_has_no_finding(base: Any) -> None:
    found = {item.check.slug: item.status for item in judged(base()).outcomes if item.check.row == "upgrades"}
    assert found == {
        "version-controlled": Status.MANUAL, "release-healthy": Status.PASS, "backup-before-upgrade": Status.SKIP, "restore-switch": Status.PASS,
        "versions-aligned": Status.PASS,
    }  # fmt: skip


# version-controlled


def test_helm_by_hand_is_attested() -> None:
    found = one(multi_node(), "upgrades/version-controlled")
    assert (found.status, found.measured) == (Status.MANUAL, "Helm by hand")


def test_no_mark_at_all_is_attested() -> None:
    assert "no mark of Helm" in one(multi_node(helm=False), "upgrades/version-controlled").message


@pytest.mark.parametrize(("tool", "words"), [("Argo CD", "Argo CD"), ("Flux", "Flux"), ("Flux Kustomization", "Flux")])
def test_a_gitops_mark_is_not_judged_yet(tool: str, words: str) -> None:
    for world in (multi_node(), multi_node(helm=False)):
        found = one(marked(world, tool), "upgrades/version-controlled")
        assert found.status is Status.UNKNOWN
        assert found.message.startswith(f"exivity: {words} keeps the release")
        assert "not built yet" in found.message


@pytest.mark.parametrize("api", [ARGO, FLUX])
def test_a_gitops_tool_beside_helm_by_hand_changes_nothing(api: str) -> None:
    assert status(served(multi_node(), api), "upgrades/version-controlled") is Status.MANUAL
    assert status(served(multi_node(helm=False), api), "upgrades/version-controlled") is Status.UNKNOWN


def test_version_controlled_is_unknown_where_deployments_may_not_be_read() -> None:
    world = multi_node()
    world.deny = lambda resource, namespace, name: resource == "deployments.apps"
    assert status(world, "upgrades/version-controlled", namespace="exivity", release="exivity") is Status.UNKNOWN


# release-healthy


@pytest.mark.parametrize(
    ("newest", "expected", "words"),
    [
        ("deployed", Status.PASS, "revision 3 deployed"), ("failed", Status.FAIL, "helm history"), ("pending-upgrade", Status.FAIL, "helm rollback"),
        ("pending-install", Status.FAIL, "helm rollback"), ("pending-rollback", Status.FAIL, "helm rollback"), ("uninstalling", Status.FAIL, "helm history"),
        ("uninstalled", Status.FAIL, "helm history"), ("superseded", Status.FAIL, "helm history"), ("unknown", Status.UNKNOWN, "unknown"), ("", Status.UNKNOWN, "none"),
    ],
)  # fmt: skip
def test_the_newest_revision_speaks(newest: str, expected: Status, words: str) -> None:
    found = one(stored(revision(2), revision(3, status=newest)), "upgrades/release-healthy")
    assert found.status is expected
    assert words in (found.message + (found.fix.text if found.fix else ""))


def test_revision_ten_is_newer_than_nine() -> None:
    assert status(stored(revision(10, status="failed"), revision(9)), "upgrades/release-healthy") is Status.FAIL


def test_revisions_that_may_not_be_read_are_unknown() -> None:
    for check in ("release-healthy", "backup-before-upgrade", "restore-switch"):
        assert status(multi_node(), f"upgrades/{check}", secrets="named") is Status.UNKNOWN


def test_a_malformed_revision_is_unknown_beside_the_newest() -> None:
    broken = revision(4)
    broken["data"]["release"] = encode("no release")
    world = stored(revision(3), broken)
    assert sorted(verdict.status for verdict in outcome(world, "upgrades/release-healthy").verdicts) == [Status.PASS, Status.UNKNOWN]
    assert status(world, "upgrades/restore-switch") is Status.UNKNOWN


def test_without_revisions_somebody_else_installed_it() -> None:
    for check in ("release-healthy", "backup-before-upgrade"):
        assert status(multi_node(helm=False), f"upgrades/{check}") is Status.SKIP
        assert "Argo CD keeps the release" in one(marked(multi_node(helm=False), "Argo CD"), f"upgrades/{check}").message
        assert status(served(multi_node(helm=False), ARGO), f"upgrades/{check}") is Status.UNKNOWN
        assert "HELM_DRIVER" in one(stored(), f"upgrades/{check}").message


def test_release_health_is_not_judged_at_a_passive_site() -> None:
    assert one(multi_node(), "upgrades/release-healthy", role="passive").status is Status.SKIP


# backup-before-upgrade


def upgraded(host: str | None = "db.acme.eu", *, job: Any = None, change: Any = None, **rest: Any) -> World:
    world = stored(
        revision(1, version="3.38.0", status="superseded"),
        revision(2, path="service.backup.enabled", value=job),
        revision(3, path="service.backup.enabled", value=job),
        **rest,
    )
    if change is not None:
        change(world)
    if host is not None:
        postgresql.lead_to(world, host)
    return world


@pytest.mark.parametrize(
    ("host", "job", "expected", "words"),
    [
        ("db.acme.eu", None, Status.MANUAL, "chart 3.38.0 → 3.39.2 in revision 2 on 24 Oct 2026; the database db.acme.eu lies outside this cluster"),
        ("db.acme.eu", True, Status.MANUAL, "outside this cluster"),
        ("10.1.2.3", None, Status.MANUAL, "outside this cluster"),
        ("exivity-postgresql", True, Status.WARN, "only the chart's own backup job ran"),
        ("exivity-postgresql.exivity.svc.cluster.local.", True, Status.WARN, "only the chart's own backup job ran"),
        ("exivity-postgresql", None, Status.MANUAL, "nothing in the cluster shows a backup of the embedded database"),
        ("exivity-postgresql", False, Status.MANUAL, "nothing in the cluster"),
        ("", None, Status.MANUAL, "no host leads nowhere"),
        ("nowhere", None, Status.MANUAL, "nowhere leads nowhere"),
    ],
)  # fmt: skip
def test_a_changed_chart_version_needs_a_backup(host: str, job: Any, expected: Status, words: str) -> None:
    embedded = postgresql.embedded if host.startswith("exivity-postgresql") else None
    found = one(upgraded(host, job=job, change=embedded), "upgrades/backup-before-upgrade")
    assert found.status is expected
    assert words in found.message


def with_store(**window: str) -> Any:
    """A change of what the object store says it can restore, and no Backup object from before the upgrade 30 days ago."""
    return lambda c: c.edit("ObjectStore", "pg-store", lambda item: item["status"]["serverRecoveryWindow"]["pg"].update(window))


def long_kept(c: Any) -> None:
    c.edit("ObjectStore", "pg-store", put("spec.retentionPolicy", "90d"))
    c.edit("Cluster", "pg", put("metadata.creationTimestamp", stamp(300)))


class TestBackupsOfCloudNativePg:
    def judge(self, *changes: Any) -> Any:
        world = upgraded(None)
        for change in changes:
            change(world)
        return one(world, "upgrades/backup-before-upgrade")

    def test_a_backup_of_the_night_before(self) -> None:
        backup = postgresql.backups(days=(29.7,))[0]
        backup["metadata"]["name"] = "before"
        found = self.judge(lambda c: c.add(backup))
        assert (found.status, "a backup completed 2 h" in found.message) == (Status.PASS, True)

    def test_an_archive_that_reaches_back(self) -> None:
        found = self.judge(with_store(firstRecoverabilityPoint=stamp(45)))
        assert (found.status, "recoverable to any moment since 9 Oct 2026" in found.message.replace("09", "9")) == (Status.PASS, True)

    def test_evidence_that_is_gone_is_attested(self) -> None:
        found = self.judge(lambda c: c.edit("ObjectStore", "pg-store", put("spec.retentionPolicy", "2w")))
        assert (found.status, "does not reach back" in found.message) == (Status.MANUAL, True)

    def test_none_that_would_still_be_there(self) -> None:
        found = self.judge(long_kept)
        assert found.status is Status.FAIL
        assert "kubectl cnpg backup pg -n databases" in found.fix.text

    def test_a_cluster_younger_than_the_change(self) -> None:
        found = self.judge(long_kept, lambda c: c.edit("Cluster", "pg", put("metadata.creationTimestamp", stamp(3))))
        assert (found.status, "younger" in found.message) == (Status.MANUAL, True)

    def test_no_native_backup_is_said_once(self) -> None:
        assert self.judge(postgresql.without_backups).follows == "postgresql/backups"

    def test_a_store_out_of_sight(self) -> None:
        def hide(c: World) -> None:
            c.deny = lambda resource, namespace, name: resource == "objectstores.barmancloud.cnpg.io"

        assert self.judge(long_kept, hide).status is Status.UNKNOWN


def test_an_upgrade_of_the_values_alone_needs_none() -> None:
    assert status(stored(revision(1), revision(2)), "upgrades/backup-before-upgrade") is Status.SKIP


def test_a_change_older_than_the_history_is_attested() -> None:
    found = one(stored(revision(7), revision(8)), "upgrades/backup-before-upgrade")
    assert found.status is Status.MANUAL
    assert "before revision 7, the oldest stored" in found.message


def test_the_last_change_counts() -> None:
    world = stored(revision(1, version="3.37.0"), revision(2, version="3.38.0"), revision(3, version="3.38.0"), revision(4), revision(5))
    assert "3.38.0 → 3.39.2 in revision 4" in one(world, "upgrades/backup-before-upgrade").message


def test_the_database_host_may_not_be_read() -> None:
    world = upgraded()
    world.deny = lambda resource, namespace, name: resource == "configmaps"
    assert status(world, "upgrades/backup-before-upgrade") is Status.UNKNOWN


# restore-switch


@pytest.mark.parametrize(
    ("given", "expected"), [(True, Status.FAIL), ("true", Status.FAIL), ("false", Status.FAIL), (False, Status.PASS), (None, Status.PASS)]
)
def test_the_restore_switch_is_off(given: Any, expected: Status) -> None:
    found = one(stored(revision(2, path="service.restore.enabled", value=given)), "upgrades/restore-switch")
    assert found.status is expected
    if expected is Status.FAIL:
        assert found.fix.values == (("service.restore.enabled", False),)


def test_the_switch_of_the_newest_and_of_the_deployed_revision_counts() -> None:
    on = {"path": "service.restore.enabled", "value": True}
    assert status(stored(revision(1, **on), revision(2)), "upgrades/restore-switch") is Status.PASS
    assert status(stored(revision(1, **on), revision(2, status="failed")), "upgrades/restore-switch") is Status.FAIL
    assert status(stored(revision(1), revision(2, status="pending-upgrade", **on)), "upgrades/restore-switch") is Status.FAIL


def job() -> dict[str, Any]:
    return made("batch/v1", "Job", "exivity-db-restore", "exivity", status={"active": 1})


def test_a_restore_job_warns_beside_the_switch() -> None:
    world = multi_node()
    world.add(job(), made("batch/v1", "Job", "other-db-restore", "exivity", status={}))
    found = verdicts(world, "upgrades/restore-switch")
    assert {subject: verdict.status for subject, verdict in found.items()} == {
        "Release exivity/exivity": Status.PASS,
        "Job exivity/exivity-db-restore": Status.WARN,
    }
    assert verdicts(world, "upgrades/restore-switch", secrets="named")["Job exivity/exivity-db-restore"].status is Status.WARN
    assert status(world, "upgrades/restore-switch", secrets="named") is Status.UNKNOWN


def test_jobs_that_may_not_be_read_leave_it_open_but_hide_no_fail() -> None:
    world = multi_node()
    world.deny = lambda resource, namespace, name: resource == "jobs.batch"
    assert status(world, "upgrades/restore-switch") is Status.UNKNOWN
    bad = stored(revision(2, path="service.restore.enabled", value=True))
    bad.deny = world.deny
    assert status(bad, "upgrades/restore-switch") is Status.FAIL


def test_values_that_no_revision_stores_are_unknown() -> None:
    assert "no Helm revision is stored" in one(multi_node(helm=False), "upgrades/restore-switch").message
    assert "what Argo CD renders: not built yet" in one(marked(multi_node(helm=False), "Argo CD"), "upgrades/restore-switch").message


# versions-aligned


def image(name: str, text: str) -> World:
    world = multi_node()
    world.edit("Deployment", f"exivity-{name}", put("spec.template.spec.containers.0.image", text))
    return world


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exivity/use:exivity-3.39.2", Status.PASS), ("registry.corp:5000/exivity/use:exivity-3.39.2@sha256:00", Status.PASS), ("registry.corp:5000/mirror/use:3.39.2", Status.PASS),
        ("exivity/use:exivity-3.38.0", Status.FAIL), ("exivity/use:latest", Status.FAIL), ("registry.corp:5000/exivity/use", Status.UNKNOWN), ("exivity/use@sha256:00", Status.UNKNOWN),
    ],
)  # fmt: skip
def test_one_version_over_the_images(text: str, expected: Status) -> None:
    found = verdicts(image("use", text), "upgrades/versions-aligned")
    assert found["Deployment exivity/exivity-use"].status is expected
    assert {verdict.status for subject, verdict in found.items() if not subject.endswith("-use")} == {Status.PASS}
    assert expected is not Status.FAIL or found["Deployment exivity/exivity-use"].fix.values == (("service.use.tag", ""),)


def test_a_sidecar_before_the_service_is_passed_over() -> None:
    world = multi_node()
    world.edit(
        "Deployment",
        "exivity-use",
        lambda item: item["spec"]["template"]["spec"]["containers"].insert(0, {"name": "proxy", "image": "istio/proxy:1.2"}),
    )
    assert status(world, "upgrades/versions-aligned") is Status.PASS


def test_a_chart_label_of_another_version_fails() -> None:
    world = multi_node()
    world.edit("Deployment", "exivity-use", put("metadata.labels.app\\.kubernetes\\.io/version", "3.38.0"))
    found = verdicts(world, "upgrades/versions-aligned")["Deployment exivity/exivity-use"]
    assert (found.status, found.measured) == (Status.FAIL, "3.38.0")


def test_all_images_behind_the_chart_label_fail() -> None:
    world = multi_node()
    for item in world.all("Deployment"):
        if item["metadata"]["name"].startswith("exivity-"):
            container = item["spec"]["template"]["spec"]["containers"][0]
            container["image"] = container["image"].replace("3.39.2", "3.38.0")
    found = [verdict.status for verdict in outcome(world, "upgrades/versions-aligned").verdicts]
    assert found == [Status.FAIL] * 11


def test_without_labels_the_images_agree_among_themselves() -> None:
    world = multi_node()
    for item in world.all("Deployment"):
        item["metadata"]["labels"].pop(chart.VERSION_LABEL, None)
    assert status(world, "upgrades/versions-aligned") is Status.PASS


@pytest.mark.parametrize(
    ("tag", "expected"), [("latest", Status.UNKNOWN), ("exivity-latest", Status.UNKNOWN), ("main", Status.UNKNOWN), ("v3.40.0", Status.PASS)]
)
def test_a_tag_that_names_no_version_is_no_reference(tag: str, expected: Status) -> None:
    world = multi_node()
    for item in world.all("Deployment"):
        item["metadata"]["labels"].pop(chart.VERSION_LABEL, None)
        if item["metadata"]["name"].startswith("exivity-"):
            item["spec"]["template"]["spec"]["containers"][0]["image"] = f"x/y:{tag}"
    assert {verdict.status for verdict in outcome(world, "upgrades/versions-aligned").verdicts} == {expected}
    world.edit("Deployment", "exivity-use", put("spec.template.spec.containers.0.image", "x/y:exivity-3.39.2"))
    if expected is Status.UNKNOWN:  # one image names a version: the moving tags differ from it
        assert status(world, "upgrades/versions-aligned") is Status.FAIL


def test_a_half_finished_rollout_is_named() -> None:
    world = multi_node()
    world.edit("Deployment", "exivity-glass", put("status.updatedReplicas", 1))
    found = verdicts(world, "upgrades/versions-aligned")["Deployment exivity/exivity-glass"]
    assert found.status is Status.WARN
    assert "1 of 2 updated" in found.message


def test_versions_are_unknown_where_deployments_may_not_be_read_or_are_malformed() -> None:
    world = multi_node()
    world.edit("Deployment", "exivity-use", put("spec.template.spec.containers", "x"))
    found = verdicts(world, "upgrades/versions-aligned")
    assert found["Deployment exivity/exivity-use"].status is Status.UNKNOWN
    assert found["Deployment exivity/exivity-glass"].status is Status.PASS
    world.deny = lambda resource, namespace, name: resource == "deployments.apps"
    assert status(world, "upgrades/versions-aligned", namespace="exivity", release="exivity") is Status.UNKNOWN


def test_values_of_the_wrong_type_harm_nobody() -> None:
    odd = revision(2, path="service", value=["x"])
    assert status(stored(revision(1), odd), "upgrades/restore-switch") is Status.PASS
    world = multi_node()
    world.edit("Secret", "sh.helm.release.v1.exivity.v1", drop("data"))
    assert status(world, "upgrades/release-healthy") is Status.UNKNOWN
