"""The calendar: what becomes due on which day, if nothing is done; attestations and waivers beside what the cluster holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Literal

from msgspec import Struct

from exivity_audit.attestation import Attestation, day
from exivity_audit.config import Waiver
from exivity_audit.fact import Broken, Objects, Reason, Unreadable

Kind = Literal["certificate", "support", "attestation", "waiver"]
EVERY_SITE = "*"


class Due(Struct, frozen=True, order=True):
    """One line of the calendar. ``date`` is the last good day; ``days_left`` is negative where it has passed."""

    date: str
    kind: Kind
    what: str
    subject: str | None
    days_left: int


def due(last: datetime | date, kind: Kind, what: str, subject: str | None, now: datetime) -> Due:
    """A line for a last good day."""
    end = last.date() if isinstance(last, datetime) else last
    return Due(end.isoformat(), kind, what, subject, (end - now.date()).days)


def _papers(waivers: Iterable[Waiver], attestations: Iterable[Attestation], now: datetime) -> list[tuple[str | None, Due]]:
    """Waivers and attestations with their sites; one without a readable day is left to ``waivers lint``."""
    found: list[tuple[str | None, Due]] = []
    for kind, papers in (("attestation", attestations), ("waiver", waivers)):
        for paper in papers:
            who = paper.by if isinstance(paper, Attestation) else paper.owner
            what = f"{kind} for {paper.check} ends ({who})"
            try:
                found.append((paper.site, due(day(paper.expires), "attestation" if kind == "attestation" else "waiver", what, paper.subject, now)))
            except ValueError:
                continue
    return found


def calendars(seen: Mapping[str, Any], waivers: Iterable[Waiver], attestations: Iterable[Attestation], now: datetime) -> dict[str, Objects[Due]]:
    """The calendar of each site, sorted; papers for no site in particular stand under ``*`` where there are several sites.

    What a site's own calendar could not see stays with it as ``partial``.
    """
    found: dict[str, Objects[Due]] = {}
    for site, rows in seen.items():
        if isinstance(rows, Broken):
            rows = Unreadable((Reason("calendar", rows.error),))
        found[site] = Objects((), partial=rows.reasons) if isinstance(rows, Unreadable) else rows
    only = next(iter(seen)) if len(seen) == 1 else EVERY_SITE
    for site_name, row in _papers(waivers, attestations, now):
        place = site_name if site_name in found else only
        found[place] = found.get(place, Objects()).join(Objects((row,)))
    return {site: Objects(sorted(rows), unreadable=rows.unreadable, partial=rows.partial) for site, rows in found.items()}


def due_by_site(tables: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Due]] | None:
    """Every line with its site, the nearest day first; None where no site has a calendar."""
    found = [(site, one.get("calendar")) for site, one in tables.items()]
    known = [(site, rows) for site, rows in found if isinstance(rows, tuple)]
    lines = [(site, row) for site, rows in known for row in rows if isinstance(row, Due)]
    return sorted(lines, key=lambda line: (line[1].date, line[1], line[0])) if known else None
