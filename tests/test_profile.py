"""What ``--stats`` says of each check: its own time, that of the facts it was the first to ask for, and what it was handed."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from exivity_audit.check import Check
from exivity_audit.config import Config, thresholds_of
from exivity_audit.evaluate import Judgement, evaluate
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import Pack, own_pack
from exivity_audit.profile import Profile
from exivity_audit.snapshot import SiteSnapshot, encode
from tests import builders
from tests.judging import site_of, snapshot_of
from tests.test_cli import command


class Clock:
    """A clock that moves when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def taking(self, seconds: float, function: Any) -> Any:
        """The function, and so much time for each call."""

        def slow(**arguments: Any) -> Any:
            self.now += seconds
            return function(**arguments)

        return slow


@pytest.fixture(scope="module")
def site() -> SiteSnapshot:
    """The conforming multi-node cluster as it was read."""
    return site_of(builders.multi_node())


def judged(site: SiteSnapshot, pack: Pack, profile: Profile | None = None) -> Judgement:
    around: Any = nullcontext if profile is None else profile.around
    return evaluate(
        snapshot_of(site), pack if profile is None else profile.measured(pack), Config(), thresholds=thresholds_of(Config(), pack.thresholds, None),
        lifecycle=load_lifecycle(None), around=around,
    )  # fmt: skip


def slowed(clock: Clock, *, fact: str = "", check: str = "") -> Pack:
    """Our own pack where a fact, or a check, takes five seconds."""
    pack = own_pack()
    facts = {name: msgspec.structs.replace(one, function=clock.taking(5, one.function)) if name == fact else one for name, one in pack.facts.items()}
    checks = tuple(replace(one, judge=clock.taking(5, one.judge)) if one.id == check else one for one in pack.checks)
    return replace(pack, facts=facts, checks=checks)


def test_a_fact_costs_the_check_that_asks_for_it_first(site: SiteSnapshot) -> None:
    clock = Clock()
    profile = Profile(clock)
    asking = [one.check.id for one in judged(site, slowed(clock, fact="budgets"), profile).outcomes if "budgets" in one.check.needs]
    charged = {one.check: one.facts for one in profile.costs() if one.seconds}
    assert charged == {asking[0]: 5}
    assert profile.costs()[0].check == asking[0], "the slowest comes first"
    assert profile.elsewhere == 0


def test_a_fact_of_the_scenario_costs_no_check(site: SiteSnapshot) -> None:
    clock = Clock()
    profile = Profile(clock)
    judged(site, slowed(clock, fact="nodes"), profile)
    assert profile.elsewhere == 5, "it is found before the first check, by facts of its own"
    assert sum(one.facts for one in profile.costs()) == 0, "and made once"


def test_a_check_is_charged_for_itself(site: SiteSnapshot) -> None:
    clock = Clock()
    profile = Profile(clock)
    found = judged(site, slowed(clock, check="application/disruption"), profile)
    assert {one.check: (one.own, one.facts) for one in profile.costs() if one.seconds} == {"application/disruption": (5, 0)}
    cost = next(one for one in profile.costs() if one.check == "application/disruption")
    assert cost.verdicts == sum(len(one.verdicts) for one in found.outcomes if one.check.id == "application/disruption")
    assert cost.objects == 18, "eleven services and seven budgets"


def test_every_check_has_a_line_and_the_verdicts_are_the_same(site: SiteSnapshot) -> None:
    profile = Profile()
    measured, plain = judged(site, own_pack(), profile), judged(site, own_pack())
    assert [(one.check.id, one.verdicts) for one in measured.outcomes] == [(one.check.id, one.verdicts) for one in plain.outcomes]
    lines = list(profile.lines())
    assert sorted(line.split()[-1] for line in lines[1:-1]) == sorted(one.id for one in own_pack().checks)
    assert lines[-1].startswith(f"{len(own_pack().checks)} checks ")


def test_around_is_entered_once_a_check_and_place(site: SiteSnapshot) -> None:
    entered: list[str] = []

    def around(check: Check) -> AbstractContextManager[object]:
        entered.append(check.id)
        return nullcontext()

    found = evaluate(
        snapshot_of(site), own_pack(), Config(), thresholds=thresholds_of(Config(), own_pack().thresholds, None), lifecycle=load_lifecycle(None),
        around=around,
    )  # fmt: skip
    assert entered == [one.check.id for one in found.outcomes]


def test_the_table_goes_to_standard_error_and_nothing_else_changes() -> None:
    plain, measured = command("demo"), command("demo", "--stats")
    assert measured.stdout == plain.stdout
    assert plain.stderr == ""
    lines = measured.stderr.splitlines()
    assert all(line.startswith("stats: ") for line in lines)
    assert len(lines) == len(own_pack().checks) + 3


PACK = """
from exivity_audit import LOW, check, ok
from exivity_audit.subject import Subject


@check("{slug}", severity=LOW, clauses=("X1",))
def every_node(nodes):
    \"\"\"Nodes are there.

    Because.

    Fix: add one.
    \"\"\"
    for number, _ in enumerate(nodes):
        yield ok(Subject("Node", str(number)), 1)
"""


def test_of_a_check_of_another_pack_there_are_its_verdicts_alone(site: SiteSnapshot, tmp_path: Path) -> None:
    """It is judged in a process of its own; and nothing in its name acts on a terminal."""
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "checklist.yaml").write_text("name: Other\nversion: '1'\nrows:\n  - {id: other, title: Other, phase: day-2, weight: 1}\n")
    (folder / "other.py").write_text(PACK.replace("{slug}", "nodes\\x1b[2J"))
    (tmp_path / "s.json").write_bytes(encode(snapshot_of(site)))
    words = ["run", "--snapshot", str(tmp_path / "s.json"), "--pack", str(folder), "--quiet", "-o", f"json={tmp_path / 'r.json'}"]
    lines = command(*words, "--stats").stderr.splitlines()
    assert all(line.startswith("stats: ") and line.isprintable() for line in lines)
    found = [line.split()[1:] for line in lines if "other/nodes" in line]
    nodes = next(len(read.objects) for read in site.reads if read.name == "nodes")
    assert nodes > 1
    assert found == [["-", "-", str(nodes), "-", "other/nodes\\x1b[2J"]]
    assert lines[-1] == "stats: 1 of other packs: judged in a process of their own, where nothing is measured"
    assert lines[-2].startswith(f"stats: {len(own_pack().checks)} checks ")


def test_lines_of_stats_are_said_in_one_place() -> None:
    import exivity_audit.cli

    folder = Path(next(iter(exivity_audit.cli.__path__)))
    assert [path.name for path in sorted(folder.rglob("*.py")) if '"stats: ' in path.read_text()] == ["saying.py"]
