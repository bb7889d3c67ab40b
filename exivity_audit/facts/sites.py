"""Which sites belong together, and which of them stands by for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from msgspec import Struct

from exivity_audit.subject import Subject


class Site(Protocol):
    """A site with its facts, as the facts ``sites`` and ``other_sites`` hand it over."""

    @property
    def name(self) -> str: ...
    @property
    def passive(self) -> bool: ...
    @property
    def release(self) -> Any: ...

    def fact(self, name: str) -> Any: ...


class Pair(Struct, frozen=True):
    """The active site of a deployment and one that stands by for it."""

    active: Any
    passive: Any

    @property
    def subject(self) -> Subject:
        """The release at the active site, narrowed to the site that stands by."""
        found: Subject = self.active.release.subject
        return found.at(self.passive.name)


class Deployment(Struct, frozen=True):
    """The sites that run, or stand by for, one release."""

    sites: tuple[Any, ...]

    @property
    def active(self) -> Any:
        """The first site that is not declared passive; the first of all where each is."""
        return next((site for site in self.sites if not site.passive), self.sites[0])

    @property
    def subject(self) -> Subject:
        """The release, as the active site names it."""
        found: Subject = self.active.release.subject
        return found

    @property
    def whole(self) -> bool:
        """Whether there is anything to compare."""
        return len(self.sites) > 1

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The active site with each of the others."""
        first = self.active
        return tuple(Pair(first, site) for site in self.sites if site is not first)

    def at(self, site: Any) -> Subject:
        """The release narrowed to one of its sites."""
        return self.subject.at(site.name)


def deployments(sites: Sequence[Any]) -> tuple[Deployment, ...]:
    """The sites by release name, in their order; all of them are one deployment where each has a release of another name."""
    groups: dict[str, list[Any]] = {}
    for site in sites:
        groups.setdefault(site.release.name, []).append(site)
    if all(len(members) == 1 for members in groups.values()):
        return (Deployment(tuple(sites)),)
    return tuple(Deployment(tuple(members)) for members in groups.values())


def peers_of(name: str, sites: Sequence[Any]) -> tuple[Any, ...]:
    """The other sites of the deployment that a site belongs to."""
    mine = next(one for one in deployments(sites) if any(site.name == name for site in one.sites))
    return tuple(site for site in mine.sites if site.name != name)
