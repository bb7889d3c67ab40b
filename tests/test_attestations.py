"""Attestations: what the file may say, how long it holds, what voids it, and that nothing of it disappears."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from exivity_audit.acceptance import Acceptance, Fate, fate_of
from exivity_audit.attestation import Attestation, examine, load_evidence, refuse_future, written
from exivity_audit.check import check
from exivity_audit.config import Config, Waiver
from exivity_audit.errors import UsageError
from exivity_audit.evaluate import Judgement, evaluate
from exivity_audit.fact import Reason, Unreadable, fact
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.snapshot import Snapshot, Tool
from exivity_audit.subject import Subject
from exivity_audit.verdict import Severity, Status, Verdict, fail, to_attest, unknown, warn
from tests import builders
from tests.judging import judged
from tests.small_pack import pack, record, rule, site

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CHECKS = {one.id: one for one in own_pack().checks}
GOOD = {"check": "application/duplicate-tasks", "statement": "reviewed", "by": "J. Doe", "date": "2026-11-02", "valid_for": "180d"}
PAPER = Attestation("row/rule", None, None, "restored", "J. Doe", "2026-11-02", "2027-05-01", None)


def file(folder: Path, *items: Any) -> Path:
    path = folder / "evidence.yaml"
    path.write_text("items:\n" + "".join(f"  - {json.dumps(item)}\n" for item in items))
    return path


def problems(folder: Path, *items: Any, now: datetime = NOW) -> list[str]:
    path = file(folder, *items)
    return [problem.message.removeprefix(f"{path}:") for problem in examine(path, CHECKS, now)[1]]


def test_every_problem_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        {**GOOD, "check": "application/duplicate-task"},
        {**GOOD, "date": "2027-01-01"},
        {**GOOD, "valid_for": "10d"},
        {**GOOD, "artefact": {"path": "nowhere.log", "sha256": "0" * 64}},
        {**GOOD, "by": " ", "statement": ""},
        {**GOOD, "whom": "x"},
        GOOD,
        {**GOOD, "by": None},
    )
    assert [text.partition(":")[0] for text in found] == ["2", "3", "4", "5", "6", "6", "7", "9"]
    wanted = ("did you mean", "lies in the future", "expired on 2026-11-12", "cannot read the artefact nowhere.log", "statement is blank", "by is blank", "unknown key 'whom'", "by is blank")  # fmt: skip
    assert all(word in text for word, text in zip(wanted, found, strict=True)), found


def test_a_field_is_named_by_its_own_line(tmp_path: Path) -> None:
    path = tmp_path / "evidence.yaml"
    path.write_text(
        "items:\n  - check: application/duplicate-tasks\n    statement: done\n    by: J. Doe\n    date: 2027-02-30\n    valid_for: 180d\n"
    )
    assert [str(one.message) for one in examine(path, CHECKS, NOW)[1]] == [f"{path}:5: application/duplicate-tasks: '2027-02-30' is no date"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"artefact": {"path": "", "sha256": ""}}, "the artefact's path is blank"),
        ({"artefact": {"path": "x", "sha256": ""}}, "the artefact's sha256 is blank"),
        ({"artefact": {"path": "x", "sha256": "abc"}}, "'abc' is no SHA-256"),
        ({"artefact": {"path": "a\0b", "sha256": "0" * 64}}, "cannot read the artefact"),
        ({"artefact": {"path": ".", "sha256": "0" * 64}}, "cannot read the artefact ."),
        ({"artefact": "restore.log"}, "Expected `object"),
        ({"context": {"postgres_major": 17}}, "no context is named 'postgres_major'; did you mean 'postgresql_major'?"),
        ({"context": {"class": ""}}, "context class is blank"),
        ({"context": {"class": None}}, "context class is blank"),
        ({"context": {"class": {"deep": 1}}}, "context class is blank"),
        ({"subject": "release exivity"}, "is no subject"),
        ({"subject": ""}, "is no subject"),
        ({"valid_for": "0d"}, "is no time that an attestation may hold"),
        ({"valid_for": "9999999999999w"}, "is no time that an attestation may hold"),
        ({"valid_for": "half a year"}, "not a duration"),
        ({"valid_for": None, "expires": "2026-11-01"}, "before it was made"),
        ({"valid_for": None, "expires": "soon"}, "'soon' is no date"),
        ({"date": "9999-12-31"}, "lies in the future"),
        ({"date": "2026-W47-1"}, "is no date"),
        ({"date": "02-11-2026"}, "is no date"),
        ({"check": ""}, "check is blank"),
        ({"check": "application/singletons"}, "is decided by the cluster"),
    ],
)
def test_odd_items_are_refused_with_a_sentence(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    found = problems(tmp_path, {key: value for key, value in {**GOOD, **changes}.items() if value is not None or key == "context"})
    assert any(said in text for text in found), found


@pytest.mark.parametrize("text", ["", "items: []\n", "{}\n"])
def test_a_file_without_items_is_evidence_of_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "e.yaml").write_text(text)
    assert examine(tmp_path / "e.yaml", CHECKS, NOW) == ((), [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("items:\n", "items is blank"),
        ("item: []\n", "unknown key 'item'; did you mean 'items'?"),
        ("items: 3\n", "Expected `array`"),
        ("items: [\n", "not valid YAML"),
        ("- check: x\n", "Expected `object"),
        ("items:\n  - x\n", "Expected `object"),
    ],
)
def test_what_is_no_evidence_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "e.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"e\.yaml:") as raised:
        load_evidence(tmp_path / "e.yaml", CHECKS, NOW)
    assert said in str(raised.value)


def test_a_run_names_the_first_problem_and_how_many_more(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"evidence\.yaml:2: .*statement is blank \(and 1 more: `exivity-audit evidence lint") as raised:
        load_evidence(file(tmp_path, {**GOOD, "statement": "", "by": ""}), CHECKS)
    assert raised.value.hint == "say what was done and what came of it"


def test_an_artefact_is_verified_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "proof.log").write_bytes(b"restored")
    digest = hashlib.sha256(b"restored").hexdigest()
    item = {**GOOD, "artefact": {"path": "proof.log", "sha256": digest.upper()}}
    assert problems(tmp_path, item) == []
    (tmp_path / "proof.log").write_bytes(b"restored, changed")
    assert "has another SHA-256 than written" in problems(tmp_path, item)[0]


def test_a_date_is_of_the_future_only_where_no_place_on_earth_has_it(tmp_path: Path) -> None:
    assert problems(tmp_path, {**GOOD, "date": "2026-11-24"}) == []
    assert "lies in the future" in problems(tmp_path, {**GOOD, "date": "2026-11-25"})[0]
    with pytest.raises(UsageError, match="lies in the future"):
        refuse_future((replace(PAPER, date="2026-11-25"),), NOW)


def test_the_last_day_is_a_good_day() -> None:
    assert not replace(PAPER, expires="2026-11-23").expired(NOW)
    assert replace(PAPER, expires="2026-11-22").expired(NOW)


def test_no_attestation_counts_longer_than_its_check_allows(tmp_path: Path) -> None:
    item = {**GOOD, "check": "backups/restore-test", "date": "2026-06-01", "valid_for": "3650d"}
    found, wrong = examine(file(tmp_path, item), CHECKS, NOW, expired=False)
    assert (found[0].expires, wrong) == ("2026-11-28", [])
    with pytest.raises(ValueError, match="duration"):
        check("x", severity=Severity.LOW, clauses=("F1",), attest="do it", attest_for="long")


@pytest.mark.parametrize(("value", "texts"), [(17, ("17",)), ("a, b", ("a", "b")), (["b", "a", "a"], ("a", "b")), ("", ()), (None, ()), ([None], ())])
def test_a_context_is_written_as_one_value_or_several(value: Any, texts: tuple[str, ...]) -> None:
    assert written(value) == texts


# What an attestation does to a verdict


def needs_word(things: Any) -> Iterator[Any]:
    for one in things:
        yield {1: to_attest(one, "nobody saw it"), 2: fail(one, 2), 3: warn(one, 3), 4: unknown(one, "forbidden", needs=("list x",))}[one.size]


def verdict_of(status: Status, **rest: Any) -> Verdict:
    return Verdict(status, Subject("Thing", "a", "ns"), why="nobody saw it" if status in (Status.MANUAL, Status.UNKNOWN) else "", **rest)


def accepted(paper: Attestation, verdict: Verdict, today: Any = None, now: datetime = NOW) -> Verdict:
    return Acceptance((), (paper,), now, {"default": today or {}}).accept(verdict, "row/rule", "default", True)


@pytest.mark.parametrize(
    ("status", "becomes"),
    [(Status.MANUAL, Status.PASS), (Status.UNKNOWN, Status.PASS), (Status.FAIL, Status.FAIL), (Status.WARN, Status.WARN), (Status.ERROR, Status.ERROR), (Status.SKIP, Status.SKIP)],
)  # fmt: skip
def test_it_answers_manual_and_unknown_alone(status: Status, becomes: Status) -> None:
    found = accepted(PAPER, verdict_of(status))
    assert found.status is becomes
    assert (found.underlying is status) == (becomes is Status.PASS)


def test_what_is_seen_wins_and_names_the_attestation() -> None:
    found = accepted(PAPER, verdict_of(Status.FAIL))
    assert found.status is Status.FAIL
    assert found.remark == "J. Doe's attestation of 2026-11-02: the cluster shows otherwise, and what is seen wins"
    assert fate_of(PAPER, [found], NOW, lambda check: True) == Fate("void", "the cluster shows otherwise, and what is seen wins")


def test_a_rule_may_let_it_stand_against_a_fail_whole_or_in_part() -> None:
    assert accepted(PAPER, verdict_of(Status.FAIL, unless_attested=Status.PASS)).status is Status.PASS
    partly = accepted(PAPER, verdict_of(Status.FAIL, unless_attested=Status.WARN))
    assert partly.status is Status.WARN
    assert partly.remark == "attested by J. Doe on 2026-11-02: restored"


def test_an_expired_one_leaves_the_verdict_open_and_says_so() -> None:
    old = replace(PAPER, expires="2026-11-22")
    found = accepted(old, verdict_of(Status.MANUAL))
    assert found.status is Status.MANUAL
    assert found.why == "nobody saw it; J. Doe's attestation of 2026-11-02: it expired on 2026-11-22"
    assert fate_of(old, [found], NOW, lambda check: True).state == "expired"


def test_a_valid_one_stands_in_for_an_expired_one() -> None:
    old = replace(PAPER, expires="2026-11-22")
    found = Acceptance((), (old, PAPER), NOW).accept(verdict_of(Status.MANUAL), "row/rule", "default", True)
    assert found.attestation == PAPER


TODAY = {"postgresql_major": ("17",), "target": ("s3://a/x", "s3://b/y"), "class": ("longhorn",)}


@pytest.mark.parametrize(
    ("context", "why"),
    [
        ({"postgresql_major": 17, "class": "longhorn"}, ""),
        ({"target": "s3://a/x"}, ""),
        ({"target": ["s3://b/y", "s3://a/x"]}, ""),
        ({"postgresql_major": 16}, "made when the PostgreSQL major was 16, and it is 17 today"),
        ({"postgresql_major": "16", "class": "longhorn"}, "made when the PostgreSQL major was 16, and it is 17 today"),
        ({"target": "s3://old/x"}, "made when the backup target was s3://old/x, and it is s3://a/x, s3://b/y today"),
        ({"class": "longhorn, fast"}, "made when the storage class was fast, longhorn, and it is longhorn today"),
        ({"class": "local-path"}, "made when the storage class was local-path, and it is longhorn today"),
    ],
)
def test_a_cluster_that_has_changed_voids_it(context: dict[str, Any], why: str) -> None:
    paper = replace(PAPER, context=tuple(context.items()))
    found = accepted(paper, verdict_of(Status.MANUAL), TODAY)
    assert found.status is (Status.MANUAL if why else Status.PASS)
    assert why in found.why
    assert fate_of(paper, [found], NOW, lambda check: True) == (Fate("void", why) if why else Fate("used"))


def test_a_context_that_cannot_be_read_is_unknown_and_names_the_right() -> None:
    hidden = Unreadable((Reason("claims", "forbidden: list persistentvolumeclaims in exivity", "list persistentvolumeclaims in exivity"),))
    paper = replace(PAPER, context=(("class", "longhorn"),))
    found = accepted(paper, verdict_of(Status.MANUAL), {"class": hidden})
    assert found.status is Status.UNKNOWN
    assert found.needs == ("list persistentvolumeclaims in exivity",)
    assert "the storage class cannot be compared with today's: forbidden" in found.why
    assert fate_of(paper, [found], NOW, lambda check: True).state == "void"
    assert accepted(paper, verdict_of(Status.MANUAL)).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, True), ({"subject": "Thing ns/a"}, True), ({"subject": "Thing ns/*"}, True), ({"subject": "Thing */a"}, True), ({"subject": "Thing *"}, False),
        ({"subject": "Thing ns/b"}, False), ({"site": "default"}, True), ({"site": "fra"}, False), ({"check": "row/other"}, False),
    ],
)  # fmt: skip
def test_subject_site_and_check_must_fit(changes: dict[str, Any], names: bool) -> None:
    assert (accepted(replace(PAPER, **changes), verdict_of(Status.MANUAL)).status is Status.PASS) == names


def test_a_check_that_takes_none_is_not_attested_away() -> None:
    found = Acceptance((), (PAPER,), NOW).accept(verdict_of(Status.MANUAL), "row/rule", "default", False)
    assert found.status is Status.MANUAL


def test_what_no_verdict_needs_is_unused_and_what_was_not_asked_says_so() -> None:
    assert fate_of(PAPER, [verdict_of(Status.PASS)], NOW, lambda check: True) == Fate("unused", "nothing of this run needs it")
    assert fate_of(PAPER, [], NOW, lambda check: False) == Fate("unused", "its check was left out of this run")


def test_a_check_over_all_sites_is_compared_with_each() -> None:
    paper = replace(PAPER, context=(("class", "longhorn"),))
    for classes, status in ((("longhorn", "longhorn"), Status.PASS), (("longhorn", "ceph"), Status.MANUAL)):
        today = {name: {"class": (one,)} for name, one in zip(("ams", "fra"), classes, strict=True)}
        assert Acceptance((), (paper,), NOW, today).accept(verdict_of(Status.MANUAL), "row/rule", "*", True).status is status


@fact
def data_classes(things: Any) -> tuple[str, ...]:
    return tuple(str(one.size) for one in things)


def test_evaluation_compares_with_the_facts_of_the_site() -> None:
    def judge(context: Any) -> Judgement:
        snapshot = Snapshot(
            "exivity-audit/snapshot",
            1,
            Tool("t", "1"),
            "",
            "",
            (site(record("things", {"metadata": {"name": "a", "namespace": "ns"}, "spec": {"size": 1}})),),
        )
        one = replace(PAPER, context=(("class", context),))
        return evaluate(
            snapshot,
            pack(rule(needs_word, attest="do it"), facts=(data_classes,)),
            Config(),
            attestations=(one,),
            thresholds={},
            lifecycle=load_lifecycle(None),
        )

    assert judge("1").outcomes[0].status is Status.PASS
    assert judge("2").outcomes[0].status is Status.MANUAL
    assert judge("2").fate(judge("2").attestations[0]).state == "void"


def test_todays_context_of_the_conforming_clusters() -> None:
    judgement = judged(builders.multi_node())
    assert judgement.context["default"]["class"] == ("longhorn",)
    assert judgement.context["default"]["postgresql_major"] == ("17",)
    assert judgement.context["default"]["target"]
    single = judged(builders.single_node()).context["default"]
    assert single["class"] == ("local-path",)
    assert isinstance(single["postgresql_major"], Unreadable), "an external database shows no release"


def test_a_forbidden_claim_list_leaves_the_class_unreadable() -> None:
    world = builders.multi_node()
    world.deny = lambda resource, namespace, name: resource == "persistentvolumeclaims"
    assert isinstance(judged(world).context["default"]["class"], Unreadable)


def test_a_waiver_never_covers_what_an_attestation_left_open() -> None:
    waiver = Waiver("row/rule", "r", "o", "2027-01-31")
    old = replace(PAPER, expires="2026-11-22")
    for status in (Status.MANUAL, Status.UNKNOWN, Status.ERROR):
        assert Acceptance((waiver,), (old,), NOW).accept(verdict_of(status), "row/rule", "default", True).status is status
