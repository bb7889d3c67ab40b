"""Storage: every claim has a volume that fits the scenario, and the storage behind it survives what it must survive."""

from .claims import claims_bound, claims_lost, class_exists, provisioned
from .longhorn import longhorn_capacity, longhorn_failover
from .placement import nfs, reclaim, single_node_class, site_local
from .replication import longhorn_replicas, longhorn_spread
from .sharing import access_mode, rwx_capable, rwx_validated

__all__ = [  # noqa: RUF022 - the order of the checklist
    "class_exists",
    "claims_bound",
    "claims_lost",
    "provisioned",
    "access_mode",
    "rwx_capable",
    "rwx_validated",
    "longhorn_replicas",
    "longhorn_spread",
    "longhorn_failover",
    "longhorn_capacity",
    "nfs",
    "site_local",
    "single_node_class",
    "reclaim",
]
