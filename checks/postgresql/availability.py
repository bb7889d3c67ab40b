"""Whether the database survives the loss of an instance or a node."""

from __future__ import annotations

from exivity_audit import CRITICAL, B, C, at_least, check, exactly, fail, maybe, ok, patch, skip, task, to_attest, unknown, wanted, warn
from exivity_audit.facts.cnpg import HEALTHY

from .probing import probe_of, standing_by
from .shared import DEPLOYMENT, EMBEDDED, EXTERNAL, OTHER, not_there, without_cluster

STUCK = (
    "Waiting for user action", "Cluster is unrecoverable and needs manual intervention", "Cluster upgrade delayed", "Invalid cluster definition",
    "Unable to create required cluster objects", "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
    "Cluster cannot proceed to reconciliation due to an error while interacting with plugins", "Cluster has incomplete or invalid image catalog",
    "Cluster cannot execute instance online upgrade due to missing architecture binary",
)  # fmt: skip
SEVERAL = at_least(2, note="instances")


@check(
    "high-availability", severity=CRITICAL, clauses=("PG3", "K3"), applies=(B, C),
    attest="show the standby of the database, how it takes over, and when that was last tried; attach the platform's page or the test's log",
)  # fmt: skip
def high_availability(database, settings, thresholds, database_probes=maybe):
    """PostgreSQL has a standby that is ready.

    With one instance the product stands still until somebody has repaired or restored it; a standby takes over within a minute.

    Fix: run a CloudNativePG Cluster with `spec.instances: 3`, its pods kept apart.
    """
    absent = not_there(database, settings)
    if absent is not None:
        yield absent
    elif database.kind is EMBEDDED:
        yield skip(database, "the embedded database has no standby", follows=DEPLOYMENT)
    elif database.kind is EXTERNAL:
        told = standing_by(database, probe_of(database_probes), thresholds)
        yield told or to_attest(database, f"{database.config.host} is outside this cluster, which does not show its standby")
    elif database.kind is OTHER:
        yield standing_by(database, probe_of(database_probes), thresholds) or _other(database)
    elif database.cluster is None:
        yield without_cluster(database)
    else:
        yield _cluster(database, database.cluster)


def _other(database):
    """A database of another operator: one pod is seen to have no standby, of several only their operator knows the roles."""
    running = [pod for pod in database.pods if pod.alive]
    if len(running) > 1:
        return to_attest(database, f"{len(running)} pods: which of them follow the primary only its operator shows")
    database.pods.surely()
    if database.workload is None:
        return to_attest(database, "its pods do not show whether it has a standby")
    fix = task("Run the database with an operator that keeps a standby: CloudNativePG with `spec.instances: 3`")
    return fail(database, len(running), seen=f"{len(running)} pod", wanted=SEVERAL, at="spec.replicas", fix=fix)


def _cluster(database, cluster):
    at = [(cluster, "spec.instances", cluster.instances), (cluster, "status.readyInstances", cluster.ready), (cluster, "status.phase", cluster.phase)]
    look = task(f"Read `kubectl describe cluster {cluster.name} -n {cluster.namespace}` and the logs of its pods, and mend what it names")
    text = f"{cluster.ready} of {cluster.instances} ready"
    if cluster.hibernated:
        wake = patch(cluster, {"metadata": {"annotations": {"cnpg.io/hibernation": "off"}}}, f"Wake the Cluster {cluster.name}")
        return fail(cluster, "hibernated", wanted=exactly(HEALTHY), at="metadata.annotations[cnpg.io/hibernation]", fix=wake)
    if cluster.instances < 2:
        more = patch(cluster, {"spec": {"instances": 3}}, f"Set `spec.instances: 3` on the Cluster {cluster.name}")
        return fail(cluster, cluster.instances, seen=f"{cluster.instances} instance: no standby", wanted=SEVERAL, at=at, fix=more)
    if not cluster.phase:
        return unknown(cluster, "the operator has written no phase", at=at)
    if cluster.phase in STUCK:
        return fail(cluster, cluster.phase, seen=f"{text}: {cluster.phase}", wanted=exactly(HEALTHY), at=at, fix=look)
    if cluster.ready < 2:
        return fail(cluster, cluster.ready, seen=f"{text}: no standby", wanted=SEVERAL, at=at, fix=look)
    return _placed(database, cluster, text, at, look)


def _placed(database, cluster, text, at, look):
    """The verdict on a Cluster with a standby: apart from the primary, none missing, nothing under way."""
    nodes = _nodes(database)
    if nodes is None:
        database.pods.surely()
        return unknown(cluster, "the pods of its instances were not found", at=at)
    apart = patch(
        cluster, {"spec": {"affinity": {"enablePodAntiAffinity": True, "podAntiAffinityType": "required", "topologyKey": "kubernetes.io/hostname"}}},
        f"Keep the instances of the Cluster {cluster.name} apart: `spec.affinity.podAntiAffinityType: required`",
    )  # fmt: skip
    placed = [*at, *((pod, "spec.nodeName", pod.node) for pod in database.pods if pod.running)]
    distinct = len(set(nodes))
    if distinct == 1:
        return fail(cluster, distinct, seen=f"{text}, all on node {nodes[0]}", wanted=at_least(2, note="nodes"), at=placed, fix=apart)
    if cluster.ready < cluster.instances:
        return warn(cluster, cluster.ready, seen=f"{text}: a standby is missing", wanted=exactly(cluster.instances), at=placed, fix=look)
    if cluster.fenced:
        fence = [(cluster, "metadata.annotations[cnpg.io/fencedInstances]", "set")]
        fix = task(f"Lift the fence when the work is done: `kubectl cnpg fencing off {cluster.name} '*' -n {cluster.namespace}`")
        return warn(cluster, "fenced", seen=f"{text}, instances fenced", wanted=wanted("no fence"), at=fence, fix=fix)
    if cluster.phase != HEALTHY:
        return warn(cluster, cluster.phase, seen=f"{text}: {cluster.phase}", wanted=exactly(HEALTHY), at=placed, fix=look)
    if distinct < len(nodes):
        return warn(cluster, distinct, seen=f"{text}, on {distinct} nodes", wanted=at_least(len(nodes), note="nodes"), at=placed, fix=apart)
    return ok(cluster, cluster.ready, seen=f"{text}, on {distinct} nodes", at=placed)


def _nodes(database):
    """The nodes of the running instances; None where too few were seen to tell."""
    found = [pod.node for pod in database.pods if pod.running and pod.node]
    return found if len(found) >= 2 else None
