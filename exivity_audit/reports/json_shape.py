"""The JSON report's shape, schema 1: every key always there, optional ones null, enums in the checklist's words."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from exivity_audit.acceptance import State
from exivity_audit.measure import Unit
from exivity_audit.pack import Phase
from exivity_audit.remedy import FixKind
from exivity_audit.reports.action_shape import ActionsShape
from exivity_audit.reports.tables_shape import TablesShape
from exivity_audit.scenario import Purpose, Role, Scenario
from exivity_audit.score import Gate, RowVerdict
from exivity_audit.snapshot import Outcome as ReadOutcome
from exivity_audit.verdict import Severity, Status

Plain = str | int | float | bool | None


class Shape(msgspec.Struct, frozen=True):
    """A JSON object."""


class ToolShape(Shape, frozen=True):
    """The program that wrote the report."""

    name: str
    version: str


class ChecklistShape(Shape, frozen=True):
    """The checklist judged by."""

    name: str
    version: str


class RunShape(Shape, frozen=True):
    """The run; with the process's own times the only part that differs between two runs over one snapshot."""

    started: str
    finished: str
    now: str
    namespace: str
    release: str
    flags: list[str]
    exit_code: int


class ClusterShape(Shape, frozen=True):
    """A cluster; uid and version are null where they could not be read."""

    name: str
    uid: str | None
    version: str | None


class ReadsShape(Shape, frozen=True):
    """Reads of a site by how they ended."""

    found: int
    empty: int
    not_installed: int
    forbidden: int
    failed: int
    not_asked: int


class SiteShape(Shape, frozen=True):
    """One site of the run."""

    name: str
    role: Role | None
    cluster: ClusterShape
    namespace: str
    release: str
    reads: ReadsShape
    insecure: bool  # the server's certificate was not verified
    now: str  # when it was read, by its server's clock
    coverage: CoverageShape  # of the checks of this site alone
    unreached: str | None  # why nobody could be asked there; all its reads failed then


class ScenarioShape(Shape, frozen=True):
    """Scenario and purpose of the run."""

    declared: Scenario | None
    detected: Scenario | None
    used: Scenario | None
    purpose: Purpose


class CoverageShape(Shape, frozen=True):
    """Weight decided of weight applicable; ratio is null where nothing applies."""

    decided: int
    applicable: int
    ratio: float | None


class CountsShape(Shape, frozen=True):
    """Outcomes by status."""

    fail: int
    error: int
    unknown: int
    manual: int
    warn: int
    waived: int
    pass_: int = msgspec.field(name="pass")
    skip: int


class SummaryShape(Shape, frozen=True):
    """The answer; gate is null for purpose evaluation, grade where too little is decided."""

    gate: Gate | None
    remarks: int
    waivers: int
    grade: Literal["A", "B", "C", "D", "F"] | None
    score: float | None
    score_without_waivers: float | None
    coverage: CoverageShape
    counts: CountsShape


class RowShape(Shape, frozen=True):
    """One row of the checklist."""

    id: str
    title: str
    phase: Phase
    verdict: RowVerdict
    score: float | None
    coverage: CoverageShape
    counts: CountsShape
    weight: int  # in the overall score of this scenario


class SubjectShape(Shape, frozen=True):
    """The object a person would edit."""

    kind: str
    namespace: str | None
    name: str | None
    part: str | None


class WantedShape(Shape, frozen=True):
    """What would pass."""

    operator: Literal[">=", "<=", "==", "in"]
    value: Plain | list[Plain]
    unit: Unit
    note: str


class EvidenceShape(Shape, frozen=True):
    """One thing seen, and the command that shows it again."""

    read: str
    object: str | None
    path: str | None
    value: Plain
    kubectl: str | None


class FixShape(Shape, frozen=True):
    """One remedy: chart values, a patch, or something a person does."""

    text: str
    kind: FixKind
    values: dict[str, Plain] | None
    patch: dict[str, Any] | None
    needs: str | None  # besides an upgrade
    fill: list[str]  # chart values that only a person knows


class WaiverShape(Shape, frozen=True):
    """A finding that somebody accepts until a day."""

    check: str
    subject: str | None
    site: str | None
    reason: str
    owner: str
    expires: str
    ticket: str | None
    accepts: Plain
    state: State
    why: str  # why it does not hold, or what it does not hold for; empty where it simply holds


class AttestationShape(Shape, frozen=True):
    """What a person vouches for until a day, and what became of it."""

    check: str
    subject: str | None
    site: str | None
    statement: str
    by: str
    date: str
    expires: str
    artefact: str | None
    context: dict[str, Any]
    state: State
    why: str


class ResultShape(Shape, frozen=True):
    """One verdict on one subject."""

    id: str
    row: str
    site: str
    fingerprint: str
    title: str
    severity: Severity
    status: Status
    underlying: Status | None
    remark: str
    subject: SubjectShape | None
    message: str
    measured: Plain
    unit: Unit
    wanted: WantedShape | None
    evidence: list[EvidenceShape]
    clauses: list[str]
    fix: FixShape | None
    needs: list[str]
    follows: str | None
    waiver: WaiverShape | None
    attestation: AttestationShape | None


class LifecycleShape(Shape, frozen=True):
    """The table of supported releases: its date, whether it is too old to trust, and the site's own file where it gave one."""

    date: str
    stale: bool
    file: str | None


class PlaceShape(Shape, frozen=True):
    """Where a read looked."""

    namespace: str | None
    name: str | None
    labels: str | None


class UnreadShape(Shape, frozen=True):
    """A read that saw nothing, and the rule that would let it."""

    site: str
    read: str
    place: PlaceShape
    outcome: ReadOutcome
    reason: str
    rule: str | None


class GainShape(Shape, frozen=True):
    """A remedy with the points it brings and the fingerprints of the results it answers."""

    gain: float
    fix: FixShape
    results: list[str]


class ChangeCountsShape(Shape, frozen=True):
    """Findings by what became of them since the baseline."""

    new: int
    worse: int
    incomparable: int
    better: int
    resolved: int


class ChangeShape(Shape, frozen=True):
    """One finding that is not what it was; a status is null where it was not there."""

    change: Literal["new", "worse", "incomparable", "better", "resolved"]
    fingerprint: str
    id: str
    site: str
    title: str
    severity: Severity
    subject: SubjectShape | None
    before: Status | None
    after: Status | None
    message: str
    why: str


class BaselineShape(Shape, frozen=True):
    """What changed since an earlier report: counts, each change, and the difference of the scores by cause."""

    file: str
    now: str
    checklist: str
    gate: Gate | None
    score: float | None
    shares: dict[str, float]  # points by cause; empty where one side has no score
    remarks: list[str]
    counts: ChangeCountsShape
    changes: list[ChangeShape]


class ReportShape(Shape, frozen=True):
    """The whole report; what came later than version 0.1.0 has a default, so that reports of then can be read."""

    schema_version: Literal[1]
    tool: ToolShape
    checklist: ChecklistShape
    run: RunShape
    cluster: ClusterShape
    sites: list[SiteShape]
    scenario: ScenarioShape
    summary: SummaryShape
    rows: list[RowShape]
    results: list[ResultShape]
    tables: TablesShape
    unread: list[UnreadShape]
    fixes: list[GainShape]
    attestations: list[AttestationShape]
    waivers: list[WaiverShape]
    lifecycle: LifecycleShape | None
    actions: ActionsShape | None = None
    baseline: BaselineShape | None = None
