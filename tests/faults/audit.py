"""One audit in this process: connect, collect, judge, score, write; with small time limits and a clock that sleeps cost nothing on."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

import msgspec

from exivity_audit.collect.collector import base
from exivity_audit.collect.connection import Connection
from exivity_audit.collect.discovery import discover
from exivity_audit.collect.reads import READS
from exivity_audit.collect.release import find_release
from exivity_audit.collect.session import Access, Session
from exivity_audit.collect.transport import Deadline, Transport
from exivity_audit.config import Config, thresholds_of
from exivity_audit.errors import AuditError
from exivity_audit.evaluate import evaluate
from exivity_audit.exit_code import Limit, exit_code
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.reports.json_report import report_shape
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.reports.short import render_short
from exivity_audit.score import Scorecard, scorecard
from exivity_audit.selection import reads_needed
from exivity_audit.snapshot import Snapshot, Tool
from exivity_audit.snapshot import encode as encode_snapshot
from exivity_audit.verdict import Status

PACK, LIFECYCLE = own_pack(), load_lifecycle(None)
THRESHOLDS = thresholds_of(Config(), PACK.thresholds, None)
Key = tuple[str, str]  # check and site


@dataclass
class Clock:
    """Time that a sleep moves on at once."""

    ahead: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return time.monotonic() + self.ahead

    def sleep(self, seconds: float) -> None:
        """Sleep without waiting."""
        self.slept.append(seconds)
        self.ahead += seconds


@dataclass(frozen=True)
class Run:
    """What one audit came to."""

    code: int
    said: str  # the sentence of a run that ended without a report
    statuses: dict[Key, Status]
    verdicts: dict[tuple[Key, str], Status]
    card: Scorecard | None
    texts: dict[str, str]
    seconds: float  # by the wall
    passed: float  # by the clock of the run
    longest: float  # one sleep
    requests: int

    @property
    def points(self) -> Fraction:
        """Weight earned, over all outcomes."""
        earned = {Status.PASS: Fraction(1), Status.WARN: Fraction(1, 2)}
        outcomes = self.card.judgement.outcomes if self.card else ()
        return sum((earned.get(one.status, Fraction(0)) * one.severity.weight for one in outcomes if one.decided), Fraction(0))


def audit(
    connection: Connection,
    *,
    namespace: str | None = "exivity",
    release: str | None = "exivity",
    deadline: float = 120,
    request_timeout: float = 20,
    largest_body: int = 2**24,
    secrets: str = "list",
    now: datetime | None = None,
    checks: Iterable[str] | None = None,
) -> Run:
    """Audit what a connection leads to; never raises but for a bug."""
    clock, began = Clock(), time.monotonic()
    selected = frozenset(checks) if checks is not None else None
    ways = {"request_timeout": request_timeout, "connect_timeout": min(5.0, request_timeout), "sleep": clock.sleep}
    transport = Transport(connection, deadline=Deadline(deadline, clock), largest_body=largest_body, chance=lambda: 0.5, **ways)
    started = clock()
    try:
        snapshot = _collected(transport, namespace, release, secrets, selected)
    except AuditError as error:
        return _ended(error.exit_code, str(error), clock, began, started, transport)
    finally:
        transport.close()
    passed = clock() - started
    judgement = evaluate(snapshot, PACK, Config(), selected=selected, thresholds=THRESHOLDS, lifecycle=LIFECYCLE, now=now)
    card = scorecard(judgement)
    code, reason = exit_code(card, Limit())
    run = RunInfo(
        tool_version="0.1.0", started=snapshot.started, finished=snapshot.finished, flags=(), requests=transport.stats.requests,
        bytes_received=transport.stats.bytes_received, seconds=0.1, writes=0, identity=snapshot.sites[0].identity, snapshot_file=None,
        exit_code=code, exit_reason=reason,
    )  # fmt: skip
    texts = {
        "report": msgspec.json.encode(report_shape(card, run)).decode(),
        "short": render_short(card, run),
        "snapshot": encode_snapshot(snapshot).decode(),
    }
    statuses = {(one.check.id, one.site): one.status for one in judgement.outcomes}
    verdicts = {((one.check.id, one.site), str(verdict.subject)): verdict.status for one in judgement.outcomes for verdict in one.verdicts}
    return Run(code, "", statuses, verdicts, card, texts, time.monotonic() - began, passed, max(clock.slept, default=0.0), transport.stats.requests)


def _collected(transport: Transport, namespace: str | None, release: str | None, secrets: str, selected: frozenset[str] | None) -> Snapshot:
    version = transport.first_contact()
    discovery = discover(transport)
    target = find_release(transport, discovery, namespace, release, None)
    found = base(transport, discovery, version, "test")
    site = Session(Access(secrets=secrets), transport, discovery, found, target).collect(READS, reads_needed(PACK, selected))
    return Snapshot("exivity-audit/snapshot", 1, Tool("exivity-audit", "0.1.0"), site.now, site.now, (site,))


def _ended(code: int, said: str, clock: Clock, began: float, started: float, transport: Transport) -> Run:
    return Run(code, said, {}, {}, None, {}, time.monotonic() - began, clock() - started, max(clock.slept, default=0.0), transport.stats.requests)
