"""Collection: the reads that some checks need, asked concurrently stage by stage, cut and redacted, as a site of a snapshot."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from exivity_audit.collect.answer import Answer, Failure
from exivity_audit.collect.api import Api
from exivity_audit.collect.asking import Refused
from exivity_audit.collect.beside import Source, reason_of
from exivity_audit.collect.describe import DESCRIBERS, Vault
from exivity_audit.collect.discovery import Discovery, Served
from exivity_audit.collect.gathered import Gathered, settled
from exivity_audit.collect.place import MissingRead, NotAsked, Read, Where
from exivity_audit.collect.release import Target
from exivity_audit.document import Malformed, NotCollected
from exivity_audit.errors import one_line
from exivity_audit.fact import HELP, reading
from exivity_audit.paths import pruner
from exivity_audit.snapshot import Cluster, Outcome, Place, Record, SiteSnapshot

WORKERS = 8
PAGE = 500
PROBE = "probe/"
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Base:
    """What every run learns before its reads: which cluster, who asks, the server's time."""

    cluster: Cluster
    identity: str | None
    now: datetime
    unseen: tuple[Record, ...] = ()  # what of it could not be read


def base(api: Api, discovery: Discovery, version: Answer, cluster_name: str) -> Base:
    """Cluster UID, server version, identity and the server's own clock; what may not be read is None."""
    body = version.body if isinstance(version.body, dict) else {}
    served = discovery.find("namespaces")
    system = api.get(served.path(None, "kube-system")) if served else None
    metadata = system.body.get("metadata") if system is not None and isinstance(system.body, dict) else None
    uid = metadata.get("uid") if isinstance(metadata, dict) else None
    git = body.get("gitVersion")
    moment = version.date or (system.date if system is not None else None) or datetime.now(UTC)
    seen = Cluster(cluster_name, uid if isinstance(uid, str) else None, git if isinstance(git, str) else None)
    failure = system.failure if system is not None else None
    return Base(seen, _identity(api, discovery), moment, (_unseen("cluster_uid", "kube-system", "metadata.uid", failure),) if failure else ())


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
        self.vault = Vault()  # of the values described so far; ``settled`` numbers their groups and forgets them
        self._pruners: dict[str, Callable[[Any], Any]] = {}
        self._records: dict[str, tuple[Record, ...]] = {}
        self._progress = progress or (lambda done, total, what: None)

    def collect(self, wanted: Iterable[str]) -> tuple[Record, ...]:
        """Read what is wanted and what their places follow from, in as few stages as possible; every read ends in a record."""
        names = needed(wanted, self._reads)
        workers = ThreadPoolExecutor(WORKERS)
        try:
            while waiting := [name for name in names if name not in self._records]:
                ready = [name for name in waiting if not (set(inputs(self._reads[name])) & set(waiting))]
                ready = [name for name in ready if not self._reads[name].resource.startswith(PROBE)] or ready  # last: a peer that hangs
                for name, records in zip(ready, workers.map(self._read, ready), strict=True):
                    self._records[name] = records
                    self._progress(len(self._records), len(names), self._reads[name].resource)
        finally:
            workers.shutdown(wait=False, cancel_futures=True)  # an interrupted run does not wait for a server that hangs
        self.vault.identity("release", self._target.name)
        return self._sorted()

    def _sorted(self) -> tuple[Record, ...]:
        return tuple(sorted((record for group in self._records.values() for record in group), key=lambda record: (record.name, str(record.place))))

    def _read(self, name: str) -> tuple[Record, ...]:
        read = self._reads[name]
        if read.opt_in:
            return self._beside(read)
        served = self._discovery.find(read.resource)
        if served is None:
            failure = self._discovery.why_not(read.resource)
            if failure is None:
                return (self._record(read, None, Place(), Outcome.NOT_INSTALLED, None, ""),)
            return (self._failed(read, None, Place(), failure),)
        try:
            places = self._places(read.where)
        except NotAsked as error:
            return (self._record(read, served, Place(self._target.namespace), Outcome.NOT_ASKED, None, str(error)),)
        except MissingRead as error:
            return (self._record(read, served, Place(), Outcome.NOT_ASKED, None, f"follows from what was not seen: {one_line(error)}"),)
        except (Malformed, NotCollected) as error:
            return (self._record(read, served, Place(), Outcome.FAILED, None, f"follows from an unreadable object: {one_line(error)}"),)
        if read.bulk:
            return self._bulk(read, served, places)
        records = tuple(self._at(read, served, place) for place in places)
        if read.otherwise is not None and records and all(record.outcome is Outcome.FORBIDDEN for record in records):
            narrower = tuple(self._at(read, served, place) for place in self._places(read.otherwise))
            if any(record.outcome is not Outcome.FORBIDDEN for record in narrower):
                return (*records, *narrower) if read.incomplete else narrower
        return records or (self._record(read, served, Place(), Outcome.EMPTY, None, "nothing names one"),)

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
        self.vault = Vault()  # nobody asks which are equal
        try:
            return self._places(read.where)
        except (MissingRead, Malformed, NotCollected):
            return None

    def _beside(self, read: Read) -> tuple[Record, ...]:
        """A read of a server beside the API, at all its places at once; not asked unless the run was given a way to it."""
        source = self._sources.get(read.resource)
        if source is None:
            told = f"only where the run says so{HELP}{read.opt_in})"
            return (self._record(read, None, Place(), Outcome.NOT_ASKED, None, told),)
        try:
            places = self._places(read.where)
        except NotAsked as error:
            return (self._record(read, None, Place(), Outcome.NOT_ASKED, None, str(error)),)
        except MissingRead as error:
            return (self._record(read, None, Place(), Outcome.NOT_ASKED, None, f"follows from what was not seen: {one_line(error)}"),)
        except (Malformed, NotCollected) as error:
            return (self._record(read, None, Place(), Outcome.FAILED, None, f"follows from an unreadable object: {one_line(error)}"),)
        known = {name: self._given[name] if name in self._given else reading(self._records[name]) for name in inputs(read)}
        with ThreadPoolExecutor(WORKERS) as workers:
            records = tuple(workers.map(lambda place: self._told(read, place, source, known), places))
        return records or (self._record(read, None, Place(), Outcome.EMPTY, None, "nothing names one"),)

    def _told(self, read: Read, place: Place, source: Source, known: Mapping[str, Any]) -> Record:
        try:
            told = source(place, known)
        except NotAsked as error:
            return self._record(read, None, place, Outcome.NOT_ASKED, None, str(error))
        if told.failure is not None:
            outcome = Outcome.FORBIDDEN if told.failure.kind == "forbidden" else Outcome.FAILED
            return self._record(read, None, place, outcome, told.failure.status, reason_of(told))
        objects = tuple(sorted((self._prune(read, item) for item in told.objects), key=_object_order))
        return self._record(read, None, place, Outcome.FOUND if objects else Outcome.EMPTY, 200, "", objects)

    def narrower(self, name: str) -> list[Place]:
        """The narrower places that a read falls back on; none where it has no such, or they could not be seen."""
        read = self._reads[name]
        if read.otherwise is None:
            return []
        self.collect(other for other in inputs(read) if other in self._reads)
        try:
            return self._places(read.otherwise)
        except (NotAsked, MissingRead, Malformed, NotCollected):
            return []

    def _places(self, where: Callable[..., Iterable[Place]]) -> list[Place]:
        try:
            return places_of(where, self._given, lambda name: reading(self._records[name]))
        except (NotAsked, MissingRead, Malformed, NotCollected):
            raise
        except Exception as error:  # an object so odd that it was not foreseen costs this read, not the run
            raise Malformed("what it follows from", "object of its kind", error) from error

    def _at(self, read: Read, served: Served, place: Place) -> Record:
        try:
            return self._get(read, served, place) if place.name is not None else self._list(read, served, place)
        except Refused:
            return self._record(read, served, place, Outcome.FAILED, None, "a name that cannot be asked for")

    def _get(self, read: Read, served: Served, place: Place) -> Record:
        answer = self._api.get(served.path(place.namespace, place.name))
        if answer.failure is None:
            return self._record(read, served, place, Outcome.FOUND, answer.status, "", (self._prune(read, answer.body),))
        if answer.failure.kind == "not-found":
            guessed = place.namespace == self._target.namespace and not self._target.fullname_seen
            outcome, reason = (Outcome.FAILED, "not found under the name guessed from the release") if guessed else (Outcome.EMPTY, "not found")
            return self._record(read, served, place, outcome, 404, reason)
        return self._failed(read, served, place, answer.failure)

    def _list(self, read: Read, served: Served, place: Place) -> Record:
        query = [(key, text) for key, text in (("labelSelector", place.labels), ("fieldSelector", place.fields)) if text]
        listing = self._api.list(served.path(place.namespace), query, limit=PAGE, keep=lambda item: self._prune(read, item))
        if listing.failure is not None:
            return self._failed(read, served, place, listing.failure)
        objects = tuple(sorted((item for item in listing.items if item is not None), key=_object_order))
        return self._record(read, served, place, Outcome.FOUND if objects else Outcome.EMPTY, listing.status or 200, "", objects)

    def _bulk(self, read: Read, served: Served, places: list[Place]) -> tuple[Record, ...]:
        """Named objects as one list page where it holds them all; by name where it continues or may not be listed."""
        records: list[Record] = []
        for namespace in sorted({place.namespace for place in places}, key=str):
            names = {place.name for place in places if place.namespace == namespace}
            answer = self._api.get(served.path(namespace), [("limit", str(PAGE))])
            items = _whole_page(answer)
            if items is None:
                records.extend(self._at(read, served, place) for place in places if place.namespace == namespace)
                continue
            sought: set[str | None] = {None} if names - {_name(item) for item in items} else set()  # one without a name may be the one that is missed
            kept = sorted((self._prune(read, item) for item in items if _name(item) in names | sought), key=_object_order)
            outcome = Outcome.FOUND if kept else Outcome.EMPTY
            records.append(self._record(read, served, Place(namespace), outcome, answer.status, "", tuple(kept)))
        return tuple(records) or (self._record(read, served, Place(), Outcome.EMPTY, None, "nothing names one"),)

    def _prune(self, read: Read, item: Any) -> Any:
        if not isinstance(item, dict):
            return {"malformed": type(item).__name__}  # no object at all; never dropped
        kept = self._pruner(read)(item)
        return kept if read.sift is None else read.sift(kept)

    def _pruner(self, read: Read) -> Callable[[Any], Any]:
        """What cuts the objects of a read, made when it is first needed."""
        found = self._pruners.get(read.name)
        if found is None:
            found = self._pruners[read.name] = pruner(_describers(read, self.vault))
        return found

    def _failed(self, read: Read, served: Served | None, place: Place, failure: Failure) -> Record:
        outcome = Outcome.FORBIDDEN if failure.kind == "forbidden" else Outcome.FAILED
        return self._record(read, served, place, outcome, failure.status, "forbidden" if outcome is Outcome.FORBIDDEN else one_line(failure.reason))

    def _record(
        self, read: Read, served: Served | None, place: Place, outcome: Outcome, status: int | None, reason: str, objects: tuple[Any, ...] = ()
    ) -> Record:
        return Record(
            read.name, read.resource, served.version if served else None, read.kind, place, outcome, status, reason, tuple(sorted(read.keep)), objects
        )


def _describers(read: Read, vault: Vault) -> dict[str, Callable[[Any], Any] | None]:
    def bound(name: str) -> Callable[[Any], Any]:
        return lambda value: DESCRIBERS[name](value, vault)

    return {path: bound(name) if name else None for path, name in read.keep.items()}


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
    return tuple(inspect.signature(where).parameters)


def _name(item: Any) -> str | None:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    found = metadata.get("name") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) else None


def _object_order(item: Any) -> tuple[str, str]:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    return (str(metadata.get("namespace")), str(metadata.get("name"))) if isinstance(metadata, dict) else ("", "")


def _whole_page(answer: Answer) -> list[Any] | None:
    """The items of a list that fits one page; None where it continues, failed or is no list."""
    body = answer.body
    if answer.failure is not None or not isinstance(body, dict) or not isinstance(body.get("items"), list):
        return None
    metadata = body.get("metadata")
    return None if isinstance(metadata, dict) and metadata.get("continue") else list(body["items"])


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
