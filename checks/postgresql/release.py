"""Which PostgreSQL runs, and until when it is supported."""

from __future__ import annotations

import re
from datetime import timedelta

from exivity_audit import HIGH, NotSeen, chart, check, fail, maybe, ok, one_of, task, to_attest, unknown
from exivity_audit.lifecycle import ended

from .probing import probe_of
from .shared import EMBEDDED, EXTERNAL, MOVE, forgiven, not_there

SOON = timedelta(days=180)
NUMBERS = re.compile(r"\d+(?:\.\d+)*")


@check(
    "version", severity=HIGH, clauses=("D5",),
    attest="read `select version()` on the database; attach the output and the date until when its maker supports it",
)  # fmt: skip
def version(database, settings, scenario, lifecycle, now, database_probes=maybe):
    """PostgreSQL is a supported release.

    A major past its community support gets no security fixes, and the vendor's next release may not start on it.

    Fix: upgrade to a supported major; the image of the embedded database stays at PostgreSQL 14.
    """
    absent = not_there(database, settings)
    if absent is not None:
        yield absent
        return
    probe = probe_of(database_probes)
    if database.major is None and probe is not None and probe.major is not None:
        told = [(probe, "server.version", probe.version)]
        yield forgiven(_support(database.of_major(probe.major), lifecycle, now, told), database, settings, scenario)
        return
    if database.kind is EXTERNAL:
        yield to_attest(database, f"{database.config.host} is outside this cluster, which does not show its version")
        return
    at = _version_at(database)
    if database.major is None:
        gap = (*database.cluster_gap, *database.pods.partial)
        if gap:
            raise NotSeen(gap)
        yield unknown(database, f"its image names no PostgreSQL release: {', '.join(database.images) or 'none seen'}", at=at)
        return
    yield forgiven(_support(database, lifecycle, now, at), database, settings, scenario)


def _version_at(database):
    if database.workload is not None:
        return [(database, "spec.template.spec.containers[].image", ", ".join(database.images))]
    if database.cluster is not None:
        return [(database, "status.image", ", ".join(database.images))]
    return [(pod, "spec.containers[].image", ", ".join(database.images)) for pod in database.pods[:1]]


def _support(database, lifecycle, now, at):
    table = {int(major): last for major, last in lifecycle.postgresql.items() if major.isdigit()}
    major = database.major
    if not table or (major not in table and major > min(table)):
        text = f"PostgreSQL {major} is not in the table of {day(lifecycle.date)}; name a newer one under `lifecycle`"
        return unknown(database, text, needs=("lifecycle",))
    notes = []
    told = database.workload.labels.get(chart.VERSION_LABEL, "") if database.workload is not None else ""
    if NUMBERS.fullmatch(told) and told.partition(".")[0] != str(major):
        notes.append(f"its label says {told}, the image that runs is {major}")
    last = table.get(major)
    supported = one_of(*(str(one) for one, end in sorted(table.items()) if not ended(end, now)))
    if last is not None and not ended(last, now):
        if last - now.date() < SOON:
            notes.append("the support ends within half a year")
        return ok(database, str(major), seen=f"PostgreSQL {major}, supported until {day(last)}", at=at, remark="; ".join(notes))
    text = f"PostgreSQL {major}, support ended {'on ' + day(last) if last else 'before ' + day(min(table.values()))}"
    newest = max((one for one, end in table.items() if not ended(end, now)), default=None)
    if database.kind is EMBEDDED:
        fix = task(MOVE)
    elif database.cluster is not None:
        fix = task(
            f"Back up the Cluster, then raise `spec.imageName` of {database.subject.name} to PostgreSQL {newest}: the operator upgrades it offline"
        )
    else:
        fix = task(f"Back up the database, then upgrade it to PostgreSQL {newest}")
    return fail(database, str(major), seen=text, wanted=supported, at=at, fix=fix, remark="; ".join(notes))


def day(moment):
    """A date as the report prints it."""
    return f"{moment.day} {moment:%b %Y}"
