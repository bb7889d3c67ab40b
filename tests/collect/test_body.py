"""A body that is nested too deeply costs what lies too deep, never what lies beside it; and looking for that takes no time that is not bounded."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from exivity_audit.collect import body
from exivity_audit.collect.body import BURIED, DEEPER_THAN_ANY, DEEPEST, BodyError, decoded, parse_page

LEVELS = 1_200


class Metadata(msgspec.Struct):
    """A shape as a read makes it."""

    name: str


class Pod(msgspec.Struct):
    """Of which a name alone is kept."""

    metadata: Metadata


def nested(levels: int, inside: str = '"}]\\"{["') -> str:
    return '{"a": ' * levels + inside + "}" * levels


def page(*items: str) -> bytes:
    return f'{{"kind": "PodList", "metadata": {{"resourceVersion": "1"}}, "items": [{", ".join(items)}]}}'.encode()


def pod(name: str, **more: str) -> str:
    fields = "".join(f', "{key}": {text}' for key, text in more.items())
    return f'{{"metadata": {{"name": "{name}"}}, "status": {{"phase": "Running"}}{fields}}}'


@pytest.mark.parametrize("beside", [0, 3_000], ids=["small", "large"])
@pytest.mark.parametrize("shaped", [False, True])
def test_an_object_that_is_nested_too_deeply_hides_no_other(beside: int, shaped: bool) -> None:
    pods = [f"pod-{number}" for number in range(beside)]
    content = page(*map(pod, pods), pod("deep", spec=nested(LEVELS)), pod("after"))
    assert (len(content) > body.SMALL) is bool(beside)
    items: Any = parse_page("application/json", content, (lambda: Pod) if shaped else None)["items"]
    whole = [decoded(item) if isinstance(item, msgspec.Raw) else item for item in items]
    names = [item.metadata.name if isinstance(item, Pod) else item["metadata"]["name"] for item in whole]
    assert names == [*pods, "deep", "after"]
    if not shaped or not beside:
        assert whole[-1] == {"metadata": {"name": "after"}, "status": {"phase": "Running"}}
        assert whole[-2]["status"] == {"phase": "Running"}
        assert BURIED in str(whole[-2]["spec"])


def test_what_lies_too_deep_is_a_text_and_all_above_it_is_kept() -> None:
    text = f'{{"deep": {nested(LEVELS)}, "list": {"[" * LEVELS}{"]" * LEVELS}, "text": "[[{{", "number": 1.50}}'
    found = decoded(text.encode())
    for key in ("deep", "list"):
        value, levels = found[key], 1
        while isinstance(value, dict | list):
            value, levels = (value["a"] if isinstance(value, dict) else value[0]), levels + 1
        assert (value, levels) == (BURIED, DEEPEST)
    assert (found["text"], found["number"]) == ("[[{", 1.5)


def test_what_is_not_too_deep_is_as_it_is() -> None:
    text = nested(DEEPEST * 2, '"inside"')
    assert json.dumps(decoded(text.encode())) == text


@pytest.mark.parametrize(
    "text",
    [
        nested(LEVELS)[:-LEVELS], "[" * 5_000_000, nested(DEEPER_THAN_ANY + 1), "[" * LEVELS + "[]," * 5_000_000, nested(LEVELS) + "}",
        '{"a": "' + nested(LEVELS).replace('"', '\\"') + '\\"' * 1_000_000, "]" * LEVELS + nested(LEVELS),
    ],
    ids=["cut off", "brackets", "deeper than any", "wide", "one too many", "an endless text", "closed first"],
)  # fmt: skip
def test_what_is_no_answer_of_an_api_server_is_refused(text: str) -> None:
    with pytest.raises(BodyError):
        decoded(text.encode())
