"""The file ``evidence.yaml`` with every item that a cluster needs, ready to be filled in."""

from __future__ import annotations

from collections.abc import Iterator

from exivity_audit.acceptance import ALL_SITES, Context
from exivity_audit.attestation import CONTEXT
from exivity_audit.check import Check
from exivity_audit.evaluate import Judgement, Outcome, results
from exivity_audit.fact import Unreadable
from exivity_audit.pack import Pack
from exivity_audit.reports.dates import print_moment
from exivity_audit.reports.yaml_text import comment, plain, quoted
from exivity_audit.verdict import Status, Verdict

VALID_FOR = "180d"
HEAD = (
    "Evidence for exivity-audit: what no cluster shows and a person vouches for.",
    "Fill in the blanks, take away what you cannot vouch for, then: `exivity-audit evidence lint FILE`, and `exivity-audit run --evidence FILE`.",
    "An artefact is a file beside this one (`sha256sum FILE` prints its sum); take the line away where there is none.",
    "The context is today's: when it changes, the attestation is void and must be made anew.",
)


def needed(judgement: Judgement) -> list[tuple[Outcome, Verdict]]:
    """What only a person can answer: manual verdicts, fails that a rule lets a person vouch for, and unknowns that no right or flag decides."""
    found = []
    for outcome, verdict in results(judgement.outcomes):
        answerable = verdict.status is Status.MANUAL or (verdict.status is Status.FAIL and verdict.unless_attested)
        if outcome.check.attest and (answerable or (verdict.status is Status.UNKNOWN and not verdict.needs)):
            found.append((outcome, verdict))
    return found


def evidence_template(judgement: Judgement) -> str:
    """The file's text."""
    sites = judgement.snapshot.sites
    places = ", ".join(f"{site.cluster.name} {site.namespace}/{site.release}" for site in sites)
    lines = [line for text in HEAD for line in comment(text, indent=0)]
    lines += ["#", *comment(f"Made for {places} as of {print_moment(judgement.now)}.", indent=0)]
    for site in sites:
        told = "; ".join(f"{key} {_said(value)}" for key, value in judgement.context.get(site.name, {}).items())
        lines += comment(f"Today's context{f' at {site.name}' if len(sites) > 1 else ''}: {told}.", indent=0)
    items = needed(judgement)
    lines += ["items:" if items else "items: []  # nothing here needs a person's word"]
    for outcome, verdict in items:
        lines += ["", *_item(judgement, outcome, verdict)]
    blind = sorted({o.check.id for o, v in results(judgement.outcomes) if o.check.attest and v.status is Status.UNKNOWN and v.needs})
    if blind:
        why = "Not listed, since a permission or a flag decides them (`exivity-audit run` says which)"
        lines += ["", *comment(f"{why}: {', '.join(blind)}.", indent=0)]
    return "\n".join(lines) + "\n"


def _said(value: tuple[str, ...] | Unreadable) -> str:
    if isinstance(value, Unreadable):
        return f"not seen ({'; '.join(reason.text for reason in value.reasons)})"
    return ", ".join(value) or "none"


def _item(judgement: Judgement, outcome: Outcome, verdict: Verdict) -> Iterator[str]:
    check = outcome.check
    yield from comment(f"{check.title} ({outcome.severity})")
    yield from comment(verdict.why or verdict.message, label="why")
    yield from comment(check.attest or "", label="do")
    yield f"  - check: {plain(check.id)}"
    if verdict.subject is not None:
        yield f"    subject: {quoted(verdict.subject)}"
    if len(judgement.snapshot.sites) > 1 and outcome.site != ALL_SITES:
        yield f"    site: {quoted(outcome.site)}"
    yield '    statement: ""  # what was done, and what came of it'
    yield '    by: ""  # who vouches for it'
    yield '    date: ""  # the day it was done, as 2026-11-02'
    yield f"    valid_for: {check.attest_for or VALID_FOR}"
    yield '    artefact: {path: "", sha256: ""}'
    context = _context(judgement, check, outcome.site)
    if context:
        yield f"    context: {{{', '.join(f'{key}: {_written(values)}' for key, values in context.items())}}}"


def _written(values: tuple[str, ...]) -> str:
    return quoted(values[0]) if len(values) == 1 and "," not in values[0] else f"[{', '.join(quoted(value) for value in values)}]"


SHOWN_BY = {
    "postgresql_major": {"database"},
    "target": {"backup_targets", "storage_locations", "database_backup", "database_restores", "data_restores"},
    "class": {"claims"},
}
"""The facts of which a check must look at one, for its attestation to be bound to a context."""


def relevant(pack: Pack, check: Check) -> tuple[str, ...]:
    """The context that a check itself looks at."""
    behind: set[str] = set()
    open_names = [*check.needs, *check.looks_at]
    while open_names:
        name = open_names.pop()
        if name in pack.facts and name not in behind:
            behind.add(name)
            open_names += [*pack.facts[name].needs, *pack.facts[name].alternates]
    return tuple(key for key in CONTEXT if SHOWN_BY[key] & behind)


def _context(judgement: Judgement, check: Check, site: str) -> dict[str, tuple[str, ...]]:
    """Today's context of an item; what differs between sites, has no value or was not seen is left out."""
    today: list[Context] = [one for name, one in judgement.context.items() if site in (name, ALL_SITES)]
    found = {}
    for key in relevant(judgement.pack, check):
        values = {value for one in today if isinstance(value := one.get(key, ()), tuple)}
        if len(values) == 1 and len(today) == sum(isinstance(one.get(key), tuple) for one in today) and (value := values.pop()):
            found[key] = value
    return found
