"""Facts, evaluation and acceptance: what is unreadable stays unknown, what breaks is visible, what is waived is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from exivity_audit.attestation import Attestation
from exivity_audit.check import RELAX
from exivity_audit.config import Config, Waiver
from exivity_audit.document import Document, Malformed, NotCollected
from exivity_audit.fact import NotSeen, Objects, fact, maybe, seen
from exivity_audit.measure import at_least, exactly
from exivity_audit.remedy import values
from exivity_audit.scenario import ACTIVE_C, PASSIVE_C, A, B, C
from exivity_audit.snapshot import Cluster, Place, SiteSnapshot
from exivity_audit.snapshot import Outcome as Read
from exivity_audit.subject import Subject, fingerprint, matches
from exivity_audit.verdict import Severity, Status, fail, ok, skip, to_attest, together, unknown, warn
from tests.small_pack import KEEP, judge, large, only, pack, record, rule, site, thing


def test_pass_and_fail_are_worst_of() -> None:
    found = only(pack(rule(large)), record("things", thing("a", size=9), thing("b", size=1)))
    assert [verdict.status for verdict in found.verdicts] == [Status.PASS, Status.FAIL]
    assert found.status is Status.FAIL
    assert found.decided
    assert found.verdicts[1].message == "b: 1, wanted ≥ 5"
    assert found.verdicts[1].evidence[0].kubectl == "kubectl get things b -n ns -o jsonpath='{.spec.size}'"


@pytest.mark.parametrize("outcome", [Read.FORBIDDEN, Read.FAILED, Read.NOT_ASKED])
def test_a_needed_read_that_was_not_seen_is_unknown(outcome: Read) -> None:
    found = only(pack(rule(large)), record("things", outcome=outcome))
    assert found.status is Status.UNKNOWN
    assert not found.decided


def test_a_read_that_is_not_in_the_snapshot_is_unknown() -> None:
    assert only(pack(rule(large))).status is Status.UNKNOWN


def test_not_installed_and_empty_have_nothing_to_look_at() -> None:
    for outcome in (Read.EMPTY, Read.NOT_INSTALLED):
        assert only(pack(rule(large)), record("things", outcome=outcome)).status is Status.SKIP


def test_a_malformed_member_is_unknown_and_its_siblings_are_judged() -> None:
    found = only(pack(rule(large)), record("things", thing("a", size=9), thing("b", size="huge")))
    assert {str(verdict.subject): verdict.status for verdict in found.verdicts} == {"Thing ns/a": Status.PASS, "Thing ns/b": Status.UNKNOWN}


def test_an_object_without_a_name_is_unknown() -> None:
    found = only(pack(rule(large)), record("things", thing("a", size=9), {"spec": {}}, "text"))
    assert found.status is Status.UNKNOWN
    assert Status.PASS in {verdict.status for verdict in found.verdicts}


def test_objects_without_a_name_and_malformed_ones_are_unknown_beside_each_other() -> None:
    """A missing name sorts beside a name, and several objects without one are one subject."""
    records = record("things", thing("a", size=9), thing("b", size="huge"), {"spec": {}}, {"spec": {}})
    assert {str(verdict.subject): verdict.status for verdict in only(pack(rule(large)), records).verdicts} == {
        "Thing ns/a": Status.PASS, "Thing ns/b": Status.UNKNOWN, "Thing ns/(no name)": Status.UNKNOWN,
    }  # fmt: skip

    def present(things: Any) -> Iterator[Any]:
        things.surely()
        yield fail(Subject("Cluster"), "none")

    found = only(pack(rule(present)), records)
    assert {verdict.status for verdict in found.verdicts} == {Status.UNKNOWN}
    assert len({verdict.subject for verdict in found.verdicts}) == len(found.verdicts)


def test_a_path_outside_the_allow_list_is_unknown_never_absent() -> None:
    def old(things: Any) -> Iterator[Any]:
        raise NotCollected("things", "spec.colour")
        yield

    found = only(pack(rule(old)), record("things", thing("a", size=1)))
    assert found.status is Status.UNKNOWN
    assert "not collected" in found.verdicts[0].why
    with pytest.raises(NotCollected):
        Document(thing("a"), "things", "things", "Thing", KEEP).get("spec.colour")
    with pytest.raises(Malformed):
        Document(thing("a", size={"deep": 1}), "things", "things", "Thing", KEEP).integer("spec.size")
    assert Document(thing("a", size=2**63), "things", "things", "Thing", KEEP).integer("spec.size") == 2**63
    with pytest.raises(Malformed, match="64 bits"):
        Document(thing("a", size=-(10**400)), "things", "things", "Thing", KEEP).integer("spec.size")


def test_a_place_not_read_leaves_the_rest_judged_and_one_unknown() -> None:
    denied = record("things", outcome=Read.FORBIDDEN, place=Place("other"))
    found = only(pack(rule(large)), record("things", thing("a", size=9)), denied)
    assert {verdict.status for verdict in found.verdicts} == {Status.PASS, Status.UNKNOWN}
    assert not found.decided


def test_an_alternate_is_handed_over_and_touching_it_ends_in_unknown() -> None:
    def careful(things: Any, others: Any = maybe) -> Iterator[Any]:
        for one in things:
            yield ok(one, one.size, remark="" if seen(others) else "less evidence")

    def careless(things: Any, others: Any = maybe) -> Iterator[Any]:
        for one in things:
            yield ok(one, one.size)
        if len(others) > 3:
            yield fail(Subject("Cluster"), 1)

    reads = record("things", thing("a", size=9)), record("others", outcome=Read.FORBIDDEN)
    found = only(pack(rule(careful)), *reads)
    assert found.status is Status.PASS
    assert [item.read for item in found.verdicts[0].evidence if item.path is None] == ["others"]
    found = only(pack(rule(careless)), *reads)
    assert [verdict.status for verdict in found.verdicts] == [Status.PASS, Status.UNKNOWN]


def test_absence_proves_nothing_in_part_of_a_collection() -> None:
    def present(things: Any) -> Iterator[Any]:
        if not any(one.size for one in things):
            things.surely()
            yield fail(Subject("Cluster"), "none")

    assert only(pack(rule(present)), record("things", outcome=Read.EMPTY)).status is Status.FAIL
    assert only(pack(rule(present)), record("things", thing("b", size="x"))).status is Status.UNKNOWN


def test_a_crash_is_an_error_beside_what_was_found_and_quotes_nothing() -> None:
    def broken(things: Any) -> Iterator[Any]:
        for one in things:
            yield ok(one, one.size)
        raise ValueError("the password is hunter2")

    found = only(pack(rule(broken)), record("things", thing("a", size=9)))
    assert [verdict.status for verdict in found.verdicts] == [Status.PASS, Status.ERROR]
    assert "hunter2" not in found.verdicts[1].message
    assert "ValueError" in found.verdicts[1].message
    assert not found.decided


def test_a_crash_of_a_fact_is_an_error() -> None:
    @fact
    def bad(things: Any) -> Any:
        raise RuntimeError("no")

    def uses(bad: Any) -> Iterator[Any]:
        yield ok(Subject("Cluster"))

    assert only(pack(rule(uses), facts=(bad,)), record("things")).status is Status.ERROR


def test_two_verdicts_on_one_subject_are_an_error() -> None:
    def twice(things: Any) -> Iterator[Any]:
        for one in things:
            yield ok(one, 1)
            yield fail(one, 2)

    found = only(pack(rule(twice)), record("things", thing("a", size=9)))
    assert {verdict.status for verdict in found.verdicts} == {Status.FAIL, Status.ERROR}


def test_a_check_that_yields_something_else_is_an_error() -> None:
    def odd(things: Any) -> Iterator[Any]:
        yield True

    assert only(pack(rule(odd)), record("things")).status is Status.ERROR


def test_scopes_sites_and_roles() -> None:
    checks = pack(
        rule(large, "a", applies=(A,)), rule(large, "b", applies=(B,)), rule(large, "c", applies=(C,)), rule(large, "active", applies=(ACTIVE_C,)),
        rule(large, "passive", applies=(PASSIVE_C,)), rule(large, "quiet", passive="nothing runs here"),
    )  # fmt: skip
    read = record("things", thing("a", size=9))
    assert [outcome.status for outcome in judge(checks, site(read, workers=1))] == [Status.PASS, *[Status.SKIP] * 4, Status.PASS]
    assert [outcome.status for outcome in judge(checks, site(read, workers=3))] == [Status.SKIP, Status.PASS, *[Status.SKIP] * 3, Status.PASS]
    two = judge(checks, site(read, name="ams", role="active"), site(read, name="fra", role="passive"))
    assert len(two) == 12
    by_site = {(outcome.check.slug, outcome.site): outcome.status for outcome in two}
    assert by_site["active", "ams"] is Status.PASS
    assert by_site["active", "fra"] is Status.SKIP
    assert by_site["passive", "fra"] is Status.PASS
    assert by_site["quiet", "fra"] is Status.SKIP
    assert by_site["c", "fra"] is Status.PASS


def test_a_check_over_sites_runs_once() -> None:
    def compare(sites: Any) -> Iterator[Any]:
        names = [one.name for one in sites]
        sizes = {one.facts.value("things")[0].size for one in sites}
        yield (ok if len(sizes) == 1 else fail)(Subject("Cluster"), ", ".join(names), wanted=exactly("equal"))

    found = judge(
        pack(rule(compare)),
        site(record("things", thing("a", size=9)), name="ams", role="active"),
        site(record("things", thing("a", size=8)), name="fra", role="passive"),
    )
    assert [(outcome.site, outcome.status) for outcome in found] == [("*", Status.FAIL)]


def test_an_unknown_scenario_leaves_what_depends_on_it_unknown() -> None:
    blind = SiteSnapshot(
        "default", None, Cluster("c", None, "v1"), "ns", "rel", "rel", None, "2026-11-23T12:00:00Z", False, (record("things", thing("a", size=9)),)
    )
    checks = pack(
        rule(large, "any"), rule(large, "b", applies=(B,)), rule(large, "graded", severity={A: Severity.LOW, B: Severity.HIGH, C: Severity.HIGH})
    )
    assert [outcome.status for outcome in judge(checks, blind)] == [Status.PASS, Status.UNKNOWN, Status.UNKNOWN]
    assert [outcome.status for outcome in judge(checks, blind, config=Config(scenario="multi-node"))] == [Status.PASS] * 3


def test_evaluation_relaxes_only_what_says_so() -> None:
    checks = pack(rule(large, "hard"), rule(large, "soft", evaluation=RELAX))
    small = record("things", thing("a", size=1))
    config = Config(purpose="evaluation")
    assert [outcome.status for outcome in judge(checks, site(small, workers=1), config=config)] == [Status.FAIL, Status.PASS]
    assert [outcome.status for outcome in judge(checks, site(small, workers=3), config=config)] == [Status.FAIL, Status.WARN]


WAIVER = Waiver(check="row/rule", reason="agreed", owner="J. Doe", expires="2027-01-31")


@pytest.mark.parametrize(
    ("waiver", "status"),
    [
        (WAIVER, Status.WAIVED),
        (Waiver("row/rule", "r", "o", "2026-11-23"), Status.WAIVED),
        (Waiver("row/rule", "r", "o", "2026-11-22"), Status.FAIL),
        (Waiver("row/rule", "r", "o", "2027-01-31", subject="Thing ns/*"), Status.WAIVED),
        (Waiver("row/rule", "r", "o", "2027-01-31", subject="Thing *"), Status.FAIL),
        (Waiver("row/rule", "r", "o", "2027-01-31", subject="Thing ns/b"), Status.FAIL),
        (Waiver("row/rule", "r", "o", "2027-01-31", site="fra"), Status.FAIL),
        (Waiver("row/other", "r", "o", "2027-01-31"), Status.FAIL),
        (Waiver("row/rule", "r", "o", "2027-01-31", accepts=2), Status.WAIVED),
        (Waiver("row/rule", "r", "o", "2027-01-31", accepts=3), Status.FAIL),
    ],
)
def test_a_waiver_covers_what_it_names_and_no_worse(waiver: Waiver, status: Status) -> None:
    found = only(pack(rule(large)), record("things", thing("a", size=2)), config=Config(waivers=(waiver,)))
    assert found.status is status
    if status is Status.WAIVED:
        assert found.verdicts[0].underlying is Status.FAIL
        assert found.waived
        assert not found.applicable


def attestation(**changes: Any) -> Attestation:
    return Attestation(
        **{
            "check": "row/rule",
            "subject": None,
            "site": None,
            "statement": "done",
            "by": "J. Doe",
            "date": "2026-11-02",
            "expires": "2027-05-01",
            "artefact": None,
            **changes,
        }
    )


def test_an_attestation_covers_manual_and_unknown_never_a_fail() -> None:
    def manual(things: Any) -> Iterator[Any]:
        for one in things:
            yield to_attest(one) if one.size == 1 else unknown(one, "blind") if one.size == 2 else fail(one, one.size)

    for number, status in ((1, Status.PASS), (2, Status.PASS), (3, Status.FAIL)):
        read = record("things", thing("a", size=number))
        assert only(pack(rule(manual, attest="do it")), read, attestations=(attestation(),)).status is status
    read = record("things", thing("a", size=1))
    assert only(pack(rule(manual)), read, attestations=(attestation(),)).status is Status.MANUAL
    assert only(pack(rule(manual, attest="do it")), read, attestations=(attestation(site="fra"),)).status is Status.MANUAL


def test_skip_warn_and_followers_are_told() -> None:
    def follows(things: Any) -> Iterator[Any]:
        for one in things:
            yield skip(one, "follows", follows="row/leader") if one.size < 5 else warn(one, one.size, wanted=at_least(50))

    found = only(pack(rule(follows)), record("things", thing("a", size=1), thing("b", size=9)))
    assert found.status is Status.WARN
    assert found.verdicts[0].follows == "row/leader"


def test_fingerprints_name_check_site_and_subject_alone() -> None:
    subject = Subject("Deployment", "exivity-chronos", "exivity")
    assert fingerprint("application/singletons", "default", subject) == fingerprint("application/singletons", "default", subject)
    assert (
        len(
            {
                fingerprint("a/b", "x", subject),
                fingerprint("a/b", "y", subject),
                fingerprint("a/c", "x", subject),
                fingerprint("a/b", "x", subject.at("p")),
            }
        )
        == 4
    )
    assert str(subject.at("http")) == "Deployment exivity/exivity-chronos#http"
    assert matches("Deployment exivity/exivity-*", subject)
    assert not matches("Deployment *", subject)
    assert not matches("* exivity/exivity-chronos#*", subject)


def test_empty_collections_keep_their_marks() -> None:
    empty: Objects[Any] = Objects(installed=False)
    assert not empty
    assert not empty.installed
    assert empty.complete
    assert empty.where(bool).installed is False


def test_values_that_belong_together_are_one_remedy_and_verdicts_stay_before_a_trouble() -> None:
    fixes = [values(f"service.{name}.replicas", 2) for name in ("glass", "use")] + [values("ingress.host", "x")]
    verdicts = [fail(Subject("Deployment", str(number)), 1, fix=fix) for number, fix in enumerate(fixes)]
    found = list(together(verdicts))
    assert found[0].fix is not None
    assert found[1].fix is not None
    assert (found[0].fix.text, found[0].fix.values) == (found[1].fix.text, found[1].fix.values)
    assert found[0].fix.own == (("service.glass.replicas", 2),)
    assert found[0].fix.text == "`service.<name>.replicas: 2` for glass, use"
    assert found[0].fix.values == (("service.glass.replicas", 2), ("service.use.replicas", 2))
    assert found[2].fix == fixes[2]

    def broken() -> Iterator[Any]:
        yield verdicts[0]
        raise NotSeen(())

    given = together(broken())
    assert next(given).subject == verdicts[0].subject
    with pytest.raises(NotSeen):
        next(given)


def test_an_attestation_answers_a_fail_only_where_the_rule_says_so() -> None:
    def designed(things: Any) -> Iterator[Any]:
        for one in things:
            yield fail(one, one.size, unless_attested=one.size == 1)

    for number, status in ((1, Status.PASS), (2, Status.FAIL)):
        read = record("things", thing("a", size=number))
        assert only(pack(rule(designed, attest="do it")), read, attestations=(attestation(),)).status is status
        assert only(pack(rule(designed, attest="do it")), read).status is Status.FAIL


def test_places_that_follow_from_a_malformed_object_are_those_of_its_siblings() -> None:
    from exivity_audit.collect.place import values
    from exivity_audit.reading import reading

    records = record(
        "things", {"metadata": {"name": "a"}, "spec": {"size": "x"}}, {"metadata": {"name": "b"}, "spec": "text"}, {"metadata": {"name": "c"}}
    )
    assert values(reading((records,)), "spec.size") == ("x",)
