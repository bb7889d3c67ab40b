"""Who would undo a change by hand: the object of Argo CD or Flux that keeps the release, or one object of it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from exivity_audit.evaluate import Judgement
from exivity_audit.fact import seen
from exivity_audit.facts.argocd import Application
from exivity_audit.facts.flux import FluxRelease
from exivity_audit.facts.gitops import Installer, Tool
from exivity_audit.snapshot import SiteSnapshot
from exivity_audit.subject import Subject

OF_THE_CHART = ("Deployment", "StatefulSet", "Service", "Ingress", "ConfigMap", "Secret", "ServiceMonitor", "PersistentVolumeClaim")


class Keeper(Struct, frozen=True):
    """What keeps something up to date in place of a person: a change belongs there."""

    site: str
    tool: str
    object: str  # `Application argocd/exivity`; as the marks name it where it was not seen
    repository: str  # `Git repository https://…`; empty where it was not seen
    undoes: str  # what becomes of a change by hand

    @property
    def place(self) -> str:
        """Where the change is made."""
        return f"{self.object} ({self.repository})" if self.repository else self.object

    @property
    def advice(self) -> str:
        """One sentence."""
        return f"{self.tool} keeps it: change it in {self.place}; {self.undoes}"


def keepers(judgement: Judgement) -> dict[str, Keeper]:
    """Who keeps the release of each site, where that is Argo CD or Flux."""
    found = {}
    for site, known in judgement.keeping.items():
        installer = known.get("installer")
        if isinstance(installer, Installer) and installer.gitops:
            found[site] = _of_release(site, installer)
    return found


def keeper_of(judgement: Judgement, site: str, target: Subject, release: Keeper | None) -> Keeper | None:
    """Who keeps one object: an Application that lists it, else whoever keeps the release it is an object of."""
    applications: Any = judgement.keeping.get(site, {}).get("applications") or ()
    if seen(applications) and target.name is not None:
        for one in applications:
            if isinstance(one, Application) and one.local and one.resource(target.kind, target.name, target.namespace or ""):
                if release is not None and release.object == str(one.subject):
                    return release
                return Keeper(site, str(Tool.ARGO), str(one.subject), _repository(one), _argo(one))
    place = next((item for item in judgement.snapshot.sites if item.name == site), None)
    return release if place is not None and _of_the_chart(target, place) else None


def _of_the_chart(target: Subject, site: SiteSnapshot) -> bool:
    name = site.fullname or site.release
    own = target.name is not None and (target.name == name or target.name.startswith((f"{name}-", f"{site.release}-")))
    return own and target.namespace == site.namespace and target.kind in OF_THE_CHART


def _of_release(site: str, installer: Installer) -> Keeper:
    origin = installer.origin
    repository = origin.printed if origin is not None and origin.repository else ""
    parent, above = installer.parent, installer.parent_origin
    if parent is not None:
        source = f", from {above.printed}" if above is not None and above.repository else ""
        repository = "; ".join(part for part in (repository, f"itself kept by {parent.subject}{source}") if part)
    one = installer.keeper
    named = str(one.subject) if one is not None else installer.named
    return Keeper(site, str(installer.tool), named, repository, _argo(one) if installer.tool is Tool.ARGO else _flux(one))


def _repository(one: Application) -> str:
    git = one.git
    first = git or next(iter(one.sources), None)
    return "" if first is None or not first.repository else f"{'Git' if git is not None else 'Helm'} repository {first.repository}"


def _argo(one: Any) -> str:
    if isinstance(one, Application) and one.automated and not one.skipped:
        return "self-heal reverts a change by hand at once" if one.self_heal else "its next automatic sync reverts a change by hand"
    return "its next sync reverts a change by hand"


def _flux(one: Any) -> str:
    if isinstance(one, FluxRelease):
        return "its next upgrade overwrites a change by hand"
    return "its next reconciliation reverts a change by hand"
