"""NFS, sites, single-node classes, and what erases a volume."""

from __future__ import annotations

from datetime import timedelta

from exivity_audit import (
    CLUSTER,
    HIGH,
    LOW,
    MEDIUM,
    REINSTALL,
    A,
    C,
    Duration,
    Scenario,
    check,
    exactly,
    fail,
    maybe,
    ok,
    patch,
    print_duration,
    seen,
    skip,
    task,
    to_attest,
    unknown,
    wanted,
    warn,
)
from exivity_audit.facts.claims import ClaimGroup, volume_of
from exivity_audit.facts.nfs import NfsServer
from exivity_audit.facts.provisioners import LONGHORN, NO_PROVISIONER, provisioner_kind

from .shared import by_class, unread

REGION_LABELS = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")


SITE_LABELS = ("site", "topology.kubernetes.io/site")


REPLACEABLE = (ClaimGroup.LOG, ClaimGroup.RABBITMQ)  # lost without harm beyond the log lines and the messages in flight


HA_NAS = "Move the claims to Longhorn with three replicas, or to an external HA NAS that serves NFSv4: set `storage.storageClass` and copy the data"


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
    return fail(
        subject,
        text,
        wanted=wanted("Longhorn, or an external HA NAS"),
        at=at,
        fix=task(HA_NAS),
        remark=note,
        unless_attested=use.server is NfsServer.GANESHA,
    )


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
            fix = task(
                "Set `storage.storageClass` to a class of a local provisioner such as local-path, and move the data there",
                fill="storage.storageClass",
                needs=REINSTALL,
            )
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


FRESH = timedelta(days=8)  # a backup older than this, a week and a day, covers what was there then


def last_copy(copies, now):
    """How old the last good copy of a claim is, and the copy in words; no words where there is none."""
    last = copies.last if copies is not None else None
    if last is None:
        return None, ""
    kind = f"a {last.by}" if last.by.endswith("snapshot") else f"a {last.by} backup"
    if last.at is None:
        return None, kind
    age = max(now - last.at, timedelta())
    return age, f"{kind} of {last.at:%d %b %Y}, {print_duration(Duration(age.total_seconds()))} old"


@check("reclaim", severity=MEDIUM, clauses=("X3",))
def reclaim(claims, volumes, now, claim_copies=maybe):
    """Data outlives its claim, or a backup covers it.

    A volume with the policy Delete goes with its claim. Helm keeps five of the eighteen claims on uninstall; the other thirteen go, and with
    Delete their data too.

    Fix: set `persistentVolumeReclaimPolicy: Retain` on the volumes, and use a class with `reclaimPolicy: Retain` for those to come.
    """
    why, needs = unread(volumes)
    copied = {str(one.subject): one for one in claim_copies} if seen(claim_copies) else {}
    for claim in claims:
        volume = volume_of(claim, volumes)
        if not claim.volume:
            yield skip(claim, "no volume yet")
        elif volume is None:
            yield unknown(claim, f"its volume {claim.volume} was not seen{': ' + why if why else ''}", needs=needs)
        elif volume.reclaim == "Retain":
            yield ok(claim, "Retain", at=[(volume, "spec.persistentVolumeReclaimPolicy")])
        else:
            yield deleted_verdict(claim, volume, now, copied.get(str(claim.subject)))


def deleted_verdict(claim, volume, now, copies):
    """The verdict on a volume that goes with its claim: what else has the data."""
    policy = volume.reclaim or "Delete"
    annotation = (claim, "metadata.annotations[helm.sh/resource-policy]", "keep" if claim.kept else "none")
    at = [(volume, "spec.persistentVolumeReclaimPolicy", policy), annotation]
    if claim.group in REPLACEABLE:
        return ok(claim, policy, at=at, remark="the volume goes with its claim; what is on it can be done without")
    age, words = last_copy(copies, now)
    at += [(copies.last, copies.last.path, str(copies.last.at or "no time"))] if words else []
    if age is not None and age <= FRESH:
        return ok(claim, policy, seen=f"{policy}, covered by {words}", at=at)
    hidden = copies.unread if copies is not None else ()
    if copies is None or hidden:
        gap = "; ".join(dict.fromkeys(reason.text for reason in hidden)) or "its copies were not seen"
        needs = tuple(dict.fromkeys(reason.rule for reason in hidden if reason.rule))
        return unknown(claim, f"{policy}; whether a backup covers it: {gap}", needs=needs, at=at)
    if words and age is None:
        return unknown(claim, f"{policy}, covered by {words}, and nothing says of when", at=at)
    lost = LOSS[claim.kept or claim.group is ClaimGroup.POSTGRESQL]
    text = f"{policy}, and {f'its last copy is {words}' if words else 'no backup is seen'}: {lost}"
    body = {"spec": {"persistentVolumeReclaimPolicy": "Retain"}}
    words = "Set `persistentVolumeReclaimPolicy: Retain` on the volumes, and name a class with `reclaimPolicy: Retain` in `storage.storageClass`"
    return warn(claim, policy, seen=text, wanted=wanted(f"Retain, or a backup of the last {FRESH.days} days"), at=at, fix=patch(volume, body, words))
