"""Hand-made stand-ins for the CustomResourceDefinitions of the operators that an Exivity cluster may run.

They are not the operators' own definitions: they carry the right group, version, names, scope and status subresource,
and accept any content, so that the API server can hold the objects of a test case.
"""

from __future__ import annotations

from typing import Any, Literal

from tests.world import OPTIONAL

Scope = Literal["Namespaced", "Cluster"]

NO_STATUS = frozenset({"Setting", "Application", "Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow", "PodMonitor", "PrometheusRule",
                       "Schedule", "Restore", "BackupStorageLocation", "PodVolumeBackup", "Middleware", "TLSStore", "IngressRoute", "AlertmanagerConfig"})  # fmt: skip


def crds(*groups: str) -> list[dict[str, Any]]:
    """The stand-in definitions of the groups named, or of all groups."""
    return [
        _definition(group, version, kind, plural, "Namespaced" if namespaced else "Cluster", _has_status(kind, group))
        for name, (version, kind, namespaced) in OPTIONAL.items()
        for plural, _, group in (name.partition("."),)
        if not groups or group in groups
    ]


def _has_status(kind: str, group: str) -> bool:
    """Whether the operator's own definition has the status as a subresource."""
    return kind not in NO_STATUS and not (group == "velero.io" and kind == "Backup")


def _definition(group: str, version: str, kind: str, plural: str, scope: Scope, has_status: bool) -> dict[str, Any]:
    schema = {
        "description": "A hand-made stand-in for tests, not the operator's own definition: any content is accepted.",
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
    }
    served: dict[str, Any] = {
        "name": version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    if has_status:
        served["subresources"] = {"status": {}}
    metadata: dict[str, Any] = {"name": f"{plural}.{group}"}
    if group.endswith(".k8s.io"):
        # The API server refuses definitions in a Kubernetes group that do not say who approved them.
        metadata["annotations"] = {"api-approved.kubernetes.io": "unapproved, hand-made stand-in for tests"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": {
            "group": group,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "scope": scope,
            "versions": [served],
        },
    }
