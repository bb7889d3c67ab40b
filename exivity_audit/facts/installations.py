"""Exivity installations of the cluster, and which database and brokers each of them uses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document, Malformed
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, Unread, fact, maybe, reasons_of, seen
from exivity_audit.subject import Subject, release_subject

CLUSTER_SUFFIXES = (".svc.cluster.local", ".cluster.local")


class Store(Struct, frozen=True, order=True):
    """Where a database or vhost is: a host, seen from a namespace, and a name on it."""

    host: str
    namespace: str
    name: str

    @property
    def printed(self) -> str:
        """As a report names it."""
        return f"{self.host}{'' if self.name.startswith('/') else '/'}{self.name}"

    @property
    def short(self) -> bool:
        """Whether the host is one label, so that it depends on the namespace where it leads."""
        return "." not in self.host.strip(".")

    def places(self) -> frozenset[str]:
        """Every host this may mean, in one spelling."""
        host = self.host.lower().rstrip(".")
        for suffix in CLUSTER_SUFFIXES:
            if host.endswith(suffix):
                host = host.removesuffix(suffix)
                return frozenset({host if host.endswith(".svc") else f"{host}.svc"})
        if "." not in host:
            return frozenset({f"{host}.{self.namespace}.svc"})
        return frozenset({host, f"{host}.svc"}) if host.count(".") == 1 else frozenset({host})

    def same(self, other: Store) -> bool:
        """Whether both lead to one store."""
        return self.name == other.name and bool(self.places() & other.places())

    def doubtful(self, other: Store) -> bool:
        """Whether both name one short host from different namespaces, which is one server only where it is no Service."""
        return self.name == other.name and self.short and self.host.lower() == other.host.lower() and self.namespace != other.namespace


class Shown(Struct, frozen=True):
    """One configuration as evidence."""

    source: Source
    path: str
    value: str


class Middleware(Struct, frozen=True):
    """What an installation's configuration names; the texts say why something could not be seen."""

    database: Store | None
    database_gap: str
    brokers: tuple[Store, ...]
    broker_gap: str
    shown: tuple[Shown, ...]


class Installation(Struct, frozen=True):
    """One installation of the product, by its Deployments."""

    subject: Subject
    source: Source
    namespace: str
    fullname: str
    replicas: int  # over all its Deployments
    middleware: Middleware


class _Part(Struct, frozen=True):
    source: Source
    namespace: str
    fullname: str
    release: str
    replicas: int


def _part(item: Document) -> _Part | None:
    labels = item.labels()
    fullname = labels.get(chart.NAME_LABEL)
    if not fullname:
        return None
    asked = item.integer("spec.replicas")
    release = item.text(f"metadata.annotations[{chart.HELM_RELEASE}]") or labels.get(chart.INSTANCE_LABEL) or fullname
    return _Part(item.source, item.namespace or "", fullname, release, 1 if asked is None else asked)


def _subject(part: _Part) -> Subject:
    """The release; narrowed to its FN where that is another name, since one release may have left objects of two."""
    subject = release_subject(part.namespace, part.release)
    return subject if part.release == part.fullname else subject.at(part.fullname)


def _text(value: Any, path: str) -> str:
    if value is not None and not isinstance(value, str):
        raise Malformed(path, "string", value)
    return value or ""


def _brokers(item: Document) -> tuple[Store, ...]:
    broker = item.mapping("data[config.json]").get("mq") or {}
    servers = broker.get("servers") if isinstance(broker, dict) else None
    if not isinstance(servers, list):
        raise Malformed("data[config.json].mq.servers", "list", servers)
    vhost = _text(broker.get("vhost"), "mq.vhost") or "/"
    if any(not isinstance(server, dict) for server in servers):
        raise Malformed("data[config.json].mq.servers", "list of objects", servers)
    hosts = (_text(server.get("host"), "mq.servers[].host") for server in servers)
    return tuple(sorted({Store(host, item.namespace or "", vhost) for host in hosts if host}))


def _database(item: Document) -> Store:
    host = item.text("data.POSTGRES_HOST")
    if not host:
        raise Malformed("data.POSTGRES_HOST", "host", host)
    return Store(host, item.namespace or "", item.text("data.POSTGRES_DB") or "")


def _named(documents: Any, namespace: str, names: tuple[str, ...]) -> tuple[list[Document], str]:
    """The ConfigMaps of these names, and why there is none."""
    if not seen(documents):
        return [], "; ".join(reason.text for reason in reasons_of(documents))
    found = [item for item in documents if item.namespace == namespace and item.name in names]
    blind = "; ".join(reason.text for reason in documents.partial)
    return found, "" if found else blind or f"ConfigMap {namespace}/{names[0]} not found"


def _middleware(databases: Any, configs: Any, namespace: str, fullname: str, components: Iterable[str]) -> Middleware:
    tables, database_gap = _named(databases, namespace, (f"{fullname}-postgres-config",))
    files, broker_gap = _named(configs, namespace, tuple(f"{fullname}-config-{part}" for part in components))
    database: Store | None = None
    brokers: set[Store] = set()
    try:
        database = _database(tables[0]) if tables else None
    except Malformed as error:
        database_gap = f"malformed: {error}"
    for item in files:
        try:
            brokers.update(_brokers(item))
        except Malformed as error:
            broker_gap = f"malformed: {item.subject}: {error}"
    if files and not brokers and not broker_gap:
        broker_gap = "its configuration names no broker"
    shown = [Shown(tables[0].source, "data.POSTGRES_HOST", database.printed)] if database else []
    shown += [Shown(files[0].source, "data[config.json]", ", ".join(store.printed for store in sorted(brokers)))] if brokers else []
    return Middleware(database, database_gap, tuple(sorted(brokers)), broker_gap, tuple(shown))


@fact
def own_middleware(release: Any, postgres_config: Any = maybe, service_configs: Any = maybe) -> Middleware:
    """The database and the brokers that the audited release is configured for."""
    return _middleware(postgres_config, service_configs, release.namespace, release.fullname, chart.CONFIG_COMPONENTS)


@fact
def other_installations(
    installations: Objects[Document], release: Any, other_postgres_configs: Any = maybe, other_service_configs: Any = maybe
) -> Objects[Installation]:
    """Every other installation of the product that the cluster shows, with what it is configured for."""
    found = installations.each(_part)
    groups: dict[tuple[str, str], list[_Part]] = {}
    for part in found:
        groups.setdefault((part.namespace, part.fullname), []).append(part)
    own = (release.namespace, release.fullname)
    others = [
        Installation(
            _subject(parts[0]), parts[0].source, namespace, fullname, sum(part.replicas for part in parts),
            _middleware(other_postgres_configs, other_service_configs, namespace, fullname, ("shared",)),
        )
        for (namespace, fullname), parts in sorted(groups.items())
        if (namespace, fullname) != own
    ]  # fmt: skip
    odd = tuple(item for item in found.unreadable if not _ours(item, release))
    return Objects(others, installed=found.installed, unreadable=odd, partial=found.partial)


def _ours(item: Unread, release: Any) -> bool:
    names = {f"{release.fullname}-{component}" for component in chart.COMPONENTS}
    return item.subject.namespace == release.namespace and item.subject.name in names
