"""A conforming cluster with more of a kind of object: what judging it costs must grow as the objects do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests import builders
from tests.world import Object, World

Grown = Callable[[World, int], Iterator[Object]]


def _again(items: list[Object], *changes: tuple[str, str]) -> Iterator[Object]:
    """The same objects under other names."""
    text = json.dumps(items)
    for old, new in changes:
        text = text.replace(old, new)
    yield from json.loads(text)


def _named(world: World, word: str, *kinds: str) -> list[Object]:
    """The objects with a word in their name, of these kinds or of all."""
    return [item for item in world.objects if word in item["metadata"]["name"] and (not kinds or item["kind"] in kinds)]


def pods(world: World, count: int) -> Iterator[Object]:
    """Pods in the audited namespace: every other one of a service of the product, and each with an owner of its own."""
    pattern = [world.find("Pod", "exivity-edify-6d5f-0", "exivity")]
    for number in range(count):
        yield from _again(pattern, ("6d5f-0", f"6d5f-x{number}"), *(() if number % 2 else (("edify", f"guest-{number}"),)))


def claims(world: World, count: int) -> Iterator[Object]:
    """Claims with a volume, its replicas and backups, and a pod that mounts it."""
    pattern = _named(world, "exivity-exported")
    mounting = next(item for item in world.all("Pod") if "exivity-exported" in json.dumps(item))
    for number in range(count):
        yield from _again([*pattern, mounting], ("exivity-exported", f"exivity-exported-{number}"), (mounting["metadata"]["name"], f"mount-{number}"))


def nodes(world: World, count: int) -> Iterator[Object]:
    """Workers with a disk for Longhorn."""
    pattern = _named(world, "worker-1", "Node", "CSINode")
    for number in range(count):
        yield from _again(pattern, ("worker-1", f"worker-1{number:04}"))


def services(world: World, count: int) -> Iterator[Object]:
    """Workloads with pods, a Service, its endpoints, a budget and a monitor."""
    pattern = [item for item in _named(world, "exivity-glass") if item["kind"] != "ConfigMap"]
    for number in range(count):
        yield from _again(pattern, ("glass", f"glass-{number}"))


def ingresses(world: World, count: int) -> Iterator[Object]:
    """Ways in, each with a host of its own."""
    pattern = _named(world, "exivity", "Ingress")
    name = pattern[0]["metadata"]["name"]
    for number in range(count):
        for item in _again(pattern, (builders.HOST, f"host-{number}.acme.eu")):
            item["metadata"]["name"] = f"{name}-{number}"
            yield item


KINDS: dict[str, Grown] = {"pods": pods, "claims": claims, "nodes": nodes, "services": services, "ingresses": ingresses}


def grown(**counts: int) -> World:
    """The conforming multi-node cluster with so many more of some kinds."""
    world = builders.multi_node()
    more: list[Any] = [item for kind, count in counts.items() for item in KINDS[kind](world, count)]
    world.objects.extend(more)
    return world
