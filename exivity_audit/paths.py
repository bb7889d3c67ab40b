"""Paths into API objects: ``spec.containers[].image``, ``metadata.annotations[helm.sh/resource-policy]``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache, partial
from itertools import count
from typing import Any, TypedDict

import msgspec

EACH = "[]"
Describer = Callable[[Any], Any]
Cut = Callable[[Any], Any]


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


def covers(keep: tuple[str, ...], path: str) -> bool:
    """Whether an allow-list kept what this path leads to: the path itself, something above it, or parts below it."""
    asked = steps(path)
    for kept in keep:
        have = steps(kept)
        shorter = min(len(have), len(asked))
        if have[:shorter] == asked[:shorter]:
            return True
    return False


def pruner(keep: Mapping[str, Describer | None]) -> Cut:
    """The function that cuts objects by an allow-list (see ``prune``), for many objects of one read."""
    return _cut_by(keep)


def sharing_pruner(keep: Mapping[str, Describer | None], *, after: int) -> Cut:
    """The same for a list that may be long: what is equal in several of its objects (conditions, tolerations, words) is held once.

    To find what is equal costs as much as cutting, so that the first objects are cut alone: most lists are short. What a describer made
    is never shared, for descriptions are completed later.
    """
    pool, seen = _Pool(), count(1)
    alone, together = (cache(partial(_cut_by, keep, held)) for held in (None, pool))  # made when first needed: many lists are empty

    def cut(value: Any) -> Any:
        if next(seen) <= after:
            return alone()(value)
        if len(pool) > _POOL:
            pool.clear()
        return together()(value)

    return cut


def prune(value: Any, keep: Mapping[str, Describer | None]) -> Any:
    """A copy of an API object with the kept paths alone; a describer replaces what it is given.

    A value of an unexpected type at a kept path stays as it is (the fact that reads it says so); what is not kept is gone. One that is
    nested deeper than anybody's is named by its type: whatever walks it later would end in the middle.
    """
    return pruner(keep)(value)


_Tree = dict[str, Any]
_Pool = dict[Any, Any]
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


def _cut_by(keep: Mapping[str, Describer | None], pool: _Pool | None = None) -> Cut:
    return _cutter(_tree(keep), pool)


def _cutter(tree: _Tree, pool: _Pool | None) -> Cut:
    """What cuts a value by a tree: a function for each of its nodes, made once for all objects. With a pool equal parts are held once."""
    if _LEAF in tree:
        return _leaf(tree[_LEAF], pool)
    return _list(_cutter(tree[EACH], pool), pool) if EACH in tree else _object(tree, pool)


def _object(tree: _Tree, pool: _Pool | None) -> Cut:
    branches = tuple((key, None if _LEAF in branch and branch[_LEAF] is None else _cutter(branch, pool)) for key, branch in tree.items())
    kept = _leaf(None, pool)

    def cut(value: Any) -> Any:
        if not isinstance(value, dict):
            return _odd(value)
        made = {}
        for key, branch in branches:
            if key in value:
                part = value[key]
                if branch is not None:
                    made[key] = branch(part)
                elif part.__class__ is str:  # as most are
                    made[key] = part if pool is None else pool.setdefault(part, part)
                else:
                    made[key] = kept(part)
        return made

    return cut if pool is None else _once(cut, pool)


def _list(each: Cut, pool: _Pool | None) -> Cut:
    def cut(value: Any) -> Any:
        return [each(item) for item in value] if isinstance(value, list) else _odd(value)

    return cut if pool is None else _once(cut, pool)


def _once(cut: Cut, pool: _Pool) -> Cut:
    """A dict or list is known by its keys and the very objects in it, which the pool holds."""

    def cut_once(value: Any) -> Any:
        made = cut(value)
        if isinstance(made, dict):
            return pool.setdefault((*made, *map(id, made.values())), made)
        return pool.setdefault((EACH, *map(id, made)), made) if isinstance(made, list) else made

    return cut_once


def _leaf(describer: Describer | None, pool: _Pool | None) -> Cut:
    def cut(value: Any) -> Any:
        if isinstance(value, _NESTED):
            if not _shallow(value, _DEEPEST):
                return _odd(value)
            if describer is None and pool is not None:
                return _same(value, pool)
        if describer is not None:
            return describer(value)
        return pool.setdefault(value, value) if pool is not None and isinstance(value, str) else value

    return cut


def _same(value: Any, pool: _Pool) -> Any:
    """A leaf with several parts is known by its text."""
    try:
        return pool.setdefault(msgspec.json.encode(value), value)
    except (UnicodeEncodeError, RecursionError):
        return value


def _shallow(value: Any, levels: int) -> bool:
    """Whether a dict or list is nested in no more than so many levels."""
    if levels <= 0:
        return False
    nested = [item for item in (value.values() if isinstance(value, dict) else value) if isinstance(item, _NESTED)]  # mostly none
    return not nested or all(_shallow(item, levels - 1) for item in nested)


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
