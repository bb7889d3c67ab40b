"""What one check is, in words: the same for ``explain`` and for the generated page of all checks."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from msgspec import Struct

from exivity_audit.check import AS_IS, Check
from exivity_audit.collect.place import Read
from exivity_audit.fact import reads_behind
from exivity_audit.pack import Pack
from exivity_audit.verdict import Severity

WIDTH = 96
SCENARIOS = "A single-node, B multi-node, C multi-site"


class Explanation(Struct, frozen=True):
    """A check's documentation: ``facts`` are pairs of a label and a text, several texts under one label one after the other."""

    id: str
    title: str
    why: str
    fix: str
    facts: tuple[tuple[str, str], ...]
    built: bool


def severity_text(check: Check) -> str:
    """One severity, or one a scenario: ``A medium, B critical``."""
    if isinstance(check.severity, Severity):
        return str(check.severity)
    return ", ".join(f"{scope.name} {severity}" for scope, severity in check.severity.items())


def explain(check: Check, pack: Pack, reads: Iterable[Read]) -> Explanation:
    """Everything that a check's docstring, decorator and parameters say."""
    return Explanation(check.id, check.title, check.why, check.fix, tuple(_facts(check, pack, {read.name: read for read in reads})), check.built)


def _facts(check: Check, pack: Pack, reads: dict[str, Read]) -> Iterator[tuple[str, str]]:
    yield "Severity", severity_text(check)
    yield "Scenarios", ", ".join(scope.name for scope in check.applies)
    for clause in check.clauses:
        yield "Clauses", f"{clause}: {pack.clauses.get(clause, '?')}"
    if check.evaluation is not AS_IS:
        yield "Evaluation", "with `--purpose evaluation` a fail is a pass with a remark (A) or a warn (B, C)"
    if check.passive:
        yield "Passive", f"skipped: {check.passive}"
    if check.attest:
        yield "Attest", check.attest
    needed, optional = reads_behind(pack.facts, check.needs, check.looks_at)
    for label, names in (("Reads", needed), ("Also", optional)):
        shown = sorted({reads[name].resource for name in names if name in reads})
        if shown:
            yield label, ", ".join(shown)


def as_text(found: Explanation) -> str:
    """For a terminal."""
    lines = [found.id, "", found.title, "", textwrap.fill(found.why, WIDTH), "", textwrap.fill(f"Fix: {found.fix}", WIDTH), ""]
    before = ""
    for label, text in found.facts:
        start = "" if label == before else label
        lines.append(textwrap.fill(text, WIDTH + 14, initial_indent=f"{start:10} ", subsequent_indent=" " * 11, break_on_hyphens=False))
        before = label
    if not found.built:
        lines += ["", "This version has no code for it yet: it is unknown wherever it applies."]
    return "\n".join(lines) + "\n"


def as_markdown(found: Explanation) -> str:
    """A section of the page of all checks."""
    lines = [f"### {found.id}", "", f"**{found.title}.** {found.why}", "", f"*Fix:* {found.fix}", ""]
    lines += [f"- {label}: {text}" for label, text in found.facts]
    return "\n".join(lines) + "\n"


def page(pack: Pack, reads: Iterable[Read]) -> str:
    """The page of all checks, by row: what ``docs/checks.md`` holds."""
    known = tuple(reads)
    parts = [
        "# The checks",
        f"{pack.checklist.name}, version {pack.checklist.version}: {len(pack.checks)} checks. This page is made from the checks themselves"
        f" (`make docs`); `exivity-audit explain ID` prints the same. Scenarios: {SCENARIOS}. A check *needs* what stands under"
        " Reads, and is unknown without it; what stands under Also is looked at where it can be.",
    ]
    for row in pack.checklist.rows:
        parts.append(f"## {row.title}\n\n`{row.id}`, {row.phase}, weight {row.weight}")
        parts += [as_markdown(explain(check, pack, known)).rstrip() for check in pack.checks if check.row == row.id]
    return "\n\n".join(parts) + "\n"
