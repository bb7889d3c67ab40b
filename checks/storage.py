"""Storage: every claim has a volume that fits the scenario, and the storage behind it survives what it must survive."""

from __future__ import annotations

from datetime import timedelta

from exivity_audit import (
    CLUSTER,
    CRITICAL,
    HIGH,
    LOW,
    MEDIUM,
    A,
    B,
    C,
    Duration,
    Role,
    Scenario,
    Size,
    Status,
    Subject,
    at_least,
    at_most,
    chart,
    check,
    exactly,
    fail,
    maybe,
    ok,
    one_of,
    patch,
    print_duration,
    print_size,
    reasons_of,
    seen,
    skip,
    task,
    to_attest,
    unknown,
    values,
    wanted,
    warn,
)
from exivity_audit.facts.claims import ClaimGroup, class_of, volume_of
from exivity_audit.facts.longhorn import setting
from exivity_audit.facts.nfs import NfsServer
from exivity_audit.facts.platform import served
from exivity_audit.facts.provisioners import LONGHORN, NO_PROVISIONER, kind_of, provisioner_kind
from exivity_audit.lifecycle import ended

SHARED, SINGLE = "ReadWriteMany", "ReadWriteOnce"
REPLICAS = 3
ZONES = 3  # from this many zones on, the replicas of a volume lie in different ones
RESIZE = timedelta(hours=1)
COVERS_DEPLOYMENTS = ("delete-deployment-pod", "delete-both-statefulset-and-deployment-pod")
MOUNTING = ("NFSClientInstalled", "RequiredPackages")
REGION_LABELS = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
SITE_LABELS = ("site", "topology.kubernetes.io/site")
EXPECTED = (*chart.LOG_CLAIMS, *chart.CONFIG_CLAIMS, *chart.DATA_CLAIMS)
REPLACEABLE = (ClaimGroup.LOG, ClaimGroup.RABBITMQ)  # lost without harm beyond the log lines and the messages in flight

NEW_CLASS = (
    "Set `storage.storageClass` to a class that shares a file system (Longhorn, CephFS, an HA NAS), recreate the shared claims and copy the data:"
    " a claim's class cannot be changed"
)
HA_NAS = "Move the claims to Longhorn with three replicas, or to an external HA NAS that serves NFSv4: set `storage.storageClass` and copy the data"


def unread(*collections):
    """Why absence from these collections proves nothing, as text and rules; empty where it does."""
    reasons = [reason for one in collections for reason in (one.partial if seen(one) else reasons_of(one))]
    texts = [reason.text for reason in reasons]
    texts += [f"malformed: {item.subject}: {item.why}" for one in collections if seen(one) for item in one.unreadable]
    return "; ".join(dict.fromkeys(texts)), tuple(dict.fromkeys(reason.rule for reason in reasons if reason.rule))


def malformed(collection):
    """An unknown for each malformed member of an alternate, which nobody else reports."""
    for item in collection.unreadable:
        yield unknown(item.subject, f"malformed: {item.why}")


def class_trouble(claim, classes):
    """Status and text of what is wrong with the class of a claim; pass where nothing is."""
    name, bound = claim.class_name, claim.bound
    if name:
        if any(one.name == name for one in classes):
            return Status.PASS, name
        text = f"{name}, which has no StorageClass object"
    else:
        defaults = [one.name for one in classes if one.default]
        if name is None and len(defaults) == 1 and classes.complete:
            return Status.PASS, f"none named, the default is {defaults[0]}"
        if name is None and len(defaults) > 1:
            return Status.FAIL, f"none named, and {len(defaults)} classes are the default: {', '.join(sorted(defaults))}"
        text = "none named, and no class is the default" if name is None else "empty: no class by choice"
    if not classes.complete:
        return Status.UNKNOWN, text
    return (Status.WARN if bound else Status.FAIL), text


@check("class-exists", severity=HIGH, clauses=("K1",))
def class_exists(claims, storage_classes):
    """Every claim names a StorageClass that exists.

    A claim whose class does not exist waits for ever, and a bound one cannot be made again after a loss. A claim without a class
    needs exactly one default: with none it waits, with several the newest wins, whichever that is.

    Fix: set `storage.storageClass` in the chart values to a class of `kubectl get storageclass`.
    """
    why, needs = unread(storage_classes)
    for claim in claims:
        status, text = class_trouble(claim, storage_classes)
        want = wanted("a StorageClass that exists, or exactly one default")
        if status is Status.PASS:
            yield ok(claim, claim.class_name or "default", seen=text, at="spec.storageClassName")
        elif status is Status.UNKNOWN:
            yield unknown(claim, f"{text}: {why}", needs=needs)
        elif status is Status.WARN:
            name = claim.class_name or "the class of the claims"
            fix = task(f"Create StorageClass {name} (or move the claims to one that exists), so that the volumes can be made again")
            yield warn(claim, claim.class_name or "none", seen=f"{text}: a volume made by hand", wanted=want, at="spec.storageClassName", fix=fix)
        elif "default:" in text:
            fix = task("Name the class in `storage.storageClass`, or take the annotation `is-default-class` from all StorageClasses but one")
            yield fail(claim, "several defaults", seen=text, wanted=want, at="spec.storageClassName", fix=fix)
        else:
            fix = task("Set `storage.storageClass` to a class that exists, and recreate the waiting claims: a claim's class cannot be changed")
            yield fail(claim, claim.class_name or "none", seen=text, wanted=want, at="spec.storageClassName", fix=fix)


