"""What must run exactly once."""

from __future__ import annotations

from exivity_audit import (
    ACTIVE_C,
    CRITICAL,
    HIGH,
    A,
    B,
    Scenario,
    check,
    exactly,
    fail,
    maybe,
    ok,
    patch,
    seen,
    skip,
    task,
    unknown,
    values,
    wanted,
    warn,
)

from .shared import SINGLETONS, at_rest, followers, resting, scalers_of, unread

OWN_VOLUME = ("chronos", "griffon")  # they hold ReadWriteOnce claims


@check("singletons", severity=CRITICAL, clauses=("R3", "B9"), applies=(A, B, ACTIVE_C))
def singletons(services, pods, release, scenario):
    """The four singletons run exactly once.

    They own scheduling, dispatch and command execution: a second copy duplicates work, and without one nothing is scheduled.

    Fix: set `service.<name>.replicas: 1` in the chart values.
    """
    why, needs = unread(pods)
    want = exactly(1, note="a second one duplicates its work")
    if resting(services, scenario):
        yield from at_rest(services, SINGLETONS)
    for service in () if resting(services, scenario) else services:
        if service.component not in SINGLETONS:
            continue
        asked, running = service.replicas, service.running
        text, fix = f"{running} running, {asked} asked for", values(f"service.{service.key}.replicas", 1)
        if asked != 1:
            yield fail(service, asked if asked == 0 else max(asked, running), seen=text, wanted=want, at="spec.replicas", fix=fix)
        elif running > 1:
            where = [(service, "spec.replicas", asked), *((pod, "status.phase", pod.phase) for pod in service.workload.alive)]
            over = "Post-render `strategy: {type: Recreate}` into the singletons' Deployments: the chart has no value for it"
            if running == 2 and service.workload.rolling:
                yield warn(service, running, seen=f"{text}, during a rollout", wanted=want, at=where, fix=task(over))
            else:
                stray = f"Delete the pods of {service.subject.name} beyond the one that its newest ReplicaSet owns"
                yield fail(service, running, seen=text, wanted=want, at=where, fix=task(stray))
        elif why:
            yield unknown(service, f"{text}; a further pod cannot be ruled out: {why}", needs=needs)
        elif running == 0:
            yield skip(service, "none runs", follows="application/replicas-ready")
        else:
            yield ok(service, 1, seen=text, at="spec.replicas")
    yield from followers(services, release, SINGLETONS)


@check("singleton-autoscaling", severity=CRITICAL, clauses=("R3",))
def singleton_autoscaling(declared_services, autoscalers):
    """No autoscaler touches a singleton.

    An autoscaler that may ask for a second copy will do so under load, when duplicate work hurts most; one that may not is of no use.

    Fix: delete the autoscaler of the singleton.
    """
    why, needs = unread(autoscalers)
    for service in declared_services:
        if service.component not in SINGLETONS:
            continue
        scalers = scalers_of(autoscalers, service, paused=True)
        most = max((one.maximum for one in scalers), default=0)
        where = [(one, one.paths[1], one.maximum) for one in scalers]
        if scalers:
            names = ", ".join(one.printed for one in scalers)
            keda = "" if any(one.keda for one in scalers) else " (and the ScaledObject that owns it, if KEDA made it)"
            fix = task(f"Delete {names}{keda}")
            text = f"{names} up to {most}" + (", paused: it scales again when the annotation goes" if all(one.paused for one in scalers) else "")
            yield (fail if most > 1 else warn)(service, most, seen=text, wanted=wanted("no autoscaler"), at=where, fix=fix)
        elif why:
            yield unknown(service, f"an autoscaler cannot be ruled out: {why}", needs=needs)
        else:
            yield ok(service, "no autoscaler")


def waits_for_volume(service, attach_events):
    """Pods of a service that are not ready while an event says that their volume could not be attached."""
    if not seen(attach_events):
        return ()
    named = attach_events.each(lambda item: (item.text("involvedObject.kind"), item.text("involvedObject.name")))
    return tuple(pod for pod in service.workload.alive if not pod.ready and ("Pod", pod.name) in tuple(named))


