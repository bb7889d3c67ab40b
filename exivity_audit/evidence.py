"""Evidence: where something was seen, and the command that shows it again."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from msgspec import Struct

from exivity_audit.measure import Scalar
from exivity_audit.subject import Subject

MALFORMED = "malformed"  # stands for the read in evidence of what was passed by


class Source(Struct, frozen=True):
    """Where a fact was seen: the read, the API resource and the object, with its kind as people call it."""

    read: str
    resource: str
    namespace: str | None
    name: str | None
    kind: str = ""


@runtime_checkable
class HasSubject(Protocol):
    """A fact about one object: it knows the subject of its verdicts."""

    @property
    def subject(self) -> Subject: ...


class Evidence(Struct, frozen=True):
    """One thing seen: read, object, path, value, and the kubectl line that shows it again."""

    read: str
    object: str | None
    path: str | None
    value: Scalar
    kubectl: str | None


def object_name(source: Source) -> str:
    """``Deployment exivity/exivity-chronos``, or the kind alone for a list."""
    place = f"{source.namespace}/{source.name}" if source.namespace else str(source.name)
    word = source.kind or source.resource
    return f"{word} {place}" if source.name else word


BESIDE_THE_API = ("prometheus/", "kubelet/", "history/", "probe/")  # resources of servers that kubectl does not reach
_SECRET_RESOURCES = frozenset({"secrets"})


def kubectl_line(source: Source, path: str) -> str | None:
    """The command that shows the same evidence; of a Secret it lists the keys and never prints a value; None for a server beside the API."""
    if source.resource.startswith(BESIDE_THE_API):
        return None
    name = f" {source.name}" if source.name else ""
    place = f" -n {source.namespace}" if source.namespace else ""
    if source.resource in _SECRET_RESOURCES:
        return f"kubectl describe secret{name}{place}"
    if not path:
        return f"kubectl get {source.resource}{name}{place} -o yaml"
    steps = path.replace("[]", "[*]")
    while "[" in steps.replace("[*]", ""):
        start = next(i for i, c in enumerate(steps) if c == "[" and not steps.startswith("[*]", i))
        end = steps.index("]", start)
        steps = f"{steps[:start]}.{steps[start + 1 : end].replace('.', chr(92) + '.')}{steps[end + 1 :]}"
    items = "" if source.name else ".items[*]"
    return f"kubectl get {source.resource}{name}{place} -o jsonpath='{{{items}.{steps}}}'"
