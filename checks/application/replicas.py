"""How often each service is asked for."""

from __future__ import annotations

from exivity_audit import (
    ACTIVE_C,
    HIGH,
    LOW,
    A,
    B,
    Scenario,
    Status,
    at_least,
    check,
    exactly,
    fail,
    maybe,
    ok,
    patch,
    skip,
    task,
    to_attest,
    together,
    unknown,
    values,
    warn,
)

from .shared import BETTER_TWICE, STATELESS, at_rest, copies, followers, placed, resting, scalers_of, unread


@check("stateless-replicas", severity=HIGH, clauses=("R1", "R2", "B9"), applies=(A, B, ACTIVE_C))
def stateless_replicas(declared_services, release, scenario, autoscalers=maybe):
    """Stateless services are asked for at least twice.

    With one copy a service stops when its node or its pod does; with two the other one answers and shares the load.
    On a single node one copy is enough.

    Fix: set `service.<name>.replicas: 2` in the chart values.
    """
    if resting(declared_services, scenario):
        yield from at_rest(declared_services, STATELESS)
    else:
        yield from together(asked_for(declared_services, scenario, autoscalers))
    yield from followers(declared_services, release, STATELESS)


def asked_for(declared_services, scenario, autoscalers):
    """The verdict on how often each stateless service is asked for."""
    least = 1 if scenario is Scenario.SINGLE_NODE else 2
    for service in declared_services:
        if service.component not in STATELESS:
            continue
        note = "the vendor's text says 2, its example values say 1" if service.component in BETTER_TWICE and least == 2 else ""
        want = at_least(least, note=note)
        found, measured, (why, needs) = copies(service, scenario, autoscalers)
        scalers = scalers_of(autoscalers, service)
        where = [(service, "spec.replicas", service.replicas), *((one, one.paths[0], one.minimum) for one in scalers)]
        fix = values(f"service.{service.key}.replicas", least)
        if scalers:
            lowest = max(scalers, key=lambda one: one.minimum)
            fix = raised(lowest, least)
        text = f"{service.replicas} asked for" + "".join(f", autoscaled from {one.minimum} to {one.maximum}" for one in scalers)
        text += "".join(f", {one.printed} paused" for one in scalers_of(autoscalers, service, paused=True) if one.paused)
        if found is Status.PASS:
            yield ok(service, measured, seen=text, at=where)
        elif found is Status.UNKNOWN:
            yield unknown(service, f"{text}; an autoscaler may ask for more: {why}", needs=needs, at=where)
        else:
            yield (fail if found is Status.FAIL else warn)(service, measured, seen=text, wanted=want, at=where, fix=fix)


def raised(scaler, least):
    """The patch that raises an autoscaler's least number of copies."""
    leaf = scaler.paths[0].removeprefix("spec.")
    body = {leaf: least, **({"idleReplicaCount": None} if scaler.keda else {})}
    also = " and no `idleReplicaCount`" if scaler.keda else ""
    return patch(scaler, {"spec": body}, f"Set `{leaf}: {least}`{also} on {scaler.printed}")


@check("same-node", severity=LOW, clauses=("A4",), applies=(A,))
def same_node(services, pods, release):
    """All pods run on the one node.

    Scenario A uses ReadWriteOnce volumes, which only the pods of one node can share.

    Fix: run one worker node, or move to the multi-node scenario with ReadWriteMany volumes.
    """
    used = {}
    for service in services:
        for pod in placed(service):
            used.setdefault(pod.node, pod)
    where = [(pod, "spec.nodeName", name) for name, pod in sorted(used.items())]
    why, needs = unread(services, pods)
    if len(used) > 1:
        fix = task("Cordon the further nodes and restart the pods on them, or audit as `--scenario multi-node` with ReadWriteMany volumes")
        yield fail(release, len(used), seen=f"on {', '.join(sorted(used))}", wanted=exactly(1, note="node"), at=where, fix=fix)
    elif why:
        yield unknown(release, f"pods on another node cannot be ruled out: {why}", needs=needs, at=where)
    elif not used:
        yield skip(release, "no pod runs")
    else:
        yield ok(release, 1, seen=f"all on {next(iter(used))}", at=where)


TASKS = "check that schedules and triggers never queue the same task for the same period twice; attach the workflow review or its ticket"


@check("duplicate-tasks", severity=LOW, clauses=("R4",), attest=TASKS)
def duplicate_tasks(release):
    """The same task is never queued twice in parallel.

    RabbitMQ delivers each message once, but two messages for the same extractor and period write over each other; only the
    design of schedules and triggers prevents it.

    Fix: review schedules and triggers, and record the review in `evidence.yaml`.
    """
    yield to_attest(release)


SCALING = "say which figures of CPU, memory and queue depth the replica counts follow and who looks at them when; attach the dashboard or the review"


@check("scaling", severity=LOW, clauses=("R5",), attest=SCALING)
def scaling(declared_services, autoscalers, release):
    """Replica counts follow the load that is seen.

    Two copies are a starting point: CPU, memory and queue depth say when a service needs more.

    Fix: let an autoscaler scale the stateless services, or review the figures regularly and record the review in `evidence.yaml`.
    """
    found = [
        (service, one)
        for service in declared_services
        if service.component in STATELESS
        for one in scalers_of(autoscalers, service)
        if one.maximum > one.minimum
    ]
    why, needs = unread(autoscalers)
    if found:
        text = ", ".join(f"{service.component} {one.minimum} to {one.maximum}" for service, one in found)
        yield ok(release, len(found), seen=f"autoscaled: {text}", at=[(one, one.paths[1], one.maximum) for _, one in found])
    elif why:
        yield unknown(release, f"no autoscaler seen, but one cannot be ruled out: {why}", needs=needs)
    else:
        yield to_attest(release, "no autoscaler scales a stateless service, and no attestation says how replica counts follow the load")
