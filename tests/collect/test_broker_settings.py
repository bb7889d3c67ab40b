"""What is kept of a broker's configuration: the settings that are judged, of their known words."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.collect.broker import broker_policy, broker_settings, broker_terms, queue_arguments

DESCRIBERS = (broker_settings, broker_terms, broker_policy, queue_arguments)


@pytest.mark.parametrize("describe", DESCRIBERS)
def test_null_stays_and_another_type_is_named(describe: Any) -> None:
    assert describe(None) is None
    assert describe(["s3cr3t"]) == {"malformed": "list"}
    assert describe(7) == {"malformed": "int"}
    assert describe("" if describe in DESCRIBERS[:2] else {}) == {}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("default_queue_type = quorum", {"default_queue_type": "quorum"}), ("default_queue_type='Classic'", {"default_queue_type": "classic"}),
        ("default_queue_type = quorum\ndefault_queue_type = stream", {"default_queue_type": "stream"}), ("default_queue_type = s3cr3t", {"default_queue_type": "other"}),
        ("consumer_timeout = 1800000 # ms", {"consumer_timeout": "1800000"}), ("consumer_timeout = undefined", {"consumer_timeout": "undefined"}),
        ("consumer_timeout = infinity", {"consumer_timeout": "undefined"}), ("consumer_timeout = false", {"consumer_timeout": "undefined"}),
        ("consumer_timeout = s3cr3t", {"consumer_timeout": "other"}), ("# consumer_timeout = 1", {}), ("consumer_timeout", {}), ("default_pass = s3cr3t\nmy.consumer_timeout = 1", {}),
        ("consumer_timeout = 1=2", {"consumer_timeout": "other"}),
    ],
)  # fmt: skip
def test_settings_of_a_file_of_lines(text: str, kept: dict[str, str]) -> None:
    assert broker_settings(text) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("[{rabbit, [{consumer_timeout, 1800000}]}].", {"consumer_timeout": "1800000"}), ("{consumer_timeout, undefined}", {"consumer_timeout": "undefined"}),
        ('{ default_queue_type , <<"rabbit_quorum_queue">> }', {"default_queue_type": "quorum"}), ("{default_queue_type, rabbit_classic_queue}", {"default_queue_type": "classic"}),
        ("{consumer_timeout, 1},\n{consumer_timeout, 2}", {"consumer_timeout": "2"}), ("% {consumer_timeout, 1}", {}), ("{consumer_timeout, 1} % {consumer_timeout, 2}", {"consumer_timeout": "1"}),
        ("{consumer_timeout, s3cr3t}, {default_queue_type, s3cr3t}", {"consumer_timeout": "other", "default_queue_type": "other"}), ('{default_pass, <<"s3cr3t">>}', {}),
    ],
)  # fmt: skip
def test_settings_of_erlang_terms(text: str, kept: dict[str, str]) -> None:
    assert broker_terms(text) == kept


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"ha-mode": "s3cr3t"}, {"ha-mode": True}), ({"ha-mode": None}, {"ha-mode": True}), ({"consumer-timeout": 5}, {"consumer-timeout": "5"}), ({"consumer-timeout": True}, {}),
        ({"consumer-timeout": "s3cr3t", "federation-upstream": "s3cr3t"}, {}),
    ],
)  # fmt: skip
def test_a_policy_is_whether_it_mirrors_and_its_timeout(value: Any, kept: Any) -> None:
    assert broker_policy(value) == kept


@pytest.mark.parametrize(
    ("value", "kept"), [({"x-queue-type": "quorum", "x": "s3cr3t"}, {"x-queue-type": "quorum"}), ({"x-queue-type": 7}, {}), ({"x-queue-type": "s3cr3t"}, {"x-queue-type": "other"})]
)  # fmt: skip
def test_a_queue_is_the_type_it_asks_for(value: Any, kept: Any) -> None:
    assert queue_arguments(value) == kept
