"""Makes records: what one read finds at one place, cut to what may be kept as it comes; lists that several reads need are asked for once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from exivity_audit import chart
from exivity_audit.collect.answer import Failure, Listing
from exivity_audit.collect.api import CACHED, Api
from exivity_audit.collect.asking import Refused
from exivity_audit.collect.beside import Source, reason_of
from exivity_audit.collect.describe import DESCRIBERS, Vault
from exivity_audit.collect.discovery import Served
from exivity_audit.collect.place import NotAsked, Read
from exivity_audit.collect.release import Target
from exivity_audit.errors import one_line
from exivity_audit.paths import pruner, shape, sharing_pruner
from exivity_audit.snapshot import Outcome, Place, Record

PAGE = 500
SHORT = 100  # objects of a list: what is equal in them is not worth finding
SPECIFIED = frozenset({
    "Deployment", "StatefulSet", "DaemonSet", "Pod", "Job", "CronJob", "Service", "Ingress", "PersistentVolume", "PersistentVolumeClaim",
    "HorizontalPodAutoscaler",
    "Prometheus", "PrometheusAgent", "ThanosRuler", "Alertmanager", "ServiceMonitor", "PodMonitor", "PrometheusRule",
})  # fmt: skip
"""Kinds of which Kubernetes or the operator takes in no object without a spec: nothing follows from what one lacks that came without."""
Objects = tuple[Any, ...]


class Recorder:
    """The records of one site's reads; safe to use from several threads."""

    def __init__(self, api: Api, target: Target) -> None:
        self._api, self._target = api, target
        self.vault = Vault()
        self._pruners: dict[str, Callable[[Any], Any]] = {}
        self._sharing: dict[str, list[Read]] = {}  # read → those that need the same list
        self._shelf: dict[tuple[str, str], Objects] = {}  # (read, path) → what another read's list held for it
        self._alone: dict[str, threading.Lock] = {}  # path → held while it is listed for several reads
        self._labelled: dict[tuple[str, str], Any] = {}  # (read, name) → an object that a list by label held

    def forget(self) -> None:
        """Forget the values described so far."""
        self.vault = Vault()
        self._pruners.clear()

    def share(self, reads: Iterable[Read]) -> None:
        """Say which reads are still to come: of two that need one list the first asks for both."""
        waiting = {read.name: read for read in reads}
        self._sharing = {}
        self._shelf.clear()
        for read in waiting.values():
            other = waiting.get(read.same_list)
            if other is not None:
                self._sharing.setdefault(read.name, []).append(other)
                self._sharing.setdefault(other.name, []).append(read)

    def at(self, read: Read, served: Served, place: Place) -> Record:
        """One object, or all of a place."""
        try:
            return self._get(read, served, place) if place.name is not None else self._list(read, served, place)
        except Refused:
            return self.record(read, served, place, Outcome.FAILED, None, "a name that cannot be asked for")

    def among(self, read: Read, served: Served, namespace: str | None, names: frozenset[str]) -> tuple[Record | None, frozenset[str]]:
        """Named objects from a list, and the names that are still to be asked for: those of a list that is longer than they are many, or failed."""
        try:
            listing = self._whole(read, served.path(namespace), sought=names)
        except Refused:  # each name then says so
            return None, names
        if listing.failure is not None:
            return None, names
        missed = names - {str(_name(item)) for item in listing.items if item is not None}
        sought: frozenset[str | None] = names
        if missed and not listing.remaining:  # one without a name may be the one that is missed
            sought = names | {None}
        kept = tuple(sorted((item for item in listing.items if item is not None and _name(item) in sought), key=_object_order))
        rest = missed if listing.remaining else frozenset()
        outcome = Outcome.FOUND if kept else Outcome.EMPTY
        record = self.record(read, served, Place(namespace), outcome, listing.status or 200, "", kept)
        return (None if rest and not kept else record), rest

    def may_list(self, review: Served, served: Served, namespace: str) -> bool:
        """Whether the account may list a kind in a namespace: asked, so that nothing is refused."""
        attributes = {"verb": "list", "group": served.group, "version": served.version, "resource": served.plural, "namespace": namespace}
        body = {
            "apiVersion": f"{review.group}/{review.version}",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer: Any = self._api.post_review(review.path(), body).body
        try:
            return answer["status"]["allowed"] is True
        except (KeyError, TypeError):
            return False

    def by_label(self, served: Served, namespace: str, wanted: Mapping[str, Read]) -> None:
        """Put the wanted objects that carry the chart's label ready; each read finds its own under its name."""

        def keep(item: Any) -> None:
            name = _name(item)
            read = wanted.get(name) if name is not None else None
            if read is not None:
                self._labelled[read.name, str(name)] = self._prune(read, item)

        try:
            failure = self._api.list(served.path(namespace), [("labelSelector", chart.SELECTOR)], limit=PAGE, keep=keep).failure
        except Refused:  # asked for by name, each says so
            return
        if failure is not None:
            self._labelled.clear()  # half a list is none

    def told(self, read: Read, place: Place, source: Source, known: Mapping[str, Any]) -> Record:
        """What a server beside the API says for a place."""
        try:
            told = source(place, known)
        except NotAsked as error:
            return self.record(read, None, place, Outcome.NOT_ASKED, None, str(error))
        if told.failure is not None:
            outcome = Outcome.FORBIDDEN if told.failure.kind == "forbidden" else Outcome.FAILED
            return self.record(read, None, place, outcome, told.failure.status, reason_of(told))
        objects = tuple(sorted((self._prune(read, item) for item in told.objects), key=_object_order))
        return self.record(read, None, place, Outcome.FOUND if objects else Outcome.EMPTY, 200, "", objects)

    def failed(self, read: Read, served: Served | None, place: Place, failure: Failure) -> Record:
        """The record of what could not be read."""
        outcome = Outcome.FORBIDDEN if failure.kind == "forbidden" else Outcome.FAILED
        return self.record(read, served, place, outcome, failure.status, "forbidden" if outcome is Outcome.FORBIDDEN else one_line(failure.reason))

    def record(
        self, read: Read, served: Served | None, place: Place, outcome: Outcome, status: int | None, reason: str, objects: Objects = ()
    ) -> Record:
        """A record of a read."""
        return Record(
            read.name, read.resource, served.version if served else None, read.kind, place, outcome, status, reason, tuple(sorted(read.keep)), objects
        )

    def _get(self, read: Read, served: Served, place: Place) -> Record:
        labelled = self._labelled.pop((read.name, str(place.name)), None) if place.namespace == self._target.namespace else None
        if labelled is not None:
            return self.record(read, served, place, Outcome.FOUND, 200, "", (labelled,))
        answer = self._api.get(served.path(place.namespace, place.name), [CACHED])
        if answer.failure is None:
            return self.record(read, served, place, Outcome.FOUND, answer.status, "", (self._prune(read, answer.body),))
        if answer.failure.kind == "not-found":
            guessed = place.namespace == self._target.namespace and not self._target.fullname_seen
            outcome, reason = (Outcome.FAILED, "not found under the name guessed from the release") if guessed else (Outcome.EMPTY, "not found")
            return self.record(read, served, place, outcome, 404, reason)
        return self.failed(read, served, place, answer.failure)

    def _list(self, read: Read, served: Served, place: Place) -> Record:
        path, query = served.path(place.namespace), _selection(place)
        if self._target.marked is not None and (path, query) == self._target.marked[0]:
            listing = self._cut(read, self._target.marked[1])
        elif query:
            cached = [*query, CACHED] if read.few else query
            listing = self._api.list(path, cached, limit=0 if read.few else PAGE, keep=self._cutter(read), shape=partial(shape, read.keep))
        else:
            listing = self._whole(read, path)
        if listing.failure is not None:
            return self.failed(read, served, place, listing.failure)
        objects = tuple(sorted((item for item in listing.items if item is not None), key=_object_order))
        return self.record(read, served, place, Outcome.FOUND if objects else Outcome.EMPTY, listing.status or 200, "", objects)

    def _whole(self, read: Read, path: str, sought: frozenset[str] | None = None) -> Listing:
        """All objects of a path, cut for this read and put on the shelf for those that need the same list.

        Where names are sought, objects of other names are left out as None, and a list is left before its end where more pages follow the
        first than there are names.
        """
        others = self._sharing.get(read.name)
        most = None if sought is None else len(sought)
        if not others:
            return self._api.list(path, [], limit=PAGE, keep=self._cutter(read, sought), shape=partial(shape, read.keep), most=most)
        with self._alone.setdefault(path, threading.Lock()):  # the other read waits, and finds its own on the shelf
            shelved = self._shelf.pop((read.name, path), None)
            return Listing(shelved, None, "", 0, status=200) if shelved is not None else self._for_all(read, others, path, sought)

    def _for_all(self, read: Read, others: list[Read], path: str, sought: frozenset[str] | None) -> Listing:
        cutters = [self._cutter(read, sought), *map(self._cutter, others)]
        most = None if sought is None else len(sought)
        kept = dict.fromkeys(path for one in (read, *others) for path in one.keep)
        both = self._api.list(path, [], limit=PAGE, keep=lambda item: tuple([cut(item) for cut in cutters]), shape=partial(shape, kept), most=most)
        if both.failure is None and not both.remaining:
            for number, other in enumerate(others, 1):
                self._shelf[other.name, path] = tuple(item[number] for item in both.items)  # type: ignore[index]
        return Listing(tuple(item[0] for item in both.items), both.failure, "", both.pages, both.date, both.status, both.remaining)  # type: ignore[index]

    def _cut(self, read: Read, listing: Listing) -> Listing:
        items = tuple(map(self._cutter(read), listing.items))
        return Listing(items, listing.failure, "", listing.pages, listing.date, listing.status)

    def _prune(self, read: Read, item: Any) -> Any:
        """One object, cut; what cuts the objects of a read is made when it is first needed."""
        found = self._pruners.get(read.name)
        if found is None:
            found = self._pruners[read.name] = _cutting(pruner(self._describers(read)), read)
        return found(item)

    def _cutter(self, read: Read, sought: frozenset[str] | None = None) -> Callable[[Any], Any]:
        """What cuts the objects of one list; of those that have a name which is not sought it makes None."""
        cut = _cutting(sharing_pruner(self._describers(read), after=SHORT), read)
        if sought is None:
            return cut
        wanted = sought | {None}  # one without a name may be any of them
        return lambda item: cut(item) if _name(item) in wanted else None

    def _describers(self, read: Read) -> dict[str, Callable[[Any], Any] | None]:
        """The allow-list of a read, its describers bound to the vault, which hears which reads use it."""
        vault = self.vault.of(read.name)

        def bound(name: str) -> Callable[[Any], Any]:
            return lambda value: DESCRIBERS[name](value, vault)

        return {path: bound(name) if name else None for path, name in read.keep.items()}


def _cutting(prune: Callable[[Any], Any], read: Read) -> Callable[[Any], Any]:
    """An object cut by the allow-list of a read and sifted; an entry of a list that is no object is named by its type, never dropped."""
    specified = read.kind in SPECIFIED and any(path.startswith("spec.") for path in read.keep)

    def cut(item: Any) -> Any:
        if not isinstance(item, dict):
            return {"malformed": type(item).__name__}
        kept = prune(item)
        if specified and item.get("spec") is None:
            kept = {**kept, "spec": "missing"}  # a text, which is malformed to whoever looks for what it holds
        return kept if read.sift is None else read.sift(kept)

    return cut


def _selection(place: Place) -> list[tuple[str, str]]:
    return [(key, text) for key, text in (("labelSelector", place.labels), ("fieldSelector", place.fields)) if text]


def _name(item: Any) -> str | None:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    found = metadata.get("name") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) else None


def _object_order(item: Any) -> tuple[str, str]:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    return (str(metadata.get("namespace")), str(metadata.get("name"))) if isinstance(metadata, dict) else ("", "")
