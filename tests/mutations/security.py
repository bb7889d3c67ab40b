"""Mutations of the row security."""

from __future__ import annotations

from typing import Any

from exivity_audit.verdict import Status
from tests.builders import made, stamp
from tests.mutation import Mutation, put

GLASS, CONTAINER = "exivity-glass", "spec.template.spec.containers.0"
CHART = [{"manager": "helm", "operation": "Update", "time": stamp(400), "fieldsV1": {"f:data": {"f:x": {}}}}]


def _old(kind: str, name: str) -> Any:
    def change(c: Any) -> None:
        c.edit(kind, name, put("metadata.creationTimestamp", stamp(500)))
        c.edit(kind, name, put("metadata.managedFields", CHART))

    return change


def _old_configs(c: Any) -> None:
    for item in [item for item in c.all("ConfigMap") if "config.json" in (item.get("data") or {})]:
        _old("ConfigMap", item["metadata"]["name"])(c)


def _glass(path: str, value: Any) -> Any:
    return lambda c: c.edit("Deployment", GLASS, put(path, value))


def _pulling(c: Any, kind: str | None) -> None:
    c.edit("Deployment", GLASS, put("spec.template.spec.imagePullSecrets", [{"name": "registry"}]))
    if kind:
        c.add(made("v1", "Secret", "registry", "exivity", type=kind, data={}))


MUTATIONS = [
    Mutation("the database password is older than a year", "multi_node", "security/credential-rotation", _old("Secret", "exivity-postgres-secret"), live=False),
    Mutation("the jwtSecret is older than a year", "single_node", "security/credential-rotation", _old("Secret", "exivity-jwt-secret"), live=False),
    Mutation("the broker password is older than a year", "multi_node", "security/credential-rotation", _old_configs, live=False),
    Mutation("an image is latest", "multi_node", "security/images-patched", _glass(f"{CONTAINER}.image", "docker.io/exivity/glass:latest"), also=("upgrades/versions-aligned",)),
    Mutation("an image is a branch", "single_node", "security/images-patched", _glass(f"{CONTAINER}.image", "docker.io/exivity/glass:feature-EXVT-12"), also=("upgrades/versions-aligned",)),
    Mutation("the broker runs from a tag that moves", "multi_node", "security/images-patched",
             lambda c: c.edit("Pod", "mq-server-0", put("spec.containers.0.image", "docker.io/library/rabbitmq:management")), live=False),
    Mutation("the chart's helper prepares the volumes", "multi_node", "security/images-patched", _glass(
        "spec.template.spec.initContainers", [{"name": "set-volume-permissions", "image": "busybox:stable", "securityContext": {"runAsUser": 0, "runAsNonRoot": False}}]), Status.WARN),
    Mutation("a container runs as root", "multi_node", "security/pod-security", _glass(f"{CONTAINER}.securityContext", {"runAsUser": 0, "runAsNonRoot": False})),
    Mutation("a container is privileged", "single_node", "security/pod-security", _glass(f"{CONTAINER}.securityContext", {"privileged": True})),
    Mutation("a pod has the node's network", "multi_node", "security/pod-security", _glass("spec.template.spec.hostNetwork", True)),
    Mutation("a pod has a folder of the node", "multi_node", "security/pod-security", _glass("spec.template.spec.volumes", [{"name": "etc", "hostPath": {"path": "/etc"}}]), live=False,
             also=("storage/provisioned",)),
    Mutation("a pull secret is missing", "multi_node", "security/image-pull", lambda c: _pulling(c, None)),
    Mutation("a pull secret is of the wrong type", "single_node", "security/image-pull", lambda c: _pulling(c, "Opaque")),
]  # fmt: skip
