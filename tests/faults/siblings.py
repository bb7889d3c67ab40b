"""Malformed siblings: beside an object that a check finds fault with, or in place of one of its kind, stands one that holds what its API does not say."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from exivity_audit.collect.place import Read
from exivity_audit.collect.reads import READS
from exivity_audit.paths import EACH, steps
from tests.world import RESOURCES, Object, World

NAME = "zz-odd"
HARSH = ("metadata", "name", "body")  # nothing of the object can be believed
WITHOUT_A_SPEC = ("metallb.io/v1beta1/L2Advertisement", "metallb.io/v1beta1/BGPAdvertisement")  # which is well-formed: for every pool


class Disguised(dict[str, Any]):
    """An object that its API server finds by what it was, and serves as what it has become."""

    def __init__(self, item: Object, served: Object) -> None:
        super().__init__(item)
        self.served = served

    def __deepcopy__(self, memo: dict[int, Any]) -> Object:
        return copy.deepcopy(self.served)


def kind_of(item: Object) -> str:
    """Version and kind."""
    return f"{item['apiVersion']}/{item['kind']}"


def key_of(item: Object) -> tuple[Any, ...]:
    """What an API server tells objects apart by."""
    return kind_of(item), item["metadata"].get("namespace"), item["metadata"]["name"]


def ways_of(item: Object) -> tuple[str, ...]:
    """In which ways an object of a kind is malformed as a whole."""
    return (*HARSH, "labels", *(() if kind_of(item) in WITHOUT_A_SPEC else ("spec",)))


def resource_of(world: World, kind: str) -> str | None:
    """The resource of a kind that a world serves."""
    group = kind.rpartition("/")[0].rpartition("/")[0]
    named = (name for name, (_, plain, _) in world.resources.items() if plain == kind.rpartition("/")[2] and name.partition(".")[2] == group)
    return next(named, None)


def reads_of(world: World, kind: str, wanted: Iterable[str]) -> list[Read]:
    """Those of some reads that ask for a kind."""
    resource, names = resource_of(world, kind), set(wanted)
    builtin = resource.partition(".")[0] if resource in RESOURCES else resource
    return [read for read in READS if read.name in names and read.resource in (resource, builtin)]


def fields_of(reads: Iterable[Read]) -> list[str]:
    """Every path that some reads keep of an object, name and namespace aside."""
    return sorted({path for read in reads for path in read.keep} - {"metadata.name", "metadata.namespace"})


def wrong(value: Any) -> Any:
    """A value of another type than this one."""
    return 7 if isinstance(value, str) else "text" if value is not None else {"odd": []}


def _set(item: Any, path: tuple[str, ...]) -> None:
    """Put a value of a wrong type at a path, through the first element of each list on the way."""
    step, rest = path[0], path[1:]
    if step == EACH:
        if isinstance(item, list):
            if rest:
                item[:] = item or [{}]
                _set(item[0], rest)
            else:
                item[:] = [wrong(item[0] if item else ""), *item[1:]]
        return
    if not isinstance(item, dict):
        return
    if not rest:
        item[step] = wrong(item.get(step))
        return
    if item.get(step) is None:
        item[step] = [] if rest[0] == EACH else {}
    _set(item[step], rest)


def malformed(item: Object, way: str) -> Object:
    """A copy of an object that is malformed in one of the ways, or in the field of that path."""
    found: Object = copy.deepcopy(item)
    if way == "metadata":
        found["metadata"] = None
    elif way == "name":
        found["metadata"]["name"] = 7
    elif way == "labels":
        found["metadata"]["labels"] = "text"
    elif way == "body":
        found |= {key: "text" for key in found if key not in ("apiVersion", "kind", "metadata")}
    elif way == "spec":
        found |= {key: None for key in found if key not in ("apiVersion", "kind", "metadata", "status")}
    else:
        _set(found, steps(way))
    return found


@dataclass(frozen=True)
class Sibling:
    """An object beside the others: as it would be were it well-formed, and its kind."""

    item: Object
    place: int | None  # of the object that it stands in for; None beside them
    own: bool = False  # it is the one that the check finds fault with

    @property
    def kind(self) -> str:
        """Version and kind."""
        return kind_of(self.item)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.item["metadata"]["name"])

    def within(self, world: World, way: str | None) -> World:
        """The world with it, malformed in a way; None: well-formed."""
        item: Object = self.item if way is None else Disguised(self.item, malformed(self.item, way))
        found = World([], version=world.version, identity=world.identity)
        found.resources, found.usage, found.deny = world.resources, world.usage, world.deny
        found.objects = [*world.objects, item] if self.place is None else [*world.objects[: self.place], item, *world.objects[self.place + 1 :]]
        return found


def beside(item: Object) -> Sibling:
    """A copy of an object under another name."""
    twin = copy.deepcopy(item)
    twin["metadata"] |= {"name": NAME}
    if "uid" in twin["metadata"]:
        twin["metadata"]["uid"] = "odd00000-0000-4000-8000-000000000000"
    return Sibling(twin, None)


def itself(world: World, item: Object) -> Sibling:
    """An object of a world as the one that is to be malformed."""
    return Sibling(item, next(place for place, other in enumerate(world.objects) if other is item), own=True)


def in_place(world: World, item: Object, touched: set[tuple[Any, ...]]) -> Iterator[Sibling]:
    """The other objects of the same kind and namespace, each as one that is to be malformed."""
    for place, other in enumerate(world.objects):
        alike = kind_of(other) == kind_of(item) and other["metadata"].get("namespace") == item["metadata"].get("namespace")
        if alike and key_of(other) not in touched:
            yield Sibling(other, place)
