"""PVC sizes: every claim is large enough, set on purpose, and the node can keep the promise."""

from __future__ import annotations

from functools import reduce
from operator import and_

from exivity_audit import (  # fmt: skip
    HIGH,
    LOW,
    MEDIUM,
    RELAX,
    UPGRADE,
    NotSeen,
    Role,
    Size,
    Status,
    Subject,
    at_least,
    at_most,
    chart,
    check,
    fail,
    maybe,
    ok,
    patch,
    print_size,
    reasons_of,
    replace,
    seen,
    size,
    skip,
    task,
    to_attest,
    together,
    unknown,
    values,
    warn,
)
from exivity_audit.facts.claims import ClaimGroup, class_of
from exivity_audit.facts.database import DatabaseKind
from exivity_audit.facts.gitops import Tool
from exivity_audit.facts.helm import value
from exivity_audit.facts.volume_use import disk_of, local_place
from exivity_audit.remedy import alike

from .fullness import growth_needs

REQUEST, CAPACITY = "spec.resources.requests.storage", "status.capacity.storage"
GROWING = ("extracted", "exported")
ASSUMED = "the disk is the node's ephemeral storage: the provisioner's path is assumed to lie on it"


def _smallest(claim):
    """The smaller of what was asked for and what is there, with its path; None where the claim says neither."""
    found = [(amount, path) for amount, path in ((claim.request, REQUEST), (claim.capacity, CAPACITY)) if amount is not None]
    return min(found) if found else None


def _grow(claim, want, classes):
    """The remedy for a claim that is too small: what Helm can do with the value depends on the class."""
    amount = want if isinstance(want, str) else print_size(want)
    if claim.request is not None and claim.request >= size(want):
        return task(f"Finish the expansion to {amount}: the claim asks for it and its volume has not grown; `kubectl describe pvc` says why")
    needs = growth_needs(claim, class_of(claim, classes) if seen(classes) else None)
    return values(claim.values_path, amount, needs=needs)


def _judge(claim, want, classes, larger=None):
    """One claim against its least size, and against the size for large environments."""
    found = _smallest(claim)
    if found is None:
        return unknown(claim, "the claim says neither its request nor its capacity")
    amount, path = found
    text = (
        f"{print_size(claim.request)} asked for, {print_size(claim.capacity)} there"
        if claim.request and claim.capacity and claim.request != claim.capacity
        else ""
    )
    remark = "" if claim.capacity is not None else "no volume yet: its request alone is judged"
    if amount < size(want):
        return fail(claim, amount, seen=text, wanted=at_least(want), at=path, fix=_grow(claim, want, classes), remark=remark)
    if larger is not None and amount < size(larger):
        return warn(
            claim, amount, seen=text, wanted=at_least(larger, "in a large environment"), at=path, fix=_grow(claim, larger, classes), remark=remark
        )
    return ok(claim, amount, seen=text, at=path, remark=remark)


def _group(claims, release, parts):
    """The claims of these parts, and the subjects of those that are not there."""
    there = {claim.part: claim for claim in claims if claim.part in parts}
    if len(there) < len(parts):
        hidden = {item.subject.name for item in claims.unreadable}
        if claims.partial:
            claims.surely()
        absent = [f"{release.fullname}-{part}" for part in parts if part not in there]
        return there, [Subject("PersistentVolumeClaim", name, release.namespace) for name in absent if name not in hidden]
    return there, []


def _missing(subject):
    return unknown(subject, "the chart's claim is not there, so it has no size")


@check("data", severity=HIGH, clauses=("P2", "P3", "K2"))
def data(claims, release, settings, thresholds, storage_classes=maybe):
    """The data volumes have production sizes.

    A full `extracted` or `exported` stops the pipeline; both grow with every data source and every report.

    Fix: set `storage.pvcSizes.data.<name>`.
    """
    there, missing = _group(claims, release, chart.DATA_CLAIMS)
    larger = {part: thresholds["pvc.large"] for part in GROWING if settings.declare.large}
    yield from together(_judge(claim, thresholds[f"pvc.{part}"], storage_classes, larger.get(part)) for part, claim in there.items())
    for subject in missing:
        yield _missing(subject)


