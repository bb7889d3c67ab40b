"""Application: the eleven services run as often as they should, where they should, and survive a node."""

from __future__ import annotations

from datetime import timedelta

from exivity_audit import (
    ACTIVE_C,
    CRITICAL,
    HIGH,
    LOW,
    MEDIUM,
    A,
    B,
    Duration,
    Purpose,
    Role,
    Scenario,
    Status,
    Subject,
    at_least,
    chart,
    check,
    exactly,
    fail,
    maybe,
    ok,
    patch,
    print_duration,
    reasons_of,
    seen,
    size,
    skip,
    task,
    to_attest,
    unknown,
    values,
    wanted,
    warn,
)

SINGLETONS = ("chronos", "executor", "griffon", "proximity-cli")
TWICE = ("glass", "proximity-api", "edify", "horizon", "pigeon")
BETTER_TWICE = ("transcript", "use")
STATELESS = (*TWICE, *BETTER_TWICE)
OWN_VOLUME = ("chronos", "griffon")  # they hold ReadWriteOnce claims
RESTARTS, RECENT = 5, timedelta(hours=24)
DEFAULT_MEMORY = {"proximity-api": "400Mi"}  # where the chart's default request is not 50Mi
CHART_CPU = 0.025  # chart.DEFAULT_CPU in cores

CRASHES = ("CrashLoopBackOff", "RunContainerError", "CreateContainerError", "CreateContainerConfigError")
PULLS = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable")

SPREAD = task(
    "Post-render `topologySpreadConstraints` on `kubernetes.io/hostname` into the stateless Deployments, or set cluster default constraints:"
    " the chart's values offer node affinity only"
)
REQUESTS = "Set `service.<name>.resources.requests` for each service from the CPU and memory it is seen to use"
RESTARTING = "Read `kubectl logs --previous` of the container and remove what ends it"


def unread(*collections):
    """Why absence from these collections proves nothing, as text and rules; empty where it does."""
    reasons = [reason for one in collections for reason in (one.partial if seen(one) else reasons_of(one))]
    texts = [reason.text for reason in reasons]
    texts += [f"malformed: {item.subject}: {item.why}" for one in collections if seen(one) for item in one.unreadable]
    return "; ".join(dict.fromkeys(texts)), tuple(dict.fromkeys(reason.rule for reason in reasons if reason.rule))


def missing(found, release):
    """The components without a Deployment, as subjects; a malformed Deployment is there."""
    there = {one.subject.name for one in found} | {item.subject.name for item in found.unreadable}
    for component in chart.COMPONENTS:
        name = f"{release.fullname}-{component}"
        if name not in there:
            yield component, Subject("Deployment", name, release.namespace)


def followers(found, release, components):
    """A skip for each missing service; where its absence is not proven it is unknown, as its leader is."""
    why, needs = unread(found)
    for component, subject in missing(found, release):
        if component in components:
            yield unknown(subject, why, needs=needs) if why else skip(subject, "the Deployment is missing", follows="application/services-present")


def scalers_of(autoscalers, service):
    """The autoscalers that target a service; none where they could not be read."""
    return tuple(one for one in autoscalers if one.targets(service.subject)) if seen(autoscalers) else ()


def asked_twice(found, autoscalers):
    """The stateless services that are asked for at least twice, by their Deployment or by an autoscaler's minimum."""
    for service in found:
        least = [one.minimum for one in scalers_of(autoscalers, service)]
        if service.component in STATELESS and max([service.replicas, *least]) >= 2:
            yield service


@check("services-present", severity=HIGH, clauses=("B9",))
def services_present(declared_services, release):
    """The eleven services exist.

    A service that is missing leaves its part of the pipeline undone, and nothing else takes its work.

    Fix: install the chart whole; no value leaves a service out.
    """
    for service in declared_services:
        yield ok(service, "there", at="metadata.name")
    why, needs = unread(declared_services)
    for component, subject in missing(declared_services, release):
        if why:
            yield unknown(subject, why, needs=needs)
        else:
            fix = task("Run `helm upgrade` with the release's own values (or sync it): the chart always makes all eleven Deployments")
            yield fail(subject, "missing", wanted=exactly("there", note=f"nothing else does the work of {component}"), fix=fix)


