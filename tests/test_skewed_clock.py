"""A clock that runs behind the API server's: what the server has dated lies after `now`, and is young, not old."""

from __future__ import annotations

import base64
import gzip
import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from exivity_audit.verdict import Status
from tests import builders
from tests.judging import judged, statuses, verdicts
from tests.mutation import put
from tests.world import World

WORSE = (Status.FAIL, Status.WARN, Status.ERROR, Status.UNKNOWN)
# What the API server, the kubelets and the controllers date: when a thing was made, started, became so or was deployed.
DATED = re.compile(r"creationTimestamp|startedAt|startTime|lastTransitionTime|finishedAt|time|first_deployed|last_deployed")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def later(item: Any, days: float, key: str = "") -> Any:
    """The same with all dates so much later."""
    if isinstance(item, dict):
        return {name: later(value, days, name) for name, value in item.items()}
    if isinstance(item, list):
        return [later(value, days, key) for value in item]
    if isinstance(item, str) and DATED.fullmatch(key) and MOMENT.fullmatch(item):
        return (datetime.fromisoformat(item) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return item


def revision(text: str, days: float) -> str:
    """A stored revision of Helm, deployed so much later."""
    content = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(text))))
    return builders.encode(base64.b64encode(gzip.compress(json.dumps(later(content, days)).encode(), mtime=0)))


def skewed(world: World, days: float) -> World:
    """The world where everything that Kubernetes and Helm date is so much younger; what operators write in their statuses stays."""
    objects = []
    for item in world.objects:
        own = item["apiVersion"].partition("/")[0].rpartition(".")[2] not in ("io", "com") or item["apiVersion"].partition("/")[0].endswith(".k8s.io")
        changed = later(item, days) if own else {**item, "metadata": later(item["metadata"], days)}
        if changed.get("type") == "helm.sh/release.v1":
            changed["data"] = {"release": revision(changed["data"]["release"], days)}
        objects.append(changed)
    world.objects = objects
    return world


@pytest.mark.parametrize("base", ["multi_node", "single_node"])
@pytest.mark.parametrize("days", [40, 2000], ids=["a little", "years"])
def test_what_lies_ahead_of_the_clock_is_young(base: str, days: float) -> None:
    world: World = getattr(builders, base)()
    before = statuses(judged(world))
    after = judged(skewed(world, days))
    found = {outcome.check.id: outcome for outcome in after.outcomes}
    assert not {check: found[check].verdicts for check, was in before.items() if found[check].status in WORSE and found[check].status is not was}


def test_no_age_is_less_than_nothing() -> None:
    world = builders.multi_node()
    ahead = builders.stamp(-3)
    world.edit("longhorn.io/Volume", "pvc-exivity-report", lambda item: item["status"].update({"robustness": "degraded", "lastDegradedAt": ahead}))
    state = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": ahead}}
    world.edit("Pod", "exivity-use-6d5f-0", put("status.containerStatuses.0.lastState", state))
    world.edit(
        "PersistentVolumeClaim", "exivity-import", put("status.conditions", [{"type": "FileSystemResizePending", "status": "True", "lastTransitionTime": ahead}])
    )  # fmt: skip
    said = {
        check: [str(verdict.message) for verdict in verdicts(world, check).values() if verdict.status in (Status.FAIL, Status.WARN) or verdict.remark]
        for check in ("storage/longhorn-replicas", "application/resources", "storage/claims-bound")
    }
    assert all(said.values()), said
    assert not [text for texts in said.values() for text in texts if re.search(r"-\d+ (d|h|min|s)\b", text)], said
