"""What the probe of PostgreSQL saw: whether the product's login works, over what, and what the server says of itself."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.facts.probe_paths import Looked, Seen, figure, handshake, looked
from exivity_audit.quantity import Size
from exivity_audit.subject import Subject

OPEN = "open"
GRANT = "GRANT pg_monitor TO the user of the probe"


class Standby(Struct, frozen=True):
    """A server that streams from the one that was asked; ``state`` is empty where the right to see it is missing."""

    state: str
    sync: str
    replays: bool  # whether it applies what it gets: a receiver of the log alone does not
    bytes: float | None
    seconds: float | None


class Receiver(Struct, frozen=True):
    """What a standby says of its own stream; ``state`` is empty where the right to see it is missing."""

    running: bool
    state: str
    bytes: float | None
    seconds: float | None
    heard: float | None  # seconds since its primary was heard of


class Archiver(Struct, frozen=True):
    """The archive of the write-ahead log, by the server's own count."""

    mode: str
    archived: float
    failed: float
    failing: bool  # the newest failure is newer than the newest success
    archived_ago: float | None
    failed_ago: float | None


class Latency(Struct, frozen=True):
    """The time of a round trip in seconds, of so many."""

    trips: int
    median: float
    p95: float


class DatabaseProbe(Struct, frozen=True):
    """One look at the database. What the server did not say is None; ``failure`` of the way leaves all of it so."""

    subject: Subject
    source: Source
    way: Looked
    state: str  # how the product's login ended, in a word; empty where none was tried
    monitor: str  # the same of the monitoring user; empty where none is configured
    encrypted: bool
    seconds: float | None  # until the login was through
    tls: Seen
    version: int | None  # as server_version_num: 170006
    recovery: bool | None
    latency: Latency | None
    statistics: bool | None  # whether the user may see what others do
    platform: str
    system: str  # the number that a primary shares with its standbys; empty where it was not told
    standbys: tuple[Standby, ...] | None
    receiver: Receiver | None
    archiver: Archiver | None
    database: Size | None
    databases: Size | None  # of all databases that may be seen
    unseen: int  # databases that may not
    log: Size | None  # of the write-ahead log

    @property
    def opened(self) -> bool:
        """Whether a session was open, of the product or of the monitoring user."""
        return OPEN in (self.state, self.monitor)

    @property
    def major(self) -> int | None:
        """The release: 17."""
        return self.version // 10000 if self.version is not None and self.version >= 100000 else None

    @property
    def replaying(self) -> tuple[Standby, ...]:
        """The standbys that apply what they get."""
        return tuple(one for one in self.standbys or () if one.replays and one.state)

    @property
    def hidden(self) -> bool:
        """Whether something streams from it that may not be seen."""
        return any(not one.state for one in self.standbys or ())


def _standbys(item: Document) -> tuple[Standby, ...] | None:
    if item.get("standbys.rows") is None:
        return None
    return tuple(
        Standby(one.text("state") or "", one.text("sync") or "", one.boolean("replays") or False, figure(one, "bytes"), figure(one, "seconds"))
        for one in item.items("standbys.rows")
    )


def _receiver(item: Document) -> Receiver | None:
    running = item.boolean("receiver.running")
    if running is None:
        return None
    return Receiver(
        running, item.text("receiver.state") or "", figure(item, "receiver.bytes"), figure(item, "receiver.seconds"), figure(item, "receiver.heard")
    )


def _archiver(item: Document) -> Archiver | None:
    archived, mode = figure(item, "archiver.archived"), item.text("server.archive_mode")
    if archived is None or mode is None:
        return None
    return Archiver(
        mode, archived, figure(item, "archiver.failed") or 0, item.boolean("archiver.failing") or False, figure(item, "archiver.archived_ago"),
        figure(item, "archiver.failed_ago"),
    )  # fmt: skip


def _latency(item: Document) -> Latency | None:
    trips, median, late = item.integer("latency.trips"), figure(item, "latency.median"), figure(item, "latency.p95")
    return Latency(trips, median, late) if trips and median is not None and late is not None else None


def _size(item: Document, path: str) -> Size | None:
    found = item.integer(path)
    return None if found is None else Size(found)


@fact
def database_probes(probe_postgresql: Objects[Document], release: Any) -> Objects[DatabaseProbe]:
    """The look of the probe at the database of the release; one at most."""

    def build(item: Document) -> DatabaseProbe:
        return DatabaseProbe(
            subject=release.subject.at("database"), source=item.source, way=looked(item), state=item.text("login.state") or "",
            monitor=item.text("monitor.state") or "", encrypted=item.boolean("login.encrypted") or False, seconds=figure(item, "login.seconds"),
            tls=handshake(item, item.boolean("tls.offered")), version=item.integer("server.version"), recovery=item.boolean("server.recovery"),
            latency=_latency(item), statistics=item.boolean("rights.statistics"), platform=item.text("platform.name") or "",
            system=item.text("identity.system") or "",
            standbys=_standbys(item), receiver=_receiver(item), archiver=_archiver(item), database=_size(item, "sizes.database"),
            databases=_size(item, "sizes.databases"), unseen=item.integer("sizes.unseen") or 0, log=_size(item, "log.size"),
        )  # fmt: skip

    return probe_postgresql.each(build)
