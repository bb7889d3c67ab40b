"""Reads of what fails over: the workflows of Argo, their runs, and the Sensors of Argo Events that start them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exivity_audit.chart import FAILOVER_STEP
from exivity_audit.collect.place import Read, cluster, paths
from exivity_audit.snapshot import Place

NAMESPACES = ("argo", "argo-events", "argocd")


def _usual(release: Any) -> Iterable[Place]:
    """The release's namespace and those where Argo usually keeps its workflows."""
    for namespace in dict.fromkeys((release.namespace, *NAMESPACES)):
        yield Place(namespace)


META = "metadata.labels metadata.creationTimestamp metadata.deletionTimestamp"
RUN_LABELS = " ".join(
    f"metadata.labels[{key}]"
    for key in (
        "workflows.argoproj.io/workflow-template",
        "workflows.argoproj.io/cluster-workflow-template",
        "workflows.argoproj.io/cron-workflow",
        "events.argoproj.io/sensor",
    )
)


def _spec(prefix: str) -> tuple[str, dict[str, str]]:
    """What is kept of the specification of a workflow."""
    plain = f"{prefix}.workflowTemplateRef.name {prefix}.workflowTemplateRef.clusterScope {prefix}.suspend"
    return plain, {
        f"{prefix}.entrypoint": "step_name",
        f"{prefix}.templates": "workflow_templates",
        f"metadata.annotations[{FAILOVER_STEP}]": "step_mark",
    }


def _read(name: str, resource: str, kind: str, plain: str, described: dict[str, str]) -> Read:
    return Read(name, resource, cluster(), paths(plain, described), kind, otherwise=_usual, incomplete=True)


_PLAIN, _CUT = _spec("spec")
_CRON_PLAIN, _CRON_CUT = _spec("spec.workflowSpec")

READS: tuple[Read, ...] = (
    _read("workflow_templates", "workflowtemplates.argoproj.io", "WorkflowTemplate", f"{META} {_PLAIN}", _CUT),
    _read("cluster_workflow_templates", "clusterworkflowtemplates.argoproj.io", "ClusterWorkflowTemplate", f"{META} {_PLAIN}", _CUT),
    _read("cron_workflows", "cronworkflows.argoproj.io", "CronWorkflow", f"{META} spec.suspend {_CRON_PLAIN}", _CRON_CUT),
    _read("workflow_runs", "workflows.argoproj.io", "Workflow",
          f"{RUN_LABELS} metadata.creationTimestamp spec.workflowTemplateRef.name spec.workflowTemplateRef.clusterScope status.phase status.startedAt"
          " status.finishedAt", {}),
    _read("sensors", "sensors.argoproj.io", "Sensor", META, {"spec.triggers": "sensor_triggers"}),
)  # fmt: skip