def mounted_by(claim, pods, running=False):
    """Pods that hold a claim: those alive, or only those that run."""
    return tuple(pod for pod in pods if claim.name in pod.claims and pod.namespace == claim.namespace and (pod.running if running else pod.alive))


def resize_verdict(claim, now):
    """The verdict on a claim that is bound: whether a resize of it is stuck."""
    lagging = claim.capacity is not None and claim.request is not None and claim.capacity < claim.request
    sizes = f"{print_size(claim.capacity)} of {print_size(claim.request)} asked for" if lagging else ""
    if not claim.resizes and not lagging:
        return ok(claim, "Bound", at="status.phase")
    kinds = [kind for kind, _ in claim.resizes]
    ages = [now - since if since else None for _, since in claim.resizes]
    if claim.resizes and not any(kind.endswith("Error") for kind in kinds) and all(age is not None and age <= RESIZE for age in ages):
        return ok(claim, "Bound", at="status.phase", remark=f"a resize is under way: {', '.join(kinds)}")
    aged = max((age for age in ages if age is not None), default=None)
    since = f" for {print_duration(aged.total_seconds())}" if aged else ""
    text = ", ".join(part for part in (f"{', '.join(kinds)}{since}" if kinds else "no resize under way", sizes) if part)
    if "FileSystemResizePending" in kinds:
        fix = task("Restart the pods that mount the claim (`kubectl rollout restart`): the file system grows when it is mounted anew")
    else:
        fix = task("Read `kubectl describe pvc` for what keeps the volume from growing: room of the storage, or a driver that cannot expand")
    return fail(claim, text, seen=f"Bound, resize stuck: {text}", wanted=wanted("Bound, no resize stuck"), at="status.conditions", fix=fix)


@check("claims-bound", severity=HIGH, clauses=("K1",))
def claims_bound(claims, release, settings, now, storage_classes=maybe, pods=maybe):
    """Every claim is bound and no resize is stuck.

    A pod that mounts a claim without a volume does not start; a resize that is stuck leaves the old size while everybody counts on the new.

    Fix: read `kubectl describe pvc` for what keeps the volume from being made or from growing.
    """
    passive = settings.role is Role.PASSIVE
    for claim in claims:
        if claim.phase == "Lost":
            yield skip(claim, "its volume is lost", follows="storage/claims-lost")
        elif claim.bound:
            yield resize_verdict(claim, now)
        else:
            yield waiting_verdict(claim, passive, storage_classes, pods)
    there = {claim.name for claim in claims} | {item.subject.name for item in claims.unreadable}
    why, needs = unread(claims)
    if not release.fullname_seen:
        why = why or "the chart's FN was not seen, so the claims' names are a guess"
    for part in EXPECTED:
        name = f"{release.fullname}-{part}"
        subject = Subject("PersistentVolumeClaim", name, release.namespace)
        if name in there:
            continue
        if passive:
            yield skip(subject, "passive site: the claim is not there yet")
        elif why:
            yield unknown(subject, why, needs=needs)
        else:
            fix = task("Run `helm upgrade` with the release's own values (or sync it): the chart always makes all eighteen claims")
            yield fail(subject, "missing", wanted=exactly("Bound"), fix=fix)


def waiting_verdict(claim, passive, storage_classes, pods):
    """The verdict on a claim that has no volume yet."""
    phase = claim.phase or "no phase yet"
    if seen(storage_classes) and class_trouble(claim, storage_classes)[0] is Status.FAIL:
        return skip(claim, f"{phase}: its class does not exist", follows="storage/class-exists")
    kind = class_of(claim, storage_classes) if seen(storage_classes) else None
    used = bool(mounted_by(claim, pods)) if seen(pods) else None
    lazy = kind is not None and kind.binding == "WaitForFirstConsumer"
    if not used and (lazy or passive or not seen(storage_classes)):
        why, needs = unread(pods) if seen(storage_classes) else unread(pods, storage_classes)
        if why:
            return unknown(claim, f"{phase}, which may be right while no pod uses it: {why}", needs=needs)
        return skip(claim, "passive site: no pod uses it" if passive else f"class {kind.name} waits for the first pod, and none uses the claim")
    fix = task("Read `kubectl describe pvc` of the waiting claims: a provisioner that does not run, no room, or an access mode it cannot give")
    return fail(claim, phase, wanted=exactly("Bound"), at="status.phase", fix=fix)


