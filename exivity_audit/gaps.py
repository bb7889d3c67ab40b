"""What of a site was not seen, beside what a check said: unknowns of their own, and what verdicts that passed it by name among their evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from exivity_audit.check import Check
from exivity_audit.evidence import MALFORMED, Evidence
from exivity_audit.fact import Facts, Objects, Reason, Unread, Unreadable
from exivity_audit.sites import Judged
from exivity_audit.subject import Subject
from exivity_audit.verdict import Status, Verdict, unknown

FIRST = 3  # of many that are malformed, how many are named


def with_gaps(found: tuple[Verdict, ...], check: Check, facts: Facts, subject: Subject, compared: tuple[Judged, ...]) -> tuple[Verdict, ...]:
    """Add an unknown for each malformed member and each place not read, and put unread and malformed alternates into the evidence."""
    extra: list[Verdict] = []
    taken = {verdict.subject for verdict in found}
    odd, partial = facts.gaps(check.needs)
    for item in odd:
        if item.subject not in taken:
            extra.append(unknown(item.subject, f"malformed: {item.why}"))
            taken.add(item.subject)
    for reason in partial:
        part = subject.at(reason.rule or reason.read)
        if part not in taken:
            extra.append(unknown(part, reason.text, needs=reason.needs))
            taken.add(part)
    if extra and all(verdict.status is Status.SKIP and verdict.subject is None for verdict in found):
        found = ()
    here = [item for item in facts.malformed((*check.needs, *check.alternates)) if item.subject not in taken]
    there = [item for site in compared for item in _not_seen_there(check, site)]
    for site in compared:
        known = {*taken, *(item.subject for item in here)} if site.facts is facts else ()
        there += passed_by((item for item in site.facts.malformed(check.across) if item.subject not in known), site.name)
    named = (*_not_seen_here(check, facts), *there, *passed_by(here))
    verdicts = (*found, *extra)
    return tuple(replace(verdict, evidence=verdict.evidence + named) for verdict in verdicts) if named else verdicts


def passed_by(odd: Iterable[Unread], site: str = "") -> Iterator[Evidence]:
    """What is malformed, one entry for each kind: the first of many by name, and how many more there are."""
    kinds: dict[str, list[Unread]] = {}
    for item in odd:
        kinds.setdefault(item.subject.kind, []).append(item)
    for items in kinds.values():
        names = _first(str(item.subject) for item in items)
        yield Evidence(MALFORMED, f"{names} at {site}" if site else names, None, _first(item.why for item in items), None)


def _first(texts: Iterable[str]) -> str:
    every = list(dict.fromkeys(texts))
    return ", ".join(every[:FIRST]) + (f" and {len(every) - FIRST} more" if len(every) > FIRST else "")


def _not_seen_here(check: Check, facts: Facts) -> Iterator[Evidence]:
    """The reads behind the alternates of a check that could not be asked for."""
    _, optional = facts.names_behind(check.needs, check.alternates)
    for name in sorted(optional):
        if reasons := _not_read(facts.value(name, inside=name)):
            yield Evidence(name, None, None, "; ".join(reason.text for reason in reasons), None)


def _not_seen_there(check: Check, site: Judged) -> Iterator[Evidence]:
    """The reads behind what a check compares over sites that a site could not be asked for, as evidence with the site's name."""
    needed, optional = site.facts.names_behind((), check.across)
    for name in sorted(needed | optional):
        if reasons := _not_read(site.facts.value(name, inside=name)):
            yield Evidence(name, site.name, None, "; ".join(reason.text for reason in site.here(reasons)), None)


def _not_read(value: Any) -> tuple[Reason, ...]:
    """Why an alternate, or some places of it, could not be read."""
    return value.reasons if isinstance(value, Unreadable) else value.partial if isinstance(value, Objects) else ()
