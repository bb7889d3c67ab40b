"""The nodes that matter to the release: those that run its pods or its middleware's, and those that may."""

from __future__ import annotations

from typing import Any

from exivity_audit.document import Malformed
from exivity_audit.fact import Objects, fact, maybe, seen
from exivity_audit.facts.namespace import Belongs, Tenant
from exivity_audit.facts.nodes import AUTOMATIC_TAINT, Node, Taint
from exivity_audit.facts.refuges import may_run
from exivity_audit.facts.workloads import Pod, ProductService, Workload


def tolerated(taint: Taint, tolerations: tuple[dict[str, Any], ...]) -> bool:
    """Whether one of a pod's tolerations fits a taint."""
    return any(
        one.get("effect") in (None, "", taint.effect)
        and (one.get("key") in (None, "", taint.key))
        and (one.get("operator") == "Exists" or (bool(one.get("key")) and (one.get("value") or "") == taint.value))
        for one in tolerations
    )


def admits(node: Node, workload: Workload) -> bool:
    """Whether a node, when healthy, may take a workload's pod: by its taints, and the pod's selector and affinity."""
    hard = [taint for taint in node.taints if taint.effect in ("NoSchedule", "NoExecute") and not taint.key.startswith(AUTOMATIC_TAINT)]
    try:
        return all(tolerated(taint, workload.tolerations) for taint in hard) and may_run(workload, node, ())
    except Malformed:
        return True


@fact
def hosts(
    nodes: Objects[Node], workloads: Objects[Workload], declared_services: Objects[ProductService], tenants: Objects[Tenant],
    database: Any = maybe,
) -> Objects[Node]:  # fmt: skip
    """Nodes that run the release or its middleware, or may run them when healthy; every worker where nothing is installed."""
    names = {service.subject for service in declared_services} | {
        tenant.subject for tenant in tenants if tenant.belongs in (Belongs.RELEASE, Belongs.MIDDLEWARE)
    }
    ours = [workload for workload in workloads if workload.subject in names]
    used = {pod.node for workload in ours for pod in workload.alive} | {pod.node for pod in (database.pods if seen(database) else ()) if pod.alive}
    found = (node for node in nodes if node.name in used or (any(admits(node, workload) for workload in ours) if ours else node.worker))
    return Objects(found, unreadable=nodes.unreadable, partial=nodes.partial)


@fact
def running_hosts(services: Objects[ProductService]) -> frozenset[str]:
    """Names of the nodes on which pods of the eleven services are."""
    pods: list[Pod] = [pod for service in services for pod in service.workload.alive]
    return frozenset(pod.node for pod in pods if pod.node)
