"""Argo CD's Applications: where each deploys from and to, which values it gives, and how far it got."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document, Malformed
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.paths import steps
from exivity_audit.subject import Subject

IN_CLUSTER = "in-cluster"
LOCAL_SERVER = "kubernetes.default"
SKIP = "argocd.argoproj.io/skip-reconcile"
SOURCES = ("spec.source", "spec.sources", "spec.sourceHydrator.drySource")
UNKEPT = {"malformed": "str"}  # what stands in for a text of no form that may be kept


class AppSource(Struct, frozen=True):
    """One source of an Application."""

    repository: str  # public part of the address; empty where it has no form that is known
    path: str
    chart: str  # a chart of a Helm repository; empty for a folder
    revision: str
    value_files: tuple[str, ...]
    values: dict[str, Any]  # inline ones on the allow-list, by path; secrets are descriptions
    gap: str  # what else gives values that the cluster does not show

    @property
    def git(self) -> bool:
        """Whether it is a folder of a Git repository."""
        return bool(self.repository) and not self.chart and not self.repository.lower().startswith("oci://")


class Ignored(Struct, frozen=True):
    """Differences that an Application is told not to look at."""

    group: str
    kind: str
    name: str
    namespace: str
    pointers: tuple[str, ...]
    expressions: tuple[str, ...]
    managers: tuple[str, ...]


class AppResource(Struct, frozen=True):
    """An object that an Application keeps, with what Argo CD says of it."""

    kind: str
    name: str
    namespace: str
    status: str  # Synced, OutOfSync or empty
    health: str  # empty where Argo CD does not write it down


class Application(Struct, frozen=True):
    """An Argo CD Application."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    labels: dict[str, str]
    tracking: str  # of the Application itself, where another one keeps it
    owner_set: str  # the ApplicationSet that makes it
    sources: tuple[AppSource, ...]
    local: bool | None  # deploys to this cluster; None where the destination does not tell
    target: str  # the destination's namespace
    destination: str  # the cluster it deploys to, by name or server; empty where neither is said
    automated: bool
    self_heal: bool
    skipped: bool  # told not to reconcile
    ignored: tuple[Ignored, ...]
    sync: str
    health: str
    phase: str  # of the last operation
    synced_at: datetime | None
    reconciled_at: datetime | None
    hooks: tuple[str, ...]  # names of the hooks that the last sync ran
    resources: tuple[AppResource, ...]
    conditions: tuple[str, ...]
    charts: tuple[tuple[str, datetime | None], ...]  # chart revision and time of each sync of a Helm repository's chart, oldest first

    @property
    def values(self) -> dict[str, Any]:
        """The inline values of all its sources; a later one wins."""
        return {path: value for one in self.sources for path, value in one.values.items()}

    @property
    def values_gap(self) -> str:
        """What else gives values that the cluster does not show; empty where the inline values are all."""
        return "; ".join(dict.fromkeys(one.gap for one in self.sources if one.gap))

    @property
    def git(self) -> AppSource | None:
        """Its source in a Git repository."""
        return next((one for one in self.sources if one.git), None)

    def resource(self, kind: str, name: str, namespace: str) -> AppResource | None:
        """One of its objects."""
        return next((one for one in self.resources if (one.kind, one.name) == (kind, name) and one.namespace in ("", namespace)), None)

    @property
    def ids(self) -> tuple[str, ...]:
        """How tracking marks name it: by its name, and with its namespace where Applications live outside Argo CD's own."""
        return self.name, f"{self.namespace}_{self.name}"


def tracked_by(tracking: str | None) -> str:
    """The Application that a tracking annotation names: ``exivity``, or ``team-a_exivity`` with its namespace."""
    return (tracking or "").partition(":")[0]


@fact
def applications(argo_applications: Objects[Document]) -> Objects[Application]:
    """Every Application that can be seen."""
    return argo_applications.each(_application)


def _application(item: Document) -> Application:
    history = [
        (entry.text("revision") or "", entry.time("deployedAt")) for entry in item.items("status.history") if entry.text("source.chart") is not None
    ]
    owners = [entry.text("name") or "" for entry in item.items("metadata.ownerReferences") if entry.text("kind") == "ApplicationSet"]
    automated = item.get("spec.syncPolicy.automated")
    on = isinstance(automated, dict) and automated.get("enabled") is not False
    result = "status.operationState.syncResult.resources"
    return Application(
        subject=item.subject, source=item.source, name=item.name, namespace=item.namespace or "", labels=item.labels(),
        tracking=item.text(f"metadata.annotations[{chart.ARGO_TRACKING}]") or "", owner_set=next(iter(owners), ""),
        sources=tuple(_sources(item)), local=_local(item), target=item.text("spec.destination.namespace") or "",
        destination=item.text("spec.destination.name") or _place(item, "spec.destination.server"),
        automated=on, self_heal=on and automated.get("selfHeal") is True,
        skipped=item.text(f"metadata.annotations[{SKIP}]") == "true",
        ignored=tuple(_ignored(entry) for entry in item.items("spec.ignoreDifferences")),
        sync=item.text("status.sync.status") or "", health=item.text("status.health.status") or "",
        phase=item.text("status.operationState.phase") or "", synced_at=item.time("status.operationState.finishedAt"),
        reconciled_at=item.time("status.reconciledAt"),
        hooks=tuple(entry.text("name") or "" for entry in item.items(result) if entry.text("hookType")),
        resources=tuple(_resource(entry) for entry in item.items("status.resources")),
        conditions=tuple(dict.fromkeys(entry.text("type") or "" for entry in item.items("status.conditions"))), charts=tuple(history),
    )  # fmt: skip


