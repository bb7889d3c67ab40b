"""Rights and roles of a world: made as the command makes them, and given to it as an API server would."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import yaml

from exivity_audit.collect.collector import Collector
from exivity_audit.collect.discovery import discover
from exivity_audit.collect.reads import READS
from exivity_audit.collect.release import find_release
from exivity_audit.pack import own_pack
from exivity_audit.rights import Rights, Terms, merged, rights
from tests.world import World

Rule = dict[str, Any]
Given = dict[str | None, list[Rule]]  # rules by namespace; None: the cluster's
PACK = own_pack()


def rights_of(
    world: World, *, secrets: str = "list", selected: frozenset[str] | None = None, namespaced: bool = False, within: Iterable[str] = ()
) -> Rights:
    """The rights that an audit of a world needs."""
    api: Any = world
    found = discover(api)
    target = find_release(api, found, None, None, None)
    collector = Collector(api, found, READS, target, secrets)
    return merged(rights(PACK, READS, selected, collector, Terms(target.namespace, False, namespaced, frozenset(within))))


def given_by(manifest: str) -> Given:
    """The rules of the roles in a file."""
    found: Given = {}
    for item in yaml.safe_load_all(manifest):
        if item and item["kind"] in ("Role", "ClusterRole"):
            found.setdefault(item["metadata"].get("namespace"), []).extend(item["rules"])
    return found


def allows(rule: Rule, resource: str, verb: str, name: str | None) -> bool:
    """Whether one rule of a role allows a request, as the API server decides it."""
    plural, _, group = resource.partition(".")
    fits = group in rule["apiGroups"] and plural in rule["resources"] and verb in rule["verbs"]
    return fits and (not rule.get("resourceNames") or name in rule["resourceNames"])


def only(given: Given) -> Callable[[str, str | None, str | None], bool]:
    """A denial of everything that some roles do not allow."""

    def deny(resource: str, namespace: str | None, name: str | None) -> bool:
        rules = [*given.get(None, ()), *(given.get(namespace, ()) if namespace else ())]
        return not any(allows(rule, resource, "get" if name else "list", name) for rule in rules)

    return deny


def each_without_one(given: Given) -> Iterable[tuple[str, Given]]:
    """The same roles with one rule left out, for each rule, and which one it is."""
    for space, rules in given.items():
        for number, rule in enumerate(rules):
            names = " ".join(rule.get("resourceNames", ()))
            text = f"{rule['verbs'][0]} {rule['resources'][0]}.{rule['apiGroups'][0]} {names} in {space}"
            yield text, {**given, space: [*rules[:number], *rules[number + 1 :]]}
