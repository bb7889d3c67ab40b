"""The database's volume."""

from __future__ import annotations

from exivity_audit import HIGH, check, skip, to_attest
from exivity_audit.facts.database import DatabaseKind

from .shared import HEADROOM, database_verdicts, judge


@check(
    "postgresql", severity=HIGH, clauses=("D2", "PG2"),
    attest="Read how full the database's volume is from the system that runs it; attach the page or the command's output that shows less than 70 %.",
)  # fmt: skip
def postgresql(database, use_sources, thresholds):
    """The database volume has room.

    A database whose disk is full stops, and with it the product; to expand it in time it has to be watched.

    Fix: expand the database's volume, and find out what grows in it.
    """
    if database.kind is DatabaseKind.EXTERNAL:
        yield to_attest(database, f"the database {database.location.external} is outside this cluster")
        return
    limit = float(thresholds["use.postgresql"])

    def one(claim, use):
        if use.share >= limit:
            return skip(claim, "it is over its limit", follows=HEADROOM)
        return judge(use, limit, None)

    yield from database_verdicts(database, use_sources, one)
