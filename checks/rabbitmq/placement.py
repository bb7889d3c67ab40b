"""What keeps the broker, and where it runs."""

from __future__ import annotations

from exivity_audit import CRITICAL, MEDIUM, RELAX, A, B, C, Purpose, Scenario, check, fail, ok, one_of, task, wanted, warn
from exivity_audit.facts.broker import BrokerKind

from .shared import TO_BROKER, missing, none_named

OPERATOR = "a RabbitmqCluster of the RabbitMQ Cluster Operator"
NOT_CHART = wanted(OPERATOR)


def kind_evidence(broker):
    """Where the configuration names the broker, and the object that shows what keeps it."""
    at = [broker.at]
    if broker.cluster is not None:
        at.append((broker.cluster, "metadata.name", broker.cluster.name))
    elif broker.workload is not None:
        at.append((broker.workload, "spec.template.spec.containers[].image", broker.image))
    return at


@check(
    "deployment", severity={A: MEDIUM, B: CRITICAL, C: CRITICAL}, clauses=("MQ2", "A3", "B5"), evaluation=RELAX,
)  # fmt: skip
def deployment(brokers, release, settings, scenario):
    """RabbitMQ runs outside the chart.

    The chart's own broker runs from `bitnamilegacy`, an archive of images that gets no security fixes; it suits evaluation and small
    single-node installations. The Cluster Operator runs the project's own images and keeps them current.

    Fix: install the RabbitMQ Cluster Operator, create a RabbitmqCluster with one node, set `rabbitmq.enabled: false` and name its Service in
    `rabbitmq.host`.
    """
    if not brokers:
        yield none_named(brokers, release)
    for broker in brokers:
        yield deployed(broker, settings, scenario)


def deployed(broker, settings, scenario):
    """The verdict on one configured server."""
    if broker.kind is BrokerKind.MISSING:
        return missing(broker)
    if broker.kind is BrokerKind.EXTERNAL:
        remark = "" if settings.declare.rabbitmq.managed else "declare `rabbitmq: {managed: true}` where the platform's standard asks for it"
        text = f"{broker.server}, managed by the platform as declared" if not remark else f"{broker.server}, outside this cluster"
        return ok(broker, "external", seen=text, at=[broker.at], remark=remark)
    at = kind_evidence(broker)
    if broker.kind is BrokerKind.OPERATOR and not broker.legacy:
        return ok(broker, "operator", seen=str(broker.home), at=at)
    if broker.kind is BrokerKind.OTHER:
        fix = task(f"Move {broker.server} to {TO_BROKER}")
        return warn(broker, "other", seen=f"{broker.home}, from {broker.image or 'an image that was not seen'}", wanted=NOT_CHART, at=at, fix=fix)
    return embedded(broker, at, settings, scenario)


def embedded(broker, at, settings, scenario):
    """The chart's broker, or one that runs from the same archive of images."""
    text = f"{broker.home}, from {broker.image}" if broker.image else f"{broker.home}"
    fix = task(f"Set `rabbitmq.enabled: false` and `rabbitmq.host` to a broker of {TO_BROKER}")
    if broker.kind is BrokerKind.OPERATOR:
        fix = task(f"Remove `spec.image` from {broker.home}, so that the operator runs the project's own image")
    if scenario is not Scenario.SINGLE_NODE:
        return fail(broker, "embedded", seen=text, wanted=NOT_CHART, at=at, fix=fix)
    if settings.purpose is Purpose.EVALUATION:
        return ok(broker, "embedded", seen=text, at=at, remark="the chart's own broker, accepted for evaluation")
    return warn(broker, "embedded", seen=text, wanted=NOT_CHART, at=at, fix=fix)


@check("site-local", severity=MEDIUM, clauses=("MQ1", "MQ3", "C3"))
def site_local(brokers, release, settings):
    """RabbitMQ runs in this cluster.

    It carries transient work alone. Beside the product it fails and recovers with it; elsewhere it adds a line that jobs wait for. A managed
    broker is for sites whose platform standard asks for one.

    Fix: name a Service of this cluster in `rabbitmq.host`, or declare `rabbitmq: {managed: true}` in the config.
    """
    if not brokers:
        yield none_named(brokers, release)
    for broker in brokers:
        if broker.kind is BrokerKind.MISSING:
            yield missing(broker)
        elif broker.inside:
            name, namespace = broker.location.named
            yield ok(broker, broker.host, seen=f"Service {namespace}/{name}", at=[broker.at])
        elif settings.declare.rabbitmq.managed:
            yield ok(broker, broker.host, seen=f"{broker.server}, managed by the platform as declared", at=[broker.at], remark="outside this cluster")
        else:
            fix = task("Run the broker in this cluster and name its Service in `rabbitmq.host`, or declare `rabbitmq: {managed: true}`")
            want = one_of("a Service of this cluster", "a managed broker that is declared")
            yield warn(broker, broker.host, seen=f"{broker.server}, outside this cluster", wanted=want, at=[broker.at], fix=fix)
