"""Reads of what installs and scales the release: Argo CD, Flux, KEDA."""

from __future__ import annotations

from exivity_audit.collect.place import Read
from exivity_audit.collect.reads.shapes import presence

READS: tuple[Read, ...] = (
    presence("scaled_objects", "scaledobjects.keda.sh", "ScaledObject"),
    presence("argo_applications", "applications.argoproj.io", "Application"),
    presence("flux_releases", "helmreleases.helm.toolkit.fluxcd.io", "HelmRelease"),
)  # fmt: skip
