"""Reads of what installs and scales the release: Argo CD, Flux, KEDA."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exivity_audit import chart
from exivity_audit.collect.place import MissingRead, Read, Where, cluster, paths, release_namespace
from exivity_audit.fact import Unreadable
from exivity_audit.snapshot import Place

ARGO_NAMESPACES = ("argocd", "openshift-gitops")
FLUX_NAMESPACES = ("flux-system",)
SOURCES = ("spec.source", "spec.sources[]", "spec.sourceHydrator.drySource")


def _beside(*namespaces: str) -> Where:
    """The release's namespace and those where a tool usually keeps its objects."""

    def where(release: Any) -> Iterable[Place]:
        for namespace in dict.fromkeys((release.namespace, *namespaces)):
            yield Place(namespace)

    return where


def _named_by_flux(kind: str) -> Where:
    """All sources of a kind, where an object of Flux names one."""

    def where(flux_releases: Any, flux_kustomizations: Any) -> Iterable[Place]:
        if isinstance(flux_releases, Unreadable) and isinstance(flux_kustomizations, Unreadable):
            raise MissingRead(flux_releases)
        if any(
            kind in _source_kinds(item.value) for read in (flux_releases, flux_kustomizations) if not isinstance(read, Unreadable) for item in read
        ):
            yield Place()

    return where


def _source_kinds(item: Any) -> set[Any]:
    """The kinds of sources that a HelmRelease or Kustomization names."""
    spec = item.get("spec") if isinstance(item, dict) else None
    found: list[Any] = [spec.get("chartRef"), spec.get("sourceRef")] if isinstance(spec, dict) else []
    at = spec
    for step in ("chart", "spec", "sourceRef"):
        at = at.get(step) if isinstance(at, dict) else None
    return {one["kind"] for one in (*found, at) if isinstance(one, dict) and isinstance(one.get("kind"), str)}


CONDITIONS = "status.conditions[].type status.conditions[].status status.conditions[].reason status.conditions[].lastTransitionTime"
KEEPER = (
    f"metadata.labels metadata.generation metadata.ownerReferences[].kind metadata.ownerReferences[].name metadata.annotations[{chart.ARGO_TRACKING}]"
)
FLUX = f"{KEEPER} spec.suspend spec.kubeConfig.secretRef.name spec.kubeConfig.configMapRef.name status.observedGeneration {CONDITIONS}"
FLUX += " status.lastAttemptedRevision status.lastAppliedRevision"

READS: tuple[Read, ...] = (
    Read("scaled_objects", "scaledobjects.keda.sh", release_namespace(), paths(
        "metadata.annotations[autoscaling.keda.sh/paused] metadata.annotations[autoscaling.keda.sh/paused-replicas] spec.scaleTargetRef.kind spec.scaleTargetRef.name"
        " spec.minReplicaCount spec.maxReplicaCount spec.idleReplicaCount status.hpaName status.pausedReplicaCount"), "ScaledObject"),
    Read("argo_applications", "applications.argoproj.io", cluster(), paths(
        f"{KEEPER} metadata.annotations[argocd.argoproj.io/skip-reconcile] spec.destination.name spec.destination.namespace spec.project"
        f" {' '.join(f'{at}.{leaf}' for at in SOURCES for leaf in ('chart', 'ref', 'plugin.name'))}"
        " spec.sourceHydrator.syncSource.targetBranch spec.sourceHydrator.syncSource.path"
        " spec.syncPolicy.automated.prune spec.syncPolicy.automated.selfHeal spec.syncPolicy.automated.enabled spec.syncPolicy.syncOptions"
        " spec.ignoreDifferences[].group spec.ignoreDifferences[].kind spec.ignoreDifferences[].name spec.ignoreDifferences[].namespace"
        " spec.ignoreDifferences[].jsonPointers spec.ignoreDifferences[].jqPathExpressions spec.ignoreDifferences[].managedFieldsManagers"
        " status.sync.status status.sync.revision status.sync.revisions status.health.status status.reconciledAt status.conditions[].type"
        " status.operationState.phase status.operationState.startedAt status.operationState.finishedAt status.operationState.syncResult.revision"
        " status.operationState.syncResult.revisions status.operationState.syncResult.resources[].kind status.operationState.syncResult.resources[].name"
        " status.operationState.syncResult.resources[].hookType"
        " status.history[].deployedAt status.history[].revision status.history[].source.chart", {
            **{f"{at}.{leaf}": "repository" for at in SOURCES for leaf in ("repoURL", "path", "targetRevision")},
            **{f"{at}.helm": "argo_helm" for at in SOURCES},
            "spec.destination.server": "repository", "status.resources": "argo_resources"}), "Application",
        otherwise=_beside(*ARGO_NAMESPACES), incomplete=True),
    Read("flux_releases", "helmreleases.helm.toolkit.fluxcd.io", cluster(), paths(
        f"{FLUX} spec.releaseName spec.targetNamespace spec.storageNamespace spec.chart.spec.chart spec.chart.spec.version spec.chart.spec.valuesFiles"
        " spec.chart.spec.sourceRef.kind spec.chart.spec.sourceRef.name spec.chart.spec.sourceRef.namespace"
        " spec.chartRef.kind spec.chartRef.name spec.chartRef.namespace spec.valuesFrom[].kind spec.valuesFrom[].name spec.valuesFrom[].targetPath"
        " spec.driftDetection.mode status.history[].chartVersion status.history[].version status.history[].status status.history[].lastDeployed",
        {"spec.values": "given_values"}), "HelmRelease", otherwise=_beside(*FLUX_NAMESPACES), incomplete=True),
    Read("flux_kustomizations", "kustomizations.kustomize.toolkit.fluxcd.io", cluster(), paths(
        f"{FLUX} spec.path spec.prune spec.targetNamespace spec.sourceRef.kind spec.sourceRef.name spec.sourceRef.namespace"), "Kustomization",
        otherwise=_beside(*FLUX_NAMESPACES), incomplete=True),
    Read("flux_git_repositories", "gitrepositories.source.toolkit.fluxcd.io", _named_by_flux("GitRepository"), paths(
        f"spec.ref.branch spec.ref.tag spec.ref.commit spec.suspend status.artifact.revision {CONDITIONS}", {"spec.url": "repository"}), "GitRepository",
        otherwise=_beside(*FLUX_NAMESPACES), incomplete=True),
    Read("flux_oci_repositories", "ocirepositories.source.toolkit.fluxcd.io", _named_by_flux("OCIRepository"), paths(
        f"spec.suspend status.artifact.revision {CONDITIONS}",
        {"spec.url": "repository", "status.artifact.metadata[org.opencontainers.image.source]": "repository"}), "OCIRepository",
        otherwise=_beside(*FLUX_NAMESPACES), incomplete=True),
)  # fmt: skip
