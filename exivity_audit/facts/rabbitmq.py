"""The objects of RabbitMQ's operators: clusters, and the queues, policies and virtual hosts that are declared for them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.quantity import Size
from exivity_audit.subject import Subject

CLUSTER_LABEL = "app.kubernetes.io/name"
OPERATOR_LABELS = {"app.kubernetes.io/component": "rabbitmq", "app.kubernetes.io/part-of": "rabbitmq"}
CONDITIONS = ("AllReplicasReady", "ClusterAvailable", "ReconcileSuccess")


class Condition(Struct, frozen=True):
    """A condition of a status: ``True``, ``False`` or ``Unknown``, and the operator's word for why."""

    status: str
    reason: str


class RabbitmqCluster(Struct, frozen=True):
    """A broker that the RabbitMQ Cluster Operator keeps."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    labels: dict[str, str]
    replicas: int  # asked for; 1 where the field is absent
    image: str  # empty: the operator's default
    storage: Size | None  # None: the operator's default, 10Gi
    storage_class: str | None
    empty_dir: bool
    tls_secret: str  # empty: no TLS
    mutual_tls: bool
    tls_alone: bool  # the plaintext listeners are off
    conditions: dict[str, Condition]
    observed: bool  # whether the operator's status is about the spec as it is now
    default_user: tuple[str, str] | None  # namespace and name of the Secret of the default user
    quorum_status: str  # empty before operator versions that report it
    default_queue_type: str  # empty: not set, which the broker takes as classic
    consumer_timeout: str  # milliseconds, "undefined" where it is off; empty: not set, which the broker takes as 30 minutes
    deleting: bool

    @property
    def durable(self) -> bool:
        """Whether the spec asks for volumes: no emptyDir, and storage that is not zero."""
        return not self.empty_dir and (self.storage is None or self.storage > 0)

    @property
    def pod_labels(self) -> dict[str, str]:
        """The labels that the operator gives the pods."""
        return {**self.labels, **OPERATOR_LABELS, CLUSTER_LABEL: self.name}


class Declared(Struct, frozen=True):
    """A queue, policy or virtual host that is declared for a RabbitmqCluster."""

    subject: Subject
    source: Source
    cluster: tuple[str, str] | None  # namespace and name; None where it names its broker by a connection Secret
    vhost: str
    queue_type: str  # of a queue or virtual host: "quorum", "classic" …; empty: the broker's default
    applies_to: str = ""  # of a policy: "queues", "quorum_queues" …
    mirrors: bool = False  # of a policy: it mirrors classic queues, which brokers from 4.0 on no longer do
    consumer_timeout: str = ""  # of a policy: milliseconds

    def on(self, cluster: RabbitmqCluster, vhosts: frozenset[str]) -> bool:
        """Whether it is declared for this cluster, on one of these virtual hosts."""
        return self.cluster == (cluster.namespace, cluster.name) and self.vhost in vhosts


@fact
def rabbitmq_clusters(rabbitmq_clusters: Objects[Document]) -> Objects[RabbitmqCluster]:
    """Every RabbitmqCluster of the cluster."""

    def build(item: Document) -> RabbitmqCluster:
        replicas, generation = item.integer("spec.replicas"), item.integer("metadata.generation")
        observed = item.integer("status.observedGeneration")
        settings = {**item.mapping("spec.rabbitmq.additionalConfig"), **item.mapping("spec.rabbitmq.advancedConfig")}
        secret = item.text("status.defaultUser.secretReference.name")
        return RabbitmqCluster(
            subject=item.subject, source=item.source, name=item.name, namespace=item.namespace or "", labels=item.labels(),
            replicas=1 if replicas is None else replicas, image=item.text("spec.image") or "", storage=item.size("spec.persistence.storage"),
            storage_class=item.text("spec.persistence.storageClassName"), empty_dir=item.get("spec.persistence.emptyDir") is not None,
            tls_secret=item.text("spec.tls.secretName") or "", mutual_tls=bool(item.text("spec.tls.caSecretName")),
            tls_alone=item.boolean("spec.tls.disableNonTLSListeners") or False,
            conditions={
                one.text("type") or "": Condition(one.text("status") or "", one.text("reason") or "") for one in item.items("status.conditions")
            },
            observed=observed is not None and observed >= (generation or 0),
            default_user=(item.text("status.defaultUser.secretReference.namespace") or item.namespace or "", secret) if secret else None,
            quorum_status=item.text("status.quorumStatus") or "", default_queue_type=str(settings.get("default_queue_type") or ""),
            consumer_timeout=str(settings.get("consumer_timeout") or ""), deleting=item.text("metadata.deletionTimestamp") is not None,
        )  # fmt: skip

    return rabbitmq_clusters.each(build)


def _cluster(item: Document) -> tuple[str, str] | None:
    name = item.text("spec.rabbitmqClusterReference.name")
    return (item.text("spec.rabbitmqClusterReference.namespace") or item.namespace or "", name) if name else None


@fact
def broker_queues(rabbitmq_queues: Objects[Document]) -> Objects[Declared]:
    """Every Queue of the Topology Operator."""

    def build(item: Document) -> Declared:
        asked: Any = item.mapping("spec.arguments").get("x-queue-type")
        return Declared(item.subject, item.source, _cluster(item), item.text("spec.vhost") or "/", item.text("spec.type") or asked or "")

    return rabbitmq_queues.each(build)


@fact
def broker_policies(rabbitmq_policies: Objects[Document]) -> Objects[Declared]:
    """Every Policy of the Topology Operator."""

    def build(item: Document) -> Declared:
        definition = item.mapping("spec.definition")
        return Declared(
            item.subject, item.source, _cluster(item), item.text("spec.vhost") or "/", "", item.text("spec.applyTo") or "all",
            "ha-mode" in definition, str(definition.get("consumer-timeout") or ""),
        )  # fmt: skip

    return rabbitmq_policies.each(build)


@fact
def broker_vhosts(rabbitmq_vhosts: Objects[Document]) -> Objects[Declared]:
    """Every virtual host of the Topology Operator."""

    def build(item: Document) -> Declared:
        return Declared(item.subject, item.source, _cluster(item), item.text("spec.name") or "", item.text("spec.defaultQueueType") or "")

    return rabbitmq_vhosts.each(build)


class BrokerLink(Struct, frozen=True):
    """A Shovel, Federation or SchemaReplication: something that carries a broker's state to or from another one."""

    subject: Subject
    source: Source
    cluster: tuple[str, str] | None  # namespace and name; None where it names its broker by a connection Secret
    vhost: str  # empty for a SchemaReplication, which carries all of them
    secret: str  # the Secret with the other broker's address, which is never read
    endpoints: tuple[str, ...]  # hosts that a SchemaReplication names itself

    def of(self, cluster: RabbitmqCluster, vhosts: frozenset[str]) -> bool:
        """Whether it is of this cluster, and of one of these virtual hosts or of all."""
        return self.cluster in (None, (cluster.namespace, cluster.name)) and (not self.vhost or self.vhost in vhosts)


@fact
def broker_links(
    rabbitmq_shovels: Objects[Document], rabbitmq_federations: Objects[Document], rabbitmq_replications: Objects[Document]
) -> Objects[BrokerLink]:
    """Every Shovel, Federation and SchemaReplication of the Topology Operator."""

    def moving(item: Document) -> BrokerLink:
        vhost, secret = item.text("spec.vhost") or "/", item.text("spec.uriSecret.name") or ""
        return BrokerLink(item.subject, item.source, _cluster(item), vhost, secret, ())

    def copying(item: Document) -> BrokerLink:
        secret, endpoints = item.text("spec.upstreamSecret.name") or "", item.text("spec.endpoints") or ""
        return BrokerLink(item.subject, item.source, _cluster(item), "", secret, tuple(filter(None, endpoints.split(","))))

    links = rabbitmq_shovels.each(moving)
    return links.join(rabbitmq_federations.each(moving), rabbitmq_replications.each(copying))
