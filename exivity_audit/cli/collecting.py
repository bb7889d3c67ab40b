"""Collecting a live site into a snapshot, with progress on a terminal: what ``run`` and ``collect`` share."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

from exivity_audit.cli.preparation import Preparation, access_of
from exivity_audit.collect.net import MARK, marks
from exivity_audit.collect.reads import READS
from exivity_audit.collect.session import open_session
from exivity_audit.collect.stats import Stats
from exivity_audit.reports.progress import progress
from exivity_audit.selection import reads_needed
from exivity_audit.snapshot import Snapshot, Tool
from exivity_audit.version import version


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def collect(prepared: Preparation, flags: dict[str, Any]) -> tuple[Snapshot, Stats]:
    """What the selected checks need of one live site. Raises UsageError and Unreachable."""
    started = _stamp()
    session = open_session(access_of(flags, prepared.config))
    try:
        with progress(session.base.cluster.name, quiet=flags.get("quiet", False)) as shown:
            site = session.collect((*READS, *prepared.pack.reads), reads_needed(prepared.pack, prepared.selected), shown.step)
    finally:
        session.close()
    if replaced := sum(marks(record.objects) + marks(record.reason) for record in site.reads):
        print(f"note: {replaced} of what was read looked like a secret: replaced by {MARK} before anything was kept", file=sys.stderr)
    for note in session.notes:
        print(f"note: {note}", file=sys.stderr)
    snapshot = Snapshot("exivity-audit/snapshot", 1, Tool("exivity-audit", version()), started, _stamp(), (site,))
    return snapshot, session.transport.stats
