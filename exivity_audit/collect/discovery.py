"""What the cluster serves: decided by discovery alone, for the API answers 403 to many for groups that do not exist."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from msgspec import Struct, field

from exivity_audit.collect.answer import Answer, Failure
from exivity_audit.collect.together import together
from exivity_audit.collect.transport import Transport
from exivity_audit.errors import one_line

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
BUILT_IN = (
    "", "apps", "batch", "autoscaling", "policy", "networking.k8s.io", "storage.k8s.io", "rbac.authorization.k8s.io", "apiextensions.k8s.io",
    "apiregistration.k8s.io", "admissionregistration.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "certificates.k8s.io",
    "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "flowcontrol.apiserver.k8s.io", "node.k8s.io", "resource.k8s.io", "scheduling.k8s.io",
)  # fmt: skip
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_MALFORMED = Failure("malformed", 200, "discovery gave an entry that is not one")


class Served(Struct, frozen=True):
    """A resource the cluster serves, at the version to ask it at."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    path_prefix: str

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Return the path of the list, or of the object `name`; names are quoted, so that none can lead elsewhere."""
        inside = f"/namespaces/{quote(namespace, safe='')}" if namespace is not None and self.namespaced else ""
        return f"{self.path_prefix}{inside}/{self.plural}" + (f"/{quote(name, safe='')}" if name is not None else "")


class Discovery(Struct):
    """The resources served, and the groups that could not be asked. `failure` is set when a whole half of discovery is lost."""

    served: dict[tuple[str, str], list[Served]] = field(default_factory=dict)
    failed_groups: dict[str, Failure] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)  # "/api", "/apis"
    left_out: set[str] = field(default_factory=set)  # there, but not asked for
    aggregated: bool = False

    def find(self, resource: str, versions: Collection[str] = ()) -> Served | None:
        """Return where `plural` (built-in groups only) or `plural.group` is served: the group's preferred version first, of `versions` if given."""
        for key in _keys(resource):
            for served in self.served.get(key, ()):
                if not versions or served.version in versions:
                    return served
        return None

    def why_not(self, resource: str, versions: Collection[str] = ()) -> Failure | None:
        """Return why `find` gave nothing although the resource may exist; None means that it is not installed."""
        keys = _keys(resource)
        other = [served.version for key in keys for served in self.served.get(key, ())]
        if other and versions and not set(other) & set(versions):
            return Failure("malformed", None, f"served only as {', '.join(other)}, which is not understood", "Update this tool.")
        for key in keys:
            if key in self.served:
                continue
            half = "/apis" if key[0] else "/api"
            failure = self.failed_groups.get(key[0]) or self.failures.get(half)
            if failure is not None:
                return failure
            if key[0] in self.left_out:
                return Failure("malformed", None, "its group was left out of discovery")
        return None

    def has_group(self, group: str) -> bool:
        """Whether anything of the group is served."""
        return any(known == group for known, _ in self.served)

    def _add(self, served: Served) -> None:
        known = self.served.setdefault((served.group, served.plural), [])
        if all(other.version != served.version for other in known):
            known.append(served)


def discover(transport: Transport, groups: Collection[str] | None = None) -> Discovery:
    """Ask what is served, in two requests where the server can; older servers are asked group by group, of `groups` and the built-in ones."""
    found = Discovery()
    answers = together(lambda: transport.get("/api", accept=AGGREGATED), lambda: transport.get("/apis", accept=AGGREGATED))
    for root, answer in zip(("/api", "/apis"), answers, strict=True):
        body = answer.body
        if answer.failure is not None or not isinstance(body, dict):
            found.failures[root] = answer.failure or _MALFORMED
        elif body.get("kind") == "APIGroupDiscoveryList" and isinstance(body.get("items"), list):
            found.aggregated = True
            _read_aggregated(found, root, body["items"])
        elif body.get("kind") == ("APIVersions" if root == "/api" else "APIGroupList"):
            _read_legacy(found, transport, root, body, groups)
        else:
            found.failures[root] = Failure("malformed", answer.status, "discovery gave something else than a list of groups")
    return found


def _keys(resource: str) -> list[tuple[str, str]]:
    plural, _, group = resource.partition(".")
    return [(group, plural)] if group else [(known, plural) for known in BUILT_IN]


