"""The image: bases by digest, and nobody's digest invented; that its tree runs as a pod runs it is tried with the cluster tests."""

from __future__ import annotations

import re

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
