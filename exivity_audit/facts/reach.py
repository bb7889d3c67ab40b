"""Whether a list that was meant for the whole cluster was seen whole, or in some namespaces alone."""

from __future__ import annotations

from typing import Any, TypeVar

from exivity_audit.document import Document
from exivity_audit.fact import Objects, Reason, reasons_of, seen

Member = TypeVar("Member")


def whole(found: Objects[Member], site: Any, read: str) -> Objects[Member]:
    """The same collection; read in part where the cluster-wide list was forbidden and narrower places stood in for it."""
    narrow = sorted({record.place.namespace for record in site.reads if record.name == read and record.place.namespace and record.place.name is None})
    if not narrow:
        return found
    resource = next(record.resource for record in site.reads if record.name == read)
    rule = f"list {resource}"
    reason = Reason(read, f"forbidden: {rule} in all namespaces, seen in {', '.join(narrow)} alone", rule)
    return Objects(found, installed=found.installed, unreadable=found.unreadable, partial=(*found.partial, reason))


def join_seen(first: Objects[Document], *others: Any) -> Objects[Document]:
    """Several collections as one, those that could not be seen as a part not read."""
    joined = first.join(*(one for one in others if seen(one)))
    missing = tuple(reason for one in others if not seen(one) for reason in reasons_of(one))
    return Objects(joined, installed=joined.installed, unreadable=joined.unreadable, partial=(*joined.partial, *missing))
