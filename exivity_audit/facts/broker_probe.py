"""What the probe of RabbitMQ saw of each configured server: the login, the handshake, and what the management API says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.facts.probe_paths import Looked, Seen, figure, handshake, looked
from exivity_audit.subject import Subject

OPEN = "open"
PAIRS = ("guest", "user")


class BrokerNode(Struct, frozen=True):
    """A node of the broker as the management API shows it; what it leaves out is None."""

    name: str
    running: bool | None
    memory_alarm: bool | None
    disk_alarm: bool | None
    memory: float | None
    memory_limit: float | None
    disk: float | None
    disk_limit: float | None


class QueueTypes(Struct, frozen=True):
    """The queues of the product's virtual host, counted by type; ``unknown`` say no type."""

    count: int
    classic: int
    quorum: int
    stream: int
    unknown: int
    whole: bool  # whether all of them were seen
    classic_names: tuple[str, ...]
    deepest: float | None


class Management(Struct, frozen=True):
    """What the management API says; ``state`` is ``open`` where it says anything."""

    state: str
    version: str
    connections: float | None
    messages: float | None
    alarm: bool | None
    quorum_critical: bool | None
    nodes: tuple[BrokerNode, ...]
    queues: QueueTypes | None

    @property
    def alarms(self) -> tuple[str, ...]:
        """What blocks publishers, by node."""
        found = [f"memory on {one.name}" for one in self.nodes if one.memory_alarm] + [f"disk on {one.name}" for one in self.nodes if one.disk_alarm]
        return tuple(found) or (("memory or disk",) if self.alarm else ())


class BrokerProbe(Struct, frozen=True):
    """One look at one configured server; ``failure`` of the way leaves everything else empty."""

    subject: Subject
    source: Source
    server: tuple[str, str, bool]  # host, port and whether TLS is asked for
    way: Looked
    state: str  # how the product's login ended, in a word
    product: str
    version: str
    tls: Seen
    management: Management | None
    defaults: Mapping[str, str] = field(default_factory=dict)  # what became of the shipped pairs, where they were tried

    def __hash__(self) -> int:
        return hash((self.subject, self.server))

    @property
    def answered(self) -> bool:
        """Whether a broker answered, whatever became of the login."""
        return self.product == "RabbitMQ"


def _management(item: Document) -> Management | None:
    state = item.text("management.state")
    if state is None:
        return None
    nodes = tuple(
        BrokerNode(
            one.text("name") or "a node", one.boolean("running"), one.boolean("memory_alarm"), one.boolean("disk_alarm"), figure(one, "memory"),
            figure(one, "memory_limit"), figure(one, "disk"), figure(one, "disk_limit"),
        )
        for one in item.items("management.nodes")
    )  # fmt: skip
    return Management(
        state, item.text("management.version") or "", figure(item, "management.connections"), figure(item, "management.messages"),
        item.boolean("management.alarm"), item.boolean("management.quorum_critical"), nodes, _queues(item),
    )  # fmt: skip


def _queues(item: Document) -> QueueTypes | None:
    count = item.integer("management.queues.count")
    if count is None:
        return None
    numbers = {kind: item.integer(f"management.queues.{kind}") or 0 for kind in ("classic", "quorum", "stream", "unknown")}
    return QueueTypes(
        count, **numbers, whole=item.boolean("management.queues.whole") or False, classic_names=item.strings("management.queues.classic_names"),
        deepest=figure(item, "management.queues.deepest"),
    )  # fmt: skip


@fact
def broker_probes(probe_rabbitmq: Objects[Document], release: Any) -> Objects[BrokerProbe]:
    """The looks of the probe at the configured brokers."""

    def build(item: Document) -> BrokerProbe:
        scheme, _, server = item.name.partition("://")
        host, _, port = server.rpartition(":")
        return BrokerProbe(
            subject=release.subject.at(server), source=item.source, server=(host, port, scheme == "amqps"), way=looked(item),
            state=item.text("login.state") or "", product=item.text("server.product") or "", version=item.text("server.version") or "",
            tls=handshake(item, None), management=_management(item),
            defaults={name: told for name in PAIRS if (told := item.text(f"defaults.{name}")) is not None},
        )  # fmt: skip

    return probe_rabbitmq.each(build)


def probe_of(broker: Any, probes: Any) -> BrokerProbe | None:
    """The look at one broker; None where there is none."""
    key = (broker.host.lower().rstrip("."), broker.port or "5672", broker.secure)
    return next((one for one in probes if one.server == key), None)
