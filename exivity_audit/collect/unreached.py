"""A site that nobody could ask: every read failed, for one reason, so that each of its checks is unknown and none is missing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from exivity_audit.collect.collector import needed
from exivity_audit.collect.gathered import Gathered
from exivity_audit.collect.net import caught
from exivity_audit.collect.place import Read
from exivity_audit.errors import one_line
from exivity_audit.reading import HELP, NOT_REACHED, REACH
from exivity_audit.snapshot import Cluster, Outcome, Place, Record, SiteSnapshot


def unreached(
    name: str,
    role: Literal["active", "passive"] | None,
    cluster: str,
    namespace: str,
    release: str,
    now: datetime,
    reads: Iterable[Read],
    wanted: Iterable[str],
    why: str,
    helps: str,
) -> Gathered:
    """The site's part of a snapshot. ``why`` is what happened, ``helps`` the next step, both as sentences."""
    reason = one_line(caught(why), 300).rstrip(".")
    told = f"{NOT_REACHED}{reason}{HELP}{REACH}{one_line(caught(helps), 300).rstrip('.')})"
    table = {read.name: read for read in reads}
    records = (
        Record(one, table[one].resource, None, table[one].kind, Place(), Outcome.FAILED, None, told, tuple(sorted(table[one].keep)), ())
        for one in sorted(needed(wanted, table))
    )
    return Gathered(
        SiteSnapshot(
            name,
            role,
            Cluster(cluster, None, None),
            namespace,
            release,
            None,
            None,
            now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            False,
            tuple(records),
            unreached=reason,
        )
    )
