"""Copies on different nodes, and what the loss of one takes along."""

from __future__ import annotations

from exivity_audit import (
    ACTIVE_C,
    HIGH,
    MEDIUM,
    B,
    Status,
    Subject,
    at_least,
    check,
    fail,
    maybe,
    ok,
    seen,
    skip,
    task,
    unknown,
    values,
    wanted,
    warn,
)

from .shared import SINGLETONS, STATELESS, asked_twice, copies, perhaps_twice, placed, together, unread

SPREAD = task(
    "Post-render `topologySpreadConstraints` on `kubernetes.io/hostname` into the stateless Deployments, or set cluster default constraints:"
    " the chart's values offer node affinity only"
)


@check("declared-spread", severity=MEDIUM, clauses=("B10",), applies=(B, ACTIVE_C))
def declared_spread(declared_services, release, autoscalers=maybe, nodes=maybe):
    """Replicas are told to keep apart.

    Without anti-affinity or a topology spread the scheduler may put all copies of a service on one node, and does so after a drain.

    Fix: post-render `topologySpreadConstraints` into the stateless Deployments, or set cluster default constraints; the chart's values
    offer node affinity only.
    """
    twice, unsure = tuple(asked_twice(declared_services, autoscalers)), tuple(perhaps_twice(declared_services, autoscalers))
    yield from unsure
    for service in twice:
        workload = service.workload
        path = "spec.template.spec.affinity" if workload.affinity.get("podAntiAffinity") else "spec.template.spec.topologySpreadConstraints"
        named = "anti-affinity" if workload.affinity.get("podAntiAffinity") else "topology spread" if workload.spread else "neither"
        if workload.apart and seen(nodes) and not any(key in node.labels for node in nodes for key in workload.apart):
            yield keyless(service, named, path, nodes)
        elif workload.apart:
            yield ok(service, named, at=path)
        else:
            text = "neither anti-affinity nor topology spread" if named == "neither" else f"{named} that selects other pods than its own"
            yield warn(service, named, seen=text, wanted=wanted("anti-affinity or topology spread over its own pods"), at=path, fix=SPREAD)
    if not twice and not unsure:
        yield skip(release, "no stateless service is asked for twice")


def keyless(service, named, path, nodes):
    """The verdict on a service that is spread over labels which no node seen carries."""
    keys = ", ".join(key or "no key" for key in service.workload.apart)
    why, needs = unread(nodes)
    text = f"{named} over {keys}, a label that no node carries"
    if why:
        return unknown(service, f"{text} of those seen: {why}", needs=needs, at=path)
    fix = task("Spread over a label that the nodes carry: set `topologyKey: kubernetes.io/hostname` in what post-renders the Deployments")
    return warn(service, named, seen=text, wanted=wanted("spread over a label of the nodes"), at=path, fix=fix)


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
    twice, unsure = tuple(asked_twice(services, autoscalers)), tuple(perhaps_twice(services, autoscalers))
    yield from unsure
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
    if not twice and not unsure:
        yield skip(release, "no stateless service is asked for twice")


def explained_by(service, scenario, autoscalers):
    """The check that already says so of a service with no copy elsewhere; None where none does."""
    if service.replicas >= 2 and together(service):
        return "application/effective-spread"
    if service.workload.ready < service.replicas:
        return "application/replicas-ready"
    red = copies(service, scenario, autoscalers)[0] in (Status.FAIL, Status.WARN)
    return "application/stateless-replicas" if red else None


def stopping(row, by_name, why, needs, explained):
    """The verdict on what one node takes along."""
    subject = Subject("Node", row.node)
    lost = [by_name[name] for name in row.stops if name in by_name]
    where = [(pod, "spec.nodeName", pod.node) for service in lost for pod in placed(service) if pod.node == row.node]
    unexplained = [service for service in lost if service.component in STATELESS and service.component not in explained]
    bound = [service for service in lost if service.component in SINGLETONS]
    moves = (f"moves {', '.join(row.moves)}",) if row.moves else ()
    perhaps = (f"may stop {', '.join(row.perhaps)}",) if row.perhaps else ()
    text = "; ".join((f"stops {', '.join(row.stops) or 'nothing'}", *perhaps, *moves, *row.notes))
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
    if row.perhaps:
        reasons, hidden = because(row.perhaps_because)
        return unknown(subject, f"{text}; whether {', '.join(row.perhaps)} can start elsewhere cannot be told: {reasons}", needs=hidden, at=where)
    if lost:
        return skip(subject, text, follows=explained[lost[0].component])
    return ok(subject, "nothing stops", seen=text)


def because(reasons):
    """Reasons as text and rules."""
    return "; ".join(reason.text for reason in reasons), tuple(dict.fromkeys(rule for reason in reasons for rule in reason.needs))


def room(row, by_node):
    """The verdict on whether what a node leaves behind fits elsewhere."""
    subject = Subject("Node", row.node, None, "room")
    where = [(node, "status.allocatable.memory", node.memory) for name in row.looked if (node := by_node.get(name))]
    share = f"memory on the other nodes {row.memory * 100:.0f} % asked for" if row.memory is not None else "no memory to compare"
    if row.fits is None:
        why, needs = because(row.fits_because)
        return unknown(subject, f"whether its pods fit elsewhere is not known: {why}", needs=needs)
    if row.fits:
        return ok(subject, "fits", seen=f"its pods fit on the other nodes; {share}", at=where)
    fix = task("Add a worker node or memory, or lower requests: `service.<name>.resources.requests`")
    return warn(
        subject, "does not fit", seen=f"its pods do not fit on the other nodes; {share}", wanted=wanted("room on the other nodes"), at=where, fix=fix
    )


@check("node-loss", severity=MEDIUM, clauses=("B9",), applies=(B, ACTIVE_C))
def losing_a_node(node_loss, nodes, services, pods, scenario, release, autoscalers=maybe):
    """No node takes a stateless service down with it.

    A node that dies takes its pods along for five minutes or more: what has a copy elsewhere goes on, what has none stops.

    Fix: run two copies on two nodes, and leave room for the pods of one node on the others.
    """
    by_name = {service.component: service for service in services}
    why, needs = unread(pods)
    leaders = {name: explained_by(service, scenario, autoscalers) for name, service in by_name.items()}
    explained = {name: leader for name, leader in leaders.items() if leader}
    by_node = {node.name: node for node in nodes}
    for row in node_loss:
        yield stopping(row, by_name, why, needs, explained)
        yield room(row, by_node)
    if not node_loss:
        yield skip(release, "no worker node")
