"""The second net: it catches every format of key in the table, where they stand, and next to nothing of what good clusters hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from exivity_audit.collect.net import MARK, caught, marks, strained
from tests import builders
from tests.faults.key_formats import formats
from tests.faults.scoreboard import LONG, board
from tests.judging import site_of
from tests.sample import sample_world

NAMES = [name for name, _, _ in formats(0)]
SEEDS = range(1, 101 if LONG else 6)
GOOD = {"multi_node": builders.multi_node, "single_node": builders.single_node, "sample": sample_world}


def texts(value: Any) -> Iterator[str]:
    """Every text of a value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(key)
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)


def parts(value: str) -> Iterator[str]:
    """Pieces of a value long enough that none of them is there by chance."""
    for line in value.splitlines():
        yield from (line[at : at + 10] for at in range(0, max(1, len(line) - 9), 10))


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_each_format_is_caught(number: int) -> None:
    """In a text of its own, in an object among others, and inside an object beside a text that is kept."""
    for seed in SEEDS:
        name, text, value = list(formats(seed))[number]
        assert name == NAMES[number]
        kept = caught(text)
        left = [part for part in parts(value) if part in kept]
        assert left == [], kept
        assert MARK in kept
        assert caught(kept) == kept, "a second pass changes nothing"
        objects = strained([{"name": "exivity-glass"}, {"name": "exivity-edify", "message": text}])
        assert objects == [{"name": "exivity-glass"}, {"name": "exivity-edify", "message": kept}]
    board.add("key formats")


def test_there_are_enough_formats() -> None:
    assert len(set(NAMES)) == len(NAMES) >= 80


def test_good_clusters_are_left_as_they_are() -> None:
    """Of all texts that are kept of the good clusters less than one in a hundred is caught; none of them holds a secret."""
    every: set[str] = set()
    wrong: set[str] = set()
    for build in GOOD.values():
        found = set(texts([record.objects for record in site_of(build()).reads]))
        every |= found
        wrong |= {text for text in found if marks(text) or caught(text) != text}
    assert len(every) > 1000
    share = 100 * len(wrong) / len(every)
    print(f"{len(wrong)} of {len(every)} kept texts caught by mistake: {share:.2f} %")
    board.high("kept texts", len(every))
    board.high("caught by mistake", share)
    assert share < 1, sorted(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "npm_config_registry", "hf_transfer", "task-ant-colony-optimisation-of-everything", "$labels.namespace", "$(POD_NAMESPACE)/default", "md5sum", "sk_live_", "base64:short",
        "x:5432:exivity", "failed calling webhook \"validate.nginx.ingress.kubernetes.io\"", "password: must be set", "token: expired", "no cookie was set", "auth-secret", "basic-auth",
        "registry.corp/exivity/glass@sha256:" + "0a1b" * 16, "pass the port 5432", "bypass=1", "https://docs.exivity.com/?page=sig", "eyJ", "gitlab-runner-glagent-", "sync-token-request-7",
    ],
)  # fmt: skip
def test_what_only_begins_like_a_key_is_left(text: str) -> None:
    assert caught(text) is text
