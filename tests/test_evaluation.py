"""What the evaluator does with a check: where it is judged, what it is handed, what becomes of what it says or raises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from exivity_audit.check import RELAX
from exivity_audit.config import Config, Waiver
from exivity_audit.document import Malformed
from exivity_audit.evaluate import Outcome, results
from exivity_audit.fact import NotSeen, Reason, fact, maybe
from exivity_audit.facts.failover import State
from exivity_audit.pack import FailoverAction
from exivity_audit.reports.measures import sources
from exivity_audit.scenario import ACTIVE_C, PASSIVE_C, B, C, Scenario
from exivity_audit.snapshot import Outcome as Read
from exivity_audit.snapshot import Place
from exivity_audit.subject import Subject
from exivity_audit.verdict import Status, fail, ok, skip, to_attest, warn
from tests.small_pack import judge, judged, large, only, pack, record, rule, site, thing

BIG = record("things", thing("a", size=9))
HERE, THERE = Subject("Cluster").at("here"), Subject("Cluster").at("there")


def told(outcome: Outcome) -> dict[str, str]:
    """What an outcome says of each subject."""
    return {str(verdict.subject or ""): verdict.message.partition(": ")[2] or verdict.message for verdict in outcome.verdicts}


def statuses(outcome: Outcome) -> dict[str, Status]:
    """The status of each subject."""
    found = {str(verdict.subject or ""): verdict.status for verdict in outcome.verdicts}
    assert len(found) == len(outcome.verdicts)
    return found


# What a check is handed


@pytest.mark.parametrize(("fullname", "seen"), [("other", ("other", True)), (None, ("rel", False))])
def test_a_check_is_handed_the_release_by_the_name_its_objects_carry(fullname: str | None, seen: tuple[str, bool]) -> None:
    def named(release: Any) -> Iterator[Any]:
        yield ok(release, f"{release.fullname} {release.fullname_seen}")

    found = judge(pack(rule(named)), site(fullname=fullname))[0]
    assert told(found) == {"Release ns/rel": f"{seen[0]} {seen[1]}"}


def test_a_check_is_handed_the_scenario_where_it_is_known() -> None:
    def asks(scenario: Any) -> Iterator[Any]:
        yield ok(HERE, str(scenario))

    @fact
    def refined(scenario: Any) -> Any:
        return str(scenario)

    def asks_a_fact(refined: Any) -> Iterator[Any]:
        yield ok(HERE, refined)

    checks = pack(rule(asks, "asks"), rule(asks_a_fact, "by-fact"), facts=(refined,))
    assert [told(one)["Cluster#here"] for one in judge(checks, site(workers=1))] == ["single-node"] * 2
    assert [one.status for one in judge(checks, site(workers=None))] == [Status.UNKNOWN] * 2
    assert judge(checks, site(workers=None))[1].verdicts[0].needs == ("--scenario",)


def test_every_rule_that_would_show_what_is_missing_is_named() -> None:
    def two(things: Any, others: Any) -> Iterator[Any]:
        yield ok(HERE)

    found = only(pack(rule(two)), record("things", outcome=Read.FORBIDDEN))
    assert statuses(found) == {"Release ns/rel": Status.UNKNOWN, "Release ns/rel#list things in ns": Status.UNKNOWN}
    assert [verdict.needs for verdict in found.verdicts] == [(), ("list things in ns",)]
    found = only(pack(rule(two)))
    assert set(statuses(found)) == {"Release ns/rel", "Release ns/rel#not collected: things"}


def test_a_check_to_come_is_unknown_and_says_so() -> None:
    found = only(pack(replace(rule(large), judge=None)), BIG)
    assert statuses(found) == {"Release ns/rel": Status.UNKNOWN}
    assert "no code judges this yet" in found.verdicts[0].message


# Which scenario it is


@pytest.mark.parametrize(
    ("clusters", "scenario"),
    [
        ([("a", "1"), ("b", "2")], Scenario.MULTI_SITE),
        ([("kubernetes", "1"), ("kubernetes", "2")], Scenario.MULTI_SITE),
        ([("a", "1"), ("b", "1")], Scenario.MULTI_NODE),
        ([("a", "1"), ("a", None)], Scenario.MULTI_NODE),
        ([("a", None), ("a", None)], Scenario.MULTI_NODE),
        ([("a", None), ("b", None)], Scenario.MULTI_SITE),
        ([("a", "1"), ("b", None)], Scenario.MULTI_SITE),
    ],
)
def test_sites_of_several_clusters_are_a_multi_site_installation(clusters: list[tuple[str, str | None]], scenario: Scenario) -> None:
    """A cluster is known by its uid, by its context's name where the uid could not be read."""
    found = judged(pack(rule(large)), *(site(BIG, name=f"s{number}", cluster=one) for number, one in enumerate(clusters)))
    assert found.scenario.detected is scenario


