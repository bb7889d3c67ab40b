"""The action register in Markdown: what to do, grouped by what changes it, with room for whose it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from exivity_audit.actions import Action, Register
from exivity_audit.overlay import State
from exivity_audit.remedy import FixKind
from exivity_audit.reports import figures
from exivity_audit.reports.dates import print_moment
from exivity_audit.reports.markdown import filed
from exivity_audit.reports.text import clean
from exivity_audit.score import Scorecard

KINDS = {FixKind.VALUES: "chart values", FixKind.PATCH: "patch", FixKind.TASK: "task"}


def action_register(card: Scorecard, register: Register) -> str:
    """The register as Markdown."""
    sites = card.judgement.snapshot.sites
    places = ", ".join(f"{site.cluster.name} {site.namespace}/{site.release}" for site in sites)
    parts = [f"# Action register: {filed(places)}", f"As of {filed(print_moment(card.judgement.now))}. {_counted(register)}"]
    parts += [f"{filed(one.site)}: {filed(one.advice)}." if len(sites) > 1 else f"{filed(one.advice)}." for one in register.keepers.values()]
    if register.actions:
        parts.append(_table(register.actions))
    for title, part in (("Chart values", _values(register, len(sites) > 1)), ("Patches", _patches(register)), ("Tasks", _tasks(register))):
        text = "\n".join(part)
        if text:
            parts.append(f"## {title}\n\n{text}")
    return "\n\n".join(parts) + "\n"


def _counted(register: Register) -> str:
    if not register.actions:
        return "Nothing is to be done."
    counts = ", ".join(f"{len(register.of(kind))} by {word}" for kind, word in KINDS.items())
    return f"{len(register.actions)} actions: {counts}."


def _table(actions: Iterable[Action]) -> str:
    lines = ["| # | action | kind | severity | who | findings | points | needs |", "|---|---|---|---|---|---|---|---|"]
    for action in actions:
        found = f"{len(action.findings)}: {', '.join(action.checks)}"
        gained = f"+{figures.points(action.gain):g}"
        cells = (
            action.text,
            KINDS[action.kind],
            action.severity,
            "",
            found,
            gained,
            action.needs or ("upgrade" if action.kind is FixKind.VALUES else ""),
        )
        lines.append(f"| {action.number} | " + " | ".join(map(filed, cells)) + " |")
    return "\n".join(lines)


def _values(register: Register, several: bool) -> Iterator[str]:
    """What the overlay sets and what it leaves, by path."""
    heads = {
        State.SET: "Set in the overlay (`-o fixes=fixes.values.yaml`):",
        State.LATER: "In the overlay as comments: they take more than an upgrade.",
        State.FILL_IN: "In the overlay as comments: only a person knows them.",
        State.CONFLICT: "In conflict: findings ask for different values.",
    }
    for state, head in heads.items():
        found = [one for one in register.settings if one.state is state]
        if not found:
            continue
        yield f"{head}\n"
        for one in found:
            place = f"{filed(one.site)}: " if several else ""
            shown = (
                "" if one.state is State.FILL_IN else ": " + " or ".join(filed(value) for value in (one.value, *_conflicting(one.state, one.others)))
            )
            needs = f" (needs {filed(one.needs)})" if one.needs is not None and state is not State.SET else ""
            yield f"- {place}{filed(one.path)}{shown}{needs}"
        yield ""


def _conflicting(state: State, others: tuple[object, ...]) -> tuple[object, ...]:
    return others if state is State.CONFLICT else ()


def _patches(register: Register) -> Iterator[str]:
    for action in register.of(FixKind.PATCH):
        yield f"### {action.number}. {filed(action.text)}\n"
        for keeper in dict.fromkeys(patch.keeper for patch in action.patches if patch.keeper is not None):
            yield f"{filed(keeper.advice)}.\n"
        yield _block("\n".join(clean(patch.kubectl) for patch in action.patches)) + "\n"


def _block(text: str) -> str:
    """A code block that nothing inside it can close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{text}\n{fence}"


def _tasks(register: Register) -> Iterator[str]:
    for action in register.of(FixKind.TASK):
        yield f"- [ ] {action.number}. {filed(action.text)}"
        for outcome, verdict in action.findings[:3]:
            yield f"    - {filed(outcome.check.id)}: {filed(verdict.message)}"
        if len(action.findings) > 3:
            yield f"    - and {len(action.findings) - 3} more"