def troubles(workload):
    """What keeps pods from running, in the kubelet's and the scheduler's words."""
    found = []
    for pod in workload.alive:
        if pod.unschedulable:
            found.append(f"unschedulable: {pod.unschedulable}")
        reasons = [*pod.init_waiting, *(state.waiting for state in pod.states)]
        found += [reason for reason in reasons if reason in (*CRASHES, *PULLS)]
    return tuple(dict.fromkeys(found))


def cure(service, found):
    """The remedy for the first trouble of a service."""
    path = f"service.{service.key}"
    if any(one in PULLS for one in found):
        return task(f"Correct `{path}.registry`, `{path}.tag` or `service.pullSecrets` until the image can be pulled")
    if any(one.startswith("unschedulable") for one in found):
        return task(f"Give the pod a node: free or add room, or correct `{path}.nodeSelector`, `{path}.nodeName` and tolerations")
    if found:
        return task(f"Read `kubectl logs --previous deployment/{service.subject.name}` and remove what ends the container")
    return task(f"Read `kubectl describe deployment {service.subject.name}` and its pods' events for what keeps the copies from being ready")


@check("replicas-ready", severity=HIGH, clauses=("B9", "R1", "R2", "R3"))
def replicas_ready(declared_services, release, settings, services=maybe, pods=maybe):
    """Every copy that is asked for is ready.

    A copy that cannot be scheduled, crashes or has no image does no work, and a service without a ready copy stands still.

    Fix: remove what keeps the pods from being ready; `kubectl describe pod` names it.
    """
    looked = {service.component: service for service in services} if seen(services) else {}
    for declared in declared_services:
        service = looked.get(declared.component, declared)
        workload = service.workload
        none_seen = seen(pods) and pods.complete and not workload.alive
        ready = 0 if none_seen else workload.ready
        found = troubles(workload)
        text = "; ".join([f"{ready} of {service.replicas} ready", *found])
        excess = service.component in SINGLETONS and service.replicas > 1 and settings.role is not Role.PASSIVE
        if excess and 0 < ready < service.replicas:
            yield skip(service, f"{text}, and no second one is wanted", follows="application/singletons")
        elif ready < service.replicas:
            yield fail(service, ready, seen=text, wanted=exactly(service.replicas), at="status.readyReplicas", fix=cure(service, found))
        elif found:
            text = f"{text} in a further pod"
            yield warn(service, ready, seen=text, wanted=wanted("no pod that cannot start"), at="status.readyReplicas", fix=cure(service, found))
        else:
            yield ok(service, ready, seen=f"{ready} of {service.replicas} ready", at="status.readyReplicas")
    yield from followers(declared_services, release, chart.COMPONENTS)


def copies(service, scenario, autoscalers, scaled_objects):
    """Status, measured copies and what could not be seen, by the rule of stateless-replicas."""
    least = 1 if scenario is Scenario.SINGLE_NODE else 2
    minima = [one.minimum for one in scalers_of(autoscalers, service)]
    measured = max([service.replicas, *minima])
    if measured >= least:
        sinks = bool(minima) and max(minima) < least
        return (Status.WARN if sinks else Status.PASS), (max(minima) if sinks else measured), ("", ())
    why = unread(autoscalers, scaled_objects)
    if why[0]:
        return Status.UNKNOWN, measured, why
    hard = service.component in TWICE or least == 1
    return (Status.FAIL if hard else Status.WARN), measured, ("", ())


