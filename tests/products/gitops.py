"""Argo CD, Flux and KEDA: none of them on the plain conforming clusters; variants of these that one of them keeps or scales."""

from __future__ import annotations

from typing import Any

from exivity_audit import chart
from tests.builders import made, stamp
from tests.world import OPTIONAL, Object, World

SERVED: tuple[str, ...] = ()
REPOSITORY = "https://git.acme.eu/platform/exivity.git"
REVISION = "9f2c1d7e4b6a8053c1de90f7a2b3c4d5e6f70819"
ARGO = ("applications.argoproj.io",)
FLUX = (
    "helmreleases.helm.toolkit.fluxcd.io", "kustomizations.kustomize.toolkit.fluxcd.io", "gitrepositories.source.toolkit.fluxcd.io",
    "ocirepositories.source.toolkit.fluxcd.io",
)  # fmt: skip
KEDA = ("scaledobjects.keda.sh",)


def multi_node(installation: Any) -> list[Object]:
    """Nothing: Helm by hand installs the conforming clusters."""
    return []


def single_node(installation: Any) -> list[Object]:
    """Nothing."""
    return []


def serve(world: World, *apis: str) -> World:
    """The world with further APIs."""
    world.resources = world.resources | {name: OPTIONAL[name] for name in apis}
    return world


def ours(world: World) -> list[Object]:
    """The objects of the chart in the release's namespace."""
    return [item for item in world.objects if item["metadata"].get("labels", {}).get(chart.APP_LABEL) == chart.APP and item["kind"] != "Pod"]


# Argo CD


def tracked(world: World, name: str = "exivity") -> World:
    """Argo CD's tracking annotation on every object of the chart."""
    for item in ours(world):
        group = item["apiVersion"].rpartition("/")[0]
        place = f"{item['metadata']['namespace']}/{item['metadata']['name']}"
        item["metadata"].setdefault("annotations", {})[chart.ARGO_TRACKING] = f"{name}:{group}/{item['kind']}:{place}"
    return world


def resource(item: Object) -> Object:
    """An object as an Application's status lists it."""
    group, _, version = item["apiVersion"].rpartition("/")
    place = {
        "kind": item["kind"],
        "name": item["metadata"]["name"],
        "namespace": item["metadata"]["namespace"],
        "version": version,
        "status": "Synced",
    }
    return {**place, **({"group": group} if group else {}), **({"health": {"status": "Healthy"}} if item["kind"] == "Deployment" else {})}


def hook(name: str, kind: str = "PostSync") -> Object:
    """A hook that a sync ran, as its result lists it."""
    return {
        "group": "batch", "version": "v1", "kind": "Job", "namespace": "exivity", "name": name, "hookType": kind, "hookPhase": "Succeeded",
        "syncPhase": kind, "message": "completed",
    }  # fmt: skip


def application(world: World, name: str = "exivity", namespace: str = "argocd", **source: Any) -> Object:
    """The Application that keeps the release: chart and value file in one Git repository, Synced and Healthy."""
    source = source or {"repoURL": REPOSITORY, "path": "charts/exivity", "targetRevision": "main", "helm": {"valueFiles": ["values-production.yaml"]}}
    destination = {"server": "https://kubernetes.default.svc", "namespace": "exivity"}
    done = {
        "phase": "Succeeded", "startedAt": stamp(20), "finishedAt": stamp(20), "operation": {"sync": {"revision": REVISION}},
        "syncResult": {"revision": REVISION, "resources": [hook("exivity-migration"), hook("exivity-proximity-migration")]},
    }  # fmt: skip
    return made(
        "argoproj.io/v1alpha1", "Application", name, namespace,
        spec={"project": "default", "source": source, "destination": destination, "syncPolicy": {"automated": {"prune": True, "selfHeal": True}}},
        status={
            "sync": {"status": "Synced", "revision": REVISION, "comparedTo": {"source": source, "destination": destination}},
            "health": {"status": "Healthy"}, "reconciledAt": stamp(0.01), "operationState": done, "resources": [resource(item) for item in ours(world)],
            "history": [{"id": 0, "revision": REVISION, "deployedAt": stamp(20), "deployStartedAt": stamp(20), "source": source}],
        },
    )  # fmt: skip


def argo(world: World, **source: Any) -> World:
    """A cluster without Helm's marks as one that Argo CD keeps from Git."""
    serve(tracked(world), *ARGO).add(made("v1", "Namespace", "argocd", status={"phase": "Active"}), application(world, **source))
    return world


# Flux


def ready(reason: str = "ReconciliationSucceeded", status: str = "True", kind: str = "Ready") -> Object:
    """A condition as Flux's controllers write it."""
    return {"type": kind, "status": status, "reason": reason, "message": reason, "lastTransitionTime": stamp(20), "observedGeneration": 1}


