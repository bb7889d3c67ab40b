"""Each operator's API at other versions than ours: a newer one beside it, another one alone, one whose fields have other names."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from exivity_audit.collect.connection import Connection
from tests.collect.fake_server import Asked, Reply
from tests.faults.audit import Run, audit
from tests.faults.catalogue import BLIND, RECOVERS
from tests.faults.invariants import broken
from tests.faults.proxy import Backend, FaultProxy
from tests.faults.scoreboard import LONG, board
from tests.faults.variants import VARIANTS, backend
from tests.world import OPTIONAL

OTHER = "v9"
BESIDE, ALONE, RENAMED = "a newer one beside ours", "another one alone", "one whose fields have other names"
LAYOUTS = (BESIDE, ALONE, RENAMED)
CLUSTERS = ("multi_node", "argo", "flux", "gateway", "openshift", "metallb", "keda") if LONG else ("multi_node",)
CASES = [
    (variant, group)
    for variant in CLUSTERS
    for group in sorted({name.partition(".")[2] for name in VARIANTS[variant]().resources if name in OPTIONAL})
]
_plain: dict[str, Run] = {}


def served(behind: Backend, group: str, layout: str) -> Backend:
    """An API server with another version of a group, first in its list; where it alone is served, the paths of ours are gone."""

    def answer(asked: Asked) -> Reply:
        if asked.path == "/apis":
            return _listed(behind(asked), group, layout)
        start = f"/apis/{group}/"
        if not asked.path.startswith(start):
            return behind(asked)
        version, _, rest = asked.path.removeprefix(start).partition("/")
        if layout != BESIDE and version != OTHER:
            return Reply(404, b"404 page not found\n", content_type="text/plain")
        ours = OPTIONAL[f"{rest.split('/')[2] if rest.startswith('namespaces/') else rest.split('/')[0]}.{group}"][0]
        found = behind(replace(asked, path=f"{start}{ours}/{rest}"))
        return found if layout != RENAMED or found.status != 200 else _renamed(found)

    return answer


def _listed(found: Reply, group: str, layout: str) -> Reply:
    body = json.loads(found.body)
    for item in body["items"]:
        if item["metadata"].get("name") == group:
            new = [{**version, "version": OTHER, "resources": version["resources"]} for version in item["versions"]]
            merged = {**new[0], "resources": [resource for version in new for resource in version["resources"]]}
            item["versions"] = [merged, *item["versions"]] if layout == BESIDE else [merged]
    return replace(found, body=json.dumps(body).encode())


def _renamed(found: Reply) -> Reply:
    body = json.loads(found.body)
    for item in body.get("items", [body]):
        for part in ("spec", "status", "value"):
            if part in item:
                item[f"{part}Of{OTHER}"] = item.pop(part)
    return replace(found, body=json.dumps(body).encode())


@pytest.mark.parametrize(("variant", "group"), CASES, ids=lambda one: str(one))
def test_another_version_of_an_api(variant: str, group: str, proxy: FaultProxy, connection: Callable[[], Connection]) -> None:
    if variant not in _plain:
        proxy.begin(backend(variant, 500))
        _plain[variant] = audit(connection())
    layouts: Any = LAYOUTS if LONG else LAYOUTS[CASES.index((variant, group)) % 3 :: 3]
    said: list[str] = []
    for layout in layouts:
        proxy.begin(served(backend(variant, 500), group, layout))
        run = audit(connection())
        assert any(one.path.startswith(f"/apis/{group}/{OTHER}/") for one in proxy.asked) or not any(
            one.path.startswith(f"/apis/{group}/") for one in proxy.asked
        )
        effect = BLIND if layout == RENAMED else RECOVERS
        said += [f"{group}, {layout}: {text}" for text in broken(_plain[variant], run, effect, deadline=120, may_end=False)]
        board.add("version layouts")
    board.add("versions misread", len(said))
    assert said == []
