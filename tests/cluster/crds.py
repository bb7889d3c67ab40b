"""Hand-made stand-ins for the CustomResourceDefinitions of the operators that an Exivity cluster may run.

They are not the operators' own definitions: they carry the right group, version, names, scope and status subresource,
and accept any content, so that the API server can hold the objects of a test case.
"""

from __future__ import annotations

from typing import Any, Literal

Scope = Literal["Namespaced", "Cluster"]

# group: (version, [(kind, plural, scope, whether the status is a subresource)])
TABLE: dict[str, tuple[str, list[tuple[str, str, Scope, bool]]]] = {
    "longhorn.io": (
        "v1beta2",
        [
            ("Volume", "volumes", "Namespaced", True),
            ("Replica", "replicas", "Namespaced", True),
            ("ShareManager", "sharemanagers", "Namespaced", True),
            ("Node", "nodes", "Namespaced", True),
            ("Setting", "settings", "Namespaced", False),
            ("RecurringJob", "recurringjobs", "Namespaced", True),
            ("BackupTarget", "backuptargets", "Namespaced", True),
            ("Backup", "backups", "Namespaced", True),
            ("BackupVolume", "backupvolumes", "Namespaced", True),
        ],
    ),
    "postgresql.cnpg.io": (
        "v1",
        [
            ("Cluster", "clusters", "Namespaced", True),
            ("Backup", "backups", "Namespaced", True),
            ("ScheduledBackup", "scheduledbackups", "Namespaced", True),
            ("Pooler", "poolers", "Namespaced", True),
        ],
    ),
    "barmancloud.cnpg.io": ("v1", [("ObjectStore", "objectstores", "Namespaced", True)]),
    "rabbitmq.com": (
        "v1beta1",
        [
            ("RabbitmqCluster", "rabbitmqclusters", "Namespaced", True),
            ("Queue", "queues", "Namespaced", True),
            ("Policy", "policies", "Namespaced", True),
        ],
    ),
    "argoproj.io": (
        "v1alpha1",
        [
            ("Application", "applications", "Namespaced", False),
            ("Workflow", "workflows", "Namespaced", False),
            ("WorkflowTemplate", "workflowtemplates", "Namespaced", False),
            ("CronWorkflow", "cronworkflows", "Namespaced", False),
        ],
    ),
    "helm.toolkit.fluxcd.io": ("v2", [("HelmRelease", "helmreleases", "Namespaced", True)]),
    "cert-manager.io": ("v1", [("Certificate", "certificates", "Namespaced", True)]),
    "keda.sh": ("v1alpha1", [("ScaledObject", "scaledobjects", "Namespaced", True)]),
    "monitoring.coreos.com": (
        "v1",
        [
            ("ServiceMonitor", "servicemonitors", "Namespaced", True),
            ("PodMonitor", "podmonitors", "Namespaced", False),
            ("PrometheusRule", "prometheusrules", "Namespaced", False),
            ("Prometheus", "prometheuses", "Namespaced", True),
            ("Alertmanager", "alertmanagers", "Namespaced", True),
        ],
    ),
    "velero.io": (
        "v1",
        [
            ("Schedule", "schedules", "Namespaced", False),
            ("Backup", "backups", "Namespaced", False),
            ("Restore", "restores", "Namespaced", False),
            ("BackupStorageLocation", "backupstoragelocations", "Namespaced", False),
        ],
    ),
    "gateway.networking.k8s.io": (
        "v1",
        [
            ("GatewayClass", "gatewayclasses", "Cluster", True),
            ("Gateway", "gateways", "Namespaced", True),
            ("HTTPRoute", "httproutes", "Namespaced", True),
        ],
    ),
    "route.openshift.io": ("v1", [("Route", "routes", "Namespaced", True)]),
    "traefik.io": (
        "v1alpha1",
        [
            ("Middleware", "middlewares", "Namespaced", False),
            ("TLSStore", "tlsstores", "Namespaced", False),
            ("IngressRoute", "ingressroutes", "Namespaced", False),
        ],
    ),
    "metallb.io": (
        "v1beta1",
        [
            ("IPAddressPool", "ipaddresspools", "Namespaced", True),
            ("L2Advertisement", "l2advertisements", "Namespaced", True),
            ("BGPAdvertisement", "bgpadvertisements", "Namespaced", True),
        ],
    ),
}


def crds(*groups: str) -> list[dict[str, Any]]:
    """The stand-in definitions of the groups named, or of all groups."""
    return [
        _definition(group, version, kind, plural, scope, has_status)
        for group in groups or tuple(TABLE)
        for version, kinds in (TABLE[group],)
        for kind, plural, scope, has_status in kinds
    ]


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
