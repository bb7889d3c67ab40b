"""Reads for the row security."""

from __future__ import annotations

from exivity_audit.collect.place import Read

READS: tuple[Read, ...] = (
)  # fmt: skip
