"""The nodes on which the pods of a dead one may start again, as far as nodes and volumes could be seen."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from exivity_audit.fact import Objects, Reason, seen
from exivity_audit.facts.claims import Volume
from exivity_audit.facts.nodes import Node
from exivity_audit.facts.selectors import expression_fits, listed, node_terms
from exivity_audit.facts.workloads import Workload

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def terms_fit(terms: Any, node: Node) -> bool:
    """Whether one of several node selector terms fits a node; without terms every node does. Raises Malformed."""
    if not isinstance(terms, list):
        return True
    fields = {"metadata.name": node.name}
    return any(
        all(expression_fits(one, node.labels) for one in listed(term, "matchExpressions"))
        and all(expression_fits(one, fields) for one in listed(term, "matchFields"))
        for term in terms
        if isinstance(term, dict) and (term.get("matchExpressions") or term.get("matchFields"))
    )


def may_run(workload: Workload, node: Node, volumes: Iterable[Volume]) -> bool:
    """Whether a workload's pod may run on a node: by name, selector, affinity, and by where its volumes are."""
    if workload.pinned not in (None, node.name):
        return False
    if any(node.labels.get(key) != value for key, value in workload.node_selector.items()):
        return False
    if not terms_fit(node_terms(workload.affinity.get("nodeAffinity"), REQUIRED), node):
        return False
    mounted = [volume for volume in volumes if volume.claim and volume.claim[0] == workload.namespace and volume.claim[1] in workload.claims]
    return all(terms_fit(node_terms(volume.node_affinity), node) for volume in mounted)


class Refuges:
    """The nodes that could take a dead one's pods (workers that are Ready and not cordoned), looked at once for all that may die."""

    def __init__(self, nodes: Objects[Node], volumes: Objects[Volume], claims: Any, looked: Container[str]) -> None:
        self.nodes = tuple(node for node in nodes if node.worker and node.ready and not node.cordoned)
        self.names = frozenset(node.name for node in self.nodes)
        self.looked = tuple(node for node in self.nodes if node.name in looked)  # the few whose pods were read
        self._every, self._odd_nodes = frozenset(node.name for node in nodes), nodes.gaps
        self._volumes: dict[tuple[str, str], list[Volume]] = {}
        for volume in volumes:
            if volume.claim:
                self._volumes.setdefault(volume.claim, []).append(volume)
        self._odd_volumes = _OddVolumes(volumes, claims)
        self._fitting: dict[int, tuple[Workload, frozenset[str]]] = {}

    def others(self, dead: str) -> int:
        """How many are left."""
        return len(self.nodes) - (dead in self.names)

    def fitting(self, workload: Workload) -> frozenset[str]:
        """Names of those where a workload's pods may run. Raises Malformed."""
        found = self._fitting.get(id(workload))
        if found is None:
            mounted = [volume for name in workload.claims for volume in self._volumes.get((workload.namespace, name), ())]
            free = workload.pinned is None and not workload.node_selector
            free = free and node_terms(workload.affinity.get("nodeAffinity"), REQUIRED) is None
            free = free and all(node_terms(volume.node_affinity) is None for volume in mounted)
            names = self.names if free else frozenset(node.name for node in self.nodes if may_run(workload, node, mounted))
            found = self._fitting[id(workload)] = workload, names
        return found[1]

    def elsewhere(self, workload: Workload, dead: str) -> frozenset[str]:
        """The same where one of them may be dead; it can still be among the names of several. Raises Malformed."""
        if not self.others(dead):
            return frozenset()
        found = self.fitting(workload)
        return frozenset() if found == {dead} else found

    def doubts(self, workload: Workload, dead: str) -> tuple[Reason, ...]:
        """Why ``elsewhere`` does not tell whether there is a node: one that is malformed may be it, or a volume may hold the pods back."""
        if self.elsewhere(workload, dead):
            blank = [(workload.namespace, name) for name in workload.claims if (workload.namespace, name) not in self._volumes]
            return tuple(reason for claim in blank for reason in self._odd_volumes.behind(claim))
        return () if workload.pinned in self._every else self._odd_nodes  # what names its node itself starts there or nowhere


class _OddVolumes:
    """The volumes of which nothing is known, by the claims that may be bound to them."""

    def __init__(self, volumes: Objects[Volume], claims: Any) -> None:
        self._partial, self._odd = volumes.partial, _by_name(volumes)
        read = claims.each(lambda item: ((item.namespace or "", item.name), item.text("spec.volumeName"))) if seen(claims) else Objects()
        self._bound: dict[tuple[str, str], str | None] = dict(read)
        self._odd_claims = _by_name(read)

    def behind(self, claim: tuple[str, str]) -> tuple[Reason, ...]:
        """What may hide the volume of a claim that has none among those that were read."""
        if claim not in self._bound:  # a malformed claim does not say which volume to read; of one that was not read it may be any
            odd = (*self._odd_claims.get(claim[1], ()), *self._odd_claims.get(None, ()))
            return (*odd, *self._partial, *(reason for every in self._odd.values() for reason in every))
        volume = self._bound[claim]
        return (*self._partial, *self._odd.get(volume, ()), *self._odd.get(None, ())) if volume else ()


def _by_name(read: Objects[Any]) -> dict[str | None, list[Reason]]:
    found: dict[str | None, list[Reason]] = {}
    for item, reason in zip(read.unreadable, read.malformed, strict=True):
        found.setdefault(item.subject.name, []).append(reason)
    return found
