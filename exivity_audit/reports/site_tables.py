"""The tables that facts make of each site, as far as they could be computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exivity_audit.score import Scorecard


def by_site(card: Scorecard, name: str, fields: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """The rows of a table by site; a site where it is empty, could not be computed or has other fields is left out."""
    found = {}
    for site, tables in card.judgement.tables.items():
        rows = tables.get(name)
        if isinstance(rows, tuple | list) and rows and all(all(hasattr(row, field) for field in fields) for row in rows):
            found[site] = tuple(rows)
    return found
