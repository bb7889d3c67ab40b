"""Capacity: volumes and disks have room, can grow, and are not full soon."""

from .alerting import alerts
from .database import postgresql
from .disks import node_disk
from .growing import expandable, growth
from .volumes import data, logs

__all__ = [  # noqa: RUF022 - the order of the checklist
    "postgresql",
    "data",
    "logs",
    "node_disk",
    "expandable",
    "growth",
    "alerts",
]
