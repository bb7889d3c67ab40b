"""Packs: folders of checks with their checklist, found by entry point, by the config's names, or by path."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from exivity_audit import facts as builtin_facts
from exivity_audit.check import Check
from exivity_audit.errors import UsageError
from exivity_audit.fact import Fact
from exivity_audit.nearest import nearest
from exivity_audit.scenario import EVERYWHERE, Scenario, Scope
from exivity_audit.verdict import Severity
from exivity_audit.yaml_file import read_yaml

GROUP = "exivity_audit.packs"
OWN, OWN_MODULE = "exivity", "exivity_audit_checks"
BASE_FACTS = frozenset({"now", "site", "sites", "other_sites", "settings", "scenario", "thresholds", "lifecycle", "waived", "release"})
Phase = Literal["foundation", "before-production", "day-2"]


class ToCome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A check that the checklist names and no code judges yet: unknown wherever it applies."""

    slug: str
    title: str
    severity: str | dict[str, str]
    clauses: list[str]
    applies: tuple[str, ...] = ("A", "B", "C")


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the checklist."""

    id: str
    title: str
    phase: Phase
    weight: int
    weight_multi_site: int | None = None
    to_come: tuple[ToCome, ...] = ()

    def weight_in(self, scenario: Scenario | None) -> int:
        """Weight in the overall score."""
        return self.weight_multi_site or self.weight if scenario is Scenario.MULTI_SITE else self.weight


class FailoverAction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One action of a failover in the vendor's order, and the checks that show whether it could be done today.

    ``standby`` checks count at the site that would take over, ``active`` ones at the site that works now, ``pair`` ones are judged over both.
    """

    action: str
    standby: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    pair: tuple[str, ...] = ()


