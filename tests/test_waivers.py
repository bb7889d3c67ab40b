"""Waivers: what they cover, up to which value, by unit; what the config may say; what becomes of each."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.acceptance import Acceptance, Fate, fate_of
from exivity_audit.config import Config, Waiver
from exivity_audit.measure import Unit, Wanted, at_least, at_most, exactly, one_of, unit_of, wanted
from exivity_audit.pack import own_pack
from exivity_audit.quantity import Duration, size
from exivity_audit.score import scorecard
from exivity_audit.subject import Subject
from exivity_audit.verdict import Status, Verdict
from exivity_audit.waiver import examine, in_unit
from tests import builders
from tests.judging import judged

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CHECKS = {one.id: one for one in own_pack().checks}
GOOD = {"check": "application/singletons", "reason": "agreed", "owner": "J. Doe", "expires": "2027-01-31"}


def waiver(**changes: Any) -> Waiver:
    return Waiver(**{"check": "row/rule", "reason": "agreed", "owner": "J. Doe", "expires": "2027-01-31", **changes})


def verdict(measured: Any, want: Wanted | None = None, status: Status = Status.FAIL) -> Verdict:
    return Verdict(status, Subject("Thing", "a", "ns"), measured, unit_of(measured), want)


def accepted(one: Waiver, found: Verdict) -> Verdict:
    return Acceptance((one,), (), NOW).accept(found, "row/rule", "default", True)


@pytest.mark.parametrize(
    ("measured", "want", "accepts", "covered"),
    [
        (size("5Gi"), at_least("10Gi"), "5Gi", True), (size("5Gi"), at_least("10Gi"), "4096Mi", True), (size("5Gi"), at_least("10Gi"), "6Gi", False),
        (size("5Gi"), at_least("10Gi"), 5 * 2**30, True), (size("5Gi"), at_least("10Gi"), "5G", True), (size("4.5Gi"), at_least("10Gi"), "5G", False),
        (Duration(36 * 3600), at_most("24h"), "36h", True), (Duration(36 * 3600), at_most("24h"), "1.5d", True), (Duration(36 * 3600), at_most("24h"), "35h", False),
        (Duration(36 * 3600), at_most("24h"), 129600, True), (Duration(300), at_most("1m"), "5m", True), (Duration(301), at_most("1m"), "5m", False),
        (Duration(23 * 86400), at_least("30d"), "20d", True), (Duration(19 * 86400), at_least("30d"), "20d", False),
        (2, at_least(3), 2, True), (1, at_least(3), 2, False), (2, at_least(3), "2", True), (3, exactly(1), 3, True), (4, exactly(1), 3, False), (2, exactly(1), 3, True),
        (5672, exactly(5671), 5672, True), (5672, exactly(5671), 5671, False), (1883, exactly(5671), 5672, False),
        ("disable", one_of("require", "verify-full"), "disable", True), ("allow", one_of("require"), "disable", False), ("17", wanted("x"), 17, True),
        (True, exactly(False), True, True), (True, exactly(False), "true", True), (True, exactly(False), 1, False), (1, exactly(0), True, False),
        (size("5Gi"), at_least("10Gi"), "five", False), (2, at_least(3), "two", False), (Duration(60), at_most("1s"), "5Gi", False), (None, wanted("x"), 3, False),
        (3, None, 3, True), (4, None, 3, False),
    ],
)  # fmt: skip
def test_the_accepted_value_is_compared_in_the_unit_that_was_measured(measured: Any, want: Wanted | None, accepts: Any, covered: bool) -> None:
    found = accepted(waiver(accepts=accepts), verdict(measured, want))
    assert (found.status is Status.WAIVED) == covered, found.remark
    if not covered:
        assert found.status is Status.FAIL
        assert found.remark.startswith("the waiver of J. Doe: ")
        assert fate_of(waiver(accepts=accepts), [found], NOW, lambda check: True).state == "void"


def test_the_reason_of_a_void_waiver_is_told() -> None:
    assert "it accepts 2, and 1 is worse" in accepted(waiver(accepts=2), verdict(1, at_least(3))).remark
    assert "cannot be compared with 5Gi: not a quantity: 'five'" in accepted(waiver(accepts="five"), verdict(size("5Gi"), at_least("10Gi"))).remark
    assert "nothing was measured here" in accepted(waiver(accepts=2), verdict(None)).remark


@pytest.mark.parametrize("value", [True, False])
def test_a_boolean_is_no_number(value: bool) -> None:
    for unit in (Unit.BYTES, Unit.SECONDS, Unit.COUNT):
        with pytest.raises(ValueError, match="is no number"):
            in_unit(value, unit)


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.ERROR, Status.MANUAL, Status.PASS, Status.SKIP])
def test_it_covers_nothing_but_fail_and_warn(status: Status) -> None:
    assert accepted(waiver(), verdict(1, status=status)).status is status
    assert accepted(waiver(), verdict(1, status=Status.WARN)).underlying is Status.WARN


def test_an_expired_one_covers_nothing_and_is_named_beside_the_finding() -> None:
    old = waiver(expires="2026-11-22")
    found = accepted(old, verdict(1, at_least(3)))
    assert found.status is Status.FAIL
    assert found.remark == "the waiver of J. Doe: it expired on 2026-11-22"
    assert fate_of(old, [found], NOW, lambda check: True) == Fate("expired", "it expired on 2026-11-22")
    assert accepted(waiver(expires="2026-11-23"), verdict(1)).status is Status.WAIVED


def test_the_first_that_reaches_far_enough_covers() -> None:
    short, long = waiver(accepts=2), waiver(accepts=0, owner="M. Smit")
    found = Acceptance((short, long), (), NOW).accept(verdict(1, at_least(3)), "row/rule", "default", True)
    assert found.waiver == long
    assert fate_of(short, [found], NOW, lambda check: True).state == "unused"


def test_used_on_one_subject_and_void_on_another_is_used_and_says_so() -> None:
    one = waiver(accepts=2)
    found = [accepted(one, verdict(2, at_least(3))), accepted(one, verdict(1, at_least(3)))]
    assert fate_of(one, found, NOW, lambda check: True) == Fate("used", "it accepts 2, and 1 is worse")


def test_score_and_gate_without_waivers_stand_beside_those_with() -> None:
    world = builders.multi_node()
    world.edit("Deployment", "exivity-chronos", lambda item: item["spec"].update(replicas=2))
    covering = Config(waivers=(waiver(check="application/singletons"),))
    bare, waived = scorecard(judged(world)), scorecard(judged(world, config=covering))
    assert waived.score_without_waivers == bare.score
    assert waived.score is not None
    assert bare.score is not None
    assert waived.score > bare.score
    assert waived.waivers == 1


# The config


def file(folder: Path, *items: Any, rest: str = "") -> Path:
    path = folder / "exivity-audit.yaml"
    path.write_text(rest + "waivers:\n" + "".join(f"  - {json.dumps(item)}\n" for item in items))
    return path


def test_every_problem_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    path = file(
        tmp_path, {**GOOD, "check": "application/singleton"}, {**GOOD, "expires": "2026-11-22"}, {**GOOD, "reason": "", "owner": " "},
        {**GOOD, "expires": "31-01-2027"}, {**GOOD, "subject": "chronos"}, {**GOOD, "accepts": " "}, {**GOOD, "until": "x"}, {**GOOD, "owner": None}, GOOD,
        {key: value for key, value in GOOD.items() if key != "expires"},
    )  # fmt: skip
    found = [problem.message.removeprefix(f"{path}:") for problem in examine(path, CHECKS, NOW)]
    assert [text.partition(":")[0] for text in found] == ["2", "3", "4", "4", "5", "6", "7", "8", "9", "11"]
    wanted_words = ("did you mean", "expired on 2026-11-22", "reason is blank", "owner is blank", "is no date", "is no subject", "accepts is blank", "unknown key 'until'", "owner is blank", "missing required field `expires`")  # fmt: skip
    assert all(word in text for word, text in zip(wanted_words, found, strict=True)), found


@pytest.mark.parametrize(
    "subject",
    ["Cluster", "Cluster#version", "Node worker-3", "Release exivity/exivity#list pods in exivity", "Ingress exivity/x#*.acme.eu", "Secret */*", "* *", "StorageClass longhorn"],
)  # fmt: skip
def test_subjects_as_the_report_writes_them_are_well_formed(tmp_path: Path, subject: str) -> None:
    assert examine(file(tmp_path, {**GOOD, "subject": subject}), CHECKS, NOW) == []


def test_every_subject_of_the_conforming_clusters_is_well_formed(tmp_path: Path) -> None:
    for world in (builders.multi_node(), builders.single_node()):
        subjects = {str(one.subject) for outcome in judged(world).outcomes for one in outcome.verdicts if one.subject is not None}
        assert examine(file(tmp_path, *({**GOOD, "subject": subject} for subject in sorted(subjects))), CHECKS, NOW) == []
