"""What the probes of the database and the broker share: by which way they looked, what a failure of that way proves, and their handshakes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from exivity_audit.document import Document

IN_CLUSTER, PORT_FORWARD, LAPTOP = "in-cluster", "port-forward", "laptop"
WORDS = {IN_CLUSTER: "from inside the cluster", PORT_FORWARD: "through a port-forward", LAPTOP: "from where the tool runs"}
TROUBLES = {
    "not-yet-valid": "it is not valid yet", "expired": "it has expired", "self-signed": "it is self-signed", "revoked": "it is revoked",
    "unknown-authority": "its authority is not known here", "incomplete": "its chain is incomplete", "wrong-host": "it is for another name",
    "weak": "its key or signature is weak", "no-common-protocol": "the server speaks no TLS that is spoken today",
}  # fmt: skip


class Seen(Struct, frozen=True):
    """The TLS of a server, as a handshake with it showed; ``offered`` is None where that was not tried."""

    offered: bool | None
    protocol: str
    verified: bool
    trouble: str  # why the certificate does not hold, as a word; empty where it does
    until: datetime | None  # the certificate's last moment
    hosts: tuple[str, ...]

    @property
    def why(self) -> str:
        """Why the certificate does not hold, in words."""
        return TROUBLES.get(self.trouble, "it is not trusted") if self.trouble else ""


class Looked(Struct, frozen=True):
    """Where a probe looked from, and why it saw nothing at all; empty where it saw something."""

    path: str
    failure: str
    reason: str

    @property
    def words(self) -> str:
        """The way in words."""
        return WORDS.get(self.path, "by an unknown way")

    @property
    def decides(self) -> bool:
        """Whether what this way shows of reaching a server holds for the product too: it goes where the product's pods go."""
        return self.path in (IN_CLUSTER, PORT_FORWARD)

    @property
    def proves(self) -> bool:
        """Whether its failure is the server's: a server that was tried and did not answer, not a way that could not be opened."""
        return self.decides and self.failure not in ("forward", "broken", "too-large", "denied", "")


def looked(item: Document) -> Looked:
    """The way of a probe's object. Raises Malformed."""
    return Looked(item.text("path") or "", item.text("failure.kind") or "", item.text("failure.reason") or "")


def handshake(item: Document, offered: bool | None) -> Seen:
    """The handshake of a probe's object. Raises Malformed."""
    return Seen(
        offered, item.text("tls.protocol") or "", item.boolean("tls.verified") or False, item.text("tls.trouble") or "",
        item.time("tls.certificate.not_after"), item.strings("tls.certificate.hosts"),
    )  # fmt: skip


def figure(item: Document, path: str) -> float | None:
    """A number that a server said. Raises Malformed."""
    value: Any = item.number(path)
    return None if value is None else float(value)
