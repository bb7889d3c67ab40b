"""What several checks of the row share."""

from __future__ import annotations

from exivity_audit import Duration, at_most, ok, print_duration, reasons_of, seen, to_attest, unknown
from exivity_audit.quantity import duration

PASSIVE = "its data are copied at the active site"
OUTSIDE = "confirm with the storage team what copies the volumes and how often; attach its schedule and the log of the last copy"


def told(reasons):
    """Why something was not seen, as text and rules; both empty where nothing is missing."""
    texts = dict.fromkeys(reason.text for reason in reasons)
    return "; ".join(texts), tuple(dict.fromkeys(reason.rule for reason in reasons if reason.rule))


def shown(entry):
    """Where the copy was seen, as evidence."""
    return [(one, one.path, one.value) for one in entry.evidence]


def way(copies):
    """What to set up so that a claim is copied."""
    name = copies.claim.name
    if copies.longhorn:
        return (
            f"Reach the volume of {name} with a Longhorn RecurringJob of task backup and one of task snapshot: put both into the group default,"
            " or label the volume `recurring-job-group.longhorn.io/<group>: enabled`"
        )
    if copies.passed_over:
        return (
            "Make the volumes of the kind local (annotation `defaultVolumeType: local` on the local-path class, then recreate the claims):"
            " Velero's file-system backup passes over hostPath volumes"
        )
    return f"Let a Velero Schedule hold namespace {copies.claim.namespace} with `defaultVolumesToFsBackup: true` (or `snapshotMoveData` on CSI)"


def rehearsed(subject, found, now, thresholds):
    """The verdict on the newest restore that was seen."""
    if not seen(found):
        why, needs = told(reasons_of(found))
        return unknown(subject, why, needs=needs)
    limit = Duration(duration(thresholds["restore.age"]))
    one = found.newest
    age = Duration(max(0.0, (now - one.at).total_seconds())) if one is not None else None
    at = [(item, item.path, item.value) for item in one.shown] if one is not None else ()
    if age is not None and age <= limit:
        return ok(subject, age, seen=f"{one.what}, {print_duration(age)} ago", at=at, wanted=at_most(limit))
    why, needs = told(found.unread)
    if why:
        return unknown(subject, f"no restore is seen: {why}", needs=needs)
    if age is not None:
        return to_attest(subject, f"{one.what} is {print_duration(age)} old, more than {print_duration(limit)}", at=at, measured=age)
    return to_attest(subject, f"no restore is seen{f'; {found.note}' if found.note else ''}")
