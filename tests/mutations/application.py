"""Mutations of the row application."""

from __future__ import annotations

import copy
from typing import Any

from exivity_audit import chart
from exivity_audit.verdict import Status
from tests.builders import WORKERS, made, stamp
from tests.mutation import Mutation, Object, drop, put

WARN = Status.WARN


def scaler(component: str, most: int) -> Object:
    """A HorizontalPodAutoscaler on a service."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"exivity-{component}"}
    return made(
        "autoscaling/v2", "HorizontalPodAutoscaler", component, "exivity", spec={"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": most}
    )


def waits_for_its_volume(cluster: Any) -> None:
    """An upgrade of chronos hangs: the new pod waits for the volume that the old one holds."""
    cluster.edit("Deployment", "exivity-chronos", drop("spec.strategy"))
    cluster.edit("Deployment", "exivity-chronos", put("status.replicas", 2))
    pod = copy.deepcopy(next(item for item in cluster.all("Pod") if item["metadata"]["name"].startswith("exivity-chronos")))
    pod["metadata"] |= {"name": "exivity-chronos-7c88-0", "uid": "exivity-chronos-7c88-0"}
    pod["spec"]["nodeName"], pod["status"] = "worker-2", {"phase": "Pending"}
    event = {
        "reason": "FailedAttachVolume",
        "type": "Warning",
        "involvedObject": {"kind": "Pod", "name": "exivity-chronos-7c88-0", "namespace": "exivity"},
    }
    cluster.add(pod, made("v1", "Event", "exivity-chronos-7c88-0.1", "exivity", **event))


def a_copy_by_hand(cluster: Any) -> None:
    """Somebody copied a scheduler with its configuration into another namespace."""
    space = "exivity-old"
    cluster.add(made("v1", "Namespace", space))
    for kind, name, new in (
        ("Deployment", "exivity-chronos", "old-exivity-chronos"),
        ("ConfigMap", "exivity-postgres-config", None),
        ("ConfigMap", "exivity-config-shared", None),
    ):
        item = copy.deepcopy(next(one for one in cluster.all(kind) if one["metadata"]["name"] == name))
        item["metadata"] = {"name": new or name, "namespace": space, "labels": item["metadata"]["labels"]}
        item.pop("status", None)
        cluster.add(item)


def all_on_one(component: str) -> Any:
    """The copies of a service lie on one node."""

    def change(cluster: Any) -> None:
        for pod in cluster.all("Pod"):
            if pod["metadata"].get("labels", {}).get(chart.COMPONENT_LABEL) == component:
                cluster.edit("Pod", pod["metadata"]["name"], put("spec.nodeName", "worker-2"))

    return change


def once(component: str) -> Any:
    """A service runs once, for its autoscaler has not acted yet."""

    def change(cluster: Any) -> None:
        for path in ("spec.replicas", "status.replicas", "status.updatedReplicas", "status.readyReplicas"):
            cluster.edit("Deployment", f"exivity-{component}", put(path, 1))
        cluster.remove("Pod", f"exivity-{component}-6d5f-1")
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"exivity-{component}"}
        limits = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 4}
        cluster.add(made("autoscaling/v2", "HorizontalPodAutoscaler", f"scale-{component}", "exivity", spec=limits))

    return change


def crowd(cluster: Any) -> None:
    """Another product asks for nearly all memory of every worker."""
    for name in WORKERS:
        container = {"name": "big", "image": "registry.acme.eu/big:1", "resources": {"requests": {"memory": "31800Mi"}}}
        cluster.add(made("v1", "Pod", f"big-{name}", "big", spec={"nodeName": name, "containers": [container]}, status={"phase": "Running"}))


def killed(item: Object) -> None:
    """The kubelet killed a container for memory."""
    last = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": stamp(0.1)}}
    item["status"]["containerStatuses"][0] |= {"restartCount": 3, "lastState": last}


def edit(component: str, change: Any) -> Any:
    """A change of a service's Deployment."""
    return lambda cluster: cluster.edit("Deployment", f"exivity-{component}", change)


