"""Cron expressions: the longest time between two runs of a schedule."""

from __future__ import annotations

import re
from calendar import isleap
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

from exivity_audit.quantity import Duration, duration

MONTHS = dict(zip(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), range(1, 13), strict=True))
WEEKDAYS = dict(zip(("sun", "mon", "tue", "wed", "thu", "fri", "sat"), range(7), strict=True))
MACROS = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip
_ZONE = re.compile(r"^(?:CRON_)?TZ=\S+\s+")
_PART = re.compile(r"^(\*|\?|\w+)(?:-(\w+))?(?:/(\d+))?$")
DAY = 86400
START, YEARS = date(2024, 1, 1), 8  # two leap years: 29 February comes twice


@lru_cache(maxsize=256)
def cron_interval(text: str, *, seconds: bool = False) -> Duration | None:
    """The longest time between two runs; None for an expression that is none, or that runs less than twice in eight years.

    ``seconds``: the expression has six fields, seconds first (CloudNativePG's); five are accepted too.
    """
    rest = _ZONE.sub("", text.strip())
    if rest.startswith("@every "):
        try:
            return duration(rest.removeprefix("@every ").strip())
        except ValueError:
            return None
    fields = MACROS.get(rest.lower(), rest).split()
    if seconds and len(fields) == 6:
        at: tuple[int, ...] | None = _values(fields[0], 0, 59, {})
        fields = fields[1:]
    else:
        at = (0,)
    if len(fields) != 5 or not at:
        return None
    return _longest(at, *fields)


def _longest(seconds: tuple[int, ...], minute: str, hour: str, day: str, month: str, weekday: str) -> Duration | None:
    minutes, hours = _values(minute, 0, 59, {}), _values(hour, 0, 23, {})
    days, months = _values(day, 1, 31, {}), _values(month, 1, 12, MONTHS)
    weekdays = _values(weekday, 0, 7, WEEKDAYS)
    if not (minutes and hours and days and months and weekdays):
        return None
    either = not _free(day) and not _free(weekday)  # both are restricted: one of them is enough
    on = [
        number
        for number in range(sum(366 if isleap(START.year + year) else 365 for year in range(YEARS)))
        if _runs(START + timedelta(days=number), days, months, {one % 7 for one in weekdays}, either)
    ]
    times = sorted(3600 * one + 60 * two + three for one in hours for two in minutes for three in seconds)
    within = [later - earlier for earlier, later in pairwise(times)]
    across = [(later - earlier) * DAY - times[-1] + times[0] for earlier, later in pairwise(on)]
    gaps = (within if on else []) + across
    return Duration(max(gaps)) if across else None


def _free(field: str) -> bool:
    return field.startswith(("*", "?"))


def _runs(day: date, days: tuple[int, ...], months: tuple[int, ...], weekdays: set[int], either: bool) -> bool:
    if day.month not in months:
        return False
    by_day, by_week = day.day in days, day.isoweekday() % 7 in weekdays
    return by_day or by_week if either else by_day and by_week


def _values(field: str, least: int, most: int, names: dict[str, int]) -> tuple[int, ...] | None:
    """The numbers a field stands for; None where it is malformed."""
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.match(part)
        if match is None:
            return None
        first, last, step = match.groups()
        if first in ("*", "?"):
            low, high = (None, None) if last else (least, most)
        else:
            low = _number(first, names)
            high = _number(last, names) if last else most if step else low
        if low is None or high is None or not least <= low <= high <= most or step == "0":
            return None
        found.update(range(low, high + 1, int(step or 1)))
    return tuple(sorted(found))


def _number(text: str, names: dict[str, int]) -> int | None:
    if text.isdecimal():
        return int(text) if len(text) <= 2 else None
    return names.get(text.lower()[:3])
