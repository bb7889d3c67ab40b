"""Scenarios, site roles and purposes of the vendor's document, and how a scenario is recognised (checks.md section 1)."""

from __future__ import annotations

import enum

from msgspec import Struct


class Scenario(enum.StrEnum):
    """The vendor's three deployment scenarios."""

    SINGLE_NODE = "single-node"
    MULTI_NODE = "multi-node"
    MULTI_SITE = "multi-site"


class Purpose(enum.StrEnum):
    """What the installation is for; evaluation relaxes some checks and prints no gate."""

    PRODUCTION = "production"
    EVALUATION = "evaluation"


class Role(enum.StrEnum):
    """Role of a site in scenario C."""

    ACTIVE = "active"
    PASSIVE = "passive"


class Scope(enum.Enum):
    """Where a check applies."""

    A = (Scenario.SINGLE_NODE, None)
    B = (Scenario.MULTI_NODE, None)
    C = (Scenario.MULTI_SITE, None)
    ACTIVE_C = (Scenario.MULTI_SITE, Role.ACTIVE)
    PASSIVE_C = (Scenario.MULTI_SITE, Role.PASSIVE)

    def holds(self, scenario: Scenario, role: Role | None) -> bool:
        """Whether a site of this scenario and role lies in the scope; a site of C without a role counts as active."""
        wanted, only = self.value
        return scenario is wanted and (only is None or (role or Role.ACTIVE) is only)


A, B, C, ACTIVE_C, PASSIVE_C = Scope.A, Scope.B, Scope.C, Scope.ACTIVE_C, Scope.PASSIVE_C
EVERYWHERE = (A, B, C)


class ScenarioUsed(Struct, frozen=True):
    """Declared and detected scenario of a run, and the one that is judged by."""

    declared: Scenario | None
    detected: Scenario | None
    used: Scenario | None

    @property
    def how(self) -> str:
        """How the scenario was found, as the report's first lines say it."""
        if self.used is None:
            return "scenario unknown"
        if self.declared is None:
            return "scenario detected"
        if self.detected is None:
            return "scenario declared, not detected"
        return "scenario declared and detected" if self.declared is self.detected else f"scenario declared, detected {self.detected}"


def scenario_used(declared: Scenario | None, workers: int | None, sites: int, role: Role | None) -> ScenarioUsed:
    """Detect by the nodes that could carry workloads when healthy (one: A, more: B), two sites or a declared role (C).

    ``workers`` is None where the nodes could not be read: nothing is detected then.
    """
    if sites > 1 or role is not None:
        detected: Scenario | None = Scenario.MULTI_SITE
    elif workers is None or workers == 0:
        detected = None
    else:
        detected = Scenario.SINGLE_NODE if workers == 1 else Scenario.MULTI_NODE
    return ScenarioUsed(declared, detected, declared or detected)
