"""Whether the standby's database follows the active one."""

from __future__ import annotations

from exivity_audit import CRITICAL, PASSIVE_C, NotSeen, check, exactly, fail, maybe, ok, reasons_of, seen, skip, task, to_attest, unknown, wanted
from exivity_audit.facts.cnpg import HEALTHY
from exivity_audit.facts.failover_database import Pattern, kinship, pattern

from .shared import REACHABLE, host_at

RESTORE = (
    "show how the standby's database comes by the data: restore the newest backup there, or the platform's own replication; attach the log of"
    " the last restore, or the replication's status and lag"
)
FOLLOW = wanted("a replica cluster that follows the active site's, or an attested restore")


@check(
    "replication", severity=CRITICAL, clauses=("C2",), applies=(PASSIVE_C,), across=("database", "barman_stores"), attest=RESTORE,
)  # fmt: skip
def replication(database, other_sites, barman_stores=maybe):
    """The passive site's database follows the active one.

    What is not replicated or restored is lost with the active site; a replica that was promoted takes writes of its own and never
    follows again.

    Fix: make the standby's CloudNativePG Cluster a replica cluster of the active one (`spec.replica`), or attest the restore from validated backups.
    """
    if database.cluster is None and database.cluster_gap:
        raise NotSeen(database.cluster_gap)
    found = pattern(database)
    active = next((site for site in other_sites if not site.passive), None)
    if found is Pattern.EXTERNAL:
        yield external(database, active)
    elif found is Pattern.REPLICA:
        yield from replica(database, active, barman_stores)
    elif found is Pattern.PROMOTED:
        cluster = database.cluster
        at = [(cluster, "spec.replica.enabled", "false"), (cluster, "spec.replica.primary", cluster.replica.primary or "not set")]
        body = "Make it a replica cluster again (`spec.replica.enabled: true`, a new bootstrap from the active one), or declare this site active"
        yield fail(database, "promoted", seen=f"{cluster.subject} was promoted: it takes writes of its own", wanted=FOLLOW, at=at, fix=task(body))
    else:
        yield to_attest(
            database, f"{found.value}: it is restored at failover, or replicated by other means", at=[host_at(database)], measured=found.value
        )


def external(database, active):
    """The verdict on a database outside the clusters: what follows what there no cluster shows."""
    where = database.location.external
    if active is None:
        return to_attest(database, f"{where}, outside the cluster: its replication is not seen here", at=[host_at(database)], measured=where)
    other = active.fact("database").location.external
    if other and other.lower().rstrip(".") == where.lower().rstrip("."):
        text = f"{where} serves both sites: show that it survives the loss of {active.name}"
    else:
        text = f"{where} here, {other or 'a database in its cluster'} at {active.name}: show that the one follows the other"
    return to_attest(database, text, at=[host_at(database)], measured=where)


def replica(database, active, stores):
    """The verdicts on a replica cluster: that it receives, and from whom."""
    cluster = database.cluster
    state = [word for word, holds in (("hibernated", cluster.hibernated), ("fenced", cluster.fenced), ("being deleted", cluster.deleting)) if holds]
    at = [(cluster, "spec.replica.source", cluster.replica.source or "none"), (cluster, "status.phase", cluster.phase or "none")]
    if state or cluster.phase != HEALTHY or cluster.ready < 1 or not cluster.primary:
        ready = f"{cluster.ready} of {cluster.instances} instances ready"
        text = f"{cluster.subject}: {', '.join((*state, cluster.phase or 'no phase yet', ready))}"
        fix = task(f"Mend {cluster.subject} until the operator calls it healthy and its designated primary receives")
        yield fail(database, cluster.phase or "no phase", seen=text, wanted=exactly(HEALTHY), at=at, fix=fix)
        return
    if active is None:
        why = f"{cluster.subject} follows {cluster.replica.source or 'another cluster'}; whose that is: the active site is not audited"
        yield unknown(database, why, needs=("--site",), at=at)
        return
    yield followed(database, cluster, active, stores, at)


def followed(database, cluster, active, stores, at):
    """The verdict on whom a healthy replica cluster follows."""
    theirs = active.fact("database")
    if theirs.cluster is None and theirs.cluster_gap:
        raise NotSeen(active.here(theirs.cluster_gap))
    if theirs.cluster is None:
        text = f"follows {cluster.replica.host or cluster.replica.source}; {active.name} uses {theirs.config.host}: show that they are one database"
        return to_attest(database, text, at=at, measured=cluster.replica.source)
    if theirs.cluster.replica is not None and theirs.cluster.replica.follows:
        return skip(database, f"{theirs.cluster.subject} at {active.name} is a replica cluster too: nobody takes writes", follows=REACHABLE)
    written, gap = seen_there(active, "barman_stores")
    kin = kinship(theirs.cluster, cluster, written, stores)
    at = [*at, *kin.at]
    if kin.same is False:
        fix = task(f"Bootstrap {cluster.subject} anew from {theirs.cluster.subject} of {active.name}, and name it in `spec.replica.source`")
        return fail(database, "another database", seen=f"follows another database than {active.name}'s: {kin.how}", wanted=FOLLOW, at=at, fix=fix)
    if kin.same is None and (cluster.replica.plugin is not None or theirs.cluster.backup_plugin is not None) and (gap or not seen(stores)):
        raise NotSeen((*reasons_of(stores), *gap))
    if kin.same is None:
        return to_attest(database, f"{kin.how}; no object shows that this is the database of {active.name}", at=at, measured=kin.how)
    remark = "its lag is not told by the cluster's objects"
    return ok(database, "follows", seen=f"follows {active.name}: {kin.how}; its designated primary is {cluster.primary}", at=at, remark=remark)


def seen_there(site, name):
    """A collection of another site, and why it could not be read."""
    try:
        return site.fact(name), ()
    except NotSeen as error:
        return (), error.reasons