REQUESTS = "spec.template.spec.containers.0.resources.requests"
PIN = {"minAvailable": 1, "selector": {"matchLabels": {chart.COMPONENT_LABEL: "chronos"}}}

# fmt: off
MUTATIONS = [
    Mutation("the executor is gone", "multi_node", "application/services-present", lambda c: c.remove("Deployment", "exivity-executor")),
    Mutation("glass is gone from the single node", "single_node", "application/services-present", lambda c: c.remove("Deployment", "exivity-glass")),
    Mutation("one of two edify is not ready", "multi_node", "application/replicas-ready", edit("edify", put("status.readyReplicas", 1)), live=False),
    Mutation("glass is asked for once", "multi_node", "application/stateless-replicas", edit("glass", put("spec.replicas", 1))),
    Mutation("transcript is asked for once", "multi_node", "application/stateless-replicas", edit("transcript", put("spec.replicas", 1)), WARN),
    Mutation("a second chronos is asked for", "multi_node", "application/singletons", edit("chronos", put("spec.replicas", 2))),
    Mutation("griffon is scaled to 0", "single_node", "application/singletons", edit("griffon", put("spec.replicas", 0))),
    Mutation("griffon may be scaled to 3", "multi_node", "application/singleton-autoscaling", lambda c: c.add(scaler("griffon", 3))),
    Mutation("an autoscaler holds the executor at 1", "single_node", "application/singleton-autoscaling", lambda c: c.add(scaler("executor", 1)), WARN),
    Mutation("the executor has the default strategy", "multi_node", "application/singleton-rollout", edit("executor", drop("spec.strategy")), WARN),
    Mutation("an upgrade of chronos hangs on its volume", "multi_node", "application/singleton-rollout", waits_for_its_volume, live=False),
    Mutation("a copied scheduler uses the same database", "multi_node", "application/one-installation", a_copy_by_hand),
    Mutation("glass is told nothing about spreading", "multi_node", "application/declared-spread", edit("glass", drop("spec.template.spec.topologySpreadConstraints")), WARN),
    Mutation("glass is spread over a label that no node carries", "multi_node", "application/declared-spread",
             edit("glass", put("spec.template.spec.topologySpreadConstraints.0.topologyKey", "nosuch/key")), WARN, live=False),
    Mutation("both glass run on one node", "multi_node", "application/effective-spread", all_on_one("glass"), live=False),
    Mutation("the only use for now dies with its node", "multi_node", "application/node-loss", once("use"), live=False),
    Mutation("no worker has room for another's pods", "multi_node", "application/node-loss", crowd, WARN, live=False),
    Mutation("glass runs on a further node", "single_node", "application/same-node", lambda c: c.edit("Pod", "exivity-glass-6d5f-0", put("spec.nodeName", "forgotten")), live=False),
    Mutation("glass has no PodDisruptionBudget", "multi_node", "application/disruption", lambda c: c.remove("PodDisruptionBudget", "exivity-glass"), WARN),
    Mutation("a PodDisruptionBudget lets every glass go", "multi_node", "application/disruption",
             lambda c: c.edit("PodDisruptionBudget", "exivity-glass", put("spec.minAvailable", "0%")), WARN),
    Mutation("a PodDisruptionBudget pins chronos", "multi_node", "application/disruption", lambda c: c.add(made("policy/v1", "PodDisruptionBudget", "pin", "exivity", spec=PIN)), WARN),
    Mutation("edify was killed for memory", "multi_node", "application/resources", lambda c: c.edit("Pod", "exivity-edify-6d5f-0", killed), live=False),
    Mutation("edify asks for what the chart ships", "single_node", "application/resources", edit("edify", put(REQUESTS, {"cpu": "25m", "memory": "50Mi"})), WARN),
]