@check("logs", severity=MEDIUM, clauses=("P4",))
def logs(claims, release, thresholds, storage_classes=maybe):
    """Each log volume has room for its logs.

    A service whose log volume is full stops writing, and some stop working with it.

    Fix: set `storage.pvcSizes.log.<service>`.
    """
    there, missing = _group(claims, release, chart.LOG_CLAIMS)
    yield from together(_judge(claim, thresholds["pvc.log"], storage_classes) for claim in there.values())
    for subject in missing:
        yield _missing(subject)


@check("config", severity=LOW, clauses=("P5",))
def config(claims, release, thresholds, storage_classes=maybe):
    """The configuration volumes have their size.

    They hold the extractors, transformers and schedules: small, and needed by everything.

    Fix: set `storage.pvcSizes.config.<name>`.
    """
    there, missing = _group(claims, release, chart.CONFIG_CLAIMS)
    for claim in there.values():
        yield _judge(claim, thresholds["pvc.config"], storage_classes)
    for subject in missing:
        yield _missing(subject)


@check(
    "postgresql", severity=HIGH, clauses=("P6", "PG2"), evaluation=RELAX,
    attest="Read the size of the database's volume from the system that runs it; attach the page or the command's output that shows 25Gi or more.",
)  # fmt: skip
def postgresql(database, settings, thresholds, storage_classes=maybe):
    """The PostgreSQL volume has a production size.

    A database whose disk is full stops, and with it the product; the chart's default of 8Gi is soon full.

    Fix: set `postgresql.primary.persistence.size`, `spec.storage.size` of the Cluster, or give the external database 25Gi or more.
    """
    want = thresholds["pvc.postgresql"]
    follows = database.cluster is not None and database.cluster.replica is not None and database.cluster.replica.follows
    if settings.role is Role.PASSIVE and database.kind is not DatabaseKind.EXTERNAL and not follows:
        yield skip(database, "passive site: the database is restored at failover")
    elif database.kind is DatabaseKind.MISSING:
        yield skip(database, "the configured host leads to no database", follows="postgresql/reachable")
    elif database.kind is DatabaseKind.EXTERNAL:
        yield to_attest(database, f"the database {database.config.host} is outside this cluster")
    else:
        yield from _database_volumes(database, want, storage_classes)


def _database_volumes(database, want, classes):
    """The size that the Cluster asks for each instance, and each claim of the database."""
    cluster = database.cluster
    if database.kind is DatabaseKind.CNPG:
        if cluster is not None:
            yield _asked(cluster, want)
        elif database.cluster_gap:
            raise NotSeen(database.cluster_gap)
    judged = [claim for claim in database.claims if claim.part == "postgresql"]
    for claim in judged:
        verdict = _judge(claim, want, classes)
        yield verdict if cluster is None or verdict.fix is None else replace(verdict, fix=_larger(cluster, want))
    database.claims.surely()
    if not judged and cluster is None:
        yield to_attest(database, f"no claim of the database {database.config.host} was found: it may keep its data elsewhere")


def _asked(cluster, want):
    """The verdict on ``spec.storage`` of a Cluster."""
    amount, path = cluster.storage.size, "spec.storage.size"
    if amount is None:
        return unknown(cluster, "the Cluster does not say its storage's size")
    if amount < size(want):
        return fail(cluster, amount, wanted=at_least(want), at=path, fix=_larger(cluster, want))
    return ok(cluster, amount, at=path)


def _larger(cluster, want):
    text = f"Set `spec.storage.size: {want}` on the Cluster {cluster.name}: the operator expands its volumes"
    return patch(cluster, {"spec": {"storage": {"size": str(want)}}}, text)


