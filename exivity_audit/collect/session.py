"""One live site: connect, see what is served, find the release, collect; and what the network cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct, field

from exivity_audit.collect.beside import SECONDS, Source
from exivity_audit.collect.collector import Base, Collector, Progress, base, gather_site
from exivity_audit.collect.connection import connect
from exivity_audit.collect.discovery import Discovery, discover
from exivity_audit.collect.exec_plugin import LONGEST_RUN
from exivity_audit.collect.gathered import Gathered, settled
from exivity_audit.collect.history import History
from exivity_audit.collect.kubelet import Kubelets
from exivity_audit.collect.place import Read
from exivity_audit.collect.prometheus import Prometheus, Server
from exivity_audit.collect.release import Target, find_release
from exivity_audit.collect.stats import Stats
from exivity_audit.collect.together import together
from exivity_audit.collect.transport import Deadline, Transport
from exivity_audit.probes.asked import Asked
from exivity_audit.snapshot import SiteSnapshot


class Access(Struct, frozen=True):
    """How to reach a cluster, as kubectl's flags say it."""

    kubeconfig: Path | None = None
    context: str | None = None
    namespace: str | None = None
    release: str | None = None
    impersonate: str | None = None
    impersonate_groups: tuple[str, ...] = ()
    insecure: bool = False
    request_timeout: float = 30
    deadline: float = 120
    secrets: str = "list"
    kubelet_stats: bool = False
    prometheus: Server | None = None
    history: Path | None = None
    probes: Asked | None = None
    cluster_name: str | None = None
    role: str | None = None
    site: str = "default"


class Session(Struct):
    """An open way to one cluster in which the release has been found."""

    access: Access
    transport: Transport
    discovery: Discovery
    base: Base
    target: Target
    notes: list[str] = field(default_factory=list)  # what a person should know of the collection

    def gather(self, reads: Iterable[Read], wanted: Iterable[str], progress: Progress | None = None) -> Gathered:
        """What some checks need of the site."""
        with self._sources() as sources:
            return self._gather(reads, wanted, sources, progress)

    def collect(self, reads: Iterable[Read], wanted: Iterable[str], progress: Progress | None = None) -> SiteSnapshot:
        """The same of a site that is the only one of its run."""
        return settled([self.gather(reads, wanted, progress)])[0]

    @contextmanager
    def _sources(self) -> Iterator[dict[str, Source]]:
        """The servers beside the API that this run may ask, by resource."""
        found: dict[str, Source] = {}
        with ExitStack() as opened:
            access, ways = self.access, (self.transport.deadline, self.transport.stats, min(SECONDS, self.access.request_timeout))
            if access.kubelet_stats:
                kubelets = Kubelets(self.transport.connection, *ways)
                opened.callback(kubelets.close)
                found["kubelet/stats"] = kubelets
            if access.prometheus is not None:
                prometheus = Prometheus(access.prometheus, *ways)
                opened.callback(prometheus.close)
                found |= {"prometheus/volumes": prometheus.volumes, "prometheus/nodes": prometheus.nodes}
            if access.history is not None:
                history = History(access.history, self.base.cluster, self.target.namespace, self.target.name, self.base.now)
                opened.callback(lambda: self.notes.extend(history.notes()))
                found["history/reports"] = history
            if access.probes is not None:
                from exivity_audit.probes.opening import open_probes

                transport = self.transport
                engine = open_probes(access.probes, transport.connection, transport, self.discovery, self.target.namespace, transport.deadline)
                opened.callback(engine.close)
                found |= engine.sources()
            yield found

    def _gather(self, reads: Iterable[Read], wanted: Iterable[str], sources: dict[str, Source], progress: Progress | None) -> Gathered:
        return gather_site(
            self.transport,
            self.discovery,
            reads,
            wanted,
            self.target,
            self.base,
            site=self.access.site,
            role=self.access.role,
            insecure=self.transport.connection.insecure,
            secrets=self.access.secrets,
            progress=progress,
            sources=sources,
        )

    def collector(self, reads: Iterable[Read]) -> Collector:
        """A collector of this site, to ask it where a read would look."""
        return Collector(self.transport, self.discovery, reads, self.target, self.access.secrets)

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()


def open_session(access: Access, deadline: Deadline | None = None, stats: Stats | None = None) -> Session:
    """Connect and find the release. Raises UsageError and Unreachable with a sentence and a next step.

    Several sites of a run share one deadline; ``stats`` counts what is asked here, also where it comes to nothing.
    """
    deadline = deadline or Deadline(access.deadline)
    connection = connect(
        kubeconfig=access.kubeconfig,
        context=access.context,
        impersonate=access.impersonate,
        impersonate_groups=access.impersonate_groups,
        insecure=access.insecure,
        login_seconds=max(1.0, min(LONGEST_RUN, deadline.remaining())),
    )
    transport = Transport(connection, deadline=deadline, request_timeout=access.request_timeout, stats=stats)
    try:
        version, discovery = together(transport.first_contact, lambda: discover(transport))
        name = access.cluster_name or connection.cluster_name or connection.context or "cluster"
        target, found = together(
            lambda: find_release(transport, discovery, access.namespace, access.release, _said(connection.namespace)),
            lambda: base(transport, discovery, version, name),
        )
    except BaseException:
        transport.close()
        raise
    return Session(access, transport, discovery, found, target)


def _said(namespace: str) -> str | None:
    """A context's namespace; the word it falls back to names nothing."""
    return None if namespace == "default" else namespace
