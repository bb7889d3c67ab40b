"""The key ``actions`` of the JSON report: the action register, the overlay's values, and who keeps the release."""

from __future__ import annotations

from typing import Any

import msgspec

from exivity_audit.overlay import State
from exivity_audit.remedy import FixKind
from exivity_audit.verdict import Severity

Plain = str | int | float | bool | None


class KeeperShape(msgspec.Struct, frozen=True):
    """What keeps something in place of a person, and what becomes of a change by hand."""

    site: str
    tool: str
    object: str
    repository: str | None
    advice: str


class PatchShape(msgspec.Struct, frozen=True):
    """A merge patch of one object; keeper is null where no Argo CD or Flux is known to undo it."""

    site: str
    object: str
    patch: dict[str, Any]
    kubectl: str
    keeper: KeeperShape | None


class ActionShape(msgspec.Struct, frozen=True):
    """One line of the register; results are fingerprints."""

    number: int
    kind: FixKind
    action: str
    severity: Severity
    gain: float
    needs: str | None
    sites: list[str]
    checks: list[str]
    results: list[str]
    fill: list[str]  # chart values that only a person knows
    patches: list[PatchShape]


class SettingShape(msgspec.Struct, frozen=True):
    """One chart value of the overlay; value is null where a person fills it in."""

    site: str
    path: str
    value: Plain
    state: State
    needs: str | None
    others: list[Plain]
    results: list[str]


class ActionsShape(msgspec.Struct, frozen=True):
    """Everything that is to be done."""

    register: list[ActionShape]
    values: list[SettingShape]
    keepers: list[KeeperShape]
