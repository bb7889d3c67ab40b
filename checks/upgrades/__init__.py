"""Upgrades: from version-controlled values, with a database backup before, and finished."""

from .changes import backup_before_upgrade, restore_switch, versions_aligned
from .control import release_healthy, version_controlled

__all__ = [  # noqa: RUF022 - the order of the checklist
    "version_controlled",
    "release_healthy",
    "backup_before_upgrade",
    "restore_switch",
    "versions_aligned",
]
