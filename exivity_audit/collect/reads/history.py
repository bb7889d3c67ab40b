"""The read of past reports, from a folder beside the API: only where the run names one."""

from __future__ import annotations

from exivity_audit.collect.place import Read, paths, release_namespace

READS: tuple[Read, ...] = (
    Read("history_reports", "history/reports", release_namespace(), paths(
        "date score grade gate coverage checklist volumes[].subject volumes[].used volumes[].capacity volumes[].read"), "PastReport",
        opt_in="--history DIR"),
)  # fmt: skip