@check("claims-lost", severity=CRITICAL, clauses=("K1",))
def claims_lost(claims):
    """No claim has lost its volume.

    Lost means that the volume a claim was bound to is gone: the data with it, unless somebody kept the storage behind it.

    Fix: recreate the PersistentVolume over the storage if that is still there, else restore the data from backup.
    """
    for claim in claims:
        if claim.phase == "Lost":
            fix = task("Recreate the PersistentVolume over the storage if it is still there, else restore the data from backup into a new claim")
            yield fail(claim, "Lost", wanted=wanted("its volume is there"), at="status.phase", fix=fix)
        else:
            yield ok(claim, claim.phase or "not lost", at="status.phase")


def maker(volume):
    """Who made a volume: a provisioner's name, empty for one made by hand."""
    return volume.provisioned_by or volume.driver or ""


@check("provisioned", severity=HIGH, clauses=("A5",))
def provisioned(claims, declared_services, volumes, scenario, services=maybe):
    """Volumes are made by a provisioner, not by hand.

    A hostPath folder that somebody made belongs to one node, is in nobody's inventory and is not made again after a loss; the same holds
    for a folder mounted straight into a pod.

    Fix: set `storage.storageClass` to a class with a provisioner, recreate the claims and copy the data.
    """
    want = wanted("made by a provisioner")
    fix = task("Set `storage.storageClass` to a class with a provisioner, recreate the claims and copy the data from the volumes made by hand")
    why, needs = unread(volumes)
    for claim in claims:
        volume = volume_of(claim, volumes)
        if not claim.volume:
            yield skip(claim, "no volume yet")
        elif volume is None:
            yield unknown(claim, f"its volume {claim.volume} was not seen{': ' + why if why else ''}", needs=needs)
        elif maker(volume):
            path = "metadata.annotations[pv.kubernetes.io/provisioned-by]" if volume.provisioned_by else "spec.csi.driver"
            yield ok(claim, maker(volume), at=[(volume, path)])
        elif volume.host_path or volume.local_path:
            kind, path = ("hostPath", "spec.hostPath.path") if volume.host_path else ("local", "spec.local.path")
            text = f"{kind} volume {volume.host_path or volume.local_path}, made by hand"
            yield fail(claim, f"{kind} by hand", seen=text, wanted=want, at=[(volume, path, volume.host_path or volume.local_path)], fix=fix)
        else:
            where = f"{volume.nfs[0]}:{volume.nfs[1]}" if volume.nfs else "a source other than CSI, hostPath, local and NFS"
            text, at = f"made by hand: {'NFS ' if volume.nfs else ''}{where}", [(volume, "spec.nfs.server" if volume.nfs else "metadata.name", where)]
            if volume.nfs and scenario is not Scenario.SINGLE_NODE:
                yield ok(claim, "NFS by hand", seen=text, at=at, remark="an NFS volume made by hand: nobody makes it again after a loss")
            else:
                yield warn(claim, "by hand", seen=text, wanted=want, at=at, fix=fix)
    looked = {service.component: service for service in services} if seen(services) else {}
    for declared in declared_services:
        pods = looked[declared.component].workload.alive if declared.component in looked else ()
        paths = sorted({*declared.workload.host_paths, *(path for pod in pods for path in pod.host_paths)})
        if paths:
            text = f"hostPath {', '.join(paths)} in the pod"
            out = task(f"Take the hostPath volumes out of Deployment {declared.subject.name} (a post-renderer or a hand put them there)")
            yield fail(declared, text, wanted=wanted("no hostPath volume"), at="spec.template.spec.volumes", fix=out)
        else:
            yield ok(declared, "no hostPath volume", at="spec.template.spec.volumes")


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
            fix = values("storage.sharedVolumeAccessMode", mode, needs="reinstall")
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


def by_class(claims, classes):
    """Claims with the class that serves them; None as class where there is no such object."""
    groups = {}
    for claim in claims:
        kind = class_of(claim, classes)
        groups.setdefault(kind.name if kind else None, (kind, []))[1].append(claim)
    return [groups[name] for name in sorted(groups, key=lambda name: (name is None, name or ""))]


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
    return fail(about, provisioner, seen=text, wanted=want, at=at, fix=task(NEW_CLASS))


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
        return fail(claim, text, wanted=wanted("a file system that several nodes share"), at=at, fix=task(NEW_CLASS))
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


