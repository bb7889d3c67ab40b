"""PostgreSQL: a database outside the chart that answers, survives a node, is saved natively, and is reached over TLS."""

from .availability import high_availability
from .connection import latency, tls
from .headroom import storage_headroom
from .placement import deployment
from .reaching import reachable
from .release import version
from .replication import replication
from .restoring import restore_tested
from .saving import backup_target, backups
from .scraping import monitoring

__all__ = [  # noqa: RUF022 - the order of the checklist
    "deployment",
    "reachable",
    "high_availability",
    "backups",
    "backup_target",
    "restore_tested",
    "monitoring",
    "tls",
    "latency",
    "storage_headroom",
    "version",
    "replication",
]
