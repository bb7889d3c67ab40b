"""How often a cron schedule runs: the longest time between two runs."""

from __future__ import annotations

import datetime as calendar
from functools import lru_cache
from itertools import pairwise

from exivity_audit.quantity import Duration, duration

DAY = 86400
FIRST_DAY, DAYS = calendar.date(2024, 1, 1), 3000  # long enough to see the 29th of February twice
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_SPANS = {"second": (0, 59), "minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 6)}
_WORDS = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip


@lru_cache(maxsize=1024)
def cron_interval(text: str, *, seconds_first: bool = False) -> Duration | None:
    """The longest time between two runs of a schedule; None where the text is no schedule or never runs.

    ``seconds_first``: as CloudNativePG reads it, six fields of which the last, the day of the week, may be left out.
    """
    words = [word for word in text.split() if not word.startswith(("TZ=", "CRON_TZ="))]
    if len(words) == 2 and words[0] == "@every":
        return _every(words[1])
    if len(words) == 1 and words[0] in _WORDS:
        words = _WORDS[words[0]].split()
        words = ["0", *words] if seconds_first else words
    if seconds_first and len(words) == 5:
        words = [*words, "*"]
    if not seconds_first:
        words = ["0", *words]
    if len(words) != len(_SPANS):
        return None
    try:
        fields = {name: _field(word.lower(), name) for name, word in zip(_SPANS, words, strict=True)}
    except ValueError:
        return None
    return _longest(fields, star_day=words[3] in ("*", "?"), star_weekday=words[5] in ("*", "?"))


def _every(text: str) -> Duration | None:
    try:
        found = duration(text)
    except ValueError:
        return None
    return found if found > 0 else None


def _field(word: str, name: str) -> frozenset[int]:
    """The values of one field. Raises ValueError."""
    low, high = _SPANS[name]
    found: set[int] = set()
    for part in word.split(","):
        span, slash, step = part.partition("/")
        stride = int(step) if slash else 1
        if stride < 1:
            raise ValueError(part)
        if span in ("*", "?"):
            first, last = low, high
        else:
            start, dash, end = span.partition("-")
            first = _number(start, name)
            last = _number(end, name) if dash else high if slash else first
        if name == "weekday" and last == 7:
            found.add(0)
            last = 6
            if first == 7:
                continue
        if not low <= first <= last <= high:
            raise ValueError(part)
        found.update(range(first, last + 1, stride))
    return frozenset(found)


def _number(text: str, name: str) -> int:
    if name == "month" and text in MONTHS:
        return MONTHS.index(text) + 1
    if name == "weekday" and text in WEEKDAYS:
        return WEEKDAYS.index(text)
    return int(text)


def _longest(fields: dict[str, frozenset[int]], *, star_day: bool, star_weekday: bool) -> Duration | None:
    """The longest gap between two runs over the days that fit; where day and weekday are both named, either fits."""
    days = []
    for number in range(DAYS):
        day = FIRST_DAY + calendar.timedelta(days=number)
        in_month, in_week = day.day in fields["day"], day.isoweekday() % 7 in fields["weekday"]
        fits = in_month and in_week if star_day or star_weekday else in_month or in_week
        if day.month in fields["month"] and fits:
            days.append(number)
    if len(days) < 2:
        return None
    moments = sorted(hour * 3600 + minute * 60 + second for hour in fields["hour"] for minute in fields["minute"] for second in fields["second"])
    inside = max((later - earlier for earlier, later in pairwise(moments)), default=0)
    apart = max(later - earlier for earlier, later in pairwise(days))
    return Duration(max(inside, apart * DAY + moments[0] - moments[-1]))
