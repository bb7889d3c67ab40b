"""A read: what is asked of the API, where, and what of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from msgspec import Struct

from exivity_audit.document import Document, Malformed
from exivity_audit.fact import Objects, Unreadable
from exivity_audit.snapshot import Place

Where = Callable[..., Iterable[Place]]
Led = TypeVar("Led")


class Read(Struct, frozen=True):
    """One read of the product.

    ``where`` yields places and asks, by parameter name, for ``release``, ``secrets`` or earlier reads. ``keep`` is the allow-
    list: path → None (kept as it is) or a describer's name. ``otherwise`` gives the places that are tried when those of ``where``
    are forbidden; ``incomplete``: those may miss some, so the refusal stays on record. ``bulk``: the places are names of cluster
    objects, read as one list page where that holds them all, by name else. ``by_name``: the places are names that follow from
    other reads. ``sift`` looks at a whole object that was cut, where what may be kept depends on its content; None: the object is
    not kept. ``opt_in``: asked of a server beside the API, and only where the run says so; the text is the flag or setting that
    says it. ``few``: so few objects fit the selectors of its places that they are asked of the API server's own cache, in one answer.
    ``labelled``: names of objects that carry the chart's label. ``same_list``: the read that needs the same list of all objects.
    """

    name: str
    resource: str
    where: Where
    keep: dict[str, str | None]
    kind: str
    otherwise: Where | None = None
    incomplete: bool = False
    bulk: bool = False
    by_name: bool = False
    sift: Callable[[Any], Any] | None = None
    opt_in: str = ""
    few: bool = False
    labelled: bool = False
    same_list: str = ""


def paths(text: str, described: dict[str, str] | None = None, *, base: bool = True) -> dict[str, str | None]:
    """An allow-list from paths separated by white space, with the object's name, namespace and those that are described."""
    start = "metadata.name metadata.namespace " if base else ""
    return {**dict.fromkeys((start + text).split()), **(described or {})}


def release_namespace(labels: str | None = None, fields: str | None = None) -> Where:
    """All objects of the release's namespace."""

    def where(release: Any) -> Iterable[Place]:
        yield Place(release.namespace, None, labels, fields)

    return where


def cluster(labels: str | None = None) -> Where:
    """All objects of the cluster."""

    def where() -> Iterable[Place]:
        yield Place(None, None, labels)

    return where


def in_namespace(namespace: str, labels: str | None = None) -> Where:
    """All objects of one namespace that is known by name."""

    def where() -> Iterable[Place]:
        yield Place(namespace, None, labels)

    return where


def named(*patterns: str) -> Where:
    """Objects of the release's namespace by name; ``{fn}`` and ``{release}`` are filled in."""

    def where(release: Any) -> Iterable[Place]:
        for pattern in patterns:
            yield Place(release.namespace, pattern.format(fn=release.fullname, release=release.name))

    return where


def values(read: Objects[Any] | Unreadable, path: str) -> tuple[str, ...]:
    """The distinct texts at a path of a read's objects; raises MissingRead where it was not read.

    An object that is malformed on the way leads nowhere: it is unknown by itself and hides nothing that others lead to.
    """
    if isinstance(read, Unreadable):
        raise MissingRead(read)
    return tuple(sorted({item for item in led(read, lambda document: document.get(path)) if isinstance(item, str) and item}))


def led(documents: Iterable[Document], way: Callable[[Document], Led]) -> Iterator[Led]:
    """Where each document leads; one that is malformed on the way leads nowhere, and hides nothing that others lead to."""
    for document in documents:
        try:
            found = way(document)
        except Malformed:
            continue
        yield found


class MissingRead(Exception):
    """The places of a read follow from another read that could not be seen."""

    def __init__(self, read: Unreadable) -> None:
        super().__init__("; ".join(reason.text for reason in read.reasons))
        self.read = read


class NotAsked(Exception):
    """The run was told not to ask; the text is the flag that said so."""
