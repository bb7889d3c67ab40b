"""The conditions of an object, by type: status and reason; messages are not looked at, they may quote anything."""

from __future__ import annotations

from msgspec import Struct

from exivity_audit.document import Document


class Condition(Struct, frozen=True):
    """What a controller says of its object: ``True``, ``False``, ``Unknown``, or nothing."""

    status: str = ""
    reason: str = ""

    @property
    def said(self) -> str:
        """The condition in words, as a verdict shows it."""
        return f"{self.status or 'not said'}{f' ({self.reason})' if self.reason else ''}"


def conditions(item: Document, path: str = "status.conditions") -> dict[str, Condition]:
    """Every condition by its type. Raises Malformed."""
    return {entry.text("type") or "": Condition(entry.text("status") or "", entry.text("reason") or "") for entry in item.items(path)}
