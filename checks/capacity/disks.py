"""The disks of the nodes that hold volumes."""

from __future__ import annotations

from exivity_audit import MEDIUM, Subject, check, maybe, seen, skip, task, unknown
from exivity_audit.facts.volume_use import disk_of, node_of, why_unseen

from ..fullness import judge, rivals


def _on_disk(claim, sources):
    """Whether a claim's volume is a folder of a node, and which; None where it is none or keeps its own space."""
    volume, kind = sources.volumes.get((claim.namespace, claim.name)), sources.kind(claim)
    folder = (volume.host_path or volume.local_path) if volume is not None else None
    local = kind is not None and kind.local and kind.enforced is not True
    return (folder or "") if folder or (local and volume is not None) else None


@check("node-disk", severity=MEDIUM, clauses=("P7",))
def node_disk(class_uses, use_sources, release, settings, thresholds, volumes=maybe, database=maybe):
    """Node disks have room.

    Volumes that are folders of a node share its disk: the sizes of their claims stop nobody, and the first that fills it stops all of them.

    Fix: free or enlarge the node's disk; move what else grows on it.
    """
    claims = [claim for use in class_uses for claim in use.claims]
    if any(kind is None or kind.local for kind in (use.kind(settings) for use in class_uses)) and not seen(volumes):
        iter(volumes)  # which of the volumes lie on a node is not known: raises NotSeen
    others = database.claims if seen(database) and database.in_cluster else ()
    everything = {(claim.namespace, claim.name): claim for claim in (*claims, *others)}
    places = {}
    for claim in everything.values():
        folder = _on_disk(claim, use_sources)
        if folder is None:
            continue
        node = node_of(claim, use_sources)
        if node is None:
            yield unknown(claim, "its volume lies on a node's disk, and does not say of which node")
        else:
            places.setdefault(node, set()).add(folder)
    leaders = rivals(claims, use_sources, thresholds, database, settings)
    for node, folders in sorted(places.items()):
        yield _verdict(node, folders, use_sources, 1 - float(thresholds["node_disk.headroom"]), leaders)
    if not places:
        class_uses.surely()
        yield skip(release, "no volume of the release is a folder of a node")


def _verdict(node, folders, sources, limit, leaders):
    """The verdict on the fullest of the file systems on which a node's folders lie."""
    found = [use for folder in sorted(folders) if (use := disk_of(node, folder or None, sources)) is not None]
    if not found:
        why, needs = why_unseen(None, sources)
        return unknown(Subject("Node", node), why, needs=needs)
    fix = task(f"Free room on the disk of {node} or enlarge it: every volume there stops when it is full")
    return judge(max(found, key=lambda use: use.share), limit, fix, leaders)
