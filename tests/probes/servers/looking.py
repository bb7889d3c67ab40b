"""End to end without a cluster: the real engine and probes answer the reads of a world in memory, and the real checks judge them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

from exivity_audit.collect.connection import Connection
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.discovery import discover
from exivity_audit.probes.asked import Asked, Login
from exivity_audit.probes.opening import open_probes
from exivity_audit.verdict import Verdict
from tests.judging import judged, outcome, site_of, verdicts
from tests.world import World

Place = tuple[str, int]


@dataclass
class Probing:
    """A run's probes, from inside the cluster or from a laptop; stands where ``tests.usage`` gives its sources."""

    world: World
    connect: Mapping[Place, Place]
    ca_file: File | None = None
    inside: bool = True
    seconds: float = 20
    default_logins: bool = False
    database: Login | None = None
    broker: Login | None = None
    management: str | None = None
    names: frozenset[str] = frozenset({"postgresql", "rabbitmq"})
    engines: list[Any] = field(default_factory=list)

    def sources(self) -> dict[str, Any]:
        """What the collector is given."""
        asked = Asked(self.names, self.seconds, False, self.default_logins, self.ca_file, self.connect, self.database, self.broker, self.management)
        api: Any = self.world
        connection = Connection("https://kubernetes.default.svc", in_cluster=self.inside)
        engine = open_probes(asked, connection, api, discover(api), "exivity", Deadline(self.seconds + 20))
        self.engines.append(engine)
        return dict(engine.sources())


def seen(world: World, check: str, probing: Probing, **rest: Any) -> dict[str, Verdict]:
    """The verdicts of one check with the probes, by subject."""
    return verdicts(world, check, usage=probing, **rest)


def one(world: World, check: str, probing: Probing, **rest: Any) -> Verdict:
    """The only verdict of a check with the probes."""
    found = seen(world, check, probing, **rest)
    assert len(found) == 1, {name: verdict.message for name, verdict in found.items()}
    return next(iter(found.values()))


__all__ = ["Place", "Probing", "judged", "one", "outcome", "seen", "site_of"]
