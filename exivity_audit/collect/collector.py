"""Collection: the reads that some checks need, each asked as soon as its places are known, cut and redacted, as a site of a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from msgspec import Struct

from exivity_audit.collect.answer import Answer, Failure
from exivity_audit.collect.api import Api
from exivity_audit.collect.beside import Source
from exivity_audit.collect.describe import Vault
from exivity_audit.collect.discovery import Discovery, Served
from exivity_audit.collect.gathered import Gathered, settled
from exivity_audit.collect.place import MissingRead, NotAsked, Read, Where
from exivity_audit.collect.recorder import Recorder
from exivity_audit.collect.release import Target
from exivity_audit.collect.schedule import After, Ask, Course, Schedule, longest_ways
from exivity_audit.collect.together import together
from exivity_audit.document import Malformed, NotCollected
from exivity_audit.errors import one_line
from exivity_audit.reading import HELP, reading
from exivity_audit.snapshot import Cluster, Outcome, Place, Record, SiteSnapshot

WORKERS = 8
LEAST_BY_LABEL = 4  # names, before it pays to ask whether their kind may be listed
BY_LABEL = "objects by label"
PROBE = "probe/"
Progress = Callable[[int, int, str], None]


class Base(Struct, frozen=True):
    """What every run learns before its reads: which cluster, who asks, the server's time."""

    cluster: Cluster
    identity: str | None
    now: datetime
    unseen: tuple[Record, ...] = ()  # what of it could not be read


def base(api: Api, discovery: Discovery, version: Answer, cluster_name: str) -> Base:
    """Cluster UID, server version, identity and the server's own clock; what may not be read is None."""
    body = version.body if isinstance(version.body, dict) else {}
    served = discovery.find("namespaces")
    system, identity = together(lambda: api.get(served.path(None, "kube-system")) if served else None, lambda: _identity(api, discovery))
    metadata = system.body.get("metadata") if system is not None and isinstance(system.body, dict) else None
    uid = metadata.get("uid") if isinstance(metadata, dict) else None
    git = body.get("gitVersion")
    moment = version.date or (system.date if system is not None else None) or datetime.now(UTC)
    seen = Cluster(cluster_name, uid if isinstance(uid, str) else None, git if isinstance(git, str) else None)
    failure = system.failure if system is not None else None
    return Base(seen, identity, moment, (_unseen("cluster_uid", "kube-system", "metadata.uid", failure),) if failure else ())


def _unseen(name: str, namespace: str, path: str, failure: Failure) -> Record:
    """A namespace that the run itself wanted to see and could not."""
    forbidden = failure.kind == "forbidden"
    outcome, reason = (Outcome.FORBIDDEN, "forbidden") if forbidden else (Outcome.FAILED, one_line(failure.reason))
    return Record(name, "namespaces", "v1", "Namespace", Place(None, namespace), outcome, failure.status, reason, (path,), ())


def _identity(api: Api, discovery: Discovery) -> str | None:
    served = discovery.find("selfsubjectreviews.authentication.k8s.io")
    if served is None:
        return None
    answer = api.post_review(served.path(), {"apiVersion": f"{served.group}/{served.version}", "kind": "SelfSubjectReview"})
    body: Any = answer.body
    try:
        name = body["status"]["userInfo"]["username"]
    except (KeyError, TypeError):
        return None
    return one_line(name, 253) if isinstance(name, str) else None


