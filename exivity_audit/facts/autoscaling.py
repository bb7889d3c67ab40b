"""Autoscalers of the namespace: what scales which workload between which limits."""

from __future__ import annotations

from dataclasses import dataclass

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.subject import Subject


@dataclass(frozen=True)
class Autoscaler:
    """A HorizontalPodAutoscaler; KEDA makes one for each of its ScaledObjects that is awake."""

    subject: Subject
    source: Source
    name: str
    target: tuple[str, str]  # kind and name
    minimum: int
    maximum: int

    def targets(self, workload: Subject) -> bool:
        """Whether it scales this workload."""
        return self.target == (workload.kind, workload.name)


@fact
def autoscalers(horizontalpodautoscalers: Objects[Document]) -> Objects[Autoscaler]:
    """Every HorizontalPodAutoscaler of the namespace."""

    def build(item: Document) -> Autoscaler:
        least, most = item.integer("spec.minReplicas"), item.integer("spec.maxReplicas")
        return Autoscaler(
            subject=item.subject, source=item.source, name=item.name,
            target=(item.text("spec.scaleTargetRef.kind") or "", item.text("spec.scaleTargetRef.name") or ""),
            minimum=1 if least is None else least, maximum=0 if most is None else most,
        )  # fmt: skip

    return horizontalpodautoscalers.each(build)