def longhorn_volume(one, replicated_volumes):
    """The Longhorn volume behind a claim, or why there is none: (volume, why, rules); all empty where it is proven to be gone.

    Raises NotSeen where no Longhorn volume could be read at all: that is one reason, not one for each claim.
    """
    why, needs = unread(replicated_volumes)
    if one.claim.volume and not seen(replicated_volumes):
        iter(replicated_volumes)
    if one.handle is None:
        return None, ("no volume yet" if not one.claim.volume else why or f"its volume {one.claim.volume} was not seen"), needs
    return by_handle(one.handle, replicated_volumes)


def by_handle(handle, replicated_volumes):
    """The Longhorn volume of this name, or why it was not seen."""
    why, needs = unread(replicated_volumes)
    found = next((volume for volume in replicated_volumes if volume.name == handle), None) if seen(replicated_volumes) else None
    return (found, "", ()) if found is not None else (None, why, needs)


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


def asked_replicas(kind, settings):
    """Replicas that a Longhorn class asks for, as a number and in words; the setting rules where the class says nothing."""
    text = kind.parameters.get("numberOfReplicas")
    words = str(text)
    if text is None:
        default = setting(settings, "default-replica-count") if seen(settings) else None
        text = default.of(str(kind.parameters.get("dataEngine") or "v1")) if default else ""
        words = f"{text or 'nothing'} (numberOfReplicas is not set: default-replica-count rules)"
    return (int(str(text)) if str(text).isascii() and str(text).isdigit() else None), words


def class_verdict(kind, single, settings):
    """The verdict on the number of replicas that a class asks for."""
    count, words = asked_replicas(kind, settings)
    at, text = "parameters.numberOfReplicas", f"the class asks for {words}"
    if single:
        return ok(kind, count, seen=text, at=at, remark="on one node replicas cannot be spread: Longhorn adds little")
    if count is not None and count >= REPLICAS:
        return ok(kind, count, seen=text, at=at)
    if kind.parameters.get("numberOfReplicas") is None and not seen(settings):
        why, needs = unread(settings)
        return unknown(kind, f"numberOfReplicas is not set, and the setting that rules was not seen: {why}", needs=needs)
    fix = task(f'Recreate StorageClass {kind.name} with `numberOfReplicas: "3"`: the parameters of a class cannot be changed')
    return fail(kind, count, seen=text, wanted=at_least(REPLICAS), at=at, fix=fix)


def replica_verdict(one, volume, words, single, limit, now):
    """The verdict on the replicas of one volume: how many it asks for, and whether they are there."""
    health = [(volume, "status.robustness", volume.robustness)]
    if volume.robustness == "faulted":
        fix = task("Salvage a replica of the faulted volume in Longhorn, else restore the volume from backup")
        return fail(one, "faulted", wanted=wanted("healthy"), at=health, fix=fix)
    if volume.sharded and not single:
        return to_attest(one, "its layout is sharded, where the number of replicas says nothing", at=[(volume, "spec.dataLayout", "sharded")])
    at = [(volume, "spec.numberOfReplicas", volume.replicas), *health]
    state = volume.robustness if volume.attached else f"{volume.state or 'not attached'}, so its health is not judged"
    text = f"{volume.replicas} {'replica' if volume.replicas == 1 else 'replicas'}{words}, {state}"
    if single:
        return ok(one, volume.replicas, seen=text, at=at, remark="on one node replicas cannot be spread: Longhorn adds little")
    few = volume.replicas is None or volume.replicas < REPLICAS
    if few and one.claim.part in EXPECTED:
        body = {"spec": {"numberOfReplicas": REPLICAS}}
        fix = patch(volume, body, "Set `numberOfReplicas: 3` on the Longhorn volumes that have fewer: the class rules only the volumes to come")
        return fail(one, volume.replicas, seen=text, wanted=at_least(REPLICAS), at=at, fix=fix)
    if volume.attached and volume.robustness == "degraded":
        since = [*at, (volume, "status.lastDegradedAt", str(volume.degraded_since or ""))]
        age = Duration((now - volume.degraded_since).total_seconds()) if volume.degraded_since else None
        text = f"{text} for {print_duration(age)}" if age is not None else f"{text}, nothing says since when"
        fix = task("Bring the missing replicas back: Longhorn names the node or disk that is gone or full in the conditions of the volume")
        verdict = warn if age is not None and age <= limit else fail
        return verdict(one, "degraded", seen=text, wanted=wanted(f"healthy again within {print_duration(limit)}"), at=since, fix=fix)
    if volume.attached and volume.robustness != "healthy":
        return unknown(one, f"attached, and Longhorn says {volume.robustness or 'nothing'} of its health", at=health)
    note = "not one of the eighteen Exivity claims" if few else ""
    return ok(one, volume.replicas, seen=text, at=at, remark=note)


