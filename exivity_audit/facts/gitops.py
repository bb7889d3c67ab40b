"""Who keeps the release, from where, and which user values of it the cluster shows: Helm by hand, Argo CD or Flux."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.argocd import Application, tracked_by
from exivity_audit.facts.flux import FluxObject, FluxRelease, FluxSource, Kustomization
from exivity_audit.facts.helm import Revision
from exivity_audit.facts.workloads import ProductService, Workload
from exivity_audit.subject import Subject


class Tool(enum.StrEnum):
    """What keeps the release up to date."""

    NONE = "nothing"
    HELM = "Helm"
    ARGO = "Argo CD"
    FLUX = "Flux"


class OriginKind(enum.StrEnum):
    """What an object of Argo CD or Flux applies comes from."""

    GIT = "a Git repository"
    HELM = "a Helm repository"
    OCI = "an OCI repository"
    OTHER = "another source"


class Origin(Struct, frozen=True):
    """Where an object of Argo CD or Flux takes from what it applies; ``repository`` is the public part, empty where it was not seen."""

    kind: OriginKind
    repository: str

    @property
    def git(self) -> bool:
        """Whether it is under version control."""
        return self.kind is OriginKind.GIT

    @property
    def printed(self) -> str:
        """As a report names it."""
        return f"{self.kind.removeprefix('a ').removeprefix('an ')} {self.repository}".rstrip() if self.repository else self.kind


Keeper = Application | FluxRelease | Kustomization


class Installer(Struct, frozen=True):
    """Who keeps the release: the tool, its object where that can be seen, and what keeps that object in turn."""

    helm: bool  # Helm annotated a Deployment: it was installed by Helm, by hand or by Flux
    tool: Tool
    named: str = ""  # the tool's object, as the Deployments' marks name it
    application: Application | None = None
    helm_object: FluxRelease | None = None  # a HelmRelease
    kustomization: Kustomization | None = None
    origin: Origin | None = None
    parent: Keeper | None = None  # keeps the Application, HelmRelease or Kustomization itself
    parent_origin: Origin | None = None
    doubt: tuple[Reason, ...] = ()  # why its object, or whether there is one, could not be seen

    @property
    def keeper(self) -> Keeper | None:
        """The tool's object, where it can be seen."""
        return self.application or self.helm_object or self.kustomization

    @property
    def gitops(self) -> bool:
        """Whether Argo CD or Flux keeps the release."""
        return self.tool in (Tool.ARGO, Tool.FLUX)

    @property
    def elsewhere(self) -> bool:
        """Whether the marks name an object that this cluster surely does not hold: another cluster's Argo CD or Flux deploys here."""
        return self.gitops and self.keeper is None and not self.doubt

    @property
    def doubt_text(self) -> str:
        """Why something could not be seen."""
        return "; ".join(dict.fromkeys(reason.text for reason in self.doubt))

    @property
    def needs(self) -> tuple[str, ...]:
        """The rights that would show it."""
        return tuple(dict.fromkeys(rule for reason in self.doubt for rule in reason.needs))


class _Around(Struct, frozen=True):
    """The objects of Argo CD and Flux, as far as they could be read."""

    applications: Any
    helm_objects: Any
    kustomizations: Any
    sources: Any


@fact
def installer(
    declared_services: Objects[ProductService], release: Any, applications: Any = maybe, helm_objects: Any = maybe, kustomizations: Any = maybe,
    flux_sources: Any = maybe,
) -> Installer:  # fmt: skip
    """Who keeps the release: by the marks on its Deployments, and by what Argo CD and Flux say they keep."""
    works = [service.workload for service in declared_services]
    around = _Around(applications, helm_objects, kustomizations, flux_sources)
    helm = any(one.helm_release for one in works)
    for look in (_tracked, _labelled, _listed):
        found = look(works, release, helm, around)
        if found is not None:
            return found
    if helm:
        return Installer(True, Tool.HELM)
    return Installer(False, Tool.NONE, doubt=_gaps(applications))


