"""Workflows: those of this repository and those for users, by actionlint, and by what they may do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
OURS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS = [*OURS, ROOT / "examples" / "ci" / "github.yml"]
ACTION = ROOT / "deploy" / "github-action" / "action.yml"


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def steps(path: Path) -> list[Any]:
    content = loaded(path)
    return [step for job in content["jobs"].values() for step in job["steps"]] if "jobs" in content else content["runs"]["steps"]


def test_actionlint_finds_nothing() -> None:
    if shutil.which("go") is None:
        pytest.skip("Go is not installed")
    done = subprocess.run(
        ["go", "tool", "actionlint", *map(str, WORKFLOWS)], cwd=ROOT / "tests" / "actionlint", capture_output=True, text=True, check=False
    )
    if "actionlint" not in done.stderr + done.stdout and done.returncode not in (0, 1):
        pytest.skip(f"actionlint could not be had: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_starts_with_no_right_and_its_jobs_end(path: Path) -> None:
    content = loaded(path)
    assert content["permissions"] == {}
    for name, job in content["jobs"].items():
        assert job["timeout-minutes"] <= 120, name
        assert "permissions" in job, name


@pytest.mark.parametrize("path", [*WORKFLOWS, ACTION], ids=lambda path: path.name)
def test_nothing_that_others_write_is_part_of_a_script(path: Path) -> None:
    for step in steps(path):
        assert not re.search(r"\$\{\{.*(inputs|event|head_ref|ref_name)", step.get("run", "")), step.get("name")
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_every_suite_of_a_push_is_a_job() -> None:
    """What `.ci/run` runs, the workflow runs too."""
    script = set(re.findall(r"^within \d+ make (\S+)", (ROOT / ".ci" / "run").read_text(), re.MULTILINE))
    jobs = loaded(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    named = jobs["suites"]["strategy"]["matrix"]["suite"]
    plain = {step["run"].removeprefix("make ") for job in jobs.values() for step in job["steps"] if step.get("run", "").startswith("make ")}
    assert "${{ matrix.suite }}" in plain
    assert (plain - {"${{ matrix.suite }}"}) | set(named) == script
    assert {"test", "test-cluster", "test-faults"} <= script


def test_the_action_hands_over_flags_of_the_command() -> None:
    from exivity_audit.cli.run_command import command

    known = {option for parameter in command.params for option in parameter.opts}
    text = "\n".join(step["run"] for step in steps(ACTION))
    audit = text[text.index("words=(run)") :]
    assert set(re.findall(r"(?<=[( ])(--[a-z-]+)", audit)) <= known
    formats = re.search(r"for format in (.+); do", audit)
    assert formats
    from exivity_audit.cli.output import FORMATS

    assert {word.partition("=")[0] for word in formats[1].split()} <= set(FORMATS)


def test_the_script_of_the_kind_test_is_sound() -> None:
    script = ROOT / "examples" / "ci" / "kind-test.sh"
    subprocess.run(["bash", "-n", str(script)], check=True)
    done = subprocess.run([str(script)], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "EXIVITY_CHART" in done.stderr


def test_the_expected_result_of_kind_is_the_one_that_is_told() -> None:
    folder = ROOT / "examples" / "ci"
    expected = json.loads((folder / "kind-expected.json").read_text())
    table = (folder / "README.md").read_text().partition("<!-- findings")[2].partition("<!-- end -->")[0]
    told = {}
    for line in table.splitlines():
        for check in re.findall(r"`([a-z_]+/[a-z-]+)`", line):
            told[check] = line.split("|")[2].strip()
    assert told == expected
