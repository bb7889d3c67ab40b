"""Ids of a page's elements: readable where the name allows it, unique whatever somebody called a check, a row or a site."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[a-z][a-z0-9_.-]{0,80}")


class Anchors:
    """Hands out each id once; the same name always gets the same one."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._given: dict[tuple[str, ...], str] = {}

    def __call__(self, *names: str) -> str:
        """``application/singletons`` → ``application.singletons``; a name that is no plain word gets a number."""
        if names not in self._given:
            wish = ".".join(names).replace("/", ".")
            self._given[names] = self._free(wish if _PLAIN.fullmatch(wish) else "check")
        return self._given[names]

    def _free(self, wish: str) -> str:
        found, number = wish, 2
        while found in self._taken:
            found, number = f"{wish}-{number}", number + 1
        self._taken.add(found)
        return found
