"""How full something is, in verdicts: one figure against its limit, and who leads where one disk is the cause of several findings.

The rows postgresql and capacity share it.
"""

from __future__ import annotations

import math

from exivity_audit import REINSTALL, UPGRADE, Role, at_most, fail, ok, print_size, seen, skip, task, unknown, values
from exivity_audit.facts.claims import ClaimGroup, class_of
from exivity_audit.facts.volume_use import uses_of, why_unseen

HEADROOM, DATA, LOGS = "postgresql/storage-headroom", "capacity/data", "capacity/logs"
GROWING = ("extracted", "exported")
ROOM = 1.2  # a volume that is enlarged has room for a while


def percent(share):
    """A share in per cent, cut after one place: what is under a limit never looks as if it had reached it."""
    found = math.floor(share * 1000 + 1e-9) / 10
    return int(found) if found == int(found) else found


def judge(use, limit, fix, rivals=()):
    """The verdict on one figure; it follows the first rival that fails on the same file system."""
    amount = percent(use.share)
    text = f"{amount:g} % of {'its inodes' if use.by_inodes else print_size(use.capacity)} used, by {use.by}"
    at = [(use, use.path, f"{print_size(use.used)} of {print_size(use.capacity)}" + (f" at {use.when:%Y-%m-%d %H:%M}Z" if use.when else ""))]
    if use.share < limit:
        return ok(use, amount, seen=f"{text}: {use.caveat}" if use.caveat else text, wanted=at_most(percent(limit), "%"), at=at)
    leader = red(use, rivals)
    if leader:
        return skip(use, f"{text}, on a file system that is full for another check already", follows=leader)
    return fail(use, amount, seen=text, wanted=at_most(percent(limit), "%"), at=at, fix=fix, remark=use.caveat)


def red(use, rivals):
    """The first check, of (id, uses, limit) in their order, that fails on the file system of a use; None where none does."""
    return next((name for name, uses, limit in rivals if any(other.disk == use.disk and other.share >= limit for other in uses)), None)


def rivals(claims, sources, thresholds, database, settings):
    """The checks that lead where a volume shares its file system with others, each with its uses and its limit, the first first."""
    volumes = float(thresholds["use.volumes"])
    every = tuple(claims)
    return (
        (HEADROOM, () if settings.role is Role.PASSIVE else database_uses(database, sources), float(thresholds["use.postgresql"])),
        (DATA, uses_of((claim for claim in every if claim.part in GROWING), sources), volumes),
        (LOGS, uses_of((claim for claim in every if claim.part.endswith("-log")), sources), volumes),
    )


def database_uses(database, sources):
    """The uses of the volumes of a database of this cluster, as far as they are seen."""
    return uses_of(database.claims, sources) if seen(database) and database.in_cluster else ()


def unseen(claim, sources):
    """Unknown, with why nothing says how full a claim is."""
    why, needs = why_unseen(claim, sources)
    return unknown(claim, why, needs=needs)


def enlarged(use, limit):
    """The size at which a volume is well under its limit again."""
    return f"{math.ceil(use.used / limit * ROOM / 2**30)}Gi"


def growth_needs(claim, kind):
    """What a larger size in the values takes: an upgrade only where the class expands, and never for the claims of a StatefulSet."""
    if claim.group is ClaimGroup.POSTGRESQL:
        return REINSTALL
    return None if kind is None else UPGRADE if kind.expandable else REINSTALL


def more_room(claim, use, limit, classes):
    """The remedy for a volume that is too full."""
    if use.disk[0] == "node":
        return task(f"Free room on the disk of {use.disk[1]} or enlarge it: every volume there stops when it is full")
    if use.disk[0] != "claim":
        return task("Free room on the shared file system behind the volume, or enlarge it")
    found = class_of(claim, classes) if seen(classes) else None
    needs = growth_needs(claim, found)
    return values(claim.values_path, enlarged(use, limit), needs=needs)
