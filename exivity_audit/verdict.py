"""A verdict: what one check found about one subject, with the words a check uses to say it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from exivity_audit.quantity import Duration, Size, print_duration, print_size
from exivity_audit.quantity import duration as parse_duration
from exivity_audit.quantity import size as parse_size
from exivity_audit.subject import Subject

Scalar = str | int | float | bool | None


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


class Unit(enum.StrEnum):
    """Unit of a measured value."""

    BYTES = "bytes"
    SECONDS = "seconds"
    COUNT = "count"
    TEXT = "text"


def unit_of(value: Any) -> Unit:
    """bytes for a Size, seconds for a Duration, count for other numbers, else text."""
    if isinstance(value, Size):
        return Unit.BYTES
    if isinstance(value, Duration):
        return Unit.SECONDS
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Unit.TEXT
    return Unit.COUNT


def print_value(value: Any, unit: Unit) -> str:
    """A value as a person reads it: ``50Gi``, ``9 d 4 h``, ``3``, ``true``, ``none``."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if unit is Unit.BYTES:
        return print_size(value)
    if unit is Unit.SECONDS:
        return print_duration(value)
    if isinstance(value, list | tuple):
        return ", ".join(print_value(item, unit) for item in value)
    return str(value)


@dataclass(frozen=True)
class Wanted:
    """What would pass: an operator, a value, and a phrase that says why."""

    operator: str  # one of >= <= == in
    value: Any
    unit: Unit
    note: str = ""

    def accepts(self, value: Scalar) -> bool | None:
        """Whether a value is as wanted; None where the two cannot be compared."""
        try:
            if self.operator == ">=":
                return bool(value >= self.value)
            if self.operator == "<=":
                return bool(value <= self.value)
        except TypeError:
            return None
        return value in self.value if self.operator == "in" else bool(value == self.value)

    def no_worse(self, value: Scalar, accepted: Scalar) -> bool:
        """Whether a value is at least as good as one that somebody accepted (waivers, checks.md section 6)."""
        if value == accepted:
            return True
        numbers = isinstance(value, int | float) and isinstance(accepted, int | float)
        if self.operator == ">=":
            return numbers and value >= accepted  # type: ignore[operator]
        if self.operator == "<=":
            return numbers and value <= accepted  # type: ignore[operator]
        if numbers and isinstance(self.value, int | float):
            return abs(value - self.value) <= abs(accepted - self.value)  # type: ignore[operator]
        return False

    def __str__(self) -> str:
        printed = print_value(self.value, self.unit)
        words = {
            ">=": f"≥ {printed}",
            "<=": f"≤ {printed}",
            "==": printed,
            "in": " or ".join(print_value(v, self.unit) for v in self.value) if self.operator == "in" else "",
        }[self.operator]
        if not self.note:
            return words
        return f"{words}: {self.note}" if " " in self.note else f"{words} {self.note}"  # "≥ 3 zones", "1: a second one duplicates its work"


def _wanted(operator: str, value: Any, note: str) -> Wanted:
    if isinstance(value, list | tuple | frozenset | set):
        value = tuple(sorted(value, key=str)) if isinstance(value, set | frozenset) else tuple(value)
        return Wanted(operator, value, unit_of(value[0]) if value else Unit.TEXT, note)
    return Wanted(operator, value, unit_of(value), note)


def measure(value: Any) -> Any:
    """``"50Gi"`` → Size, ``"30d"`` → Duration, so that a rule may be written as the vendor writes it."""
    if not isinstance(value, str):
        return value
    for parse in (parse_duration, parse_size):
        try:
            return parse(value)
        except ValueError:
            continue
    return value


def at_least(value: int | float | str, note: str = "") -> Wanted:
    """The measured value must be this or more; a string is a size (``"50Gi"``) or a duration (``"30d"``)."""
    return _wanted(">=", measure(value), note)


def at_most(value: int | float | str, note: str = "") -> Wanted:
    """The measured value must be this or less."""
    return _wanted("<=", measure(value), note)


def exactly(value: Scalar, note: str = "") -> Wanted:
    """The measured value must be this one."""
    return _wanted("==", value, note)


def one_of(*values: Scalar, note: str = "") -> Wanted:
    """The measured value must be one of these."""
    return _wanted("in", values, note)


def wanted(text: str) -> Wanted:
    """The wanted state in words, where no value says it."""
    return Wanted("==", text, Unit.TEXT)


class FixKind(enum.StrEnum):
    """What changes: the chart's values, an object of the cluster, or something a person does."""

    VALUES = "values"
    PATCH = "patch"
    TASK = "task"


@dataclass(frozen=True)
class Fix:
    """One remedy; equal texts are one remedy in the report."""

    kind: FixKind
    text: str
    values: tuple[tuple[str, Scalar], ...] = ()
    patch: Mapping[str, Any] | None = None
    target: Subject | None = None
    needs: str | None = None  # "reinstall", "upgrade", "new secret": what Helm can do with it

    def __and__(self, other: Fix) -> Fix:
        """Two sets of chart values as one remedy."""
        return Fix(FixKind.VALUES, f"{self.text}, {other.text}", self.values + other.values, needs=self.needs or other.needs)


