"""Disaster recovery: one active site, a standby that can take over, and a workflow that makes it do so."""

from .control import gitops
from .data import data_replicated
from .failover import failover_automation, failover_tested
from .parity import site_parity
from .routing import standby_ingress, traffic
from .running import active_replicas, passive_replicas, single_active

__all__ = [  # noqa: RUF022 - the order of the checklist
    "passive_replicas",
    "active_replicas",
    "single_active",
    "gitops",
    "failover_automation",
    "failover_tested",
    "data_replicated",
    "traffic",
    "standby_ingress",
    "site_parity",
]
