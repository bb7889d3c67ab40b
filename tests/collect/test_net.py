"""The net below the allow-lists reaches every text of a value, and leaves all else as it is."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.collect import net
from exivity_audit.collect.net import MARK, caught, marks, strained

FINE, BAD, KEPT = "postgres-password", "token=hunter2", f"token={MARK}"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (BAD, KEPT), ([BAD], [KEPT]), ((BAD, 7), (KEPT, 7)), ({"a": BAD}, {"a": KEPT}), ({BAD: 1}, {KEPT: 1}), ([[BAD], FINE], [[KEPT], FINE]), ([{"a": [{"b": BAD}]}], [{"a": [{"b": KEPT}]}]),
        ({"a": (1, BAD)}, {"a": (1, KEPT)}), ({"a": [[FINE, BAD]]}, {"a": [[FINE, KEPT]]}), ({"a": {"b": {BAD: BAD}}}, {"a": {"b": {KEPT: KEPT}}}), ([FINE, {"a": FINE}, BAD], [FINE, {"a": FINE}, KEPT]),
        (["\ud800 token=hunter2", FINE], [f"\ud800 {KEPT}", FINE]), ([{1.5j: BAD}], [{1.5j: KEPT}]), ({"token=a": 1, "token=b": 1}, {KEPT: 1}), ({"a": BAD, "b": BAD, "c": FINE}, {"a": KEPT, "b": KEPT, "c": FINE}),
    ],
)  # fmt: skip
def test_every_text_is_strained(value: Any, kept: Any) -> None:
    found = strained(value)
    assert found == kept
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "value",
    [FINE, "", 7, None, True, 1.5, [], {}, (), [FINE, 7, None], (FINE,), {"a": FINE}, {"password": {"a": [FINE, {"token": None}]}}, [{"secret": FINE}], [["token", ("pwd",)]]],
)  # fmt: skip
def test_what_holds_nothing_is_the_same_object(value: Any) -> None:
    assert strained(value) is value


def test_a_part_that_holds_nothing_is_kept_as_it_is_beside_one_that_does() -> None:
    fine = {"password": [FINE]}
    found = strained([fine, {"a": BAD, "b": fine}])
    assert found[0] is fine
    assert found[1]["b"] is fine


def test_a_value_nested_too_deeply_for_json_is_strained_too() -> None:
    deep: Any = BAD
    for _ in range(400):
        deep = [deep]
    found = strained([deep])
    while isinstance(found, list):
        found = found[0]
    assert found == KEPT


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (MARK, 1), (f"{MARK} and {MARK}", 2), ("redacted", 0), ([MARK, [MARK], (MARK, 7)], 3), ({MARK: MARK, "a": {"b": MARK}}, 3), (7, 0), (None, 0), ([], 0), ({}, 0),
    ],
)  # fmt: skip
def test_marks_are_counted_wherever_they_stand(value: Any, count: int) -> None:
    assert marks(value) == count


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ghp_" + "a" * 36, MARK), ("ghp_" + "a" * 29, "ghp_" + "a" * 29), ("glpat-" + "a" * 16, MARK), ("ASIA" + "A" * 16, MARK), ("x" + "AKIA" + "A" * 16, "x" + "AKIA" + "A" * 16),
        ("authorization=Bearer abc, x", f"authorization={MARK}, x"), ("api_key: hunter2", "api_key: hunter2"), ('"api_key": hunter2', f'"api_key": {MARK}'),
        ("accessKey=hunter2", f"accessKey={MARK}"), ("https://u:p@q:r@h/x", f"https://{MARK}@h/x"), ("bearer abc", "bearer abc"),
    ],
)  # fmt: skip
def test_more_that_looks_like_a_secret(text: str, kept: str) -> None:
    assert caught(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        '{"password":"hunter2"}',
        "a\\n{'password':'hunter2'}",
        "pa\u017f\u017fword=hunter2",
        "\u212a TOKEN=hunter2",
        "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----",
    ],
)
def test_what_spans_quotes_lines_and_alphabets_is_found_in_objects_too(text: str) -> None:
    """An object is looked at piece by piece first: the result is that of each whole text."""
    found = strained([{"a": FINE}, {"a": text, "b": FINE}])
    assert found == [{"a": FINE}, {"a": caught(text), "b": FINE}]
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("value", "count"), [({1.5j: MARK}, 1), ([{1.5j: MARK}, MARK], 2), ({1.5j: [MARK, (MARK,)], MARK: 1}, 3), ((MARK, {1.5j: 1}), 1), ([1.5j], 0)]
)
def test_marks_are_counted_where_there_is_no_json_text(value: Any, count: int) -> None:
    assert marks(value) == count


def test_texts_without_a_hint_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """They recur by the thousand: of the second object only what is new is looked at; nothing is walked where nothing is caught."""
    looked: list[str] = []
    hinted = net._hinted
    monkeypatch.setattr(net, "_hinted", lambda text: looked.append(text) or hinted(text))
    objects = [{"kind": "Node", "words": ["a", "b"]}, {"kind": "Node", "words": ["b", "c"]}]
    assert strained(objects) is objects
    assert [sorted(text.split("\n")) for text in looked] == [sorted(["{", "kind", ":", "Node", ",", "words", ":[", "a", "b", "]}"]), ["c"]]
    looked.clear()
    monkeypatch.setattr(net, "_strained", lambda *_: pytest.fail("walked"))
    assert strained([{"name": FINE}, {"name": FINE, "password": "b"}]) == [{"name": FINE}, {"name": FINE, "password": "b"}]
    monkeypatch.setattr(net, "_MOST_CLEAN", 3)
    looked.clear()
    twice = [*objects, *objects]
    assert strained(twice) is twice
    assert ["Node" in text for text in looked] == [True, False, True, False], "what is kept of clean texts has a bound"