def test_nodes_are_counted_at_the_first_site_that_was_reached() -> None:
    lost = site(record("nodes", outcome=Read.FAILED), name="lost", workers=None, unreached="no route to host")
    assert judged(pack(rule(large)), lost, site(BIG, name="there", workers=1)).scenario.detected is Scenario.SINGLE_NODE
    assert judged(pack(rule(large)), site(BIG, name="one", workers=1), site(BIG, name="more")).scenario.detected is Scenario.SINGLE_NODE
    assert judged(pack(rule(large)), lost).scenario.detected is None


# What is judged where


def test_only_the_selected_checks_are_judged_and_the_run_is_partial_then() -> None:
    checks = pack(rule(large, "a"), rule(large, "b"))
    whole, part, all_named = (
        judged(checks, site(BIG), selected=chosen) for chosen in (None, frozenset({"row/b", "row/none"}), frozenset({"row/a", "row/b"}))
    )
    assert [one.check.slug for one in whole.outcomes] == ["a", "b"]
    assert [one.check.slug for one in part.outcomes] == ["b"]
    assert [one.check.slug for one in all_named.outcomes] == ["a", "b"]
    assert (whole.partial, part.partial, all_named.partial) == (False, True, False)


def test_why_a_check_does_not_apply() -> None:
    checks = pack(
        rule(large, "c", applies=(C,)), rule(large, "b", applies=(B,)), rule(large, "active", applies=(ACTIVE_C,)),
        rule(large, "passive", applies=(PASSIVE_C,)), rule(large, "quiet", passive="nothing runs here"),
    )  # fmt: skip

    def skipped(found: tuple[Outcome, ...], place: str) -> dict[str, str]:
        return {one.check.slug: one.verdicts[0].why for one in found if one.site == place and one.status is Status.SKIP}

    assert skipped(judge(checks, site(BIG)), "default") == dict.fromkeys(("c", "active", "passive"), "does not apply to multi-node")
    pair = judge(checks, site(BIG, name="ams"), site(BIG, name="fra", role="passive"))
    assert skipped(pair, "ams") == {"b": "does not apply to multi-site", "passive": "does not apply at the active site"}
    assert skipped(pair, "fra") == {
        "b": "does not apply to multi-site", "active": "does not apply at the passive site", "quiet": "passive site: nothing runs here",
    }  # fmt: skip


def test_verdicts_of_another_pack_take_the_place_of_the_check() -> None:
    given = {("row/rule", "ams"): (fail(HERE, "told"),)}
    found = judge(pack(rule(large, attest="do it")), site(BIG, name="ams"), site(BIG, name="fra"), foreign=given)
    assert {one.site: one.status for one in found} == {"ams": Status.FAIL, "fra": Status.PASS}


# What a check may say


