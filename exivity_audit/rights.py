"""The rights that reads need, as rules, with the checks that go blind without them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from exivity_audit.check import Check
from exivity_audit.collect.place import Read
from exivity_audit.pack import Pack
from exivity_audit.selection import checks_of_read
from exivity_audit.snapshot import Place


@dataclass(frozen=True, order=True)
class Rule:
    """One right: a verb on a resource, in a namespace (None: the cluster), of one name (None: all)."""

    resource: str  # plural, or plural.group; a subresource of a core one behind a slash
    verb: str
    namespace: str | None
    name: str | None

    def __str__(self) -> str:
        name = f" {self.name}" if self.name else ""
        return f"{self.verb} {self.resource}{name}" + (f" in {self.namespace}" if self.namespace else " (cluster)")


@dataclass(frozen=True)
class Need:
    """A rule with the reads it serves, the checks that need it, and those for which it is an alternate."""

    rule: Rule
    reads: tuple[str, ...]
    needing: tuple[Check, ...]
    other: tuple[Check, ...]


def rules_of(read: Read, places: list[Place] | None) -> list[Rule]:
    """The rules of one read at its places; where these could not be seen, a rule for the whole cluster. A Prometheus asks for none here.

    Of a probe the places with a namespace are servers inside the cluster, that take a port-forward from outside.
    """
    if read.resource.startswith("probe/"):
        namespaces = dict.fromkeys(place.namespace for place in places or () if place.namespace)
        return [Rule("pods/portforward", verb, namespace, None) for namespace in namespaces for verb in ("create", "get")]
    if read.opt_in:
        return [Rule("nodes/stats", "get", None, None)] if read.resource == "kubelet/stats" and places != [] else []
    if places is None:
        return [Rule(read.resource, "get" if read.by_name else "list", None, None)]
    if read.bulk:
        return [Rule(read.resource, "list", namespace, None) for namespace in dict.fromkeys(place.namespace for place in places)]
    return [Rule(read.resource, "get" if place.name else "list", place.namespace, place.name) for place in places]


def needs(pack: Pack, reads: Iterable[Read], wanted: frozenset[str], places: Callable[[str], list[Place] | None]) -> list[Need]:
    """Every rule that the wanted reads need, in order; ``places`` tells where a read looks."""
    by_rule: dict[Rule, list[str]] = {}
    for read in reads:
        if read.name in wanted:
            for rule in rules_of(read, places(read.name)):
                by_rule.setdefault(rule, []).append(read.name)
    found = []
    for rule, names in sorted(by_rule.items(), key=lambda item: str(item[0])):
        pairs = [checks_of_read(pack, name) for name in names]
        needing = {check.id: check for first, _ in pairs for check in first}
        other = {check.id: check for _, second in pairs for check in second if check.id not in needing}
        found.append(Need(rule, tuple(names), tuple(needing.values()), tuple(other.values())))
    return found
