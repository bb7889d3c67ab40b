"""Whether volumes can grow, and how long they last."""

from __future__ import annotations

import math

from exivity_audit import MEDIUM, Duration, Subject, at_least, check, fail, maybe, ok, patch, print_size, replace, seen, skip, unknown, wanted, warn
from exivity_audit.facts.claims import class_of
from exivity_audit.facts.history import paced, points
from exivity_audit.facts.provisioners import provisioner_kind
from exivity_audit.facts.volume_use import PROMETHEUS, use_of

from ..fullness import GROWING, more_room, red, rivals

HISTORY = "--history DIR"


@check("expandable", severity=MEDIUM, clauses=("D2",))
def expandable(class_uses, settings, release, database=maybe, storage_classes=maybe):
    """Volumes can grow.

    A volume of a class that forbids expansion has to be made anew and copied when it is full, with the product stopped.

    Fix: set `allowVolumeExpansion: true` on the StorageClass.
    """
    for use in class_uses:
        yield _expandable(use, use.storage_class, use.kind(settings), use.driver)
    names = {use.name for use in class_uses}
    for claim in database.claims if seen(database) and database.in_cluster and seen(storage_classes) else ():
        found = class_of(claim, storage_classes)
        if found is not None and found.name not in names:
            names.add(found.name)
            yield _expandable(found, found, provisioner_kind(found, settings), found.provisioner)
    if not class_uses:
        class_uses.surely()
        yield skip(release, "the release has no claim")


def _expandable(about, storage_class, kind, driver):
    if not driver:
        return unknown(about, "neither class nor volume says what makes its volumes")
    if not (kind.csi if kind is not None else "/" not in driver):
        return skip(about, f"{driver} is no CSI driver: nothing expands its volumes")
    if kind is not None and kind.enforced is False:
        return skip(about, f"{driver} enforces no sizes: its volumes grow with the file system behind them")
    if storage_class is None:
        return warn(about, "no StorageClass", wanted=wanted("a class with allowVolumeExpansion: true"))
    if storage_class.expandable:
        return ok(about, "true", at="allowVolumeExpansion")
    fix = patch(storage_class, {"allowVolumeExpansion": True}, f"Set `allowVolumeExpansion: true` on the StorageClass {storage_class.name}")
    return fail(about, "false", wanted=wanted("true"), at="allowVolumeExpansion", fix=fix)


@check("growth", severity=MEDIUM, clauses=("D2",))
def growth(claims, use_sources, release, settings, thresholds, now, database=maybe, storage_classes=maybe, history=maybe):
    """No volume is full within 30 days.

    A share says little of a volume that grows fast: the pace of the last week tells how long it lasts. A Prometheus knows it,
    or the reports of earlier runs.

    Fix: enlarge the volume now, or stop what fills it.
    """
    others = tuple(database.claims) if seen(database) and database.in_cluster else ()
    everything = {(claim.namespace, claim.name): claim for claim in (*claims, *others)}
    judged = [claim for claim in everything.values() if claim.bound and (claim.part in GROWING or claim.part.endswith("-log") or claim in others)]
    leaders = rivals(claims, use_sources, thresholds, database, settings)
    least, told, silent = float(thresholds["growth.days"]), {}, []
    for claim in judged:
        use, report = use_of(claim, use_sources), None
        if use is not None and seen(history):
            use, report = paced(use, history, now)
        if use is None or use.days_left is None:
            silent.append(claim)
        elif use.disk not in told:
            about = Subject("Node", use.disk[1]) if use.disk[0] == "node" else use.subject
            told[use.disk] = claim, replace(use, subject=about), report
    for claim, use, report in told.values():
        leader = red(use, leaders)
        yield skip(use, "it is over its limit already", follows=leader) if leader else _pace(claim, use, report, least, storage_classes)
    if silent:
        yield _without(silent, release, use_sources, history)
    elif not told:
        claims.surely()
        yield skip(release, "the release has no volume that grows")


def _pace(claim, use, report, least, classes):
    """The verdict on how long a volume lasts."""
    days, (then, span) = use.days_left, use.earlier
    grown = print_size(max(use.used - then, 0))
    spent = f"{span / 86400:.1f}".removesuffix(".0")
    at, want = [(use, use.path, f"{print_size(use.used)}, {spent} d before {print_size(then)}")], at_least(Duration(least * 86400))
    if report is not None:
        at.append((report, "volumes[].used", f"{print_size(then)} in the report of {report.date:%Y-%m-%d %H:%M}Z"))
    if math.isinf(days):
        return ok(use, "not growing", seen=f"not growing over the last {spent} d", at=at)
    lasts = Duration(math.floor(days) * 86400)
    text = f"{math.floor(days)} d until full: {grown} in {spent} d, {print_size(use.capacity - use.used)} left"
    if days >= least:
        return ok(use, lasts, seen=text, at=at, wanted=want)
    return fail(use, lasts, seen=text, at=at, wanted=want, fix=more_room(claim, use, 0.5, classes), remark=use.caveat)


def _without(silent, release, sources, history):
    """Unknown for the volumes of which nothing says how they grow."""
    about, names = release.subject.at("growth"), f"{len(silent)} volumes" if len(silent) > 1 else silent[0].name
    gaps = [reason for reason in sources.gaps if "prometheus/" in reason.text]
    failed = [reason for reason in gaps if reason.rule != PROMETHEUS]
    if failed:
        needs = dict.fromkeys(reason.rule for reason in failed if reason.rule)
        return unknown(about, f"{names}: {'; '.join(reason.text for reason in failed)}", needs=tuple(needs))
    if seen(history):
        figures = {claim.name: use for claim in silent if (use := use_of(claim, sources)) is not None}
        known = max((len(points(use, history)) for use in figures.values()), default=0)
        why = f"at most {known} of {len(history)} earlier reports tell it by the same source, and a pace needs two, one of them a day old"
        return unknown(about, f"{names}: {why if figures else 'nothing says how full they are today'}", needs=(PROMETHEUS,) if gaps else ())
    if gaps:
        text = "one figure tells no pace, and neither a Prometheus nor a history was asked for those of a week ago"
        return unknown(about, f"{names}: {text}", needs=(PROMETHEUS, HISTORY))
    return unknown(about, f"{names}: Prometheus holds no figures from a week ago")
