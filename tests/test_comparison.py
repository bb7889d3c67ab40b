"""Comparison of two reports: what changed, what may not be called resolved, and why the score moved."""

from __future__ import annotations

import itertools
import json
from functools import cache
from typing import Any

import msgspec
import pytest

from exivity_audit.acceptance import Attestation
from exivity_audit.attribution import attribute
from exivity_audit.comparison import Change, Difference, compare
from exivity_audit.config import Config, Waiver
from exivity_audit.reports.difference import difference_json, render_difference
from exivity_audit.reports.json_report import json_report, report_shape
from exivity_audit.reports.json_shape import ReportShape
from exivity_audit.reports.report_file import decode_report
from exivity_audit.score import scorecard
from exivity_audit.verdict import Status
from tests import builders
from tests.judging import judged
from tests.mutation import put
from tests.reports import sample_scorecard as sample
from tests.world import World

CLAIM = "PersistentVolumeClaim exivity/exivity-extracted"


def sized(world: World, amount: str) -> World:
    for path in ("spec.resources.requests.storage", "status.capacity.storage"):
        world.edit("PersistentVolumeClaim", "exivity-extracted", put(path, amount))
    world.edit("PersistentVolume", "pvc-exivity-extracted", put("spec.capacity.storage", amount))
    return world


def doubled(world: World) -> World:
    world.edit("Deployment", "exivity-chronos", put("spec.replicas", 2))
    return world


def report(world: World, **where: Any) -> ReportShape:
    return report_shape(scorecard(judged(world, **where)), sample.run_info())


WAIVED = Config(waivers=(Waiver("pvc_sizes/data", "small site", "J. Doe", "2027-01-31", subject=CLAIM),))
DRILL = (Attestation("upgrades/version-controlled", None, None, "Values in git", "J. Doe", "2026-11-02", "2027-11-02", None),)

VOUCHED = (Attestation("application/duplicate-tasks", None, None, "Schedules reviewed", "J. Doe", "2026-11-02", "2027-11-02", None),)


def blind(world: World, resource: str) -> World:
    world.deny = lambda asked, namespace, name: asked == resource
    return world


@cache
def reports() -> dict[str, ReportShape]:
    fresh = builders.multi_node
    found = {
        "clean": report(fresh()),
        "small": report(sized(fresh(), "40Gi")),
        "smaller": report(sized(fresh(), "30Gi")),
        "waived": report(sized(fresh(), "40Gi"), config=WAIVED),
        "blind": report(blind(sized(fresh(), "40Gi"), "persistentvolumeclaims"), namespace="exivity", release="exivity"),
        "doubled": report(doubled(fresh())),
        "attested": report(fresh(), attestations=DRILL),
        "vouched": report(doubled(fresh()), attestations=VOUCHED),
    }
    gone = sized(fresh(), "40Gi")
    gone.remove("PersistentVolumeClaim", "exivity-extracted")
    return {**found, "gone": report(gone)}


def on(found: tuple[Difference, ...], check: str) -> list[tuple[Change, str]]:
    return [(one.change, one.why) for one in found if one.result.id == check]


def changes(old: str, new: str, check: str = "pvc_sizes/data") -> list[tuple[Change, str]]:
    return on(compare(reports()[old], reports()[new]), check)


@pytest.mark.parametrize("name", ["clean", "small", "blind", "waived"])
def test_a_report_does_not_differ_from_itself(name: str) -> None:
    assert compare(reports()[name], reports()[name]) == ()
    assert all(share == 0 for _, share in attribute(reports()[name], reports()[name]).shares)


def test_new_and_resolved() -> None:
    assert changes("clean", "small") == [(Change.NEW, "was pass")]
    assert changes("small", "clean") == [(Change.RESOLVED, "passes")]


def test_worse_and_better_by_the_measured_value() -> None:
    assert [change for change, _ in changes("small", "smaller")] == [Change.WORSE]
    assert [change for change, _ in changes("smaller", "small")] == [Change.BETTER]


def test_what_can_not_be_seen_again_is_not_resolved() -> None:
    found = changes("small", "blind")
    assert found
    assert {change for change, _ in found} == {Change.INCOMPARABLE}
    assert any("forbidden" in why for _, why in found)


