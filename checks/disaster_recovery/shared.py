"""What several checks of the row share: who runs what, and each deployment by itself."""

from __future__ import annotations

from exivity_audit.facts.sites import deployments

from ..comparing import BOTH, OTHER_SITE, alone, contained, hidden, reasons_told

PASSIVE_LEADS, ACTIVE_LEADS = "disaster_recovery/passive-replicas", "disaster_recovery/active-replicas"

__all__ = [
    "ACTIVE_LEADS", "BOTH", "OTHER_SITE", "PASSIVE_LEADS", "alone", "asked", "contained", "for_each", "hidden", "reasons_told",
]  # fmt: skip


def for_each(sites, judge):
    """The verdicts on each deployment of a run, each by itself."""
    for deployment in deployments(sites):
        yield from contained(deployment.subject, judge(deployment))


def asked(services):
    """The services that are asked for at least once, or still have a pod."""
    return [one for one in services if one.replicas > 0 or one.running > 0]