@check(
    "longhorn-replicas", severity=CRITICAL, clauses=("B7", "L1"),
    attest="show by the layout of the sharded volumes that they survive the loss of a node; attach the volumes' description",
)  # fmt: skip
def longhorn_replicas(
    longhorn_claims, release, scenario, now, thresholds, storage_classes=maybe, replicating_claims=maybe, volumes=maybe,
    replicated_volumes=maybe, storage_settings=maybe,
):  # fmt: skip
    """Longhorn keeps three replicas of every volume.

    With three replicas a volume survives a node and the rebuild after it; with fewer one more fault takes the data. The class decides for
    volumes to come, each volume for itself. A volume that stays degraded has fewer replicas than it says.

    Fix: set three replicas on the class and on each volume, and repair the volumes that are degraded.
    """
    if not longhorn_claims:
        yield skip(release.subject, "no claim is on Longhorn")
        return
    single, limit = scenario is Scenario.SINGLE_NODE, at_most(thresholds["longhorn.rebuild"]).value
    kinds = {one.claim.name: class_of(one.claim, storage_classes) for one in longhorn_claims}
    shown = {}
    for kind in kinds.values():
        if kind is not None and kind.provisioner == LONGHORN and kind.name not in shown:
            shown[kind.name] = f", class {kind.name} asks for {asked_replicas(kind, storage_settings)[1]}"
            yield class_verdict(kind, single, storage_settings)
    for one in longhorn_claims:
        kind = kinds[one.claim.name]
        volume, why, needs = longhorn_volume(one, replicated_volumes)
        if volume is not None:
            yield replica_verdict(one, volume, shown.get(kind.name, "") if kind else "", single, limit, now)
        elif not why:
            fix = task("Restore the Longhorn volume from its backup under the same name: the PersistentVolume points at nothing")
            yield fail(one, "no Longhorn volume", seen=f"Longhorn has no volume {one.handle}", wanted=wanted("its Longhorn volume"), fix=fix)
        else:
            yield unknown(one, why, needs=needs) if one.claim.volume else skip(one, why)
    yield from replicating(replicating_claims, volumes, replicated_volumes)


def replicating(replicating_claims, volumes, replicated_volumes):
    """A remark for each Longhorn volume of a database or broker that keeps copies itself."""
    if not (seen(replicating_claims) and seen(volumes) and seen(replicated_volumes)):
        return
    for claim in replicating_claims:
        bound = volume_of(claim, volumes)
        found = next((item for item in replicated_volumes if bound and bound.driver == LONGHORN and item.name == bound.handle), None)
        if found is not None:
            note = f"{claim.part} keeps copies of its data itself: fewer Longhorn replicas are enough"
            yield ok(claim, found.replicas, at=[(found, "spec.numberOfReplicas")], remark=note)


SOFT = {"replica-soft-anti-affinity": "nodes", "replica-zone-soft-anti-affinity": "zones"}


@check("longhorn-spread", severity=HIGH, clauses=("L2",), applies=(B, C))
def longhorn_spread(longhorn_claims, release, replicated_volumes=maybe, volume_replicas=maybe, storage_nodes=maybe, storage_settings=maybe):
    """Replicas of a volume lie on different nodes and zones.

    Two replicas on one node die together. Soft anti-affinity lets Longhorn do that whenever it finds no better place, without a word.

    Fix: turn soft anti-affinity off, and let Longhorn move the replicas that share a node or zone.
    """
    if not longhorn_claims:
        yield skip(release.subject, "no claim is on Longhorn")
        return
    zones = {node.name: node.zone for node in storage_nodes}
    many = len({node.zone for node in storage_nodes if node.zone}) >= ZONES
    why, needs = unread(volume_replicas, storage_nodes)
    for one in longhorn_claims:
        volume, gap, rules = longhorn_volume(one, replicated_volumes)
        if volume is None:
            yield (
                (unknown(one, gap, needs=rules) if one.claim.volume else skip(one, gap))
                if gap
                else skip(one, "its Longhorn volume is gone", follows="storage/longhorn-replicas")
            )
            continue
        replicas = [item for item in volume_replicas if item.volume == volume.name and item.node and not item.failed]
        yield spread_verdict(one, volume, replicas, zones if many else {}, (why, needs))
    for name, what in SOFT.items():
        yield soft_verdict(release, name, what, what == "nodes" or many, storage_settings)


