"""The nodes that node-local volumes fit: an index of labels answers what looking at each node would."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as some

from exivity_audit.fact import Objects
from exivity_audit.facts.node_disks import LocalVolume, NodeDisks, node_disks
from exivity_audit.facts.refuges import terms_fit
from exivity_audit.facts.selectors import node_terms
from exivity_audit.quantity import Size

KEYS, VALUES = ("kubernetes.io/hostname", "zone", "slot"), ("a", "b", "1", "7")

REQUIREMENTS = some.fixed_dictionaries({
    "key": some.sampled_from((*KEYS, "metadata.name")), "operator": some.sampled_from(("In", "In", "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")),
    "values": some.lists(some.sampled_from((*VALUES, None, 7)), max_size=3),
})  # fmt: skip
TERMS = some.none() | some.lists(
    some.dictionaries(some.sampled_from(("matchExpressions", "matchFields")), some.lists(REQUIREMENTS, max_size=2), max_size=2), max_size=3
)
LABELS = some.dictionaries(some.sampled_from(KEYS), some.sampled_from(VALUES))
VOLUMES = some.lists(some.tuples(TERMS, some.booleans()), max_size=12)


def looked_at_each(volumes: list[LocalVolume], nodes: list[Any], ours: set[tuple[str, str]]) -> tuple[list[tuple[Any, ...]], list[str]]:
    """The same by holding every volume against every node."""
    places = [(volume, [node for node in nodes if terms_fit(volume.terms, node)]) for volume in volumes]
    rows = []
    for node in nodes:
        lying = [volume for volume, fitting in places if fitting == [node]]
        adrift = [volume for volume, fitting in places if len(fitting) > 1 and node in fitting]
        if any(volume.claim in ours for volume in lying):
            foreign = sum(volume.claim not in ours for volume in lying)
            rows.append((node.name, sum(one.capacity for one in lying), len(lying), foreign, len(adrift), sum(one.capacity for one in adrift)))
    return rows, [volume.claim[1] for volume, fitting in places if len(fitting) != 1 and volume.claim in ours and volume.claim]


@settings(max_examples=150, deadline=None)
@given(labels=some.lists(LABELS, max_size=6), asked=VOLUMES)
def test_the_index_finds_what_looking_at_each_node_finds(labels: list[dict[str, str]], asked: list[tuple[Any, bool]]) -> None:
    nodes = [SimpleNamespace(name=(*VALUES, "c", "d")[number], labels=found) for number, found in enumerate(labels)]
    volumes = [
        LocalVolume(
            cast(Any, None), cast(Any, None), ("exivity" if mine else "others", f"claim-{number}"), Size(2**number),
            node_terms({"required": {"nodeSelectorTerms": terms}}),
        )
        for number, (terms, mine) in enumerate(asked)
    ]  # fmt: skip
    claims = [SimpleNamespace(namespace="exivity", name=f"claim-{number}") for number in range(len(asked))]
    found: NodeDisks = node_disks.function(Objects(volumes), Objects(nodes), Objects(claims))
    rows = [(one.node.name, one.promised, one.volumes, one.foreign, one.adrift, one.further) for one in found.loads]
    assert (rows, [claim.name for claim in found.unplaced]) == looked_at_each(volumes, nodes, {(one.namespace, one.name) for one in claims})
