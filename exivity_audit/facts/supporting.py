"""What runs for the release beside its own workloads: the pods of its database and broker, wherever they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exivity_audit.fact import NotSeen, Objects, Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.namespace import Belongs, Tenant
from exivity_audit.facts.workloads import Pod
from exivity_audit.subject import Subject


def _owner(pod: Pod) -> Subject:
    """What a person edits to change a pod: its owner, the Deployment above a ReplicaSet, else the pod."""
    kind, name = pod.owner or ("Pod", pod.name)
    if kind == "ReplicaSet" and "-" in name:
        kind, name = "Deployment", name.rpartition("-")[0]
    return Subject(kind, name, pod.namespace)


def _pods(part: Any) -> tuple[Iterable[Pod], tuple[Reason, ...]]:
    """The pods of a part, and why some may be missing."""
    if not seen(part):
        return (), reasons_of(part)
    return part, part.partial if isinstance(part, Objects) else ()


@fact
def supporting(brokers: Any = maybe, database: Any = maybe) -> Objects[Tenant]:
    """The pods of the configured database and brokers by what owns them; partial where they could not be read."""
    reasons = [*reasons_of(brokers), *reasons_of(database)]
    parts = [broker.pods for broker in brokers] if seen(brokers) else []
    parts += [database.pods] if seen(database) else []
    reasons += brokers.partial if seen(brokers) else ()
    groups: dict[Subject, dict[str, Pod]] = {}
    for part in parts:
        pods, missing = _pods(part)
        reasons += missing
        for pod in pods:
            if pod.alive:
                groups.setdefault(_owner(pod), {})[pod.name] = pod
    if not groups and reasons:
        raise NotSeen(tuple(dict.fromkeys(reasons)))
    return Objects((_tenant(owner, tuple(pods.values())) for owner, pods in groups.items()), partial=tuple(dict.fromkeys(reasons)))


def _tenant(owner: Subject, pods: tuple[Pod, ...]) -> Tenant:
    images = tuple(dict.fromkeys(one.image for pod in pods for one in pod.containers))
    first = tuple(dict.fromkeys(image for pod in pods for image in pod.init_images))
    return Tenant(owner, pods[0].source, owner.name or "", Belongs.MIDDLEWARE, "", images, first)
