"""Whether the shared data reach the standby."""

from __future__ import annotations

from exivity_audit import HIGH, C, check, fail, ok, skip, task, to_attest, wanted
from exivity_audit.facts.failover_data import LOOKS_AT, standby_data

from .shared import alone, contained, for_each, hidden

LEADER = "backups/target-available"
STORAGE = "show how the storage replicates extracted, exported, report and etl-config to the standby; attach its status and a restore there"
WANTED = wanted("a backup target that both sites reach, or volumes that follow at the standby")


@check("data-replicated", severity=HIGH, clauses=("C4",), applies=(C,), across=LOOKS_AT, attest=STORAGE)
def data_replicated(sites):
    """Data reaches the passive site.

    The database alone does not bring the product back: extracted data, reports and configuration stand in volumes, and storage that is
    stretched over both sites fails with the line between them.

    Fix: set the Longhorn backup target of both sites to one bucket off both, or keep Longhorn DR volumes at the passive site.
    """
    yield from for_each(sites, replicated)


def replicated(deployment):
    """The verdict on each standby of a deployment."""
    if not deployment.whole:
        yield alone(deployment)
    for pair in deployment.pairs:
        subject = deployment.at(pair.passive)
        yield from contained(subject, (judge(subject, pair, standby_data(pair)) for _ in (0,)))


def judge(subject, pair, found):
    """The verdict on what one standby can come by."""
    here, there = pair.active.name, pair.passive.name
    if found.same_files:
        one = found.same_files[0]
        at = [(one.active, "spec", f"{here}: {one.place}"), (one.standby, "spec", f"{there}: {one.place}")]
        fix = task(f"Give {there} storage of its own and replicate the data to it by backup or by the storage layer")
        text = f"{', '.join(each.part for each in found.same_files)} of both sites are the same files, {one.place}"
        return fail(subject, "one storage", seen=text, wanted=wanted("storage of its own at each site"), at=at, fix=fix)
    if found.covered:
        at = [(one, "spec.Standby", f"{there}: follows {one.origin}") for one in found.following.values()]
        broken = [part for part in found.wanted if not found.following[part].whole]
        if not broken:
            return ok(subject, "DR volumes", seen=f"a DR volume at {there} follows each of {len(found.wanted)} claims", at=at)
    reached = [one for one in found.shared if one.standby.available]
    if reached:
        one = reached[0]
        at = [(one.active, one.active.path, f"{here}: {one.active.url}"), (one.standby, one.standby.state_path, f"{there}: {one.standby.state}")]
        lag = f"DR volumes follow {', '.join(sorted(found.following))} as well" if found.following else ""
        return ok(subject, one.standby.url, seen=f"{one.standby.url} of {here} is available at {there}", at=at, remark=lag)
    if found.shared:
        one = found.shared[0]
        text = f"{one.standby.url} is not available at {there}"
        return skip(subject, text, follows=LEADER) if one.standby.available is False else hidden_state(subject, one, there)
    if found.unseen:
        return hidden(subject, found.unseen)
    if found.active_targets and found.standby_targets:
        writes, reads = (", ".join(dict.fromkeys(one.url for one in targets)) for targets in (found.active_targets, found.standby_targets))
        at = [(one, one.path, f"{here}: {one.url}") for one in found.active_targets] + [
            (one, one.path, f"{there}: {one.url}") for one in found.standby_targets
        ]
        fix = task(f"Set the backup target of {there} to that of {here}, {found.active_targets[0].url}, read-only until failover")
        return fail(subject, reads, seen=f"{here} writes to {writes}, {there} reads {reads}", wanted=WANTED, at=at, fix=fix)
    if found.active_targets:
        at = [(one, one.path, f"{here}: {one.url}") for one in found.active_targets]
        return to_attest(subject, f"{here} writes to {found.active_targets[0].url}, and {there} has no backup target that is seen", at=at)
    return to_attest(subject, f"no backup target of {here} and no volume that follows at {there} is seen")


def hidden_state(subject, one, there):
    """Where nothing says whether a target can be reached."""
    return to_attest(subject, f"{one.standby.url} is set at {there}, and nothing says whether it is available ({one.standby.state})")
