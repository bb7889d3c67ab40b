"""One thing broken in a conforming cluster, and the check that must say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from exivity_audit.config import Config
from exivity_audit.verdict import Status

Object = dict[str, Any]


class Cluster(Protocol):
    """What a mutation may do, to a world in memory or to a real API server."""

    def edit(self, kind: str, name: str, change: Callable[[Object], Any], namespace: str | None = None) -> None: ...

    def add(self, *objects: Object) -> None: ...

    def remove(self, kind: str, name: str) -> Object: ...

    def all(self, kind: str) -> Iterator[Object]: ...


@dataclass(frozen=True)
class Mutation:
    """``base`` names a builder of tests/builders.py; ``check`` turns to ``to`` (fail unless said), its followers may skip.

    ``live`` is false where a real control plane would undo the change at once (pod status), so it is tried in memory alone.
    ``also`` names checks that rightly turn too (one object, two clauses).
    """

    name: str
    base: str
    check: str
    change: Callable[[Any], Any]
    to: Status = Status.FAIL
    also: tuple[str, ...] = ()
    live: bool = True
    config: Config = field(default_factory=Config)


def deep(item: Object, path: str) -> Any:
    """The value at a path of keys and list numbers: ``spec.rules.0.host``."""
    for step in path.split("."):
        item = item[int(step)] if isinstance(item, list) else item[step]
    return item


def put(path: str, value: Any) -> Callable[[Object], None]:
    """A change that sets the value at a path (dots separate, ``\\\\.`` is a dot inside a key), making maps on the way."""

    def change(item: Object) -> None:
        steps = [step.replace("\0", ".") for step in path.replace("\\.", "\0").split(".")]
        for step in steps[:-1]:
            item = item[int(step)] if isinstance(item, list) else item.setdefault(step, {})
        if isinstance(item, list):
            item[int(steps[-1])] = value
        else:
            item[steps[-1]] = value

    return change


def drop(path: str) -> Callable[[Object], None]:
    """A change that takes the value at a path away."""

    def change(item: Object) -> None:
        steps = [step.replace("\0", ".") for step in path.replace("\\.", "\0").split(".")]
        for step in steps[:-1]:
            item = item[int(step)] if isinstance(item, list) else item[step]
        if isinstance(item, list):
            del item[int(steps[-1])]
        else:
            item.pop(steps[-1], None)

    return change
