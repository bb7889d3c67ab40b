"""Whether a restore was tried."""

from __future__ import annotations

from exivity_audit import CRITICAL, check, maybe

from .shared import rehearsed

HOW = (
    "restore the newest backup of the database and of extracted, exported and etl-config into a scratch namespace, log in and compare a report;"
    " attach the log of the restore"
)


@check("restore-test", severity=CRITICAL, clauses=("K7", "A7"), passive="a restore is tried at the active site", attest=HOW, attest_for="180d")
def restore_test(release, now, thresholds, database_restores=maybe, data_restores=maybe):
    """A full restore was tested in the last 180 days.

    A backup that was never restored is a hope: the key is missing, the copy is not whole, the steps take longer than anybody may wait.

    Fix: restore the database and the shared data into a scratch namespace, and record it in `evidence.yaml`.
    """
    yield rehearsed(release.subject.at("database"), database_restores, now, thresholds)
    yield rehearsed(release.subject.at("data"), data_restores, now, thresholds)
