"""A cluster of ten thousand pods behind the proxy: its long lists are written page by page, so that the server costs next to nothing."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from tests import builders
from tests.collect.fake_server import Asked, Reply
from tests.faults.proxy import Backend, in_memory
from tests.world import Object, World, labels_fit

NAMESPACE = "exivity"
EVICTED, OTHERS, ELSEWHERE = 4000, 4000, 2000  # pods: of the release but dead, of others in its namespace, in other namespaces
CLAIMS, CLAIMS_HERE, NODES, VOLUMES, REPLICAS, BACKUPS = 5000, 500, 1000, 600, 900, 500
_LIST = re.compile(r"^/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[a-z]+)$")
_NOTE = "x" * 1500  # what kubectl, controllers and managed fields add to every object of a real cluster


@dataclass
class Crowd:
    """Objects of one kind, as JSON: the namespace, the labels and the fields that selectors look at, and the text."""

    items: list[tuple[str, dict[str, str], dict[str, str], bytes]] = field(default_factory=list)

    def add(self, item: Object) -> None:
        """Take one in, with the weight that real objects carry."""
        metadata = item["metadata"]
        metadata["managedFields"] = [{"manager": "kubelet", "operation": "Update", "fieldsV1": {"f:status": {_NOTE: {}}}}]
        fields = {"spec.nodeName": item.get("spec", {}).get("nodeName", "")}
        self.items.append((metadata.get("namespace", ""), metadata.get("labels") or {}, fields, json.dumps(item).encode()))

    def chosen(self, namespace: str | None, query: dict[str, str]) -> list[bytes]:
        """Those that a request asks for."""
        fields = dict(part.split("=", 1) for part in query.get("fieldSelector", "").split(",") if part)
        found = [one for one in self.items if namespace in (None, one[0]) and all(one[2].get(key) == value for key, value in fields.items())]
        return [text for _, labels, _, text in found if labels_fit(query.get("labelSelector", ""), {"metadata": {"labels": labels}})]


def _pod(template: Object, name: str, namespace: str, labels: dict[str, str], node: str, phase: str) -> Object:
    item: Object = json.loads(json.dumps(template))
    item["metadata"] |= {"name": name, "namespace": namespace, "labels": labels, "uid": f"pod-{name}", "annotations": {"internal.corp/note": _NOTE}}
    item["spec"]["nodeName"] = node
    item["spec"]["containers"][0]["env"] = [{"name": f"VALUE_{number}", "value": "some value"} for number in range(15)]
    item["status"] |= {"phase": phase, **({"reason": "Evicted", "message": "The node was low on resource: memory."} if phase == "Failed" else {})}
    return item


def crowds(world: World) -> dict[str, Crowd]:
    """The long lists of the big cluster, those of a conforming one among them, by ``plural.group``."""
    found = {
        name: Crowd()
        for name in (
            "pods",
            "persistentvolumeclaims",
            "persistentvolumes",
            "nodes",
            "volumes.longhorn.io",
            "replicas.longhorn.io",
            "backups.postgresql.cnpg.io",
        )
    }
    for name, crowd in found.items():
        kind = world.resources[name][1]
        for item in [one for one in world.objects if one["kind"] == kind and one["apiVersion"].rpartition("/")[0] == name.partition(".")[2]]:
            crowd.add(item)
    pods, machines = [one for one in world.all("Pod") if one["metadata"]["namespace"] == NAMESPACE], list(world.all("/Node"))
    workers = [one for one in world.objects if one["kind"] == "Node" and one["apiVersion"] == "v1"]
    for number in range(NODES - len(found["nodes"].items)):
        found["nodes"].add(builders.node(f"other-{number}", "abc"[number % 3]))
    for number in range(EVICTED):
        dead = pods[number % len(pods)]
        found["pods"].add(
            _pod(
                dead,
                f"{dead['metadata']['name']}-{number}",
                NAMESPACE,
                dead["metadata"]["labels"],
                workers[number % len(workers)]["metadata"]["name"],
                "Failed",
            )
        )
    for number in range(OTHERS + ELSEWHERE - len(machines)):
        namespace = NAMESPACE if number < OTHERS else f"team-{number % 40}"
        found["pods"].add(_pod(pods[0], f"batch-{number}", namespace, {"app": "batch", "number": str(number)}, f"other-{number % 900}", "Running"))
    claim, volume = next(world.all("PersistentVolumeClaim")), next(world.all("PersistentVolume"))
    for number in range(CLAIMS):
        namespace = NAMESPACE if number < CLAIMS_HERE else f"team-{number % 40}"
        name = f"data-{number}"
        found["persistentvolumeclaims"].add(_renamed(claim, name, namespace, volumeName=f"pvc-{name}"))
        found["persistentvolumes"].add(
            _renamed(
                volume,
                f"pvc-{name}",
                None,
                claimRef={"namespace": namespace, "name": name},
                csi=volume["spec"]["csi"] | {"volumeHandle": f"pvc-{name}"},
            )
        )
    longhorn = next(world.all("longhorn.io/Volume"))
    replica = next(world.all("longhorn.io/Replica"))
    backup = next(world.all("postgresql.cnpg.io/Backup"))
    for name, template, count in (
        ("volumes.longhorn.io", longhorn, VOLUMES),
        ("replicas.longhorn.io", replica, REPLICAS),
        ("backups.postgresql.cnpg.io", backup, BACKUPS),
    ):
        for number in range(count):
            found[name].add(_renamed(template, f"pvc-data-{number}", template["metadata"]["namespace"]))
    return found


def _renamed(template: Object, name: str, namespace: str | None, **spec: Any) -> Object:
    item: Object = json.loads(json.dumps(template))
    item["metadata"] |= {"name": name, "uid": f"uid-{name}", "labels": {"app": "batch"}} | ({"namespace": namespace} if namespace else {})
    item["spec"] |= spec
    return item


def big_cluster() -> Backend:
    """A conforming cluster amid the crowds, as an API server; page tokens are places in the list."""
    world = builders.multi_node()
    rest, many = in_memory(world), crowds(world)
    by_name = {
        name: {json.loads(text)["metadata"]["name"]: text for _, _, _, text in crowd.items} for name, crowd in many.items() if "volumes" in name
    }

    def answer(asked: Asked) -> Reply:
        match = _LIST.match(asked.path)
        name = ".".join(filter(None, (match["plural"], match["group"]))) if match else ""
        if match is None or name not in many:
            return _single(asked, by_name) or rest(asked)
        found, start = many[name].chosen(match["namespace"], asked.query), int(asked.query.get("continue") or 0)
        limit = int(asked.query.get("limit") or len(found) or 1)
        more = str(start + limit) if start + limit < len(found) else ""
        head = {"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "7", "continue": more}}
        return Reply(200, json.dumps(head).encode()[:-1] + b', "items": [' + b",".join(found[start : start + limit]) + b"]}")

    return answer


def _single(asked: Asked, by_name: dict[str, dict[str, bytes]]) -> Reply | None:
    parts = asked.path.split("/")
    name = "persistentvolumes" if parts[-2] == "persistentvolumes" else "volumes.longhorn.io" if parts[-2] == "volumes" else ""
    found = by_name.get(name, {}).get(parts[-1])
    return Reply(200, found) if found is not None else None