@check("singleton-rollout", severity=HIGH, clauses=("R3",))
def singleton_rollout(declared_services, scenario, services=maybe, attach_events=maybe):
    """An upgrade never runs a singleton twice.

    The chart sets no strategy, so Kubernetes starts the new pod before the old one ends: for that time both work. chronos and griffon
    also hold ReadWriteOnce volumes: on several nodes the new pod may wait for the volume for ever.

    Fix: post-render `strategy: {type: Recreate}` into the four Deployments; the chart has no value for it.
    """
    looked = {service.component: service for service in services} if seen(services) else {}
    body = {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}
    words = "Post-render `strategy: {type: Recreate}` into the singletons' Deployments: the chart has no value for it"
    want = wanted("Recreate, or maxSurge 0: never two at once")
    for declared in declared_services:
        if declared.component not in SINGLETONS:
            continue
        service = looked.get(declared.component, declared)
        workload, held = service.workload, service.component in OWN_VOLUME and scenario is not Scenario.SINGLE_NODE
        if not workload.surge:
            text = workload.strategy if workload.strategy != "RollingUpdate" else f"{workload.strategy}, maxSurge {workload.max_surge}"
            yield ok(service, text, at="spec.strategy")
            continue
        surge = "25% (unset)" if workload.max_surge is None else workload.max_surge
        text = f"{workload.strategy}, maxSurge {surge}"
        stuck = waits_for_volume(service, attach_events) if held else ()
        fix = patch(service, body, words)
        if stuck:
            text += ": a new pod waits for a volume that the old one holds (FailedAttachVolume)"
            where = [(service, "spec.strategy", workload.strategy), *((pod, "status.phase", pod.phase) for pod in stuck)]
            yield fail(service, workload.strategy, seen=text, wanted=want, at=where, fix=fix)
        else:
            text += ", and its ReadWriteOnce volume may keep the new pod waiting on another node (multi-attach)" if held else ""
            yield warn(service, workload.strategy, seen=text, wanted=want, at="spec.strategy", fix=fix)


def shared_with(other, own, local):
    """Database and brokers that both installations use, and what could not be told, as texts."""
    same, open_ = [], []
    if own.database and other.database:
        if own.database.same(other.database):
            same.append(f"database {other.database.printed}")
        elif own.database.doubtful(other.database) and own.database.host not in local:
            open_.append(f"both name the database host {own.database.host}, which may lead to one server from both namespaces")
    else:
        open_ += [f"database: {gap}" for gap in (own.database_gap, other.database_gap) if gap]
    if own.brokers and other.brokers:
        pairs = [(mine, theirs) for mine in own.brokers for theirs in other.brokers]
        same += dict.fromkeys(f"broker {theirs.host}, vhost {theirs.name}" for mine, theirs in pairs if mine.same(theirs))
        doubtful = [mine.host for mine, theirs in pairs if mine.doubtful(theirs) and mine.host not in local]
        open_ += [f"both name the broker host {host}, which may lead to one server from both namespaces" for host in dict.fromkeys(doubtful)]
    open_ += [f"broker: {gap}" for gap in (own.broker_gap, other.broker_gap) if gap]
    return same, open_


@check("one-installation", severity=CRITICAL, clauses=("R3", "C8"))
def one_installation(other_installations, own_middleware, release, workloads=maybe):
    """No other installation uses the same database or vhost.

    Two running installations on one database or vhost are two schedulers and two sets of workers over the same data.

    Fix: scale one of the two to 0, or give it a database and a vhost of its own.
    """
    local = {one.name for one in workloads} if seen(workloads) else set()
    for other in other_installations:
        if other.replicas == 0:
            yield ok(other, "asked for 0 times", at="spec.replicas")
            continue
        same, open_ = shared_with(other.middleware, own_middleware, local)
        where = [(one, one.path, one.value) for one in other.middleware.shown]
        if same:
            fix = task(f"Scale {other.subject} to 0, or set its `postgresql.host` and `rabbitmq.vhost` to a database and vhost of its own")
            text = f"uses the same {' and the same '.join(same)}"
            yield fail(other, ", ".join(same), seen=text, wanted=wanted("a database and a vhost of its own"), at=where, fix=fix)
        elif open_:
            yield unknown(other, "; ".join(open_), at=where)
        else:
            yield ok(other, "another database and another vhost", at=where)
    why, needs = unread(other_installations)
    if why:
        yield unknown(release, f"another installation cannot be ruled out: {why}", needs=needs)
    elif not other_installations:
        yield ok(release, "no other installation in the cluster")
