"""VictoriaMetrics as its operator runs it: what stores or scrapes, and whether the operator calls it operational."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.facts.reach import whole
from exivity_audit.subject import Subject

OPERATIONAL = "operational"


class VictoriaMetrics(Struct, frozen=True):
    """A VMAgent, VMSingle or VMCluster, with the operator's word on it."""

    subject: Subject
    source: Source
    state: str
    replicas: int

    @property
    def working(self) -> bool:
        """Whether the operator calls it operational."""
        return self.replicas > 0 and self.state == OPERATIONAL


@fact
def victoria_metrics(
    vm_agents: Objects[Document], vm_singles: Objects[Document], vm_clusters: Objects[Document], site: Any
) -> Objects[VictoriaMetrics]:
    """Every VMAgent, VMSingle and VMCluster."""

    def build(item: Document) -> VictoriaMetrics:
        state = item.text("status.updateStatus")
        if state is None and item.kind == "VMCluster":
            state = item.text("status.clusterStatus")
        asked = None if item.kind == "VMCluster" else item.integer("spec.replicaCount")
        return VictoriaMetrics(item.subject, item.source, state or "", 1 if asked is None else asked)

    found = whole(vm_agents, site, "vm_agents").join(whole(vm_singles, site, "vm_singles"), whole(vm_clusters, site, "vm_clusters"))
    return found.each(build)
