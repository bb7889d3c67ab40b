"""The page's part for everybody: the answer and why, the checklist, the trend, what to fix first, the sign-off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from fractions import Fraction

from msgspec import Struct

from exivity_audit.document import parse_time
from exivity_audit.reports import figures
from exivity_audit.reports.anchors import Anchors
from exivity_audit.reports.closing import FIRST
from exivity_audit.reports.glyphs import EVALUATION, OPEN, VERDICT_STATUS
from exivity_audit.reports.identity import release_words
from exivity_audit.reports.page_findings import Reference
from exivity_audit.reports.sentences import together
from exivity_audit.reports.texts import Texts
from exivity_audit.score import Gate, RowScore, Scorecard
from exivity_audit.snapshot import SiteSnapshot
from exivity_audit.verdict import Severity, Status

GATE_STATUS = {Gate.READY: Status.PASS, Gate.NOT_READY: Status.FAIL, Gate.UNVERIFIED: Status.UNKNOWN, None: Status.SKIP}
BAR, GAP = 200.0, 1.0  # width of a row's bar, and of the gap between two parts of it
POINTS = 12  # failures that the sign-off names
WIDE, HIGH = 600.0, 100.0  # the trend's own units
Point = tuple[str, float | None]


class Answer(Struct, frozen=True):
    """The headline: who, what, the grade, the score, how much of it was decided."""

    names: tuple[tuple[str, str], ...]
    verdict: str
    status: Status
    grade: str | None
    score: str
    decided: str
    title: str


class Part(Struct, frozen=True):
    """One part of a bar, in its own units."""

    name: str
    x: str
    width: str


class Bar(Struct, frozen=True):
    """A row's weight as a picture, with its words."""

    parts: tuple[Part, ...]
    label: str


class Line(Struct, frozen=True):
    """One line of the checklist."""

    id: str
    anchor: str
    title: str
    phase: str
    verdict: str
    status: Status
    score: str
    decided: str
    decided_words: str
    whole: bool
    bar: Bar | None
    counts: tuple[tuple[Status, int], ...]
    earned: str
    weighed: str
    exact: str
    weight: int


class Gain(Struct, frozen=True):
    """One of the remedies that gain most."""

    gain: str
    text: str
    checks: tuple[Reference, ...]
    effects: tuple[str, ...]


class Trend(Struct, frozen=True):
    """The score over several runs."""

    lines: tuple[str, ...]
    dots: tuple[str, ...]
    label: str
    about: str
    first: str
    last: str
    points: tuple[tuple[str, str], ...]


class Facts(Struct, frozen=True):
    """One site as the head of the page tells it."""

    name: str
    cluster: str
    release: str
    role: str
    kubernetes: str
    more: tuple[str, ...]  # of one of several sites: how much of it was decided, when it was read, or why it was not reached


class OpenPoint(Struct, frozen=True):
    """One open point of the sign-off."""

    status: Status
    text: str
    check: Reference


def answer(card: Scorecard, texts: Texts) -> Answer:
    """The headline."""
    sites = card.judgement.snapshot.sites
    names = tuple(dict.fromkeys(site.cluster.name for site in sites))
    gate = str(card.gate) if card.gate is not None else EVALUATION
    points, cover = figures.whole(card.score), card.coverage
    score = texts("no_score") if points is None else texts("of_100", score=points)
    verdict = texts(f"gate.{gate}.{'one' if len(names) == 1 else 'many'}")
    return Answer(
        texts.joined(names), verdict, GATE_STATUS[card.gate], card.grade, score,
        texts("decided.checks", decided=cover.decided_checks, all=cover.applicable_checks),
        f"{texts.listed(names)} {verdict} ({score})",
    )  # fmt: skip


def site_facts(card: Scorecard, texts: Texts) -> tuple[Facts, ...]:
    """Every site with its cluster, release and nodes."""
    return tuple(_site(site, card, texts) for site in card.judgement.snapshot.sites)


def _site(site: SiteSnapshot, card: Scorecard, texts: Texts) -> Facts:
    found = figures.nodes(site)
    nodes = f"{texts.count('nodes', found[0])}, {texts.count('workers', found[1])}" if found else texts("nodes.unseen")
    role = texts(f"role.{site.role}") if site.role in ("active", "passive") else ""
    cover = figures.site_coverage(card, site.name)
    decided = texts("decided.checks", decided=cover.decided_checks, all=cover.applicable_checks)
    read = texts("site.unreached", why=site.unreached) if site.unreached else texts("site.read", time=texts.moment(parse_time(site.now)))
    version = f"{site.cluster.version or texts('version.unseen')}, {nodes}"
    return Facts(site.name, site.cluster.name, release_words(site), role, version, (decided, read))


def scenario(card: Scorecard, texts: Texts) -> str:
    """The scenario used and how it was found."""
    found = card.judgement.scenario
    if found.used is None:
        return texts("scenario.unknown")
    if found.declared is None:
        how = texts("how.detected")
    elif found.detected is None or found.declared is found.detected:
        how = texts("how.declared" if found.detected is None else "how.both")
    else:
        how = texts("how.other", other=found.detected)
    return f"{found.used}, {how}"