def git_repository(name: str = "platform") -> Object:
    """The repository that everything comes from."""
    artifact = {
        "revision": f"main@sha1:{REVISION}", "path": f"gitrepository/flux-system/{name}/{REVISION}.tar.gz", "lastUpdateTime": stamp(20),
        "url": f"http://source-controller.flux-system.svc.cluster.local./gitrepository/flux-system/{name}/{REVISION}.tar.gz", "digest": f"sha256:{'0' * 64}",
    }  # fmt: skip
    return made(
        "source.toolkit.fluxcd.io/v1", "GitRepository", name, "flux-system", metadata={"generation": 1},
        spec={"url": REPOSITORY, "interval": "5m", "ref": {"branch": "main"}}, status={"observedGeneration": 1, "artifact": artifact, "conditions": [ready("Succeeded")]},
    )  # fmt: skip


def kustomization(name: str = "apps", path: str = "./clusters/production") -> Object:
    """The Kustomization that applies what the repository holds."""
    return made(
        "kustomize.toolkit.fluxcd.io/v1", "Kustomization", name, "flux-system", metadata={"generation": 1},
        spec={"interval": "10m", "prune": True, "path": path, "sourceRef": {"kind": "GitRepository", "name": "platform"}},
        status={"observedGeneration": 1, "lastAppliedRevision": f"main@sha1:{REVISION}", "lastAttemptedRevision": f"main@sha1:{REVISION}", "conditions": [ready()]},
    )  # fmt: skip


def helm_release(values: Object | None = None, *, kept: bool = True, **spec: Any) -> Object:
    """The HelmRelease that installs the chart of the repository; ``kept``: a Kustomization applies it."""
    chart_spec = {"chart": "./charts/exivity", "reconcileStrategy": "ChartVersion", "sourceRef": {"kind": "GitRepository", "name": "platform"}}
    labels = {chart.KUSTOMIZATION_NAME: "apps", chart.KUSTOMIZATION_NAMESPACE: "flux-system"} if kept else {}
    deployed = {
        "name": "exivity", "namespace": "exivity", "version": 1, "status": "deployed", "chartName": "exivity", "chartVersion": "3.39.2", "appVersion": "3.39.2",
        "configDigest": f"sha256:{'1' * 64}", "digest": f"sha256:{'2' * 64}", "firstDeployed": stamp(30), "lastDeployed": stamp(30),
    }  # fmt: skip
    found = {
        "interval": "10m", "releaseName": "exivity", "targetNamespace": "exivity", "storageNamespace": "exivity", "chart": {"spec": chart_spec},
        "values": values or {"ingress": {"host": "exivity.acme.eu"}}, "valuesFrom": [{"kind": "Secret", "name": "exivity-values"}], **spec,
    }  # fmt: skip
    return made(
        "helm.toolkit.fluxcd.io/v2", "HelmRelease", "exivity", "flux-system", metadata={"generation": 1, "labels": labels},
        spec={key: value for key, value in found.items() if value is not None},
        status={"observedGeneration": 1, "lastAttemptedRevision": "3.39.2", "lastAttemptedGeneration": 1, "history": [deployed],
                "conditions": [ready("UpgradeSucceeded"), ready("UpgradeSucceeded", kind="Released")]},
    )  # fmt: skip


def flux(world: World, **release: Any) -> World:
    """A cluster that Helm installed as one whose Helm is run by Flux, from Git."""
    for item in ours(world):
        item["metadata"]["labels"] |= {chart.FLUX_NAME: "exivity", chart.FLUX_NAMESPACE: "flux-system"}
    space = made("v1", "Namespace", "flux-system", status={"phase": "Active"})
    serve(world, *FLUX).add(space, git_repository(), kustomization(), helm_release(**release))
    return world


# KEDA


def scaled_object(component: str, least: int | None, most: int | None, *, annotations: dict[str, str] | None = None, **spec: Any) -> Object:
    """A ScaledObject on a service, by its CPU."""
    trigger = {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "70"}}
    limits = {key: value for key, value in (("minReplicaCount", least), ("maxReplicaCount", most)) if value is not None}
    return made(
        "keda.sh/v1alpha1", "ScaledObject", component, "exivity", metadata={"annotations": annotations or {}},
        spec={"scaleTargetRef": {"name": f"exivity-{component}"}, **limits, "triggers": [trigger], **spec},
        status={"hpaName": f"keda-hpa-{component}", "scaleTargetKind": "apps/v1.Deployment", "conditions": [{"type": "Ready", "status": "True", "reason": "ScaledObjectReady"}]},
    )  # fmt: skip


def keda_autoscaler(component: str, least: int, most: int) -> Object:
    """The HorizontalPodAutoscaler that KEDA makes for a ScaledObject."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"exivity-{component}"}
    resource_target = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    return made(
        "autoscaling/v2", "HorizontalPodAutoscaler", f"keda-hpa-{component}", "exivity", metadata={"labels": {"scaledobject.keda.sh/name": component}},
        spec={"scaleTargetRef": target, "minReplicas": max(1, least), "maxReplicas": most, "metrics": [{"type": "Resource", "resource": resource_target}]},
    )  # fmt: skip


def keda(world: World, *components: str) -> World:
    """The world with stateless services scaled by KEDA between two and four copies."""
    serve(world, *KEDA)
    for component in components or ("edify", "transcript", "use"):
        world.add(scaled_object(component, 2, 4), keda_autoscaler(component, 2, 4))
    return world