class Collector:
    """Collects one site; the groups of its secrets are numbered later, over all sites of the run."""

    def __init__(
        self,
        api: Api,
        discovery: Discovery,
        reads: Iterable[Read],
        target: Target,
        secrets: str,
        progress: Progress | None = None,
        sources: Mapping[str, Source] | None = None,
    ) -> None:
        self._api, self._discovery = api, discovery
        self._sources = sources or {}
        self._reads = {read.name: read for read in reads}
        self._given: dict[str, Any] = {"release": target, "secrets": secrets}
        self._target = target
        self._recorder = Recorder(api, target)
        self._records: dict[str, tuple[Record, ...]] = {}
        self._seen: dict[str, Any] = {}
        self._progress = progress or (lambda done, total, what: None)

    @property
    def vault(self) -> Vault:
        """The values described so far; ``settled`` numbers their groups and forgets them."""
        return self._recorder.vault

    def collect(self, wanted: Iterable[str]) -> tuple[Record, ...]:
        """Read what is wanted and what their places follow from, each as soon as that is known; every read ends in a record."""
        names = needed(wanted, self._reads)
        waiting = [name for name in names if name not in self._records]
        self._recorder.share(self._reads[name] for name in waiting)
        courses: dict[str, Course[tuple[Record, ...]]] = {name: self._course(self._reads[name], frozenset(waiting)) for name in waiting}
        labelled = self._labelled(waiting)
        if len(labelled) >= LEAST_BY_LABEL:
            courses[BY_LABEL] = self._by_label(labelled)
        ways = longest_ways({name: _parameters(self._reads[name].where) for name in waiting})

        def finished(name: str, records: tuple[Record, ...]) -> None:
            if name != BY_LABEL:
                self._records[name] = records
                self._progress(len(self._records), len(names), self._reads[name].resource)

        Schedule(courses, ways | {BY_LABEL: max(ways.values(), default=0) + 1}, WORKERS, finished).run()
        self._recorder.share(())
        self.vault.identity("release", self._target.name)
        return self._sorted()

    def _sorted(self) -> tuple[Record, ...]:
        return tuple(sorted((record for group in self._records.values() for record in group), key=lambda record: (record.name, str(record.place))))

    def _course(self, read: Read, all_names: frozenset[str]) -> Course[tuple[Record, ...]]:
        """What one read does: wait for what its places follow from, ask there, and where all of it is forbidden in narrower places."""
        recorder = self._recorder
        source = self._sources.get(read.resource)
        served = None if read.opt_in else self._discovery.find(read.resource)
        if read.opt_in and source is None:
            return (recorder.record(read, None, Place(), Outcome.NOT_ASKED, None, f"only where the run says so{HELP}{read.opt_in})"),)
        if not read.opt_in and served is None:
            failure = self._discovery.why_not(read.resource)
            if failure is None:
                return (recorder.record(read, None, Place(), Outcome.NOT_INSTALLED, None, ""),)
            return (recorder.failed(read, None, Place(), failure),)
        if read.resource.startswith(PROBE):  # last: a peer that hangs
            yield After(frozenset(name for name in all_names if not self._reads[name].resource.startswith(PROBE)))
        yield After(frozenset((*_parameters(read.where), *((BY_LABEL,) if read.labelled else ()))))
        try:
            places = self._places(read.where)
        except NotAsked as error:
            place = Place() if read.opt_in else Place(self._target.namespace)
            return (recorder.record(read, served, place, Outcome.NOT_ASKED, None, str(error)),)
        except MissingRead as error:
            return (recorder.record(read, served, Place(), Outcome.NOT_ASKED, None, f"follows from what was not seen: {one_line(error)}"),)
        except (Malformed, NotCollected) as error:
            return (recorder.record(read, served, Place(), Outcome.FAILED, None, f"follows from an unreadable object: {one_line(error)}"),)
        if source is not None:
            facts = {name: self._given[name] if name in self._given else self._look(name) for name in _parameters(read.where)}
            records = yield Ask([partial(recorder.told, read, place, source, facts) for place in places], apart=True)
        elif read.bulk and served is not None:
            records = yield from self._bulk(read, served, places)
        else:
            assert served is not None
            records = yield Ask([partial(recorder.at, read, served, place) for place in places])
            if read.otherwise is not None and records and all(record.outcome is Outcome.FORBIDDEN for record in records):
                yield After(frozenset(_parameters(read.otherwise)))
                narrower = yield Ask([partial(recorder.at, read, served, place) for place in self._narrower(read)])
                if any(record.outcome is not Outcome.FORBIDDEN for record in narrower):
                    return (*records, *narrower) if read.incomplete else tuple(narrower)
        return tuple(records) or (recorder.record(read, served, Place(), Outcome.EMPTY, None, "nothing names one"),)

    def _bulk(self, read: Read, served: Served, places: list[Place]) -> Generator[After | Ask, Any, list[Record]]:
        """Named objects from as many list pages as there would be names to ask for; the rest of them by name."""
        namespaces = sorted({place.namespace for place in places}, key=str)
        names = {one: frozenset(str(place.name) for place in places if place.namespace == one) for one in namespaces}
        found = yield Ask([partial(self._recorder.among, read, served, namespace, names[namespace]) for namespace in namespaces])
        records = [record for record, _ in found if record is not None]
        rest = [Place(namespace, name) for namespace, (_, left) in zip(namespaces, found, strict=True) for name in sorted(left)]
        more: list[Record] = yield Ask([partial(self._recorder.at, read, served, place) for place in rest])
        return records + more

    def _labelled(self, names: Iterable[str]) -> dict[str, Read]:
        """The ConfigMaps of the chart that some reads name, each with its read."""
        found: dict[str, Read] = {}
        for name in names:
            if self._reads[name].labelled:
                found |= {str(place.name): self._reads[name] for place in self._places(self._reads[name].where)}
        return found

    def _by_label(self, wanted: dict[str, Read]) -> Course[tuple[Record, ...]]:
        """One list by the chart's label in place of many names, where the account may list them anyway; the rest is asked for by name."""
        served = self._discovery.find(next(iter(wanted.values())).resource)
        review = self._discovery.find("selfsubjectaccessreviews.authorization.k8s.io")
        if served is not None and review is not None and (yield Ask([partial(self._recorder.may_list, review, served, self._target.namespace)]))[0]:
            yield Ask([partial(self._recorder.by_label, served, self._target.namespace, wanted)])
        return ()

    def serves(self, resource: str) -> bool:
        """Whether the cluster serves a resource."""
        return self._discovery.find(resource) is not None

    def exists(self, namespace: str) -> bool:
        """Whether a namespace may be there; only one that the server does not know is not."""
        served = self._discovery.find("namespaces")
        failure = self._api.get(served.path(None, namespace)).failure if served else None
        return failure is None or failure.kind != "not-found"

    def places(self, name: str) -> list[Place] | None:
        """Where a read looks, after reading what that follows from; None where that could not be seen. Raises NotAsked."""
        read = self._reads[name]
        self.collect(other for other in inputs(read) if other in self._reads)
        self._recorder.forget()  # nobody asks which are equal
        try:
            return self._places(read.where)
        except (MissingRead, Malformed, NotCollected):
            return None

    def narrower(self, name: str) -> list[Place]:
        """The narrower places that a read falls back on; none where it has no such, or they could not be seen."""
        read = self._reads[name]
        self.collect(other for other in inputs(read) if other in self._reads)
        return self._narrower(read)

    def _narrower(self, read: Read) -> list[Place]:
        try:
            return self._places(read.otherwise) if read.otherwise is not None else []
        except (NotAsked, MissingRead, Malformed, NotCollected):
            return []

    def _places(self, where: Callable[..., Iterable[Place]]) -> list[Place]:
        try:
            return places_of(where, self._given, self._look)
        except (NotAsked, MissingRead, Malformed, NotCollected):
            raise
        except Exception as error:  # an object so odd that it was not foreseen costs this read, not the run
            raise Malformed("what it follows from", "object of its kind", error) from error

    def _look(self, name: str) -> Any:
        """What a read saw; many ask for the same."""
        if name not in self._seen:
            self._seen[name] = reading(self._records[name])
        return self._seen[name]


