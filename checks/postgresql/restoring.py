"""Whether a restore of the database was tried."""

from __future__ import annotations

from exivity_audit import HIGH, check, maybe

from ..backups.shared import rehearsed


@check(
    "restore-tested", severity=HIGH, clauses=("K3",), passive="a restore is tried at the active site",
    attest="restore the newest backup of the database into a scratch server, log in and compare a count; attach the log of the restore", attest_for="180d",
)  # fmt: skip
def restore_tested(release, now, thresholds, database_restores=maybe):
    """A database restore was tested.

    A base backup without its write-ahead log, or without the key it was written with, looks like a backup until somebody needs it.

    Fix: restore the newest backup into a scratch cluster, log in, and record it in `evidence.yaml`.
    """
    yield rehearsed(release.subject.at("database"), database_restores, now, thresholds)
