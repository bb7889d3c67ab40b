"""Which jobs and schedules reach the volumes."""

from __future__ import annotations

from exivity_audit import HIGH, check, fail, maybe, ok, print_duration, seen, skip, task, to_attest, unknown, wanted
from exivity_audit.facts.claim_copies import of_kind
from exivity_audit.facts.copies import KEPT_CLAIMS, Kind, State

from .shared import OUTSIDE, PASSIVE, told, way


def every(interval):
    """``every 1 d``; how often a job runs."""
    return f"every {print_duration(interval)}" if interval is not None else "on a schedule that cannot be read"


@check("recurring-jobs", severity=HIGH, clauses=("L3",), passive=PASSIVE, attest=OUTSIDE)
def recurring_jobs(claim_copies, ledger, release, declared_jobs=maybe):
    """Snapshot and backup jobs reach every volume.

    Longhorn's jobs reach a volume by its labels alone: a volume with a label of its own leaves the group default, and a class or a claim
    that names a job may be ignored. Velero copies the data only where its schedule moves snapshots or backs up files.

    Fix: put a snapshot job and a backup job into the group of every volume, or let a Velero schedule take the namespace with its data.
    """
    asked = {one.claim: one for one in declared_jobs} if seen(declared_jobs) else {}
    states = {str(entry.subject): entry.state for entry in ledger if entry.kind is Kind.CLAIM}
    found = of_kind(claim_copies, KEPT_CLAIMS)
    if not found:
        claim_copies.surely()
        yield skip(release.subject, "none of the claims with data is there", follows="storage/claims-bound")
    for copies in found:
        yield reach_verdict(copies, states.get(str(copies.subject)), asked.get(copies.claim.name))


def reach_verdict(copies, state, asked):
    """The verdict on what reaches one claim."""
    if copies.schedules:
        one = copies.schedules[0]
        how = "data movement" if one.ways.moved else "file-system backup"
        return ok(copies, one.name, seen=f"Velero schedule {one.name}, {how}, {every(one.interval)}", at=[(one, "spec.schedule", one.cron)])
    if state is State.NEEDLESS:
        lost = copies.claim.phase == "Lost"
        return skip(copies, "its volume is lost" if lost else "no volume yet", follows="storage/claims-lost" if lost else None)
    if copies.longhorn:
        return longhorn_verdict(copies, state, asked)
    return velero_verdict(copies, state)


def longhorn_verdict(copies, state, asked):
    """The verdict on a claim on Longhorn: a snapshot job and a backup job reach its volume."""
    jobs = [job for job in (*copies.snapshots, *copies.jobs) if job.interval is not None]
    snapshots, backups = ([job for job in jobs if job.makes == kind] for kind in ("snapshot", "backup"))
    at = [(job, "spec.cron", f"{job.task} {job.cron}") for job in (*copies.snapshots, *copies.jobs)]
    if snapshots and backups:
        text = ", ".join(f"{job.makes} {job.name} {every(job.interval)}" for job in (snapshots[0], backups[0]))
        return ok(copies, len(jobs), seen=text, at=at)
    why, needs = told(copies.unread)
    if why:
        return unknown(copies, f"whether jobs reach it: {why}", needs=needs)
    if copies.volume is None:
        return skip(copies, "its Longhorn volume is gone", follows="storage/longhorn-replicas")
    if state is State.NONE and not backups:
        return skip(copies, "nothing copies it at all", follows="backups/ledger")
    lacks = " and ".join(f"no {kind} job" for kind, there in (("snapshot", snapshots), ("backup", backups)) if not there)
    never = [job.name for job in (*copies.snapshots, *copies.jobs) if job.interval is None]
    text = lacks + (f"; the schedule of {', '.join(never)} never runs" if never else "") + wish(asked)
    labels = ", ".join(sorted(key for key in copies.volume.labels if key.startswith("recurring-job"))) or "none, so group default"
    at += [(copies.volume, "metadata.labels", labels)]
    return fail(copies, lacks, seen=text, wanted=wanted("a snapshot job and a backup job"), at=at, fix=task(way(copies)))


def wish(asked):
    """What the claim or its class asks for beside what reaches the volume."""
    if asked is None:
        return ""
    parts = []
    if asked.by_class:
        parts.append(f"its class names {', '.join(asked.by_class)}, for volumes made since")
    if asked.by_claim and not asked.followed:
        parts.append("the claim's own labels are ignored without `recurring-job.longhorn.io/source: enabled`")
    return "".join(f"; {part}" for part in parts)


def velero_verdict(copies, state):
    """The verdict on a claim elsewhere: an enabled Velero schedule takes its data."""
    why, needs = told(copies.unread)
    want = wanted("an enabled schedule with data movement or file-system backup")
    if copies.idle:
        one = copies.idle[0]
        text = "paused" if one.paused else one.phase
        path = "spec.paused" if one.paused else "status.phase"
        fix = task(
            f"Unpause Velero schedule {one.namespace}/{one.name}" if one.paused else f"Mend Velero schedule {one.namespace}/{one.name}: {one.phase}"
        )
        return unknown(copies, why, needs=needs) if why else fail(
            copies, text, seen=f"Velero schedule {one.name}: {text}", wanted=want, at=[(one, path, text)], fix=fix
        )  # fmt: skip
    if why:
        return unknown(copies, f"whether a Velero schedule takes it: {why}", needs=needs)
    if state is State.NONE:
        return skip(copies, "nothing copies it at all", follows="backups/ledger")
    if copies.passed_over or (copies.local and copies.velero):
        text = f"Velero schedule {copies.empty[0].name} takes the objects without the data" if copies.empty else "no Velero schedule takes it"
        at = [(one, "spec.template", "no data") for one in copies.empty] or [(copies, "metadata.name", text)]
        return fail(copies, "no schedule", seen=text, wanted=want, at=at, fix=task(way(copies)))
    return to_attest(copies, "no cluster shows what copies its storage")
