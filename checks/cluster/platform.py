"""Which Kubernetes it is, and whether it is supported."""

from __future__ import annotations

from exivity_audit import CLUSTER, HIGH, RELAX, at_least, check, fail, malformed, maybe, ok, one_of, seen, skip, task, unknown, wanted, warn
from exivity_audit.facts.platform import Distribution, parse_version
from exivity_audit.lifecycle import ended
from exivity_audit.scenario import Scenario

from .shared import nodes_word

KNOWN = frozenset({Distribution.UPSTREAM, Distribution.RKE2, Distribution.K3S, Distribution.OPENSHIFT})


DEVELOPMENT = frozenset({Distribution.KIND, Distribution.MINIKUBE, Distribution.DOCKER_DESKTOP})


LONGER_SUPPORT = frozenset({Distribution.EKS, Distribution.GKE, Distribution.AKS, Distribution.RKE2, Distribution.K3S, Distribution.OPENSHIFT})


LARGEST_SKEW = 3


def day(date):
    """A date as the report prints it."""
    return f"{date.day} {date:%b %Y}"


@check("scenario", severity=HIGH, clauses=("F1", "A1", "B1"))
def scenario_fits(settings, workers):
    """The declared scenario fits the nodes.

    High availability that is declared on one node is none: that node takes everything down with it.

    Fix: declare `scenario: single-node`, or add workers.
    """
    declared, count = settings.scenario.declared, len(workers)
    if count < 2:
        workers.surely()
    text = f"{nodes_word(count)} may carry workloads"
    if declared is None:
        used = settings.scenario.used
        yield (
            ok(CLUSTER, count, seen=f"{text}, {used} detected")
            if used
            else unknown(CLUSTER, "no node may carry workloads; pass `--scenario`", needs=("--scenario",))
        )
    elif declared is Scenario.SINGLE_NODE and count > 1:
        yield skip(CLUSTER, f"{text}, {declared} declared: left to cluster/worker-nodes")
    elif declared is not Scenario.SINGLE_NODE and count <= 1:
        fix = task("Set `scenario: single-node` in `exivity-audit.yaml`, or add workers until there are three")
        yield fail(CLUSTER, count, seen=f"{text}, {declared} declared", wanted=at_least(2, f"workers for {declared}"), fix=fix)
    else:
        yield ok(CLUSTER, count, seen=f"{text}, {declared} declared")


@check("distribution", severity=HIGH, clauses=("F1",), evaluation=RELAX)
def distribution(platform, nodes=maybe):
    """The Kubernetes distribution is one Exivity knows.

    Exivity runs on upstream Kubernetes, RKE2, K3s and OpenShift; learning distributions lose their data with the laptop they run on.

    Fix: move to upstream Kubernetes, RKE2, K3s or OpenShift, or confirm yours with Exivity support.
    """
    found, text = platform.distribution, f"{platform.distribution}, by {platform.signal}"
    want = one_of(*sorted(KNOWN))
    if found not in DEVELOPMENT and seen(nodes):
        yield from malformed(nodes.unreadable, "; it may be the node of a learning distribution")
    if found in KNOWN:
        yield ok(CLUSTER, str(found), seen=text, at=platform.evidence)
    elif found in DEVELOPMENT:
        yield fail(
            CLUSTER,
            str(found),
            seen=text,
            wanted=want,
            at=platform.evidence,
            fix=task("Move the installation to upstream Kubernetes, RKE2, K3s or OpenShift"),
        )
    else:
        yield warn(
            CLUSTER,
            str(found),
            seen=text,
            wanted=want,
            at=platform.evidence,
            fix=task("Confirm this distribution with Exivity support before production"),
        )


