"""The sentences that say why, in the report's language: the terminal and the page print the same ones."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from exivity_audit.config import Waiver
from exivity_audit.lifecycle import STALE_AFTER
from exivity_audit.reports import figures
from exivity_audit.reports.acceptances import papers
from exivity_audit.reports.texts import Texts
from exivity_audit.score import Gate, Remedy, Scorecard


class Sentence(Struct, frozen=True):
    """A sentence, or the beginning of one that ends with ids of checks."""

    text: str
    checks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.text}: {', '.join(self.checks)}." if self.checks else self.text


def conditions(card: Scorecard, texts: Texts) -> str:
    """``with remarks, with 2 waivers`` where the gate is READY on such conditions."""
    if card.gate is not Gate.READY:
        return ""
    waivers = texts("why.waivers", waivers=texts.count("waiver", card.waivers)) if card.waivers else ""
    return ", ".join(part for part in (texts("why.remarks") if card.remarks else "", waivers) if part)


def why(card: Scorecard, texts: Texts) -> Iterator[Sentence]:
    """Rows met and not met, what caps the grade, what holds back a grade, what is waived, which table of releases."""
    rows = figures.gate_rows(card)
    found = ", ".join(f"{number} {texts(f'standing.{verdict}')}" for verdict, number in figures.standing(card).items())
    if rows:
        yield Sentence(texts("why.rows", number=len(rows), list=found))
    with_conditions = conditions(card, texts)
    if with_conditions:
        yield Sentence(texts("why.with", conditions=with_conditions))
    if card.gate is None:
        yield Sentence(texts("why.evaluation"))
    if card.judgement.scenario.used is None:
        yield Sentence(texts("why.scenario"))
    if card.cap:
        yield Sentence(texts.count("why.capped" if card.grade == "D" else "why.critical", len(card.cap)), card.cap)
    if card.grade is None:
        yield Sentence(_ungraded(card, texts))
    if card.waivers:
        bare = figures.whole(card.score_without_waivers)
        yield Sentence(texts.count("why.bare", card.waivers, score=texts("none") if bare is None else bare))
    yield from _idle_papers(card, texts)
    yield from _table(card, texts)


def _ungraded(card: Scorecard, texts: Texts) -> str:
    if card.judgement.partial:
        return texts("why.partial")
    share = figures.gate_coverage(card).ratio
    return texts("why.coverage", percent=f": {int(share * 100)} %" if share is not None else "")


def _idle_papers(card: Scorecard, texts: Texts) -> Iterator[Sentence]:
    """Waivers and attestations that change nothing in this run."""
    found = papers(card)
    for noun, waived in (("waiver", True), ("attestation", False)):
        for state in ("unused", "expired", "void"):
            names = tuple(paper.check for paper, fate in found if isinstance(paper, Waiver) is waived and fate.state == state)
            if names:
                yield Sentence(f"{texts.count(noun, len(names))} {texts(f'fate.{state}')}", names)


def _table(card: Scorecard, texts: Texts) -> Iterator[Sentence]:
    """What must be known of the table of supported releases: that it is the site's own, or that it is old."""
    table, file = card.judgement.lifecycle, card.judgement.config.lifecycle
    if table is None:
        return
    day = texts.day(table.date.isoformat())
    if table.stale(card.judgement.now):
        yield Sentence(texts("why.table", which=texts("why.table.in", file=file) if file else "", date=day, days=STALE_AFTER.days))
    elif file:
        yield Sentence(texts("why.table.own", file=file, date=day))


def grade_words(letter: str | None, texts: Texts) -> str:
    """``grade D``, or that there is none."""
    return texts("grade", grade=letter) if letter else texts("not_graded")


def together(card: Scorecard, best: tuple[Remedy, ...], texts: Texts) -> str:
    """What some remedies bring together, and what stays open then."""
    later = figures.after(card, best)
    who = texts({1: "together.one", 2: "together.two"}.get(len(best), "together.many"), number=len(best))
    if later.grade == card.grade:
        change = texts("together.stays", grade=later.grade) if later.grade else texts("together.ungraded")
    else:
        change = texts("together.grade", before=grade_words(card.grade, texts), after=later.grade or texts("not_graded"))
    before, after = figures.whole(card.score), figures.whole(later.score)
    parts = [texts("together", who=who, before=before, after=after, grade=change)]
    if later.not_met:
        parts.append(texts("together.not_met", rows=", ".join(later.not_met)))
    if later.unverified:
        parts.append(texts("together.also_unverified" if later.not_met else "together.unverified", rows=", ".join(later.unverified)))
    if card.gate not in (None, Gate.READY) and later.gate is Gate.READY:
        parts.append(texts("together.ready"))
    return " ".join(parts)