def test_what_is_fail_in_production_is_told_where_evaluation_accepts_it() -> None:
    def small(things: Any) -> Iterator[Any]:
        yield fail(HERE, 1, remark="as declared")
        yield fail(THERE, 2)
        yield warn(HERE.at("warned"), 3, remark="near")

    found = only(pack(rule(small, evaluation=RELAX)), BIG, config=Config(purpose="evaluation"))
    assert [(verdict.status, verdict.remark) for verdict in found.verdicts] == [
        (Status.WARN, "fail in production, accepted for evaluation; as declared"),
        (Status.WARN, "fail in production, accepted for evaluation"),
        (Status.WARN, "near"),
    ]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], {"": Status.SKIP}),
        ([skip(None, "a")], {"": Status.SKIP}),
        ([skip(None, "a"), ok(HERE)], {"": Status.SKIP, "Cluster#here": Status.PASS}),
        ([skip(None, "a"), skip(None, "b")], {"": Status.SKIP, "Release ns/rel#doubled": Status.ERROR}),
        ([ok(HERE), fail(HERE, 1)], {"Cluster#here": Status.FAIL, "Release ns/rel#doubled": Status.ERROR}),
        ([fail(HERE, 1), ok(HERE), ok(THERE)], {"Cluster#here": Status.FAIL, "Cluster#there": Status.PASS, "Release ns/rel#doubled": Status.ERROR}),
    ],
)
def test_one_subject_has_one_verdict(verdicts: list[Any], expected: dict[str, Status]) -> None:
    """Of two on one subject the more urgent stands, beside the error of the check."""

    def says(things: Any) -> Iterator[Any]:
        yield from verdicts

    assert statuses(only(pack(rule(says)), BIG)) == expected


def test_verdicts_are_shown_by_urgency_then_by_subject() -> None:
    def says(things: Any) -> Iterator[Any]:
        yield ok(THERE)
        yield ok(HERE)
        yield fail(THERE.at("z"), 1)
        yield skip(None, "no")

    found = judge(pack(rule(says, "one"), rule(large, "two")), site(BIG))
    assert [(outcome.check.slug, str(verdict.subject or "")) for outcome, verdict in results(found)] == [
        ("one", "Cluster#z"), ("one", "Cluster#here"), ("one", "Cluster#there"), ("one", ""), ("two", "Thing ns/a"),
    ]  # fmt: skip


# What a check may raise


def raising(error: Exception) -> Any:
    """A check that finds one thing good, then raises."""

    def raises(things: Any) -> Iterator[Any]:
        yield ok(HERE)
        raise error

    return raises


FORBIDDEN, FAILED = Reason("things", "forbidden: list things", "list things"), Reason("others", "timeout: list others")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (NotSeen((FORBIDDEN,)), Status.UNKNOWN, {"things": "forbidden: list things"}),
        (NotSeen((FORBIDDEN, FAILED)), Status.UNKNOWN, {"list things": "forbidden: list things", "timeout: list others": "timeout: list others"}),
        (NotSeen((FAILED, FAILED)), Status.UNKNOWN, {"timeout: list others": "timeout: list others"}),
        (Malformed("spec.size", "whole number", "x"), Status.UNKNOWN, {"malformed": "malformed: "}),
    ],
)
def test_what_could_not_be_seen_is_unknown_beside_what_was(error: Exception, status: Status, said: dict[str, str]) -> None:
    found = only(pack(rule(raising(error))), BIG)
    assert statuses(found) == {"Cluster#here": Status.PASS, **{f"Release ns/rel#{part}": status for part in said}}
    assert all(text in told(found)[f"Release ns/rel#{part}"] for part, text in said.items())


def deep() -> None:
    raise KeyError("the password is hunter2")


def test_an_error_names_the_line_where_it_was_raised() -> None:
    def broken(things: Any) -> Iterator[Any]:
        yield ok(HERE)
        deep()

    found = only(pack(rule(broken)), BIG)
    line = deep.__code__.co_firstlineno + 1
    assert told(found)["Release ns/rel"] == f"the check broke: KeyError at test_evaluation.py:{line}"


# What a collection lacks


def test_each_place_that_was_not_read_is_one_unknown() -> None:
    def failed(space: str) -> Any:
        return record("things", outcome=Read.FAILED, place=Place(space))

    denied = record("things", outcome=Read.FORBIDDEN, place=Place("other"))
    found = only(pack(rule(large)), BIG, denied, failed("one"), failed("two"))
    assert statuses(found) == {
        "Thing ns/a": Status.PASS, "Release ns/rel#list things in other": Status.UNKNOWN, "Release ns/rel#things": Status.UNKNOWN,
    }  # fmt: skip
    assert [verdict.needs for verdict in found.verdicts if verdict.needs] == [("list things in other",)]


