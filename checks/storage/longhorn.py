"""Longhorn itself: failover and capacity."""

from __future__ import annotations

from exivity_audit import (
    MEDIUM,
    B,
    C,
    Scenario,
    Size,
    at_least,
    check,
    fail,
    malformed,
    maybe,
    ok,
    one_of,
    print_size,
    seen,
    skip,
    task,
    unknown,
    wanted,
    warn,
)
from exivity_audit.facts.longhorn import setting
from exivity_audit.lifecycle import ended
from exivity_audit.quantity import whole

from .shared import REPLICAS, plural, unread

COVERS_DEPLOYMENTS = ("delete-deployment-pod", "delete-both-statefulset-and-deployment-pod")


MOUNTING = ("NFSClientInstalled", "RequiredPackages")


@check("longhorn-failover", severity=MEDIUM, clauses=("L5",), applies=(B, C))
def longhorn_failover(longhorn_claims, release, lifecycle, now, mounting_nodes=maybe, storage_nodes=maybe, storage_settings=maybe):
    """Longhorn lets pods move when a node dies.

    A dead node's pods keep their volumes attached until somebody deletes them: Longhorn does that only where its policy says so, and for
    Deployments only with the wider policy. A node without an NFS client cannot mount the shared volumes.

    Fix: set `node-down-pod-deletion-policy` to `delete-both-statefulset-and-deployment-pod`, and install the packages Longhorn asks for.
    """
    if not longhorn_claims:
        yield skip(release.subject, "no claim is on Longhorn")
        return
    why, needs = unread(mounting_nodes, storage_nodes)
    known = {node.name: node for node in storage_nodes} if seen(storage_nodes) else {}
    if not seen(mounting_nodes):
        yield unknown(release.subject.at("nodes"), why, needs=needs)
    for node in mounting_nodes if seen(mounting_nodes) else ():
        yield mounting_verdict(node, known.get(node.name), why, needs)
    if seen(mounting_nodes):
        yield from malformed(mounting_nodes.unreadable)
    yield from settings_verdicts(release, storage_settings, lifecycle, now)


def mounting_verdict(node, storage, why, needs):
    """The verdict on whether a node can mount Longhorn's volumes."""
    want = wanted(f"{' and '.join(MOUNTING)} True")
    fix = task("Install the packages that Longhorn names (an NFSv4 client and open-iscsi) on the nodes that may run Exivity")
    if storage is None:
        if why:
            return unknown(node, f"its Longhorn node was not seen: {why}", needs=needs)
        out = task("Let Longhorn run on every node that may run Exivity (its tolerations and node selector), or keep Exivity off the node")
        return fail(node, "no Longhorn node", wanted=want, at="metadata.name", fix=out)
    at = [(storage, "status.conditions", f"{kind} {storage.conditions.get(kind, 'absent')}") for kind in MOUNTING]
    bad = [kind for kind in MOUNTING if storage.conditions.get(kind) == "False"]
    open_ = [kind for kind in MOUNTING if storage.conditions.get(kind) not in ("True", "False")]
    if bad:
        return fail(node, f"{', '.join(bad)} False", wanted=want, at=at, fix=fix)
    if open_:
        return unknown(node, f"Longhorn says nothing of {', '.join(open_)}", at=at)
    return ok(node, "True", seen=f"{' and '.join(MOUNTING)} True", at=at)


def settings_verdicts(release, settings, lifecycle, now):
    """Verdicts on the settings and the version that decide what happens when a node dies."""
    policy = setting(settings, "node-down-pod-deletion-policy")
    about = policy or release.subject.at("node-down-pod-deletion-policy")
    value = (policy.of() if policy else "") or "do-nothing"
    if value in COVERS_DEPLOYMENTS:
        yield ok(about, value, at="value")
    else:
        fix = task("Set the Longhorn setting `node-down-pod-deletion-policy` to `delete-both-statefulset-and-deployment-pod`")
        yield warn(about, value, wanted=one_of(*COVERS_DEPLOYMENTS), at="value", fix=fix)
    fast = setting(settings, "rwx-volume-fast-failover")
    on = fast is not None and fast.on
    note = "on: a shared volume moves within seconds" if on else "off: a shared volume waits until its node is declared dead"
    yield ok(fast or release.subject.at("rwx-volume-fast-failover"), "true" if on else "false", at="value", remark=f"fast failover is {note}")
    version = setting(settings, "current-longhorn-version")
    yield version_verdict(version or release.subject.at("current-longhorn-version"), version.value if version else "", lifecycle, now)


def version_verdict(about, text, lifecycle, now):
    """The verdict on Longhorn's own version, by the dated table."""
    parts = text.removeprefix("v").split(".")
    minor = tuple(map(whole, parts[:2]))
    if len(minor) < 2 or None in minor:
        return unknown(about, f"Longhorn's version is not seen: {text or 'no value'}", at="value")
    known = {tuple(int(part) for part in name.split(".")): last for name, last in lifecycle.longhorn.items()}
    last = known.get(minor)
    want = wanted("a minor in support")
    fix = task("Upgrade Longhorn, one minor at a time, to one that is supported")
    if last is not None:
        day = f"{last.day} {last:%b %Y}"
        if ended(last, now):
            return fail(about, text, seen=f"{text}, supported until {day}", wanted=want, at="value", fix=fix)
        return ok(about, text, seen=f"{text}, supported until {day}", at="value")
    if known and minor > max(known):
        return ok(about, text, at="value", remark=f"newer than the table of {lifecycle.date}")
    if known and minor < min(known):
        return fail(about, text, seen=f"{text}, out of support before {min(known.values())}", wanted=want, at="value", fix=fix)
    return unknown(about, f"{text} is not in the table of releases", needs=("`lifecycle` in the config",), at="value")


