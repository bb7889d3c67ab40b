"""An allow-list cuts an object to what its paths lead to, and tells later what it could not hold."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.collect.net import strained
from exivity_audit.paths import covers, names, prune, pruner, steps


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", ()), ("spec", ("spec",)), ("spec.size", ("spec", "size")), ("spec.containers[].image", ("spec", "containers", "[]", "image")), ("[]", ("[]",)), ("[].a", ("[]", "a")),
        ("metadata.annotations[helm.sh/resource-policy]", ("metadata", "annotations", "helm.sh/resource-policy")), ("data[a.b].c", ("data", "a.b", "c")), ("a[][].b", ("a", "[]", "[]", "b")),
        ("a[x][y]", ("a", "x", "y")), ("[a.b]", ("a.b",)), ("a..b", ("a", "", "b")),
    ],
)  # fmt: skip
def test_steps_of_a_path(path: str, expected: tuple[str, ...]) -> None:
    assert steps(path) == expected


@pytest.mark.parametrize(
    ("path", "covered"),
    [
        ("spec.size", True), ("spec", True), ("spec.size.deep", True), ("spec.sizes", False), ("spec.other", False), ("status", False), ("items[].name", True), ("items", True),
        ("items[].other", False), ("items.name", False), ("", True),
    ],
)  # fmt: skip
def test_what_an_allow_list_covers(path: str, covered: bool) -> None:
    assert covers(("metadata.name", "spec.size", "items[].name"), path) is covered


def test_nothing_is_covered_by_an_empty_list() -> None:
    assert covers((), "spec") is False


@pytest.mark.parametrize(
    ("keep", "value", "kept"),
    [
        ({"a": None}, {"a": 1, "s3cr3t": 2}, {"a": 1}), ({"a.b": None}, {"a": {"b": 1, "s3cr3t": 2}}, {"a": {"b": 1}}), ({"a.b": None}, {"a": {}}, {"a": {}}), ({"a.b": None}, {}, {}),
        ({"a": None}, {"a": {"b": ["as", "it", "is"]}}, {"a": {"b": ["as", "it", "is"]}}), ({"a": None}, {"a": None}, {"a": None}), ({"a.b": None}, {"a": None}, {"a": None}),
        ({"a.b": None}, {"a": "s3cr3t"}, {"a": {"malformed": "str"}}), ({"a.b": None}, {"a": ["s3cr3t"]}, {"a": {"malformed": "list"}}), ({"a[].b": None}, {"a": [{"b": 1, "s3cr3t": 2}, {}]}, {"a": [{"b": 1}, {}]}),
        ({"a[].b": None}, {"a": ["s3cr3t", None]}, {"a": [{"malformed": "str"}, None]}), ({"a[].b": None}, {"a": {"s3cr3t": 1}}, {"a": {"malformed": "dict"}}), ({"a[].b": None}, {"a": None}, {"a": None}),
        ({"a[]": None}, {"a": [1, "x"]}, {"a": [1, "x"]}), ({"a": len}, {"a": "s3cr3t"}, {"a": 6}), ({"a[].b": len}, {"a": [{"b": "s3cr3t"}, {"b": []}]}, {"a": [{"b": 6}, {"b": 0}]}),
        ({"a.b": len, "a.c": None}, {"a": {"b": "s3cr3t", "c": 1}}, {"a": {"b": 6, "c": 1}}), ({"a[x.y]": None}, {"a": {"x.y": 1, "x": {"y": "s3cr3t"}}}, {"a": {"x.y": 1}}),
        ({"a": None}, None, None), ({"a": None}, "s3cr3t", {"malformed": "str"}), ({"a": None}, 7, {"malformed": "int"}),
    ],
)  # fmt: skip
def test_what_is_not_on_the_list_is_gone(keep: Any, value: Any, kept: Any) -> None:
    assert prune(value, keep) == kept
    assert pruner(keep)(value) == kept


def nested(levels: int, *, by: str) -> Any:
    found: Any = "s3cr3t"
    for _ in range(levels):
        found = [found] if by == "list" else {"a": found}
    return found


@pytest.mark.parametrize("by", ["list", "dict"])
@pytest.mark.parametrize("describe", [None, lambda value: value])
def test_a_value_nested_too_deeply_is_named_and_hides_nothing_beside_it(by: str, describe: Any) -> None:
    def cut(levels: int) -> Any:
        return prune({"a": nested(levels, by=by), "b": 1}, {"a": describe, "b": None})

    assert cut(100) == {"a": nested(100, by=by), "b": 1}
    assert cut(101) == {"a": {"malformed": by}, "b": 1}
    for levels in (600, 900):  # what the parser lets through and no function that walks it would survive
        assert strained([cut(levels)]) == [{"a": {"malformed": by}, "b": 1}]


def test_the_object_itself_is_left_as_it_was() -> None:
    value = {"a": [{"b": 1, "c": 2}]}
    prune(value, {"a[].b": None})
    assert value == {"a": [{"b": 1, "c": 2}]}


def test_names_are_distinct_and_in_order() -> None:
    assert names(["b", "", "a", "b"]) == ("a", "b")
    assert names([]) == ()
