"""Mutations of the row rabbitmq."""

from __future__ import annotations

from typing import Any

from exivity_audit.config import BrokerIntent, Config, Declare
from exivity_audit.verdict import Status
from tests.builders import made
from tests.mutation import Mutation, drop, put
from tests.probed_servers import ANSWERED, MANAGED, Probes, changed, handshake
from tests.products import rabbitmq as broker

CLUSTER, SET, POD, CLAIM = "mq", "mq-server", "mq-server-0", "persistence-mq-server-0"
TEMPLATE_IMAGE, POD_IMAGE = "spec.template.spec.containers.0.image", "spec.containers.0.image"


def _cluster(path: str, value: Any) -> Any:
    return lambda c: c.edit("RabbitmqCluster", CLUSTER, put(path, value))


def _image(image: str) -> Any:
    def change(c: Any) -> None:
        c.edit("RabbitmqCluster", CLUSTER, put("spec.image", image))
        c.edit("StatefulSet", SET, put(TEMPLATE_IMAGE, image))
        c.edit("Pod", POD, put(POD_IMAGE, image))

    return change


def _nodes(count: int) -> Any:
    def change(c: Any) -> None:
        c.edit("RabbitmqCluster", CLUSTER, put("spec.replicas", count))
        c.edit("StatefulSet", SET, put("spec.replicas", count))

    return change


def _led(host: str, port: int, secure: bool, **login: str) -> Any:
    return lambda c: broker.configured(c, host, port, secure, **login)


def _embedded(c: Any) -> None:
    c.add(*broker.embedded())
    broker.configured(c, broker.EMBEDDED_HOST, 5672, False)


def _other(c: Any) -> None:
    c.add(*broker.other())
    broker.configured(c, "rabbit.messaging.svc", 5671, True)


def _no_service(c: Any) -> None:
    c.remove("Service", CLUSTER)


def _classic_queue(c: Any) -> None:
    c.add(
        made(
            broker.API,
            "Queue",
            "report",
            broker.SPACE,
            spec={"name": "REPORT", "vhost": "/", "type": "classic", "durable": True, "rabbitmqClusterReference": {"name": CLUSTER}},
        )
    )


def _mirrors(c: Any) -> None:
    spec = {
        "name": "mirror",
        "vhost": "/",
        "pattern": ".*",
        "applyTo": "queues",
        "definition": {"ha-mode": "all"},
        "rabbitmqClusterReference": {"name": CLUSTER},
    }
    c.add(made(broker.API, "Policy", "mirror", broker.SPACE, spec=spec))


def _pod_folder(c: Any) -> None:
    c.edit("Pod", POD, put("spec.volumes", [{"name": "persistence", "emptyDir": {}}]))


def _probed(changes: Any) -> Any:
    """A run whose probe sees a broker, with some of it changed."""

    def change(c: Any) -> None:
        c.usage = Probes(broker=changed(ANSWERED, changes))

    return change


