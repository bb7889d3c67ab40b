"""The nodes: how many, of what kind, how healthy, where."""

from __future__ import annotations

from exivity_audit import CLUSTER, HIGH, MEDIUM, B, C, at_least, check, exactly, fail, ok, one_of, skip, task, unknown, values, wanted, warn
from exivity_audit.scenario import Scenario

from .shared import listed, nodes_word

LEAST_WORKERS = 3


@check("linux-nodes", severity=HIGH, clauses=("F1",))
def linux_nodes(hosts):
    """Nodes that may run Exivity run Linux.

    The images are Linux images: a pod that lands on another system never starts.

    Fix: keep Exivity off other nodes with `global.nodeSelector`, or taint those nodes.
    """
    for node in hosts:
        system, path = node.operating_system, "status.nodeInfo.operatingSystem"
        if not system:
            yield unknown(node, "the node does not say its operating system")
        elif system == "linux":
            yield ok(node, system, at=path)
        else:
            yield fail(
                node,
                system,
                wanted=exactly("linux"),
                at=path,
                fix=values("global.nodeSelector[kubernetes.io/os]", "linux"),
            )


@check("nodes-healthy", severity=HIGH, clauses=("F1",))
def nodes_healthy(hosts):
    """Nodes that may run Exivity are Ready and under no pressure.

    A node that is not Ready takes no pods and soon evicts its own; memory, disk and PID pressure evict the rest.

    Fix: find the cause in `kubectl describe node`, then repair or replace the node.
    """
    for node in hosts:
        state = "Ready" if node.ready else "NotReady" if node.ready is False else "Ready Unknown"
        faults = [*([] if node.ready else [state]), *node.pressures]
        want = wanted("Ready, schedulable, without pressure")
        if faults:
            fix = task("Repair or replace the node: `kubectl describe node` names the cause")
            yield fail(node, ", ".join(faults), wanted=want, at="status.conditions", fix=fix)
        elif node.unsure:
            held = ", cordoned" if node.cordoned else ""
            yield unknown(node, f"{state}{held}, and the node says neither True nor False of {', '.join(node.unsure)}", at="status.conditions")
        elif node.cordoned:
            yield warn(
                node, "cordoned", wanted=want, at="spec.unschedulable", fix=task("Uncordon the node when its maintenance is over: `kubectl uncordon`")
            )
        else:
            yield ok(node, state, at="status.conditions")


@check("worker-nodes", severity=HIGH, clauses=("A1", "B1"))
def worker_nodes(workers, scenario):
    """The number of worker nodes fits the scenario.

    With fewer than three workers the loss of one leaves no room for the pods of a replicated installation; one node is all that scenario A needs.

    Fix: add worker nodes, or declare the scenario that the nodes make.
    """
    count, ready = len(workers), sum(1 for node in workers if node.ready)
    at = [(node, "spec.taints", node.name) for node in workers[:1]]
    if count < LEAST_WORKERS:
        workers.surely()
    if scenario is Scenario.SINGLE_NODE:
        if count == 1:
            yield ok(CLUSTER, 1, at=at)
        elif count == 0:
            yield fail(CLUSTER, 0, wanted=exactly(1), fix=task("Remove the NoSchedule taint from the node, or add a node without one"))
        else:
            yield warn(
                CLUSTER,
                count,
                wanted=exactly(1, "node in a single-node installation"),
                at=at,
                fix=task("Set `scenario: multi-node` in `exivity-audit.yaml` and meet it, or keep one node"),
            )
    elif count < LEAST_WORKERS:
        yield fail(CLUSTER, count, wanted=at_least(LEAST_WORKERS, "workers"), at=at, fix=task(f"Add worker nodes until there are {LEAST_WORKERS}"))
    elif ready < LEAST_WORKERS:
        workers.surely()
        down = listed(node.name for node in workers if not node.ready)
        yield warn(
            CLUSTER,
            ready,
            seen=f"{ready} of {count} Ready, not {down}",
            wanted=at_least(LEAST_WORKERS, "Ready workers"),
            at=at,
            fix=task(f"Bring the workers that are not Ready back: {down}"),
        )
    else:
        yield ok(CLUSTER, count, seen=f"{count} workers, {ready} Ready", at=at)


@check("control-plane-nodes", severity=MEDIUM, clauses=("B2",), applies=(B, C))
def control_plane_nodes(control_plane, settings):
    """The control plane survives the loss of a node.

    etcd needs a majority: one or two members stop with the first loss, and an even number survives no more losses than the odd one below it.

    Fix: run three control-plane nodes.
    """
    found, count = control_plane.nodes, len(control_plane.nodes)
    down = [node.name for node in found if not node.ready]
    remark = f"not Ready: {listed(down)}" if down else ""
    at = [(node, "metadata.labels", node.name) for node in found]
    if not count:
        yield skip(CLUSTER, "no control-plane node is visible: the provider runs them")
    elif control_plane.external_datastore:
        yield ok(CLUSTER, count, seen=f"{count} K3s servers with an external datastore", at=at, remark=remark)
    elif count >= 3 and count % 2:
        yield ok(CLUSTER, count, at=at, remark=remark)
    else:
        verdict = fail if settings.declare.ha_control_plane else warn
        want = one_of(3, 5, note="control-plane nodes for high availability")
        yield verdict(CLUSTER, count, wanted=want, at=at, remark=remark, fix=task("Run three control-plane nodes"))


@check("failure-domains", severity=MEDIUM, clauses=("B3",), applies=(B, C))
def failure_domains(workers, settings):
    """Worker nodes stand in two failure domains or more.

    Nodes in one rack or zone share its power and network: what takes one away takes all of them.

    Fix: label the workers with the domain they stand in, and place them in two or more.
    """
    key = settings.declare.topology_key
    places: dict[str, int] = {}
    for node in workers:
        place = node.labels.get(key)
        if place:
            places[place] = places.get(place, 0) + 1
    unlabelled = len(workers) - sum(places.values())
    text = ", ".join(f"{place}: {nodes_word(count)}" for place, count in sorted(places.items())) or "no worker carries the label"
    at = [(node, f"metadata.labels[{key}]", node.labels.get(key)) for node in workers]
    if len(places) < 2:
        workers.surely()
        fix = task(f"Place workers in two failure domains or more, and label each: `kubectl label node NODE {key}=DOMAIN`")
        yield warn(CLUSTER, len(places), seen=f"{text} ({key})", wanted=at_least(2, "failure domains"), at=at, fix=fix)
        return
    largest, count = max(places.items(), key=lambda item: item[1])
    remarks = [f"{largest} holds {count} of {len(workers)} workers, a majority"] if count * 2 > len(workers) else []
    remarks += [f"{nodes_word(unlabelled)} without the label {key}"] if unlabelled else []
    yield ok(CLUSTER, len(places), seen=text, at=at, remark="; ".join(remarks))
