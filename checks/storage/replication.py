"""Longhorn's replicas: how many, how healthy, where."""

from __future__ import annotations

from exivity_audit import (
    CRITICAL,
    HIGH,
    B,
    C,
    Duration,
    Scenario,
    at_least,
    at_most,
    check,
    exactly,
    fail,
    malformed,
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
from exivity_audit.facts.claims import class_of, volume_of
from exivity_audit.facts.longhorn import setting
from exivity_audit.facts.provisioners import LONGHORN
from exivity_audit.quantity import whole

from .shared import EXPECTED, REPLICAS, longhorn_volume, plural, unread

ZONES = 3  # from this many zones on, the replicas of a volume lie in different ones


def asked_replicas(kind, settings):
    """Replicas that a Longhorn class asks for, as a number and in words; the setting rules where the class says nothing."""
    text = kind.parameters.get("numberOfReplicas")
    words = str(text)
    if text is None:
        default = setting(settings, "default-replica-count") if seen(settings) else None
        text = default.of(str(kind.parameters.get("dataEngine") or "v1")) if default else ""
        words = f"{text or 'nothing'} (numberOfReplicas is not set: default-replica-count rules)"
    return whole(str(text)), words


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
        age = Duration(max((now - volume.degraded_since).total_seconds(), 0)) if volume.degraded_since else None
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
    shown, missed = {}, {one.claim.class_name for one in longhorn_claims if kinds[one.claim.name] is None and one.claim.class_name != ""}
    if missed:
        yield from malformed(odd for odd in storage_classes.unreadable if odd.subject.name is None or odd.subject.name in missed or None in missed)
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
            yield fail(one, "no Longhorn volume", wanted=wanted("its Longhorn volume"), fix=fix)
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
    if not volume.sharded and (volume.replicas is None or len(replicas) < volume.replicas):
        asked = "does not say how many it asks for" if volume.replicas is None else f"asks for {volume.replicas}"
        return unknown(one, f"{text}; the volume {asked}: where the others lie, or will, is not seen", at=[*at, (volume, "spec.numberOfReplicas")])
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
