"""Reads for the row security."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exivity_audit.collect.place import MissingRead, NotAsked, Read, paths
from exivity_audit.document import Malformed
from exivity_audit.fact import Unreadable
from exivity_audit.facts.pull_secrets import names_of
from exivity_audit.snapshot import Place


def _pull_secrets(deployments: Any, statefulsets: Any, daemonsets: Any, release: Any, secrets: str) -> Iterable[Place]:
    """The pull secrets that the release's workloads name."""
    reads = (deployments, statefulsets, daemonsets)
    for read in reads:
        if isinstance(read, Unreadable):
            raise MissingRead(read)
    found: set[str] = set()
    for item in (item for read in reads for item in read):
        try:
            found.update(names_of(item, release))
        except Malformed:
            continue
    if found and secrets == "none":
        raise NotAsked("--secrets none")
    for name in sorted(found):
        yield Place(release.namespace, name)


READS: tuple[Read, ...] = (
    Read("pull_secrets", "secrets", _pull_secrets, paths("type metadata.creationTimestamp"), "Secret", by_name=True),
)  # fmt: skip