@check("longhorn-capacity", severity=MEDIUM, clauses=("L4",))
def longhorn_capacity(longhorn_claims, release, scenario, thresholds, replicated_volumes=maybe, storage_nodes=maybe, storage_settings=maybe):
    """Longhorn has room for every replica and its snapshots.

    Each volume takes its size once a replica, and its snapshots come on top; where the room is promised twice, writes fail on every volume
    of a full disk at once. A node or disk that takes no replicas leaves its share to the others.

    Fix: add disks or nodes to Longhorn, or delete the volumes that nobody needs.
    """
    if not longhorn_claims:
        yield skip(release.subject, "no claim is on Longhorn")
        return
    taking = [node.name for node in storage_nodes if node.allowed and not node.evicting and any(disk.allowed for disk in node.disks)]
    yield room_verdict(release, longhorn_claims, replicated_volumes, storage_nodes, storage_settings, float(thresholds["longhorn.snapshots"]))
    least = 1 if scenario is Scenario.SINGLE_NODE else REPLICAS
    for node in storage_nodes:
        yield node_verdict(node, len(taking) + len(storage_nodes.unreadable), least)
    yield from malformed(storage_nodes.unreadable)


def room_verdict(release, longhorn_claims, replicated_volumes, nodes, settings, overhead):
    """The verdict on the sum of all disks: what is promised, with room for snapshots, against what is there."""
    subject = release.subject.at("longhorn space")
    why, needs = unread(replicated_volumes, nodes, settings)
    if why:
        return unknown(subject, why, needs=needs)
    limit = setting(settings, "storage-over-provisioning-percentage")
    share = limit.of() if limit else "100"
    factor = min(percent, 100) / 100 if (percent := whole(share)) is not None else 1
    disks = [disk for node in nodes if node.allowed and not node.evicting for disk in node.disks if disk.allowed and not disk.evicting]
    space = sum(max(disk.maximum - disk.reserved, 0) for disk in disks) * factor
    handles = {one.handle for one in longhorn_claims}
    own = sum((volume.size or 0) * (volume.replicas or 0) for volume in replicated_volumes if volume.name in handles)
    promised = max(sum(disk.scheduled for node in nodes for disk in node.disks), own)
    need = Size(promised * (1 + overhead))
    text = f"{print_size(space)} schedulable for {print_size(promised)} of replicas and {overhead:.0%} for snapshots".replace("%", " %")
    at = [(node, "status.diskStatus", ", ".join(disk.name for disk in node.disks)) for node in nodes]
    if space >= need:
        return ok(subject, Size(space), seen=text, wanted=at_least(need), at=at)
    fix = task("Add disks or nodes to Longhorn until replicas and snapshots fit, or delete volumes that nobody needs")
    return fail(subject, Size(space), seen=text, wanted=at_least(need), at=at, fix=fix)


def ill(name, conditions):
    """The conditions that keep a node or disk from taking replicas, and those that are not there, in words."""
    told = {kind: conditions.get(kind, "") for kind in ("Ready", "Schedulable")}
    return [f"{name}{kind} {value}" for kind, value in told.items() if value not in ("", "True")], [
        f"{name}{kind}" for kind in told if not told[kind]
    ]


def node_verdict(node, taking, least):
    """The verdict on whether a Longhorn node and its disks take replicas."""
    looked = [ill("", node.conditions), *(ill(f"disk {disk.name} ", disk.conditions) for disk in node.disks if disk.allowed)]
    bad, silent = ([text for pair in looked for text in pair[number]] for number in (0, 1))
    chosen = ["scheduling is off"] if not node.allowed else []
    chosen += ["its replicas are being evicted"] if node.evicting else []
    chosen += [f"disk {disk.name} scheduling is off" for disk in node.disks if not disk.allowed]
    want, at, text = wanted("node and disks Schedulable"), "status.conditions", ", ".join(chosen)
    if bad and node.allowed:
        fix = task("Bring the Longhorn node or disk back: free room on the disk, uncordon the node, or replace the disk")
        return fail(node, ", ".join(bad), wanted=want, at=at, fix=fix)
    if chosen and taking < least:
        fix = task("Turn scheduling on for the Longhorn nodes and their disks, or add others: too few take replicas")
        return fail(node, text, seen=f"{text}; {plural(taking, 'node')} left for replicas", wanted=want, at="spec.allowScheduling", fix=fix)
    if chosen:
        return ok(node, text, at="spec.allowScheduling", remark=f"{text}, and {plural(taking, 'node')} left for replicas")
    if silent:
        return unknown(node, f"Longhorn says nothing of {', '.join(silent)}", at=at)
    return ok(node, "Schedulable", at=at)