def values(path: str, value: Scalar, *, needs: str | None = None) -> Fix:
    """A chart value to set: ``values("service.chronos.replicas", 1)``."""
    shown = value if isinstance(value, str) else print_value(value, Unit.TEXT)
    return Fix(FixKind.VALUES, f"`{path}: {shown or chr(34) * 2}`", ((path, value),), needs=needs)


def patch(subject: Subject | HasSubject, body: Mapping[str, Any], text: str = "") -> Fix:
    """A merge patch on an object that the chart's values do not reach; ``text`` says it in one imperative sentence."""
    target = subject if isinstance(subject, Subject) else subject.subject
    return Fix(FixKind.PATCH, text or f"Patch {target}", patch=body, target=target)


def task(text: str) -> Fix:
    """Something a person does, in one imperative sentence."""
    return Fix(FixKind.TASK, text)


@dataclass(frozen=True)
class Source:
    """Where a fact was seen: the read, the API resource and the object, with its kind as people call it."""

    read: str
    resource: str
    namespace: str | None
    name: str | None
    kind: str = ""


@runtime_checkable
class HasSubject(Protocol):
    """A fact about one object: it knows the subject of its verdicts."""

    @property
    def subject(self) -> Subject: ...


@dataclass(frozen=True)
class Evidence:
    """One thing seen: read, object, path, value, and the kubectl line that shows it again."""

    read: str
    object: str | None
    path: str | None
    value: Scalar
    kubectl: str | None


@dataclass(frozen=True)
class Verdict:
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

    def with_remark(self, remark: str) -> Verdict:
        """The same verdict with one more printed note."""
        return replace(self, remark=f"{self.remark}; {remark}" if self.remark else remark)

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
            found.append(Evidence(source.read, _object_name(source), path, _scalar(value), kubectl_line(source, path)))
    return tuple(found)


def _object_name(source: Source) -> str:
    place = f"{source.namespace}/{source.name}" if source.namespace else str(source.name)
    word = source.kind or source.resource
    return f"{word} {place}" if source.name else word


_SECRET_RESOURCES = frozenset({"secrets"})


def kubectl_line(source: Source, path: str) -> str:
    """The command that shows the same evidence; of a Secret it lists the keys and never prints a value."""
    name = f" {source.name}" if source.name else ""
    place = f" -n {source.namespace}" if source.namespace else ""
    if source.resource in _SECRET_RESOURCES:
        return f"kubectl describe secret{name}{place}"
    if not path:
        return f"kubectl get {source.resource}{name}{place} -o yaml"
    steps = path.replace("[]", "[*]")
    while "[" in steps.replace("[*]", ""):
        start = next(i for i, c in enumerate(steps) if c == "[" and not steps.startswith("[*]", i))
        end = steps.index("]", start)
        steps = f"{steps[:start]}.{steps[start + 1 : end].replace('.', chr(92) + '.')}{steps[end + 1 :]}"
    items = "" if source.name else ".items[*]"
    return f"kubectl get {source.resource}{name}{place} -o jsonpath='{{{items}.{steps}}}'"


def ok(about: Any, measured: Any = None, *, seen: str = "", remark: str = "", at: Any = (), wanted: Wanted | None = None) -> Verdict:
    """The clause is met; ``measured`` and ``at`` carry the evidence seen."""
    return _verdict(Status.PASS, about, measured, at, seen=seen, remark=remark, wanted=wanted)


def warn(
    about: Any, measured: Any = None, *, wanted: Wanted | None = None, seen: str = "", at: Any = (), fix: Fix | None = None, remark: str = ""
) -> Verdict:
    """Acceptable, not recommended."""
    return _verdict(Status.WARN, about, measured, at, wanted=wanted, seen=seen, fix=fix, remark=remark)


def fail(
    about: Any, measured: Any = None, *, wanted: Wanted | None = None, seen: str = "", at: Any = (), fix: Fix | None = None, remark: str = ""
) -> Verdict:
    """The clause is broken."""
    return _verdict(Status.FAIL, about, measured, at, wanted=wanted, seen=seen, fix=fix, remark=remark)


def skip(about: Any, why: str, *, follows: str | None = None) -> Verdict:
    """Does not apply here, and why; ``follows`` names the check whose finding explains it."""
    return _verdict(Status.SKIP, about, why=why, follows=follows)


def unknown(about: Any, why: str, *, needs: tuple[str, ...] = (), at: Any = ()) -> Verdict:
    """This run could not look; ``needs`` names the rule, flag or setting that would show it."""
    return _verdict(Status.UNKNOWN, about, at=at, why=why, needs=needs)


def to_attest(about: Any, why: str = "", *, at: Any = (), measured: Any = None) -> Verdict:
    """No cluster can show it: a person attests it in ``evidence.yaml``."""
    return _verdict(Status.MANUAL, about, measured, at, why=why or "no attestation")
