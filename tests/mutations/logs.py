"""Mutations of the row logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exivity_audit.verdict import Status
from tests.mutation import Mutation, put

SMALL = "exivity-config-logfiles"


def _days(delete: str, compress: str) -> Callable[[Any], None]:
    return lambda c: c.edit("ConfigMap", SMALL, put("data", {"EXIVITY_LOGFILES_DELETE_DAYS": delete, "EXIVITY_LOGFILES_COMPRESS_DAYS": compress}))


def _grown(c: Any) -> None:
    _days("180", "14")(c)
    for path in ("spec.resources.requests.storage", "status.capacity.storage"):
        c.edit("PersistentVolumeClaim", "exivity-use-log", put(path, "40Gi"))


MUTATIONS = [
    Mutation("retention is no number", "multi_node", "logs/retention", _days("forever", "14")),
    Mutation("retention is empty", "single_node", "logs/retention", _days("", "")),
    Mutation("the retention's ConfigMap is gone", "multi_node", "logs/retention", lambda c: c.remove("ConfigMap", SMALL)),
    Mutation("retention is the chart's default", "multi_node", "logs/retention", _days("365", "30"), Status.WARN),
    Mutation("logs are deleted before they are compressed", "single_node", "logs/retention", _days("14", "30"), Status.WARN),
    Mutation("logs are never deleted", "multi_node", "logs/retention", _days("0", "14"), Status.WARN),
    Mutation("logs are kept for two years", "single_node", "logs/retention", _days("730", "30"), Status.WARN),
    Mutation("a log claim grew while logs are kept for half a year", "multi_node", "logs/before-expansion", _grown, Status.WARN),
    Mutation("the API logs at debug level", "multi_node", "logs/level",
             lambda c: c.edit("ConfigMap", "exivity-proximity-api-env", put("data.EXIVITY_BACKEND_LOG_LEVEL", "debug")), Status.WARN),
    Mutation("the command line logs at debug level", "single_node", "logs/level",
             lambda c: c.edit("ConfigMap", "exivity-proximity-cli-env", put("data.EXIVITY_BACKEND_LOG_LEVEL", "debug")), Status.WARN),
]  # fmt: skip