@check("explicit", severity=MEDIUM, clauses=("P1", "K2"))
def explicit(claims, release, installer, given_values=maybe, storage_classes=maybe):
    """Volume sizes are set in the values.

    The chart's default of 1Gi is for a first look; a size that nobody wrote down comes back at the next install.

    Fix: set `storage.pvcSizes.data.*`, `storage.pvcSizes.log.*` and `storage.pvcSizes.config.*` in the values.
    """
    judged = [claim for claim in claims if claim.group in (ClaimGroup.DATA, ClaimGroup.LOG, ClaimGroup.CONFIG)]
    if not judged:
        claims.surely()
        yield skip(release, "the release has no claim of the chart")
        return
    shown = _shown(given_values)
    if shown is not None:
        judged_by_values = _by_values(release, judged, shown, storage_classes)
        if judged_by_values is not None:
            yield judged_by_values
            return
    elif seen(given_values) and (older := given_values.one()) is not None:
        judged_by_values = _by_values(release, judged, older, storage_classes)
        if judged_by_values is not None and judged_by_values.status is not Status.PASS:
            given_values.surely()  # a newer one that could not be seen may name them; sizes prove nothing against the values that were seen
    claims.surely()
    if installer.doubt and installer.keeper is None and installer.tool is not Tool.FLUX:
        yield unknown(release, f"values inside the Application: {installer.doubt_text}", needs=installer.needs)
        return
    sized = [claim for claim in judged if claim.group is not ClaimGroup.CONFIG]  # 1Gi is what config volumes should have
    default = [claim for claim in sized if claim.request is not None and claim.request <= size(chart.DEFAULT_SIZE)]
    remark = f"{_why_unseen(given_values)}: sizes that differ from the chart's {chart.DEFAULT_SIZE} are the proof"
    at = [(claim, REQUEST, print_size(claim.request)) for claim in sized if claim.request is not None]
    if not default:
        yield ok(release, len(sized), seen=f"{len(sized)} claims differ from {chart.DEFAULT_SIZE}", at=at, remark=remark)
    else:
        yield _unset(release, len(sized) - len(default), len(sized), default, at, remark, storage_classes)


def _shown(given_values):
    """The values that hold now; None where the cluster does not show them or newer ones may be hidden."""
    return given_values.one() if seen(given_values) and given_values.complete else None


def _why_unseen(given_values):
    if not seen(given_values):
        return "; ".join(reason.text for reason in reasons_of(given_values))
    shown = given_values.one()
    return f"{shown.where} takes values from {shown.gap}" if shown is not None and shown.gap else "its values are not in the cluster"


def _by_values(release, judged, shown, classes):
    """The verdict by what the values name; None where others that are not shown may name the rest."""
    # Values hold the leaf under storage.pvcSizes; a claim's own path says which.
    unset = [claim for claim in judged if value(shown, claim.values_path) in (None, "")]
    at = [(shown, shown.path, "storage.pvcSizes")]
    strict = [claim for claim in unset if claim.group is not ClaimGroup.CONFIG]
    if not strict:
        remark = f"not set: {', '.join(sorted(claim.values_path for claim in unset))}, whose default of 1Gi is as recommended" if unset else ""
        return ok(release, len(judged) - len(unset), seen=f"{len(judged) - len(unset)} of {len(judged)} sizes set", at=at, remark=remark)
    if shown.gap:
        return None
    return _unset(release, len(judged) - len(unset), len(judged), strict, at, "", classes)


def _unset(release, done, total, unset, at, remark, classes):
    verdict = fail if done == 0 else warn
    single = []
    for claim in sorted(unset, key=lambda one: one.values_path):
        least = "5Gi" if claim.group is ClaimGroup.LOG else "10Gi" if claim.part in ("import", "report") else "50Gi"
        grown = claim.request is not None and claim.request >= size(least)  # by hand: a claim never shrinks
        needs = UPGRADE if grown else growth_needs(claim, class_of(claim, classes) if seen(classes) else None)
        single.append(values(claim.values_path, print_size(claim.request) if grown else least, needs=needs))
    joined = alike(single)
    fix = reduce(and_, dict.fromkeys(joined.get(one, one) for one in single)) if single else None
    return verdict(
        release, done, seen=f"{done} of {total} sizes set", wanted=at_least(total, "sizes set in the values"), at=at, remark=remark, fix=fix
    )


@check("enforced", severity=LOW, clauses=("P7",))
def enforced(class_uses, settings):
    """Whether each class enforces its sizes is known.

    A size that is only advisory does not stop a volume from filling the disk it shares: its sum has to be watched instead.

    Fix: name the provisioner under `provisioners` in `exivity-audit.yaml` with `enforced: true` or `false`.
    """
    for use in class_uses:
        kind = use.kind(settings)
        if kind is None or kind.enforced is None:
            who = use.driver or "the provisioner of this class"
            yield unknown(
                use, f"whether {who} enforces sizes is not known; say `enforced` under `provisioners` in the config", needs=("provisioners",)
            )
        elif kind.enforced:
            yield ok(use, "enforced", seen=f"enforced by {use.driver}", at="provisioner")
        else:
            where = "their sum shares the node's disk" if kind.local else "they share the export"
            yield ok(use, "advisory", seen=f"advisory with {use.driver}", at="provisioner", remark=f"sizes document intent only: {where}")


