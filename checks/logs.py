"""Logs: kept as long as somebody reads them, before their volumes are made larger."""

from __future__ import annotations

from exivity_audit import LOW, MEDIUM, Subject, at_most, chart, check, fail, maybe, ok, one_of, print_size, size, skip, unknown, values, wanted, warn
from exivity_audit.facts.claims import ClaimGroup

LONGEST_DAYS, LARGE_CLAIM, LONG_DAYS = 365, size("10Gi"), 90
TUNED_DELETE, TUNED_COMPRESS = 90, 14
DELETE, COMPRESS = "logfiles.deleteDays", "logfiles.compressDays"
DELETE_PATH, COMPRESS_PATH = "data.EXIVITY_LOGFILES_DELETE_DAYS", "data.EXIVITY_LOGFILES_COMPRESS_DAYS"
NOISY = ("debug", "trace")


@check("retention", severity=MEDIUM, clauses=("F11", "D3"))
def retention(log_retention, release):
    """Log retention is tuned.

    The chart keeps log files for a year and compresses them after a month, on volumes of 1Gi: they fill up, and a service that cannot write
    its log stops.

    Fix: set `logfiles.deleteDays` and `logfiles.compressDays` to what your retention rules ask for.
    """
    both = values(DELETE, TUNED_DELETE) & values(COMPRESS, TUNED_COMPRESS)
    found = log_retention.one()
    if found is None:
        log_retention.surely()
        subject = Subject("ConfigMap", f"{release.fullname}-config-logfiles", release.namespace)
        yield fail(subject, "missing", wanted=wanted("a number of days"), fix=both)
        return
    at = [(found, DELETE_PATH, found.delete_text), (found, COMPRESS_PATH, found.compress_text)]
    text = f"{found.delete_text or 'empty'}/{found.compress_text or 'empty'} days"
    delete, compress = found.delete_days, found.compress_days
    if delete is None or compress is None:
        yield fail(found, text, wanted=wanted("numbers of days"), at=at, fix=both)
        return
    flaws = []
    if (delete, compress) == chart.DEFAULT_LOG_DAYS:
        flaws.append("the chart's default")
    if delete <= 0:
        flaws.append("log files are never deleted")
    elif delete > LONGEST_DAYS:
        flaws.append("log files are kept for more than a year")
    if 0 < delete <= compress:
        flaws.append("log files are deleted before they would be compressed")
    if flaws:
        fix, want = _lowered(delete, compress), wanted("deletion within a year, compression before it, both set")
        yield warn(found, text, seen=f"{text}: {', '.join(flaws)}", wanted=want, at=at, fix=fix)
    else:
        yield ok(found, text, seen=f"deleted after {found.delete_text} days, compressed after {found.compress_text}", at=at)


def _lowered(delete, compress):
    """The values to set, those that may stay left out."""
    both = values(DELETE, TUNED_DELETE) & values(COMPRESS, TUNED_COMPRESS)
    if (delete, compress) == chart.DEFAULT_LOG_DAYS:
        return both
    days = delete if 0 < delete <= LONGEST_DAYS else TUNED_DELETE
    if compress < days:
        return values(DELETE, TUNED_DELETE)
    return both if days != delete else values(COMPRESS, max(0, int(min(days - 1, TUNED_COMPRESS))))


@check("before-expansion", severity=LOW, clauses=("D3",))
def before_expansion(claims, log_retention=maybe):
    """Log volumes grew only after retention was lowered.

    A larger log volume holds more old files and nothing else: lower the retention first, which costs nothing, and an enlarged volume never
    shrinks again.

    Fix: lower `logfiles.deleteDays` before you enlarge a log volume.
    """
    path = "spec.resources.requests.storage"
    large = []
    for claim in claims:
        if claim.group is not ClaimGroup.LOG:
            continue
        if claim.request is None:
            yield unknown(claim, "it asks for no size")
        elif claim.request <= LARGE_CLAIM:
            yield ok(claim, claim.request, at=path)
        else:
            large.append(claim)
    if not large:
        return
    found = log_retention.one()
    if found is None:
        log_retention.surely()
    days = found.delete_days if found is not None else None
    want = at_most(LARGE_CLAIM, f"or `{DELETE}` of {LONG_DAYS} or less")
    for claim in large:
        if days is None:
            yield skip(claim, "no number of days is set after which log files are deleted")
            continue
        kept = f"{print_size(claim.request)}, " + (f"deleted after {days:g} days" if days > 0 else "never deleted")
        if 0 < days <= LONG_DAYS:
            yield ok(claim, claim.request, seen=kept, at=path)
        else:
            at = [(claim, path), (found, DELETE_PATH, found.delete_text)]
            yield warn(claim, claim.request, wanted=want, seen=kept, at=at, fix=values(DELETE, LONG_DAYS))


@check("level", severity=LOW, clauses=("X4",))
def level(environments):
    """Services do not log at debug level.

    Debug logs fill the volumes in days and may hold request data; they are meant for the hours of a search.

    Fix: set `logLevel.backend` to `info`.
    """
    for one in environments:
        at, text = "data.EXIVITY_BACKEND_LOG_LEVEL", one.log_level or "the default"
        if one.log_level.lower() in NOISY:
            yield warn(one, text, wanted=one_of("info", "warning", "error"), at=at, fix=values("logLevel.backend", "info"))
        else:
            yield ok(one, text, at=at)
    environments.surely()
    if not environments:
        yield skip(None, "no ConfigMap of proximity-api or proximity-cli sets a log level")
