"""Reads of the broker's operators: the Cluster Operator's clusters, the Topology Operator's queues, policies, virtual hosts and links."""

from __future__ import annotations

from exivity_audit.collect.place import Read, cluster, paths
from exivity_audit.collect.reads.middleware import home_and_middleware
from exivity_audit.collect.reads.shapes import METADATA

_REFERENCE = "spec.rabbitmqClusterReference.name spec.rabbitmqClusterReference.namespace"

READS: tuple[Read, ...] = (
    Read("rabbitmq_clusters", "rabbitmqclusters.rabbitmq.com", cluster(), paths(
        f"{METADATA} metadata.deletionTimestamp spec.replicas spec.persistence.storage spec.persistence.storageClassName spec.persistence.emptyDir"
        " spec.tls.secretName spec.tls.caSecretName spec.tls.disableNonTLSListeners status.conditions[].type status.conditions[].status"
        " status.conditions[].reason status.observedGeneration status.defaultUser.secretReference.name status.defaultUser.secretReference.namespace"
        " status.quorumStatus",
        {"spec.image": "image", "spec.rabbitmq.additionalConfig": "broker_settings", "spec.rabbitmq.advancedConfig": "broker_terms"}),
        "RabbitmqCluster", otherwise=home_and_middleware),
    Read("rabbitmq_queues", "queues.rabbitmq.com", cluster(), paths(
        f"{_REFERENCE} spec.type", {"spec.name": "name", "spec.vhost": "name", "spec.arguments": "queue_arguments"}), "Queue", otherwise=home_and_middleware),
    Read("rabbitmq_policies", "policies.rabbitmq.com", cluster(), paths(
        f"{_REFERENCE} spec.applyTo", {"spec.vhost": "name", "spec.definition": "broker_policy"}), "Policy", otherwise=home_and_middleware),
    Read("rabbitmq_vhosts", "vhosts.rabbitmq.com", cluster(), paths(
        f"{_REFERENCE} spec.defaultQueueType", {"spec.name": "name"}), "Vhost", otherwise=home_and_middleware),
    Read("rabbitmq_shovels", "shovels.rabbitmq.com", cluster(), paths(
        f"{_REFERENCE} spec.uriSecret.name", {"spec.vhost": "name"}), "Shovel", otherwise=home_and_middleware),
    Read("rabbitmq_federations", "federations.rabbitmq.com", cluster(), paths(
        f"{_REFERENCE} spec.uriSecret.name", {"spec.vhost": "name"}), "Federation", otherwise=home_and_middleware),
    Read("rabbitmq_replications", "schemareplications.rabbitmq.com", cluster(), paths(
        f"{_REFERENCE} spec.upstreamSecret.name", {"spec.endpoints": "host"}), "SchemaReplication", otherwise=home_and_middleware),
)  # fmt: skip
