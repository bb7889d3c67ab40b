"""The longest time between two runs of a cron expression."""

from __future__ import annotations

import pytest

from exivity_audit.facts.cron import cron_interval

HOUR, DAY = 3600, 86400


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 2 * * *", DAY), ("*/15 * * * *", HOUR / 4), ("0 1,13 * * *", DAY / 2), ("0 2 * * 1-5", 3 * DAY), ("0 0 1 * *", 31 * DAY), ("0 3 * * 7", 7 * DAY),
        ("0 3 * * SUN", 7 * DAY), ("@daily", DAY), ("@weekly", 7 * DAY), ("@every 6h", 6 * HOUR), ("CRON_TZ=Europe/Amsterdam 0 2 * * *", DAY), ("0 0 29 2 *", 1461 * DAY),
        ("0 0 1 * mon", 7 * DAY),  # day and weekday both restricted: either is enough
        ("0 1,5 * * *", 20 * HOUR),
    ],
)  # fmt: skip
def test_the_longest_gap_counts(text: str, expected: float) -> None:
    assert cron_interval(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5 4 * *",
        "61 * * * *",
        "0 0 31 2 *",
        "*-3 * * * *",
        "a b c d e",
        "0 2 * * * *",
        "@never",
        "@every soon",
        "9" * 5000 + " * * * *",
        "*/0 * * * *",
    ],
)
def test_what_is_no_schedule_has_no_interval(text: str) -> None:
    assert cron_interval(text) is None


def test_six_fields_start_with_the_seconds() -> None:
    assert cron_interval("0 0 2 * * *", seconds=True) == DAY
    assert cron_interval("0 2 * * *", seconds=True) == DAY
    assert cron_interval("*/5 * * * * *", seconds=True) == 5