def plural(count, word):
    """``1 node``, ``3 nodes``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def spread_verdict(one, volume, replicas, zones, gap):
    """The verdict on where the replicas of one volume lie; ``zones`` is empty where there are too few to spread over."""
    nodes = sorted({item.node for item in replicas})
    areas = sorted({zones.get(item.node, "") for item in replicas} - {""})
    text = f"{plural(len(replicas), 'replica')} on {plural(len(nodes), 'node')}" + (f" in {plural(len(areas), 'zone')}" if zones else "")
    at = [(item, "spec.nodeID", item.node) for item in replicas]
    unplaced = sorted({item.node for item in replicas if zones and not zones.get(item.node)})
    want = wanted("each replica on its own node" + (" and in its own zone" if zones else ""))
    if len(nodes) < len(replicas) or (zones and not unplaced and len(areas) < min(len(replicas), ZONES)):
        fix = task(
            "Turn soft anti-affinity off, then delete the Longhorn replicas that share a node or zone, one at a time: each is made anew elsewhere"
        )
        return fail(one, text, wanted=want, at=at, fix=fix)
    if gap[0]:
        return unknown(one, f"{text}; a further replica cannot be ruled out: {gap[0]}", needs=gap[1])
    if not replicas:
        return unknown(one, "no replica with a node was seen")
    if unplaced:
        return unknown(one, f"{text}; no zone is known of {', '.join(unplaced)}", at=at)
    own = {"replicaSoftAntiAffinity": volume.soft_anti_affinity, **({"replicaZoneSoftAntiAffinity": volume.zone_soft_anti_affinity} if zones else {})}
    enabled = [name for name, value in own.items() if value == "enabled"]
    if enabled:
        body = {"spec": dict.fromkeys(enabled, "ignored")}
        fix = patch(volume, body, "Set the Longhorn volumes' own soft anti-affinity to `ignored`, so that the setting rules")
        text = f"{text}, and the volume's own soft anti-affinity is enabled"
        return warn(one, "soft anti-affinity enabled", seen=text, wanted=want, at=[(volume, f"spec.{name}", "enabled") for name in enabled], fix=fix)
    return ok(one, len(nodes), seen=text, at=at)


def soft_verdict(release, name, what, matters, settings):
    """The verdict on a setting that lets replicas share a node or zone."""
    found = setting(settings, name)
    subject = found.subject if found else release.subject.at(name)
    default = "true" if what == "zones" else "false"
    value = default if found is None else ("true" if found.on else found.value)
    text = f"{value}{'' if found else ', the default'}"
    if value != "true":
        return ok(found or subject, text, at="value")
    if not matters:
        return ok(found or subject, text, at="value", remark=f"fewer than {ZONES} zones: replicas of a volume may share one")
    fix = task(f"Set the Longhorn setting `{name}` to `false`")
    return warn(found or subject, text, wanted=exactly("false", note=f"replicas never share {what}"), at="value", fix=fix)


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
        yield from malformed(mounting_nodes)
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
    if len(parts) < 2 or not all(part.isascii() and part.isdigit() for part in parts[:2]):
        return unknown(about, f"Longhorn's version is not seen: {text or 'no value'}", at="value")
    minor, known = (int(parts[0]), int(parts[1])), {tuple(int(part) for part in name.split(".")): last for name, last in lifecycle.longhorn.items()}
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
    yield from malformed(storage_nodes)


def room_verdict(release, longhorn_claims, replicated_volumes, nodes, settings, overhead):
    """The verdict on the sum of all disks: what is promised, with room for snapshots, against what is there."""
    subject = release.subject.at("longhorn space")
    why, needs = unread(replicated_volumes, nodes, settings)
    if why:
        return unknown(subject, why, needs=needs)
    limit = setting(settings, "storage-over-provisioning-percentage")
    share = limit.of() if limit else "100"
    factor = min(int(share), 100) / 100 if share.isascii() and share.isdigit() else 1
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


@check(
    "nfs", severity=HIGH, clauses=("N1", "N2", "B7"),
    attest="let the storage team confirm that the NAS serves NFSv4 with locking and survives the loss of a head; attach its statement",
)  # fmt: skip
def nfs(nfs_uses, release, scenario):
    """NFS is version 4 with locking, from a server fit for it.

    Exivity needs file locks, which NFSv4 carries and a client with `nolock` keeps to itself. One NFS server pod is a single point of failure
    for every service that mounts it.

    Fix: set `mountOptions: [nfsvers=4.1]` on the StorageClass, and on several nodes use Longhorn or an external HA NAS.
    """
    if not nfs_uses:
        yield skip(release.subject, "no claim is on NFS")
    for use in nfs_uses:
        yield mount_verdict(use)
        yield server_verdict(use, scenario is Scenario.SINGLE_NODE)


def mount_verdict(use):
    """The verdict on the mount options: those of the volumes, and of the class for the volumes to come."""
    mounts = list(dict.fromkeys((mount.version, mount.unlocked) for mount in use.mounts))
    at = [(mount, mount.path, ", ".join(mount.options) or "none") for mount in use.mounts]
    want = wanted("version 4.x and locks that reach the server")
    options = "Set `mountOptions: [nfsvers=4.1]` on the StorageClass (the Ganesha chart: `storageClass.mountOptions`) and on the volumes that exist"
    unlocked = next((option for _, option in mounts if option), None)
    old = next((version for version, _ in mounts if version and not version.startswith("4")), None)
    if unlocked or old:
        text = ", ".join(part for part in (unlocked, f"version {old}" if old else "") if part)
        locks = f"Take `{unlocked}` out of the mount options of the class and of the volumes: locks must reach the server"
        return fail(use, text, wanted=want, at=at, fix=task(locks if unlocked else options))
    if any(version is None for version, _ in mounts) or not mounts:
        return warn(use, "version not set", seen="no NFS version is set: client and server settle one", wanted=want, at=at, fix=task(options))
    return ok(use, ", ".join(sorted({f"version {version}" for version, _ in mounts})), at=at)


def server_verdict(use, single):
    """The verdict on who serves the files."""
    subject = use.subject.at("server")
    text = f"{use.server.value}{f' ({use.address})' if use.address else ''}"
    at = [(mount, "spec", use.address) for mount in use.mounts if mount.path.startswith("spec.")]
    if use.server is NfsServer.UNKNOWN:
        return unknown(subject, f"which server {use.provisioner} uses is not seen", at=at)
    if use.server is NfsServer.EXTERNAL:
        if single:
            return ok(subject, text, at=at, remark="a NAS does not make Exivity highly available while Kubernetes has one node")
        return to_attest(subject, f"{text}: no cluster shows whether it is highly available", at=at, measured=text)
    if single and use.server is NfsServer.GANESHA:
        return ok(subject, text, at=at)
    if single:
        fix = task("Use the NFS Ganesha server and external provisioner (chart nfs-server-provisioner), a NAS, or a local class instead")
        return warn(subject, text, wanted=wanted("NFS Ganesha or an external NAS"), at=at, fix=fix)
    note = "one server pod is a single point of failure unless its storage and placement are designed for HA"
    return fail(subject, text, wanted=wanted("Longhorn, or an external HA NAS"), at=at, fix=task(HA_NAS), remark=note)


def places(labels):
    """Where a node says it stands: its region, and its site."""
    region = next((labels[name] for name in REGION_LABELS if labels.get(name)), "")
    site = next((value for name, value in sorted(labels.items()) if value and (name in SITE_LABELS or name.endswith("/site"))), "")
    return region, site


@check(
    "site-local", severity=HIGH, clauses=("C4",), applies=(C,),
    attest="show that all nodes and disks of the cluster stand in one site; attach the inventory",
)  # fmt: skip
def site_local(nodes, longhorn_claims, storage_nodes=maybe):
    """The cluster and its storage stay within one site.

    A cluster stretched over two sites fails with the line between them, and each write to a stretched volume waits for the other site.

    Fix: run one cluster and one Longhorn for each site, and replicate the data by backup or by the storage layer.
    """
    fix = task("Run one cluster and one Longhorn for each site, and replicate the data by backup or by the storage layer")
    why, needs = unread(nodes)
    told = {node.name: places(node.labels) for node in nodes}
    regions, sites = ({place[number] for place in told.values()} - {""} for number in (0, 1))
    subject = CLUSTER.at("nodes")
    silent = sorted(name for name, place in told.items() if not any(place))
    at = [(node, "metadata.labels", " ".join(part for part in told[node.name] if part)) for node in nodes]
    both = regions if len(regions) > 1 else sites
    if len(both) > 1:
        yield fail(subject, len(both), seen=f"nodes in {', '.join(sorted(both))}", wanted=exactly(1, note="one site"), at=at, fix=fix)
    elif why:
        yield unknown(subject, why, needs=needs)
    elif silent or not told:
        yield to_attest(subject, f"no region or site label on {', '.join(silent) or 'any node'}", at=at)
    else:
        yield ok(subject, 1, seen=f"all nodes in {', '.join(sorted(regions or sites))}", at=at)
    if longhorn_claims:
        yield longhorn_site(storage_nodes, fix)


def longhorn_site(storage_nodes, fix):
    """The verdict on where Longhorn's own nodes stand."""
    subject = CLUSTER.at("Longhorn nodes")
    why, needs = unread(storage_nodes)
    known = [node for node in storage_nodes if node.region] if seen(storage_nodes) else []
    regions, at = sorted({node.region for node in known}), [(node, "status.region", node.region) for node in known]
    if len(regions) > 1:
        return fail(subject, len(regions), seen=f"Longhorn nodes in {', '.join(regions)}", wanted=exactly(1, note="one site"), at=at, fix=fix)
    if why:
        return unknown(subject, why, needs=needs)
    if not regions or len(known) < len(storage_nodes):
        return to_attest(subject, "Longhorn knows no region of some of its nodes", at=at)
    return ok(subject, 1, seen=f"all Longhorn nodes in {regions[0]}", at=at)