def _resource(item: Document) -> AppResource:
    return AppResource(*(item.text(key) or "" for key in ("kind", "name", "namespace", "status", "health")))


def _ignored(item: Document) -> Ignored:
    group, kind, name, namespace = (item.text(key) or "" for key in ("group", "kind", "name", "namespace"))
    pointers, expressions, managers = (item.strings(key) for key in ("jsonPointers", "jqPathExpressions", "managedFieldsManagers"))
    return Ignored(group, kind, name, namespace, pointers, expressions, managers)


def _sources(item: Document) -> list[AppSource]:
    """Several sources win over one, as Argo CD reads them."""
    several = list(item.items("spec.sources"))
    if several:
        return [_source(one, "") for one in several]
    return [_source(item, f"{at}.") for at in ("spec.sourceHydrator.drySource", "spec.source") if item.mapping(at)][:1]


def _source(item: Document, at: str) -> AppSource:
    name, path = item.text(f"{at}chart") or "", _place(item, f"{at}path")
    repository = _repository(item, at)
    try:
        values = item.mapping(f"{at}helm.values")
        gap = ""
    except Malformed:
        values, gap = {}, "inline values that cannot be read"
    files = tuple(one for one in item.mapping(f"{at}helm").get("valueFiles") or () if isinstance(one, str))
    gaps = [gap] if gap else []
    if files:
        gaps.append(f"the value files {', '.join(files)}")
    if item.integer(f"{at}helm.fileParameters"):
        gaps.append("values from files")
    if item.text(f"{at}plugin.name") is not None:
        gaps.append("a plug-in")
    if not name and not item.text(f"{at}ref") and not files:
        gaps.append(f"the folder {path or '.'} of {repository or 'its repository'}")
    return AppSource(repository, path, name, _place(item, f"{at}targetRevision"), files, values, ", ".join(gaps))


def _repository(item: Document, at: str) -> str:
    """The address that every source has; empty where it is a text of no form that may be kept. Raises Malformed, for a source without one too."""
    try:
        found = item.text(f"{at}repoURL")
    except Malformed:
        if (item.mapping(at[:-1]) if at else item.value).get("repoURL") != UNKEPT:
            raise
        return ""
    if found is None:
        raise Malformed(f"{at}repoURL", "string", found)
    return found


def _place(item: Document, path: str) -> str:
    """An address or path; empty where it has no form that may be kept."""
    try:
        return item.text(path) or ""
    except Malformed:
        return ""


def _local(item: Document) -> bool | None:
    """Whether an Application deploys to the cluster that it stands in."""
    name, server = item.text("spec.destination.name") or "", _place(item, "spec.destination.server")
    host = server.partition("://")[2].partition("/")[0].partition(":")[0]
    if name == IN_CLUSTER or host == LOCAL_SERVER or host.startswith(f"{LOCAL_SERVER}."):
        return True
    return None if name or server else True


def hides(application: Application, subject: Subject, path: str) -> bool | None:
    """Whether an Application is told not to look at a field of an object without a group; None where that cannot be told.

    A pointer hides what it names and what lies below. A field manager hides what it owns, which is not seen.
    """
    fitting = [one for one in application.ignored if _fits(one, subject)]
    leaf = steps(path)
    pointed = any(leaf[: len(parts)] == parts for one in fitting for parts in _pointers(one.pointers))
    if pointed or any(_expression(leaf[0]).search(text) for one in fitting for text in one.expressions):
        return True
    return None if any(one.managers for one in fitting) else False


def _expression(key: str) -> re.Pattern[str]:
    """What a jq expression over a key of the object holds: ``.data`` or ``["data"]``, not ``.metadata``."""
    return re.compile(rf"(?:^|[^\w])\.{key}\b|\[\"{key}\"\]")


def _fits(one: Ignored, subject: Subject) -> bool:
    names = ((one.group, ""), (one.kind, subject.kind), (one.name or "*", subject.name or ""), (one.namespace or "*", subject.namespace or ""))
    return all(fnmatchcase(name, pattern) for pattern, name in names)


def _pointers(pointers: Iterable[str]) -> list[tuple[str, ...]]:
    """JSON pointers as steps: ``/data/EXIVITY_APP_KEY``; ``~1`` is a slash and ``~0`` a tilde."""
    return [tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.strip("/").split("/") if part) for pointer in pointers]
