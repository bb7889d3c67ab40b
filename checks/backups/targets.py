"""Where the backups go."""

from __future__ import annotations

from exivity_audit import CRITICAL, Role, check, fail, maybe, ok, seen, task, to_attest, unknown, wanted, warn
from exivity_audit.facts.claim_copies import gaps

from .shared import told

OFF = "a target off this cluster that is available"


@check(
    "target-available", severity=CRITICAL, clauses=("L3",),
    attest="show where the storage's own copies go and that the place can be reached; attach the storage team's statement",
)  # fmt: skip
def target_available(longhorn_claims, release, settings, backup_targets=maybe, storage_locations=maybe, schedules=maybe, nodes=maybe):
    """The backup target is available.

    Jobs go on being scheduled while their target cannot be reached, and copy nothing; a target on this cluster is lost with it.

    Fix: set the URL and the credentials of the BackupTarget or BackupStorageLocation to a store off the cluster, and see it available.
    """
    addresses = {address for node in nodes for address in node.addresses} if seen(nodes) else set()
    readonly = settings.role is Role.PASSIVE
    why, needs = told_of(*((backup_targets,) if longhorn_claims else ()), storage_locations)
    targets = [one for one in backup_targets if one.url] if seen(backup_targets) else []
    locations = used(storage_locations, schedules, release, bool(targets)) if seen(storage_locations) else []
    for one in (*targets, *locations):
        yield target_verdict(one, addresses, readonly)
    if targets or locations:
        if why:
            yield unknown(release.subject.at("targets"), why, needs=needs)
    elif why:
        yield unknown(release.subject, why, needs=needs)
    elif longhorn_claims:
        empty = next(iter(backup_targets), None)
        at = [(empty, empty.path, "empty")] if empty is not None else ()
        fix = task("Set `spec.backupTargetURL` and `spec.credentialSecret` of the Longhorn BackupTarget default to a bucket or share off the cluster")
        yield fail(empty or release.subject, "no target", seen="Longhorn has no backup target", wanted=wanted(OFF), at=at, fix=fix)
    else:
        yield to_attest(release.subject, "no backup target is seen in this cluster")


def told_of(*collections):
    """Why a target that is missing from these may be there, as text and rules."""
    return told(gaps(*collections))


def used(locations, schedules, release, beside):
    """The locations that schedules of the namespace write to; the default one, or the only one, where they name none.

    ``beside`` another target Velero counts only where a schedule of it holds the namespace: it may be there for others.
    """
    holding = [one for one in schedules if one.selection.holds(release.namespace)] if seen(schedules) else []
    if beside and seen(schedules) and not holding:
        return []
    named = {one.location for one in holding if one.location}
    usual = [one for one in locations if one.default] or (list(locations) if len(locations) == 1 else [])
    found = [one for one in locations if one.name in named] + (usual if not named or any(not one.location for one in holding) else [])
    return list(dict.fromkeys(found)) or list(locations)


def target_verdict(one, addresses, readonly):
    """The verdict on one target: it can be reached, written to, and is elsewhere."""
    at = [(one, one.state_path, one.state), (one, one.path, one.url)]
    where = f"{one.url or 'no URL'}, {one.state}"
    if one.available is False:
        fix = task(f"Read what {one.subject.kind} {one.name} says of its credentials, network and URL, and mend it until it is available")
        return fail(one, one.state, seen=where, wanted=wanted(OFF), at=at, fix=fix)
    if one.available is None:
        return unknown(one, f"{one.url}: nothing says whether it is available ({one.state})", at=at)
    if not one.writable and not readonly:
        fix = task(f"Set `spec.accessMode: ReadWrite` on BackupStorageLocation {one.name}")
        return fail(one, "ReadOnly", seen=f"{where}, but read-only", wanted=wanted("a location that can be written to"), at=at, fix=fix)
    inside = f"Service {one.service[1]}/{one.service[0]}" if one.service else f"a node, {one.host}" if one.host in addresses else ""
    if inside:
        fix = task("Send the backups to a store outside this cluster, or replicate that store: it is lost together with what it copies")
        return warn(one, "on this cluster", seen=f"{where}, on this cluster: {inside}", wanted=wanted(OFF), at=at, fix=fix)
    return ok(one, one.state, seen=where, at=at)