@check("single-node-class", severity=LOW, clauses=("A5",), applies=(A,))
def single_node_class(claims, storage_classes, settings):
    """The storage class suits a single node.

    On one node a local provisioner is the simplest thing that works, and a NAS survives the node. Longhorn works, and its replicas have nowhere
    to go.

    Fix: set `storage.storageClass` to a class of a local provisioner such as local-path.
    """
    for kind, members in by_class(claims, storage_classes):
        if kind is None:
            for claim in members:
                yield skip(claim, "no StorageClass to look at")
            continue
        found, at = provisioner_kind(kind, settings), [(kind, "provisioner", kind.provisioner)]
        if kind.provisioner == NO_PROVISIONER:
            fix = task("Set `storage.storageClass` to a class of a local provisioner such as local-path, and move the data there")
            want = wanted("a local provisioner or NFS")
            yield warn(kind, kind.provisioner, seen="no provisioner: volumes are made by hand", wanted=want, at=at, fix=fix)
        elif found is None:
            text = f"provisioner {kind.provisioner or 'without a name'} is not in the table: tell whether it is local"
            yield unknown(kind, text, needs=(f"`provisioners: {{{kind.provisioner}: {{local: true}}}}` in the config",), at=at)
        elif kind.provisioner == LONGHORN:
            yield ok(kind, found.title, at=at, remark="on one node Longhorn's replicas cannot be spread: it adds little")
        else:
            note = "" if found.local or "NFS" in found.title else "neither local nor NFS; it works where the platform brings it"
            yield ok(kind, found.title, at=at, remark=note)


