"""What past reports say: the trend of score and gate, and how full the volumes were then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact, maybe, seen
from exivity_audit.facts.volume_use import Use, UseSources, use_of
from exivity_audit.quantity import Size

WEEK, DAY = 7 * 86400.0, 86400.0
FEWEST = 2  # past reports with a figure of a volume that tell its pace


class PastReport(Struct, frozen=True):
    """A past report: when, how it ended, and what was used of each volume then, with the read that said so."""

    source: Source
    date: datetime
    score: float | None
    grade: str | None
    gate: str | None
    coverage: float | None
    checklist: str | None
    volumes: Mapping[str, tuple[Size, str]]

    def __hash__(self) -> int:
        return hash((self.source, self.date))


def _past(item: Document) -> PastReport | None:
    date = item.time("date")
    if date is None:
        return None
    volumes = {}
    for one in item.items("volumes"):
        subject, used, read = one.text("subject"), one.integer("used"), one.text("read")
        if subject and read and used is not None:
            volumes[subject] = Size(used), read
    grade, gate, checklist = item.text("grade"), item.text("gate"), item.text("checklist")
    return PastReport(item.source, date, item.number("score"), grade, gate, item.number("coverage"), checklist, volumes)


@fact
def history(history_reports: Objects[Document], now: datetime) -> Objects[PastReport]:
    """The past reports of this release, the oldest first; those of after the time that is judged are left out."""
    found = history_reports.each(_past).where(lambda one: one.date < now)
    return Objects(sorted(found, key=lambda one: one.date), unreadable=found.unreadable, partial=found.partial)


class TrendPoint(Struct, frozen=True):
    """One past run."""

    date: str
    score: float | None
    grade: str | None
    gate: str | None
    coverage: float | None
    checklist: str | None


@fact
def trend(history: Objects[PastReport]) -> tuple[TrendPoint, ...]:
    """How earlier runs ended, the oldest first."""
    return tuple(TrendPoint(f"{one.date:%Y-%m-%dT%H:%M:%SZ}", one.score, one.grade, one.gate, one.coverage, one.checklist) for one in history)


class VolumeFigure(Struct, frozen=True):
    """How full a volume is, as a later run reads it back."""

    subject: str
    used: int
    capacity: int
    read: str  # the read that said so: only figures of one source make a pace


@fact
def volume_figures(claims: Any, use_sources: UseSources, database: Any = maybe) -> tuple[VolumeFigure, ...]:
    """The use of every volume of the product and of its database in the cluster, as far as it is seen."""
    others = tuple(database.claims) if seen(database) and database.in_cluster else ()
    uses = {str(use.subject): use for claim in (*claims, *others) if (use := use_of(claim, use_sources)) is not None}
    return tuple(VolumeFigure(subject, int(use.used), int(use.capacity), use.source.read) for subject, use in sorted(uses.items()))


def points(use: Use, past: Objects[PastReport]) -> list[tuple[PastReport, Size]]:
    """The past reports that say what was used of the same volume by the same source."""
    subject = str(use.subject)
    return [(one, one.volumes[subject][0]) for one in past if subject in one.volumes and one.volumes[subject][1] == use.source.read]


def paced(use: Use, past: Objects[PastReport], now: datetime) -> tuple[Use, PastReport | None]:
    """A use with the past figure that is nearest to a week ago, and the report that tells it.

    It stays as it is where it has an earlier figure, and where fewer than two past runs, one of them a day old, tell one.
    """
    found = points(use, past)
    old = [(one, used) for one, used in found if (now - one.date).total_seconds() >= DAY]
    if use.earlier is not None or len(found) < FEWEST or not old:
        return use, None
    report, used = min(old, key=lambda pair: abs((now - pair[0].date).total_seconds() - WEEK))
    return replace(use, earlier=(used, (now - report.date).total_seconds())), report
