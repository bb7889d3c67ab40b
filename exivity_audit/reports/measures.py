"""Verdicts as lines: subjects with equal measurement share one, and long lists are cut the same way everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from exivity_audit.evaluate import Outcome
from exivity_audit.evidence import MALFORMED
from exivity_audit.reports.dates import print_day
from exivity_audit.score import remedy_text
from exivity_audit.subject import Subject
from exivity_audit.verdict import Status, Verdict

SUBJECTS = 3
WHOLE_RUN = frozenset({"Release", "Cluster"})  # subjects that say nothing beside a reason


def named(names: Sequence[str], verbose: bool) -> str:
    """``a, b, c and 8 more``; all of them when verbose."""
    shown = names if verbose else names[:SUBJECTS]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(shown) + more


def cut(lines: Sequence[str], verbose: bool) -> tuple[str, ...]:
    """The first lines and how many more there are; all of them when verbose."""
    if verbose or len(lines) <= SUBJECTS:
        return tuple(lines)
    return (*lines[:SUBJECTS], f"and {len(lines) - SUBJECTS} more")


def subject_names(subjects: Iterable[Subject | None]) -> list[str]:
    """Short names; the whole subject where two of them would read the same."""
    known = [subject for subject in subjects if subject is not None]
    shorts = [subject.short for subject in known]
    return [str(subject) if shorts.count(subject.short) > 1 else subject.short for subject in known]


def _grouped(pairs: Iterable[tuple[str, Subject | None]], verbose: bool) -> tuple[str, ...]:
    alike: dict[str, list[Subject | None]] = {}
    for text, subject in pairs:
        alike.setdefault(text, []).append(subject)
    lines = []
    for text, subjects in alike.items():
        who = named(subject_names(subjects), verbose)
        lines.append(": ".join(part for part in (who, text) if part))
    return tuple(lines)


def seen(verdicts: Iterable[Verdict], verbose: bool) -> tuple[str, ...]:
    """One line for each distinct measurement, naming the subjects that share it."""
    return _grouped(((f"{v.why or v.measured_text}{'; ' + v.remark if v.remark else ''}", v.subject) for v in verdicts), verbose)


def reasons(verdicts: Iterable[Verdict], verbose: bool) -> tuple[str, ...]:
    """One line for each distinct reason why nothing was decided."""
    return _grouped(((v.why or v.measured_text, None if v.subject is None or v.subject.kind in WHOLE_RUN else v.subject) for v in verdicts), verbose)


def wants(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """What would pass, each once."""
    return tuple(dict.fromkeys(str(verdict.wanted) for verdict in verdicts if verdict.wanted))


def sources(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """Where it was seen, each place once: object and path. No verdict rests on what is malformed, which was passed by."""
    found = []
    for verdict in verdicts:
        for item in (one for one in verdict.evidence if one.read != MALFORMED):
            path = f".{item.path}" if item.path and not item.path.startswith(".") else item.path or ""
            found.append(" ".join(part for part in (item.object or item.read, path) if part))
    return tuple(dict.fromkeys(found))


def remedies(outcome: Outcome) -> tuple[str, ...]:
    """The distinct remedies of what is broken or doubtful."""
    return tuple(dict.fromkeys(remedy_text(outcome, verdict) for verdict in outcome.verdicts if verdict.status in (Status.FAIL, Status.WARN)))


def waived(verdict: Verdict) -> str:
    """``fail, waived until 31 Jan 2027 by J. de Boer: hardware on order (CHG-4411)``."""
    waiver = verdict.waiver
    words = str(verdict.underlying or "finding")
    if waiver is None:
        return f"{words}, waived"
    ticket = f" ({waiver.ticket})" if waiver.ticket else ""
    return f"{words}, waived until {print_day(waiver.expires)} by {waiver.owner}: {waiver.reason}{ticket}"


def attested(verdict: Verdict) -> str:
    """``attested until 1 May 2027 by J. Doe on 2 Nov 2026: restored into a scratch namespace``."""
    item = verdict.attestation
    return f"attested until {print_day(item.expires)} by {item.by} on {print_day(item.date)}: {item.statement}"
