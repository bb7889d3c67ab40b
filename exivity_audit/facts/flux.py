"""Flux: HelmReleases, Kustomizations and the sources they take their charts and manifests from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document, Malformed
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact, maybe, reasons_of, seen
from exivity_audit.subject import Subject


class SourceRef(Struct, frozen=True):
    """A source that an object of Flux names."""

    kind: str
    name: str
    namespace: str

    @property
    def printed(self) -> str:
        """As a report names it."""
        return f"{self.kind} {self.namespace}/{self.name}"


class FluxObject(Struct, frozen=True):
    """A HelmRelease or Kustomization."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    labels: dict[str, str]
    tracking: str  # where an Argo CD Application keeps it
    ref: SourceRef | None
    suspended: bool
    remote: bool  # deploys to another cluster
    ready: str  # the Ready condition: True, False, Unknown, or empty where there is none
    reason: str
    observed: bool  # its controller has seen the last change of it
    attempted: str
    applied: str


class FluxRelease(FluxObject, frozen=True):
    """A HelmRelease: Flux runs Helm with its values."""

    release: str
    target: str  # the namespace it installs into
    values: dict[str, Any]  # inline ones on the allow-list, by path; secrets are descriptions
    values_from: tuple[str, ...]  # ConfigMaps and Secrets that give further values
    value_files: tuple[str, ...]
    newest: str  # Helm status of the newest release it knows of
    version: int | None

    @property
    def values_gap(self) -> str:
        """What else gives values; empty where the inline values are all."""
        gaps = [f"the value files {', '.join(self.value_files)}"] if self.value_files else []
        return ", ".join([*gaps, *self.values_from])


class Kustomization(FluxObject, frozen=True):
    """A Kustomization: Flux applies the manifests of a folder."""

    path: str


class FluxSource(Struct, frozen=True):
    """A GitRepository or OCIRepository."""

    subject: Subject
    source: Source
    url: str  # public part of the address
    origin: str  # of an OCI artifact: the repository that it says it was built from
    suspended: bool
    ready: str
    reason: str


def _ref(item: Document, path: str) -> SourceRef | None:
    kind, name = item.text(f"{path}.kind"), item.text(f"{path}.name")
    return SourceRef(kind, name, item.text(f"{path}.namespace") or item.namespace or "") if kind and name else None


def _common(item: Document, ref: SourceRef | None) -> dict[str, Any]:
    ready, reason, _ = condition(item)
    observed = item.integer("status.observedGeneration")
    return {
        "subject": item.subject, "source": item.source, "name": item.name, "namespace": item.namespace or "", "labels": item.labels(),
        "tracking": item.text(f"metadata.annotations[{chart.ARGO_TRACKING}]") or "", "ref": ref, "suspended": item.boolean("spec.suspend") or False,
        "remote": any(item.text(f"spec.kubeConfig.{kind}.name") for kind in ("secretRef", "configMapRef")), "ready": ready, "reason": reason,
        "observed": observed is not None and observed >= (item.integer("metadata.generation") or 0),
        "attempted": item.text("status.lastAttemptedRevision") or "", "applied": item.text("status.lastAppliedRevision") or "",
    }  # fmt: skip


def condition(item: Document, kind: str = "Ready") -> tuple[str, str, datetime | None]:
    """Status, reason and time of a condition; empty where there is none."""
    for entry in item.items("status.conditions"):
        if entry.text("type") == kind:
            return entry.text("status") or "", entry.text("reason") or "", entry.time("lastTransitionTime")
    return "", "", None


@fact
def helm_objects(flux_releases: Objects[Document]) -> Objects[FluxRelease]:
    """Every HelmRelease that can be seen."""
    return flux_releases.each(_release)


def _release(item: Document) -> FluxRelease:
    target = item.text("spec.targetNamespace")
    history = next(iter(item.items("status.history")), None)
    values_from = [(entry.text("kind") or "", entry.text("name") or "") for entry in item.items("spec.valuesFrom")]
    return FluxRelease(
        **_common(item, _ref(item, "spec.chart.spec.sourceRef") or _ref(item, "spec.chartRef")),
        release=item.text("spec.releaseName") or (f"{target}-{item.name}" if target else item.name), target=target or item.namespace or "",
        values=item.mapping("spec.values"), values_from=tuple(f"{kind} {name}" for kind, name in values_from),
        value_files=item.strings("spec.chart.spec.valuesFiles"), newest=(history.text("status") or "") if history else "",
        version=history.integer("version") if history else None,
    )  # fmt: skip


@fact
def kustomizations(flux_kustomizations: Objects[Document]) -> Objects[Kustomization]:
    """Every Kustomization of Flux that can be seen."""
    return flux_kustomizations.each(lambda item: Kustomization(**_common(item, _ref(item, "spec.sourceRef")), path=item.text("spec.path") or ""))


@fact
def flux_sources(flux_git_repositories: Any = maybe, flux_oci_repositories: Any = maybe) -> Objects[FluxSource]:
    """Every GitRepository and OCIRepository that an object of Flux may name, as far as they could be read."""
    parts = [read if seen(read) else Objects[Document](partial=reasons_of(read)) for read in (flux_git_repositories, flux_oci_repositories)]
    return parts[0].join(parts[1]).each(_source)


def _source(item: Document) -> FluxSource:
    ready, reason, _ = condition(item)
    origin = ""
    if item.kind == "OCIRepository":
        origin = _address(item, "status.artifact.metadata[org.opencontainers.image.source]")
    return FluxSource(item.subject, item.source, _address(item, "spec.url"), origin, item.boolean("spec.suspend") or False, ready, reason)


def _address(item: Document, path: str) -> str:
    """An address; empty where it has no form that may be kept."""
    try:
        return item.text(path) or ""
    except Malformed:
        return ""
