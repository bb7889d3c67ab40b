"""Data and log volumes."""

from __future__ import annotations

from exivity_audit import HIGH, MEDIUM, chart, check, maybe, skip, together, unknown
from exivity_audit.facts.volume_use import use_of, why_unseen

from ..fullness import DATA, GROWING, LOGS, judge, more_room, rivals, unseen


def _group(claims, name, parts, sources, release, limit, leaders, classes):
    """The verdicts on the claims of these parts; one unknown where nothing says anything of any."""
    ours = [claim for claim in claims if claim.part in parts]
    if not ours:
        claims.surely()
        yield skip(release.subject.at(name), "the release has no such claim")
        return
    found = {claim.name: use_of(claim, sources) for claim in ours}
    if not any(found.values()) and all(claim.bound for claim in ours):
        why, needs = why_unseen(None, sources)
        yield unknown(release.subject.at(name), why, needs=needs)
        return
    for claim in ours:
        use = found[claim.name]
        if use is not None:
            yield judge(use, limit, more_room(claim, use, limit, classes), leaders)
        elif not claim.bound:
            yield skip(claim, "no volume yet")
        else:
            yield unseen(claim, sources)


def _before(name, leaders):
    """The leaders that come before a check."""
    names = [leader for leader, _, _ in leaders]
    return leaders[: names.index(name)]


@check("data", severity=HIGH, clauses=("D2",))
def data(claims, use_sources, release, settings, thresholds, database=maybe, storage_classes=maybe):
    """Data volumes are under 80 % full.

    A full `extracted` or `exported` stops the pipeline; both grow with every data source and every report.

    Fix: set `storage.pvcSizes.data.<name>`, or shorten what is kept.
    """
    leaders = _before(DATA, rivals(claims, use_sources, thresholds, database, settings))
    limit = float(thresholds["use.volumes"])
    yield from together(_group(claims, "data volumes", GROWING, use_sources, release, limit, leaders, storage_classes))


@check("logs", severity=MEDIUM, clauses=("D2",))
def logs(claims, use_sources, release, settings, thresholds, database=maybe, storage_classes=maybe):
    """Log volumes are under 80 % full.

    A service whose log volume is full stops writing, and some stop working with it.

    Fix: set `logfiles.deleteDays` lower, or `storage.pvcSizes.log.<service>` higher.
    """
    leaders = _before(LOGS, rivals(claims, use_sources, thresholds, database, settings))
    limit = float(thresholds["use.volumes"])
    yield from together(_group(claims, "log volumes", chart.LOG_CLAIMS, use_sources, release, limit, leaders, storage_classes))
