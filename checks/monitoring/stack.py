"""The stack itself."""

from __future__ import annotations

from exivity_audit import HIGH, check, fail, maybe, ok, seen, task, to_attest, unknown, wanted, warn

from .shared import elsewhere, names


@check("stack", severity=HIGH, clauses=("F10",), attest="name the stack that watches the cluster and attach a picture of its view of the namespace")
def stack(prometheus_servers, release, victoria_metrics=maybe):
    """A monitoring stack runs.

    Full volumes, stuck queues and dead pods announce themselves in metrics hours before users notice; without a stack nobody sees them.

    Fix: run Prometheus with its operator, VictoriaMetrics, or the monitoring of your platform.
    """
    victoria = [one for one in victoria_metrics if one.working] if seen(victoria_metrics) else []
    scrapers = [one for one in prometheus_servers if one.scrapes]
    if victoria and not any(one.working for one in scrapers):
        yield ok(
            release,
            f"VictoriaMetrics: {', '.join(str(one.subject) for one in victoria)}",
            at=[(one, "status.updateStatus", one.state) for one in victoria],
        )
        return
    if not scrapers:
        why = elsewhere(prometheus_servers) or "no Prometheus scrapes"
        _ = victoria_metrics.surely()
        yield to_attest(release, f"{why}; name the stack in `evidence.yaml`")
        return
    yield verdict(release, scrapers)


def verdict(release, servers):
    """The verdict on the servers that scrape: one that is ready, one that cannot be told, or none."""
    at = [(one, "status.availableReplicas", one.ready) for one in servers]
    ready = [one for one in servers if one.working and one.ready]
    still = [one for one in servers if not one.working]
    if not ready and all(not one.working for one in servers):
        seen_as = "; ".join(f"{one.kind} {one.namespace}/{one.name}: {state(one)}" for one in servers)
        return fail(release, 0, seen=seen_as, wanted=wanted("a ready replica"), at=at, fix=task(f"Bring the pods of {names(servers)} up"))
    if not ready:
        return unknown(
            release, f"{names(one for one in servers if one.working)} has no status: whether a replica is ready cannot be told",
            needs=("the operator's status (0.58 or later)",), at=at,
        )  # fmt: skip
    if all(one.paused for one in ready):
        fix = task(f"Set `spec.paused: false` on {names(ready)}")
        return warn(release, "paused", seen=f"{names(ready)}: paused", wanted=wanted("an operator that applies monitors and rules"), at=at, fix=fix)
    remark = f"{names(still)} has no ready replica" if still else ""
    if all(one.openshift and one.name == "k8s" for one in ready):
        remark = "OpenShift's user-workload monitoring is off: monitors and rules of the namespace are not taken"
    return ok(release, sum(one.ready for one in ready), seen=f"{names(ready)}: ready", remark=remark, at=at)


def state(one):
    """Why a server does not run."""
    return "replicas 0" if one.replicas == 0 else f"0 of {one.replicas} ready{f' ({one.reason})' if one.reason else ''}"
