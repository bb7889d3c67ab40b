"""What several checks of the row share: what hides a claim, a class or a Longhorn volume."""

from __future__ import annotations

from exivity_audit import Status, chart, reasons_of, seen
from exivity_audit.facts.claims import class_of

REPLICAS = 3


EXPECTED = (*chart.LOG_CLAIMS, *chart.CONFIG_CLAIMS, *chart.DATA_CLAIMS)


def unread(*collections):
    """Why absence from these collections proves nothing, as text and rules; empty where it does."""
    reasons = [reason for one in collections for reason in (one.partial if seen(one) else reasons_of(one))]
    texts = [reason.text for reason in reasons]
    texts += [f"malformed: {item.subject}: {item.why}" for one in collections if seen(one) for item in one.unreadable]
    return "; ".join(dict.fromkeys(texts)), tuple(dict.fromkeys(reason.rule for reason in reasons if reason.rule))


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


def mounted_by(claim, pods, running=False):
    """Pods that hold a claim: those alive, or only those that run."""
    return tuple(pod for pod in pods if claim.name in pod.claims and pod.namespace == claim.namespace and (pod.running if running else pod.alive))


def maker(volume):
    """Who made a volume: a provisioner's name, empty for one made by hand."""
    return volume.provisioned_by or volume.driver or ""


def by_class(claims, classes):
    """Claims with the class that serves them; None as class where there is no such object."""
    groups = {}
    for claim in claims:
        kind = class_of(claim, classes)
        groups.setdefault(kind.name if kind else None, (kind, []))[1].append(claim)
    return [groups[name] for name in sorted(groups, key=lambda name: (name is None, name or ""))]


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


def plural(count, word):
    """``1 node``, ``3 nodes``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