@check("kubernetes-version", severity=HIGH, clauses=("F1", "D5"))
def kubernetes_version(server_version, nodes, lifecycle, now, platform=maybe, openshift_version=maybe):
    """Kubernetes is in support and its kubelets are close to it.

    A release past its support gets no security fixes; a kubelet newer than the server or more than three minors older is not supported with it.

    Fix: upgrade the control plane minor by minor, then the kubelets.
    """
    for node in nodes:
        version, path = parse_version(node.kubelet), "status.nodeInfo.kubeletVersion"
        if version is None:
            yield unknown(node, "the node does not say its kubelet's version")
            continue
        skew = server_version.minor - version.minor
        want = wanted(f"1.{max(server_version.minor - LARGEST_SKEW, 0)} to {server_version.release}")
        if version.major != server_version.major or skew < 0:
            fix = task("Upgrade the control plane to the kubelets' minor first")
            yield fail(node, version.text, seen=f"kubelet {version.text}, newer than the server {server_version.text}", wanted=want, at=path, fix=fix)
        elif skew > LARGEST_SKEW:
            fix = task(f"Upgrade the kubelets to {server_version.release}")
            yield fail(node, version.text, seen=f"kubelet {version.text}, {skew} minors behind the server", wanted=want, at=path, fix=fix)
        else:
            yield ok(node, version.text, seen=f"kubelet {version.text}", at=path)
    vendor = _openshift_support(openshift_version, lifecycle, now) if seen(openshift_version) and openshift_version is not None else None
    yield vendor or _support(server_version, lifecycle, now, platform)


def _openshift_support(version, lifecycle, now):
    """The verdict on OpenShift by its own calendar; None for a release that the table does not hold."""
    last, extended = lifecycle.openshift.get(version.release), lifecycle.openshift_extended.get(version.release)
    if last is None:
        return None
    subject, at = CLUSTER.at("version"), [(version, "status.history[].version", version.text), (version, "spec.channel", version.channel)]
    if not ended(last, now):
        return ok(subject, version.text, seen=f"OpenShift {version.text}, supported until {day(last)}", at=at)
    text = f"OpenShift {version.text}, maintenance ended on {day(last)}"
    if extended is not None and not ended(extended, now):
        if version.extended:
            words = f"OpenShift {version.text}, Extended Update Support until {day(extended)}"
            return ok(subject, version.text, seen=words, at=at)
        fix = task(f"Confirm that the subscription holds Extended Update Support, and set the channel eus-{version.release}, or upgrade OpenShift")
        want = wanted("a release in maintenance, or Extended Update Support")
        return warn(subject, version.text, seen=f"{text}, extended until {day(extended)}", wanted=want, at=at, fix=fix)
    want = one_of(*(release for release, end in sorted(lifecycle.openshift.items()) if not ended(end, now)))
    fix = task(f"Upgrade OpenShift from {version.release} to a supported release")
    return fail(subject, version.text, seen=text, wanted=want, at=at, fix=fix)


def _support(server, lifecycle, now, platform):
    table = {(version.major, version.minor): last for key, last in lifecycle.kubernetes.items() if (version := parse_version(f"{key}.0"))}
    minor, subject = (server.major, server.minor), CLUSTER.at("version")
    if not table or (minor not in table and minor > max(table)):
        return unknown(
            subject, f"{server.release} is not in the table of {day(lifecycle.date)}; name a newer one under `lifecycle`", needs=("lifecycle",)
        )
    last = table.get(minor)
    if last is not None and not ended(last, now):
        return ok(subject, server.text, seen=f"{server.text}, supported until {day(last)}")
    text = f"{server.text}, support ended {'on ' + day(last) if last else 'before ' + day(min(table.values()))}"
    want = one_of(*(f"{major}.{small}" for (major, small), end in sorted(table.items()) if not ended(end, now)))
    if platform.distribution in LONGER_SUPPORT:
        fix = task(f"Confirm in {platform.distribution}'s own calendar that {server.release} is still supported, or upgrade it")
        return warn(subject, server.text, seen=f"{text} upstream", wanted=want, fix=fix)
    return fail(
        subject,
        server.text,
        seen=text,
        wanted=want,
        fix=task(f"Upgrade Kubernetes from {server.release} minor by minor to a supported release"),
    )
