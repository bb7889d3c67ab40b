"""Markdown for a pull request or a CI summary: gate, rows, findings, what could not be decided."""

from __future__ import annotations

import re
from collections.abc import Iterable

from exivity_audit.reports.json_shape import ReportShape, ResultShape, SiteShape
from exivity_audit.reports.text import clean
from exivity_audit.reports.words import baseline_words, headline, several, site_text, subject_text
from exivity_audit.verdict import Status

LONGEST = 60_000  # characters a pull request comment takes, with room to spare
APART = "&#8203;"  # GitHub looks for mentions and issues in what it rendered, so an entity alone hides none
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", **{sign: f"\\{sign}" for sign in "\\`*_{}[]#|~"}}
SPECIAL = re.compile(r"[&<>\\`*_{}\[\]#|~]")
LINK = re.compile(r"(https?|ftp)://", re.IGNORECASE)
NUMBERED = re.compile(r"(\\#|\bGH-)(?=\d)", re.IGNORECASE)
MENTION = re.compile(r"(?<![A-Za-z0-9])@")  # GitHub, whose words are ASCII, mentions nobody in a@b
BARE = re.compile(r"\b(www)\.", re.IGNORECASE)
# The beginning of a list, a heading, a block of code, or a command that a runner takes from a log in which the text is shown.
MARKER = re.compile(r"^(?:(?P<blank> )|(?=[-+](?:\s|$)|[-=]+\s*$|::)|(?P<number>\d{1,9})(?=[.)](?:\s|$)))")


def filed(text: object) -> str:
    """A text that Markdown shows as it is, in one line, for a file: no markup, HTML, link, command or cell border takes effect.

    Nothing is added that a reader would copy with it, and a name or an address can be read in the source.
    """
    return MARKER.sub(_unmarked, LINK.sub(r"\1&#58;//", _escaped(text)))


def plain(text: object) -> str:
    """The same for what is posted on GitHub, where a text may also mention people and issues, and bare hosts become links."""
    shown = MENTION.sub(f"@{APART}", NUMBERED.sub(rf"\1{APART}", _escaped(text)))
    shown = shown.replace("@", "&#64;").replace("://", "&#58;//").replace("::", "&#58;&#58;")
    shown = BARE.sub(r"\1&#46;", shown)
    return MARKER.sub(_unmarked, shown)


def _escaped(text: object) -> str:
    return SPECIAL.sub(lambda match: ENTITIES[match[0]], clean(text))


def _unmarked(match: re.Match[str]) -> str:
    return "&#32;" if match["blank"] else f"{match['number'] or ''}\\"


def render_markdown(report: ReportShape) -> bytes:
    """The report as Markdown; findings that would pass the size of a comment are counted instead."""
    summary = report.summary
    parts = [f"## {plain(headline(report))}", _facts(report), *_since(report), _rows(report)]
    if report.fixes:
        first = [f"{number}. {plain(item.fix.text)} (+{item.gain:g})" for number, item in enumerate(report.fixes[:5], 1)]
        parts.append("### Fix these first\n\n" + "\n".join(first))
    findings = [result for result in report.results if result.status in (Status.FAIL, Status.WARN, Status.ERROR, Status.WAIVED)]
    if findings:
        parts.append("### Findings\n\n| status | severity | what | seen, wanted | fix |\n|---|---|---|---|---|\n" + _lines(findings, report))
    parts += _failover(report)
    undecided = [result for result in report.results if result.status in (Status.UNKNOWN, Status.MANUAL)]
    if undecided:
        body = "\n".join(
            f"- {result.status}: {plain(result.title)}{_at(result, report)} ({plain(result.id)}): {plain(result.message)}" for result in undecided
        )
        parts.append(f"<details><summary>{len(undecided)} not decided</summary>\n\n{cut(body)}\n\n</details>")
    score = "" if summary.score_without_waivers is None else f"; {summary.score_without_waivers:g} without waivers"
    versions = f"{report.tool.name} {plain(report.tool.version)}, checklist {plain(report.checklist.version)}"
    parts.append(f"Exit code {report.run.exit_code}{score}. {versions}.")
    return ("\n\n".join(parts) + "\n").encode()


