"""What JSON allows and no API server should send, in an object of every list at once: every verdict is as without."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from exivity_audit.collect.connection import Connection
from tests.collect.fake_server import Asked, Reply
from tests.faults.audit import audit
from tests.faults.catalogue import RECOVERS
from tests.faults.invariants import broken
from tests.faults.proxy import Backend, FaultProxy
from tests.faults.scoreboard import board
from tests.faults.variants import backend

MARK = '"zz-odd": 0'
LEVELS = 1_200
DEEP = '{"zz": ' * LEVELS + '["}\\"]"]' + "}" * LEVELS
MEBIBYTE, LABELS = 1024 * 1024, 100_000
ODD: dict[str, tuple[tuple[str, ...], str]] = {
    "an object nested 1,200 deep": ((), f'"zz": {DEEP}'),
    "an array nested 1,200 deep": ((), f'"zz": {"[" * LEVELS}{"]" * LEVELS}'),
    "a spec nested 1,200 deep": (("spec",), f'"zz": {DEEP}'),
    "a key twice": ((), '"zz": 1, "zz": 2'),
    "an annotation of a mebibyte": (("metadata", "annotations"), f'"zz.example/odd": "{"x" * MEBIBYTE}"'),
    "100,000 labels": (("metadata", "labels"), ", ".join(f'"zz.example/{number}": "x"' for number in range(LABELS))),
}


def with_odd(behind: Backend, path: tuple[str, ...], text: str, met: list[str]) -> Backend:
    """An API server in whose lists the first object has something odd at a path; says in which."""

    def answer(asked: Asked) -> Reply:
        found = behind(asked)
        if not asked.path.startswith(("/api/v1/", "/apis/")) or found.status != 200:
            return found
        body = json.loads(found.body)
        if not body.get("items") or "metadata" not in body["items"][0]:
            return found
        place = body["items"][0]
        for step in path:
            if place.get(step) is None:
                place[step] = {}
            place = place[step]
        place["zz-odd"] = 0
        met.append(asked.path)
        return replace(found, body=json.dumps(body).replace(MARK, text).encode())

    return answer


@pytest.mark.parametrize(("name", "variant"), [*((name, "multi_node") for name in ODD), *((name, "not ready") for name in ODD if "deep" in name)])
def test_an_odd_object_costs_nothing(name: str, variant: str, proxy: FaultProxy, connection: Callable[[], Connection]) -> None:
    proxy.begin(backend(variant, 500))
    plain = audit(connection())
    path, text = ODD[name]
    met: list[str] = []
    proxy.begin(with_odd(backend(variant, 500), path, text, met))
    found = audit(connection())
    assert len(set(met)) > 20
    board.add("odd lists", len(met))
    assert list(broken(plain, found, RECOVERS, deadline=120, may_end=False)) == []
