"""Dates as the reports print them: ``23 Nov 2026``, in UTC, whatever the locale."""

from __future__ import annotations

from datetime import UTC, datetime

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def print_day(text: str) -> str:
    """``2027-01-31`` → ``31 Jan 2027``; other text as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"


def print_moment(moment: datetime) -> str:
    """``23 Nov 2026 14:02:11 UTC``."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {MONTHS[utc.month - 1]} {utc.year} {utc:%H:%M:%S} UTC"
