"""What stands around the release on a conforming cluster, one module a product: its objects and the APIs it serves.

A module has ``SERVED`` (the optional APIs of tests/world.py that it brings, in both scenarios), ``multi_node`` and ``single_node``:
functions from the installation to the objects that stand beside it.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any


def _modules() -> list[ModuleType]:
    return [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]


def around(scenario: str, installation: Any) -> list[dict[str, Any]]:
    """The objects of every product, for ``multi_node`` or ``single_node``."""
    return [item for module in _modules() for item in getattr(module, scenario)(installation)]


def served() -> tuple[str, ...]:
    """The optional APIs that the products bring."""
    return tuple(name for module in _modules() for name in module.SERVED)
