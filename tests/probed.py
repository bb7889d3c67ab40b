"""What probes of the way in say of a world in memory, in a test's words; real servers stand in tests/probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exivity_audit.collect.beside import Source, Told
from exivity_audit.collect.pem import describe_certificates
from exivity_audit.snapshot import Place
from tests.usage import Usage

UNRESOLVED = {"failure": {"kind": "unresolved", "reason": "the name does not resolve here"}}
REFUSED = {"failure": {"kind": "refused", "reason": "the connection was refused"}}


@dataclass
class Probed:
    """Answers by the name of their place (a host, ``host:443``, a URL); what is not named was refused."""

    dns: Mapping[str, Any] = field(default_factory=dict)
    tls: Mapping[str, Any] = field(default_factory=dict)
    http: Mapping[str, Any] = field(default_factory=dict)
    path: str = "laptop"

    def sources(self) -> dict[str, Source]:
        """What the collector is given in place of the probes; the servers beside the API are not asked."""
        answers = {"dns": self.dns, "tls": self.tls, "http": self.http}
        return {**Usage().sources(), **{f"probe/{name}": self._source(found) for name, found in answers.items()}}

    def _source(self, answers: Mapping[str, Any]) -> Source:
        def source(place: Place, known: Mapping[str, Any]) -> Told:
            return Told(({"metadata": {"name": place.name}, "path": self.path, **answers.get(place.name or "", REFUSED)},))

        return source


def leading(*addresses: str) -> dict[str, Any]:
    """A name that resolves."""
    return {"addresses": list(addresses), "canonical": None}


def shaken(chain: bytes, *, protocol: str = "TLSv1.3", trouble: str | None = None) -> dict[str, Any]:
    """A handshake with a chain."""
    return {"address": "203.0.113.7", "protocol": protocol, "chain": describe_certificates(chain), "verified": trouble is None, "trouble": trouble}


def answering(status: int, content: str = "html", location: str | None = None) -> dict[str, Any]:
    """An answer, which may lead to another host over TLS."""
    leads = {"scheme": "https", "host": location, "port": None} if location else None
    return {"address": "203.0.113.7", "status": status, "content": content, "hsts": None, "location": leads}
