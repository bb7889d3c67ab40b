"""Volumes that several nodes mount: access modes, provisioners that can share, sharing seen."""

from __future__ import annotations

from exivity_audit import (
    CRITICAL,
    HIGH,
    REINSTALL,
    B,
    C,
    Scenario,
    Status,
    Subject,
    check,
    exactly,
    fail,
    maybe,
    ok,
    seen,
    skip,
    task,
    to_attest,
    unknown,
    values,
    wanted,
)
from exivity_audit.facts.claims import volume_of
from exivity_audit.facts.provisioners import LONGHORN, NO_PROVISIONER, kind_of, provisioner_kind

from .shared import by_class, class_trouble, longhorn_volume, maker, mounted_by, unread

SHARED, SINGLE = "ReadWriteMany", "ReadWriteOnce"


NEW_CLASS = (
    "Set `storage.storageClass` to a class that shares a file system (Longhorn, CephFS, an HA NAS), recreate the shared claims and copy the data:"
    " a claim's class cannot be changed"
)


@check("access-mode", severity=CRITICAL, clauses=("A4", "B6"))
def access_mode(claims, scenario, pods=maybe):
    """The access modes fit the number of nodes.

    On several nodes the services share sixteen volumes, which only ReadWriteMany lets them mount together; with ReadWriteOnce a pod on
    another node waits for ever. On one node ReadWriteOnce is enough.

    Fix: set `storage.sharedVolumeAccessMode` and recreate the shared claims: the mode of a claim cannot be changed.
    """
    single = scenario is Scenario.SINGLE_NODE
    why, needs = unread(pods)
    for claim in claims:
        modes = ", ".join(claim.access_modes) or "none"
        shared, once = SHARED in claim.access_modes, SINGLE in claim.access_modes
        nodes = sorted({pod.node for pod in mounted_by(claim, pods, running=True) if pod.node}) if seen(pods) else []
        if shared:
            note = "ReadWriteOnce is enough on one node" if single and claim.shared else ""
            yield ok(claim, modes, at="spec.accessModes", remark=note)
        elif claim.shared and not (single and once):
            mode = SINGLE if single else SHARED
            fix = values("storage.sharedVolumeAccessMode", mode, needs=REINSTALL)
            yield fail(claim, modes, wanted=exactly(mode), at="spec.accessModes", fix=fix)
        elif not once and "ReadWriteOncePod" not in claim.access_modes:
            fix = task("Recreate the claim with `accessModes: [ReadWriteOnce]`, as the chart makes it")
            yield fail(claim, modes, wanted=exactly(SINGLE), at="spec.accessModes", fix=fix)
        elif len(nodes) > 1:
            text = f"{modes}, mounted on {', '.join(nodes)}"
            fix = task("Keep the pods that mount a ReadWriteOnce claim on one node, or recreate the claim with ReadWriteMany")
            yield fail(claim, modes, seen=text, wanted=wanted("mounted on one node"), at="spec.accessModes", fix=fix)
        elif why:
            yield unknown(claim, f"{modes}; pods on several nodes cannot be ruled out: {why}", needs=needs)
        else:
            note = "" if claim.shared or single else ", by design"
            yield ok(claim, modes, seen=f"{modes}{note}", at="spec.accessModes")


def teach(provisioner):
    """The lines of the config that tell what a provisioner can do."""
    return (f"`provisioners: {{{provisioner}: {{rwx: true}}}}` in the config",)


