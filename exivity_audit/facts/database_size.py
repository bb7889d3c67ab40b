"""A stand-in for the use of the database's disk, where nothing shows the disk itself: the sizes that the database counts, against its volume."""

from __future__ import annotations

from typing import Any

from exivity_audit.facts.claims import Claim
from exivity_audit.facts.database import CLAIM_PARTS, Database
from exivity_audit.facts.database_probe import DatabaseProbe
from exivity_audit.facts.volume_use import Use
from exivity_audit.quantity import Size, print_size
from exivity_audit.quantity import size as parse_size
from exivity_audit.subject import Subject

BY = "the database's own count"
STANDS_IN = "a stand-in figure: the sizes that the database counts, not the disk itself"
LOG_CLAIM = CLAIM_PARTS["PG_WAL"]


def of_claim(claim: Claim, database: Database, probe: DatabaseProbe | None) -> Use | None:
    """The stand-in for the volume of an instance; None where the probe or the volume says no size."""
    capacity = claim.capacity or claim.request
    if probe is None or not capacity:
        return None
    beside = any(one.part == LOG_CLAIM for one in database.claims)
    if claim.part == LOG_CLAIM:
        return _use(claim.subject, probe, None, probe.log, capacity) if probe.log is not None else None
    return _use(claim.subject, probe, probe.databases or probe.database, None if beside else probe.log, capacity, log_elsewhere=beside)


def of_declared(subject: Subject, declared: Any, probe: DatabaseProbe | None) -> Use | None:
    """The stand-in for the disk of a database outside the cluster, as large as the config declares it; None without one of the two."""
    if probe is None or declared is None:
        return None
    return _use(subject, probe, probe.databases or probe.database, probe.log, parse_size(str(declared)), declared=True)


def _use(
    subject: Subject,
    probe: DatabaseProbe,
    data: Size | None,
    log: Size | None,
    capacity: Size,
    *,
    declared: bool = False,
    log_elsewhere: bool = False,
) -> Use | None:
    if (data is None and log is None) or capacity <= 0:
        return None
    left_out = [f"{probe.unseen} databases that the user may not see"] if probe.unseen and data is not None else []
    left_out += ["the write-ahead log, which the user may not see"] if log is None and not log_elsewhere else []
    caveat = f"{STANDS_IN}, {print_size(capacity)} as declared" if declared else STANDS_IN
    caveat += f"; not in it: {' and '.join(left_out)}" if left_out else ""
    path = "sizes.databases" if data is not None else "log.size"
    disk = ("database", str(subject))
    return Use(subject, probe.source, Size((data or 0) + (log or 0)), capacity, None, path, BY, disk, caveat=caveat)