@check("stateless-replicas", severity=HIGH, clauses=("R1", "R2", "B9"), applies=(A, B, ACTIVE_C))
def stateless_replicas(declared_services, release, scenario, autoscalers=maybe, scaled_objects=maybe):
    """Stateless services are asked for at least twice.

    With one copy a service stops when its node or its pod does; with two the other one answers and shares the load.
    On a single node one copy is enough.

    Fix: set `service.<name>.replicas: 2` in the chart values.
    """
    least = 1 if scenario is Scenario.SINGLE_NODE else 2
    for service in declared_services:
        if service.component not in STATELESS:
            continue
        note = "the vendor's text says 2, its example values say 1" if service.component in BETTER_TWICE and least == 2 else ""
        want = at_least(least, note=note)
        found, measured, (why, needs) = copies(service, scenario, autoscalers, scaled_objects)
        scalers = scalers_of(autoscalers, service)
        where = [(service, "spec.replicas", service.replicas), *((one, "spec.minReplicas", one.minimum) for one in scalers)]
        fix = values(f"service.{service.key}.replicas", least)
        if scalers:
            lowest = max(scalers, key=lambda one: one.minimum)
            fix = patch(lowest, {"spec": {"minReplicas": least}}, f"Set `minReplicas: {least}` on HorizontalPodAutoscaler {lowest.name}")
        text = f"{service.replicas} asked for" + "".join(f", autoscaled from {one.minimum} to {one.maximum}" for one in scalers)
        if found is Status.PASS:
            yield ok(service, measured, seen=text, at=where)
        elif found is Status.UNKNOWN:
            yield unknown(service, f"{text}; an autoscaler may ask for more: {why}", needs=needs, at=where)
        else:
            yield (fail if found is Status.FAIL else warn)(service, measured, seen=text, wanted=want, at=where, fix=fix)
    yield from followers(declared_services, release, STATELESS)


@check("singletons", severity=CRITICAL, clauses=("R3", "B9"), applies=(A, B, ACTIVE_C))
def singletons(services, pods, release):
    """The four singletons run exactly once.

    They own scheduling, dispatch and command execution: a second copy duplicates work, and without one nothing is scheduled.

    Fix: set `service.<name>.replicas: 1` in the chart values.
    """
    why, needs = unread(pods)
    want = exactly(1, note="a second one duplicates its work")
    for service in services:
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
def singleton_autoscaling(declared_services, autoscalers, scaled_objects=maybe):
    """No autoscaler touches a singleton.

    An autoscaler that may ask for a second copy will do so under load, when duplicate work hurts most; one that may not is of no use.

    Fix: delete the autoscaler of the singleton.
    """
    why, needs = unread(autoscalers, scaled_objects)
    for service in declared_services:
        if service.component not in SINGLETONS:
            continue
        scalers = scalers_of(autoscalers, service)
        most = max((one.maximum for one in scalers), default=0)
        where = [(one, "spec.maxReplicas", one.maximum) for one in scalers]
        if scalers:
            names = ", ".join(one.name for one in scalers)
            fix = task(f"Delete HorizontalPodAutoscaler {names} (and the ScaledObject that owns it, if KEDA made it)")
            text = f"HorizontalPodAutoscaler {names} up to {most}"
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
    else:
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


@check("declared-spread", severity=MEDIUM, clauses=("B10",), applies=(B, ACTIVE_C))
def declared_spread(declared_services, release, autoscalers=maybe):
    """Replicas are told to keep apart.

    Without anti-affinity or a topology spread the scheduler may put all copies of a service on one node, and does so after a drain.

    Fix: post-render `topologySpreadConstraints` into the stateless Deployments, or set cluster default constraints; the chart's values
    offer node affinity only.
    """
    twice = tuple(asked_twice(declared_services, autoscalers))
    for service in twice:
        workload = service.workload
        path = "spec.template.spec.affinity" if workload.affinity.get("podAntiAffinity") else "spec.template.spec.topologySpreadConstraints"
        named = "anti-affinity" if workload.affinity.get("podAntiAffinity") else "topology spread" if workload.spread else "neither"
        if workload.spread_apart:
            yield ok(service, named, at=path)
        else:
            text = "neither anti-affinity nor topology spread" if named == "neither" else f"{named} that selects other pods than its own"
            yield warn(service, named, seen=text, wanted=wanted("anti-affinity or topology spread over its own pods"), at=path, fix=SPREAD)
    if not twice:
        yield skip(release, "no stateless service is asked for twice")


def placed(service):
    """The service's copies that run on a node."""
    return tuple(pod for pod in service.workload.alive if pod.running and pod.node)


def together(service, least=2):
    """Whether a service that is asked for several times runs several copies, all on one node."""
    running = placed(service)
    return len(running) >= least and len({pod.node for pod in running}) == 1


