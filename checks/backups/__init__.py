"""Backups: everything that must survive has a recent copy off the cluster, and a restore was tried."""

from .beside import not_volumes_alone
from .jobs import recurring_jobs
from .ledger import ledger, recent
from .restoring import restore_test
from .targets import target_available

__all__ = [  # noqa: RUF022 - the order of the checklist
    "restore_test",
    "ledger",
    "recurring_jobs",
    "target_available",
    "recent",
    "not_volumes_alone",
]