@check("node-disk", severity=HIGH, clauses=("P7",))
def node_disk(class_uses, settings, thresholds, release, use_sources, volumes=maybe, node_disks=maybe):
    """The node's disk has room for all volumes promised on it.

    Local provisioners reserve nothing: volumes may promise more than the disk holds, and the first that fills it stops all of them.

    Fix: give the node a larger disk, or ask for less; leave a fifth of it free.
    """
    local, reserved = [], []
    for use in class_uses:
        kind = use.kind(settings)
        on_disk = kind is not None and kind.local
        if not on_disk and seen(volumes):
            names = {(claim.namespace, claim.name) for claim in use.claims}
            on_disk = any(volume.claim in names and (volume.host_path or volume.local_path) for volume in volumes)
        if on_disk:
            (reserved if kind is not None and kind.enforced else local).append(use)
        elif kind is None and not seen(volumes):
            yield unknown(
                use,
                f"whether {use.driver or 'its provisioner'} keeps its volumes on a node is not known; say `local` under `provisioners` in the config",
                needs=("provisioners",),
            )
    for use in reserved:
        yield skip(use, f"{use.driver} reserves the space of each volume")
    if not local:
        class_uses.surely()
        if not reserved:
            yield skip(release, "no class in use keeps its volumes on a node's disk")
        return
    yield from _loads(local, node_disks, settings.declare.node_disk, float(thresholds["node_disk.headroom"]), use_sources)


def _measured(load, local, sources):
    """The file system of a node on which the volumes lie, as statistics give it; None where none do."""
    places = sorted({place for use in local for claim in use.claims if (place := local_place(claim, sources)) is not None})
    return next((disk for node, folder in places if node == load.node.name and (disk := disk_of(node, folder, sources)) is not None), None)


def _loads(local, disks, declared, headroom, sources):
    for item in {one.subject: one for one in disks.odd_nodes}.values():
        yield unknown(item.subject, f"malformed: {item.why}: what lies on its disk is not known")
    for claim in disks.unplaced:
        yield unknown(claim, "its volume does not say on which node it lies")
    if not disks.loads and not disks.unplaced:
        bound = [claim for use in local for claim in use.claims if claim.volume]
        for use in local:
            why = "its volumes are not in the list of node-local volumes" if bound else "none of its claims has a volume yet"
            yield unknown(use, why) if bound else skip(use, why)
    for load in disks.loads:
        measured = None if declared else _measured(load, local, sources)
        try:
            disk = size(declared) if declared else measured.capacity if measured else load.node.disk
        except ValueError:
            yield unknown(load, f"`declare.node_disk` is no size: {declared}", needs=("declare.node_disk",))
            continue
        if not disk:
            yield unknown(load, "the node does not say its disk's size; declare `node_disk`", needs=("declare.node_disk",))
            continue
        limit = Size(disk * (1 - headroom))
        others = f", {load.foreign} of them not this release's" if load.foreign else ""
        further = f", up to {print_size(load.further)} by {load.adrift} more that do not say their node" if load.adrift else ""
        text = f"{print_size(load.promised)} promised by {load.volumes} volumes{others}{further}, on a disk of {print_size(disk)}"
        remark = measured.caveat if measured else "" if declared else ASSUMED
        at = [(measured, measured.path, disk)] if measured else () if declared else "status.capacity.ephemeral-storage"
        want = at_most(limit, f"{headroom:.0%} stay free")
        if load.promised > limit:
            enough = f" to {print_size(load.promised / (1 - headroom))} or more" if headroom < 1 else ""
            fix = task(f"Enlarge the disk of {load.node.name}{enough}, or ask for less under `storage.pvcSizes`")
            yield fail(load, load.promised, seen=text, wanted=want, at=at, fix=fix, remark=remark)
        elif load.promised + load.further > limit:
            yield unknown(load, f"{text}: whether {print_size(limit)} are exceeded is not known", at=at)
        else:
            yield ok(load, load.promised, seen=text, wanted=want, at=at, remark=remark)
