"""The services exist, and their copies are ready."""

from __future__ import annotations

from exivity_audit import HIGH, Role, chart, check, exactly, fail, maybe, ok, seen, skip, task, unknown, wanted, warn

from .shared import SINGLETONS, followers, missing, unread

CRASHES = ("CrashLoopBackOff", "RunContainerError", "CreateContainerError", "CreateContainerConfigError")


PULLS = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable")


@check("services-present", severity=HIGH, clauses=("B9",))
def services_present(declared_services, release):
    """The eleven services exist.

    A service that is missing leaves its part of the pipeline undone, and nothing else takes its work.

    Fix: install the chart whole; no value leaves a service out.
    """
    for service in declared_services:
        yield ok(service, "there", at="metadata.name")
    why, needs = unread(declared_services)
    for component, subject in missing(declared_services, release):
        if why:
            yield unknown(subject, why, needs=needs)
        else:
            fix = task("Run `helm upgrade` with the release's own values (or sync it): the chart always makes all eleven Deployments")
            yield fail(subject, "missing", wanted=exactly("there", note=f"nothing else does the work of {component}"), fix=fix)


def troubles(workload):
    """What keeps pods from running, in the kubelet's and the scheduler's words."""
    found = []
    for pod in workload.alive:
        if pod.unschedulable:
            found.append(f"unschedulable: {pod.unschedulable}")
        reasons = [*pod.init_waiting, *(state.waiting for state in pod.states)]
        found += [reason for reason in reasons if reason in (*CRASHES, *PULLS)]
    return tuple(dict.fromkeys(found))


def cure(service, found):
    """The remedy for the first trouble of a service."""
    path = f"service.{service.key}"
    if any(one in PULLS for one in found):
        return task(f"Correct `{path}.registry`, `{path}.tag` or `service.pullSecrets` until the image can be pulled")
    if any(one.startswith("unschedulable") for one in found):
        return task(f"Give the pod a node: free or add room, or correct `{path}.nodeSelector`, `{path}.nodeName` and tolerations")
    if found:
        return task(f"Read `kubectl logs --previous deployment/{service.subject.name}` and remove what ends the container")
    return task(f"Read `kubectl describe deployment {service.subject.name}` and its pods' events for what keeps the copies from being ready")


@check("replicas-ready", severity=HIGH, clauses=("B9", "R1", "R2", "R3"))
def replicas_ready(declared_services, release, settings, services=maybe, pods=maybe):
    """Every copy that is asked for is ready.

    A copy that cannot be scheduled, crashes or has no image does no work, and a service without a ready copy stands still.

    Fix: remove what keeps the pods from being ready; `kubectl describe pod` names it.
    """
    looked = {service.component: service for service in services} if seen(services) else {}
    for declared in declared_services:
        service = looked.get(declared.component, declared)
        workload = service.workload
        none_seen = seen(pods) and pods.complete and not workload.alive
        ready = 0 if none_seen else workload.ready
        found = troubles(workload)
        text = "; ".join([f"{ready} of {service.replicas} ready", *found])
        excess = service.component in SINGLETONS and service.replicas > 1 and settings.role is not Role.PASSIVE
        if excess and 0 < ready < service.replicas:
            yield skip(service, f"{text}, and no second one is wanted", follows="application/singletons")
        elif ready < service.replicas:
            yield fail(service, ready, seen=text, wanted=exactly(service.replicas), at="status.readyReplicas", fix=cure(service, found))
        elif found:
            text = f"{text} in a further pod"
            yield warn(service, ready, seen=text, wanted=wanted("no pod that cannot start"), at="status.readyReplicas", fix=cure(service, found))
        elif workload.observed < workload.generation:
            why = f"its status is of generation {workload.observed}, and generation {workload.generation} is asked for: run the audit again"
            yield unknown(service, f"{text}, but {why}", at="status.observedGeneration")
        else:
            yield ok(service, ready, seen=f"{ready} of {service.replicas} ready", at="status.readyReplicas")
    yield from followers(declared_services, release, chart.COMPONENTS)
