"""Which sites' groups of equal secrets may be compared, and how snapshots taken apart are put together as one.

Groups are numbered in one run, so those of two files say nothing of each other, unless both were collected with the same
parity key: then the keyed hashes tell which values are equal, and the groups are numbered anew over all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec

from exivity_audit.snapshot import SiteSnapshot, Snapshot, walking


class Ringed(Protocol):
    """Anything that has a keyring: a ``SiteSnapshot``, or a member of the fact ``sites``."""

    @property
    def keyring(self) -> str:
        """The ring."""


def comparable(one: Ringed, other: Ringed) -> bool:
    """Whether equal group numbers of two sites mean equal secrets, and different ones different secrets.

    After snapshots taken apart that holds for what the same read and path gave (the live appKey of both, say).
    """
    return one.keyring == other.keyring


def descriptions(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The secret descriptions below a value with their paths, in path order; the members of a list share one path."""
    if isinstance(value, dict):
        if described(value):
            yield path, value["secret"]
            return
        for key in sorted(value):
            yield from descriptions(value[key], f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from descriptions(item, path)


def described_in(objects: Sequence[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The descriptions in the objects of a read, the same way; most objects have none, which their text tells at once."""
    for item in objects:
        if _may_describe(item):
            yield from descriptions(item)


def _may_describe(item: Any) -> bool:
    try:
        return b'{"secret":{' in msgspec.json.encode(item)
    except (UnicodeEncodeError, TypeError, RecursionError):  # no JSON text can be made of it
        return True


def described(value: dict[str, Any]) -> bool:
    """Whether a mapping is the description of a secret."""
    return set(value) == {"secret"} and isinstance(value["secret"], dict) and "group" in value["secret"]


def join(parts: Sequence[Snapshot], order: Sequence[str] = ()) -> Snapshot:
    """Snapshots taken apart as one, its sites in the order of the parts, or as named; groups numbered over all of them. Raises UsageError."""
    if len(parts) == 1 and not order:
        return parts[0]
    units = [(number, site) for number, part in enumerate(parts) for site in part.sites]
    if order:
        units.sort(key=lambda unit: order.index(unit[1].name))
    with walking():
        rings = _rings(units)
        numbers = _numbers(units, rings)
        names = {ring: str(place + 1) if len(set(rings)) > 1 else "" for place, ring in enumerate(dict.fromkeys(rings))}
        sites = tuple(
            msgspec.structs.replace(unit[1], keyring=names[ring], reads=_renumbered(unit[1], _unit(unit), numbers))
            for unit, ring in zip(units, rings, strict=True)
        )
    first = parts[0]
    return Snapshot(first.format, first.version, first.tool, min(part.started for part in parts), max(part.finished for part in parts), sites)


def _unit(unit: tuple[int, SiteSnapshot]) -> str:
    """Sites whose groups were numbered together."""
    return f"{unit[0]}|{unit[1].keyring}"


def _rings(units: Sequence[tuple[int, SiteSnapshot]]) -> list[str]:
    """For each site the ring it ends in: all that one parity key described, else those that were numbered together."""
    keys = {_unit(unit): unit[1].key_check for unit in units if unit[1].key_check}
    return [f"key {keys[_unit(unit)]}" if _unit(unit) in keys else _unit(unit) for unit in units]


def _numbers(units: Sequence[tuple[int, SiteSnapshot]], rings: Sequence[str]) -> dict[tuple[str, int], int]:
    """The new number of each group, in path order; no two rings share one."""
    leader: dict[tuple[str, Any], tuple[str, Any]] = {}

    def find(node: tuple[str, Any]) -> tuple[str, Any]:
        while (above := leader.setdefault(node, node)) != node:
            node = above
        return node

    found: list[tuple[str, int]] = []
    for unit, ring in zip(units, rings, strict=True):
        for body in _bodies(unit[1]):
            node = (_unit(unit), body["group"])
            found.append(node)
            if isinstance(body.get("parity"), str) and unit[1].key_check:
                leader[find(node)] = find((ring, body["parity"]))
    given: dict[tuple[str, Any], int] = {}
    return {node: given.setdefault(find(node), len(given) + 1) for node in found}


def _bodies(site: SiteSnapshot) -> Iterator[dict[str, Any]]:
    for record in site.reads:
        for _, body in described_in(record.objects):
            if isinstance(body["group"], int):
                yield body


def _renumbered(site: SiteSnapshot, unit: str, numbers: dict[tuple[str, int], int]) -> tuple[Any, ...]:
    def anew(value: Any) -> Any:
        if isinstance(value, dict):
            if described(value):
                body = value["secret"]
                return {"secret": {**body, "group": numbers.get((unit, body["group"]), body["group"])}} if isinstance(body["group"], int) else value
            return {key: anew(item) for key, item in value.items()}
        return type(value)(anew(item) for item in value) if isinstance(value, list | tuple) else value

    return tuple(
        msgspec.structs.replace(record, objects=anew(record.objects)) if any(True for _ in described_in(record.objects)) else record
        for record in site.reads
    )
