"""An Alertmanager configuration, form by form: which receivers and matchers are kept, and what is said where one is not legible."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest

from exivity_audit.collect.alertmanager import DEEPEST, LARGEST, MOST_ROUTES, describe_config, describe_object

SECRET = "hunter2hunter2"
STR, LIST, DICT, INT = ({"malformed": name} for name in ("str", "list", "dict", "int"))


def config(**content: Any) -> Any:
    return describe_config(json.dumps(content).encode())


def route(**content: Any) -> Any:
    return config(route=content)["route"]


def matchers(*given: Any, **content: Any) -> tuple[list[dict[str, str]], bool]:
    """What is kept of a route's matchers, and whether all were legible."""
    found = route(**({"matchers": list(given)} if given else {}), **content)
    return found["matchers"], found["legible"]


def of(label: str, operator: str, value: str | None = None) -> dict[str, str]:
    return {"label": label, "operator": operator, **({} if value is None else {"value": value})}


def test_a_configuration_that_says_nothing() -> None:
    assert describe_config(b"") == describe_config(b" \n") == config() == {"receivers": [], "route": None}
    assert config(receivers=None, route=None) == {"receivers": [], "route": None}


@pytest.mark.parametrize("odd", [SECRET, {"a": SECRET}, 7, True])
def test_parts_of_another_form_are_named(odd: Any) -> None:
    named = {"malformed": type(odd).__name__}
    assert config(receivers=odd)["receivers"] == named
    assert config(receivers=[odd])["receivers"] == ([{"name": None, "integrations": []}] if isinstance(odd, dict) else [named])
    if not isinstance(odd, dict):
        assert config(route=odd)["route"] == named
        assert route(routes=[odd])["routes"] == [named]
    assert route(routes=odd)["routes"] == named
    assert describe_object(odd) == ({"receivers": [], "route": None} if isinstance(odd, dict) else named)


def test_a_route_that_says_nothing() -> None:
    assert route() == {"receiver": None, "continue": False, "matchers": [], "legible": True, "routes": []}
    assert route(routes=None) == route(routes=[]) == route()
    assert route(**{"continue": True})["continue"] is True
    assert route(**{"continue": "true"})["continue"] is False
    assert [one["receiver"] for one in route(routes=[{"receiver": "a"}, {"receiver": "b"}])["routes"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("team chat", "team chat"), ("a/b.c-d_1", "a/b.c-d_1"), ("a" * 200, "a" * 200), ("a" * 201, "receiver 1"), ("https://h/x", "receiver 1"), ("h://x", "receiver 1"), ("-a", "receiver 1"),
        ("a@b", "receiver 1"), ("http //x", "http //x"), ("", None), (7, None), (None, None), ([SECRET], None),
    ],
)  # fmt: skip
def test_a_receivers_name_is_kept_where_it_looks_like_one(name: Any, kept: Any) -> None:
    found = config(receivers=[{"name": name}], route={"receiver": name})
    assert found["receivers"] == [{"name": kept, "integrations": []}]
    assert found["route"]["receiver"] == kept


def test_receivers_are_numbered_in_their_order_and_one_keeps_its_number() -> None:
    found = config(
        receivers=[{"name": "a@1"}, {"name": "b"}, {"name": "a@2"}, {"name": "a@1"}], route={"receiver": "a@2", "routes": [{"receiver": "a@3"}]}
    )
    assert [one["name"] for one in found["receivers"]] == ["receiver 1", "b", "receiver 2", "receiver 1"]
    assert (found["route"]["receiver"], found["route"]["routes"][0]["receiver"]) == ("receiver 2", "receiver 3")


