"""Row logs: retention, log claims that grew before it was lowered, the level."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.verdict import Status
from tests.builders import multi_node, single_node
from tests.judging import judged, outcome, status, verdicts
from tests.mutation import drop, put
from tests.world import World

CONFIG = "ConfigMap exivity/exivity-config-logfiles"


def kept(delete: Any, compress: Any, **sizes: Any) -> World:
    world = multi_node(**sizes)
    world.edit(
        "ConfigMap", "exivity-config-logfiles", put("data", {"EXIVITY_LOGFILES_DELETE_DAYS": delete, "EXIVITY_LOGFILES_COMPRESS_DAYS": compress})
    )
    return world


@pytest.mark.parametrize("base", [multi_node, single_node])
def test_a_conforming_cluster_has_no_finding(base: Any) -> None:
    found = {item.check.slug: item.status for item in judged(base()).outcomes if item.check.row == "logs"}
    assert found == {"retention": Status.PASS, "before-expansion": Status.PASS, "level": Status.PASS}


@pytest.mark.parametrize(
    ("delete", "compress", "expected", "words"),
    [
        ("90", "14", Status.PASS, "deleted after 90 days, compressed after 14"), ("365", "14", Status.PASS, ""), ("90", "30", Status.PASS, ""), ("2", "1", Status.PASS, ""),
        ("90", "0", Status.PASS, ""),
        ("365", "30", Status.WARN, "the chart's default"), ("365.0", "30", Status.WARN, "the chart's default"), ("30", "30", Status.WARN, "before they would be compressed"),
        ("14", "90", Status.WARN, "before they would be compressed"), ("0", "14", Status.WARN, "never deleted"), ("-1", "14", Status.WARN, "never deleted"),
        ("366", "14", Status.WARN, "more than a year"), ("400", "400", Status.WARN, "more than a year, log files are deleted before"), ("1e+06", "14", Status.WARN, "more than a year"),
        ("ninety", "14", Status.FAIL, "ninety/14 days"), ("90", "", Status.FAIL, "90/empty days"), ("90d", "14", Status.FAIL, "90d"), ("nan", "14", Status.FAIL, "nan"),
        ("inf", "14", Status.FAIL, "inf"),
    ],
)  # fmt: skip
def test_retention(delete: str, compress: str, expected: Status, words: str) -> None:
    found = verdicts(kept(delete, compress), "logs/retention")
    assert set(found) == {CONFIG}
    assert found[CONFIG].status is expected
    assert words in found[CONFIG].message
    if expected is not Status.PASS:
        assert found[CONFIG].fix.values
        assert all(path.startswith("logfiles.") for path, _ in found[CONFIG].fix.values)


@pytest.mark.parametrize(
    ("delete", "compress"), [("365", "30"), ("30", "30"), ("14", "90"), ("0", "14"), ("1", "1"), ("400", "400"), ("x", "1"), ("0", "400")]
)
def test_what_the_remedy_says_would_pass(delete: str, compress: str) -> None:
    fix = verdicts(kept(delete, compress), "logs/retention")[CONFIG].fix
    days = {"logfiles.deleteDays": delete, "logfiles.compressDays": compress} | {path: str(value) for path, value in fix.values}
    assert len(fix.values) == len({path for path, _ in fix.values})
    assert status(kept(days["logfiles.deleteDays"], days["logfiles.compressDays"]), "logs/retention") is Status.PASS


def test_retention_that_is_missing_fails_and_one_not_to_be_read_is_unknown() -> None:
    world = multi_node()
    world.remove("ConfigMap", "exivity-config-logfiles")
    assert verdicts(world, "logs/retention")[CONFIG].status is Status.FAIL
    world = multi_node()
    world.deny = lambda resource, namespace, name: resource == "configmaps"
    for check in ("retention", "level"):
        assert status(world, f"logs/{check}") is Status.UNKNOWN


def test_retention_of_the_wrong_type_is_unknown() -> None:
    assert status(kept(["90"], "14"), "logs/retention") is Status.UNKNOWN


@pytest.mark.parametrize(
    ("size", "delete", "expected"),
    [
        ("10Gi", "365", Status.PASS),
        ("20Gi", "90", Status.PASS),
        ("20Gi", "91", Status.WARN),
        ("20Gi", "0", Status.WARN),
        ("11Gi", "365", Status.WARN),
        ("20Gi", "x", Status.SKIP),
    ],
)
def test_log_claims_grow_after_retention_is_lowered(size: str, delete: str, expected: Status) -> None:
    found = outcome(kept(delete, "14", log_size=size), "logs/before-expansion").verdicts
    assert {verdict.status for verdict in found} == {expected}
    assert len(found) == 11
    if expected is Status.WARN:
        assert {verdict.fix.values for verdict in found} == {(("logfiles.deleteDays", 90),)}


def test_one_large_log_claim_is_named() -> None:
    world = kept("180", "14")
    world.edit("PersistentVolumeClaim", "exivity-use-log", put("spec.resources.requests.storage", "50Gi"))
    found = verdicts(world, "logs/before-expansion")
    assert found["PersistentVolumeClaim exivity/exivity-use-log"].status is Status.WARN
    assert "50Gi, deleted after 180 days" in found["PersistentVolumeClaim exivity/exivity-use-log"].message
    assert {verdict.status for subject, verdict in found.items() if "use-log" not in subject} == {Status.PASS}


def test_small_claims_need_no_retention_and_large_ones_do() -> None:
    world, large = multi_node(), multi_node(log_size="20Gi")
    world.deny = large.deny = lambda resource, namespace, name: resource == "configmaps"
    assert status(world, "logs/before-expansion") is Status.PASS
    assert status(large, "logs/before-expansion") is Status.UNKNOWN
    world.deny = lambda resource, namespace, name: resource == "persistentvolumeclaims"
    assert status(world, "logs/before-expansion") is Status.UNKNOWN


def test_claims_without_a_sound_size_are_unknown_beside_the_others() -> None:
    world = multi_node()
    world.edit("PersistentVolumeClaim", "exivity-use-log", put("spec.resources.requests.storage", {"x": 1}))
    world.edit("PersistentVolumeClaim", "exivity-glass-log", drop("spec.resources.requests.storage"))
    found = [verdict.status for verdict in outcome(world, "logs/before-expansion").verdicts]
    assert sorted(found) == sorted([Status.UNKNOWN] * 2 + [Status.PASS] * 9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("info", Status.PASS), ("", Status.PASS), ("warning", Status.PASS), ("debug", Status.WARN), ("DEBUG ", Status.WARN), ("trace", Status.WARN)],
)
@pytest.mark.parametrize("name", ["proximity-api", "proximity-cli"])
def test_debug_logs_warn(name: str, text: str, expected: Status) -> None:
    world = multi_node()
    world.edit("ConfigMap", f"exivity-{name}-env", put("data.EXIVITY_BACKEND_LOG_LEVEL", text))
    found = verdicts(world, "logs/level")
    assert found[f"ConfigMap exivity/exivity-{name}-env"].status is expected
    assert len(found) == 2


def test_no_environment_sets_a_level() -> None:
    world = multi_node()
    for name in ("api", "cli"):
        world.remove("ConfigMap", f"exivity-proximity-{name}-env")
    assert status(world, "logs/level") is Status.SKIP
