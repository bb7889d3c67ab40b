"""Reads of Prometheus, its monitors and rules, and of Alertmanager."""

from __future__ import annotations

from exivity_audit.collect.place import Read

READS: tuple[Read, ...] = (
)  # fmt: skip
