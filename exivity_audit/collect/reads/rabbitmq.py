"""Reads of the broker and its operator."""

from __future__ import annotations

from exivity_audit.collect.place import Read
from exivity_audit.collect.reads.shapes import presence

READS: tuple[Read, ...] = (
    presence("rabbitmq_clusters", "rabbitmqclusters.rabbitmq.com", "RabbitmqCluster"),
)  # fmt: skip
