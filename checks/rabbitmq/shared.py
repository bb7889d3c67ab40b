"""What several checks of the row share: each broker once, and what to say where none can be looked at."""

from __future__ import annotations

from exivity_audit import skip, unknown
from exivity_audit.facts.broker import BrokerKind

REACHED = "rabbitmq/connectivity"
TO_BROKER = "the RabbitMQ Cluster Operator: a RabbitmqCluster with one node, and its Service in `rabbitmq.host`"


def none_named(brokers, release):
    """The verdict where the configuration names no broker."""
    brokers.surely()
    return unknown(release.subject, "no `config.json` of the release names a broker: a layout that is not known")


def missing(broker):
    """The verdict on a server that leads to nothing: connectivity says so."""
    return skip(broker, f"{broker.server} leads to no broker", follows=REACHED)


def by_home(brokers):
    """The brokers that lead somewhere, each once: several names may lead to one."""
    found = {}
    for broker in brokers:
        if broker.kind is not BrokerKind.MISSING:
            found.setdefault(broker.home if broker.inside else broker.subject, broker)
    return found.items()


def plural(count, word):
    """``1 node``, ``3 nodes``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
