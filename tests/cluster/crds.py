"""CustomResourceDefinitions of the operators that an Exivity cluster may run: their own where a Go module carries them, else stand-ins.

A stand-in is not the operator's own definition: it carries the right group, version, names, scope and status subresource,
and accepts any content, so that the API server can hold the objects of a test case.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml

from tests.world import OPTIONAL

Scope = Literal["Namespaced", "Cluster"]

NO_STATUS = frozenset({"Setting", "Application", "Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow", "PodMonitor", "PrometheusRule",
                       "Schedule", "Restore", "BackupStorageLocation", "PodVolumeBackup", "Middleware", "TLSStore", "IngressRoute", "AlertmanagerConfig"})  # fmt: skip


def crds(*groups: str, real: Path | None = None) -> list[dict[str, Any]]:
    """The definitions of the groups named, or of all groups; from the folder ``real`` where it has them."""
    found = []
    for name, (version, kind, namespaced) in OPTIONAL.items():
        plural, _, group = name.partition(".")
        if groups and group not in groups:
            continue
        file = real / f"{group}_{plural}.yaml" if real is not None else None
        own = loaded(file) if file is not None and file.is_file() else None
        found.append(own or _definition(group, version, kind, plural, "Namespaced" if namespaced else "Cluster", _has_status(kind, group)))
    return found


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads a lone ``=`` as text: it stands in lists of operators."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: node.value)


def loaded(file: Path) -> dict[str, Any]:
    """A definition from its file, without what a generator or chart wrote beside it."""
    made: dict[str, Any] = yaml.load(file.read_text(), Loader=_Loader)
    return {**made, "metadata": {key: made["metadata"][key] for key in ("name", "annotations") if key in made["metadata"]}}


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
