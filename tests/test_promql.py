"""PromQL as far as it is read: the selectors of an expression, and what their matchers let through."""

from __future__ import annotations

import time

import pytest

from exivity_audit.promql import Matcher, NotPromQL, Reference, parse, pattern_fits


def names(text: str) -> list[str]:
    return [name for one in parse(text).references for name in one.names()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("up", ["up"]), ("up == 0", ["up"]), ("1", []), ("vector(1)", []), ("time() - foo > 86400", ["foo"]), ("-a + .5", ["a"]), ("a > Inf and b != NaN", ["a", "b"]),
        ("sum by (namespace, pod) (rate(a_total[5m]))", ["a_total"]), ("sum(a) by (b)", ["a"]), ("sum(a) without (b)", ["a"]), ("SUM BY (b) (a)", ["a"]), ("count(a)", ["a"]),
        ("topk(3, a)", ["a"]), ('count_values("version", build_info)', ["build_info"]), ("a * on (x, y) group_left (z) b", ["a", "b"]), ("a * on () group_left b", ["a", "b"]),
        ("a unless ignoring (x) b", ["a", "b"]), ("a == bool 1", ["a"]), ("a offset 5m - a offset -1h30m", ["a", "a"]), ("a @ 1609746000 - a @ end()", ["a", "a"]),
        ("max_over_time(a[1h:5m])", ["a"]), ("rate(a[1h30m] offset 1d)", ["a"]), ("histogram_quantile(0.99, sum by (le) (rate(b_bucket[5m])))", ["b_bucket"]),
        ("a # b\n> 1", ["a"]), ("# only\na", ["a"]), ("instance:node_cpu:ratio > 0.9", ["instance:node_cpu:ratio"]), (":node_memory:sum", [":node_memory:sum"]),
        ('a{b="c", d!~"e|f",}', ["a"]), ('{__name__="a", b="c"}', ["a"]), ('{"a.b", c="d"}', ["a.b"]), ('{"a.b"}', ["a.b"]), ("a{b='}', c=`{`}", ["a"]),
        ('label_replace(a, "dst", "$1", "src", "(.*)")', ["a"]), ("absent(a{b=\"c\"})", ["a"]), ("group(a)", ["a"]), ("a atan2 b", ["a", "b"]), ("0x1F * a ^ 1e-3", ["a"]),
        ('{__name__=~"cnpg_.*|pg_up"}', ["cnpg_", "pg_up"]), ('{__name__=~"(?:a|b)_total"}', [""]), ('{__name__=~"pg_(a|b)"}', ["pg_"]), ('{job="x"}', []), ("sum(sum by (x) (a)) / b", ["a", "b"]),
    ],
)  # fmt: skip
def test_the_metrics_of_an_expression(text: str, expected: list[str]) -> None:
    assert names(text) == expected


def test_labels_and_strings_are_no_metrics() -> None:
    found = parse('sum by (kube_node_info) (a{kube_pod_info="kube_job_failed"}) * on (up) group_left (node_x) b').references
    assert [one.metric for one in found] == ["a", "b"]
    assert found[0].matchers == (Matcher("kube_pod_info", "=", "kube_job_failed"),)


def test_strings_are_unescaped() -> None:
    (one,) = parse(r'a{b="x\\.y", c="say \"no\"", d=`\d`}').references
    assert [matcher.value for matcher in one.matchers] == ["x\\.y", 'say "no"', "\\d"]


def test_or_makes_each_stand_for_itself() -> None:
    assert parse("a or b").either
    assert not parse("a and b").either


@pytest.mark.parametrize("text", ["a{", "a{b}", "a{b=c}", "sum by (x", "a $ b", 'a{b="c}', 'a{="c"}'])
def test_what_is_none(text: str) -> None:
    with pytest.raises(NotPromQL):
        parse(text)


@pytest.mark.parametrize(
    ("operator", "value", "label", "expected"),
    [
        ("=", "a", "a", True), ("=", "a", "b", False), ("!=", "a", "b", True), ("!=", "a", "a", False), ("=~", "a|b", "b", True), ("=~", "a", "ab", False),
        ("=~", ".*", "x", True), ("=~", ".+", "", False), ("!~", "kube-.*", "exivity", True), ("!~", "kube-.*", "kube-system", False), ("=~", "(a|b)-prod", "b-prod", True),
        ("=~", "[[:alpha:]]+", "x", None), ("=~", "(a+)+b", "x", None), ("=~", "a{", "a{", True), ("=~", "(", "x", None), ("=~", "(?i)EXIVITY", "exivity", True),
        ("=~", r"\pL+", "x", None),
    ],
)  # fmt: skip
def test_what_a_matcher_lets_through(operator: str, value: str, label: str, expected: bool | None) -> None:
    assert Matcher("x", operator, value).admits(label) is expected


@pytest.mark.parametrize(
    "pattern",
    ["(x+x+)+y", ".*" * 200, "a?" * 60 + "a" * 60, "(a|a)" * 60, "(.|.){40}", "|".join(["a*"] * 200), "(((a*)*)*)*", "(a|b|ab)*c", "x*x*x*x*y"],
)
def test_no_pattern_runs_for_long(pattern: str) -> None:
    started = time.perf_counter()
    pattern_fits(pattern, "a" * 63)
    pattern_fits(pattern, "x" * 63)
    assert time.perf_counter() - started < 60


def test_a_long_expression_is_read_in_one_pass() -> None:
    started = time.perf_counter()
    assert len(parse(" + ".join(['rate(a_total{b="c"}[5m])'] * 5000)).references) == 5000
    with pytest.raises(NotPromQL):
        parse('"' * 99_999)
    assert time.perf_counter() - started < 60


def test_a_regular_expression_for_the_name_says_where_it_starts() -> None:
    assert Reference("", (Matcher("__name__", "=~", "^(rabbitmq_queue.+|erlang_vm)$"),)).names() == ("rabbitmq_queue", "erlang_vm")
    assert Reference("", (Matcher("__name__", "=~", "upx?"),)).names() == ("up",)
