"""What CONTRIBUTING.md shows works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.collect.reads import BY_NAME
from exivity_audit.config import Config
from exivity_audit.evaluate import evaluate
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import folder_pack, merge, own_pack, validate
from exivity_audit.verdict import Status
from tests.builders import multi_node
from tests.judging import site_of, snapshot_of
from tests.mutation import put

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
CHECK, TEST, MUTATION = BLOCKS
HEAD = "from exivity_audit import LOW, check, fail, ok, unknown, values, wanted\nDELETE, DELETE_PATH = 'logfiles.deleteDays', 'data.EXIVITY_LOGFILES_DELETE_DAYS'\n"


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("pack") / "shown"
    folder.mkdir()
    (folder / "checklist.yaml").write_text("name: shown\nversion: '1'\nrows:\n  - {id: shown, title: Shown, phase: day-2, weight: 1}\n")
    (folder / "clauses.yaml").write_text("{}\n")
    (folder / "thresholds.yaml").write_text("{}\n")
    (folder / "__init__.py").write_text("")
    (folder / "shown.py").write_text(HEAD + CHECK)
    return merge([own_pack(), folder_pack(folder)])


def shown_cases() -> list[tuple[str, Status]]:
    found = re.search(r"\[\(.*\)\]", TEST)
    assert found
    cases: list[tuple[str, Status]] = eval(found[0], {"Status": Status})
    return cases


@pytest.mark.parametrize(("delete", "expected"), shown_cases())
def test_the_check_that_is_shown_judges_as_its_test_says(pack: Any, delete: str, expected: Status) -> None:
    validate(pack, BY_NAME)
    world = multi_node()
    world.edit("ConfigMap", "exivity-config-logfiles", put("data", {"EXIVITY_LOGFILES_DELETE_DAYS": delete, "EXIVITY_LOGFILES_COMPRESS_DAYS": "7"}))
    site = site_of(world, wanted=["nodes", "logfiles_config"])
    found = evaluate(snapshot_of(site), pack, Config(), selected=frozenset({"shown/a-month"}), thresholds={}, lifecycle=load_lifecycle(None))
    assert found.outcomes[0].status is expected, found.outcomes[0].verdicts


def test_every_target_and_file_that_is_named_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for words in re.findall(r"`make ([a-z -]+)`", text):
        assert set(words.split()) <= targets
    for path in re.findall(r"`((?:checks|tests|exivity_audit|deploy|examples)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
    assert "tests.mutation" in (ROOT / "tests/mutations/logs.py").read_text()
    assert "_days(" in MUTATION
