"""What the probes of the database and the broker say of a world in memory, in a test's words; real servers stand in tests/probes/servers."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exivity_audit.collect.answer import Failure
from exivity_audit.collect.beside import Source, Told
from exivity_audit.snapshot import Place
from tests.usage import Usage

HOST, BROKER = "db.acme.eu", "rabbitmq.corp.example.net"
Object = dict[str, Any]


def certificate(not_after: str = "2027-06-01T00:00:00+00:00") -> Object:
    return {
        "subject": HOST,
        "issuer": "an authority",
        "hosts": [HOST],
        "not_before": "2026-06-01T00:00:00+00:00",
        "not_after": not_after,
        "signature": "sha256",
        "key_type": "EC",
        "key_bits": 256,
    }


def handshake(trouble: str | None = None, **rest: Any) -> Object:
    return {"protocol": "TLSv1.3", "verified": trouble is None, "trouble": trouble, "certificate": certificate(**rest)}


STREAMING = {"state": "streaming", "sync": "async", "replays": True, "bytes": 8192, "seconds": 0.2}
HIDDEN = {"state": None, "sync": None, "replays": False, "bytes": None, "seconds": None}
SEEN: Object = {
    "sslmode": "require", "tls": {"offered": True, **handshake()}, "login": {"state": "open", "seconds": 0.03, "encrypted": True, "pooled": False},
    "server": {"version": 170006, "recovery": False, "archive_mode": "on"}, "latency": {"trips": 41, "median": 0.0021, "p95": 0.0042, "least": 0.002},
    "rights": {"statistics": True}, "platform": {}, "encryption": {"server": True}, "standbys": {"rows": [STREAMING]}, "receiver": {},
    "archiver": {"archived": 90, "failed": 0, "archived_ago": 40.0, "failed_ago": None, "failing": False},
    "sizes": {"database": 10 * 2**30, "databases": 11 * 2**30, "unseen": 0}, "log": {"size": 2**30},
}  # fmt: skip
MANAGED: Object = {
    "state": "open", "version": "4.3.1", "connections": 12, "messages": 3, "alarm": False, "quorum_critical": False,
    "nodes": [{"name": "mq-0", "memory": 2**28, "memory_limit": 2**31, "disk": 2**34, "disk_limit": 2**30, "running": True, "memory_alarm": False, "disk_alarm": False, "partitions": 0}],
    "queues": {"count": 5, "whole": True, "unknown": 0, "classic": 0, "quorum": 5, "stream": 0, "classic_names": [], "deepest": 2, "silent": 0},
}  # fmt: skip
ANSWERED: Object = {
    "secure": True, "tls": handshake(), "login": {"state": "open"}, "server": {"product": "RabbitMQ", "version": "4.3.1", "mechanisms": ["AMQPLAIN", "PLAIN"]},
}  # fmt: skip


def changed(base: Object, changes: Mapping[str, Any]) -> Object:
    """A copy with some leaves set: ``login.state`` names one."""
    found = copy.deepcopy(base)
    for path, value in changes.items():
        *steps, leaf = path.split(".")
        place = found
        for step in steps:
            place = place.setdefault(step, {})
        place[leaf] = value
    return found


@dataclass
class Probes:
    """What the probes answer, in place of servers."""

    database: Object | None = None
    broker: Object | None = None
    path: str = "in-cluster"
    failing: Failure | None = None
    asked: list[str] = field(default_factory=list)

    def sources(self) -> dict[str, Source]:
        """What the collector is given in place of the probes; the servers beside the API are not asked."""
        answers = (("postgresql", self.database), ("rabbitmq", self.broker))
        return {**Usage().sources(), **{f"probe/{name}": self._source(answer) for name, answer in answers if answer is not None}}

    def _source(self, answer: Object) -> Source:
        def source(place: Place, known: Mapping[str, Any]) -> Told:
            self.asked.append(place.name or "")
            if self.failing:
                return Told(failure=self.failing)
            return Told(({"metadata": {"name": place.name}, "path": self.path, **copy.deepcopy(answer)},))

        return source


def broken(kind: str, reason: str = "it did not answer") -> Object:
    """A probe whose way failed."""
    return {"failure": {"kind": kind, "reason": reason}}
