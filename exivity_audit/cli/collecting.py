"""Reading the live sites of a run, alone or at once, with progress on a terminal: what the commands share."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from exivity_audit.cli import saying
from exivity_audit.cli.preparation import Preparation, accesses
from exivity_audit.cli.site_plan import Plan
from exivity_audit.collect.connection import cluster_behind
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.gathered import settled
from exivity_audit.collect.net import MARK, marks
from exivity_audit.collect.parity import ParityKey, read_parity_key
from exivity_audit.collect.reads import READS
from exivity_audit.collect.release import USUAL_NAMESPACE
from exivity_audit.collect.session import Access, open_session
from exivity_audit.collect.several import Visit, visit_all
from exivity_audit.collect.stats import Stats
from exivity_audit.collect.unreached import unreached
from exivity_audit.document import parse_time
from exivity_audit.errors import Unreachable
from exivity_audit.reports.progress import progress
from exivity_audit.selection import reads_needed
from exivity_audit.snapshot import Snapshot, Tool
from exivity_audit.version import version


def parity_key(flags: dict[str, Any]) -> ParityKey | None:
    """The key of ``--parity-key``. Raises UsageError."""
    if not flags.get("parity_key"):
        return None
    key, note = read_parity_key(flags["parity_key"])
    if note:
        saying.note(note)
    return key


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def collect(wanted: Plan, prepared: Preparation, flags: dict[str, Any]) -> tuple[Snapshot, dict[str, Stats]]:
    """The live sites, their secrets compared with each other; what is to be known of it is said on standard error.

    Raises UsageError, and Unreachable where no site can be reached.
    """
    found, key = accesses(wanted.live, flags, prepared.config), parity_key(flags)
    started = _stamp()
    visits = _visited(wanted, found, prepared, flags) if wanted.several else [_only(found[0], prepared, flags)]
    for one in visits:
        place = f"{one.name}: " if wanted.several else ""
        for note in _notes(one):
            saying.note(f"{place}{note}")
    gathered = [one.gathered for one in visits if one.gathered is not None]
    sites = settled(gathered, key)
    return Snapshot("exivity-audit/snapshot", 1, Tool("exivity-audit", version()), started, _stamp(), sites), {one.name: one.stats for one in visits}


def _only(access: Access, prepared: Preparation, flags: dict[str, Any]) -> Visit:
    session = open_session(access)
    try:
        with progress(session.base.cluster.name, quiet=flags.get("quiet", False)) as shown:
            gathered = session.gather((*READS, *prepared.pack.reads), reads_needed(prepared.pack, prepared.selected), shown.step)
    finally:
        session.close()
    return Visit(access, gathered, notes=session.notes, stats=session.transport.stats)


def _visited(wanted: Plan, found: Sequence[Access], prepared: Preparation, flags: dict[str, Any]) -> list[Visit]:
    """Every live site; one that was not reached as a site of which every read failed. Raises Unreachable where none was, and none was saved."""
    behind = {access.site: cluster_behind(access.kubeconfig, access.context) for access in found}
    reads, names = (*READS, *prepared.pack.reads), reads_needed(prepared.pack, prepared.selected)
    with progress(", ".join(behind), quiet=flags.get("quiet", False)) as shown:
        visits = visit_all(found, reads, names, Deadline(found[0].deadline), Together(shown.step))
    if all(one.gathered is None for one in visits) and not wanted.saved:
        told = "; ".join(f"{one.name}: {one.error.message.rstrip('.')}" for one in visits if one.error is not None)
        raise Unreachable(f"None of the {len(visits)} sites could be reached: {told}", visits[0].error.hint if visits[0].error else "")
    now = _moment(visits, wanted)

    def complete(visit: Visit) -> Visit:
        access, error = visit.access, visit.error
        if visit.gathered is not None or error is None:
            return visit
        cluster, namespace = behind[access.site]
        namespace = access.namespace or (namespace if namespace != "default" else USUAL_NAMESPACE)
        lost = unreached(access.site, access.role, cluster, namespace, access.release or namespace, now, reads, names, error.message, error.hint)  # type: ignore[arg-type]
        told = f"not reached, so its checks are unknown: {lost.site.unreached}"
        return replace(visit, gathered=lost, notes=[told])

    return [complete(one) for one in visits]


def _moment(visits: Sequence[Visit], wanted: Plan) -> datetime:
    """The time of a site that was not reached: that of the first one that was."""
    seen = [one.gathered.site.now for one in visits if one.gathered is not None]
    seen += [site.now for one in wanted.saved for site in one.snapshot.sites if not site.unreached]
    return parse_time(seen[0]) if seen else datetime.now(UTC)


class Together:
    """The progress of several sites as one line."""

    def __init__(self, shown: Any) -> None:
        self._shown, self._lock, self._done = shown, threading.Lock(), dict[str, tuple[int, int]]()

    def __call__(self, site: str, done: int, total: int, what: str) -> None:
        """So many of so many reads of a site are done."""
        with self._lock:
            self._done[site] = (done, total)
            self._shown(sum(one for one, _ in self._done.values()), sum(other for _, other in self._done.values()), f"{site}: {what}")


def _notes(visit: Visit) -> Iterator[str]:
    reads = visit.gathered.site.reads if visit.gathered is not None else ()
    if replaced := sum(marks(record.objects) + marks(record.reason) for record in reads):
        yield f"{replaced} of what was read looked like a secret: replaced by {MARK} before anything was kept"
    yield from visit.notes
