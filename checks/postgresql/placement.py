"""Where the database runs."""

from __future__ import annotations

from exivity_audit import CRITICAL, MEDIUM, RELAX, A, B, C, NotSeen, Scenario, check, fail, ok, task, wanted, warn
from exivity_audit.facts.database import HELM_CHART

from .shared import CNPG, EMBEDDED, MOVE, OTHER, forgiven, host_at, not_there

OUTSIDE = wanted("CloudNativePG or an external PostgreSQL")


@check("deployment", severity={A: MEDIUM, B: CRITICAL, C: CRITICAL}, clauses=("PG1", "A2", "B4"), evaluation=RELAX)
def deployment(database, settings, scenario):
    """PostgreSQL runs outside the chart.

    The embedded database is one pod on an image that gets no updates, without standby and without a backup of its own: when its node or
    volume goes, the product and its history go with it.

    Fix: run PostgreSQL with CloudNativePG or outside the cluster, and set `postgresql.enabled: false` and `postgresql.host`.
    """
    absent = not_there(database, settings)
    if absent is not None:
        yield absent
    elif database.kind is EMBEDDED:
        label = database.workload.labels.get(HELM_CHART, "")
        at = [
            (database, f"metadata.labels[{HELM_CHART}]", label),
            (database, "spec.template.spec.containers[].image", ", ".join(database.images)),
            host_at(database),
        ]
        verdict = warn if scenario is Scenario.SINGLE_NODE else fail
        found = verdict(database, "embedded", seen=f"the chart's own: {label or ', '.join(database.images)}", wanted=OUTSIDE, at=at, fix=task(MOVE))
        yield forgiven(found, database, settings, scenario)
    elif database.kind is OTHER:
        text = f"in this cluster, neither the chart's nor CloudNativePG's: {', '.join(database.images) or database.config.host}"
        fix = task("Move the data to CloudNativePG or an external PostgreSQL, or have the operator that runs it confirmed")
        yield warn(database, "another operator", seen=text, wanted=OUTSIDE, at=[host_at(database)], fix=fix)
    elif database.kind is CNPG:
        if database.cluster is None and database.cluster_gap:
            raise NotSeen(database.cluster_gap)
        yield ok(database, "CloudNativePG", seen=f"CloudNativePG, by {database.config.host}", at=[host_at(database)])
    else:
        yield ok(database, "external", seen=f"outside this cluster: {database.location.external}", at=[host_at(database)])
