"""Deployments: the sites of a run that belong together, one of them active and the others standing by."""

from __future__ import annotations

from collections.abc import Sequence

from exivity_audit.snapshot import SiteSnapshot


def deployments(sites: Sequence[SiteSnapshot]) -> tuple[tuple[SiteSnapshot, ...], ...]:
    """The sites by the name of their release; where each has a release of its own, all are one deployment."""
    groups: dict[str, list[SiteSnapshot]] = {}
    for site in sites:
        groups.setdefault(site.release, []).append(site)
    if all(len(group) == 1 for group in groups.values()):
        return (tuple(sites),)
    return tuple(tuple(group) for group in groups.values())
