"""The pull secrets that the release's workloads name, and which of them exist."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact, maybe
from exivity_audit.subject import Subject

NAMES = "spec.template.spec.imagePullSecrets"


class PullSecret(Struct, frozen=True):
    """A Secret that workloads name to pull their images with."""

    subject: Subject
    source: Source  # the first workload that names it
    workloads: tuple[Subject, ...]
    type: str | None  # None: there is no such Secret


def names_of(item: Document, release: Any) -> tuple[str, ...]:
    """The pull secrets that a workload of the release names; none for a workload of somebody else. Raises Malformed."""
    labels = item.labels()
    ours = labels.get(chart.INSTANCE_LABEL) == release.name or item.text(f"metadata.annotations[{chart.HELM_RELEASE}]") == release.name
    ours = ours or (labels.get(chart.APP_LABEL) == chart.APP and labels.get(chart.NAME_LABEL) == release.fullname)
    return tuple(name for entry in item.items(NAMES) if (name := entry.text("name"))) if ours else ()


@fact
def named_pull_secrets(
    deployments: Objects[Document], statefulsets: Objects[Document], daemonsets: Objects[Document], release: Any, pull_secrets: Any = maybe
) -> Objects[PullSecret]:
    """Every pull secret that a workload of the release names. Raises NotSeen where one is named and Secrets were not read."""
    users: dict[str, list[Document]] = {}

    def build(item: Document) -> Document:
        for name in names_of(item, release):
            users.setdefault(name, []).append(item)
        return item

    every = deployments.join(statefulsets, daemonsets).each(build)
    told = pull_secrets.each(lambda item: (item.name, item.text("type") or "Opaque")) if users else Objects[tuple[str, str]]()
    types = dict(told)
    if set(users) - set(types):
        told.surely()
    found = [
        PullSecret(Subject("Secret", name, release.namespace), items[0].source, tuple(item.subject for item in items), types.get(name))
        for name, items in sorted(users.items())
    ]
    return Objects(found, installed=every.installed, unreadable=every.unreadable, partial=every.partial)
