"""Acceptance: how attestations and waivers change a verdict, and what became of each of them in a run (checks.md sections 5 and 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from exivity_audit.attestation import CONTEXT, Attestation, written
from exivity_audit.config import Waiver
from exivity_audit.fact import Broken, Facts, Reason, Unreadable
from exivity_audit.subject import matches
from exivity_audit.verdict import Objection, Status, Verdict
from exivity_audit.waiver import expired, objection

ANSWERABLE = frozenset({Status.MANUAL, Status.UNKNOWN})
OPEN = frozenset({Status.FAIL, Status.WARN})
SUBSET = frozenset({"target"})  # a restore from one of several targets stands while that one is in use; the others must be equal

Context = Mapping[str, tuple[str, ...] | Unreadable]
State = Literal["used", "unused", "expired", "void"]
ALL_SITES = "*"


def context_of(facts: Facts) -> Context:
    """What attestations may be bound to, as a site shows it today."""
    found = {key: facts.value(name) for key, name in CONTEXT.items()}
    return {key: Unreadable((Reason(key, value.error),)) if isinstance(value, Broken) else value for key, value in found.items()}


class Acceptance(Struct, frozen=True):
    """What people accept and vouch for, with what it is compared to."""

    waivers: tuple[Waiver, ...]
    attestations: tuple[Attestation, ...]
    now: datetime
    today: Mapping[str, Context] = field(default_factory=dict)  # by site

    def accept(self, verdict: Verdict, check: str, site: str, attestable: bool) -> Verdict:
        """The verdict as people's acceptance leaves it: an attestation answers manual and unknown, a waiver covers fail and warn.

        One that names the verdict and does not hold is told beside it, with the reason.
        """
        if attestable and (verdict.status in ANSWERABLE or verdict.status is Status.FAIL):
            verdict = self._attest(verdict, check, site)
        return self._waive(verdict, check, site) if verdict.status in OPEN else verdict

    def _attest(self, verdict: Verdict, check: str, site: str) -> Verdict:
        against: list[Objection] = []
        for one in self.attestations:
            if not _names(one, check, site, verdict):
                continue
            doubt = self._doubt(one, site)
            if doubt is None and verdict.status is Status.FAIL and not verdict.unless_attested:
                doubt = Objection(one, "the cluster shows otherwise, and what is seen wins")
            if doubt is None:
                status = (verdict.unless_attested if verdict.status is Status.FAIL else None) or Status.PASS
                answered = replace(verdict, status=status, underlying=verdict.status, attestation=one)
                return answered if status is Status.PASS else answered.with_remark(f"attested by {one.by} on {one.date}: {one.statement}")
            against.append(doubt)
        return _told(verdict, against)

    def _doubt(self, one: Attestation, site: str) -> Objection | None:
        """Why an attestation does not hold today: it is too old, or what it was made on has changed or cannot be seen."""
        if one.expired(self.now):
            return Objection(one, f"it expired on {one.expires}")
        for key, value in one.context:
            for context in self._contexts(one.site or site):
                found = context.get(key, Unreadable((Reason(key, f"nothing tells {key} today"),)))
                if isinstance(found, Unreadable):
                    text = "; ".join(reason.text for reason in found.reasons)
                    needs = tuple(need for reason in found.reasons for need in reason.needs)
                    return Objection(one, f"{_word(key)} cannot be compared with today's: {text}", needs, blind=True)
                given, today = written(value), written(found)
                if set(given) - set(today) if key in SUBSET else given != today:
                    return Objection(one, f"made when {_word(key)} was {_list(given)}, and it is {_list(today)} today")
        return None

    def _contexts(self, site: str) -> Iterable[Context]:
        return self.today.values() if site == ALL_SITES else (self.today.get(site, {}),)

    def _waive(self, verdict: Verdict, check: str, site: str) -> Verdict:
        against: list[Objection] = []
        for one in self.waivers:
            if not _names(one, check, site, verdict):
                continue
            why = f"it expired on {one.expires}" if expired(one, self.now) else objection(one, verdict)
            if not why:
                return replace(verdict, status=Status.WAIVED, underlying=verdict.status, waiver=one)
            against.append(Objection(one, why))
        return _told(verdict, against)


def _word(key: str) -> str:
    return {"class": "the storage class", "postgresql_major": "the PostgreSQL major", "target": "the backup target"}.get(key, key)


def _list(values: tuple[str, ...]) -> str:
    return ", ".join(values) or "none"


def _names(one: Waiver | Attestation, check: str, site: str, verdict: Verdict) -> bool:
    return one.check == check and one.site in (None, site) and (one.subject is None or matches(one.subject, verdict.subject))


def _told(verdict: Verdict, against: list[Objection]) -> Verdict:
    """The verdict with the papers that name it and do not hold: in its reason, or as a remark where something was seen."""
    if not against:
        return verdict
    verdict = replace(verdict, objections=(*verdict.objections, *against))
    texts = tuple(dict.fromkeys(f"{_paper(one.paper)}: {one.why}" for one in against))
    if not verdict.why:
        return verdict.with_remark("; ".join(texts))
    blind = [one for one in against if one.blind]
    if blind and verdict.status is Status.MANUAL:  # a right would show whether the paper holds
        verdict = replace(verdict, status=Status.UNKNOWN, needs=tuple(dict.fromkeys(need for one in blind for need in one.needs)))
    return replace(verdict, why="; ".join((verdict.why, *texts)))


def _paper(one: Any) -> str:
    return f"the waiver of {one.owner}" if isinstance(one, Waiver) else f"{one.by}'s attestation of {one.date}"


class Fate(Struct, frozen=True):
    """What became of a waiver or attestation in a run, and why where it does not hold or is not needed."""

    state: State
    why: str = ""


def fate_of(paper: Waiver | Attestation, verdicts: Iterable[Verdict], now: datetime, asked: Callable[[str], bool]) -> Fate:
    """Used by a verdict, past its last day, void for a reason, or unused; ``asked`` tells whether a check belongs to this run."""
    if expired(paper, now) if isinstance(paper, Waiver) else paper.expired(now):
        return Fate("expired", f"it expired on {paper.expires}")
    used = False
    reasons: dict[str, None] = {}
    for verdict in verdicts:
        used = used or paper in (verdict.waiver, verdict.attestation)
        reasons |= {one.why: None for one in verdict.objections if one.paper == paper}
    why = "; ".join(reasons)
    if used:
        return Fate("used", why)
    if why:
        return Fate("void", why)
    if not asked(paper.check):
        return Fate("unused", "its check was left out of this run")
    return Fate("unused", "nothing of this run needs it" if isinstance(paper, Attestation) else "it covers no finding of this run")
