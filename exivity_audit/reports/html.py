"""The page: one self-contained HTML file that runs no code but its own, loads nothing, and prints."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Struct

from exivity_audit.quantity import print_size
from exivity_audit.reports import figures, page_summary, page_tables
from exivity_audit.reports.anchors import Anchors
from exivity_audit.reports.glyphs import LOOKS
from exivity_audit.reports.page_findings import references, row_findings
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.reports.sentences import why
from exivity_audit.reports.text import clean, encodable
from exivity_audit.reports.texts import Texts
from exivity_audit.score import Scorecard
from exivity_audit.verdict import Status

# Ids of the template's own elements.
TAKEN = (
    "checklist", "trend", "fixes", "decide", "look", "attest", "failover", "nodes", "copies", "calendar", "papers", "findings", "arithmetic", "sign",
    "points", "supplier", "customer", "print", "theme", "hatch",
)  # fmt: skip
FREE_LINES = 4  # of the sign-off


def render_html(scorecard: Scorecard, run: RunInfo, language: str = "en", history: Sequence[page_summary.Point] = ()) -> bytes:
    """The report as a page; ``history`` is the score of earlier runs and this one, as (ISO date, score or None)."""
    environment = _environment()
    hashes = {name: _hash(environment.get_template(file).render()) for name, file in (("style_hash", "report.css"), ("script_hash", "report.js"))}
    values = _values(scorecard, run, Texts(language), history)
    return encodable(environment.get_template("report.html.j2").render(values | hashes)).encode() + b"\n"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("exivity_audit.reports", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=printed,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["pieces"] = pieces
    return environment


def printed(value: Any) -> Any:
    """Every value on its way into the page: cleaned, then escaped; only the templates' own macros pass as they are. None is an error."""
    if isinstance(value, Markup):
        return value
    if value is None:
        raise ValueError("a value of the page is None")
    return clean(value)


def pieces(text: str) -> list[tuple[bool, str]]:
    """Text by its backticks: (is it code, the part); a lone backtick stays what it is."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return [(False, text)]
    return [(place % 2 == 1, part) for place, part in enumerate(parts) if part]


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


class Group(Struct, frozen=True):
    """The rows of one phase."""

    phase: str
    rows: tuple[page_summary.Line, ...]


class Foot(Struct, frozen=True):
    """The last lines: traffic, clusters, versions, command."""

    traffic: str
    clusters: tuple[str, ...]
    versions: str
    kept: str
    exit: str
    command: str


class Why(Struct, frozen=True):
    """A sentence of the head, with links to the checks it names."""

    text: str
    checks: tuple[Any, ...]


def _values(card: Scorecard, run: RunInfo, texts: Texts, history: Sequence[page_summary.Point]) -> dict[str, Any]:
    anchors = Anchors([*TAKEN, *(f"h-{name}" for name in TAKEN)])
    rows = row_findings(card, texts, anchors)
    refer = references(card, anchors)
    lines = page_summary.checklist(card, texts, anchors)
    points, more = page_summary.open_points(card, refer)
    undecided = card.coverage.applicable_checks - card.coverage.decided_checks
    exact = figures.tenths(card.score)
    copies = page_tables.ledger(card, texts)
    takeover = page_tables.takeover(card, texts, refer)
    dues, unseen = page_tables.calendar(card, texts)
    return {
        "t": texts,
        "glyphs": {str(status): "–" if status is Status.SKIP else look.glyph for status, look in LOOKS.items()},
        "several": figures.several_sites(card),
        "time": texts.moment(card.judgement.now),
        "answer": page_summary.answer(card, texts),
        "why": [Why(one.text, tuple(refer(name) for name in one.checks)) for one in why(card, texts)],
        "sites": page_summary.site_facts(card, texts),
        "scenario": page_summary.scenario(card, texts),
        "purpose": texts(f"purpose.{card.judgement.purpose}"),
        "checklist": _phases(lines),
        "standing": {line.anchor: line for line in lines},
        "counts": [(str(status), card.counts[status]) for status in Status],
        "trend": page_summary.trend(history, texts),
        "gains": page_summary.gains(card, texts, refer),
        "together": page_summary.gains_together(card, texts),
        "undecided": undecided,
        "looks": page_tables.could_not_look(card, refer),
        "attests": page_tables.to_attest(card, refer),
        "unread": page_tables.unread(card),
        "failover": takeover,
        "failover_ready": page_tables.takeover_counts(takeover, texts),
        "losses": page_tables.node_losses(card, texts),
        "ledger": copies,
        "fresh": texts("copies.fresh", fresh=sum(line.status is Status.PASS for line in copies), all=len(copies)),
        "calendar": dues,
        "calendar_unseen": unseen,
        "papers": page_tables.every_paper(card, texts, refer),
        "rows": rows,
        "exact": "–" if exact is None else texts.number(exact),
        "weights": sum(line.weight for line in lines if line.exact != "–"),
        "about": _about(card, texts),
        "points": points,
        "point_counts": _point_counts(more, undecided, texts),
        "free_lines": FREE_LINES,
        "foot": _foot(card, run, texts),
    }


def _phases(lines: Iterable[page_summary.Line]) -> list[Group]:
    return [Group(phase, tuple(rows)) for phase, rows in groupby(lines, key=lambda line: line.phase)]


def _about(card: Scorecard, texts: Texts) -> str:
    names = texts.listed(tuple(dict.fromkeys(site.cluster.name for site in card.judgement.snapshot.sites)))
    return texts("sign.about", cluster=names, time=texts.moment(card.judgement.now), checklist=card.judgement.pack.checklist.version)


def _point_counts(failures: int, undecided: int, texts: Texts) -> list[str]:
    pairs = (("sign.more", failures), ("sign.undecided", undecided))
    return [texts.count(key, number) for key, number in pairs if number]


def _foot(card: Scorecard, run: RunInfo, texts: Texts) -> Foot:
    judgement = card.judgement
    sites = judgement.snapshot.sites
    live = run.requests is not None
    identity = run.identity or next((site.identity for site in sites if site.identity), None)
    parts = [texts("foot.live", requests=run.requests, writes=run.writes) if live else texts("foot.snapshot", writes=run.writes)]
    parts += [print_size(run.bytes_received)] if run.bytes_received is not None and live else []
    parts += [f"{texts.number(run.seconds)} s"] if run.seconds is not None else []
    parts += [texts("foot.as", identity=identity)] if identity else []
    parts += [texts("foot.insecure")] if any(site.insecure for site in sites) else []
    return Foot(
        traffic=", ".join(parts) + ".",
        clusters=tuple(texts("foot.cluster", cluster=site.cluster.name, uid=site.cluster.uid or texts("foot.not_seen")) for site in sites),
        versions=texts("foot.versions", version=run.tool_version, checklist=judgement.pack.checklist.version),
        kept=texts("foot.kept", file=run.snapshot_file) if run.snapshot_file else "",
        exit=texts("foot.exit", code=run.exit_code, reason=run.exit_reason),
        command=f"exivity-audit {shlex.join(run.flags)}" if run.flags else "",
    )
