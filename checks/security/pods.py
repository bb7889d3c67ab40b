"""What the pods may do on their nodes, and whether they can pull their images."""

from __future__ import annotations

from exivity_audit import LOW, MEDIUM, check, fail, ok, one_of, skip, task, values, wanted, warn
from exivity_audit.facts.namespace import Belongs

HELPER = "set-volume-permissions"
WAY_OUT = (
    f"init container {HELPER} runs as root: storage that keeps owners (`fsGroup`, or NFS with the right owner) makes it needless, then set"
    " `storage.permissions.enabled: false`"
)
PULLING = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")
SPEC = "spec.template.spec"


@check("pod-security", severity=MEDIUM, clauses=("D5",))
def pod_security(workloads, tenants):
    """Containers run without root.

    A container that runs as root, or with the node's folders and namespaces, is one flaw away from the node and from every other pod on it.

    Fix: keep the chart's `global.securityContext`: `runAsNonRoot: true` and a user other than 0.
    """
    ours = {one.subject: one.belongs for one in tenants if one.belongs in (Belongs.RELEASE, Belongs.MIDDLEWARE)}
    for workload in workloads:
        if workload.subject in ours:
            yield safe(workload, ours[workload.subject])


def safe(workload, belongs):
    """The verdict on one workload: its template, and the pods that run of it."""
    pods = [pod.security for pod in workload.alive]
    bodies = [workload.security, *pods]
    reach = sorted({name for body in bodies for name in body.host_namespaces})
    folders = sorted({path for part in (workload, *workload.alive) for path in part.host_paths})
    containers = [one for body in bodies for one in body.containers]
    privileged = sorted({one.name for one in containers if one.privileged})
    roots = sorted({one.name for one in containers if not one.first and one.root})
    want = wanted("non-root containers without privileges, folders or namespaces of the node")
    texts = [f"{name} is root" for name in roots] + [f"{name} is privileged" for name in privileged]
    texts += [f"folder {path} of the node" for path in folders] + reach
    at = [
        (workload, f"{SPEC}.securityContext", ", ".join(texts) or "non-root"),
        (workload, f"{SPEC}.containers[].securityContext", ", ".join(texts) or "non-root"),
    ]
    if texts:
        return fail(workload, ", ".join(texts), wanted=want, at=at, fix=repair(workload, belongs, roots and len(texts) == len(roots)))
    unsaid = sorted({one.name for one in workload.security.containers if not one.first and one.root is None and not said(one.name, pods)})
    first = sorted({one.name for one in containers if one.first and one.root})
    remark = WAY_OUT if HELPER in first else ""
    if unsaid:
        text = f"nothing keeps {', '.join(unsaid)} from root: the image says the user"
        return warn(workload, text, wanted=want, at=at, fix=repair(workload, belongs, True), remark=remark)
    others = [name for name in first if name != HELPER]
    if others:
        fix = task(f"Run the init container {', '.join(others)} of {workload.subject} as another user than root")
        return warn(workload, f"init container {', '.join(others)} is root", wanted=want, at=at, fix=fix, remark=remark)
    return ok(workload, "non-root", at=at, remark=remark)


def said(name, pods):
    """Whether every pod that runs keeps a container from root: admission may have filled in what the template leaves out."""
    found = [[one for one in body.containers if one.name == name] for body in pods]
    return bool(found) and all(group and all(one.root is False for one in group) for group in found)


def repair(workload, belongs, by_user):
    """What sets it: the chart's global security context, or the workload itself."""
    if by_user and belongs is Belongs.RELEASE:
        return values("global.securityContext.runAsNonRoot", True) & values("global.securityContext.runAsUser", 1000)
    return task(f"Run the containers of {workload.subject} with `runAsNonRoot: true`, and without privileges, folders and namespaces of the node")


@check("image-pull", severity=LOW, clauses=("D5",))
def image_pull(named_pull_secrets, release):
    """Named pull secrets exist.

    A pod whose pull secret is missing keeps running until it moves to a node that has not pulled the image yet, and then does not start.

    Fix: create the Secret that `service.pullSecrets` names, of type `kubernetes.io/dockerconfigjson`.
    """
    if not named_pull_secrets:
        yield skip(release, "no workload of the release names a pull secret")
    for one in named_pull_secrets:
        count = f"{len(one.workloads)} workload{'' if len(one.workloads) == 1 else 's'}"
        at = [(one, f"{SPEC}.imagePullSecrets", one.subject.name)]
        fix = task(f"Create {one.subject} with `kubectl create secret docker-registry`, or correct `service.pullSecrets`")
        if one.type is None:
            yield fail(one, "missing", seen=f"missing, named by {count}", wanted=wanted("the Secret"), at=at, fix=fix)
        elif one.type not in PULLING:
            yield fail(
                one, one.type, seen=f"of type {one.type}, which no kubelet pulls with, named by {count}", wanted=one_of(*PULLING), at=at, fix=fix
            )
        else:
            yield ok(one, one.type, seen=f"{one.type}, named by {count}", at=at)
