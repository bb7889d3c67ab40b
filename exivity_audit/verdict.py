"""A verdict: what one check found about one subject, with the words a check uses to say it."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit.evidence import Evidence, Source, kubectl_line, object_name
from exivity_audit.fact import Unread
from exivity_audit.measure import Scalar, Unit, Wanted, print_value, unit_of
from exivity_audit.remedy import Fix, alike
from exivity_audit.subject import Subject


class Status(enum.StrEnum):
    """Outcome of a verdict, in order of urgency (checks.md section 1)."""

    FAIL = "fail"
    ERROR = "error"
    UNKNOWN = "unknown"
    MANUAL = "manual"
    WARN = "warn"
    WAIVED = "waived"
    PASS = "pass"
    SKIP = "skip"

    @property
    def urgency(self) -> int:
        """0 for the most urgent."""
        return _URGENCY[self]


_URGENCY = {status: place for place, status in enumerate(Status)}


UNDECIDED = frozenset({Status.UNKNOWN, Status.MANUAL, Status.ERROR})


class Severity(enum.StrEnum):
    """How much a broken clause costs; a check has one a scenario."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def weight(self) -> int:
        """Share in the score: critical 8, high 5, medium 3, low 1."""
        return _WEIGHT[self]


_WEIGHT = {Severity.CRITICAL: 8, Severity.HIGH: 5, Severity.MEDIUM: 3, Severity.LOW: 1}


class Objection(Struct, frozen=True):
    """A waiver or attestation that names a verdict and does not hold for it, and why."""

    paper: Any
    why: str
    needs: tuple[str, ...] = ()  # what would show whether it holds
    blind: bool = False  # what it rests on could not be seen


class Verdict(Struct, frozen=True):
    """What one check says about one subject."""

    status: Status
    subject: Subject | None
    measured: Scalar = None
    unit: Unit = Unit.TEXT
    wanted: Wanted | None = None
    seen: str = ""  # the measured value in words, where the bare value says too little
    why: str = ""  # the reason of a skip, unknown, manual or error
    remark: str = ""
    fix: Fix | None = None
    follows: str | None = None  # id of the check whose finding explains this skip
    needs: tuple[str, ...] = ()  # RBAC rules, flags or settings that would decide an unknown
    evidence: tuple[Evidence, ...] = ()
    underlying: Status | None = None  # what a waiver or attestation covers
    waiver: Any = None
    attestation: Any = None
    unless_attested: Status | None = None  # of a fail that the clause lets a person vouch for: what it is then
    objections: tuple[Objection, ...] = ()  # waivers and attestations that name it and do not hold

    def with_remark(self, remark: str) -> Verdict:
        """The same verdict with one more printed note."""
        return replace(self, remark=f"{self.remark}; {remark}" if self.remark else remark)

    def with_evidence(self, *others: Verdict) -> Verdict:
        """The same verdict with the evidence of others behind its own."""
        return replace(self, evidence=self.evidence + tuple(one for other in others for one in other.evidence))

    @property
    def measured_text(self) -> str:
        """The measured value as a person reads it."""
        return self.seen or print_value(self.measured, self.unit)

    @property
    def message(self) -> str:
        """One sentence: subject, what was seen, what is wanted; or the reason where nothing was measured."""
        name = f"{self.subject.short}: " if self.subject else ""
        if self.why:
            return name + self.why
        text = name + self.measured_text
        return f"{text}, wanted {self.wanted}" if self.wanted and self.status in (Status.FAIL, Status.WARN) else text


def _verdict(status: Status, about: Any, measured: Any = None, at: Any = (), **rest: Any) -> Verdict:
    subject = about if isinstance(about, Subject) or about is None else about.subject
    return Verdict(status, subject, _scalar(measured), unit_of(measured), evidence=_evidence(about, measured, at), **rest)


def _scalar(value: Any) -> Scalar:
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(str(item) for item in value)
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _evidence(about: Any, measured: Any, at: Any) -> tuple[Evidence, ...]:
    """``at`` is a path on the subject's own object, or pairs of (fact, path[, value]) for other objects."""
    places = [at] if isinstance(at, str | tuple) and (isinstance(at, str) or (at and not isinstance(at[0], tuple | str))) else list(at)
    found = []
    for place in places:
        fact, path, value = (about, place, measured) if isinstance(place, str) else (place[0], place[1], place[2] if len(place) > 2 else measured)
        source: Source | None = getattr(fact, "source", None)
        if source is not None:
            found.append(Evidence(source.read, object_name(source), path, _scalar(value), kubectl_line(source, path)))
    return tuple(found)


def ok(about: Any, measured: Any = None, *, seen: str = "", remark: str = "", at: Any = (), wanted: Wanted | None = None) -> Verdict:
    """The clause is met; ``measured`` and ``at`` carry the evidence seen."""
    return _verdict(Status.PASS, about, measured, at, seen=seen, remark=remark, wanted=wanted)


def warn(
    about: Any, measured: Any = None, *, wanted: Wanted | None = None, seen: str = "", at: Any = (), fix: Fix | None = None, remark: str = ""
) -> Verdict:
    """Acceptable, not recommended."""
    return _verdict(Status.WARN, about, measured, at, wanted=wanted, seen=seen, fix=fix, remark=remark)


def fail(
    about: Any,
    measured: Any = None,
    *,
    wanted: Wanted | None = None,
    seen: str = "",
    at: Any = (),
    fix: Fix | None = None,
    remark: str = "",
    unless_attested: bool | Status = False,
) -> Verdict:
    """The clause is broken; ``unless_attested`` where the rule itself lets an attestation stand against what was seen (``Status.WARN``: in part)."""
    attested = Status.PASS if unless_attested is True else unless_attested or None
    return _verdict(Status.FAIL, about, measured, at, wanted=wanted, seen=seen, fix=fix, remark=remark, unless_attested=attested)


def together(verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
    """The same verdicts, with the chart values that belong together as one remedy (see ``remedy.alike``).

    What ends the verdicts early is raised again behind those that were given.
    """
    found: list[Verdict] = []
    trouble: Exception | None = None
    try:
        for verdict in verdicts:
            found.append(verdict)
    except Exception as error:
        trouble = error
    joined = alike(verdict.fix for verdict in found if verdict.fix is not None)
    for verdict in found:
        own = verdict.fix
        yield replace(verdict, fix=replace(joined[own], own=own.values)) if own is not None and own in joined else verdict
    if trouble is not None:
        raise trouble


def skip(about: Any, why: str, *, follows: str | None = None) -> Verdict:
    """Does not apply here, and why; ``follows`` names the check whose finding explains it."""
    return _verdict(Status.SKIP, about, why=why, follows=follows)


def unknown(about: Any, why: str, *, needs: tuple[str, ...] = (), at: Any = ()) -> Verdict:
    """This run could not look; ``needs`` names the rule, flag or setting that would show it."""
    return _verdict(Status.UNKNOWN, about, at=at, why=why, needs=needs)


def malformed(members: Iterable[Unread], note: str = "") -> Iterator[Verdict]:
    """An unknown for each malformed member of a collection; those without a name are one subject, of which one verdict is said."""
    told: set[Subject] = set()
    for one in members:
        if one.subject not in told:
            told.add(one.subject)
            yield unknown(one.subject, f"malformed: {one.why}{note}")


def to_attest(about: Any, why: str = "", *, at: Any = (), measured: Any = None) -> Verdict:
    """No cluster can show it: a person attests it in ``evidence.yaml``."""
    return _verdict(Status.MANUAL, about, measured, at, why=why or "no attestation")
