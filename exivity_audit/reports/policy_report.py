"""The results as a policy report object: ``PolicyReport`` of wgpolicyk8s.io, or ``Report`` of openreports.io."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import yaml

from exivity_audit.acceptance import ALL_SITES
from exivity_audit.reports.json_shape import ReportShape, ResultShape
from exivity_audit.reports.text import clean
from exivity_audit.reports.words import headline
from exivity_audit.verdict import Status

LARGEST = 1000  # results of one object: etcd takes 1.5 MiB
LONGEST = 400
RESULTS = {
    Status.PASS: "pass", Status.FAIL: "fail", Status.WARN: "warn", Status.ERROR: "error", Status.UNKNOWN: "error", Status.MANUAL: "error",
    Status.WAIVED: "skip", Status.SKIP: "skip",
}  # fmt: skip


def render_policy_report(report: ReportShape) -> bytes:
    """A ``PolicyReport`` (wgpolicyk8s.io/v1alpha2) as YAML."""
    return _yaml(policy_report(report))


def render_open_report(report: ReportShape) -> bytes:
    """A ``Report`` (openreports.io/v1alpha1) as YAML."""
    return _yaml(policy_report(report, "openreports.io/v1alpha1", "Report"))


def policy_report(
    report: ReportShape, api: str = "wgpolicyk8s.io/v1alpha2", kind: str = "PolicyReport", *, name: str = "exivity-audit", site: str | None = None
) -> dict[str, Any]:
    """The object; undecided is ``error`` (it could not be evaluated), waived is ``skip``, and ``properties.status`` has our own word.

    ``site`` leaves the results of other sites out, those over all sites not; the object then belongs to the namespace of that site's release.
    """
    namespace = next((one.namespace for one in report.sites if one.name == site), report.run.namespace)
    ordered = sorted((one for one in report.results if site is None or one.site in (site, ALL_SITES)), key=lambda result: result.status.urgency)
    kept = ordered[:LARGEST]
    found = [_result(result, report) for result in kept]
    summary = {word: sum(1 for one in found if one["result"] == word) for word in ("pass", "fail", "warn", "error", "skip")}
    labels = {"app.kubernetes.io/managed-by": report.tool.name}
    annotations = {"exivity-audit/summary": clean(headline(report)), "exivity-audit/left-out": str(len(ordered) - len(kept))}
    return {
        "apiVersion": api, "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "labels": labels, "annotations": annotations},
        "scope": {"apiVersion": "v1", "kind": "Namespace", "name": namespace},
        "summary": summary, "results": found,
    }  # fmt: skip


def _result(result: ResultShape, report: ReportShape) -> dict[str, Any]:
    one = result.subject
    moment = int(datetime.fromisoformat(report.run.now).timestamp())  # the judgement's own time, never a text of the snapshot
    found: dict[str, Any] = {
        "source": report.tool.name, "policy": result.row, "rule": result.id, "category": result.row, "severity": str(result.severity),
        "result": RESULTS[result.status], "message": clean(result.message)[:LONGEST], "timestamp": {"seconds": moment, "nanos": 0},
        "properties": {
            "status": str(result.status), "fingerprint": result.fingerprint, "title": clean(result.title), "clauses": " ".join(result.clauses),
        },
    }  # fmt: skip
    if len(report.sites) > 1:
        found["properties"]["site"] = clean(result.site)
    if one is not None and one.name:
        found["resources"] = [{"kind": clean(one.kind), "name": clean(one.name), **({"namespace": clean(one.namespace)} if one.namespace else {})}]
    return found


def _yaml(value: dict[str, Any]) -> bytes:
    text: str = yaml.safe_dump(cleaned(value), sort_keys=False, allow_unicode=True, width=10_000)
    return text.encode()


def cleaned(value: Any) -> Any:
    """The value with every text in it clean."""
    if isinstance(value, dict):
        return {key: cleaned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    return clean(value) if isinstance(value, str) else value