def _facts(report: ReportShape) -> str:
    cluster, used = report.cluster, report.scenario.used or "scenario unknown"
    version = plain(cluster.version) if cluster.version else "version not read"
    if not several(report):
        return f"{plain(cluster.name)}, Kubernetes {version}, {used}, {report.scenario.purpose}, {plain(report.run.now)}"
    head = "| site | role | cluster | release | Kubernetes | decided | read |\n|---|---|---|---|---|---|---|"
    return "\n".join((f"{used}, {report.scenario.purpose}, {plain(report.run.now)}\n", head, *(_site(site) for site in report.sites)))


def _site(site: SiteShape) -> str:
    read = f"**not reached**: {plain(site.unreached)}" if site.unreached is not None else plain(site.now)
    ratio = "" if site.coverage.ratio is None else f"{site.coverage.ratio:.0%}"
    release, version = f"{plain(site.namespace)}/{plain(site.release)}", plain(site.cluster.version or "not read")
    return f"| {plain(site.name)} | {site.role or ''} | {plain(site.cluster.name)} | {release} | {version} | {ratio} | {read} |"


def _since(report: ReportShape) -> Iterable[str]:
    """One line on what changed since the baseline."""
    if report.baseline is not None:
        yield plain(baseline_words(report.baseline, report.summary.score))


def _rows(report: ReportShape) -> str:
    lines = ["| row | verdict | score | decided | fail | warn | not decided |", "|---|---|---|---|---|---|---|"]
    for row in report.rows:
        score = "no score" if row.score is None else f"{row.score:g}"
        ratio = "" if row.coverage.ratio is None else f"{row.coverage.ratio:.0%}"
        open_ = row.counts.unknown + row.counts.manual + row.counts.error
        lines.append(f"| {plain(row.title)} | {row.verdict} | {score} | {ratio} | {row.counts.fail} | {row.counts.warn} | {open_} |")
    return "\n".join(lines)


def _failover(report: ReportShape) -> Iterable[str]:
    """The actions of a failover to each standby site."""
    rows = report.tables.failover or []
    for site in dict.fromkeys(row.site for row in rows):
        lines = [
            f"| {row.step} | {plain(row.action)} | {row.state} | {plain(row.seen)} | {plain('; '.join(row.open))} |"
            for row in rows
            if row.site == site
        ]
        yield f"### Failover to {plain(site)}\n\n| step | action | state | seen | open |\n|---|---|---|---|---|\n" + cut("\n".join(lines))


def _lines(results: Iterable[ResultShape], report: ReportShape) -> str:
    return cut("\n".join(_line(result, report) for result in results))


def _line(result: ResultShape, report: ReportShape) -> str:
    fix = plain(result.fix.text) if result.fix else ""
    if result.waiver is not None:
        fix = f"waived until {plain(result.waiver.expires)} by {plain(result.waiver.owner)}: {plain(result.waiver.reason)}"
    place = f"<br>{plain(subject_text(result))}" if result.subject else ""
    what = f"{plain(result.title)}{_at(result, report)}{place} ({plain(result.id)})"
    return f"| {result.status} | {result.severity} | {what} | {plain(result.message)} | {fix} |"


def _at(result: ResultShape, report: ReportShape) -> str:
    return f" at {plain(site_text(result))}" if several(report) else ""


def cut(text: str) -> str:
    """As many whole lines as fit, and how many do not."""
    kept: list[str] = []
    lines, size = text.split("\n"), 0
    for line in lines:
        size += len(line) + 1
        if size > LONGEST // 2:
            return "\n".join([*kept, "", f"and {len(lines) - len(kept)} more; the JSON report has them all"])
        kept.append(line)
    return text
