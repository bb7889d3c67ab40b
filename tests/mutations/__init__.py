"""Single mutations of conforming clusters, one module a row of the checklist."""

from __future__ import annotations

import importlib
import pkgutil

from tests.mutation import Mutation


def mutations() -> list[Mutation]:
    """Every mutation of every row."""
    found: list[Mutation] = []
    for info in pkgutil.iter_modules(__path__):
        found.extend(importlib.import_module(f"{__name__}.{info.name}").MUTATIONS)
    return found