def test_integrations_are_kinds_that_hold_something() -> None:
    long = "a" * 40
    receiver = {
        "name": "r", "webhook_configs": [{"url": SECRET}], "slack_configs": [SECRET], "email_configs": [], "pagerduty_configs": SECRET, "opsgenie_configs": None, "slackConfigs": [1],
        f"{SECRET}-x_configs": [1], f"{long}_configs": [1], f"{long}b_configs": [1], "_configs": [1], "name_configs_x": [1],
    }  # fmt: skip
    assert config(receivers=[receiver])["receivers"][0]["integrations"] == [long, "slack", "webhook"]
    spec = {"receivers": [{"name": "r", "slackConfigs": [1], "webhookConfigs": [], "slack_configs": [1], "pagerdutyConfigs": [{}]}]}
    assert describe_object(spec)["receivers"][0]["integrations"] == ["pagerduty", "slack"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('severity="critical"', [of("severity", "=", "critical")]), ("severity=critical", [of("severity", "=", "critical")]), (" severity !~ 'x' ", None), ('severity=~"a|b"', [of("severity", "=~", "a|b")]),
        ('severity!="a"', [of("severity", "!=", "a")]), ("severity!~a.*", [of("severity", "!~", "a.*")]), ('"severity"="a"', [of("severity", "=", "a")]), ('severity=""', [of("severity", "=", "")]),
        ("severity=", [of("severity", "=", "")]), ('{severity="a", namespace="b"}', [of("severity", "=", "a"), of("namespace", "=", "b")]), ('severity="a",namespace=b', [of("severity", "=", "a"), of("namespace", "=", "b")]),
        ('{severity="a",}', [of("severity", "=", "a")]), ("{}", []), ("", []), ('{severity="a"', None), ('severity="a"}', None), ('severity="a" namespace="b"', None), ("severity", None), ("=a", None),
        (f'team="{SECRET}"', [of("team", "=")]), (f'severity="{SECRET}@x"', None), ('severity="a,b"', None), ('sev erity="a"', None), ("é=a", None), ("a" * 100 + "=x", [of("a" * 100, "=")]), ("a" * 101 + "=x", None),
        ("severity=a b", None), ("severity==a", None), ('severity="' + "a" * 253 + '"', [of("severity", "=", "a" * 253)]), ('severity="' + "a" * 254 + '"', None),
    ],
)  # fmt: skip
def test_a_matcher_as_text(text: str, kept: list[dict[str, str]] | None) -> None:
    assert matchers(text) == (kept or [], kept is not None)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"name": "severity", "value": "a"}, of("severity", "=", "a")), ({"name": "severity", "value": "a", "regex": True}, of("severity", "=~", "a")), ({"name": "severity", "value": "a", "regex": "x"}, of("severity", "=", "a")),
        ({"name": "severity", "value": "a", "matchType": "!~", "regex": True}, of("severity", "!~", "a")), ({"name": "severity", "matchType": ""}, of("severity", "=", "")), ({"name": "severity", "value": None}, of("severity", "=", "")),
        ({"name": "severity", "matchType": SECRET}, None), ({"value": "a"}, None), ({"name": 7, "value": "a"}, None), ({"name": "severity", "value": 7}, None), ({"name": "severity", "value": [SECRET]}, None),
        ({"name": "team", "value": SECRET, "matchType": "!="}, of("team", "!=")), ({"name": f"{SECRET}=", "value": "a"}, None), (7, None), ([SECRET], None), (None, None),
    ],
)  # fmt: skip
def test_a_matcher_as_an_object(given: Any, kept: dict[str, str] | None) -> None:
    assert matchers(given) == ([] if kept is None else [kept], kept is not None)


def test_the_older_forms_of_matchers() -> None:
    assert matchers(match={"severity": "a", "team": SECRET}, match_re={"namespace": "a|b"}) == (
        [of("severity", "=", "a"), of("team", "="), of("namespace", "=~", "a|b")],
        True,
    )
    assert matchers(match=None, match_re=None) == ([], True)
    assert matchers(match={"severity": 7}) == ([], False)


@pytest.mark.parametrize("key", ["match", "match_re", "matchers"])
@pytest.mark.parametrize("odd", [SECRET, 7, True])
def test_matchers_of_another_form_are_not_legible(key: str, odd: Any) -> None:
    assert matchers(**{key: odd}) == ([], False)
    assert matchers(**{key: odd, ("match" if key == "match_re" else "match_re"): {"severity": "a"}})[1] is False


def test_one_matcher_that_is_not_legible_leaves_the_others() -> None:
    assert matchers("severity=a", 7, "namespace=b") == ([of("severity", "=", "a"), of("namespace", "=", "b")], False)
    assert matchers("?", "namespace=b") == ([of("namespace", "=", "b")], False)


def test_routes_are_followed_so_deep_and_so_many() -> None:
    deep: dict[str, Any] = {"receiver": "last"}
    for _ in range(DEEPEST + 2):
        deep = {"receiver": "r", "routes": [deep]}
    found, levels = config(route=deep)["route"], 0
    while found.get("routes"):
        found, levels = found["routes"][0], levels + 1
    assert (found, levels) == ({"malformed": "route"}, DEEPEST + 1)
    children = route(routes=[{"receiver": "r"}] * (MOST_ROUTES + 1))["routes"]
    assert [number for number, one in enumerate(children) if one == {"malformed": "route"}] == [MOST_ROUTES - 1, MOST_ROUTES]


def test_sizes() -> None:
    def of_size(size: int) -> bytes:
        return b"# " + b"x" * (size - 2)

    nothing = {"receivers": [], "route": None}
    assert describe_config(of_size(LARGEST)) == nothing
    assert describe_config(of_size(LARGEST + 1)) == {"malformed": "text"}
    assert describe_config(gzip.compress(of_size(LARGEST))) == nothing
    assert describe_config(gzip.compress(of_size(LARGEST + 1))) == {"malformed": "text"}
    assert describe_config(gzip.compress(of_size(4 * LARGEST))) == {"malformed": "text"}
    assert describe_config(gzip.compress(b"# x")[:-4]) == {"malformed": "text"}
    assert describe_config(b"\x1f\x8b" + SECRET.encode()) == {"malformed": "text"}
    assert describe_config(zlib.compress(b"# x")) == {"malformed": "text"}
    assert describe_config(b"\xff") == {"malformed": "text"}
    assert describe_config(b"a: [") == describe_config(b"- a") == describe_config(b"7") == {"malformed": "yaml"}