@check("effective-spread", severity=HIGH, clauses=("B10", "B9"), applies=(B, ACTIVE_C))
def effective_spread(services, pods, release, settings, nodes=maybe, autoscalers=maybe):
    """Replicas really run on different nodes.

    Two copies on one node die with it: they double the cost and not the availability.

    Fix: post-render `topologySpreadConstraints` into the stateless Deployments, then restart them with `kubectl rollout restart`.
    """
    key = settings.declare.topology_key
    zone_of = {node.name: node.labels[key] for node in nodes if key in node.labels} if seen(nodes) else {}
    zones_exist = seen(nodes) and len({zone_of[node.name] for node in nodes if node.worker and node.name in zone_of}) > 1
    why, needs = unread(pods)
    twice = tuple(asked_twice(services, autoscalers))
    for service in twice:
        running = placed(service)
        used = sorted({pod.node for pod in running})
        where = [(pod, "spec.nodeName", pod.node) for pod in running]
        zones = {zone_of.get(name) for name in used}
        if len(used) >= 2:
            alone = zones_exist and len(zones) == 1 and None not in zones
            yield ok(service, len(used), seen=f"on {', '.join(used)}", remark=f"all in the zone {zones.pop()}" if alone else "", at=where)
        elif why:
            yield unknown(service, f"{len(running)} copies seen; more cannot be ruled out: {why}", needs=needs, at=where)
        elif together(service):
            restart = f"{SPREAD.text}; then `kubectl rollout restart` them"
            text = f"all {len(running)} on {used[0]}"
            yield fail(service, 1, seen=text, wanted=at_least(2, note="nodes"), at=where, fix=task(restart))
        elif service.workload.ready < service.replicas or not running:
            yield skip(service, f"{len(running)} of {service.replicas} copies run", follows="application/replicas-ready")
        else:
            yield unknown(service, f"its status says {service.workload.ready} ready, {len(running)} seen running: run the audit again", at=where)
    if not twice:
        yield skip(release, "no stateless service is asked for twice")


def explained_by(service, scenario, autoscalers, scaled_objects):
    """The check that already says so of a service with no copy elsewhere; None where none does."""
    if service.replicas >= 2 and together(service):
        return "application/effective-spread"
    if service.workload.ready < service.replicas:
        return "application/replicas-ready"
    red = copies(service, scenario, autoscalers, scaled_objects)[0] in (Status.FAIL, Status.WARN)
    return "application/stateless-replicas" if red else None


def stopping(row, by_name, why, needs, explained):
    """The verdict on what one node takes along."""
    subject = Subject("Node", row.node)
    lost = [by_name[name] for name in row.stops if name in by_name]
    where = [(pod, "spec.nodeName", pod.node) for service in lost for pod in placed(service) if pod.node == row.node]
    unexplained = [service for service in lost if service.component in STATELESS and service.component not in explained]
    bound = [service for service in lost if service.component in SINGLETONS]
    moves = (f"moves {', '.join(row.moves)}",) if row.moves else ()
    text = "; ".join((f"stops {', '.join(row.stops) or 'nothing'}", *moves, *row.notes))
    want = wanted("no stateless service stops, and singletons start elsewhere")
    if why and (lost or any(not placed(service) for service in by_name.values())):
        return unknown(subject, f"{text}; further copies cannot be ruled out: {why}", needs=needs, at=where)
    if unexplained:
        fix = values(f"service.{unexplained[0].key}.replicas", 2)
        for service in unexplained[1:]:
            fix = fix & values(f"service.{service.key}.replicas", 2)
        return fail(subject, ", ".join(row.stops), seen=text, wanted=want, at=where, fix=fix)
    if bound:
        names = ", ".join(service.component for service in bound)
        fix = task(f"Let {names} start on another node: no `service.<name>.nodeName`, and volumes that can follow the pod")
        return warn(subject, ", ".join(row.stops), seen=text, wanted=want, at=where, fix=fix)
    if lost:
        return skip(subject, text, follows=explained[lost[0].component])
    return ok(subject, "nothing stops", seen=text)