def checklist(card: Scorecard, texts: Texts, anchors: Anchors) -> tuple[Line, ...]:
    """One line a row."""
    return tuple(_line(row, card, texts, anchors) for row in card.rows)


def _line(row: RowScore, card: Scorecard, texts: Texts, anchors: Anchors) -> Line:
    cover, points, parts = row.coverage, figures.whole(row.score), figures.bar(row)
    exact = figures.tenths(row.score)
    return Line(
        id=row.row.id,
        anchor=anchors(row.row.id) if row.outcomes else "",
        title=row.row.title,
        phase=texts(f"phase.{row.row.phase}"),
        verdict=texts(f"verdict.{row.verdict}"),
        status=VERDICT_STATUS[row.verdict],
        score="–" if points is None else str(points),
        decided=f"{cover.decided_checks}/{cover.applicable_checks}" if cover.applicable_checks else "–",
        decided_words=texts("decided.row", decided=cover.decided_checks, all=cover.applicable_checks),
        whole=cover.decided_checks == cover.applicable_checks,
        bar=_bar(parts, texts) if parts.total else None,
        counts=tuple((status, row.counts[status]) for status in OPEN if row.counts[status]),
        earned=_weight(parts.earned, texts),
        weighed=_weight(parts.earned + parts.warned + parts.failed, texts),
        exact="–" if exact is None else texts.number(exact),
        weight=row.row.weight_in(card.judgement.scenario.used),
    )


def _weight(value: Fraction, texts: Texts) -> str:
    return str(value) if value.denominator == 1 else texts.number(float(value))


def _bar(bar: figures.Bar, texts: Texts) -> Bar:
    x, parts, words = 0.0, [], []
    for name in ("earned", "warned", "failed", "undecided"):
        share: Fraction = getattr(bar, name) / bar.total
        if share:
            width = float(share) * BAR
            parts.append(Part(name, f"{x:.1f}", f"{max(width - GAP, GAP):.1f}"))
            words.append(texts("bar.part", percent=max(1, round(share * 100)), part=texts(f"bar.{name}")))
            x += width
    return Bar(tuple(parts), ", ".join(words))


def gains(card: Scorecard, texts: Texts, refer: Callable[[str], Reference]) -> tuple[Gain, ...]:
    """The remedies that gain most, those of critical failures first."""
    found = []
    for remedy in card.remedies[:FIRST]:
        findings = len({(outcome.check.id, outcome.site) for outcome, _ in remedy.findings})
        effects = (
            texts("severity.critical") if remedy.severity is Severity.CRITICAL else "",
            texts("fixes.findings", number=findings) if findings > 1 else "",
            texts("fixes.clears", rows=", ".join(remedy.clears)) if remedy.clears else "",
        )
        gain = f"+{texts.number(figures.gain(remedy))}"
        found.append(Gain(gain, remedy.text, tuple(refer(name) for name in remedy.checks), tuple(effect for effect in effects if effect)))
    return tuple(found)


def gains_together(card: Scorecard, texts: Texts) -> str:
    """What those remedies bring together; empty where there is nothing to mend."""
    return together(card, card.remedies[:FIRST], texts) if card.remedies else ""


def open_points(card: Scorecard, refer: Callable[[str], Reference]) -> tuple[tuple[OpenPoint, ...], int]:
    """The gravest failures, each check once, and how many more there are."""
    found: dict[str, OpenPoint] = {}
    for outcome in figures.failures(card):
        found.setdefault(outcome.check.id, OpenPoint(Status.FAIL, outcome.check.title, refer(outcome.check.id)))
    points = tuple(found.values())
    return points[:POINTS], max(0, len(points) - POINTS)


def trend(history: Sequence[Point], texts: Texts) -> Trend | None:
    """The score over the runs of a history, oldest first; None where there are fewer than two scores."""
    dated = sorted((_moment(day), day, score) for day, score in history)
    known = [(when, day, score) for when, day, score in dated if score is not None]
    if len(known) < 2:
        return None
    start, end = known[0][0], known[-1][0]
    span = (end - start).total_seconds() or 1.0
    lines: list[list[str]] = [[]]
    for when, _, score in dated:
        if score is None:  # a run without a score breaks the line
            lines.append([])
        else:
            lines[-1].append(f"{WIDE * (when - start).total_seconds() / span:.1f} {HIGH - score:.1f}")
    days = [texts.day(day) for _, day, _ in known]
    words = {"first": texts.number(known[0][2]), "last": texts.number(known[-1][2]), "start": days[0], "end": days[-1]}
    return Trend(
        lines=tuple("M" + " L".join(line) for line in lines if len(line) > 1),
        dots=tuple(f"M{dot} h0" for line in lines for dot in line),
        label=texts("trend.label", **words),
        about=texts("trend.about", number=len(dated), first=days[0], last=days[-1]),
        first=texts("trend.point", day=days[0], score=words["first"]),
        last=texts("trend.point", day=days[-1], score=words["last"]),
        points=tuple((texts.day(day), "–" if score is None else texts.number(score)) for _, day, score in reversed(dated)),
    )


def _moment(day: str) -> datetime:
    moment = datetime.fromisoformat(day)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
