"""The action register: every remedy of a run, by what changes it: chart values, a patch of an object, or a person."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from msgspec import Struct

from exivity_audit.evaluate import Judgement
from exivity_audit.keeping import Keeper, keeper_of, keepers
from exivity_audit.overlay import Finding, Setting, settings
from exivity_audit.remedy import FixKind
from exivity_audit.score import Remedy, Scorecard
from exivity_audit.subject import Subject
from exivity_audit.verdict import Severity


class Patch(Struct, frozen=True):
    """A merge patch of one object at one site, the command that makes it, and who would undo it."""

    site: str
    target: Subject
    body: Mapping[str, Any]
    kubectl: str
    keeper: Keeper | None


class Action(Struct, frozen=True):
    """One line of the register."""

    number: int
    kind: FixKind
    text: str
    gain: Fraction  # points of 100
    severity: Severity
    needs: str | None
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]
    fill: tuple[str, ...]  # chart values that only a person knows
    patches: tuple[Patch, ...]

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites where it is to be done."""
        return tuple(dict.fromkeys(outcome.site for outcome, _ in self.findings))


class Register(Struct, frozen=True):
    """All that is to be done, and the chart values among it merged for each site."""

    actions: tuple[Action, ...]
    settings: tuple[Setting, ...]
    keepers: dict[str, Keeper]

    def of(self, kind: FixKind) -> tuple[Action, ...]:
        """The actions of one kind."""
        return tuple(action for action in self.actions if action.kind is kind)

    def overlay(self, site: str) -> tuple[Setting, ...]:
        """The chart values of one site."""
        return tuple(setting for setting in self.settings if setting.site == site)


def register(card: Scorecard) -> Register:
    """Every remedy of a scorecard as an action, in the scorecard's order."""
    judgement = card.judgement
    kept = keepers(judgement)
    actions = tuple(_action(number, remedy, judgement, kept) for number, remedy in enumerate(card.remedies, 1))
    return Register(actions, settings(card.remedies, tuple(site.name for site in judgement.snapshot.sites)), kept)


def _action(number: int, remedy: Remedy, judgement: Judgement, kept: dict[str, Keeper]) -> Action:
    fixes = [verdict.fix for _, verdict in remedy.findings if verdict.fix is not None]
    needs = dict.fromkeys(fix.needs for fix in fixes if fix.needs)
    return Action(
        number, fixes[0].kind if fixes else FixKind.TASK, remedy.text, remedy.gain, remedy.severity, ", ".join(needs) or None, remedy.checks,
        remedy.findings, tuple(dict.fromkeys(path for fix in fixes for path in fix.fill)), _patches(remedy, judgement, kept),
    )  # fmt: skip


def _patches(remedy: Remedy, judgement: Judgement, kept: dict[str, Keeper]) -> tuple[Patch, ...]:
    """One patch for each object, however many findings name it."""
    found: dict[tuple[str, Subject, str], Patch] = {}
    for outcome, verdict in remedy.findings:
        fix = verdict.fix
        if fix is None or fix.patch is None or fix.target is None:
            continue
        body = json.dumps(fix.patch, sort_keys=True, default=str)
        key = (outcome.site, fix.target, body)
        if key not in found:
            keeper = keeper_of(judgement, outcome.site, fix.target, kept.get(outcome.site))
            found[key] = Patch(outcome.site, fix.target, fix.patch, kubectl_patch(fix.target, fix.resource, body), keeper)
    return tuple(found.values())


def kubectl_patch(target: Subject, resource: str, body: str) -> str:
    """The command that merges a body into an object."""
    place = ["-n", target.namespace] if target.namespace else []
    return shlex.join(["kubectl", "patch", resource or target.kind.lower(), target.name or "", *place, "--type", "merge", "-p", body])