def room(row, nodes, node_pods):
    """The verdict on whether what a node leaves behind fits elsewhere."""
    subject = Subject("Node", row.node, None, "room")
    where = [(node, "status.allocatable.memory", node.memory) for node in nodes if node.name != row.node and node.worker]
    share = f"memory on the other nodes {row.memory * 100:.0f} % asked for" if row.memory is not None else "no memory to compare"
    if row.fits is None:
        reasons = reasons_of(node_pods)
        why = (
            "; ".join(reason.text for reason in reasons)
            or "its pods fit on none of the candidate nodes that were looked at, and there are more nodes"
        )
        needs = tuple(rule for reason in reasons for rule in reason.needs)
        return unknown(subject, f"whether its pods fit elsewhere is not known: {why}", needs=needs)
    if row.fits:
        return ok(subject, "fits", seen=f"its pods fit on the other nodes; {share}", at=where)
    fix = task("Add a worker node or memory, or lower requests: `service.<name>.resources.requests`")
    return warn(
        subject, "does not fit", seen=f"its pods do not fit on the other nodes; {share}", wanted=wanted("room on the other nodes"), at=where, fix=fix
    )


@check("node-loss", severity=MEDIUM, clauses=("B9",), applies=(B, ACTIVE_C))
def losing_a_node(node_loss, nodes, services, pods, scenario, release, autoscalers=maybe, scaled_objects=maybe, node_pods=maybe):
    """No node takes a stateless service down with it.

    A node that dies takes its pods along for five minutes or more: what has a copy elsewhere goes on, what has none stops.

    Fix: run two copies on two nodes, and leave room for the pods of one node on the others.
    """
    by_name = {service.component: service for service in services}
    why, needs = unread(pods)
    leaders = {name: explained_by(service, scenario, autoscalers, scaled_objects) for name, service in by_name.items()}
    explained = {name: leader for name, leader in leaders.items() if leader}
    for row in node_loss:
        yield stopping(row, by_name, why, needs, explained)
        yield room(row, nodes, node_pods)
    if not node_loss:
        yield skip(release, "no worker node")


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
def scaling(declared_services, autoscalers, release, scaled_objects=maybe):
    """Replica counts follow the load that is seen.

    Two copies are a starting point: CPU, memory and queue depth say when a service needs more.

    Fix: let an autoscaler scale the stateless services, or review the figures regularly and record the review in `evidence.yaml`.
    """
    found = [
        (service, one)
        for service in declared_services
        if service.component in STATELESS
        for one in autoscalers
        if one.targets(service.subject) and one.maximum > one.minimum
    ]
    why, needs = unread(autoscalers, scaled_objects)
    if found:
        text = ", ".join(f"{service.component} {one.minimum} to {one.maximum}" for service, one in found)
        yield ok(release, len(found), seen=f"autoscaled: {text}", at=[(one, "spec.maxReplicas", one.maximum) for _, one in found])
    elif why:
        yield unknown(release, f"no autoscaler seen, but one cannot be ruled out: {why}", needs=needs)
    else:
        yield to_attest(release, "no autoscaler scales a stateless service, and no attestation says how replica counts follow the load")


