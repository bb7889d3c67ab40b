"""What several checks of the row share: which services are which, how many copies, and what hides a pod."""

from __future__ import annotations

from exivity_audit import Scenario, Status, Subject, chart, reasons_of, seen, skip, unknown

SINGLETONS = ("chronos", "executor", "griffon", "proximity-cli")


TWICE = ("glass", "proximity-api", "edify", "horizon", "pigeon")


BETTER_TWICE = ("transcript", "use")


STATELESS = (*TWICE, *BETTER_TWICE)


def unread(*collections):
    """Why absence from these collections proves nothing, as text and rules; empty where it does."""
    reasons = [reason for one in collections for reason in (one.partial if seen(one) else reasons_of(one))]
    texts = [reason.text for reason in reasons]
    texts += [f"malformed: {item.subject}: {item.why}" for one in collections if seen(one) for item in one.unreadable]
    return "; ".join(dict.fromkeys(texts)), tuple(dict.fromkeys(reason.rule for reason in reasons if reason.rule))


def resting(services, scenario):
    """Whether the active one of several sites asks for no copy of anything, which active-replicas says."""
    return scenario is Scenario.MULTI_SITE and bool(services) and not any(one.replicas for one in services)


def at_rest(services, components):
    """A skip for each of these services of a site that asks for no copy of anything."""
    for service in services:
        if service.component in components:
            yield skip(service, "the site asks for no copy of any service", follows="disaster_recovery/active-replicas")


def missing(found, release):
    """The components without a Deployment, as subjects; a malformed Deployment is there."""
    there = {one.subject.name for one in found} | {item.subject.name for item in found.unreadable}
    for component in chart.COMPONENTS:
        name = f"{release.fullname}-{component}"
        if name not in there:
            yield component, Subject("Deployment", name, release.namespace)


def followers(found, release, components):
    """A skip for each missing service; where its absence is not proven it is unknown, as its leader is."""
    why, needs = unread(found)
    for component, subject in missing(found, release):
        if component in components:
            yield unknown(subject, why, needs=needs) if why else skip(subject, "the Deployment is missing", follows="application/services-present")


def scalers_of(autoscalers, service, *, paused=False):
    """The autoscalers that scale a service, with ``paused`` also those that are told to pause; none where they could not be read."""
    found = autoscalers if seen(autoscalers) else ()
    return tuple(one for one in found if one.targets(service.subject) and (paused or not one.paused))


def asked_twice(found, autoscalers):
    """The stateless services that are asked for at least twice, by their Deployment or by an autoscaler's minimum."""
    for service in found:
        least = [one.minimum for one in scalers_of(autoscalers, service)]
        if service.component in STATELESS and max([service.replicas, *least]) >= 2:
            yield service


def perhaps_twice(found, autoscalers):
    """An unknown for each stateless service with fewer than two copies that an autoscaler may ask for twice which was not seen."""
    why, needs = unread(autoscalers)
    twice = {service.component for service in asked_twice(found, autoscalers)}
    for service in found if why else ():
        if service.component in STATELESS and service.component not in twice:
            yield unknown(service, f"whether an autoscaler asks for two copies cannot be told: {why}", needs=needs)


def copies(service, scenario, autoscalers):
    """Status, measured copies and what could not be seen, by the rule of stateless-replicas."""
    least = 1 if scenario is Scenario.SINGLE_NODE else 2
    minima = [one.minimum for one in scalers_of(autoscalers, service)]
    measured = max([service.replicas, *minima])
    if measured >= least:
        sinks = bool(minima) and max(minima) < least
        return (Status.WARN if sinks else Status.PASS), (max(minima) if sinks else measured), ("", ())
    why = unread(autoscalers)
    if why[0]:
        return Status.UNKNOWN, measured, why
    hard = service.component in TWICE or least == 1
    return (Status.FAIL if hard else Status.WARN), measured, ("", ())


def placed(service):
    """The service's copies that run on a node."""
    return tuple(pod for pod in service.workload.alive if pod.running and pod.node)


def together(service, least=2):
    """Whether a service that is asked for several times runs several copies, all on one node."""
    running = placed(service)
    return len(running) >= least and len({pod.node for pod in running}) == 1
