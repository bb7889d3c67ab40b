"""What is broken, doubtful or waived, row by row in checklist order; passes and skips are a number."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from exivity_audit.evaluate import Outcome
from exivity_audit.reports import figures, measures
from exivity_audit.reports.glyphs import LOOKS, VERDICT_STATUS
from exivity_audit.reports.pen import Pen
from exivity_audit.score import RowScore, Scorecard
from exivity_audit.verdict import Status, Verdict

TOLD = (Status.FAIL, Status.WARN, Status.WAIVED)
QUIET = {Status.PASS: "passed", Status.SKIP: "skipped"}


class Findings:
    """Writes the findings of every row; remembers which finding already named a remedy, so that it is printed once."""

    def __init__(self, card: Scorecard, pen: Pen) -> None:
        self._card, self._pen = card, pen
        self._several = figures.several_sites(card)
        self._told: dict[str, str] = {}

    def render(self) -> RenderableType:
        """One block a row that has findings or remarks; every row when verbose."""
        return Group(*(self._row(row) for row in self._card.rows))

    def _row(self, row: RowScore) -> RenderableType:
        told = [outcome for outcome in row.outcomes if figures.shown_status(outcome) in TOLD]
        told.sort(key=lambda outcome: (figures.shown_status(outcome).urgency, -outcome.severity.weight))
        quiet = [outcome for outcome in row.outcomes if figures.shown_status(outcome) in QUIET]
        remarks = [self._remark(outcome, verdict) for outcome in quiet for verdict in outcome.verdicts if verdict.remark]
        if not told and not remarks and not (self._pen.verbose and quiet):
            return Group()
        blocks = [part for outcome in told for part in (self._finding(outcome), Text())]
        if self._pen.verbose:
            blocks += [part for outcome in quiet for part in self._quiet(outcome)]
            remarks = []
        foot = Text.assemble(self._pen.glyph(Status.PASS if row.counts[Status.PASS] else Status.SKIP), " ", self._rest(row))
        notes = [self._pen.labelled(("note", self._pen.say(line)) for line in remarks)] if remarks else []
        body = self._pen.indented(*blocks, foot, *(self._pen.indented(note) for note in notes))
        return Group(self._pen.heading(row.row.title, self._standing(row)), body)

    def _standing(self, row: RowScore) -> Text:
        points, cover = figures.whole(row.score), row.coverage
        score = "no score" if points is None else str(points)
        style = LOOKS[VERDICT_STATUS[row.verdict]].style
        decided = f"{cover.decided_checks} of {cover.applicable_checks} decided"
        return Text.assemble(self._pen.say(row.verdict, style), self._pen.say(f" · {score} · {decided}", "dim"))

    def _rest(self, row: RowScore) -> Text:
        counts, cover = row.counts, row.coverage
        undecided = cover.applicable_checks - cover.decided_checks
        parts = [f"{counts[Status.PASS]} passed"]
        parts += [f"{counts[Status.SKIP]} skipped"] if counts[Status.SKIP] else []
        parts += [f"{undecided} not decided, see below"] if undecided else []
        return self._pen.join(parts, "dim")

    def _label(self, outcome: Outcome) -> Text:
        status = figures.shown_status(outcome)
        parts = [str(outcome.severity), figures.site_words(outcome) if self._several else ""]
        return Text.assemble(self._pen.word(status), self._pen.say(" · " + " · ".join(part for part in parts if part), "dim"))

    def _finding(self, outcome: Outcome) -> RenderableType:
        pen, status = self._pen, figures.shown_status(outcome)
        main = [verdict for verdict in outcome.verdicts if verdict.status is status]
        beside = [verdict for verdict in outcome.verdicts if verdict.status is Status.WARN and status is Status.FAIL]
        lines = [("seen", pen.say(line)) for line in measures.seen(main, pen.verbose)]
        lines += [("warn", pen.say(line)) for line in measures.seen(beside, pen.verbose)]
        lines += [("want", pen.say(line)) for line in measures.cut(measures.wants([*main, *beside]), pen.verbose)]
        lines += [("note", pen.say(line)) for line in self._notes(outcome, status)]
        if status is Status.FAIL or pen.verbose:
            lines += self._sources([*main, *beside])
        lines += [("fix", pen.remedy(self._once(text, outcome))) for text in measures.remedies(outcome)]
        lines.append(("more", pen.say(f"exivity-audit explain {outcome.check.id}", "dim")))
        title = pen.say(outcome.check.title, "bold" if status is Status.FAIL else "")
        return Group(pen.title(status, title, self._label(outcome)), pen.indented(pen.labelled(lines)))

    def _notes(self, outcome: Outcome, status: Status) -> list[str]:
        """Waivers, and what of the check stays undecided beside its finding."""
        covered = [verdict for verdict in outcome.verdicts if verdict.status is Status.WAIVED]
        alike: dict[str, list[Verdict]] = {}
        for verdict in covered:
            alike.setdefault(measures.waived(verdict), []).append(verdict)
        notes = []
        for words, verdicts in alike.items():
            only = status is Status.WAIVED and len(alike) == 1
            who = measures.named(measures.subject_names(verdict.subject for verdict in verdicts), self._pen.verbose)
            notes.append(words if only or not who else f"{who}: {words}")
        notes += [self._remark(outcome, verdict) for verdict in outcome.verdicts if verdict.status is Status.PASS and verdict.remark]
        undecided = measures.reasons(figures.undecided_verdicts(outcome), self._pen.verbose)
        return notes + [f"not decided: {line}" for line in measures.cut(undecided, self._pen.verbose)]

    def _sources(self, verdicts: list[Verdict]) -> list[tuple[str, Text]]:
        found = measures.sources(verdicts)
        if self._pen.verbose or not found:
            return [("from", self._pen.say(line, "dim")) for line in found]
        return [("from", self._pen.say(found[0] + (f" and {len(found) - 1} more" if len(found) > 1 else ""), "dim"))]

    def _once(self, remedy: str, outcome: Outcome) -> str:
        name = outcome.check.id + (f" at {figures.site_words(outcome)}" if self._several else "")
        told = self._told.setdefault(remedy, name)
        return remedy if told == name else f"as for {told}"

    def _remark(self, outcome: Outcome, verdict: Verdict) -> str:
        place = f" at {figures.site_words(outcome)}" if self._several else ""
        subject = f"{verdict.subject.short}: " if verdict.subject else ""
        return f"{outcome.check.slug}{place}: {subject}{verdict.remark}"

    def _quiet(self, outcome: Outcome) -> list[RenderableType]:
        """A pass or skip with what was seen, for the verbose report."""
        pen, status = self._pen, figures.shown_status(outcome)
        passed = [verdict for verdict in outcome.verdicts if verdict.status is Status.PASS]
        skipped = [verdict for verdict in outcome.verdicts if verdict.status is Status.SKIP]
        shown = [verdict for verdict in passed if verdict.attestation is None and (verdict.measured is not None or verdict.seen or verdict.remark)]
        lines = [("seen", pen.say(line)) for line in measures.seen(shown, True)]
        lines += [("note", pen.say(measures.attested(verdict))) for verdict in passed if verdict.attestation is not None]
        lines += self._sources(passed)
        follows = tuple(dict.fromkeys(verdict.follows for verdict in skipped if verdict.follows))
        lines += [("why", pen.say(line)) for line in (measures.reasons(skipped, True) if status is Status.SKIP else ())]
        lines += [("note", pen.say(f"follows from {leader}")) for leader in follows]
        title = pen.title(status, pen.say(outcome.check.title), self._label(outcome))
        more = pen.say(f"exivity-audit explain {outcome.check.id}", "dim")
        return [title, pen.indented(pen.labelled([*lines, ("more", more)])), Text()]