def _tracked(works: list[Workload], release: Any, helm: bool, around: _Around) -> Installer | None:
    """By Argo CD's tracking annotation."""
    names = Counter(name for one in works if (name := tracked_by(one.argo_tracking)))
    if not names:
        return None
    name = names.most_common(1)[0][0]
    fitting = [one for one in _members(around.applications) if name in one.ids and one.target in ("", release.namespace)]
    nearest = sorted(fitting, key=lambda one: one.local is None)  # a destination that is not told is another cluster's, as a rule
    named = f"Application {name.replace('_', '/', 1)}"
    if nearest:
        return _kept(helm, Tool.ARGO, named, nearest[0], around)
    return Installer(helm, Tool.ARGO, named, doubt=_gaps(around.applications, name))


def _labelled(works: list[Workload], release: Any, helm: bool, around: _Around) -> Installer | None:
    """By the labels that Flux sets on what it applies."""
    for kind, name_label, place_label, read in (
        ("HelmRelease", chart.FLUX_NAME, chart.FLUX_NAMESPACE, around.helm_objects),
        ("Kustomization", chart.KUSTOMIZATION_NAME, chart.KUSTOMIZATION_NAMESPACE, around.kustomizations),
    ):
        names = Counter((one.labels[name_label], one.labels.get(place_label, "")) for one in works if one.labels.get(name_label))
        if not names:
            continue
        name, place = names.most_common(1)[0][0]
        found = next((one for one in _members(read) if one.name == name and place in ("", one.namespace) and not one.remote), None)
        named = f"{kind} {place}/{name}" if place else f"{kind} {name}"
        if found is not None:
            return _kept(helm, Tool.FLUX, named, found, around)
        return Installer(helm, Tool.FLUX, named, doubt=_gaps(read, name))
    return None


def _listed(works: list[Workload], release: Any, helm: bool, around: _Around) -> Installer | None:
    """Without a mark: an Application that lists the Deployments or whose name they carry as instance, or a HelmRelease of this release."""
    local = [one for one in _members(around.applications) if one.local]
    listing = [one for one in local if any(one.resource("Deployment", work.name, work.namespace) for work in works)]
    instances = {one.labels.get(chart.INSTANCE_LABEL) for one in works}
    labelling = [one for one in local if not helm and one.target == release.namespace and set(one.ids) & instances]
    for application in (*listing, *labelling):
        return _kept(helm, Tool.ARGO, f"Application {application.namespace}/{application.name}", application, around)
    for item in _members(around.helm_objects):
        if helm and not item.remote and (item.release, item.target) == (release.name, release.namespace):
            return _kept(helm, Tool.FLUX, f"HelmRelease {item.namespace}/{item.name}", item, around)
    return None


def _kept(helm: bool, tool: Tool, named: str, keeper: Keeper, around: _Around) -> Installer:
    parent = _parent(keeper, around)
    return Installer(
        helm, tool, named, application=keeper if isinstance(keeper, Application) else None,
        helm_object=keeper if isinstance(keeper, FluxRelease) else None, kustomization=keeper if isinstance(keeper, Kustomization) else None,
        origin=_origin(keeper, around.sources), parent=parent, parent_origin=_origin(parent, around.sources) if parent else None,
        doubt=() if parent else _parent_gaps(keeper, around),
    )  # fmt: skip


def _parent(keeper: Keeper, around: _Around) -> Keeper | None:
    """What keeps an object of Argo CD or Flux in turn."""
    labels = keeper.labels
    for name, place, read in (
        (labels.get(chart.KUSTOMIZATION_NAME), labels.get(chart.KUSTOMIZATION_NAMESPACE), around.kustomizations),
        (labels.get(chart.FLUX_NAME), labels.get(chart.FLUX_NAMESPACE), around.helm_objects),
    ):
        for one in _members(read):
            if name == one.name and place in (None, "", one.namespace) and one is not keeper:
                return one  # type: ignore[no-any-return]
    tracking = tracked_by(keeper.tracking)
    for one in _members(around.applications):
        listed = one.resource(keeper.subject.kind, keeper.name, keeper.namespace)
        if one.subject != keeper.subject and (tracking in one.ids or listed is not None):
            return one  # type: ignore[no-any-return]
    return None