def _named(value: object) -> str:
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""


def _prefix(group: str, version: str) -> str:
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


def _mappings(values: object) -> Iterable[Mapping[str, Any] | None]:
    """Yield the mappings of a list, None for each member that is not one; a missing list is empty, anything else one None."""
    if values is None:
        return
    for value in values if isinstance(values, list) else [None]:
        yield value if isinstance(value, dict) else None


def _read_aggregated(found: Discovery, root: str, items: list[object]) -> None:
    for item in _mappings(items):
        metadata = item.get("metadata") if item is not None else None
        group = metadata.get("name") if isinstance(metadata, dict) else None
        group = "" if group is None and root == "/api" else group
        if item is None or not isinstance(group, str) or (group and not _named(group)) or bool(group) != (root == "/apis"):
            found.failures[root] = _MALFORMED
            continue
        for version in _mappings(item.get("versions")):
            name = _named(version.get("version")) if version is not None else ""
            if version is None or not name:
                found.failed_groups[group] = _MALFORMED
                continue
            if version.get("freshness") == "Stale":
                found.failed_groups[group] = Failure(
                    "server", 503, f"the API {one_line(group, 80)}/{name} is registered but does not answer", "Look at its APIService."
                )
            for resource in _mappings(version.get("resources")):
                kind = resource.get("responseKind") if resource is not None else None
                _add(
                    found,
                    group,
                    name,
                    resource,
                    "resource",
                    kind.get("kind") if isinstance(kind, dict) else None,
                    resource is not None and resource.get("scope") == "Namespaced",
                )


def _add(found: Discovery, group: str, version: str, resource: Mapping[str, Any] | None, key: str, kind: object, namespaced: bool) -> None:
    plural = _named(resource.get(key)) if resource is not None else ""
    if not plural:
        found.failed_groups[group] = _MALFORMED
        return
    found._add(Served(group, version, plural, kind if isinstance(kind, str) else "", namespaced, _prefix(group, version)))


def _read_legacy(found: Discovery, transport: Transport, root: str, body: Mapping[str, Any], groups: Collection[str] | None) -> None:
    wanted: list[tuple[str, str]] = []
    if root == "/api":
        versions = body.get("versions")
        names = [_named(version) for version in versions] if isinstance(versions, list) else [""]
        wanted = [("", name) for name in names if name]
        if not all(names):
            found.failures[root] = _MALFORMED
    else:
        if not isinstance(body.get("groups"), list):
            found.failures[root] = _MALFORMED
        for entry in _mappings(body.get("groups")):
            group = _named(entry.get("name")) if entry is not None else ""
            if entry is None or not group:
                found.failures[root] = _MALFORMED
                continue
            if groups is None or group in groups or group in BUILT_IN:
                wanted += [(group, version) for version in _legacy_versions(found, group, entry)]
            else:
                found.left_out.add(group)
    with ThreadPoolExecutor(max_workers=8) as workers:
        answers = list(workers.map(lambda place: transport.get(_prefix(*place)), wanted))
    for (group, version), answer in zip(wanted, answers, strict=True):
        _read_legacy_version(found, group, version, answer)


def _legacy_versions(found: Discovery, group: str, entry: Mapping[str, Any]) -> list[str]:
    versions = [_named(version.get("version")) if version is not None else "" for version in _mappings(entry.get("versions"))]
    if not all(versions) or not versions:
        found.failed_groups[group] = _MALFORMED
    preferred = entry.get("preferredVersion")
    first = preferred.get("version") if isinstance(preferred, dict) else None
    return sorted((version for version in versions if version), key=lambda version: version != first)


def _read_legacy_version(found: Discovery, group: str, version: str, answer: Answer) -> None:
    body = answer.body
    if answer.failure is not None or not isinstance(body, dict) or not isinstance(body.get("resources"), list):
        found.failed_groups[group] = answer.failure or _MALFORMED
        return
    for resource in _mappings(body["resources"]):
        if resource is not None and isinstance(resource.get("name"), str) and "/" in resource["name"]:
            continue  # a subresource
        _add(
            found,
            group,
            version,
            resource,
            "name",
            resource.get("kind") if resource is not None else None,
            resource is not None and resource.get("namespaced") is True,
        )
