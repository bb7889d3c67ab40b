"""A cluster in memory whose host leads to servers on loopback: through the collector and the real probes into a snapshot, and its verdicts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path as File
from typing import Any

from exivity_audit.collect.beside import Source
from exivity_audit.collect.deadline import Deadline
from exivity_audit.config import Config, Declare, IngressIntent, thresholds_of
from exivity_audit.evaluate import evaluate
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.probes import dns, http, tls
from exivity_audit.probes.asked import NAMES, Asked
from exivity_audit.probes.attempt import Failed, Path
from exivity_audit.probes.engine import Engine
from exivity_audit.probes.opening import Tools
from exivity_audit.probes.ways import Ways
from exivity_audit.probes.wire import Resolved
from exivity_audit.selection import reads_needed
from exivity_audit.snapshot import SiteSnapshot, decode, encode
from exivity_audit.verdict import Verdict
from tests import builders
from tests.judging import site_of, snapshot_of
from tests.probes.edge.pki import HOST, Pair
from tests.world import World

UPSTREAM = Config(declare=Declare(ingress=IngressIntent(tls="upstream")))
SUBJECT = f"Ingress exivity/exivity#{HOST}"
SECRET = "Secret exivity/exivity-tls"
Addresses = Mapping[str, tuple[str, ...] | Callable[[], tuple[str, ...]]]


@dataclass
class Scene:
    """What probes meet: where the host is reached, what names resolve to, whom the machine trusts, and from where it asks."""

    connect: Mapping[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    names: Addresses = field(default_factory=dict)
    canonical: Mapping[str, str] = field(default_factory=dict)
    ca: bytes | None = None
    folder: File | None = None
    path: Path = Path.LAPTOP
    seconds: float = 10
    total: float = 60
    probes: Iterable[str] = NAMES

    def sources(self) -> dict[str, Source]:
        """The engine's sources, as the collector takes them."""
        ca_file = None
        if self.ca is not None and self.folder is not None:
            ca_file = self.folder / "ca.pem"
            ca_file.write_bytes(self.ca)
        asked = Asked(frozenset(self.probes), ca_file=ca_file, connect=self.connect)
        world: Any = None
        ways = Ways(world, world, "exivity", self.path, asked.connect, None)
        tools = Tools(world, world, "exivity", asked, self.path, ways, self.resolve)
        made: list[Any] = [module.Probing(tools) for module in (dns, tls, http) if module.Probing.name in asked.names]
        for probe in made:
            probe.seconds = self.seconds
        return Engine(made, seconds=self.total, deadline=Deadline(120), path=self.path).sources()

    def resolve(self, host: str) -> Resolved:
        """The addresses of a name; an address is itself, as with the system's resolver."""
        if host.replace(".", "").isdigit() or ":" in host:
            return Resolved((host,))
        found = self.names.get(host)
        if found is None:
            raise Failed("unresolved", "the name does not resolve here")
        return Resolved(found() if callable(found) else found, self.canonical.get(host, host))


def site(check: str, scene: Scene, world: World | None = None, role: str | None = None) -> SiteSnapshot:
    """What the collector keeps for one check of the row ingress."""
    world = world or builders.multi_node()
    world.usage = scene
    return site_of(world, wanted=reads_needed(own_pack(), frozenset({f"ingress/{check}"})), role=role)


def judge(check: str, found: SiteSnapshot, config: Config | None = None) -> dict[str, Verdict]:
    """The verdicts by subject, of the snapshot and of the same one from a file: they are equal."""
    pack, config, name = own_pack(), config or Config(), f"ingress/{check}"
    now, both = datetime.now(UTC), []
    for snapshot in (snapshot_of(found), decode(encode(snapshot_of(found)), "test")):
        judged = evaluate(
            snapshot, pack, config, selected=frozenset({name}), thresholds=thresholds_of(config, pack.thresholds, None), lifecycle=load_lifecycle(None),
            now=now,
        )  # fmt: skip
        both.append(judged.outcomes[0].verdicts)
    assert both[0] == both[1]
    return {str(verdict.subject or ""): verdict for verdict in both[0]}


def verdicts(check: str, scene: Scene, *, config: Config | None = None, world: World | None = None, role: str | None = None) -> dict[str, Verdict]:
    """The verdicts of one check on what the probes saw."""
    return judge(check, site(check, scene, world, role), config)


def own_pair(pair: Pair) -> World:
    """The world whose TLS Secret holds a pair."""
    world = builders.multi_node()
    world.find("Secret", "exivity-tls")["data"] = {"tls.crt": builders.encode(pair.chain), "tls.key": builders.encode(pair.key)}
    return world


def published(*addresses: str, world: World | None = None, names: tuple[str, ...] = ()) -> World:
    """The world whose load balancer has these addresses or names."""
    world = world or builders.multi_node()
    given = [{"ip": one} for one in addresses] + [{"hostname": one} for one in names]
    world.find("Service", "traefik")["status"] = {"loadBalancer": {"ingress": given}}
    world.find("Ingress", "exivity")["status"] = {"loadBalancer": {"ingress": given}}
    return world


def text_of(found: SiteSnapshot) -> str:
    """All of a snapshot as text."""
    return json.dumps(json.loads(encode(snapshot_of(found))))
