"""Claims: bound, on a class that exists, made by a provisioner, not lost."""

from __future__ import annotations

from datetime import timedelta

from exivity_audit import (
    CRITICAL,
    HIGH,
    REINSTALL,
    Role,
    Scenario,
    Status,
    Subject,
    check,
    exactly,
    fail,
    maybe,
    ok,
    print_duration,
    print_size,
    seen,
    skip,
    task,
    unknown,
    wanted,
    warn,
)
from exivity_audit.facts.claims import class_of, volume_of

from .shared import EXPECTED, class_trouble, maker, mounted_by, unread

CLASS = "storage.storageClass"
RESIZE = timedelta(hours=1)


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
            way = (
                f"Create StorageClass {claim.class_name} (or move the claims to one that exists)"
                if claim.class_name
                else "Name a class in `storage.storageClass`, or make one the default"
            )
            fix = task(f"{way}, so that the volumes can be made again")
            yield warn(claim, claim.class_name or "none", seen=f"{text}: a volume made by hand", wanted=want, at="spec.storageClassName", fix=fix)
        elif "default:" in text:
            fix = task(
                "Name the class in `storage.storageClass`, or take the annotation `is-default-class` from all StorageClasses but one",
                fill=CLASS,
                needs=REINSTALL,
            )
            yield fail(claim, "several defaults", seen=text, wanted=want, at="spec.storageClassName", fix=fix)
        else:
            other = "Set `storage.storageClass` to a class that exists, and recreate the waiting claims: a claim's class cannot be changed"
            fix = task(other, fill=CLASS, needs=REINSTALL)
            yield fail(claim, claim.class_name or "none", seen=text, wanted=want, at="spec.storageClassName", fix=fix)


def resize_verdict(claim, now):
    """The verdict on a claim that is bound: whether a resize of it is stuck."""
    lagging = claim.capacity is not None and claim.request is not None and claim.capacity < claim.request
    sizes = f"{print_size(claim.capacity)} of {print_size(claim.request)} asked for" if lagging else ""
    if not claim.resizes and not lagging:
        return ok(claim, "Bound", at="status.phase")
    kinds = [kind for kind, _ in claim.resizes]
    ages = [max(now - since, timedelta()) if since else None for _, since in claim.resizes]
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


@check("provisioned", severity=HIGH, clauses=("A5",))
def provisioned(claims, declared_services, volumes, scenario, services=maybe):
    """Volumes are made by a provisioner, not by hand.

    A hostPath folder that somebody made belongs to one node, is in nobody's inventory and is not made again after a loss; the same holds
    for a folder mounted straight into a pod.

    Fix: set `storage.storageClass` to a class with a provisioner, recreate the claims and copy the data.
    """
    want = wanted("made by a provisioner")
    fix = task(
        "Set `storage.storageClass` to a class with a provisioner, recreate the claims and copy the data from the volumes made by hand",
        fill=CLASS,
        needs=REINSTALL,
    )
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
