"""The probe of names: all addresses of a host, as the machine that the tool runs on resolves them. Nothing is sent but the question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exivity_audit.probes.attempt import Attempt
from exivity_audit.probes.opening import Tools
from exivity_audit.snapshot import Place

SECONDS = 10.0


class Probing:
    """Resolves names."""

    name = "dns"
    seconds = SECONDS

    def __init__(self, tools: Tools) -> None:
        self._resolve = tools.resolve

    def measure(self, place: Place, known: Mapping[str, Any], attempt: Attempt) -> dict[str, Any]:
        """The addresses of a name, sorted: their order changes from answer to answer. Raises Failed."""
        found = self._resolve(place.name or "")
        return {"addresses": sorted(found), "canonical": found.canonical or None}
