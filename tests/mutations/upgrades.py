"""Mutations of the row upgrades."""

from __future__ import annotations

from typing import Any

from exivity_audit.verdict import Status
from tests.mutation import Mutation, put
from tests.mutations.postgresql import EMBEDDED_TOO
from tests.mutations.secrets import PLAIN, revision
from tests.products.postgresql import embedded


def _same(values: Any) -> None:
    return None


def _upgraded(c: Any) -> None:
    """An upgrade from another chart version on the embedded database, with the chart's backup job alone."""
    embedded(c)
    c.remove("Secret", "sh.helm.release.v1.exivity.v1")
    c.add(revision(1, _same, status="superseded", days=60, chart_version="3.38.0"), revision(2, put("service.backup.enabled", True)))


CONTAINER = {"name": "db-restore", "image": "exivity/restore:exivity-3.39.2"}
RESTORE = PLAIN.object(
    "batch/v1", "Job", "exivity-db-restore", "db-restore", spec={"template": {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}}
)
MUTATIONS = [
    Mutation("the newest upgrade failed", "multi_node", "upgrades/release-healthy", lambda c: c.add(revision(2, _same, status="failed", days=1))),
    Mutation("an upgrade hangs", "single_node", "upgrades/release-healthy", lambda c: c.add(revision(2, _same, status="pending-upgrade", days=1))),
    Mutation("a rollback was broken off", "multi_node", "upgrades/release-healthy", lambda c: c.add(revision(2, _same, status="pending-rollback", days=1))),
    Mutation("the restore switch is on", "multi_node", "upgrades/restore-switch", lambda c: c.add(revision(2, put("service.restore.enabled", True), days=1))),
    Mutation("the restore switch is on at one node", "single_node", "upgrades/restore-switch", lambda c: c.add(revision(2, put("service.restore.enabled", True), days=1))),
    Mutation("a restore job is still there", "multi_node", "upgrades/restore-switch", lambda c: c.add(RESTORE), Status.WARN),
    Mutation("only the chart's job ran before the upgrade", "multi_node", "upgrades/backup-before-upgrade", _upgraded, Status.WARN, also=EMBEDDED_TOO),
    Mutation("one service stayed at an older version", "multi_node", "upgrades/versions-aligned",
             lambda c: c.edit("Deployment", "exivity-edify", put("spec.template.spec.containers.0.image", "docker.io/exivity/edify:exivity-3.38.1"))),
    Mutation("one Deployment is of another chart version", "single_node", "upgrades/versions-aligned",
             lambda c: c.edit("Deployment", "exivity-pigeon", put("metadata.labels.app\\.kubernetes\\.io/version", "3.38.1"))),
    Mutation("a rollout is half finished", "multi_node", "upgrades/versions-aligned",
             lambda c: c.edit("Deployment", "exivity-glass", put("status.updatedReplicas", 1)), Status.WARN, live=False),
]  # fmt: skip
