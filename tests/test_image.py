"""The image: bases by digest, nobody's digest invented, and a tree that runs as a pod runs it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import image

TEXT = image.DOCKERFILE.read_text()


def test_every_base_is_pinned_by_a_digest_that_the_build_is_given() -> None:
    bases = re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE)
    assert len(bases) == 2
    for base in bases:
        variable = re.fullmatch(r"\$\{\w+\}@\$\{(\w+)\}", base)
        assert variable, base
        assert re.search(rf"^ARG {variable[1]}$", TEXT, re.MULTILINE), f"{variable[1]} has a default: who looked it up?"
    assert not re.search(r"sha256:[0-9a-f]", TEXT)


def test_the_last_stage_has_no_command_of_a_shell_and_no_root() -> None:
    last = TEXT.rpartition("\nFROM ")[2]
    assert not re.search(r"^RUN ", last, re.MULTILINE)
    assert "USER 65532:65532" in last
    assert re.search(r'^ENTRYPOINT \["', last, re.MULTILINE)


def test_only_what_is_copied_goes_to_the_builder() -> None:
    allowed = {line[1:] for line in (image.ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {path for line in re.findall(r"^COPY (?!--from)(.+)$", TEXT, re.MULTILINE) for path in line.split()[:-1]}
    assert allowed == copied


def test_the_image_runs_the_versions_that_are_tested() -> None:
    tested = set(re.findall(r"^([\w.-]+==\S+)", (image.ROOT / "requirements.lock").read_text(), re.MULTILINE))
    used = set(re.findall(r"^([\w.-]+==\S+)", (image.ROOT / "deploy" / "requirements.lock").read_text(), re.MULTILINE))
    assert used
    assert used <= tested


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        image.bwrap()
        return image.tree(tmp_path_factory.mktemp("image"))
    except image.NotHere as error:
        pytest.skip(str(error))


def test_demo_runs_as_nobody_with_a_read_only_root(app: Path) -> None:
    found = image.inside(app, ["demo"])
    assert found.returncode == 0, found.stderr
    assert "NOT READY" in found.stdout
    refused = image.inside(app, ["demo", "-o", "json=/report.json"])
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    written = image.inside(app, ["demo", "-o", "json=/tmp/report.json"])
    assert written.returncode == 0, written.stderr


def test_the_tree_holds_no_tests_and_nothing_to_build_with(app: Path) -> None:
    names = {path.name for path in app.iterdir()}
    assert {"exivity_audit", "exivity_audit_checks", "click", "psycopg", "minio"} <= names
    assert not names & {"pytest", "tests", "pip", "setuptools", "wheel"}
