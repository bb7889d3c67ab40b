"""Paths into API objects: ``spec.containers[].image``, ``metadata.annotations[helm.sh/resource-policy]``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from typing import Any, TypedDict

import msgspec

EACH = "[]"
Describer = Callable[[Any], Any]


@lru_cache(maxsize=4096)
def steps(path: str) -> tuple[str, ...]:
    """The keys of a path in order; ``[]`` stands for each element of a list, ``[a.b/c]`` for one key as it is written."""
    found: list[str] = []
    rest = path
    while rest:
        if rest.startswith("["):
            key, _, rest = rest[1:].partition("]")
            found.append(key or EACH)
            rest = rest.removeprefix(".")
            continue
        cut = min((place for place in (rest.find("."), rest.find("[")) if place >= 0), default=len(rest))
        found.append(rest[:cut])
        rest = rest[cut:].removeprefix(".")
    return tuple(found)


@lru_cache(maxsize=65536)
def covers(keep: tuple[str, ...], path: str) -> bool:
    """Whether an allow-list kept what this path leads to: the path itself, something above it, or parts below it."""
    asked = steps(path)
    for kept in keep:
        have = steps(kept)
        shorter = min(len(have), len(asked))
        if have[:shorter] == asked[:shorter]:
            return True
    return False


def pruner(keep: Mapping[str, Describer | None]) -> Callable[[Any], Any]:
    """The function that cuts objects by an allow-list (see ``prune``), for many objects of one read."""
    tree = _tree(keep)
    return lambda value: _prune(value, tree)


def sharing_pruner(keep: Mapping[str, Describer | None]) -> Callable[[Any], Any]:
    """The same for a long list: what is equal in several of its objects (conditions, tolerations, words) is held once.

    What a describer made is never shared, for descriptions are completed later.
    """
    tree, pool = _tree(keep), dict[Any, Any]()

    def cut(value: Any) -> Any:
        if len(pool) > _POOL:
            pool.clear()
        return _prune_shared(value, tree, pool)

    return cut


def prune(value: Any, keep: Mapping[str, Describer | None]) -> Any:
    """A copy of an API object with the kept paths alone; a describer replaces what it is given.

    A value of an unexpected type at a kept path stays as it is (the fact that reads it says so); what is not kept is gone. One that is
    nested deeper than anybody's is named by its type: whatever walks it later would end in the middle.
    """
    return _prune(value, _tree(keep))


_Tree = dict[str, Any]
_LEAF = "\0leaf"
_DEEPEST, _NESTED = 100, (dict, list)
_POOL = 20_000  # things held at most to compare others with


def _tree(keep: Mapping[str, Describer | None]) -> _Tree:
    tree: _Tree = {}
    for path, describer in keep.items():
        node = tree
        for step in steps(path):
            node = node.setdefault(step, {})
        node[_LEAF] = describer
    return tree


def _prune(value: Any, tree: _Tree) -> Any:
    if _LEAF in tree:
        if isinstance(value, _NESTED) and not _shallow(value, _DEEPEST):
            return _odd(value)
        describer = tree[_LEAF]
        return value if describer is None else describer(value)
    if EACH in tree:
        return [_prune(item, tree[EACH]) for item in value] if isinstance(value, list) else _odd(value)
    if not isinstance(value, dict):
        return _odd(value)
    return {key: _prune(value[key], branch) for key, branch in tree.items() if key in value}


def _shallow(value: Any, levels: int) -> bool:
    """Whether a dict or list is nested in no more than so many levels."""
    items = value.values() if isinstance(value, dict) else value
    return levels > 0 and not any(isinstance(item, _NESTED) and not _shallow(item, levels - 1) for item in items)


def _prune_shared(value: Any, tree: _Tree, pool: dict[Any, Any]) -> Any:
    """As ``_prune``. A dict or list is known by its keys and the very objects in it, which the pool holds; a leaf with several parts by its text."""
    if _LEAF in tree:
        if isinstance(value, _NESTED) and not _shallow(value, _DEEPEST):
            return _odd(value)
        describer = tree[_LEAF]
        if describer is not None:
            return describer(value)
        if isinstance(value, dict | list):
            try:
                return pool.setdefault(msgspec.json.encode(value), value)
            except (UnicodeEncodeError, RecursionError):
                return value
        return pool.setdefault(value, value) if isinstance(value, str) else value
    if EACH in tree:
        if not isinstance(value, list):
            return _odd(value)
        items = [_prune_shared(item, tree[EACH], pool) for item in value]
        return pool.setdefault((EACH, *map(id, items)), items)
    if not isinstance(value, dict):
        return _odd(value)
    made = {key: _prune_shared(value[key], branch, pool) for key, branch in tree.items() if key in value}
    return pool.setdefault((*made, *map(id, made.values())), made)


def _odd(value: Any) -> Any:
    """What stands in for a value of the wrong shape: null stays, anything else is named by its type and never copied."""
    return None if value is None else {"malformed": type(value).__name__}


def shape(keep: Iterable[str]) -> Any:
    """The type whose decoding leaves out of an object what an allow-list does not keep; what fits it not has to be decoded whole."""
    return _shape_of(tuple(keep))


@cache
def _shape_of(keep: tuple[str, ...]) -> Any:
    return _shape(_tree(dict.fromkeys(keep)))


def _shape(tree: _Tree) -> Any:
    if _LEAF in tree:
        return Any
    if EACH in tree:
        return list[_shape_or_none(tree[EACH])]  # type: ignore[misc]
    return TypedDict("Object", {key: _shape_or_none(branch) for key, branch in tree.items()}, total=False)  # type: ignore[operator]


def _shape_or_none(tree: _Tree) -> Any:
    return Any if _LEAF in tree else _shape(tree) | None


def names(values: Iterable[str]) -> tuple[str, ...]:
    """Distinct names in order, the empty ones left out."""
    return tuple(sorted({value for value in values if value}))
