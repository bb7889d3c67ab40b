"""Application: the eleven services run as often as they should, where they should, and survive a node."""

from __future__ import annotations

from exivity_audit import ACTIVE_C, CRITICAL, HIGH, A, B, check, exactly, fail, ok, skip, values, warn
from exivity_audit import chart

SINGLETONS = ("chronos", "executor", "griffon", "proximity-cli")


@check("services-present", severity=HIGH, clauses=("B9",))
def services_present(declared_services, release):
    """The eleven services exist.

    A service that is missing leaves its part of the pipeline undone, and nothing else takes its work.

    Fix: install the chart whole; no value leaves a service out.
    """
    there = {service.component: service for service in declared_services}
    for component in chart.COMPONENTS:
        if component in there:
            yield ok(there[component], "there", at="metadata.name")
            continue
        declared_services.surely()
        from exivity_audit import Subject

        yield fail(Subject("Deployment", f"{release.fullname}-{component}", release.namespace), "missing", wanted=exactly("there"))


@check("singletons", severity=CRITICAL, clauses=("R3", "B9"), applies=(A, B, ACTIVE_C))
def singletons(services):
    """The four singletons run exactly once.

    They own scheduling, dispatch and command execution: a second copy duplicates work.

    Fix: set `service.<name>.replicas: 1` in the chart values.
    """
    for service in services:
        if service.component not in SINGLETONS:
            continue
        fix = values(f"service.{service.key}.replicas", 1)
        copies = max(service.replicas, service.running)
        want = exactly(1, note="a second one duplicates its work")
        if service.replicas == 1 and service.running == 0:
            yield skip(service, "none runs", follows="application/replicas-ready")
        elif service.replicas == 1 and service.running == 1:
            yield ok(service, 1, at="spec.replicas")
        elif service.replicas == 1 and service.running == 2 and service.workload.rolling:
            yield warn(service, 2, seen="2 running during a rollout", wanted=want, at="spec.replicas", fix=fix)
        else:
            yield fail(service, copies, seen=f"{service.running} running, {service.replicas} asked for", wanted=want, at="spec.replicas", fix=fix)