LOSS = {True: "deleting the claim or its namespace erases the data", False: "`helm uninstall` erases the data"}


@check("reclaim", severity=MEDIUM, clauses=("X3",))
def reclaim(claims, volumes, replicated_volumes=maybe, velero_schedules=maybe):
    """Data outlives its claim, or a backup covers it.

    A volume with the policy Delete goes with its claim. Helm keeps five of the eighteen claims on uninstall; the other thirteen go, and with
    Delete their data too.

    Fix: set `persistentVolumeReclaimPolicy: Retain` on the volumes, and use a class with `reclaimPolicy: Retain` for those to come.
    """
    why, needs = unread(volumes)
    for claim in claims:
        volume = volume_of(claim, volumes)
        if not claim.volume:
            yield skip(claim, "no volume yet")
        elif volume is None:
            yield unknown(claim, f"its volume {claim.volume} was not seen{': ' + why if why else ''}", needs=needs)
        elif volume.reclaim == "Retain":
            yield ok(claim, "Retain", at=[(volume, "spec.persistentVolumeReclaimPolicy")])
        else:
            yield deleted_verdict(claim, volume, replicated_volumes, velero_schedules)


def deleted_verdict(claim, volume, replicated_volumes, velero_schedules):
    """The verdict on a volume that goes with its claim: what else has the data."""
    policy = volume.reclaim or "Delete"
    annotation = (claim, "metadata.annotations[helm.sh/resource-policy]", "keep" if claim.kept else "none")
    at = [(volume, "spec.persistentVolumeReclaimPolicy", policy), annotation]
    if claim.group in REPLACEABLE:
        return ok(claim, policy, at=at, remark="the volume goes with its claim; what is on it can be done without")
    copied, gap, needs = by_handle(volume.handle, replicated_volumes) if volume.driver == LONGHORN else (None, "", ())
    if copied is not None and copied.last_backup:
        when = f" of {copied.last_backup_at:%d %b %Y}" if copied.last_backup_at else ""
        return ok(claim, policy, seen=f"{policy}, and a Longhorn backup{when} covers it", at=[*at, (copied, "status.lastBackup", copied.last_backup)])
    if served(velero_schedules) is not False:
        return unknown(claim, f"{policy}; whether a Velero backup covers it: not built yet", needs=("a later release",), at=at)
    if gap:
        return unknown(claim, f"{policy}; whether Longhorn has a backup of it: {gap}", needs=needs, at=at)
    text = f"{policy}, and no backup is seen: {LOSS[claim.kept or claim.group is ClaimGroup.POSTGRESQL]}"
    body = {"spec": {"persistentVolumeReclaimPolicy": "Retain"}}
    words = "Set `persistentVolumeReclaimPolicy: Retain` on the volumes, and name a class with `reclaimPolicy: Retain` in `storage.storageClass`"
    return warn(claim, policy, seen=text, wanted=wanted("Retain, or a backup"), at=at, fix=patch(volume, body, words))
