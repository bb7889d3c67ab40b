"""An API server in memory that knows the two report APIs and server-side apply, over HTTPS; every request is kept."""

from __future__ import annotations

import json
from typing import Any

from tests.collect.fake_server import Asked, FakeServer, Pair, Reply, reply, status

DISCOVERY = {
    "/apis/openreports.io/v1alpha1": {"kind": "APIResourceList", "resources": [{"name": "reports"}, {"name": "clusterreports"}]},
    "/apis/wgpolicyk8s.io/v1alpha2": {"kind": "APIResourceList", "resources": [{"name": "policyreports"}]},
}


class ReportApi(FakeServer):
    """Objects by path; ``served`` are the paths of discovery that answer; ``denied`` are verbs that the account lacks."""

    def __init__(self, pair: Pair) -> None:
        super().__init__(pair)
        self.objects: dict[str, dict[str, Any]] = {}
        self.served = set(DISCOVERY)
        self.denied: set[str] = set()
        self.made = 0

    def next(self, asked: Asked) -> Reply:
        """Discovery, get, and server-side apply with its preconditions."""
        self.asked.append(asked)
        if asked.path in DISCOVERY:
            return reply(DISCOVERY[asked.path]) if asked.path in self.served else status(404, "NotFound")
        known = self.objects.get(asked.path)
        if asked.method == "GET":
            if "get" in self.denied:
                return status(403, "Forbidden")
            return reply({"kind": "PartialObjectMetadata", "metadata": known["metadata"]}) if known else status(404, "NotFound")
        assert (asked.method, asked.header("Content-Type")) == ("PATCH", ["application/apply-patch+yaml"])
        verbs = {"patch"} if known else {"patch", "create"}
        if verbs & self.denied:
            return status(403, "Forbidden")
        body = json.loads(asked.body)
        wanted = body["metadata"].get("uid")
        if wanted is not None and (known is None or known["metadata"]["uid"] != wanted):
            return status(409, "Conflict")
        if known is None:
            self.made += 1
        uid = known["metadata"]["uid"] if known else f"uid-{self.made}"
        self.objects[asked.path] = {**body, "metadata": {**body["metadata"], "uid": uid}}
        return reply({"kind": "PartialObjectMetadata", "metadata": {"uid": uid}}, 200 if known else 201)
