"""Reads of the nodes, and of what runs in the release's namespace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exivity_audit import chart
from exivity_audit.collect.place import MissingRead, Read, cluster, paths, release_namespace
from exivity_audit.collect.reads.shapes import CRONJOB, CRONJOB_CUT, METADATA, OWNERS, POD, POD_CUT, WORKLOAD, WORKLOAD_CUT
from exivity_audit.document import Document, Malformed
from exivity_audit.fact import Unreadable
from exivity_audit.snapshot import Place

CANDIDATE_NODES = 5


def _candidate_node(node: Document, selectors: list[dict[str, str]]) -> tuple[float, str] | None:
    """How a node is ranked as a refuge for the release's pods: most memory first; None where it may take none."""
    try:
        tainted = any(taint.text("effect") in ("NoSchedule", "NoExecute") for taint in node.items("spec.taints"))
        ready = any(entry.text("type") == "Ready" and entry.text("status") == "True" for entry in node.items("status.conditions"))
        healthy = ready and not node.boolean("spec.unschedulable")
        labels = node.labels()
        chosen = not selectors or any(all(labels.get(key) == value for key, value in selector.items()) for selector in selectors)
        return (-(node.size("status.allocatable.memory") or 0), node.name) if healthy and chosen and not tainted else None
    except Malformed:
        return None


def _node_selector(deployment: Document) -> dict[str, str] | None:
    try:
        ours = deployment.labels().get(chart.APP_LABEL) == chart.APP
        return deployment.labels("spec.template.spec.nodeSelector") if ours else None
    except Malformed:
        return None


def _node_pods(nodes: Any, deployments: Any) -> Iterable[Place]:
    """The pods of at most five nodes that could take over from a node that dies."""
    if isinstance(nodes, Unreadable):
        raise MissingRead(nodes)
    found = () if isinstance(deployments, Unreadable) else deployments
    selectors = [selector for item in found if (selector := _node_selector(item)) is not None]
    ranked = sorted(rank for item in nodes if (rank := _candidate_node(item, selectors)) is not None)
    for _, name in ranked[:CANDIDATE_NODES]:
        yield Place(None, None, None, f"spec.nodeName={name}")


READS: tuple[Read, ...] = (
    Read("nodes", "nodes", cluster(), paths(
        "metadata.labels metadata.creationTimestamp spec.taints spec.unschedulable spec.providerID spec.podCIDR spec.podCIDRs status.nodeInfo status.capacity status.allocatable"
        " status.addresses[].type status.addresses[].address status.daemonEndpoints.kubeletEndpoint.Port"
        " status.conditions[].type status.conditions[].status status.conditions[].reason status.conditions[].lastTransitionTime"), "Node"),
    Read("deployments", "deployments", release_namespace(), paths(WORKLOAD, WORKLOAD_CUT), "Deployment"),
    Read("statefulsets", "statefulsets", release_namespace(), paths(WORKLOAD, WORKLOAD_CUT), "StatefulSet"),
    Read("daemonsets", "daemonsets", release_namespace(), paths(WORKLOAD, WORKLOAD_CUT), "DaemonSet"),
    Read("jobs", "jobs", release_namespace(), paths(
        f"{METADATA} {OWNERS} metadata.ownerReferences[].kind metadata.ownerReferences[].name status.succeeded status.failed status.active status.completionTime"
        " spec.template.spec.volumes[].persistentVolumeClaim.claimName", {"spec.template.spec.containers[].image": "image"}), "Job"),
    Read("cronjobs", "cronjobs", release_namespace(), paths(CRONJOB, CRONJOB_CUT), "CronJob"),
    Read("pods", "pods", release_namespace(), paths(POD, POD_CUT), "Pod"),
    Read("node_pods", "pods", _node_pods, paths(
        "spec.nodeName status.phase spec.initContainers[].restartPolicy",
        {"spec.overhead": "amounts", "spec.containers[].resources.requests": "amounts", "spec.initContainers[].resources.requests": "amounts"}), "Pod", few=True),
    Read("service_objects", "services", release_namespace(), paths(f"{METADATA} spec.type spec.selector spec.ports spec.clusterIP status.loadBalancer", {"spec.externalName": "host"}), "Service"),
    Read("endpointslices", "endpointslices", release_namespace(), paths(
        "metadata.labels addressType ports endpoints[].addresses endpoints[].conditions endpoints[].nodeName endpoints[].targetRef.kind endpoints[].targetRef.name"), "EndpointSlice"),
    Read("horizontalpodautoscalers", "horizontalpodautoscalers", release_namespace(), paths(
        "metadata.labels spec.scaleTargetRef.kind spec.scaleTargetRef.name spec.minReplicas spec.maxReplicas"), "HorizontalPodAutoscaler"),
    Read("poddisruptionbudgets", "poddisruptionbudgets", release_namespace(), paths(
        "metadata.labels spec.selector spec.minAvailable spec.maxUnavailable status.disruptionsAllowed status.expectedPods"), "PodDisruptionBudget"),
    Read("attach_events", "events", release_namespace(fields="reason=FailedAttachVolume"), paths(
        "reason type lastTimestamp eventTime involvedObject.kind involvedObject.name involvedObject.namespace"), "Event"),
    Read("cluster_versions", "clusterversions.config.openshift.io", cluster(), paths(
        "spec.channel status.desired.version status.history[].state status.history[].version status.history[].completionTime"), "ClusterVersion"),
)  # fmt: skip
