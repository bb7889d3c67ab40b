"""Autoscalers of the namespace: what scales which workload between which limits."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact, maybe, reasons_of, seen
from exivity_audit.subject import Subject

PAUSED, PAUSED_AT = "autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas"
KEDA_MOST = 100  # maxReplicaCount where none is given
FALSE = ("0", "f", "false")


class Autoscaler(Struct, frozen=True):
    """A HorizontalPodAutoscaler, or a ScaledObject of KEDA with the HorizontalPodAutoscaler that it makes."""

    subject: Subject
    source: Source
    name: str
    target: tuple[str, str]  # kind and name
    minimum: int
    maximum: int
    paused: bool = False  # a ScaledObject that scales nothing while an annotation says so
    held_at: str = ""  # the copies that a paused ScaledObject holds; empty where it leaves them as they are

    def targets(self, workload: Subject) -> bool:
        """Whether it scales this workload."""
        return self.target == (workload.kind, workload.name)

    @property
    def keda(self) -> bool:
        """Whether it is a ScaledObject."""
        return self.subject.kind == "ScaledObject"

    @property
    def paths(self) -> tuple[str, str]:
        """Where its least and its largest number of copies stand."""
        return ("spec.minReplicaCount", "spec.maxReplicaCount") if self.keda else ("spec.minReplicas", "spec.maxReplicas")

    @property
    def printed(self) -> str:
        """Kind and name, as a person would ask for it."""
        return f"{self.subject.kind} {self.name}"


@fact
def autoscalers(horizontalpodautoscalers: Any = maybe, scaled_objects: Any = maybe) -> Objects[Autoscaler]:
    """Every autoscaler of the namespace, as far as they could be read.

    A HorizontalPodAutoscaler that a ScaledObject made is told by the ScaledObject alone.
    """
    parts = [read if seen(read) else Objects[Document](partial=reasons_of(read)) for read in (horizontalpodautoscalers, scaled_objects)]
    scaled = parts[1].each(_scaled)
    made = {name for name, _ in scaled}
    plain = parts[0].each(lambda item: None if item.name in made else _plain(item))
    return plain.join(scaled.each(lambda pair: pair[1]))


def _plain(item: Document) -> Autoscaler:
    least, most = item.integer("spec.minReplicas"), item.integer("spec.maxReplicas")
    return Autoscaler(
        subject=item.subject, source=item.source, name=item.name,
        target=(item.text("spec.scaleTargetRef.kind") or "", item.text("spec.scaleTargetRef.name") or ""),
        minimum=1 if least is None else least, maximum=0 if most is None else most,
    )  # fmt: skip


def _scaled(item: Document) -> tuple[str, Autoscaler]:
    """The name of the HorizontalPodAutoscaler that KEDA makes, and the ScaledObject as an autoscaler."""
    least, most, idle = (item.integer(f"spec.{key}ReplicaCount") for key in ("min", "max", "idle"))
    minimum = least or 0
    scaler = Autoscaler(
        subject=item.subject, source=item.source, name=item.name,
        target=(item.text("spec.scaleTargetRef.kind") or "Deployment", item.text("spec.scaleTargetRef.name") or ""),
        minimum=minimum if idle is None else min(idle, minimum), maximum=KEDA_MOST if most is None else most, paused=_paused(item),
        held_at=item.text(f"metadata.annotations[{PAUSED_AT}]") or "",
    )  # fmt: skip
    return item.text("status.hpaName") or f"keda-hpa-{item.name}", scaler


def _paused(item: Document) -> bool:
    """Whether an annotation pauses it; KEDA takes a word that is no truth value for true."""
    word = item.text(f"metadata.annotations[{PAUSED}]")
    return item.text(f"metadata.annotations[{PAUSED_AT}]") is not None or (word is not None and word.lower() not in FALSE)