def _parent_gaps(keeper: Keeper, around: _Around) -> tuple[Reason, ...]:
    """Why what keeps an object could not be seen, where a mark on it names something."""
    if keeper.labels.get(chart.KUSTOMIZATION_NAME):
        return _gaps(around.kustomizations, keeper.labels[chart.KUSTOMIZATION_NAME])
    return _gaps(around.applications, tracked_by(keeper.tracking)) if keeper.tracking else ()


def _origin(keeper: Keeper, sources: Any) -> Origin:
    if isinstance(keeper, Application):
        git = keeper.git
        if git is not None:
            return Origin(OriginKind.GIT, git.repository)
        first = next(iter(keeper.sources), None)
        if first is None or not first.repository:
            return Origin(OriginKind.OTHER, "")
        return Origin(OriginKind.HELM if first.chart else OriginKind.OCI, first.repository)
    return _flux_origin(keeper, sources)


def _flux_origin(keeper: FluxObject, sources: Any) -> Origin:
    ref = keeper.ref
    if ref is None:
        return Origin(OriginKind.OTHER, "")
    found: FluxSource | None = next((one for one in _members(sources) if one.subject == Subject(ref.kind, ref.name, ref.namespace)), None)
    if ref.kind == "GitRepository":
        return Origin(OriginKind.GIT, found.url if found else "")
    if ref.kind == "OCIRepository":
        return Origin(OriginKind.GIT, found.origin) if found and found.origin else Origin(OriginKind.OCI, found.url if found else "")
    return Origin(OriginKind.HELM if ref.kind in ("HelmRepository", "HelmChart") else OriginKind.OTHER, "")


def _members(read: Any) -> Iterable[Any]:
    return read if seen(read) else ()


def _gaps(read: Any, name: str = "") -> tuple[Reason, ...]:
    """Why an object may be there though it was not found; a malformed one of the name is there."""
    if not seen(read):
        return reasons_of(read)
    odd = [item for item in read.unreadable if not name or item.subject.name is None or name.endswith(item.subject.name)]
    return (*read.partial, *(Reason(str(item.subject), f"malformed: {item.subject}: {item.why}") for item in odd))


class GivenValues(Struct, frozen=True):
    """User values of the release that the cluster shows in one place; ``gap`` names what else gives values and is not shown."""

    subject: Subject
    source: Source
    path: str
    where: str  # `revision 3`, `Application argocd/exivity`
    values: dict[str, Any]  # on the allow-list, by path; secrets are descriptions
    gap: str = ""
    stored: bool = False  # Helm's own record: all that the user gave


@fact
def given_values(installer: Installer, revisions: Any = maybe) -> Objects[GivenValues]:
    """The values that hold now: of Helm's live revision and the newest, or inline ones of the Application or HelmRelease.

    Empty where the cluster shows none; what could not be seen is a gap of the collection.
    """
    if installer.tool is Tool.ARGO:
        one = installer.application
        return Objects(() if one is None else (_inline(one, "spec.source.helm"),), partial=() if one else installer.doubt)
    if (seen(revisions) and (revisions or not revisions.complete)) or not installer.helm_object:
        live = next((one for one in revisions if one.status == "deployed"), revisions.one())
        current = dict.fromkeys(one.number for one in (live, revisions.one()) if one is not None)
        chosen = (next(one for one in revisions if one.number == number) for number in current)
        return Objects((_stored(one) for one in chosen), unreadable=revisions.unreadable, partial=revisions.partial)
    return Objects((_inline(installer.helm_object, "spec.values"),))


def _inline(one: Application | FluxRelease, path: str) -> GivenValues:
    where = f"{one.subject.kind} {one.namespace}/{one.name}"
    at = "spec.sources" if isinstance(one, Application) and len(one.sources) > 1 else path
    return GivenValues(one.subject, one.source, at, where, one.values, one.values_gap)


def _stored(one: Revision) -> GivenValues:
    return GivenValues(one.subject, one.source, "data.release", f"revision {one.number}", one.values, stored=True)
