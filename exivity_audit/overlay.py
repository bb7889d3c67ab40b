"""The chart values that findings ask for, merged for each site: what an upgrade can set, what takes more, what a person fills in."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit import chart
from exivity_audit.acceptance import ALL_SITES
from exivity_audit.evaluate import Outcome
from exivity_audit.measure import Scalar
from exivity_audit.quantity import size
from exivity_audit.remedy import REINSTALL, UPGRADE
from exivity_audit.score import Remedy
from exivity_audit.subject import Subject
from exivity_audit.verdict import Verdict

Finding = tuple[Outcome, Verdict]
ANY_NAME = "<name>"
UNKNOWN_GROWTH = "a class that can expand, or reinstall"


class State(enum.StrEnum):
    """How a value stands in the overlay."""

    SET = "set"  # an upgrade sets it
    LATER = "later"  # it takes more than an upgrade: see ``needs``
    FILL_IN = "fill in"  # only a person knows it
    CONFLICT = "conflict"  # findings ask for different values, and none is the stricter


class Setting(Struct, frozen=True):
    """One chart value of one site, with the findings that ask for it."""

    site: str
    path: str
    value: Scalar  # None where a person fills it in
    state: State
    needs: str | None
    findings: tuple[Finding, ...]
    others: tuple[Scalar, ...] = ()  # asked for too: weaker ones, or in a conflict the rest


class _Asked(Struct, frozen=True):
    path: str
    value: Scalar
    needs: str | None
    finding: Finding


def settings(remedies: Iterable[Remedy], sites: tuple[str, ...]) -> tuple[Setting, ...]:
    """Every chart value that some finding asks for, by site and path."""
    asked: dict[tuple[str, str], list[_Asked]] = {}
    for remedy in remedies:
        for finding in remedy.findings:
            for one in _asked(finding):
                for site in sites if finding[0].site == ALL_SITES else (finding[0].site,):
                    asked.setdefault((site, one.path), []).append(one)
    return tuple(_merged(site, path, group) for (site, path), group in sorted(asked.items(), key=lambda item: (sites.index(item[0][0]), item[0][1])))


def _asked(finding: Finding) -> Iterable[_Asked]:
    fix = finding[1].fix
    if fix is None:
        return
    for path, value in fix.own or fix.values:
        where = named(path, finding[1].subject)
        yield _Asked(where, value if ANY_NAME not in where else None, fix.needs, finding)
    for path in fix.fill:
        yield _Asked(named(path, finding[1].subject), None, fix.needs, finding)


def named(path: str, subject: Subject | None) -> str:
    """A path with the service's own key for ``<name>``, where the subject is one of a service."""
    name = subject.name or "" if subject is not None else ""
    key = next(
        (one.key for one in chart.SERVICES if name == one.component or name.endswith((f"-{one.component}", f"-{one.component}-log"))), ANY_NAME
    )
    return path.replace(ANY_NAME, key)


def _merged(site: str, path: str, group: list[_Asked]) -> Setting:
    """One setting from all that is asked for one path."""
    found = tuple(one.finding for one in group)
    values = list(dict.fromkeys((type(one.value), one.value) for one in group if one.value is not None))
    needs = _hardest(path, group)
    blank = Setting(site, path, None, State.FILL_IN, needs, found)
    if not values:
        return blank
    different: list[Scalar] = [value for _, value in values]
    first = _stricter(path, different)
    if first is None:
        return replace(blank, value=different[0], state=State.CONFLICT, others=tuple(different[1:]))
    state = State.SET if needs in (None, UPGRADE) else State.LATER
    return replace(blank, value=first, state=state, others=tuple(value for value in different if value != first))


def _hardest(path: str, group: list[_Asked]) -> str | None:
    """What the value takes: whatever one of the findings says beyond an upgrade."""
    needs = list(dict.fromkeys(one.needs for one in group if one.needs is not None))
    beyond = sorted((one for one in needs if one != UPGRADE), key=lambda one: one != REINSTALL)
    if beyond:
        return beyond[0]
    return needs[0] if needs else UNKNOWN_GROWTH if _is_size(path) and any(one.value is not None for one in group) else None


def _stricter(path: str, values: list[Scalar]) -> Scalar:
    """The one of several values that satisfies all findings; None where there is none."""
    if len(values) == 1:
        return values[0]
    order: Callable[[Scalar], float] | None = None
    if _is_size(path):
        order = _bytes
    elif path.endswith(".replicas"):
        order = _number
    elif path.startswith("logfiles."):
        order = lambda value: -_number(value)  # noqa: E731
    try:
        return max(values, key=order) if order is not None else None
    except ValueError:
        return None


def _is_size(path: str) -> bool:
    return path.startswith("storage.pvcSizes.") or path.endswith(".persistence.size")


def _bytes(value: Scalar) -> float:
    return float(size(str(value)))


def _number(value: Scalar) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(value)
    return value
