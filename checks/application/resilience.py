"""Drains, restarts and requests."""

from __future__ import annotations

from datetime import timedelta

from exivity_audit import (
    LOW,
    MEDIUM,
    Duration,
    Purpose,
    chart,
    check,
    exactly,
    fail,
    maybe,
    ok,
    print_duration,
    size,
    skip,
    task,
    unknown,
    wanted,
    warn,
)

from .shared import SINGLETONS, asked_twice, perhaps_twice, scalers_of, unread

RESTARTS, RECENT = 5, timedelta(hours=24)


DEFAULT_MEMORY = {"proximity-api": "400Mi"}  # where the chart's default request is not 50Mi


CHART_CPU = 0.025  # chart.DEFAULT_CPU in cores


REQUESTS = "Set `service.<name>.resources.requests` for each service from the CPU and memory it is seen to use"


RESTARTING = "Read `kubectl logs --previous` of the container and remove what ends it"


@check("disruption", severity=LOW, clauses=("X2",))
def disruption(declared_services, budgets, release, autoscalers=maybe):
    """Drains leave a copy of each service running.

    A PodDisruptionBudget makes a drain wait until another copy is ready; one that spares no copy at all makes it wait for ever.

    Fix: add a PodDisruptionBudget with `maxUnavailable: 1` for each stateless service, and none for the singletons; the chart ships none.
    """
    why, needs = unread(budgets)
    several = {service.component for service in asked_twice(declared_services, autoscalers)}
    labels = {service.component: service.workload.template_labels for service in declared_services}
    least = {service.component: max([service.replicas, *(one.minimum for one in scalers_of(autoscalers, service))]) for service in declared_services}
    unsure = tuple(perhaps_twice(declared_services, autoscalers))
    yield from unsure
    judged = bool(unsure)
    for service in declared_services:
        covering = [one for one in budgets if one.covers(labels[service.component])]
        where = [(one, "spec", one.rule) for one in covering]
        names = ", ".join(one.name for one in covering)
        pinning = [
            one for one in covering if one.spared(sum(other.replicas for other in declared_services if one.covers(labels[other.component]))) < 1
        ]
        if service.component not in several and not (service.component in SINGLETONS and service.replicas > 0 and pinning):
            continue
        judged = True
        if pinning:
            fix = task(f"Delete PodDisruptionBudget {pinning[0].name}, or set `maxUnavailable: 1` on it")
            text = f"PodDisruptionBudget {pinning[0].name} ({pinning[0].rule}) lets no pod go: a drain of its node never ends"
            yield warn(service, pinning[0].rule, seen=text, wanted=wanted("a drain that can end"), at=where, fix=fix)
        elif len(covering) > 1:
            fix = task(f"Keep one of the PodDisruptionBudgets {names}")
            text = f"PodDisruptionBudgets {names} select the same pods: evictions are refused"
            yield warn(service, len(covering), seen=text, wanted=exactly(1, note="PodDisruptionBudget"), at=where, fix=fix)
        elif covering and covering[0].spared(sum(least[name] for name in labels if covering[0].covers(labels[name]))) >= least[service.component]:
            fix = task(f"Set `maxUnavailable: 1` on PodDisruptionBudget {names}, and let it select one service alone")
            text = f"PodDisruptionBudget {names} ({covering[0].rule}) lets all {least[service.component]} copies go at once"
            yield warn(service, covering[0].rule, seen=text, wanted=wanted("a copy that stays"), at=where, fix=fix)
        elif covering:
            yield ok(service, names, at=where)
        elif why:
            yield unknown(service, f"no PodDisruptionBudget seen, but one cannot be ruled out: {why}", needs=needs)
        else:
            fix = task("Add a PodDisruptionBudget with `maxUnavailable: 1` for each stateless service: the chart ships none")
            yield warn(service, "no PodDisruptionBudget", wanted=wanted("one with `maxUnavailable: 1`"), fix=fix)
    if not judged:
        yield skip(release, "no service is asked for twice, and no PodDisruptionBudget pins a singleton")


def kills(workload, now):
    """What went wrong lately in a workload's containers, and which restarts have no time."""
    found, undated = [], []
    for pod in workload.pods:
        for state in pod.states:
            ago = f" {print_duration(Duration(max((now - state.last_finished).total_seconds(), 0)))} ago" if state.last_finished else ""
            if "OOMKilled" in (state.last_reason, state.ended_reason):
                found.append((pod, f"{state.name} OOMKilled{ago if state.last_reason == 'OOMKilled' else ''}, {state.restarts} restarts"))
            elif state.restarts > RESTARTS and state.last_finished is None:
                undated.append(f"{state.name} restarted {state.restarts} times")
            elif state.restarts > RESTARTS and now - state.last_finished <= RECENT:
                found.append((pod, f"{state.name} restarted {state.restarts} times, the last time{ago} ({state.last_reason or 'no reason'})"))
    return found, undated


def untouched(service):
    """Whether the service's container asks for what the chart ships, or for nothing at all."""
    own = [one for one in service.workload.containers if one.name == service.component] or list(service.workload.containers[:1])
    memory = size(DEFAULT_MEMORY.get(service.component, chart.DEFAULT_MEMORY))
    for container in own:
        asked = container.cpu_request, container.memory_request
        if asked == (None, None):
            return "no requests"
        if asked == (CHART_CPU, memory):
            return f"{container.cpu_text} CPU, {container.memory_text} (the chart's default)"
    return None


@check("resources", severity=MEDIUM, clauses=("X2", "R5"))
def resources(services, settings, now):
    """Containers ask for what they use and are not killed.

    A container that is killed for memory loses the job it works on; requests of 25m and 50Mi tell the scheduler nothing about the load.

    Fix: set `service.<name>.resources` from observed CPU and memory.
    """
    for service in services:
        killed, undated = kills(service.workload, now)
        path = f"service.{service.key}.resources"
        default = untouched(service) if settings.purpose is Purpose.PRODUCTION else None
        where = "spec.template.spec.containers[].resources"
        if killed:
            texts = tuple(dict.fromkeys(text for _, text in killed))
            memory = any("OOMKilled" in text for text in texts)
            raised = f"Raise `{path}.limits.memory` and `{path}.requests.memory` above what it uses"
            fix = task(raised, fill=(f"{path}.limits.memory", f"{path}.requests.memory")) if memory else task(RESTARTING)
            sources = [(pod, "status.containerStatuses[].lastState.terminated.reason", text) for pod, text in killed]
            yield fail(service, texts[0], seen="; ".join(texts), wanted=wanted("no OOMKilled, ≤ 5 restarts"), at=sources, fix=fix)
        elif undated:
            yield unknown(service, f"{'; '.join(undated)}; when is not recorded: see `kubectl describe pod`")
        elif default:
            yield warn(
                service,
                default,
                wanted=wanted("requests from observed use"),
                at=where,
                fix=task(REQUESTS, fill=(f"{path}.requests.cpu", f"{path}.requests.memory")),
            )
        else:
            yield ok(service, "own requests" if settings.purpose is Purpose.PRODUCTION else "no restarts", at=where)
