"""Odd objects: what a field may hold that its API does not say, and worlds in which some fields do."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from tests.world import Object, World

Path = tuple[Any, ...]


def deep(levels: int, leaf: Any = 1) -> Any:
    """A value inside so many objects and lists."""
    for number in range(levels):
        leaf = {"a": leaf} if number % 2 else [leaf]
    return leaf


QUANTITIES = (
    "1e3", "1Ei", "-1", "", "0", "9Ei", "1e999", "1e-999", "0x10", "１Gi", "1.5.5", "NaN", "inf", "-0", "1E", "٣Gi", "1 Gi", "+5", ".5", "5.", "1e", "9" * 5000, "100m", "1n",
)  # fmt: skip
DATES = (
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "2026-11-23", "now", "2026-11-23T12:00:00+25:00", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00", "2026-11-23T12:00:00", "2026-11-23T12:00:00.123456789Z", "2026-W48-1", "20261123T120000Z", "2262-04-12T00:00:00Z", "1970-01-01T00:00:00Z",
)  # fmt: skip
TEXTS = (
    "a", " ", "\n", "\0", "\x1b[2J", "\u202egnp", "‮", "a" * 300, "a" * 100_000, "../../etc/passwd", "http://[::1", "https://u:pw@h:99999/x?a=b#c", "*", "${X}", "{{ x }}", "true", "-1",
    "0 0 31 2 *", "@every 1s", "* * * * * * *", "a.b.c.d.e", "UPPER", "ünïcødé", "😀", "a=b,c in (d)", "[", "]", "key=", "=", ":", "/", "::", "1:2:3", "10.0.0.0/99", "::/0", "0.0.0.0", "None", "null",
)  # fmt: skip
NUMBERS = (0, -1, 1, 2, 7, 2**31, 2**53 + 1, 2**63, 2**70, -(2**63), 10**300, 1e308, -1e308, 5e-324, 1.5, -0.0, True, False)
OTHERS = (
    None,
    [],
    {},
    [None],
    [[]],
    [{}],
    [1, "a", None, {}, []],
    {"": ""},
    {"a": None},
    {"name": None},
    {"name": 1},
    {"malformed": "str"},
    {"secret": {}},
    ["a", "a"],
    {"matchLabels": 3},
)
LARGE = ("deep", "wide", "long")
VALUES: tuple[Any, ...] = (*OTHERS, *QUANTITIES, *DATES, *TEXTS, *NUMBERS, *LARGE)
DROP, TWICE = "drop", "twice"
ACTS: tuple[Any, ...] = (DROP, TWICE, *range(len(VALUES)))
TURNS = 200  # changes of one object whose order is drawn


def value(number: int) -> Any:
    """One of the odd values; the large ones are made when asked for."""
    found = VALUES[number]
    if found == "deep" and number >= len(VALUES) - len(LARGE):
        return deep(400)
    if found == "wide" and number >= len(VALUES) - len(LARGE):
        return {f"k{index}": "v" for index in range(2000)}
    if found == "long" and number >= len(VALUES) - len(LARGE):
        return ["x"] * 2000
    return copy.deepcopy(found)


def paths(item: Any, start: Path = ()) -> Iterator[Path]:
    """The path of every value in an object, the object's own kind and version left out: by them the API server finds it."""
    pairs: Any = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    for key, inner in pairs:
        if start or key not in ("apiVersion", "kind"):
            yield (*start, key)
            yield from paths(inner, (*start, key))


def changed(item: Object, path: Path, act: Any) -> Object:
    """A copy of an object with one value taken away, doubled or odd."""
    found = copy.deepcopy(item)
    holder: Any = found
    for step in path[:-1]:
        holder = holder[step]
    last = path[-1]
    if act == DROP:
        del holder[last]
    elif act == TWICE and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[last]))
    elif act == TWICE:
        holder[last] = [holder[last], copy.deepcopy(holder[last])]
    else:
        holder[last] = value(act)
    return found


def mark(base: str, number: int, text: str) -> str:
    """What tells one mutated object from every other: the cluster, which object of it, and what became of it as JSON."""
    return blake2b(f"{base} {number} {text}".encode(), digest_size=8).hexdigest()


class Odd:
    """A world whose objects can be changed many times: the original stays, only what changed is copied."""

    def __init__(self, name: str, world: World) -> None:
        self._name, self._world = name, world
        self._paths = [list(paths(item)) for item in world.objects]
        self._texts = [json.dumps(item) for item in world.objects]
        self.size = len(world.objects)
        self._orders: dict[int, list[int]] = {}  # number of an object → its changes, in the order in which their turn comes

    def with_changes(self, changes: list[tuple[int, int, Any]]) -> World:
        """The world with some objects changed: number of the object, of the path, and what is done there."""
        made = World([], version=self._world.version, identity=self._world.identity)
        made.resources, made.usage = self._world.resources, self._world.usage
        made.objects = list(self._world.objects)
        for place, way, act in changes:
            number = place % self.size
            known = self._paths[number]
            try:
                made.objects[number] = changed(made.objects[number], known[way % len(known)], act)
            except (KeyError, IndexError, TypeError):  # an earlier change took the way there away
                continue
            if not isinstance(made.objects[number].get("metadata"), dict):
                made.objects[number] = {**made.objects[number], "metadata": {"name": None}}  # the API server serves no object without any
        return made

    def marks(self, world: World) -> set[str]:
        """The marks of the objects that are not what they were; a change that left an object as it was is none."""
        pairs = enumerate(zip(world.objects[: self.size], self._world.objects, strict=True))
        texts = ((number, json.dumps(now)) for number, (now, was) in pairs if now is not was)
        return {mark(self._name, number, text) for number, text in texts if text != self._texts[number]}

    def half(self, turn: int) -> list[tuple[int, int, Any]]:
        """A change for each of half of the objects: two turns take every object once, and no object the same change in any two of them."""
        order = random.Random(f"{self._name} {turn // 2}").sample(range(self.size), self.size)
        middle = self.size // 2
        return [self._change(number, turn // 2) for number in (order[middle:] if turn % 2 else order[:middle])]

    def _change(self, number: int, turn: int) -> tuple[int, int, Any]:
        if number not in self._orders:
            every = len(self._paths[number]) * len(ACTS)
            self._orders[number] = random.Random(f"{self._name} {number}").sample(range(every), min(every, TURNS))
        way, act = divmod(self._orders[number][turn % len(self._orders[number])], len(ACTS))
        return number, way, ACTS[act]
