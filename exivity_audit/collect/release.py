"""Finding the release: by the chart's labels on Deployments and claims, for any name, namespace and installer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit import chart
from exivity_audit.collect.answer import Failure, Listing
from exivity_audit.collect.api import CACHED, Api
from exivity_audit.collect.discovery import Discovery
from exivity_audit.collect.together import together
from exivity_audit.discreet import Discreet
from exivity_audit.errors import UsageError, one_line
from exivity_audit.nearest import nearest

USUAL_NAMESPACE = "exivity"
Marked = tuple[tuple[str, list[tuple[str, str]]], Listing]
MARKS = ("deployments", "persistentvolumeclaims")


class NoAnswer(UsageError):
    """Nothing was seen of where the release may be, because the server gave no answer: no word on what is installed."""


class Target(Discreet, Struct, frozen=True, order=True):
    """The release to audit: ``fullname`` is the chart's FN, a guess from the release where ``fullname_seen`` is false.

    ``namespace_failure`` says why the namespace itself could not be read; None where it was, or where the run named none.
    ``marked``: path and query of the list of the chart's Deployments in the whole cluster, and what it held, where that was asked.
    """

    unprinted = ("marked",)

    namespace: str
    name: str
    fullname: str
    fullname_seen: bool = True
    namespace_failure: Failure | None = None
    marked: Marked | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Target) and self._release == other._release

    def __hash__(self) -> int:
        return hash(self._release)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def _release(self) -> tuple[str, str, str, bool]:
        """What tells it from another one, however it was found."""
        return self.namespace, self.name, self.fullname, self.fullname_seen


def find_release(api: Api, discovery: Discovery, namespace: str | None, release: str | None, context_namespace: str | None) -> Target:
    """The one release that fits. Raises UsageError for none, for several, and for a namespace that does not exist; NoAnswer where nobody answered.

    Where nothing may be listed and a release is named, that name is taken as it is: the report then says what it could not see.
    """
    places: list[str | None] = [namespace] if namespace else [None, *dict.fromkeys(filter(None, (context_namespace, USUAL_NAMESPACE)))]
    failure: Failure | None = None
    found: list[Target] = []
    looked: list[str | None] = []
    everywhere: Marked | None = None
    unseen: Failure | None = None
    first: tuple[list[Target], Failure | None, Marked | None] | None = None
    if namespace is not None:
        unseen, first = together(lambda: _must_exist(api, discovery, namespace), lambda: _marked(api, discovery, namespace))
    for number, place in enumerate(places):
        found, failed, marked = _marked(api, discovery, place) if number or first is None else first
        everywhere = marked if place is None else everywhere
        failure = failure or failed
        if failed is None:
            looked.append(place)
        if found or (failed is None and place is None):
            break
    fitting = [target for target in found if release in (None, target.name, target.fullname)]
    if len(fitting) == 1:
        return replace(fitting[0], namespace_failure=unseen, marked=everywhere)
    if len(fitting) > 1:
        alike = len({str(target) for target in fitting}) < len(fitting)
        names = ", ".join(f"{target} ({target.fullname})" if alike else str(target) for target in fitting)
        raise UsageError(f"several Exivity releases are installed: {names}", "name one with --release and --namespace")
    narrowed = namespace is None and bool(looked) and None not in looked
    where = f"namespace {namespace or ' and '.join(map(str, looked))}" if namespace or narrowed else "the cluster"
    if found and release:
        near = nearest(release, [target.name for target in found])
        raise UsageError(f"no release {release!r} in {where}; there is {', '.join(map(str, found))}{near}", "name it with --release")
    if release and not looked:
        return Target(namespace or context_namespace or USUAL_NAMESPACE, release, chart.fullname(release), False, unseen, everywhere)
    silent = failure is not None and failure.kind != "forbidden"
    if not looked and failure is not None:
        raise (NoAnswer if silent else UsageError)(
            f"cannot look for the Exivity release: {one_line(failure.reason)} (list deployments in {where})",
            (silent and failure.hint) or "name it with --release and --namespace, and `exivity-audit preflight` lists the rights that are missing",
        )
    other = ", and the whole cluster may not be listed" if narrowed else ""
    raise (NoAnswer if silent else UsageError)(
        f"no Exivity release in {where}: no Deployment or claim carries the label {chart.SELECTOR}{other}", "name another --namespace or --context"
    )


def _must_exist(api: Api, discovery: Discovery, namespace: str) -> Failure | None:
    """A list in a namespace that does not exist is empty, not an error: so it is asked for by name. Returns why it was not seen."""
    served = discovery.find("namespaces")
    answer = api.get(served.path(None, namespace)) if served else None
    if answer is not None and answer.failure is not None and answer.failure.kind == "not-found":
        raise UsageError(f"the namespace {namespace!r} does not exist in this cluster", "`kubectl get namespaces` lists them; correct --namespace")
    return answer.failure if answer is not None else None


def _marked(api: Api, discovery: Discovery, namespace: str | None) -> tuple[list[Target], Failure | None, Marked | None]:
    """The releases whose objects carry the chart's labels, or why nothing could be listed; and the list of Deployments itself."""
    failure: Failure | None = None
    marked: Marked | None = None
    for resource in MARKS:
        served = discovery.find(resource)
        if served is None:
            failure = discovery.why_not(resource) or Failure("malformed", None, f"the cluster serves no {resource}")
            continue
        path, query = served.path(namespace), [("labelSelector", chart.SELECTOR)]
        listing = api.list(path, [*query, CACHED], limit=0, keep=lambda item: item)
        if resource == MARKS[0]:
            marked = (path, query), listing
        if listing.failure is not None:
            failure = listing.failure
            continue
        targets = _merged(pair for item in listing.items if (pair := _target(item)) is not None)
        if targets:
            return targets, None, marked
    return [], failure, marked


def _target(item: Any) -> tuple[bool, Target] | None:
    """The release an object belongs to, behind whether it is only guessed from a label."""
    metadata = item.get("metadata") if isinstance(item, dict) else None
    if not isinstance(metadata, dict):
        return None
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    if not isinstance(labels, dict) or not isinstance(annotations, dict):
        return None
    name, fullname, namespace = metadata.get("name"), labels.get(chart.NAME_LABEL), metadata.get("namespace")
    if not (isinstance(name, str) and isinstance(fullname, str) and isinstance(namespace, str)):
        return None
    if not fullname or not f"{name}-".startswith(f"{fullname}-"):  # FN-component; another object may carry the label by accident
        return None
    told = annotations.get(chart.HELM_RELEASE)
    release = told or labels.get(chart.INSTANCE_LABEL) or fullname
    return (not told, Target(namespace, release, fullname)) if isinstance(release, str) else None


def _merged(pairs: Iterable[tuple[bool, Target]]) -> list[Target]:
    """One target for each FN and namespace: an object that Helm annotated names the release best."""
    best: dict[tuple[str, str], Target] = {}
    for _, target in sorted(set(pairs)):
        best.setdefault((target.namespace, target.fullname), target)
    return sorted(best.values())