def test_objects_that_are_malformed_in_several_ways_are_unknown_once() -> None:
    records = record("things", thing("a", size=9), {"spec": {}}, {"metadata": {"name": 7}}, "text")
    assert statuses(only(pack(rule(large)), records)) == {"Thing ns/a": Status.PASS, "Thing ns/(no name)": Status.UNKNOWN}


def test_of_many_that_are_malformed_a_verdict_names_the_first_and_how_many() -> None:
    def many(things: Any, others: Any = maybe) -> Iterator[Any]:
        yield from (ok(one, one.size, at="spec.size") for one in things)

    @fact
    def others(others: Any) -> Any:
        return others.each(lambda item: item.text("spec.text"))

    whole = record("things", *(thing(f"t{number}", size=9) for number in range(50)))
    odd = record("others", *(thing(f"o{number:02}", text=7) for number in range(50)), keep=("metadata.name", "spec.text"))
    found = only(pack(rule(many), facts=(others,)), whole, odd)
    assert len(found.verdicts) == 50
    for verdict in found.verdicts:
        (entry,) = (one for one in verdict.evidence if one.read == "malformed")
        assert entry.object == "Thing ns/o00, Thing ns/o01, Thing ns/o02 and 47 more"
        assert entry.value == "spec.text is no string: int"
    assert sources(found.verdicts) == tuple(f"Thing ns/t{number} .spec.size" for number in range(50))


def test_what_is_malformed_at_a_site_that_is_compared_is_named_with_the_site() -> None:
    def compares(sites: Any) -> Iterator[Any]:
        yield from (ok(one.release.subject.at(one.name), len(one.fact("things"))) for one in sites)

    def looks(things: Any, other_sites: Any) -> Iterator[Any]:
        yield ok(HERE, len(things) + sum(len(one.fact("things")) for one in other_sites))

    checks = pack(rule(compares, "compares", across=("things",)), rule(looks, "looks", across=("things",)))
    whole, odd = site(BIG, name="ams"), site(record("things", thing("a", size=9), thing("b", size="text")), name="fra")
    for outcome in judge(checks, whole, odd):
        named = {entry.object for verdict in outcome.verdicts for entry in verdict.evidence if entry.read == "malformed"}
        assert named == (set() if outcome.site == "fra" else {"Thing ns/b at fra"}), (outcome.check.slug, outcome.site)


def test_a_place_that_a_check_told_of_itself_is_not_told_twice() -> None:
    part = "Release ns/rel#list things in other"

    def tells(things: Any, release: Any) -> Iterator[Any]:
        yield fail(release.subject.at("list things in other"), "not seen")

    denied = record("things", outcome=Read.FORBIDDEN, place=Place("other"))
    assert statuses(only(pack(rule(tells)), BIG, denied)) == {part: Status.FAIL}


@pytest.mark.parametrize(
    ("verdicts", "kept"),
    [
        ([], {}),
        ([skip(None, "nothing to look at")], {}),
        ([skip(HERE, "not this one")], {"Cluster#here": Status.SKIP}),
        ([ok(None)], {"": Status.PASS}),
        ([skip(None, "no"), ok(HERE)], {"": Status.SKIP, "Cluster#here": Status.PASS}),
    ],
)
def test_nothing_to_look_at_is_not_said_where_not_all_was_seen(verdicts: list[Any], kept: dict[str, Status]) -> None:
    def says(things: Any) -> Iterator[Any]:
        yield from verdicts

    denied = record("things", outcome=Read.FORBIDDEN, place=Place("other"))
    assert statuses(only(pack(rule(says)), BIG, denied)) == {**kept, "Release ns/rel#list things in other": Status.UNKNOWN}


