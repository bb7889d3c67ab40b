"""Where reads look, told from what a snapshot holds instead of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from exivity_audit import chart
from exivity_audit.collect.collector import places_of
from exivity_audit.collect.place import MissingRead, NotAsked, Read, Where
from exivity_audit.collect.release import Target
from exivity_audit.document import Malformed, NotCollected
from exivity_audit.fact import Reason, Unreadable
from exivity_audit.reading import reading
from exivity_audit.snapshot import Outcome, Place, Record, SiteSnapshot


def target_of(site: SiteSnapshot) -> Target:
    """The release that a site was audited for."""
    return Target(site.namespace, site.release, site.fullname or chart.fullname(site.release), site.fullname is not None)


class Recorded:
    """The places of reads as they follow from a site's snapshot."""

    def __init__(self, site: SiteSnapshot, reads: Iterable[Read], secrets: str) -> None:
        self._reads = {read.name: read for read in reads}
        self._records: dict[str, list[Record]] = {}
        for record in site.reads:
            self._records.setdefault(record.name, []).append(record)
        self._given: Mapping[str, Any] = {"release": target_of(site), "secrets": secrets}
        seen = [record for record in site.reads if record.name in self._reads and record.outcome is Outcome.NOT_INSTALLED]
        self._absent = {record.resource for record in seen}

    def serves(self, resource: str) -> bool:
        """Whether the cluster may serve a resource; only one that was seen to be absent is not served."""
        return resource not in self._absent

    def exists(self, namespace: str) -> bool:
        """Whether a namespace may be there: a snapshot does not tell."""
        return True

    def places(self, name: str) -> list[Place] | None:
        """Where a read looks; None where what that follows from was not seen. Raises NotAsked."""
        try:
            return self._places(self._reads[name].where)
        except (MissingRead, Malformed, NotCollected):
            return None

    def narrower(self, name: str) -> list[Place]:
        """The narrower places that a read falls back on; none where it has no such, or they could not be seen."""
        otherwise = self._reads[name].otherwise
        try:
            return self._places(otherwise) if otherwise is not None else []
        except (NotAsked, MissingRead, Malformed, NotCollected):
            return []

    def _places(self, where: Where) -> list[Place]:
        look: Callable[[str], Any] = self._look
        return places_of(where, self._given, look)

    def _look(self, name: str) -> Any:
        records = self._records.get(name)
        if records is None:
            return Unreadable((Reason(name, f"not in the snapshot: {name}"),))
        return reading(tuple(records))
