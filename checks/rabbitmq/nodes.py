"""How many nodes the broker has, and where they keep their data."""

from __future__ import annotations

from exivity_audit import (
    HIGH,
    MEDIUM,
    REINSTALL,
    RELAX,
    Scenario,
    check,
    exactly,
    fail,
    ok,
    one_of,
    print_size,
    skip,
    task,
    to_attest,
    unknown,
    values,
    wanted,
    warn,
)
from exivity_audit.facts.broker import BrokerKind

from .shared import REACHED, by_home, none_named, plural


@check("clustering", severity=MEDIUM, clauses=("MQ4",))
def clustering(brokers, release, settings, scenario):
    """Clustering is off unless designed for.

    One node that Kubernetes starts anew suffices for transient work. A cluster adds partitions and quorum to what may go wrong, and one of an
    even number of nodes stops at half of them.

    Fix: set `spec.replicas: 1` on the RabbitmqCluster, or declare `rabbitmq: {clustered: true}` for one of 3 or 5 nodes.
    """
    if not brokers:
        yield none_named(brokers, release)
    for subject, broker in by_home(brokers):
        yield clustered(subject, broker, settings, scenario)
    if brokers and not by_home(brokers):
        yield skip(release, "the configuration leads to no broker", follows=REACHED)


def node_evidence(broker):
    """Where the number of nodes stands: what is asked for, and what is there."""
    places = [(broker.cluster, broker.cluster.replicas)] if broker.cluster is not None else []
    places += [(broker.workload, broker.workload.replicas)] if broker.workload is not None else []
    return [(place, "spec.replicas", count) for place, count in places]


def clustered(subject, broker, settings, scenario):
    """The verdict on one broker: its nodes, as asked for and as they run."""
    if broker.kind is BrokerKind.EXTERNAL:
        return skip(subject, "a broker outside this cluster is designed there")
    count, running = broker.replicas, len([pod for pod in broker.pods if pod.running])
    if not count:
        return skip(subject, "it has no node", follows=REACHED)
    text = plural(count, "node")
    if running != count:
        text += f", {running} running"
    if broker.cluster is not None and count > broker.cluster.replicas:
        text += f"; {broker.cluster.subject} asks for {broker.cluster.replicas}, and the operator never scales down"
    at, one = node_evidence(broker), exactly(1, "node")
    fix = task(f"Move to a broker with one node, in place of {subject}, or declare `rabbitmq: {{clustered: true}}` for a cluster of 3 or 5")
    if count == 1:
        return ok(subject, 1, seen=text, at=at)
    if count % 2 == 0:
        odd = task(f"Give {subject} one node, or 3 or 5 where the design asks for a cluster")
        return fail(subject, count, seen=f"{text}: half of them decide nothing", wanted=one_of(1, 3, 5, note="nodes"), at=at, fix=odd)
    if scenario is Scenario.SINGLE_NODE:
        return warn(subject, count, seen=f"{text} on one machine", wanted=one, at=at, fix=fix)
    if broker.kind is BrokerKind.EMBEDDED:
        return warn(subject, count, seen=f"{text} of the chart's own broker", wanted=one, at=at, fix=values("rabbitmq.replicaCount", 1))
    if settings.declare.rabbitmq.clustered:
        return ok(subject, count, seen=f"{text}, declared", at=at)
    return warn(subject, count, seen=f"{text}, and the config declares no cluster", wanted=one, at=at, fix=fix)


DURABLE = wanted("a bound claim for the broker's data")


@check(
    "persistence", severity=HIGH, clauses=("MQ6",), evaluation=RELAX,
    attest="attach from the broker's platform that messages and definitions outlive its restart",
)  # fmt: skip
def persistence(brokers, release):
    """The broker's data lies on a volume.

    Without one a restart forgets queues, users and the jobs that wait: work that was accepted is lost.

    Fix: set `spec.persistence.storage` of a new RabbitmqCluster, or `rabbitmq.persistence.enabled: true` for the chart's broker.
    """
    if not brokers:
        yield none_named(brokers, release)
    for subject, broker in by_home(brokers):
        yield durable(subject, broker)
    if brokers and not by_home(brokers):
        yield skip(release, "the configuration leads to no broker", follows=REACHED)


def durable(subject, broker):
    """The verdict on one broker: what its spec asks for, and the claims that its pods mount."""
    if broker.kind is BrokerKind.EXTERNAL:
        return to_attest(
            broker, f"{broker.server} lies outside this cluster: show where it keeps its data, and record it in `evidence.yaml`", at=[broker.at]
        )
    cluster = broker.cluster
    if cluster is not None and not cluster.durable:
        path, text = ("emptyDir", "emptyDir") if cluster.empty_dir else ("storage", "0")
        fix = task(f"Create a RabbitmqCluster with `spec.persistence.storage: 10Gi` in place of {subject}: the field cannot be changed")
        return fail(
            subject, text, seen=f"{path} {text}" if path != text else text, wanted=DURABLE, at=[(cluster, f"spec.persistence.{path}", text)], fix=fix
        )
    pods = [pod for pod in broker.pods if pod.alive]
    claims = broker.claims
    bare = [pod for pod in pods if not pod.claims]
    if bare:
        text = f"no claim: {'a folder of the node' if bare[0].host_paths else 'its data lies in the pod'}"
        return fail(subject, "no claim", seen=text, wanted=DURABLE, at=[(bare[0], "spec.volumes", "no claim")], fix=volume_fix(subject, broker))
    at = [(claim, "status.phase", claim.phase) for claim in claims]
    unbound = [claim for claim in claims if not claim.bound]
    if unbound:
        text = f"claim {unbound[0].name} is {unbound[0].phase or 'without a phase'}"
        fix = task(f"Bring {unbound[0].subject} to Bound: `kubectl describe pvc -n {unbound[0].namespace} {unbound[0].name}` says what is missing")
        return fail(subject, unbound[0].phase, seen=text, wanted=DURABLE, at=at, fix=fix)
    lost = sorted({name for pod in pods for name in pod.claims} - {claim.name for claim in claims})
    if lost:
        return unknown(subject, f"its claim {lost[0]} was not seen", at=at)
    if not claims:
        return skip(subject, "it has no pod and no claim", follows=REACHED)
    sizes = [f"{claim.name} {print_size(size)}" if (size := claim.capacity or claim.request) else claim.name for claim in claims]
    return ok(subject, sizes, at=at)


def volume_fix(subject, broker):
    """How the broker gets a claim."""
    if broker.kind is BrokerKind.EMBEDDED:
        return values("rabbitmq.persistence.enabled", True, needs=REINSTALL)  # a StatefulSet's claims cannot be changed
    return task(f"Give {subject} a claim for the folder of its data")