def capable(about, provisioner, kind, moves, at):
    """The verdict on what shares a claim's data, a class or a volume made by hand; ``moves``: it is a migratable block volume."""
    want = wanted("a file system that several nodes share")
    if moves:
        text = f"{provisioner} with migratable: true: a block volume, no shared file system"
        fix = task("Recreate the class without `migratable: true` (it is for block volumes of virtual machines), and with it the shared claims")
        return fail(about, "migratable: true", seen=text, wanted=want, at=at, fix=fix)
    if kind is None:
        text = f"provisioner {provisioner or 'without a name'} is not in the table: tell what it can do"
        return unknown(about, text, needs=teach(provisioner), at=at)
    if kind.rwx is None:
        text = f"{kind.title}: {kind.note or 'it depends on its settings'}, and that is not seen"
        return unknown(about, text, needs=teach(provisioner), at=at)
    if kind.rwx:
        return ok(about, provisioner, seen=f"{kind.title} shares a file system", at=at)
    text = f"{kind.title}: {kind.note or 'its volumes are for one node at a time'}"
    return fail(about, provisioner, seen=text, wanted=want, at=at, fix=task(NEW_CLASS, fill="storage.storageClass", needs=REINSTALL))


def capable_by_volume(claim, volumes, settings):
    """The verdict on a shared claim that no class with a provisioner serves: its own volume tells."""
    volume = volume_of(claim, volumes) if seen(volumes) else None
    if volume is None:
        why, needs = unread(volumes)
        return unknown(claim, f"no class tells, and its volume was not seen{': ' + why if why else ''}", needs=needs)
    if volume.nfs:
        return ok(claim, "NFS", seen="an NFS volume shares a file system", at=[(volume, "spec.nfs.server", volume.nfs[0])])
    if volume.host_path or volume.local_path:
        text = "a folder of one node"
        path = "spec.hostPath.path" if volume.host_path else "spec.local.path"
        at = [(volume, path, volume.host_path or volume.local_path)]
        return fail(
            claim,
            text,
            wanted=wanted("a file system that several nodes share"),
            at=at,
            fix=task(NEW_CLASS, fill="storage.storageClass", needs=REINSTALL),
        )
    told = kind_of(maker(volume), volume.attributes, settings)
    return capable(claim, maker(volume), told, migratable(volume), [(volume, "spec.csi.driver", volume.driver or "")])


def migratable(volume):
    """Whether a Longhorn volume is a block device made to move between nodes."""
    return volume.driver == LONGHORN and str(volume.attributes.get("migratable", "")).lower() == "true"


def class_capable(kind, bound, moving, settings):
    """The verdict on a class with a provisioner; ``moving`` holds the names of Longhorn volumes that are migratable."""
    at = [(kind, "provisioner", kind.provisioner)]
    block = kind.provisioner == LONGHORN and str(kind.parameters.get("migratable", "")).lower() == "true"
    moved = [volume for volume in bound if migratable(volume) or (volume.driver == LONGHORN and volume.handle in moving)]
    at += [(kind, "parameters.migratable", "true")] if block else []
    at += [(volume, "spec.csi.volumeHandle", volume.handle or "") for volume in moved]
    return capable(kind, kind.provisioner, provisioner_kind(kind, settings), block or bool(moved), at)


@check("rwx-capable", severity=CRITICAL, clauses=("B6", "K1"), applies=(B, C))
def rwx_capable(claims, storage_classes, settings, volumes=maybe, replicated_volumes=maybe):
    """The shared claims' storage can share a file system.

    Kubernetes does not check whether a storage can share: it binds ReadWriteMany on a folder of one node, and each node then sees its own
    data. So the provisioner decides, by what is known of it.

    Fix: set `storage.storageClass` to a class whose provisioner shares a file system, and move the data.
    """
    moving = {volume.name for volume in replicated_volumes if volume.migratable} if seen(replicated_volumes) else set()
    for kind, members in by_class([claim for claim in claims if claim.shared], storage_classes):
        if kind is not None and kind.provisioner != NO_PROVISIONER:
            bound = [volume for claim in members if (volume := volume_of(claim, volumes))] if seen(volumes) else []
            yield class_capable(kind, bound, moving, settings)
            continue
        for claim in members:
            status, text = class_trouble(claim, storage_classes)
            if kind is None and status is Status.FAIL:
                yield skip(claim, f"its class: {text}", follows="storage/class-exists")
            elif kind is None and status is Status.UNKNOWN:
                why, needs = unread(storage_classes)
                yield unknown(claim, f"its class: {text}: {why}", needs=needs)
            else:
                yield capable_by_volume(claim, volumes, settings)