def test_what_was_not_seen_of_an_alternate_is_in_the_evidence() -> None:
    def careful(things: Any, others: Any = maybe, more: Any = maybe) -> Iterator[Any]:
        yield ok(HERE)

    denied = record("others", outcome=Read.FORBIDDEN, place=Place("other"))
    found = only(pack(rule(careful)), BIG, record("others", thing("b")), denied, record("more", outcome=Read.EMPTY))
    assert [(one.read, one.object, one.value) for one in found.verdicts[0].evidence] == [("others", None, "forbidden: list others in other")]


def test_reads_that_could_not_be_made_are_listed() -> None:
    reads = [record(outcome.value, outcome=outcome) for outcome in Read if outcome is not Read.FOUND]
    found = judged(pack(rule(large)), site(BIG, *reads))
    assert [(place, one.name) for place, one in found.unread] == [("default", name) for name in ("forbidden", "failed", "not-asked")]


# Several sites


@fact
def sized(things: Any, others: Any = maybe) -> Any:
    return sum(one.size for one in things)


def test_a_check_over_sites_takes_facts_of_each() -> None:
    def compares(sites: Any) -> Iterator[Any]:
        for one in sites:
            yield ok(one.release.subject.at(one.name), f"{one.fact('sized')} {'passive' if one.passive else 'active'}")

    checks = pack(rule(compares, across=("sized",)), facts=(sized,))
    found = judge(checks, site(BIG, name="ams", role="active"), site(BIG, name="fra", role="passive"), site(BIG, name="lon"))
    assert [told(one) for one in found] == [{"Release ns/rel#ams": "9 active", "Release ns/rel#fra": "9 passive", "Release ns/rel#lon": "9 active"}]


def test_a_fact_of_another_site_that_was_not_seen_or_broke_is_told_with_the_sites_name() -> None:
    @fact
    def odd(things: Any) -> Any:
        if any(one.size == 1 for one in things):
            raise ZeroDivisionError
        return "even"

    def compares(sites: Any) -> Iterator[Any]:
        for one in sites:
            yield ok(one.release.subject.at(one.name), one.fact("odd"))

    checks, good = pack(rule(compares, across=("odd",)), facts=(odd,)), site(BIG, name="ams")
    unseen = judge(checks, good, site(record("things", outcome=Read.FORBIDDEN), name="fra"))[0]
    assert statuses(unseen) == {"Release ns/rel#ams": Status.PASS, "Release ns/rel#things": Status.UNKNOWN}
    assert told(unseen)["Release ns/rel#things"] == "fra: forbidden: list things in ns"
    broken = judge(checks, good, site(record("things", thing("a", size=1)), name="fra"))[0]
    assert statuses(broken) == {"Release ns/rel#ams": Status.PASS, "Release ns/rel#broken": Status.ERROR}
    assert told(broken)["Release ns/rel#broken"] == "the check broke: ZeroDivisionError in fact odd at fra"


def test_a_check_at_each_site_is_handed_the_others_of_its_deployment() -> None:
    def looks(other_sites: Any) -> Iterator[Any]:
        yield ok(HERE, ", ".join(one.name for one in other_sites) or "none")

    where = (("a", "one"), ("b", "one"), ("c", "two"), ("d", "two"), ("e", "three"))
    found = judge(pack(rule(looks)), *(site(BIG, name=name, release=release) for name, release in where))
    assert {one.site: told(one)["Cluster#here"] for one in found} == {"a": "b", "b": "a", "c": "d", "d": "c", "e": "none"}


def test_what_was_not_seen_of_a_compared_site_is_in_the_evidence() -> None:
    """Of all sites for a check over all of them, of its deployment's for a check at each."""

    def over(sites: Any) -> Iterator[Any]:
        yield ok(HERE)

    def beside(other_sites: Any) -> Iterator[Any]:
        yield ok(HERE)

    def alone(things: Any) -> Iterator[Any]:
        yield ok(HERE)

    checks = pack(rule(over, "over", across=("sized",)), rule(beside, "beside", across=("sized",)), rule(alone, "alone"), facts=(sized,))
    unseen = record("others", outcome=Read.FORBIDDEN)
    sites = (
        site(BIG, unseen, name="a", release="one"), site(BIG, record("others", thing("b")), name="b", release="one"),
        site(record("things", outcome=Read.FORBIDDEN), record("others", outcome=Read.EMPTY), name="c", release="two"), site(BIG, unseen, name="d", release="two"),
    )  # fmt: skip
    found = {
        (one.check.slug, one.site): {(entry.object, entry.read, entry.value) for entry in one.verdicts[0].evidence} for one in judge(checks, *sites)
    }
    a, d = (("others", f"{name}: forbidden: list others in ns") for name in "ad")
    c = ("things", "c: forbidden: list things in ns")
    assert found["over", "*"] == {("a", *a), ("c", *c), ("d", *d)}
    assert found["beside", "a"] == found["beside", "b"] == {("a", *a)}
    assert found["beside", "c"] == found["beside", "d"] == {("c", *c), ("d", *d)}
    assert found["alone", "a"] == set()