def test_what_was_not_seen_before_is_new() -> None:
    found = compare(reports()["blind"], reports()["small"])
    assert (Change.NEW, "the check was not decided") in on(found, "pvc_sizes/data")


def test_waivers() -> None:
    assert changes("small", "waived") == [(Change.BETTER, "waived until 2027-01-31 by J. Doe")]
    assert changes("waived", "small") == [(Change.WORSE, "the waiver no longer covers it")]
    assert changes("waived", "clean") == [(Change.RESOLVED, "passes")]


def test_evidence() -> None:
    assert changes("clean", "attested", "upgrades/version-controlled") == [(Change.BETTER, "was manual, now seen")]
    assert [change for change, _ in changes("attested", "clean", "upgrades/version-controlled")] == [Change.INCOMPARABLE]


def test_an_object_that_is_gone() -> None:
    assert [change for change, _ in changes("small", "gone")] in ([Change.RESOLVED], [Change.INCOMPARABLE])
    assert any(change is Change.NEW for change, _ in changes("small", "gone", "storage/claims-bound"))


def test_a_check_that_is_not_judged_any_more_is_incomparable() -> None:
    old = reports()["small"]
    new = msgspec.structs.replace(old, results=[result for result in old.results if result.id != "pvc_sizes/data"])
    assert on(compare(old, new), "pvc_sizes/data") == [(Change.INCOMPARABLE, "its check is not judged any more")]
    assert on(compare(new, old), "pvc_sizes/data") == [(Change.NEW, "a check that was not judged before")]


def test_every_open_finding_that_is_no_more_is_told() -> None:
    for old, new in itertools.permutations(reports().values(), 2):
        told = {one.before.fingerprint for one in compare(old, new) if one.before is not None}
        now = {result.fingerprint: result.status for result in new.results}
        for result in old.results:
            if result.status is Status.FAIL and now.get(result.fingerprint) is not Status.FAIL:
                assert result.fingerprint in told, result.message


@pytest.mark.parametrize(("old", "new"), list(itertools.permutations(("clean", "small", "waived", "blind", "doubled", "vouched", "gone"), 2)))
def test_the_shares_add_up(old: str, new: str) -> None:
    found = attribute(reports()[old], reports()[new])
    assert found.before == reports()[old].summary.score or abs((found.before or 0) - (reports()[old].summary.score or 0)) <= 0.1
    assert found.before is not None
    assert found.after is not None
    assert round(sum(share for _, share in found.shares), 1) == round(found.after - found.before, 1)


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [("clean", "doubled", "cluster"), ("small", "waived", "waivers"), ("doubled", "vouched", "evidence"), ("small", "blind", "coverage")],
)
def test_the_cause_is_named(old: str, new: str, cause: str) -> None:
    few = ("application/singletons", "application/duplicate-tasks", "pvc_sizes/data", "pvc_sizes/logs")
    sides = [msgspec.structs.replace(one, results=[result for result in one.results if result.id in few]) for one in (reports()[old], reports()[new])]
    shares = dict(attribute(*sides).shares)
    assert shares[cause] != 0, shares
    assert all(share == 0 for name, share in shares.items() if name != cause), shares


def test_a_changed_checklist_is_named() -> None:
    old = reports()["doubled"]
    new = msgspec.structs.replace(old, results=[result for result in old.results if result.id != "application/singletons"])
    shares = dict(attribute(old, new).shares)
    assert shares["checklist"] > 0
    assert shares["cluster"] == 0


def test_a_report_is_read_back_as_it_was() -> None:
    card = scorecard(judged(builders.multi_node()))
    assert decode_report(json_report(card, sample.run_info()), "r.json") == report_shape(card, sample.run_info())


def test_it_is_printed_for_people_and_for_programs() -> None:
    old, new = reports()["small"], reports()["doubled"]
    found, why = compare(old, new), attribute(old, new)
    text = render_difference(old, new, found, why)
    assert f"{sum(one.change is Change.NEW for one in found)} new" in text
    assert "The four singletons run exactly once" in text
    assert "of that: checklist" in text
    assert render_difference(old, new, found, why, ascii=True).isascii()
    content = json.loads(difference_json(old, new, found, why))
    assert content["counts"]["new"] == sum(one["change"] == "new" for one in content["changes"])
    assert content["score"]["before"] == why.before