@check("disruption", severity=LOW, clauses=("X2",))
def disruption(declared_services, budgets, release, autoscalers=maybe):
    """Drains leave a copy of each service running.

    A PodDisruptionBudget makes a drain wait until another copy is ready; one that spares no copy at all makes it wait for ever.

    Fix: add a PodDisruptionBudget with `maxUnavailable: 1` for each stateless service, and none for the singletons; the chart ships none.
    """
    why, needs = unread(budgets)
    several = {service.component for service in asked_twice(declared_services, autoscalers)}
    labels = {service.component: service.workload.template_labels for service in declared_services}
    judged = False
    for service in declared_services:
        covering = [one for one in budgets if one.covers(labels[service.component])]
        where = [(one, "spec", one.rule) for one in covering]
        names = ", ".join(one.name for one in covering)
        pinning = [
            one for one in covering if one.spared(sum(other.replicas for other in declared_services if one.covers(labels[other.component]))) < 1
        ]
        if service.component not in several and not (service.component in SINGLETONS and service.replicas > 0 and pinning):
            continue
        judged = True
        if pinning:
            fix = task(f"Delete PodDisruptionBudget {pinning[0].name}, or set `maxUnavailable: 1` on it")
            text = f"PodDisruptionBudget {pinning[0].name} ({pinning[0].rule}) lets no pod go: a drain of its node never ends"
            yield warn(service, pinning[0].rule, seen=text, wanted=wanted("a drain that can end"), at=where, fix=fix)
        elif len(covering) > 1:
            fix = task(f"Keep one of the PodDisruptionBudgets {names}")
            text = f"PodDisruptionBudgets {names} select the same pods: evictions are refused"
            yield warn(service, len(covering), seen=text, wanted=exactly(1, note="PodDisruptionBudget"), at=where, fix=fix)
        elif covering:
            yield ok(service, names, at=where)
        elif why:
            yield unknown(service, f"no PodDisruptionBudget seen, but one cannot be ruled out: {why}", needs=needs)
        else:
            fix = task("Add a PodDisruptionBudget with `maxUnavailable: 1` for each stateless service: the chart ships none")
            yield warn(service, "no PodDisruptionBudget", wanted=wanted("one with `maxUnavailable: 1`"), fix=fix)
    if not judged:
        yield skip(release, "no service is asked for twice, and no PodDisruptionBudget pins a singleton")


def kills(workload, now):
    """What went wrong lately in a workload's containers, and which restarts have no time."""
    found, undated = [], []
    for pod in workload.pods:
        for state in pod.states:
            ago = f" {print_duration(Duration((now - state.last_finished).total_seconds()))} ago" if state.last_finished else ""
            if "OOMKilled" in (state.last_reason, state.ended_reason):
                found.append((pod, f"{state.name} OOMKilled{ago if state.last_reason == 'OOMKilled' else ''}, {state.restarts} restarts"))
            elif state.restarts > RESTARTS and state.last_finished is None:
                undated.append(f"{state.name} restarted {state.restarts} times")
            elif state.restarts > RESTARTS and now - state.last_finished <= RECENT:
                found.append((pod, f"{state.name} restarted {state.restarts} times, the last time{ago} ({state.last_reason or 'no reason'})"))
    return found, undated


def untouched(service):
    """Whether the service's container asks for what the chart ships, or for nothing at all."""
    own = [one for one in service.workload.containers if one.name == service.component] or list(service.workload.containers[:1])
    memory = size(DEFAULT_MEMORY.get(service.component, chart.DEFAULT_MEMORY))
    for container in own:
        asked = container.cpu_request, container.memory_request
        if asked == (None, None):
            return "no requests"
        if asked == (CHART_CPU, memory):
            return f"{container.cpu_text} CPU, {container.memory_text} (the chart's default)"
    return None


@check("resources", severity=MEDIUM, clauses=("X2", "R5"))
def resources(services, settings, now):
    """Containers ask for what they use and are not killed.

    A container that is killed for memory loses the job it works on; requests of 25m and 50Mi tell the scheduler nothing about the load.

    Fix: set `service.<name>.resources` from observed CPU and memory.
    """
    for service in services:
        killed, undated = kills(service.workload, now)
        path = f"service.{service.key}.resources"
        default = untouched(service) if settings.purpose is Purpose.PRODUCTION else None
        where = "spec.template.spec.containers[].resources"
        if killed:
            texts = tuple(dict.fromkeys(text for _, text in killed))
            memory = any("OOMKilled" in text for text in texts)
            fix = task(f"Raise `{path}.limits.memory` and `{path}.requests.memory` above what it uses" if memory else RESTARTING)
            sources = [(pod, "status.containerStatuses[].lastState.terminated.reason", text) for pod, text in killed]
            yield fail(service, texts[0], seen="; ".join(texts), wanted=wanted("no OOMKilled, ≤ 5 restarts"), at=sources, fix=fix)
        elif undated:
            yield unknown(service, f"{'; '.join(undated)}; when is not recorded: see `kubectl describe pod`")
        elif default:
            yield warn(service, default, wanted=wanted("requests from observed use"), at=where, fix=task(REQUESTS))
        else:
            yield ok(service, "own requests" if settings.purpose is Purpose.PRODUCTION else "no restarts", at=where)