def needed(wanted: Iterable[str], reads: dict[str, Read]) -> list[str]:
    """The wanted reads and those their places follow from, in the order of the table."""
    found: set[str] = set()
    open_names = [name for name in wanted if name in reads]
    while open_names:
        name = open_names.pop()
        if name not in found:
            found.add(name)
            open_names.extend(other for other in inputs(reads[name]) if other in reads)
    return [name for name in reads if name in found]


def inputs(read: Read) -> tuple[str, ...]:
    """What the places of a read follow from: other reads, the release, the mode of Secrets."""
    return tuple(sorted({*_parameters(read.where), *(_parameters(read.otherwise) if read.otherwise is not None else ())}))


def places_of(where: Where, given: Mapping[str, Any], look: Callable[[str], Any]) -> list[Place]:
    """The places that a function of a read yields, from what is given and what other reads saw. Raises NotAsked and MissingRead."""
    return list(where(**{name: given[name] if name in given else look(name) for name in _parameters(where)}))


@cache
def _parameters(where: Callable[..., Iterable[Place]]) -> tuple[str, ...]:
    code: Any = getattr(where, "__code__")  # noqa: B009 - a plain function; inspect takes a hundred times as long
    return tuple(code.co_varnames[: code.co_argcount])


def gather_site(
    api: Api,
    discovery: Discovery,
    reads: Iterable[Read],
    wanted: Iterable[str],
    target: Target,
    base: Base,
    *,
    site: str,
    role: str | None,
    insecure: bool,
    secrets: str,
    progress: Progress | None = None,
    sources: Mapping[str, Source] | None = None,
) -> Gathered:
    """All that some checks need of one site; ``sources`` are the servers beside the API, by resource. Never raises for an answer."""
    failure = target.namespace_failure
    unseen = (*base.unseen, *((_unseen("release_namespace", target.namespace, "metadata.name", failure),) if failure else ()))
    collector = Collector(api, discovery, reads, target, secrets, progress, sources)
    found = SiteSnapshot(
        name=site,
        role=role,  # type: ignore[arg-type]  # Literal; the command line and the config validate it
        cluster=base.cluster,
        namespace=target.namespace,
        release=target.name,
        fullname=target.fullname if target.fullname_seen else None,
        identity=base.identity,
        now=base.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        insecure=insecure,
        reads=tuple(sorted((*collector.collect(wanted), *unseen), key=lambda record: (record.name, str(record.place)))),
    )
    return Gathered(found, collector.vault)


def collect_site(*arguments: Any, **named: Any) -> SiteSnapshot:
    """A site that is the only one of its run, as ``gather_site`` reads it."""
    return settled([gather_site(*arguments, **named)])[0]
