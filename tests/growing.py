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


def local_volumes(world: World, count: int) -> Iterator[Object]:
    """Nodes with a volume of others on the disk of each, and volumes that do not say where they lie."""
    nodes = [item for item in world.objects if item["kind"] in ("Node", "CSINode")]
    volume = world.find("PersistentVolume", "pvc-exivity-exported")
    hostname = "kubernetes.io/hostname"
    for number in range(count):
        name = f"only-{number}"
        for item in _again(nodes, ('"only"', f'"{name}"')):
            if item["kind"] == "Node":
                item["metadata"]["labels"].pop("node-role.kubernetes.io/control-plane", None)
            yield item
        for item in _again([volume], ("exivity-exported", f"of-others-{number}"), ('"exivity"', f'"team-{number}"')):
            terms = [{"matchExpressions": [{"key": hostname, "operator": "In", "values": [name]}]}]
            item["spec"]["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
            yield item
            if number % 4 == 0:
                spec = {key: value for key, value in item["spec"].items() if key != "nodeAffinity"}
                yield {**item, "metadata": {**item["metadata"], "name": f"adrift-{number}"}, "spec": spec}


def velero(world: World, count: int) -> Iterator[Object]:
    """Schedules of Velero with backups and restores of theirs, chosen by labels that nothing carries, and pods that mount a claim."""
    kinds = ("Schedule", "Backup", "Restore", "PodVolumeBackup")
    found = [item for item in world.objects if item["apiVersion"] == "velero.io/v1" and item["kind"] in kinds]
    newest = found[-1] if found[-1]["kind"] == "PodVolumeBackup" else next(item for item in found if item["kind"] == "PodVolumeBackup")
    backup = newest["metadata"]["labels"]["velero.io/backup-name"]
    pattern = [item for item in found if item["kind"] in ("Schedule", "Restore") or item["metadata"]["name"] == backup]
    pattern += [item for item in found if item["metadata"].get("annotations", {}).get("velero.io/pvc-name") == "exivity-exported"]
    mounting = next(item for item in world.all("Pod") if "exivity-exported" in json.dumps(item))
    for number in range(count):
        again = _again([*pattern, mounting], ("exivity-daily", f"nightly-{number}"), ("exivity-rehearsal", f"rehearsal-{number}"),
                       (mounting["metadata"]["name"], f"mount-{number}"))  # fmt: skip
        for item in again:
            if item["kind"] in ("Schedule", "Backup"):
                template = item["spec"]["template"] if item["kind"] == "Schedule" else item["spec"]
                template["labelSelector"] = {"matchLabels": {"team": f"team-{number}"}}
            elif item["kind"] == "Restore":
                item["status"]["phase"] = "PartiallyFailed"
            elif item["kind"] == "Pod":
                item["metadata"]["labels"]["pod-template-hash"] = f"{number:08x}"
            yield item


def rules(world: World, count: int) -> Iterator[Object]:
    """Rules of others, with an alert on their own recorded series, and alerts on what the product's alerts are on."""
    pattern = [world.find("PrometheusRule", "pg", "databases"), world.find("PrometheusRule", "longhorn", "monitoring")]
    for number in range(count):
        for item in _again(pattern, ('"name": "', f'"name": "team-{number}-')):
            record = {"record": f"team{number}:errors:rate5m", "expr": "rate(errors_total[5m])"}
            alert = {"alert": f"Errors{number}", "expr": f"team{number}:errors:rate5m > 1", "labels": {"severity": "warning"}}
            item["spec"]["groups"][0]["rules"] += [record, alert]
            yield item


def routes(world: World, count: int) -> Iterator[Object]:
    """HTTPRoutes on a Gateway of their own; every other one leads to the product, under a host of its own."""
    pattern = [*world.all("Gateway"), *world.all("HTTPRoute")]
    for number in range(count):
        other = () if number % 2 else (('"name": "exivity-', f'"name": "team-{number}-'),)
        yield from _again(
            pattern, ('"name": "exivity-redirect"', f'"name": "redirect-{number}"'), ('"name": "exivity"', f'"name": "way-{number}"'),
            (builders.HOST, f"host-{number}.acme.eu"), *other,
        )  # fmt: skip


def applications(world: World, count: int) -> Iterator[Object]:
    """Applications of Argo CD for the products of others, each with as many objects as the release has."""
    pattern = list(world.all("Application"))
    for number in range(count):
        yield from _again(pattern, ('"exivity', f'"team-{number}'))


KINDS: dict[str, Grown] = {"pods": pods, "claims": claims, "nodes": nodes, "services": services, "ingresses": ingresses, "rules": rules}
APART: dict[str, tuple[Callable[[], World], Grown]] = {
    "local_volumes": (builders.single_node, local_volumes),
    "velero": (builders.single_node, velero),
    "routes": (builders.multi_node_gateway, routes),
    "applications": (builders.multi_node_argo, applications),
}
"""Kinds that the conforming multi-node cluster has none of, with the cluster that has."""


def grown(base: Callable[[], World] = builders.multi_node, **counts: int) -> World:
    """A conforming cluster, the one of several nodes if no other, with so many more of some kinds."""
    world = base()
    known = KINDS | {kind: grow for kind, (_, grow) in APART.items()}
    more: list[Any] = [item for kind, count in counts.items() for item in known[kind](world, count)]
    world.objects.extend(more)
    return world