class Checklist(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rows in report order and the actions of a failover, with the checklist's name and version."""

    name: str
    version: str
    rows: list[Row]
    failover: tuple[FailoverAction, ...] = ()


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number that a site may set otherwise, and the clause it comes from."""

    value: str | int | float
    clause: str
    meaning: str


class Pack(Struct, frozen=True):
    """Checks, facts and the checklist they belong to."""

    name: str
    checklist: Checklist
    checks: tuple[Check, ...]
    facts: dict[str, Fact]
    reads: tuple[Any, ...]
    thresholds: dict[str, Threshold]
    clauses: dict[str, str]


@lru_cache(maxsize=1)
def own_pack() -> Pack:
    """The vendor's checklist, a pack like any other; it comes with the tool, so nothing is searched for it. Raises UsageError."""
    if importlib.util.find_spec(OWN_MODULE) is None:
        raise UsageError(
            "the checks of this tool are not installed", "install the package: `pip install exivity-audit`, or `pip install -e .` in a clone"
        )
    return load_pack(importlib.import_module(OWN_MODULE), OWN)


def named_pack(name: str) -> Pack:
    """A pack that an installed distribution provides under this name. Raises UsageError."""
    from importlib.metadata import entry_points  # 25 modules that only this needs

    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        raise UsageError(f"no installed pack is named {name!r}{nearest(name, points)}", "install the distribution that provides it")
    return load_pack(_imported(lambda: importlib.import_module(points[name].value), name), name)


def folder_pack(folder: Path) -> Pack:
    """A pack by its folder, which never goes on ``sys.path``. Raises UsageError."""
    start = folder / "__init__.py"
    if not start.is_file():
        raise UsageError(f"{folder} is no pack: it has no __init__.py", "name the folder that holds the pack's modules")
    name = f"exivity_audit_pack_{folder.resolve().name}"
    spec = importlib.util.spec_from_file_location(name, start, submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None:
        raise UsageError(f"{folder} cannot be loaded as a pack", "name the folder that holds the pack's modules")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader = spec.loader
    _imported(lambda: loader.exec_module(module), str(folder))
    return load_pack(module, folder.resolve().name)


def _imported(act: Any, name: str) -> Any:
    try:
        return act()
    except (UsageError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a foreign pack may raise anything while it is imported, SystemExit too
        raise UsageError(
            f"the pack {name} cannot be imported: {type(error).__name__}: {error}{_where(error)}", "mend the pack, or leave it out"
        ) from error


def _where(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f" ({error.filename}:{error.lineno})"
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return f" ({last.tb_frame.f_code.co_filename}:{last.tb_lineno})" if last is not None else ""


def load_pack(module: ModuleType, name: str) -> Pack:
    """Collect and validate a pack's rows, checks and facts. Raises UsageError with file and line of what is wrong."""
    folder = Path(next(iter(module.__path__)))
    checklist = read_yaml(folder / "checklist.yaml", Checklist)
    thresholds = read_yaml(folder / "thresholds.yaml", dict[str, Threshold]) if (folder / "thresholds.yaml").exists() else {}
    clauses = read_yaml(folder / "clauses.yaml", dict[str, str]) if (folder / "clauses.yaml").exists() else {}
    rows = {row.id: row for row in checklist.rows}
    facts = dict(builtin_facts.registry())
    checks: dict[str, Check] = {}
    reads: tuple[Any, ...] = ()
    for info in pkgutil.iter_modules(module.__path__):
        part = _imported(lambda info=info: importlib.import_module(f"{module.__name__}.{info.name}"), f"{name}, module {info.name}")
        if info.name == "reads":
            reads = tuple(part.READS)
        for value in (getattr(part, name) for name in getattr(part, "__all__", vars(part))):
            if isinstance(value, Fact):
                facts[value.name] = value
            if isinstance(value, Check):
                if info.name not in rows:
                    raise UsageError(
                        f"{value.place}: the checklist has no row {info.name!r}{nearest(info.name, rows)}", "name the module after a row"
                    )
                found = replace(value, row=info.name)
                if found.id in checks:
                    raise UsageError(f"{value.place}: a second check is named {found.id}", "give it another name")
                checks[found.id] = found
    for row in checklist.rows:
        for item in row.to_come:
            checks.setdefault(f"{row.id}/{item.slug}", _to_come(item, row.id, str(folder / "checklist.yaml")))
    for named in (name for one in checklist.failover for name in (*one.standby, *one.active, *one.pair)):
        if named not in checks:
            raise UsageError(f"{folder / 'checklist.yaml'}: failover names the check {named!r}{nearest(named, checks)}", "name a check of this pack")
    return Pack(name, checklist, _ordered(checks.values(), checklist), facts, reads, thresholds, clauses)


def _to_come(item: ToCome, row: str, place: str) -> Check:
    severity: Any = (
        Severity(item.severity) if isinstance(item.severity, str) else {Scope[scope]: Severity(word) for scope, word in item.severity.items()}
    )
    scopes = tuple(Scope[name] for name in item.applies) or EVERYWHERE
    return Check(
        slug=item.slug,
        row=row,
        title=item.title,
        why="This version has no code for it yet.",
        fix="Verify it by hand.",
        severity=severity,
        clauses=tuple(item.clauses),
        applies=scopes,
        evaluation=_as_is(),
        attest=None,
        needs=(),
        alternates=(),
        place=place,
    )


def _as_is() -> Any:
    from exivity_audit.check import AS_IS

    return AS_IS


def _ordered(checks: Iterable[Check], checklist: Checklist) -> tuple[Check, ...]:
    place = {row.id: number for number, row in enumerate(checklist.rows)}
    return tuple(sorted(checks, key=lambda check: place[check.row]))


def validate(pack: Pack, reads: Iterable[str]) -> None:
    """Each name that a check or fact asks for exists. Raises UsageError with the asker's place and the nearest name."""
    known = set(pack.facts) | set(reads) | BASE_FACTS
    for check in pack.checks:
        for name in (*check.needs, *check.looks_at):
            if name not in known:
                raise UsageError(
                    f"{check.place}: {check.slug} asks for {name!r}, which no fact or read provides{nearest(name, known)}", "correct the name"
                )
    for fact in pack.facts.values():
        for name in (*fact.needs, *fact.alternates):
            if name not in known:
                raise UsageError(f"the fact {fact.name} asks for {name!r}, which no fact or read provides{nearest(name, known)}", "correct the name")


def merge(packs: Iterable[Pack]) -> Pack:
    """Several packs as one: rows and checks behind those of the first. Raises UsageError where two use one id."""
    first, *others = packs
    rows = list(first.checklist.rows)
    checks, facts, reads = list(first.checks), dict(first.facts), first.reads
    thresholds, clauses = dict(first.thresholds), dict(first.clauses)
    for other in others:
        have = {row.id for row in rows}
        rows.extend(row for row in other.checklist.rows if row.id not in have)
        taken = {check.id for check in checks}
        for check in other.checks:
            if check.id in taken:
                raise UsageError(f"{check.place}: the check {check.id} exists already", "give it another name")
            checks.append(replace(check, foreign=True))
        facts |= {name: fact for name, fact in other.facts.items() if name not in facts}
        reads += other.reads
        thresholds |= other.thresholds
        clauses |= other.clauses
    checklist = msgspec.structs.replace(first.checklist, rows=rows)
    return Pack(first.name, checklist, _ordered(checks, checklist), facts, reads, thresholds, clauses)


class Sources(msgspec.Struct, frozen=True):
    """Where packs beside our own come from: installed distributions by name, folders by path."""

    names: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


def merged_pack(others: Sources) -> Pack:
    """Our own pack and others as one. Raises UsageError."""
    return merge([own_pack(), *(named_pack(name) for name in others.names), *(folder_pack(Path(folder)) for folder in others.folders)])
