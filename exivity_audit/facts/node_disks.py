"""What the node-local volumes of every namespace promise on each node, beside the disk the node has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, Unread, fact
from exivity_audit.facts.claims import Claim
from exivity_audit.facts.nodes import Node
from exivity_audit.facts.provisioners import PROVISIONERS, table_name
from exivity_audit.facts.refuges import terms_fit
from exivity_audit.facts.selectors import listed, node_terms
from exivity_audit.quantity import Size
from exivity_audit.subject import Subject

HOST = ("kubernetes.io/hostname", "metadata.name")


class LocalVolume(Struct, frozen=True):
    """A PersistentVolume that lies on a node's own disk."""

    subject: Subject
    source: Source
    claim: tuple[str, str] | None
    capacity: Size
    terms: Any  # node selector terms; None where the volume names no node


class NodeLoad(Struct, frozen=True):
    """A node with volumes of the release on its disk, and the sum of all node-local volumes there."""

    node: Node
    promised: Size
    volumes: int
    foreign: int  # of other namespaces, or of no claim
    adrift: int  # volumes that lie here or on another node: they do not say
    further: Size  # what those promise

    @property
    def subject(self) -> Subject:
        """The node."""
        return self.node.subject

    @property
    def source(self) -> Source:
        """Where the node was seen."""
        return self.node.source


class NodeDisks(Struct, frozen=True):
    """The loads of the nodes that hold volumes of the release, those of its claims whose node is not known, and the nodes that are malformed."""

    loads: tuple[NodeLoad, ...]
    unplaced: tuple[Claim, ...]
    odd_nodes: tuple[Unread, ...] = ()


@fact
def local_volumes(node_volumes: Objects[Document]) -> Objects[LocalVolume]:
    """Every PersistentVolume of the cluster that is a folder or disk of a node."""

    def build(item: Document) -> LocalVolume | None:
        driver = PROVISIONERS.get(table_name(item.text("spec.csi.driver") or ""))
        folder = driver is not None and driver.local and driver.enforced is not True  # one that reserves space needs no sum
        if item.text("spec.hostPath.path") is None and item.text("spec.local.path") is None and not folder:
            return None
        claim = item.text("spec.claimRef.name")
        return LocalVolume(
            subject=item.subject, source=item.source, claim=(item.text("spec.claimRef.namespace") or "", claim) if claim else None,
            capacity=item.size("spec.capacity.storage") or Size(0), terms=node_terms(item.get("spec.nodeAffinity")),
        )  # fmt: skip

    return node_volumes.each(build)


@fact
def node_disks(local_volumes: Objects[LocalVolume], nodes: Objects[Node], claims: Objects[Claim]) -> NodeDisks:
    """Where the node-local volumes lie; a malformed volume anywhere makes the sums unsure, so it raises NotSeen.

    On a malformed node may lie what does not ask for one host by its name.
    """
    ours = {(claim.namespace, claim.name): claim for claim in claims}
    every = tuple(nodes if not nodes.partial else nodes.surely())
    places = _Places(every)
    on: dict[str, list[LocalVolume]] = {}
    unplaced: list[Claim] = []
    adrift: dict[str, list[LocalVolume]] = {}
    for volume in local_volumes.surely():
        key, fitting = places.of(volume.terms)
        if len(fitting) == 1 and (not nodes.unreadable or _one_host(volume.terms)):
            on.setdefault(fitting[0].name, []).append(volume)
            continue
        adrift.setdefault(key, []).append(volume)
        if volume.claim in ours:
            unplaced.append(ours[volume.claim])
    perhaps: dict[str, list[tuple[int, Size]]] = {}  # how many volumes that name the same nodes, and their sum
    for key, found in adrift.items():
        share = len(found), _sum(found)
        for node in places.found[key]:
            perhaps.setdefault(node.name, []).append(share)
    loads = []
    for node in every:
        lying = on.get(node.name, [])
        if any(volume.claim in ours for volume in lying):
            foreign = sum(1 for volume in lying if volume.claim not in ours)
            further = perhaps.get(node.name, [])
            count, size = sum(count for count, _ in further), Size(sum(size for _, size in further))
            loads.append(NodeLoad(node, _sum(lying), len(lying), foreign, count, size))
    return NodeDisks(tuple(loads), tuple(unplaced), nodes.unreadable)


def _one_host(terms: Any) -> bool:
    """Whether terms ask for one host by its name, which no other node has."""
    if not isinstance(terms, list) or len(terms) != 1:
        return False
    asked = (*listed(terms[0], "matchExpressions"), *listed(terms[0], "matchFields"))
    return any(one.get("key") in HOST and one.get("operator") == "In" and len(one.get("values") or ()) == 1 for one in asked)


class _Places:
    """The nodes that a volume's terms fit: looked for among those with a label that a term names, once for all volumes of the same terms."""

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        self.found: dict[str, tuple[Node, ...]] = {}
        self._nodes = nodes
        self._labelled: dict[str, dict[str, list[int]]] = {}  # positions by label and value
        self._names: dict[str, list[int]] = {}
        for number, node in enumerate(nodes):
            self._names.setdefault(node.name, []).append(number)

    def of(self, terms: Any) -> tuple[str, tuple[Node, ...]]:
        """A name for the terms, and the nodes they fit, in order."""
        key = repr(terms)
        found = self.found.get(key)
        if found is None:
            found = self.found[key] = tuple(node for node in self._near(terms) if terms_fit(terms, node))
        return key, found

    def _near(self, terms: Any) -> Iterable[Node]:
        """The nodes among which are all that terms may fit."""
        if not isinstance(terms, list):
            return self._nodes
        near: set[int] = set()
        for term in terms:
            asked = [self._listed(self._by_label(one.get("key")), one) for one in listed(term, "matchExpressions")]
            asked += [self._listed(self._names if one.get("key") == "metadata.name" else {}, one) for one in listed(term, "matchFields")]
            if not asked:
                continue  # such a term fits no node
            answers = [one for one in asked if one is not None]
            if not answers:
                return self._nodes
            fewest = min(answers, key=len)
            near.update(fewest)
        return (self._nodes[number] for number in sorted(near))

    def _by_label(self, key: str) -> dict[str, list[int]]:
        """The nodes by the value of a label, looked at once a label."""
        found = self._labelled.get(key)
        if found is None:
            found = self._labelled[key] = {}
            for number, node in enumerate(self._nodes):
                if key in node.labels:
                    found.setdefault(node.labels[key], []).append(number)
        return found

    @staticmethod
    def _listed(by_value: dict[str, list[int]], requirement: dict[str, Any]) -> list[int] | None:
        """The nodes of the values that a requirement names; None where it is not one that names them."""
        values = requirement.get("values") or []
        if requirement.get("operator") != "In" or not all(isinstance(value, str) for value in values):
            return None
        return [number for value in values for number in by_value.get(value, ())]


def _sum(found: list[LocalVolume]) -> Size:
    return Size(sum(volume.capacity for volume in found))
