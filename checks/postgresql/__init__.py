"""PostgreSQL: a database outside the chart that answers, survives a node, is saved natively, and is reached over TLS."""

from .availability import high_availability
from .connection import latency, tls
from .placement import deployment
from .reaching import reachable
from .release import version
from .restoring import restore_tested
from .saving import backup_target, backups

__all__ = [  # noqa: RUF022 - the order of the checklist
    "deployment",
    "reachable",
    "high_availability",
    "backups",
    "backup_target",
    "restore_tested",
    "tls",
    "latency",
    "version",
]
