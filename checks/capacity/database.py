"""The database's volume, beside the row postgresql."""

from __future__ import annotations

from exivity_audit import HIGH, check, maybe, skip

from ..fullness import HEADROOM, judge
from ..postgresql.headroom import ATTEST, volume_verdicts


@check("postgresql", severity=HIGH, clauses=("D2", "PG2"), attest=ATTEST)
def postgresql(database, settings, use_sources, thresholds, database_probes=maybe):
    """The database volume has room.

    A database whose disk is full stops, and with it the product; to expand it in time it has to be watched.

    Fix: expand the database's volume, and find out what grows in it.
    """
    limit = float(thresholds["use.postgresql"])

    def one(claim, use):
        return skip(claim, "over its limit", follows=HEADROOM) if use.share >= limit else judge(use, limit, None)

    yield from volume_verdicts(database, settings, use_sources, database_probes, one)
