"""Which checks a run judges: ids, rows and globs, and which reads they need."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from msgspec import Struct, field

from exivity_audit.check import Check
from exivity_audit.errors import UsageError
from exivity_audit.fact import reads_behind
from exivity_audit.nearest import nearest
from exivity_audit.pack import Pack

ALWAYS = ("nodes",)  # the scenario rests on them
TABLES = ("node_loss", "copies", "calendar", "volume_figures", "trend")  # facts that the report prints as tables


def select(pack: Pack, chosen: Iterable[str], skipped: Iterable[str]) -> frozenset[str] | None:
    """Ids that fit some of ``chosen`` (all, where it is empty) and none of ``skipped``; None for all. Raises UsageError."""
    every = [check.id for check in pack.checks]
    rows = [row.id for row in pack.checklist.rows]
    keep, leave = list(_words(chosen)), list(_words(skipped))
    for word in (*keep, *leave):
        if not any(_fits(word, check) for check in every):
            raise UsageError(f"no check or row fits {word!r}{nearest(word, [*every, *rows])}", "`exivity-audit list` prints the ids and rows")
    if not keep and not leave:
        return None
    found = frozenset(
        check for check in every if (not keep or any(_fits(word, check) for word in keep)) and not any(_fits(word, check) for word in leave)
    )
    if not found:
        raise UsageError("no check is left: --skip takes away all that --checks chose", "choose other checks")
    return found


def _words(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        yield from filter(None, (word.strip() for word in text.split(",")))


def _fits(word: str, check: str) -> bool:
    return fnmatchcase(check, word) or check.partition("/")[0] == word


def reads_needed(pack: Pack, selected: frozenset[str] | None) -> frozenset[str]:
    """Every read that the selected checks rest on, alternates included."""
    names: set[str] = {*ALWAYS, *(TABLES if selected is None else ())}
    for check in pack.checks:
        if selected is None or check.id in selected:
            names.update(check.needs)
            names.update(check.looks_at)
    needed, optional = reads_behind(pack.facts, names)
    return needed | optional


class Behind(Struct):
    """The checks that need a read, and those for which it is an alternate."""

    needing: dict[str, Check] = field(default_factory=dict)
    other: dict[str, Check] = field(default_factory=dict)

    def add(self, more: Behind) -> None:
        """Take in what another read serves."""
        self.needing |= more.needing
        self.other = {id: check for id, check in (self.other | more.other).items() if id not in self.needing}


def checks_by_read(pack: Pack, selected: frozenset[str] | None, *, scenario_known: bool = False) -> dict[str, Behind]:
    """The selected checks behind each read; what the scenario is found by is behind all that depend on it, unless it is declared."""
    found: dict[str, Behind] = {}
    for check in pack.checks:
        if selected is None or check.id in selected:
            needed, optional = reads_behind(pack.facts, check.needs, check.looks_at)
            if check.depends_on_scenario and not scenario_known:
                needed |= frozenset(ALWAYS)
            for name in needed:
                found.setdefault(name, Behind()).needing[check.id] = check
            for name in optional - needed:
                found.setdefault(name, Behind()).other[check.id] = check
    return found
