"""What the node-local volumes of every namespace promise on each node, beside the disk the node has."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.facts.claims import Claim
from exivity_audit.facts.nodes import Node
from exivity_audit.facts.provisioners import PROVISIONERS, table_name
from exivity_audit.facts.refuges import terms_fit
from exivity_audit.facts.selectors import node_terms
from exivity_audit.quantity import Size
from exivity_audit.subject import Subject


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
    """The loads of the nodes that hold volumes of the release, and those of its claims whose node is not known."""

    loads: tuple[NodeLoad, ...]
    unplaced: tuple[Claim, ...]


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
    """Where the node-local volumes lie; a malformed volume anywhere makes the sums unsure, so it raises NotSeen."""
    ours = {(claim.namespace, claim.name): claim for claim in claims}
    on: dict[str, list[LocalVolume]] = {}
    unplaced: list[Claim] = []
    adrift: dict[str, list[LocalVolume]] = {}
    every = tuple(nodes.surely())
    for volume in local_volumes.surely():
        fitting = [node for node in every if terms_fit(volume.terms, node)]
        if len(fitting) == 1:
            on.setdefault(fitting[0].name, []).append(volume)
            continue
        for node in fitting:
            adrift.setdefault(node.name, []).append(volume)
        if volume.claim in ours:
            unplaced.append(ours[volume.claim])
    loads = []
    for node in every:
        lying = on.get(node.name, [])
        if any(volume.claim in ours for volume in lying):
            foreign = sum(1 for volume in lying if volume.claim not in ours)
            perhaps = adrift.get(node.name, [])
            loads.append(NodeLoad(node, _sum(lying), len(lying), foreign, len(perhaps), _sum(perhaps)))
    return NodeDisks(tuple(loads), tuple(unplaced))


def _sum(found: list[LocalVolume]) -> Size:
    return Size(sum(volume.capacity for volume in found))
