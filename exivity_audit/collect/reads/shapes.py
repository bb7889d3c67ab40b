"""What several reads keep of an object: workloads, pods, Secrets by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exivity_audit import chart
from exivity_audit.collect.place import NotAsked, Read, Where, named, paths
from exivity_audit.snapshot import Place

METADATA = "metadata.labels metadata.creationTimestamp metadata.generation"
OWNERS = f"metadata.annotations[{chart.HELM_RELEASE}] metadata.annotations[{chart.ARGO_TRACKING}]"
POD_SPEC = (
    "affinity topologySpreadConstraints nodeSelector tolerations hostNetwork hostPID hostIPC nodeName securityContext serviceAccountName"
    " imagePullSecrets[].name volumes[].name volumes[].persistentVolumeClaim.claimName volumes[].hostPath.path volumes[].configMap.name"
    " volumes[].secret.secretName"
    " containers[].name containers[].securityContext containers[].volumeMounts[].name"
    " containers[].volumeMounts[].mountPath containers[].ports"
    " initContainers[].name initContainers[].securityContext initContainers[].restartPolicy"
)


def pod_spec(prefix: str) -> str:
    """The kept fields of a pod spec below a prefix."""
    return " ".join(f"{prefix}.{path}" for path in POD_SPEC.split())


def described_containers(prefix: str) -> dict[str, str]:
    """The fields of the containers below a prefix that are cut to their form."""
    found = {"image": "image", "resources": "resources"}
    return {f"{prefix}.{kind}[].{leaf}": name for kind in ("containers", "initContainers") for leaf, name in found.items()}


WORKLOAD_CUT = described_containers("spec.template.spec")
POD_CUT = described_containers("spec")
WORKLOAD = (
    f"{METADATA} {OWNERS} spec.replicas spec.selector.matchLabels spec.strategy spec.updateStrategy spec.template.metadata.labels"
    f" {pod_spec('spec.template.spec')} spec.volumeClaimTemplates[].metadata.name"
    " status.replicas status.readyReplicas status.updatedReplicas status.unavailableReplicas status.observedGeneration"
    " status.numberReady status.desiredNumberScheduled status.conditions[].type status.conditions[].status status.conditions[].reason"
)
POD = (
    f"metadata.labels metadata.creationTimestamp metadata.deletionTimestamp metadata.ownerReferences[].kind metadata.ownerReferences[].name"
    f" {pod_spec('spec')} status.phase status.podIP status.hostIP status.podIPs[].ip status.reason"
    " status.conditions[].type status.conditions[].status status.conditions[].reason status.conditions[].message"
    " status.containerStatuses[].name status.containerStatuses[].ready status.containerStatuses[].restartCount"
    " status.containerStatuses[].state.waiting.reason status.containerStatuses[].state.terminated.reason"
    " status.containerStatuses[].lastState.terminated.reason"
    " status.containerStatuses[].lastState.terminated.finishedAt status.containerStatuses[].lastState.terminated.exitCode"
    " status.initContainerStatuses[].name status.initContainerStatuses[].state.waiting.reason"
)
CRONJOB = (
    f"{METADATA} {OWNERS} spec.schedule spec.suspend status.lastScheduleTime status.lastSuccessfulTime"
    " spec.jobTemplate.spec.template.spec.volumes[].persistentVolumeClaim.claimName"
)
CRONJOB_CUT = {
    f"spec.jobTemplate.spec.template.spec.{kind}[].{leaf}": cut
    for kind in ("containers", "initContainers") for leaf, cut in (("image", "image"), ("command", "backup_tools"), ("args", "backup_tools"))
}  # fmt: skip


def secret(*patterns: str) -> Where:
    """Named Secrets, unless the run was told to read none."""
    inner = named(*patterns)

    def where(release: Any, secrets: str) -> Iterable[Place]:
        if secrets == "none":
            raise NotAsked("--secrets none")
        return inner(release=release)

    return where


def secret_read(name: str, patterns: tuple[str, ...], described: dict[str, str]) -> Read:
    keep = paths("type metadata.creationTimestamp metadata.labels", {**described, "metadata.managedFields": "change_times"})
    return Read(name, "secrets", secret(*patterns), keep, "Secret")
