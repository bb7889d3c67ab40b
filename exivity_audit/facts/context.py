"""What an attestation may be bound to, as it is today: the database's major, the backup targets, the classes of the data claims.

Each is a tuple of texts; empty where there is none. Which key of an attestation's ``context`` each stands for is in ``attestation.CONTEXT``.
"""

from __future__ import annotations

from exivity_audit.fact import NotSeen, Objects, Reason, fact
from exivity_audit.facts.backup_targets import BackupTarget
from exivity_audit.facts.claims import Claim, ClaimGroup
from exivity_audit.facts.database import Database
from exivity_audit.facts.database_backups import DatabaseBackup


@fact
def postgresql_major(database: Database) -> tuple[str, ...]:
    """The major of the database that runs. Raises NotSeen where nothing in the cluster shows it, as of an external one."""
    if database.major is None:
        raise NotSeen(database.cluster_gap or (Reason("database", f"nothing here shows which PostgreSQL {database.config.host} runs"),))
    return (str(database.major),)


@fact
def backup_urls(backup_targets: Objects[BackupTarget], storage_locations: Objects[BackupTarget], database_backup: DatabaseBackup) -> tuple[str, ...]:
    """The public part of the URLs that volumes and the database are copied to."""
    volumes = (target.url for target in (*backup_targets.surely(), *storage_locations.surely()))
    return tuple(sorted({*volumes, database_backup.target} - {""}))


@fact
def data_classes(claims: Objects[Claim]) -> tuple[str, ...]:
    """The storage classes of the claims that hold the product's data."""
    return tuple(sorted({claim.class_name or "no class" for claim in claims.surely() if claim.group is ClaimGroup.DATA}))
