"""A comparison as text for a person, and as JSON for a program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from exivity_audit.attribution import Attribution
from exivity_audit.comparison import Change, Difference, counted
from exivity_audit.reports.glyphs import LOOKS
from exivity_audit.reports.json_shape import ReportShape, ResultShape
from exivity_audit.reports.markdown import cut, plain
from exivity_audit.reports.text import ascii_text, clean, json_text
from exivity_audit.reports.words import subject_text

HEADS = {
    Change.NEW: "New", Change.WORSE: "Worse", Change.INCOMPARABLE: "Incomparable: not to be called resolved", Change.BETTER: "Better",
    Change.RESOLVED: "Resolved",
}  # fmt: skip


def render_difference(old: ReportShape, new: ReportShape, found: tuple[Difference, ...], why: Attribution, *, ascii: bool = False) -> str:
    """The comparison as text: score and its causes first, then each finding that changed."""
    lines = [*_head(old, new), *_score(old, new, why), "", "  " + " · ".join(f"{count} {change}" for change, count in counted(found))]
    for change in Change:
        group = [one for one in found if one.change is change]
        if group:
            lines += ["", f"  {HEADS[change].upper()}", ""]
            for one in group:
                lines += _finding(one, ascii)
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    return ascii_text(text).replace("\\n", "\n") if ascii else text


def _head(old: ReportShape, new: ReportShape) -> Iterator[str]:
    yield f"  {clean(new.cluster.name)}   {clean(new.run.namespace)}/{clean(new.run.release)}   {clean(old.run.now)} → {clean(new.run.now)}"
    if (old.cluster.uid or old.cluster.name) != (new.cluster.uid or new.cluster.name):
        names = [f"{clean(one.cluster.name)} ({clean(one.cluster.uid)})" for one in (old, new)]
        yield f"  two different clusters: {names[0]} and {names[1]}"
    if (old.run.namespace, old.run.release) != (new.run.namespace, new.run.release):
        yield f"  two different releases: {clean(old.run.namespace)}/{clean(old.run.release)} and {clean(new.run.namespace)}/{clean(new.run.release)}"
    if old.scenario.used is not new.scenario.used:
        yield f"  judged as {old.scenario.used or 'unknown'} then, as {new.scenario.used or 'unknown'} now"
    if (old.checklist.version, old.tool.version) != (new.checklist.version, new.tool.version):
        versions = [f"checklist {clean(one.checklist.version)}, tool {clean(one.tool.version)}" for one in (old, new)]
        yield f"  {versions[0]} → {versions[1]}"


def _score(old: ReportShape, new: ReportShape, why: Attribution) -> Iterator[str]:
    def said(report: ReportShape) -> str:
        return str(report.summary.gate or "no gate")

    def points(value: float | None) -> str:
        return "no score" if value is None else f"{value:g}"

    grades = f"grade {old.summary.grade or 'none'} → {new.summary.grade or 'none'}"
    yield f"  {said(old)} → {said(new)}   {grades}   score {points(why.before)} → {points(why.after)}{_delta(why)}"
    if why.shares:
        yield "  of that: " + " · ".join(f"{name} {share:+g}" for name, share in why.shares)


def _delta(why: Attribution) -> str:
    return "" if why.before is None or why.after is None else f" ({why.after - why.before:+.1f})"


def _finding(one: Difference, ascii: bool) -> Iterator[str]:
    result = one.result
    look = LOOKS[result.status]
    yield f"  {look.ascii if ascii else look.glyph} {clean(result.title)}   {result.status} · {result.severity}"
    yield f"      {clean(result.message)}"
    if one.why:
        yield f"      {clean(one.why)}"
    yield f"      {clean(result.id)}   {clean(subject_text(result))}".rstrip()


def difference_markdown(old: ReportShape, new: ReportShape, found: tuple[Difference, ...], why: Attribution) -> bytes:
    """The comparison as Markdown for a pull request: the score and its causes, then what changed."""
    heads = [line.strip() for line in (*_head(old, new), *_score(old, new, why))]
    parts = [f"## {plain(heads[0])}", *(plain(line) for line in heads[1:]), ", ".join(f"{count} {change}" for change, count in counted(found))]
    for change in Change:
        group = [one for one in found if one.change is change]
        if group:
            parts.append(
                f"### {HEADS[change]}\n\n| status | severity | what | seen | since |\n|---|---|---|---|---|\n" + cut("\n".join(map(_row, group)))
            )
    return ("\n\n".join(parts) + "\n").encode()


def _row(one: Difference) -> str:
    result = one.result
    place = f"<br>{plain(subject_text(result))}" if result.subject else ""
    what = f"{plain(result.title)}{place} ({plain(result.id)})"
    return f"| {result.status} | {result.severity} | {what} | {plain(result.message)} | {plain(one.why)} |"


def difference_json(old: ReportShape, new: ReportShape, found: tuple[Difference, ...], why: Attribution) -> bytes:
    """The comparison as JSON: both runs, the score by cause, the counts, and each change with both sides."""
    content = {
        "schema_version": 1,
        "old": _run(old),
        "new": _run(new),
        "score": {"before": why.before, "after": why.after, "shares": dict(why.shares)},
        "counts": {str(change): count for change, count in counted(found)},
        "changes": [_change(one) for one in found],
    }
    return (json_text(msgspec.to_builtins(content)) + "\n").encode()


def _run(report: ReportShape) -> dict[str, Any]:
    return {"cluster": report.cluster, "run": report.run, "checklist": report.checklist, "tool": report.tool, "summary": report.summary}


def _change(one: Difference) -> dict[str, Any]:
    def side(result: ResultShape | None) -> dict[str, Any] | None:
        return None if result is None else {"status": result.status, "message": result.message, "measured": result.measured, "unit": result.unit}

    result = one.result
    return {
        "change": str(one.change), "fingerprint": result.fingerprint, "id": result.id, "row": result.row, "site": result.site, "title": result.title,
        "severity": result.severity, "subject": result.subject, "why": one.why, "before": side(one.before), "after": side(one.after),
    }  # fmt: skip