# The failover table

EIGHT = tuple(FailoverAction(f"action {number}", pair=("row/rule",) if number == 1 else ()) for number in range(1, 9))


def standby(sites: Any) -> Iterator[Any]:
    """Each standby but ``fra`` is ready."""
    for one in sites:
        if one.passive:
            part = one.release.subject.at(one.name)
            yield fail(part, "late") if one.name == "fra" else to_attest(part)


def test_each_standby_has_a_table_of_its_own() -> None:
    places = site(BIG, name="ams", role="active"), *(site(BIG, name=name, role="passive") for name in ("fra", "lon"))
    found = judged(pack(rule(standby), failover=EIGHT), *places)
    assert [(one.active, one.passive) for one in found.failovers] == [("ams", "fra"), ("ams", "lon")]
    first = {name: table["failover"][0] for name, table in found.tables.items() if "failover" in table}
    assert {name: (one.state, one.open[0]) for name, one in first.items()} == {
        "fra": (State.MISSING, "rel fra: late"), "lon": (State.UNKNOWN, "rel lon: no attestation"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "places",
    [
        (site(BIG, name="ams", role="passive"),), (site(BIG, name="ams", cluster=("a", "1")), site(BIG, name="fra", cluster=("b", "2"))),
        (site(BIG, name="ams"), site(BIG, name="fra")),
    ],
)  # fmt: skip
def test_without_a_standby_there_is_no_failover_table(places: Any) -> None:
    found = judged(pack(rule(large), failover=EIGHT), *places)
    assert found.failovers == ()
    assert all("failover" not in table for table in found.tables.values())


def test_a_standby_is_one_of_a_multi_site_installation_only() -> None:
    places = site(BIG, name="ams", role="active"), site(BIG, name="fra", role="passive")
    assert judged(pack(rule(large), failover=EIGHT), *places).failovers != ()
    assert judged(pack(rule(large), failover=EIGHT), *places, config=Config(scenario="multi-node")).failovers == ()
    assert judged(pack(rule(large)), *places).failovers == ()


def test_a_fact_that_breaks_leaves_no_failover_table_and_all_else_judged() -> None:
    @fact
    def database(things: Any) -> Any:
        raise ZeroDivisionError

    places = site(BIG, name="ams", role="active"), site(BIG, name="fra", role="passive")
    found = judged(pack(rule(large), failover=EIGHT, facts=(database,)), *places)
    assert found.failovers == ()
    assert [one.status for one in found.outcomes] == [Status.PASS, Status.PASS]


# What became of waivers


def test_what_became_of_a_waiver_is_told_by_its_own_check() -> None:
    waivers = tuple(Waiver(name, "agreed", "J. Doe", "2027-01-31") for name in ("row/a", "row/b", "row/c"))
    checks = pack(rule(large, "a"), rule(standby_free, "b"), rule(large, "c"))
    found = judged(checks, site(record("things", thing("x", size=1))), config=Config(waivers=waivers), selected=frozenset({"row/a", "row/b"}))
    assert [(fate.state, fate.why) for fate in map(found.fate, waivers)] == [
        ("used", ""), ("unused", "it covers no finding of this run"), ("unused", "its check was left out of this run"),
    ]  # fmt: skip


def standby_free(things: Any) -> Iterator[Any]:
    yield ok(HERE)
