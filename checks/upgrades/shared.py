"""What the checks of upgrades share."""

from __future__ import annotations

from exivity_audit import skip, unknown

RECORD = "data.release"


def no_revision(release, installer):
    """The verdict where no Helm revision is stored and neither Argo CD nor Flux keeps the release."""
    if installer.helm:
        return unknown(release.subject, "Helm installed the release, but stores its revisions elsewhere than in Secrets (HELM_DRIVER)")
    return skip(release.subject, "no Helm revision is stored: Helm did not install the release")
