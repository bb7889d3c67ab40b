"""Facts about a site: one module a subject; all knowledge of where something can be seen."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from exivity_audit.fact import Fact


@lru_cache(maxsize=1)
def registry() -> dict[str, Fact]:
    """Every fact of the product, by name. Raises ValueError where two modules define one name."""
    found: dict[str, Fact] = {}
    owner: dict[str, str] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for value in vars(module).values():
            if isinstance(value, Fact) and value.function.__module__ == module.__name__:
                if value.name in found:
                    raise ValueError(f"the facts {owner[value.name]} and {info.name} both define {value.name}")
                found[value.name], owner[value.name] = value, info.name
    return found
