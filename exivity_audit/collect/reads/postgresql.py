"""Reads of the database and its operator."""

from __future__ import annotations

from exivity_audit.collect.place import Read
from exivity_audit.collect.reads.shapes import presence

READS: tuple[Read, ...] = (
    presence("postgresql_clusters", "clusters.postgresql.cnpg.io", "Cluster"),
)  # fmt: skip
