"""Reads of what copies data: Longhorn's jobs and backups, Velero, snapshots."""

from __future__ import annotations

from exivity_audit.collect.place import Read
from exivity_audit.collect.reads.shapes import presence

READS: tuple[Read, ...] = (
    presence("velero_schedules", "schedules.velero.io", "Schedule"),
)  # fmt: skip