@check(
    "rwx-validated", severity=HIGH, clauses=("K1", "L5"), applies=(B, C), passive="no pod mounts the claims there",
    attest="mount a shared claim from pods on two nodes, write on one and read on the other, stop the node that serves it and see it come back;"
    " attach the log of the test",
)  # fmt: skip
def rwx_validated(claims, longhorn_claims, release, pods=maybe, replicated_volumes=maybe, share_managers=maybe):
    """Shared claims are mounted on several nodes at once.

    That a class says ReadWriteMany proves nothing; a claim that pods on two nodes have mounted does. On Longhorn each attached shared volume
    also needs its share manager running.

    Fix: let two copies of a service run on two nodes, and look at what `kubectl describe pod` says of their volumes.
    """
    sharing = [claim for claim in claims if claim.shared and SHARED in claim.access_modes]
    if not sharing:
        skipped = [claim for claim in claims if claim.shared]
        yield skip(release.subject, "no shared claim is ReadWriteMany", follows="storage/access-mode" if skipped else None)
        return
    for name in sorted({claim.class_name or "" for claim in sharing}):
        subject = Subject("StorageClass", name) if name else release.subject.at("claims without a class")
        yield seen_on_nodes(subject, [claim for claim in sharing if (claim.class_name or "") == name], pods)
    for one in longhorn_claims:
        if one.claim in sharing and one.claim.volume:
            yield shared_by_manager(one, replicated_volumes, share_managers)


def seen_on_nodes(subject, members, pods):
    """Whether pods on two nodes have mounted one of the claims."""
    why, needs = unread(pods)
    best, most = None, []
    for claim in members if seen(pods) else ():
        nodes = sorted({pod.node for pod in mounted_by(claim, pods, running=True) if pod.node})
        if len(nodes) > len(most):
            best, most = claim, nodes
    if len(most) >= 2:
        holders = [pod for pod in mounted_by(best, pods, running=True) if pod.node]
        at = [(best, "status.phase", "Bound"), *((pod, "spec.nodeName", pod.node) for pod in holders)]
        return ok(subject, len(most), seen=f"{best.name} is mounted on {', '.join(most)}", at=at)
    if why:
        return unknown(subject, f"no claim is seen mounted on two nodes: {why}", needs=needs)
    return to_attest(subject, "no shared claim is mounted by Running pods on two nodes", measured=len(most))


def shared_by_manager(one, replicated_volumes, share_managers):
    """The verdict on a shared claim on Longhorn: its share manager runs while the volume is attached."""
    volume, why, needs = longhorn_volume(one, replicated_volumes)
    if volume is None:
        return unknown(one, why, needs=needs) if why else skip(one, "its Longhorn volume is gone", follows="storage/longhorn-replicas")
    if not volume.attached:
        return skip(one, f"{volume.state or 'not attached'}: no share manager is needed")
    if volume.migratable:
        return skip(one, "migratable: a block volume has no share manager", follows="storage/rwx-capable")
    manager = next((item for item in share_managers if item.name == volume.name), None) if seen(share_managers) else None
    if manager is not None and manager.state == "running":
        return ok(one, "share manager running", at=[(volume, "status.state", volume.state), (manager, "status.state", manager.state)])
    why, needs = unread(share_managers)
    if manager is None and why:
        return unknown(one, f"its share manager was not seen: {why}", needs=needs)
    text = f"share manager {manager.state or 'without a state'}" if manager else "no share manager"
    at = [(volume, "status.state", volume.state), *([(manager, "status.state", manager.state)] if manager else [])]
    fix = task("Read `kubectl -n longhorn-system describe` of the share manager and its pod: an image, a node or a volume keeps it from running")
    return fail(one, text, wanted=wanted("share manager running"), at=at, fix=fix)