MUTATIONS = [
    Mutation("the product uses the chart's own broker", "multi_node", "rabbitmq/deployment", _embedded,
             also=("rabbitmq/version", "rabbitmq/monitoring", "security/images-patched", "rabbitmq/tls", "rabbitmq/queues", "rabbitmq/consumer-timeout", "rabbitmq/leftover")),
    Mutation("the operator's broker runs from the archive", "multi_node", "rabbitmq/deployment", _image("docker.io/bitnamilegacy/rabbitmq:4.3.1"), live=False, also=("security/images-patched",)),
    Mutation("somebody's own broker is used", "multi_node", "rabbitmq/deployment", _other, Status.WARN, also=("rabbitmq/queues", "rabbitmq/consumer-timeout", "rabbitmq/monitoring")),
    Mutation("the broker lies outside", "multi_node", "rabbitmq/site-local", _led("rabbitmq.corp.example.net", 5671, True), Status.WARN),
    Mutation("the host names no Service", "multi_node", "rabbitmq/connectivity", _led("mq.messaging.svc", 5671, True)),
    Mutation("the Service of the broker is gone", "single_node", "rabbitmq/connectivity", _no_service),
    Mutation("the port is none of the Service", "multi_node", "rabbitmq/connectivity", _led("mq.rabbitmq.svc", 5673, True)),
    Mutation("no endpoint is ready", "multi_node", "rabbitmq/connectivity", lambda c: c.edit("EndpointSlice", "mq-x7k2p", put("endpoints.0.conditions.ready", False)), live=False),
    Mutation("the operator cannot reconcile", "multi_node", "rabbitmq/connectivity", _cluster("status.conditions.3.status", "False")),
    Mutation("not every node of the broker is ready", "single_node", "rabbitmq/connectivity", _cluster("status.conditions.0.status", "False")),
    Mutation("the login is guest", "multi_node", "rabbitmq/authentication", _led("mq.rabbitmq.svc", 5671, True, user="guest")),
    Mutation("the login is the chart's", "single_node", "rabbitmq/authentication", _led("mq.rabbitmq.svc", 5671, True, user="user", password="pass"),
             also=("secrets/rabbitmq-password",)),
    Mutation("the broker offers no TLS", "multi_node", "rabbitmq/tls", lambda c: c.edit("RabbitmqCluster", CLUSTER, drop("spec.tls"))),
    Mutation("plaintext to a broker that takes TLS alone", "multi_node", "rabbitmq/tls", _led("mq.rabbitmq.svc", 5671, False)),
    Mutation("plaintext to a broker outside", "multi_node", "rabbitmq/tls", _led("rabbitmq.corp.example.net", 5672, False)),
    Mutation("two nodes", "multi_node", "rabbitmq/clustering", _nodes(2), live=False),
    Mutation("three nodes that nobody declared", "multi_node", "rabbitmq/clustering", _nodes(3), Status.WARN, live=False),
    Mutation("four nodes, declared", "multi_node", "rabbitmq/clustering", _nodes(4), live=False, config=Config(declare=Declare(rabbitmq=BrokerIntent(clustered=True)))),
    Mutation("three nodes on one machine", "single_node", "rabbitmq/clustering", _nodes(3), Status.WARN, live=False),
    Mutation("storage is 0", "multi_node", "rabbitmq/persistence", _cluster("spec.persistence.storage", "0")),
    Mutation("an emptyDir is asked for", "single_node", "rabbitmq/persistence", _cluster("spec.persistence.emptyDir", {"sizeLimit": "1Gi"})),
    Mutation("the pod keeps its data itself", "multi_node", "rabbitmq/persistence", _pod_folder, live=False),
    Mutation("the broker's claim is pending", "multi_node", "rabbitmq/persistence", lambda c: c.edit("PersistentVolumeClaim", CLAIM, put("status.phase", "Pending")), live=False),
    Mutation("classic is the default queue type", "multi_node", "rabbitmq/queues", _cluster("spec.rabbitmq.additionalConfig", "default_queue_type = classic\n"), Status.WARN),
    Mutation("a classic queue is declared", "multi_node", "rabbitmq/queues", _classic_queue, Status.WARN),
    Mutation("a policy mirrors classic queues", "single_node", "rabbitmq/queues", _mirrors, Status.WARN),
    Mutation("the broker's release is no longer supported", "multi_node", "rabbitmq/version", _image("docker.io/library/rabbitmq:4.2.4-management"), live=False),
    Mutation("the broker's release is older than the table", "single_node", "rabbitmq/version", _image("docker.io/library/rabbitmq:3.13.7-management"), live=False),
    Mutation("the chart's broker still runs", "multi_node", "rabbitmq/leftover", lambda c: c.add(*broker.embedded()), Status.WARN, also=("security/images-patched",)),
    Mutation("the broker before RabbitMQ 4 still runs", "multi_node", "rabbitmq/leftover", lambda c: c.add(*broker.embedded(suffix="rabbitmq", image="docker.io/bitnamilegacy/rabbitmq:3.12.14")),
             Status.WARN, also=("security/images-patched",)),
    Mutation("the broker breaks the connection off", "multi_node", "rabbitmq/connectivity", _probed({"login.state": "closed", "server": {}}), live=False),
    Mutation("a memory alarm blocks the broker", "single_node", "rabbitmq/connectivity", _probed({"management": {**MANAGED, "alarm": True}}), live=False),
    Mutation("the broker refuses the product's login", "multi_node", "rabbitmq/authentication", _probed({"login.state": "login"}), live=False),
    Mutation("guest is let in", "single_node", "rabbitmq/authentication", _probed({"defaults": {"guest": "accepted", "user": "refused"}}), live=False),
    Mutation("the broker's certificate has expired", "multi_node", "rabbitmq/tls", _probed({"tls": handshake("expired", not_after="2026-11-02T00:00:00+00:00")}), live=False),
    Mutation("queues were made before the default was set", "multi_node", "rabbitmq/queues", _probed({"management": {**MANAGED, "queues": {**MANAGED["queues"], "classic": 2}}}),
             to=Status.WARN, live=False),
]  # fmt: skip
